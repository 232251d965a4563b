//! The board: heat, supply, memory, clock, lines.

use crate::hubs::Manner;
use crate::unit::{GOOD, Said, Unit, models, said};
use rollcall_edge::doctor::Ailment as A;
use wire::Wall;

const MEMORY: &str = "MemAvailable: 2048000 kB";

#[test]
fn a_board_that_is_too_hot_needs_a_heat_sink() {
    let said = said(A::Hot, "at 85 °C and slows itself down", "heat sink");
    Unit::new().planted(|unit| unit.board("85000", "0", MEMORY), &said);
}

#[test]
fn a_supply_that_sagged_needs_another_one() {
    let said = said(A::SupplySags, "sagged since the board was switched on", "short cable");
    Unit::new().planted(|unit| unit.board("51000", "50000", MEMORY), &said);
}

#[test]
fn a_processor_that_is_slowed_down_says_where_to_look() {
    let said = said(A::Slowed, "slowed down", "look at “heat”");
    Unit::new().planted(|unit| unit.board("60000", "8", MEMORY), &said);
}

#[test]
fn a_board_whose_memory_is_taken_says_what_the_system_may_do() {
    let said =
        said(A::MemoryShort, "40 MiB are free: the system may end programs", "end what else");
    Unit::new().planted(|unit| unit.board("51000", "0", "MemAvailable: 40960 kB"), &said);
}

#[test]
fn a_clock_that_is_not_set_is_told_from_one_that_is() {
    let said = said(A::ClockUnset, "not set", "time server");
    Unit::new().planted(|unit| unit.now = Wall(5_000), &said);
}

#[test]
fn a_clock_far_from_the_hubs_is_found_by_the_hubs_answer() {
    let said = said(A::ClockFar, "10 minutes behind the hub's", "timesync");
    let later = |unit: &mut Unit| {
        let hub = || Manner::of(&unit.authority);
        unit.join(GOOD, hub(), Manner { ahead_ms: 605_000, ..hub() });
    };
    Unit::new().planted(later, &said);
}

#[test]
fn a_clock_far_from_the_hubs_is_found_by_what_the_daemon_was_told() {
    let said = said(A::ClockFar, "3 hours ahead of the hub's", "timesync");
    let early = |unit: &mut Unit| unit.status.lock().unwrap().way.ahead_ms = Some(3 * 3_600_000);
    Unit::running().planted(early, &said);
}

#[test]
fn a_line_on_a_machine_that_is_no_pi_is_told_to_be_taken_out() {
    let said = said(A::NoPi, "no Raspberry Pi", "take [trigger.gpio] and [signal] out");
    let line = |unit: &mut Unit| {
        unit.write(&format!("models = {:?}", models()), "[trigger.gpio]\nline = 25");
    };
    Unit::new().planted(line, &said);
}

#[test]
fn one_line_for_a_button_or_barrier_and_a_light_is_said_with_both_its_uses() {
    for (key, lines) in [("line", "line = 18"), ("inner", "line = 25\ninner = 18")] {
        let both = format!("[trigger.gpio] {key} and [signal] green");
        let said = Said { also: &[A::NoPi], ..said(A::LineTwice, &both, "a line of its own") };
        let line = |unit: &mut Unit| {
            let lines = format!("[trigger.gpio]\nedge = \"rising\"\n{lines}\n[signal]\ngreen = 18");
            unit.write(&format!("models = {:?}", models()), &lines);
        };
        Unit::new().planted(line, &said);
    }
}

#[test]
fn a_line_that_the_daemon_may_not_watch_is_said_by_the_daemon() {
    let said = said(A::LineUnwatched, "line 25 cannot be used", "restart the daemon");
    let trouble = |unit: &mut Unit| {
        let lines = "[trigger.motion]\n[trigger.gpio]\nline = 25";
        unit.write(&format!("models = {:?}", models()), lines);
        unit.status.lock().unwrap().line_trouble = "GPIO line 25 cannot be used: …".into();
    };
    Unit::running().planted(trouble, &said);
}

#[test]
fn a_door_that_nothing_makes_look_is_told_what_could() {
    let said = said(A::NothingLooks, "nothing makes the door look", "[trigger.motion]");
    let nothing = |unit: &mut Unit| unit.write(&format!("models = {:?}", models()), "");
    Unit::new().planted(nothing, &said);
}
