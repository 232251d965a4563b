//! Alerts of doors in a list: what was wrong, since when and until when.

use crate::shell::Shell;
use jiff::tz::TimeZone;
use store::alert::Alert;
use wire::Wall;

/// An alert as a page shows it.
pub struct AlertShown {
    /// The door.
    pub door: String,
    /// The room behind it; empty where nobody said.
    pub room: String,
    /// What.
    pub what: String,
    /// Since when, or from when to when.
    pub span: String,
    /// Whether it holds.
    pub is_open: bool,
}

/// `of` in words, at a school in this `zone`.
#[must_use]
pub fn shown(shell: &Shell, of: Alert, zone: &TimeZone, now: Wall) -> AlertShown {
    let when = |at| words::when(shell.language, at, zone, now);
    let span = match of.until {
        Some(until) => shell.two("doors-alert-span", "from", when(of.since), "to", when(until)),
        None => shell.one("doors-alert-open", "when", when(of.since)),
    };
    AlertShown {
        door: of.device.to_string(),
        room: of.room,
        what: shell.say(words::alert::keys(of.kind).0),
        span,
        is_open: of.until.is_none(),
    }
}
