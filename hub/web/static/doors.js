// The doors' pages, live. Without this file they are loaded again by hand, and every button works.
//
// Whatever may change lies in an element with `data-live`, the address where it is read anew. Only
// what differs is exchanged, so that nothing that has focus is lost.
(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const regions = [...document.querySelectorAll("[data-live]")];
  if (!regions.length) return;
  const at = regions[0].dataset.live;
  const door = at.startsWith("/devices/") ? decodeURIComponent(at.split("/")[2]) : null;

  function exchange(page, region) {
    const fresh = page.getElementById(region.id);
    if (!fresh || fresh.innerHTML === region.innerHTML) return;
    const held = region.contains(document.activeElement) && document.activeElement.getAttribute("href");
    region.replaceChildren(...document.importNode(fresh, true).childNodes);
    const again = held && [...region.querySelectorAll("a[href]")].find((link) => link.getAttribute("href") === held);
    if (again) again.focus({ preventScroll: true });
  }

  const read = async (answer) => new DOMParser().parseFromString(await answer.text(), "text/html");
  const show = (page) => {
    regions.forEach((region) => exchange(page, region));
    joined();
    arrived();
  };

  async function renew() {
    const answer = await fetch(at, { headers: { accept: "text/html" } }).catch(() => null);
    if (answer && answer.ok && !answer.redirected) show(await read(answer));
  }

  // Events come in bursts; one look answers many. The list of a thousand doors is not read at each.
  const [wait, rest] = [250, door ? 250 : 2000];
  let [timer, looked] = [null, 0];
  const soon = () => {
    timer = timer || setTimeout(() => {
      [timer, looked] = [null, Date.now()];
      if (!document.hidden) renew();
    }, Math.max(wait, looked + rest - Date.now()));
  };

  // A unit that is about to join -------------------------------------------------------------------

  function joined() {
    const [pairing, sign] = [$("pairing"), document.querySelector("#state [data-joined]")];
    if (!pairing || !sign || Number(sign.dataset.joined) < Number(pairing.dataset.since)) return;
    $("wait").hidden = true;
    $("done").hidden = false;
  }

  // A picture, for whoever asked on this very page ---------------------------------------------------

  let asked = false;

  async function arrived() {
    const link = $("look");
    const waits = asked && $("coming");
    if (!asked || waits) return;
    asked = false; // also when none comes: the next one may be another’s
    if (!link) return;
    const answer = await fetch(link.href).catch(() => null);
    if (!answer || !answer.ok) return lost(answer);
    const img = document.createElement("img");
    img.alt = $("shown").dataset.alt;
    img.src = URL.createObjectURL(await answer.blob());
    $("shown").replaceChildren(img);
    $("shown").hidden = false;
  }

  async function lost(answer) {
    const problem = answer && (await answer.json().catch(() => null));
    const words = document.createElement("p");
    words.className = "note bad";
    words.dir = "auto";
    words.textContent = (problem && problem.detail) || $("shown").dataset.lost;
    $("shelf").replaceChildren(words);
  }

  async function ask(event) {
    event.preventDefault();
    const form = event.target;
    const body = new URLSearchParams(new FormData(form));
    $("shown").hidden = true;
    const answer = await fetch(form.action, { method: "POST", headers: { accept: "text/html" }, body }).catch(() => null);
    if (!answer) return lost(null);
    asked = answer.ok;
    const page = await read(answer);
    const said = page.getElementById("said");
    if (said) $("said").replaceChildren(...document.importNode(said, true).childNodes);
    show(page);
  }
  if ($("ask")) $("ask").addEventListener("submit", ask);
  if ($("shelf")) {
    $("shelf").addEventListener("click", (event) => {
      if (event.target.id !== "look") return;
      event.preventDefault();
      asked = true;
      arrived();
    });
  }

  const stream = hearing();
  const mine = (event) => !door || JSON.parse(event.data).id === door;
  ["device", "snap", "rollout"].forEach((name) => stream.addEventListener(name, (event) => mine(event) && soon()));
  stream.addEventListener("missed", soon);
  document.addEventListener("visibilitychange", soon);
  setInterval(soon, 15000); // what no event tells: time that passes, and each minute's report
  soon();
})();
