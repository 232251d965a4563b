//! The way in: by a password, a code, a passkey or the set-up code; and what is tried too often.

mod code;
mod elsewhere;
mod passkey;
mod session;
mod set_up;

pub use code::CodeStarted;
pub use elsewhere::{Departure, Elsewhere, ElsewhereArrival, Return};
pub use passkey::{Missing, PasskeyAnswer, PasskeyChallenge, Passkeys, remove, rename};
pub use session::Opened;
pub use set_up::SetUpFirstAdmin;

use super::accounts::{Accounts, hashed};
use crate::auth::known::Browser;
use crate::auth::token::Tokens;
use crate::auth::{Busy, Passwords};
use rules::auth::throttle::{ThrottleKind, ThrottleWait, Try};
use rules::auth::{Throttle, session::SessionLimits};
use rules::error::{Error, Refused};
use serde_json::json;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use store::account::{self, Account};
use store::keys::Keys;
use store::login::{self, LoginKeep};
use store::{Db, accounts, audit, totp};
use uuid::Uuid;
use wire::{Clock, Wall};

/// What is said to who must sign in.
pub const SIGNED_OUT: &str = "Nobody is signed in. Sign in, or send an access token.";

/// What signing in needs; cheap to clone.
#[derive(Clone)]
pub struct Entrance {
    /// The database.
    pub db: Db,
    /// Secrets.
    pub keys: Keys,
    /// Password hashing, a few at a time.
    pub passwords: Passwords,
    /// Access tokens.
    pub tokens: Tokens,
    /// How long sessions live.
    pub limits: SessionLimits,
    /// Passkeys, and which of their answers were used.
    pub passkeys: Passkeys,
    /// Where people sign in elsewhere.
    pub elsewhere: Elsewhere,
    /// What is remembered of failed tries.
    pub throttle: Arc<Mutex<Throttle>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What authenticator apps call the hub.
    pub host: String,
}

impl Entrance {
    /// Where accounts are kept.
    #[must_use]
    pub fn accounts(&self) -> Accounts {
        Accounts { db: self.db.clone(), passwords: self.passwords.clone() }
    }
}

/// Somebody at the entrance.
pub struct Visitor {
    /// Where.
    pub entrance: Entrance,
    /// From which address.
    pub from: IpAddr,
    /// Their browser, if somebody signed in with it before.
    pub browser: Option<Browser>,
    /// The sign-in they come by.
    pub keep: LoginKeep,
    /// Whether they proved who they are since they signed in, not long ago.
    pub proved: bool,
    /// This moment.
    pub now: Wall,
}

/// What a right password comes to.
pub enum Checked {
    /// They are in.
    Done(Account),
    /// A code of the second factor or a passkey is asked for besides.
    NeedsCode(Account),
}

/// The first of these that is given is the one that counts.
pub struct ProofGiven {
    /// A passkey.
    pub passkey: Option<PasskeyAnswer>,
    /// A code.
    pub code: Option<String>,
    /// The password.
    pub password: Option<String>,
}

impl From<ProofGiven> for ProofOnceMore {
    fn from(given: ProofGiven) -> Self {
        let code = given.code.filter(|code| !code.trim().is_empty());
        let password = given.password.filter(|password| !password.is_empty());
        match (given.passkey, code, password) {
            (Some(shown), ..) => Self::Passkey(shown),
            (None, Some(code), _) => Self::Code(code),
            (None, None, Some(password)) => Self::Password(password),
            (None, None, None) => Self::Nothing,
        }
    }
}

/// One proof of who somebody is.
pub enum ProofOnceMore {
    /// A passkey.
    Passkey(PasskeyAnswer),
    /// A code of the second factor, or a recovery code.
    Code(String),
    /// The password, once more.
    Password(String),
    /// None of them.
    Nothing,
}

impl Visitor {
    /// The account behind `email` and `password`. An unknown address costs the same time, and both
    /// are refused in the same words.
    ///
    /// # Errors
    /// `Unauthorised`; `TooMany` for who guesses too much or comes when too many sign in.
    pub async fn check(&self, email: &str, password: String) -> Result<Checked, Error> {
        let name = email.trim().to_lowercase();
        let key = name.clone();
        let db = &self.entrance.db;
        let found = db.read(move |tx| account::by_email(tx, &key)).await?;
        let (account, stored) = found.map_or((None, None), |(account, phc)| (Some(account), phc));
        let known = account.as_ref().map(|account| account.id);
        let guess = self.guess(ThrottleKind::Secret(&name), known);
        self.reserve(&guess)?;
        let right = self.entrance.passwords.verify(password, stored).await;
        let right = right.map_err(|busy| self.too_busy(&guess, &busy))?;
        let Some(account) = account.filter(|_| right) else {
            self.wrong(known, "password").await?;
            return Err(Error::Unauthorised("E-mail or password is wrong.".into()));
        };
        self.right(&guess);
        let id = account.id;
        if db.read(move |tx| totp::has_factor(tx, id)).await? {
            return Ok(Checked::NeedsCode(account));
        }
        Ok(Checked::Done(account))
    }

