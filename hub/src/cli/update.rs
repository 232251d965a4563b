//! `update …`: programs for doors. `key` and `sign` are for whoever releases them, on a machine of
//! theirs; the others are for the hub.

use super::hub::{Hub, actor, moment, now};
use acts::doors::updates;
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use ed25519_dalek::{SigningKey, VerifyingKey};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use store::update;
use wire::program::{Machine, Program, pack};

/// Programs for doors: sign, trust, bring.
#[derive(Debug, Args)]
pub struct Updates {
    #[command(subcommand)]
    verb: UpdateVerb,
}

#[derive(Debug, Subcommand)]
enum UpdateVerb {
    /// Make the key that signs programs, for whoever releases them; keep it away from hub and doors.
    Key {
        /// Where to write it; nothing is overwritten.
        file: PathBuf,
    },
    /// Sign a program: writes a file that a hub takes.
    Sign(UpdateSign),
    /// Let doors that join from now on take programs that this key signed.
    Trust {
        /// The public key, as `update key` printed it: 64 hexadecimal digits.
        key: String,
    },
    /// Bring a signed program to this hub; it goes to the doors when an admin says so.
    Add {
        /// The file that `update sign` wrote.
        file: PathBuf,
    },
    /// List what was brought.
    List,
}

#[derive(Debug, Args)]
struct UpdateSign {
    /// The door's program, such as target/…/rollcall-edge.
    program: PathBuf,
    /// Its version, such as 0.2.0.
    #[arg(long)]
    version: String,
    /// The file that `update key` wrote.
    #[arg(long)]
    key: PathBuf,
    /// Where to write; otherwise rollcall-edge_VERSION_MACHINE.update here.
    #[arg(long)]
    into: Option<PathBuf>,
}

impl Updates {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        match self.verb {
            UpdateVerb::Key { file } => make(&file, out),
            UpdateVerb::Sign(sign) => sign.run(out),
            UpdateVerb::Trust { key } => trust(&Hub::open(data)?, &key, out).await,
            UpdateVerb::Add { file } => add(&Hub::open(data)?, &file, out).await,
            UpdateVerb::List => list(&Hub::open(data)?, out).await,
        }
    }
}

fn make(path: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let key = SigningKey::from_bytes(&rand::random());
    let pem = key.to_pkcs8_pem(LineEnding::LF).context("writing a key")?;
    let file = File::options().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.with_context(|| format!("writing {}", path.display()))?;
    file.write_all(pem.as_bytes()).and_then(|()| file.sync_all())?;
    writeln!(out, "Keep {} away from hub and doors. Its public key, for", path.display())?;
    writeln!(out, "rollcall-hub update trust, and update.signer of doors that joined before:")?;
    Ok(writeln!(out, "{}", digits(&key.verifying_key()))?)
}

fn digits(key: &VerifyingKey) -> String {
    blake3::Hash::from_bytes(key.to_bytes()).to_hex().to_string()
}

impl UpdateSign {
    fn run(self, out: &mut dyn Write) -> anyhow::Result<()> {
        let reading = |path: &Path| format!("reading {}", path.display());
        let pem = fs::read_to_string(&self.key).with_context(|| reading(&self.key))?;
        let key = SigningKey::from_pkcs8_pem(&pem);
        let key = key.with_context(|| format!("{} is no such key", self.key.display()))?;
        let bytes = fs::read(&self.program).with_context(|| reading(&self.program))?;
        let Some(machine) = Machine::of(&bytes) else {
            bail!("{} is no program for amd64, arm64 or armhf", self.program.display());
        };
        semver::Version::parse(&self.version).context("write a version such as 0.2.0")?;
        let program = Program {
            version: self.version,
            machine,
            released: now(),
            length: bytes.len() as u64,
            blake3: *blake3::hash(&bytes).as_bytes(),
        };
        let signed = program.sign(&key);
        Program::verified(&signed, &key.verifying_key())?;
        let named = || format!("rollcall-edge_{}_{machine}.update", program.version).into();
        let into = self.into.unwrap_or_else(named);
        fs::write(&into, pack(&signed, &bytes))
            .with_context(|| format!("writing {}", into.display()))?;
        Ok(writeln!(out, "{} holds version {} for {machine}", into.display(), program.version)?)
    }
}

async fn trust(hub: &Hub, typed: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let hash = blake3::Hash::from_hex(typed.trim().to_ascii_lowercase());
    let key = hash.ok().and_then(|hash| VerifyingKey::from_bytes(hash.as_bytes()).ok());
    let key = key.context("this is no public key: type the 64 digits that update key printed")?;
    hub.db.write(move |tx| update::trust(tx, key.as_bytes(), &actor(), now())).await?;
    writeln!(
        out,
        "Doors that join from now on take programs that this key signed. For those that"
    )?;
    Ok(writeln!(
        out,
        "joined before, write into edge.toml: [update] signer = \"{}\"",
        digits(&key)
    )?)
}

async fn add(hub: &Hub, path: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
    let update = updates::bring(&hub.db, &hub.config.data, file, actor(), now()).await?;
    let (version, machine) = (update.version, update.machine);
    writeln!(
        out,
        "Version {version} for {machine} is here. Let it go to the doors on the page Updates."
    )?;
    Ok(())
}

async fn list(hub: &Hub, out: &mut dyn Write) -> anyhow::Result<()> {
    let updates = hub.db.read(|tx| update::list(tx, 100)).await?;
    if updates.is_empty() {
        writeln!(out, "There is no update here yet: rollcall-hub update add FILE")?;
    }
    for update in updates {
        let (version, machine) = (&update.version, update.machine);
        let added = moment(update.added);
        writeln!(out, "{version:<12} {machine:<6} {} {added}", &update.name[..16])?;
    }
    Ok(())
}
