//! The writer thread and the handles to it.
//!
//! Group commit without waiting: whatever queued up while the last commit was on its way to the
//! disk goes into the next one. On a slow card that is many drafts, on a fast one the first is
//! not kept waiting.

use super::{Acked, Book, Cursor, Entry, OutboxError, Parcel, Place, Setup};
use crate::draft::{Draft, Keep, KeepError};
use crate::status::Stock;
use rand::rngs::StdRng;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};
use wire::link::{Ack, Run};
use wire::record::{Anchor, Watch};
use wire::{Ranges, Stamp, StudentId};

/// Jobs waiting for the writer; when full, callers wait.
const QUEUE: usize = 256;
/// Entries in one commit at most.
const GROUP: usize = 32;

/// The outcome of a commit, shared by all whose entries were in it.
type Answer<T> = oneshot::Sender<Result<T, Arc<OutboxError>>>;

enum Job {
    Append(Vec<Entry>, Answer<Vec<u64>>),
    Pending { skip: Ranges, backlog: bool, now: Stamp, answer: Answer<Parcel> },
    Acknowledge { ack: Box<Ack>, fresh: bool, now: Stamp, answer: Answer<Acked> },
    Runs(Answer<Vec<Run>>),
    Heard(Option<u64>, Answer<Vec<Run>>),
    Place(Place, Answer<()>),
    Cursor(Answer<Cursor>),
    Stock(Answer<Stock>),
}

/// A handle to the outbox. Cheap to clone.
#[derive(Clone)]
pub struct Outbox {
    jobs: mpsc::Sender<Job>,
    newest: watch::Receiver<u64>,
    trouble: watch::Receiver<String>,
    opened: Cursor,
    recent: Arc<[(StudentId, Stamp)]>,
}

/// Owns the connection; ends when the last [`Outbox`] is dropped.
pub struct Writer {
    book: Book,
    jobs: mpsc::Receiver<Job>,
    newest: watch::Sender<u64>,
    trouble: watch::Sender<String>,
}

/// Opens the outbox: the handle for callers, and the writer, which wants a thread of its own.
///
/// # Errors
/// See [`Book::open`].
pub fn open(setup: Setup, rng: StdRng) -> Result<(Outbox, Writer), OutboxError> {
    let book = Book::open(setup, rng)?;
    let (jobs, queue) = mpsc::channel(QUEUE);
    let (told, newest) = watch::channel(book.cursor().max_seq);
    let (tell, trouble) = watch::channel(String::new());
    let opened = book.cursor();
    let recent = book.recent()?.into();
    let writer = Writer { book, jobs: queue, newest: told, trouble: tell };
    Ok((Outbox { jobs, newest, trouble, opened, recent }, writer))
}

impl Writer {
    /// Works until the last handle is gone. Blocking. What the disk does not take now is tried
    /// again with each further job.
    ///
    /// # Errors
    /// When the file is damaged: the process must end, and mend it at the next start.
    pub fn run(mut self) -> Result<(), Arc<OutboxError>> {
        let mut next = self.jobs.blocking_recv();
        while let Some(job) = next {
            let (done, left) = self.work(job);
            if let Err(error) = done
                && error.is_final()
            {
                return Err(error);
            }
            next = left.or_else(|| self.jobs.blocking_recv());
        }
        if let Err(error) = self.book.catch_up() {
            tracing::error!(%error, "the outbox closes while passages wait");
        }
        Ok(())
    }

