//! Sign-ins that begin, go on and end.

use super::{Entrance, Visitor};
use crate::auth;
use rules::auth::elsewhere::ProviderIdentity;
use rules::error::Error;
use serde_json::json;
use store::account::Account;
use store::identity;
use store::login::{self, LoginKeep, Origin, Way};
use store::{Tx, audit};
use uuid::Uuid;
use wire::Wall;

/// A pair of tokens.
pub struct Opened {
    /// Whose.
    pub account: Account,
    /// Opens the API for some minutes.
    pub access: String,
    /// Renews the pair, once.
    pub refresh: String,
}

impl Visitor {
    /// A pair of tokens for `account`, which has just signed in.
    pub async fn tokens(&self, account: Account, way: Way) -> Result<Opened, Error> {
        let family = auth::nonce();
        let refresh = auth::secret();
        let now = self.now;
        let digest = auth::digest(&refresh);
        let id = account.id;
        let origin = self.origin(way);
        let work = move |tx: &Tx<'_>| {
            login::begin(tx, family, id, &digest, &origin, now)?;
            signed_in(tx, id, &origin, now)
        };
        self.entrance.db.write(work).await?;
        Ok(self.entrance.opened(account, family, refresh, now))
    }

    /// Opens a browser's session: its secret.
    pub async fn session(&self, account: Uuid, way: Way) -> Result<String, Error> {
        let secret = auth::secret();
        let now = self.now;
        let origin = self.origin(way);
        let digest = auth::digest(&secret);
        let refresh_ms = self.entrance.tokens.limits().refresh_ms;
        let over = now.plus_ms(-2 * self.entrance.limits.absolute_ms.max(refresh_ms));
        let work = move |tx: &Tx<'_>| {
            login::sweep(tx, over)?;
            login::open(tx, &digest, account, &origin, now)?;
            signed_in(tx, account, &origin, now)
        };
        self.entrance.db.write(work).await?;
        Ok(secret)
    }

    fn origin(&self, way: Way) -> Origin {
        Origin { way, from: self.from }
    }

    /// Ends what they are signed in by.
    pub async fn leave(&self) -> Result<(), Error> {
        let db = &self.entrance.db;
        let now = self.now;
        match self.keep.clone() {
            LoginKeep::Session(digest) => db.write(move |tx| login::close(tx, &digest)).await,
            LoginKeep::Family(family) => db.write(move |tx| login::end(tx, family, now)).await,
            LoginKeep::Nothing => Ok(()),
        }
    }

    /// The account of somebody whom another service vouches for.
    pub async fn vouched(&self, who: ProviderIdentity) -> Result<Option<Account>, Error> {
        let now = self.now;
        self.entrance.db.write(move |tx| identity::open(tx, &who, now)).await
    }
}

impl Entrance {
    /// A new pair of tokens for the newest refresh token of a family.
    ///
    /// # Errors
    /// `Unauthorised` for one that is not valid any more.
    pub async fn renew(&self, old: &str, now: Wall) -> Result<Opened, Error> {
        let secret = auth::secret();
        let old = auth::digest(old);
        let new = auth::digest(&secret);
        let limits = self.tokens.limits();
        let turned = self.db.write(move |tx| login::rotate(tx, &old, &new, limits, now)).await?;
        let (account, family) = turned.ok_or_else(|| {
            let say = "This refresh token is not valid any more: sign in again.";
            Error::Unauthorised(say.into())
        })?;
        Ok(self.opened(account, family, secret, now))
    }

    /// Writes down that the session with this secret is in use.
    pub async fn used(&self, secret: &str, now: Wall) -> Result<(), Error> {
        let digest = auth::digest(secret);
        self.db.write(move |tx| login::touch(tx, &digest, now)).await
    }

    fn opened(&self, account: Account, family: Uuid, refresh: String, now: Wall) -> Opened {
        let access = self.tokens.issue(account.actor(), family, now);
        Opened { account, access, refresh }
    }
}

/// Writes down that `account` signed in, and from where, inside the caller's transaction.
fn signed_in(tx: &Tx<'_>, account: Uuid, origin: &Origin, now: Wall) -> Result<(), Error> {
    let id = account.to_string();
    let meta = json!({ "from": origin.from.to_string(), "by": origin.way.as_str() });
    let action = "sign-in";
    let table = "user_account";
    audit::add(tx, now, &audit::AuditEntry { actor: &id, action, table, id: &id, meta })
}
