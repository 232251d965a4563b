//! What each address of the five backends is asked, and what its answer must be.

use http::route::Object;
use serde_json::{Value, json};

/// What stands in the address for its parameter.
#[derive(Clone, Copy, Debug)]
pub(super) enum Id {
    /// It has none.
    None,
    /// This.
    Is(&'static str),
    /// A new thing of this kind.
    New(Object),
}

/// The body that is sent. `$words` in it are filled in by the runner.
#[derive(Clone, Debug)]
pub(super) enum Sent {
    Nothing,
    Json(Value),
    /// Fields, the name of the file’s field, and the file: a portrait or a text.
    Form(&'static [(&'static str, &'static str)], &'static str, &'static str),
}

/// One row of the table.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub method: &'static str,
    /// As `offered::key` writes it.
    pub key: &'static str,
    pub id: Id,
    pub query: &'static str,
    pub sent: Sent,
    pub status: u16,
    /// What the answer (or the first of a list) holds.
    pub holds: &'static [&'static str],
    /// What it says: these values among others.
    pub is: Value,
    /// Works without a token.
    pub open: bool,
    /// Ends the session that asks.
    pub last_word: bool,
}

impl Row {
    fn id(self, id: &'static str) -> Self {
        Self { id: Id::Is(id), ..self }
    }

    fn fresh(self, object: Object) -> Self {
        Self { id: Id::New(object), ..self }
    }

    fn query(self, query: &'static str) -> Self {
        Self { query, ..self }
    }

    fn json(self, body: Value) -> Self {
        Self { sent: Sent::Json(body), ..self }
    }

    fn form(
        self,
        fields: &'static [(&'static str, &'static str)],
        file: &'static str,
        content: &'static str,
    ) -> Self {
        Self { sent: Sent::Form(fields, file, content), ..self }
    }

    fn gives(self, status: u16) -> Self {
        Self { status, ..self }
    }

    fn holds(self, holds: &'static [&'static str]) -> Self {
        Self { holds, ..self }
    }

    fn is(self, is: Value) -> Self {
        Self { is, ..self }
    }

    fn open(self) -> Self {
        Self { open: true, ..self }
    }
}

fn row(method: &'static str, key: &'static str) -> Row {
    Row {
        method,
        key,
        id: Id::None,
        query: "",
        sent: Sent::Nothing,
        status: if method == "DELETE" { 204 } else { 200 },
        holds: &[],
        is: Value::Null,
        open: false,
        last_word: false,
    }
}

fn get(key: &'static str) -> Row {
    row("GET", key)
}

fn post(key: &'static str) -> Row {
    row("POST", key)
}

fn put(key: &'static str) -> Row {
    row("PUT", key)
}

const RECORD: &[&str] = &[
    "id",
    "device_id",
    "classroom_id",
    "captured_image_path",
    "predicted_student_id",
    "predicted_name",
    "confidence",
    "timestamp",
    "review_status",
    "reviewer_id",
    "review_timestamp",
    "notes",
    "direction",
    "gate_name",
    "camera_name",
    "confidence_score",
];
const TOKENS: &[&str] = &["access", "refresh", "access_token", "refresh_token", "token_type"];
const STUDENT: &[&str] =
    &["id", "student_number", "student_id", "full_name", "email", "department", "face_enrolled"];
const PERSON: &[&str] = &[
    "id",
    "first_name",
    "last_name",
    "personnel_code",
    "department",
    "position",
    "email",
    "phone",
    "is_active",
    "created_at",
    "updated_at",
];
const ENROLLMENT: &[&str] = &[
    "id",
    "person_id",
    "is_active",
    "created_at",
    "model_id",
    "quality",
    "confidence_score",
    "face_image_path",
    "face_encoding_path",
];
const DEVICE: &[&str] = &["id", "device_id", "classroom_id", "location", "status", "last_seen"];
const CLASS: &[&str] = &["id", "class_name", "class_code"];
const JOB: &[&str] = &["id", "kind", "state", "done", "total"];
const PHOTO: &str = "obama2.jpg";

