//! What was said to the broker, and what is to be said next: pure.

use super::discovery::announcement;
use super::door_state::DoorTold;
use super::topics::BrokerTopics;
use crate::doors::list::DoorListed;
use std::collections::{BTreeMap, BTreeSet};
use wire::{DeviceId, Mono, Wall};

/// Figures that move all the time are said no more often, milliseconds. Whether a door is there,
/// and what is wrong with it, is said at once.
const QUIET_MS: u64 = 25_000;

/// Doors that may be found at the broker: many times what a school has.
const MOST: usize = 5_000;

/// A message that the broker keeps; with nothing in it, it forgets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Where it lies.
    pub topic: String,
    /// What it says.
    pub payload: String,
}

/// What the broker keeps of this hub's doors, as far as is known.
#[derive(Default)]
pub struct Told(BTreeMap<DeviceId, Said>);

/// What was said of one door; nothing of one that was found there from before.
#[derive(Default)]
struct Said {
    announcement: String,
    state: String,
    /// Whether it was there and all that was to be said of it, and when that was said.
    gist: Option<(bool, Vec<&'static str>, Mono)>,
}

impl Told {
    /// The broker keeps something of `door` from before.
    pub fn found(&mut self, door: DeviceId) {
        if self.0.len() < MOST {
            self.0.entry(door).or_default();
        }
    }

    /// Home Assistant began anew: everything is said once more.
    pub fn forget(&mut self) {
        self.0.values_mut().for_each(|said| *said = Said::default());
    }

    /// What is to be said now that the doors are as they are. `pages` is where the hub's pages are.
    pub fn look(
        &mut self,
        topics: &BrokerTopics,
        doors: &[DoorListed],
        pages: &str,
        (now, mono): (Wall, Mono),
    ) -> Vec<Kept> {
        let there: BTreeSet<_> = doors.iter().map(|door| &door.known.device.id).collect();
        let gone = self.0.extract_if(.., |door, _| !there.contains(door));
        // The announcement first: Home Assistant would not know how to read an empty state.
        let clear = |(door, _)| [topics.config(&door), topics.state(&door)];
        let cleared = gone.flat_map(clear).map(|topic| Kept { topic, payload: String::new() });
        let mut news: Vec<_> = cleared.collect();
        for door in doors {
            let id = &door.known.device.id;
            let said = self.0.entry(id.clone()).or_default();
            let payload = announcement(topics, door, pages).to_string();
            news.extend(
                said.announce(payload).map(|payload| Kept { topic: topics.config(id), payload }),
            );
            let told = DoorTold::of(door, &topics.hub, now);
            news.extend(
                said.say(&told, mono).map(|payload| Kept { topic: topics.state(id), payload }),
            );
        }
        news
    }
}

impl Said {
    /// What is new about the announcement.
    fn announce(&mut self, new: String) -> Option<String> {
        (self.announcement != new).then(|| new.clone_into(&mut self.announcement)).map(|()| new)
    }

    /// What is new about the door, if it is to be said now.
    fn say(&mut self, told: &DoorTold, now: Mono) -> Option<String> {
        let new = serde_json::to_string(told).ok().filter(|new| *new != self.state)?;
        let same = |(online, states, at): &(bool, Vec<&str>, Mono)| {
            (*online, states) == (told.online, &told.states) && now.since(*at) < QUIET_MS
        };
        if self.gist.as_ref().is_some_and(same) {
            return None;
        }
        self.gist = Some((told.online, told.states.clone(), now));
        new.clone_into(&mut self.state);
        Some(new)
    }
}

#[cfg(test)]
mod tests;
