// The review desk by key, and live. Without this file every step still works by plain forms.
//
// A card leaves at once; the server confirms. If somebody else was faster, it comes back and
// says who. New cards come in at their door's end, so what has focus never moves.
(() => {
  "use strict";
  const desk = document.getElementById("desk");
  if (!desk) return;
  const toast = document.getElementById("toast");
  const help = document.getElementById("keys");
  const live = document.getElementById("live");
  const undone = []; // ids of what this page decided, newest last
  const UNDO = 100;

  const cards = () => [...desk.querySelectorAll(".sight:not(.leaving):not(.decided)")];
  const current = () => desk.querySelector(".sight.here:not(.leaving)") || null;
  const id = (card) => card.dataset.id;
  const token = () => document.querySelector("meta[name=csrf]").content;

  function stand(card) {
    desk.querySelectorAll(".sight.here").forEach((c) => c.classList.remove("here"));
    if (!card) return;
    card.classList.add("here");
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  }

  function step(by) {
    const all = cards();
    if (!all.length) return;
    const at = all.indexOf(current());
    stand(all[Math.min(Math.max(at + by, 0), all.length - 1)]);
  }

  function neighbour(card) {
    const all = cards();
    const at = all.indexOf(card);
    return all[at + 1] || all[at - 1] || null;
  }

  function say(text, undoId) {
    toast.replaceChildren();
    if (!text) return;
    const box = document.createElement("div");
    const words = document.createElement("span");
    words.textContent = text;
    box.append(words);
    if (undoId) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "Undo";
      button.addEventListener("click", undo);
      box.append(button);
    } else box.classList.add("bad");
    toast.append(box);
  }

  function recount() {
    const left = Number(desk.dataset.waiting);
    document.getElementById("count").textContent = left === 1 ? "1 person waits" : `${left} people wait`;
    document.title = `(${left}) Review · Rollcall`;
    desk.querySelectorAll(".group").forEach((group) => {
      const here = group.querySelectorAll(".sight:not(.leaving)").length;
      group.hidden = here === 0;
    });
    const nothing = document.getElementById("nothing");
    if (nothing) nothing.hidden = left > 0 || cards().length > 0;
  }

  function waiting(by) {
    desk.dataset.waiting = Math.max(0, Number(desk.dataset.waiting) + by);
    recount();
  }

  function press(card, name, value) {
    const button = card && card.querySelector(`button[name="${name}"][value="${value}"]`);
    if (button) button.click();
  }

  // htmx sends the card's form; these three hooks make it feel instant and keep it honest.
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    const card = event.target.closest(".sight");
    if (!card || !event.target.matches("form")) return;
    const next = neighbour(card);
    const had = card.classList.contains("here") || card.contains(document.activeElement);
    card.classList.add("leaving");
    card.classList.remove("here");
    waiting(-1);
    if (had) stand(next);
  });

  document.body.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.requestConfig.elt; // by now it may have left the page
    const card = form.closest(".sight");
    if (!card || !form.matches("form")) return;
    const { status } = event.detail.xhr; // 0 when the hub was not reached
    if (status >= 200 && status < 300) {
      undone.push(id(card));
      if (undone.length > UNDO) undone.shift();
      say(decodeURIComponent(event.detail.xhr.getResponseHeader("X-Said") || "Done"), id(card));
      return;
    }
    card.classList.remove("leaving");
    if (status === 409) {
      say("Somebody else was faster. The card says who.");
    } else {
      waiting(1);
      stand(card);
      say("The hub did not answer, so nothing was decided. Try again.");
    }
  });

  document.body.addEventListener("htmx:afterSwap", () => recount());

  async function undo() {
    const last = undone.pop();
    if (!last) return say("There is nothing to undo on this page.");
    const form = new URLSearchParams({ csrf: token() });
    const headers = { "HX-Request": "true", "X-CSRF-Token": token() };
    const answer = await fetch(`/review/${last}/undo`, { method: "POST", body: form, headers }).catch(() => null);
    if (!answer) {
      undone.push(last);
      return say("The hub did not answer, so nothing was undone. Try again.");
    }
    if (!answer.ok) return say("This can no longer be undone: somebody decided it again.");
    const there = document.getElementById(`s-${last}`);
    place(await answer.text(), true);
    if (!there) waiting(1);
    say("");
    stand(document.getElementById(`s-${last}`));
  }

  // Puts a card into its door's list, or makes the list. Never steals the focus by itself.
  function place(html, first) {
    const parsed = new DOMParser().parseFromString(html, "text/html");
    const card = parsed.querySelector(".sight");
    if (!card) return null;
    const old = document.getElementById(card.id);
    if (old) old.remove();
    let group = desk.querySelector(`.group[data-key="${CSS.escape(card.dataset.group)}"]`);
    if (!group) {
      group = document.createElement("section");
      group.className = "group";
      group.dataset.key = card.dataset.group;
      group.setAttribute("aria-label", card.dataset.groupName);
      const header = document.createElement("header");
      const title = document.createElement("h2");
      title.textContent = card.dataset.groupName;
      header.append(title);
      const list = document.createElement("div");
      list.className = "cards";
      group.append(header, list);
      desk.querySelector(".groups").prepend(group);
    }
    const list = group.querySelector(".cards");
    if (first) list.prepend(card);
    else list.append(card);
    if (window.htmx) window.htmx.process(card);
    return card;
  }

  async function arrive(event) {
    const sighting = JSON.parse(event.data);
    const there = () => {
      const card = document.getElementById(`s-${sighting.id}`);
      return card && !card.classList.contains("decided");
    };
    if (there()) return;
    const answer = await fetch(`/review/${sighting.id}/card`, { headers: { "HX-Request": "true" } });
    if (!answer.ok) return; // decided meanwhile, or not ours to see
    const html = await answer.text();
    if (there()) return; // undone on this very page meanwhile
    const card = place(html, false);
    if (!card) return;
    card.classList.add("fresh");
    waiting(1);
  }

  function decided(event) {
    const { id: which } = JSON.parse(event.data);
    const card = document.getElementById(`s-${which}`);
    if (!card || card.classList.contains("leaving")) return;
    if (card.classList.contains("here") || card.contains(document.activeElement)) {
      card.classList.add("decided");
      fetch(`/review/${which}/card`, { headers: { "HX-Request": "true" } })
        .then((answer) => answer.text())
        .then((html) => {
          const now = new DOMParser().parseFromString(html, "text/html").querySelector(".verdict");
          if (now) card.querySelector(".facts").append(now);
        });
    } else card.remove();
    waiting(-1);
  }

  const stream = new EventSource("/events");
  stream.addEventListener("open", () => {
    live.classList.add("on");
    live.textContent = "Live";
  });
  stream.addEventListener("error", () => {
    live.classList.remove("on");
    live.textContent = "Reconnecting …";
  });
  stream.addEventListener("pending", arrive);
  stream.addEventListener("decided", decided);
  stream.addEventListener("missed", () => window.location.reload());

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || (help && help.open)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const card = current();
    if (key === "j") step(1);
    else if (key === "k") step(-1);
    else if (key === "a") press(card, "decision", "approve");
    else if (key === "r") press(card, "decision", "reject");
    else if (key >= "1" && key <= "5") {
      const picks = card ? card.querySelectorAll("button[data-pick]") : [];
      const pick = [...picks].find((b) => b.dataset.pick === key);
      if (pick) pick.click();
    } else if (key === "z") undo();
    else if (key === "?" && help) help.showModal();
    else return;
    event.preventDefault();
  });

  desk.addEventListener("focusin", (event) => {
    const card = event.target.closest(".sight");
    if (!card || card.classList.contains("here")) return;
    desk.querySelectorAll(".sight.here").forEach((c) => c.classList.remove("here"));
    card.classList.add("here");
  });

  const open = document.getElementById("show-keys");
  if (open && help) {
    open.hidden = false;
    open.addEventListener("click", () => help.showModal());
  }
  live.hidden = false;
  recount();
  const first = cards()[0];
  if (first) first.classList.add("here");
})();
