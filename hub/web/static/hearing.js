// What just happens, for every tab of a browser over one connection: browsers open six HTTP/1.1
// connections to a host, and a stream for each tab would take them all.
//
// `hearing()` is used like an EventSource. Behind it is stream.js, one for all tabs of a session;
// where a browser knows no such worker each tab has a stream of its own.
(() => {
  "use strict";
  const address = document.currentScript.dataset.stream;
  // The session's own token, without the mask that is new on each page.
  const token = atob((document.querySelector("meta[name=csrf]")?.content ?? "").replaceAll("-", "+").replaceAll("_", "/"));
  const half = token.length / 2;
  const digit = (c, n) => (c.charCodeAt(0) ^ token.charCodeAt(n + half)).toString(16).padStart(2, "0");
  const session = [...token.slice(0, half)].map(digit).join("");

  const missed = () => new MessageEvent("missed", { data: "{}" });

  window.hearing = () => {
    const heard = window.SharedWorker ? shared() : new EventSource("/events");
    // The hub knows of no gap when there was no stream before it, or a new one after a refusal.
    let lost = false;
    heard.addEventListener("error", () => (lost = true));
    heard.addEventListener("open", () => {
      if (lost) heard.dispatchEvent(missed());
      lost = false;
    });
    return heard;
  };

  function shared() {
    const heard = new EventTarget();
    let port = null;
    const begin = () => {
      port = new SharedWorker(address, session).port;
      port.onmessage = ({ data }) => heard.dispatchEvent(new MessageEvent(data.name, { data: data.text }));
    };
    heard.close = () => {
      port?.postMessage("bye");
      port?.close();
      port = null;
    };
    window.addEventListener("pagehide", () => heard.close());
    // A page that was kept for “back” has missed what happened since.
    window.addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      begin();
      heard.dispatchEvent(missed());
    });
    begin();
    return heard;
  }
})();
