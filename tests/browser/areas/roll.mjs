// The pages of a class: the roll with live marks, the report, photos with boxes and names.

import { readFileSync } from "node:fs";

const NAMES = [
  ["S01", "Barack Obama"], ["S02", "Joe Biden"], ["S03", "Ada Lovelace"], ["S04", "بهرام رستمی"],
  ["S05", "<b>Grace</b> & Hopper"], ["S06", "Maximiliane Wolkenstein-Trostburg von Hohenberg"],
  ["S07", "Kurt Gödel"], ["S08", "Emmy Noether"], ["S09", "Alan Turing"], ["S10", "Sophie Germain"],
];

const hour = (n) => `${String(n).padStart(2, "0")}:00`;
const daysAgo = (n) => new Date(Date.now() - n * 86_400_000).toISOString().slice(0, 10);

// One picture with these portraits side by side, made by the browser itself.
async function together(page, files) {
  const sources = files.map((file) => `data:image/jpeg;base64,${readFileSync(file).toString("base64")}`);
  await page.goto("about:blank");
  const made = await page.evaluate(async (all) => {
    const open = (src) => new Promise((done, failed) => {
      const image = new Image();
      image.onload = () => done(image);
      image.onerror = () => failed(new Error("no picture"));
      image.src = src;
    });
    const images = await Promise.all(all.map(open));
    const widths = images.map((i) => Math.round((i.width * 480) / i.height));
    const canvas = document.createElement("canvas");
    canvas.width = widths.reduce((a, b) => a + b, 0);
    canvas.height = 480;
    const context = canvas.getContext("2d");
    let x = 0;
    images.forEach((image, n) => {
      context.drawImage(image, x, 0, widths[n], 480);
      x += widths[n];
    });
    return canvas.toDataURL("image/jpeg", 0.92).split(",")[1];
  }, sources);
  return { name: "class.jpg", mimeType: "image/jpeg", buffer: Buffer.from(made, "base64") };
}

async function fits(page, what) {
  const { inside, wide } = await page.evaluate(() => ({
    inside: document.documentElement.clientWidth,
    wide: document.documentElement.scrollWidth,
  }));
  if (wide > inside) throw new Error(`${what} is ${wide} px wide on ${inside}`);
}

