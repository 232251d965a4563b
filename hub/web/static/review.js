// The review desk by key, by touch, and live. Without this file every step still works by plain
// forms.
//
// A card leaves at once; the hub confirms. If somebody else was faster, it comes back and says
// who. New cards come in where they belong, so what has focus never moves.
(() => {
  "use strict";
  const desk = document.getElementById("desk");
  if (!desk) return;
  const by = (id) => document.getElementById(id);
  const [toast, help, who, live] = ["toast", "keys", "who", "live"].map(by);
  const queue = new window.Queue(by("groups"));
  const text = desk.dataset;
  const LEVELS = 100;
  const piece = { "HX-Request": "true" };
  const ours = new Set(); // “id@version” of what this page decided: its echo is not counted again
  let flying = 0; // steps whose answer is not here yet

  // Numbers as the page's language writes them.
  const number = new Intl.NumberFormat(document.documentElement.lang, { useGrouping: false });
  const counted = (one, many, n) => (n === 1 ? one : many.replace(/[\u2066-\u2069]/g, "").replace("#", number.format(n)));

  const store = (kind) => ({
    get: (key) => { try { return kind.getItem(key); } catch { return null; } },
    set: (key, value) => { try { kind.setItem(key, value); } catch { /* a private window may refuse */ } },
  });
  const [tab, browser] = [store(window.sessionStorage), store(window.localStorage)];

  // The steps that can be taken back: the first record of each, newest last; kept over a reload.
  const steps = JSON.parse(tab.get("rollcall-steps") || "[]");
  const remember = (id) => {
    steps.push(id);
    if (steps.length > LEVELS) steps.shift();
    tab.set("rollcall-steps", JSON.stringify(steps));
  };

  const token = () => document.querySelector("meta[name=csrf]").content;
  const current = () => queue.root.querySelector(".sight.here:not(.leaving)");
  const unmark = () => queue.root.querySelectorAll(".sight.here").forEach((card) => card.classList.remove("here"));

  function stand(card) {
    unmark();
    if (!card) return;
    card.classList.add("here");
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  }

  async function step(by) {
    const all = queue.cards();
    const at = all.indexOf(current()) + by;
    if (at < 0 && queue.above.length) queue.back(queue.above);
    const coming = at >= all.length - 5 && queue.more();
    if (at >= all.length) await coming;
    const now = queue.cards();
    const from = now.indexOf(current());
    stand(now[Math.min(Math.max(from + by, 0), now.length - 1)]);
  }

  function say(words, undoable) {
    toast.replaceChildren();
    if (!words) return;
    const box = document.createElement("div");
    const span = document.createElement("span");
    span.textContent = words;
    box.append(span);
    box.classList.toggle("bad", !undoable);
    if (undoable) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text.undo;
      button.addEventListener("click", undo);
      box.append(button);
    }
    toast.append(box);
  }

  function waiting(n) {
    text.waiting = Math.max(0, n);
    const left = Number(text.waiting);
    by("count").textContent = counted(text.one, text.many, left);
    document.title = left ? `(${number.format(left)}) ${text.title}` : text.title;
    by("nothing").hidden = left > 0 || queue.cards().length > 0;
    const more = by("more");
    if (!more) return;
    more.hidden = !queue.next;
    more.firstElementChild.href = queue.next;
  }
  const change = (n) => waiting(Number(text.waiting) + n);

  // What happened, as the hub's answer says it.
  const said = (answer) => decodeURIComponent(answer.headers.get("X-Said") || "");

  function send(path, fields) {
    const body = new URLSearchParams({ ...fields, csrf: token() });
    const headers = { ...piece, "X-CSRF-Token": token() };
    return fetch(path, { method: "POST", body, headers }).catch(() => null);
  }

  // Cards leave; whoever stood on one stands on the next.
  function leave(cards) {
    const here = cards.find((card) => card.classList.contains("here") || card.contains(document.activeElement));
    cards.forEach((card) => card.classList.add("leaving"));
    cards.forEach(({ dataset: { id, version } }) => ours.add(`${id}@${Number(version) + 1}`));
    new Set(cards.map((card) => card.closest(".group"))).forEach((section) => queue.tidy(section));
    if (here) {
      const all = [...queue.root.querySelectorAll(".sight:not(.decided)")];
      const at = all.indexOf(here);
      const stays = (card) => !card.classList.contains("leaving");
      stand(all.slice(at).find(stays) || all.slice(0, at).reverse().find(stays));
    }
    flying += 1;
    change(-cards.length);
    queue.fill();
  }

  function stay(cards) {
    cards.forEach((card) => {
      card.classList.remove("leaving");
      if (card.isConnected) queue.tidy(card.closest(".group"));
    });
    change(cards.length);
    stand(cards[0]);
  }

  // What the hub made of a step.
  async function settle(cards, answer) {
    flying -= 1;
    if (!answer || answer.status >= 500) {
      stay(cards);
      return say(text.silent);
    }
    if (answer.ok) {
      cards.forEach((card) => queue.drop(card));
      remember(cards[0].dataset.id);
      say(said(answer), true);
      const back = queue.absorb(await answer.text());
      if (!flying && back.waiting !== null) waiting(back.waiting);
      return back.cards.length ? stand(back.cards[0]) : null;
    }
    if (answer.status === 409) {
      const { cards: now } = queue.absorb(await answer.text());
      change(now.filter((card) => !card.classList.contains("decided")).length);
      cards.filter((card) => card.isConnected).forEach((card) => queue.drop(card));
      if (!current()) stand(queue.cards()[0]);
      return say(text.faster);
    }
    cards.forEach((card) => queue.drop(card));
    return say(text.gone);
  }

  async function decide(card, fields) {
    if (!card || card.classList.contains("leaving")) return;
    const { id, version } = card.dataset;
    leave([card]);
    await settle([card], await send(`/review/${id}`, { version, ...fields }));
  }

  // All of the card's group that are above the line and whose person is not in doubt.
  async function approveSure(section) {
    const sure = section ? [...section.querySelectorAll(".sight[data-sure]:not(.leaving):not(.decided)")] : [];
    if (!sure.length) return say(text.noneSure);
    const cards = sure.slice(0, 200); // what the hub takes in one step
    const named = cards.map((card) => `${card.dataset.id}:${card.dataset.version}`).join(" ");
    leave(cards);
    return settle(cards, await send("/review/sure", { cards: named }));
  }

  async function undo() {
    const last = steps.pop();
    if (!last) return say(text.nothing);
    const answer = await send(`/review/${last}/undo`, {});
    if (!answer || answer.status >= 500) {
      steps.push(last);
      return say(text.silent);
    }
    tab.set("rollcall-steps", JSON.stringify(steps));
    if (!answer.ok) return say(text.late);
    const { cards, waiting: now } = queue.absorb(await answer.text());
    if (!flying) waiting(now);
    say(said(answer));
    return stand(queue.find(last) || cards[0]);
  }

  // Live: what others did, and who came.
  const arrivals = [];
  async function arrive() {
    for (let id = arrivals[0]; id; arrivals.shift(), id = arrivals[0]) {
      const answer = await fetch(`/review/${id}/card`, { headers: piece }).catch(() => null);
      if (!answer || !answer.ok) continue; // decided meanwhile, or not ours to see
      const known = queue.find(id);
      const fits = (card) => !card.classList.contains("decided") && !queue.isBeyond(card);
      const { cards, waiting: now } = queue.absorb(await answer.text(), fits);
      if (!known) cards.forEach((card) => card.classList.add("fresh"));
      if (!flying) waiting(now);
    }
  }

  function pending({ id, version }) {
    const card = queue.find(id);
    const known = card && !card.matches(".decided, .leaving") && Number(card.dataset.version) >= version;
    if (!known && arrivals.push(id) === 1) arrive();
  }

  function decided({ id, version }) {
    const card = queue.find(id);
    if (ours.delete(`${id}@${version}`) || (card && Number(card.dataset.version) >= version)) return;
    change(-1);
    if (!card || (!card.classList.contains("here") && !card.contains(document.activeElement))) {
      queue.forget(id);
      queue.fill();
      return;
    }
    card.classList.add("decided");
    fetch(`/review/${id}/card`, { headers: piece })
      .then((answer) => answer.text())
      .then((html) => {
        const words = new DOMParser().parseFromString(html, "text/html").querySelector(".verdict");
        if (words) card.querySelector(".facts").append(words);
        card.querySelectorAll("form").forEach((form) => form.remove());
      });
  }

  const stream = hearing();
  const hear = (name, then) => stream.addEventListener(name, (event) => then(JSON.parse(event.data)));
  const state = (on) => {
    live.classList.toggle("on", on);
    live.textContent = on ? text.live : text.lost;
  };
  stream.addEventListener("open", () => state(true));
  stream.addEventListener("error", () => state(false));
  hear("pending", pending);
  hear("decided", decided);
  hear("missed", () => window.location.reload());

  // Who was it, if none of the candidates.
  let asked = null; // its id: the card may be exchanged for a newer one meanwhile
  function search(card) {
    if (!card) return;
    asked = card.dataset.id;
    by("who-text").value = "";
    by("who-found").replaceChildren();
    who.showModal();
    by("who-text").focus();
  }
  let typing = null;
  async function look() {
    const words = by("who-text").value.trim();
    if (!words || !asked) return by("who-found").replaceChildren();
    const answer = await fetch(`/review/${asked}/who?q=${encodeURIComponent(words)}`, { headers: piece }).catch(() => null);
    if (!answer || !answer.ok || by("who-text").value.trim() !== words) return null;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html").body;
    return by("who-found").replaceChildren(...found.children);
  }
  by("who-text").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(look, 120);
  });
  by("who-text").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const first = by("who-found").querySelector("button");
    if (first) first.click();
  });

  // Every button of a card is a form's; with this file the form is sent without leaving the page.
  document.addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    const fields = submitter && submitter.name ? { [submitter.name]: submitter.value } : {};
    if (form.matches(".surely")) {
      event.preventDefault();
      approveSure(form.closest(".group"));
    } else if (form.matches(".acts")) {
      event.preventDefault();
      decide(form.closest(".sight"), fields);
    } else if (form.matches(".others")) {
      event.preventDefault();
      decide(form.closest(".sight"), { decision: "approve", ...fields });
    } else if (form.closest("#who-found")) {
      event.preventDefault();
      who.close();
      const card = queue.find(asked);
      if (card) decide(card, { decision: "approve", ...fields });
      else say(text.gone);
    }
  });
  desk.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-who]");
    if (!link) return;
    event.preventDefault();
    search(link.closest(".sight"));
  });
  desk.addEventListener("count", (event) => {
    const words = event.target.querySelector("span");
    words.textContent = counted(text.sureOne, text.sureMany, Number(event.target.dataset.count));
  });
  // One list of further answers is open at a time.
  desk.addEventListener("toggle", (event) => {
    if (!event.target.open) return;
    desk.querySelectorAll("details.rest[open]").forEach((other) => (other.open = other === event.target));
  }, true);

  // Letters by where they are, so that the keys work in every alphabet.
  function named(event) {
    if (/^[a-z0-9/?]$/i.test(event.key)) return event.key.toLowerCase();
    const place = /^(?:Key|Digit)(.)$/.exec(event.code);
    if (place) return place[1].toLowerCase();
    return event.code === "Slash" ? (event.shiftKey ? "?" : "/") : "";
  }

  const useKeys = by("use-keys");
  useKeys.checked = browser.get("rollcall-keys") !== "off";
  useKeys.addEventListener("change", () => browser.set("rollcall-keys", useKeys.checked ? "on" : "off"));

  document.addEventListener("keydown", (event) => {
    const elsewhere = event.target.closest("input, textarea, select, dialog");
    if (elsewhere || event.ctrlKey || event.metaKey || event.altKey || help.open || who.open) return;
    const key = named(event);
    if (!useKeys.checked) return;
    const card = current();
    const pick = card && /^[1-5]$/.test(key) && card.querySelector(`button[data-pick="${key}"]`);
    if (key === "j") step(1);
    else if (key === "k") step(-1);
    else if (key === "a" && event.shiftKey) approveSure(card && card.closest(".group"));
    else if (key === "a" || (key === "1" && card)) decide(card, { decision: "approve" });
    else if (key === "r") decide(card, { decision: "reject" });
    else if (key === "u") decide(card, { decision: "unknown" });
    else if (key === "n") decide(card, { decision: "never" });
    else if (pick) pick.click();
    else if (key === "z") undo();
    else if (key === "/") search(card);
    else if (key === "?") help.showModal();
    else return;
    event.preventDefault();
  });

  queue.root.addEventListener("focusin", (event) => {
    const card = event.target.closest(".sight");
    if (!card || card.classList.contains("here")) return;
    unmark();
    card.classList.add("here");
  });

  by("show-keys").hidden = false;
  by("show-keys").addEventListener("click", () => help.showModal());
  live.hidden = false;
  queue.onload = (n) => waiting(n);
  waiting(Number(text.waiting));
  const first = queue.cards()[0];
  if (first) first.classList.add("here");
  queue.fill();
})();
