//! `/api/students/{id}/export`: all data of one person in one call.

use acts::privacy::export::{self, Export};
use http::call::Call;
use http::endpoint::Endpoint;
use http::reply::{json, with};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use store::student;
use warp::http::header;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::get("/api/students/{id}/export")
            .admin()
            .of(Object::Student)
            .gives::<Export>()
            .by(show),
    ]
}

/// The export, and a row in the chain that says who took it.
async fn show(call: Call) -> Outcome {
    let app = call.app();
    let name = call.param("id").to_owned();
    let now = call.now;
    let actor = call.actor()?.user.to_string();
    let keys = app.keys.clone();
    let id = app.db.read(move |tx| student::find(tx, &name)).await?.id;
    let all = export::hand_out(&app.db, keys, id, actor, now).await?;
    let file = format!("attachment; filename=\"rollcall-{id}.json\"");
    Ok(with(json(&all)?, header::CONTENT_DISPOSITION, &file))
}
