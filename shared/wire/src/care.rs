//! Care from afar: what a door says of itself besides records, to whoever looks after it.

use crate::time::ClockState;
use serde::{Deserialize, Serialize};

/// Hub → door on `desired`, after a greeting: how much of what doors say this hub understands.
///
/// To one that has not said so over this connection a door says nothing that hubs before it did not
/// know, neither in messages nor in records.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Grasp {
    /// Counted upwards, such as [`Grasp::CARE`].
    pub level: u16,
}

impl Grasp {
    /// It understands [`Running`], [`Condition`], and a picture that is too dark or out of focus.
    pub const CARE: u16 = 1;
}

/// Door → hub on `log`, once for each [`crate::link::Command::Log`]: the newest lines of its log,
/// the oldest first. They hold no secrets, no templates and nobody's name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tail {
    /// Lines since the program's start that are not kept any more.
    pub missed: u64,
    /// At most [`Tail::LINES`], with no more than [`Tail::BYTES`] of text.
    pub lines: Vec<TailLine>,
}

/// One line of a log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TailLine {
    /// How long ago, milliseconds: the door may not know what time it is.
    pub ago_ms: u64,
    /// How much it matters.
    pub level: TailLevel,
    /// What it says, at most [`Tail::LINE_BYTES`].
    pub text: String,
}

/// How much a line matters. Append-only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TailLevel {
    /// Something does not work.
    Error,
    /// Something may not.
    Warn,
    /// What happens.
    Info,
    /// For whoever looks for a fault.
    Debug,
}

impl Tail {
    /// Lines that a door keeps.
    pub const LINES: usize = 200;
    /// Bytes of text that it keeps.
    pub const BYTES: usize = 64 * 1024;
    /// Bytes of one line at most; what follows is cut off.
    pub const LINE_BYTES: usize = 1_000;

    /// Whether it is no more than a door keeps.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let bytes: usize = self.lines.iter().map(|line| line.text.len()).sum();
        let short = self.lines.iter().all(|line| line.text.len() <= Self::LINE_BYTES);
        short && bytes <= Self::BYTES && self.lines.len() <= Self::LINES
    }
}

/// Door → hub on `config`, to a hub that understands it, and whenever it changes: the settings
/// that the door runs with, and what stands against what was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Running {
    /// By the names of `edge.toml`, such as `recognise.min_face`; none holds a secret.
    pub values: Vec<RunningValue>,
    /// What was asked for and is not so.
    pub conflicts: Vec<Conflict>,
}

/// One setting as the door runs with it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RunningValue {
    /// Its name in `edge.toml`.
    pub key: String,
    /// Its value, as one would write it there, without quotes.
    pub value: String,
    /// Who said so.
    pub origin: Origin,
}

/// Where a setting is from. Append-only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// The door's own `edge.toml`.
    File,
    /// The hub.
    Hub,
}

/// Something that was asked for and is not so.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Conflict {
    /// In which way.
    pub kind: ConflictKind,
    /// The setting, by its name in `edge.toml`.
    pub key: String,
    /// What was asked for.
    pub asked: String,
    /// What is so instead, or why it is not.
    pub got: String,
}

/// Why what was asked for is not so. Append-only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// The door does not take this value of the hub's.
    Refused,
    /// Its disk does not keep what the hub says.
    NotKept,
    /// The camera gives another size.
    CameraSize,
    /// The camera does not take this setting of its own.
    CameraControl,
    /// It may not, or cannot, use this line of the header.
    Line,
}

impl Running {
    /// Settings that one report may name.
    pub const VALUES: usize = 64;
    /// Conflicts that one report may name.
    pub const CONFLICTS: usize = 32;
    /// Bytes of one text in it.
    pub const TEXT_BYTES: usize = 200;
    /// Bytes of the whole at most.
    pub const BYTES: usize = 32 * 1024;

    /// Whether it names no more than it may.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let values = self.values.iter().flat_map(|of| [&of.key, &of.value]);
        let conflicts = self.conflicts.iter().flat_map(|of| [&of.key, &of.asked, &of.got]);
        self.values.len() <= Self::VALUES
            && self.conflicts.len() <= Self::CONFLICTS
            && values.chain(conflicts).all(|text| text.len() <= Self::TEXT_BYTES)
    }
}

/// Door → hub on `vitals`, after each [`crate::link::Vitals`], to a hub that understands it: how the
/// program is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Condition {
    /// How sharp the sharpest picture of the last minutes was, percent; nothing where no picture
    /// showed enough to tell.
    pub focus: Option<u8>,
    /// How bright the newest picture is, of 255; nothing where there is none.
    pub light: Option<u8>,
    /// Records that wait for the hub.
    pub waiting: u64,
    /// Looks that nobody had time for, since the program's start.
    pub dropped_looks: u64,
    /// Frames that nobody had time for, since then.
    pub dropped_frames: u64,
    /// Where its time is from.
    pub clock: ClockState,
    /// How far that may be off, milliseconds; nothing while nobody vouches for it.
    pub clock_err_ms: Option<u32>,
    /// Free space where the outbox lies, MiB.
    pub disk_free_mb: u32,
}

/// `text`, no longer than `bytes` and without what could end a line.
#[must_use]
pub fn within(text: &str, bytes: usize) -> String {
    let mut kept: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    kept.truncate(kept.floor_char_boundary(bytes));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_stays_one_line() {
        assert_eq!(within("a\nb\u{1b}[31mc", 99), "a b [31mc");
        assert_eq!(within("درِ باز", 3), "د", "a character of two bytes is left out whole");
    }

    #[test]
    fn more_than_a_door_keeps_is_no_tail() {
        let line = |bytes| TailLine { ago_ms: 0, level: TailLevel::Info, text: "x".repeat(bytes) };
        let tail = |count, bytes| Tail { missed: 0, lines: vec![line(bytes); count] };
        assert!(tail(Tail::LINES, 300).is_sound() && tail(65, Tail::LINE_BYTES).is_sound());
        assert!(!tail(Tail::LINES + 1, 1).is_sound() && !tail(1, Tail::LINE_BYTES + 1).is_sound());
        assert!(!tail(66, Tail::LINE_BYTES).is_sound(), "all of it together");
    }

    #[test]
    fn more_than_a_report_may_name_is_none() {
        let value =
            |text: &str| RunningValue { key: "k".into(), value: text.into(), origin: Origin::File };
        let of = |values| Running { values, conflicts: vec![] }.is_sound();
        assert!(of(vec![value("x"); Running::VALUES]));
        assert!(!of(vec![value("x"); Running::VALUES + 1]));
        assert!(!of(vec![value(&"x".repeat(Running::TEXT_BYTES + 1))]));
    }
}
