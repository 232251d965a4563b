//! `/api/mail/texts`: what mails say that the hub writes by itself.

use acts::notify::texts::{self, Texts};
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::reply::json;
use http::route::Route;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let path = "/api/mail/texts";
    vec![
        Route::get(path).admin().gives::<Texts>().by(show),
        Route::put(path).admin().takes::<Texts>().gives::<Texts>().by(write),
    ]
}

async fn show(call: Call) -> Outcome {
    json(&call.app().db.read(texts::get).await?)
}

async fn write(call: Call) -> Outcome {
    let new: Texts = call.json()?;
    json(&texts::set(&call.app().db, new, call.name()?, call.now).await?)
}
