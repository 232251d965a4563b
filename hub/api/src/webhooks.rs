//! `/api/webhooks`: other programs that are told what happens here.

use acts::webhooks::{MadeWebhook, NewWebhook, WebhookChanges};
use http::call::Call;
use http::endpoint::Endpoint;
use http::reply::{created, json, nothing, versioned};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::webhook::{self, Webhook};
use utoipa::ToSchema;
use uuid::Uuid;
use wire::Wall;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let some = "/api/webhooks";
    let one = "/api/webhooks/{id}";
    vec![
        Route::get(some).admin().gives::<Vec<WebhookBody>>().by(index),
        Route::post(some).admin().takes::<WebhookForm>().gives::<WebhookMade>().created().by(add),
        Route::get(one).admin().of(Object::Webhook).gives::<WebhookBody>().by(show),
        Route::put(one)
            .admin()
            .of(Object::Webhook)
            .takes::<WebhookPatch>()
            .gives::<WebhookBody>()
            .by(change),
        Route::delete(one).admin().of(Object::Webhook).by(remove),
        Route::post("/api/webhooks/{id}/ping").admin().of(Object::Webhook).by(ping),
    ]
}

/// A webhook, as the API says it; its secret is only shown when it is made.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct WebhookBody {
    id: Uuid,
    url: String,
    /// Names of events; all if empty.
    events: Vec<String>,
    /// False when it was switched off, by somebody or because it failed for five days.
    is_active: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    failing_since: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    version: i64,
}

/// A new webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookMade)]
pub struct WebhookMade {
    #[serde(flatten)]
    hook: WebhookBody,
    /// With which its messages are signed (Standard Webhooks); shown once.
    secret: String,
}

/// A webhook as typed.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewWebhook)]
pub struct WebhookForm {
    /// `https://…`
    #[schema(example = "https://example.org/rollcall")]
    url: String,
    /// `sighting.pending`, `sighting.decided`, `attendance.marked`, `session.closed`,
    /// `class.suspended`, `device.changed`, `gallery.changed`; all if empty.
    #[serde(default)]
    #[schema(max_items = 10)]
    events: Vec<String>,
}

/// What may change; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = WebhookChange)]
pub struct WebhookPatch {
    /// Where.
    #[schema(example = "https://example.org/rollcall")]
    url: Option<String>,
    /// Names of events; all if empty.
    #[schema(max_items = 10)]
    events: Option<Vec<String>>,
    /// Whether anything is told.
    is_active: Option<bool>,
    /// The version that was read.
    version: Option<i64>,
}

impl From<Webhook> for WebhookBody {
    fn from(hook: Webhook) -> Self {
        let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
        let Webhook { id, url, events, is_active, failing_since, created_at, version } = hook;
        let failing_since = failing_since.and_then(time);
        let created_at = time(created_at);
        Self { id, url, events, is_active, failing_since, created_at, version }
    }
}

async fn index(call: Call) -> Outcome {
    let hooks = call.app().db.read(webhook::list).await?;
    json(&hooks.into_iter().map(WebhookBody::from).collect::<Vec<_>>())
}

async fn add(call: Call) -> Outcome {
    let WebhookForm { url, events } = call.json()?;
    let new = NewWebhook { url, events };
    let MadeWebhook { hook, secret } =
        call.app().webhooks().add(new, call.actor()?, call.now).await?;
    let made = WebhookMade { hook: hook.into(), secret };
    created(&format!("/api/webhooks/{}", made.hook.id), &made)
}

async fn show(call: Call) -> Outcome {
    let id = call.id("id")?;
    let hook = WebhookBody::from(call.app().db.read(move |tx| webhook::get(tx, id)).await?);
    versioned(&hook, hook.version)
}

async fn change(call: Call) -> Outcome {
    let WebhookPatch { url, events, is_active, version } = call.json()?;
    let hook = call.id("id")?;
    let version = call.version(version)?;
    let to = WebhookChanges { hook, url, events, is_active, version };
    let hook = WebhookBody::from(call.app().webhooks().change(to, call.actor()?, call.now).await?);
    versioned(&hook, hook.version)
}

async fn remove(call: Call) -> Outcome {
    let version = call.version(None)?;
    call.app().webhooks().remove(call.id("id")?, version, call.actor()?, call.now).await?;
    nothing()
}

async fn ping(call: Call) -> Outcome {
    call.app().webhooks().ping(call.id("id")?, call.now).await?;
    nothing()
}
