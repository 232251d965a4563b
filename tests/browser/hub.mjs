// A real hub in a temporary folder, and the few calls a test makes beside the browser.

import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const root = new URL("../../", import.meta.url).pathname;
const binary = process.env.ROLLCALL_HUB || join(root, "target/debug/rollcall-hub");
const models = process.env.ROLLCALL_MODELS || join(root, "models/weights");

const portraits = process.env.ROLLCALL_PORTRAITS || join(root, "models/portraits");

export const portrait = (name) => join(portraits, name);

const freePort = () =>
  new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

export class Hub {
  // `more` is set in its environment besides.
  static async start(more = {}) {
    const hub = new Hub();
    hub.data = mkdtempSync(join(tmpdir(), "rollcall-browser-"));
    const data = join(hub.data, "hub");
    const said = execFileSync(binary, ["--data", data, "init", "--name", "localhost"]).toString();
    hub.code = said.match(/[A-Z2-7]{16}/)[0];
    const ports = [await freePort(), await freePort(), await freePort()];
    const file = join(data, "hub.toml");
    const listen = ["web", "mqtt", "device"].map((name, n) => `${name} = "127.0.0.1:${ports[n]}"`);
    writeFileSync(file, readFileSync(file, "utf8").replace("[listen]", `[listen]\n${listen.join("\n")}`));
    hub.url = `https://localhost:${ports[0]}`;
    hub.more = more;
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0"; // our own authority, on the loopback
    await hub.serve();
    return hub;
  }

  async serve() {
    const env = { ...process.env, ROLLCALL_MODELS: models, ...this.more };
    const args = ["--data", join(this.data, "hub"), "serve"];
    this.process = spawn(binary, args, { env, stdio: ["ignore", "ignore", "pipe"] });
    this.log = "";
    this.process.stderr.on("data", (text) => (this.log += text));
    await this.ready();
  }

  async ready() {
    for (let n = 0; n < 600; n += 1) {
      if (this.process.exitCode !== null) throw new Error(`the hub ended:\n${this.log}`);
      const answer = await fetch(`${this.url}/ready`).catch(() => null);
      if (answer && answer.ok) return;
      await new Promise((again) => setTimeout(again, 100));
    }
    throw new Error(`the hub is not ready after 60 s:\n${this.log}`);
  }

  // Rows that would take a hub hours: straight into its database.
  write(sql) {
    const python = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=30).executescript(sys.argv[2])";
    execFileSync("python3", ["-c", python, join(this.data, "hub", "hub.db"), sql]);
  }

  async login(email, password) {
    const answer = await this.as(email, password);
    this.token = answer.access;
  }

  // What signing in gives, without becoming that person.
  as(email, password) {
    return Object.assign(new Hub(), { url: this.url }).send("POST", "/api/auth/login", { email, password });
  }


  async send(method, path, body) {
    const headers = { accept: "application/json" };
    if (this.token) headers.authorization = `Bearer ${this.token}`;
    const form = body instanceof FormData;
    if (body && !form) headers["content-type"] = "application/json";
    const sent = form ? body : body && JSON.stringify(body);
    const answer = await fetch(`${this.url}${path}`, { method, headers, body: sent });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  get(path) {
    return this.send("GET", path);
  }

  post(path, body) {
    return this.send("POST", path, body);
  }

  // A form with a portrait, as an answer: a length is demanded, so the form is made whole first.
  async picture(path, field, name, fields) {
    const form = new FormData();
    for (const [key, value] of Object.entries(fields)) form.set(key, value);
    form.set(field, new Blob([readFileSync(portrait(name))], { type: "image/jpeg" }), name);
    const whole = new Response(form);
    const body = Buffer.from(await whole.arrayBuffer());
    const headers = { authorization: `Bearer ${this.token}`, "content-type": whole.headers.get("content-type") };
    const answer = await fetch(`${this.url}${path}`, { method: "POST", headers, body });
    const said = await answer.json();
    if (!answer.ok) throw new Error(`${path} ${name}: ${JSON.stringify(said)}`);
    return said;
  }

  async capture(device, name) {
    const said = await this.picture("/api/capture", "image", name, { device_id: device });
    if (said.status !== "pending") throw new Error(`${name}: ${JSON.stringify(said)}`);
    return said;
  }

  // What an admin types beside the running hub: `await hub.run("pages")`.
  run(...args) {
    return this.feed("", ...args);
  }

  async feed(input, ...args) {
    const env = { ...process.env, ROLLCALL_MODELS: models };
    const told = promisify(execFile)(binary, ["--data", join(this.data, "hub"), ...args], { env });
    told.child.stdin.on("error", () => {}); // who reads no input may be gone before it
    told.child.stdin.end(input);
    return (await told).stdout;
  }

  // Fills the hub with a made-up school: `await hub.seed({ students: 200, pending: 10000 })`.
  // The hub is down meanwhile: each would wait for the other's long steps.
  async seed(size) {
    await this.halt();
    await this.run("seed", ...Object.entries(size).flatMap(([name, value]) => [`--${name}`, String(value)]));
    await this.serve();
  }

  async account(email, name, role, password) {
    await this.feed(`${password}\n`, "user", "add", email, "--name", name, "--role", role, "--password-stdin");
  }

  // Lets a teacher teach a class of everybody.
  async teach(email) {
    const { user } = await this.as(email, "nine horses graze");
    await this.post("/api/classes", { class_name: "7b", class_code: "7B", teacher_id: user.id });
    const students = (await this.get("/api/students")).map((student) => student.id);
    await this.post("/api/classes/7B/students", { students });
  }

  async halt() {
    this.process.kill("SIGTERM");
    await new Promise((done) => (this.process.exitCode === null ? this.process.once("exit", done) : done()));
  }

  async stop() {
    await this.halt();
    rmSync(this.data, { recursive: true, force: true });
  }
}
