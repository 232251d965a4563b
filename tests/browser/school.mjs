// A school with one of everything, whose people have the names that break pages.

import { Door } from "./door.mjs";

export const names = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "👩🏽‍🏫 Zoë O’Neill-Ångström 🎓",
  "محمد \u202eرضا\u202c علوی",
  "W".repeat(199),
  "Ada {{7*7}} ${7*7} %00 &lt;b&gt;",
];
const hour = 3_600_000;
const at = (ms) => new Date(ms).toISOString().slice(11, 16);

// Fills the hub of `first`’s kit. What comes back names one thing of each kind, as the table of
// routes calls them.
export async function furnish({ hub, PASSWORD }) {
  const people = [];
  for (const [n, full_name] of names.entries()) {
    people.push(await hub.post("/api/students", { student_number: `H${n}`, full_name, department: names[0] }));
  }
  await hub.account("tess@school.test", names[2], "teacher", PASSWORD);
  const { user } = await hub.as("tess@school.test", PASSWORD);
  const lesson = { class_name: names[0], class_code: "7B<b>", room: "Room <i>1</i> \u202e", teacher_id: user.id };
  const group = await hub.post("/api/classes", lesson);
  await hub.post(`/api/classes/${group.id}/students`, { students: people.map((person) => person.id) });
  await hub.post("/api/classes", { class_name: names[4], class_code: "9Z", teacher_id: user.id });
  const door = await hub.post("/api/devices", { device_id: "door-7", classroom_id: lesson.room });
  await hub.post("/api/devices", { device_id: "door-8", classroom_id: "W".repeat(90), location: names[1] });
  await hub.post("/api/devices", { device_id: "door-9", classroom_id: lesson.room, location: names[3] });
  await hub.post("/api/devices/door-9/revoke");
  const { command } = await hub.post("/api/devices/door-7/join-token");
  await new Door(hub, "door-7").join(command);
  for (const [who, photo] of [["H0", "obama.jpg"], ["H4", "biden.jpg"]]) {
    await hub.picture("/api/enrollment", "file", photo, { student_id: who, consent_by: names[1] });
  }
  const now = Date.now();
  const begins = at(now - hour) < at(now) ? at(now - hour) : "00:00";
  const ends = at(now + hour) > at(now) ? at(now + hour) : "23:59";
  const session = await hub.post("/api/sessions", {
    class_id: group.id, name: names[1], date: new Date(now).toISOString().slice(0, 10),
    start_time: begins, end_time: ends,
  });
  const marks = ["present", "late", "absent", "excused"];
  for (const [n, status] of marks.entries()) {
    await hub.post(`/api/sessions/${session.id}/marks`, { student_id: people[n].id, status, note: names[0] });
  }
  for (const photo of ["obama2.jpg", "obama3.jpg", "biden.jpg"]) await hub.capture("door-7", photo);
  const image = await hub.picture("/api/images", "file", "obama2.jpg", { class_id: group.id });
  const job = await hub.post(`/api/images/${image.id}/process-image`);
  const holiday = await hub.post("/api/holidays", { name: names[3], from_day: "2031-03-20", to_day: "2031-04-02" });
  await hub.post("/api/rooms", { name: names[0], location: names[4].slice(0, 90) });
  const hook = await hub.post("/api/webhooks", { url: "https://example.org/%3Cscript%3E", events: [] });
  const period = { class_id: group.id, weekday: new Date(now).getUTCDay() + 1, // tomorrow: today it would be in two places
    starts: "08:45", ends: "09:30", room: "R<u>2" };
  const weekly = await hub.post("/api/timetable", period);
  const alerts = [["door-7", "offline", null], ["door-8", "old_program", null], ["door-7", "blind", now], ["door-9", "hot", now]];
  for (const [n, [device, kind, until]] of alerts.entries()) {
    hub.write(`insert into door_alert (id, device, kind, since, until, began_in, ended_in) values
      ('00000000-0000-7000-8000-00000000000${n}', '${device}', '${kind}', ${now - 30 * hour * n - hour}, ${until}, 'look-${n}', ${until && "'over'"})`);
  }
  const [record] = await hub.get("/api/attendance/pending");
  return {
    student: people[0].id, class: group.id, device: door.device_id, session: session.id, image: image.id,
    job: job.id ?? job.job_id, user: user.id, room: lesson.room, holiday: holiday.id, webhook: hook.id,
    period: weekly.id, record: record.id ?? record.record_id,
  };
}
