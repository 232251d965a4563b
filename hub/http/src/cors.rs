//! Other sites' pages that may read the API (CORS), by setting.
//!
//! They come with a token in a header. Cookies are never allowed across sites: there is no
//! `Access-Control-Allow-Credentials` in any answer, neither for `*` nor for a named origin.

use super::path;
use super::reply::nothing;
use super::route::{RouteFound, Table};
use crate::problem::Outcome;
use config::Cors;
use warp::http::{HeaderMap, HeaderValue, Method, header};

/// Headers that such a page may send.
const HEADERS: &str =
    "authorization, content-type, idempotency-key, if-match, last-event-id, x-request-id";
/// Headers of our answers that it may read.
const EXPOSED: &str = "link, location, etag, retry-after, x-request-id";
/// Seconds for which a browser may remember the answer.
const MAX_AGE: &str = "600";

/// What a page of another site is told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Crossing {
    /// Which origin may read the answer; none if absent.
    origin: Option<HeaderValue>,
    /// Whether another origin would be told something else.
    vary: bool,
    /// Whether this is a browser's question before the request.
    preflight: bool,
}

/// What to tell whoever sent these headers, and whether it only asks before the request.
#[must_use]
pub fn crossing(cors: &Cors, method: &Method, path: &str, headers: &HeaderMap) -> (Crossing, bool) {
    let api = path::segments(path).is_some_and(|s| s.first().is_some_and(|word| word == "api"));
    let given = headers.get(header::ORIGIN);
    let (Some(given), true) = (given.filter(|_| api), cors.any || !cors.origins.is_empty()) else {
        return (Crossing::default(), false);
    };
    let named = cors.origins.iter().any(|origin| origin.as_bytes() == given.as_bytes());
    let star = cors.any.then(|| HeaderValue::from_static("*"));
    let origin = star.or_else(|| named.then(|| given.clone()));
    let asks = headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let preflight = method == Method::OPTIONS && asks && origin.is_some();
    (Crossing { origin, vary: !cors.any, preflight }, preflight)
}

impl Crossing {
    /// Adds it to the answer's headers.
    pub fn mark(&self, headers: &mut HeaderMap) {
        if self.vary {
            headers.append(header::VARY, HeaderValue::from_static("origin"));
        }
        let Some(origin) = &self.origin else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        let fixed = |text| HeaderValue::from_static(text);
        if self.preflight {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, fixed(HEADERS));
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, fixed(MAX_AGE));
        } else {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, fixed(EXPOSED));
        }
    }
}

/// The answer to a browser that asks before the request: which methods the path knows.
///
/// # Errors
/// 404 where there is nothing.
pub fn preflight(table: &Table, path: &str) -> Outcome {
    let methods = match table.find(&Method::OPTIONS, path) {
        RouteFound::OtherMethod(methods) => methods,
        RouteFound::Route(..) | RouteFound::Nothing => {
            return Err(super::Problem::not_found("There is nothing at this address."));
        }
    };
    let mut names: Vec<_> = methods.iter().map(Method::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let name = header::ACCESS_CONTROL_ALLOW_METHODS;
    Ok(super::reply::with(nothing()?, name, &names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(cors: &Cors, origin: &str, path: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        let mut out = HeaderMap::new();
        crossing(cors, &Method::GET, path, &headers).0.mark(&mut out);
        out
    }

    #[test]
    fn only_named_origins_may_read_and_nobody_with_cookies() {
        let app = "https://app.school.test";
        let named = Cors { origins: vec![app.into()], any: false };
        assert_eq!(told(&named, app, "/api/students")["access-control-allow-origin"], app);
        assert_eq!(told(&named, app, "/students")["vary"], "origin");
        for (cors, origin, path) in [
            (&named, "https://evil.test", "/api/students"),
            (&named, "null", "/api/students"),
            (&named, app, "/review"),
            (&Cors::default(), app, "/api/students"),
        ] {
            let told = told(cors, origin, path);
            assert!(!told.contains_key("access-control-allow-origin"), "{origin} {path}");
        }
        let any = Cors { any: true, ..named };
        let told = told(&any, "https://evil.test", "/api/students");
        assert_eq!(told["access-control-allow-origin"], "*");
        assert!(!told.contains_key("access-control-allow-credentials"));
    }
}
