// What must hold on every page. Each check looks at an open page and gives what is wrong, in
// words; nothing is a list without entries.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const COLOURS = ["color-contrast", "link-in-text-block"];

// axe-core, WCAG 2.0 to 2.2, A and AA; or only the rules that depend on colours.
export async function accessible(page, only) {
  await page.evaluate(axe); // by the debugger: the policy of the page forbids it to the page
  const run = only === "colours" ? { type: "rule", values: COLOURS } : { type: "tag", values: LEVELS };
  const { violations, passes } = await page.evaluate(
    (runOnly) => window.axe.run(document, { runOnly, rules: { "target-size": { enabled: true } }, resultTypes: ["violations"] }),
    run,
  );
  if (!violations.length && !passes.length) return ["axe looked at nothing"];
  const where = ({ target, failureSummary }) => `${target.join(" ")}: ${failureSummary.split("\n").slice(1, 2).join("").trim()}`;
  return violations.map((found) => `${found.id} ×${found.nodes.length}: ${found.nodes.slice(0, 2).map(where).join(" | ")}`);
}
export const colours = (page) => accessible(page, "colours");

// Nothing is cut off or scrolls sideways at 320 px (WCAG 1.4.10).
export async function narrow(page) {
  await page.setViewportSize({ width: 320, height: 640 });
  return page.evaluate(() => {
    const wide = document.documentElement.scrollWidth;
    if (wide <= 320) return [];
    const inside = (e) => e.closest(".wide, [class*=scroll], pre, svg")?.contains(e);
    const out = [...document.body.querySelectorAll("*")].filter((e) => {
      const box = e.getBoundingClientRect();
      return (box.right > 321 || box.left < -1) && box.width && !inside(e) && !e.closest(".sr, .skip");
    });
    const name = (e) => `<${e.localName} class="${e.className}"> ${e.textContent.trim().slice(0, 30)}`;
    return [`${wide} px wide: ${out.slice(0, 4).map(name).join(" | ")}`];
  });
}

// Wide things scroll inside themselves, never the page.
export function contained(page) {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth > clientWidth ? [`the page is ${scrollWidth} px wide in a window of ${clientWidth}`] : [];
  });
}

// Texts of people keep their direction to themselves: whoever writes a mark that turns the line
// round turns only their own words.
export function isolated(page) {
  return page.evaluate(() => {
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walk.nextNode()) {
      const { parentElement: of, data } = walk.currentNode;
      const loose = data.replace(/\u2068[^\u2069]*\u2069/g, "");
      const marked = /[\u202a-\u202e]/.test(loose) && of.checkVisibility();
      if (marked && !of.closest("bdi, [dir=auto], pre, option, textarea")) found.push(`“${data.trim().slice(0, 40)}” in <${of.localName} class="${of.className}"> is not isolated`);
    }
    return found.slice(0, 4);
  });
}

// What a finger must hit is at least 44 px high; links within a text and rows of a menu are not
// meant (WCAG 2.5.8 asks for 24, and axe looks for that).
export function touchable(page) {
  return page.evaluate(() => {
    const all = document.querySelectorAll("button, .button, select, input:not([type=hidden]), nav a, summary");
    const shown = [...all].filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest(".sr, svg"));
    const target = (e) => (/checkbox|radio/.test(e.type) ? (e.closest("label, .check") ?? e.labels?.[0] ?? e) : e);
    const small = shown.filter((e) => e.getBoundingClientRect().width > 2 && target(e).getBoundingClientRect().height < 43.5);
    const name = (e) => `<${e.localName} ${e.className || e.name || ""}> ${(e.innerText || e.value || "").slice(0, 20)}`;
    return small.slice(0, 5).map((e) => `${name(e)} is ${target(e).getBoundingClientRect().height} px high`);
  });
}

