//! Tables `webhook` and `webhook_message`: who is told what happens here, and what was told.

use super::{Read, Row, Tx, audit, params, parsed};
use crate::keys::Keys;
use rules::error::Error;
use serde_json::json;
use uuid::Uuid;
use wire::Wall;

/// A hook whose messages fail for so long is switched off, milliseconds: five days.
pub const GIVE_UP_MS: i64 = 5 * 24 * 3_600_000;

/// A message that is due.
#[derive(Clone, Debug)]
pub struct WebhookMessage {
    /// Own id; the receiver tells by it what it has had.
    pub id: Uuid,
    /// Where.
    pub url: String,
    /// The hook's secret, `whsec_…`; none when it is damaged.
    pub secret: Option<String>,
    /// The body.
    pub body: String,
}

/// Hooks of one hub.
pub const MOST: i64 = 50;

/// Somebody who is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Webhook {
    /// Own id.
    pub id: Uuid,
    /// Where.
    pub url: String,
    /// Of which events; all if empty.
    pub events: Vec<String>,
    /// Whether anything is told now.
    pub is_active: bool,
    /// Since when nothing arrives.
    pub failing_since: Option<Wall>,
    /// When it was made.
    pub created_at: Wall,
    /// Counts changes.
    pub version: i64,
}

const COLUMNS: &str = "id, url, events, is_active, failing_since, created_at, version";

/// The hooks, by id.
pub fn list(tx: &Tx<'_>) -> Result<Vec<Webhook>, Error> {
    tx.query(&format!("select {COLUMNS} from webhook order by id"), [], read)
}

/// The hook `id`.
///
/// # Errors
/// `NotFound` when there is none.
pub fn get(tx: &Tx<'_>, id: Uuid) -> Result<Webhook, Error> {
    let sql = format!("select {COLUMNS} from webhook where id = $1");
    tx.row(&sql, params![id.to_string()], read)?.ok_or_else(|| Error::unknown("webhook", id))
}

/// Adds a hook with its secret, sealed with the hub's key.
///
/// # Errors
/// `Conflict` when there are too many.
pub fn add(
    tx: &Tx<'_>,
    keys: &Keys,
    hook: &Webhook,
    secret: &str,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    let count = tx.row("select count(*) from webhook", [], |row| row.get::<i64>(0))?;
    if count.unwrap_or(0) >= MOST {
        return Err(Error::Conflict(format!("there are {MOST} webhooks: remove one first")));
    }
    let id = hook.id.to_string();
    let sealed = keys.seal(&place(hook.id), secret.as_bytes());
    let sql = "insert into webhook (id, url, events, secret, is_active, created_at, created_by,
             version) values ($1, $2, $3, $4, $5, $6, $7, 1)";
    let events = hook.events.join(" ");
    tx.execute(sql, params![id, hook.url, events, sealed, hook.is_active, now.0, actor])?;
    noted(tx, "add", hook.id, actor, now)
}

/// Changes a hook; switched on again, it starts afresh.
///
/// # Errors
/// `Conflict` when it was changed since `version`.
pub fn change(tx: &Tx<'_>, hook: &Webhook, actor: &str, now: Wall) -> Result<(), Error> {
    let sql = "update webhook set url = $3, events = $4, is_active = $5, failing_since = null,
             disabled_at = null, version = version + 1 where id = $1 and version = $2";
    let id = hook.id.to_string();
    let events = hook.events.join(" ");
    if tx.execute(sql, params![id, hook.version, hook.url, events, hook.is_active])? == 0 {
        return Err(Error::Conflict("this was changed meanwhile: look again".into()));
    }
    noted(tx, "change", hook.id, actor, now)
}

/// Removes a hook with everything it was told.
///
/// # Errors
/// `NotFound` when there is none.
pub fn remove(tx: &Tx<'_>, id: Uuid, actor: &str, now: Wall) -> Result<(), Error> {
    get(tx, id)?;
    tx.execute("delete from webhook_message where webhook = $1", params![id.to_string()])?;
    tx.execute("delete from webhook where id = $1", params![id.to_string()])?;
    noted(tx, "remove", id, actor, now)
}

fn hooks_for(tx: &Tx<'_>, event: &str) -> Result<Vec<Webhook>, Error> {
    let wants = |hook: &Webhook| {
        hook.is_active && (hook.events.is_empty() || hook.events.iter().any(|name| name == event))
    };
    Ok(list(tx)?.into_iter().filter(wants).collect())
}

/// Writes a message to everybody who wants to hear of `event`.
pub fn enqueue(tx: &Tx<'_>, event: &str, body: &str, now: Wall) -> Result<(), Error> {
    hooks_for(tx, event)?.into_iter().try_for_each(|hook| say(tx, hook.id, event, body, now))
}

/// Writes a message to one hook.
pub fn say(tx: &Tx<'_>, hook: Uuid, event: &str, body: &str, now: Wall) -> Result<(), Error> {
    let sql = "insert into webhook_message (id, webhook, event, body, state, attempts, next_at,
             created_at) values ($1, $2, $3, $4, 'waiting', 0, $5, $5)";
    let id = wire::id::v7(now).to_string();
    tx.execute(sql, params![id, hook.to_string(), event, body, now.0]).map(drop)
}

