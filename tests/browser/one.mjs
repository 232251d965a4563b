// One area, from its hub's start to its browser's end.

import { chromium } from "playwright-core";
import { count, kit, same, test } from "./kit.mjs";

const args = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
];

// Runs the area `name`, and gives what passed and what failed.
export async function one(name) {
  const begun = Date.now();
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args });
  try {
    await within(name, await kit(browser));
  } finally {
    await browser.close();
  }
  console.log(`      ${name}: ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  return count;
}

async function within(name, area) {
  try {
    const { default: run } = await import(new URL(`./areas/${name}.mjs`, import.meta.url));
    await run(area);
    await test(`${name}: no console error and no violation of the policy`, async () => {
      same(JSON.stringify(area.wrong), "[]", "said");
    });
  } catch (error) {
    await test(`${name}: the area could be run to its end`, async () => {
      throw error;
    });
  } finally {
    await Promise.all(area.browser.contexts().map((context) => context.close()));
    await area.hub.stop();
  }
}
