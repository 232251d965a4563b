//! What a door runs with, beside what was said here: its part of the door's page.

use crate::shell::Shell;
use rules::conflicts::{Dispute, DisputeKind, SettingRow, disputes, rows};
use wire::ClockState;
use wire::care::{ConflictKind, Origin, Running};
use wire::link::Settings;

/// Everything that the part shows.
#[derive(Default)]
pub struct Runs {
    /// Whether the door told what it runs with.
    pub told: bool,
    /// Every setting.
    pub rows: Vec<RunsRow>,
    /// What is not as it was said.
    pub disputes: Vec<DisputeSaid>,
}

/// One setting.
pub struct RunsRow {
    /// What it is called.
    pub name: String,
    /// What was said here.
    pub desired: String,
    /// What the door runs with.
    pub running: String,
    /// Who said so.
    pub from: String,
}

/// A conflict in a sentence.
pub struct DisputeSaid {
    /// What the setting is called.
    pub name: String,
    /// What is not so, and what to do.
    pub words: String,
    /// What the door's system says, in English.
    pub detail: String,
}

impl Runs {
    /// Of a door to which the hub says `settings`.
    pub fn new(shell: &Shell, settings: &Settings, running: Option<&Running>) -> Self {
        let all = rows(settings, running).into_iter();
        let found = disputes(settings, running).into_iter();
        Self {
            told: running.is_some(),
            rows: all.map(|one| row(shell, one)).collect(),
            disputes: found.map(|one| said(shell, one)).collect(),
        }
    }
}

fn row(shell: &Shell, of: SettingRow) -> RunsRow {
    let (running, from) = match of.running {
        Some((value, origin)) => (shell.number(value), shell.say(from(origin))),
        None => (shell.say("doors-runs-untold"), String::new()),
    };
    let desired = of.desired.map_or_else(|| shell.say("doors-runs-unsaid"), |it| shell.number(it));
    RunsRow { name: name(shell, &of.key), desired, running, from }
}

fn from(origin: Origin) -> &'static str {
    match origin {
        Origin::Hub => "doors-runs-hub",
        Origin::File => "doors-runs-file",
        Origin::Default => "doors-runs-default",
    }
}

/// What a setting is called: in words where it is one of the form's, else as `edge.toml` names it.
fn name(shell: &Shell, key: &str) -> String {
    let words = match key {
        "recognise.min_face" => "doors-settings-face",
        "recognise.frames" => "doors-settings-frames",
        "recognise.hold_ms" => "doors-settings-hold",
        "recognise.cooldown_ms" => "doors-settings-cooldown",
        "recognise.crops" => "doors-settings-crops",
        _ => return key.to_owned(),
    };
    shell.say(words)
}

fn said(shell: &Shell, of: Dispute) -> DisputeSaid {
    use DisputeKind::{Door, Lingering, Pending};
    let (key, is_told) = match of.kind {
        Pending => ("doors-dispute-pending", true),
        Lingering => ("doors-dispute-lingering", true),
        Door(ConflictKind::Refused) => ("doors-dispute-refused", true),
        Door(ConflictKind::CameraSize) => ("doors-dispute-size", true),
        Door(ConflictKind::NotKept) => ("doors-dispute-not-kept", false),
        Door(ConflictKind::CameraControl) => ("doors-dispute-control", false),
        Door(ConflictKind::Line) => ("doors-dispute-line", false),
    };
    let number = |text: &str| shell.number(text.to_owned());
    let words = shell.two(key, "asked", number(&of.asked), "got", number(&of.got));
    let detail = if is_told { String::new() } else { of.got };
    DisputeSaid { name: name(shell, &of.key), words, detail }
}

/// Where a door's time is from; a key of a text.
pub fn clock_words(clock: ClockState) -> &'static str {
    match clock {
        ClockState::Unset => "doors-clock-unset",
        ClockState::Floor => "doors-clock-floor",
        ClockState::Rtc => "doors-clock-rtc",
        ClockState::Ntp => "doors-clock-ntp",
        ClockState::Hub => "doors-clock-hub",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::care::{Conflict, RunningValue};

    #[test]
    fn every_conflict_is_a_sentence_that_names_both_sides() {
        let conflict = |kind| Conflict {
            kind,
            key: "camera.width".into(),
            asked: "1920 × 1080".into(),
            got: "640 × 480".into(),
        };
        let kinds = [ConflictKind::CameraSize, ConflictKind::CameraControl, ConflictKind::Line];
        let value = |key: &str, value: &str| RunningValue {
            key: key.into(),
            value: value.into(),
            origin: Origin::File,
        };
        let conflicts = kinds.map(conflict).into();
        let values = vec![value("recognise.min_face", "40"), value("camera.width", "1920")];
        let running = Running { values, conflicts };
        let settings = Settings { min_face: Some(60), ..Settings::default() };
        let runs = Runs::new(&Shell::default(), &settings, Some(&running));
        let plain = |text: &str| text.replace(['\u{2068}', '\u{2069}'], "");
        let said: Vec<_> = runs.disputes.iter().map(|of| plain(&of.words)).collect();
        assert!(said[0].contains("asked for 1920 × 1080 pixels and gives 640 × 480"), "{said:?}");
        assert_eq!((said.len(), runs.disputes[2].detail.as_str()), (4, "640 × 480"));
        assert!(said[3].contains("You said 60") && said[3].contains("runs with 40"), "{said:?}");
        assert!(!Runs::new(&Shell::default(), &settings, None).told);
    }
}