// The HTML as it came: a language, a direction, one heading, nothing inline, nothing from elsewhere.
export function markup(page, html, tag, direction) {
  const facts = { html, tag, direction };
  return page.evaluate(({ html, tag, direction }) => {
    const sent = new DOMParser().parseFromString(html, "text/html");
    const all = [...sent.querySelectorAll("*")];
    const count = (selector) => sent.querySelectorAll(selector).length;
    const handler = (e) => [...e.attributes].some(({ name }) => name.startsWith("on"));
    const away = (e) => /^(https?:|\/\/|javascript:)/i.test(e.getAttribute("src") ?? (e.localName === "link" ? e.getAttribute("href") : "") ?? "");
    const script = (e) => /^\s*javascript:/i.test(e.getAttribute("href") ?? e.getAttribute("action") ?? "");
    const { lang, dir } = sent.documentElement;
    return [
      [!html.startsWith("<!doctype html"), "no doctype"],
      [lang !== tag || dir !== direction, `lang="${lang}" dir="${dir}"`],
      [count("style, [style]"), "an inline style"],
      [count("script:not([src])"), "an inline script"],
      [all.some(handler), "an inline handler"],
      [all.some(script), "a javascript: address"],
      [all.some(away), "a file from elsewhere"],
      [count("h1") !== 1, `${count("h1")} headings of the first rank`],
      [!sent.title.trim(), "no title"],
    ].filter(([bad]) => bad).map(([, words]) => words);
  }, facts);
}

// In another language nothing of ours is left in English: Latin words stand only where texts of
// people, codes and names of formats do.
export function spoken(page) {
  return page.evaluate(() => {
    const theirs = "main :is([dir=auto], bdi, code, pre, kbd, samp, [lang=en], [lang^='en-'], option, textarea, svg, script)";
    const known = /^(Rollcall|CSV|XLSX|ZIP|JPEG|PNG|PDF|URL|HTTPS?|SMTP|TOTP|QR|OpenID|OneRoster|iCalendar|ICS|API|LED|GPIO|MQTT|TLS|CLI|Excel|Raspberry|Pi|Wi-Fi|IP|MiB|GB|MB|px|ID|UTC|NTP|csv|ics|hub|cli)$/;
    const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    const found = new Set();
    while (walk.nextNode()) {
      const { parentElement: of, data } = walk.currentNode;
      if (!of.checkVisibility() || of.closest(theirs)) continue;
      const ours = data.replace(/\u2068[^\u2069]*\u2069?/g, " "); // what is isolated is somebody's
      for (const word of ours.match(/[A-Za-z][A-Za-z-]{2,}/g) ?? []) if (!known.test(word)) found.add(`${word} in “${data.trim().slice(0, 50)}”`);
    }
    return [...found].slice(0, 6);
  });
}

// By keyboard alone: every control is reached by Tab, each stop is seen, nothing holds the focus,
// and the way follows what is read.
export async function keyboard(page) {
  await page.evaluate(prepareWalk);
  const wrong = [];
  let before = null;
  const most = await page.evaluate(() => window.walk.most());
  for (let n = 0; n <= most; n += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => window.walk.stop());
    if (!stop) break;
    if (stop.again) {
      wrong.push(`the focus is held at ${stop.name}`);
      break;
    }
    if (!stop.marked) wrong.push(`the focus is not seen on ${stop.name}`);
    if (stop.hidden) wrong.push(`${stop.name} has the focus and is covered by ${stop.hidden}`);
    if (before && !stop.fixed && !before.fixed && stop.bottom < before.top - 40 && !stop.onward) {
      wrong.push(`from ${before.name} the focus jumps back up to ${stop.name}`);
    }
    before = stop;
  }
  const missed = await page.evaluate(() => window.walk.missed());
  return [...wrong.slice(0, 6), ...missed.slice(0, 6).map((name) => `never reached by Tab: ${name}`)];
}

