//! Long work that a page of the settings starts: how far it is, how fast, and how it ended.

use acts::cancel;
use http::call::Call;
use http::problem::Problem;
use serde::Deserialize;
use store::job::Job;
use store::job::JobState;
use uuid::Uuid;
use wire::Wall;
use words::language::Language;

/// How far a job is.
#[derive(PartialEq, Debug)]
pub struct JobWork {
    /// Its id.
    pub id: Uuid,
    /// Whether it goes on.
    pub running: bool,
    /// Pieces done.
    pub done: u64,
    /// Pieces there are, at least one.
    pub total: u64,
    /// Pieces a second.
    pub rate: u64,
    /// How it ended: well or not, and a sentence.
    pub verdict: Option<(bool, String)>,
}

impl JobWork {
    /// What `job` has come to at `now`. `whole` and `stopped` are the texts of its end, each with
    /// the pieces that were done as `count`.
    #[must_use]
    pub fn told(
        language: Language,
        job: &Job,
        now: Wall,
        (whole, stopped): (&'static str, &'static str),
    ) -> Self {
        let ms = job.started_at.map_or(0, |at| job.ended_at.unwrap_or(now).0 - at.0);
        let rate = job.done * 1000 / u64::try_from(ms).unwrap_or(0).max(1);
        let running = matches!(job.state, JobState::Queued | JobState::Running);
        let verdict = match job.state {
            JobState::Done => Some((true, language.one(whole, "count", job.done))),
            JobState::Failed => Some((false, job.error.clone().unwrap_or_default())),
            JobState::Cancelled => Some((false, language.one(stopped, "count", job.done))),
            JobState::Queued | JobState::Running => None,
        };
        Self { id: job.id, running, done: job.done, total: job.total.max(1), rate, verdict }
    }
}

/// The job of this kind that the address names (`?job=`), or else the one that still goes on.
///
/// # Errors
/// 404 when the address names none.
pub async fn asked(call: &Call, kind: &'static str) -> Result<Option<Job>, Problem> {
    #[derive(Deserialize)]
    struct Asked {
        job: Option<Uuid>,
    }
    let Asked { job } = call.query()?;
    let user = call.actor()?.user;
    let jobs = &call.app().jobs;
    Ok(match job {
        Some(id) => Some(jobs.get(id, user, true).await?).filter(|job| job.kind == kind),
        None => jobs.unfinished(kind).await?,
    })
}

/// Stops the job that the address names.
///
/// # Errors
/// 404.
pub async fn stopped(call: &Call) -> Result<Job, Problem> {
    let app = call.app();
    let id = call.id("id")?;
    Ok(cancel::stop(&app.db, &app.jobs, id, call.actor()?, call.now).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(state: JobState) -> Job {
        Job {
            id: Uuid::nil(),
            kind: "audit".into(),
            state,
            done: 500,
            total: 1000,
            result: None,
            error: Some("The audit chain is broken at row 501.".into()),
            by: Uuid::nil(),
            created_at: Wall(0),
            started_at: Some(Wall(1_000)),
            ended_at: None,
        }
    }

    #[test]
    fn work_says_how_far_and_how_fast_it_is_and_how_it_ended() {
        let ends = ("audit-whole", "audit-cancelled");
        let told = |state| JobWork::told(Language::English, &job(state), Wall(3_000), ends);
        let half = told(JobState::Running);
        assert_eq!((half.running, half.done, half.rate, half.verdict), (true, 500, 250, None));
        let broken = told(JobState::Failed).verdict.unwrap();
        assert_eq!(broken, (false, "The audit chain is broken at row 501.".into()));
        assert!(told(JobState::Done).verdict.unwrap().0);
        let (good, words) = told(JobState::Cancelled).verdict.unwrap();
        assert!(!good && words.contains("500"), "{words}");
    }
}
