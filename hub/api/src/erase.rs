//! `/api/students/{id}/erase`: being forgotten, and the proof of it.

use acts::privacy::certificate::{self, ErasureCertificate};
use http::call::Call;
use http::endpoint::Endpoint;
use http::reply::json;
use http::route::Route;
use http::{problem::Outcome, route::Object};
use warp::http::StatusCode;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let path = "/api/students/{id}/erase";
    vec![
        Route::post(path)
            .admin()
            .of(Object::Student)
            .gives::<ErasureCertificate>()
            .accepted()
            .by(begin),
        Route::get(path).admin().of(Object::Student).gives::<ErasureCertificate>().by(show),
    ]
}

/// Erases a person. Data and key are gone with the answer; doors follow, and the certificate
/// says which have.
async fn begin(call: Call) -> Outcome {
    let app = call.app();
    let name = call.param("id").to_owned();
    let student = app.privacy().erase(name, call.name()?, call.now).await?;
    let mut answer = json(&certificate::of(&app.db, &app.keys, student, call.now).await?)?;
    *answer.status_mut() = StatusCode::ACCEPTED;
    Ok(answer)
}

async fn show(call: Call) -> Outcome {
    let app = call.app();
    json(&certificate::of(&app.db, &app.keys, call.id("id")?, call.now).await?)
}
