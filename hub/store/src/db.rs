//! One writer thread and a few reader threads around a database.
//!
//! A write is answered only after COMMIT: whoever gets an answer may tell others. Writes that wait
//! together share one transaction (each in its own savepoint) and so one COMMIT. People's writes go
//! before those of doors and of what runs by itself, so that a decision waits for one of these at
//! most. Closures run on these threads, never on the runtime.

use crate::database::Database;
use crate::engine::{Engine, Look, Write, given_up, not_begun, packed, say_all};
use crate::moving;
use crate::postgres::duty::Duty;
use crate::postgres::line::Line;
use crate::postgres::{self, Postgres};
use crate::sqlite;
use crate::tx::Tx;
use rules::error::{Doing, Error};
use rules::spans;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};
use tracing::Instrument as _;

/// Writes that wait; whoever comes after waits for a place.
const WRITE_QUEUE: usize = 1024;
/// Writes that share a COMMIT at most.
const GROUP: usize = 64;
/// Reads that wait; whoever comes after is told that the hub is busy.
const READ_QUEUE: usize = 1024;
/// Threads that read.
const READERS: usize = 4;

/// The hub's database; cheap to clone. Its threads end when the last clone is dropped.
#[derive(Clone)]
pub struct Db {
    writes: mpsc::Sender<Write>,
    behind: mpsc::Sender<Write>,
    reads: mpsc::Sender<Look>,
    place: Arc<Database>,
}

/// Writes that wait for the writer.
struct Lanes {
    people: mpsc::Receiver<Write>,
    behind: mpsc::Receiver<Write>,
    /// Whether people were last to begin, so that they cannot hold the others up for ever.
    people_began: bool,
}

impl Db {
    /// Opens what is at `place`, made and migrated as needed.
    ///
    /// # Errors
    /// When it cannot be opened, is of a newer program, or SQLite is too old.
    pub fn open(place: impl Into<Database>) -> Result<Self, Error> {
        let place = place.into();
        match &place {
            Database::File(path) => sqlite::migrate(path)?,
            Database::Server(server) => postgres::migrate::up(server)?,
        }
        Self::reach(place)
    }

    /// Opens `place` as it is, beside whatever serves it: a command never changes the schema under
    /// a hub that runs.
    ///
    /// # Errors
    /// `Conflict` when its schema is not the one this program knows.
    pub fn join(place: impl Into<Database>) -> Result<Self, Error> {
        let place = place.into();
        place.same_version()?;
        Self::reach(place)
    }

    /// The same in SQLite, whichever database tests run on.
    #[cfg(test)]
    pub(crate) fn in_file(path: &std::path::Path) -> Result<Self, Error> {
        Self::open(Database::File(path.to_owned()))
    }

    fn reach(place: Database) -> Result<Self, Error> {
        place.read(|tx| moving::refuse(tx, &place))?;
        match place.clone() {
            Database::File(path) => {
                Self::start(place, sqlite::writer(&path)?, || sqlite::reader(&path))
            }
            Database::Server(server) => postgres::apart(|| {
                Self::start(place, Postgres::writer(&server)?, || Postgres::reader(&server))
            }),
        }
    }

    /// Where its data lies.
    #[must_use]
    pub fn place(&self) -> &Database {
        &self.place
    }

    /// Between this hub and others of the same school, where a server has its data.
    ///
    /// # Errors
    /// When it cannot be set up.
    pub fn line(&self) -> Result<Option<Line>, Error> {
        match &*self.place {
            Database::File(_) => Ok(None),
            Database::Server(server) => Line::open(server).map(Some),
        }
    }

    /// Whether what is done once for the school is done here, where other hubs have the same data.
    ///
    /// # Errors
    /// When it cannot be sought.
    pub fn duty(&self) -> Result<Duty, Error> {
        match &*self.place {
            Database::File(_) => Ok(Duty::default()),
            Database::Server(server) => Duty::sought(server.way(None)?),
        }
    }

    fn start<E: Engine + 'static>(
        place: Database,
        mut writer: E,
        reader: impl Fn() -> Result<E, Error>,
    ) -> Result<Self, Error> {
        let (writes, people) = mpsc::channel(WRITE_QUEUE);
        let (behind, others) = mpsc::channel(WRITE_QUEUE);
        let lanes = Lanes { people, behind: others, people_began: false };
        let waiting = tokio::runtime::Builder::new_current_thread().build();
        let waiting = waiting.doing("starting a database thread")?;
        spawn("db-writer", move || write_all(&mut writer, lanes, &waiting))?;
        let (reads, queue) = mpsc::channel(READ_QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..READERS {
            let (mut reader, queue) = (reader()?, queue.clone());
            spawn("db-reader", move || read_all(&mut reader, &queue))?;
        }
        Ok(Self { writes, behind, reads, place: Arc::new(place) })
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
        measured("write", write_by(&self.writes, work)).await
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
        measured("behind", write_by(&self.behind, work)).await
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
        let look: Look = Box::new(move |tx| {
            let _nobody_waits = tell.send(tx.and_then(work));
        });
        self.reads.try_send(look).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                Error::Unavailable("the hub is busy: try again in a moment".into())
            }
            mpsc::error::TrySendError::Closed(_) => stopped(),
        })?;
        measured("read", told).await.map_err(|_| given_up())?
    }

    /// Whether what people write and read now would be answered: both of its lanes, with the school
    /// still here.
    ///
    /// # Errors
    /// `Conflict` where the school moved elsewhere; what a read or a write would say.
    pub async fn answers(&self) -> Result<(), Error> {
        self.read(|tx| moving::refuse_left(tx, "this database")).await?;
        self.write(|_| Ok(())).await
    }
}

