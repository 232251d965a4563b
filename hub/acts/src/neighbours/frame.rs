//! Words between hubs as messages of bounded size, numbered, so that who missed one knows.

use crate::hubs::roll::Run;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use wire::Wall;

/// Bytes of a word in one message: the rest is its head and its seal.
const PIECE: usize = store::line::BYTES - 100;
/// Bytes of a word at most: a picture of a camera.
const WORD: usize = 1 << 20;
/// Runs of hubs that are followed at once; beyond it the one that was quiet longest is forgotten.
const RUNS: usize = 64;
/// A message that is older was said to somebody else, milliseconds.
const FRESH_MS: i64 = 60_000;

/// A message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Frame {
    run: Run,
    /// Counted by its run, from 1.
    n: u64,
    at: Wall,
    /// Whether the word goes on in the next one.
    goes_on: bool,
    piece: Vec<u8>,
}

/// Cuts the words of one run.
#[derive(Clone, Copy, Debug)]
pub struct Cutter {
    run: Run,
    n: u64,
}

impl Cutter {
    /// Nothing said yet.
    #[must_use]
    pub fn new(run: Run) -> Self {
        Self { run, n: 0 }
    }

    /// Whose words these are.
    #[must_use]
    pub fn run(&self) -> Run {
        self.run
    }

    /// The messages of `word`.
    pub fn cut(&mut self, word: &[u8], at: Wall) -> Vec<Frame> {
        let pieces = word.chunks(PIECE);
        let last = pieces.len().saturating_sub(1);
        let frame = |(place, piece): (usize, &[u8])| {
            self.n += 1;
            Frame { run: self.run, n: self.n, at, goes_on: place < last, piece: piece.to_vec() }
        };
        pieces.enumerate().map(frame).collect()
    }
}

/// What a message came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Joined {
    /// A whole word of this run.
    Word(Run, Vec<u8>),
    /// It goes on, or is one's own.
    Nothing,
    /// Something before it was missed.
    Missed,
}

/// Puts the words of others together.
#[derive(Debug, Default)]
pub struct Joiner {
    own: Run,
    runs: HashMap<Run, Followed>,
}

#[derive(Debug)]
struct Followed {
    next: u64,
    at: Wall,
    /// What came of a word; nothing where its beginning was missed.
    word: Option<Vec<u8>>,
}

impl Joiner {
    /// Of all but `own`.
    #[must_use]
    pub fn new(own: Run) -> Self {
        Self { own, runs: HashMap::new() }
    }

    /// Takes a message that came at `now`.
    pub fn take(&mut self, frame: Frame, now: Wall) -> Joined {
        let Frame { run, n, at, goes_on, piece } = frame;
        if run == self.own || (now.0 - at.0).abs() > FRESH_MS {
            return Joined::Nothing;
        }
        self.make_room(run);
        let new = Followed { next: n, at, word: Some(Vec::new()) };
        let followed = self.runs.entry(run).or_insert(new);
        // Said again by somebody who recorded it.
        if n < followed.next {
            return Joined::Nothing;
        }
        let is_missed = n > followed.next;
        if is_missed {
            followed.word = None;
        }
        (followed.next, followed.at) = (n + 1, at);
        let whole = followed.add(&piece, goes_on);
        match whole {
            _ if is_missed => Joined::Missed,
            Some(word) => Joined::Word(run, word),
            None => Joined::Nothing,
        }
    }

    /// A run is over.
    pub fn forget(&mut self, run: Run) {
        self.runs.remove(&run);
    }

    fn make_room(&mut self, run: Run) {
        if self.runs.len() < RUNS || self.runs.contains_key(&run) {
            return;
        }
        let quiet = self.runs.iter().min_by_key(|(_, followed)| followed.at);
        if let Some(quiet) = quiet.map(|(run, _)| *run) {
            self.runs.remove(&quiet);
        }
    }
}

impl Followed {
    /// The word, once it is whole.
    fn add(&mut self, piece: &[u8], goes_on: bool) -> Option<Vec<u8>> {
        if let Some(word) = &mut self.word {
            word.extend_from_slice(piece);
        }
        let is_too_long = self.word.as_ref().is_some_and(|word| word.len() > WORD);
        if is_too_long {
            self.word = None;
        }
        match goes_on {
            true => None,
            false => self.word.replace(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(joiner: &mut Joiner, frames: Vec<Frame>) -> Vec<Joined> {
        let taken = frames.into_iter().map(|frame| joiner.take(frame, Wall(5)));
        taken.filter(|joined| *joined != Joined::Nothing).collect()
    }

    proptest! {
        #[test]
        fn words_arrive_whole_and_in_order_whatever_their_length(
            lengths in prop::collection::vec(1usize..4 * PIECE, 1..6),
        ) {
            let (mut cutter, mut joiner) = (Cutter::new(7), Joiner::new(1));
            for (n, length) in lengths.into_iter().enumerate() {
                let word = vec![n as u8; length];
                let frames = cutter.cut(&word, Wall(5));
                prop_assert_eq!(all(&mut joiner, frames), [Joined::Word(7, word)]);
            }
        }

        #[test]
        fn whatever_is_lost_is_noticed_and_nothing_else_is_damaged(
            lost in prop::collection::vec(any::<bool>(), 12),
        ) {
            let (mut cutter, mut joiner) = (Cutter::new(7), Joiner::new(1));
            let words = (0..6u8).map(|n| vec![n; PIECE + 1]).collect::<Vec<_>>();
            let frames = words.iter().flat_map(|word| cutter.cut(word, Wall(5)));
            let kept = frames.zip(lost).filter(|(_, lost)| !lost).map(|(frame, _)| frame);
            let kept = kept.collect::<Vec<_>>();
            let gaps = kept.windows(2).any(|two| two[1].n > two[0].n + 1);
            let joined = all(&mut joiner, kept);
            prop_assert_eq!(joined.contains(&Joined::Missed), gaps);
            for one in joined {
                if let Joined::Word(_, word) = one {
                    // Of the first that is heard the beginning may be missing: it is no word then.
                    prop_assert!(words.contains(&word) || word.len() == 1);
                }
            }
        }
    }

    #[test]
    fn what_is_ones_own_or_old_or_said_again_is_passed_over() {
        let (mut cutter, mut joiner) = (Cutter::new(7), Joiner::new(7));
        assert_eq!(all(&mut joiner, cutter.cut(b"own", Wall(5))), []);
        let mut joiner = Joiner::new(1);
        assert_eq!(all(&mut joiner, cutter.cut(b"old", Wall(5 - FRESH_MS - 1))), []);
        let frames = cutter.cut(b"new", Wall(5));
        assert_eq!(all(&mut joiner, frames.clone()), [Joined::Word(7, b"new".to_vec())]);
        assert_eq!(all(&mut joiner, frames), []);
    }

    #[test]
    fn runs_that_are_followed_are_bounded() {
        let mut joiner = Joiner::new(0);
        for run in 1..200 {
            joiner.take(Cutter::new(run).cut(b"here", Wall(5)).remove(0), Wall(5));
        }
        assert_eq!(joiner.runs.len(), RUNS);
    }
}
