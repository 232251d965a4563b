use super::*;
use proptest::prelude::*;

const NOW: Wall = Wall(1_790_000_000_000);

fn door(n: u8) -> DeviceId {
    format!("door-{n}").parse().unwrap()
}

/// A hub that looks: what is open, as rows say, and everything that was told.
#[derive(Default)]
struct Hub {
    watch: AlertWatch,
    open: BTreeSet<Fault>,
    told: Vec<(Fault, bool, u64)>,
}

impl Hub {
    /// A look at these doors' faults; writes down what follows unless it `fails`.
    fn look(&mut self, seen: &[(u8, AlertKind, bool)], minute: u64, fails: bool) -> AlertNews {
        let seen: BTreeMap<_, _> =
            seen.iter().map(|(n, kind, is)| ((door(*n), *kind), *is)).collect();
        let facts = AlertFacts { doors: (0..9).map(door).collect(), seen, open: self.open.clone() };
        let news = self.watch.look(&facts, Mono(minute * MINUTE_MS));
        if !fails {
            let began = news.begins.keys().map(|fault| (fault.clone(), true, minute));
            let ended = news.ends.keys().map(|fault| (fault.clone(), false, minute));
            self.told.extend(began.chain(ended));
            self.open.extend(news.begins.keys().cloned());
            self.open.retain(|fault| !news.ends.contains_key(fault));
        }
        news
    }

    fn one(&mut self, kind: AlertKind, is: bool, minute: u64) -> (usize, usize) {
        let news = self.look(&[(1, kind, is)], minute, false);
        (news.begins.len(), news.ends.len())
    }
}

#[test]
fn a_fault_begins_when_it_held_and_ends_when_it_was_away_for_as_long() {
    for kind in AlertKind::ALL {
        let (mut hub, long) = (Hub::default(), kind.hold_ms() / MINUTE_MS);
        assert_eq!(hub.one(kind, true, 0), (0, 0), "{kind:?}");
        assert_eq!(hub.one(kind, true, long - 1), (0, 0), "{kind:?}");
        assert_eq!(hub.one(kind, true, long), (1, 0), "{kind:?}");
        assert_eq!(hub.one(kind, true, long + 1), (0, 0), "once");
        assert_eq!(hub.one(kind, false, long + 2), (0, 0));
        assert_eq!(hub.one(kind, false, 2 * long + 1), (0, 0));
        assert_eq!(hub.one(kind, false, 2 * long + 2), (0, 1));
        assert_eq!(hub.one(kind, false, 2 * long + 3), (0, 0), "once");
    }
}

#[test]
fn what_comes_and_goes_or_is_not_known_begins_to_count_anew() {
    let mut hub = Hub::default();
    for minute in 0..60 {
        assert_eq!(hub.one(AlertKind::Hot, minute % 4 != 0, minute), (0, 0), "{minute}");
    }
    for minute in 60..90 {
        let seen: &[_] = if minute % 4 == 0 { &[] } else { &[(1, AlertKind::Hot, true)] };
        assert!(hub.look(seen, minute, false).is_empty(), "{minute}");
    }
}

#[test]
fn doors_that_leave_within_two_minutes_are_one_message() {
    let mut hub = Hub::default();
    let gone = |n: u8| (0..n).map(|n| (n, AlertKind::Offline, true)).collect::<Vec<_>>();
    for (doors, minute) in [(3, 0), (6, 1), (8, 2), (9, 3)] {
        assert!(hub.look(&gone(doors), minute, false).is_empty());
    }
    assert_eq!(hub.look(&gone(9), 10, false).begins.len(), 8, "the ninth went three minutes later");
    assert_eq!(hub.look(&gone(9), 13, false).begins.len(), 1);
}

#[test]
fn a_hub_that_starts_counts_anew_and_repeats_nothing() {
    let mut hub = Hub::default();
    hub.one(AlertKind::Offline, true, 0);
    hub.watch = AlertWatch::default();
    assert_eq!(hub.one(AlertKind::Offline, true, 20), (0, 0), "nobody looked in between");
    assert_eq!(hub.one(AlertKind::Offline, true, 30), (1, 0));
    hub.watch = AlertWatch::default();
    assert_eq!(hub.one(AlertKind::Offline, true, 50), (0, 0), "it is open");
    assert_eq!(hub.one(AlertKind::Offline, true, 70), (0, 0));
}

#[test]
fn what_could_not_be_written_down_is_told_at_the_next_look() {
    let (mut hub, blind) = (Hub::default(), [(1, AlertKind::Blind, true)]);
    hub.look(&blind, 0, false);
    assert_eq!(hub.look(&blind, 2, true).begins.len(), 1);
    assert_eq!(hub.look(&blind, 3, false).begins.len(), 1);
    assert!(hub.look(&blind, 4, false).is_empty());
}