/// Every row.
pub(super) fn rows() -> Vec<Row> {
    [accounts(), people(), doors(), records(), classes(), sessions(), photos(), figures(), hub()]
        .concat()
}

fn accounts() -> Vec<Row> {
    let who = || json!({ "email": "admin@school.test", "password": "$password" });
    let again = || json!({ "refresh": "$refresh" });
    let user = json!({ "email": "u$n@school.test", "password": "$password", "name": "Ada King" });
    let person = json!({ "first_name": "Ada", "last_name": "King", "personnel_code": "R$n" });
    let teacher = json!({
        "teacher_id": "T$n", "full_name": "Ada King", "email": "t$n@school.test",
        "password": "$password", "role": "teacher"
    });
    let me = &["id", "email", "full_name", "role"];
    let all = &["profile", "preferences", "schedule"];
    let whole = json!({
        "profile": { "full_name": "The admin" }, "schedule": [],
        "preferences": { "mail_absence": true, "mail_low_attendance": true }
    });
    vec![
        post("/auth/login").json(who()).holds(TOKENS).is(json!({ "token_type": "bearer" })).open(),
        post("/auth/jwt/create")
            .json(who())
            .holds(TOKENS)
            .is(json!({ "token_type": "bearer" }))
            .open(),
        post("/auth/refresh")
            .json(again())
            .holds(TOKENS)
            .is(json!({ "token_type": "bearer" }))
            .open(),
        post("/auth/jwt/refresh")
            .json(again())
            .holds(TOKENS)
            .is(json!({ "token_type": "bearer" }))
            .open(),
        post("/auth/register").json(user).gives(201).is(json!({ "email": "u$n@school.test" })),
        post("/auth/register")
            .json(person)
            .gives(201)
            .is(json!({ "personnel_code": "R$n", "last_name": "King" })),
        get("/auth/me")
            .holds(me)
            .is(json!({ "email": "admin@school.test", "full_name": "The admin", "role": "admin" })),
        get("/auth/users/me")
            .holds(me)
            .is(json!({ "email": "admin@school.test", "full_name": "The admin", "role": "admin" })),
        Row { last_word: true, ..post("/auth/logout").gives(204) },
        post("/teachers").json(teacher).gives(201).is(json!({
            "teacher_id": "T$n", "full_name": "Ada King", "email": "t$n@school.test",
            "role": "teacher"
        })),
        get("/teachers")
            .holds(&["teacher_id", "full_name", "email", "role"])
            .is(json!({ "role": "teacher" })),
        get("/settings").holds(all).is(json!({ "profile": { "email": "admin@school.test" } })),
        row("PATCH", "/settings")
            .json(json!({ "preferences": { "mail_absence": false } }))
            .is(json!({ "preferences": { "mail_absence": false } })),
        put("/settings").json(whole).holds(all).is(json!({
            "profile": { "full_name": "The admin" }, "schedule": [],
            "preferences": { "mail_absence": true, "mail_low_attendance": true }
        })),
    ]
}

