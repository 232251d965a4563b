//! What a camera's program says on its standard error. The journal gets how it begins, and then
//! only how much more there was: `rpicam-vid` says a line for each frame.

use std::{
    io::{BufRead, BufReader, Read},
    sync::{Arc, Mutex, PoisonError},
};
use wire::{Clock, Mono};

/// Lines that are passed on whole.
const FIRST: u64 = 10;
/// How often the others are summed up.
const EVERY_MS: u64 = 600_000;
/// Characters of a line that are enough.
const LONG: usize = 200;
/// Bytes of a line that are read at most.
const BYTES: u64 = 4_096;

/// Counts what is said.
#[derive(Debug, Default)]
pub struct Said {
    heard: u64,
    /// Since the last sum.
    quiet: u64,
    /// When it was summed up last.
    summed: Option<Mono>,
    last: String,
}

impl Said {
    /// What the journal should hold when `line` was said at `now`.
    fn hear(&mut self, now: Mono, line: &str) -> Option<String> {
        let line: String = without_password(line.trim()).chars().take(LONG).collect();
        if line.is_empty() {
            return None;
        }
        self.heard += 1;
        self.last = line;
        if self.heard <= FIRST {
            self.summed = Some(now);
            return Some(self.last.clone());
        }
        self.quiet += 1;
        if self.summed.is_some_and(|then| now.since(then) < EVERY_MS) {
            return None;
        }
        self.summed = Some(now);
        self.sum()
    }

    /// What was not passed on since the last sum, if anything.
    fn sum(&mut self) -> Option<String> {
        let quiet = std::mem::take(&mut self.quiet);
        (quiet > 0).then(|| format!("{quiet} lines more, the last: {}", self.last))
    }
}

/// What the program said last, shared with whoever has to say why it ended.
#[derive(Clone, Debug, Default)]
pub struct Ear(Arc<Mutex<Said>>);

impl Ear {
    /// Listens until nothing more is said. Blocking.
    pub fn listen(&self, program: &str, voice: impl Read, clock: &Arc<dyn Clock>) {
        self.hear(voice, clock, |said| tracing::warn!("{program}: {said}"));
    }

    fn hear(&self, voice: impl Read, clock: &Arc<dyn Clock>, mut tell: impl FnMut(String)) {
        let mut voice = BufReader::new(voice);
        let mut line = Vec::new();
        // A line that never ends is cut, not kept. Progress bars end theirs by a carriage return.
        while let Ok(1..) = voice.by_ref().take(BYTES).read_until(b'\n', &mut line) {
            for part in line.split(|byte| *byte == b'\r') {
                let said = self.lock().hear(clock.mono(), &String::from_utf8_lossy(part));
                said.into_iter().for_each(&mut tell);
            }
            line.clear();
        }
        let rest = self.lock().sum();
        rest.into_iter().for_each(tell);
    }

    /// The last line, if there was any.
    #[must_use]
    pub fn last(&self) -> Option<String> {
        Some(self.lock().last.clone()).filter(|last| !last.is_empty())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Said> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Addresses of network cameras have their passwords in them: before the host, or in what follows it.
/// Only the host is left.
#[must_use]
pub fn without_password(line: &str) -> String {
    let mut parts = line.split("://");
    let mut hidden = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (address, rest) = part.split_at(part.find(char::is_whitespace).unwrap_or(part.len()));
        hidden += "://";
        hidden += &host(address);
        hidden += rest;
    }
    hidden
}

/// The host of an address without its scheme. Passwords may have quotes and brackets in them, so what
/// follows a host is hidden up to the next space, and with it whatever closed a quote.
fn host(address: &str) -> String {
    let path = |text: &str| text.find(['/', '?', '#']);
    let (before, rest) = address.rsplit_once('@').unwrap_or(("", address));
    match path(rest) {
        // A slash in the password, or an @ in the path: only one of them has a host behind it.
        _ if path(before).is_some() => "…".to_owned(),
        Some(end) => format!("{}/…", &rest[..end]),
        None => rest.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};
    use wire::{Wall, time::ManualClock};

    #[test]
    fn the_beginning_is_passed_on_and_the_rest_is_summed_up() {
        let mut said = Said::default();
        let passed = (0..10_000u64).filter_map(|n| said.hear(Mono(n * 100), &format!("#{n}")));
        let passed: Vec<_> = passed.collect();
        assert_eq!(passed.len(), 11, "{passed:?}");
        assert_eq!((passed[0].as_str(), passed[9].as_str()), ("#0", "#9"));
        assert_eq!(passed[10], "6000 lines more, the last: #6009");
    }

    /// What the journal holds of a program that says `script` on its standard error.
    fn journal(script: &str) -> Vec<String> {
        let mut program = Command::new("sh");
        let mut program = program.args(["-c", script]).stderr(Stdio::piped()).spawn().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Wall(0), Mono(0)));
        let mut lines = Vec::new();
        Ear::default().hear(program.stderr.take().unwrap(), &clock, |said| lines.push(said));
        program.wait().unwrap();
        lines
    }

    #[test]
    fn of_a_program_that_floods_the_journal_holds_eleven_lines() {
        let flood = journal("yes '#7 (30.01 fps)' | head -n 50000 >&2; echo no camera >&2");
        assert_eq!(flood.len(), 11, "{flood:?}");
        assert_eq!(flood[10], "49991 lines more, the last: no camera");
        assert_eq!(journal("seq 3 >&2"), ["1", "2", "3"]);
    }

    #[test]
    fn passwords_and_endless_lines_do_not_reach_the_journal() {
        for (line, shown) in [
            ("rtsp://door:secret@10.0.0.9/live: refused", "rtsp://10.0.0.9/… refused"),
            ("a http://b@c d rtsp://e:f@g", "a http://c d rtsp://g"),
            ("x@y is no address", "x@y is no address"),
            ("rtsp://u:p@ss@host/1", "rtsp://host/…"),
            ("from 'rtsp://eva:pa/ss@cam':", "from 'rtsp://…"),
            ("rtsp://cam/user=a&password=se@cret again", "rtsp://… again"),
            ("from 'rtsp://eva:it's2026@cam/1':", "from 'rtsp://cam/…"),
            ("rtsp://door:pa)s>s@10.0.0.9: refused", "rtsp://10.0.0.9: refused"),
            ("http://cam/snap?usr=a&pwd=b)c failed", "http://cam/… failed"),
            ("rtsp://cam/user=admin&password=x&channel=1", "rtsp://cam/…"),
            ("\"http://cam:80/snap.jpg?usr=a&pwd=b\" failed", "\"http://cam:80/… failed"),
        ] {
            assert_eq!(Said::default().hear(Mono(0), line).as_deref(), Some(shown));
        }
        let shown = Said::default().hear(Mono(0), &"é".repeat(9_999)).unwrap();
        assert_eq!(shown.chars().count(), LONG);
    }

    #[test]
    fn a_flood_without_an_end_is_read_in_pieces_and_the_last_words_are_known() {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Wall(0), Mono(0)));
        let ear = Ear::default();
        let flood = [vec![b'x'; 1 << 20], b"\rframe 7\rcamera unplugged\n".to_vec()].concat();
        ear.listen("ffmpeg", flood.as_slice(), &clock);
        assert_eq!(ear.last().as_deref(), Some("camera unplugged"));
    }
}
