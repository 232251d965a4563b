// The review desk, from an empty hub to two teachers at once.

const cards = (page) => page.locator(".sight:not(.leaving)");
const pendingOnHub = async (hub) => (await hub.get("/api/attendance/pending")).length;

export default async function desk({ hub, wrong, open, signIn, shot, portrait, PASSWORD, desktop, phone, test, same, until, plain }) {
  const admin = await open();

  await test("the set-up code makes the first admin, in the browser", async () => {
    await admin.goto(hub.url);
    await admin.waitForURL("**/setup");
    await shot(admin, "setup");
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
    await shot(admin, "people", { fullPage: true });
  });

  await test("an empty desk says why and what to do", async () => {
    await admin.goto(`${hub.url}/review`);
    await admin.getByText("No door is joined yet").waitFor();
    await shot(admin, "empty");
  });

  await hub.post("/api/devices", { device_id: "door-204", classroom_id: "Room 204" });

  await test("pending cards are decided by key, and undo brings one back", async () => {
    for (const name of ["obama2.jpg", "obama3.jpg", "biden.jpg", "obama2.jpg"]) await hub.capture("door-204", name);
    await admin.goto(`${hub.url}/review`);
    await until("four cards", async () => (await cards(admin).count()) === 4);
    await until("live", async () => (await admin.locator("#live.on").count()) === 1);
    await until("crops", () => admin.evaluate(() => [...document.images].every((i) => i.complete && i.naturalWidth > 0)));
    await shot(admin, "review-desktop-light");
    // For the README: no picture of a person goes into git.
    await admin.evaluate(() => document.querySelectorAll("img").forEach((img) => (img.style.filter = "blur(12px)")));
    await shot(admin, "review-readme", { clip: { x: 0, y: 0, width: 1200, height: 600 } });
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
    same(plain(await admin.locator("#count").innerText()), "5 people wait", "the count");
  });

  await test("it was somebody else, nobody, or never that one: each by one key, each taken back", async () => {
    const here = () => admin.locator(".sight.here").getAttribute("data-id");
    const record = async (id) => hub.get(`/api/attendance/${id}`);
    const back = async (id, count) => {
      await admin.keyboard.press("z");
      await until("it is back", async () => (await record(id)).review_status === "pending");
      await until("the cards", async () => (await cards(admin).count()) === count);
    };
    const id = await here();
    await admin.keyboard.press("u");
    await admin.locator("#toast").getByText("nobody we know").waitFor();
    same((await record(id)).notes, "Nobody we know", "the note");
    await back(id, 5);
    same(await here(), id, "one stands on what came back");
    await admin.keyboard.press("n");
    await admin.locator("#toast").getByText("never again").waitFor();
    await back(id, 5);
    await admin.keyboard.press("/");
    await admin.keyboard.type("bid");
    await admin.locator("#who-found button").getByText("Joe Biden").waitFor();
    await shot(admin, "review-search");
    // Meanwhile the card is exchanged for a newer one of the same record.
    const version = async () => Number(await admin.locator(`#s-${id}`).getAttribute("data-version"));
    const before = await version();
    await hub.post(`/api/attendance/${id}/review`, { decision: "reject" });
    await hub.post(`/api/attendance/${id}/undo`, {});
    await until("a newer card", async () => (await version()) === before + 2);
    await admin.keyboard.press("Enter");
    await admin.locator("#toast").getByText("Joe Biden").waitFor();
    same((await record(id)).decided_student_id, "S2", "decided as");
    await admin.reload();
    await until("the desk after a reload", async () => (await cards(admin).count()) === 4);
    await back(id, 5);
    await admin.keyboard.press("z");
    await admin.keyboard.press("z");
    await admin.keyboard.press("z");
    await until("older steps", async () => (await admin.locator("#toast").innerText()).length > 0);
  });

  await test("who is sure is approved with one press for the group, and taken back with one", async () => {
    const sure = await admin.locator(".sight[data-sure]").count();
    if (!sure) throw new Error("nobody is sure");
    await admin.locator(".surely button").first().click();
    await admin.locator("#toast").getByText("approved").waitFor();
    same(await pendingOnHub(hub), 5 - sure, "pending on the hub");
    await admin.locator("#toast button").click();
    await until("all are back", async () => (await cards(admin).count()) === 5);
  });

  await test("the keys can be turned off, and stay off", async () => {
    await admin.keyboard.press("?");
    await shot(admin, "review-keys");
    await admin.locator("#use-keys").uncheck();
    await admin.keyboard.press("Escape");
    await admin.reload();
    await until("the desk", async () => (await cards(admin).count()) === 5);
    await admin.keyboard.press("a");
    await new Promise((later) => setTimeout(later, 200));
    same(await cards(admin).count(), 5, "nothing happened");
    await admin.locator("#show-keys").click();
    await admin.locator("#use-keys").check();
    await admin.keyboard.press("Escape");
  });

  await test("in Persian, from right to left, it works the same", async () => {
    for (const [options, name] of [[desktop, "desktop"], [{ ...phone, colorScheme: "dark" }, "phone"]]) {
      const page = await open({ ...options, locale: "fa-IR" });
      await signIn(page, "ada@school.test");
      same(await page.locator("html").getAttribute("dir"), "rtl", "direction");
      await page.getByText("چه کسی وارد شد؟").waitFor();
      await until("crops", () => page.evaluate(() => [...document.images].every((i) => i.complete)));
      await shot(page, `review-persian-${name}`);
      await page.locator(".sight .go").first().click();
      await page.locator("#toast").getByText("تأیید شد").waitFor();
      await page.locator("#toast button").click();
      await until("it is back", async () => (await cards(page).count()) === 5);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) throw new Error(`${wide} px too wide`);
      await page.context().close();
    }
  });

  await test("of two teachers on one card one wins and the other is told who", async () => {
    await hub.account("grace@school.test", "Grace Hopper", "teacher", PASSWORD);
    await hub.teach("grace@school.test");
    const grace = await open();
    await signIn(grace, "grace@school.test");
    await until("her cards", async () => (await cards(grace).count()) === 5);
    await grace.route("**/events", (route) => route.abort());
    await grace.reload();
    await until("her cards again", async () => (await cards(grace).count()) === 5);
    const id = await grace.locator(".sight.here").getAttribute("data-id");
    await hub.post(`/api/attendance/${id}/review`, { decision: "approve" });
    await grace.keyboard.press("r");
    await grace.locator(`#s-${id}`).getByText(/Ada Lovelace.? has already approved/).waitFor();
    await shot(grace, "conflict");
    same((await hub.get(`/api/attendance/${id}`)).review_status, "approved", "the first decision stands");
    await until("the other desk heard of it", async () => (await admin.locator(`#s-${id} .verdict`).count()) === 1 || (await admin.locator(`#s-${id}`).count()) === 0);
    wrong.splice(0, wrong.length, ...wrong.filter((line) => !line.includes("/events") && !line.includes("ERR_FAILED")));
    await grace.context().close();
  });

  await test("on a phone one tap decides, targets are large, nothing scrolls sideways", async () => {
    const page = await open({ ...phone, colorScheme: "dark" });
    await signIn(page, "ada@school.test");
    const before = await pendingOnHub(hub);
    await shot(page, "review-phone-dark");
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
    const page = await open({ ...desktop, javaScriptEnabled: false });
    await signIn(page, "ada@school.test");
    const before = await pendingOnHub(hub);
    await Promise.all([page.waitForURL("**/review?done=*"), page.locator(".sight button.no").first().click()]);
    await page.getByRole("status").getByText("Rejected").waitFor();
    same(await pendingOnHub(hub), before - 1, "pending after a form");
    await Promise.all([page.waitForURL("**/review?done=*"), page.getByRole("button", { name: "Undo" }).click()]);
    same(await pendingOnHub(hub), before, "pending after undo");
    await page.context().close();
  });

  await test("each page by key and in the dark, and signing out ends the session", async () => {
    const page = await open({ ...desktop, colorScheme: "dark" });
    await signIn(page, "ada@school.test");
    await page.keyboard.press("Tab");
    same(await page.evaluate(() => document.activeElement.className), "skip", "first stop of Tab");
    await shot(page, "review-desktop-dark");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL("**/sign-in");
    await shot(page, "sign-in-dark");
    await page.goto(`${hub.url}/review`);
    await page.waitForURL("**/sign-in");
    await page.context().close();
  });
}
