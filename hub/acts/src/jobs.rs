//! Long work as a job: it has an id, says how far it is, and can be cancelled.
//!
//! A few run at once and some wait; more are refused with a sentence. How far a job is lives in
//! RAM and is told as events; how it ended is a row. A job that the hub's end cut off is failed
//! and says so: whoever started it starts it again, because all work here may be done twice.

use crate::events::{Event, Events};
use crate::hubs::Hubs;
use crate::word::Word;
use rules::error::Error;
use serde::Serialize;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use store::job::JobState;
use store::job::{self, Job, JobEnd};
use store::{Db, Tx};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use uuid::Uuid;
use wire::Clock;

/// Jobs that run at once: the networks have two threads, and people wait for them too.
pub const AT_ONCE: usize = 2;
/// Jobs that run or wait.
pub const MOST: usize = 64;
/// Progress is told this often at most, milliseconds.
const TELL_MS: u64 = 200;

/// What a job says that an earlier run of the hub left unfinished.
pub const INTERRUPTED: &str =
    "The hub was restarted before this was done. Start it again: what was done is kept.";

/// A future that owns everything it needs.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
/// Lets a task run: `app` gives it, because only `app` spawns.
pub type Spawn = Arc<dyn Fn(Task) + Send + Sync>;

/// Starts jobs and knows the unfinished ones; cheap to clone.
#[derive(Clone)]
pub struct Jobs(Arc<JobShared>);

struct JobShared {
    db: Db,
    hubs: Hubs,
    events: Events,
    clock: Arc<dyn Clock>,
    spawn: Spawn,
    places: Semaphore,
    live: Mutex<HashMap<Uuid, JobProgress>>,
    /// Cancelled when the hub stops.
    stop: CancellationToken,
}

/// How far a job is, as the job itself says it; cheap to clone and to advance.
#[derive(Clone)]
pub struct JobProgress(Arc<JobLive>);

struct JobLive {
    id: Uuid,
    by: Uuid,
    done: AtomicU64,
    total: AtomicU64,
    running: AtomicU64,
    told: AtomicU64,
    cancel: CancellationToken,
    no_return: AtomicBool,
    ended: CancellationToken,
    events: Events,
    clock: Arc<dyn Clock>,
}

impl JobProgress {
    /// So many pieces more are done.
    pub fn advance(&self, pieces: u64) {
        self.0.done.fetch_add(pieces, Relaxed);
        let now = self.0.clock.mono().0;
        let told = self.0.told.load(Relaxed);
        let due = now.saturating_sub(told) >= TELL_MS;
        if due && self.0.told.compare_exchange(told, now, Relaxed, Relaxed).is_ok() {
            self.tell();
        }
    }

    /// There are so many pieces, which was not known at the start.
    pub fn set_total(&self, pieces: u64) {
        self.0.total.store(pieces, Relaxed);
    }

    /// Whether somebody stopped it; its future is dropped at its next await anyway, so only work
    /// on other threads needs to ask.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cancel.is_cancelled()
    }

    /// From here on only its work decides how the job ends: a cancel comes too late. Say so before
    /// a write that does all of it, or the last of it, because that is carried out though nobody
    /// waits for it.
    pub fn no_return(&self) {
        self.0.no_return.store(true, Relaxed);
    }

    /// Pieces done, and all.
    #[must_use]
    pub fn pieces(&self) -> (u64, u64) {
        (self.0.done.load(Relaxed), self.0.total.load(Relaxed))
    }

    fn tell(&self) {
        self.0.events.say(Event::JobChanged { job: self.0.id, by: self.0.by });
    }
}

impl Jobs {
    /// Nothing to do yet. What an earlier run left is ended by [`Jobs::interrupt`].
    #[must_use]
    pub fn new(db: Db, hubs: Hubs, events: Events, clock: Arc<dyn Clock>, spawn: Spawn) -> Self {
        let places = Semaphore::new(AT_ONCE);
        let live = Mutex::default();
        let stop = CancellationToken::new();
        Self(Arc::new(JobShared { db, hubs, events, clock, spawn, places, live, stop }))
    }

    /// Lets `task` run to its end, whoever asked for it; the hub waits for it when it stops.
    pub fn finish(&self, task: Task) {
        (self.0.spawn)(task);
    }

