// Light or dark, as the visitor chose or else as the system has it. It runs before the first paint, so that no page
// flashes in the wrong colours.
(() => {
  "use strict";
  const root = document.documentElement;
  const KEY = "shelflife-theme";
  const known = (theme) => (theme === "light" || theme === "dark" ? theme : "");

  // Where nothing may be stored, the choice holds for this page.
  const recall = () => {
    try {
      return known(localStorage.getItem(KEY));
    } catch {
      return "";
    }
  };
  const remember = (theme) => {
    try {
      if (theme) localStorage.setItem(KEY, theme);
      else localStorage.removeItem(KEY);
    } catch {
      return;
    }
  };

  const show = (theme) => {
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
    const choice = document.getElementById("_theme");
    if (choice) choice.value = theme;
  };

  root.dataset.scripts = "";
  show(recall());
  document.addEventListener("DOMContentLoaded", () => {
    const choice = document.getElementById("_theme");
    if (!choice) return;
    choice.value = known(root.dataset.theme);
    choice.addEventListener("change", () => {
      remember(known(choice.value));
      show(known(choice.value));
    });
  });
  // Another tab, or a page that comes back as it was left.
  addEventListener("storage", (event) => {
    if (event.key === KEY || event.key === null) show(recall());
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) show(recall());
  });
})();
