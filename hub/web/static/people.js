// Enrolment by photos and camera, and progress that shows itself. Without this file the same is
// done by plain forms, and pages are loaded again by hand.
(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const token = () => document.querySelector("meta[name=csrf]").content;
  const headers = () => ({ "HX-Request": "true", "X-CSRF-Token": token() });
  const digits = (n) => Number(n).toLocaleString(document.documentElement.lang);

  // Photos ---------------------------------------------------------------------------------------

  function enrolment(at) {
    const [form, files, looks] = [$("photos"), $("files"), $("looks")];
    const say = at.dataset;
    let queue = Promise.resolve(); // one photo after the other: the next is compared with this one

    function waiting(url) {
      const item = document.createElement("li");
      item.className = "look wait";
      const words = document.createElement("p");
      words.textContent = say.busy;
      item.append(face(url), words);
      looks.prepend(item);
      return item;
    }

    function face(url) {
      const img = document.createElement("img");
      img.className = "face mine";
      img.alt = "";
      img.addEventListener("error", () => img.removeAttribute("src")); // no picture: no torn one
      img.src = url;
      return img;
    }

    function failed(item, text) {
      item.className = "look bad";
      item.lastElementChild.textContent = text;
    }

    async function send(blob, source, another, item, url) {
      const body = new FormData(form);
      body.delete("file");
      body.delete("another_person");
      body.set("source", source);
      if (another) body.set("another_person", "true");
      body.set("file", blob, "photo.jpg");
      const answer = await fetch(form.action, { method: "POST", headers: headers(), body }).catch(() => null);
      if (!answer) return failed(item, say.noHub);
      if (!answer.ok) {
        const problem = await answer.json().catch(() => null);
        return failed(item, (problem && problem.detail) || say.noHub);
      }
      const piece = new DOMParser().parseFromString(`<ul>${await answer.text()}</ul>`, "text/html");
      const look = document.adoptNode(piece.querySelector(".look"));
      look.querySelector("[data-mine]").replaceWith(face(url));
      item.replaceWith(look);
      if (!look.classList.contains("bad")) $("again").hidden = false;
      const twin = look.querySelector("[data-twin]");
      if (!twin) return;
      look.querySelector("[data-plain]").remove();
      twin.hidden = false;
      twin.addEventListener("click", () => add(blob, source, true));
    }

    function add(blob, source, another) {
      const consent = $("consent");
      if (consent && !consent.reportValidity()) return false;
      const url = URL.createObjectURL(blob);
      const item = waiting(url);
      queue = queue.then(() => send(blob, source, another, item, url));
      return true;
    }

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if ([...files.files].every((file) => add(file, "photo", false))) files.value = "";
    });
    const drop = $("drop");
    const over = (event, on) => {
      event.preventDefault();
      drop.classList.toggle("over", on);
    };
    ["dragenter", "dragover"].forEach((name) => drop.addEventListener(name, (event) => over(event, true)));
    drop.addEventListener("dragleave", (event) => over(event, false));
    drop.addEventListener("drop", (event) => {
      over(event, false);
      [...event.dataTransfer.files].forEach((file) => add(file, "photo", false));
    });
    if (navigator.mediaDevices) camera(say, add);
  }

  // Camera ---------------------------------------------------------------------------------------

  const EVERY = 700; // ms between two hints
  const ENOUGH = 3; // good ones in a row before it is taken by itself
  const WIDE = 640; // pixels of the frame that is judged

  function camera(say, add) {
    const [open, box, video, hint, take] = [$("camera"), $("shoot"), $("video"), $("hint"), $("take")];
    const frame = $("frame");
    const rect = frame.firstElementChild;
    let stream = null;
    let good = 0;
    open.hidden = false;

    function picture(width) {
      const canvas = document.createElement("canvas");
      const scale = Math.min(1, width / video.videoWidth);
      canvas.width = Math.round(video.videoWidth * scale);
      canvas.height = Math.round(video.videoHeight * scale);
      canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
      return new Promise((done) => canvas.toBlob((blob) => done({ blob, canvas }), "image/jpeg", 0.9));
    }

    function show(text, ready, face, canvas) {
      if (hint.textContent !== text) hint.textContent = text;
      hint.classList.toggle("good", ready);
      video.parentElement.classList.toggle("good", ready);
      take.disabled = !ready;
      frame.classList.toggle("none", !face);
      if (canvas) frame.setAttribute("viewBox", `0 0 ${canvas.width} ${canvas.height}`);
      const [left, top, right, bottom] = face || [0, 0, 0, 0];
      Object.entries({ x: left, y: top, width: right - left, height: bottom - top }).forEach(([name, value]) => rect.setAttribute(name, value));
    }

    const word = (code) => say[code.replace(/_(.)/g, (_, letter) => letter.toUpperCase())] || code;

    async function look() {
      const { blob, canvas } = await picture(WIDE);
      const body = new FormData();
      body.set("file", blob, "frame.jpg");
      const answer = await fetch("/api/enrollment/hint", { method: "POST", headers: headers(), body }).catch(() => null);
      if (!stream || (answer && answer.status === 429)) return;
      if (!answer || !answer.ok) {
        good = 0;
        return show(say.noHub, false, null, canvas);
      }
      const judged = await answer.json();
      good = judged.ready ? good + 1 : 0;
      show(judged.ready ? say.good : word(judged.reasons[0] || "no_face"), judged.ready, judged.face, canvas);
      if (good >= ENOUGH && $("auto").checked) await shoot();
    }

    async function watch() {
      while (stream) {
        const began = Date.now();
        if (video.videoWidth && !document.hidden) await look();
        await new Promise((again) => setTimeout(again, Math.max(100, EVERY - (Date.now() - began))));
      }
    }

    async function shoot() {
      const { blob } = await picture(Infinity);
      if (!add(blob, "webcam", false)) return;
      good = 0;
      $("auto").checked = false;
    }

    function stop() {
      if (stream) stream.getTracks().forEach((track) => track.stop());
      stream = null;
      video.srcObject = null;
      box.hidden = true;
      open.hidden = false;
      open.focus();
    }

    open.addEventListener("click", async () => {
      box.hidden = false;
      show("", false, null, null);
      const wish = { video: { facingMode: "user", width: { ideal: 1280 } }, audio: false };
      stream = await navigator.mediaDevices.getUserMedia(wish).catch(() => null);
      if (!stream) return show(say.noCamera, false, null, null);
      open.hidden = true;
      video.srcObject = stream;
      await video.play().catch(() => null);
      $("stop").focus();
      watch();
    });
    take.addEventListener("click", shoot);
    $("stop").addEventListener("click", stop);
    window.addEventListener("pagehide", stop);
  }

  // Doors that forget ----------------------------------------------------------------------------

  function doors(at) {
    let last = 0;
    const again = async () => {
      if (document.hidden || Date.now() - last < 500) return;
      last = Date.now();
      const answer = await fetch(at.dataset.at, { headers: { "HX-Request": "true", accept: "text/html" } }).catch(() => null);
      if (!answer || !answer.ok) return;
      const piece = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (piece.body.textContent.trim() === at.textContent.trim()) return;
      at.replaceChildren(...piece.body.childNodes);
      if (!at.querySelector("progress")) finish();
    };
    const heard = hearing();
    heard.addEventListener("device", again);
    heard.addEventListener("missed", again);
    const clock = setInterval(again, 5000);
    function finish() {
      clearInterval(clock);
      heard.close();
    }
    if (!at.querySelector("progress")) finish();
  }

  // A job that goes on ---------------------------------------------------------------------------

  function job(at) {
    const { id, progress, rate } = at.dataset;
    const began = Date.now();
    let first = null;
    const fill = (text, values) => text.replace(/%(\w+)/g, (_, name) => digits(values[name]));
    function told(job) {
      if (job.id !== id) return;
      if (!["queued", "running"].includes(job.state)) return location.reload();
      if (first === null) first = job.done;
      $("bar").max = Math.max(1, job.total);
      $("bar").value = job.done;
      $("far").textContent = fill(progress, job);
      const minutes = (Date.now() - began) / 60000;
      if (job.done > first && minutes > 0.02) $("rate").textContent = fill(rate, { count: Math.ceil((job.done - first) / minutes) });
    }
    const ask = async () => {
      const answer = await fetch(`/api/jobs/${id}`, { headers: { accept: "application/json" } }).catch(() => null);
      if (answer && answer.ok) told(await answer.json());
    };
    const heard = hearing();
    heard.addEventListener("job", (event) => told(JSON.parse(event.data)));
    heard.addEventListener("missed", ask);
    setInterval(ask, 3000);
    ask();
  }

  if ($("enrol")) enrolment($("enrol"));
  if ($("proof")) doors($("proof"));
  if ($("job")) job($("job"));
})();
