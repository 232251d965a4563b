//! Passkeys: made, shown instead of a password or a code, named and taken away.

use super::Visitor;
use crate::auth::passkey::{
    LIFE_MS, Owner, WebauthnBegun, WebauthnPlace, WebauthnRefused as Why, WebauthnShown as Answer,
};
use data_encoding::BASE64URL_NOPAD;
use rules::auth::once::Once;
use rules::auth::throttle::{ThrottleKind, Try};
use rules::error::{Error, Refused};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use store::account::Account;
use store::passkey::{self, Passkey};
use store::{Db, Tx};
use uuid::Uuid;
use wire::Wall;

/// What an attempt to show a passkey is sealed for.
const SHOWING: &str = "showing a passkey";

/// What an attempt to make one is sealed for.
fn making(account: Uuid) -> String {
    format!("making a passkey of {account}")
}

/// What a device is asked.
pub struct PasskeyChallenge {
    /// To be sent back with the answer, within five minutes.
    pub attempt: String,
    /// For the browser, as `WebAuthn` writes it in JSON.
    pub options: Value,
}

/// What a device answered.
pub struct PasskeyAnswer {
    /// What came with the question.
    pub attempt: String,
    /// The browser's answer, as `WebAuthn` writes it in JSON.
    pub credential: Value,
}

/// What the entrance knows of passkeys; cheap to clone.
#[derive(Clone)]
pub struct Passkeys(Arc<PasskeyKnown>);

struct PasskeyKnown {
    /// Where they are good; nothing for a hub without a name.
    place: Option<WebauthnPlace>,
    /// Attempts of before a restart do not count: what was used then is forgotten.
    run: Uuid,
    used: Mutex<Once<Vec<u8>>>,
}

/// Why there are no passkeys on a page, if there are none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Missing {
    /// The hub has no name.
    Name,
    /// The page was reached by another name than this.
    Elsewhere(String),
}

impl Passkeys {
    /// Those of a hub with this address.
    #[must_use]
    pub fn new(public_url: &str) -> Self {
        let place = WebauthnPlace::of(public_url);
        let run = crate::auth::nonce();
        Self(Arc::new(PasskeyKnown { place, run, used: Mutex::default() }))
    }

    /// Whether a page reached under `host` may speak of passkeys: browsers do it at one address
    /// only.
    #[must_use]
    pub fn missing(&self, host: Option<&str>) -> Option<Missing> {
        let Some(place) = &self.0.place else { return Some(Missing::Name) };
        let here = host?.to_ascii_lowercase();
        let ours = place.origin().split_once("://").is_none_or(|(_, ours)| ours == here);
        (!ours).then(|| Missing::Elsewhere(place.origin().to_owned()))
    }

    fn place(&self) -> Result<&WebauthnPlace, Error> {
        let say = "Passkeys need a name: set this hub's “public_url” to the https address by which \
                   browsers reach it.";
        self.0.place.as_ref().ok_or_else(|| Error::Conflict(say.into()))
    }

    fn sealed_for(&self, what: &str) -> String {
        format!("{what}, run {}", self.0.run)
    }

    /// Uses up an attempt.
    fn once(&self, state: Vec<u8>, made: Wall, now: Wall) -> Result<(), Error> {
        let mut used = self.0.used.lock().unwrap_or_else(PoisonError::into_inner);
        match used.take(state, made, LIFE_MS, now) {
            true => Ok(()),
            false => Err(Error::field("attempt", "this was used already: begin again")),
        }
    }
}

/// Calls a passkey of `owner` something else.
///
/// # Errors
/// `NotFound`, for a foreign one too; `Invalid` for a name that cannot be.
pub async fn rename(db: &Db, owner: Uuid, id: Uuid, name: String, now: Wall) -> Result<(), Error> {
    db.write(move |tx| passkey::rename(tx, owner, id, &name, now)).await
}

/// Takes a passkey of `owner` away.
///
/// # Errors
/// `NotFound`, for a foreign one too.
pub async fn remove(db: &Db, owner: Uuid, id: Uuid, now: Wall) -> Result<(), Error> {
    db.write(move |tx| passkey::remove(tx, owner, id, now)).await
}

impl Visitor {
    /// Begins to make a passkey of `account`.
    ///
    /// # Errors
    /// `Conflict` for a hub without a name.
    pub async fn begin_passkey(&self, account: &Account) -> Result<PasskeyChallenge, Error> {
        let place = self.entrance.passkeys.place()?;
        let id = account.id;
        let has = self.entrance.db.read(move |tx| passkey::of(tx, id)).await?;
        let has = has.into_iter().map(|one| one.kept.credential).collect();
        let begun = place.begin(Owner { account: id, email: &account.email }, has);
        Ok(self.asked(&making(id), begun.map_err(|why| refused(&why))?))
    }

