//! `/api/mail/texts`: what mails say that the hub writes by itself.

use acts::notify::texts::{self, Texts};
use http::call::Call;
use http::endpoint::Endpoint;
use http::reply::json;
use http::{
    problem::Outcome,
    route::{ADMIN, Object, Shapes},
    takes::{SMALL, Takes},
};
use warp::http::Method;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let path = "/api/mail/texts";
    let none = Object::None;
    let body = Takes::Json(SMALL);
    let gives = Shapes::gives::<Texts>();
    let both = Shapes::both::<Texts, Texts>();
    vec![
        Endpoint::new((Method::GET, path), ADMIN, none, Takes::Nothing, gives, show),
        Endpoint::new((Method::PUT, path), ADMIN, none, body, both, write),
    ]
}

async fn show(call: Call) -> Outcome {
    json(&call.app().db.read(texts::get).await?)
}

async fn write(call: Call) -> Outcome {
    let new: Texts = call.json()?;
    json(&texts::set(&call.app().db, new, call.name()?, call.now).await?)
}
