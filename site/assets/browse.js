// Filters and sorts the list of plugins. The filters are kept in the URL, so that lists can be shared and the back
// button works. Without this script, pages show their static lists. search.js does the text search.
(() => {
  "use strict";
  const form = document.getElementById("_browse");
  const fixed = document.getElementById("_static");
  const results = document.getElementById("_results");
  const list = document.getElementById("_list");
  const status = document.getElementById("_status");
  const more = document.getElementById("_more");
  // A link to a static list, shown if this script or the index fails to load.
  const way = document.getElementById("_way");
  if (!form || !results || !list || !status || !more || typeof Search === "undefined") return;

  const { index: source, base, sort: usual, always, tag: withinTag, author: withinAuthor } = form.dataset;
  const controls = form.elements;
  const NAMES = ["q", "sort", "tag", "python3", "os", "octoprint", "state", "price"];
  const FROM_LIST = ["tag", "os", "octoprint"];
  // The number of rows that fill a screen and are drawn at once, and the number shown until "Show more" is clicked.
  const SCREEN = 12, WINDOW = 30;
  // Milliseconds of indexing at a time: half a frame, because keystrokes wait for it.
  const SLICE = 8;
  const PYTHON3 = 1, ABANDONED = 2, ADOPTION = 4, DISABLED = 8, ARCHIVED = 16, COMMERCIAL = 32, CLOUD = 64,
    PYTHON2_ONLY = 256, FREE_TIER = 512;
  const GONE = ABANDONED | ADOPTION | DISABLED | ARCHIVED;
  const STATES = { adoption: ADOPTION, abandoned: ABANDONED, archived: ARCHIVED, disabled: DISABLED };
  // A plugin that has not changed for two years doesn't count as maintained. This is decided here rather than in the
  // build, so that it depends on the visitor's date.
  const TODAY = Math.floor(Date.now() / 864e5), IDLE = 731;
  const lastChange = (at) => Math.max(data.of.date[at], data.of.released[at], data.of.pushed[at]);
  const isIdle = (at) => TODAY - lastChange(at) > IDLE;

  let data = null;

  const many = (places) => (typeof places === "number" ? [places] : places);

  const prepare = (index) => {
    const of = index.plugins;
    // The page of a tag or an author lists only its own plugins.
    const tag = withinTag ? index.tag_slugs.indexOf(withinTag) : null;
    const author = withinAuthor ? index.author_slugs.indexOf(withinAuthor) : null;
    const within = of.stem.map((_, at) => at).filter((at) =>
      (tag === null || of.tags[at].includes(tag)) && (author === null || many(of.authors[at]).includes(author)));
    return { index, of, within, search: Search.of(index) };
  };

  // The index of the newest version in the list that is not newer than the given one. A release line such as 1.5 stands
  // for its last release. -1 if the text is not a version.
  const octoprintAt = (index, text) => {
    if (!/^\d+(\.\d+)*$/.test(text)) return -1;
    const asked = text.split(".").map(Number);
    return index.octoprint.findLastIndex((version) => {
      const known = version.split(".").map(Number);
      const at = asked.findIndex((number, at) => number !== (known[at] || 0));
      return at < 0 ? asked.length < 3 || known.length <= asked.length : (known[at] || 0) < asked[at];
    });
  };
  // Every release line of OctoPrint from the oldest to the newest that entries mention.
  const octoprintLines = (index) => {
    const lines = [];
    let [lastMajor, lastMinor] = [-1];
    for (const version of index.octoprint.slice(1)) {
      const [major, minor = 0] = version.split(".").map(Number);
      // An entry may mention an absurd version: don't offer hundreds of lines.
      let from = major === lastMajor ? lastMinor + 1 : minor;
      if (minor - from > 99) from = minor;
      for (; from <= minor; from++) lines.push(`${major}.${from}`);
      [lastMajor, lastMinor] = [major, minor];
    }
    return lines;
  };

  // The selected filters, as predicates on the position of a plugin.
  const conditions = () => {
    const { of, index } = data;
    const { tag, python3, os, octoprint, state, price } = controls;
    const all = [];
    if (tag.value) {
      const place = index.tag_slugs.indexOf(tag.value);
      all.push((at) => of.tags[at].includes(place));
    }
    if (python3.checked) all.push((at) => of.flags[at] & PYTHON3);
    if (os.value) {
      const place = index.os.indexOf(os.value);
      all.push((at) => place >= 0 && (!of.os[at] || of.os[at] & 1 << place));
    }
    if (octoprint.value) {
      const place = octoprintAt(index, octoprint.value);
      all.push((at) => place >= 0 && many(of.octoprint[at]).filter((edge) => edge <= place).length % 2);
    }
    if (state.value === "maintained") all.push((at) => !(of.flags[at] & GONE || isIdle(at)));
    else if (state.value) all.push((at) => of.flags[at] & STATES[state.value]);
    if (price.value === "commercial") all.push((at) => of.flags[at] & COMMERCIAL);
    else if (price.value === "cloud") all.push((at) => of.flags[at] & CLOUD);
    else if (price.value) {
      const isFree = price.value === "free";
      all.push((at) => of.flags[at] & FREE_TIER || isFree && !(of.flags[at] & (COMMERCIAL | CLOUD)));
    }
    return all;
  };

  const COLUMNS = { popular: "month", trending: "trend", newest: "date", released: "released", pushed: "pushed", stars: "stars" };

  const isTyped = () => /[\p{L}\p{N}]/u.test(controls.q.value);

  // The positions of the matching plugins, in order, and whether they contain all words of the query.
  const find = () => {
    const places = conditions().reduce((left, fits) => left.filter(fits), [...data.within]);
    const found = isTyped() ? data.search.find(controls.q.value, places) : { hits: places, isAll: true };
    const { hits } = found;
    const sort = sorted = controls.sort.value || (isTyped() ? "" : usual || "popular");
    const column = data.of[COLUMNS[sort]];
    const { week } = data.of;
    // Plugins are stored in the order of their titles, which stable sorts keep among equals.
    if (sort) hits.sort((a, b) => a - b);
    // Plugins dated in the future come last.
    const rank = (at) => (sort === "newest" && column[at] > TODAY ? -column[at] : column[at]);
    if (column) hits.sort((a, b) => rank(b) - rank(a) || (sort === "trending" ? week[b] - week[a] : 0));
    return found;
  };

  const make = (name, attributes, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const { format: number } = new Intl.NumberFormat("en");
  const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  const date = (days) => {
    const day = new Date(days * 864e5);
    return `${day.getUTCDate()}\u00a0${MONTHS[day.getUTCMonth()]}\u00a0${day.getUTCFullYear()}`;
  };

  const row = (at) => {
    const { of, index } = data;
    const flags = of.flags[at];
    const title = make("h2", { class: "row-title" },
      make("a", { href: `${base}plugins/${encodeURIComponent(of.stem[at])}/` }, of.title[at]));
    for (const [bit, kind, text] of [
      [DISABLED, "bad", "Disabled"], [ABANDONED, "bad", "Abandoned"], [ADOPTION, "warn", "Up for adoption"],
      [ARCHIVED, "warn", "Archived"], [COMMERCIAL, "", "Commercial"], [CLOUD, "", "Cloud"],
      [FREE_TIER, "", "Free tier"], [PYTHON2_ONLY, "warn", "Python 2 only"],
    ]) if (flags & bit) title.append(" ", make("span", { class: `badge ${kind}` }, text));
    if (of.pushed[at] && isIdle(at) && !(flags & GONE)) {
      title.append(" ", make("span", { class: "badge warn" }, `No changes since ${date(lastChange(at)).slice(-4)}`));
    }
    const facts = [`by ${many(of.authors[at]).map((author) => index.authors[author]).join(", ")}`];
    // Show the value that the list is sorted by, and the date of stale numbers.
    const asOf = (days) => (days ? ` as of ${date(days)}` : "");
    const usage = asOf(index.usage_as_of), github = asOf(of.github_as_of[at]);
    if (sorted === "trending" && of.week[at]) facts.push(`${number(of.week[at])} new installs this week${usage}`);
    if (of.month[at]) facts.push(`${number(of.month[at])} active this month${usage}`);
    if (of.stars[at]) facts.push(`${number(of.stars[at])} ${of.stars[at] === 1 ? "star" : "stars"}${github}`);
    if (sorted === "pushed") facts.push(of.pushed[at] ? `last push ${date(of.pushed[at])}${github}` : "last push unknown");
    else if (of.released[at] && sorted !== "newest") facts.push(`released ${date(of.released[at])}${github}`);
    else if (of.date[at]) facts.push(`added ${date(of.date[at])}`);
    return make("li", { class: "row" }, title,
      make("p", { class: "about" }, of.about[at]), make("p", { class: "meta" }, facts.join(" · ")));
  };

  let hits = [];
  let sorted = "";
  let shown = 0;
  // The number of rows requested, and whether the current results come from an incomplete index.
  let asked = 0;
  let isEarly = false;
  let hasFailed = false;
  const showMore = (count) => {
    const rows = hits.slice(shown, shown + count).map(row);
    list.append(...rows);
    shown += rows.length;
    more.hidden = shown >= hits.length;
    return rows[0];
  };

  const isAsking = () => Boolean(always) || NAMES.some((name) => name === "python3"
    ? controls.python3.checked : controls[name].value.trim() !== "");

  // The first option names the default order: the best match for a query, or else the order of the static list.
  const inOrder = controls.sort.options[0];
  const usually = inOrder.text;
  const nameOrder = () => {
    inOrder.text = isTyped() ? "Best match" : usually;
    for (const option of controls.sort.options) {
      option.hidden = option !== inOrder && option.text === inOrder.text && !option.selected;
    }
  };

  const show = (rows = WINDOW) => {
    nameOrder();
    if (way) way.hidden = !hasFailed;
    const asks = isAsking();
    results.hidden = !asks;
    if (fixed) fixed.hidden = asks;
    const active = NAMES.slice(2).filter((name) => name === "python3" ? controls[name].checked : controls[name].value);
    const count = document.getElementById("_active");
    if (count) count.textContent = active.length ? ` (${active.length})` : "";
    if (!asks) return;
    if (!data) {
      if (!hasFailed) return;
      // Fall back to the static list.
      if (fixed) fixed.hidden = false;
      status.textContent = "The search index could not be loaded. Check your connection and try again.";
      return;
    }
    asked = rows;
    isEarly = isTyped() && !data.search.prepare(SLICE);
    results.setAttribute("aria-busy", isEarly);
    const found = find();
    hits = found.hits;
    shown = 0;
    list.replaceChildren();
    showMore(rows);
    const all = data.within.length;
    status.textContent = isEarly ? "Searching…" : hits.length === all ? `${number(all)} ${all === 1 ? "plugin" : "plugins"}`
      : hits.length ? `${number(hits.length)} of ${number(all)} plugins${found.isAll ? "" : "; none matches all words"}`
        : "No plugins found. Try fewer or shorter words, or fewer filters.";
  };

  // Selects the option that a link asks for by its value or its text, ignoring case.
  const choose = (select, value) => {
    const wanted = value.toLowerCase();
    const same = (text) => text.toLowerCase() === wanted;
    const options = [...select.options];
    let option = options.find((one) => same(one.value)) || options.find((one) => same(one.text));
    if (!option && data) {
      // A link may name a value that no longer exists: add it as unknown, so that the empty result is explained.
      // OctoPrint versions are valid even if they are not among the options.
      const isKnown = select === controls.octoprint && octoprintAt(data.index, value) >= 0;
      select.append(option = new Option(isKnown ? value : `${value} (unknown)`, value));
    }
    select.value = option ? option.value : "";
  };

  // Builds the search index in small steps while the browser is idle. A query that is typed before it is complete shows
  // preliminary results at once, and the final ones a moment later.
  const learn = () => new Promise((learned) => {
    const part = () => {
      // If a query is waiting, continue as soon as possible.
      const soon = isEarly || !window.requestIdleCallback ? setTimeout : requestIdleCallback;
      if (!data.search.prepare(SLICE)) return void soon(part);
      if (isEarly) show(Math.max(WINDOW, asked, shown));
      learned();
    };
    part();
  });

  let loading = null;
  let learning = null;
  const load = () => loading ||= fetch(source)
    .then((answer) => answer.ok ? answer.json() : Promise.reject(new Error(`${answer.status}`)))
    .then((index) => {
      data = prepare(index);
      hasFailed = false;
      const fill = (select, values, text) => {
        select.append(...values.map((value) => new Option(text(value), value)));
        choose(select, new URLSearchParams(location.search).get(select.name) || "");
      };
      const names = { linux: "Linux", windows: "Windows", macos: "macOS", freebsd: "FreeBSD" };
      const name = new Map(index.tag_slugs.map((slug, at) => [slug, index.tags[at]]));
      fill(controls.tag, index.tag_slugs, (slug) => name.get(slug));
      fill(controls.os, index.os, (os) => names[os] || os);
      const lines = octoprintLines(index);
      fill(controls.octoprint, lines, (line) => (line === lines.at(-1) ? `${line} or newer` : line));
      learning = learn();
    })
    .catch(() => {
      loading = null;
      hasFailed = true;
    });

  const begin = (rows) => load().then(() => show(rows));

  const address = () => {
    const to = new URL(location.href);
    for (const name of NAMES) {
      // The options of these controls come from the index: until it is loaded, keep what the URL says.
      if (!data && FROM_LIST.includes(name)) continue;
      const control = controls[name];
      const value = name === "python3" ? (control.checked ? "1" : "") : control.value.trim();
      if (value) to.searchParams.set(name, value);
      else to.searchParams.delete(name);
    }
    return to;
  };

  const restore = () => {
    const given = new URLSearchParams(location.search);
    for (const name of NAMES) {
      const value = given.get(name) || "";
      if (name === "python3") controls.python3.checked = /^(1|true|yes|on)$/i.test(value);
      else if (name === "q") controls.q.value = value;
      else choose(controls[name], value);
    }
    return NAMES.some((name) => given.get(name)) || always;
  };

  // Search at most once a frame, and draw the rows below the screen in the next frame. Update the URL only when typing
  // pauses, because browsers limit how often it may change.
  let frame = 0;
  let pause = 0;
  const keep = () => {
    clearTimeout(pause);
    if (address().href !== location.href) history.replaceState(null, "", address());
  };
  const changed = () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => {
      if (!data) return void begin();
      show(SCREEN);
      frame = requestAnimationFrame(() => showMore(WINDOW - shown));
    });
  };
  controls.q.addEventListener("input", () => {
    changed();
    clearTimeout(pause);
    pause = setTimeout(keep, 300);
  });
  form.addEventListener("change", (event) => {
    if (event.target === controls.q) return;
    history.pushState(null, "", address());
    changed();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keep();
    changed();
  });
  form.addEventListener("reset", () => setTimeout(() => {
    history.pushState(null, "", address());
    changed();
  }));
  form.addEventListener("focusin", () => void load());
  more.addEventListener("click", () => {
    const first = showMore(WINDOW);
    if (first) first.querySelector("a").focus();
  });
  addEventListener("popstate", () => {
    restore();
    if (isAsking()) begin();
    else show();
  });
  // Save the query when a link is followed before typing has paused, so that the back button restores it.
  results.addEventListener("click", keep);
  // Save the length and scroll position of the list for the back button.
  addEventListener("pagehide", () => {
    keep();
    if (shown) history.replaceState({ shown, top: scrollY }, "");
  });
  if (restore()) {
    const { shown: rows, top } = history.state || {};
    show();
    begin(rows).then(() => isEarly && learning).then(() => top && scrollTo({ top, behavior: "instant" }));
  }
})();
