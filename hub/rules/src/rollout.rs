//! How an update goes from door to door: first to one, then to a tenth, then to all, each time
//! only after it has proven itself everywhere before; and when it goes no further.

use wire::program::Step;
use wire::{DeviceId, Wall};

/// Doors that get and try an update at the same time at most: they share a school's network.
const AT_ONCE: usize = 50;
/// Of so many doors one may refuse it before it is halted, once all are asked: two in a hundred.
const PER_REFUSAL: usize = 50;
/// So long every door of a stage must run it, and be connected, before more get it, milliseconds:
/// half an hour. What falls over at the first crowd shows by then.
const SOAK_MS: i64 = 30 * 60_000;
/// A door that went away while it was about to try it, and stays away for so long, is taken for
/// one at which it does not come up, milliseconds: an hour.
const LOST_MS: i64 = 60 * 60_000;
/// A door that says for so long that it fetches it is waited for no more, milliseconds: a day.
const STUCK_MS: i64 = 24 * 60 * 60_000;

/// How far a rollout has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// One door tries it.
    One,
    /// Every tenth door.
    Tenth,
    /// Every door.
    All,
}

/// Every stage by its name, in their order.
const STAGES: [(Stage, &str); 3] =
    [(Stage::One, "one"), (Stage::Tenth, "tenth"), (Stage::All, "all")];

impl Stage {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        STAGES[self as usize].1
    }

    /// The stage called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        STAGES.iter().find(|(_, known)| *known == name).map(|(stage, _)| *stage)
    }

    fn next(self) -> Option<Self> {
        STAGES.get(self as usize + 1).map(|(stage, _)| *stage)
    }

    /// How many of `doors` it is for.
    fn share(self, doors: usize) -> usize {
        match self {
            Self::One => 1,
            Self::Tenth => doors.div_ceil(10),
            Self::All => doors,
        }
    }
}

/// A door that can run the update.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RolloutDoor {
    /// Which.
    pub id: DeviceId,
    /// Whether it is connected.
    pub online: bool,
    /// How far it is and since when, once the update was offered to it.
    pub step: Option<(Step, Wall)>,
}

/// How a door counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Counts {
    /// It was not asked.
    New,
    /// It goes on, and is waited for.
    AtWork,
    /// It runs the update; whether it has for long enough, and is connected.
    Runs(bool),
    /// It refused it, or does not come back from trying it.
    Refused,
    /// It was asked, and cannot answer now: it stands for nobody.
    Away,
}

impl RolloutDoor {
    fn counts(&self, now: Wall) -> Counts {
        let Some((step, at)) = self.step else { return Counts::New };
        let since = now.0 - at.0;
        match step {
            Step::Settled => Counts::Runs(self.online && since >= SOAK_MS),
            Step::Refused => Counts::Refused,
            Step::Waiting | Step::Trial if self.online || since < LOST_MS => Counts::AtWork,
            Step::Waiting | Step::Trial => Counts::Refused,
            Step::Idle | Step::Fetching if self.online && since < STUCK_MS => Counts::AtWork,
            Step::Idle | Step::Fetching => Counts::Away,
        }
    }
}

/// What is known of a rollout.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RolloutFacts {
    /// How far it has come.
    pub stage: Stage,
    /// The door that an admin wants to try it first.
    pub first: Option<DeviceId>,
    /// Doors that had refused it when a person said that it goes on.
    pub forgiven: usize,
    /// Every active door that can run the update, by name.
    pub doors: Vec<RolloutDoor>,
}

/// What follows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Follows {
    /// Doors are at work, or away.
    Wait,
    /// It is offered to these.
    Offer(Vec<DeviceId>),
    /// It goes on to more doors.
    Enter(Stage),
    /// Too many doors refused it: it goes to no further door until a person says so.
    Halt,
}

