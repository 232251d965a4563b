//! Passkeys on `/account`: added, named, taken away; and how other pages ask for one.

use super::answer;
use crate::shell::Shell;
use acts::entrance::{self, PasskeyAnswer};
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::problem::Problem;
use http::route::Route;
use store::passkey::{self, Passkey};
use uuid::Uuid;

pub use acts::entrance::Missing;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::post("/account/passkeys").staff().form().page().by(add),
        Route::post("/account/passkeys/rename").staff().form().page().by(rename),
        Route::post("/account/passkeys/remove").staff().form().page().by(remove),
    ]
}

/// What the page says of passkeys.
pub struct PasskeySection {
    /// Why none can be made here.
    pub missing: Option<Missing>,
    /// Whether they may be added and removed without proving once more who it is.
    pub proved: bool,
    /// Those there are.
    pub kept: Vec<PasskeyRow>,
}

/// Whether a page can ask for a passkey of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PasskeyAsk {
    /// There is none.
    Nothing,
    /// It can.
    Here,
    /// Under this address it could.
    Elsewhere(String),
    /// The hub has lost its name, and they their worth.
    Nowhere,
}

impl PasskeyAsk {
    /// Of an account that has `any`, on a page where they may be `missing`.
    #[must_use]
    pub fn of(any: bool, missing: Option<Missing>) -> Self {
        match missing {
            _ if !any => Self::Nothing,
            None => Self::Here,
            Some(Missing::Elsewhere(url)) => Self::Elsewhere(url),
            Some(Missing::Name) => Self::Nowhere,
        }
    }
}

/// A passkey.
pub struct PasskeyRow {
    /// Its id.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// How long ago.
    pub made: String,
    /// How long ago.
    pub used: Option<String>,
}

/// The passkeys of whoever asks, in words.
pub async fn told(call: &Call, shell: &Shell) -> Result<PasskeySection, Problem> {
    let ago = |at| words::ago(shell.language, at, call.now);
    let row = |one: Passkey| PasskeyRow {
        id: one.id,
        name: one.name,
        made: ago(one.created_at),
        used: one.used_at.map(ago),
    };
    let user = call.actor()?.user;
    let kept = call.app().db.read(move |tx| passkey::of(tx, user)).await?;
    let kept = kept.into_iter().map(row).collect();
    Ok(PasskeySection { missing: call.lacks_passkeys(), proved: call.is_proved_again(), kept })
}

/// What a form says that was sent with a passkey's answer; nothing for one sent without.
///
/// # Errors
/// 422 for an answer that is none.
pub fn shown(call: &Call) -> Result<Option<PasskeyAnswer>, Problem> {
    let Some(credential) = call.content.field("credential").filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let credential = serde_json::from_str(credential)
        .map_err(|_| Problem::field("credential", "this is no passkey's answer"))?;
    Ok(Some(PasskeyAnswer { attempt: call.field("attempt")?.to_owned(), credential }))
}

async fn add(call: Call) -> Outcome {
    let done = async {
        let name = call.field("name")?.to_owned();
        let shown = shown(&call)?;
        let none = || Problem::field("credential", "this browser made no passkey");
        let user = call.actor()?.user;
        let shown = shown.ok_or_else(none)?;
        call.visitor().add_passkey(user, name, shown).await.map_err(Problem::from)
    };
    let done = done.await;
    answer(&call, done.map(|_| "account-done-passkey")).await
}

/// The passkey that a form names.
fn named(call: &Call) -> Result<Uuid, Problem> {
    call.field("passkey")?.parse().map_err(|_| Problem::field("passkey", "no id"))
}

async fn rename(call: Call) -> Outcome {
    let done = async {
        let user = call.actor()?.user;
        let id = named(&call)?;
        let name = call.field("name")?.to_owned();
        let done = entrance::rename(&call.app().db, user, id, name, call.now).await;
        done.map_err(Problem::from)
    };
    let done = done.await;
    answer(&call, done.map(|()| "account-done-passkey-name")).await
}

async fn remove(call: Call) -> Outcome {
    let done = async {
        let user = call.actor()?.user;
        let id = named(&call)?;
        entrance::remove(&call.app().db, user, id, call.now).await.map_err(Problem::from)
    };
    let done = done.await;
    answer(&call, done.map(|()| "account-done-passkey-gone")).await
}
