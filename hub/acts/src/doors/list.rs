//! All doors as a list: how each is, and which of them somebody asked for.

use super::boards::{Board, Boards};
use super::state::{DoorState, states};
use std::collections::BTreeMap;
use store::door::DoorKnown;
use wire::{ModelId, Mono, Wall};

/// A door and how it is.
pub struct DoorListed {
    /// What is known of it.
    pub known: DoorKnown,
    /// What its board said lately.
    pub board: Board,
    /// Everything that is to be said of it, the worst first; never nothing.
    pub states: Vec<DoorState>,
}

/// Which doors somebody asked for; all if nothing is said.
#[derive(Clone, Default, Debug)]
pub struct DoorFilter {
    /// Of which this is said, see [`DoorState::word`]; of an unknown word, none.
    pub state: Option<String>,
    /// At this very room.
    pub room: Option<String>,
    /// Whose name, room or place holds this, in small letters or large ones.
    pub text: Option<String>,
}

/// How each of them is.
#[must_use]
pub fn listed(
    all: Vec<DoorKnown>,
    boards: &Boards,
    model: &ModelId,
    (now, mono): (Wall, Mono),
) -> Vec<DoorListed> {
    let one = |known: DoorKnown| {
        let board = boards.of(&known.device.id, mono);
        let states = states(&known, board.vitals, model, now);
        DoorListed { known, board, states }
    };
    all.into_iter().map(one).collect()
}

/// Of how many doors each state is said, the worst first.
#[must_use]
pub fn counts(all: &[DoorListed]) -> BTreeMap<DoorState, usize> {
    let mut counts = BTreeMap::new();
    all.iter().flat_map(|door| &door.states).for_each(|state| {
        *counts.entry(*state).or_default() += 1;
    });
    counts
}

impl DoorFilter {
    /// Whether somebody asked for this door.
    #[must_use]
    pub fn wants(&self, door: &DoorListed) -> bool {
        let device = &door.known.device;
        let state = |word: &String| door.states.iter().any(|state| state.word() == word);
        let room = |room: &String| *room == device.room;
        let text = |text: &String| {
            let text = text.trim().to_lowercase();
            let fields = [device.id.as_str(), device.room.as_str(), device.location.as_str()];
            fields.iter().any(|field| field.to_lowercase().contains(&text))
        };
        self.state.as_ref().is_none_or(state)
            && self.room.as_ref().is_none_or(room)
            && self.text.as_ref().is_none_or(text)
    }
}
