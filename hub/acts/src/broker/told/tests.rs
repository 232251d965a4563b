use super::super::topics::tests::topics;
use super::*;
use crate::doors::boards::Board;
use crate::doors::list::listed;
use crate::doors::state::tests::{NOW, well};
use wire::ClockState;
use wire::care::Condition;
use wire::link::Vitals;

const PAGES: &str = "https://hub.school.test:8443";

/// A door that is well, with everything it may say of itself.
fn door(name: &str) -> DoorListed {
    let mut known = well();
    known.device.id = name.parse().unwrap();
    known.device.room = "B2.04".into();
    known.device.location = "beside the office of Mr Weaver".into();
    known.device.software = "0.1.0".into();
    let boards = crate::doors::boards::Boards::default();
    let all = listed(vec![known], &boards, &"m-1".parse().unwrap(), (NOW, Mono(0)));
    let board = Board { vitals: Some(vitals()), condition: Some(condition()) };
    DoorListed { board, ..all.into_iter().next().unwrap() }
}

fn vitals() -> Vitals {
    Vitals {
        celsius: Some(61),
        sagged: Some(false),
        slowed: Some(false),
        memory_free_mb: Some(412),
        up_s: Some(9),
    }
}

fn condition() -> Condition {
    Condition {
        focus: Some(50),
        light: Some(120),
        waiting: 3,
        dropped_looks: 0,
        dropped_frames: 7,
        clock: ClockState::Ntp,
        clock_err_ms: Some(4),
        disk_free_mb: 9_001,
    }
}

/// Topics of what is said at `seconds`, without their beginnings; what is cleared has a `-`.
fn look(told: &mut Told, doors: &[DoorListed], seconds: u64) -> Vec<String> {
    let news = told.look(&topics(), doors, PAGES, (NOW, Mono(seconds * 1_000)));
    let short = |kept: &Kept| {
        let end: Vec<_> = kept.topic.rsplit('/').take(2).collect();
        format!("{}{} {}", if kept.payload.is_empty() { "-" } else { "" }, end[1], end[0])
    };
    news.iter().map(short).collect()
}

#[test]
fn a_door_is_announced_once_and_said_again_when_it_changes() {
    let mut told = Told::default();
    let mut doors = [door("door-1")];
    assert_eq!(look(&mut told, &doors, 0), ["door-1 config", "door-1 state"]);
    assert_eq!(look(&mut told, &doors, 60), [""; 0], "nothing changed");
    doors[0].known.device.room = "B2.05".into();
    assert_eq!(look(&mut told, &doors, 61), ["door-1 config"]);
    doors[0].board.vitals = Some(Vitals { celsius: Some(62), ..vitals() });
    assert_eq!(look(&mut told, &doors, 62), ["door-1 state"]);
}

#[test]
fn figures_wait_and_what_is_wrong_does_not() {
    let mut told = Told::default();
    let mut doors = [door("door-1")];
    look(&mut told, &doors, 0);
    doors[0].board.vitals = Some(Vitals { celsius: Some(62), ..vitals() });
    assert_eq!(look(&mut told, &doors, 24), [""; 0]);
    doors[0].known.device.online = false;
    assert_eq!(look(&mut told, &doors, 24), ["door-1 state"]);
    doors[0].states = vec![crate::doors::state::DoorState::Blind];
    assert_eq!(look(&mut told, &doors, 25), ["door-1 state"]);
    doors[0].known.device.gallery = 5;
    assert_eq!(look(&mut told, &doors, 49), [""; 0]);
    assert_eq!(look(&mut told, &doors, 50), ["door-1 state"]);
}

#[test]
fn what_is_a_door_no_more_is_cleared_also_where_an_earlier_life_announced_it() {
    let mut told = Told::default();
    let doors = [door("door-1"), door("door-2")];
    look(&mut told, &doors, 0);
    assert_eq!(look(&mut told, &doors[..1], 1), ["-door-2 config", "-door-2 state"]);
    assert_eq!(look(&mut told, &doors[..1], 2), [""; 0], "once");
    for found in ["door-1", "b.7"] {
        told.found(found.parse().unwrap());
    }
    assert_eq!(look(&mut told, &doors[..1], 3), ["-b_7 config", "-b.7 state"]);
}

#[test]
fn a_home_assistant_that_begins_anew_hears_everything_again() {
    let mut told = Told::default();
    let doors = [door("door-1")];
    look(&mut told, &doors, 0);
    told.forget();
    assert_eq!(look(&mut told, &doors, 1), ["door-1 config", "door-1 state"]);
}

#[test]
fn of_a_door_that_is_away_nobody_knows_how_it_is() {
    let mut away = door("door-1");
    away.known.device.online = false;
    let said = DoorTold::of(&away, "h", NOW);
    assert_eq!((said.camera, said.celsius, said.disk_free_mib), (None, None, None));
    assert_eq!((said.waiting, said.clock_set, said.gallery), (None, None, 4));
    let mut old = door("door-1");
    (old.board, old.known.device.online) = (Board::default(), true);
    let said = DoorTold::of(&old, "h", NOW);
    assert_eq!((said.disk_free_mib, said.clock_set), (Some(1_200), Some(true)), "its report");
}

#[test]
fn this_is_what_home_assistant_reads() {
    let (topics, doors) = (topics(), [door("door-b2.04")]);
    let news = Told::default().look(&topics, &doors, PAGES, (NOW, Mono(0)));
    let all: String = news.iter().map(|kept| kept.payload.as_str()).collect();
    assert!(!all.contains("Weaver"), "where it hangs may name somebody: {all}");
    let json = |kept: &Kept| serde_json::from_str::<serde_json::Value>(&kept.payload).unwrap();
    insta::with_settings!({ sort_maps => true }, {
        insta::assert_json_snapshot!("announcement", json(&news[0]));
        insta::assert_json_snapshot!("state", json(&news[1]));
    });
    let field = |name: &String| json(&news[1]).get(name).is_some();
    let components = json(&news[0])["components"].as_object().unwrap().clone();
    assert!(components.keys().all(field), "each reading is a field: {:?}", components.keys());
}