    /// They have just proved that `account` is theirs, and that holds for some minutes.
    ///
    /// # Errors
    /// `Field` for a wrong or missing proof, `TooMany` after too many.
    pub async fn prove(&self, account: &Account, proof: ProofOnceMore) -> Result<(), Error> {
        let id = account.id;
        let db = &self.entrance.db;
        match proof {
            ProofOnceMore::Passkey(shown) => {
                let say = "this passkey is not yours, or did not answer just now";
                self.show(shown, Some(id)).await.map_err(|error| said_of("passkey", say, error))?;
            }
            ProofOnceMore::Code(code) => {
                let say = "this code is not right";
                let used = self.use_code(account, &code).await;
                used.map_err(|error| said_of("totp", say, error))?;
            }
            ProofOnceMore::Password(password) => {
                if db.read(move |tx| totp::has_factor(tx, id)).await? {
                    let say = "this account has a second step: give a code or a passkey";
                    return Err(Error::field("password", say));
                }
                self.password(account, "password", password).await?;
            }
            ProofOnceMore::Nothing => {
                return Err(Error::field("password", "give your password, a code or a passkey"));
            }
        }
        let own = self.keep.clone();
        let now = self.now;
        db.write(move |tx| login::prove(tx, &own, now)).await
    }

    /// Sets a new password. Every other sign-in of the account ends: whoever knew the old one is
    /// out.
    ///
    /// # Errors
    /// `Field` for a wrong or a weak one, `TooMany` after too many tries, `Conflict` for an account
    /// without one.
    pub async fn new_password(
        &self,
        account: &Account,
        current: String,
        new: String,
    ) -> Result<(), Error> {
        self.password(account, "current_password", current).await?;
        let passwords = &self.entrance.passwords;
        let kept = hashed(passwords, "new_password", new, &account.email).await?;
        let id = account.id;
        let keep = self.keep.clone();
        let now = self.now;
        let by = id.to_string();
        let work = move |tx: &store::Tx<'_>| accounts::set_password(tx, id, &kept, &keep, &by, now);
        self.entrance.db.write(work).await
    }

    /// Asks for one's own password once more.
    async fn password(
        &self,
        account: &Account,
        field: &'static str,
        password: String,
    ) -> Result<(), Error> {
        let id = account.id;
        let stored = self.entrance.db.read(move |tx| accounts::password(tx, id)).await?;
        let stored = stored.ok_or_else(|| {
            let say = "This account has no password here: an administrator can set one.";
            Error::Conflict(say.into())
        })?;
        let guess = self.guess(ThrottleKind::Secret(&account.email), Some(id));
        self.reserve(&guess)?;
        let right = self.entrance.passwords.verify(password, Some(stored)).await;
        if right.map_err(|busy| self.too_busy(&guess, &busy))? {
            self.right(&guess);
            return Ok(());
        }
        self.wrong(Some(id), "password").await?;
        Err(Error::field(field, "this is not your password"))
    }

    /// A try of theirs; `account` is the one it is about, if there is such a one.
    #[must_use]
    pub fn guess<'a>(&self, what: ThrottleKind<'a>, account: Option<Uuid>) -> Try<'a> {
        let knows = |browser: &&Browser| account.is_some_and(|id| browser.knows(id, self.now));
        let browser = self.browser.as_ref().filter(knows).map(|browser| browser.id);
        Try { what, from: self.from, browser }
    }

    /// Counts a try before it is made.
    ///
    /// # Errors
    /// `TooMany` with the wait.
    pub fn reserve(&self, guess: &Try<'_>) -> Result<(), Error> {
        let wait =
            |wait: ThrottleWait| Error::TooMany { why: wait.to_string(), seconds: wait.seconds() };
        self.throttled(|throttle, now| throttle.reserve(guess, now)).map_err(wait)
    }

    /// A try was right.
    pub fn right(&self, guess: &Try<'_>) {
        self.throttled(|throttle, now| throttle.right(guess, now));
    }

    /// The try is taken back: nobody looked at the password.
    fn too_busy(&self, guess: &Try<'_>, busy: &Busy) -> Error {
        self.throttled(|throttle, now| throttle.unused(guess, now));
        Error::TooMany { why: busy.to_string(), seconds: 5 }
    }

    /// Writes down that a try was wrong: in the log without any account, and in the audit log with
    /// the account, if there is one, and the address. A flood of them is counted and not written.
    pub async fn wrong(&self, account: Option<Uuid>, by: &'static str) -> Result<(), Error> {
        let from = self.from;
        let now = self.now;
        rules::security!("login", address = %from, "a login failed");
        let Some(more) = self.throttled(Throttle::note) else { return Ok(()) };
        let id = account.map_or_else(|| "unknown".to_owned(), |account| account.to_string());
        let mut meta = json!({ "from": from.to_string(), "by": by });
        if more > 0 {
            meta["unwritten"] = json!(more);
        }
        let work = move |tx: &store::Tx<'_>| {
            let actor = "sign-in";
            let action = "sign-in-failed";
            let table = "user_account";
            audit::add(tx, now, &audit::AuditEntry { actor, action, table, id: &id, meta })
        };
        self.entrance.db.write(work).await
    }

    fn throttled<T>(&self, look: impl FnOnce(&mut Throttle, wire::Mono) -> T) -> T {
        let now = self.entrance.clock.mono();
        look(&mut self.entrance.throttle.lock().unwrap_or_else(PoisonError::into_inner), now)
    }
}

/// What is wrong with a field, where a proof was refused.
fn said_of(field: &'static str, why: &'static str, error: Error) -> Error {
    match error {
        Error::Refused(Refused::Code | Refused::Passkey) | Error::Unauthorised(_) => {
            Error::field(field, why)
        }
        error => error,
    }
}
