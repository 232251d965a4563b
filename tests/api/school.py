"""A small school over HTTP: one new thing of every kind, and a good body for every operation."""

import base64
import datetime
import hashlib
import hmac
import io
import itertools
import os
import struct
import subprocess
import time
import zipfile
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]
PORTRAITS = Path(os.environ.get("ROLLCALL_PORTRAITS") or ROOT / "models/portraits")
PASSWORD = "a school for tests, on loopback"
ADMIN = "admin@school.test"
DAY = "2030-03-0"  # far from lessons that are made by themselves

_next = itertools.count(int.from_bytes(os.urandom(4), "big"))


def portrait(name="obama2.jpg"):
    return (PORTRAITS / name).read_bytes()


def jpeg(name="obama2.jpg"):
    return ("a.jpg", portrait(name), "image/jpeg")

# What only the door answers that is connected: door.py.
HALL = [f"/api/devices/{{id}}/{part}" for part in ("commands", "snap", "log", "config")]


class School:
    """The hub at `url`, asked as its admin."""

    def __init__(self, url, ca, token=None):
        self.url, self.http, self.known = url, requests.Session(), None
        self.http.verify, self.http.trust_env = str(ca), False
        self.token = token or self.login(ADMIN)["access"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def login(self, email, password=PASSWORD):
        answer = self.http.post(
            f"{self.url}/api/auth/login", json={"email": email, "password": password}, timeout=60
        )
        answer.raise_for_status()
        return answer.json()

    def send(self, method, path, **body):
        """One request; who asks too often waits as long as the hub says."""
        while True:
            answer = self.http.request(method, self.url + path, timeout=60, **body)
            if answer.status_code != 429:
                return answer
            time.sleep(int(answer.headers["Retry-After"]))

    def made(self, path, key="id", **body):
        answer = self.send("POST", path, **body)
        assert answer.ok, f"POST {path}: {answer.status_code} {answer.text}"
        return answer.json()[key]

    def found(self):
        """A door, and a lesson behind it that goes on now."""
        self.made("/api/devices", json={"device_id": "door-1", "classroom_id": "204"})
        now = {"class_name": "Now", "class_code": "NOW", "room": "204"}
        self.made("/api/classes", json=now)
        self.goes_on("NOW")
        self.barack()

    def goes_on(self, group):
        """A lesson of this class that goes on now."""
        at = datetime.datetime.now(datetime.timezone.utc)
        first = max(at - datetime.timedelta(minutes=5), at.replace(hour=0, minute=0))
        last = min(at + datetime.timedelta(hours=2), at.replace(hour=23, minute=59))
        lesson = {"class_id": group, "date": f"{at:%Y-%m-%d}", "start_time": f"{first:%H:%M}"}
        self.made("/api/sessions", json={**lesson, "end_time": f"{last:%H:%M}"})

    def barack(self):
        """Somebody who can be recognised and is due now; made anew if the fuzzer changed him."""
        if self.known and self.send("GET", f"/api/students/{self.known}").ok:
            return self.known
        self.known = f"STU{next(_next)}"
        self.made("/api/students", json={"student_number": self.known, "full_name": "Barack"})
        fields = {"student_id": self.known, "consent_by": "himself", "another_person": "true"}
        self.made("/api/enrollment", data=fields, files={"file": jpeg("obama.jpg")})
        self.send("POST", "/api/classes/NOW/students", json={"students": [self.known]})
        return self.known

    # One new thing of every kind.

    def student(self):
        n = next(_next)
        return self.made("/api/students", json={"student_number": f"N{n}", "full_name": "Ada King", "email": "ada@home.test"})

    def device(self):
        return self.made("/api/devices", json={"device_id": f"d{next(_next)}"})

    def fresh_door(self, room="204"):
        """One of its own behind a room: the fuzzer may have cut any other off."""
        return self.made("/api/devices", json={"device_id": f"d{next(_next)}", "classroom_id": room})

    def group(self, room=None):
        n = next(_next)
        typed = {"class_name": f"Class {n}", "class_code": f"C{n}", "room": room or f"R{n}"}
        group = self.made("/api/classes", json=typed)
        self.send("POST", f"/api/classes/{group}/students", json={"students": [self.barack()]})
        return group

    def lesson(self):
        typed = {"class_id": self.group(), "date": DAY + "4", "start_time": "10:00"}
        return self.made("/api/sessions", json={**typed, "end_time": "10:45"})

    def record(self):
        """A passage that waits, in a lesson of its own: the fuzzer may have changed any other."""
        for _ in range(3):
            room = f"R{next(_next)}"
            self.goes_on(self.group(room))
            fields = {"device_id": self.fresh_door(room), "classroom_id": room}
            answer = self.send("POST", "/api/capture", data=fields, files={"image": jpeg()})
            assert answer.ok, f"POST /api/capture: {answer.status_code} {answer.text}"
            if answer.json()["status"] == "pending":
                return answer.json()["record_id"]
            self.known = None  # The fuzzer changed him, too.
        raise AssertionError(f"no passage waits: {answer.text}")

    def enrolment(self):
        fields = {"student_id": self.barack(), "another_person": "true"}
        return self.made("/api/enrollment", data=fields, files={"file": jpeg()})

    def room(self):
        return self.made("/api/rooms", json={"name": f"Room {next(_next)}"})

    def holiday(self):
        return self.made("/api/holidays", json={"name": "Spring", "from_day": DAY + "1"})

    def period(self):
        typed = {"class_id": self.group(), "weekday": 1, "starts": "08:00", "ends": "08:45"}
        return self.made("/api/timetable", json=typed)

    def calendar(self):
        for old in self.send("GET", "/api/calendars").json()[5:]:
            self.send("DELETE", f"/api/calendars/{old['id']}")
        return self.made("/api/calendars", json={})

    def feed(self):
        return self.made("/api/calendars", "url", json={}).rsplit("/", 1)[1]

    def user(self):
        return self.made("/api/users", json=self.person())

    def person(self, role="teacher"):
        email = f"u{next(_next)}@school.test"
        return {"email": email, "full_name": "Ada King", "password": PASSWORD, "role": role}

    def teacher(self):
        return self.made("/api/teachers", json=self.a_teacher())

    def a_teacher(self):
        return {**self.person(), "teacher_id": f"T{next(_next)}"}

    def job(self):
        path = f"/api/classes/{self.group()}/bulk-enroll"
        return self.made(path, files={"file": ("a.zip", archive(), "application/zip")})

    def photo(self):
        fields = {"class_id": self.group()}
        return self.made("/api/images", data=fields, files={"file": jpeg()})

    def crop(self):
        photo = self.photo()
        self.send("POST", f"/api/images/{photo}/process-image?wait=true")
        return self.send("GET", f"/api/images/{photo}/face_crops").json()[0]["id"]

    def named_crop(self):
        crop = self.crop()
        self.send("POST", f"/api/face-crops/{crop}/assign", json={"student_id": self.barack()})
        return crop

    def webhook(self):
        for old in self.send("GET", "/api/webhooks").json()[5:]:
            self.send("DELETE", f"/api/webhooks/{old['id']}")
        typed = {"url": "https://example.org/hook", "events": ["attendance.marked"]}
        return self.made("/api/webhooks", json=typed)

    def update(self):
        return self.made("/api/updates", files={"file": update()})

    def rollout(self):
        return self.made("/api/rollouts", "number", json={"update_id": self.update()})

    def stranger(self):
        """The token of a new account, for what ends a session."""
        person = self.person()
        self.made("/api/users", json=person)
        return self.login(person["email"])

    def pupil(self):
        """The token of a new student's account."""
        account = {**self.person("student"), "student_id": self.student()}
        self.made("/api/users", json=account)
        return self.login(account["email"])

    # What an address names, and what it is sent.

    def named(self, path):
        """New values for the parameters of `path`."""
        if path in HALL:
            return {"id": "hall"}
        kinds = [
            ("/api/students/", self.student),
            ("/api/persons/", self.student),
            ("/api/devices/", self.device),
            ("/api/gallery/", self.device),
            ("/api/classes/", self.group),
            ("/api/attendance/by-class/", self.group),
            ("/api/attendance/summary/", self.group),
            ("/api/sessions/", self.lesson),
            ("/api/images/", self.photo),
            ("/api/face-crops/", self.crop),
            ("/api/attendance/", self.record),
            ("/api/enrollment/", self.enrolment),
            ("/api/rooms/", self.room),
            ("/api/holidays/", self.holiday),
            ("/api/timetable/", self.period),
            ("/api/calendars/", self.calendar),
            ("/api/users/", self.user),
            ("/api/teachers/", self.teacher),
            ("/api/jobs/", self.job),
            ("/api/webhooks/", self.webhook),
            ("/calendar/", self.feed),
        ]
        make = next((make for prefix, make in kinds if path.startswith(prefix)), None)
        if make is None or "{" not in path:
            return {}
        first = path.split("{")[1].split("}")[0]
        return {first: make(), **({"student": self.barack()} if "{student}" in path else {}),
                **({"day": DAY + "4"} if "{day}" in path else {})}

    def good(self, method, path):
        """A request that should succeed: what to give to `requests`."""
        n = next(_next)
        person = {"personnel_code": f"P{n}", "first_name": "Ada", "last_name": "King"}
        file, image = {"file": jpeg()}, base64.b64encode(portrait()).decode()
        table = f"first_name,last_name,student_id\nA,B,S{n}\n".encode()
        calendar = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n"
        login = {"email": ADMIN, "password": PASSWORD}
        bodies = {
            "POST /api/auth/login": lambda: {"json": login},
            "POST /api/auth/jwt/create": lambda: {"json": login},
            "POST /api/auth/refresh": lambda: {"json": {"refresh": self.login(ADMIN)["refresh"]}},
            "POST /api/auth/jwt/refresh": lambda: {"json": {"refresh": self.login(ADMIN)["refresh"]}},
            "POST /api/auth/register": lambda: {"json": self.person()},
            "POST /api/auth/users": lambda: {"json": self.person()},
            "POST /api/users": lambda: {"json": self.person()},
            "POST /api/teachers": lambda: {"json": self.a_teacher()},
            "GET /api/analytics/attendance-trend": lambda: {"params": {
                "classId": self.group(), "dateFrom": DAY + "1", "dateTo": DAY + "9"}},
            "PUT /api/settings/sign-in": lambda: {"json": {"second_factor": []}},
            "PUT /api/settings": lambda: {"json": {
                "profile": {}, "schedule": [],
                "preferences": {"mail_absence": True, "mail_low_attendance": True}}},
            "POST /api/students": lambda: {"json": {"student_number": f"N{n}", "full_name": "A B"}},
            "POST /api/persons": lambda: {"json": person},
            "POST /api/devices": lambda: {"json": {"device_id": f"d{n}"}},
            "POST /api/classes": lambda: {"json": {"class_name": "A", "class_code": f"C{n}"}},
            "POST /api/classes/{id}/students": lambda: {"json": {"students": [self.barack()]}},
            "POST /api/classes/{id}/bulk-upload-students": lambda: {
                "data": {"has_header": "true"}, "files": {"file": ("a.csv", table, "text/csv")}},
            "POST /api/classes/{id}/bulk-enroll": lambda: {
                "files": {"file": ("a.zip", archive(), "application/zip")}},
            "POST /api/sessions": lambda: {"json": {"class_id": self.group(), "date": DAY + "5"}},
            "POST /api/sessions/{id}/marks": lambda: {
                "json": {"student_id": self.barack(), "status": "present"}},
            "POST /api/rooms": lambda: {"json": {"name": f"Room {n}"}},
            "PUT /api/rooms/{id}": lambda: {"json": {"location": "upstairs"}},
            "POST /api/holidays": lambda: {"json": {"name": "Spring", "from_day": DAY + "1"}},
            "PUT /api/holidays/{id}": lambda: {"json": {"name": "Spring", "from_day": DAY + "2"}},
            "POST /api/timetable": lambda: {"json": {
                "class_id": self.group(), "weekday": 2, "starts": "08:00", "ends": "08:45"}},
            "POST /api/timetable/{id}/exceptions": lambda: {
                "json": {"day": DAY + "4", "cancelled": True}},
            "POST /api/timetable/import": lambda: {
                "files": {"file": ("a.ics", calendar, "text/calendar")}},
            "POST /api/capture": lambda: {
                "data": {"device_id": self.fresh_door()}, "files": {"image": jpeg()}},
            "POST /api/face/verify": lambda: {"data": {"class_id": self.group()}, "files": file},
            "POST /api/face/register": lambda: {"data": {"student_id": self.barack(), "another_person": "true"}, "files": file},
            "POST /api/students/upload-face": lambda: {
                "data": {"student_id": self.barack(), "another_person": "true"}, "files": file},
            "POST /api/enrollment": lambda: {"data": {"student_id": self.barack(), "another_person": "true"}, "files": file},
            "PUT /api/enrollment/{id}": lambda: {"json": {"is_active": True}},
            "POST /api/images": lambda: {"data": {"class_id": self.group()}, "files": file},
            "POST /api/face-crops/{id}/assign": lambda: {"json": {"student_id": self.barack()}},
            "POST /api/face-crops/{id}/assign-from-candidate": lambda: {
                "json": {"candidate_crop_id": self.named_crop()}},
            "POST /api/attendance/mark": lambda: {"json": {
                "image": f"data:image/jpeg;base64,{image}", "subject_id": self.group()}},
            "POST /api/attendance/confirm": lambda: {"json": {
                "subject_id": self.group(), "present_students": [self.barack()], "absent_students": []}},
            "POST /api/attendance/review": lambda: {
                "json": {"ids": [self.record()], "decision": "reject"}},
            "POST /api/attendance/{id}/review": lambda: {"json": {"decision": "approve"}},
            "POST /api/students/{id}/consent": lambda: {"json": {"given": True, "by": "herself"}},
            "POST /api/join": lambda: {"json": {"csr_pem": csr(), "token": self.made(
                f"/api/devices/{self.device()}/join-token", "join_token")}},
            "POST /api/notifications": lambda: {"json": {
                "student_ids": [self.student()], "subject": "Trip", "body": "On Friday."}},
            "PUT /api/gallery/scope": lambda: {"json": {"scope": "all"}},
            "POST /api/webhooks": lambda: {"json": {
                "url": "https://example.org/hook", "events": ["attendance.marked"]}},
            "POST /api/devices/{id}/commands": lambda: {"json": {"command": "reload"}},
            "POST /api/updates": lambda: {"files": {"file": update()}},
            "POST /api/rollouts": lambda: {"json": {"update_id": self.update()}},
            "PATCH /api/rollouts": lambda: {
                "json": {"number": self.rollout(), "state": "paused"}},
        }
        body = bodies.get(f"{method} {path}")
        return body() if body else None


def totp(secret):
    """What an authenticator app shows now (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7FFFFFFF) % 1000000:06}"


def csr():
    """A request for a certificate, as a unit makes it."""
    make = "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null"
    made = subprocess.run([*make.split(), "-subj", "/CN=x"], capture_output=True, check=True)
    return made.stdout.decode()


def update():
    """A signed program, as `update sign` wrote it."""
    return Path(os.environ["ROLLCALL_UPDATE"]).read_bytes()


def archive():
    """A class's photos and their list, as bulk-enroll takes them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        table = "student_id,file,consent_by\nSTU1,a.jpg,himself\n"
        file.writestr("students.csv", table)
        file.writestr("a.jpg", portrait())
    return packed.getvalue()
