// What an admin sets: lines, timetable, holidays, rooms, accounts, what is kept, the audit log.

const PAGES = ["", "/recognition", "/timetable", "/holidays", "/rooms", "/users", "/retention", "/mail", "/webhooks", "/audit"];

export default async function settings({ hub, open, signIn, first, shot, plain, PASSWORD, desktop, phone, test, same, until }) {
  const email = await first();
  const page = await open();
  await signIn(page, email);
  const go = (path) => page.goto(`${hub.url}/settings${path}`);
  const told = async (role, words) => {
    const said = plain(await page.getByRole(role).first().innerText());
    if (!said.includes(words)) throw new Error(`${role}: ${said}`);
  };

  await test("every page of the settings says what it is for and what to do first", async () => {
    await go("");
    await shot(page, "settings-index");
    for (const path of PAGES) {
      await go(path);
      same(await page.locator("h1").count(), 1, `headings of ${path}`);
    }
    await go("/timetable");
    await page.getByText("There is no class yet").waitFor();
  });

  await test("a line is chosen by the wrong names it lets through, and counts everywhere", async () => {
    await go("/recognition");
    await page.getByText("No passage has been decided here yet").waitFor();
    await page.fill("#budget", "0.0005");
    await page.getByRole("button", { name: "Show what follows" }).first().click();
    await page.getByText("With the new lines").waitFor();
    await shot(page, "settings-recognition", { fullPage: true });
    const proposed = await page.inputValue("input[type=hidden][name=high]");
    if (!(Number(proposed) > 0.96)) throw new Error(`so few wrong names need a high line, got ${proposed}`);
    await page.getByRole("button", { name: "Use the new lines" }).click();
    await told("status", "The new lines count from now on");
    same(await page.locator(".compare tbody tr").first().locator("td").first().innerText(), proposed, "sure from");
    await page.getByText("Set the lines exactly").click();
    await page.fill("#high", "0.5");
    await page.fill("#review", "0.9");
    await page.getByRole("button", { name: "Show what follows" }).last().click();
    await told("alert", "High, review");
    await go("/recognition");
    await page.getByRole("button", { name: "Back to the network’s own lines" }).click();
    await told("status", "own lines count again");
    const rows = await hub.get("/api/audit?action=change&target_table=setting");
    same(rows.length, 2, "both changes are in the audit log");
  });

  await test("the scores of decided passages are drawn, with the same numbers as a table", async () => {
    await go("/recognition");
    same(await page.locator("svg.scores[role=img]").count(), 1, "the drawing");
    await page.getByText("The same as a table").click();
    await page.getByText("There are no scores yet").waitFor();
  });

  await test("a room and a holiday are added and taken away", async () => {
    await go("/rooms");
    await page.fill("#name", "Room <204>");
    await page.fill("#location", "second floor");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("link", { name: "Room <204>" }).waitFor();
    await go("/holidays");
    await page.fill("#name", "Spring break");
    await page.fill("#from", "2030-03-04");
    await page.fill("#to", "2030-03-01");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("alert").waitFor();
    await page.fill("#name", "Spring break");
    await page.fill("#from", "2030-03-04");
    await page.fill("#to", "2030-03-08");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await told("status", "no lessons on those days");
    await shot(page, "settings-holidays");
    await page.getByRole("button", { name: /^Remove/ }).click();
    await told("status", "are back");
  });

  let teacher;
  await test("a teacher is added, signs in, and is out when the account is closed", async () => {
    await hub.post("/api/classes", { class_name: "Algebra 7b", class_code: "7B", room: "Room <204>" });
    await go("/users");
    await page.fill("#full_name", "Grace Hopper");
    await page.fill("#email", "grace@school.test");
    await page.fill("#password", PASSWORD);
    await page.getByRole("button", { name: "Add an account" }).click();
    await told("status", "The account is there");
    await page.selectOption("#class_id", { label: "Algebra 7b" });
    await page.fill("#to", "2031-01-01");
    await page.getByRole("button", { name: "Let them teach it" }).click();
    await page.getByText(/^from .* until/).waitFor();
    await shot(page, "settings-user", { fullPage: true });
    teacher = await open(phone);
    await signIn(teacher, "grace@school.test");
    await teacher.goto(`${hub.url}/settings`);
    await teacher.getByText("This is not for your account").waitFor();
    await page.getByRole("button", { name: "Close the account" }).click();
    await told("status", "The account is closed");
    await teacher.goto(`${hub.url}/review`);
    same(new URL(teacher.url()).pathname, "/sign-in", "the closed account");
    await page.getByRole("button", { name: "Open the account again" }).click();
    await told("status", "open again");
    await go("/users");
    await page.fill("#full_name", "Grace Again");
    await page.fill("#email", "grace@school.test");
    await page.getByRole("button", { name: "Add an account" }).click();
    await told("alert", "already");
    await shot(page, "settings-users", { fullPage: true });
  });

  await test("a weekly lesson is planned, an overlap told, and one day cancelled", async () => {
    const add = async (starts, ends) => {
      await go("/timetable");
      await page.selectOption("#weekday", "1");
      await page.fill("#starts", starts);
      await page.fill("#ends", ends);
      await page.getByRole("button", { name: "Add a weekly lesson" }).click();
    };
    await add("08:45", "09:30");
    await told("status", "The lesson is planned");
    await add("09:00", "10:00");
    await page.getByRole("alert").waitFor();
    await add("10:00", "10:45");
    await told("status", "The lesson is planned");
    await page.getByRole("link", { name: "The week after" }).click();
    await shot(page, "settings-timetable", { fullPage: true });
    const monday = new URL(page.url()).searchParams.get("day");
    await page.locator(".slot").first().click();
    await page.fill("#day", monday);
    await page.getByRole("button", { name: "Let that day differ" }).click();
    await page.getByRole("button", { name: /As usual/ }).waitFor();
    await shot(page, "settings-lesson", { fullPage: true });
    await page.goto(`${hub.url}/settings/timetable?day=${monday}`);
    same(await page.locator(".slot.cancelled").count(), 1, "cancelled that week");
    await page.locator(".slot:not(.cancelled)").click();
    await page.getByRole("button", { name: "End this lesson" }).click();
    await told("status", "The lesson has ended");
  });

  await test("a week is a grid of hours, and on a phone a list of the same lessons", async () => {
    const week = (class_id, weekday, starts, ends) => hub.post("/api/timetable", { class_id, weekday, starts, ends, room: "Hall" });
    await week("7B", 2, "08:00", "08:45");
    await week("7B", 2, "09:00", "10:30");
    await week("7B", 5, "12:00", "12:20");
    await go("/timetable?day=2030-03-04");
    same(await page.locator(".week").isVisible(), false, "the list, beside the grid");
    const box = (text) => page.locator(".slot", { hasText: text }).boundingBox();
    const [early, late, noon] = [await box("08:00"), await box("09:00"), await box("12:00")];
    same(Math.round(late.height / early.height), 2, "twice as long is twice as high");
    same(late.y > early.y && noon.x > late.x && noon.y > late.y, true, "later is lower, another day is beside");
    await shot(page, "settings-week", { fullPage: true });
    await page.emulateMedia({ media: "print" });
    await shot(page, "settings-week-print", { fullPage: true });
    await page.emulateMedia({ media: "screen" });
    await page.setViewportSize({ width: 390, height: 844 });
    same(await page.locator("svg.grid").isVisible(), false, "the grid on a phone");
    same(await page.locator(".week .lesson:visible").count(), await page.locator(".slot").count(), "lessons in the list");
    await page.setViewportSize(desktop.viewport);
    await page.locator(".slot", { hasText: "12:00" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "End this lesson" }).waitFor();
  });

  await test("what is over is told, kept longer or shorter, and taken away at once", async () => {
    const { id } = await hub.post("/api/students", { student_number: "L1", full_name: "Left Long Ago" });
    await hub.send("DELETE", `/api/students/${id}`);
    await go("/retention");
    await page.getByText("Nothing would go now").waitFor();
    await page.fill("#health_days", "3");
    await page.getByRole("button", { name: "Save" }).click();
    await told("alert", "at least 31 days");
    await page.fill("#health_days", "");
    await page.fill("#leaver_days", "0");
    await page.getByRole("button", { name: "Save" }).click();
    await told("status", "Saved");
    same(await page.inputValue("#health_days"), "", "for ever");
    await page.getByText("One thing would go now").waitFor();
    await shot(page, "settings-retention", { fullPage: true });
    await page.getByText("Run now …").click();
    await page.getByRole("button", { name: "Take one thing away now" }).click();
    await page.locator("#verdict").getByText("one thing is gone").waitFor();
    await page.getByText("Nothing would go now").waitFor();
    await shot(page, "settings-retention-ran", { fullPage: true });
    const [row] = await hub.get("/api/audit?action=sweep");
    same(row.target_table, "setting", "the run is in the audit log");
  });

  await test("a calendar file is taken over, and what cannot be is named", async () => {
    await go("/timetable");
    const csv = "class_code,weekday,starts,ends,room,from_day,to_day\n7B,3,08:00,08:45,9,2030-01-01,\nXX,3,08:00,08:45,9,,\n";
    await page.setInputFiles("#file", { name: "week.csv", mimeType: "text/csv", buffer: Buffer.from(csv) });
    await page.getByRole("button", { name: "Take over a file" }).click();
    await told("status", "1 new");
    await page.getByText("What was left out of the file").waitFor();
  });

  await test("the audit log is filtered and found whole", async () => {
    await go("/audit");
    await page.fill("#who", email);
    await page.fill("#action", "plan");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    const actions = await page.locator(".log tbody td:nth-child(4)").allInnerTexts();
    same([...new Set(actions)].join(), "plan", "only that verb");
    await page.fill("#action", "nothing-of-the-kind");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.getByText("Nothing fits").waitFor();
    await page.getByRole("link", { name: "Show everything" }).click();
    await page.getByRole("button", { name: "Check the log" }).click();
    await page.locator("#verdict").getByText("rows, unbroken").waitFor();
    await shot(page, "settings-audit", { fullPage: true });
  });

  await test("in Persian, in the dark, on the narrowest phone nothing sticks out", async () => {
    await page.locator(".foot").getByRole("button", { name: "فارسی" }).click();
    await page.emulateMedia({ colorScheme: "dark" });
    await page.setViewportSize({ width: 320, height: 700 });
    for (const path of PAGES) {
      await go(path);
      same(await page.getAttribute("html", "dir"), "rtl", "direction");
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      same(wide <= 0, true, `${path} sticks out by ${wide}`);
      await shot(page, `settings${path.replace("/", "-")}-phone-persian-dark`, { fullPage: true });
    }
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize(desktop.viewport);
    await page.locator(".foot").getByRole("button", { name: "English" }).click();
  });

  await test("without JavaScript the log is checked too", async () => {
    const bare = await open({ ...phone, javaScriptEnabled: false });
    await signIn(bare, email);
    await bare.goto(`${hub.url}/settings/audit`);
    await bare.getByRole("button", { name: "Check the log" }).click();
    await until("an end", async () => {
      if (await bare.locator("#verdict").getByText("rows, unbroken").count()) return true;
      await bare.getByRole("link", { name: "Look again" }).click().catch(() => {});
      return false;
    });
  });
}
