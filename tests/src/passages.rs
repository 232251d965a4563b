//! Passages by what was seen, whatever numbers they were given: each that a door made is shown by
//! the hub, waits at the door, or is told as lost with its number.

use crate::history::Key;
use anyhow::Context as _;
use rusqlite::{Connection, OpenFlags};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use wire::{Body, Epoch, Quality, Ranges};

/// What tells one passage of the simulated door from all others.
pub type Mark = u64;

/// The mark of what was seen: no two looks are the same.
#[must_use]
pub fn mark(quality: &Quality) -> Mark {
    u64::from(quality.eye_px.to_bits()) << 32 | u64::from(quality.sharpness.to_bits())
}

/// What became of passages.
#[derive(Clone, Debug, Default)]
pub struct Passages {
    /// COMMIT had returned at the door.
    pub made: BTreeSet<Mark>,
    /// The keys they ever had, as far as cards were read.
    pub keys: BTreeMap<Mark, BTreeSet<Key>>,
    /// Those that the door still holds.
    pub waiting: BTreeSet<Mark>,
    /// How often the hub shows each.
    pub shown: BTreeMap<Mark, usize>,
    /// Numbers that the hub shows as lost.
    pub told: BTreeSet<Key>,
    /// The last number of each life that the hub heard of, where it says that later ones are lost.
    pub after: BTreeMap<Epoch, u64>,
    /// Records that the hub set aside.
    pub dead: usize,
}

/// How often each promise was broken; all of them must be 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Account {
    /// Made, and nowhere.
    pub lost: usize,
    /// Shown more than once.
    pub doubled: usize,
    /// Numbers told as lost although every passage that had them is shown: an old copy of a card gives
    /// some out again.
    pub mistold: usize,
    /// Set aside.
    pub dead: usize,
}

impl Passages {
    /// What became of them all.
    #[must_use]
    pub fn account(&self) -> Account {
        let here = |mark: &&Mark| self.shown.contains_key(mark) || self.waiting.contains(mark);
        let shown = |marks: &Vec<Mark>| marks.iter().all(|mark| self.shown.contains_key(mark));
        let told = self.marks();
        let told = told.iter().filter(|(key, _)| self.told.contains(*key));
        Account {
            lost: self.made.iter().filter(|mark| !here(mark) && !self.is_told(mark)).count(),
            doubled: self.shown.values().filter(|times| **times > 1).count(),
            mistold: told.filter(|(_, marks)| shown(marks)).count(),
            dead: self.dead,
        }
    }

    /// Whether the hub says that it is lost: by its number, or as one after the last it heard of.
    fn is_told(&self, mark: &Mark) -> bool {
        let later = |(epoch, seq): &Key| self.after.get(epoch).is_some_and(|last| seq > last);
        self.is_numbered(mark) || self.of(mark).any(later)
    }

    /// Whether the hub names its number as lost.
    #[must_use]
    pub fn is_numbered(&self, mark: &Mark) -> bool {
        self.of(mark).any(|key| self.told.contains(key))
    }

    /// Numbers that are told as lost and that passages of two lives had, of which one is shown.
    #[must_use]
    pub fn shared(&self) -> usize {
        let told = self.marks().into_iter().filter(|(key, _)| self.told.contains(key));
        told.filter(|(_, marks)| marks.iter().any(|mark| self.shown.contains_key(mark))).count()
    }

    /// The passages that had each number.
    fn marks(&self) -> BTreeMap<Key, Vec<Mark>> {
        let mut marks: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (mark, keys) in &self.keys {
            keys.iter().for_each(|key| marks.entry(*key).or_default().push(*mark));
        }
        marks
    }

    fn of(&self, mark: &Mark) -> impl Iterator<Item = &Key> {
        self.keys.get(mark).into_iter().flatten()
    }

