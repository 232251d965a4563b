// One's own account: password, second step, sign-ins, calendars; and signing in elsewhere.

import { createHmac } from "node:crypto";
import { Hub } from "../hub.mjs";
import { Provider } from "../provider.mjs";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

// What an authenticator app shows (RFC 6238).
function code(secret, steps = 0) {
  const bits = [...secret.replace(/\s/g, "")].map((c) => ALPHABET.indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + steps));
  const digest = createHmac("sha1", key).update(counter).digest();
  const at = digest[19] & 15;
  return String((digest.readUInt32BE(at) & 0x7fffffff) % 1000000).padStart(6, "0");
}

const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);

export default async function account({ browser, hub, open, signIn, first, shot, plain, PASSWORD, desktop, phone, test, same, until }) {
  const email = await first();
  const page = await open();
  const go = () => page.goto(`${hub.url}/account`);
  const said = async (role = "status") => plain(await page.getByRole(role).first().innerText());
  const other = await open(phone);
  let password = PASSWORD;

  await test("the name is changed, and every page greets anew", async () => {
    await signIn(page, email);
    await go();
    await page.fill("#full_name", "Ada King");
    await page.fill("#phone", "+44 20 7946 0000");
    await page.getByRole("button", { name: "Save" }).first().click();
    same(await said(), "Saved.", "told");
    same(await page.locator(".who .name").innerText(), "Ada King", "greeting");
    same(await page.inputValue("#phone"), "+44 20 7946 0000", "telephone");
    await shot(page, "account-desktop", { fullPage: true });
  });

  await test("a new password ends the other sign-ins, and a wrong one changes nothing", async () => {
    await signIn(other, email);
    await go();
    await page.fill("#current_password", "not my password");
    await page.fill("#new_password", "four other words entirely");
    await page.getByRole("button", { name: "Change the password" }).click();
    if (!(await said("alert")).includes("not your password")) throw new Error(await said("alert"));
    await other.goto(`${hub.url}/account`);
    same(new URL(other.url()).pathname, "/account", "still in");
    password = "four other words entirely";
    await page.fill("#current_password", PASSWORD);
    await page.fill("#new_password", password);
    await page.getByRole("button", { name: "Change the password" }).click();
    if (!(await said()).includes("new password counts")) throw new Error(await said());
    await other.goto(`${hub.url}/account`);
    same(new URL(other.url()).pathname, "/sign-in", "the other one");
  });

  let codes = [];
  await test("the second step is switched on by a square code and proven once", async () => {
    await go();
    await page.fill("#password", password);
    await page.getByRole("button", { name: "Switch it on" }).click();
    await page.locator("svg.qr").waitFor();
    await page.getByText("You cannot scan it?").click();
    const secret = await page.locator("pre").innerText();
    await shot(page, "account-square");
    await page.fill("#code", "000000");
    await page.getByRole("button", { name: "Confirm" }).click();
    if (!(await said("alert")).includes("not what the app shows")) throw new Error(await said("alert"));
    await page.locator("svg.qr").waitFor();
    await page.fill("#code", code(secret));
    await page.getByRole("button", { name: "Confirm" }).click();
    codes = await page.locator(".codes code").allInnerTexts();
    same(codes.length, 10, "recovery codes");
    await shot(page, "account-codes");
    await page.emulateMedia({ media: "print" });
    same(await page.locator(".top").isVisible(), false, "the frame on paper");
    same(await page.locator(".codes code").first().isVisible(), true, "the codes on paper");
    await page.emulateMedia({ media: "screen" });
    await page.getByRole("link", { name: "I have kept them" }).click();
    await page.getByText("10 recovery codes left").waitFor();
  });

  await test("signing in asks for the second step; a recovery code stands in once", async () => {
    await other.goto(`${hub.url}/sign-in?next=/account`);
    const enter = async () => {
      await other.fill("#email", email);
      await other.fill("#password", password);
      await other.click("button.go");
      await other.getByText("One more step").waitFor();
    };
    await enter();
    await shot(other, "sign-in-second-step");
    await other.fill("#code", "123456");
    await other.click("button.go");
    await other.getByRole("alert").waitFor();
    await other.fill("#code", codes[0]);
    await Promise.all([other.waitForURL("**/account"), other.click("button.go")]);
    await other.getByText("9 recovery codes left").waitFor();
  });

  await test("one sign-in is ended by the other, which is out at once", async () => {
    await go();
    const rows = page.locator("[aria-labelledby=sign-ins] .lines > li");
    const before = await rows.count();
    await page.getByRole("button", { name: "End all the others" }).click();
    if (!(await said()).includes("other sign-ins have ended")) throw new Error(await said());
    same(await rows.count(), 1, `of ${before} sign-ins`);
    await other.goto(`${hub.url}/account`);
    same(new URL(other.url()).pathname, "/sign-in", "the other one");
  });

  await test("the second step is switched off with a recovery code", async () => {
    await go();
    await page.fill("#off", codes[1]);
    await page.getByRole("button", { name: "Switch it off" }).click();
    if (!(await said()).includes("second step is off")) throw new Error(await said());
  });

  await test("a calendar address works until it is ended", async () => {
    await go();
    await page.getByRole("button", { name: "Make an address" }).click();
    const url = await page.locator(".once pre").innerText();
    const lessons = () => fetch(url.replace(/^https?:\/\/[^/]+/, hub.url));
    same((await lessons()).headers.get("content-type"), "text/calendar; charset=utf-8", "a calendar");
    await page.locator("[aria-labelledby=calendars] .lines button").click();
    same((await lessons()).status, 404, "afterwards");
  });

  await test("mail is switched off and stays so", async () => {
    await go();
    await page.uncheck("[name=mail_absence]");
    await page.locator("[aria-labelledby=mail] button").click();
    same(await page.isChecked("[name=mail_absence]"), false, "absence");
    same(await page.isChecked("[name=mail_low_attendance]"), true, "low attendance");
    same(await page.isChecked("[name=mail_alerts]"), true, "doors");
  });

  await test("in Persian, in the dark, on the narrowest phone nothing sticks out", async () => {
    await page.locator("[aria-labelledby=language-head]").getByRole("button", { name: "فارسی" }).click();
    await page.waitForURL("**/account*");
    same(await page.getAttribute("html", "dir"), "rtl", "direction");
    await page.emulateMedia({ colorScheme: "dark" });
    await page.setViewportSize({ width: 320, height: 700 });
    same(await fits(page), true, "no sideways scrolling");
    await shot(page, "account-phone-persian-dark", { fullPage: true });
    await page.setViewportSize(desktop.viewport);
    await page.emulateMedia({ colorScheme: "light" });
    await page.locator(".foot").getByRole("button", { name: "English" }).click();
  });

  await test("without JavaScript everything is done by plain forms", async () => {
    const bare = await open({ ...phone, javaScriptEnabled: false });
    await bare.goto(`${hub.url}/sign-in?next=/account`);
    await bare.fill("#email", email);
    await bare.fill("#password", password);
    await Promise.all([bare.waitForURL("**/account"), bare.click("button.go")]);
    await bare.fill("#department", "Mathematics <b>&</b> 🧮");
    await bare.getByRole("button", { name: "Save" }).first().click();
    same(await bare.inputValue("#department"), "Mathematics <b>&</b> 🧮", "department");
  });

  await test("whoever was invited signs in elsewhere, and whoever was not is told whom to ask", async () => {
    const provider = await Provider.start({ sub: "grace-1", email: "grace@school.test", email_verified: true });
    const far = await Hub.start(provider.env("School account"));
    try {
      await far.account("ada@school.test", "Ada", "admin", PASSWORD);
      await far.login("ada@school.test", PASSWORD);
      const guest = await open(phone);
      const enter = async () => {
        await guest.goto(`${far.url}/sign-in?next=/account`);
        await guest.getByRole("link", { name: "School account" }).click();
      };
      await enter();
      await guest.getByText("No account here belongs to you").waitFor();
      await far.post("/api/users", { email: "grace@school.test", full_name: "Grace Hopper", role: "teacher", may_link: true });
      await enter();
      await guest.waitForURL("**/account");
      await guest.getByText("You sign in elsewhere, so there is no password here").waitFor();
      await shot(guest, "account-elsewhere", { fullPage: true });
    } finally {
      await far.stop();
      provider.stop();
    }
  });
}
