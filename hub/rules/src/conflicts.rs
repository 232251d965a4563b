//! What the hub says of a door's settings beside what the door runs with, and what is not as it was
//! said: one finding for each.

use wire::care::{Conflict, ConflictKind, Origin, Running, RunningValue};
use wire::link::Settings;

/// One setting, as it was said here and as the door runs with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SettingRow {
    /// Its name in the door's `edge.toml`.
    pub key: String,
    /// What the hub says; nothing where it leaves it to the door.
    pub desired: Option<String>,
    /// What the door runs with, and who said so; nothing where it did not tell.
    pub running: Option<(String, Origin)>,
}

/// Why something is not as it was said.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum DisputeKind {
    /// The door has not begun to run with it.
    Pending,
    /// It still runs with what the hub said before.
    Lingering,
    /// What the door itself says.
    Door(ConflictKind),
}

/// Something that is not as it was said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dispute {
    /// Why.
    pub kind: DisputeKind,
    /// Which setting.
    pub key: String,
    /// What was asked for; empty where nobody asked.
    pub asked: String,
    /// What is so instead, or what stands in the way.
    pub got: String,
}

impl DisputeKind {
    /// One word for programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Lingering => "lingering",
            Self::Door(ConflictKind::Refused) => "refused",
            Self::Door(ConflictKind::NotKept) => "not_kept",
            Self::Door(ConflictKind::CameraSize) => "camera_size",
            Self::Door(ConflictKind::CameraControl) => "camera_control",
            Self::Door(ConflictKind::Line) => "line",
        }
    }
}

