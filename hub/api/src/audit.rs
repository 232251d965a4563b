//! `/api/audit`: who did what, and whether the chain of it is whole.

use acts;
use acts::privacy::witness::Witness;
use data_encoding::HEXLOWER;
use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{page, rows};
use http::problem::Outcome;
use http::problem::Problem;
use http::reply::json;
use http::route::Route;
use jiff::{Timestamp, civil::Date};
use rules::error::Error;
use serde::{Deserialize, Serialize};
use store::audit::{self, AuditFilter, AuditRow};
use store::audit_head;
use tokio::sync::Semaphore;
use utoipa::{IntoParams, ToSchema};
use wire::Wall;

/// Walks at once: one reads the whole chain.
static WALKS: Semaphore = Semaphore::const_new(1);

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::get("/api/audit")
            .admin()
            .asks::<AuditQuery>()
            .gives::<Vec<AuditEntryBody>>()
            .by(index),
        Route::get("/api/audit/verify").admin().gives::<AuditVerdict>().by(verify),
        Route::get("/api/audit/heads").admin().asks::<Heads>().gives::<Vec<Witness>>().by(signed),
    ]
}

/// A row of the chain. It holds ids, never names.
#[derive(Serialize, ToSchema)]
#[schema(as = Entry)]
pub struct AuditEntryBody {
    /// Number, from 1 without gaps.
    pub id: i64,
    /// The account; `cli:` and a number for the command line, or `hub`.
    pub user_id: String,
    /// A verb.
    pub action: String,
    /// The table of what was changed.
    pub target_table: String,
    /// Its id.
    pub target_id: String,
    /// Anything else: ids and numbers.
    #[schema(value_type = Object)]
    pub meta: serde_json::Value,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub timestamp: Option<Timestamp>,
    /// BLAKE3 over this row and the hash before it, hexadecimal.
    pub hash: String,
}

impl From<AuditRow> for AuditEntryBody {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.n,
            user_id: row.actor,
            action: row.action,
            target_table: row.table,
            target_id: row.id,
            meta: serde_json::from_str(&row.meta).unwrap_or_default(),
            timestamp: Timestamp::from_millisecond(row.at.0).ok(),
            hash: HEXLOWER.encode(&row.hash),
        }
    }
}

/// Which rows to list: newest first.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// Only by this account.
    user_id: Option<String>,
    /// Only this verb.
    action: Option<String>,
    /// Only about this table.
    target_table: Option<String>,
    /// Only about this id.
    target_id: Option<String>,
    /// Not before this day.
    #[param(value_type = Option<String>, format = Date)]
    date_from: Option<Date>,
    /// Not after this day.
    #[param(value_type = Option<String>, format = Date)]
    date_to: Option<Date>,
    /// Only rows before this number.
    after: Option<i64>,
    /// At most this many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Whether the chain is whole.
#[derive(Serialize, ToSchema)]
#[schema(as = Verdict)]
pub struct AuditVerdict {
    /// Whether every row follows on the one before.
    whole: bool,
    /// Rows, if it is.
    rows: Option<i64>,
    /// Hash of the last, if it is.
    hash: Option<String>,
    /// What was found, in a sentence.
    detail: String,
}

/// Which signed heads to list: newest first.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Heads {
    /// Only those before this day.
    #[param(value_type = Option<String>, format = Date)]
    after: Option<Date>,
    /// At most this many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

async fn index(call: Call) -> Outcome {
    let which: AuditQuery = call.query()?;
    let zone = call.app().config.zone.clone();
    let start = |day: Date| {
        let start = day.to_zoned(zone.clone()).ok();
        start.map(|start| Wall(start.timestamp().as_millisecond()))
    };
    let limit = rows(which.limit);
    let filter = AuditFilter {
        from: which.date_from.and_then(start),
        until: which.date_to.and_then(|day| day.tomorrow().ok()).and_then(start),
        actor: which.user_id,
        action: which.action,
        table: which.target_table,
        id: which.target_id,
    };
    let read = call.app().db.read(move |tx| audit::list(tx, &filter, which.after, limit));
    let all: Vec<AuditEntryBody> = read.await?.into_iter().map(AuditEntryBody::from).collect();
    page(&call, &all, limit, all.last().map(|row| row.id.to_string()))
}

async fn verify(call: Call) -> Outcome {
    let busy = || Problem::unavailable("The chain is being checked already.").after(10);
    let place = WALKS.try_acquire().map_err(|_| busy())?;
    let verdict = acts::audit::verify(call.app().db.clone(), Vec::new()).await;
    drop(place);
    match verdict {
        Ok(head) => json(&AuditVerdict {
            whole: true,
            detail: format!("{} rows, unbroken.", head.rows),
            rows: Some(head.rows),
            hash: Some(head.hash),
        }),
        Err(Error::Conflict(why)) => {
            let detail = http::reply::sentence(&why);
            json(&AuditVerdict { whole: false, rows: None, hash: None, detail })
        }
        Err(error) => Err(error.into()),
    }
}

async fn signed(call: Call) -> Outcome {
    let which: Heads = call.query()?;
    let limit = rows(which.limit);
    let before = which.after.map(|day| day.to_string());
    let read = call.app().db.read(move |tx| audit_head::list(tx, before.as_deref(), limit));
    let heads: Vec<Witness> = read.await?.into_iter().map(Witness::from).collect();
    page(&call, &heads, limit, heads.last().map(|head| head.day.clone()))
}
