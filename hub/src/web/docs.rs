//! `/docs`, `/swagger` and `/redoc`: the API's document for people, every file from the hub.
//!
//! These pages alone have a looser policy, because both readers write inline styles and `ReDoc`
//! searches in a worker it makes itself (DESIGN.md, Settled 23).

use super::files;
use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::http::reply::{bytes, page, with};
use crate::http::route::{Object, Outcome, Route, Shapes, Takes, Who};
use askama::Template;
use std::sync::{Arc, LazyLock};
use utoipa_swagger_ui::{Config, SwaggerFile};
use warp::http::{Method, StatusCode, header};

/// What these pages may do: still nothing from elsewhere.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                   img-src 'self' data:; font-src 'self' data:; connect-src 'self'; \
                   worker-src 'self' blob:; base-uri 'none'; form-action 'none'; \
                   frame-ancestors 'none'";

/// `ReDoc`, if it was there when the hub was built.
#[cfg(redoc)]
const REDOC: Option<&[u8]> = Some(include_bytes!("../../static/vendor/redoc.standalone.js"));
#[cfg(not(redoc))]
const REDOC: Option<&[u8]> = None;

static SWAGGER: LazyLock<Arc<Config<'static>>> =
    LazyLock::new(|| Arc::new(Config::from("/openapi.json").validator_url("none")));

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let get = |path: &'static str, run: crate::http::route::Run| {
        let (who, nothing) = (Who::Anyone, Takes::Nothing);
        Route::new((Method::GET, path), who, Object::None, nothing, Shapes::PART, run)
    };
    let docs = get("/docs", swagger.into());
    vec![
        docs.alias("/swagger"),
        docs,
        get("/docs/{file}", file.into()),
        get("/redoc", redoc.into()),
        get("/redoc/redoc.standalone.js", bundle.into()),
    ]
}

#[derive(Template)]
#[template(path = "docs.html")]
struct Docs {
    icon: String,
    styles: &'static [&'static str],
    scripts: &'static [&'static str],
    redoc: bool,
    words: Option<&'static str>,
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
        words: None,
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

async fn redoc(_: Call) -> Outcome {
    let absent = "This hub was built without ReDoc. Whoever builds it gets it with ./dev setup; \
                  the same document is at /docs and, for programs, at /openapi.json.";
    shown(&Docs {
        icon: files::address("icon.svg"),
        styles: &[],
        scripts: &["/redoc/redoc.standalone.js"],
        redoc: true,
        words: REDOC.is_none().then_some(absent),
    })
}

async fn bundle(_: Call) -> Outcome {
    let script = REDOC.ok_or_else(|| Problem::not_found("This hub was built without ReDoc."))?;
    let answer = bytes("text/javascript; charset=utf-8", script)?;
    Ok(with(answer, header::CACHE_CONTROL, "max-age=86400"))
}
