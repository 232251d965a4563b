//! `init`: make a hub where there is none. It never overwrites.

use acts::backup::lock;
use acts::begin;
use acts::pki::Pki;
use anyhow::{Context as _, ensure};
use config::{self, Config};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use store::Db;
use store::keys::Keys;
use wire::time::{Clock as _, SystemClock};
use zeroize::Zeroizing;

/// A new hub: certificates, keys, database, settings.
#[derive(clap::Args, Debug)]
pub struct Init {
    /// Host name or address by which people and doors reach the hub; may be repeated.
    #[arg(long = "name", value_name = "HOST")]
    names: Vec<String>,
    /// The school's time zone, such as Europe/Berlin.
    #[arg(long, default_value = "UTC")]
    zone: String,
    /// Where the key that opens backups is written instead of being printed: a file on a medium
    /// that you take away.
    #[arg(long, value_name = "FILE")]
    backup_identity: Option<PathBuf>,
}

impl Init {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let now = SystemClock.wall();
        let host = self.names.first().map_or("localhost", String::as_str);
        let text = config::template(host, &self.zone);
        let config = Config::read(data, &text, &config::Vars::of_process())?;
        fs::create_dir_all(data).with_context(|| format!("making {}", data.display()))?;
        fs::set_permissions(data, fs::Permissions::from_mode(0o700))?;
        let made = ["kek", "keys.db", "ca.pem", "server.pem", config::FILE];
        let places = made.map(|name| data.join(name)).into_iter();
        for there in places.chain(self.backup_identity.clone()) {
            ensure!(!there.exists(), "{} is there: init never overwrites", there.display());
        }
        config.database().empty()?;
        let keys = Keys::create(data, now)?;
        Pki::create(&keys, &names(&self.names), now)?;
        let mut opens = Zeroizing::new(Vec::new());
        lock::create(data, |key| show(key, self.backup_identity.as_deref(), &mut *opens))?;
        let code = begin::begin(&Db::open(config.database())?, &keys, now).await?;
        let file = data.join(config::FILE);
        fs::write(&file, text)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?; // it may come to hold secrets
        writeln!(out, "The hub is set up in {}.", data.display())?;
        writeln!(out, "Start it:  rollcall-hub --data {} serve", data.display())?;
        writeln!(out, "Then open  https://{host}:{}/setup", config.listen.web.port())?;
        writeln!(out, "and make the first admin with this code (once, within 24 hours): {code}")?;
        Ok(out.write_all(&opens)?)
    }
}

/// Hands over the key that opens backups; it stays nowhere on this machine.
pub(super) fn show(key: &str, file: Option<&Path>, out: &mut dyn Write) -> anyhow::Result<()> {
    if let Some(file) = file {
        lock::write_private(file, key)?;
        let file = file.display();
        return Ok(writeln!(
            out,
            "The key that opens backups is in {file}: take it away from here."
        )?);
    }
    writeln!(out, "Backups open with this key alone, which is shown once and kept nowhere here.")?;
    Ok(writeln!(out, "Write it down and keep it away from this machine: {key}")?)
}

/// A certificate for the loopback as well: `serve` on the same machine is always reachable.
fn names(given: &[String]) -> Vec<String> {
    let mut names = given.to_vec();
    for local in ["localhost", "127.0.0.1", "::1"] {
        if !names.iter().any(|name| name == local) {
            names.push(local.to_owned());
        }
    }
    names
}
