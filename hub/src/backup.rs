//! Backups: a copy of the data that was opened and checked, and one of the keys, which lives
//! thirty days so that an erasure reaches every backup.
//!
//! Data first, then keys: every key that the copied data needs is older than the copy of the
//! keys. A restored hub begins a new life (`hub_epoch`), so that doors send their tail again.

use crate::config;
use crate::error::{Doing, Error};
use crate::store::{self, Db, Tx, audit, backed_up, file};
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use wire::{Epoch, Wall};

const DAY_MS: i64 = 24 * 3600 * 1000;
/// Copies of keys are destroyed after this.
pub const KEYS_MS: i64 = 30 * DAY_MS;
/// By how much the releases of a restored hub outrun those that doors may have.
const JUMP: u64 = 100_000;
/// What belongs to the keys, besides `keys.db`.
const BESIDE: [&str; 4] = ["kek", "ca.pem", "server.pem", config::FILE];

/// A backup that was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Made {
    /// The copy of the data.
    pub data: PathBuf,
    /// The folder with the copy of the keys.
    pub keys: PathBuf,
    /// Bytes of the data.
    pub bytes: u64,
    /// Rows of the audit chain, which was walked in the copy.
    pub audited: i64,
    /// Copies of keys that were destroyed because their time was over.
    pub destroyed: usize,
    /// How far each outbox is in it.
    pub reached: Vec<backed_up::Reach>,
}

/// The moment as file names say it; they sort by time.
fn stamp(now: Wall) -> String {
    let at = jiff::Timestamp::from_millisecond(now.0).unwrap_or_default();
    at.strftime("%Y%m%dT%H%M%S%3fZ").to_string()
}

/// The moment that a name of ours holds.
fn stamped(name: &str) -> Option<Wall> {
    let text = name.strip_prefix("keys-")?.strip_suffix('Z')?;
    let (whole, ms) = text.split_at_checked(15)?;
    let at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%S", whole).ok()?;
    let at = at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond();
    Some(Wall(at + ms.parse::<i64>().ok()?))
}

/// Copies the hub in `data` while it runs, checks the copy, and destroys copies of keys that are
/// over. Blocking.
///
/// # Errors
/// When a disk refuses, or `Conflict` when the copy is not sound; then there is no new backup.
pub fn make(data: &Path, folder: &Path, keys: &Path, now: Wall) -> Result<Made, Error> {
    private(folder)?;
    private(keys)?;
    let (name, keep) = (stamp(now), folder.join(format!("hub-{}.db", stamp(now))));
    let part = folder.join(format!("hub-{name}.part"));
    file::copy(&data.join("hub.db"), &part)?;
    file::check(&part)?;
    let (audited, reached) =
        file::look_at_copy(&part, |tx| Ok((audit::verify(tx)?.rows, backed_up::reached(tx)?)))?;
    let kept = copy_keys(data, keys, &name)?;
    fs::rename(&part, &keep).and_then(|()| sync(folder)).doing("keeping a backup")?;
    let bytes = fs::metadata(&keep).doing("measuring a backup")?.len();
    let destroyed = destroy_old(keys, now)?;
    Ok(Made { data: keep, keys: kept, bytes, audited, destroyed, reached })
}

fn copy_keys(data: &Path, keys: &Path, name: &str) -> Result<PathBuf, Error> {
    let (kept, doing) = (keys.join(format!("keys-{name}")), "copying the keys");
    private(&kept)?;
    file::copy(&data.join("keys.db"), &kept.join("keys.db"))?;
    for beside in BESIDE {
        fs::copy(data.join(beside), kept.join(beside)).doing(doing)?;
    }
    for copied in fs::read_dir(&kept).doing(doing)? {
        let path = copied.doing(doing)?.path();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).doing(doing)?;
        fs::File::open(&path).and_then(|file| file.sync_all()).doing(doing)?;
    }
    sync(&kept).and_then(|()| sync(keys)).doing(doing)?;
    Ok(kept)
}

