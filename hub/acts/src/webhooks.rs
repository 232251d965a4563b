//! Other programs that are told what happens here: an admin adds, changes, tries and removes them.

use crate::notify::webhooks::{self, EVENTS};
use rules::auth::Actor;
use rules::error::Error;
use rules::version::as_read;
use store::keys::Keys;
use store::webhook::{self, Webhook};
use store::{Db, Tx};
use uuid::Uuid;
use wire::Wall;

/// Where webhooks are kept; cheap to clone.
#[derive(Clone)]
pub struct Webhooks {
    /// The database.
    pub db: Db,
    /// What their secrets are sealed with.
    pub keys: Keys,
    /// Whether they may be told without TLS.
    pub private: bool,
}

/// A new webhook.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    /// Where it is told.
    pub url: String,
    /// Names of events; all if empty.
    pub events: Vec<String>,
}

/// A webhook with its secret, which is told once.
pub struct MadeWebhook {
    /// As it is kept.
    pub hook: Webhook,
    /// With which its messages are signed.
    pub secret: String,
}

/// What changes about a webhook; what is left out stays.
#[derive(Clone, Debug)]
pub struct WebhookChanges {
    /// Own id.
    pub hook: Uuid,
    /// Where it is told.
    pub url: Option<String>,
    /// Names of events; all if empty.
    pub events: Option<Vec<String>>,
    /// Whether anything is told.
    pub is_active: Option<bool>,
    /// The version that was read.
    pub version: Option<i64>,
}

impl Webhooks {
    /// A new webhook with its secret.
    ///
    /// # Errors
    /// `Field` for an address or an event that cannot be, `Conflict` when there are too many.
    pub async fn add(&self, new: NewWebhook, by: Actor, now: Wall) -> Result<MadeWebhook, Error> {
        let hook = self.checked(Webhook {
            id: wire::id::v7(now),
            url: new.url,
            events: new.events,
            is_active: true,
            failing_since: None,
            created_at: now,
            version: 1,
        })?;
        let keys = self.keys.clone();
        let actor = by.user.to_string();
        let secret = webhooks::secret();
        let work = move |tx: &Tx<'_>| {
            webhook::add(tx, &keys, &hook, &secret, &actor, now)?;
            Ok(MadeWebhook { hook, secret })
        };
        self.db.write(work).await
    }

    /// Changes a webhook.
    ///
    /// # Errors
    /// `NotFound`; `Field` for what cannot be; `Conflict` when it was changed meanwhile.
    pub async fn change(&self, to: WebhookChanges, by: Actor, now: Wall) -> Result<Webhook, Error> {
        let own = self.clone();
        let actor = by.user.to_string();
        let work = move |tx: &Tx<'_>| {
            let old = webhook::get(tx, to.hook)?;
            let hook = own.checked(Webhook {
                url: to.url.unwrap_or(old.url),
                events: to.events.unwrap_or(old.events),
                is_active: to.is_active.unwrap_or(old.is_active),
                version: to.version.unwrap_or(old.version),
                ..old
            })?;
            webhook::change(tx, &hook, &actor, now)?;
            webhook::get(tx, hook.id)
        };
        self.db.write(work).await
    }

    /// Removes a webhook.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn remove(
        &self,
        id: Uuid,
        version: Option<i64>,
        by: Actor,
        now: Wall,
    ) -> Result<(), Error> {
        let actor = by.user.to_string();
        let work = move |tx: &Tx<'_>| {
            as_read(webhook::get(tx, id)?.version, version)?;
            webhook::remove(tx, id, &actor, now)
        };
        self.db.write(work).await
    }

    /// Sends a message that says nothing, to try it.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn ping(&self, id: Uuid, now: Wall) -> Result<(), Error> {
        let body = webhooks::body("ping", &serde_json::json!({}), now);
        let work = move |tx: &Tx<'_>| {
            webhook::get(tx, id)?;
            webhook::say(tx, id, "ping", &body, now)
        };
        self.db.write(work).await
    }

    /// With its address as programs read it.
    fn checked(&self, hook: Webhook) -> Result<Webhook, Error> {
        let url = webhooks::check(&hook.url, self.private);
        let url = url.map_err(|why| Error::field("url", why.to_string()))?.to_string();
        match hook.events.iter().all(|name| EVENTS.contains(&name.as_str())) {
            true => Ok(Webhook { url, ..hook }),
            false => Err(Error::field("events", format!("use some of {}", EVENTS.join(", ")))),
        }
    }
}