/// What follows from how far the doors are at `now`.
#[must_use]
pub fn follows(facts: &RolloutFacts, now: Wall) -> Follows {
    let counts: Vec<_> = facts.doors.iter().map(|door| door.counts(now)).collect();
    let of = |what: Counts| counts.iter().filter(|counts| **counts == what).count();
    let refused = of(Counts::Refused);
    let runs = of(Counts::Runs(true)) + of(Counts::Runs(false));
    let standing = runs + of(Counts::AtWork);
    let borne = match facts.stage {
        Stage::All => (standing + refused) / PER_REFUSAL,
        Stage::One | Stage::Tenth => 0,
    };
    if refused > borne + facts.forgiven {
        return Follows::Halt;
    }
    let wanted = facts.stage.share(facts.doors.len());
    if standing < wanted {
        let room = AT_ONCE.saturating_sub(of(Counts::AtWork));
        let some = chosen(facts, room.min(wanted - standing));
        return if some.is_empty() { Follows::Wait } else { Follows::Offer(some) };
    }
    match facts.stage.next() {
        Some(next) if of(Counts::Runs(true)) == standing => Follows::Enter(next),
        _ => Follows::Wait,
    }
}

/// At most `most` doors that are next. Before all are asked, only those that can answer now.
fn chosen(facts: &RolloutFacts, most: usize) -> Vec<DeviceId> {
    let new = || facts.doors.iter().filter(|door| door.step.is_none());
    let first = facts.first.as_ref().filter(|_| facts.stage == Stage::One);
    if let Some(first) = new().find(|door| first == Some(&door.id)) {
        return Some(first.id.clone()).filter(|_| first.online).into_iter().collect();
    }
    let all = facts.stage == Stage::All;
    new().filter(|door| door.online || all).take(most).map(|door| door.id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Wall = Wall(1_780_000_000_000);

    /// Doors of which each letter is one: `-` not asked, `o` offline and not asked, `f` at work,
    /// `s` settled long ago, `n` settled a moment ago, `r` refused, `a` away before it fetched, `t`
    /// away since it tries it for a moment, `l` for long.
    fn facts(stage: Stage, doors: &str) -> RolloutFacts {
        let door = |(n, letter): (usize, char)| RolloutDoor {
            id: format!("d{n:04}").parse().unwrap(),
            online: !"oatl".contains(letter),
            step: match letter {
                'f' => Some((Step::Fetching, NOW)),
                's' => Some((Step::Settled, NOW.plus_ms(-SOAK_MS))),
                'n' => Some((Step::Settled, NOW)),
                'r' => Some((Step::Refused, NOW)),
                'a' => Some((Step::Fetching, NOW)),
                't' => Some((Step::Trial, NOW)),
                'l' => Some((Step::Trial, NOW.plus_ms(-LOST_MS))),
                _ => None,
            },
        };
        RolloutFacts {
            stage,
            first: None,
            forgiven: 0,
            doors: doors.chars().enumerate().map(door).collect(),
        }
    }

    fn follows(facts: &RolloutFacts) -> Follows {
        super::follows(facts, NOW)
    }

    fn offered(follows: Follows) -> Vec<String> {
        match follows {
            Follows::Offer(some) => some.iter().map(ToString::to_string).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_door_then_a_tenth_then_all_each_after_it_proved_itself_before() {
        let doors = "-".repeat(30);
        assert_eq!(offered(follows(&facts(Stage::One, &doors))), ["d0000"]);
        assert_eq!(follows(&facts(Stage::One, &format!("f{}", &doors[1..]))), Follows::Wait);
        let one = format!("s{}", &doors[1..]);
        assert_eq!(follows(&facts(Stage::One, &one)), Follows::Enter(Stage::Tenth));
        assert_eq!(offered(follows(&facts(Stage::Tenth, &one))), ["d0001", "d0002"]);
        let tenth = format!("sss{}", &doors[3..]);
        assert_eq!(follows(&facts(Stage::Tenth, &tenth)), Follows::Enter(Stage::All));
        assert_eq!(offered(follows(&facts(Stage::All, &tenth))).len(), 27);
        assert_eq!(follows(&facts(Stage::All, &"s".repeat(30))), Follows::Wait);
    }

    #[test]
    fn a_door_that_refuses_halts_the_first_stages_and_two_in_a_hundred_the_last() {
        assert_eq!(follows(&facts(Stage::One, "r---")), Follows::Halt);
        assert_eq!(follows(&facts(Stage::Tenth, &format!("sr{}", "-".repeat(18)))), Follows::Halt);
        let of_a_hundred = |refused| {
            let doors = format!("{}{}", "r".repeat(refused), "s".repeat(100 - refused));
            follows(&facts(Stage::All, &doors))
        };
        assert_eq!((of_a_hundred(2), of_a_hundred(3)), (Follows::Wait, Follows::Halt));
        assert_eq!(
            follows(&facts(Stage::All, "rsss")),
            Follows::Halt,
            "a small school has no such share"
        );
    }

    #[test]
    fn a_rollout_that_a_person_lets_go_on_asks_another_door_and_halts_at_the_next_refusal() {
        let forgiven = |doors| follows(&RolloutFacts { forgiven: 1, ..facts(Stage::One, doors) });
        assert_eq!(offered(forgiven("r---")), ["d0001"]);
        assert_eq!(forgiven("rs--"), Follows::Enter(Stage::Tenth));
        assert_eq!(forgiven("rr--"), Follows::Halt);
    }

    #[test]
    fn doors_that_are_away_try_nothing_first_and_get_it_with_all_others() {
        assert_eq!(offered(follows(&facts(Stage::One, "oo-"))), ["d0002"]);
        assert_eq!(follows(&facts(Stage::One, "ooo")), Follows::Wait);
        assert_eq!(offered(follows(&facts(Stage::All, "sso"))), ["d0002"]);
    }

    #[test]
    fn more_doors_get_it_only_after_those_before_ran_it_for_a_while() {
        assert_eq!(follows(&facts(Stage::One, "n---")), Follows::Wait);
        let away = RolloutDoor { online: false, ..facts(Stage::One, "s").doors.remove(0) };
        let mut gone = facts(Stage::One, "s---");
        gone.doors[0] = away;
        assert_eq!(follows(&gone), Follows::Wait, "it may have fallen over since");
    }

    #[test]
    fn a_door_that_went_away_is_not_waited_for_unless_it_was_about_to_try_it() {
        assert_eq!(offered(follows(&facts(Stage::One, "a--"))), ["d0001"]);
        assert_eq!(follows(&facts(Stage::One, "t--")), Follows::Wait);
        assert_eq!(follows(&facts(Stage::One, "l--")), Follows::Halt, "it does not come up there");
        let busy = format!("{}{}", "a".repeat(200), "-".repeat(100));
        assert_eq!(offered(follows(&facts(Stage::All, &busy))).len(), AT_ONCE, "nor takes a place");
    }

    #[test]
    fn the_door_that_an_admin_chose_is_first_even_if_it_must_be_waited_for() {
        let chosen = |doors| {
            let first = Some("d0001".parse().unwrap());
            follows(&RolloutFacts { first, ..facts(Stage::One, doors) })
        };
        assert_eq!(offered(chosen("---")), ["d0001"]);
        assert_eq!(chosen("-o-"), Follows::Wait);
    }

    #[test]
    fn a_large_school_gets_it_in_portions() {
        let doors = |busy: usize| format!("{}{}", "f".repeat(busy), "-".repeat(500 - busy));
        assert_eq!(offered(follows(&facts(Stage::All, &doors(0)))).len(), AT_ONCE);
        assert_eq!(offered(follows(&facts(Stage::All, &doors(40)))).len(), 10);
        assert_eq!(follows(&facts(Stage::All, &doors(50))), Follows::Wait);
    }

    #[test]
    fn every_stage_has_a_name() {
        for (stage, name) in STAGES {
            assert_eq!((stage.as_str(), Stage::named(name)), (name, Some(stage)));
        }
        assert_eq!(Stage::named("some"), None);
    }

    proptest! {
        /// Whatever doors answer, a rollout asks no door twice, asks none after it is halted, and
        /// where every door is there and settles, it reaches them all.
        #[test]
        fn a_rollout_ends(count in 1usize..130, bad in prop::collection::vec(any::<bool>(), 130),
                          some_are_bad in any::<bool>()) {
            let mut facts = facts(Stage::One, &"-".repeat(count));
            let mut asked = std::collections::HashSet::new();
            loop {
                match follows(&facts) {
                    Follows::Offer(some) => for id in some {
                        prop_assert!(asked.insert(id.clone()), "asked twice");
                        let at = facts.doors.iter().position(|door| door.id == id).unwrap();
                        let step = if some_are_bad && bad[at] { Step::Refused } else { Step::Settled };
                        facts.doors[at].step = Some((step, NOW.plus_ms(-SOAK_MS)));
                    },
                    Follows::Enter(stage) => facts.stage = stage,
                    Follows::Halt => { prop_assert!(some_are_bad); break }
                    Follows::Wait => { prop_assert_eq!(asked.len(), count); break }
                }
            }
        }
    }
}
