//! Where traces go, if anywhere.

use super::ConfigError;
use super::raw::RawTraces;
use super::source::Source;

/// Where traces go, and how many.
#[derive(Clone, PartialEq, Debug)]
pub struct Traces {
    /// The collector, without a slash at its end: OTLP by HTTP, to `/v1/traces` below it.
    pub endpoint: String,
    /// Which part of what happens is told, 0 to 1. Default all.
    pub ratio: f64,
}

pub(super) fn read(raw: RawTraces, source: &Source) -> Result<Option<Traces>, ConfigError> {
    let ratio = match raw.ratio {
        None => 1.0,
        Some(ratio) if (0.0..=1.0).contains(&ratio) => ratio,
        Some(ratio) => {
            let why = "write which part is told: 0.1 is every tenth request";
            return Err(source.bad("traces.ratio", &ratio.to_string(), why));
        }
    };
    match raw.endpoint {
        None if raw.ratio.is_some() => {
            Err(source.bad("traces.endpoint", "", "the collector's address is missing"))
        }
        None => Ok(None),
        Some(endpoint) => {
            let endpoint = endpoint.trim().trim_end_matches('/').to_owned();
            place(&endpoint).map_err(|why| source.bad("traces.endpoint", "***", why))?;
            Ok(Some(Traces { endpoint, ratio }))
        }
    }
}

/// `http(s)://host[:port][/path]`; what a collector wants to know of us are headers.
fn place(endpoint: &str) -> Result<(), &'static str> {
    let odd = "write http://collector.school.example:4318";
    let (scheme, rest) = endpoint.split_once("://").ok_or(odd)?;
    if rest.contains(['@', '?', '#']) {
        return Err(
            "leave passwords and tokens out of it: OTEL_EXPORTER_OTLP_HEADERS is for those",
        );
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]/%~".contains(c);
    let sound = matches!(scheme, "http" | "https") && !rest.is_empty() && !rest.starts_with('/');
    if sound && rest.chars().all(plain) { Ok(()) } else { Err(odd) }
}
