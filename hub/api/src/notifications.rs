//! `/api/notifications`: mail to families, and what became of it.

use acts::mail::{self, NewMessage};
use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{page, rows};
use http::problem::Outcome;
use http::reply::created;
use http::route::Route;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::mail::MailListed;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use wire::Wall;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let at = "/api/notifications";
    vec![
        Route::get(at)
            .admin()
            .asks::<NotificationQuery>()
            .gives::<Vec<NotificationBody>>()
            .by(index),
        Route::post(at)
            .staff()
            .takes::<NotificationForm>()
            .gives::<NotificationQueued>()
            .created()
            .by(add),
    ]
}

/// A mail, as the API says it: never its text or its address.
#[derive(Serialize, ToSchema)]
#[schema(as = Notification)]
pub struct NotificationBody {
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
pub struct NotificationForm {
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
pub struct NotificationQueued {
    /// Mails that wait to be sent.
    queued: usize,
    /// Students without an address.
    without_address: usize,
}

/// Which to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NotificationQuery {
    after: Option<Uuid>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

impl From<MailListed> for NotificationBody {
    fn from(mail: MailListed) -> Self {
        let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
        let MailListed { id, kind, student, state, attempts, created_at, ended_at, error } = mail;
        let created_at = time(created_at);
        let ended_at = ended_at.and_then(time);
        Self { id, kind, student_id: student, state, attempts, created_at, ended_at, error }
    }
}

async fn index(call: Call) -> Outcome {
    let which: NotificationQuery = call.query()?;
    let limit = rows(which.limit);
    let mails = call.app().db.read(move |tx| store::mail::list(tx, which.after, limit)).await?;
    let mails: Vec<_> = mails.into_iter().map(NotificationBody::from).collect();
    page(&call, &mails, limit, mails.last().map(|last| last.id.to_string()))
}

async fn add(call: Call) -> Outcome {
    let NotificationForm { class_id: class, student_ids: students, subject, body } = call.json()?;
    let message = NewMessage { class, students, subject, body };
    let queued = call.app().mailing().write(call.reader()?, message, call.now).await?;
    let mail::Queued { mails: queued, without_address } = queued;
    created("/api/notifications", &NotificationQueued { queued, without_address })
}
