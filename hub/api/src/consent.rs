//! `/api/students/{id}/consent`: the ledger of who agreed to being recognised, and who withdrew.

use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{page, rows};
use http::reply::created;
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::consent::{self, ConsentSaid, TEXT};
use store::student;
use utoipa::{IntoParams, ToSchema};

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let path = "/api/students/{id}/consent";
    vec![
        Route::get(path)
            .admin()
            .of(Object::Student)
            .asks::<ConsentQuery>()
            .gives::<Vec<ConsentEntryBody>>()
            .by(index),
        Route::post(path)
            .admin()
            .of(Object::Student)
            .takes::<ConsentForm>()
            .gives::<ConsentEntryBody>()
            .created()
            .by(say),
    ]
}

/// An entry of the ledger. Entries are only added; the newest counts.
#[derive(Serialize, ToSchema)]
#[schema(as = Entry)]
pub struct ConsentEntryBody {
    /// Counts the entries of the school.
    id: i64,
    /// Given, or else withdrawn.
    given: bool,
    /// Who said so: the person, a parent …
    by: String,
    /// Which wording.
    text_version: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// The account that wrote it down.
    recorded_by: String,
}

/// What somebody says about consent.
#[derive(Deserialize, ToSchema)]
#[schema(as = ConsentTyped)]
pub struct ConsentForm {
    /// Given, or else withdrawn. A withdrawal deletes templates, crops and what waits at once.
    given: bool,
    /// Who says so: the person, a parent …
    by: String,
    /// Which wording; the present one if it is left out.
    text_version: Option<String>,
}

/// Which entries to list: newest first.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ConsentQuery {
    /// Only entries before this one.
    after: Option<i64>,
    /// At most this many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

impl From<consent::ConsentEntry> for ConsentEntryBody {
    fn from(entry: consent::ConsentEntry) -> Self {
        Self {
            id: entry.n,
            given: entry.given,
            by: entry.by_whom,
            text_version: entry.text_version,
            at: Timestamp::from_millisecond(entry.at.0).ok(),
            recorded_by: entry.actor,
        }
    }
}

async fn index(call: Call) -> Outcome {
    let which: ConsentQuery = call.query()?;
    let name = call.param("id").to_owned();
    let limit = rows(which.limit);
    let read = call.app().db.read(move |tx| {
        let student = student::find(tx, &name)?.id;
        consent::list(tx, student, which.after, limit)
    });
    let entries: Vec<ConsentEntryBody> =
        read.await?.into_iter().map(ConsentEntryBody::from).collect();
    page(&call, &entries, limit, entries.last().map(|last| last.id.to_string()))
}

async fn say(call: Call) -> Outcome {
    let typed: ConsentForm = call.json()?;
    let name = call.param("id").to_owned();
    let student = call.app().db.read(move |tx| student::find(tx, &name)).await?.id;
    let text_version = typed.text_version.unwrap_or_else(|| TEXT.to_owned());
    let said = ConsentSaid { given: typed.given, by_whom: typed.by, text_version };
    let entry = call.app().people().hear(student, said, call.name()?, call.now).await?;
    created(&format!("/api/students/{student}/consent"), &ConsentEntryBody::from(entry))
}
