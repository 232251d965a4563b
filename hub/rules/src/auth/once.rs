//! What counts once: remembered as used for as long as it would be believed again.

use std::collections::HashMap;
use std::hash::Hash;
use wire::Wall;

/// Things remembered as used at most.
pub const REMEMBERED: usize = 10_000;

/// Things that were used, and when they were made.
pub struct Once<K>(HashMap<K, i64>);

impl<K> Default for Once<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq> Once<K> {
    /// Uses `key`, which was made at `made` and is good for `life_ms`; false if it was used
    /// before, or if so much is remembered that this cannot be said.
    pub fn take(&mut self, key: K, made: Wall, life_ms: i64, now: Wall) -> bool {
        self.0.retain(|_, made| now.0.saturating_sub(*made) < life_ms);
        if self.0.len() >= REMEMBERED || self.0.contains_key(&key) {
            return false;
        }
        self.0.insert(key, made.0);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_counts_once_while_it_would_be_believed() {
        let mut once = Once::default();
        assert!(once.take("a", Wall(0), 10, Wall(1)));
        assert!(!once.take("a", Wall(0), 10, Wall(9)));
        assert!(once.take("b", Wall(5), 10, Wall(9)));
    }

    #[test]
    fn what_is_remembered_has_a_bound_and_an_end() {
        let mut once = Once::default();
        for n in 0..REMEMBERED {
            assert!(once.take(n, Wall(0), 10, Wall(1)));
        }
        assert!(!once.take(REMEMBERED, Wall(0), 10, Wall(1)), "full: refused");
        assert!(once.take(REMEMBERED, Wall(10), 10, Wall(11)), "the old ones are over");
    }
}
