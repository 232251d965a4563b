//! `/me`: what the school keeps of the student who is signed in.

use super::{PersonEntry, PersonMark, PersonPhoto, facts, view};
use crate::shell::Shell;
use crate::shell::shell;
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::reply::page;
use http::route::Route;
use rules::attendance::Status;
use rules::error::Error;
use store::{Tx, account};
use warp::http::StatusCode;

/// Marks that are shown.
const SHOWN: usize = 100;

/// Routes of this file.
pub(in crate::people) fn routes() -> Vec<Endpoint> {
    vec![Route::get("/me").pupil().page().by(index)]
}

#[derive(Template)]
#[template(path = "me.html")]
struct MePage {
    shell: Shell,
    /// Nothing for an account that belongs to no student yet.
    own: Option<Own>,
}

struct Own {
    name: String,
    number: String,
    enrolled: bool,
    verified: bool,
    consent: Option<bool>,
    photos: Vec<PersonPhoto>,
    ledger: Vec<PersonEntry>,
    classes: Vec<(String, String)>,
    sums: [(&'static str, usize); Status::SAID.len()],
    marks: Vec<PersonMark>,
}

async fn index(call: Call) -> Outcome {
    let id = call.actor()?.user;
    let reader = call.reader()?;
    let read = move |tx: &Tx<'_>| -> Result<_, Error> {
        let student = account::get(tx, id)?.and_then(|account| account.student);
        student.map(|student| facts(tx, reader, student)).transpose()
    };
    let facts = call.app().db.read(read).await?;
    let zone = &call.app().config.zone;
    let own = facts.map(|facts| {
        let verified = facts.person.verified;
        let all = view(shell(&call, "me"), facts, reader.today, zone, SHOWN);
        Own {
            name: all.name,
            number: all.profile.student_number,
            enrolled: all.enrolled,
            verified,
            consent: all.consent,
            photos: all.photos,
            ledger: all.ledger,
            classes: all.classes,
            sums: all.sums,
            marks: all.marks,
        }
    });
    page(StatusCode::OK, &MePage { shell: shell(&call, "me"), own })
}
