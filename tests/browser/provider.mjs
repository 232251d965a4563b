// A tiny OpenID provider on the loopback: lets in whoever `says` it is, without asking.

import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";

const base64url = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

export class Provider {
  static async start(says) {
    const provider = new Provider();
    provider.says = says;
    provider.keys = generateKeyPairSync("ed25519");
    provider.asked = new Map();
    provider.server = createServer((request, response) => provider.answer(request, response));
    await new Promise((done) => provider.server.listen(0, "127.0.0.1", done));
    provider.issuer = `http://127.0.0.1:${provider.server.address().port}`;
    return provider;
  }

  env(name) {
    const [ID, SECRET] = ["rollcall-test", "a secret between the two of them"];
    const all = { ISSUER: this.issuer, CLIENT_ID: ID, CLIENT_SECRET: SECRET, NAME: name };
    return Object.fromEntries(Object.entries(all).map(([key, value]) => [`ROLLCALL_OIDC__${key}`, value]));
  }

  async answer(request, response) {
    const url = new URL(request.url, this.issuer);
    const json = (body, status = 200) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    switch (url.pathname) {
      case "/.well-known/openid-configuration":
        return json({
          issuer: this.issuer,
          authorization_endpoint: `${this.issuer}/authorize`,
          token_endpoint: `${this.issuer}/token`,
          jwks_uri: `${this.issuer}/keys`,
          response_types_supported: ["code"],
          subject_types_supported: ["public"],
          id_token_signing_alg_values_supported: ["EdDSA"],
        });
      case "/keys":
        return json({ keys: [{ ...this.keys.publicKey.export({ format: "jwk" }), use: "sig", kid: "1", alg: "EdDSA" }] });
      case "/authorize": {
        const code = `code-${this.asked.size}`;
        this.asked.set(code, Object.fromEntries(url.searchParams));
        const back = new URL(url.searchParams.get("redirect_uri"));
        back.searchParams.set("code", code);
        back.searchParams.set("state", url.searchParams.get("state"));
        return response.writeHead(302, { location: back.href }).end();
      }
      case "/token":
        return this.token(request, json);
      default:
        return json({ error: "nothing here" }, 404);
    }
  }

  async token(request, json) {
    let body = "";
    for await (const piece of request) body += piece;
    const form = new URLSearchParams(body);
    const asked = this.asked.get(form.get("code"));
    const proof = createHash("sha256").update(form.get("code_verifier") || "").digest("base64url");
    if (!asked || asked.code_challenge !== proof) return json({ error: "invalid_grant" }, 400);
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: this.issuer, aud: "rollcall-test", iat: now, exp: now + 300, nonce: asked.nonce, ...this.says };
    const text = `${base64url({ alg: "EdDSA", kid: "1" })}.${base64url(claims)}`;
    const seal = sign(null, Buffer.from(text), this.keys.privateKey).toString("base64url");
    return json({ access_token: "x", token_type: "Bearer", id_token: `${text}.${seal}` });
  }

  stop() {
    this.server.close();
  }
}
