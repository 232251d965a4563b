// The pages in a real browser: the real hub, real recognition, Chromium.
//
// `node tests/browser/run.mjs` from anywhere; needs a built hub (or ROLLCALL_HUB), the weights and
// the portraits (`models/fetch`), and Chromium (or CHROMIUM). The last line counts.

import { chromium } from "playwright-core";
import { mkdirSync } from "node:fs";
import { Hub, portrait } from "./hub.mjs";

const shots = new URL("../../target/screenshots/", import.meta.url).pathname;
mkdirSync(shots, { recursive: true });
const args = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const PASSWORD = "nine horses graze";
const desktop = { viewport: { width: 1200, height: 860 } };
const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

let passed = 0;
let failed = 0;
const wrong = []; // what any console said, and every violation of the policy

async function test(name, run) {
  try {
    await run();
    passed += 1;
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}\n      ${String(error.message || error).split("\n").join("\n      ")}`);
  }
}

function same(got, wanted, what) {
  if (got !== wanted) throw new Error(`${what}: got ${JSON.stringify(got)}, wanted ${JSON.stringify(wanted)}`);
}

async function open(browser, options = desktop) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  const page = await context.newPage();
  page.on("pageerror", (error) => wrong.push(`script: ${error.message}`));
  page.on("console", (message) => {
    const expected = /status of (401|403|404|409|422)/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !expected) wrong.push(message.text());
  });
  return page;
}

async function signIn(page, hub, email) {
  await page.goto(`${hub.url}/sign-in`);
  await page.fill("#email", email);
  await page.fill("#password", PASSWORD);
  await Promise.all([page.waitForURL("**/review*"), page.click("button.go")]);
}

const cards = (page) => page.locator(".sight:not(.leaving)");
const pendingOnHub = async (hub) => (await hub.get("/api/attendance/pending")).length;

async function until(what, check, ms = 8000) {
  const end = Date.now() + ms;
  for (;;) {
    if (await check()) return;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((again) => setTimeout(again, 30));
  }
}

const hub = await Hub.start();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args,
});
try {
  const admin = await open(browser);

  await test("the set-up code makes the first admin, in the browser", async () => {
    await admin.goto(hub.url);
    await admin.waitForURL("**/setup");
    await admin.screenshot({ path: `${shots}setup.png` });
    await admin.fill("#code", "WRONG");
    await admin.fill("#name", "Ada Lovelace");
    await admin.fill("#email", "ada@school.test");
    await admin.fill("#password", PASSWORD);
    await admin.click("button.go");
    await admin.getByRole("alert").getByText("wrong").waitFor();
    await admin.fill("#code", hub.code);
    await admin.fill("#password", PASSWORD);
    await Promise.all([admin.waitForURL("**/people"), admin.click("button.go")]);
    await hub.login("ada@school.test", PASSWORD);
  });

  await test("a person is enrolled by a photo, and a bad photo is named", async () => {
    const enrol = async (number, name, photo) => {
      await admin.fill("#number", number);
      await admin.fill("#name", name);
      await admin.setInputFiles("#photo", photo);
      await admin.fill("#consent", "themselves");
      await admin.click("text=Enrol");
    };
    await enrol("S1", "Barack Obama", portrait("obama.jpg"));
    await admin.getByRole("status").getByText("can now be recognised").waitFor();
    await enrol("S2", "Joe Biden", portrait("biden.jpg"));
    await admin.getByRole("status").getByText("can now be recognised").waitFor();
    const text = { name: "me.jpg", mimeType: "image/jpeg", buffer: Buffer.from("no picture") };
    await enrol("S3", "Nobody", text);
    await admin.getByRole("alert").waitFor();
    await admin.screenshot({ path: `${shots}people.png`, fullPage: true });
  });

  await test("an empty desk says why and what to do", async () => {
    await admin.goto(`${hub.url}/review`);
    await admin.getByText("No door is joined yet").waitFor();
    await admin.screenshot({ path: `${shots}empty.png` });
  });

  await test("a door is added and its join command shown once", async () => {
    await admin.goto(`${hub.url}/devices`);
    await admin.fill("#device", "door-204");
    await admin.fill("#room", "Room 204");
    await admin.click("text=Add and make a join token");
    const command = await admin.locator("pre").innerText();
    if (!command.startsWith("rollcall-edge join https://")) throw new Error(command);
    await admin.screenshot({ path: `${shots}devices.png`, fullPage: true });
  });

  await test("pending cards are decided by key, and undo brings one back", async () => {
    for (const name of ["obama2.jpg", "obama3.jpg", "biden.jpg", "obama2.jpg"]) await hub.capture("door-204", name);
    await admin.goto(`${hub.url}/review`);
    await until("four cards", async () => (await cards(admin).count()) === 4);
    await until("live", async () => (await admin.locator("#live.on").count()) === 1);
    await until("crops", () => admin.evaluate(() => [...document.images].every((i) => i.complete && i.naturalWidth > 0)));
    await admin.screenshot({ path: `${shots}review-desktop-light.png` });
    // For the README: no picture of a person goes into git.
    await admin.evaluate(() => document.querySelectorAll("img").forEach((img) => (img.style.filter = "blur(12px)")));
    await admin.screenshot({ path: `${shots}review-readme.png`, clip: { x: 0, y: 0, width: 1200, height: 600 } });
    await admin.reload();
    await admin.keyboard.press("j");
    await admin.keyboard.press("k");
    const first = await admin.locator(".sight.here").getAttribute("data-id");
    await admin.keyboard.press("a");
    same(await cards(admin).count(), 3, "the card leaves at once");
    await admin.locator("#toast").getByText("Approved").waitFor();
    same((await hub.get(`/api/attendance/${first}`)).review_status, "approved", "on the hub");
    await admin.keyboard.press("r");
    await admin.locator("#toast").getByText("Rejected").waitFor();
    same(await pendingOnHub(hub), 2, "pending on the hub");
    await admin.keyboard.press("z");
    await until("the card is back", async () => (await cards(admin).count()) === 3);
    await admin.keyboard.press("z");
    await until("both are back", async () => (await cards(admin).count()) === 4);
    same((await hub.get(`/api/attendance/${first}`)).review_status, "pending", "undone on the hub");
    await admin.keyboard.press("?");
    await admin.getByText("By key").waitFor();
    await admin.keyboard.press("Escape");
  });

  await test("a new sighting arrives live and leaves the focus alone", async () => {
    await admin.keyboard.press("j");
    const held = await admin.evaluate(() => document.activeElement.id);
    await hub.capture("door-204", "obama3.jpg");
    await until("the fifth card", async () => (await cards(admin).count()) === 5);
    same(await admin.evaluate(() => document.activeElement.id), held, "focus");
    same(await admin.locator("#count").innerText(), "5 people wait", "the count");
  });

  await test("of two teachers on one card one wins and the other is told who", async () => {
    await hub.account("grace@school.test", "Grace Hopper", "teacher", PASSWORD);
    await hub.teach("grace@school.test");
    const grace = await open(browser);
    await signIn(grace, hub, "grace@school.test");
    await until("her cards", async () => (await cards(grace).count()) === 5);
    await grace.route("**/events", (route) => route.abort());
    await grace.reload();
    await until("her cards again", async () => (await cards(grace).count()) === 5);
    const id = await grace.locator(".sight.here").getAttribute("data-id");
    await hub.post(`/api/attendance/${id}/review`, { decision: "approve" });
    await grace.keyboard.press("r");
    await grace.locator(`#s-${id}`).getByText("Ada Lovelace has already approved").waitFor();
    await grace.screenshot({ path: `${shots}conflict.png` });
    same((await hub.get(`/api/attendance/${id}`)).review_status, "approved", "the first decision stands");
    await until("the other desk heard of it", async () => (await admin.locator(`#s-${id} .verdict`).count()) === 1 || (await admin.locator(`#s-${id}`).count()) === 0);
    wrong.splice(0, wrong.length, ...wrong.filter((line) => !line.includes("/events") && !line.includes("ERR_FAILED")));
    await grace.context().close();
  });

  await test("on a phone one tap decides, targets are large, nothing scrolls sideways", async () => {
    const page = await open(browser, { ...phone, colorScheme: "dark" });
    await signIn(page, hub, "ada@school.test");
    const before = await pendingOnHub(hub);
    await page.screenshot({ path: `${shots}review-phone-dark.png` });
    const small = await page.evaluate(() =>
      [...document.querySelectorAll("main button, main a")]
        .filter((e) => e.offsetParent)
        .map((e) => ({ text: e.innerText, h: e.getBoundingClientRect().height }))
        .filter((e) => e.h < 44),
    );
    same(JSON.stringify(small), "[]", "targets below 44 px");
    await page.locator(".sight button.go").first().tap();
    await page.locator("#toast").getByText("Approved").waitFor();
    same(await pendingOnHub(hub), before - 1, "pending after one tap");
    await page.locator("#toast button").tap();
    await until("undone", async () => (await pendingOnHub(hub)) === before);
    for (const path of ["/review", "/people", "/devices"]) {
      await page.setViewportSize({ width: 320, height: 640 });
      await page.goto(`${hub.url}${path}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      if (wide > 320) throw new Error(`${path} is ${wide} px wide`);
    }
    await page.context().close();
  });

  await test("without JavaScript the same by plain forms", async () => {
    const page = await open(browser, { ...desktop, javaScriptEnabled: false });
    await signIn(page, hub, "ada@school.test");
    const before = await pendingOnHub(hub);
    await Promise.all([page.waitForURL("**/review?done=*"), page.locator(".sight button.no").first().click()]);
    await page.getByRole("status").getByText("Rejected").waitFor();
    same(await pendingOnHub(hub), before - 1, "pending after a form");
    await Promise.all([page.waitForURL("**/review?done=*"), page.getByRole("button", { name: "Undo" }).click()]);
    same(await pendingOnHub(hub), before, "pending after undo");
    await page.context().close();
  });

  await test("each page by key and in the dark, and signing out ends the session", async () => {
    const page = await open(browser, { ...desktop, colorScheme: "dark" });
    await signIn(page, hub, "ada@school.test");
    await page.keyboard.press("Tab");
    same(await page.evaluate(() => document.activeElement.className), "skip", "first stop of Tab");
    await page.screenshot({ path: `${shots}review-desktop-dark.png` });
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL("**/sign-in");
    await page.screenshot({ path: `${shots}sign-in-dark.png` });
    await page.goto(`${hub.url}/review`);
    await page.waitForURL("**/sign-in");
    await page.context().close();
  });

  await test("no console error and no violation of the policy on any page", async () => {
    same(JSON.stringify(wrong), "[]", "said");
  });
} finally {
  await browser.close();
  await hub.stop();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
