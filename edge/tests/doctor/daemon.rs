//! What the daemon says when it is asked, and how it is when it cannot be.

use crate::unit::{Unit, names, said};
use nix::unistd::{Uid, chown};
use rollcall_edge::doctor::Ailment as A;
use rollcall_edge::status::{Lack, Road, Stock};
use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;

const DAY_MS: i64 = 86_400_000;

#[test]
fn a_daemon_that_answers_nonsense_is_to_be_restarted() {
    let said = said(A::DaemonStuck, "cannot be asked", "systemctl restart");
    let nonsense = |unit: &mut Unit| {
        unit.end();
        let listener = UnixListener::bind(unit.data().join("control.sock")).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = { stream }.write_all(b"hello\n");
            }
        });
    };
    Unit::running().planted(nonsense, &said);
}

#[test]
fn a_daemon_that_may_not_be_asked_wants_root() {
    let unit = Unit::running();
    let socket = unit.data().join("control.sock");
    fs::set_permissions(unit.path(""), Permissions::from_mode(0o755)).unwrap();
    assert!(unit.named(&["daemon"]).is_empty());
    // Root acts as the owner of the data, who may then not open it.
    if Uid::effective().is_root() {
        chown(&unit.data(), Some(Uid::from_raw(65_534)), None).unwrap();
    }
    fs::set_permissions(&socket, Permissions::from_mode(0o000)).unwrap();
    let named = unit.named(&["daemon"]);
    assert!(named.contains(&A::DaemonRefuses.name().to_owned()), "{named:?}");
}

#[test]
fn a_daemon_that_systemd_starts_again_and_again_is_counted() {
    let unit = Unit::running();
    let asked = |count: u32| {
        let tools = unit.path("tools");
        fs::create_dir_all(&tools).unwrap();
        let script = format!("#!/bin/sh\necho Result=watchdog\necho NRestarts={count}\n");
        fs::write(tools.join("systemctl"), script).unwrap();
        fs::set_permissions(tools.join("systemctl"), Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
        names(&unit.command(&["doctor", "--json", "restarts"]).env("PATH", path).output().unwrap())
    };
    assert_eq!(asked(2), Vec::<String>::new());
    assert_eq!(asked(9), [A::Restarts.name()]);
}

#[test]
fn an_outbox_that_takes_nothing_says_what_is_lost_with_the_power() {
    let said = said(A::OutboxStuck, "2 passages wait in memory", "lost with the power");
    let stuck = |unit: &mut Unit| {
        unit.status.lock().unwrap().outbox_trouble = "2 passages wait in memory".into()
    };
    Unit::running().planted(stuck, &said);
}

#[test]
fn an_outbox_that_is_nearly_full_says_how_much_waits() {
    let said = said(A::OutboxFull, "85 % full: 425000 records", "reach its hub");
    let stock = Stock { waiting: 425_000, since: None, full: 85 };
    Unit::running().planted(|unit| unit.status.lock().unwrap().stock = stock, &said);
}

#[test]
fn records_that_wait_for_days_at_a_hub_that_is_reached_are_the_hubs_to_explain() {
    let said = said(A::OutboxWaits, "7 records wait, the oldest for 3 days", "page Care");
    let wait = |unit: &mut Unit| {
        let since = Some(unit.now.plus_ms(-3 * DAY_MS - 1));
        unit.status.lock().unwrap().stock = Stock { waiting: 7, since, full: 0 };
    };
    Unit::running().planted(wait, &said);
}

#[test]
fn a_unit_that_is_too_slow_says_what_makes_it_faster() {
    let said = said(A::TooSlow, "80 of 400 bursts were dropped", "--bench");
    Unit::running().planted(|unit| unit.status.lock().unwrap().counts.dropped_bursts = 80, &said);
}

#[test]
fn a_hub_that_says_what_this_program_does_not_know_is_newer() {
    let said = said(A::HubNewer, "said 4 things", "update this door");
    Unit::running().planted(|unit| unit.status.lock().unwrap().way.strange = 4, &said);
}

#[test]
fn a_link_that_does_not_come_about_says_why() {
    let said = said(A::LinkDown, "the hub hung up (NotAuthorized)", "log");
    let down = |unit: &mut Unit| {
        let trouble = "the hub hung up (NotAuthorized)".into();
        unit.status.lock().unwrap().way = Road { online: false, trouble, ..Road::default() };
    };
    Unit::running().planted(down, &said);
}

/// A door whose gallery is `version`, with this trouble.
fn gallery(version: u64, lack: Option<Lack>, why: &'static str) -> impl FnOnce(&mut Unit) {
    move |unit| {
        let mut status = unit.status.lock().unwrap();
        status.gallery = version;
        status.gallery_lack = lack;
        status.gallery_trouble = why.into();
    }
}

#[test]
fn a_door_without_a_gallery_knows_nobody() {
    let said = said(A::GalleryNone, "no gallery, so the door knows nobody", "students enrolled");
    Unit::running().planted(gallery(0, None, ""), &said);
}

#[test]
fn a_gallery_of_nobody_says_who_has_to_be_enrolled() {
    let said = said(A::GalleryNone, "release 3 has nobody in it", "enrol students");
    Unit::running().planted(|unit| unit.status.lock().unwrap().people = 0, &said);
}

#[test]
fn a_gallery_whose_lease_is_over_comes_back_with_the_hub() {
    let said = said(A::GalleryLease, "lease of the gallery is over", "renews it at once");
    Unit::running().planted(gallery(0, Some(Lack::Lease), "the lease is over"), &said);
}

#[test]
fn a_gallery_whose_key_is_at_a_hub_that_is_away_says_where_else_it_could_be() {
    let said = said(A::GalleryKey, "the key of the gallery is at the hub", "key = \"disk\"");
    Unit::running().planted(gallery(0, Some(Lack::Key), "the hub could not be asked"), &said);
}

#[test]
fn a_gallery_for_another_network_is_told_from_one_that_did_not_come() {
    let said = said(A::GalleryModel, "for another network than this door has", "sends the network");
    Unit::running().planted(gallery(0, Some(Lack::Model), "it is for model “arc-1”"), &said);
}

#[test]
fn a_gallery_that_is_kept_in_use_says_why_the_next_is_not() {
    let said = said(A::GalleryOld, "release 3 is kept in use: it did not come", "by itself");
    Unit::running().planted(gallery(3, Some(Lack::Missing), "it did not come"), &said);
}
