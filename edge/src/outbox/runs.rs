//! Whose numbers these are: each run of the program with this outbox has a random name, and says
//! from which number on. An old copy of the card begins a run of its own with numbers that another
//! had: the hub sees it by that, and from which number on they are two.

use super::{Book, OutboxError, meta};
use rusqlite::TransactionBehavior;
use wire::link::{RUNS, Run};

impl Book {
    /// The last run that the hub knows, and those since; nothing where the hub keeps none. Until it
    /// has answered since the start they are said in any case: it judges them before it says what
    /// it has, or an old copy would take the lost card's records for its own.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        if self.kept || !self.heard { &self.runs } else { &[] }
    }

    /// The hub keeps runs, and has heard of `run`: those before it need not be said again.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn heard(&mut self, run: Option<u64>) -> Result<(), OutboxError> {
        let before = self.runs.iter().position(|one| Some(one.id) == run).unwrap_or(0);
        if self.kept && before == 0 {
            return Ok(());
        }
        let left = self.runs[before..].to_vec();
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        meta::put_runs(&tx, &left)?;
        meta::put(&tx, "runs_kept", 1)?;
        tx.commit()?;
        (self.runs, self.kept, self.unsaved.runs) = (left, true, None);
        Ok(())
    }
}

/// The running one, in a life that begins with it.
pub(crate) fn anew(runs: &[Run]) -> Vec<Run> {
    runs.last().map(|run| Run { first: 1, ..*run }).into_iter().collect()
}

/// `runs` and then `now`. Of too many, the first that the hub may not know become one.
pub(super) fn with(mut runs: Vec<Run>, now: Run) -> Vec<Run> {
    runs.push(now);
    while runs.len() > RUNS {
        runs[2].first = runs[1].first;
        runs.remove(1);
    }
    runs
}
