//! `doctor` and its faults: each is planted for real at a unit where all is well, and named.
//!
//! A unit lies in a folder of its own, with a hub that shows a certificate, a camera that is a
//! program, and a daemon's socket. What only a kernel can refuse is planted in a mount namespace
//! of its own, around the real program.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod bench;
mod board;
mod camera;
mod daemon;
mod hub;
mod hubs;
mod papers;
mod place;
mod unit;

use rollcall_edge::doctor::Ailment;
use unit::Unit;

#[test]
fn a_unit_that_is_well_has_no_fault_with_its_daemon_and_without() {
    assert_eq!(Unit::new().ailments(), []);
    assert_eq!(Unit::running().ailments(), []);
}

#[test]
fn the_program_ends_with_0_where_all_is_well_and_with_1_where_something_is_not() {
    let unit = Unit::running();
    let well = unit.program(&["doctor"]);
    let page = String::from_utf8(well.stdout).unwrap();
    assert!(well.status.success() && page.ends_with("everything is well\n"), "{page}");
    std::fs::remove_file(unit.data().join("identity.json")).unwrap();
    let ill = unit.program(&["doctor"]);
    let page = String::from_utf8(ill.stdout).unwrap();
    assert_eq!(ill.status.code(), Some(1), "{page}");
    assert!(page.contains("FAULT  identity:") && page.ends_with("1 fault: identity\n"), "{page}");
}

#[test]
fn the_same_as_json_names_each_fault() {
    let unit = Unit::running();
    assert_eq!(unit.named(&[]), Vec::<String>::new());
    std::fs::write(unit.data().join("identity.json"), "{").unwrap();
    assert_eq!(unit.named(&[]), [Ailment::IdentityDamaged.name()]);
}
