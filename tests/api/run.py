"""Starts a hub with a small school and tries its API against its own document."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import requests
from door import EDGE, Door
from passkey import Device
from school import ADMIN, DAY, PASSWORD, ROOT, School, totp

HUB = os.environ.get("ROLLCALL_HUB") or str(ROOT / "target/debug/rollcall-hub")
MODELS = os.environ.get("ROLLCALL_MODELS") or str(ROOT / "models/weights")


def new_password(_stranger):
    return {"json": {"current_password": PASSWORD, "new_password": PASSWORD + " too"}}


def begin(stranger):
    """Begins a second factor: what its confirmation takes."""
    secret = stranger.made("/api/auth/totp", "secret", json={"password": PASSWORD})
    return {"json": {"code": totp(secret)}}


def remove(stranger):
    secret = stranger.made("/api/auth/totp", "secret", json={"password": PASSWORD})
    confirm = {"json": {"code": totp(secret)}}
    return {"json": {"code": stranger.made("/api/auth/totp/confirm", "recovery_codes", **confirm)[0]}}


def proved(stranger):
    """Says once more who it is, which a passkey asks for after signing in."""
    answer = stranger.send("POST", "/api/auth/prove", json={"password": PASSWORD})
    assert answer.status_code == 204, answer.text
    return stranger


def nothing_but_a_proof(stranger):
    proved(stranger)
    return {}


def enter(stranger):
    device = Device(proved(stranger))
    device.added()
    return {"json": device.shown()}


CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)
SECONDS, SECONDS_ALONE = int(os.environ.get("FUZZ_SECONDS", 80)), 20
ENDLESS = "/api/events"  # never ends: looked at by hand below
# What ends others' sessions, the fuzzer's own among them: asked once, well, at the end.
ENDS_OTHERS = ["/api/users/{id}/sign-ins", "/api/settings/sign-in"]
# What ends the session that asks, or changes how it signs in: asked by accounts made for it.
LAST_WORDS = {
    "/api/auth/logout": lambda stranger: {},
    "/api/auth/prove": lambda stranger: {"json": {"password": PASSWORD}},
    "/api/auth/sign-ins/end": lambda stranger: {
        "json": {"sign_in": stranger.send("GET", "/api/auth/sign-ins").json()[0]["sign_in"]}},
    "/api/auth/totp": lambda stranger: {"json": {"password": PASSWORD}},
    "/api/auth/totp/confirm": begin,
    "/api/auth/totp/remove": remove,
    "/api/auth/passkeys": lambda stranger: {"json": Device(proved(stranger)).made},
    "/api/auth/passkeys/begin": nothing_but_a_proof,
    "/api/auth/passkeys/rename": lambda stranger: {
        "json": {"passkey": Device(proved(stranger)).added(), "name": "old laptop"}},
    "/api/auth/passkeys/remove": lambda stranger: {
        "json": {"passkey": Device(proved(stranger)).added()}},
    "/api/auth/passkeys/sign-in": enter,
    "/api/auth/password": new_password,
    "/api/auth/users/set_password": new_password,
}
SPARE = 12  # accounts for the fuzzer to use up there


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def start(folder):
    data, env = folder / "hub", {**os.environ, "ROLLCALL_MODELS": MODELS}
    hub = [HUB, "--data", str(data)]
    init = [*hub, "init", "--name", "localhost"]
    code = subprocess.run(init, check=True, env=env, capture_output=True, text=True).stdout
    web, mqtt, device = free_port(), free_port(), free_port()
    (data / "hub.toml").write_text(
        f'host = "localhost"\n[listen]\nweb = "127.0.0.1:{web}"\n'
        f'mqtt = "127.0.0.1:{mqtt}"\ndevice = "127.0.0.1:{device}"\n'
        '[smtp]\nhost = "127.0.0.1"\nport = 1\ntls = "none"\nfrom = "school@school.test"\n'
    )
    sign(hub, folder, env)
    log = open(folder / "hub.log", "wb")
    process = subprocess.Popen([*hub, "serve"], env=env, stdout=log, stderr=log)
    url, ca = f"https://localhost:{web}", data / "ca.pem"
    for _ in range(600):
        try:
            if requests.get(f"{url}/ready", verify=str(ca), timeout=5).ok:
                return process, url, ca, re.search(r"24 hours\): (\S+)", code)[1]
        except requests.ConnectionError:
            time.sleep(0.1)
        if process.poll() is not None:
            break
    sys.exit((folder / "hub.log").read_text())


def sign(hub, folder, env):
    """A signed program for doors, as whoever releases one brings it to a school that trusts them."""
    key, update, program = folder / "release.key", folder / "update", folder / "program"
    # For arm64, so that no door here takes it: byte 18 of an ELF file says the machine.
    code = bytearray(Path("/bin/true").read_bytes())
    code[18] = 183
    program.write_bytes(code)

    def run(*typed):
        typed = [*hub, "update", *map(str, typed)]
        return subprocess.run(typed, check=True, env=env, capture_output=True, text=True).stdout

    run("trust", run("key", key).split()[-1])
    run("sign", program, "--version", "9.0.0", "--key", key, "--into", update)
    os.environ["ROLLCALL_UPDATE"] = str(update)


def operations(document):
    methods = ("get", "post", "put", "patch", "delete")
    for path, at in document["paths"].items():
        yield from ((method.upper(), path) for method in methods if method in at)


def empty_schemas(value, where=""):
    """Where the document says nothing about something."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("schema", "items") and inner == {}:
                yield f"{where}/{key}"
            yield from empty_schemas(inner, f"{where}/{key}")
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from empty_schemas(inner, f"{where}/{n}")