    /// Adds the passkey that a device made for `owner`.
    ///
    /// # Errors
    /// `Field` for an answer that does not hold, `Invalid` for a name that cannot be, `Conflict`
    /// for one too many.
    pub async fn add_passkey(
        &self,
        owner: Uuid,
        name: String,
        shown: PasskeyAnswer,
    ) -> Result<Passkey, Error> {
        let place = self.entrance.passkeys.place()?;
        let db = &self.entrance.db;
        let now = self.now;
        // Before the attempt is used: used ones are remembered, up to a bound for all.
        db.read(move |tx| passkey::may_add(tx, owner)).await?;
        let (state, made) = self.opened(&making(owner), &shown.attempt)?;
        let kept = place.made(&state, &shown.credential).map_err(|why| {
            refused(&why);
            let say = "this passkey was not made for this hub just now: try again";
            Error::field("credential", say)
        })?;
        self.entrance.passkeys.once(state, made, now)?;
        db.write(move |tx| passkey::add(tx, owner, &name, &kept, now)).await
    }

    /// Asks for a passkey.
    ///
    /// # Errors
    /// `Conflict` for a hub without a name.
    pub fn ask_passkey(&self) -> Result<PasskeyChallenge, Error> {
        let begun = self.entrance.passkeys.place()?.ask().map_err(|why| refused(&why))?;
        Ok(self.asked(SHOWING, begun))
    }

    /// Whose passkey was shown just now; of nobody but `only`, if there is such a one.
    ///
    /// # Errors
    /// `Refused` for an answer that does not hold, `TooMany` after too many.
    pub async fn show(&self, shown: PasskeyAnswer, only: Option<Uuid>) -> Result<Account, Error> {
        let place = self.entrance.passkeys.place()?;
        // It cannot be guessed: whoever signed in with the browser, it counts as known.
        let browser = self.browser.as_ref().map(|browser| browser.id);
        self.reserve(&Try { what: ThrottleKind::Passkey, from: self.from, browser })?;
        match self.verified(place, shown, only).await {
            Err(error @ (Error::Internal { .. } | Error::Unavailable(_))) => Err(error),
            Err(error) => {
                self.wrong(only, "passkey").await?;
                Err(error)
            }
            came => came,
        }
    }

    async fn verified(
        &self,
        place: &WebauthnPlace,
        shown: PasskeyAnswer,
        only: Option<Uuid>,
    ) -> Result<Account, Error> {
        let db = &self.entrance.db;
        let now = self.now;
        let (state, made) = self.opened(SHOWING, &shown.attempt)?;
        let answer = Answer::read(&shown.credential).map_err(|why| refused(&why))?;
        let credential = answer.credential().to_vec();
        let found = db.read(move |tx| passkey::find(tx, &credential)).await?;
        let found = found.filter(|(account, _)| only.is_none_or(|only| only == account.id));
        let unknown = || Error::Refused(Refused::Passkey);
        let (account, old) = found.ok_or_else(unknown)?;
        let new = place.holds(&state, &answer, &old.kept, account.id);
        let new = new.map_err(|why| refused(&why))?;
        self.entrance.passkeys.once(state, made, now)?;
        let work = move |tx: &Tx<'_>| passkey::used(tx, &old, &new, now);
        if db.write(work).await? { Ok(account) } else { Err(unknown()) }
    }

    /// The question as it is sent, with what is to be remembered sealed beside it.
    fn asked(&self, what: &str, begun: WebauthnBegun) -> PasskeyChallenge {
        let plain = [&self.now.0.to_le_bytes(), begun.state.as_slice()].concat();
        let keys = &self.entrance.keys;
        let passkeys = &self.entrance.passkeys;
        let sealed = keys.seal(&passkeys.sealed_for(what), &plain);
        PasskeyChallenge { attempt: BASE64URL_NOPAD.encode(&sealed), options: begun.options }
    }

    /// What was remembered of an attempt, and when it began.
    fn opened(&self, what: &str, attempt: &str) -> Result<(Vec<u8>, Wall), Error> {
        let old = || Error::field("attempt", "this took too long, or began elsewhere: begin again");
        let keys = &self.entrance.keys;
        let passkeys = &self.entrance.passkeys;
        let sealed = BASE64URL_NOPAD.decode(attempt.as_bytes()).map_err(|_| old())?;
        let plain = keys.unseal(&passkeys.sealed_for(what), &sealed).map_err(|_| old())?;
        let (made, state) = plain.split_first_chunk::<8>().ok_or_else(old)?;
        let made = Wall(i64::from_le_bytes(*made));
        if !(0..LIFE_MS).contains(&self.now.0.saturating_sub(made.0)) {
            return Err(old());
        }
        Ok((state.to_vec(), made))
    }
}

/// Nothing of an answer is told to whoever sent it: only the log says what was wrong.
fn refused(why: &Why) -> Error {
    rules::security!("passkey", %why, "a passkey's answer was refused");
    Error::Refused(Refused::Passkey)
}
