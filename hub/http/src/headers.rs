//! Headers that every answer carries, whatever it is.

use warp::http::{HeaderMap, HeaderValue, header};

/// Only our own files, no inline script or style, no frame around us.
pub const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                       img-src 'self' blob:; connect-src 'self'; form-action 'self'; \
                       base-uri 'none'; frame-ancestors 'none'";

/// What a page may use of the machine it is shown on; a page with a camera says so itself.
const MAY: &str = "camera=(), microphone=(), geolocation=()";

/// Name and value of each; a handler's own `Cache-Control` and policies stay.
const ALWAYS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-frame-options", "DENY"),
];

/// Adds what every answer carries. `tls`: whether it leaves over TLS.
pub fn harden(headers: &mut HeaderMap, tls: bool) {
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(CSP));
    headers.entry("permissions-policy").or_insert(HeaderValue::from_static(MAY));
    if tls {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_hardened_and_data_is_not_stored() {
        let mut headers = HeaderMap::new();
        harden(&mut headers, true);
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert!(headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
        assert!(!CSP.contains("unsafe"));
        assert_eq!(headers["permissions-policy"], MAY);
    }

    #[test]
    fn a_page_may_ask_for_the_camera_itself() {
        let mut headers = HeaderMap::new();
        headers.insert("permissions-policy", HeaderValue::from_static("camera=(self)"));
        harden(&mut headers, true);
        assert_eq!(headers["permissions-policy"], "camera=(self)");
    }

    #[test]
    fn a_file_with_its_hash_in_the_name_may_be_kept() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=1"));
        harden(&mut headers, false);
        assert_eq!(headers[header::CACHE_CONTROL], "max-age=1");
        assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
    }
}
