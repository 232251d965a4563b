//! What is wrong with a door, in words.

use rules::alerts::AlertKind;

/// What it is, and what to do about it; keys of texts.
#[must_use]
pub fn keys(kind: AlertKind) -> (&'static str, &'static str) {
    match kind {
        AlertKind::Offline => ("doors-offline", "doors-offline-next"),
        AlertKind::Blind => ("doors-alert-blind", "doors-alert-blind-next"),
        AlertKind::Hot => ("doors-hot", "doors-hot-next"),
        AlertKind::Sagged => ("doors-sagged", "doors-sagged-next"),
        AlertKind::DiskLow => ("doors-disk", "doors-disk-next"),
        AlertKind::MemoryLow => ("doors-memory", "doors-memory-next"),
        AlertKind::OldProgram => ("doors-alert-program", "doors-alert-program-next"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn every_alert_says_what_it_is_and_what_to_do_in_each_language() {
        for (kind, language) in
            AlertKind::ALL.into_iter().flat_map(|kind| Language::ALL.map(|one| (kind, one)))
        {
            let (what, next) = keys(kind);
            assert!(language.say(what) != what && language.say(next) != next, "{kind:?}");
        }
    }
}