#[test]
fn what_is_open_of_a_door_that_is_cut_off_ends_at_once() {
    let (mut watch, fault) = (AlertWatch::default(), (door(1), AlertKind::Blind));
    let open = BTreeSet::from([fault.clone()]);
    let facts = AlertFacts { open, ..AlertFacts::default() };
    assert_eq!(watch.look(&facts, Mono(0)).ends, [(fault, 0)].into());
}

#[test]
fn doors_are_missed_in_school_hours_and_not_at_night_or_on_a_free_day() {
    let lessons = Some((NOW, NOW.plus_ms(6 * OPENS_MS)));
    let day = SchoolDay { lessons, is_planned: true, hour: 8, ..SchoolDay::default() };
    let at = |day: &SchoolDay, ms| is_open(day, NOW.plus_ms(ms));
    assert!(!at(&day, -OPENS_MS - 1) && at(&day, -OPENS_MS));
    assert!(at(&day, 6 * OPENS_MS - 1) && !at(&day, 6 * OPENS_MS));
    assert!(!at(&SchoolDay { is_holiday: true, ..day }, 0));
    let free = SchoolDay { lessons: None, ..day };
    assert!(!at(&free, 0), "a weekend");
    let unplanned = |hour| SchoolDay { is_planned: false, hour, ..free };
    assert_eq!([6, 7, 17, 18].map(|hour| at(&unplanned(hour), 0)), [false, true, true, false]);
}

#[test]
fn a_program_is_old_beside_the_hubs_or_beside_half_of_the_doors() {
    let old = |versions: &[&str], hub: &str| {
        let doors: Vec<_> =
            (0..).zip(versions).map(|(n, text)| (door(n), (*text).to_owned())).collect();
        old_programs(&doors, hub).into_values().collect::<Vec<_>>()
    };
    assert_eq!(old(&["1.2.0", "1.10.0"], "1.2.0"), [true, false], "half of them run 1.10.0");
    assert_eq!(old(&["1.2.0", "1.2.0", "1.3.0"], "1.2.0"), [false, false, false], "one is ahead");
    assert_eq!(old(&["1.2.0", "1.2.1-rc1"], "1.2.1+x"), [true, false]);
    assert_eq!(old(&["", "own build", "1.2", "1.2.3.4"], "1.2.0"), [false; 0], "not judged");
    assert_eq!(old(&["1.2.0"], "unknown"), [false]);
}

#[test]
fn every_kind_has_a_word_of_its_own() {
    for kind in AlertKind::ALL {
        assert_eq!(AlertKind::of(kind.word()), Some(kind));
    }
    assert_eq!(AlertKind::of("tired"), None);
}

proptest! {
    #[test]
    fn whatever_happens_each_begin_has_at_most_one_end_and_nothing_is_told_twice(
        minutes in prop::collection::vec(
            (1_u64..4, prop::collection::vec(0_u8..3, 6), 0_u8..12), 1..120,
        ),
    ) {
        let (mut hub, mut now) = (Hub::default(), 0);
        let mut since: BTreeMap<Fault, (bool, u64)> = BTreeMap::new();
        for (pause, said, chance) in minutes {
            now += pause;
            if chance == 0 {
                hub.watch = AlertWatch::default(); // the hub starts again
            }
            let kinds = [AlertKind::Blind, AlertKind::Hot];
            let faults = (0..3).flat_map(|n| kinds.map(|kind| (n, kind))).zip(&said);
            // 2: nobody knows.
            let seen: Vec<_> = faults.filter(|(_, is)| **is < 2)
                .map(|((n, kind), is)| (n, kind, *is == 1)).collect();
            let known: BTreeMap<_, _> =
                seen.iter().map(|(n, kind, is)| ((door(*n), *kind), *is)).collect();
            since.retain(|fault, _| known.contains_key(fault));
            for (fault, is) in &known {
                let held = since.entry(fault.clone()).or_insert((*is, now));
                if held.0 != *is { *held = (*is, now); }
            }
            let news = hub.look(&seen, now, chance == 1);
            for (fault, is) in news.begins.keys().map(|f| (f, true))
                .chain(news.ends.keys().map(|f| (f, false)))
            {
                let (held, from) = since[fault];
                let long = fault.1.hold_ms() - fault.1.hold_ms() / ALMOST;
                prop_assert!(held == is && (now - from) * MINUTE_MS >= long, "it did not hold");
            }
        }
        let mut open = BTreeSet::new();
        for (fault, begins, _) in hub.told {
            let is_new = if begins { open.insert(fault) } else { open.remove(&fault) };
            prop_assert!(is_new, "told twice, or ended without a begin");
        }
        prop_assert_eq!(open, hub.open, "what began and did not end is open");
    }
}
