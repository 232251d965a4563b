//! Backups: a copy of the data that was opened and checked, and one of the keys, which lives
//! thirty days so that an erasure reaches every backup.
//!
//! Both are locked with a public key whose other half is on no disk of this machine: whoever copies them holds nothing.
//!
//! Data first, then keys: every key that the copied data needs is older than the copy of the
//! keys. A restored hub begins a new life (`hub_epoch`), so that doors send their tail again.

pub mod lock;
mod old;

use crate::pki::{PAPERS, Pki};
use config::{self, Config};
use lock::{BackupKey, Lock};
use old::stamp;
use rules::clock::Leap;
use rules::error::{Doing, Error};
use serde_json::json;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use store::keys::Keys;
use store::{Database, Db, Tx, audit, backed_up, file, transfer};
use wire::{Epoch, Wall};

const DAY_MS: i64 = 24 * 3600 * 1000;
/// Copies of keys are destroyed after this.
pub const KEYS_MS: i64 = 30 * DAY_MS;
/// By how much the releases of a restored hub outrun those that doors may have.
const JUMP: u64 = 100_000;
/// What belongs to the keys, besides `keys.db`: those that are there.
const BESIDE: [&str; 4] = ["ca.pem", "server.pem", config::FILE, lock::FILE];
/// The key store and what it is wrapped with.
const OWN: [&str; 2] = ["keys.db", "kek"];
/// What may be left of a backup or a restore that was cut short, in the data directory.
const WORK: &str = "backup-";

/// A backup that was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackupMade {
    /// The copy of the data.
    pub data: PathBuf,
    /// The copy of the keys.
    pub keys: PathBuf,
    /// Whether it lies on the disk of the data: lost with it.
    pub same_disk: bool,
    /// Bytes of the data.
    pub bytes: u64,
    /// Rows of the audit chain, which was walked in the copy.
    pub audited: i64,
    /// Copies of keys and of data that were destroyed because their time was over; nothing while
    /// nobody knows what time it is.
    pub destroyed: Option<(usize, usize)>,
    /// How far each outbox is in it.
    pub reached: Vec<backed_up::BackupReach>,
}

/// Refuses one place for data and keys: whoever finds it needs one more secret only.
///
/// # Errors
/// `Conflict` when one of the folders lies in the other.
pub fn apart(folder: &Path, keys: &Path) -> Result<(), Error> {
    let real = |folder: &Path| {
        private(folder)?;
        folder.canonicalize().doing("looking where a folder is")
    };
    let data = real(folder)?;
    let keys = real(keys)?;
    if data.starts_with(&keys) || keys.starts_with(&data) {
        let why = "data and keys would lie in one place: name another folder with --keys, on \
                   another medium, or say --insecure-together";
        return Err(Error::Conflict(why.into()));
    }
    Ok(())
}

/// Copies the hub while it runs, checks the copy, locks it, and destroys copies that are over,
/// unless the clock has made a `leap`. Blocking.
///
/// # Errors
/// When a disk refuses, or `Conflict` when the copy is not sound or there is nothing to lock it
/// with; then there is no new backup.
pub fn make(
    config: &Config,
    (folder, keys): (&Path, &Path),
    now: Wall,
    leap: Option<&Leap>,
) -> Result<BackupMade, Error> {
    let lock = Lock::read(&config.data)?;
    private(folder)?;
    private(keys)?;
    let name = stamp(now);
    let keep = folder.join(format!("hub-{name}.db.age"));
    let kept = keys.join(format!("keys-{name}.age"));
    let part = beside(&keep);
    let keys_part = beside(&kept);
    let work = config.data.join(format!("{WORK}{name}.part"));
    let copied = private(&work).and_then(|()| {
        let found = copy_data(config, &lock, &work, &part)?;
        copy_keys(config, &lock, &work, &keys_part)?;
        Ok(found)
    });
    forget(&work);
    if copied.is_err() {
        let _not_begun = (fs::remove_file(&part), fs::remove_file(&keys_part));
    }
    let (audited, reached) = copied?;
    let whole = |part: &Path, kept: &Path, folder: &Path| {
        fs::rename(part, kept).and_then(|()| sync(folder)).doing("keeping a backup")
    };
    whole(&keys_part, &kept, keys)?;
    whole(&part, &keep, folder)?;
    let bytes = fs::metadata(&keep).doing("measuring a backup")?.len();
    let same_disk = disk(beside_data(config))? == disk(folder.to_owned())?;
    let destroyed = match leap {
        None => Some(destroy_old(config, folder, keys, now)?),
        Some(_) => None,
    };
    Ok(BackupMade { data: keep, keys: kept, same_disk, bytes, audited, destroyed, reached })
}

/// Removes copies in the clear; what opens keys is written over first.
fn forget(work: &Path) {
    for name in ["keys/kek", "keys/keys.db"] {
        let _not_there = store::keys::overwrite(&work.join(name));
    }
    let _not_there = fs::remove_dir_all(work);
}

/// Where a copy is until it is whole.
fn beside(kept: &Path) -> PathBuf {
    PathBuf::from(format!("{}.part", kept.display()))
}

