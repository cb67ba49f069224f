// Copy buttons and the screenshot viewer. Without this script, texts can be selected and screenshots are links.
(() => {
  "use strict";

  const select = (element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  };

  // If writing to the clipboard is not allowed, select the text instead.
  const copy = async (element) => {
    try {
      await navigator.clipboard.writeText(element.textContent);
      return true;
    } catch {
      select(element);
      try {
        return document.execCommand("copy");
      } catch {
        return false;
      }
    }
  };

  const status = document.getElementById("_copied");
  document.querySelectorAll(".copy").forEach((place) => {
    const text = place.querySelector("code");
    const button = place.querySelector("button");
    if (!text || !button || !status) return;
    let timer = 0;
    button.addEventListener("click", async () => {
      const done = await copy(text);
      button.firstChild.data = done ? "Copied" : "Selected";
      status.textContent = done ? "Copied" : "Text selected. Copy it with your keyboard.";
      clearTimeout(timer);
      timer = setTimeout(() => {
        button.firstChild.data = "Copy";
        status.textContent = "";
      }, 2500);
    });
  });

  const links = Array.from(document.querySelectorAll("a.shot"));
  if (!links.length || typeof HTMLDialogElement !== "function") return;

  const make = (name, className, text = "") => {
    const element = document.createElement(name);
    element.className = className;
    element.textContent = text;
    return element;
  };
  const dialog = make("dialog", "large");
  dialog.setAttribute("aria-label", "Screenshot");
  const picture = make("img", "large-picture");
  picture.referrerPolicy = "no-referrer";
  const words = make("p", "large-words");
  words.setAttribute("aria-live", "polite");
  const buttons = make("p", "large-buttons");
  dialog.append(buttons, picture, words);
  document.body.append(dialog);

  let at = 0;
  const show = (index) => {
    at = (index + links.length) % links.length;
    const small = links[at].querySelector("img");
    const caption = links[at].parentElement.querySelector("figcaption");
    picture.src = small.src;
    picture.alt = small.alt;
    const place = links.length > 1 ? `${at + 1} of ${links.length}` : "";
    words.textContent = [place, caption ? caption.textContent : ""].filter(Boolean).join(": ");
  };
  const button = (text, action) => {
    const element = make("button", "button", text);
    element.type = "button";
    element.addEventListener("click", action);
    buttons.append(element);
  };
  if (links.length > 1) {
    button("Previous", () => show(at - 1));
    button("Next", () => show(at + 1));
  }
  button("Close", () => dialog.close());

  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") show(at - 1);
    else if (event.key === "ArrowRight") show(at + 1);
    else return;
    event.preventDefault();
  });
  // A click beside the picture closes the dialog.
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    picture.removeAttribute("src");
    links[at].focus();
  });
  links.forEach((link, index) =>
    link.addEventListener("click", (event) => {
      if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      show(index);
      dialog.showModal();
    }),
  );
})();
