//! The second factor of an account: begun, switched on, asked for, taken away.

use super::{Visitor, said_of};
use crate::auth::totp;
use data_encoding::BASE64URL_NOPAD;
use rules::auth::throttle::ThrottleKind;
use rules::error::{Error, Refused};
use store::account::{self, Account};
use store::{Tx, login, passkey, totp as rows};
use uuid::Uuid;
use wire::Wall;

/// How long the second step may take, milliseconds.
const STEP_MS: i64 = 5 * 60 * 1000;
/// What the second step's token is sealed for.
const STEP: &str = "second step";

/// What an authenticator app needs.
#[derive(Clone)]
pub struct CodeStarted {
    /// Base32, to be typed.
    pub secret: String,
    /// The same for a QR code.
    pub uri: String,
}

impl Visitor {
    /// Begins a second factor, which counts once it is switched on.
    ///
    /// # Errors
    /// As for a password; `Unproven` for who has a passkey and did not just prove it; `Conflict`
    /// when there is one already.
    pub async fn begin_code(
        &self,
        account: &Account,
        password: String,
    ) -> Result<CodeStarted, Error> {
        let id = account.id;
        let now = self.now;
        let db = &self.entrance.db;
        let has_passkey = db.read(move |tx| passkey::any(tx, id)).await?;
        if has_passkey && !self.proved {
            return Err(Error::Unproven); // the password alone opens nothing
        }
        self.password(account, "password", password).await?;
        let secret = totp::secret();
        let sealed = self.entrance.keys.seal(&rows::place(id), &secret);
        db.write(move |tx| rows::start(tx, id, &sealed, now)).await?;
        Ok(self.started(account, &secret))
    }

    fn started(&self, account: &Account, secret: &[u8]) -> CodeStarted {
        let uri = totp::uri(secret, &account.email, &self.entrance.host);
        CodeStarted { secret: totp::typed(secret), uri }
    }

    /// The second factor that waits for its first code, to show it once more after a wrong one.
    ///
    /// # Errors
    /// `Conflict` when none waits.
    pub async fn waiting_code(&self, account: &Account) -> Result<CodeStarted, Error> {
        let (secret, _) = self.unconfirmed(account).await?;
        Ok(self.started(account, &secret))
    }

    async fn unconfirmed(&self, account: &Account) -> Result<(Vec<u8>, i64), Error> {
        let id = account.id;
        let waiting = self.entrance.db.read(move |tx| rows::get(tx, id)).await?;
        let waiting = waiting.filter(|totp| !totp.confirmed).ok_or_else(|| {
            let say = "No second factor waits to be confirmed: begin with one.";
            Error::Conflict(say.into())
        })?;
        let secret = self.entrance.keys.unseal(&rows::place(id), &waiting.sealed)?;
        Ok((secret.to_vec(), waiting.last_step))
    }

    /// The second factor counts from now on, for every sign-in; the others end. These are its
    /// recovery codes.
    ///
    /// # Errors
    /// `Field` for a wrong code, `TooMany` after too many, `Conflict` when none waits.
    pub async fn switch_code_on(
        &self,
        account: &Account,
        code: &str,
    ) -> Result<Vec<String>, Error> {
        let id = account.id;
        let now = self.now;
        let (secret, last_step) = self.unconfirmed(account).await?;
        let guess = self.guess(ThrottleKind::Code(&account.email), Some(id));
        self.reserve(&guess)?;
        let Some(step) = totp::step(&secret, code, last_step, now) else {
            self.wrong(Some(id), "code").await?;
            return Err(Error::field("code", "this is not what the app shows now"));
        };
        self.right(&guess);
        let codes = totp::recovery_codes();
        let digests: Vec<_> = codes.iter().filter_map(|code| totp::recovery_digest(code)).collect();
        let keep = self.keep.clone();
        let work = move |tx: &Tx<'_>| {
            rows::confirm(tx, id, step, &digests, now)?;
            login::end_all(tx, id, &keep, now)
        };
        self.entrance.db.write(work).await?;
        Ok(codes)
    }

    /// Takes the second factor away, for whoever has it.
    ///
    /// # Errors
    /// `Field` for a wrong code, `TooMany` after too many, `Conflict` when there is none.
    pub async fn switch_code_off(&self, account: &Account, code: &str) -> Result<(), Error> {
        let id = account.id;
        let now = self.now;
        let db = &self.entrance.db;
        let has = db.read(move |tx| rows::get(tx, id)).await?;
        if !has.is_some_and(|totp| totp.confirmed) {
            return Err(Error::Conflict("This account has no second factor.".into()));
        }
        let used = self.use_code(account, code).await;
        used.map_err(|error| said_of("code", "this code is not right", error))?;
        db.write(move |tx| rows::remove(tx, id, &id.to_string(), now).map(drop)).await
    }

    /// Checks and uses up a code of the second factor, or a recovery code.
    ///
    /// # Errors
    /// `Refused` for a wrong or used one, `TooMany` after too many.
    pub async fn use_code(&self, account: &Account, code: &str) -> Result<(), Error> {
        let guess = self.guess(ThrottleKind::Code(&account.email), Some(account.id));
        self.reserve(&guess)?;
        let id = account.id;
        let now = self.now;
        let db = &self.entrance.db;
        let row = db.read(move |tx| rows::get(tx, id)).await?;
        let gone = || Error::Unauthorised(super::SIGNED_OUT.into());
        let row = row.filter(|row| row.confirmed).ok_or_else(gone)?;
        let secret = self.entrance.keys.unseal(&rows::place(id), &row.sealed)?;
        let step = totp::step(&secret, code, row.last_step, now);
        let digest = totp::recovery_digest(code);
        let work = move |tx: &Tx<'_>| -> Result<bool, Error> {
            match (step, digest) {
                (Some(step), _) => rows::use_step(tx, id, step),
                (None, Some(digest)) => rows::use_recovery(tx, id, &digest, now),
                (None, None) => Ok(false),
            }
        };
        if db.write(work).await? {
            self.right(&guess);
            return Ok(());
        }
        self.wrong(Some(id), "code").await?;
        Err(Error::Refused(Refused::Code))
    }

    /// Whoever holds this gave the right password of `account` just now.
    #[must_use]
    pub fn step_token(&self, account: Uuid) -> String {
        let plain = format!("{account} {}", self.now.0);
        BASE64URL_NOPAD.encode(&self.entrance.keys.seal(STEP, plain.as_bytes()))
    }

    /// The account of a step's token that is not too old.
    pub async fn step_account(&self, token: &str) -> Result<Option<Account>, Error> {
        let Some((id, made)) = self.step_parts(token) else { return Ok(None) };
        if self.now.0 < made.0 || self.now >= made.plus_ms(STEP_MS) {
            return Ok(None);
        }
        self.entrance.db.read(move |tx| account::get(tx, id)).await
    }

    fn step_parts(&self, token: &str) -> Option<(Uuid, Wall)> {
        let sealed = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
        let plain = self.entrance.keys.unseal(STEP, &sealed).ok()?;
        let (id, made) = std::str::from_utf8(&plain).ok()?.split_once(' ')?;
        Some((id.parse().ok()?, Wall(made.parse().ok()?)))
    }
}