/// What the database answers, counted with the time that it took: with the wait for its turn.
async fn measured<T>(lane: &'static str, answer: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let done = answer.instrument(spans::database(lane)).await;
    metrics::histogram!("database_seconds", "lane" => lane).record(began.elapsed());
    done
}

/// Hands `work` to the writer, and waits for its COMMIT.
async fn write_by<T, F>(lane: &mpsc::Sender<Write>, work: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce(&Tx<'_>) -> Result<T, Error> + Send + 'static,
{
    let (write, told) = packed(work);
    lane.send(write).await.map_err(|_| stopped())?;
    told.await.map_err(|_| not_begun())?
}

fn stopped() -> Error {
    Error::Unavailable("the database has been closed: the hub is stopping".into())
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

fn write_all(engine: &mut dyn Engine, mut lanes: Lanes, waiting: &tokio::runtime::Runtime) {
    while let Some(first) = waiting.block_on(lanes.first()) {
        // Who comes while the first is at work shares its COMMIT; of the others there is one.
        let more = std::iter::from_fn(|| lanes.people.try_recv().ok());
        let all = std::iter::once(first).chain(more.take(GROUP - 1));
        let is_left = Arc::new(AtomicBool::new(false));
        // The first that is refused ends the group, and is told that it was not begun: whoever
        // comes after its answer is asked about anew.
        let stays = |_: &Write| !is_left.load(Ordering::Relaxed);
        let mut group = std::iter::once(guard(is_left.clone())).chain(all.take_while(stays));
        let mut answers = Vec::new();
        let committed = engine.write(&mut group, &mut answers);
        say_all(answers, &committed);
    }
}

/// Notes whether the school went elsewhere meanwhile, or nobody can tell: then nothing of the group
/// is stored here.
fn guard(is_left: Arc<AtomicBool>) -> Write {
    let look = move |tx: &Tx<'_>| {
        if let Err(why) = moving::refuse_left(tx, "this database") {
            tracing::error!(%why, "what was to be written now is refused");
            is_left.store(true, Ordering::Relaxed);
        }
        Ok(())
    };
    packed(look).0
}

fn read_all(engine: &mut dyn Engine, queue: &Mutex<mpsc::Receiver<Look>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(look) = next else { return };
        let run = std::panic::AssertUnwindSafe(|| engine.read(look));
        let _its_asker_is_told = std::panic::catch_unwind(run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{DbAnswer, Unstored};
    use crate::params;

    fn temp() -> (tempfile::TempDir, Db) {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path().join("hub.db")).unwrap();
        (dir, db)
    }

    fn put(tx: &Tx<'_>, name: &str) -> Result<(), Error> {
        tx.execute("insert into setting (name, value) values ($1, 'x')", params![name]).map(drop)
    }

    /// A place whose school moved away and came back while whoever heard of it writes again.
    struct ComesBack {
        file: rusqlite::Connection,
        again: Option<(mpsc::Sender<Write>, Write)>,
    }

    impl Engine for ComesBack {
        fn write(
            &mut self,
            group: &mut dyn Iterator<Item = Write>,
            answers: &mut Vec<DbAnswer>,
        ) -> Result<(), Unstored> {
            let Self { file, again } = self;
            let mut handing_over = std::iter::from_fn(|| {
                group.next().or_else(|| {
                    let (lane, write) = again.take()?;
                    lane.try_send(write).expect("the lane has room");
                    group.next()
                })
            });
            let stored = file.write(&mut handing_over, answers);
            file.execute("delete from setting where name = 'moved'", []).unwrap();
            stored
        }

        fn read(&mut self, look: Look) {
            self.file.read(look);
        }
    }

    #[test]
    fn who_writes_after_hearing_of_a_refusal_falls_into_the_next_group() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hub.db");
        sqlite::migrate(&path).unwrap();
        let file = sqlite::writer(&path).unwrap();
        file.execute("insert into setting (name, value) values ('moved', 'x')", []).unwrap();
        let (people, lane) = mpsc::channel(4);
        let (_, others) = mpsc::channel(1);
        let ((refused, first), (write, second)) =
            (packed(|tx| put(tx, "first")), packed(|tx| put(tx, "second")));
        people.try_send(refused).expect("the lane has room");
        let mut engine = ComesBack { file, again: Some((people, write)) };
        let lanes = Lanes { people: lane, behind: others, people_began: false };
        let waiting = tokio::runtime::Builder::new_current_thread().build().unwrap();
        write_all(&mut engine, lanes, &waiting);
        assert!(first.blocking_recv().is_err(), "it was not begun");
        second.blocking_recv().unwrap().unwrap();
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
                let (nothing, _) = packed(|_| Ok(()));
                assert!(send.try_send(nothing).is_ok());
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
        let other = Db::open(dir.path().join("hub.db")).unwrap();
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
}
