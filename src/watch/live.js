// Reloads the page when its content has changed.
(() => {
  "use strict";
  const { run, seen } = document.currentScript.dataset;
  const query = new URLSearchParams({ page: location.pathname, run, seen });
  let stream = null;
  let timer = 0;

  const close = () => {
    clearTimeout(timer);
    if (stream) stream.close();
    stream = null;
  };
  const open = () => {
    close();
    stream = new EventSource(`/.shelflife/events?${query}`);
    stream.addEventListener("reload", () => { close(); location.reload(); });
    // Browsers reconnect by themselves, but not after every kind of failure.
    stream.addEventListener("error", () => {
      if (stream && stream.readyState === EventSource.CLOSED) timer = setTimeout(open, 1000);
    });
  };

  // Browsers limit the connections per server, so a hidden page closes its own.
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(close, 30000);
    else if (!stream || stream.readyState === EventSource.CLOSED) open();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", event => { if (event.persisted) open(); });
  open();
})();