    /// Reads the card of a door that is not running: which numbers its passages have, and had.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_card(&mut self, path: &Path) -> anyhow::Result<()> {
        let db = open(path)?;
        let sql = "select v from meta where k = 'epoch'";
        let epoch = Epoch(db.query_row(sql, [], |row| row.get(0))?);
        let mut rows = db.prepare("select seq, acked_at is null, body from outbox")?;
        let mut rows = rows.query([])?;
        self.waiting.clear();
        while let Some(row) = rows.next()? {
            let (seq, waits): (i64, bool) = (row.get(0)?, row.get(1)?);
            let (body, former) = match Body::decode(&row.get::<_, Vec<u8>>(2)?)? {
                Body::Moved(old) => (Body::decode(&old.body)?, Some((old.epoch, old.seq))),
                body => (body, None),
            };
            let Body::Sighting(said) = body else { continue };
            let mark = mark(&said.quality);
            let keys = self.keys.entry(mark).or_default();
            keys.extend(former.into_iter().chain([(epoch, seq.cast_unsigned())]));
            self.waiting.extend(waits.then_some(mark));
        }
        Ok(())
    }

    /// Reads what the hub shows of `device`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_hub(&mut self, path: &Path, device: &str) -> anyhow::Result<()> {
        let db = open(path)?;
        (self.shown, self.told, self.after) = Default::default();
        let mut rows = db.prepare("select quality from sighting where device = ?1")?;
        let mut rows = rows.query([device])?;
        while let Some(row) = rows.next()? {
            let quality: Quality = serde_json::from_str(&row.get::<_, String>(0)?)?;
            *self.shown.entry(mark(&quality)).or_default() += 1;
        }
        let sql = "select l.epoch, l.gone, l.cause,
                 case when c.told > c.max_seq then c.told else c.max_seq end
             from loss l left join cursor c on c.device = l.device and c.epoch = l.epoch
             where l.device = ?1";
        let mut rows = db.prepare(sql)?;
        let mut rows = rows.query([device])?;
        while let Some(row) = rows.next()? {
            let epoch = Epoch(row.get(0)?);
            let gone: Ranges = serde_json::from_str(&row.get::<_, String>(1)?)?;
            for (first, last) in gone.as_slice() {
                self.told.extend((*first..=*last).map(|seq| (epoch, seq)));
            }
            if row.get::<_, String>(2)? == "card" {
                self.after.insert(epoch, row.get::<_, i64>(3)?.cast_unsigned());
            }
        }
        let sql = "select count(*) from dead_letter where device = ?1";
        self.dead = usize::try_from(db.query_row(sql, [device], |row| row.get::<_, i64>(0))?)?;
        Ok(())
    }
}

fn open(path: &Path) -> anyhow::Result<Connection> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE);
    db.with_context(|| format!("opening {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Epoch = Epoch([1; 16]);

    fn sound() -> Passages {
        let mut all = Passages { made: (1..=9).collect(), ..Passages::default() };
        all.shown = (1..=6).map(|mark| (mark, 1)).collect();
        all.keys = (1..=9).map(|mark| (mark, [(LIFE, mark)].into())).collect();
        all.waiting = [7].into();
        all.told = [(LIFE, 8)].into();
        all.after = [(LIFE, 8)].into();
        all
    }

    #[test]
    fn each_broken_promise_is_counted() {
        assert_eq!(sound().account(), Account::default());
        let broken = |change: fn(&mut Passages)| {
            let mut all = sound();
            change(&mut all);
            all.account()
        };
        assert_eq!(broken(|all| all.shown.retain(|mark, _| *mark != 3)).lost, 1);
        assert_eq!(broken(|all| all.waiting.clear()).lost, 1);
        assert_eq!(broken(|all| all.told.clear()).lost, 1);
        assert_eq!(broken(|all| all.after.clear()).lost, 1);
        assert_eq!(broken(|all| all.shown.extend([(3, 2)])).doubled, 1);
        assert_eq!(broken(|all| all.told.extend([(LIFE, 3)])).mistold, 1);
    }
}