fn people() -> Vec<Row> {
    let student = json!({
        "student_number": "N$n", "full_name": "John Doe", "email": "john@school.test",
        "department": "IT", "year": 2
    });
    let person = json!({ "first_name": "John", "last_name": "Doe", "personnel_code": "E$n" });
    let face: &[(&str, &str)] = &[("student_id", "STU1")];
    let turned = |key, active: bool| {
        let row = row("PATCH", key).fresh(Object::Student).holds(PERSON);
        row.is(json!({ "is_active": active }))
    };
    let (all, one) = ("/enrollment", "/enrollment/{}");
    vec![
        get("/students").holds(STUDENT).is(json!({ "student_number": "STU1", "full_name": "Barack Obama", "face_enrolled": true, "verified": false })),
        post("/students").json(student).gives(201).holds(STUDENT).is(json!({
            "student_number": "N$n", "full_name": "John Doe", "email": "john@school.test",
            "department": "IT", "year": "2", "face_enrolled": false
        })),
        post("/students")
            .json(json!({ "student_id": "M$n", "full_name": "John Doe" }))
            .gives(201)
            .is(json!({ "student_id": "M$n", "first_name": "John", "last_name": "Doe" })),
        get("/students/{}").id("STU1").holds(STUDENT).is(json!({ "student_id": "STU1" })),
        put("/students/{}").id("STU1").json(json!({ "department": "Art" })).holds(STUDENT).is(json!({ "department": "Art" })),
        row("DELETE", "/students/{}").fresh(Object::Student),
        post("/students/upload-face")
            .form(face, "file", PHOTO)
            .gives(201)
            .holds(ENROLLMENT)
            .is(json!({ "is_active": true, "source": "photo" })),
        post("/face/register").form(face, "file", PHOTO).gives(201).is(json!({ "face_enrolled": true })),
        get("/persons")
            .query("is_active=true")
            .holds(PERSON)
            .is(json!({ "personnel_code": "STU1", "is_active": true })),
        get("/persons/{}").id("STU1").holds(&["enrollments"]).is(json!({
            "personnel_code": "STU1", "first_name": "Barack", "last_name": "Obama"
        })),
        post("/persons").json(person).gives(201).holds(PERSON).is(json!({
            "first_name": "John", "last_name": "Doe", "personnel_code": "E$n", "is_active": true
        })),
        put("/persons/{}").fresh(Object::Student).json(json!({ "position": "Cook" })).is(json!({ "position": "Cook" })),
        row("DELETE", "/persons/{}").fresh(Object::Student),
        turned("/persons/{}/toggle-active", false),
        turned("/persons/{}/activate", true),
        turned("/persons/{}/deactivate", false),
        get(all).holds(ENROLLMENT),
        get(one).fresh(Object::Enrolment).holds(ENROLLMENT),
        post(all).form(&[("person_id", "STU1")], "file", PHOTO).gives(201).holds(ENROLLMENT),
        put(one).fresh(Object::Enrolment).json(json!({ "is_active": true })).is(json!({ "is_active": true })),
        row("DELETE", one).fresh(Object::Enrolment),
        row("PATCH", "/enrollment/{}/toggle-active")
            .fresh(Object::Enrolment)
            .holds(ENROLLMENT)
            .is(json!({ "is_active": false })),
    ]
}

fn doors() -> Vec<Row> {
    let door = json!({ "device_id": "door-n$n", "classroom_id": "1", "location": "north" });
    vec![
        get("/devices").holds(DEVICE).is(json!({ "device_id": "door-1" })),
        post("/devices").json(door).gives(201).holds(DEVICE).is(json!({
            "device_id": "door-n$n", "classroom_id": "1", "location": "north"
        })),
        get("/devices/{}").id("door-1").holds(DEVICE).is(json!({ "classroom_id": "Room 204" })),
        put("/devices/{}")
            .id("door-1")
            .json(json!({ "location": "north" }))
            .is(json!({ "location": "north" })),
        row("DELETE", "/devices/{}").fresh(Object::Device),
    ]
}

fn records() -> Vec<Row> {
    let captured = &["record_id", "predicted_student_id", "predicted_name", "confidence", "status"];
    let capture: &[(&str, &str)] = &[
        ("device_id", "door-1"),
        ("classroom_id", "Room 204"),
        ("timestamp", "2026-03-02T08:45:00Z"),
    ];
    let one = "/attendance/{}";
    let mark = json!({ "image": "$image", "subject_id": "$class" });
    let confirm =
        json!({ "subject_id": "$class", "present_students": ["STU1"], "absent_students": [] });
    vec![
        post("/capture").form(capture, "image", PHOTO).holds(captured).is(json!({
            "predicted_student_id": "STU1", "predicted_name": "Barack Obama"
        })),
        get("/attendance/pending").holds(RECORD).is(json!({ "review_status": "pending" })),
        get("/attendance")
            .query("status=pending&device_id=door-1")
            .holds(RECORD)
            .is(json!({ "review_status": "pending", "device_id": "door-1" })),
        get(one).fresh(Object::Record).holds(RECORD),
        post("/attendance/{}/review")
            .fresh(Object::Record)
            .json(json!({ "decision": "approve" }))
            .holds(RECORD)
            .is(json!({ "review_status": "approved", "reviewer_name": "The admin" })),
        row("DELETE", one).fresh(Object::Record),
        get("/attendance/today"),
        get("/attendance/by-class/{}").fresh(Object::Class),
        get("/attendance/summary/{}").fresh(Object::Class).is(json!({
            "total_students": 1, "present_students": 0, "date": "2026-03-02"
        })),
        post("/attendance/mark").json(mark).holds(&["faces"]).is(json!({ "count": 1 })),
        post("/attendance/confirm").json(confirm),
        post("/face/verify")
            .form(&[("class_id", "$class")], "file", PHOTO)
            .holds(&["confidence", "message"])
            .is(json!({ "recognized": true, "marked": false, "student_id": "STU1" })),
    ]
}

