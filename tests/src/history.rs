//! The history checker: what a door promised against what the hub holds. Jepsen's set checker:
//! everything must be there once, unchanged, and nothing else.

use anyhow::Context as _;
use rusqlite::{Connection, OpenFlags};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use wire::{Body, Epoch};

/// One record: epoch and number.
pub type Key = (Epoch, u64);

/// What both ends say.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// COMMIT had returned at the door.
    pub committed: BTreeSet<Key>,
    /// Rows of the door's outbox, with their hash, and whether they are acknowledged.
    pub outbox: BTreeMap<Key, ([u8; 16], bool)>,
    /// Numbers that a loss record names.
    pub gone: BTreeSet<Key>,
    /// What the hub stored, with the hash.
    pub stored: BTreeMap<Key, [u8; 16]>,
    /// Sightings that the hub shows to teachers.
    pub sightings: u64,
    /// Those of them with a picture.
    pub crops: u64,
    /// Passages that the hub shows more than once, whatever keys they have.
    pub doubled: u64,
    /// Records that the hub set aside.
    pub dead: u64,
}

/// How often each promise was broken; all of them must be 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Verdict {
    /// Committed, not at the hub, not in a loss record.
    pub lost: usize,
    /// At the hub, never at the door.
    pub invented: usize,
    /// One passage, shown more than once.
    pub doubled: u64,
    /// The same key with another content.
    pub conflict: usize,
    /// The door believes it stored, and it is not.
    pub acked_not_stored: usize,
    /// Numbers that the hub misses below its highest.
    pub gaps: usize,
    /// Set aside by the hub.
    pub dead: u64,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lost, invented, doubled, conflict, acked_not_stored, gaps, dead } = self;
        write!(f, "lost {lost}, invented {invented}, doubled {doubled}, conflicting {conflict}, ")?;
        write!(f, "acknowledged but not stored {acked_not_stored}, gaps {gaps}, set aside {dead}")
    }
}

impl History {
    /// Compares the two ends.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let missing = |key: &&Key| !self.stored.contains_key(key) && !self.gone.contains(key);
        let differs = |(key, hash): &(&Key, &[u8; 16])| {
            self.outbox.get(key).is_some_and(|(own, _)| own != *hash)
        };
        let known = |key: &Key| self.outbox.contains_key(key) || self.let_go(key);
        let acked = self.outbox.iter().filter(|(_, (_, acked))| *acked).map(|(key, _)| key);
        Verdict {
            lost: self.committed.iter().filter(missing).count(),
            invented: self.stored.keys().filter(|key| !known(key)).count(),
            doubled: self.doubled,
            conflict: self.stored.iter().filter(differs).count(),
            acked_not_stored: acked.filter(missing).count(),
            gaps: self.gaps(),
            dead: self.dead,
        }
    }

    /// Whether the door let go of it, because the hub's backup has it: older than all its rows.
    fn let_go(&self, (epoch, seq): &Key) -> bool {
        let oldest = self.outbox.range((*epoch, 0)..).next();
        oldest.is_some_and(|((of, first), _)| of == epoch && seq < first)
    }

    fn gaps(&self) -> usize {
        let mut highest: BTreeMap<Epoch, u64> = BTreeMap::new();
        for (epoch, seq) in self.stored.keys() {
            highest.entry(*epoch).and_modify(|max| *max = (*max).max(*seq)).or_insert(*seq);
        }
        let all =
            highest.into_iter().flat_map(|(epoch, max)| (1..=max).map(move |seq| (epoch, seq)));
        all.filter(|key| !self.stored.contains_key(key) && !self.gone.contains(key)).count()
    }

    /// Reads a door's outbox; the door must not be running.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read_outbox(&mut self, path: &Path) -> anyhow::Result<()> {
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .with_context(|| format!("opening {}", path.display()))?;
        let sql = "select v from meta where k = 'epoch'";
        let epoch = Epoch(db.query_row(sql, [], |row| row.get(0))?);
        let mut rows = db.prepare("select seq, hash, acked_at is not null, body from outbox")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let key = (epoch, row.get::<_, i64>(0)?.cast_unsigned());
            self.outbox.insert(key, (row.get(1)?, row.get(2)?));
            if let Ok(Body::Loss(loss)) = Body::decode(&row.get::<_, Vec<u8>>(3)?) {
                for (first, last) in loss.gone.as_slice() {
                    self.gone.extend((*first..=*last).map(|seq| (epoch, seq)));
                }
            }
        }
        Ok(())
    }

    /// Reads what the hub stored of `device`; the hub may be running.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read_hub(&mut self, path: &Path, device: &str) -> anyhow::Result<()> {
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let sql = "select epoch, seq, hash from receipt where device = ?1";
        let mut rows = db.prepare(sql)?;
        let mut rows = rows.query([device])?;
        while let Some(row) = rows.next()? {
            let key = (Epoch(row.get(0)?), row.get::<_, i64>(1)?.cast_unsigned());
            self.stored.insert(key, row.get(2)?);
        }
        let count = |sql| db.query_row(sql, [device], |row| row.get::<_, i64>(0));
        self.sightings = count("select count(*) from sighting where device = ?1")?.cast_unsigned();
        let crops = "select count(*) from evidence e join sighting s on s.id = e.sighting
                     where s.device = ?1 and e.part = 'crop'";
        self.crops = count(crops)?.cast_unsigned();
        // The rig's doors give each passage a look of its own: it tells two of one apart.
        let doubled = "select count(*) from (select 1 from sighting where device = ?1
                       group by boot, mono, quality having count(*) > 1)";
        self.doubled = count(doubled)?.cast_unsigned();
        self.dead = count("select count(*) from dead_letter where device = ?1")?.cast_unsigned();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seq: u64) -> Key {
        (Epoch([1; 16]), seq)
    }

    fn sound() -> History {
        let mut history = History::default();
        for seq in 1..=3 {
            history.committed.insert(key(seq));
            history.outbox.insert(key(seq), ([7; 16], true));
            history.stored.insert(key(seq), [7; 16]);
        }
        history
    }

    #[test]
    fn each_broken_promise_is_counted() {
        assert_eq!(sound().verdict(), Verdict::default());
        let broken = |change: fn(&mut History)| {
            let mut history = sound();
            change(&mut history);
            history.verdict()
        };
        let lost = broken(|h| h.stored.retain(|key, _| key.1 != 2));
        assert_eq!((lost.lost, lost.acked_not_stored, lost.gaps), (1, 1, 1));
        assert_eq!(broken(|h| h.stored.extend([(key(4), [7; 16])])).invented, 1);
        assert_eq!(broken(|h| h.stored.extend([(key(2), [8; 16])])).conflict, 1);
        let told = broken(|h| {
            h.stored.remove(&key(2));
            h.gone.insert(key(2));
        });
        assert_eq!(told, Verdict::default(), "a loss that is told is none");
    }
}
