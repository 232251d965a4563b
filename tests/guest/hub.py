"""What the hub holds of a door, and what the door's own disk says the hub holds."""

import base64
import gzip
import json
import pathlib
import sqlite3
import ssl
import sys
import tempfile
import urllib.request


def asked(url, ca, path, token=None, body=None):
    request = urllib.request.Request(f"{url}{path}", json.dumps(body).encode() if body else None)
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=ca)) as answer:
        return json.load(answer)


def ready(url, ca):
    return asked(url, ca, "/ready") is not None


def recorded(door, student, url, ca, email, password):
    """Whether somebody may decide about a passage of `student` at `door`."""
    signed = asked(url, ca, "/api/auth/login", body={"email": email, "password": password})
    cards = asked(url, ca, "/api/attendance/pending", signed["access_token"])
    return any((c["device_id"], c["predicted_student_id"]) == (door, student) for c in cards)


def acknowledged(door, console):
    """Whether every record in the outbox that `door` printed at its end is settled, and one is."""
    lines = pathlib.Path(console).read_text(errors="replace").splitlines()
    begin = f"kept {door}: "
    text = "".join(line.split(begin)[1] for line in lines if begin in line)
    with tempfile.NamedTemporaryFile() as file:
        file.write(gzip.decompress(base64.b64decode(text)))
        file.flush()
        book = sqlite3.connect(file.name).execute("select acked_at, reject from outbox where kind = 1")
        rows = book.fetchall()
    return bool(rows) and all(at is not None and reject is None for at, reject in rows)


if __name__ == "__main__":
    what = {"ready": ready, "recorded": recorded, "acknowledged": acknowledged}[sys.argv[1]]
    sys.exit(not what(*sys.argv[2:]))
