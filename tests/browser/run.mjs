// The pages in a real browser: the real hub, real recognition, Chromium.
//
// `node tests/browser/run.mjs [AREA…]` from anywhere; needs a built hub (or ROLLCALL_HUB), the
// weights and the portraits (`models/fetch`), and Chromium (or CHROMIUM). Every file in `areas`
// is one area with a hub and a browser of its own; two run at a time, and those that measure
// (`export const alone = true`) by themselves at the end. The last line counts.

import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { one } from "./one.mjs";

const folder = new URL("./areas/", import.meta.url);
const wanted = process.argv.slice(2);
const names = wanted.length ? wanted : readdirSync(folder).map((file) => file.replace(/\.mjs$/, "")).sort();
const sum = { passed: 0, failed: 0 };

// An area in a process of its own; what it says is printed when it has ended.
async function apart(name) {
  const said = await new Promise((done) => {
    const options = { maxBuffer: 1 << 26, env: { ...process.env, NODE_NO_WARNINGS: "1" } };
    execFile(process.execPath, [fileURLToPath(import.meta.url), name], options, (error, out, err) => done(out + err));
  });
  const last = said.match(/(\d+) passed, (\d+) failed\s*$/);
  process.stdout.write(last ? said.slice(0, last.index) : `${said}FAIL  ${name} did not come to its end\n`);
  sum.passed += Number(last?.[1] ?? 0);
  sum.failed += Number(last?.[2] ?? 1);
}

async function all() {
  const areas = await Promise.all(names.map(async (name) => ({ name, ...(await import(new URL(`${name}.mjs`, folder))) })));
  const together = areas.filter((area) => !area.alone);
  const lane = async () => {
    while (together.length) await apart(together.shift().name);
  };
  await Promise.all([lane(), lane()]);
  for (const { name } of areas.filter((area) => area.alone)) await apart(name);
}

const begun = Date.now();
if (names.length === 1) {
  Object.assign(sum, await one(names[0]));
} else {
  await all();
  console.log(`      all of it: ${((Date.now() - begun) / 1000).toFixed(0)} s`);
}
console.log(`${sum.passed} passed, ${sum.failed} failed`);
process.exitCode = sum.failed ? 1 : 0;
