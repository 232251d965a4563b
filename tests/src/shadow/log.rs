//! The calls that reached the disk, and what a power cut after the n-th of them leaves.

use rand::{Rng, RngExt};
use std::collections::BTreeMap;

/// Bytes that a disk writes at once, or tears.
const SECTOR: u64 = 512;

/// Contents by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// One call, or a mark of the test's between calls.
#[derive(Clone, Debug)]
pub enum Call<M> {
    /// Bytes at an offset.
    Write(String, u64, Vec<u8>),
    /// Everything beyond a length goes.
    Truncate(String, u64),
    /// What was written so far lasts.
    Sync(String),
    /// The file goes; it lasts only if the folder was synced too.
    Delete(String, bool),
    /// Something the test wants to know the moment of.
    Mark(M),
}

/// All calls in their order.
#[derive(Clone, Debug)]
pub struct Log<M>(pub Vec<Call<M>>);

/// A file as the disk has it: what lasts, and what may or may not.
#[derive(Default)]
struct File {
    lasting: Option<Vec<u8>>,
    open: Vec<Open>,
}

enum Open {
    Write(u64, Vec<u8>),
    Truncate(u64),
    Delete,
}

impl<M> Log<M> {
    /// The files after a power cut that lets `calls` calls through.
    pub fn cut(&self, calls: usize, rng: &mut impl Rng) -> Files {
        let mut files: BTreeMap<&str, File> = BTreeMap::new();
        for call in &self.0[..calls] {
            match call {
                Call::Write(name, at, bytes) => {
                    files.entry(name).or_default().open.push(Open::Write(*at, bytes.clone()));
                }
                Call::Truncate(name, to) => {
                    files.entry(name).or_default().open.push(Open::Truncate(*to));
                }
                Call::Sync(name) => {
                    if files.entry(name).or_default().sync() {
                        files.values_mut().for_each(File::settle);
                    }
                }
                Call::Delete(name, true) => drop(files.remove(name.as_str())),
                Call::Delete(name, false) => {
                    files.entry(name).or_default().open.push(Open::Delete);
                }
                Call::Mark(_) => {}
            }
        }
        // Some cuts keep almost everything, some almost nothing.
        let luck = rng.random_range(0.0..=1.0);
        let left = files.into_iter().map(|(name, file)| (name.to_owned(), file.left(luck, rng)));
        left.filter_map(|(name, bytes)| Some((name, bytes?))).collect()
    }

    /// Bytes written by all calls.
    pub fn bytes(&self) -> u64 {
        let bytes = |call: &Call<M>| match call {
            Call::Write(_, _, bytes) => bytes.len() as u64,
            _ => 0,
        };
        self.0.iter().map(bytes).sum()
    }

    /// The marks among the first `calls` calls.
    pub fn marks(&self, calls: usize) -> impl Iterator<Item = &M> {
        self.0[..calls].iter().filter_map(|call| match call {
            Call::Mark(mark) => Some(mark),
            _ => None,
        })
    }
}

impl File {
    /// Everything lasts. True if this was the first sync of a new file: SQLite's Unix file
    /// system then syncs the folder too, and with it every removal so far.
    fn sync(&mut self) -> bool {
        let new =
            self.lasting.is_none() || self.open.iter().any(|open| matches!(open, Open::Delete));
        for open in std::mem::take(&mut self.open) {
            open.apply(&mut self.lasting);
        }
        self.lasting.get_or_insert_default();
        new
    }

    /// The folder was synced: removals last.
    fn settle(&mut self) {
        let last = self.open.iter().rposition(|open| matches!(open, Open::Delete));
        if let Some(last) = last {
            self.open.drain(..=last);
            self.lasting = None;
        }
    }

    fn left(self, luck: f64, rng: &mut impl Rng) -> Option<Vec<u8>> {
        let mut left = self.lasting;
        for open in self.open {
            match open {
                Open::Write(at, bytes) => {
                    for (at, bytes) in sectors(at, &bytes) {
                        if !rng.random_bool(luck) {
                            continue;
                        }
                        let torn = rng.random_bool(0.05);
                        let length =
                            if torn { rng.random_range(0..=bytes.len()) } else { bytes.len() };
                        Open::Write(at, bytes[..length].to_vec()).apply(&mut left);
                    }
                }
                // The name still leads to the old file; what came after went to a new one.
                Open::Delete if !rng.random_bool(luck) => return left,
                Open::Truncate(_) if !rng.random_bool(luck) => {}
                other => other.apply(&mut left),
            }
        }
        left
    }
}

impl Open {
    fn apply(self, file: &mut Option<Vec<u8>>) {
        match self {
            Self::Write(at, bytes) => write(file.get_or_insert_default(), at, &bytes),
            Self::Truncate(to) => {
                let to = usize::try_from(to).expect("test files are small");
                file.get_or_insert_default().truncate(to);
            }
            Self::Delete => *file = None,
        }
    }
}

/// Puts `bytes` at `at`, with zeros before it where there was nothing.
pub(super) fn write(file: &mut Vec<u8>, at: u64, bytes: &[u8]) {
    let at = usize::try_from(at).expect("test files are small");
    let end = at + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[at..end].copy_from_slice(bytes);
}

fn sectors(at: u64, bytes: &[u8]) -> Vec<(u64, &[u8])> {
    let (mut parts, mut at, mut rest) = (Vec::new(), at, bytes);
    while !rest.is_empty() {
        let room = usize::try_from(SECTOR - at % SECTOR).expect("a sector is small");
        let (part, more) = rest.split_at(room.min(rest.len()));
        parts.push((at, part));
        at += part.len() as u64;
        rest = more;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};

    fn write(at: u64, byte: u8, count: usize) -> Call<()> {
        Call::Write("f".into(), at, vec![byte; count])
    }

    #[test]
    fn what_was_synced_lasts_and_the_rest_may_be_lost_sector_by_sector() {
        let calls = vec![write(0, 1, 2048), Call::Sync("f".into()), write(0, 2, 2048)];
        let (log, mut seen) = (Log(calls), std::collections::BTreeSet::new());
        for seed in 0..200 {
            let left = log.cut(3, &mut StdRng::seed_from_u64(seed)).remove("f").unwrap();
            assert!(left.len() == 2048 && left.iter().all(|byte| [1, 2].contains(byte)));
            seen.insert(left.chunks(512).map(|sector| sector[0]).collect::<Vec<_>>());
        }
        assert_eq!(seen.len(), 16, "every subset of four sectors happens");
    }

    #[test]
    fn a_file_that_was_never_synced_may_be_gone_and_a_removal_may_not_last() {
        let delete = Call::Delete("f".into(), false);
        let kept = Log(vec![write(0, 1, 10), Call::Sync("f".into()), delete]);
        let fresh = Log(vec![write(0, 1, 10)]);
        let there = |log: &Log<()>, calls, seed| {
            log.cut(calls, &mut StdRng::seed_from_u64(seed)).contains_key("f")
        };
        for (log, calls) in [(&kept, 3), (&fresh, 1)] {
            let alive = (0..200).filter(|seed| there(log, calls, *seed)).count();
            assert!((20..180).contains(&alive), "{alive} of 200");
        }
    }
}
