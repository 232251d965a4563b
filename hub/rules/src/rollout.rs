//! How an update goes from door to door: first to one, then to a tenth, then to all, each time
//! only after it has proven itself everywhere before; and when it goes no further.

use wire::DeviceId;
use wire::program::Step;

/// Doors that get and try an update at the same time at most: they share a school's network.
const AT_ONCE: usize = 50;
/// Of so many doors one may refuse it before it is halted, once all are asked: two in a hundred.
const PER_REFUSAL: usize = 50;

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
    /// How far it is, once the update was offered to it.
    pub step: Option<Step>,
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

/// What follows from how far the doors are.
#[must_use]
pub fn follows(facts: &RolloutFacts) -> Follows {
    let is = |step| move |door: &&RolloutDoor| door.step == Some(step);
    let offered = facts.doors.iter().filter(|door| door.step.is_some()).count();
    let refused = facts.doors.iter().filter(is(Step::Refused)).count();
    let settled = facts.doors.iter().filter(is(Step::Settled)).count();
    let borne = if facts.stage == Stage::All { offered / PER_REFUSAL } else { 0 };
    if refused > borne + facts.forgiven {
        return Follows::Halt;
    }
    // Whoever refused it stands for nobody.
    let standing = offered - refused;
    let wanted = facts.stage.share(facts.doors.len());
    if standing < wanted {
        let some = chosen(facts, wanted - standing);
        return if some.is_empty() { Follows::Wait } else { Follows::Offer(some) };
    }
    match facts.stage.next() {
        Some(next) if settled > 0 && settled == standing => Follows::Enter(next),
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
    let busy = facts.doors.iter().filter(|door| door.online && door.step.is_some_and(is_at_work));
    let room = AT_ONCE.saturating_sub(busy.count()).min(most);
    new().filter(|door| door.online || all).take(room).map(|door| door.id.clone()).collect()
}

fn is_at_work(step: Step) -> bool {
    !matches!(step, Step::Settled | Step::Refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Doors of which each letter is one: `-` not asked, `o` offline and not asked, `f` at work,
    /// `s` settled, `r` refused.
    fn facts(stage: Stage, doors: &str) -> RolloutFacts {
        let door = |(n, letter): (usize, char)| RolloutDoor {
            id: format!("d{n:04}").parse().unwrap(),
            online: letter != 'o',
            step: match letter {
                'f' => Some(Step::Fetching),
                's' => Some(Step::Settled),
                'r' => Some(Step::Refused),
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
                        facts.doors[at].step = Some(step);
                    },
                    Follows::Enter(stage) => facts.stage = stage,
                    Follows::Halt => { prop_assert!(some_are_bad); break }
                    Follows::Wait => { prop_assert_eq!(asked.len(), count); break }
                }
            }
        }
    }
}
