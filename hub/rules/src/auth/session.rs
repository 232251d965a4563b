//! How long a sign-in of a browser lives.

use wire::Wall;

/// How long a session lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionLimits {
    /// Without any request, milliseconds. Default 12 h.
    pub idle_ms: i64,
    /// Since the login, milliseconds. Default 24 h.
    pub absolute_ms: i64,
}

impl Default for SessionLimits {
    fn default() -> Self {
        const HOUR_MS: i64 = 3_600_000;
        Self { idle_ms: 12 * HOUR_MS, absolute_ms: 24 * HOUR_MS }
    }
}

impl SessionLimits {
    /// Whether a session begun at `created` and last used at `seen` is still good.
    #[must_use]
    pub fn alive(self, created: Wall, seen: Wall, now: Wall) -> bool {
        now < created.plus_ms(self.absolute_ms) && now < seen.plus_ms(self.idle_ms)
    }
}

/// Whether `seen` is old enough to be written again: once a minute is enough.
#[must_use]
pub fn stale(seen: Wall, now: Wall) -> bool {
    now.0.saturating_sub(seen.0) >= 60_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_idle_and_in_any_case_after_a_day() {
        let (limits, hour) = (SessionLimits::default(), |h: i64| Wall(h * 3_600_000));
        assert!(limits.alive(hour(0), hour(0), hour(11)));
        assert!(!limits.alive(hour(0), hour(0), hour(12)));
        assert!(limits.alive(hour(0), hour(23), hour(23)));
        assert!(!limits.alive(hour(0), hour(23), hour(24)));
    }
}
