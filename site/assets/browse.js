// Filters and sorts all plugins as one types and chooses. What is chosen is in the address, so that a link to a list
// can be shared and the back button goes back. Without this script the lists are there as they are.
(() => {
  "use strict";
  const form = document.getElementById("_browse");
  const fixed = document.getElementById("_static");
  const results = document.getElementById("_results");
  const list = document.getElementById("_list");
  const status = document.getElementById("_status");
  const more = document.getElementById("_more");
  if (!form || !results || !list || !status || !more) return;

  const { index: source, base, sort: usual, always, tag: withinTag, author: withinAuthor } = form.dataset;
  const controls = form.elements;
  const NAMES = ["q", "sort", "tag", "python3", "os", "octoprint", "state", "price"];
  // So many rows at once are more than a screen shows and few enough to be there before anybody sees them missing.
  const WINDOW = 50;
  const PYTHON3 = 1, ABANDONED = 2, ADOPTION = 4, DISABLED = 8, ARCHIVED = 16, COMMERCIAL = 32, CLOUD = 64,
    PYTHON2_ONLY = 256, FREE_TIER = 512;
  const GONE = ABANDONED | ADOPTION | DISABLED | ARCHIVED;
  const STATES = { adoption: ADOPTION, abandoned: ABANDONED, archived: ARCHIVED, disabled: DISABLED };
  // Who has changed nothing for two years is not called a maintainer. The index has dates, so it is the visitor's day
  // that counts, whenever the site was built.
  const TODAY = Math.floor(Date.now() / 864e5), IDLE = 731;
  const lastChange = (at) => Math.max(data.of.date[at], data.of.released[at], data.of.pushed[at]);
  const isIdle = (at) => TODAY - lastChange(at) > IDLE;

  // Letters compare without case and accents, since few people type names the way their owners write them.
  const plain = (text) =>
    text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/ß/g, "ss").replace(/\s+/g, " ").trim();
  // The signs at the end of a word tell C++ and C# from C.
  const words = (text) => plain(text).match(/[\p{L}\p{N}]+(?:[+#]+(?![\p{L}\p{N}+#]))?/gu) || [];
  // What says nothing about a plugin among plugins for OctoPrint. They count if there is nothing else.
  const FILLING = new Set(("a an and at be by can do does for from get have how i in is it its let lets me my of on or so "
    + "something tell tells that the this to want when which with you octoprint plugin plugins").split(" "));
  const telling = (text) => {
    const all = words(text);
    const rest = all.filter((word) => !FILLING.has(word));
    return rest.length ? rest : all;
  };

  let data = null;

  const many = (places) => (typeof places === "number" ? [places] : places);

  const prepare = (index) => {
    const of = index.plugins;
    const plugins = of.stem.map((stem, at) => {
      const tags = of.tags[at];
      const authors = many(of.authors[at]);
      return {
        at, stem, tags, authors,
        title: plain(of.title[at]),
        about: plain(of.about[at]),
        named: ` ${[stem, ...tags.map((tag) => index.tags[tag]), ...authors.map((author) => index.authors[author])]
          .map(plain).join(" ")}`,
      };
    });
    // Which plugins a word of a title, a tag or an author leads to; typing errors are looked for among these words.
    const vocabulary = new Map();
    for (const plugin of plugins) {
      for (const word of new Set(words(`${plugin.title} ${plugin.named}`))) {
        const known = vocabulary.get(word);
        if (known) known.push(plugin.at);
        else vocabulary.set(word, [plugin.at]);
      }
    }
    // A page of a tag or an author looks at its own plugins alone.
    const tag = withinTag ? index.tag_slugs.indexOf(withinTag) : null;
    const author = withinAuthor ? index.author_slugs.indexOf(withinAuthor) : null;
    const within = plugins.filter((plugin) =>
      (tag === null || plugin.tags.includes(tag)) && (author === null || plugin.authors.includes(author)));
    return { index, of, plugins, within, vocabulary };
  };

  // Whether two words differ by so few letters that were forgotten, added, changed or swapped with a neighbour
  // (optimal string alignment).
  const isClose = (a, b, most) => {
    if (Math.abs(a.length - b.length) > most) return false;
    let before = [], last = Array.from({ length: b.length + 1 }, (_, at) => at);
    for (let i = 1; i <= a.length; i++) {
      const row = [i];
      let least = i;
      for (let j = 1; j <= b.length; j++) {
        let cost = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2] + 1);
        row.push(cost);
        if (cost < least) least = cost;
      }
      if (least > most) return false;
      [before, last] = [last, row];
    }
    return last[b.length] <= most;
  };

  // How well each plugin fits one word; 0 for not at all.
  const scores = (word) => {
    const found = new Float64Array(data.plugins.length);
    let hits = 0;
    for (const { at, title, named, about } of data.plugins) {
      let score = 0;
      const place = title.indexOf(word);
      if (place === 0) score = title.length === word.length ? 120 : 100;
      else if (place > 0) score = /[\p{L}\p{N}]/u.test(title[place - 1]) ? 60 : 80;
      else if (named.includes(` ${word}`)) score = 45;
      else if (about.includes(word)) score = 20;
      else if (named.includes(word)) score = 15;
      if (score) { found[at] = score; hits++; }
    }
    if (word.length > 3 && hits < 5) {
      const most = word.length > 7 ? 2 : 1;
      for (const [known, places] of data.vocabulary) {
        // A word that is not typed to its end has an error in what there is of it.
        const start = known.length > word.length + most ? known.slice(0, word.length) : known;
        if (isClose(word, start, most)) for (const at of places) if (!found[at]) found[at] = 5;
      }
    }
    return found;
  };
  const remembered = new Map();
  const scoresOf = (word) => {
    if (!remembered.has(word)) {
      if (remembered.size > 50) remembered.clear();
      remembered.set(word, scores(word));
    }
    return remembered.get(word);
  };

  // The place of a version among those that the index has: of the last that is no newer. A line such as 1.5 stands for
  // its last release. -1 for what is no version.
  const octoprintAt = (index, text) => {
    if (!/^\d+(\.\d+)*$/.test(text)) return -1;
    const asked = text.split(".").map(Number);
    return index.octoprint.findLastIndex((version) => {
      const known = version.split(".").map(Number);
      const at = asked.findIndex((number, at) => number !== (known[at] || 0));
      return at < 0 ? asked.length < 3 || known.length <= asked.length : (known[at] || 0) < asked[at];
    });
  };
  // Every line of OctoPrint from the oldest to the newest that an entry speaks of.
  const octoprintLines = (index) => {
    const lines = [];
    let [lastMajor, lastMinor] = [-1];
    for (const version of index.octoprint.slice(1)) {
      const [major, minor = 0] = version.split(".").map(Number);
      // Whatever an entry says, nobody chooses among hundreds.
      let from = major === lastMajor ? lastMinor + 1 : minor;
      if (minor - from > 99) from = minor;
      for (; from <= minor; from++) lines.push(`${major}.${from}`);
      [lastMajor, lastMinor] = [major, minor];
    }
    return lines;
  };

  const wanted = () => {
    const { of, index } = data;
    const tag = controls.tag.value ? index.tag_slugs.indexOf(controls.tag.value) : null;
    const place = (list, value) => (value ? list.indexOf(value) : null);
    const os = place(index.os, controls.os.value);
    const octoprint = controls.octoprint.value ? octoprintAt(index, controls.octoprint.value) : null;
    const state = controls.state.value;
    const price = controls.price.value;
    return ({ at, tags }) => {
      const flags = of.flags[at];
      return (tag === null || tags.includes(tag))
        && (!controls.python3.checked || flags & PYTHON3)
        && (os === null || os >= 0 && (!of.os[at] || of.os[at] & 1 << os))
        && (octoprint === null || octoprint >= 0 && many(of.octoprint[at]).filter((edge) => edge <= octoprint).length % 2)
        && (!state || (state === "maintained" ? !(flags & GONE || isIdle(at)) : flags & STATES[state]))
        && (!price || (price === "commercial" ? flags & COMMERCIAL : price === "cloud" ? flags & CLOUD
          : flags & FREE_TIER || price === "free" && !(flags & (COMMERCIAL | CLOUD))));
    };
  };

  const COLUMNS = { popular: "month", trending: "trend", newest: "date", released: "released", pushed: "pushed", stars: "stars" };

  // The places of the plugins that fit, in order.
  const find = () => {
    const typed = telling(controls.q.value);
    const fits = wanted();
    const rank = new Float64Array(data.plugins.length);
    const matched = new Uint8Array(data.plugins.length);
    for (const word of typed) {
      const found = scoresOf(word);
      for (let at = 0; at < rank.length; at++) if (found[at]) { rank[at] += found[at]; matched[at]++; }
    }
    const fitting = data.within.filter(fits);
    const having = (least) => fitting.filter(({ at }) => matched[at] >= least).map(({ at }) => at);
    let hits = having(typed.length);
    // Where hardly anything has all the words, what has half of them follows.
    if (hits.length < 5 && typed.length > 1) hits = having(Math.ceil(typed.length / 2));
    const sort = sorted = controls.sort.value || (typed.length ? "" : usual || "popular");
    const column = data.of[COLUMNS[sort]];
    const { month, week } = data.of;
    // Plugins are in the order of titles, and sorting keeps it among equals.
    if (column) hits.sort((a, b) => column[b] - column[a] || (sort === "trending" ? week[b] - week[a] : 0));
    else if (sort !== "name") {
      hits.sort((a, b) => matched[b] - matched[a] || rank[b] - rank[a] || month[b] - month[a]);
    }
    return hits;
  };

  const make = (name, attributes, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const number = (value) => value.toLocaleString("en");
  const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  const date = (days) => {
    const day = new Date(days * 864e5);
    return `${day.getUTCDate()}\u00a0${MONTHS[day.getUTCMonth()]}\u00a0${day.getUTCFullYear()}`;
  };

  const row = (at) => {
    const { of, index, plugins } = data;
    const flags = of.flags[at];
    const title = make("h2", { class: "row-title" },
      make("a", { href: `${base}plugins/${encodeURIComponent(of.stem[at])}/` }, of.title[at]));
    for (const [bit, kind, text] of [
      [DISABLED, "bad", "Disabled"], [ABANDONED, "bad", "Abandoned"], [ADOPTION, "warn", "Up for adoption"],
      [ARCHIVED, "warn", "Archived"], [COMMERCIAL, "", "Commercial"], [CLOUD, "", "Cloud"],
      [FREE_TIER, "", "Free tier"], [PYTHON2_ONLY, "warn", "Python 2 only"],
    ]) if (flags & bit) title.append(" ", make("span", { class: `badge ${kind}` }, text));
    if (of.pushed[at] && isIdle(at) && !(flags & GONE)) {
      title.append(" ", make("span", { class: "badge warn" }, `No change since ${date(lastChange(at)).slice(-4)}`));
    }
    const facts = [`by ${plugins[at].authors.map((author) => index.authors[author]).join(", ")}`];
    // What the list is sorted by is said, and numbers that are not fresh with their day.
    const asOf = (days) => (days ? ` as of ${date(days)}` : "");
    const usage = asOf(index.usage_as_of), github = asOf(of.github_as_of[at]);
    if (sorted === "trending" && of.week[at]) facts.push(`${number(of.week[at])} new installs this week${usage}`);
    if (of.month[at]) facts.push(`${number(of.month[at])} active this month${usage}`);
    if (of.stars[at]) facts.push(`${number(of.stars[at])} ${of.stars[at] === 1 ? "star" : "stars"}${github}`);
    if (sorted === "pushed") facts.push(of.pushed[at] ? `last push ${date(of.pushed[at])}${github}` : "last push not known");
    else if (of.released[at] && sorted !== "newest") facts.push(`released ${date(of.released[at])}${github}`);
    else facts.push(`added ${date(of.date[at])}`);
    return make("li", { class: "row" }, title,
      make("p", { class: "about" }, of.about[at]), make("p", { class: "meta" }, facts.join(" · ")));
  };

  let hits = [];
  let sorted = "";
  let shown = 0;
  const showMore = () => {
    const rows = hits.slice(shown, shown + WINDOW).map(row);
    list.append(...rows);
    shown += rows.length;
    more.hidden = shown >= hits.length;
    return rows[0];
  };

  const isAsking = () => Boolean(always) || NAMES.some((name) => name === "python3"
    ? controls.python3.checked : controls[name].value.trim() !== "");

  const show = (rows = WINDOW) => {
    const asks = isAsking();
    results.hidden = !asks;
    if (fixed) fixed.hidden = asks;
    const active = NAMES.slice(2).filter((name) => name === "python3" ? controls[name].checked : controls[name].value);
    const count = document.getElementById("_active");
    if (count) count.textContent = active.length ? ` (${active.length})` : "";
    if (!asks || !data) return;
    hits = find();
    shown = 0;
    list.replaceChildren();
    do showMore(); while (shown < Math.min(rows, hits.length));
    const all = data.within.length;
    status.textContent = hits.length === all ? `${number(all)} ${all === 1 ? "plugin" : "plugins"}`
      : hits.length ? `${number(hits.length)} of ${number(all)} plugins`
        : "Nothing fits. Try fewer or shorter words, or fewer filters.";
  };

  let loading = null;
  const load = () => loading ||= fetch(source)
    .then((answer) => answer.ok ? answer.json() : Promise.reject(new Error(`${answer.status}`)))
    .then((index) => {
      data = prepare(index);
      const unknown = (value) => `${value} (not known)`;
      const fill = (select, values, text, other = unknown) => {
        const chosen = select.value || new URLSearchParams(location.search).get(select.name) || "";
        for (const value of values) select.append(new Option(text(value), value));
        // A link may name what there is no longer: nothing fits it, and the choice says why.
        if (chosen && !values.includes(chosen)) select.append(new Option(other(chosen), chosen));
        select.value = chosen;
      };
      const names = { linux: "Linux", windows: "Windows", macos: "macOS", freebsd: "FreeBSD" };
      const tags = index.tag_slugs.map((slug, at) => [slug, index.tags[at]]);
      const name = new Map(tags);
      fill(controls.tag, index.tag_slugs, (slug) => name.get(slug));
      fill(controls.os, index.os, (os) => names[os] || os);
      const lines = octoprintLines(index);
      fill(controls.octoprint, lines, (line) => (line === lines.at(-1) ? `${line} or newer` : line),
        (version) => (octoprintAt(index, version) < 0 ? unknown(version) : version));
    })
    .catch(() => {
      loading = null;
      status.textContent = "The list can't be loaded. Check your connection and try again.";
    });

  const begin = (rows) => load().then(() => show(rows));

  const address = () => {
    const to = new URL(location.href);
    for (const name of NAMES) {
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
      if (name === "python3") controls.python3.checked = given.get(name) === "1";
      else controls[name].value = given.get(name) || "";
    }
    return NAMES.some((name) => given.get(name)) || always;
  };

  // One pass a frame is as fast as anybody sees; the address waits for a pause, since browsers limit its changes.
  let frame = 0;
  let pause = 0;
  const changed = () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => (data ? show() : begin()));
  };
  controls.q.addEventListener("input", () => {
    changed();
    clearTimeout(pause);
    pause = setTimeout(() => history.replaceState(null, "", address()), 300);
  });
  form.addEventListener("change", (event) => {
    if (event.target === controls.q) return;
    history.pushState(null, "", address());
    changed();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(pause);
    history.replaceState(null, "", address());
    changed();
  });
  form.addEventListener("reset", () => setTimeout(() => {
    history.pushState(null, "", address());
    changed();
  }));
  form.addEventListener("focusin", () => void load(), { once: true });
  more.addEventListener("click", () => {
    const first = showMore();
    if (first) first.querySelector("a").focus();
  });
  addEventListener("popstate", () => {
    restore();
    if (isAsking()) begin();
    else show();
  });
  // Whoever comes back finds the list as long as it was, and at its place.
  addEventListener("pagehide", () => {
    if (shown) history.replaceState({ shown, top: scrollY }, "");
  });
  if (restore()) {
    const { shown: rows, top } = history.state || {};
    show();
    begin(rows).then(() => top && scrollTo(0, top));
  }
})();