/// Messages that are due, with their hooks and tries so far.
pub fn due(
    tx: &Tx<'_>,
    keys: &Keys,
    now: Wall,
    limit: u32,
) -> Result<Vec<(Uuid, i64, WebhookMessage)>, Error> {
    let sql = "select m.id, m.webhook, m.attempts, m.body, w.url, w.secret
         from webhook_message m join webhook w on w.id = m.webhook and w.is_active = 1
         where m.state = 'waiting' and m.next_at <= $1 order by m.next_at, m.id limit $2";
    tx.query(sql, params![now.0, limit], |row| {
        let hook: Uuid = parsed(row, 1)?;
        let sealed: Vec<u8> = row.get(5)?;
        let plain = keys.unseal(&place(hook), &sealed).ok();
        let secret = plain.and_then(|plain| String::from_utf8(plain.to_vec()).ok());
        let (id, url, body) = (parsed(row, 0)?, row.get(4)?, row.get(3)?);
        Ok((hook, row.get(2)?, WebhookMessage { id, url, secret, body }))
    })
}

/// What became of a try.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tried {
    /// What the receiver answered.
    pub status: Option<u16>,
    /// Why it does not count as told.
    pub why: Option<String>,
    /// Milliseconds until the next try.
    pub next: Option<i64>,
}

/// Takes a message to be sent now: for two minutes no other hub does. Not where another has.
pub fn take(tx: &Tx<'_>, id: Uuid, now: Wall) -> Result<bool, Error> {
    let sql = "update webhook_message set next_at = $2
         where id = $1 and state = 'waiting' and next_at <= $3";
    let until = now.plus_ms(crate::mail::CLAIM_MS).0;
    Ok(tx.execute(sql, params![id.to_string(), until, now.0])? > 0)
}

/// Notes a try; a hook that fails for days is switched off.
pub fn tried(tx: &Tx<'_>, hook: Uuid, id: Uuid, tried: &Tried, now: Wall) -> Result<(), Error> {
    let state = match (&tried.why, tried.next) {
        (None, _) => "sent",
        (Some(_), Some(_)) => "waiting",
        (Some(_), None) => "failed",
    };
    let sql = "update webhook_message set state = $2, attempts = attempts + 1, next_at = $3,
             ended_at = $4, status = $5, error = $6 where id = $1";
    let ended = (state != "waiting").then_some(now.0);
    let next = now.plus_ms(tried.next.unwrap_or(0)).0;
    tx.execute(sql, params![id.to_string(), state, next, ended, tried.status, tried.why])?;
    let key = hook.to_string();
    if tried.why.is_none() {
        let sql = "update webhook set failing_since = null where id = $1";
        return tx.execute(sql, params![key]).map(drop);
    }
    let sql = "update webhook set failing_since = coalesce(failing_since, $2) where id = $1";
    tx.execute(sql, params![key, now.0])?;
    let sql = "update webhook set is_active = 0, disabled_at = $2, version = version + 1
         where id = $1 and is_active = 1 and failing_since <= $3";
    if tx.execute(sql, params![key, now.0, now.plus_ms(-GIVE_UP_MS).0])? > 0 {
        tracing::warn!(webhook = %hook, "a webhook failed for days and is switched off");
        noted(tx, "switch_off", hook, "hub", now)?;
    }
    Ok(())
}

/// What became of a message; never what it said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebhookListed {
    /// Its event.
    pub event: String,
    /// `waiting`, `sent` or `failed`.
    pub state: String,
    /// Tries so far.
    pub attempts: i64,
    /// What the receiver answered.
    pub status: Option<i64>,
    /// Why it does not count as told.
    pub error: Option<String>,
    /// When it was written.
    pub created_at: Wall,
}

/// The newest messages to a hook.
pub fn messages(tx: &Tx<'_>, hook: Uuid, limit: u32) -> Result<Vec<WebhookListed>, Error> {
    let sql = "select event, state, attempts, status, error, created_at from webhook_message
         where webhook = $1 order by id desc limit $2";
    tx.query(sql, params![hook.to_string(), limit], |row| {
        Ok(WebhookListed {
            event: row.get(0)?,
            state: row.get(1)?,
            attempts: row.get(2)?,
            status: row.get(3)?,
            error: row.get(4)?,
            created_at: Wall(row.get(5)?),
        })
    })
}

/// How many messages wait.
pub fn waiting(tx: &Tx<'_>) -> Result<i32, Error> {
    let sql = "select count(*) from webhook_message where state = 'waiting'";
    Ok(tx.row(sql, params![], |row| row.get(0))?.unwrap_or(0))
}

pub(super) fn place(id: Uuid) -> String {
    format!("webhook/{id}")
}

fn noted(tx: &Tx<'_>, action: &str, id: Uuid, actor: &str, now: Wall) -> Result<(), Error> {
    let id = id.to_string();
    let meta = json!({});
    audit::add(tx, now, &audit::AuditEntry { actor, action, table: "webhook", id: &id, meta })
}

fn read(row: &Row<'_>) -> Read<Webhook> {
    let events: String = row.get(2)?;
    Ok(Webhook {
        id: parsed(row, 0)?,
        url: row.get(1)?,
        events: events.split_whitespace().map(str::to_owned).collect(),
        is_active: row.get(3)?,
        failing_since: row.get::<Option<i64>>(4)?.map(Wall),
        created_at: Wall(row.get(5)?),
        version: row.get(6)?,
    })
}
