"""A device that makes passkeys and signs with them, as a browser asks it to."""

import base64
import hashlib
import json
import os
import struct
import subprocess
import tempfile

VERIFIED, HAS_KEY = 0x05, 0x40


def openssl(*words, given=None):
    return subprocess.run(["openssl", *words], input=given, capture_output=True, check=True).stdout


def text(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Device:
    """One passkey of the account that `school` is signed in as."""

    def __init__(self, school):
        self.school, self.id, self.count = school, os.urandom(20), 0
        self.key = openssl("genpkey", "-algorithm", "ed25519")
        asked = school.send("POST", "/api/auth/passkeys/begin").json()
        self.owner = asked["options"]["user"]["id"]
        public = openssl("pkey", "-pubout", "-outform", "DER", given=self.key)[-32:]
        cose = bytes.fromhex("a401010327200621" + "5820") + public
        data = self.data(VERIFIED | HAS_KEY) + bytes(16) + struct.pack(">H", 20) + self.id + cose
        made = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58" + bytes([len(data)]) + data
        client = self.client("webauthn.create", asked)
        response = {"clientDataJSON": text(client), "attestationObject": text(made), "transports": []}
        self.made = {"name": "laptop", **self.answered(asked, response)}

    def client(self, kind, asked):
        said = {"type": kind, "challenge": asked["options"]["challenge"]}
        return json.dumps({**said, "origin": self.school.url, "crossOrigin": False}).encode()

    def data(self, flags):
        return hashlib.sha256(b"localhost").digest() + struct.pack(">BI", flags, self.count)

    def answered(self, asked, response):
        credential = {"id": text(self.id), "rawId": text(self.id), "type": "public-key"}
        credential |= {"response": response, "clientExtensionResults": {}}
        return {"attempt": asked["attempt"], "credential": credential}

    def added(self):
        """Adds it, and gives its id."""
        return self.school.made("/api/auth/passkeys", "id", json=self.made)

    def shown(self):
        """What signs in with it."""
        self.count += 1
        asked = self.school.send("POST", "/api/auth/passkeys/challenge").json()
        client, data = self.client("webauthn.get", asked), self.data(VERIFIED)
        with tempfile.NamedTemporaryFile() as key, tempfile.NamedTemporaryFile() as words:
            key.write(self.key), key.flush()
            words.write(data + hashlib.sha256(client).digest()), words.flush()
            signature = openssl("pkeyutl", "-sign", "-rawin", "-inkey", key.name, "-in", words.name)
        response = {"clientDataJSON": text(client), "authenticatorData": text(data)}
        response |= {"signature": text(signature), "userHandle": self.owner}
        return self.answered(asked, response)
