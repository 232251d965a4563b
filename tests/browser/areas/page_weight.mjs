// How heavy and how slow each page is when ten thousand cards wait.

import { weight } from "../checks.mjs";
import { pages } from "../pages.mjs";

// It measures: nothing else may run beside it.
export const alone = true;

const MOST = 150 * 1024;
const SOON = 1000;

export default async function pageWeight({ hub, open, signIn, first, test }) {
  await hub.seed({ students: 200, classes: 8, sightings: 10_000, pending: 10_000 });
  const email = await first();
  const [group] = await hub.get("/api/classes?limit=1");
  const [student] = await hub.get("/api/students?limit=1");
  const [door] = await hub.get("/api/devices?limit=1");
  const things = { class: group.id, student: student.id, device: door.device_id };
  const page = await open();
  await signIn(page, email);
  const { pages: known } = await pages(hub, things);
  const figures = [];
  for (const { path, address } of known) {
    await test(`${path}: at most 150 KB, and soon there, with 10,000 pending`, async () => {
      const { bytes, files, took } = await weight(page, hub.url + address);
      figures.push(`${path} ${(bytes / 1024).toFixed(0)} KB ${took} ms`);
      if (!files.length) throw new Error("nothing was measured");
      if (bytes > MOST) throw new Error(`${(bytes / 1024).toFixed(1)} KB: ${files.join(", ")}`);
      if (took > SOON) throw new Error(`${took} ms until it was loaded`);
    });
  }
  console.log(`      ${figures.join("\n      ")}`);
}
