// Passkeys, with an authenticator that Chromium makes up: added on the account page, signed in
// with, shown as a second step and once more, taken away.

import { Hub } from "../hub.mjs";

// A device with a finger that always fits.
async function device(page) {
  const chromium = await page.context().newCDPSession(page);
  await chromium.send("WebAuthn.enable");
  const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
  const { authenticatorId } = await chromium.send("WebAuthn.addVirtualAuthenticator", { options });
  return {
    fits: (isUserVerified) => chromium.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }),
    keys: async () => (await chromium.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
  };
}

export default async function passkeys(kit) {
  const { hub, open, signIn, first, shot, plain, PASSWORD, test, same } = kit;
  const email = await first();
  const page = await open();
  const finger = await device(page);
  const said = async (role = "status") => plain(await page.getByRole(role).first().innerText());
  const out = async () => {
    await page.goto(`${hub.url}/account`);
    await page.locator("form[action='/sign-out'] button").first().click();
    await page.waitForURL("**/sign-in*");
  };

  await test("who has just signed in is asked once more who they are, and comes back", async () => {
    await signIn(page, email);
    await page.goto(`${hub.url}/account`);
    same(await page.locator("#passkey-name").count(), 0, "nothing to add one by");
    await shot(page, "account-passkeys-prove", { fullPage: true });
    await page.getByRole("link", { name: "Prove that it is you" }).click();
    await page.fill("#password", PASSWORD);
    await page.getByRole("button", { name: "It is me" }).click();
    await page.waitForURL(`${hub.url}/account`);
  });

  await test("a passkey is added on the account page", async () => {
    await page.fill("#passkey-name", "school laptop");
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.waitForURL("**/account?done=*");
    if (!(await said()).includes("opens your account")) throw new Error(await said());
    same((await finger.keys()).length, 1, "passkeys on the device");
    same((await finger.keys())[0].isResidentCredential, true, "found by the device itself");
    await shot(page, "account-passkeys", { fullPage: true });
  });

  await test("the same device makes no second one, and the page says so", async () => {
    await page.fill("#passkey-name", "once more");
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByText("No passkey was made").waitFor();
  });

  await test("it signs in without a password", async () => {
    await out();
    await shot(page, "sign-in-passkey");
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.waitForURL("**/review*");
  });

  await test("a finger that does not fit opens nothing", async () => {
    await out();
    await finger.fits(false);
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByText("The passkey did not answer").waitFor();
    same(new URL(page.url()).pathname, "/sign-in", "where");
    await finger.fits(true);
  });

  await test("after the password it is the second step", async () => {
    await page.fill("#email", email);
    await page.fill("#password", PASSWORD);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByText("One more step").waitFor();
    same(await page.locator("#code").count(), 0, "no code is asked for");
    await shot(page, "sign-in-passkey-step");
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await page.waitForURL("**/review*");
  });

  await test("it proves once more who it is", async () => {
    await page.goto(`${hub.url}/account/prove?next=/account`);
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await page.waitForURL(`${hub.url}/account`);
  });

  await test("it is renamed and taken away, and opens nothing any more", async () => {
    const name = page.getByLabel("What to call it").first();
    await name.fill("old laptop");
    await page.getByRole("button", { name: "Rename" }).click();
    same(await said(), "Renamed.", "told");
    same(await name.inputValue(), "old laptop", "its name");
    await page.getByRole("button", { name: /^Remove.*old laptop/ }).click();
    if (!(await said()).includes("opens nothing any more")) throw new Error(await said());
    await out();
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByRole("alert").filter({ hasText: "does not open anything" }).waitFor();
  });

  await test("under a bare number the page says why there are none", async () => {
    const bare = await Hub.start({ ROLLCALL_PUBLIC_URL: "https://192.168.1.7:8443" });
    try {
      await bare.account(email, "Ada Lovelace", "admin", PASSWORD);
      const there = await open();
      await there.goto(`${bare.url}/sign-in`);
      same(await there.getByRole("button", { name: "Sign in with a passkey" }).count(), 0, "no button");
      await there.fill("#email", email);
      await there.fill("#password", PASSWORD);
      await Promise.all([there.waitForURL("**/review*"), there.click("button.go")]);
      await there.goto(`${bare.url}/account`);
      await there.getByText("because this hub has no name").waitFor();
    } finally {
      await bare.stop();
    }
  });
}
