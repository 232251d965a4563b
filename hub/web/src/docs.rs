//! `/docs`, `/swagger` and `/redoc`: the API's document for people, every file from the hub.
//!
//! These pages alone have a looser policy, because both readers write inline styles and `ReDoc`
//! searches in a worker it makes itself.

use super::files;
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::openapi;
use http::problem::Problem;
use http::reply::{bytes, page, with};
use http::route::Route;
use http::{problem::Outcome, route::Table};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use utoipa_swagger_ui::{Config, SwaggerFile};
use warp::http::{StatusCode, header};

/// What these pages may do: still nothing from elsewhere.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                   img-src 'self' data:; font-src 'self' data:; connect-src 'self'; \
                   worker-src 'self' blob:; base-uri 'none'; form-action 'none'; \
                   frame-ancestors 'none'";

/// `ReDoc`, if it was there when the hub was built.
#[cfg(redoc)]
const REDOC: Option<&[u8]> = Some(include_bytes!("../static/vendor/redoc.standalone.js"));
#[cfg(not(redoc))]
const REDOC: Option<&[u8]> = None;

static SWAGGER: LazyLock<Arc<Config<'static>>> =
    LazyLock::new(|| Arc::new(Config::from("/openapi.json").validator_url("none")));

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let docs = Route::get("/docs").anyone().part().by(swagger);
    vec![
        docs.alias("/swagger"),
        docs,
        Route::get("/docs/{file}").anyone().part().by(file),
        Route::get("/redoc").anyone().part().by(redoc),
        Route::get("/redoc/redoc.standalone.js").anyone().part().by(bundle),
    ]
}

#[derive(Template)]
#[template(path = "docs.html")]
struct Docs {
    icon: String,
    styles: &'static [&'static str],
    scripts: &'static [&'static str],
    redoc: bool,
}

/// The document as a list, for a hub that was built without `ReDoc`: it needs no script.
#[derive(Template)]
#[template(path = "docs-list.html")]
struct List {
    icon: String,
    style: String,
    tags: BTreeMap<String, Vec<Operation>>,
}

/// One line of the list.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Operation {
    path: String,
    method: String,
    what: String,
    who: String,
}

/// What the document holds, by its tags.
fn listed(document: &Value) -> BTreeMap<String, Vec<Operation>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut tags = BTreeMap::<_, Vec<_>>::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let path = path.clone();
            let method = method.to_uppercase();
            let what = text(&operation["summary"]);
            let who = text(&operation["description"]);
            let line = Operation { path, method, what, who };
            tags.entry(text(&operation["tags"][0])).or_default().push(line);
        }
    }
    tags.values_mut().for_each(|lines| lines.sort());
    tags
}

/// Every operation on a page, for a hub that was built without `ReDoc`.
///
/// # Errors
/// 500 when the template cannot be written.
#[doc(hidden)]
pub fn list(table: &Table) -> Outcome {
    let tags = listed(&openapi::document(table));
    let icon = files::address("icon.svg");
    let style = files::address("rollcall.css");
    page(StatusCode::OK, &List { icon, style, tags })
}

fn shown(docs: &Docs) -> Outcome {
    Ok(with(page(StatusCode::OK, docs)?, header::CONTENT_SECURITY_POLICY, CSP))
}

async fn swagger(_: Call) -> Outcome {
    shown(&Docs {
        icon: files::address("icon.svg"),
        styles: &["/docs/swagger-ui.css", "/docs/index.css"],
        scripts: &[
            "/docs/swagger-ui-bundle.js",
            "/docs/swagger-ui-standalone-preset.js",
            "/docs/swagger-initializer.js",
        ],
        redoc: false,
    })
}

async fn file(call: Call) -> Outcome {
    let missing = || Problem::not_found("There is no such file here.");
    let found = utoipa_swagger_ui::serve(call.param("file"), SWAGGER.clone());
    let SwaggerFile { bytes: content, content_type, .. } =
        found.ok().flatten().ok_or_else(missing)?;
    let mut answer = bytes("application/octet-stream", content.into_owned())?;
    if let Ok(kind) = content_type.parse() {
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    Ok(with(answer, header::CACHE_CONTROL, "max-age=86400"))
}

async fn redoc(call: Call) -> Outcome {
    if REDOC.is_none() {
        return list(&call.front.site.table);
    }
    shown(&Docs {
        icon: files::address("icon.svg"),
        styles: &[],
        scripts: &["/redoc/redoc.standalone.js"],
        redoc: true,
    })
}

async fn bundle(_: Call) -> Outcome {
    let script = REDOC.ok_or_else(|| Problem::not_found("This hub was built without ReDoc."))?;
    let answer = bytes("text/javascript; charset=utf-8", script)?;
    Ok(with(answer, header::CACHE_CONTROL, "max-age=86400"))
}
