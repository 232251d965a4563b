//! The API's document, for programs and for people.

use super::{House, body, get};
use crate::site::table;
use http::openapi::document;
use http_body_util::BodyExt as _;
use web::docs::list;

#[tokio::test]
async fn the_document_is_there_for_everybody() {
    let house = House::new().await;
    let answer = house.send(get("/openapi.json")).await;
    assert_eq!(answer.status(), 200);
    let document = body(&answer);
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/api/students/{id}"]["get"].is_object());
    assert!(document["paths"]["/review"].is_null(), "pages are not in it");
}

#[tokio::test]
async fn both_readers_come_with_every_file_they_need() {
    let house = House::new().await;
    for path in ["/docs", "/swagger/", "/redoc"] {
        let page = house.send(get(path)).await;
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        let html = String::from_utf8_lossy(page.body()).into_owned();
        let reads = !html.contains("built without ReDoc");
        assert_eq!(policy.contains("unsafe-inline"), reads, "only where a reader writes styles");
        assert!(!policy.contains("unsafe-eval"), "{path}");
        assert!(!html.contains("http"), "nothing from elsewhere: {html}");
        let files =
            html.split(['"']).filter(|word| word.ends_with(".js") || word.ends_with(".css"));
        for file in files {
            let answer = house.send(get(file)).await;
            assert_eq!(answer.status(), 200, "{file}");
            assert!(!answer.body().is_empty(), "{file}");
        }
    }
    let start = house.send(get("/docs/swagger-initializer.js")).await;
    assert!(String::from_utf8_lossy(start.body()).contains("/openapi.json"));
    assert_eq!(house.send(get("/docs/nothing.js")).await.status(), 404);
    let strict = house.send(get("/health")).await;
    assert_eq!(strict.headers()["content-security-policy"], http::headers::CSP);
}

#[tokio::test]
async fn without_redoc_every_operation_is_on_the_page_and_it_needs_no_script() {
    let answer = list(&table()).unwrap().into_body().collect().await.unwrap();
    let page = String::from_utf8(answer.to_bytes().to_vec()).unwrap();
    let (document, mut lines) = (document(&table()), 0);
    for (path, methods) in document["paths"].as_object().unwrap() {
        let methods = methods.as_object().unwrap();
        assert!(page.contains(&format!("<code>{path}</code>")), "{path}");
        assert!(!methods.is_empty(), "{path}");
        lines += methods.len();
    }
    assert_eq!(page.matches("<tr><td>").count(), lines);
    assert!(lines > 100 && page.contains("built without ReDoc") && !page.contains("<script"));
    assert!(page.contains("href=\"/docs\"") && page.contains("href=\"/openapi.json\""));
}
