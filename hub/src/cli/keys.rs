//! `keys`: what the hub signs, shows and wraps with; each can be replaced while it runs.

use super::hub::{Hub, actor, moment, now};
use super::init;
use acts::backup::lock;
use acts::keys::{self, Rotating, Rotation};
use acts::pki::Pki;
use clap::{Args, Subcommand};
use std::io::Write;
use std::path::{Path, PathBuf};
use store::certificate;
use wire::DeviceId;

/// The hub's own keys and certificates: list, rotate.
#[derive(Debug, Args)]
pub struct KeysArgs {
    #[command(subcommand)]
    verb: KeyVerb,
}

#[derive(Debug, Subcommand)]
enum KeyVerb {
    /// Which there are, and how old they are.
    List,
    /// Replace one; what it was used for goes on.
    #[command(subcommand)]
    Rotate(Rotate),
}

#[derive(Debug, Subcommand)]
enum Rotate {
    /// The hub's certificate and its key. It is renewed by itself too.
    Server {
        /// A host name or address more; may be repeated.
        #[arg(long = "name", value_name = "HOST")]
        names: Vec<String>,
    },
    /// The authority that signs the hub and doors. Both count until every door has moved, which
    /// takes minutes while they are online, or for 90 days.
    Ca {
        /// The one before counts no more from now on: doors that have not followed join again.
        #[arg(long)]
        end: bool,
    },
    /// What signs galleries and model packs, and what the hub certifies; doors follow.
    Gallery,
    /// What signs access tokens: those that are out count until they end by themselves.
    Tokens,
    /// What wraps all keys of people. It is replaced at each erasure too.
    Kek,
    /// What backups are locked with: from now on they open with the new key alone.
    Backup {
        /// Where the private key is written instead of being printed.
        #[arg(long, value_name = "FILE")]
        identity: Option<PathBuf>,
    },
}

impl KeysArgs {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let hub = Hub::open(data)?;
        match self.verb {
            KeyVerb::List => list(&hub, out).await,
            KeyVerb::Rotate(what) => rotate(&hub, what, out).await,
        }
    }
}

async fn list(hub: &Hub, out: &mut dyn Write) -> anyhow::Result<()> {
    let keys = hub.keys()?;
    let pki = Pki::open(&keys)?;
    let life = pki.life()?;
    writeln!(out, "server  from {}, until {}", moment(life.from), moment(life.to))?;
    writeln!(out, "ca      from {}{}", moment(pki.since()), followers(hub, &pki).await?)?;
    let tokens = keys.ids("tokens")?;
    for id in tokens {
        writeln!(out, "tokens  from {}", moment(keys.made("tokens", id)?))?;
    }
    let locked = hub.config.data.join(lock::FILE).exists();
    Ok(writeln!(
        out,
        "backup  {}",
        if locked { "there is one" } else { "there is none: rotate it" }
    )?)
}

/// Whom the end of the authority before waits for.
async fn followers(hub: &Hub, pki: &Pki) -> anyhow::Result<String> {
    if !pki.is_rotating() {
        return Ok(String::new());
    }
    let signer = pki.signer();
    let now = now();
    let behind = hub.db.read(move |tx| certificate::behind(tx, &signer, now)).await?;
    let doors = behind.iter().map(DeviceId::as_str).collect::<Vec<_>>().join(", ");
    Ok(format!("; the one before counts until these doors have followed: {doors}"))
}

async fn rotate(hub: &Hub, what: Rotate, out: &mut dyn Write) -> anyhow::Result<()> {
    let keys = hub.keys()?;
    let rotating = Rotating { db: &hub.db, keys: &keys, config: &hub.config };
    let what = match what {
        Rotate::Server { names } => Rotation::Server { names },
        Rotate::Ca { end: false } => Rotation::Authority,
        Rotate::Ca { end: true } => Rotation::EndOfAuthority,
        Rotate::Gallery => Rotation::Gallery,
        Rotate::Tokens => Rotation::Tokens,
        Rotate::Kek => Rotation::Kek,
        Rotate::Backup { identity } => {
            let keep = |key: &str| init::show(key, identity.as_deref(), out);
            rotating.rotate_backup(keep, actor(), now()).await?;
            return replaced(keys::BACKUP, out);
        }
    };
    rotating.rotate(what.clone(), actor(), now()).await?;
    replaced(what.as_str(), out)?;
    for next in next(&what) {
        writeln!(out, "{next}")?;
    }
    Ok(())
}

fn replaced(name: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    Ok(writeln!(out, "The key “{name}” is replaced; a running hub takes it within seconds.")?)
}

/// What whoever replaced a key should know, and do.
fn next(what: &Rotation) -> &'static [&'static str] {
    const BACKUP: &str = "Make a backup: doors do not go back to keys of before.";
    match what {
        Rotation::Authority => {
            &["The one before counts until every door has followed: see “keys list”.", BACKUP]
        }
        Rotation::EndOfAuthority => {
            &["The one before counts no more: doors that had not followed join again.", BACKUP]
        }
        Rotation::Gallery => &[BACKUP],
        Rotation::Server { .. } | Rotation::Tokens | Rotation::Kek => &[],
    }
}
