// Ten tabs of one person: all of them load and all are live, over HTTP/2 and over HTTP/1.1, where
// a browser opens six connections to a host.

import { chromium } from "playwright-core";

const TABS = 10;

export default async function tabs(kit) {
  const { hub, browser, first, PASSWORD, desktop, test, same, until } = kit;
  const email = await first();
  let doors = 0;

  async function live(from, protocol) {
    const context = await from.newContext({ ignoreHTTPSErrors: true, ...desktop });
    // A page that was told that it missed something loads itself anew, and hears from then on.
    await context.addInitScript(() => addEventListener("load", () => {
      if (typeof hearing === "function") hearing().addEventListener("device", () => sessionStorage.setItem("heard", "yes"));
    }));
    try {
      const pages = [];
      for (let n = 0; n < TABS; n += 1) pages.push(await context.newPage());
      const [one] = pages;
      await one.goto(`${hub.url}/sign-in`);
      await one.fill("#email", email);
      await one.fill("#password", PASSWORD);
      await Promise.all([one.waitForURL("**/review*"), one.click("button.go")]);
      for (const page of pages) await page.goto(`${hub.url}/review`, { timeout: 5000 });
      const spoken = await one.evaluate(() => performance.getEntriesByType("navigation")[0].nextHopProtocol);
      same(spoken, protocol, "the protocol");
      for (const page of pages) await page.locator("#live.on").waitFor({ timeout: 5000 });
      // The first tab of all goes: the others hear as before.
      await pages.shift().close();
      doors += 1;
      await hub.post("/api/devices", { device_id: `door-${doors}`, classroom_id: "Room 1" });
      await hub.send("PUT", `/api/devices/door-${doors}`, { classroom_id: "Room 2" });
      const heard = () => Promise.all(pages.map((page) => page.evaluate(() => sessionStorage.getItem("heard") === "yes").catch(() => false)));
      await until("every tab heard of the door", async () => (await heard()).every((did) => did));
    } finally {
      await context.close();
    }
  }

  await test("ten tabs are live over HTTP/2", () => live(browser, "h2"));

  await test("ten tabs are live over HTTP/1.1", async () => {
    const args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-http2"];
    const old = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args });
    try {
      await live(old, "http/1.1");
    } finally {
      await old.close();
    }
  });
}
