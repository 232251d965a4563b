//! `/api/notifications`: mail to families, and what became of it.

use acts::mail::{self, NewMessage};
use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{page, rows};
use http::reply::created;
use http::{
    problem::Outcome,
    route::{ADMIN, Object, STAFF, Shapes},
    takes::{SMALL, Takes},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::mail::Listed;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use warp::http::Method;
use wire::Wall;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let at = "/api/notifications";
    let list = Shapes::gives::<Vec<Body>>().asks::<Which>();
    let new = Shapes::both::<Typed, Queued>().created();
    let none = Object::None;
    let body = Takes::Json(SMALL);
    vec![
        Endpoint::new((Method::GET, at), ADMIN, none, Takes::Nothing, list, index),
        Endpoint::new((Method::POST, at), STAFF, none, body, new, add),
    ]
}

/// A mail, as the API says it: never its text or its address.
#[derive(Serialize, ToSchema)]
#[schema(as = Notification)]
pub struct Body {
    id: Uuid,
    /// absence, `low_attendance`, policy, account or custom.
    kind: String,
    student_id: Option<Uuid>,
    /// waiting, sent or failed.
    state: String,
    attempts: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// Why it was not sent.
    error: Option<String>,
}

/// A message to the families of a class, or of some students.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewNotification)]
pub struct Typed {
    /// Own id or code: everybody on its roster.
    class_id: Option<String>,
    /// Own ids or numbers.
    #[serde(default)]
    #[schema(max_items = 500)]
    student_ids: Vec<String>,
    #[schema(max_length = 200)]
    subject: String,
    /// Plain text.
    #[schema(max_length = 20000)]
    body: String,
}

/// What became of a message.
#[derive(Serialize, ToSchema)]
#[schema(as = NotificationQueued)]
pub struct Queued {
    /// Mails that wait to be sent.
    queued: usize,
    /// Students without an address.
    without_address: usize,
}

/// Which to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    after: Option<Uuid>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

impl From<Listed> for Body {
    fn from(mail: Listed) -> Self {
        let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
        let Listed { id, kind, student, state, attempts, created_at, ended_at, error } = mail;
        let created_at = time(created_at);
        let ended_at = ended_at.and_then(time);
        Self { id, kind, student_id: student, state, attempts, created_at, ended_at, error }
    }
}

async fn index(call: Call) -> Outcome {
    let which: Which = call.query()?;
    let limit = rows(which.limit);
    let mails = call.app().db.read(move |tx| store::mail::list(tx, which.after, limit)).await?;
    let mails: Vec<_> = mails.into_iter().map(Body::from).collect();
    page(&call, &mails, limit, mails.last().map(|last| last.id.to_string()))
}

async fn add(call: Call) -> Outcome {
    let Typed { class_id: class, student_ids: students, subject, body } = call.json()?;
    let message = NewMessage { class, students, subject, body };
    let queued = call.app().mailing().write(call.reader()?, message, call.now).await?;
    let mail::Queued { mails: queued, without_address } = queued;
    created("/api/notifications", &Queued { queued, without_address })
}
