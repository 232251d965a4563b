//! What runs writes and reads on a database of some kind, and how each is answered.

use crate::tx::Tx;
use rules::error::Error;
use tokio::sync::oneshot;

/// A connection to a database.
pub(crate) trait Engine: Send {
    /// Runs each of `group` in its own part of one transaction, and keeps what it answered.
    ///
    /// # Errors
    /// When nothing of it is stored, or nobody knows.
    fn write(
        &mut self,
        group: &mut dyn Iterator<Item = Write>,
        answers: &mut Vec<DbAnswer>,
    ) -> Result<(), Unstored>;

    /// Shows `look` one snapshot.
    fn read(&mut self, look: Look);
}

/// Runs inside the transaction, and returns what to say when it is over.
pub(crate) type Write = Box<dyn FnOnce(&Tx<'_>) -> DbAnswer + Send>;
/// Runs on a snapshot, or hears why there is none.
pub(crate) type Look = Box<dyn FnOnce(Result<&Tx<'_>, Error>) + Send>;

/// Why nothing of a group is stored, or nobody knows.
#[derive(Clone, Debug)]
pub(crate) enum Unstored {
    /// The store is not well: the same may work later. In a sentence.
    Unwell(String),
    /// What a row says is wrong.
    Odd(String),
}

impl Default for Unstored {
    fn default() -> Self {
        Self::Unwell("the database could not begin this: try again in a moment".into())
    }
}

impl From<Unstored> for Error {
    fn from(why: Unstored) -> Self {
        match why {
            Unstored::Unwell(say) => Self::Unavailable(say),
            Unstored::Odd(why) => Self::internal("storing", why),
        }
    }
}

/// What a write answered, to be said once it is known whether it is stored.
pub(crate) struct DbAnswer {
    /// It is to be undone.
    pub failed: bool,
    /// It was undone although it did not fail: the database would not keep it.
    pub undone: bool,
    say: Box<dyn FnOnce(Result<(), Error>)>,
}

/// Says each of `answers`, now that it is known whether they are stored.
pub(crate) fn say_all(answers: Vec<DbAnswer>, committed: &Result<(), Unstored>) {
    for answer in answers {
        let undone = || Err(Error::internal("storing", "the database would not keep it"));
        let stored = committed.clone().map_err(Error::from);
        (answer.say)(if answer.undone { stored.and_then(|()| undone()) } else { stored });
    }
}

/// `work` for the writer, and where its answer arrives.
pub(crate) fn packed<T, F>(work: F) -> (Write, oneshot::Receiver<Result<T, Error>>)
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
            undone: false,
            say: Box::new(move |committed| {
                let _nobody_waits = tell.send(committed.and(done));
            }),
        }
    });
    (write, told)
}

/// Runs `work` in a transaction of its own on `engine`. Blocking.
pub(crate) fn write_at_once<T, F>(engine: &mut dyn Engine, work: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce(&Tx<'_>) -> Result<T, Error> + Send + 'static,
{
    let (write, mut told) = packed(work);
    let mut answers = Vec::new();
    let committed = engine.write(&mut std::iter::once(write), &mut answers);
    say_all(answers, &committed);
    told.try_recv().map_err(|_| not_begun())?
}

pub(crate) fn not_begun() -> Error {
    Unstored::default().into()
}

pub(crate) fn given_up() -> Error {
    Error::internal("a database operation", "it was given up half-way; the log says why")
}
