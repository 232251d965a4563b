//! The texts of mails, and which follow from what was recorded.

use super::texts::{Text, TextKind, Texts};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rules::attendance::budget;
use store::account::Account;
use store::alert::Alert;
use store::budget::Suspended;
use store::mail::{Absence, MailAttendance, MailLetter};
use wire::Wall;
use words::language::Language;

/// A mail about an absence waits so long, milliseconds: a door that was away may still say that
/// somebody was there.
pub const GRACE_MS: i64 = 30 * 60_000;
/// Attendance strictly below this, in per cent, is low.
pub const LOW: i64 = 75;
/// Doors that a mail names of each kind.
const NAMED: usize = 100;

/// What a teacher is told when a person decides again in their class.
#[must_use]
pub fn suspended(of: &Suspended, texts: &Texts, now: Wall) -> MailLetter {
    let why = budget::reason(of.count, of.budget);
    let with = [("class", of.class_name.as_str()), ("why", why.as_str())];
    let Text { subject, body } = texts.of(TextKind::Policy).fill(&with);
    MailLetter {
        kind: TextKind::Policy.as_str(),
        about: Some(format!("policy:{}:{}:{}", of.class, of.at.0, of.teacher)),
        student: None,
        recipient: of.recipient.clone(),
        subject,
        body,
        due: now,
    }
}

/// The sentences about what opens an account, by what happened.
const NEWS: [(&str, &str); 7] = [
    ("account.password", "words-account-password"),
    ("account.address", "words-account-address"),
    ("account.codes-on", "words-account-codes-on"),
    ("account.codes-off", "words-account-codes-off"),
    ("account.passkey-new", "words-account-passkey-new"),
    ("account.passkey-gone", "words-account-passkey-gone"),
    ("account.signed-out", "words-account-signed-out"),
];

/// The sentence about `event`, if it is one about an account.
#[must_use]
pub fn news(event: &str) -> Option<&'static str> {
    NEWS.into_iter().find(|(of, _)| *of == event).map(|(_, key)| key)
}

/// What whoever owns the account `of` is told, at the address `to`. It names no other: the one it had
/// may be a stranger's.
#[must_use]
pub fn account(news: &str, of: &Account, to: &str, texts: &Texts, now: Wall) -> MailLetter {
    let what = texts.language.say(news);
    let with = [("who", to), ("what", what.as_str())];
    let Text { subject, body } = texts.of(TextKind::Account).fill(&with);
    let kind = TextKind::Account.as_str();
    let about = None;
    let student = of.student;
    MailLetter { kind, about, student, recipient: to.to_owned(), subject, body, due: now }
}

/// What is said about an absence.
#[must_use]
pub fn absence(of: &Absence, zone: &TimeZone, texts: &Texts, now: Wall) -> MailLetter {
    let at = Timestamp::from_millisecond(of.starts.0).unwrap_or(Timestamp::UNIX_EPOCH);
    let at = at.to_zoned(zone.clone());
    let day = at.date().to_string();
    let time = at.strftime("%H:%M").to_string();
    let name = of.name.as_str();
    let lesson = of.lesson.as_str();
    let with = [("name", name), ("lesson", lesson), ("day", &day), ("time", &time)];
    let Text { subject, body } = texts.of(TextKind::Absence).fill(&with);
    MailLetter {
        kind: TextKind::Absence.as_str(),
        about: Some(format!("absence:{}:{}", of.session, of.student)),
        student: Some(of.student),
        recipient: of.recipient.clone(),
        subject,
        body,
        due: now.plus_ms(GRACE_MS),
    }
}

