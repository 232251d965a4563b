//! The newest lines of the log, in memory only, for whoever looks after the door from afar.
//!
//! They are what standard error gets, and hold as little: no names, no templates, no secrets.

use crate::capture::without_password;
use std::{
    collections::VecDeque,
    fmt::{Debug, Write as _},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};
use wire::{
    Clock, Mono,
    care::{Tail, TailLevel, TailLine, within},
    time::SystemClock,
};

/// The log is the process's, and so is this.
static JOURNAL: Mutex<Journal> = Mutex::new(Journal::new());

/// The newest lines; the oldest go first.
#[derive(Debug)]
struct Journal {
    lines: VecDeque<(Mono, TailLevel, String)>,
    bytes: usize,
    missed: u64,
}

impl Journal {
    const fn new() -> Self {
        Self { lines: VecDeque::new(), bytes: 0, missed: 0 }
    }

    fn note(&mut self, at: Mono, level: TailLevel, text: &str) {
        let text = within(&without_password(text), Tail::LINE_BYTES);
        self.bytes += text.len();
        self.lines.push_back((at, level, text));
        while self.lines.len() > Tail::LINES || self.bytes > Tail::BYTES {
            let oldest = self.lines.pop_front();
            self.bytes -= oldest.map_or(0, |(_, _, text)| text.len());
            self.missed += 1;
        }
    }

    fn tail(&self, now: Mono) -> Tail {
        let line = |(at, level, text): &(Mono, TailLevel, String)| TailLine {
            ago_ms: now.since(*at),
            level: *level,
            text: text.clone(),
        };
        Tail { missed: self.missed, lines: self.lines.iter().map(line).collect() }
    }
}

/// The newest lines of this process, as of `now`.
#[must_use]
pub fn tail(now: Mono) -> Tail {
    journal().tail(now)
}

fn journal() -> MutexGuard<'static, Journal> {
    JOURNAL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes what is logged.
pub struct Noting;

impl<S: Subscriber> Layer<S> for Noting {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let about = event.metadata();
        // What others note of their work, if somebody has set that loud, nobody here has read.
        if *about.level() > Level::INFO && !about.target().starts_with("rollcall") {
            return;
        }
        let mut words = Words::default();
        event.record(&mut words);
        let text = format!("{}: {}{}", about.target(), words.message, words.fields);
        journal().note(SystemClock.mono(), level(*about.level()), &text);
    }
}

fn level(level: Level) -> TailLevel {
    match level {
        Level::ERROR => TailLevel::Error,
        Level::WARN => TailLevel::Warn,
        Level::INFO => TailLevel::Info,
        _ => TailLevel::Debug,
    }
}

/// What an event says: its sentence, and its fields behind it.
#[derive(Default)]
struct Words {
    message: String,
    fields: String,
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Nothing that writes into a string fails.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt as _;

    #[test]
    fn the_newest_lines_are_kept_and_the_others_counted() {
        let mut journal = Journal::new();
        for n in 0..Tail::LINES as u64 + 3 {
            journal.note(Mono(n), TailLevel::Info, &format!("line {n}"));
        }
        let tail = journal.tail(Mono(1_000));
        assert_eq!((tail.missed, tail.lines.len()), (3, Tail::LINES));
        assert_eq!((tail.lines[0].text.as_str(), tail.lines[0].ago_ms), ("line 3", 997));
        assert!(tail.is_sound());
    }

    #[test]
    fn long_lines_make_it_no_larger_than_a_message_may_be() {
        let mut journal = Journal::new();
        (0..99).for_each(|n| journal.note(Mono(n), TailLevel::Warn, &"…".repeat(2_000)));
        let tail = journal.tail(Mono(100));
        assert!(tail.is_sound() && tail.missed > 0);
        let bytes: usize = tail.lines.iter().map(|line| line.text.len()).sum();
        assert_eq!(bytes, journal.bytes);
        let sent = wire::Message::from(tail).encode();
        assert!(sent.len() <= wire::topic::Leaf::Log.rule().max_bytes, "{}", sent.len());
    }

    #[test]
    fn what_is_logged_is_noted_with_its_fields_on_one_line_and_without_a_password() {
        let logging = tracing_subscriber::registry().with(Noting);
        tracing::subscriber::with_default(logging, || {
            tracing::warn!(target: "noted", seq = 7, "rtsp://eva:secret@cam/1\nfell silent");
            tracing::debug!(target: "noted", "what it does in detail");
            tracing::debug!(target: "rollcall_edge::noted", "what ours does");
        });
        let lines = tail(SystemClock.mono()).lines;
        let line = lines.iter().find(|line| line.text.starts_with("noted: ")).unwrap();
        assert_eq!(line.text, "noted: rtsp://cam/… fell silent seq=7");
        assert_eq!(line.level, TailLevel::Warn);
        assert!(lines.iter().all(|line| !line.text.contains("in detail")));
        assert!(lines.iter().any(|line| line.text.contains("what ours does")));
    }
}
