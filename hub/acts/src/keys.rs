//! The hub's own keys and certificates: each is replaced while the hub runs, which takes it within
//! seconds, and what it was used for goes on.

use crate::backup::lock;
use crate::pki::Pki;
use config::Config;
use rules::error::Error;
use serde_json::json;
use store::keys::Keys;
use store::{Db, Tx, audit, release, reseal};
use wire::Wall;

/// Where keys are replaced.
#[derive(Clone, Copy)]
pub struct Rotating<'a> {
    /// The database.
    pub db: &'a Db,
    /// The key store.
    pub keys: &'a Keys,
    /// Settings.
    pub config: &'a Config,
}

/// What is replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rotation {
    /// The hub's certificate and its key.
    Server {
        /// Host names and addresses more.
        names: Vec<String>,
    },
    /// The authority that signs the hub and doors; both count until every door has followed.
    Authority,
    /// The same, and the one before counts no more.
    EndOfAuthority,
    /// What signs galleries and model packs, and what the hub certifies.
    Gallery,
    /// What signs access tokens.
    Tokens,
    /// What wraps all keys of people.
    Kek,
}

impl Rotation {
    /// As people and the audit chain name it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Server { .. } => "server",
            Self::Authority | Self::EndOfAuthority => "ca",
            Self::Gallery => "gallery",
            Self::Tokens => "tokens",
            Self::Kek => "kek",
        }
    }
}

/// What locks backups, as [`Rotation::as_str`] names the others.
pub const BACKUP: &str = "backup";

impl Rotating<'_> {
    /// Replaces `what`.
    ///
    /// # Errors
    /// `Conflict` where there is nothing to end, or the settings name the key; when the database,
    /// the key store or the disk fails.
    pub async fn rotate(self, what: Rotation, by: String, now: Wall) -> Result<(), Error> {
        let Self { db, keys, config } = self;
        let name = what.as_str();
        match what {
            Rotation::Server { names } => Pki::open(keys)?.renew(keys, &names, now)?,
            Rotation::Authority => {
                Pki::open(keys)?.rotate_ca(keys, now)?;
                self.tell_doors().await?;
            }
            Rotation::EndOfAuthority => {
                let pki = Pki::open(keys)?;
                if !pki.is_rotating() {
                    let say = "no authority is being replaced: there is nothing to end";
                    return Err(Error::Conflict(say.into()));
                }
                pki.finish_ca(keys, now)?;
                self.tell_doors().await?;
            }
            Rotation::Gallery => {
                keys.rotate_signing(now)?;
                self.tell_doors().await?;
            }
            Rotation::Tokens => {
                if config.accounts.token_key.is_some() {
                    let say =
                        "the settings name the key of tokens: change accounts.token_key there";
                    return Err(Error::Conflict(say.into()));
                }
                keys.rotate_tokens(now)?;
            }
            Rotation::Kek => {
                let of = keys.clone();
                db.write(move |tx| reseal::all(tx, &of)).await?;
                keys.rotate_kek()?;
            }
        }
        self.note(name, by, now).await
    }

    /// Makes a new pair that locks backups: the half that opens them is handed to `keep`, and kept
    /// nowhere here.
    ///
    /// # Errors
    /// What `keep` says, and then nothing changed; when the disk or the database refuses.
    pub async fn rotate_backup<E: From<Error>>(
        self,
        keep: impl FnOnce(&str) -> Result<(), E>,
        by: String,
        now: Wall,
    ) -> Result<(), E> {
        lock::create(&self.config.data, keep)?;
        Ok(self.note(BACKUP, by, now).await?)
    }

    /// Each door is told something new, and looks who signs by now.
    async fn tell_doors(self) -> Result<(), Error> {
        self.db.write(release::renew_all).await
    }

    async fn note(self, id: &'static str, by: String, now: Wall) -> Result<(), Error> {
        let note = move |tx: &Tx<'_>| {
            let actor = &by;
            let action = "rotate";
            let table = "key";
            let meta = json!({});
            audit::add(tx, now, &audit::AuditEntry { actor, action, table, id, meta })
        };
        self.db.write(note).await
    }
}
