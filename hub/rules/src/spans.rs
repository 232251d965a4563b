//! What a trace may say: each span and each field of one, in one list.
//!
//! Only what is listed leaves the hub (`traces.rs` of the program holds every span against it): kinds,
//! counts and patterns of addresses. Never an address itself, a query, a body, or anything of a
//! person.

use tracing::Span;
use tracing::field::Empty;
use wire::DeviceId;

/// What all spans for traces have for a target, and nothing else has.
pub const TARGET: &str = "traces";

/// Every span, and what may be said in it.
pub const SPANS: [(&str, &[&str]); 4] = [
    ("request", &["http.request.method", "http.route", "http.response.status_code"]),
    ("batch", &["door", "records"]),
    ("database", &["lane"]),
    ("job", &["kind"]),
];

/// Methods that are no words of whoever asks.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// What may be said in the span of this name; nothing of one that is not listed.
#[must_use]
pub fn fields(span: &str) -> Option<&'static [&'static str]> {
    SPANS.iter().find(|(name, _)| *name == span).map(|(_, fields)| *fields)
}

/// A request of a person or a program; [`answered`] says the rest.
#[must_use]
pub fn request(method: &str) -> Span {
    let method = METHODS.into_iter().find(|known| *known == method).unwrap_or("_OTHER");
    tracing::info_span!(
        target: TARGET, "request", otel.kind = "server", http.request.method = method,
        http.route = Empty, http.response.status_code = Empty, otel.status_code = Empty
    )
}

/// Says which route it was, as the table of routes writes it, and what came of it.
pub fn answered(request: &Span, route: &'static str, status: u16) {
    request.record("http.route", route).record("http.response.status_code", status);
    if status >= 500 {
        request.record("otel.status_code", "ERROR");
    }
}

/// Records of a door, from their arrival until the door may forget them.
#[must_use]
pub fn batch(door: &DeviceId, records: usize) -> Span {
    tracing::info_span!(target: TARGET, "batch", otel.kind = "consumer", %door, records)
}

/// Something asked of the database, from the question to the answer.
#[must_use]
pub fn database(lane: &'static str) -> Span {
    tracing::info_span!(target: TARGET, "database", otel.kind = "client", lane)
}

/// Long work of this kind.
#[must_use]
pub fn job(kind: &'static str) -> Span {
    tracing::info_span!(target: TARGET, "job", kind)
}
