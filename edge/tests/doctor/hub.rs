//! Who the door is for its hub, and the way there.

use crate::hubs::{Authority, Days, Manner, hub, nobody, talker};
use crate::unit::{GOOD, Said, Unit, said};
use rollcall_edge::doctor::Ailment as A;
use std::fs;

#[test]
fn a_unit_that_has_not_joined_is_told_how() {
    let said = said(A::IdentityMissing, "run rollcall-edge join", "device add");
    Unit::new().planted(|unit| fs::remove_file(unit.data().join("identity.json")).unwrap(), &said);
}

#[test]
fn a_unit_with_an_invitation_is_well_and_one_with_half_of_it_is_not() {
    let half = said(A::InvitationHalf, "is damaged", "copy it whole");
    let half = Said { also: &[A::IdentityMissing], ..half };
    let invite = |unit: &Unit, text: &str| {
        let _ = fs::remove_file(unit.data().join("identity.json"));
        fs::write(unit.path("invitation"), text).unwrap();
    };
    let unit = Unit::new();
    invite(&unit, "hub = \"https://hub:8443\"\ntoken = \"t\"");
    unit.planted(|unit| invite(unit, "hub = \"https://hub:8443\""), &half);
}

#[test]
fn a_damaged_identity_needs_another_join() {
    let said = said(A::IdentityDamaged, "is damaged", "device add");
    Unit::new().planted(|unit| fs::write(unit.data().join("identity.json"), "{").unwrap(), &said);
}

#[test]
fn a_certificate_that_ended_needs_another_join() {
    let ended = said(A::CertificateEnded, "“door-1” ended 2", "device add");
    // Such a door the hub takes no more.
    let ended = Said { also: &[A::HubRefuses], ..ended };
    let plant = |unit: &mut Unit| {
        let hub = || Manner::of(&unit.authority);
        unit.join(Days { from: -91, to: -1 }, hub(), hub());
    };
    Unit::new().planted(plant, &ended);
}

/// A certificate whose renewal is due, at a daemon that could not.
fn due(to: i64) -> impl FnOnce(&mut Unit) {
    move |unit| {
        let hub = || Manner::of(&unit.authority);
        unit.join(Days { from: to - 90, to }, hub(), hub());
        unit.status.lock().unwrap().certificate_trouble = "the hub gave no new one".into();
    }
}

#[test]
fn a_certificate_that_ends_soon_says_why_it_was_not_renewed() {
    let said =
        said(A::CertificateSoon, "days, and was not renewed: the hub gave", "asks each hour");
    Unit::running().planted(due(9), &said);
}

#[test]
fn a_certificate_that_is_due_and_was_refused_is_a_fault_before_it_is_urgent() {
    let said =
        said(A::CertificateKept, "more days, and was not renewed: the hub gave", "HTTPS port");
    Unit::running().planted(due(25), &said);
}

#[test]
fn a_hub_whose_name_nobody_knows_is_told_from_one_that_is_off() {
    let said = said(A::NameUnknown, "“hub.invalid” is not found", "/etc/hosts");
    let elsewhere = |unit: &mut Unit| unit.join_at(GOOD, "hub.invalid:8883", nobody());
    Unit::new().planted(elsewhere, &said);
}

#[test]
fn a_closed_port_is_the_hubs_or_the_firewalls() {
    let said = said(A::HubClosed, "does not answer on its MQTT port", "firewall");
    let closed = |unit: &mut Unit| unit.join_at(GOOD, &format!("localhost:{}", nobody()), nobody());
    Unit::new().planted(closed, &said);
}

#[test]
fn of_two_ports_the_closed_one_is_named() {
    let said = said(A::HubClosed, "does not answer on its HTTPS port", "8444");
    let half = |unit: &mut Unit| {
        let port = hub(Manner::of(&unit.authority), true);
        unit.join_at(GOOD, &format!("localhost:{port}"), nobody());
    };
    Unit::new().planted(half, &said);
}

#[test]
fn a_hub_of_another_authority_is_not_the_one_that_was_joined() {
    let said = said(A::HubStranger, "not the hub that this door joined", "join again");
    let other = |unit: &mut Unit| {
        let shows = Manner::of(&Authority::new()).shows;
        let of = |shows| Manner { shows, ..Manner::of(&unit.authority) };
        unit.join(GOOD, of(shows), Manner::of(&unit.authority));
    };
    Unit::new().planted(other, &said);
}

/// A hub that shows a certificate for `name` and those days.
fn shows(name: &'static str, days: Days) -> impl FnOnce(&mut Unit) {
    move |unit| {
        let well = || Manner::of(&unit.authority);
        let shows = unit.authority.sign(name, days);
        unit.join(GOOD, Manner { shows, ..well() }, well());
    }
}

#[test]
fn a_hub_with_another_name_in_its_certificate_is_told_to_make_one() {
    let said = said(A::HubOtherName, "not for the name “localhost”", "--name localhost");
    Unit::new().planted(shows("hub.other", GOOD), &said);
}

#[test]
fn a_hub_whose_certificate_ended_says_to_look_at_the_clock_first() {
    let said = said(A::HubTime, "is not good now", "see “clock”");
    Unit::new().planted(shows("localhost", Days { from: -90, to: -3 }), &said);
}

#[test]
fn a_door_that_was_cut_off_is_told_to_join_again() {
    let said = said(A::HubRefuses, "does not take this door's certificate", "device token");
    let cut_off = |unit: &mut Unit| {
        let of = || Manner::of(&unit.authority).taking(&Authority::new());
        unit.join(GOOD, of(), of());
    };
    Unit::new().planted(cut_off, &said);
}

#[test]
fn something_else_at_the_hubs_port_is_found() {
    let said = said(A::HubNoTls, "something else than the hub answers", "a proxy");
    let proxy = |unit: &mut Unit| {
        let port = talker("HTTP/1.0 400 Bad Request\r\n\r\n");
        unit.join_at(GOOD, &format!("localhost:{port}"), port);
    };
    Unit::new().planted(proxy, &said);
}
