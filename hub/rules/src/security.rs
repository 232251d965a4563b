//! One way to say that somebody did what nobody honest does: a log line and a counter.

/// Logs a security event and counts it. The kind is one word; fields and message are as in
/// `tracing`. No name, token or payload belongs in it.
#[macro_export]
macro_rules! security {
    ($kind:literal, $($line:tt)+) => {{
        metrics::counter!("rollcall_security_events_total", "kind" => $kind).increment(1);
        tracing::warn!(security = $kind, $($line)+);
    }};
}