/// What is said about a month, if attendance was low in it.
#[must_use]
pub fn low_attendance(
    of: &MailAttendance,
    month: Date,
    texts: &Texts,
    now: Wall,
) -> Option<MailLetter> {
    let rate = of.sums.attended();
    if of.sums.total() == 0 || !rate.is_below(LOW) {
        return None;
    }
    let month = month.strftime("%Y-%m").to_string();
    let present = (of.sums.present + of.sums.late).to_string();
    let total = of.sums.total().to_string();
    let percentage = format!("{:.2}", rate.percent());
    let with = [
        ("name", of.name.as_str()),
        ("class", of.class_name.as_str()),
        ("month", &month),
        ("present", &present),
        ("total", &total),
        ("percentage", &percentage),
    ];
    let Text { subject, body } = texts.of(TextKind::LowAttendance).fill(&with);
    Some(MailLetter {
        kind: TextKind::LowAttendance.as_str(),
        about: Some(format!("low:{month}:{}:{}", of.class, of.student)),
        student: Some(of.student),
        recipient: of.recipient.clone(),
        subject,
        body,
        due: now,
    })
}

/// What admins are told of doors: what began and what ended in one look at them. Whom it goes to, and
/// what it is about, is not said here.
#[must_use]
pub fn alerts(
    (begun, ended): (&[Alert], &[Alert]),
    texts: &Texts,
    zone: &TimeZone,
    now: Wall,
) -> MailLetter {
    let language = texts.language;
    let say = |at| words::when(language, at, zone, now);
    let list = list(language, begun, ended, &say);
    let counts = [begun, ended].map(|all| language.digits(&all.len().to_string()));
    let with = [("begun", counts[0].as_str()), ("ended", counts[1].as_str()), ("list", &list)];
    let Text { subject, body } = texts.of(TextKind::Alerts).fill(&with);
    let kind = TextKind::Alerts.as_str();
    let (about, student, recipient) = (None, None, String::new());
    MailLetter { kind, about, student, recipient, subject, body, due: now }
}

/// What began, kind by kind with what to do, and what is over.
fn list(
    language: Language,
    begun: &[Alert],
    ended: &[Alert],
    when: &impl Fn(Wall) -> String,
) -> String {
    let mut lines = Vec::new();
    for same in begun.chunk_by(|one, other| one.kind == other.kind) {
        let (what, next) = words::alert::keys(same[0].kind);
        lines.push(format!("{}: {}", language.say(what), language.say(next)));
        lines.extend(named(language, same, |of| {
            language.two(
                "doors-alert-since",
                ("door", place(language, of)),
                ("when", when(of.since)),
            )
        }));
        lines.push(String::new());
    }
    for same in ended.chunk_by(|one, other| one.kind == other.kind) {
        let what = language.say(words::alert::keys(same[0].kind).0);
        lines.push(language.one("doors-alert-over", "what", what));
        lines.extend(named(language, same, |of| {
            let until = of.until.map(when).unwrap_or_default();
            let span = language.two("doors-alert-span", ("from", when(of.since)), ("to", until));
            language.two("doors-alert-was", ("door", place(language, of)), ("span", span))
        }));
        lines.push(String::new());
    }
    let text = lines.join("\n").trim_end().to_owned();
    match language.direction() {
        "ltr" => text.replace(['\u{2068}', '\u{2069}'], ""),
        _ => text,
    }
}

/// A line for each of some, and how many more there are.
fn named<'a>(
    language: Language,
    all: &'a [Alert],
    say: impl Fn(&'a Alert) -> String,
) -> Vec<String> {
    let mut lines: Vec<_> = all.iter().take(NAMED).map(|of| format!("- {}", say(of))).collect();
    if all.len() > NAMED {
        lines.push(format!("- {}", language.one("doors-late-more", "count", all.len() - NAMED)));
    }
    lines
}

/// A door with the room it is at.
fn place(language: Language, of: &Alert) -> String {
    match of.room.as_str() {
        "" => of.device.to_string(),
        room => language.two("doors-alert-place", ("door", of.device.as_str()), ("room", room)),
    }
}

/// First and last day of the month before that of `today`.
#[must_use]
pub fn last_month(today: Date) -> (Date, Date) {
    let last = today.first_of_month().yesterday().unwrap_or(today);
    (last.first_of_month(), last)
}
