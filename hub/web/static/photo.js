// Photos of a class: dropping them, how far the work is, and boxes that belong to their faces.
// Without this file a photo is chosen and sent by its form, and the page looks again by itself.
(() => {
  "use strict";
  const language = document.documentElement.lang;
  const number = (n, digits = 0) => n.toLocaleString(language, { maximumFractionDigits: digits });
  const token = () => document.querySelector("meta[name=csrf]").content;

  // “3 / 12 · 1.5 per second”
  function howFar(done, total, since, words) {
    const rate = done / Math.max((Date.now() - since) / 1000, 0.001);
    return `${number(done)} / ${number(total)}${done ? ` · ${number(rate, 1)} ${words}` : ""}`;
  }

  function watch(work) {
    const bar = work.querySelector("progress");
    const count = work.querySelector(".count");
    const since = Date.now();
    const ended = (state) => ["done", "failed", "cancelled"].includes(state);
    function tell(job) {
      if (ended(job.state)) return window.location.reload();
      bar.max = Math.max(job.total, 1);
      bar.value = job.done;
      count.textContent = howFar(job.done, Math.max(job.total, 1), since, work.dataset.rate);
    }
    const ask = async () => {
      const answer = await fetch(`/api/jobs/${work.dataset.job}`).catch(() => null);
      if (answer && answer.ok) tell(await answer.json());
    };
    const stream = hearing();
    stream.addEventListener("open", ask); // it may have ended before we listened
    stream.addEventListener("missed", ask);
    stream.addEventListener("job", (event) => {
      const job = JSON.parse(event.data);
      if (job.id === work.dataset.job) tell(job);
    });
  }

  // One photo goes by the form; several are sent one after the other and looked at as one job.
  function dropping(form) {
    const input = form.querySelector("input[type=file]");
    const said = form.querySelector("#sending");
    input.multiple = true;
    async function call(path, body) {
      const headers = { "X-CSRF-Token": token() };
      const answer = await fetch(path, { method: "POST", headers, body });
      const text = await answer.json().catch(() => ({}));
      if (!answer.ok) throw new Error(text.detail || form.dataset.failed);
      return text;
    }
    async function sendAll(files) {
      const bar = document.createElement("progress");
      const count = document.createElement("span");
      said.replaceChildren(form.dataset.sending, bar, count);
      said.hidden = false;
      bar.max = files.length;
      bar.setAttribute("aria-label", form.dataset.sending);
      const since = Date.now();
      const refused = [];
      for (const [n, file] of files.entries()) {
        bar.value = n;
        count.textContent = howFar(n, files.length, since, form.dataset.rate);
        const body = new FormData();
        body.set("class_id", form.dataset.class);
        body.set("file", file);
        await call("/api/images", body).catch((error) => refused.push(`${file.name}: ${error.message}`));
      }
      if (refused.length) said.replaceChildren(...refused.flatMap((line) => [line, document.createElement("br")]));
      if (refused.length === files.length) return;
      const job = await call(`/api/classes/${form.dataset.class}/process-all-images`);
      window.location.assign(`${form.getAttribute("action")}?job=${job.id}`);
    }
    function send() {
      const files = [...input.files];
      if (files.length < 2) return form.requestSubmit();
      sendAll(files).catch((error) => (said.textContent = error.message));
    }
    form.addEventListener("submit", (event) => {
      if (input.files.length < 2) return;
      event.preventDefault();
      send();
    });
    const over = (on) => (event) => {
      event.preventDefault();
      form.classList.toggle("over", on);
    };
    form.addEventListener("dragover", over(true));
    form.addEventListener("dragleave", over(false));
    form.addEventListener("drop", (event) => {
      over(false)(event);
      if (!event.dataTransfer.files.length) return;
      input.files = event.dataTransfer.files;
      send();
    });
  }

  // Whoever is chosen for one face is taken away from another: nobody is on a photo twice.
  function choosing(form) {
    const selects = [...form.querySelectorAll(".faces select")];
    const twice = document.getElementById("twice");
    const face = (select) => select.closest("[data-face]").dataset.face;
    const box = (id) => document.querySelector(`.shown g[data-face="${CSS.escape(id)}"]`);
    function name(select) {
      const g = box(face(select));
      g.querySelector("tspan").textContent = select.value ? `\u2068${select.selectedOptions[0].textContent}\u2069` : "";
      g.classList.toggle("known", Boolean(select.value));
    }
    selects.forEach((select) => {
      select.addEventListener("change", () => {
        const other = selects.find((s) => s !== select && s.value && s.value === select.value);
        twice.hidden = !other;
        if (other) {
          other.value = "";
          name(other);
          twice.textContent = twice.dataset.twice;
        }
        name(select);
      });
      select.addEventListener("focus", () => box(face(select)).classList.add("at"));
      select.addEventListener("blur", () => box(face(select)).classList.remove("at"));
      box(face(select)).addEventListener("click", () => select.focus());
    });
  }

  const work = document.getElementById("work");
  if (work) watch(work);
  const form = document.getElementById("drop");
  if (form) dropping(form);
  const who = document.getElementById("who");
  if (who) choosing(who);
})();
