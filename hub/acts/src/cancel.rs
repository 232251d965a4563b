//! Long work that somebody started: they, or an admin, stop it.

use super::retention;
use crate::jobs::Jobs;
use rules::auth::{Actor, Role};
use rules::error::Error;
use store::Db;
use store::job::{Job, JobState};
use uuid::Uuid;
use wire::Wall;

/// Stops the job `id` and waits for its end; one that has ended stays as it is.
///
/// # Errors
/// `NotFound`, for a foreign one too.
pub async fn stop(db: &Db, jobs: &Jobs, id: Uuid, by: Actor, now: Wall) -> Result<Job, Error> {
    let all = by.role == Role::Admin;
    let before = jobs.get(id, by.user, all).await?;
    let job = jobs.cancel(id, by.user, all).await?;
    let is_stopped = before.ended_at.is_none() && job.state == JobState::Cancelled;
    if is_stopped && job.kind == retention::RUN {
        retention::note_stopped(db, &job, by.user.to_string(), now).await?;
    }
    Ok(job)
}
