// The doors: a real one joins by what the page shows, is watched, asked for a picture, moved, and
// cut off.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Door } from "../door.mjs";
import { names } from "../school.mjs";

const LONG = 60_000;

export default async function doors(kit) {
  const { hub, open, signIn, first, shot, plain, PASSWORD, desktop, phone, test, same, until } = kit;
  const email = await first();
  const page = await open();
  await signIn(page, email);
  const go = (path, at = page) => at.goto(hub.url + path);
  const text = async (selector, at = page) => plain(await at.locator(selector).innerText());
  const has = async (selector, words, at = page) => (await text(selector, at)).includes(words);
  const audited = async (action) => (await hub.get(`/api/audit?action=${action}&target_table=device`)).length;
  const stay = (at = page) => at.evaluate(() => (window.stayed = true));
  const stayed = (at = page) => at.evaluate(() => window.stayed === true);
  let door;

  try {
    await test("a door is added, and joins by the command of the page, which says so by itself", async () => {
      await go("/devices");
      await page.getByText("No door yet").first().waitFor();
      await shot(page, "doors-empty", { fullPage: true });
      await page.fill("#device", "door-204");
      await page.fill("#room", "Room 204");
      await page.fill("#location", "second floor, left");
      await page.click("details button.go");
      await page.getByRole("heading", { name: /Join .?door-204/ }).waitFor();
      same(await page.locator("svg.qr[role=img]").count(), 1, "the square code");
      await shot(page, "doors-join", { fullPage: true });
      await stay();
      door = new Door(hub, "door-204");
      await door.join(await text("#command"));
      await page.locator("#done").waitFor({ timeout: 5000 });
      same(await has("#done", "door-204 has joined"), true, "said");
      same(await stayed(), true, "without another load");
      await shot(page, "doors-joined", { fullPage: true });
    });

    await test("the list says how far the doors are, live, and keeps the focus", async () => {
      await hub.post("/api/devices", { device_id: "door-off", classroom_id: "Gym <b>", location: names[1] });
      await go("/devices");
      same(await has("#map", "joined, not connected yet"), true, "before it starts");
      await page.locator("#map a", { hasText: "door-204" }).focus();
      await stay();
      door.start();
      await until("connected", () => has("#tally", "1 connected"), LONG);
      same(await page.evaluate(() => document.activeElement.getAttribute("href")), "/devices/door-204", "focus");
      same(await stayed(), true, "without another load");
      await hub.post("/api/students", { student_number: "S1", full_name: "Barack Obama" });
      await hub.picture("/api/enrollment", "file", "obama.jpg", { student_id: "S1", consent_by: "himself" });
      await go("/devices"); // before anybody was enrolled there was no gallery to send
      await page.getByRole("button", { name: "Send the gallery out now" }).click();
      await page.getByRole("status").getByText("is told of its gallery").waitFor();
      await until("it uses the newest", () => has("#far", "1 of 2 doors"), LONG);
      same(await has("#far", "not connected: gets it when it is"), true, "why the other does not");
      await shot(page, "doors", { fullPage: true });
    });

    await test("the list is narrowed by how doors are, by room and by words, and opens again", async () => {
      await go("/devices");
      const listed = () => page.locator("#map .who-link").allInnerTexts().then((all) => all.map(plain));
      same((await listed()).sort().join(), "door-204,door-off", "all");
      await page.locator("#counts a", { hasText: "joined, not connected yet" }).or(page.locator("#counts a", { hasText: "not joined yet" })).first().click();
      same((await listed()).join(), "door-off", "of one state");
      same(await page.locator("#counts a[aria-current]").count(), 1, "which is marked");
      await shot(page, "doors-narrowed", { fullPage: true });
      await page.locator("#counts a[aria-current]").click();
      same((await listed()).length, 2, "chosen once more it is chosen no longer");
      await page.selectOption("#at", "Room 204");
      await page.getByRole("button", { name: "Search" }).click();
      same((await listed()).join(), "door-204", "of one room");
      await go("/devices?q=nowhere");
      await page.getByText("No door is as you asked").waitFor();
      await page.getByRole("link", { name: "Show all" }).click();
      same((await listed()).length, 2, "all again");
    });

    await test("a picture comes when it is asked for, and who asked and looked is written down", async () => {
      await go("/devices/door-204");
      same(await page.locator("#shown img").count(), 0, "none by itself");
      const other = await open();
      await signIn(other, email);
      await go("/devices/door-204", other);
      await stay();
      // A camera that is still opening shows nothing: an admin asks again.
      await until("the picture", async () => {
        await page.getByRole("button", { name: "Ask for a picture" }).click();
        await page.locator("#shown img, #shelf .bad").first().waitFor({ timeout: LONG });
        return (await page.locator("#shown img").count()) > 0;
      }, LONG);
      await until("its pixels", () => page.evaluate(() => document.querySelector("#shown img").naturalWidth > 100));
      same(await stayed(), true, "without another load");
      same(await audited("look"), 1, "looks");
      await other.locator("#look").waitFor();
      same(await other.locator("#shown img").count(), 0, "whoever did not ask sees that there is one, not what");
      await other.context().close();
      same((await audited("snap")) >= 1, true, "asked");
      await shot(page, "door-picture", { fullPage: true });
      await go("/devices/door-off");
      await page.getByRole("button", { name: "Ask for a picture" }).click();
      await page.getByRole("alert").getByText("not connected").waitFor();
    });

    await test("a door is moved, and whoever read an older version is told who did it", async () => {
      const other = await open();
      await signIn(other, email);
      for (const at of [page, other]) await go("/devices/door-204", at);
      await page.fill("#room", "Room 205");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByRole("status").getByText("Saved").waitFor();
      await other.fill("#room", "Room 206");
      await other.getByRole("button", { name: "Save" }).click();
      await other.getByRole("alert").waitFor();
      same(await has("[role=alert]", "Ada Lovelace changed this door meanwhile", other), true, "who");
      same(await has("[role=alert]", "room Room 205", other), true, "what");
      same((await hub.get("/api/devices/door-204")).classroom_id, "Room 205", "the first one stays");
      await other.context().close();
    });

    await test("its gallery goes back to an earlier one, and out again", async () => {
      await go("/devices/door-204");
      await page.getByRole("button", { name: /^Go back to gallery/ }).first().click();
      await page.getByRole("status").getByText("goes back to the people").waitFor();
      await page.getByText("This door was taken back").waitFor();
      await shot(page, "door", { fullPage: true });
      await go("/devices");
      await page.getByText("One door was taken back").waitFor();
      await page.getByRole("button", { name: "Send the gallery out now" }).click();
      await page.getByRole("status").getByText("is told of its gallery").waitFor();
      same(await page.getByText("One door was taken back").count(), 0, "held no more");
    });

    await test("what happened at the door is listed with who did it", async () => {
      await go("/devices/door-204");
      const past = await text("#lines");
      for (const words of ["added", "joined", "picture asked for", "picture looked at", "gallery taken back", "Ada Lovelace"]) {
        if (!past.includes(words)) throw new Error(`“${words}” is not in ${past}`);
      }
    });

    await test("cutting off asks first, says what follows, and ends the connection", async () => {
      await page.getByRole("link", { name: "Cut off" }).click();
      await page.getByRole("heading", { name: /Cut .?door-204.? off/ }).waitFor();
      await shot(page, "door-revoke", { fullPage: true });
      await page.getByRole("button", { name: "Cut it off" }).click();
      await page.getByRole("status").getByText("The door is cut off").waitFor();
      same(await has("#state", "cut off"), true, "state");
      await until("gone", async () => !(await hub.get("/api/devices/door-204")).online);
      await page.getByRole("button", { name: "New join token" }).waitFor();
    });
  } finally {
    await door?.stop();
  }

  await test("a file for the card comes from the same page, and by it a unit joins that nobody types at", async () => {
    await hub.post("/api/devices", { device_id: "door-card", classroom_id: "Gym" });
    await go("/devices/door-card");
    await page.getByRole("button", { name: "New join token" }).click();
    await stay();
    const coming = page.waitForEvent("download");
    await page.getByRole("button", { name: "Get the file" }).click();
    const file = await coming;
    same(file.suggestedFilename(), "rollcall-door.toml", "its name");
    const unit = new Door(hub, "door-card");
    unit.invite(readFileSync(await file.path(), "utf8"));
    unit.start();
    try {
      await page.locator("#done").waitFor({ timeout: LONG });
      same(await has("#done", "door-card has joined"), true, "said");
      same(await stayed(), true, "on the page it came from");
    } finally {
      await unit.stop();
    }
  });

  await test("without JavaScript: added, joined, moved, asked, cut off", async () => {
    const bare = await open({ ...desktop, javaScriptEnabled: false });
    await signIn(bare, email);
    await go("/devices", bare);
    await bare.click("summary:has(h2)");
    await bare.fill("#device", "door-b");
    await bare.click("details button.go");
    const second = new Door(hub, "door-b", "biden.jpg");
    await second.join(await text("#command", bare));
    await bare.getByRole("link", { name: "Look at the door" }).click();
    same(await has("#state", "joined, not connected yet", bare), true, "joined");
    await bare.fill("#room", "Library");
    await bare.getByRole("button", { name: "Save" }).click();
    await bare.getByRole("status").getByText("Saved").waitFor();
    second.start();
    try {
      await until("connected", async () => (await hub.get("/api/devices/door-b")).online, LONG);
      await until("a picture", async () => {
        await bare.getByRole("button", { name: "Ask for a picture" }).click();
        await bare.waitForURL(/done=/); // a page that is on its way cannot be loaded anew
        await until("an answer", async () => {
          await bare.reload();
          return !(await has("#shelf", "on its way", bare));
        }, LONG);
        return (await bare.locator("#look").count()) > 0;
      }, LONG);
      const jpeg = await bare.context().request.get(hub.url + (await bare.locator("#look").getAttribute("href")));
      same(jpeg.headers()["content-type"], "image/jpeg", "type");
      await shot(bare, "door-bare", { fullPage: true });
      await bare.getByRole("link", { name: "Cut off" }).click();
      await bare.getByRole("button", { name: "Cut it off" }).click();
      await bare.getByRole("status").getByText("The door is cut off").waitFor();
    } finally {
      await second.stop();
    }
    await bare.context().close();
  });

  await test("on a phone, dark and in Persian, the pages are whole", async () => {
    const small = await open({ ...phone, colorScheme: "dark", locale: "fa-IR" });
    await signIn(small, email);
    for (const path of ["/devices", "/devices/door-204", "/devices/door-204/revoke"]) {
      await go(path, small);
      same(await small.evaluate(() => document.dir), "rtl", path);
      same(await small.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `${path} fits`);
      await shot(small, `doors-fa${path.replaceAll("/", "-")}`, { fullPage: true });
    }
    await small.getByRole("link").first().waitFor();
    await go("/devices/door-204", small);
    await small.locator("form[action$='/token'] button").click();
    await small.locator("svg.qr").waitFor();
    await shot(small, "doors-fa-join", { fullPage: true });
    await small.context().close();
  });

  await test("a teacher sees none of it", async () => {
    await hub.account("tom@school.test", "Tom", "teacher", PASSWORD);
    const teacher = await open();
    await signIn(teacher, "tom@school.test");
    const ask = teacher.context().request;
    for (const path of ["/devices", "/devices/door-204", "/devices/door-204/revoke", "/api/devices/door-204/snap"]) {
      const answer = await ask.get(hub.url + path, { headers: { accept: "text/html" } });
      same([403, 404].includes(answer.status()), true, `${path}: ${answer.status()}`);
    }
    same(await teacher.locator("nav a[href='/devices']").count(), 0, "links");
    await teacher.context().close();
  });

  await test("an update is brought, goes on its way, is held and ended", async () => {
    const [key, update] = ["release.key", "edge.update"].map((name) => join(hub.data, name));
    const told = await hub.run("update", "key", key);
    await hub.run("update", "trust", told.trim().split("\n").at(-1));
    await hub.run("update", "sign", "/bin/true", "--version", "0.9.0", "--key", key, "--into", update);
    await go("/devices");
    await page.getByRole("link", { name: "Updates" }).click();
    await page.setInputFiles("#file", update);
    await page.getByRole("button", { name: "Add" }).click();
    await page.getByRole("status").getByText("The program is here").waitFor();
    await page.fill("#first-1", "door-off");
    await page.locator("form[action='/updates/begin'] button").click();
    await page.getByText("has not said that it takes programs for amd64").waitFor();
    await page.locator("form[action='/updates/begin'] button").click();
    await page.getByRole("status").getByText("one door tries it first").waitFor();
    await shot(page, "updates", { fullPage: true });
    await page.getByRole("button", { name: "Pause" }).click();
    await until("it is held", () => has("#ways", "paused"), LONG);
    await page.getByRole("button", { name: "End it" }).click();
    await until("it has ended", () => has("#ways", "ended"), LONG);
    same(await page.locator("#ways button").count(), 0, "nothing is to be said any more");
  });
}