    /// Ends what an earlier run of the hub left unfinished.
    pub async fn interrupt(&self) -> Result<(), Error> {
        let now = self.0.clock.wall();
        let hub = self.0.hubs.name().to_owned();
        self.0.db.write(move |tx| job::interrupt(tx, &hub, INTERRUPTED, now).map(drop)).await
    }

    /// Ends what a hub that is gone left unfinished.
    pub async fn inherit(&self, hub: String) -> Result<(), Error> {
        let now = self.0.clock.wall();
        self.0.db.write(move |tx| job::interrupt(tx, &hub, INTERRUPTED, now).map(drop)).await
    }

    /// Starts `work` of `total` pieces, asked for by the account `by`, and returns at once. What
    /// it returns becomes the job's result; its error becomes the job's sentence. It may be
    /// dropped at any await (cancelled before [`JobProgress::no_return`], or the hub stops), so
    /// every `Db::write` in it is whole.
    ///
    /// # Errors
    /// `Unavailable` when too much waits; when the database fails.
    pub async fn start<F, W, R>(
        &self,
        kind: &'static str,
        total: u64,
        by: Uuid,
        work: F,
    ) -> Result<Job, Error>
    where
        F: FnOnce(JobProgress) -> W + Send + 'static,
        W: Future<Output = Result<R, Error>> + Send + 'static,
        R: Serialize,
    {
        let job = self.queued(kind, total, by);
        let progress = self.enter(&job)?;
        let row = job.clone();
        let id = job.id;
        let hub = self.0.hubs.name().to_owned();
        let added = self.0.db.write(move |tx| job::add(tx, &row, &hub)).await;
        if let Err(error) = added {
            self.live().remove(&id);
            return Err(error);
        }
        let jobs = self.clone();
        let own = progress.clone();
        let run = async move {
            let work = async move { Ok(serde_json::json!(work(own).await?)) };
            jobs.run(&progress, work).instrument(rules::spans::job(kind)).await;
        };
        (self.0.spawn)(Box::pin(run));
        Ok(job)
    }

    fn queued(&self, kind: &str, total: u64, by: Uuid) -> Job {
        let now = self.0.clock.wall();
        Job {
            id: wire::id::v7(now),
            kind: kind.to_owned(),
            state: JobState::Queued,
            done: 0,
            total,
            result: None,
            error: None,
            by,
            created_at: now,
            started_at: None,
            ended_at: None,
        }
    }

    /// Takes one of the places there are.
    fn enter(&self, job: &Job) -> Result<JobProgress, Error> {
        let mut live = self.live();
        if live.len() >= MOST {
            let say = "too much work is waiting: try again when some of it is done";
            return Err(Error::Unavailable(say.into()));
        }
        let progress = JobProgress(Arc::new(JobLive {
            id: job.id,
            by: job.by,
            done: AtomicU64::new(0),
            total: AtomicU64::new(job.total),
            running: AtomicU64::new(0),
            told: AtomicU64::new(0),
            cancel: CancellationToken::new(),
            no_return: AtomicBool::new(false),
            ended: CancellationToken::new(),
            events: self.0.events.clone(),
            clock: self.0.clock.clone(),
        }));
        live.insert(job.id, progress.clone());
        Ok(progress)
    }

    /// One job from its turn to its end.
    async fn run(
        &self,
        progress: &JobProgress,
        work: impl Future<Output = Result<serde_json::Value, Error>>,
    ) {
        let cancelled = async {
            progress.0.cancel.cancelled().await;
            if progress.0.no_return.load(Relaxed) {
                std::future::pending::<()>().await;
            }
        };
        let whole = async {
            let _place = self.0.places.acquire().await;
            let id = progress.0.id;
            let now = self.0.clock.wall();
            self.0.db.write(move |tx| job::begin(tx, id, now)).await?;
            progress.0.running.store(1, Relaxed);
            progress.tell();
            unpanicking(work).await
        };
        let came_to = tokio::select! {
            biased;
            () = self.0.stop.cancelled() => Err(Error::Unavailable(INTERRUPTED.into())),
            () = cancelled => Ok(None),
            done = whole => done.map(Some),
        };
        self.close(progress, came_to).await;
    }