/// What is on the disk whose loss takes the school: its data, or the keys to what a server has.
fn beside_data(config: &Config) -> PathBuf {
    match config.database() {
        Database::File(path) => path,
        Database::Server(_) => config.data.clone(),
    }
}

/// Which disk, or part of one, a file lies on.
fn disk(path: PathBuf) -> Result<u64, Error> {
    Ok(fs::metadata(path).doing("looking which disk a file lies on")?.dev())
}

/// Copies the data, checks the copy, and locks it: rows of its audit chain, and how far its
/// outboxes are.
fn copy_data(
    config: &Config,
    lock: &Lock,
    work: &Path,
    part: &Path,
) -> Result<(i64, Vec<backed_up::BackupReach>), Error> {
    let copy = work.join("hub.db");
    transfer::copy(&config.database(), &copy)?;
    file::check(&copy)?;
    let found =
        file::look_at_copy(&copy, |tx| Ok((audit::verify(tx)?.rows, backed_up::reached(tx)?)))?;
    lock.seal(&mut fs::File::open(&copy).doing("locking the copy of the data")?, part)?;
    Ok(found)
}

/// Copies the keys, opens the copy, and locks it.
fn copy_keys(config: &Config, lock: &Lock, work: &Path, part: &Path) -> Result<(), Error> {
    let doing = "copying the keys";
    let data = &config.data;
    let copy = work.join("keys");
    private(&copy)?;
    let keys = Keys::open(config.keys())?;
    // What is being replaced meanwhile would be copied without its key.
    let alone = Pki::open(&keys)?.alone(&keys)?;
    keys.copy(&copy)?;
    // Those beside the settings are of the day on which the keys were shared.
    let shared = if keys.is_shared() { &PAPERS[..] } else { &[] };
    for name in shared {
        fs::write(copy.join(name), keys.paper(name)?).doing(doing)?;
    }
    let beside = BESIDE.into_iter().filter(|name| !shared.contains(name));
    for name in beside.filter(|name| data.join(name).exists()) {
        fs::copy(data.join(name), copy.join(name)).doing(doing)?;
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(copy.join(name), private).doing(doing)?;
    }
    drop(alone);
    let keys = Keys::open_copy(&copy)?;
    keys.signing()?;
    Pki::open(&keys)?;
    let mut all = tar::Builder::new(Vec::new());
    all.append_dir_all(".", &copy).doing(doing)?;
    let all = zeroize::Zeroizing::new(all.into_inner().doing(doing)?);
    lock.seal(&mut all.as_slice(), part)
}

/// Destroys copies of keys that are older than [`KEYS_MS`], those of the data that the settings
/// say are old, and what was left half done.
fn destroy_old(
    config: &Config,
    folder: &Path,
    keys: &Path,
    now: Wall,
) -> Result<(usize, usize), Error> {
    old::destroy(&config.data, WORK, 0, false, now)?;
    let gone = old::destroy(keys, "keys-", KEYS_MS, false, now)?;
    let lives = i64::from(config.backup_days) * DAY_MS;
    Ok((gone, old::destroy(folder, "hub-", lives, true, now)?))
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

/// Tells the running hub where its newest backup is, and what it holds, so that doors may let go
/// of it; what would be lost with the hub's own disk they keep.
pub async fn tell(db: &Db, made: &BackupMade, actor: String, now: Wall) -> Result<(), Error> {
    let reached = made.reached.clone();
    let meta = json!({ "bytes": made.bytes });
    let newest = backed_up::Newest {
        at: now,
        place: made.data.parent().unwrap_or(Path::new("")).display().to_string(),
        same_disk: made.same_disk,
    };
    let write = move |tx: &Tx<'_>| {
        if !newest.same_disk {
            backed_up::put(tx, &reached, now)?;
        }
        backed_up::remember(tx, &newest)?;
        let action = "backup";
        let table = "setting";
        let id = "backup";
        audit::add(tx, now, &audit::AuditEntry { actor: &actor, action, table, id, meta })
    };
    db.write(write).await
}

/// Makes a hub in the empty folder `data` out of the newest backup of `folder` and the newest
/// keys of `keys`, opened with `key`: keys that were erased since stay erased. Returns which
/// copies it took.
///
/// # Errors
/// `Conflict` when there is a hub in `data` already or the copy is not sound; `NotFound` without
/// a backup; `Invalid` without its key.
pub async fn restore(
    (folder, keys): (&Path, &Path),
    key: Option<&BackupKey>,
    data: &Path,
    actor: String,
    now: Wall,
) -> Result<(PathBuf, PathBuf), Error> {
    let copy = newest(folder, "hub-")?;
    let secret = newest(keys, "keys-")?;
    refuse_over(
        BESIDE.iter().chain(&OWN).chain(&["kek.sealed", "hub.db"]).map(|name| data.join(name)),
    )?;
    let new = !data.exists();
    let work = data.join(format!("{WORK}{}.part", stamp(now)));
    let laid = lay_out((&copy, &secret), key, (data, &work));
    let _copies = fs::remove_dir_all(&work);
    if laid.is_err() && new {
        let _nothing_half_made = fs::remove_dir(data);
    }
    begin_anew(&laid?, actor, now).await?;
    sync(data).doing("restoring the data")?;
    Ok((copy, secret))
}

