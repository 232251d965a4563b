//! A small school for tests of all rooms: classes, lessons, marks, and people as doors know them.

use crate::consent::ConsentSaid;
use crate::cursor::signed;
use crate::reader::Reader;
use crate::{Database, Tx, class, consent, mark, params, release, session, student, transfer};
use jiff::civil::{Date, date};
use rules::attendance::{Mark, Source, Status};
use rules::auth::{Actor, Role};
use rules::error::Error;
use uuid::Uuid;
use wire::record::{CameraState, Watch};
use wire::{Mono, StudentId, Wall};

const NOW: Wall = Wall(1_772_441_130_000);

/// Somebody who may see everything.
pub fn admin() -> Reader {
    Reader { actor: Actor { user: Uuid::nil(), role: Role::Admin }, today: date(2026, 3, 2) }
}

/// A class and its students `CODE-0`, `CODE-1` …
pub fn class_of(tx: &Tx<'_>, code: &str, students: usize) -> (Uuid, Vec<StudentId>) {
    let class =
        class::add(tx, &format!("Class {code}"), code, None, "t", NOW).expect("a sample row");
    let enter = |n| {
        let profile = student::StudentProfile {
            student_number: format!("{code}-{n}"),
            first_name: format!("First{n}"),
            last_name: "Of".to_owned() + code,
            ..student::StudentProfile::default()
        };
        let id = student::add(tx, profile, "t", NOW).expect("a sample row");
        class::add_member(tx, class, id, "t", NOW).expect("a sample row");
        id
    };
    (class, (0..students).map(enter).collect())
}

/// A lesson of `class` on `day`, in the hour `hour` UTC.
pub fn lesson(tx: &Tx<'_>, class: Uuid, day: Date, hour: i8) -> Uuid {
    let starts = day.at(hour, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).expect("a sample row");
    let starts = Wall(starts.timestamp().as_millisecond());
    let id = wire::id::v7(NOW);
    let row = session::Session {
        id,
        class,
        name: "Lesson".into(),
        day,
        starts,
        ends: starts.plus_ms(45 * 60_000),
        late_after: starts.plus_ms(10 * 60_000),
        room: "204".into(),
        source: rules::timetable::Source::Manual,
        period: None,
        closed_at: None,
        version: 1,
    };
    session::add(tx, &row).expect("a sample row");
    id
}

/// A mark without a sighting.
pub fn marked(tx: &Tx<'_>, session: Uuid, student: StudentId, status: Status, by: Source) {
    let mark = Mark {
        status,
        source: by,
        sighting: None,
        arrived_at: None,
        by: "hub".into(),
        at: NOW,
        notes: None,
        version: 1,
    };
    mark::put(tx, session, student, &mark).expect("a sample row");
}

/// What a door says that could recognise everybody in release 1 of model `m-1`, from `since` on.
pub fn sees(since: Mono, usable_ms: u64) -> Watch {
    Watch {
        since,
        usable_ms,
        blind: vec![],
        camera: CameraState::Watching,
        disk_free_mb: 20_000,
        gallery: 1,
        model: "m-1".parse().expect("a plain name"),
        fired: 9,
        looks: 20,
        dropped: 0,
        refused: 0,
        err_ms: Some(40),
    }
}

/// Lets everybody of `people` consent and be enrolled, by model `m-1`.
pub fn enrol(tx: &Tx<'_>, people: &[StudentId], at: Wall) -> Result<(), Error> {
    for (n, student) in people.iter().enumerate() {
        consent::add(tx, *student, &ConsentSaid::yes("t"), "t", at)?;
        let sql = "insert into enrolment (id, student, model, source, quality, template,
                 is_active, created_at, created_by, version)
             values ($1, $2, 'm-1', 'photo', '{}', x'00', 1, $3, 't', 1)";
        let id = uuid::Uuid::from_u128(u128::from(student.0.as_u64_pair().1) << 16 | n as u128);
        tx.execute(sql, params![id.to_string(), student.to_string(), at.0])?;
    }
    Ok(())
}

/// From now on `body` happens at each change `when` (such as `before insert on mark`) for which
/// `holds`. Blocking.
pub fn trigger(place: &Database, (name, when): (&str, &str), holds: &str, body: &str) {
    let made = match place {
        Database::File(_) => {
            vec![format!("create trigger {name} {when} when {holds} begin {body}; end")]
        }
        Database::Server(_) => vec![
            format!(
                "create function {name}() returns trigger language plpgsql as $$ begin
                 if {holds} then {body}; end if; return coalesce(new, old); end $$"
            ),
            format!("create trigger {name} {when} for each row execute function {name}()"),
        ],
    };
    transfer::beside(place, made).expect("a trigger");
}

/// From now on each change `when` fails for which `holds`, as if this program had a bug. Blocking.
pub fn poison(place: &Database, (name, when): (&str, &str), holds: &str) {
    let fail = match place {
        Database::File(_) => "select raise(abort, 'a bug, on purpose')",
        Database::Server(_) => "raise exception 'a bug, on purpose'",
    };
    trigger(place, (name, when), holds, fail);
}

/// Takes the trigger of `table` away. Blocking.
pub fn mend(place: &Database, name: &str, table: &str) {
    let gone = match place {
        Database::File(_) => vec![format!("drop trigger {name}")],
        Database::Server(_) => {
            vec![format!("drop trigger {name} on {table}"), format!("drop function {name}()")]
        }
    };
    transfer::beside(place, gone).expect("a trigger");
}

/// Gives `door` a release that holds `people`.
pub fn hold(tx: &Tx<'_>, door: &str, version: u64, people: &[StudentId]) -> Result<(), Error> {
    let blake3 = *blake3::hash(format!("{door} {version}").as_bytes()).as_bytes();
    let sql = "insert into gallery_release (device, version, created_at, expires_at, people,
             blake3, signed) values ($1, $2, $3, $3, 1, $4, x'00')";
    tx.execute(sql, params![door, signed(version), NOW.0, blake3.to_vec()])?;
    release::remember(tx, &blake3, people, NOW)
}
