//! `/api/webhooks`: other programs that are told what happens here.

use super::call::Call;
use super::problem::Problem;
use super::reply::{created, json, nothing, versioned};
use super::route::{ADMIN, Object, Outcome, Route, SMALL, Shapes, Takes};
use crate::notify::webhooks::{self, EVENTS};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::webhook::{self, Webhook};
use utoipa::ToSchema;
use uuid::Uuid;
use warp::http::Method;
use wire::Wall;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (some, one, ping) = ("/api/webhooks", "/api/webhooks/{id}", "/api/webhooks/{id}/ping");
    let (none, hook) = (Object::None, Object::Webhook);
    let (body, no) = (Takes::Json(SMALL), Takes::Nothing);
    let (gives, list) = (Shapes::gives::<Body>(), Shapes::gives::<Vec<Body>>());
    let (new, both) = (Shapes::both::<Typed, Made>().created(), Shapes::both::<Patch, Body>());
    vec![
        Route::new((Method::GET, some), ADMIN, none, no, list, index),
        Route::new((Method::POST, some), ADMIN, none, body, new, add),
        Route::new((Method::GET, one), ADMIN, hook, no, gives, show),
        Route::new((Method::PUT, one), ADMIN, hook, body, both, change),
        Route::new((Method::DELETE, one), ADMIN, hook, no, Shapes::EMPTY, remove),
        Route::new((Method::POST, ping), ADMIN, hook, no, Shapes::EMPTY, say_ping),
    ]
}

/// A webhook, as the API says it; its secret is only shown when it is made.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct Body {
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
pub struct Made {
    #[serde(flatten)]
    hook: Body,
    /// With which its messages are signed (Standard Webhooks); shown once.
    pub secret: String,
}

/// A webhook as typed.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewWebhook)]
pub struct Typed {
    /// `https://…`
    #[schema(example = "https://example.org/rollcall")]
    pub url: String,
    /// `sighting.pending`, `sighting.decided`, `attendance.marked`, `session.closed`,
    /// `class.suspended`, `device.changed`, `gallery.changed`; all if empty.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub events: Vec<String>,
}

/// What may change; what is left out stays.
#[derive(Deserialize, ToSchema, Default)]
#[schema(as = WebhookChange)]
pub struct Patch {
    /// Where.
    #[schema(example = "https://example.org/rollcall")]
    pub url: Option<String>,
    /// Names of events; all if empty.
    #[schema(max_items = 10)]
    pub events: Option<Vec<String>>,
    /// Whether anything is told.
    pub is_active: Option<bool>,
    /// The version that was read.
    pub version: Option<i64>,
}

impl From<Webhook> for Body {
    fn from(hook: Webhook) -> Self {
        let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
        let Webhook { id, url, events, is_active, failing_since, created_at, version } = hook;
        let (failing_since, created_at) = (failing_since.and_then(time), time(created_at));
        Self { id, url, events, is_active, failing_since, created_at, version }
    }
}

fn checked(call: &Call, url: &str, events: &[String]) -> Result<String, Problem> {
    let private = call.app().config.private_webhooks;
    let url = webhooks::check(url, private).map_err(|e| Problem::field("url", e.to_string()))?;
    match events.iter().find(|name| !EVENTS.contains(&name.as_str())) {
        Some(_) => {
            let say = format!("use some of {}", EVENTS.join(", "));
            Err(Problem::field("events", say))
        }
        None => Ok(url.to_string()),
    }
}

async fn index(call: Call) -> Outcome {
    let hooks = call.app().db.read(webhook::list).await?;
    json(&hooks.into_iter().map(Body::from).collect::<Vec<_>>())
}

async fn add(call: Call) -> Outcome {
    let made = made(&call, call.json()?).await?;
    created(&format!("/api/webhooks/{}", made.hook.id), &made)
}

/// A new webhook with its secret.
///
/// # Errors
/// 422 for an address or an event that cannot be, 409 when there are too many.
pub async fn made(call: &Call, typed: Typed) -> Result<Made, Problem> {
    let now = call.now;
    let url = checked(call, &typed.url, &typed.events)?;
    let hook = Webhook {
        id: wire::id::v7(now),
        url,
        events: typed.events,
        is_active: true,
        failing_since: None,
        created_at: now,
        version: 1,
    };
    let (keys, actor) = (call.app().keys.clone(), call.actor()?.user.to_string());
    let (secret, row) = (webhooks::secret(), hook.clone());
    let kept = secret.clone();
    call.app().db.write(move |tx| webhook::add(tx, &keys, &row, &kept, &actor, now)).await?;
    Ok(Made { hook: Body::from(hook), secret })
}

async fn show(call: Call) -> Outcome {
    let id = call.id("id")?;
    let hook = Body::from(call.app().db.read(move |tx| webhook::get(tx, id)).await?);
    versioned(&hook, hook.version)
}

async fn change(call: Call) -> Outcome {
    let hook = Body::from(changed(&call, call.json()?).await?);
    versioned(&hook, hook.version)
}

/// Changes the webhook that the address names.
///
/// # Errors
/// 404; 422 for what cannot be; 409 when it was changed meanwhile.
pub async fn changed(call: &Call, patch: Patch) -> Result<Webhook, Problem> {
    let (id, now): (Uuid, _) = (call.id("id")?, call.now);
    let actor = call.actor()?.user.to_string();
    let old = call.app().db.read(move |tx| webhook::get(tx, id)).await?;
    let events = patch.events.unwrap_or_else(|| old.events.clone());
    let url = checked(call, patch.url.as_deref().unwrap_or(&old.url), &events)?;
    let is_active = patch.is_active.unwrap_or(old.is_active);
    let version = call.version(patch.version)?.unwrap_or(old.version);
    let hook = Webhook { url, events, is_active, version, ..old };
    let write = call.app().db.write(move |tx| {
        webhook::change(tx, &hook, &actor, now)?;
        webhook::get(tx, id)
    });
    Ok(write.await?)
}

async fn remove(call: Call) -> Outcome {
    removed(&call).await?;
    nothing()
}

/// Removes the webhook that the address names.
///
/// # Errors
/// 404.
pub async fn removed(call: &Call) -> Result<(), Problem> {
    let (id, now): (Uuid, _) = (call.id("id")?, call.now);
    let actor = call.actor()?.user.to_string();
    Ok(call.app().db.write(move |tx| webhook::remove(tx, id, &actor, now)).await?)
}

async fn say_ping(call: Call) -> Outcome {
    pinged(&call).await?;
    nothing()
}

/// Sends a message that says nothing to the webhook that the address names, to try it.
///
/// # Errors
/// 404.
pub async fn pinged(call: &Call) -> Result<(), Problem> {
    let (id, now): (Uuid, _) = (call.id("id")?, call.now);
    let body = webhooks::body("ping", &serde_json::json!({}), now);
    let write = call.app().db.write(move |tx| {
        webhook::get(tx, id)?;
        webhook::say(tx, id, "ping", &body, now)
    });
    Ok(write.await?)
}
