// Live pages. One event stream while the page is seen; each hint makes the parts that ask for it fetch themselves again.
// A part says:  hx-get="…" hx-trigger="atelier:change from:body throttle:1s"
// The stream is closed while the tab is hidden (a browser opens only six per server) and taken up where it stopped.
(() => {
  "use strict";
  const url = document.body.dataset.events;
  if (!url || !window.EventSource) return;
  let last = document.body.dataset.lastEvent || "";
  let source = null;
  const open = () => {
    if (source) return;
    source = new EventSource(`${url}${url.includes("?") ? "&" : "?"}after=${encodeURIComponent(last)}`);
    source.addEventListener("change", (event) => {
      last = event.lastEventId || last;
      window.htmx.trigger(document.body, "atelier:change");
    });
    source.addEventListener("bye", () => {
      close();
      if (!document.hidden) window.setTimeout(open, 250);
    });
    source.addEventListener("error", () => {
      if (source && source.readyState === EventSource.CLOSED) {
        source = null;
        window.setTimeout(() => !document.hidden && open(), 5000);
      }
    });
  };
  const close = () => {
    if (source) source.close();
    source = null;
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  if (!document.hidden) open();
})();
