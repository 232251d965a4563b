// What must hold on every page there is: the list comes from the hub's own table of routes.

import { accessible, colours, contained, isolated, keyboard, links, markup, narrow, spoken, touchable } from "../checks.mjs";
import { pages, slug } from "../pages.mjs";
import { furnish } from "../school.mjs";

const wide = { width: 1200, height: 860 };
const still = { reducedMotion: "reduce" };
const language = (page, hub, tag) => page.context().addCookies([{ name: "__Host-language", value: tag, url: hub.url, secure: true, httpOnly: true, sameSite: "Lax" }]);
const all = (found) => {
  if (found.length) throw new Error(found.join("\n"));
};

// One page for one person: in English and Persian, light and dark, wide and narrow.
export async function look(kit, page, { address, path }, who, where = `every/${who}`) {
  const { hub, shot, test } = kit;
  const reached = [];
  const name = `${where}-${slug(path)}`;
  const open = async () => {
    await page.setViewportSize(wide);
    await page.emulateMedia({ ...still, colorScheme: "light" });
    const answer = await page.goto(hub.url + address, { waitUntil: "load" });
    await page.waitForTimeout(120);
    return answer;
  };
  await test(`${who} ${path}: WCAG 2.2 AA, light and dark, and clean HTML`, async () => {
    await language(page, hub, "en-GB");
    const answer = await open();
    const wrong = answer.status() < 400 || path === "/nowhere" ? [] : [`answered ${answer.status()}`];
    wrong.push(...(await markup(page, await answer.text(), "en-GB", "ltr")));
    wrong.push(...(await accessible(page)), ...(await contained(page)), ...(await isolated(page)));
    await shot(page, `${name}-light`, { fullPage: true });
    await page.emulateMedia({ ...still, colorScheme: "dark" });
    wrong.push(...(await colours(page)).map((one) => `dark: ${one}`));
    const found = await links(page);
    reached.push(...found.ours);
    wrong.push(...found.dead.map((href) => `nothing on the page is called ${href}`));
    all(wrong);
  });
  await test(`${who} ${path}: every control by keyboard, in order and in sight`, async () => {
    await page.emulateMedia({ ...still, colorScheme: "light" });
    all(await keyboard(page));
  });
  await test(`${who} ${path}: fits 320 px and fingers`, async () => {
    const wrong = await narrow(page);
    wrong.push(...(await touchable(page)));
    all(wrong);
  });
  await test(`${who} ${path}: the same in Persian, from right to left`, async () => {
    await language(page, hub, "fa");
    const answer = await open();
    const wrong = await markup(page, await answer.text(), "fa", "rtl");
    wrong.push(...(await accessible(page)));
    wrong.push(...(await spoken(page)));
    await shot(page, `${name}-fa`, { fullPage: true });
    wrong.push(...(await narrow(page)));
    await page.emulateMedia({ ...still, colorScheme: "dark" });
    await page.setViewportSize({ width: 390, height: 844 });
    await shot(page, `${name}-fa-phone-dark`, { fullPage: true });
    all(wrong);
  });
  return reached;
}

// Every link that was seen leads somewhere, for the person who saw it; of each page with other
// words after the question mark one is looked at.
export async function follow({ hub, test }, page, who, reached) {
  const others = new Map();
  await test(`${who}: each of ${reached.size} links leads somewhere`, async () => {
    const wrong = [];
    for (const path of reached) {
      const answer = await page.context().request.get(hub.url + path, { maxRedirects: 0, headers: { accept: "text/html" } });
      if (answer.status() >= 400) wrong.push(`${path} answers ${answer.status()}`);
      const html = answer.status() === 200 && answer.headers()["content-type"]?.startsWith("text/html");
      const { pathname, searchParams } = new URL(path, hub.url);
      if (html && searchParams.size) others.set(`${pathname}?${[...searchParams.keys()].sort()}`, path);
    }
    all(wrong);
  });
  for (const [name, path] of others) {
    await test(`${who} ${name}: WCAG 2.2 AA, and fits 320 px`, async () => {
      await page.setViewportSize(wide);
      await page.goto(hub.url + path, { waitUntil: "load" });
      all([...(await accessible(page)), ...(await contained(page)), ...(await isolated(page)), ...(await narrow(page))]);
    });
  }
}

