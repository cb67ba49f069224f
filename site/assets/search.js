// Filters the complete list on /search/ as one types, and keeps the words in the address as ?q=.
(() => {
  "use strict";
  const field = document.getElementById("_q");
  const status = document.getElementById("_status");
  const none = document.getElementById("_none");
  const list = document.getElementById("_results");
  if (!field || !status || !none || !list) return;

  // Letters compare without case and accents, since few people type names the way their owners write them.
  const plain = (text) =>
    text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/ß/g, "ss").replace(/\s+/g, " ");

  const rows = Array.from(list.children, (element) => {
    const title = element.querySelector(".row-title a");
    return { element, title: plain(title ? title.textContent : ""), text: plain(element.textContent) };
  });

  // 0 keeps the list's own order; what has the word in its title comes before what merely mentions it.
  const rank = (row, words) => {
    let best = 0;
    for (const word of words) {
      if (!row.text.includes(word)) return -1;
      const at = row.title.indexOf(word);
      best += at === 0 ? 3 : at > 0 ? 2 : 0;
    }
    return best;
  };

  const show = () => {
    const words = plain(field.value).split(" ").filter(Boolean);
    const found = [];
    rows.forEach((row, index) => {
      const score = rank(row, words);
      row.element.hidden = score < 0;
      if (score >= 0) found.push({ element: row.element, score, index });
    });
    found.sort((a, b) => b.score - a.score || a.index - b.index);
    list.append(...found.map((hit) => hit.element));
    list.hidden = found.length === 0;
    none.hidden = found.length > 0;
    const total = rows.length.toLocaleString("en");
    const shown = found.length.toLocaleString("en");
    status.textContent = words.length
      ? `${shown} of ${total} ${rows.length === 1 ? "plugin" : "plugins"}`
      : `${total} ${rows.length === 1 ? "plugin" : "plugins"}`;
  };

  const remember = () => {
    const address = new URL(location.href);
    if (field.value.trim()) address.searchParams.set("q", field.value.trim());
    else address.searchParams.delete("q");
    history.replaceState(null, "", address);
  };

  const restore = () => {
    field.value = new URL(location.href).searchParams.get("q") || "";
    show();
  };

  // One pass a frame is as fast as anybody sees; the address waits for a pause, since browsers limit its changes.
  let frame = 0;
  let pause = 0;
  field.addEventListener("input", () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(show);
    clearTimeout(pause);
    pause = setTimeout(remember, 300);
  });
  if (field.form) {
    field.form.addEventListener("submit", (event) => {
      event.preventDefault();
      show();
      remember();
    });
  }
  addEventListener("popstate", restore);
  restore();
})();
