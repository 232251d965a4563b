//! `/api/mail/texts`: what mails say that the hub writes by itself.

use acts::notify::texts::{self, Texts};
use http::call::Call;
use http::reply::json;
use http::route::{ADMIN, Object, Outcome, Route, SMALL, Shapes, Takes};
use warp::http::Method;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (path, none, body) = ("/api/mail/texts", Object::None, Takes::Json(SMALL));
    let (gives, both) = (Shapes::gives::<Texts>(), Shapes::both::<Texts, Texts>());
    vec![
        Route::new((Method::GET, path), ADMIN, none, Takes::Nothing, gives, show),
        Route::new((Method::PUT, path), ADMIN, none, body, both, write),
    ]
}

async fn show(call: Call) -> Outcome {
    json(&call.app().db.read(texts::get).await?)
}

async fn write(call: Call) -> Outcome {
    let new: Texts = call.json()?;
    json(&texts::set(&call.app().db, new, call.name()?, call.now).await?)
}
