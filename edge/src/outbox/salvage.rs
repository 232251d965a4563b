//! A damaged outbox: moved aside, and every row that can still be read and whose hash fits is
//! taken into the new one. What may be missing becomes a loss record.

use super::append::{insert, item};
use super::{Book, OutboxError, meta, pending, renew};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::path::{Path, PathBuf};
use wire::record::{Loss, LossCause, Moved};
use wire::{Body, ClockState, Epoch, Item, Mono, Ranges, Stamp};

/// Numbers tried beyond the last that the damaged file still knows.
const BEYOND: u64 = 10_000;

/// What could be read of a damaged outbox.
struct Wreck {
    epoch: Option<Epoch>,
    items: Vec<Item>,
    gone: Ranges,
}

impl Book {
    /// Takes over what a damaged predecessor left, if there is one. Interrupted, it is done
    /// again at the next start: the hub knows moved records by their old key.
    pub(super) fn salvage(&mut self) -> Result<(), OutboxError> {
        let wreck = aside(&self.setup.path);
        if self.setup.vfs.is_some() || !wreck.exists() {
            return Ok(());
        }
        let found = read(&wreck);
        let saved = found.items.len();
        self.spare(|book| book.take_over(&found))?;
        tracing::error!(saved, "a damaged outbox was replaced; what was readable is kept");
        for end in ["-wal", "-journal", ""] {
            let from = with_end(&wreck, end);
            if from.exists() {
                std::fs::rename(&from, with_end(&kept(&self.setup.path), end))?;
            }
        }
        Ok(sync_folder(&self.setup.path)?)
    }

    fn take_over(&mut self, wreck: &Wreck) -> Result<(), OutboxError> {
        let old = wreck.epoch.unwrap_or(Epoch([0; 16]));
        let at = Stamp { boot: self.boot, mono: Mono(0), wall: None, clock: ClockState::Unset };
        let (from, to) = (
            wreck.items.first().map_or(at, |item| item.at),
            wreck.items.last().map_or(at, |item| item.at),
        );
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut seq = self.max_seq;
        for old_item in &wreck.items {
            seq += 1;
            insert(&tx, &renew::moved(old, old_item.clone(), seq))?;
        }
        let gone = wreck.gone.clone();
        let loss = Loss { gone, unnumbered: 0, from, to, cause: LossCause::Damaged };
        let body = Body::Loss(loss).encode();
        seq += 1;
        insert(&tx, &item(seq, at, &Body::Moved(Moved { epoch: old, seq: 0, body }), None))?;
        tx.commit()?;
        self.rows += seq - self.max_seq;
        self.max_seq = seq;
        Ok(())
    }
}

/// Moves the file and its journals out of the way, all or, at the next try, the rest.
pub(super) fn move_aside(path: &Path) -> Result<(), OutboxError> {
    for end in ["-wal", "-journal", ""] {
        let from = with_end(path, end);
        if from.exists() {
            std::fs::rename(&from, with_end(&aside(path), end))?;
        }
    }
    Ok(sync_folder(path)?)
}

fn read(path: &Path) -> Wreck {
    let mut wreck = Wreck { epoch: None, items: Vec::new(), gone: Ranges::default() };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let Ok(db) = Connection::open_with_flags(path, flags) else { return wreck };
    wreck.epoch = meta::epoch(&db, "epoch").ok().flatten();
    let acked = meta::number(&db, "cum").unwrap_or(0);
    let last = meta::max_seq(&db).unwrap_or(0).max(newest(&db));
    for seq in 1..=last.max(acked).saturating_add(if last == 0 { BEYOND } else { 0 }) {
        match pending::read(&db, seq) {
            Ok(item) if item.is_intact() => wreck.items.push(item),
            _ if seq > acked && seq <= last => wreck.gone.insert(seq, seq),
            _ => {}
        }
    }
    wreck
}

fn newest(db: &Connection) -> u64 {
    db.query_row("select seq from outbox order by seq desc limit 1", [], |row| row.get::<_, i64>(0))
        .map_or(0, i64::cast_unsigned)
}

fn aside(path: &Path) -> PathBuf {
    with_end(path, ".damaged")
}

fn kept(path: &Path) -> PathBuf {
    with_end(path, ".salvaged")
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
