// What the hub talks to outside, on the loopback: a mail server, and a program that hears webhooks.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer as http } from "node:http";
import { createServer as tcp } from "node:net";

const listen = (server) => new Promise((done) => server.listen(0, "127.0.0.1", () => done(server.address().port)));

// A mail server that takes everything, and keeps it in `mails`: { from, to, text }.
export class Mailbox {
  static async start() {
    const box = new Mailbox();
    box.mails = [];
    box.server = tcp((socket) => box.talk(socket));
    box.port = await listen(box.server);
    return box;
  }

  env() {
    return { ROLLCALL_SMTP__HOST: "127.0.0.1", ROLLCALL_SMTP__PORT: String(this.port), ROLLCALL_SMTP__TLS: "none", ROLLCALL_SMTP__FROM: "Rollcall <rollcall@school.test>" };
  }

  talk(socket) {
    let [mail, text, data] = [{ to: [] }, "", false];
    const say = (line) => socket.write(`${line}\r\n`);
    const heard = (line) => {
      if (data) {
        if (line !== ".") return void (mail.text = `${mail.text ?? ""}${line.replace(/^\.\./, ".")}\n`);
        this.mails.push(mail);
        [mail, data] = [{ to: [] }, false];
        return say("250 taken");
      }
      const [word] = line.split(/[ :]/, 1);
      if (/^(EHLO|HELO)$/i.test(word)) return say("250 school.test");
      if (/^MAIL$/i.test(word)) mail.from = line.match(/<(.*?)>/)[1];
      if (/^RCPT$/i.test(word)) mail.to.push(line.match(/<(.*?)>/)[1]);
      if (/^DATA$/i.test(word)) data = true;
      say(data ? "354 go on" : /^QUIT$/i.test(word) ? "221 bye" : "250 fine");
    };
    socket.on("error", () => {}); // the hub may hang up
    socket.on("data", (piece) => {
      text += piece;
      const lines = text.split("\r\n");
      text = lines.pop();
      lines.forEach(heard);
    });
    say("220 school.test");
  }

  stop() {
    this.server.close();
  }
}

// A program that hears webhooks: `heard` has { type, data, signed }, where `signed` says whether
// the message was signed with `secret`. It answers `status`.
export class Ear {
  static async start() {
    const ear = new Ear();
    Object.assign(ear, { heard: [], status: 204, secret: "" });
    ear.server = http((request, response) => ear.hear(request, response));
    ear.url = `http://127.0.0.1:${await listen(ear.server)}/hear`;
    return ear;
  }

  async hear(request, response) {
    let body = "";
    for await (const piece of request) body += piece;
    const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": sent } = request.headers;
    const key = Buffer.from(this.secret.replace("whsec_", ""), "base64");
    const own = createHmac("sha256", key).update(`${id}.${at}.${body}`).digest();
    const theirs = Buffer.from((sent ?? "").replace("v1,", ""), "base64");
    const signed = own.length === theirs.length && timingSafeEqual(own, theirs);
    this.heard.push({ ...JSON.parse(body), signed });
    response.writeHead(this.status).end();
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
