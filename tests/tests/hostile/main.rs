//! Files that people bring to do harm, against a real hub: each is answered in a sentence, the
//! hub's memory stays bounded, and whoever reviews meanwhile hardly notices.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "figures are for whoever reads the log")]

mod archives;
mod calendars;
mod forms;
mod packs;
mod pictures;
mod tables;

use house::client::Api;
use house::school::School;
use serde_json::{Value, json};
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Somebody's file, and where it is sent.
pub struct Hostile {
    what: &'static str,
    path: &'static str,
    kind: String,
    body: Vec<u8>,
}

const TABLE: &str = "/api/classes/7B/bulk-upload-students";
const ARCHIVE: &str = "/api/classes/7B/bulk-enroll";
const CALENDAR: &str = "/api/timetable/import";
const PICTURE: &str = "/api/enrollment";
/// MiB of memory that the hub may ever have had.
const MEMORY: u64 = 600;
/// Wide: the figure is printed, and a machine under test does much else.
const WAIT: Duration = Duration::from_secs(3);

impl Hostile {
    /// A form with this file, and what else its address wants.
    fn file(what: &'static str, path: &'static str, file: &[u8]) -> Self {
        let fields = match path {
            PICTURE => vec![("student_id", "S1"), ("consent_by", "nobody")],
            CALENDAR => vec![("class_id", "7B")],
            _ => vec![("consent_by", "nobody")],
        };
        let mut body = Vec::new();
        for (name, value) in fields {
            let part = format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend_from_slice(format!("{part}{value}\r\n").as_bytes());
        }
        body.extend_from_slice(
            b"--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n",
        );
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--x--\r\n");
        Self { what, path, kind: "multipart/form-data; boundary=x".into(), body }
    }
}

fn all() -> Vec<Hostile> {
    [tables::all(), calendars::all(), archives::all(), pictures::all(), forms::all()]
        .into_iter()
        .flatten()
        .collect()
}

/// The most memory the hub ever had, MiB.
fn peak(hub: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{hub}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
}

/// A sentence for a person: some words, somewhere in the answer.
fn sentence(answer: &Value) -> Option<&str> {
    let says = |key: &str| answer[key].as_str().filter(|text| text.split(' ').count() > 3);
    ["detail", "message"].into_iter().find_map(says)
}

/// Throws one, and what the hub says: for work that goes on, what becomes of it.
fn thrown(admin: &Api, hostile: &Hostile) -> (u16, String) {
    let sent = admin.throw(hostile.path, &hostile.kind, hostile.body.clone());
    let (status, answer) = sent.unwrap_or_else(|why| panic!("{}: {why:#}", hostile.what));
    let Some(job) = answer["id"].as_str().filter(|_| status == 202) else {
        return (status, sentence(&answer).map_or_else(|| answer.to_string(), str::to_owned));
    };
    for _ in 0..600 {
        let job = admin.get(&format!("/api/jobs/{job}")).unwrap();
        if !matches!(job["state"].as_str(), Some("queued" | "running")) {
            return (status, job.to_string());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{} is never done", hostile.what);
}

/// What a reviewer waits for a page until `done`, sorted.
fn review(api: &Api, done: &AtomicBool) -> Vec<Duration> {
    let mut waits = Vec::new();
    while !done.load(Ordering::Relaxed) {
        let begun = Instant::now();
        api.get("/api/attendance/pending?limit=50").unwrap();
        waits.push(begun.elapsed());
        std::thread::sleep(Duration::from_millis(20));
    }
    waits.sort_unstable();
    waits
}

/// What is meant well is taken, in the very same way.
fn honest(admin: &Api) {
    let face = fs::read(house::portraits().join("obama.jpg")).unwrap();
    let event = calendars::event("RRULE:FREQ=WEEKLY");
    let files = [
        Hostile::file("a table", TABLE, b"first_name,last_name,student_id\nAli,Rezaei,S1\n"),
        Hostile::file("a workbook", TABLE, &tables::honest()),
        Hostile::file("a calendar", CALENDAR, event.as_bytes()),
        Hostile::file("a picture", PICTURE, &face),
        Hostile::file("an archive", ARCHIVE, &archives::zip(&[("S1.jpg", &face)])),
    ];
    for file in files {
        let (status, answer) = thrown(admin, &file);
        assert!((200..300).contains(&status), "{}: {status} {answer}", file.what);
    }
}

#[test]
fn forty_hostile_files_are_answered_in_sentences_and_hurt_nobody() {
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    let school = School::found(dir.path()).unwrap();
    let hub = school.open().unwrap();
    let admin = school.admin().unwrap();
    admin.post("/api/classes", &json!({ "class_name": "7b", "class_code": "7B" })).unwrap();
    admin.post("/api/students", &json!({ "student_number": "S1", "full_name": "A B" })).unwrap();
    honest(&admin);
    let (files, done, said) = (all(), AtomicBool::new(false), Mutex::new(Vec::new()));
    let count = files.len();
    assert!(count >= 40, "there are {count}");
    let todo = Mutex::new(files);
    let waits = std::thread::scope(|scope| {
        let reviewer = scope.spawn(|| review(&school.admin().unwrap(), &done));
        let throwers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let admin = school.admin().unwrap();
                    while let Some(file) = { todo.lock().unwrap().pop() } {
                        let begun = Instant::now();
                        let (status, answer) = thrown(&admin, &file);
                        said.lock().unwrap().push((file.what, status, answer, begun.elapsed()));
                    }
                })
            })
            .collect();
        let thrown: Vec<_> = throwers.into_iter().map(|thrower| thrower.join()).collect();
        done.store(true, Ordering::Relaxed);
        thrown.into_iter().for_each(|thrown| thrown.unwrap());
        reviewer.join().unwrap()
    });
    let said = said.into_inner().unwrap();
    for (what, status, answer, took) in &said {
        println!("{what}: {status} in {took:.1?}: {}", &answer[..answer.floor_char_boundary(200)]);
    }
    let p99 = waits[(waits.len() - 1) * 99 / 100];
    let peak = peak(hub.id());
    println!("hub peak RSS {peak} MiB; a reviewer's page p99 {p99:.1?} of {}", waits.len());
    assert_eq!(said.len(), count);
    for (what, status, answer, _) in &said {
        assert!((200..500).contains(status) || *status == 503, "{what}: {status} {answer}");
        let said = *status < 300 || answer.split(' ').count() > 3;
        assert!(said && !answer.contains("panic"), "{what}: {answer}");
    }
    assert!(peak < MEMORY, "the hub took {peak} MiB");
    assert!(p99 < WAIT, "a reviewer waited {p99:?}");
    admin.get("/ready").unwrap();
}
