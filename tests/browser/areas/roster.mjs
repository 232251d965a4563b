// A class from nothing: made, filled by name and by pasted numbers, taught, given rules, ended.

const NAMES = [["S01", "Ada Lovelace"], ["S02", "بهرام رستمی"], ["S03", "<b>Grace</b> & Hopper"], ["S04", "Emmy Noether"], ["S05", "Kurt Gödel"]];

export default async function roster({ hub, open, signIn, first, shot, plain, PASSWORD, desktop, phone, test, same }) {
  const email = await first();
  const page = await open();
  await signIn(page, email);
  for (const [student_number, full_name] of NAMES) await hub.post("/api/students", { student_number, full_name });
  await hub.post("/api/users", { email: "grace@school.test", name: "Grace Hopper", role: "teacher", password: PASSWORD });
  const told = async (words) => {
    const said = plain(await page.locator("main [role=status], main [role=alert]").first().innerText());
    if (!said.includes(words)) throw new Error(`said: ${said}`);
  };
  const members = (from = page) => from.locator("section[aria-labelledby=members] tbody tr");
  let address;

  await test("an admin adds a class where classes are, and lands on its roster", async () => {
    await page.goto(`${hub.url}/class`);
    await page.fill("#class_name", "Algebra 7b");
    await page.fill("#class_code", "7B");
    await page.fill("#room", "Room 204");
    await page.getByRole("button", { name: "Add a class" }).click();
    await told("The class is there");
    address = page.url().split("?")[0];
    await shot(page, "roster-empty", { fullPage: true });
  });

  await test("students are found by name and entered one by one", async () => {
    await page.fill("#q", "ada");
    await page.getByRole("button", { name: "Search", exact: true }).click();
    await page.getByRole("button", { name: /Enter .*Ada Lovelace/ }).click();
    await told("Entered");
    same(await page.inputValue("#q"), "ada", "what was searched for");
    await page.locator("#add").getByText("is in the class already").waitFor();
    same(await members().count(), 1, "members");
    await page.fill("#q", "nobody of that name");
    await page.getByRole("button", { name: "Search", exact: true }).click();
    await page.getByText("was found").waitFor();
  });

  await test("a pasted column is entered, and each line says what became of it", async () => {
    await page.goto(address);
    await page.getByText("Enter students", { exact: true }).click();
    await page.fill("#numbers", "S01\tAda\nS02\nS03\nS99\n\nS04\n");
    await page.getByRole("button", { name: "Enter them all" }).click();
    const lines = await page.locator("section[aria-labelledby=lines] tbody tr").allInnerTexts();
    const words = lines.map((line) => line.trim().split(/\t+/).at(-1).trim());
    same(words.join("|"), "is in the class already|entered|entered|nobody has this number|entered", "lines");
    same(await members().count(), 4, "members");
    await shot(page, "roster-lines", { fullPage: true });
  });

  await test("somebody is taken out, and only after being asked once more", async () => {
    const row = members().filter({ hasText: "Emmy" });
    await row.locator("summary").click();
    await shot(page, "roster-take-out");
    await row.getByRole("button", { name: /Take out .*Emmy Noether/ }).click();
    await told("Taken out");
    same(await members().filter({ hasText: "Emmy" }).count(), 0, "Emmy");
  });

  const teacher = await open(phone);
  await signIn(teacher, "grace@school.test");
  await test("a teacher is let in, sees the roster, and finds nothing to change", async () => {
    await page.selectOption("#account", { label: "Grace Hopper" });
    await page.getByRole("button", { name: "Let them teach it" }).click();
    await told("Saved");
    await teacher.goto(`${hub.url}/class`);
    await teacher.getByRole("link", { name: "Roster" }).click();
    same(await members(teacher).count(), 3, "members");
    same(await teacher.locator("main button:visible").count(), 0, "buttons");
    await shot(teacher, "roster-teacher-phone", { fullPage: true });
  });

  await test("rules are chosen and said in words; what cannot be is told", async () => {
    await page.fill("#grace_min", "5");
    await page.selectOption("#policy", "auto");
    await page.getByRole("button", { name: "Save" }).click();
    await told("auto_line");
    await page.fill("#auto_line", "93.5");
    await page.fill("#error_budget", "2");
    await page.selectOption("#policy", "auto");
    await page.getByRole("button", { name: "Save" }).click();
    await told("Saved");
    const said = plain(await page.locator("section[aria-labelledby=rules]").innerText());
    for (const words of ["93.5 %", "2 in 1,000", "more than"]) if (!said.includes(words)) throw new Error(`${words}: ${said}`);
    await shot(page, "roster-rules", { fullPage: true });
  });

  await test("in Persian, in the dark, on the narrowest phone nothing sticks out", async () => {
    await page.locator(".foot").getByRole("button", { name: "فارسی" }).click();
    await page.emulateMedia({ colorScheme: "dark" });
    await page.setViewportSize({ width: 320, height: 700 });
    await page.goto(`${address}?q=S0`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    same(wide <= 0, true, `sticks out by ${wide}`);
    await shot(page, "roster-phone-persian-dark", { fullPage: true });
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize(desktop.viewport);
    await shot(page, "roster-persian", { fullPage: true });
    await page.locator(".foot").getByRole("button", { name: "English" }).click();
  });

  await test("without JavaScript the class is filled and ended too, and meets again", async () => {
    const bare = await open({ ...phone, javaScriptEnabled: false });
    await signIn(bare, email);
    await bare.goto(`${address}?q=Emmy`);
    await bare.getByRole("button", { name: /Enter .*Emmy Noether/ }).click();
    same(await members(bare).count(), 4, "members");
    await bare.getByText("End this class …").click();
    await bare.getByRole("button", { name: "End this class" }).click();
    await bare.getByText("This class is over. It is").waitFor();
    await bare.getByRole("button", { name: "Let it meet again" }).click();
    await bare.getByText("The class meets again").waitFor();
  });
}
