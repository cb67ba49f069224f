// Applies the color scheme: the visitor's choice, or the system's setting. Runs before the first paint, so that pages
// don't flash in the wrong colors.
(() => {
  "use strict";
  const root = document.documentElement;
  const KEY = "shelflife-theme";
  const known = (theme) => (theme === "light" || theme === "dark" ? theme : "");

  // If storage is blocked, the choice applies only to this page.
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
  // The choice may have changed in another tab, or while this page was in the back/forward cache.
  addEventListener("storage", (event) => {
    if (event.key === KEY || event.key === null) show(recall());
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) show(recall());
  });
})();