export default async function everyPage(kit) {
  const { hub, open, signIn, first, test, same } = kit;
  await faults(kit);
  const stranger = await open();
  const setup = (await pages(hub, {})).pages.filter((page) => page.path === "/setup");
  for (const page of setup) await look(kit, stranger, page, "nobody");

  const email = await first();
  const things = await furnish(kit);
  const { pages: known, unknown } = await pages(hub, things);
  await test(`all ${known.length} pages are known, and what their addresses name is there`, async () => {
    same(JSON.stringify(unknown), "[]", "pages whose address cannot be filled: add the thing to school.mjs");
    if (known.length < 10) throw new Error(`only ${known.length} pages`);
  });
  const nowhere = { path: "/nowhere", address: "/nowhere", roles: [] };
  for (const page of known.filter((one) => !one.roles.length && one.path !== "/setup")) await look(kit, stranger, page, "nobody");
  for (const [who, address] of [["admin", email], ["teacher", "tess@school.test"]]) {
    const page = await open();
    await signIn(page, address);
    const reached = new Set();
    const mine = known.filter((one) => one.roles.includes(who));
    for (const one of [...mine, nowhere]) for (const path of await look(kit, page, one, who)) reached.add(path);
    await follow(kit, page, who, reached);
    const foreign = known.filter((one) => one.roles.length && !one.roles.includes(who));
    await test(`${who}: ${foreign.length} pages of others are refused`, async () => {
      for (const one of foreign) {
        const answer = await page.context().request.get(hub.url + one.address, { headers: { accept: "text/html" } });
        same(answer.status(), 403, one.path);
      }
    });
    await page.context().close();
  }
}

// The checks themselves: a page with one fault of each kind must be told of each.
async function faults({ open, test, same }) {
  const page = await open();
  const told = async (body, check) => {
    await page.setViewportSize(wide);
    await page.setContent(`<!doctype html><html lang="en-GB" dir="ltr"><title>x</title><body>${body}</body></html>`);
    return check(page);
  };
  await test("the checks find what is wrong, and nothing where nothing is", async () => {
    const good = '<main><h1>Good</h1><a href="#a" id="a">one link of ours</a></main>';
    for (const check of [accessible, colours, contained, isolated, narrow, keyboard, spoken]) {
      const wrong = check === spoken ? await told("<main><h1>خوب</h1></main>", check) : await told(good, check);
      same(JSON.stringify(wrong), "[]", check.name);
    }
    const cases = [
      [accessible, '<main><img src="data:,"></main>', "image-alt"],
      [accessible, '<main><button aria-label="a" style="width:9px;height:9px;padding:0"></button><button aria-label="b" style="width:9px;height:9px;padding:0"></button></main>', "target-size"],
      [colours, '<p style="color:#ccc;background:#fff">pale</p>', "color-contrast"],
      [narrow, '<div style="width:400px">wide</div>', "px wide: <div"],
      [contained, '<div style="width:1400px">wide</div>', "in a window of"],
      [isolated, "<p>Room \u202e1</p>", "not isolated"],
      [touchable, "<button>small</button>", "px high"],
      [spoken, "<main>Nobody wrote this in Persian</main>", "Nobody"],
      [keyboard, '<style>:focus{outline:none}</style><button>unseen</button>', "not seen on"],
      [keyboard, '<a href="#">a</a><div style="position:fixed;inset:0;background:red"></div>', "covered by"],
      [keyboard, '<button tabindex="1" style="position:absolute;top:600px">low</button><button tabindex="2">high</button>', "jumps back up"],
      [keyboard, '<button>one</button><button onfocus="previousElementSibling.focus()">two</button><button>three</button>', "never reached"],
      [(at) => markup(at, '<html lang="en"><p style="color:red" onclick="x()">', "en-GB", "ltr"), "", "an inline style,an inline handler"],
    ];
    for (const [check, body, words] of cases) {
      const wrong = (await told(body, check)).join();
      if (!wrong.includes(words)) throw new Error(`“${words}” was not told of ${body}: ${wrong}`);
    }
  });
  await page.context().close();
}
