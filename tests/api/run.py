"""Starts a hub with a small school and tries its API against its own document."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import requests
from school import ADMIN, PASSWORD, ROOT, School

HUB = os.environ.get("ROLLCALL_HUB") or str(ROOT / "target/debug/rollcall-hub")
MODELS = os.environ.get("ROLLCALL_MODELS") or str(ROOT / "models/weights")


def new_password(_school):
    return {"json": {"current_password": PASSWORD, "new_password": PASSWORD + " too"}}


CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)
SECONDS = 120
ENDLESS = "/api/events"  # never ends: looked at by hand below
# What ends the session that asks, or changes how it signs in: asked once, by a new account.
LAST_WORDS = {
    "/api/auth/logout": lambda school: {},
    "/api/auth/password": new_password,
    "/api/auth/users/set_password": new_password,
}
# One good answer would need a door, a code or a provider; other tests have them.
ELSEWHERE = {
    "POST /api/setup": "the hub is set up: the_set_up_code_makes_one_admin_and_no_other",
    "POST /api/join": "needs a unit's key: a_door_is_added_joined_and_cut_off",
}


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def start(folder):
    data, env = folder / "hub", {**os.environ, "ROLLCALL_MODELS": MODELS}
    hub = [HUB, "--data", str(data)]
    subprocess.run([*hub, "init", "--name", "localhost"], check=True, env=env, stdout=sys.stderr)
    web, mqtt, device = free_port(), free_port(), free_port()
    (data / "hub.toml").write_text(
        f'host = "localhost"\n[listen]\nweb = "127.0.0.1:{web}"\n'
        f'mqtt = "127.0.0.1:{mqtt}"\ndevice = "127.0.0.1:{device}"\n'
    )
    add = [*hub, "user", "add", ADMIN, "--role", "admin", "--password-stdin"]
    subprocess.run(add, check=True, env=env, input=PASSWORD.encode(), stdout=sys.stderr)
    log = open(folder / "hub.log", "wb")
    process = subprocess.Popen([*hub, "serve"], env=env, stdout=log, stderr=log)
    url, ca = f"https://localhost:{web}", data / "ca.pem"
    for _ in range(600):
        try:
            if requests.get(f"{url}/ready", verify=str(ca), timeout=5).ok:
                return process, url, ca
        except requests.ConnectionError:
            time.sleep(0.1)
        if process.poll() is not None:
            break
    sys.exit((folder / "hub.log").read_text())


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
            token = f"Bearer {school.stranger()['access']}"
            body = LAST_WORDS[path](school)
            answer = school.send(method, path, headers={"Authorization": token}, **body)
            seen[method, path].append(answer.status_code)
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
        if path.endswith("/undo"):
            review = {"json": {"decision": "reject"}}
            school.send("POST", address.replace("/undo", "/review"), **review)
        answer = school.send(method, address, **(body or {}))
        seen[method, path].append(answer.status_code)
        if not answer.ok:
            print(f"  {method} {path}: {answer.status_code} {answer.text[:200]}")


def main():
    if not Path(HUB).exists():
        sys.exit("build the hub first: cargo build -p rollcall-hub")
    with tempfile.TemporaryDirectory(prefix="rollcall-api-") as folder:
        folder = Path(folder)
        process, url, ca = start(folder)
        try:
            failed = tried(folder, url, ca)
        finally:
            process.terminate()
            process.wait(30)
    sys.exit(1 if failed else 0)


def tried(folder, url, ca):
    school = School(url, ca)
    school.found()
    notes = folder / "notes"
    env = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(ROOT / "tests/api"),
        "HUB_URL": url,
        "HUB_CA": str(ca),
        "HUB_TOKEN": school.token,
        "HUB_NOTES": str(notes),
    }
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{url}/openapi.json",
        "--tls-verify", str(ca), "-H", f"Authorization: Bearer {school.token}",
        "--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--max-examples", "12",
        "--max-time", str(SECONDS), "--exclude-path-regex", "^(/api/events|/api/auth/(logout|password|totp.*|users/set_password))$", "--request-timeout", "30",
        "--continue-on-failure", "--no-shrink", "--seed", "1", "--warnings", "off",
        "--suppress-health-check", "all",
    ]  # fmt: skip
    fuzzed = subprocess.run(command, env=env, cwd=folder, timeout=SECONDS + 90, check=False)
    seen = defaultdict(list)
    for line in notes.read_text().splitlines():
        method, path, status = json.loads(line)
        seen[method, path].append(status)
    requests_made = sum(map(len, seen.values()))
    document = requests.get(f"{url}/openapi.json", verify=str(ca), timeout=30).json()
    school = School(url, ca)  # in case something ended the first session
    good_requests(school, document, seen)
    every = list(operations(document))
    broken = [op for op in every if any(status >= 500 for status in seen[op])]
    never = [op for op in every if not any(200 <= status < 300 for status in seen[op])]
    never = [op for op in never if " ".join(op) not in ELSEWHERE]
    empty = list(empty_schemas(document))
    print(f"{len(every)} operations, {requests_made} requests")
    for title, found in (("a server error", broken), ("no good answer", never)):
        for method, path in found:
            print(f"FAILED {title}: {method} {path} {sorted(set(seen[method, path]))}")
    for where in empty:
        print(f"FAILED an empty schema: {where}")
    passed = len(every) - len({*broken, *never})
    print(f"{passed} passed, {len(every) - passed} failed")
    return fuzzed.returncode or broken or never or empty


main()
