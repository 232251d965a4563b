//! Table `job`: long work, from its start to what it came to.

use super::{Read, Row, Tx, audit, odd, params, parsed};
use rules::error::Error;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;
use wire::Wall;

/// Where a job stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = State)]
pub enum JobState {
    /// Waits for its turn.
    Queued,
    /// At work.
    Running,
    /// Has a result.
    Done,
    /// Has a sentence why not.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl JobState {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    /// As the database and the API write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl std::str::FromStr for JobState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| format!("“{text}” is no state of a job"))
    }
}

/// Finished jobs are kept this long, milliseconds: 30 days.
const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// A job as the table has it; how far a running one is only whoever runs it knows.
#[derive(Clone, PartialEq, Debug)]
pub struct Job {
    /// Own id.
    pub id: Uuid,
    /// What is done: one word.
    pub kind: String,
    /// Where it stands.
    pub state: JobState,
    /// Pieces done.
    pub done: u64,
    /// Pieces there are.
    pub total: u64,
    /// What it came to; JSON of its kind.
    pub result: Option<serde_json::Value>,
    /// Why it failed, in a sentence.
    pub error: Option<String>,
    /// The account that started it.
    pub by: Uuid,
    /// When it was asked for.
    pub created_at: Wall,
    /// When its turn came.
    pub started_at: Option<Wall>,
    /// When it ended, however.
    pub ended_at: Option<Wall>,
}

const COLUMNS: &str =
    "id, kind, state, done, total, result, error, by_whom, created_at, started_at,
     ended_at";

/// Adds a job that waits for its turn at `hub`, and forgets those that ended long ago.
pub fn add(tx: &Tx<'_>, job: &Job, hub: &str) -> Result<(), Error> {
    let old = job.created_at.plus_ms(-KEPT_MS);
    tx.execute("delete from job where ended_at < $1", params![old.0])?;
    let sql = "insert into job (id, kind, state, done, total, by_whom, created_at, hub)
         values ($1, $2, $3, 0, $4, $5, $6, $7)";
    let id = job.id.to_string();
    let by = job.by.to_string();
    let total = super::cursor::signed(job.total);
    let state = job.state.as_str();
    tx.execute(sql, params![id, job.kind, state, total, by, job.created_at.0, hub])?;
    noted(tx, job.created_at, &by, "start", job.id, json!({ "kind": job.kind }))
}

/// Its turn has come.
pub fn begin(tx: &Tx<'_>, id: Uuid, now: Wall) -> Result<(), Error> {
    let sql = "update job set state = 'running', started_at = $2
         where id = $1 and state = 'queued'";
    tx.execute(sql, params![id.to_string(), now.0]).map(drop)
}

/// How a job ends.
#[derive(Clone, Debug)]
pub struct JobEnd {
    /// Done, failed or cancelled.
    pub state: JobState,
    /// Pieces done, and there were.
    pub pieces: (u64, u64),
    /// What it came to.
    pub result: Option<serde_json::Value>,
    /// Why it failed.
    pub error: Option<String>,
}

/// It has ended.
pub fn end(tx: &Tx<'_>, id: Uuid, end: &JobEnd, now: Wall) -> Result<(), Error> {
    let sql = "update job set state = $2, done = $3, total = $4, result = $5, error = $6,
             ended_at = $7 where id = $1 and ended_at is null";
    let (done, total) = end.pieces;
    let (done, total) = (super::cursor::signed(done), super::cursor::signed(total));
    let result = end.result.as_ref().map(ToString::to_string);
    let values = params![id.to_string(), end.state.as_str(), done, total, result, end.error, now.0];
    tx.execute(sql, values).map(drop)
}

/// Notes that somebody cancelled it.
pub fn note_cancel(tx: &Tx<'_>, id: Uuid, actor: &str, now: Wall) -> Result<(), Error> {
    noted(tx, now, actor, "cancel", id, json!({}))
}

/// Ends what an earlier run of `hub`, or of the only one before it, left unfinished.
pub fn interrupt(tx: &Tx<'_>, hub: &str, say: &str, now: Wall) -> Result<usize, Error> {
    let sql = "update job set state = 'failed', error = $2, ended_at = $3
         where ended_at is null and (hub = $1 or hub = '')";
    tx.execute(sql, params![hub, say, now.0])
}

/// The job `id`: one's own, or for an admin (`all`) anybody's.
///
/// # Errors
/// `NotFound`, for a foreign one too.
pub fn get(tx: &Tx<'_>, id: Uuid, user: Uuid, all: bool) -> Result<Job, Error> {
    let sql = format!("select {COLUMNS} from job where id = $1 and ($2 or by_whom = $3)");
    let found = tx.row(&sql, params![id.to_string(), all, user.to_string()], read)?;
    found.ok_or_else(|| Error::unknown("job", id))
}

/// One's own jobs, the newest first, those before `before`.
pub fn list(tx: &Tx<'_>, user: Uuid, before: Option<Uuid>, limit: u32) -> Result<Vec<Job>, Error> {
    let sql = format!(
        "select {COLUMNS} from job where by_whom = $1 and (id < $2 or $2 is null)
         order by id desc limit $3"
    );
    tx.query(&sql, params![user.to_string(), before.map(|id| id.to_string()), limit], read)
}

/// The newest job of this kind that has not ended, whoever started it.
pub fn unfinished(tx: &Tx<'_>, kind: &str) -> Result<Option<Job>, Error> {
    let sql = format!(
        "select {COLUMNS} from job where ended_at is null and kind = $1 order by id desc limit 1"
    );
    tx.row(&sql, params![kind], read)
}

fn noted(
    tx: &Tx<'_>,
    now: Wall,
    actor: &str,
    action: &str,
    job: Uuid,
    meta: serde_json::Value,
) -> Result<(), Error> {
    let id = job.to_string();
    audit::add(tx, now, &audit::AuditEntry { actor, action, table: "job", id: &id, meta })
}

fn read(row: &Row<'_>) -> Read<Job> {
    let result: Option<String> = row.get(5)?;
    let result = result.map(|text| serde_json::from_str(&text)).transpose();
    let wall = |ms: Option<i64>| ms.map(Wall);
    Ok(Job {
        id: parsed(row, 0)?,
        kind: row.get(1)?,
        state: parsed(row, 2)?,
        done: super::unsigned(row, 3)?,
        total: super::unsigned(row, 4)?,
        result: result.map_err(|why| odd(5, why))?,
        error: row.get(6)?,
        by: parsed(row, 7)?,
        created_at: Wall(row.get(8)?),
        started_at: wall(row.get(9)?),
        ended_at: wall(row.get(10)?),
    })
}
