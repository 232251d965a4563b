// The roll of a lesson, live. Without this file every button still works as a plain form.
//
// A row is exchanged by htmx; what others mark, and what doors see, comes in by events. Only rows
// that differ are exchanged, so that what has focus stays.
(() => {
  "use strict";
  const roll = document.getElementById("roll");
  if (!roll || !roll.querySelector(".pupils")) return;
  const live = document.getElementById("live");
  const said = document.getElementById("said");
  const told = document.getElementById("told");
  const lesson = roll.dataset.lesson;

  // Which button had the focus, to give it back after its row was exchanged.
  function held() {
    const at = document.activeElement;
    const row = at && at.closest(".pupil");
    return row && { row: row.id, value: at.value || "" };
  }

  function giveBack(focus) {
    if (!focus) return;
    const row = document.getElementById(focus.row);
    const button = row && (row.querySelector(`button[value="${focus.value}"]`) || row.querySelector(".say button"));
    if (button && document.activeElement !== button) button.focus({ preventScroll: true });
  }

  // What a row says, without the token of its forms, which every page masks anew.
  const says = (row) => row.outerHTML.replace(/name="csrf" value="[^"]*"/g, "");

  function exchange(fresh, old) {
    if (!fresh || !old || says(fresh) === says(old)) return;
    const focus = held();
    old.replaceWith(fresh);
    if (window.htmx) window.htmx.process(fresh);
    if (focus && focus.row === fresh.id) giveBack(focus);
  }

  // Everything anew: many marks at once, the end of the lesson, or a gap in the stream.
  async function renew() {
    const answer = await fetch(`${window.location.pathname}?lesson=${lesson}`).catch(() => null);
    if (!answer || !answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const rows = [...page.querySelectorAll(".pupil")];
    if (rows.length !== roll.querySelectorAll(".pupil").length) return window.location.reload();
    rows.forEach((row) => exchange(row, document.getElementById(row.id)));
    exchange(page.getElementById("counts"), document.getElementById("counts"));
    const head = page.querySelector(".lesson form");
    const own = roll.querySelector(".lesson form");
    if (head && own) exchange(head, own);
    exchange(page.querySelector(".lesson p.soft"), roll.querySelector(".lesson p.soft"));
  }

  async function renewOne(student) {
    const headers = { "HX-Request": "true" };
    const answer = await fetch(`/lesson/${lesson}/marks/${student}`, { headers }).catch(() => null);
    if (!answer || !answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    exchange(page.querySelector(".pupil"), document.getElementById(`s-${student}`));
    const counts = page.getElementById("counts");
    if (counts) counts.removeAttribute("hx-swap-oob");
    exchange(counts, document.getElementById("counts"));
  }

  // Marks come in bursts (a class walks in): a few rows one by one, more of them together.
  const due = new Set();
  let timer = null;
  function soon(student) {
    due.add(student);
    timer = timer || setTimeout(() => {
      timer = null;
      const students = [...due];
      due.clear();
      if (students.length > 3 || students.includes("*")) renew();
      else students.forEach(renewOne);
    }, 150);
  }

  let focus = null;
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    const row = event.target.closest(".pupil");
    if (!row) return;
    focus = held();
    row.classList.add("sending");
    told.replaceChildren();
  });

  document.body.addEventListener("htmx:afterRequest", (event) => {
    const { status } = event.detail.xhr;
    const words = decodeURIComponent(event.detail.xhr.getResponseHeader("X-Said") || "");
    document.querySelectorAll(".pupil.sending").forEach((row) => row.classList.remove("sending"));
    if (status >= 200 && status < 300) said.textContent = words;
    else {
      const box = document.createElement("div");
      box.className = "bad";
      box.textContent = words || said.dataset.failed;
      told.replaceChildren(box);
    }
  });

  document.body.addEventListener("htmx:afterSettle", () => {
    giveBack(focus);
    focus = null;
  });

  const stream = hearing();
  const connected = (on) => {
    live.classList.toggle("on", on);
    live.textContent = on ? live.dataset.on : live.dataset.off;
  };
  stream.addEventListener("open", () => connected(true));
  stream.addEventListener("error", () => connected(false));
  const here = (event) => JSON.parse(event.data).session_id === lesson;
  stream.addEventListener("marked", (event) => {
    if (here(event)) soon(JSON.parse(event.data).student);
  });
  stream.addEventListener("closed", (event) => {
    if (here(event)) soon("*");
  });
  // A sighting that waits, or is decided, may be anybody's here.
  ["pending", "decided", "missed"].forEach((name) => stream.addEventListener(name, () => soon("*")));
  live.hidden = false;
})();
