//! `/api/students/{id}/export`: all data of one person in one call.

use acts::privacy::export::{self, Export};
use http::call::Call;
use http::endpoint::Endpoint;
use http::reply::{json, with};
use http::{
    problem::Outcome,
    route::{ADMIN, Object, Shapes},
    takes::Takes,
};
use store::student;
use warp::http::{Method, header};

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let get = (Method::GET, "/api/students/{id}/export");
    let gives = Shapes::gives::<Export>();
    vec![Endpoint::new(get, ADMIN, Object::Student, Takes::Nothing, gives, show)]
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
