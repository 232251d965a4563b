// What every area's test shares: the browser, a hub of its own, and a few words.

import { mkdirSync } from "node:fs";
import { Hub, portrait } from "./hub.mjs";

export const shots = new URL("../../target/screenshots/", import.meta.url).pathname;
mkdirSync(shots, { recursive: true });

export const PASSWORD = "nine horses graze";
export const desktop = { viewport: { width: 1200, height: 860 } };
export const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

export const count = { passed: 0, failed: 0 };

export async function test(name, run) {
  try {
    await run();
    count.passed += 1;
    console.log(`ok    ${name}`);
  } catch (error) {
    count.failed += 1;
    console.log(`FAIL  ${name}\n      ${String(error.message || error).split("\n").join("\n      ")}`);
  }
}

export function same(got, wanted, what) {
  if (got !== wanted) throw new Error(`${what}: got ${JSON.stringify(got)}, wanted ${JSON.stringify(wanted)}`);
}

export async function until(what, check, ms = 8000) {
  const end = Date.now() + ms;
  for (;;) {
    if (await check()) return;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((again) => setTimeout(again, 30));
  }
}

// What a reader sees, without the marks that keep names in their own direction.
export const plain = (text) => text.replace(/[\u2066-\u2069]/g, "");

// The kit of one area: `hub` is its own; `wrong` is what any console said, and every violation
// of the policy (the runner asks for it to be empty at the area's end).
export async function kit(browser) {
  const wrong = [];
  const hub = await Hub.start();

  async function open(options = desktop) {
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

  async function signIn(page, email) {
    await page.goto(`${hub.url}/sign-in`);
    await page.fill("#email", email);
    await page.fill("#password", PASSWORD);
    await Promise.all([page.waitForURL("**/review*"), page.click("button.go")]);
  }

  // The first administrator, made without the browser; `hub` speaks as her from then on.
  async function first(email = "ada@school.test", name = "Ada Lovelace") {
    await hub.account(email, name, "admin", PASSWORD);
    await hub.login(email, PASSWORD);
    return email;
  }

  const shot = (page, name, options = {}) => page.screenshot({ path: `${shots}${name}.png`, ...options });
  return { browser, hub, wrong, open, signIn, first, shot, shots, portrait, PASSWORD, desktop, phone, test, same, until, plain };
}
