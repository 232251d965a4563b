// Passkeys: asks the browser for one when a form of ours wants it, and sends the form with the
// answer. Without this file, or in a browser that has no passkeys, those forms stay hidden.
(() => {
  "use strict";
  const forms = [...document.querySelectorAll("form[data-passkey]")];
  if (!forms.length || !window.PublicKeyCredential || !navigator.credentials) return;

  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

  // What a device is asked, as the browser wants it.
  function question(options) {
    const list = (some) => (some ?? []).map((one) => ({ ...one, id: bytes(one.id) }));
    const asked = { ...options, challenge: bytes(options.challenge) };
    if (options.user) asked.user = { ...options.user, id: bytes(options.user.id) };
    if (options.excludeCredentials) asked.excludeCredentials = list(options.excludeCredentials);
    if (options.allowCredentials) asked.allowCredentials = list(options.allowCredentials);
    return asked;
  }

  // What it answered, as the hub reads it.
  function answer(credential) {
    const said = credential.response;
    const response = { clientDataJSON: text(said.clientDataJSON) };
    if (said.attestationObject) {
      response.attestationObject = text(said.attestationObject);
      response.transports = said.getTransports ? said.getTransports() : [];
    } else {
      response.authenticatorData = text(said.authenticatorData);
      response.signature = text(said.signature);
      response.userHandle = said.userHandle ? text(said.userHandle) : null;
    }
    const { id, type } = credential;
    const attached = credential.authenticatorAttachment ? { authenticatorAttachment: credential.authenticatorAttachment } : {};
    return { id, rawId: text(credential.rawId), type, response, clientExtensionResults: credential.getClientExtensionResults(), ...attached };
  }

  async function ask(at) {
    const csrf = document.querySelector("meta[name=csrf]")?.content;
    const headers = { accept: "application/json", ...(csrf ? { "x-csrf-token": csrf } : {}) };
    const sent = await fetch(at, { method: "POST", headers });
    const said = await sent.json();
    if (said.type === "/problems/proof-needed") location.assign(`/account/prove?next=${encodeURIComponent(location.pathname)}`);
    if (!sent.ok) throw new Error(said.detail);
    return said;
  }

  async function fill(form) {
    const isNew = form.dataset.passkey === "new";
    const { attempt, options } = await ask(isNew ? "/api/auth/passkeys/begin" : "/api/auth/passkeys/challenge");
    const publicKey = question(options.publicKey ?? options);
    const credential = await (isNew ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey }));
    form.elements.attempt.value = attempt;
    form.elements.credential.value = JSON.stringify(answer(credential));
  }

  for (const form of forms) {
    const note = form.querySelector("[role=alert]");
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      note.hidden = true;
      fill(form).then(() => form.submit(), () => { note.hidden = false; });
    });
  }
  for (const none of document.querySelectorAll("[data-no-passkeys]")) none.hidden = true;
})();
