// The same pages in a school where nothing is yet: no page is empty without cause and next step.

import { accessible, narrow, spoken } from "../checks.mjs";
import { pages, slug } from "../pages.mjs";

export default async function everyPageEmpty({ hub, open, signIn, first, shot, PASSWORD, test }) {
  const email = await first();
  await hub.account("tom@school.test", "Tom", "teacher", PASSWORD);
  const { pages: known } = await pages(hub, {});
  for (const [who, address] of [["admin", email], ["teacher", "tom@school.test"]]) {
    const page = await open();
    await signIn(page, address);
    for (const { path, address: at } of known.filter((one) => one.roles.includes(who))) {
      await test(`${who} ${path} with nothing yet: WCAG 2.2 AA, 320 px, a cause and a next step`, async () => {
        await page.setViewportSize({ width: 1200, height: 860 });
        await page.emulateMedia({ reducedMotion: "reduce", colorScheme: "light" });
        const answer = await page.goto(hub.url + at, { waitUntil: "load" });
        const wrong = answer.ok() ? await accessible(page) : [`answered ${answer.status()}`];
        const said = await page.evaluate(() => ({
          words: document.querySelector("main").innerText.split(/\s+/).length,
          onward: document.querySelectorAll("main a[href], main form, main button").length,
          told: document.querySelectorAll("main .empty, main .note, main form, main ul.doors").length,
        }));
        if (said.words < 8) wrong.push(`only ${said.words} words`);
        if (!said.told) wrong.push("neither a cause nor anything to do");
        await shot(page, `empty/${who}-${slug(path)}`, { fullPage: true });
        wrong.push(...(await narrow(page)));
        if (wrong.length) throw new Error(wrong.join("\n"));
      });
    }
    await page.context().close();
  }
}