/// Opens both copies in `work`, checks them, and puts them in their places: where the database is.
fn lay_out(
    (copy, secret): (&Path, &Path),
    key: Option<&BackupKey>,
    (data, work): (&Path, &Path),
) -> Result<Database, Error> {
    private(data)?;
    private(work)?;
    let keys = work.join("keys");
    let whole = work.join("hub.db");
    let doing = "restoring the keys";
    unpack(secret, key, &keys)?;
    let database = database(data, &keys)?;
    if let Database::Server(_) = &database {
        database.empty()?;
    }
    if let Database::File(path) = &database {
        // A log without its database would be played into the new one.
        let log = PathBuf::from(format!("{}-wal", path.display()));
        refuse_over([path.clone(), log].into_iter())?;
    }
    let mut file = fs::File::create(&whole).doing("restoring the data")?;
    std::io::copy(&mut opened(copy, key)?, &mut file).doing("restoring the data")?;
    file::check(&whole)?;
    for name in BESIDE.iter().chain(&OWN).filter(|name| keys.join(name).exists()) {
        let to = data.join(name);
        fs::copy(keys.join(name), &to).doing(doing)?;
        fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).doing(doing)?;
    }
    match &database {
        Database::File(path) => drop(fs::copy(&whole, path).doing("restoring the data")?),
        server => {
            let whole = Database::File(whole);
            // As old as it may be, it is brought to what this program knows first.
            drop(Db::open(&whole)?);
            transfer::fill(&whole, server, &mut |_| ())?;
        }
    }
    Ok(database)
}

/// What a copy holds; one of before backups were locked is not.
fn opened(copy: &Path, key: Option<&BackupKey>) -> Result<Box<dyn Read>, Error> {
    if copy.extension() != Some("age".as_ref()) {
        let file = fs::File::open(copy).doing(&format!("reading {}", copy.display()))?;
        return Ok(Box::new(file));
    }
    let name = copy.display();
    let say = || Error::Invalid(format!("{name} is locked: name its private key with --identity"));
    Ok(Box::new(key.ok_or_else(say)?.open(copy)?))
}

/// The keys in `secret`, a locked file or a folder of before.
fn unpack(secret: &Path, key: Option<&BackupKey>, to: &Path) -> Result<(), Error> {
    let doing = "restoring the keys";
    private(to)?;
    if secret.is_dir() {
        for (name, path) in names(secret)? {
            fs::copy(path, to.join(name)).doing(doing)?;
        }
        return Ok(());
    }
    let mut all = tar::Archive::new(opened(secret, key)?);
    all.unpack(to).doing(doing)
}

fn refuse_over(mut places: impl Iterator<Item = PathBuf>) -> Result<(), Error> {
    match places.find(|place| place.exists()) {
        None => Ok(()),
        Some(there) => {
            Err(Error::Conflict(format!("{} is there: restore never overwrites", there.display())))
        }
    }
}

/// The newest whole copy in `folder` whose name begins so.
fn newest(folder: &Path, begin: &str) -> Result<PathBuf, Error> {
    let fits = |name: &str| old::stamped(name, begin).is_some() && !name.ends_with(".part");
    let all = if folder.exists() { names(folder)? } else { vec![] };
    let found = all.into_iter().rev().find(|(name, _)| fits(name));
    let none = || Error::NotFound(format!("there is no backup in {}", folder.display()));
    found.map(|(_, path)| path).ok_or_else(none)
}

/// Where the hub in `data` will look for its database, by the settings that were kept.
fn database(data: &Path, secret: &Path) -> Result<Database, Error> {
    let kept = fs::read_to_string(secret.join(config::FILE)).doing("reading the settings kept")?;
    let config = Config::read(data, &kept, &config::Vars::of_process());
    Ok(config.map_err(|why| Error::Invalid(why.to_string()))?.database())
}

/// A new life: doors send again what this hub may have lost, and take releases from it although
/// they may have had later ones.
///
/// Whoever was signed in when the backup was made signs in again,
/// and doors and programs get new tokens: some of them ended or were used since.
async fn begin_anew(place: &Database, actor: String, now: Wall) -> Result<(), Error> {
    let db = Db::open(place)?;
    let epoch = Epoch(rand::random());
    let write = move |tx: &Tx<'_>| {
        store::setting::set(tx, "hub_epoch", &epoch.to_string())?;
        let floor = store::release::newest_of_all(tx)?.saturating_add(JUMP);
        store::release::set_floor(tx, floor)?;
        store::device::all_offline(tx)?;
        store::login::end_everybody(tx, now)?;
        store::device::capture_token::end_everywhere(tx, now)?;
        store::device::end_tokens(tx)?;
        let action = "restore";
        let table = "setting";
        let id = "hub_epoch";
        let meta = json!({});
        audit::add(tx, now, &audit::AuditEntry { actor: &actor, action, table, id, meta })
    };
    db.write(write).await
}

#[cfg(test)]
mod tests;