def good_requests(school, document, seen):
    """Asks once, well, for every operation that nothing good came of yet."""
    for method, path in operations(document):
        if path == ENDLESS:
            with school.http.get(school.url + path, stream=True, timeout=10) as stream:
                seen[method, path].append(stream.status_code)
            continue
        if path in LAST_WORDS:
            stranger = School(school.url, school.http.verify, school.stranger()["access"])
            body = LAST_WORDS[path](stranger) if method != "GET" else {}
            answer = stranger.send(method, path, **body)
            seen[method, path].append(answer.status_code)
            continue
        if path.startswith("/api/students/me"):
            pupil = School(school.url, school.http.verify, school.pupil()["access"])
            seen[method, path].append(pupil.send(method, path).status_code)
            continue
        if any(200 <= status < 300 for status in seen[method, path]):
            continue
        try:
            values, body = school.named(path), school.good(method, path)
        except (AssertionError, requests.RequestException) as error:
            print(f"  {method} {path}: {error}")
            continue
        address = path
        for name, value in values.items():
            address = address.replace("{" + name + "}", str(value))
        declared = document["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
        if body is None and "application/json" in declared:
            body = {"json": {}}
        prepare(school, method, path, address)
        answer = school.send(method, address, **(body or {}))
        seen[method, path].append(answer.status_code)
        if not answer.ok:
            print(f"  {method} {path}: {answer.status_code} {answer.text[:200]}")


def prepare(school, method, path, address):
    """What must have happened before a request can succeed."""
    if method == "GET" and path.endswith("/erase"):
        school.send("POST", address)
    elif path.endswith("/undo"):
        review = {"json": {"decision": "reject"}}
        school.send("POST", address.replace("/undo", "/review"), **review)
    elif path == "/api/images/{id}/confirm":
        school.send("POST", address.replace("/confirm", "/process-image?wait=true"))
    elif (method, path.split("/")[-1]) == ("DELETE", "{student}") and "/marks/" in path:
        mark = {"student_id": address.split("/")[-1], "status": "present"}
        school.send("POST", address.rsplit("/", 1)[0], json=mark)
    elif path == "/api/devices/{id}/commands":
        school.door.connected()
    elif path == "/api/devices/{id}/snap":
        school.door.shown()
    elif path == "/api/devices/{id}/log":
        school.door.shown("log")
    elif method == "DELETE" and "/exceptions/" in path:
        school.send("POST", address.rsplit("/", 1)[0], json={"day": DAY + "4", "cancelled": True})


def main():
    if not (Path(HUB).exists() and Path(EDGE).exists()):
        sys.exit("build the programs first: cargo build -p rollcall-hub -p rollcall-edge")
    with tempfile.TemporaryDirectory(prefix="rollcall-api-") as folder:
        folder = Path(folder)
        process, url, ca, code = start(folder)
        try:
            failed = tried(folder, url, ca, code)
        finally:
            process.terminate()
            process.wait(30)
    sys.exit(1 if failed else 0)


def signed_in(url, ca):
    """Once more: something may have ended the first session, and logins are throttled."""
    for _ in range(90):
        try:
            return School(url, ca)
        except requests.HTTPError:
            time.sleep(1)
    sys.exit("the admin cannot sign in any more")


def tried(folder, url, ca, code):
    admin = {"code": code, "full_name": "Ada King", "email": ADMIN, "password": PASSWORD}
    setup = requests.post(f"{url}/api/setup", json=admin, verify=str(ca), timeout=60).status_code
    school = School(url, ca)
    school.found()
    # Before the fuzzer has used up what one address may try.
    join = school.send("POST", "/api/join", **school.good("POST", "/api/join")).status_code
    spare = [school.stranger()["access"] for _ in range(SPARE)]
    door = Door(folder, school, MODELS)
    try:
        return compared(folder, school, door, spare, {"/api/setup": setup, "/api/join": join})
    finally:
        door.close()


def compared(folder, school, door, spare, once):
    """Every operation against the document: what the fuzzer heard, and one good answer each."""
    url, ca = school.url, school.http.verify
    document = requests.get(f"{url}/openapi.json", verify=ca, timeout=30).json()
    seen = defaultdict(list)
    alone = "^(" + "|".join(map(re.escape, LAST_WORDS)) + ")$"
    others = "|".join(map(re.escape, ENDS_OTHERS))
    rest = ["--exclude-path-regex", f"^{ENDLESS}$|{alone}|^({others})$"]
    failed = fuzzed(folder, school, [school.token], SECONDS, rest, seen)
    again = signed_in(url, ca)
    again.door = door
    for path, status in once.items():
        seen["POST", path].append(status)
    good_requests(again, document, seen)
    failed |= fuzzed(folder, school, spare, SECONDS_ALONE, ["--include-path-regex", alone], seen)
    return reported(document, seen) or failed


def fuzzed(folder, school, tokens, seconds, which, seen):
    """Lets schemathesis ask `which` operations; whether an answer was not as the document says."""
    url, ca, notes = school.url, school.http.verify, folder / "notes"
    notes.write_text("")
    env = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(ROOT / "tests/api"),
        "HUB_URL": url,
        "HUB_CA": ca,
        "HUB_TOKEN": school.token,
        "HUB_TOKENS": json.dumps(tokens),
        "HUB_NOTES": str(notes),
    }
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{url}/openapi.json",
        "--tls-verify", ca, "--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--max-examples", "12",
        "--max-time", str(seconds), *which, "--request-timeout", "30",
        "--continue-on-failure", "--no-shrink", "--seed", "1", "--warnings", "off",
        "--suppress-health-check", "all",
    ]  # fmt: skip
    said = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    run = subprocess.run(command, env=env, cwd=folder, timeout=seconds + 90, check=False, **said)
    if run.returncode:
        print(run.stdout)
    for line in notes.read_text().splitlines():
        method, path, status = json.loads(line)
        seen[method, path].append(status)
    return bool(run.returncode)


def reported(document, seen):
    """Says how every operation did; whether one did badly."""
    every = list(operations(document))
    broken = [op for op in every if any(status >= 500 for status in seen[op])]
    never = [op for op in every if not any(200 <= status < 300 for status in seen[op])]
    empty = list(empty_schemas(document))
    print(f"{len(every)} operations, {sum(map(len, seen.values()))} requests")
    for title, found in (("a server error", broken), ("no good answer", never)):
        for method, path in found:
            print(f"FAILED {title}: {method} {path} {sorted(set(seen[method, path]))}")
    for where in empty:
        print(f"FAILED an empty schema: {where}")
    passed = len(every) - len({*broken, *never})
    print(f"{passed} passed, {len(every) - passed} failed")
    return bool(broken or never or empty)


main()
