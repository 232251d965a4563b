//! One writer thread and a few reader threads around SQLite.
//!
//! A write is answered only after COMMIT, with `synchronous=FULL`: whoever gets an answer may
//! tell others. Writes that wait together share one transaction (each in its own savepoint) and
//! so one fsync. People's writes go before those of doors and of what runs by itself, so that a
//! decision waits for one of these at most. Closures run on these threads, never on the runtime.

use super::file;
#[cfg(debug_assertions)]
use super::tx::trouble;
use super::tx::{Tx, is_fatal, unwell};
use crate::connection::connect;
use rules::error::{Doing, Error};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// Writes that wait; whoever comes after waits for a place.
const WRITE_QUEUE: usize = 1024;
/// Writes that share a COMMIT at most.
const GROUP: usize = 64;
/// Reads that wait; whoever comes after is told that the hub is busy.
const READ_QUEUE: usize = 1024;
/// Threads that read.
const READERS: usize = 4;
/// A reader is stopped after this: a long one would keep the WAL growing.
const READ_LIMIT: Duration = Duration::from_secs(5);
/// The first SQLite without the WAL-reset bug.
const OLDEST_SQLITE: i32 = 3_051_003;

mod migrations {
    refinery::embed_migrations!("migrations/sqlite");
}

/// The hub's database; cheap to clone. Its threads end when the last clone is dropped.
#[derive(Clone)]
pub struct Db {
    writes: mpsc::Sender<Write>,
    behind: mpsc::Sender<Write>,
    reads: mpsc::Sender<Read>,
}

/// Writes that wait for the writer.
struct Lanes {
    people: mpsc::Receiver<Write>,
    behind: mpsc::Receiver<Write>,
    /// Whether people were last to begin, so that they cannot hold the others up for ever.
    people_began: bool,
}

/// Runs inside the transaction, and returns what to say when it is over.
type Write = Box<dyn FnOnce(&Tx<'_>) -> DbAnswer + Send>;
type Read = Box<dyn FnOnce(&Tx<'_>) + Send>;

struct DbAnswer {
    failed: bool,
    say: Box<dyn FnOnce(Result<(), Error>)>,
}

impl Db {
    /// Opens `path`, made and migrated as needed.
    ///
    /// # Errors
    /// When the file cannot be opened, is of a newer program, or SQLite is too old.
    pub fn open(path: &Path) -> Result<Self, Error> {
        check_version(rusqlite::version_number())?;
        let mut writer = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        migrate(&mut writer, path)?;
        Self::start(writer, path)
    }

    /// Opens `path` as it is, beside whatever serves it: a command never changes the schema under
    /// a hub that runs.
    ///
    /// # Errors
    /// `Conflict` when its schema is not the one this program knows.
    pub fn join(path: &Path) -> Result<Self, Error> {
        check_version(rusqlite::version_number())?;
        let mut writer = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let (applied, newest) = versions(&mut writer)?;
        match applied == newest {
            true => Self::start(writer, path),
            false => Err(differs(path, applied, newest)),
        }
    }

    fn start(mut writer: Connection, path: &Path) -> Result<Self, Error> {
        let (writes, people) = mpsc::channel(WRITE_QUEUE);
        let (behind, others) = mpsc::channel(WRITE_QUEUE);
        let lanes = Lanes { people, behind: others, people_began: false };
        let waiting = tokio::runtime::Builder::new_current_thread().build();
        let waiting = waiting.doing("starting a database thread")?;
        spawn("db-writer", move || write_all(&mut writer, lanes, &waiting))?;
        let (reads, queue) = mpsc::channel(READ_QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..READERS {
            let reader = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            let queue = queue.clone();
            spawn("db-reader", move || read_all(reader, &queue))?;
        }
        Ok(Self { writes, behind, reads })
    }

    /// Runs `work` in a write transaction. Its value arrives after COMMIT; an error from it, or
    /// a panic in it, undoes all of it and nothing else.
    ///
    /// # Errors
    /// What `work` returns, or that the transaction could not be committed.
    pub async fn write<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        write_by(&self.writes, work).await
    }

    /// The same for what no person waits for: writes by [`Self::write`] go first.
    ///
    /// # Errors
    /// The same.
    pub async fn write_behind<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        write_by(&self.behind, work).await
    }

    /// Runs `work` on a consistent snapshot.
    ///
    /// # Errors
    /// What `work` returns; `Unavailable` when too many reads wait or it takes over 5 s.
    pub async fn read<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let read: Read = Box::new(move |tx| {
            let _nobody_waits = tell.send(work(tx));
        });
        self.reads.try_send(read).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                Error::Unavailable("the hub is busy: try again in a moment".into())
            }
            mpsc::error::TrySendError::Closed(_) => stopped(),
        })?;
        told.await.map_err(|_| given_up())?
    }
}