function prepareWalk() {
  const reach = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex], audio[controls], video[controls]";
  const open = (e) => e.checkVisibility({ visibilityProperty: true }) && !e.disabled && !e.matches(":disabled") && e.tabIndex >= 0 && !e.closest("[inert]");
  const radio = (e) => e.type === "radio" && e.form;
  const first = (e) => {
    if (!radio(e)) return true;
    const group = [...e.form.querySelectorAll(`input[type=radio][name="${CSS.escape(e.name)}"]`)].filter(open);
    return e === (group.find((one) => one.checked) ?? group[0]);
  };
  const wanted = [...document.querySelectorAll(reach)].filter((e) => open(e) && first(e));
  const near = (e) => [e, e.closest("label"), e.labels?.[0], e.nextElementSibling, e.parentElement].filter(Boolean);
  const look = (e) =>
    near(e).map((one) => {
      const s = getComputedStyle(one);
      return [s.outlineStyle === "none" ? "" : `${s.outlineStyle} ${s.outlineWidth} ${s.outlineColor}`, s.boxShadow, s.borderColor, s.backgroundColor].join();
    }).join("|");
  const seen = new Set();
  const name = (e) => `<${e.localName}${e.id ? ` id=${e.id}` : ""}${e.className && typeof e.className === "string" ? ` class="${e.className}"` : ""}> “${(e.innerText || e.value || e.getAttribute("aria-label") || "").trim().slice(0, 30)}”`;
  const top = document.createElement("span"); // the walk begins above everything
  top.tabIndex = -1;
  document.body.prepend(top);
  top.focus();
  top.remove();
  window.scrollTo(0, 0);
  const plain = new Map(wanted.map((e) => [e, look(e)])); // now that none has the focus
  // Fields made of parts (a day, a month, a year) have a stop in each.
  const parts = (e) => (/^(date|time|month|week|datetime-local)$/.test(e.type) || /audio|video/.test(e.localName) ? 8 : 1);
  const stops = new Map();
  const rtl = document.dir === "rtl";
  let last = null;
  window.walk = {
    most: () => wanted.reduce((sum, e) => sum + parts(e), 3),
    stop() {
      const e = document.activeElement;
      if (!e || e === document.body || e === document.documentElement) return null;
      stops.set(e, (stops.get(e) ?? 0) + 1);
      const again = stops.get(e) > parts(e) || (seen.has(e) && [...seen].at(-1) !== e);
      if (again) return e === [...seen][0] ? null : { again, name: name(e) };
      seen.add(e);
      const box = e.getBoundingClientRect();
      const fixed = !!e.closest("header.top, .toast, .skip, dialog");
      const x = Math.min(Math.max(box.left + Math.min(box.width / 2, 24), 1), innerWidth - 2);
      const y = box.top + Math.min(box.height / 2, 24);
      const hit = document.elementFromPoint(x, y);
      const mine = !hit || box.width < 3 || hit === e || e.contains(hit) || hit.contains(e) || hit.closest("label")?.control === e;
      const outside = y < 0 || y > innerHeight;
      const onward = last && (rtl ? box.right < last.left + 8 : box.left > last.right - 8);
      last = box;
      return {
        name: name(e), fixed, onward,
        top: box.top + scrollY, bottom: box.bottom + scrollY,
        marked: !plain.has(e) || look(e) !== plain.get(e),
        hidden: outside ? "the edge of the window" : mine ? "" : name(hit),
      };
    },
    missed: () => wanted.filter((e) => !seen.has(e) && e.isConnected && open(e) && first(e)).map(name),
  };
}

// Bytes over the wire for one page, without crops and photos; the cache is off.
export async function weight(page, url) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.setCacheDisabled", { cacheDisabled: true });
  const kinds = new Map();
  let bytes = 0;
  const files = [];
  session.on("Network.responseReceived", ({ requestId, response, type }) => kinds.set(requestId, { url: response.url, type }));
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    const { url: of, type } = kinds.get(requestId) ?? {};
    const picture = type === "Image" && !/\.svg|\/static\//.test(of);
    if (!of || picture || type === "EventSource") return;
    bytes += encodedDataLength;
    files.push(`${new URL(of).pathname.split("/").pop() || "/"} ${(encodedDataLength / 1024).toFixed(1)}`);
  });
  const begun = Date.now();
  await page.goto(url, { waitUntil: "load" });
  const took = Date.now() - begun;
  await new Promise((settled) => setTimeout(settled, 150));
  await session.detach();
  return { bytes, files, took };
}

// Links of ours on the page, and those that lead to a place on it that is not there.
export function links(page) {
  return page.evaluate(() => {
    const all = [...document.querySelectorAll("a[href], area[href]")].map((e) => e.getAttribute("href"));
    const inside = all.filter((href) => href.startsWith("#") && href.length > 1);
    return {
      dead: inside.filter((href) => !document.getElementById(decodeURIComponent(href.slice(1)))),
      ours: all.filter((href) => !href.startsWith("#")).map((href) => new URL(href, location.href)).filter((to) => to.origin === location.origin).map((to) => to.pathname + to.search),
    };
  });
}
