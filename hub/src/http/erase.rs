//! `/api/students/{id}/erase`: being forgotten, and the proof of it.

use super::call::Call;
use super::problem::Problem;
use super::reply::json;
use super::route::{ADMIN, Object, Outcome, Route, Shapes, Takes};
use crate::privacy::certificate::{self, Certificate};
use crate::privacy::erase;
use rules::error::Error;
use store::erasure::Reason;
use store::{erasure, student};
use warp::http::{Method, StatusCode};
use wire::StudentId;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (path, person) = ("/api/students/{id}/erase", Object::Student);
    let gives = Shapes::gives::<Certificate>();
    let begun = gives.accepted();
    vec![
        Route::new((Method::POST, path), ADMIN, person, Takes::Nothing, begun, begin),
        Route::new((Method::GET, path), ADMIN, person, Takes::Nothing, gives, show),
    ]
}

/// Erases a person. Data and key are gone with the answer; doors follow, and the certificate
/// says which have.
async fn begin(call: Call) -> Outcome {
    let student = erase(&call).await?;
    let mut answer = json(&proof(&call, student).await?)?;
    *answer.status_mut() = StatusCode::ACCEPTED;
    Ok(answer)
}

/// Erases whom the address names, and tells the doors.
///
/// # Errors
/// 404 without such a person, before or after.
pub async fn erase(call: &Call) -> Result<StudentId, Problem> {
    let (app, name) = (call.app(), call.param("id").to_owned());
    let read = app.db.read(move |tx| match student::find(tx, &name) {
        Ok(student) => Ok(student.id),
        Err(Error::NotFound(why)) => match name.trim().parse() {
            Ok(id) if erasure::of(tx, id)?.is_some() => Ok(id),
            _ => Err(Error::NotFound(why)),
        },
        Err(error) => Err(error),
    });
    let student: StudentId = read.await?;
    let actor = call.actor()?.user.to_string();
    erase::erase(&app.db, &app.keys, student, Reason::Asked, actor, call.now).await?;
    app.privacy().finish_erasures().await?;
    Ok(student)
}

async fn show(call: Call) -> Outcome {
    json(&proof(&call, call.id("id")?).await?)
}

/// The certificate of an erasure as it stands.
///
/// # Errors
/// 404 when nobody with this id was erased.
pub async fn proof(call: &Call, student: StudentId) -> Result<Certificate, Problem> {
    let app = call.app();
    let read = app.db.read(move |tx| {
        let none = || Error::NotFound("nobody with this id was erased".into());
        let erasure = erasure::of(tx, student)?.ok_or_else(none)?;
        let doors = erasure::doors(tx, erasure.id)?;
        Ok((erasure, doors))
    });
    let (erasure, doors) = read.await?;
    let key = app.keys.signing()?;
    Ok(certificate::certify(&erasure, &doors, call.now, &key)?)
}
