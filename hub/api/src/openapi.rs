//! `/openapi.json`: what the API is, for programs.

use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::reply::bytes;
use http::route::{Object, Shapes, Who};
use http::takes::Takes;
use warp::http::Method;

/// Entrys of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let place = (Method::GET, "/openapi.json");
    let who = Who::Anyone;
    vec![Endpoint::new(place, who, Object::None, Takes::Nothing, Shapes::PART, show)]
}

async fn show(call: Call) -> Outcome {
    bytes("application/json", call.front.site.document().to_owned())
}
