// The admin's pages about people: adding, enrolling by photos and camera, look-alikes, consent,
// files of many, and erasing.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const hostile = [
  "<script>document.title='harm'</script>",
  "\u202e<img src=x onerror=alert(1)> \u{1f600} علی",
  "Ñ".repeat(90),
  "w".repeat(190),
];

export default async function people(kit) {
  const { hub, open, signIn, first, shot, portrait, desktop, phone, test, same, until, plain } = kit;
  const email = await first();
  const admin = await open();
  await signIn(admin, email);
  const go = (page, path) => page.goto(`${hub.url}${path}`);
  const text = async (page, selector) => plain(await page.locator(selector).innerText());
  const person = async (number, name, more = {}) =>
    (await hub.post("/api/students", { student_number: number, full_name: name, ...more })).id;
  const enrolled = async (number) => (await hub.get(`/api/students/${number}`)).enrollments.length;
  const narrow = async (page, path) => {
    await page.setViewportSize({ width: 320, height: 640 });
    await go(page, path);
    // The frame around the page is the shared one, and tested with every page.
    const wide = await page.evaluate(() => {
      const ends = [...document.querySelectorAll("main, main *")].map((e) => e.getBoundingClientRect());
      return ends.filter((end) => end.width > 1 && (end.right > 320.5 || end.left < -0.5)).length;
    });
    if (wide) throw new Error(`${path}: ${wide} things reach beyond 320 px`);
  };

  await test("an empty list says what to do, and the first person is added without a photo", async () => {
    await go(admin, "/people");
    await admin.getByText("Nobody is enrolled yet").waitFor();
    await shot(admin, "people-empty", { fullPage: true });
    await admin.fill("#number", "S1");
    await admin.fill("#name", "Barack Obama");
    await Promise.all([admin.waitForURL("**/people/*?done=added"), admin.click("button:text-is('Enrol')")]);
    await admin.getByRole("status").getByText("Now enrol a photo").waitFor();
  });

  await test("several photos are enrolled one after the other, each with its own result", async () => {
    await admin.fill("#consent", "himself");
    const broken = { name: "me.jpg", mimeType: "image/jpeg", buffer: Buffer.from("no picture") };
    const photos = ["obama.jpg", "obama2.jpg"].map((name) => ({ name, mimeType: "image/jpeg", buffer: readFileSync(portrait(name)) }));
    await admin.setInputFiles("#files", [...photos, broken]);
    await admin.click("#photos button[type=submit]");
    await until("three results", async () => (await admin.locator(".look:not(.wait)").count()) === 3, 60000);
    same(await admin.locator(".look.bad").count(), 1, "refused");
    same(await enrolled("S1"), 2, "enrolments on the hub");
    await shot(admin, "person-photos");
    await admin.click("#again a");
    same(await admin.locator("section[aria-labelledby=photos-h] tbody tr").count(), 2, "rows");
    same((await admin.locator(".tag.good:text-is('known')").count()) > 0, true, "known");
  });

  await test("a photo dropped on the page is enrolled too", async () => {
    const bytes = readFileSync(portrait("obama3.jpg")).toString("base64");
    const data = await admin.evaluateHandle((text) => {
      const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], "x.jpg", { type: "image/jpeg" }));
      return data;
    }, bytes);
    await admin.dispatchEvent("#drop", "dragover", { dataTransfer: data });
    same(await admin.locator("#drop.over").count(), 1, "the place shows itself");
    await admin.dispatchEvent("#drop", "drop", { dataTransfer: data });
    await until("enrolled", async () => (await enrolled("S1")) === 3, 30000);
  });

  await test("a look-alike is shown with both faces, and a twin is enrolled by one more step", async () => {
    const twin = await person("S2", "Barry Twin");
    await go(admin, `/people/${twin}`);
    await admin.fill("#consent", "himself");
    await admin.setInputFiles("#files", portrait("obama.jpg"));
    await admin.click("#photos button[type=submit]");
    await admin.getByText("enrolled already, as somebody else").waitFor({ timeout: 30000 });
    const look = admin.locator(".look").first();
    same(await look.locator(".faces .face").count(), 2, "faces");
    same(await look.locator("img.mine").evaluate((img) => img.complete && img.naturalWidth > 0), true, "one’s own face");
    await shot(admin, "person-look-alike");
    await look.getByRole("button", { name: "really another person" }).click();
    await until("enrolled", async () => (await enrolled("S2")) === 1, 30000);
    await admin.getByText("both will always go to review").waitFor();
    await Promise.all([admin.waitForURL("**?done=deleted"), admin.getByRole("button", { name: "Take this photo back" }).click()]);
    same(await enrolled("S2"), 0, "taken back");
  });

  await test("the camera says what is wrong until it is good, and takes the picture by itself", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rollcall-camera-"));
    const film = join(folder, "film.mjpeg");
    const frame = readFileSync(portrait("biden.jpg"));
    writeFileSync(film, Buffer.concat(Array(8).fill(frame)));
    const args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${film}`];
    const other = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args });
    try {
      const context = await other.newContext({ ignoreHTTPSErrors: true, ...desktop });
      const page = await context.newPage();
      await signIn(page, email);
      const id = await person("S3", "Joe Biden");
      await go(page, `/people/${id}`);
      await page.fill("#consent", "himself");
      await page.click("#camera");
      await until("good", async () => (await text(page, "#hint")).includes("Good"), 60000);
      await shot(page, "person-camera", { fullPage: true });
      await page.check("#auto");
      await until("enrolled", async () => (await enrolled("S3")) === 1, 60000);
      const sources = (await hub.get("/api/students/S3")).enrollments.map((row) => row.source);
      same(sources.join(), "webcam", "source");
      await page.click("#stop");
      same(await page.locator("#shoot").isVisible(), false, "closed");
    } finally {
      await other.close();
    }
    // The browser's own test picture shows nobody.
    await go(admin, "/people/S2");
    await admin.click("#camera");
    await until("a hint", async () => (await text(admin, "#hint")).includes("No face"), 60000);
    same(await admin.locator("#take").isDisabled(), true, "nothing to take");
    await admin.click("#stop");
  });

  await test("consent is withdrawn and given, and its history is there", async () => {
    await go(admin, "/people/S3");
    await admin.fill("#by", "his mother");
    await Promise.all([admin.waitForURL("**?done=withdrawn"), admin.click("button:text-is('Withdraw consent')")]);
    same(await enrolled("S3"), 0, "templates");
    await admin.fill("#by", "himself again");
    await Promise.all([admin.waitForURL("**?done=given"), admin.click("button:text-is('Write consent down')")]);
    same(await admin.locator("section[aria-labelledby=consent-h] tbody tr").count(), 3, "entries");
  });

  await test("details change, and whoever read an older version is told", async () => {
    const other = await open();
    await signIn(other, email);
    for (const page of [admin, other]) {
      await go(page, "/people/S3");
      await page.click("summary");
    }
    await admin.fill("#d-department", "Law & <b>Order</b>");
    await Promise.all([admin.waitForURL("**?done=changed"), admin.click("button:text-is('Save')")]);
    await other.fill("#d-department", "Maths");
    await other.click("button:text-is('Save')");
    await other.getByRole("alert").getByText("changed meanwhile").waitFor();
    same((await hub.get("/api/students/S3")).department, "Law & <b>Order</b>", "the first one stays");
    await other.context().close();
  });

  await test("a table of people is brought with a result for each row, also without JavaScript", async () => {
    for (const [javaScriptEnabled, added] of [[true, "added: 3"], [false, "skipped: 4"]]) {
      const page = await open({ ...desktop, javaScriptEnabled });
      await signIn(page, email);
      await go(page, "/people/bring");
      if (javaScriptEnabled) await shot(page, "people-bring", { fullPage: true });
      const table = "student_id,first_name,last_name\nT1,Ali,Rezaei\nT2,Zoë,\"O'Neill\"\nT3,علی,رضایی\nT1,Twice,Same\n";
      await page.setInputFiles("#table", { name: "t.csv", mimeType: "text/csv", buffer: Buffer.from(table) });
      await Promise.all([page.waitForURL("**/people/bring/*"), page.click("button:text-is('Bring the people')")]);
      await until("done", async () => {
        if (!javaScriptEnabled) await page.reload();
        return (await page.locator(".tag:text-is('done')").count()) > 0;
      });
      await until("rows", async () => plain(await page.locator("main").innerText()).includes(added));
      if (javaScriptEnabled) await shot(page, "people-bring-rows", { fullPage: true });
      const csv = await page.context().request.get(`${page.url()}/rows.csv`);
      same((await csv.text()).split("\r\n").length, 6, "lines of the file");
      await page.context().close();
    }
  });

  await test("an archive of photos is enrolled with progress, and what was refused says why", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rollcall-zip-"));
    const zip = join(folder, "photos.zip");
    const list = "student_id,file,consent_by\nT1,biden.jpg,himself\nT2,gone.jpg,mother\nT9,biden.jpg,x\n";
    writeFileSync(join(folder, "list.csv"), list);
    writeFileSync(join(folder, "biden.jpg"), readFileSync(portrait("biden.jpg")));
    const pack = "import sys,zipfile\nz=zipfile.ZipFile(sys.argv[1],'w')\nfor f in sys.argv[2:]: z.write(f, f.rsplit('/',1)[1])\nz.close()";
    execFileSync("python3", ["-c", pack, zip, join(folder, "list.csv"), join(folder, "biden.jpg")]);
    await go(admin, "/people/bring");
    await admin.setInputFiles("#photos", zip);
    await Promise.all([admin.waitForURL("**/people/bring/*"), admin.click("button:text-is('Enrol the photos')")]);
    await until("done", async () => (await admin.locator(".tag:text-is('done')").count()) > 0, 60000);
    const page = await text(admin, "main");
    for (const words of ["enrolled: 1", "refused: 2", "does not hold this photo", "3 of 3"]) {
      if (!page.includes(words)) throw new Error(`${words} is not in ${page}`);
    }
    same(await enrolled("T1"), 1, "on the hub");
    await shot(admin, "people-bring-photos", { fullPage: true });
  });

  await test("many are found by name and number, page by page", async () => {
    for (let n = 0; n < 55; n += 1) await person(`M${100 + n}`, `Many Person ${100 + n}`);
    await go(admin, "/people");
    await shot(admin, "people-list");
    same(await admin.locator("tbody tr").count(), 50, "a page");
    await Promise.all([admin.waitForURL("**after=*"), admin.click(".more a")]);
    same((await admin.locator("tbody tr").count()) > 10, true, "the next page");
    await admin.fill("#q", "person 15");
    await admin.keyboard.press("Enter");
    await admin.waitForURL("**q=person*");
    same(await admin.locator("tbody tr").count(), 6, "M115, M150 to M154");
    await go(admin, "/people?state=known");
    same(await text(admin, "tbody"), await text(admin, "tbody"), "listed");
    same(await admin.locator("tbody tr").count(), 2, "known: Obama, and T1");
  });

  await test("stored text does no harm anywhere, and nothing scrolls sideways at 320 px", async () => {
    const page = await open({ ...phone, colorScheme: "dark" });
    await signIn(page, email);
    await narrow(page, "/people/bring");
    await narrow(page, "/people");
    for (const [n, name] of hostile.entries()) {
      const id = await person(`H${n}<i>`, name, { department: name });
      await narrow(page, `/people?q=H${n}`);
      same(await page.locator("tbody tr").count(), 1, "found");
      await narrow(page, `/people/${id}`);
      same((await page.title()) !== "harm", true, "no script ran");
      await narrow(page, `/people/${id}/erase`);
    }
    await go(page, "/people?q=H");
    await shot(page, "people-hostile-phone");
    await page.context().close();
  });

  await test("on a phone in the dark and in Persian the same pages are whole", async () => {
    const page = await open({ ...phone, colorScheme: "dark", locale: "fa-IR" });
    await signIn(page, email);
    await go(page, "/people");
    same(await page.evaluate(() => document.dir), "rtl", "direction");
    await page.getByText("افزودن یک نفر").first().waitFor();
    await shot(page, "people-phone-fa");
    await go(page, "/people/S1");
    await shot(page, "person-phone-fa", { fullPage: true });
    for (const path of ["/people", "/people/S1", "/people/bring"]) await narrow(page, path);
    const small = await page.evaluate(() =>
      [...document.querySelectorAll("main button, main a.button, main summary")]
        .filter((e) => e.offsetParent)
        .map((e) => ({ text: e.innerText, h: e.getBoundingClientRect().height }))
        .filter((e) => e.h < 43.5),
    );
    same(JSON.stringify(small), "[]", "targets below 44 px");
    await page.context().close();
    await go(admin, "/people/S1");
    await shot(admin, "person", { fullPage: true });
  });

  await test("erasing asks for the number and shows live which doors have forgotten", async () => {
    await hub.post("/api/devices", { device_id: "door-204", classroom_id: "Room 204" });
    await go(admin, "/people/S1");
    await Promise.all([admin.waitForURL("**/erase"), admin.click("a.danger")]);
    await admin.fill("#number", "S2");
    await admin.click("button.danger");
    await admin.getByRole("alert").getByText("nothing was erased").waitFor();
    await shot(admin, "person-erase");
    await admin.fill("#number", "S1");
    await admin.click("button.danger");
    await admin.getByRole("heading", { name: "Erased" }).waitFor();
    await admin.getByText("The key is destroyed").waitFor();
    await shot(admin, "person-erased");
    const proof = await admin.context().request.get(await admin.locator("#proof a[download]").getAttribute("href").then((href) => hub.url + href));
    same((await proof.json()).public_key.length > 20, true, "the certificate is signed");
    const gone = await admin.context().request.get(`${hub.url}/people/S1`);
    same(gone.status(), 404, "nobody is there");
  });
}