    async fn close(
        &self,
        progress: &JobProgress,
        came_to: Result<Option<serde_json::Value>, Error>,
    ) {
        let pieces = progress.pieces();
        let (state, result, error) = match came_to {
            Ok(Some(result)) => (JobState::Done, Some(result), None),
            Ok(None) => (JobState::Cancelled, None, None),
            Err(error) => (JobState::Failed, None, Some(sentence(&error))),
        };
        let end = JobEnd { state, pieces, result, error };
        let id = progress.0.id;
        let now = self.0.clock.wall();
        let ended = self.0.db.write(move |tx| job::end(tx, id, &end, now)).await;
        if let Err(error) = ended {
            tracing::error!(job = %id, %error, "the end of a job could not be stored");
        }
        self.live().remove(&id);
        progress.0.ended.cancel();
        progress.tell();
    }

    /// The job `id` with how far it is now: one's own, or for an admin (`all`) anybody's.
    ///
    /// # Errors
    /// `NotFound`, for a foreign one too.
    pub async fn get(&self, id: Uuid, user: Uuid, all: bool) -> Result<Job, Error> {
        let job = self.0.db.read(move |tx| job::get(tx, id, user, all)).await?;
        Ok(self.with_progress(job))
    }

    /// One's own jobs, newest first.
    pub async fn list(
        &self,
        user: Uuid,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Job>, Error> {
        let read = move |tx: &Tx<'_>| job::list(tx, user, before, limit);
        let jobs = self.0.db.read(read).await?;
        Ok(jobs.into_iter().map(|job| self.with_progress(job)).collect())
    }

    /// The job of this kind that still goes on, whoever started it; one whose end could not be stored
    /// does not.
    pub async fn unfinished(&self, kind: &'static str) -> Result<Option<Job>, Error> {
        let job = self.0.db.read(move |tx| job::unfinished(tx, kind)).await?;
        let goes_on = |job: &Job| self.live().contains_key(&job.id);
        Ok(job.filter(goes_on).map(|job| self.with_progress(job)))
    }

    fn with_progress(&self, job: Job) -> Job {
        match self.live().get(&job.id) {
            Some(live) if job.ended_at.is_none() => {
                let (done, total) = live.pieces();
                Job { done, total, ..job }
            }
            _ => job,
        }
    }

    /// Stops a job and waits for its end; one that has ended stays as it is.
    ///
    /// # Errors
    /// `NotFound`, for a foreign one too.
    pub async fn cancel(&self, id: Uuid, user: Uuid, all: bool) -> Result<Job, Error> {
        let job = self.get(id, user, all).await?;
        let live = self.live().get(&id).cloned();
        if live.is_none() && job.ended_at.is_none() && !self.0.hubs.others().is_empty() {
            let now = self.0.clock.wall();
            let actor = user.to_string();
            self.0.db.write(move |tx| job::note_cancel(tx, id, &actor, now)).await?;
            self.0.hubs.out().say(|| Word::Cancel(id));
        }
        if let Some(live) = live {
            let now = self.0.clock.wall();
            let actor = user.to_string();
            self.0.db.write(move |tx| job::note_cancel(tx, id, &actor, now)).await?;
            live.0.cancel.cancel();
            live.0.ended.cancelled().await;
        }
        self.get(id, user, all).await
    }

    /// Stops a job that runs here, as somebody wanted at another hub, where that is written down.
    pub fn relay_cancel(&self, id: Uuid) {
        if let Some(live) = self.live().get(&id) {
            live.0.cancel.cancel();
        }
    }

    /// Waits until a job has ended, however.
    ///
    /// # Errors
    /// `NotFound`, for a foreign one too.
    pub async fn ended(&self, id: Uuid, user: Uuid) -> Result<Job, Error> {
        let live = self.live().get(&id).cloned();
        if let Some(live) = live {
            live.0.ended.cancelled().await;
        }
        self.get(id, user, false).await
    }

    /// Ends every job as interrupted: the hub stops.
    pub fn stop(&self) {
        self.0.stop.cancel();
    }

    fn live(&self) -> MutexGuard<'_, HashMap<Uuid, JobProgress>> {
        self.0.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What whoever started a job reads of its failure.
fn sentence(error: &Error) -> String {
    if let Error::Internal { doing, source } = error {
        tracing::error!(%doing, error = &**source as &dyn std::error::Error, "a job failed");
    }
    let words = error.to_string();
    let mut letters = words.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let stop = if words.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

/// `work`, with a panic in it as an error.
async fn unpanicking<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let mut work = std::pin::pin!(work);
    std::future::poll_fn(move |context| {
        let poll = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        let panicked = |_| Poll::Ready(Err(Error::internal("a job", "it panicked")));
        poll.unwrap_or_else(panicked)
    })
    .await
}

#[cfg(test)]
mod tests;