/// S2 says `/classes`, S0 says `/api/attendance/classes`.
fn classes() -> Vec<Row> {
    let both = |bare: &'static str, long: &'static str| {
        let class = json!({ "class_name": "Maths", "class_code": "C$n" });
        (bare, long, class)
    };
    let (some, long, class) = both("/classes", "/attendance/classes");
    let one = "/attendance/classes/{}";
    vec![
        post(some)
            .json(class.clone())
            .gives(201)
            .holds(CLASS)
            .is(json!({ "class_name": "Maths", "class_code": "C$n" })),
        post(long)
            .json(class)
            .gives(201)
            .holds(CLASS)
            .is(json!({ "class_name": "Maths", "class_code": "C$n" })),
        get(some).holds(CLASS).is(json!({ "class_code": "7B" })),
        get(long).holds(CLASS).is(json!({ "class_code": "7B" })),
        get("/classes/{}").fresh(Object::Class).holds(CLASS),
        get(one).fresh(Object::Class).holds(CLASS),
        put(one)
            .fresh(Object::Class)
            .json(json!({ "class_name": "Algebra" }))
            .is(json!({ "class_name": "Algebra" })),
        row("PATCH", one)
            .fresh(Object::Class)
            .json(json!({ "room": "204" }))
            .is(json!({ "room": "204" })),
        row("DELETE", one).fresh(Object::Class),
        post("/attendance/classes/{}/bulk-upload-students")
            .fresh(Object::Class)
            .form(&[("has_header", "true")], "file", "first_name,last_name,student_id\nA,B,B$n\n")
            .gives(201)
            .holds(&["created", "message"])
            .is(json!({ "total_created": 1, "total_skipped": 0, "skipped": [] })),
        get("/attendance/classes/{}/statistics").fresh(Object::Class).is(json!({
            "student_count": 1, "session_count": 0, "total_images": 0, "processed_images": 0,
            "unprocessed_images_count": 0, "total_face_crops": 0, "crops_with_embeddings": 0,
            "crops_without_embeddings": 0, "identified_faces": 0
        })),
        get("/attendance/classes/{}/attendance-report").fresh(Object::Class),
        job("/attendance/classes/{}/process-all-images", Object::Class, None),
        job("/attendance/classes/{}/generate-embeddings", Object::Class, None),
        job("/attendance/classes/{}/cluster-crops", Object::Class, Some(json!({}))),
        job("/attendance/classes/{}/auto-assign-all-crops", Object::Class, Some(json!({ "k": 5 }))),
        job("/attendance/classes/{}/suggest-assignments", Object::Class, Some(json!({}))),
        get("/attendance/classes/{}/suggest-assignments").fresh(Object::Class).is(suggested()),
    ]
}

/// Of something without photos.
fn suggested() -> Value {
    json!({ "crops": 0, "assigned": 0, "suggestions": [] })
}

/// Long work: 202 with a job.
fn job(key: &'static str, of: Object, body: Option<Value>) -> Row {
    let row = post(key).fresh(of).gives(202).holds(JOB);
    match body {
        Some(body) => row.json(body),
        None => row,
    }
}

