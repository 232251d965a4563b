// A real door in a folder of its own: `rollcall-edge`, with a camera that shows one portrait.

import { execFile, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { portrait } from "./hub.mjs";

const root = new URL("../../", import.meta.url).pathname;
const binary = process.env.ROLLCALL_EDGE || join(root, "target/debug/rollcall-edge");
const models = process.env.ROLLCALL_MODELS || join(root, "models/weights");

export class Door {
  constructor(hub, name, photo = "obama.jpg") {
    this.folder = join(hub.data, name);
    this.config = join(this.folder, "edge.toml");
    mkdirSync(this.folder, { recursive: true });
    const stream = `while cat '${portrait(photo)}'; do sleep 0.2; done`;
    const lines = [
      `data = ${JSON.stringify(join(this.folder, "data"))}`,
      `models = ${JSON.stringify(models)}`,
      "[camera]",
      'kind = "command"',
      `command = ["sh", "-c", ${JSON.stringify(stream)}]`,
    ];
    writeFileSync(this.config, `${lines.join("\n")}\n`);
  }

  // Runs the command that a page shows: `rollcall-edge join URL TOKEN`.
  async join(command) {
    const [program, verb, ...rest] = command.trim().split(/\s+/);
    if (program !== "rollcall-edge" || verb !== "join") throw new Error(`no join command: ${command}`);
    await promisify(execFile)(binary, [verb, "--config", this.config, ...rest]);
  }

  // Puts the hub's file where the unit looks for it.
  invite(text) {
    const file = join(this.folder, "rollcall-door.toml");
    writeFileSync(file, text);
    const line = `invitation = ${JSON.stringify(file)}\n`;
    writeFileSync(this.config, line + readFileSync(this.config, "utf8"));
  }

  start() {
    this.log = "";
    this.process = spawn(binary, ["run", "--config", this.config], { stdio: ["ignore", "ignore", "pipe"] });
    this.process.stderr.on("data", (text) => (this.log += text));
  }

  async stop() {
    if (!this.process || this.process.exitCode !== null) return;
    const ended = new Promise((done) => this.process.once("exit", done));
    this.process.kill("SIGTERM");
    await ended;
  }
}
