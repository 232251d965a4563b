// The pages in a real browser: the real hub, real recognition, Chromium.
//
// `node tests/browser/run.mjs [AREA…]` from anywhere; needs a built hub (or ROLLCALL_HUB), the
// weights and the portraits (`models/fetch`), and Chromium (or CHROMIUM). Every file in `areas`
// is one area with a hub of its own. The last line counts.

import { chromium } from "playwright-core";
import { readdirSync } from "node:fs";
import { count, kit, same, test } from "./kit.mjs";

const args = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
];
const folder = new URL("./areas/", import.meta.url);
const all = readdirSync(folder).map((file) => file.replace(/\.mjs$/, "")).sort();
const wanted = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args });
try {
  for (const name of wanted.length ? wanted : all) {
    console.log(`      ${name}`);
    const area = await kit(browser);
    try {
      const { default: run } = await import(new URL(`${name}.mjs`, folder));
      await run(area);
      await test(`${name}: no console error and no violation of the policy`, async () => {
        same(JSON.stringify(area.wrong), "[]", "said");
      });
    } catch (error) {
      await test(`${name}: the area could be run to its end`, async () => {
        throw error;
      });
    } finally {
      await Promise.all(browser.contexts().map((context) => context.close()));
      await area.hub.stop();
    }
  }
} finally {
  await browser.close();
}
console.log(`${count.passed} passed, ${count.failed} failed`);
process.exitCode = count.failed ? 1 : 0;
