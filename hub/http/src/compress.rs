//! Pages and their files leave compressed, where the browser takes it (decision 11).
//!
//! Nothing else does: pictures are compressed already, a stream must not wait, and of the API's
//! JSON nobody can say what stands beside a secret in it.

use flate2::{Compression, write::GzEncoder};
use http_body_util::BodyExt;
use std::io::Write;
use warp::http::{HeaderMap, HeaderValue, header};
use warp::reply::Response;

/// Smaller pages fit into one packet as they are.
const WORTH: usize = 1000;

/// Whether the browser takes gzip.
#[must_use]
pub fn takes(headers: &HeaderMap) -> bool {
    let given = text(headers, header::ACCEPT_ENCODING.as_str()).unwrap_or_default();
    given.split(',').any(|one| {
        let (name, quality) = one.split_once(';').unwrap_or((one, "q=1"));
        let some = quality.trim().strip_prefix("q=").unwrap_or("1").trim_matches(['0', '.']);
        name.trim().eq_ignore_ascii_case("gzip") && !some.is_empty()
    })
}

/// Whether a page may be compressed for whoever sent these headers: only if one of our own pages
/// or the address bar led here. What another site asks for tells it nothing by its size.
#[must_use]
pub fn allowed(headers: &HeaderMap) -> bool {
    let ours = matches!(text(headers, "sec-fetch-site"), Some("same-origin" | "none"));
    ours && takes(headers)
}

/// `answer`, smaller if it is a page.
pub async fn page(answer: Response) -> Response {
    let kind = text(answer.headers(), header::CONTENT_TYPE.as_str()).unwrap_or_default();
    if !kind.starts_with("text/html") {
        return answer;
    }
    let (parts, body) = answer.into_parts();
    let Ok(whole) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return Response::from_parts(parts, "".into()); // a page is in memory: it does not fail
    };
    if whole.len() < WORTH {
        return Response::from_parts(parts, whole.into());
    }
    mark(Response::from_parts(parts, gzip(&whole, Compression::fast()).into()))
}

/// Says that `answer` is compressed.
#[must_use]
pub fn mark(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.remove(header::CONTENT_LENGTH);
    answer
}

/// `plain` as gzip.
#[must_use]
pub fn gzip(plain: &[u8], level: Compression) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), level);
    let written = out.write_all(plain).and_then(|()| out.finish());
    written.unwrap_or_default() // memory takes everything
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use warp::reply::Reply;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (k.parse().unwrap(), HeaderValue::from_static(v))).collect()
    }

    async fn body(answer: Response) -> Vec<u8> {
        answer.into_body().collect().await.unwrap().to_bytes().to_vec()
    }

    #[test]
    fn a_browser_says_that_it_takes_gzip() {
        for yes in ["gzip", "gzip, deflate, br, zstd", "br;q=1.0, GZIP;q=0.5"] {
            assert!(takes(&headers(&[("accept-encoding", yes)])), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "gzip; q=0.000", "x-gzipped"] {
            assert!(!takes(&headers(&[("accept-encoding", no)])), "{no}");
        }
    }

    #[test]
    fn a_page_that_another_site_asks_for_keeps_its_size() {
        let asked = |site| headers(&[("accept-encoding", "gzip"), ("sec-fetch-site", site)]);
        assert!(allowed(&asked("same-origin")) && allowed(&asked("none")));
        assert!(!allowed(&asked("cross-site")) && !allowed(&asked("same-site")));
        assert!(!allowed(&headers(&[("accept-encoding", "gzip")])), "who does not say");
    }

    #[tokio::test]
    async fn a_page_comes_out_as_it_went_in() {
        let html = "<p>Who came in?</p>".repeat(200);
        let answer = page(warp::reply::html(html.clone()).into_response()).await;
        assert_eq!(answer.headers()[header::CONTENT_ENCODING], "gzip");
        assert_eq!(answer.headers()[header::VARY], "accept-encoding");
        let small = body(answer).await;
        assert!(small.len() * 10 < html.len(), "{}", small.len());
        let mut read = String::new();
        flate2::read::GzDecoder::new(&small[..]).read_to_string(&mut read).unwrap();
        assert_eq!(read, html);
    }

    #[tokio::test]
    async fn only_pages_are_made_smaller() {
        for answer in [
            warp::reply::json(&"x".repeat(5000)).into_response(),
            warp::reply::html("short").into_response(),
        ] {
            assert!(!page(answer).await.headers().contains_key(header::CONTENT_ENCODING));
        }
    }
}