/// Hands `work` to the writer, and waits for its COMMIT.
async fn write_by<T, F>(lane: &mpsc::Sender<Write>, work: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce(&Tx<'_>) -> Result<T, Error> + Send + 'static,
{
    let (tell, told) = oneshot::channel();
    let write: Write = Box::new(move |tx| {
        let safely = std::panic::AssertUnwindSafe(|| work(tx));
        let done = std::panic::catch_unwind(safely).unwrap_or_else(|_| Err(given_up()));
        DbAnswer {
            failed: done.is_err(),
            say: Box::new(move |committed| {
                let _nobody_waits = tell.send(committed.and(done));
            }),
        }
    });
    lane.send(write).await.map_err(|_| stopped())?;
    told.await.map_err(|_| not_begun())?
}

fn stopped() -> Error {
    Error::Unavailable("the database has been closed: the hub is stopping".into())
}

fn not_begun() -> Error {
    Error::Unavailable("the database could not begin this: try again in a moment".into())
}

fn given_up() -> Error {
    Error::internal("a database operation", "it was given up half-way; the log says why")
}

fn check_version(number: i32) -> Result<(), Error> {
    if number >= OLDEST_SQLITE {
        return Ok(());
    }
    Err(Error::internal("opening the database", "SQLite is older than 3.51.3, which loses data"))
}

/// Which version of the schema the file at `path` has (0 for none), and which this program knows.
///
/// # Errors
/// When the file cannot be opened.
pub fn schema(path: &Path) -> Result<(i32, i32), Error> {
    versions(&mut connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?)
}

fn differs(path: &Path, applied: i32, newest: i32) -> Error {
    let next = match applied < newest {
        true => "stop the hub and run `rollcall-hub migrate`, or start this version's `serve`",
        false => "use the version of this program that serves it",
    };
    let path = path.display();
    Error::Conflict(format!(
        "{path} is at version {applied} and this program knows {newest}: {next}. Nothing was touched"
    ))
}

fn versions(db: &mut Connection) -> Result<(i32, i32), Error> {
    let runner = migrations::migrations::runner();
    let newest = runner.get_migrations().iter().map(refinery::Migration::version).max();
    let doing = "reading the schema's version";
    let applied = match db.table_exists(None, "refinery_schema_history").doing(doing)? {
        true => runner.get_last_applied_migration(db).doing(doing)?.map(|last| last.version()),
        false => None,
    };
    Ok((applied.unwrap_or(0), newest.unwrap_or(0)))
}

/// Brings the file up to date in one transaction, after a copy if it holds anything.
fn migrate(db: &mut Connection, path: &Path) -> Result<(), Error> {
    let runner = migrations::migrations::runner().set_grouped(true).set_abort_divergent(true);
    let newest = runner.get_migrations().iter().map(refinery::Migration::version).max();
    let doing = "reading the schema's version";
    let applied = match db.table_exists(None, "refinery_schema_history").doing(doing)? {
        true => runner.get_last_applied_migration(db).doing(doing)?.map(|last| last.version()),
        false => None,
    };
    if applied > newest {
        let why = "it was written by a newer version of this program: install that one";
        return Err(Error::internal(format!("opening {}", path.display()), why));
    }
    if applied.is_some() && applied < newest {
        keep_copy(db, &file::before(path, applied.unwrap_or_default() + 1))
            .doing("copying the database before an update")?;
    }
    runner.run(db).doing("updating the database's schema").map(drop)
}

/// Whole, or not there: an update that failed half-way is tried again at the next start.
fn keep_copy(db: &Connection, copy: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let part = copy.with_extension("part");
    match std::fs::remove_file(&part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    db.execute("vacuum into $1", [part.to_string_lossy()])?;
    std::fs::File::open(&part)?.sync_all()?;
    Ok(std::fs::rename(part, copy)?)
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(run).map(drop).doing("starting a database thread")
}

impl Lanes {
    /// What begins the next transaction; nothing once nobody can write any more.
    async fn first(&mut self) -> Option<Write> {
        if self.people_began
            && let Ok(write) = self.behind.try_recv()
        {
            self.people_began = false;
            return Some(write);
        }
        let (by_people, first) = tokio::select! {
            biased;
            Some(write) = self.people.recv() => (true, write),
            Some(write) = self.behind.recv() => (false, write),
            else => return None,
        };
        self.people_began = by_people;
        Some(first)
    }
}

fn write_all(db: &mut Connection, mut lanes: Lanes, waiting: &tokio::runtime::Runtime) {
    while let Some(first) = waiting.block_on(lanes.first()) {
        // Who comes while the first is at work shares its COMMIT; of the others there is one.
        let more = std::iter::from_fn(|| lanes.people.try_recv().ok());
        let group = std::iter::once(first).chain(more.take(GROUP - 1));
        write_group(db, group);
    }
}

fn write_group(db: &mut Connection, group: impl Iterator<Item = Write>) {
    let mut answers = Vec::new();
    let committed = transact(db, group, &mut answers);
    if committed.as_ref().is_err_and(is_fatal) {
        tracing::error!("the disk could not be written (fsync): the hub stops, and starts anew");
        std::process::abort();
    }
    if let Err(error) = &committed {
        tracing::error!(%error, "a transaction could not be committed");
    }
    for answer in answers {
        (answer.say)(committed.as_ref().map(drop).map_err(uncommitted));
    }
}

/// Nothing of the group is stored. Only what a row says can be wrong with COMMIT itself; all
/// else is the store's.
fn uncommitted(error: &rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => Error::internal("storing", error.to_string()),
        _ => unwell(error).unwrap_or_else(not_begun),
    }
}

fn transact(
    db: &mut Connection,
    group: impl Iterator<Item = Write>,
    answers: &mut Vec<DbAnswer>,
) -> rusqlite::Result<()> {
    #[cfg(debug_assertions)]
    trouble::strike(db)?;
    let mut all = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for write in group {
        let mut one = all.savepoint()?;
        let answer = write(&Tx::new(&one));
        let failed = answer.failed;
        answers.push(answer);
        if failed {
            one.rollback()?;
        }
        one.commit()?;
    }
    #[cfg(debug_assertions)]
    trouble::strike(&all)?;
    all.commit()
}

fn read_all(mut db: Connection, queue: &Mutex<mpsc::Receiver<Read>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(read) = next else { return };
        let ends = Instant::now() + READ_LIMIT;
        let _cannot_fail = db.progress_handler(10_000, Some(move || Instant::now() > ends));
        let run = std::panic::AssertUnwindSafe(|| match db.transaction() {
            Ok(snapshot) => read(&Tx::new(&snapshot)),
            Err(error) => tracing::error!(%error, "a read could not begin"),
        });
        let _its_asker_is_told = std::panic::catch_unwind(run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params;

    fn temp() -> (tempfile::TempDir, Db) {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("hub.db")).unwrap();
        (dir, db)
    }

    fn put(tx: &Tx<'_>, name: &str) -> Result<(), Error> {
        tx.execute("insert into setting (name, value) values ($1, 'x')", params![name]).map(drop)
    }

    async fn count(db: &Db) -> i64 {
        let read = |tx: &Tx<'_>| tx.row("select count(*) from setting", [], |row| row.get(0));
        db.read(read).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn a_failed_or_panicking_write_leaves_its_neighbours() {
        let (_dir, db) = temp();
        let good = db.write(|tx| put(tx, "good"));
        let bad = db.write(|tx| put(tx, "bad").and(Err::<(), _>(Error::Invalid("no".into()))));
        let worse = db.write::<(), _>(|tx| put(tx, "worse").map(|()| panic!("on purpose")));
        let (good, bad, worse) = tokio::join!(good, bad, worse);
        assert!(good.is_ok());
        assert!(matches!(bad, Err(Error::Invalid(_))));
        assert!(matches!(worse, Err(Error::Internal { .. })));
        db.write(|tx| put(tx, "after")).await.unwrap();
        assert_eq!(count(&db).await, 2);
    }

    #[tokio::test]
    async fn people_go_before_what_waits_behind_and_hold_nothing_up() {
        let (_dir, db) = temp();
        let (begin, held) = std::sync::mpsc::channel::<()>();
        let order = Arc::new(Mutex::new(Vec::new()));
        let say = |who: &'static str| {
            let order = order.clone();
            move |_: &Tx<'_>| {
                order.lock().unwrap().push(who);
                Ok(())
            }
        };
        let first = db.write(move |_| held.recv().map_err(|_| Error::Invalid("no".into())));
        let behind = ["door", "sweep"].map(|who| db.write_behind(say(who)));
        let people = ["ann", "bob"].map(|who| db.write(say(who)));
        let queued = async { begin.send(()).unwrap() };
        let [door, sweep] = behind;
        let [ann, bob] = people;
        let (first, door, sweep, ann, bob, ()) =
            tokio::join!(biased; first, door, sweep, ann, bob, queued);
        first.and(door).and(sweep).and(ann).and(bob).unwrap();
        assert_eq!(*order.lock().unwrap(), ["ann", "bob", "door", "sweep"]);
    }

    #[tokio::test]
    async fn people_and_the_others_begin_in_turn_while_both_wait() {
        let queue = || {
            let (send, receive) = mpsc::channel::<Write>(2);
            for _ in 0..2 {
                let nothing = |_: &Tx<'_>| DbAnswer { failed: false, say: Box::new(|_| ()) };
                assert!(send.try_send(Box::new(nothing)).is_ok());
            }
            receive
        };
        let mut lanes = Lanes { people: queue(), behind: queue(), people_began: false };
        let mut left = Vec::new();
        while lanes.first().await.is_some() {
            left.push((lanes.people.len(), lanes.behind.len()));
        }
        assert_eq!(left, [(1, 2), (1, 1), (0, 1), (0, 0)]);
    }

    #[tokio::test]
    async fn what_is_answered_is_seen_by_another_process() {
        let (dir, db) = temp();
        let other = Db::open(&dir.path().join("hub.db")).unwrap();
        db.write(|tx| put(tx, "one")).await.unwrap();
        assert_eq!(count(&other).await, 1);
        other.write(|tx| put(tx, "two")).await.unwrap();
        assert_eq!(count(&db).await, 2);
    }

    #[tokio::test]
    async fn a_reader_cannot_write() {
        let (_dir, db) = temp();
        assert!(db.read(|tx| put(tx, "x")).await.is_err());
    }

    #[tokio::test]
    async fn pragmas_are_what_the_design_says() {
        let (_dir, db) = temp();
        let number =
            |name: &'static str| db.write(move |tx| tx.row(name, [], |row| row.get::<i64>(0)));
        let text = |row: &crate::Row<'_>| row.get::<String>(0);
        let mode = db.write(move |tx| tx.row("pragma journal_mode", [], text));
        assert_eq!(mode.await.unwrap().as_deref(), Some("wal"));
        assert_eq!(number("pragma synchronous").await.unwrap(), Some(2));
        assert_eq!(number("pragma foreign_keys").await.unwrap(), Some(1));
        assert_eq!(number("pragma secure_delete").await.unwrap(), Some(1));
    }

    #[test]
    fn an_sqlite_with_the_wal_reset_bug_is_refused() {
        assert!(check_version(3_051_002).is_err());
        assert!(check_version(rusqlite::version_number()).is_ok());
    }

    #[test]
    fn a_command_leaves_a_schema_that_differs_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hub.db");
        drop(Db::open(&path).unwrap());
        assert!(Db::join(&path).is_ok());
        let raw = Connection::open(&path).unwrap();
        let last = "where version = (select max(version) from refinery_schema_history)";
        let newer = format!("update refinery_schema_history set version = version + 80 {last}");
        let older = format!("delete from refinery_schema_history {last}");
        for (sql, next) in [(newer, "version of this program"), (older, "rollcall-hub migrate")] {
            raw.execute(&sql, []).unwrap();
            let before = std::fs::read(&path).unwrap();
            let said = Db::join(&path).err().unwrap().to_string();
            assert!(said.contains(next) && said.contains("Nothing was touched"), "{said}");
            assert_eq!(std::fs::read(&path).unwrap(), before);
        }
    }

    #[test]
    fn a_database_of_a_newer_program_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hub.db");
        drop(Db::open(&path).unwrap());
        let raw = Connection::open(&path).unwrap();
        let newest = "update refinery_schema_history set version = 99
             where version = (select max(version) from refinery_schema_history)";
        raw.execute(newest, []).unwrap();
        assert!(Db::open(&path).is_err());
    }
}
