// Holds the one event stream of a session, and tells every tab what it hears (see hearing.js).
"use strict";
const NAMES = ["pending", "decided", "job", "marked", "closed", "snap", "suspended", "device", "rollout", "missed"];
const AGAIN = 10000;
const ports = new Set();
let source = null;

const tell = (name, text) => ports.forEach((port) => port.postMessage({ name, text }));

function listen() {
  if (source && source.readyState !== EventSource.CLOSED) return;
  source = new EventSource("/events");
  NAMES.forEach((name) => source.addEventListener(name, (event) => tell(name, event.data)));
  source.addEventListener("open", () => tell("open"));
  source.addEventListener("error", () => {
    tell("error");
    // A refusal ends it for good: ask again, as long as somebody listens.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => ports.size && listen(), AGAIN);
  });
}

onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data }) => {
    if (data !== "bye") return;
    ports.delete(port);
    if (ports.size === 0) source.close();
  };
  ports.add(port);
  if (source?.readyState === EventSource.OPEN) port.postMessage({ name: "open" });
  listen();
};
