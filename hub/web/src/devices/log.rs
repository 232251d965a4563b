//! What the hub knows of a door's past, line by line.

use crate::shell::Shell;
use jiff::tz::TimeZone;
use rules::error::Error;
use std::collections::BTreeMap;
use store::past::{self, DoorPast, Past};
use store::{Tx, account, loss};
use wire::{DeviceId, Wall};

/// Lines that are shown.
const LINES: u32 = 50;

/// Something that happened at a door.
pub struct DoorLogLine {
    /// When.
    pub when: String,
    /// Colour.
    pub class: &'static str,
    /// What, in words.
    pub words: String,
    /// What a program said about it; empty if nothing.
    pub detail: String,
    /// Who did it; empty where nobody did.
    pub who: String,
}

/// What happened, and what those are called who did it.
pub struct DoorLogKnown {
    past: Vec<Past>,
    names: BTreeMap<String, String>,
}

/// Reads the newest lines about `id`.
pub fn read(tx: &Tx<'_>, id: &DeviceId) -> Result<DoorLogKnown, Error> {
    let past = past::of(tx, id, LINES)?;
    let mut names = BTreeMap::new();
    for line in &past {
        let DoorPast::Done { actor, .. } = &line.what else { continue };
        if !names.contains_key(actor) {
            names.extend(account::name(tx, actor)?.map(|name| (actor.clone(), name)));
        }
    }
    Ok(DoorLogKnown { past, names })
}

/// The lines in the words of `shell`'s language.
#[must_use]
pub fn lines(shell: &Shell, known: DoorLogKnown, zone: &TimeZone, now: Wall) -> Vec<DoorLogLine> {
    let DoorLogKnown { past, names } = known;
    let line = |Past { at, what }| {
        let (class, key, detail) = words(&what);
        let who = match &what {
            DoorPast::Done { actor, .. } if actor != "hub" => {
                names.get(actor).unwrap_or(actor).clone()
            }
            _ => String::new(),
        };
        let words = key.map_or_else(String::new, |key| shell.say(key));
        DoorLogLine { when: words::when(shell.language, at, zone, now), class, words, detail, who }
    };
    past.into_iter().map(line).collect()
}

/// Colour, the text's key, and what else is known.
fn words(what: &DoorPast) -> (&'static str, Option<&'static str>, String) {
    let plain = |class, key| (class, Some(key), String::new());
    match what {
        DoorPast::Done { action, .. } => match done(action) {
            Some((class, key)) => plain(class, key),
            None => ("off", None, action.clone()),
        },
        DoorPast::Letter { error, detail } => {
            ("warn", Some("doors-log-letter"), format!("{error}: {detail}"))
        }
        DoorPast::Loss { cause, records } => {
            let (class, key) = lost(cause);
            (class, Some(key), records.clone())
        }
        DoorPast::Camera(camera) if camera == "blind" => plain("bad", "doors-log-blind"),
        DoorPast::Camera(_) => plain("good", "doors-log-sees"),
    }
}

/// Colour and words of why records are lost.
fn lost(cause: &str) -> (&'static str, &'static str) {
    match cause {
        "disk_full" => ("bad", "doors-log-lost-full"),
        "damaged" => ("bad", "doors-log-lost-damaged"),
        "health_trimmed" => ("warn", "doors-log-lost-health"),
        "hub_restored" => ("bad", "doors-log-lost-restored"),
        loss::NOT_KEPT => ("bad", "doors-log-lost-not-kept"),
        loss::NOBODY_ENROLLED => ("bad", "doors-log-lost-nobody"),
        loss::CARD => ("bad", "doors-log-lost-card"),
        _ => ("bad", "doors-log-lost"),
    }
}

/// Colour and words of a verb of the audit log.
fn done(action: &str) -> Option<(&'static str, &'static str)> {
    Some(match action {
        "add" => ("off", "doors-log-add"),
        "place" => ("off", "doors-log-place"),
        "settings" => ("off", "doors-log-settings"),
        "token" => ("off", "doors-log-token"),
        "join" => ("good", "doors-log-join"),
        "renew" => ("good", "doors-log-renew"),
        "revoke" => ("bad", "doors-log-revoke"),
        "supersede" => ("off", "doors-log-supersede"),
        "twin" => ("bad", "doors-log-twin"),
        "find" => ("warn", "doors-log-find"),
        "refuse" => ("bad", "doors-log-refuse"),
        "snap" => ("warn", "doors-log-snap"),
        "look" => ("warn", "doors-log-look"),
        "log" => ("off", "doors-log-log"),
        "read-log" => ("off", "doors-log-read"),
        "restart" => ("off", "doors-log-restart"),
        "reload" => ("off", "doors-log-reload"),
        "gallery-rollback" => ("warn", "doors-log-back"),
        "capture-token" => ("off", "doors-log-capture"),
        "end-capture-token" => ("off", "doors-log-capture-end"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_says_what_happened_and_who_did_it() {
        let at = Wall(1_790_000_000_000);
        let by = |actor: &str, action: &str| DoorPast::Done {
            actor: actor.into(),
            action: action.into(),
        };
        let letter = DoorPast::Letter { error: "invalid".into(), detail: "a score of 7".into() };
        let loss = DoorPast::Loss { cause: "hub_restored".into(), records: "3–7".into() };
        let all = [by("id-1", "snap"), by("hub", "renew"), by("cli:0", "sing"), letter, loss];
        let past = all.into_iter().map(|what| Past { at, what }).collect();
        let names = [("id-1".to_owned(), "Ada".to_owned())].into();
        let shell = Shell::default();
        let lines = lines(&shell, DoorLogKnown { past, names }, &TimeZone::UTC, at);
        let said: Vec<_> =
            lines.iter().map(|line| (line.who.as_str(), line.detail.as_str())).collect();
        let letter = ("", "invalid: a score of 7");
        assert_eq!(said, [("Ada", ""), ("", ""), ("cli:0", "sing"), letter, ("", "3–7")]);
        assert_eq!(lines[4].words, shell.say("doors-log-lost-restored"));
        assert_eq!(lines[0].words, shell.say("doors-log-snap"));
        assert!(lines[2].words.is_empty() && !lines[3].words.is_empty());
    }
}
