//! `/openapi.json`: what the API is, for programs.

use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::reply::bytes;
use http::route::Route;

/// Entrys of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![Route::get("/openapi.json").anyone().part().by(show)]
}

async fn show(call: Call) -> Outcome {
    bytes("application/json", call.front.site.document().to_owned())
}
