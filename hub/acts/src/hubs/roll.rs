//! Which other hubs are there: each says so every second.

use std::collections::HashMap;
use wire::Mono;

/// One run of a hub's program.
pub type Run = u64;

/// A hub of which nothing was heard for so long is gone, milliseconds.
pub const GONE_MS: u64 = 5_000;

/// A hub that is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Other {
    /// Its name.
    pub name: String,
    /// The version of its program.
    pub version: String,
    heard: Mono,
    has_ended: bool,
}

/// Those that are there.
#[derive(Clone, Debug, Default)]
pub struct Roll(HashMap<Run, Other>);

impl Roll {
    /// `run` said that it is there. Whether that is new.
    pub fn here(&mut self, run: Run, name: String, version: String, now: Mono) -> bool {
        let other = Other { name, version, heard: now, has_ended: false };
        self.0.insert(run, other).is_none()
    }

    /// `run` said that it ends: it is gone at the next look.
    pub fn bye(&mut self, run: Run) {
        if let Some(other) = self.0.get_mut(&run) {
            other.has_ended = true;
        }
    }

    /// Nobody was heard for a while: that says nothing of who is there by `now`.
    pub fn excuse(&mut self, now: Mono) {
        self.0.values_mut().for_each(|other| other.heard = now);
    }

    /// Those that are not there any more by `now`, which are forgotten.
    pub fn gone(&mut self, now: Mono) -> Vec<(Run, String)> {
        let is_gone = |other: &Other| other.has_ended || now.since(other.heard) >= GONE_MS;
        let gone = self.0.extract_if(|_, other| is_gone(other));
        gone.map(|(run, other)| (run, other.name)).collect()
    }

    /// Those that are there, by name.
    #[must_use]
    pub fn others(&self) -> Vec<Other> {
        let mut all: Vec<_> = self.0.values().cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Whether a hub of this name is there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.values().any(|other| other.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_nothing_for_five_seconds_is_gone_once() {
        let mut roll = Roll::default();
        let here =
            |roll: &mut Roll, run, at| roll.here(run, format!("h{run}"), "1".into(), Mono(at));
        assert!(here(&mut roll, 1, 0) && here(&mut roll, 2, 0) && !here(&mut roll, 1, 3_000));
        assert_eq!(roll.gone(Mono(4_999)), []);
        assert_eq!(roll.gone(Mono(5_000)), [(2, "h2".to_owned())]);
        assert!(roll.has("h1") && !roll.has("h2"));
        roll.bye(1);
        assert_eq!(roll.gone(Mono(5_000)), [(1, "h1".to_owned())]);
        assert_eq!(roll.gone(Mono(90_000)), []);
        here(&mut roll, 3, 0);
        roll.excuse(Mono(9_000));
        assert_eq!(roll.gone(Mono(9_001)), [], "the line was cut");
    }
}