/// Destroys copies of keys that are older than [`KEYS_MS`].
fn destroy_old(keys: &Path, now: Wall) -> Result<usize, Error> {
    let mut destroyed = 0;
    for (name, path) in names(keys)? {
        if stamped(&name).is_some_and(|at| at.plus_ms(KEYS_MS) <= now) {
            fs::remove_dir_all(&path).doing("destroying an old copy of the keys")?;
            destroyed += 1;
        }
    }
    Ok(destroyed)
}

fn names(folder: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    let doing = format!("listing {}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).doing(&doing)? {
        let entry = entry.doing(&doing)?;
        found.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    found.sort();
    Ok(found)
}

fn private(folder: &Path) -> Result<(), Error> {
    let doing = format!("making {}", folder.display());
    fs::create_dir_all(folder).doing(&doing)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).doing(&doing)
}

fn sync(folder: &Path) -> std::io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

/// Tells the running hub what its backup holds, so that doors may let go of it.
///
/// # Errors
/// When the database fails.
pub async fn tell(db: &Db, made: &Made, actor: String, now: Wall) -> Result<(), Error> {
    let (reached, meta) = (made.reached.clone(), json!({ "bytes": made.bytes }));
    let write = move |tx: &Tx<'_>| {
        backed_up::put(tx, &reached, now)?;
        let (action, table, id) = ("backup", "setting", "backup");
        audit::add(tx, now, &audit::Entry { actor: &actor, action, table, id, meta })
    };
    db.write(write).await
}

/// Makes a hub in the empty folder `data` out of the newest backup of `folder` and the newest
/// keys of `keys`: keys that were erased since stay erased. Returns which copies it took.
///
/// # Errors
/// `Conflict` when there is a hub in `data` already or the copy is not sound; `NotFound` without
/// a backup.
pub async fn restore(
    folder: &Path,
    keys: &Path,
    data: &Path,
    actor: String,
    now: Wall,
) -> Result<(PathBuf, PathBuf), Error> {
    for name in BESIDE.iter().chain(&["hub.db", "hub.db-wal", "keys.db"]) {
        let there = data.join(name);
        if there.exists() {
            let say = format!("{} is there: restore never overwrites", there.display());
            return Err(Error::Conflict(say));
        }
    }
    let newest = |folder: &Path, begin: &str, end: &str| {
        let fits = |name: &str| name.starts_with(begin) && name.ends_with(end);
        let found = names(folder)?.into_iter().rev().find(|(name, _)| fits(name));
        let none = || Error::NotFound(format!("there is no backup in {}", folder.display()));
        found.map(|(_, path)| path).ok_or_else(none)
    };
    let (copy, secret) = (newest(folder, "hub-", ".db")?, newest(keys, "keys-", "Z")?);
    file::check(&copy)?;
    private(data)?;
    for name in BESIDE.iter().chain(&["keys.db"]) {
        let to = data.join(name);
        fs::copy(secret.join(name), &to).doing("restoring the keys")?;
        fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).doing("restoring the keys")?;
    }
    fs::copy(&copy, data.join("hub.db")).doing("restoring the data")?;
    begin_anew(&data.join("hub.db"), actor, now).await?;
    sync(data).doing("restoring the data")?;
    Ok((copy, secret))
}

/// A new life: doors send again what this hub may have lost, and take releases from it although
/// they may have had later ones.
async fn begin_anew(path: &Path, actor: String, now: Wall) -> Result<(), Error> {
    let (db, epoch) = (Db::open(path)?, Epoch(rand::random()));
    let write = move |tx: &Tx<'_>| {
        store::setting::set(tx, "hub_epoch", &epoch.to_string())?;
        let floor = store::release::newest_of_all(tx)?.saturating_add(JUMP);
        store::release::set_floor(tx, floor)?;
        store::device::all_offline(tx)?;
        let (action, table, id, meta) = ("restore", "setting", "hub_epoch", json!({}));
        audit::add(tx, now, &audit::Entry { actor: &actor, action, table, id, meta })
    };
    db.write(write).await
}

#[cfg(test)]
mod tests;
