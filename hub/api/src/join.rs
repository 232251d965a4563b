//! `/api/join`: a unit at a door trades its one-time token for a certificate.

use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::problem::Problem;
use http::reply::{json, sentence};
use http::route::Route;
use rules::error::Error;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wire::JoinRequest;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![Route::post("/api/join").anyone().takes::<JoinAsk>().gives::<JoinGiven>().by(join)]
}

/// What the unit sends; [`JoinRequest`] for the document.
#[derive(Deserialize, ToSchema)]
#[schema(as = Ask)]
pub struct JoinAsk {
    token: String,
    csr_pem: String,
}

/// What it gets; [`wire::Joined`] for the document.
#[derive(Serialize, ToSchema)]
#[schema(as = Given)]
pub struct JoinGiven {
    device: String,
    certificate_pem: String,
    ca_pem: String,
    mqtt: String,
    https: String,
    hub_key: JoinHubKey,
    gallery_key: String,
    room: String,
    direction: String,
}

/// The key that crops and templates are sealed for.
#[derive(Serialize, ToSchema)]
#[schema(as = HubKey)]
pub struct JoinHubKey {
    id: u32,
    public: String,
}

async fn join(call: Call) -> Outcome {
    let JoinAsk { token, csr_pem } = call.json()?;
    let joined = call.app().joining().join(call.peer, JoinRequest { token, csr_pem }).await;
    json(&joined.map_err(|error| match error {
        Error::Unavailable(why) => Problem::too_many(sentence(&why)).after(60),
        error => error.into(),
    })?)
}
