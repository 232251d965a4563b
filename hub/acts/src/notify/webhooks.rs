//! Webhooks as Standard Webhooks 1.0 says them: signed, numbered, tried again.

use serde_json::{Value, json};
use standardwebhooks::Webhook as Signer;
use std::net::IpAddr;
use std::time::Duration;
use store::outgoing::Outgoing;
use store::webhook::WebhookMessage;
use uuid::Uuid;
use wire::Wall;

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// Everything that can be told.
pub const EVENTS: [&str; 10] = [
    "sighting.pending",
    "sighting.decided",
    "attendance.marked",
    "session.closed",
    "class.suspended",
    "device.changed",
    "door.alert",
    "door.alert_ended",
    "gallery.changed",
    "ping",
];

/// The event that mail about absences follows from too.
pub const CLOSED: &str = "session.closed";
/// What mail about doors follows from: no event, but all that one look at them found.
pub const ALERTS: &str = "door.alerts";

/// What is told about something that happened: ids only. Nothing for what is no event.
#[must_use]
pub fn told(of: &Outgoing) -> Option<Value> {
    let (a, b) = (&of.a, of.b.as_deref());
    Some(match of.event.as_str() {
        "sighting.pending" => json!({ "record_id": a }),
        // Nobody's id is the hub's own.
        "sighting.decided" => {
            json!({ "record_id": a, "reviewer_id": b.unwrap_or(&Uuid::nil().to_string()) })
        }
        "attendance.marked" => json!({ "session_id": a, "student_id": b }),
        CLOSED => json!({ "session_id": a }),
        "class.suspended" => json!({ "class_id": a }),
        "device.changed" => json!({ "device_id": a }),
        "door.alert" | "door.alert_ended" => {
            let (kind, device) = b?.split_once(' ')?;
            json!({ "alert_id": a, "device_id": device, "kind": kind })
        }
        "gallery.changed" => json!({}),
        _ => return None,
    })
}

/// The body of a message.
#[must_use]
pub fn body(event: &str, data: &Value, now: Wall) -> String {
    let at = jiff::Timestamp::from_millisecond(now.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    json!({ "type": event, "timestamp": at.to_string(), "data": data }).to_string()
}

/// A new secret, as its receiver needs it.
#[must_use]
pub fn secret() -> String {
    let bytes: [u8; 32] = rand::random();
    format!("whsec_{}", data_encoding::BASE64.encode(&bytes))
}

/// Why an address cannot be told anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadUrl {
    /// Not `https://host/…`.
    #[error("write an address that begins with https://")]
    Scheme,
    /// With a user or a password in it.
    #[error("leave user and password out of the address")]
    User,
    /// Too long.
    #[error("use at most 500 bytes")]
    Long,
}

/// Checks an address as typed; `private` sites may use plain HTTP.
///
/// # Errors
/// See [`BadUrl`].
pub fn check(url: &str, private: bool) -> Result<reqwest::Url, BadUrl> {
    if url.len() > 500 {
        return Err(BadUrl::Long);
    }
    let url = reqwest::Url::parse(url.trim()).map_err(|_| BadUrl::Scheme)?;
    let scheme = url.scheme() == "https" || private && url.scheme() == "http";
    if !scheme || url.host_str().is_none_or(str::is_empty) {
        return Err(BadUrl::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadUrl::User);
    }
    Ok(url)
}

/// Whether an address is outside: one that leads into the school's own network, to this machine
/// or to a cloud's secrets could be used to reach what only the hub can reach.
#[must_use]
pub fn is_outside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let inside = v4.is_private() || v4.is_loopback() || v4.is_link_local();
            let odd = v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast() || a >= 240;
            !(inside || odd || shared || a == 0)
        }
        IpAddr::V6(v6) => {
            if let Some(v4) = v6.to_ipv4_mapped() {
                return is_outside(v4.into());
            }
            let first = v6.segments()[0];
            let local = (first & 0xfe00) == 0xfc00 || (first & 0xffc0) == 0xfe80;
            !(local || v6.is_loopback() || v6.is_unspecified() || v6.is_multicast())
        }
    }
}

/// Delivers one message: the receiver's status.
///
/// # Errors
/// A sentence why nobody answered.
pub async fn deliver(message: &WebhookMessage, private: bool, now: Wall) -> Result<u16, String> {
    let signer = message.secret.as_deref().and_then(|secret| Signer::new(secret).ok());
    let signer = signer.ok_or("its secret is damaged")?;
    let url = check(&message.url, private).map_err(|error| error.to_string())?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let found = tokio::net::lookup_host((host.as_str(), port)).await;
    let found: Vec<_> = found.map_err(|_| "its address is not known".to_owned())?.collect();
    if !private && !found.iter().all(|at| is_outside(at.ip())) || found.is_empty() {
        let say = "its address leads into a private network: set webhooks.private to allow it";
        return Err(say.into());
    }
    // Asked once and pinned, so that a second answer of the name server cannot lead elsewhere.
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .resolve_to_addrs(&host, &found)
        .timeout(PATIENCE)
        .build()
        .map_err(|_| "no connection can be made".to_owned())?;
    let seconds = now.0.div_euclid(1_000);
    let id = format!("msg_{}", message.id.simple());
    let body = message.body.clone();
    let signature = signer.sign(&id, seconds, body.as_bytes());
    let signature = signature.map_err(|_| "it cannot be signed".to_owned())?;
    let request = client
        .post(url)
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", seconds)
        .header("webhook-signature", signature)
        .body(body);
    let answer = request.send().await.map_err(|error| match error.is_timeout() {
        true => "it took too long".to_owned(),
        false => "it cannot be reached".to_owned(),
    })?;
    Ok(answer.status().as_u16())
}
