//! The chain of who did what, walked to see whether it is whole: at once, or as a job.

use crate::jobs::{JobProgress, Jobs};
use data_encoding::HEXLOWER;
use rules::error::{Doing, Error};
use serde::Serialize;
use std::collections::HashMap;
use std::ops::ControlFlow;
use store::Db;
use store::audit::{self, Head};
use store::job::Job;
use uuid::Uuid;

/// The kind of job that walks the chain.
pub const WALK: &str = "audit";

/// What walks along the chain, beside whoever writes; cheap to clone.
#[derive(Clone)]
pub struct Walking {
    /// The database.
    pub db: Db,
    /// Long work.
    pub jobs: Jobs,
}

/// What a whole chain comes to.
#[derive(Serialize)]
struct AuditWhole {
    rows: i64,
    hash: String,
}

impl Walking {
    /// Begins a walk along the whole chain.
    ///
    /// # Errors
    /// `Unavailable` when too much waits.
    pub async fn start(&self, by: Uuid) -> Result<Job, Error> {
        let total = u64::try_from(self.db.read(audit::head).await?.rows).unwrap_or(0);
        let db = self.db.clone();
        let work = move |progress: JobProgress| async move {
            let step = move |_: i64, _: &[u8; 32]| {
                progress.advance(1);
                if progress.is_cancelled() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            };
            let walk = move || db.place().read(|tx| audit::walk(tx, step));
            let head =
                tokio::task::spawn_blocking(walk).await.doing("checking the audit chain")??;
            Ok(AuditWhole { rows: head.rows, hash: head.hash })
        };
        self.jobs.start(WALK, total, by, work).await
    }
}

/// Walks the whole chain of `db`; it must go through each head of `known`.
///
/// # Errors
/// `Conflict` where it is broken, or is another one.
pub async fn verify(db: Db, known: Vec<Head>) -> Result<Head, Error> {
    let walk = tokio::task::spawn_blocking(move || through(&db, &known));
    walk.await.doing("checking the audit chain")?
}

fn through(db: &Db, known: &[Head]) -> Result<Head, Error> {
    let mut missing: HashMap<_, _> = known.iter().map(|head| (head.rows, &head.hash)).collect();
    missing.remove(&0);
    let head = db.place().read(|tx| {
        audit::walk(tx, |n, hash| {
            if missing.get(&n).is_some_and(|known| **known == HEXLOWER.encode(hash)) {
                missing.remove(&n);
            }
            ControlFlow::Continue(())
        })
    })?;
    match missing.keys().min() {
        None => Ok(head),
        Some(row) => Err(Error::Conflict(format!(
            "the chain is whole, but it is not the one whose head was signed at row {row}"
        ))),
    }
}