fn sessions() -> Vec<Row> {
    let (some, one) = ("/attendance/sessions", "/attendance/sessions/{}");
    let session = json!({
        "class_id": "$class", "date": "2026-03-02", "start_time": "10:00", "end_time": "10:45"
    });
    let tool = |key, body| job(key, Object::Session, body);
    vec![
        post(some).json(session).gives(201).holds(&["id", "class_id"]),
        get(some),
        get(one).fresh(Object::Session).holds(&["id", "class_id"]),
        put(one)
            .fresh(Object::Session)
            .json(json!({ "name": "Algebra" }))
            .is(json!({ "name": "Algebra" })),
        row("PATCH", one)
            .fresh(Object::Session)
            .json(json!({ "name": "Sets" }))
            .is(json!({ "name": "Sets" })),
        row("DELETE", one).fresh(Object::Session),
        get("/attendance/sessions/{}/face-crops").fresh(Object::Session),
        tool("/attendance/sessions/{}/generate-embeddings", None),
        tool("/attendance/sessions/{}/cluster-crops", Some(json!({}))),
        tool("/attendance/sessions/{}/auto-assign-all-crops", Some(json!({}))),
        tool("/attendance/sessions/{}/suggest-assignments", Some(json!({}))),
        get("/attendance/sessions/{}/suggest-assignments").fresh(Object::Session).is(suggested()),
    ]
}

fn photos() -> Vec<Row> {
    let (some, one) = ("/attendance/images", "/attendance/images/{}");
    let crop = |row: Row| row.fresh(Object::Crop);
    let candidate = json!({ "candidate_crop_id": "$crop" });
    vec![
        post(some).form(&[("class_id", "$class")], "file", PHOTO).gives(201).holds(&["id"]),
        get(some).holds(&["id"]),
        get(one).fresh(Object::Image).holds(&["id"]),
        put(one).fresh(Object::Image).json(json!({})).holds(&["id"]),
        row("PATCH", one).fresh(Object::Image).json(json!({})).holds(&["id"]),
        row("DELETE", one).fresh(Object::Image),
        job("/attendance/images/{}/process-image", Object::Image, None),
        get("/attendance/images/{}/face_crops").fresh(Object::Image),
        get("/attendance/face-crops").holds(&["id"]),
        crop(get("/attendance/face-crops/{}")).holds(&["id"]),
        crop(post("/attendance/face-crops/{}/generate-embedding"))
            .is(json!({ "has_embedding": true })),
        crop(get("/attendance/face-crops/{}/similar-faces")),
        crop(post("/attendance/face-crops/{}/assign"))
            .json(json!({ "student_id": "STU1" }))
            .is(json!({ "student_id": "STU1", "is_identified": true })),
        crop(post("/attendance/face-crops/{}/assign-from-candidate")).json(candidate),
        crop(post("/attendance/face-crops/{}/unidentify")).is(json!({ "is_identified": false })),
    ]
}

fn figures() -> Vec<Row> {
    let span = "classId=$class&dateFrom=2026-01-01&dateTo=2026-03-31";
    vec![
        get("/analytics/attendance-trend").query(span).holds(&["classId"]).is(json!({
            "dateFrom": "2026-01-01", "dateTo": "2026-03-31", "data": []
        })),
        get("/analytics/monthly-summary").query("classId=$class").holds(&["data"]),
        get("/analytics/class-risk").is(json!({ "data": [] })),
        get("/analytics/global")
            .holds(&["overall_attendance", "top_subjects"])
            .is(json!({ "risk_count": 0 })),
    ]
}

fn hub() -> Vec<Row> {
    vec![
        get("/health").is(json!({ "status": "ok" })).open(),
        get("/").is(json!({ "status": "ok" })).open(),
        get("/docs").open(),
        get("/swagger").open(),
        get("/redoc").open(),
        get("/openapi.json")
            .holds(&["paths", "components"])
            .is(json!({ "openapi": "3.1.0" }))
            .open(),
    ]
}