/// What the hub may say, by the names of `edge.toml`.
fn desired(said: &Settings) -> [(&'static str, Option<String>); 5] {
    let number = |value: Option<u32>| value.map(|value| value.to_string());
    [
        ("recognise.min_face", number(said.min_face)),
        ("recognise.frames", number(said.frames)),
        ("recognise.hold_ms", number(said.hold_ms)),
        ("recognise.cooldown_ms", number(said.cooldown_ms)),
        ("recognise.crops", said.crops.map(|value| value.to_string())),
    ]
}

/// Every setting that the hub may say or the door runs with: those of the hub first.
#[must_use]
pub fn rows(said: &Settings, running: Option<&Running>) -> Vec<SettingRow> {
    let mut told: Vec<&RunningValue> = running.iter().flat_map(|of| &of.values).collect();
    let mut rows: Vec<_> = desired(said)
        .into_iter()
        .map(|(key, desired)| {
            let at = told.iter().position(|of| of.key == key);
            let running = at.map(|at| told.remove(at));
            let running = running.map(|of| (of.value.clone(), of.origin));
            SettingRow { key: key.to_owned(), desired, running }
        })
        .collect();
    rows.extend(told.into_iter().map(|of| SettingRow {
        key: of.key.clone(),
        desired: None,
        running: Some((of.value.clone(), of.origin)),
    }));
    rows
}

/// What is not as it was said; nothing is known of a door that does not tell what it runs with.
#[must_use]
pub fn disputes(said: &Settings, running: Option<&Running>) -> Vec<Dispute> {
    let Some(running) = running else { return Vec::new() };
    let named = running.conflicts.iter().filter(|of| was_said(of, running));
    let mut all: Vec<_> = named.map(of_door).collect();
    for row in rows(said, Some(running)) {
        let Some((value, origin)) = row.running else { continue };
        let (kind, asked) = match row.desired {
            Some(asked) if asked != value => (DisputeKind::Pending, asked),
            None if origin == Origin::Hub => (DisputeKind::Lingering, String::new()),
            _ => continue,
        };
        // The door said why already.
        if !running.conflicts.iter().any(|of| stands_against(of, &row.key)) {
            all.push(Dispute { kind, key: row.key, asked, got: value });
        }
    }
    all
}

/// Whether somebody asked for what is not so: a size that nobody typed is a wish of the program's,
/// and a camera that has another is as good, as long as it is at least half as wide.
fn was_said(conflict: &Conflict, running: &Running) -> bool {
    let is_size = |of: &RunningValue| ["camera.width", "camera.height"].contains(&of.key.as_str());
    let width = |size: &str| size.split(" × ").next().and_then(|width| width.parse::<u32>().ok());
    let is_half = match (width(&conflict.got), width(&conflict.asked)) {
        (Some(got), Some(asked)) => got >= asked / 2,
        _ => false,
    };
    conflict.kind != ConflictKind::CameraSize || !is_half || running.values.iter().any(is_size)
}

/// Whether it says why the door does not follow the hub in `key`.
fn stands_against(conflict: &Conflict, key: &str) -> bool {
    match conflict.kind {
        // One setting that it does not take, and it takes none of them.
        ConflictKind::Refused | ConflictKind::NotKept => key.starts_with("recognise."),
        _ => conflict.key == key,
    }
}

fn of_door(conflict: &Conflict) -> Dispute {
    let Conflict { kind, key, asked, got } = conflict.clone();
    Dispute { kind: DisputeKind::Door(kind), key, asked, got }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(key: &str, value: &str, origin: Origin) -> RunningValue {
        RunningValue { key: key.into(), value: value.into(), origin }
    }

    fn running(conflicts: Vec<Conflict>) -> Running {
        let face = value("recognise.min_face", "40", Origin::Default);
        let crops = value("recognise.crops", "false", Origin::Hub);
        Running { values: vec![crops, face, value("view.rotate", "90", Origin::File)], conflicts }
    }

    fn said(min_face: Option<u32>, crops: Option<bool>) -> Settings {
        Settings { min_face, crops, ..Settings::default() }
    }

    fn found(said: &Settings, running: &Running) -> Vec<(&'static str, String)> {
        let all = disputes(said, Some(running)).into_iter();
        all.map(|of| (of.kind.word(), of.key)).collect()
    }

    #[test]
    fn what_the_door_runs_with_stands_beside_what_was_said() {
        let rows = rows(&said(Some(60), None), Some(&running(vec![])));
        let row = |key: &str| rows.iter().find(|row| row.key == key).unwrap().clone();
        assert_eq!(row("recognise.min_face").desired.as_deref(), Some("60"));
        assert_eq!(row("recognise.min_face").running, Some(("40".into(), Origin::Default)));
        assert_eq!(row("recognise.frames").running, None, "it did not tell");
        assert_eq!(row("view.rotate").running, Some(("90".into(), Origin::File)));
        assert_eq!(rows.len(), 6);
    }

    #[test]
    fn what_is_as_it_was_said_is_no_conflict_and_each_that_is_not_is_named() {
        let running = running(vec![]);
        assert_eq!(found(&said(Some(40), Some(false)), &running), []);
        let pending = ("pending", "recognise.min_face".to_owned());
        let lingering = ("lingering", "recognise.crops".to_owned());
        assert_eq!(found(&said(Some(60), None), &running), [pending, lingering]);
        assert_eq!(disputes(&said(Some(60), None), None), [], "an older door tells nothing");
    }

    #[test]
    fn a_camera_of_another_size_is_a_conflict_where_somebody_typed_one() {
        let (asked, got) = ("1280 × 720".into(), "640 × 480".into());
        let kind = ConflictKind::CameraSize;
        let size = Conflict { kind, key: "camera.width".into(), asked, got };
        let (said, mut running) = (said(Some(40), Some(false)), running(vec![size]));
        assert_eq!(found(&said, &running), []);
        running.conflicts[0].got = "320 × 240".into();
        assert_eq!(found(&said, &running).len(), 1, "nobody in a doorway is seen in that");
        running.conflicts[0].got = "640 × 480".into();
        running.values.push(value("camera.height", "720", Origin::File));
        assert_eq!(found(&said, &running), [("camera_size", "camera.width".to_owned())]);
    }

    #[test]
    fn where_the_door_says_why_the_hub_does_not_guess() {
        let conflict = |kind, key: &str| Conflict {
            kind,
            key: key.into(),
            asked: "601".into(),
            got: "20 to 150".into(),
        };
        let refused = running(vec![conflict(ConflictKind::Refused, "recognise.min_face")]);
        let all = found(&said(Some(601), Some(true)), &refused);
        assert_eq!(all, [("refused", "recognise.min_face".to_owned())]);
        let line = running(vec![conflict(ConflictKind::Line, "trigger.gpio.line")]);
        let all = found(&said(Some(60), Some(false)), &line);
        let words: Vec<_> = all.iter().map(|(word, _)| *word).collect();
        assert_eq!(words, ["line", "pending"]);
    }
}
