//! `backup`, `restore`, `migrate`: the data as a whole.

use super::hub::{Hub, actor, now};
use acts::backup::{self, lock::BackupKey};
use acts::timekeeper;
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};
use store::{Database, Db};

/// Copy the data and the keys, while the hub runs; the copy is opened, checked and locked.
#[derive(Debug, Args)]
pub struct Backup {
    /// Where copies of the data go.
    folder: PathBuf,
    /// Where copies of the keys go, for 30 days: another medium is better.
    #[arg(long, value_name = "FOLDER", required_unless_present = "insecure_together")]
    keys: Option<PathBuf>,
    /// Let data and keys lie in one place: FOLDER/keys, if --keys says nothing else.
    #[arg(long)]
    insecure_together: bool,
}

impl Backup {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let Self { folder, keys, insecure_together } = self;
        let hub = Hub::open(data)?;
        let at = now();
        let keys = keys.unwrap_or_else(|| folder.join("keys"));
        if !insecure_together {
            backup::apart(&folder, &keys)?;
        }
        let config = hub.config;
        let leap = timekeeper::leap_at(&hub.db, at).await?;
        let make = move || backup::make(&config, (&folder, &keys), at, leap.as_ref());
        let made = tokio::task::spawn_blocking(make).await??;
        backup::tell(&hub.db, &made, actor(), at).await?;
        writeln!(out, "{} ({} bytes) is whole: checked.", made.data.display(), made.bytes)?;
        writeln!(out, "The keys to it are in {}, for 30 days.", made.keys.display())?;
        match made.destroyed {
            Some((keys, data)) => {
                writeln!(out, "Older copies destroyed: {keys} of keys, {data} of data.")?;
            }
            None => {
                writeln!(out, "The clock leapt, so older copies stay: rollcall-hub clock show")?;
            }
        }
        if made.same_disk {
            writeln!(out, "It lies on the disk of the data and is lost with it: use another one.")?;
        }
        Ok(())
    }
}

/// Make a hub out of the newest backup, where there is none.
#[derive(Debug, Args)]
pub struct Restore {
    /// Where copies of the data are.
    folder: PathBuf,
    /// Where copies of the keys are. Default FOLDER/keys.
    #[arg(long, value_name = "FOLDER")]
    keys: Option<PathBuf>,
    /// The file with the key that opens backups, as `init` gave it.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
}

impl Restore {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let keys = self.keys.unwrap_or_else(|| self.folder.join("keys"));
        let key = self.identity.as_deref().map(BackupKey::read).transpose()?;
        let copies = (self.folder.as_path(), keys.as_path());
        let (from, secret) = backup::restore(copies, key.as_ref(), data, actor(), now()).await?;
        writeln!(out, "{} is made of", data.display())?;
        writeln!(out, "  {}\n  {}", from.display(), secret.display())?;
        writeln!(out, "Whoever was signed in signs in again.")?;
        writeln!(out, "Whose password changed since needs a new one: rollcall-hub user password")?;
        Ok(writeln!(out, "Start it: doors send again what came after that backup.")?)
    }
}

/// Bring the database up to date; `serve` does it too.
#[derive(Debug, Args)]
pub struct Migrate {
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

impl Migrate {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let place = config::Config::load(data)?.database();
        place.there()?;
        let (applied, newest) = place.schema()?;
        if applied == newest {
            return Ok(writeln!(out, "The database is at version {newest}: nothing to do.")?);
        }
        if self.dry_run {
            return Ok(writeln!(out, "{place} would go from version {applied} to {newest}.")?);
        }
        drop(Db::open(&place)?);
        writeln!(out, "{place} went from version {applied} to {newest}.")?;
        if let Database::File(path) = &place {
            let (path, next) = (path.display(), applied + 1);
            writeln!(
                out,
                "As it was it is kept in {path}.before-v{next}, until retention takes it."
            )?;
        }
        Ok(())
    }
}