    /// Does a job, and says which one is next if it already took that from the queue.
    fn work(&mut self, job: Job) -> (Result<(), Arc<OutboxError>>, Option<Job>) {
        let book = &mut self.book;
        let done = match job {
            Job::Append(entries, answer) => return self.append(entries, answer),
            Job::Pending { skip, backlog, now, answer } => {
                tell(answer, book.spare(|book| book.pending(&skip, backlog, &now)))
            }
            Job::Acknowledge { ack, fresh, now, answer } => {
                let done = tell(answer, book.spare(|book| book.acknowledge(&ack, fresh, &now)));
                self.note(done)
            }
            Job::Runs(answer) => tell(answer, Ok(book.runs().to_vec())),
            Job::Heard(run, answer) => {
                let heard = book.spare(|book| book.heard(run));
                tell(answer, heard.map(|()| book.runs().to_vec()))
            }
            Job::Place(place, answer) => tell(answer, book.set_place(place)),
            Job::Stock(answer) => tell(answer, book.stock()),
            Job::Cursor(answer) => {
                let done = tell(answer, Ok(book.cursor()));
                done.and_then(|()| self.catch_up())
            }
        };
        (done, None)
    }

    /// Tries again what waits.
    fn catch_up(&mut self) -> Result<(), Arc<OutboxError>> {
        match self.book.catch_up() {
            Ok(false) => Ok(()),
            done => {
                self.newest.send_replace(self.book.cursor().max_seq);
                self.note(done.map(drop).map_err(Arc::new))
            }
        }
    }

    /// Says whether the disk takes what it is given.
    fn note(&self, done: Result<(), Arc<OutboxError>>) -> Result<(), Arc<OutboxError>> {
        let said = done.as_ref().err().map(|error| trouble(error)).unwrap_or_default();
        self.trouble.send_if_modified(|old| {
            let differs = *old != said;
            *old = said;
            differs
        });
        done
    }

    fn append(
        &mut self,
        mut entries: Vec<Entry>,
        answer: Answer<Vec<u64>>,
    ) -> (Result<(), Arc<OutboxError>>, Option<Job>) {
        let mut waiting = vec![(entries.len(), answer)];
        let mut left = None;
        while entries.len() < GROUP {
            match self.jobs.try_recv() {
                Ok(Job::Append(more, answer)) => {
                    waiting.push((more.len(), answer));
                    entries.extend(more);
                }
                other => {
                    left = other.ok();
                    break;
                }
            }
        }
        (self.commit(&entries, waiting), left)
    }

    fn commit(
        &mut self,
        entries: &[Entry],
        waiting: Vec<(usize, Answer<Vec<u64>>)>,
    ) -> Result<(), Arc<OutboxError>> {
        let stored = self.book.append(entries).map_err(Arc::new);
        let mut numbers = stored.as_ref().map_or(&[][..], |numbers| numbers);
        for (count, answer) in waiting {
            let (own, rest) = numbers.split_at(count.min(numbers.len()));
            numbers = rest;
            // Whoever asked may be gone; the rows are stored all the same.
            let _ = answer.send(stored.as_ref().map(|_| own.to_vec()).map_err(Arc::clone));
        }
        self.newest.send_replace(self.book.cursor().max_seq);
        self.note(stored.map(drop))
    }
}

/// What is wrong, with its causes, in a line.
fn trouble(error: &OutboxError) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |e| e.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn tell<T>(answer: Answer<T>, result: Result<T, OutboxError>) -> Result<(), Arc<OutboxError>> {
    let result = result.map_err(Arc::new);
    let done = result.as_ref().map(|_| ()).map_err(Arc::clone);
    // Whoever asked may be gone.
    let _ = answer.send(result);
    done
}

impl Outbox {
    /// Where the outbox stood when it was opened: its boot number stays.
    #[must_use]
    pub fn opened(&self) -> Cursor {
        self.opened
    }

    /// The last number given out; changes when a record was stored.
    #[must_use]
    pub fn newest(&self) -> watch::Receiver<u64> {
        self.newest.clone()
    }

    /// Why the disk does not take what it is given; empty if it does.
    #[must_use]
    pub fn trouble(&self) -> watch::Receiver<String> {
        self.trouble.clone()
    }

