//! `/api/jobs`: long work that somebody started, and how far it is.

use acts::cancel;
use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{page, rows};
use http::problem::Problem;
use http::reply::{accepted, json};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::Timestamp;
use rules::auth::Role;
use serde::{Deserialize, Serialize};
use store::job::Job;
use store::job::JobState;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use wire::Wall;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::get("/api/jobs").staff().asks::<JobQuery>().gives::<Vec<JobBody>>().by(index),
        Route::get("/api/jobs/{id}").staff().of(Object::Job).gives::<JobBody>().by(show),
        Route::post("/api/jobs/{id}/cancel").staff().of(Object::Job).gives::<JobBody>().by(stop),
    ]
}

/// A job, as the API says it.
#[derive(Serialize, ToSchema)]
#[schema(as = JobsBody)]
pub struct JobBody {
    /// Own id.
    id: Uuid,
    /// What is done.
    kind: String,
    state: JobState,
    /// Pieces done.
    done: u64,
    /// Pieces there are.
    total: u64,
    /// What it came to, once done: an object of its kind.
    #[schema(value_type = Option<Object>)]
    result: Option<serde_json::Value>,
    /// Why it failed, in a sentence.
    error: Option<String>,
    /// The account that started it.
    started_by: Uuid,
    #[schema(value_type = String, format = DateTime)]
    created_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
}

/// Which to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct JobQuery {
    /// Those before this one: the last of the page before.
    after: Option<Uuid>,
    /// At most this many.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

impl From<Job> for JobBody {
    fn from(job: Job) -> Self {
        let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
        Self {
            id: job.id,
            kind: job.kind,
            state: job.state,
            done: job.done,
            total: job.total,
            result: job.result,
            error: job.error,
            started_by: job.by,
            created_at: time(job.created_at),
            started_at: job.started_at.and_then(time),
            ended_at: job.ended_at.and_then(time),
        }
    }
}

/// Whether to wait for the end.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct JobWait {
    /// Answers when the job has ended, with its result in it.
    wait: Option<bool>,
}

/// Whether whoever asks waits for the end. Ask before the job starts.
///
/// # Errors
/// 422 for a query that is none.
pub fn waits(call: &Call) -> Result<bool, Problem> {
    Ok(call.query::<JobWait>()?.wait.unwrap_or(false))
}

/// 202: the work goes on as this job; or has ended, if that was asked for (`?wait=true`).
pub async fn follow(call: &Call, job: Job, wait: bool) -> Outcome {
    if wait {
        return goes_on(call.app().jobs.ended(job.id, job.by).await?);
    }
    goes_on(job)
}

/// 202: the work goes on as this job.
pub fn goes_on(job: Job) -> Outcome {
    let body = JobBody::from(job);
    accepted(&format!("/api/jobs/{}", body.id), &body)
}

async fn index(call: Call) -> Outcome {
    let which: JobQuery = call.query()?;
    let limit = rows(which.limit);
    let jobs = call.app().jobs.list(call.actor()?.user, which.after, limit).await?;
    let jobs: Vec<JobBody> = jobs.into_iter().map(JobBody::from).collect();
    page(&call, &jobs, limit, jobs.last().map(|job| job.id.to_string()))
}

async fn show(call: Call) -> Outcome {
    let id: Uuid = call.id("id")?;
    let actor = call.actor()?;
    let job = call.app().jobs.get(id, actor.user, actor.role == Role::Admin).await?;
    json(&JobBody::from(job))
}

async fn stop(call: Call) -> Outcome {
    let app = call.app();
    let id = call.id("id")?;
    let job = cancel::stop(&app.db, &app.jobs, id, call.actor()?, call.now).await?;
    json(&JobBody::from(job))
}
