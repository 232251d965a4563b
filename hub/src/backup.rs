//! Backups: a copy of the data that was opened and checked, and one of the keys, which lives
//! thirty days so that an erasure reaches every backup.
//!
//! Data first, then keys: every key that the copied data needs is older than the copy of the
//! keys. A restored hub begins a new life (`hub_epoch`), so that doors send their tail again.

use crate::config::{self, Config};
use crate::error::{Doing, Error};
use crate::keys::Keys;
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

/// Copies the hub while it runs, checks the copy, and destroys copies of keys that are over.
/// Blocking.
///
/// # Errors
/// When a disk refuses, or `Conflict` when the copy is not sound; then there is no new backup.
pub fn make(config: &Config, folder: &Path, keys: &Path, now: Wall) -> Result<Made, Error> {
    private(folder)?;
    private(keys)?;
    let name = stamp(now);
    let (keep, kept) = (folder.join(format!("hub-{name}.db")), keys.join(format!("keys-{name}")));
    let (part, keys_part) = (keep.with_extension("part"), kept.with_extension("part"));
    let copied = copy_data(config, &part).and_then(|found| {
        copy_keys(&config.data, &keys_part)?;
        Ok(found)
    });
    if copied.is_err() {
        let _not_begun = (fs::remove_file(&part), fs::remove_dir_all(&keys_part));
    }
    let (audited, reached) = copied?;
    let whole = |part: &Path, kept: &Path, folder: &Path| {
        fs::rename(part, kept).and_then(|()| sync(folder)).doing("keeping a backup")
    };
    whole(&keys_part, &kept, keys)?;
    whole(&part, &keep, folder)?;
    let bytes = fs::metadata(&keep).doing("measuring a backup")?.len();
    let destroyed = destroy_old(keys, now)?;
    Ok(Made { data: keep, keys: kept, bytes, audited, destroyed, reached })
}

/// Copies the data and checks the copy: rows of its audit chain, and how far its outboxes are.
fn copy_data(config: &Config, part: &Path) -> Result<(i64, Vec<backed_up::Reach>), Error> {
    file::copy(&config.database(), part)?;
    file::check(part)?;
    file::look_at_copy(part, |tx| Ok((audit::verify(tx)?.rows, backed_up::reached(tx)?)))
}

/// Copies the keys and opens the copy.
fn copy_keys(data: &Path, part: &Path) -> Result<(), Error> {
    let doing = "copying the keys";
    private(part)?;
    file::copy(&data.join("keys.db"), &part.join("keys.db"))?;
    for beside in BESIDE {
        fs::copy(data.join(beside), part.join(beside)).doing(doing)?;
    }
    for copied in fs::read_dir(part).doing(doing)? {
        let path = copied.doing(doing)?.path();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).doing(doing)?;
        fs::File::open(&path).and_then(|file| file.sync_all()).doing(doing)?;
    }
    Keys::open(part)?.signing()?;
    sync(part).doing(doing)
}

/// Destroys copies of keys that are older than [`KEYS_MS`].
fn destroy_old(keys: &Path, now: Wall) -> Result<usize, Error> {
    let mut destroyed = 0;
    for (name, path) in names(keys)? {
        if stamped(name.trim_end_matches(".part")).is_some_and(|at| at.plus_ms(KEYS_MS) <= now) {
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
    let (copy, secret) = (newest(folder, "hub-", ".db")?, newest(keys, "keys-", "Z")?);
    let database = database(data, &secret)?;
    let beside = BESIDE.iter().chain(&["keys.db"]);
    // A log without its database would be played into the new one.
    let log = PathBuf::from(format!("{}-wal", database.display()));
    let places = beside.clone().map(|name| data.join(name)).chain([database.clone(), log]);
    if let Some(there) = places.into_iter().find(|place| place.exists()) {
        let say = format!("{} is there: restore never overwrites", there.display());
        return Err(Error::Conflict(say));
    }
    file::check(&copy)?;
    private(data)?;
    for name in beside {
        let to = data.join(name);
        fs::copy(secret.join(name), &to).doing("restoring the keys")?;
        fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).doing("restoring the keys")?;
    }
    fs::copy(&copy, &database).doing("restoring the data")?;
    begin_anew(&database, actor, now).await?;
    sync(data).doing("restoring the data")?;
    Ok((copy, secret))
}

/// The newest copy in `folder` whose name begins and ends so.
fn newest(folder: &Path, begin: &str, end: &str) -> Result<PathBuf, Error> {
    let fits = |name: &str| name.starts_with(begin) && name.ends_with(end);
    let all = if folder.exists() { names(folder)? } else { vec![] };
    let found = all.into_iter().rev().find(|(name, _)| fits(name));
    let none = || Error::NotFound(format!("there is no backup in {}", folder.display()));
    found.map(|(_, path)| path).ok_or_else(none)
}

/// Where the hub in `data` will look for its database, by the settings that were kept.
fn database(data: &Path, secret: &Path) -> Result<PathBuf, Error> {
    let kept = fs::read_to_string(secret.join(config::FILE)).doing("reading the settings kept")?;
    let config = Config::read(data, &kept, &config::Vars::of_process());
    Ok(config.map_err(|why| Error::Invalid(why.to_string()))?.database())
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