export default async function roll({ hub, browser, wrong, open, signIn, first, shot, shots, portrait, PASSWORD, desktop, phone, test, same, until, plain }) {
  await first();
  const teacher = await hub.post("/api/users", { email: "grace@school.test", name: "Grace Hopper", role: "teacher", password: PASSWORD });
  const other = await hub.post("/api/users", { email: "karl@school.test", name: "Karl Other", role: "teacher", password: PASSWORD });
  for (const [number, name] of NAMES) await hub.post("/api/students", { student_number: number, full_name: name });
  for (const [number, file] of [["S01", "obama.jpg"], ["S02", "biden.jpg"]]) {
    const form = new FormData();
    form.set("student_id", number);
    form.set("consent_by", "himself");
    form.set("file", new Blob([readFileSync(portrait(file))], { type: "image/jpeg" }), file);
    const whole = new Response(form);
    const body = Buffer.from(await whole.arrayBuffer());
    const headers = { authorization: `Bearer ${hub.token}`, "content-type": whole.headers.get("content-type") };
    const answer = await fetch(`${hub.url}/api/enrollment`, { method: "POST", headers, body });
    if (!answer.ok) throw new Error(await answer.text());
  }
  const kind = await hub.post("/api/classes", { class_name: "7b Mathematics", class_code: "7B", room: "Room 204", teacher_id: teacher.id });
  await hub.post("/api/classes/7B/students", { students: NAMES.map(([number]) => number) });
  await hub.post("/api/classes", { class_name: "9c Physics", class_code: "9C", teacher_id: other.id });
  for (let n = 70; n >= 1; n -= 2) {
    const lesson = await hub.post("/api/sessions", { class_id: "7B", date: daysAgo(n), start_time: hour(8), end_time: hour(9) });
    const word = (i) => (i === 8 && n % 3 ? "absent" : i === 9 && n % 5 < 2 ? "late" : (i * 7 + n * 3) % 19 === 0 ? "absent" : (i + n) % 23 === 0 ? "excused" : "present");
    await hub.post(`/api/sessions/${lesson.id}/marks`, { marks: NAMES.map(([number], i) => ({ student_id: number, status: word(i) })) });
  }
  const page = await open();
  await signIn(page, "grace@school.test");

  await test("a teacher sees their own classes and the way to each page", async () => {
    await page.goto(`${hub.url}/class`);
    await page.getByRole("heading", { name: "7b Mathematics" }).waitFor();
    same(await page.getByText("9c Physics").count(), 0, "another's class");
    await shot(page, "class-list");
    await page.getByRole("link", { name: "Today’s roll" }).click();
    await page.getByText("No lesson today").waitFor();
    await shot(page, "roll-none");
  });

  const row = (name) => page.locator(".pupil", { hasText: name });
  let lesson;

  await test("a lesson is started and one tap marks, shows who and when, and is undone", async () => {
    await page.getByRole("button", { name: "Start a lesson now" }).click();
    await page.waitForURL("**/today?lesson=*");
    lesson = new URL(page.url()).searchParams.get("lesson");
    await until("live", async () => (await page.locator("#live.on").count()) === 1);
    await row("Ada").getByRole("button", { name: "Present" }).click();
    await row("Ada").getByText("Marked by").waitFor();
    same(plain(await page.locator("#counts").innerText()).replace(/\s+/g, " "), "1 present 9 open", "the counts");
    await until("the focus is on the button again", async () => (await page.evaluate(() => document.activeElement.value)) === "present");
    await row("Ada").getByRole("button", { name: "Absent" }).click();
    await row("Ada").locator(".tag.absent").waitFor();
    await row("Ada").getByRole("button", { name: "Undo" }).click();
    await row("Ada").locator(".tag.present").waitFor();
    const marks = await hub.get(`/api/sessions/${lesson}/marks`);
    same(marks.find((mark) => mark.student_id === "S03").status, "present", "on the hub");
  });

  await test("what others mark comes in live and leaves the focus alone", async () => {
    await row("Noether").getByRole("button", { name: "Late" }).focus();
    await hub.post(`/api/sessions/${lesson}/marks`, { student_id: "S07", status: "excused" });
    await row("Gödel").locator(".tag.excused").waitFor();
    same(await page.evaluate(() => document.activeElement.value), "late", "focus");
    const many = ["S01", "S02", "S04", "S05", "S06"].map((student_id) => ({ student_id, status: "present" }));
    await hub.post(`/api/sessions/${lesson}/marks`, { marks: many });
    await until("all of them", async () => (await page.locator(".pupil.present").count()) === 6);
    await shot(page, "roll-desktop-light", { fullPage: true });
  });

  await test("of two who mark at once one wins and the other is told who", async () => {
    // Without a shared stream the page asks for its own, which is cut here.
    await page.addInitScript(() => delete window.SharedWorker);
    await page.route("**/events", (route) => route.abort());
    await page.reload();
    await hub.post(`/api/sessions/${lesson}/marks`, { student_id: "S09", status: "late" });
    await row("Turing").getByRole("button", { name: "Absent" }).click();
    await page.getByRole("alert").getByText("Somebody was faster").waitFor();
    await row("Turing").locator(".tag.late").waitFor();
    await shot(page, "roll-conflict");
    await page.unroute("**/events");
    wrong.splice(0, wrong.length, ...wrong.filter((line) => !line.includes("ERR_FAILED")));
    await page.reload();
  });

  await test("what was marked while nothing could be heard is shown once the page is live again", async () => {
    await page.route("**/events", (route) => route.abort());
    await page.reload();
    await until("not live", async () => (await page.locator("#live:not(.on):visible").count()) === 1);
    await hub.post(`/api/sessions/${lesson}/marks`, { student_id: "S10", status: "excused" });
    await page.unroute("**/events");
    await until("live", async () => (await page.locator("#live.on").count()) === 1);
    await row("Germain").locator(".tag.excused").waitFor({ timeout: 5000 });
    await row("Germain").getByRole("button", { name: "Undo" }).click();
    await row("Germain").getByText("Nothing yet").waitFor();
    wrong.splice(0, wrong.length, ...wrong.filter((line) => !line.includes("ERR_FAILED")));
  });

  await test("a lesson is closed and opened again", async () => {
    await page.getByRole("button", { name: "Close the lesson" }).click();
    await page.getByText("Closed at").waitFor();
    await row("Germain").locator(".tag.unverified").waitFor();
    await page.getByRole("button", { name: "Open it again" }).click();
    await row("Germain").getByText("Nothing yet").waitFor();
  });

  await test("the roll on a phone: large targets, 320 px, dark, in Persian", async () => {
    const small = await open({ ...phone, colorScheme: "dark" });
    await signIn(small, "grace@school.test");
    await small.goto(`${hub.url}/class/7B/today`);
    const low = await small.evaluate(() =>
      [...document.querySelectorAll("main button, main .button, main .tabs a")]
        .filter((e) => e.offsetParent)
        .map((e) => ({ text: e.innerText, h: e.getBoundingClientRect().height }))
        .filter((e) => e.h < 44),
    );
    same(JSON.stringify(low), "[]", "targets below 44 px");
    await small.locator(".pupil", { hasText: "Germain" }).getByRole("button", { name: "Present" }).tap();
    await small.locator(".pupil.present", { hasText: "Germain" }).waitFor();
    await shot(small, "roll-phone-dark");
    await small.getByRole("button", { name: "فارسی" }).click();
    await small.waitForFunction(() => document.documentElement.dir === "rtl");
    await shot(small, "roll-phone-fa");
    for (const path of ["", "/7B/today", "/7B/report", "/7B/photo"]) {
      await small.setViewportSize({ width: 320, height: 640 });
      await small.goto(`${hub.url}/class${path}`);
      await fits(small, path);
      await shot(small, `class${path.replaceAll("/", "-")}-320-fa`);
    }
    await small.context().close();
  });

  await test("the roll without JavaScript by plain forms", async () => {
    const bare = await open({ ...desktop, javaScriptEnabled: false });
    await signIn(bare, "grace@school.test");
    await bare.goto(`${hub.url}/class/7B/today`);
    const turing = bare.locator(".pupil", { hasText: "Turing" });
    await Promise.all([bare.waitForURL("**done=*"), turing.getByRole("button", { name: "Present" }).click()]);
    same(plain(await bare.getByRole("status").first().innerText()), "Alan Turing: Present", "what was done");
    await Promise.all([bare.waitForURL("**done=*"), turing.getByRole("button", { name: "Undo" }).click()]);
    await bare.locator(".pupil.late", { hasText: "Turing" }).waitFor();
    await bare.context().close();
  });

  await test("the report shows a heat map, charts with tables, and whoever is at risk", async () => {
    await page.goto(`${hub.url}/class/7B/report`);
    await page.locator(".risks").getByText("Alan Turing").waitFor();
    same(await page.locator(".heat tbody tr").count(), NAMES.length, "rows");
    same(await page.locator(".chart").count(), 2, "charts");
    await fits(page, "the report");
    await shot(page, "report-desktop-light", { fullPage: true });
    await page.setViewportSize({ width: 900, height: 800 });
    await page.locator("#trend").evaluate((e) => scrollTo(0, e.getBoundingClientRect().top + scrollY - 88));
    await shot(page, "report-readme");
    await page.setViewportSize(desktop.viewport);
    await page.getByText("As a table").first().click();
    same((await page.locator("#trend ~ details tbody tr").count()) > 10, true, "the trend's table");
    await page.emulateMedia({ colorScheme: "dark" });
    await shot(page, "report-desktop-dark", { fullPage: true });
    await page.emulateMedia({ colorScheme: "light", media: "print" });
    await page.pdf({ path: `${shots}report-print.pdf`, preferCSSPageSize: true });
    await page.setViewportSize({ width: 1047, height: 740 }); // A4 across, at 96 dots per inch
    await shot(page, "report-print", { fullPage: true });
    await page.setViewportSize(desktop.viewport);
    await page.emulateMedia({ media: "screen" });
    const csv = await page.request.get(await page.locator(".take a").first().evaluate((a) => a.href));
    same(csv.ok() && (await csv.text()).includes("Ada,") , true, "the CSV");
    const small = await open(phone);
    await signIn(small, "grace@school.test");
    await small.goto(`${hub.url}/class/7B/report`);
    await fits(small, "the report on a phone");
    await shot(small, "report-phone-light", { fullPage: true });
    await small.context().close();
  });

  await test("a class photo is looked at, corrected and marks those on it", async () => {
    const blank = await (await browser.newContext()).newPage();
    const photo = await together(blank, ["obama2.jpg", "biden.jpg"].map(portrait));
    await blank.context().close();
    await page.goto(`${hub.url}/class/7B/photo`);
    await shot(page, "photo-empty");
    await page.setInputFiles("#file", photo);
    await page.getByRole("button", { name: "Send and look for faces" }).click();
    await page.locator(".shown rect").first().waitFor({ timeout: 60000 });
    same(await page.locator(".shown rect").count(), 2, "boxes");
    const selects = page.locator(".faces select");
    const chosen = () => selects.evaluateAll((all) => all.map((s) => s.selectedOptions[0].textContent));
    same((await chosen()).join(), "Barack Obama,Joe Biden", "who they seem to be");
    await until("crops", () => page.evaluate(() => [...document.images].every((i) => i.complete && i.naturalWidth > 0)));
    await shot(page, "photo-desktop-light", { fullPage: true });
    await selects.nth(1).selectOption({ label: "Barack Obama (S01)" });
    await page.getByRole("alert").getByText("twice").waitFor();
    same((await chosen()).join(), "Unknown,Barack Obama (S01)", "never twice");
    await selects.nth(0).selectOption({ label: "Barack Obama" });
    await selects.nth(1).selectOption({ label: "Joe Biden" });
    await page.emulateMedia({ colorScheme: "dark" });
    await shot(page, "photo-desktop-dark", { fullPage: true });
    await page.emulateMedia({ colorScheme: "light" });
    await page.getByRole("button", { name: "Mark these present" }).click();
    await page.getByText("2 students were marked present from the photo").waitFor();
  });

  await test("several photos go as one job, and their faces are named as a group", async () => {
    await page.goto(`${hub.url}/class/7B/photo`);
    await page.setInputFiles("#file", ["obama2.jpg", "obama3.jpg"].map(portrait));
    await page.getByRole("button", { name: "Send and look for faces" }).click();
    await page.waitForURL("**/photo?job=*", { timeout: 60000 });
    await until("both looked at", async () => (await page.locator("#unnamed").count()) === 1 && (await page.locator("#work").count()) === 0, 60000);
    await page.getByRole("button", { name: "Guess names" }).click();
    await page.locator(".group-of").waitFor({ timeout: 30000 });
    same(await page.locator(".group-of select").evaluate((s) => s.selectedOptions[0].textContent), "Barack Obama (S01)", "the guess");
    await shot(page, "photo-unnamed", { fullPage: true });
    await page.getByRole("button", { name: "Name them" }).click();
    await until("nobody is left", async () => (await page.locator(".group-of").count()) === 0);
  });

  await test("another teacher finds none of it", async () => {
    const strange = await open();
    await signIn(strange, "karl@school.test");
    for (const path of [`/class/${kind.id}/today`, "/class/7B/report", "/class/7B/photo", `/lesson/${lesson}/marks/S01`]) {
      same((await strange.goto(`${hub.url}${path}`)).status(), 404, path);
    }
    await strange.context().close();
  });
}
