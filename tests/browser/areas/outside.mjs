// What leaves the hub: mail and webhooks, as an admin sets and tries them.

import { Ear, Mailbox } from "../outside.mjs";

export default async function outside({ hub, wrong, open, signIn, first, shot, phone, plain, test, same, until }) {
  const email = await first();
  const [box, ear] = [await Mailbox.start(), await Ear.start()];
  const page = await open();
  await signIn(page, email);
  const go = (path) => page.goto(`${hub.url}/settings${path}`);
  const said = async (role) => plain(await page.getByRole(role).first().innerText());
  const has = (text, words) => {
    if (!text.includes(words)) throw new Error(`no “${words}” in: ${text}`);
  };

  await test("without a mail server the page says what to write where, and offers no test", async () => {
    await go("/mail");
    has(await page.locator("main").innerText(), 'host = "mail.example.org"');
    same(await page.getByRole("button", { name: /Send a mail/ }).count(), 0, "button");
    await shot(page, "settings-mail-none", { fullPage: true });
  });

  hub.more = { ...box.env(), ROLLCALL_WEBHOOKS__PRIVATE: "true" };
  await hub.halt();
  await hub.serve();
  await hub.login(email, "nine horses graze");

  await test("a test mail arrives at whoever asked for it", async () => {
    await go("/mail");
    has(plain(await page.locator("main").innerText()), `127.0.0.1:${box.port}`);
    await page.getByRole("button", { name: /Send a mail to/ }).click();
    has(await said("status"), `took a mail to ${email}`);
    const [mail] = box.mails;
    same(mail.to.join(), email, "recipient");
    same(mail.from, "rollcall@school.test", "sender");
    has(mail.text, "Subject: Rollcall can send mail");
    await shot(page, "settings-mail", { fullPage: true });
  });

  await test("a family’s mail leaves by itself, and the page counts it", async () => {
    const person = await hub.post("/api/students", { student_number: "F1", full_name: "Ada Lovelace", email: "family@school.test" });
    await hub.post("/api/notifications", { student_ids: [person.id], subject: "A word", body: "Come at nine." });
    await until("the mail", () => box.mails.some((mail) => mail.to.includes("family@school.test")), 15_000);
    await until("the count", async () => {
      await go("/mail");
      return /sent\s*1/.test(await page.locator(".legend").innerText());
    });
  });

  await test("a mail server that does not answer is told in a sentence", async () => {
    box.stop();
    await go("/mail");
    await page.getByRole("button", { name: /Send a mail to/ }).click();
    has(await said("alert"), "mail server");
    const told = wrong.findIndex((line) => line.includes("status of 503")); // which is meant here
    if (told >= 0) wrong.splice(told, 1);
  });

  await test("a webhook is added, shows its secret once, and its test message arrives signed", async () => {
    await go("/webhooks");
    await page.getByText("No program is told anything").waitFor();
    await page.fill("#url", "http://user:word@127.0.0.1/");
    await page.getByRole("button", { name: "Add a webhook" }).click();
    has(await said("alert"), "user and password");
    await page.fill("#url", ear.url);
    await page.locator("input[name='gallery.changed']").check();
    await page.getByRole("button", { name: "Add a webhook" }).click();
    ear.secret = plain(await page.locator(".once pre").innerText()).trim();
    if (!ear.secret.startsWith("whsec_")) throw new Error(`no secret: ${ear.secret}`);
    await shot(page, "settings-webhooks-secret", { fullPage: true });
    await go("/webhooks");
    same(await page.getByText(ear.secret).count(), 0, "the secret, shown again");
    await page.getByRole("button", { name: "Send a test message" }).click();
    has(await said("status"), "on its way");
    await until("the message", () => ear.heard.length > 0, 15_000);
    same(`${ear.heard[0].type} ${ear.heard[0].signed}`, "ping true", "message");
    await until("its outcome", async () => {
      await go("/webhooks");
      return (await page.locator("tbody .tag.good").count()) > 0;
    });
  });

  await test("what happens is told by ids only, and only what was chosen", async () => {
    await hub.post("/api/students", { student_number: "F2", full_name: "Grace Hopper" });
    await hub.send("PUT", "/api/gallery/scope", { scope: "all" });
    await until("the event", () => ear.heard.some((one) => one.type === "gallery.changed"), 15_000);
    const other = ear.heard.filter((one) => !["ping", "gallery.changed"].includes(one.type));
    same(JSON.stringify(other), "[]", "other events");
    same(/Grace|Ada/.test(JSON.stringify(ear.heard)), false, "a name went out");
  });

  await test("a receiver that refuses is shown as failing; off, on and away by buttons", async () => {
    ear.status = 500;
    await go("/webhooks");
    await page.getByRole("button", { name: "Send a test message" }).click();
    await until("the failure", async () => {
      await go("/webhooks");
      return (await page.getByText("it answers 500").count()) > 0;
    }, 15_000);
    await shot(page, "settings-webhooks", { fullPage: true });
    await page.getByRole("button", { name: "Switch off" }).click();
    has(await said("status"), "nothing is told");
    await page.getByRole("button", { name: "Switch on" }).click();
    has(await said("status"), "It is on");
    await page.getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByText("No program is told anything").waitFor();
  });

  await test("without JavaScript a webhook is added and removed too", async () => {
    const bare = await open({ ...phone, javaScriptEnabled: false });
    await signIn(bare, email);
    await bare.goto(`${hub.url}/settings/webhooks`);
    await bare.fill("#url", ear.url);
    await bare.getByRole("button", { name: "Add a webhook" }).click();
    await bare.locator(".once pre").waitFor();
    await bare.getByRole("button", { name: "Remove", exact: true }).click();
    await bare.getByText("No program is told anything").waitFor();
  });
  ear.stop();
}