    /// See [`Book::pending`].
    ///
    /// # Errors
    /// As there, and when the writer has stopped.
    pub async fn pending(
        &self,
        skip: Ranges,
        backlog: bool,
        now: Stamp,
    ) -> Result<Parcel, Arc<OutboxError>> {
        self.ask(|answer| Job::Pending { skip, backlog, now, answer }).await
    }

    /// See [`Book::acknowledge`].
    ///
    /// # Errors
    /// As there, and when the writer has stopped.
    pub async fn acknowledge(
        &self,
        ack: Ack,
        fresh: bool,
        now: Stamp,
    ) -> Result<Acked, Arc<OutboxError>> {
        self.ask(|answer| Job::Acknowledge { ack: Box::new(ack), fresh, now, answer }).await
    }

    /// See [`Book::runs`].
    ///
    /// # Errors
    /// When the writer has stopped.
    pub async fn runs(&self) -> Result<Vec<Run>, Arc<OutboxError>> {
        self.ask(Job::Runs).await
    }

    /// See [`Book::heard`]; what is to be said from now on.
    ///
    /// # Errors
    /// As there, and when the writer has stopped.
    pub async fn heard(&self, run: Option<u64>) -> Result<Vec<Run>, Arc<OutboxError>> {
        self.ask(|answer| Job::Heard(run, answer)).await
    }

    /// See [`Book::set_place`].
    ///
    /// # Errors
    /// As there, and when the writer has stopped.
    pub async fn set_place(&self, place: Place) -> Result<(), Arc<OutboxError>> {
        self.ask(|answer| Job::Place(place, answer)).await
    }

    /// Where the outbox stands now.
    ///
    /// # Errors
    /// When the writer has stopped.
    pub async fn cursor(&self) -> Result<Cursor, Arc<OutboxError>> {
        self.ask(Job::Cursor).await
    }

    /// See [`Book::stock`].
    ///
    /// # Errors
    /// As there, and when the writer has stopped.
    pub async fn stock(&self) -> Result<Stock, Arc<OutboxError>> {
        self.ask(Job::Stock).await
    }

    /// Stores an anchor: monotonic and wall time belong together.
    ///
    /// # Errors
    /// When it is not stored.
    pub async fn anchor(&self, at: Stamp, anchor: Anchor) -> Result<u64, Arc<OutboxError>> {
        let entries = vec![Entry::Anchor(at, anchor)];
        let numbers = self.ask(|answer| Job::Append(entries, answer)).await?;
        numbers.first().copied().ok_or_else(|| Arc::new(OutboxError::Stopped))
    }

    async fn ask<T>(&self, job: impl FnOnce(Answer<T>) -> Job) -> Result<T, Arc<OutboxError>> {
        let (answer, answered) = oneshot::channel();
        let stopped = || Arc::new(OutboxError::Stopped);
        self.jobs.send(job(answer)).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }

    fn append(&self, entries: Vec<Entry>) -> Result<Vec<u64>, KeepError> {
        let (answer, answered) = oneshot::channel();
        let stopped = || KeepError(Box::new(OutboxError::Stopped));
        self.jobs.blocking_send(Job::Append(entries, answer)).map_err(|_| stopped())?;
        let stored = answered.blocking_recv().map_err(|_| stopped())?;
        stored.map_err(|error| KeepError(Box::new(error)))
    }
}

impl Keep for Outbox {
    fn keep(&mut self, drafts: Vec<Draft>) -> Result<Vec<u64>, KeepError> {
        self.append(drafts.into_iter().map(|draft| Entry::Passage(Box::new(draft))).collect())
    }

    fn health(&mut self, at: Stamp, watch: Watch) -> Result<u64, KeepError> {
        let numbers = self.append(vec![Entry::Health(at, watch)])?;
        numbers.first().copied().ok_or_else(|| KeepError(Box::new(OutboxError::Stopped)))
    }

    fn recent(&self) -> Vec<(StudentId, Stamp)> {
        self.recent.to_vec()
    }
}
