//! A year and more, as clocks go.

use crate::work::{Work, is, knows, pki, until};
use house::rig::DOOR;
use house::school::{School, wall};
use house::shift::Shift;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};
use wire::time::SystemClock;
use wire::{Clock as _, Wall};

const DAY_MS: i64 = 24 * 3600 * 1000;
/// How long it lasts; the machine's clock is that of the last day.
const DAYS: i64 = 380;
/// So many days pass at once.
const STEP: usize = 20;
/// A door that heard the time first renews within this.
const SOON: Duration = Duration::from_secs(8);
/// Records in a second: all that are ever made stay at the hub.
const RATE: u32 = 50;

/// A school at work on day 0; nothing where its clock cannot be moved.
fn begin(dir: &Path) -> Option<(Work, Shift)> {
    let Some(clock) = Shift::new(dir) else {
        println!("skipped: a year as clocks go: the package faketime is not installed");
        return None;
    };
    clock.days(-DAYS).unwrap();
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let school = School::found_by(dir, Some(clock.clone())).unwrap();
    let work = Work::at(school, dir, RATE);
    let api = work.school().admin().unwrap();
    let ever = serde_json::json!({ "pending_days": null, "logged_days": null });
    api.put("/api/retention", &ever).unwrap();
    Some((work, clock))
}

/// On day `day` an admin says that so much time did pass.
fn pass(work: &mut Work, clock: &Shift, day: i64) {
    work.reopen(|school| {
        clock.days(day - DAYS).unwrap();
        school.hub(&["clock", "confirm"]).unwrap();
    });
}

fn today(day: i64) -> Wall {
    SystemClock.wall().plus_ms((day - DAYS) * DAY_MS)
}

/// The certificate on a door's card, and for how many days it is good after `day`.
fn certificate(card: &Path, day: i64) -> (String, i64) {
    let pem = knows(card, "certificate_pem").as_str().unwrap().to_owned();
    let ends = rollcall_edge::tls::validity(&pem).unwrap().to;
    (pem, (ends.0 - today(day).0) / DAY_MS)
}

/// The same of the hub's own, by its end.
fn shown(work: &Work, day: i64) -> (i64, i64) {
    let ends = pki(work.school()).life().unwrap().to.0;
    (ends, (ends - today(day).0) / DAY_MS)
}

/// The door gets a certificate that lasts. It looks each hour and when it hears something: where it
/// looked before it knew the time it is told something new.
fn lasts(work: &Work, card: &Path, day: i64) {
    let (start, is_renewed) = (Instant::now(), || certificate(card, day).1 > 30);
    while !is_renewed() && start.elapsed() < SOON {
        std::thread::sleep(Duration::from_millis(50));
    }
    if !is_renewed() {
        work.rotate("gallery");
    }
    until("a certificate that lasts", is_renewed);
}

#[test]
fn by_day_380_the_hub_has_renewed_its_certificate_doors_followed_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let Some((mut work, clock)) = begin(dir.path()) else { return };
    let door = work.school().door("door-1", &wall(dir.path()).unwrap()).unwrap();
    let mut edge = door.open().unwrap();
    let cards = [work.rig.card().to_owned(), door.data()];
    let (mut of_doors, mut of_hub) = ([BTreeSet::new(), BTreeSet::new()], BTreeSet::new());
    for day in (0..=DAYS).step_by(STEP) {
        if day > 0 {
            pass(&mut work, &clock, day);
        }
        for (card, seen) in cards.iter().zip(&mut of_doors) {
            lasts(&work, card, day);
            seen.insert(certificate(card, day).0);
        }
        until("the hub's own", || shown(&work, day).1 > 132);
        of_hub.insert(shown(&work, day).0);
        ["door-1", DOOR].into_iter().for_each(|name| is(work.school(), name, "online"));
        work.goes_on();
    }
    // Every 60 days, and once after 266.
    assert_eq!((of_doors.map(|all| all.len()), of_hub.len()), ([7, 7], 2));
    edge.until("its own process", crate::work::LIMIT, || door.status().ok()).unwrap();
    edge.stop().unwrap();
    work.close(2);
}

#[test]
fn a_door_whose_certificate_ended_meanwhile_is_refused_and_joins_again_with_all_it_kept() {
    let dir = tempfile::tempdir().unwrap();
    let Some((mut work, clock)) = begin(dir.path()) else { return };
    let first = shown(&work, 0).0;
    work.reopen(|_| clock.days(0).unwrap());
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(shown(&work, DAYS).0, first, "nobody said that so much time did pass");
    pass(&mut work, &clock, DAYS);
    until("the hub's own", || shown(&work, DAYS).1 > 132);
    let card = work.rig.card().to_owned();
    assert!(certificate(&card, DAYS).1 < 0);
    is(work.school(), DOOR, "offline");
    work.join_again();
    is(work.school(), DOOR, "online");
    work.close(2);
}
