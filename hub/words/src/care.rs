//! What needs care, and what to do about it.

use crate::language::{Language, Said as _};
use fluent_bundle::FluentArgs;
use jiff::tz::TimeZone;
use rules::care::Worry;

/// What a worry is and what to do about it, in words.
#[must_use]
pub fn said(language: Language, worry: &Worry, zone: &TimeZone) -> (String, String) {
    let when = worry.at.map(|at| {
        let day = crate::full_day(language, rules::timetable::day(at, zone));
        let time = crate::minute(language, at, zone);
        language.two("care-when", ("day", day), ("time", time))
    });
    let mut gaps = FluentArgs::new();
    gaps.set("count", worry.count.value());
    gaps.set("name", worry.name.value());
    gaps.set("when", when.unwrap_or_default().value());
    (language.tell(worry.texts.0, &gaps), language.tell(worry.texts.1, &gaps))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::care::{AsideKind, CareFacts, CareFound, Failed, Held, worries};
    use wire::Wall;

    const NOW: Wall = Wall(1_790_000_000_000);
    const DAY_MS: i64 = 24 * 3_600_000;

    fn failed(what: AsideKind, ago: i64) -> Failed {
        let (since, last) = (NOW.plus_ms(-ago), NOW.plus_ms(-ago));
        let (id, why) = ("one".to_owned(), "closing a lesson failed".to_owned());
        Failed { what, id, tries: 3, since, last, next: wire::Mono(0), why }
    }

    fn held() -> Held {
        Held { device: "door-1".parse().unwrap(), model: "m-1".parse().unwrap(), since: NOW }
    }

    #[test]
    fn every_worry_says_what_it_is_and_what_to_do_in_each_language() {
        let (lesson, period, outgoing) =
            (AsideKind::Lesson, AsideKind::Period, AsideKind::Outgoing);
        let (leaver, work, broker) = (AsideKind::Leaver, AsideKind::Work, AsideKind::Broker);
        let whats = [lesson, period, outgoing, leaver, work, broker];
        let aside = whats.map(|what| failed(what, 0)).to_vec();
        let hooks = vec!["https://a.test".to_owned()];
        let recognition = Some("no pack".to_owned());
        let facts = CareFacts {
            leap: Some(NOW),
            held: vec![held()],
            dead_letters: (1, None),
            mails: 1,
            offline: 1,
            old_programs: 1,
            lost: vec![("door-1".into(), 3, NOW)],
            hooks,
            aside,
            recognition,
            backup: None,
            tls: "own.pem cannot be read".into(),
            behind: vec![("door-1".into(), NOW.plus_ms(-DAY_MS))],
            found: [false, true]
                .map(|is_refused| CareFound { device: "door-2".into(), at: NOW, is_refused })
                .to_vec(),
            replaced: Some(NOW),
            certificates: vec![("ca.pem", NOW), ("server.pem", NOW)],
            ..CareFacts::default()
        };
        for worry in worries(&facts, NOW) {
            for language in Language::ALL {
                let (what, next) = (language.say(worry.texts.0), language.say(worry.texts.1));
                assert!(what != worry.texts.0 && next != worry.texts.1, "{worry:?}");
            }
        }
    }
}
