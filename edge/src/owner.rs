//! Whose files they are: a command that root types acts as the owner of the data folder.
//!
//! Else the daemon could not read what `sudo rollcall-edge join` wrote, nor write into a folder
//! that `sudo rollcall-edge snap` made; and `doctor` would find all well where the daemon is
//! refused. `rollcall-edge run` does it too, so that it is never root for long. Whoever is neither
//! root nor that owner is told so before anything is tried.

use nix::unistd::{Gid, Uid, User, chown, initgroups, setgid, setgroups, setuid};
use rustix::fs::{Access, access};
use rustix::io::Errno;
use std::fs::{DirBuilder, symlink_metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// The user whom `systemd/rollcall-edge.sysusers` makes for the daemon.
pub const USER: &str = "rollcall-edge";

/// The data folder could not be made, or root could not become its owner.
#[derive(Debug, thiserror::Error)]
#[error("the data folder {} cannot be used: {why}{}", data.display(), hint(why))]
pub struct OwnerError {
    data: PathBuf,
    why: io::Error,
}

fn hint(why: &io::Error) -> &'static str {
    let is_refused = why.kind() == io::ErrorKind::PermissionDenied;
    if is_refused { "; type the command with sudo" } else { "" }
}

impl OwnerError {
    fn new(data: &Path, why: io::Error) -> Self {
        Self { data: data.to_owned(), why }
    }
}

/// Whoever typed a command is neither root nor the owner of the data folder.
#[derive(Debug, thiserror::Error)]
#[error(
    "only root and {owner}, who owns {}, may do that: type sudo rollcall-edge {verb}",
    data.display()
)]
pub struct StrangerError {
    data: PathBuf,
    owner: String,
    verb: &'static str,
}

impl StrangerError {
    /// They typed `verb` at the door whose data folder is `data`.
    #[must_use]
    pub fn new(data: &Path, verb: &'static str) -> Self {
        let folder = std::fs::metadata(data);
        let user = folder.ok().and_then(|folder| User::from_uid(folder.uid().into()).ok()?);
        let owner = user.map_or_else(|| "the user".to_owned(), |user| format!("“{}”", user.name));
        Self { data: data.to_owned(), owner, verb }
    }
}

/// Whether this process may use the folder `data` as its owner does; `verb` is what it is to do.
/// A folder that is not there, or lies on a disk that is only read, is not told here.
///
/// # Errors
/// When it may not.
pub fn permit(data: &Path, verb: &'static str) -> Result<(), StrangerError> {
    // What the owner may not do is the folder's own fault, and told by whoever finds it.
    if symlink_metadata(data).is_ok_and(|of| of.uid() == Uid::effective().as_raw()) {
        return Ok(());
    }
    let is_refused = |how: Access| access(data, how) == Err(Errno::ACCESS);
    // Of a disk that is only read the second says nothing of permissions.
    if is_refused(Access::READ_OK | Access::EXEC_OK) || is_refused(Access::WRITE_OK) {
        return Err(StrangerError::new(data, verb));
    }
    Ok(())
}

/// Makes the folder `data` where there is none; root makes it for the daemon's user, if there is
/// one.
///
/// # Errors
/// When the system refuses.
pub fn provide(data: &Path) -> Result<(), OwnerError> {
    let make = || {
        if let Some(above) = data.parent() {
            std::fs::create_dir_all(above)?;
        }
        DirBuilder::new().mode(0o750).create(data)?;
        match User::from_name(USER)? {
            Some(user) if Uid::effective().is_root() => {
                Ok(chown(data, Some(user.uid), Some(user.gid))?)
            }
            _ => Ok(()),
        }
    };
    if data.exists() { Ok(()) } else { make().map_err(|why| OwnerError::new(data, why)) }
}

/// Becomes the owner of the folder `data`, for good, if this process is root's and the folder is
/// there and is not.
///
/// # Errors
/// When the system refuses.
pub fn act(data: &Path) -> Result<(), OwnerError> {
    let Ok(folder) = std::fs::metadata(data) else { return Ok(()) };
    let (user, group) = (Uid::from_raw(folder.uid()), Gid::from_raw(folder.gid()));
    if user.is_root() || !Uid::effective().is_root() {
        return Ok(());
    }
    turn_into(user, group).map_err(|why| OwnerError::new(data, why))
}

/// The order matters: whoever is no longer root may not change groups.
fn turn_into(user: Uid, group: Gid) -> io::Result<()> {
    match User::from_uid(user)? {
        // With the groups of its own, which own camera and GPIO.
        Some(known) => {
            let name = std::ffi::CString::new(known.name)?;
            initgroups(&name, known.gid)?;
            setgid(known.gid)?;
        }
        None => {
            setgroups(&[group])?;
            setgid(group)?;
        }
    }
    setuid(user)?;
    Ok(())
}

/// Whether the folder `data` is root's, although there is a user for the daemon.
#[must_use]
pub fn is_roots(data: &Path) -> bool {
    let is_root = std::fs::metadata(data).is_ok_and(|folder| folder.uid() == 0);
    is_root && User::from_name(USER).is_ok_and(|user| user.is_some())
}

/// What lies in `data`, folders opened, and is not its owner's; at most ten.
///
/// # Errors
/// When a folder cannot be read.
pub fn strange(data: &Path) -> io::Result<Vec<PathBuf>> {
    let owner = std::fs::metadata(data)?.uid();
    let (mut folders, mut found) = (vec![data.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            // What vanished meanwhile is nobody's, and this folder is the file system's.
            let Ok(meta) = symlink_metadata(&path) else { continue };
            if path == data.join("lost+found") {
                continue;
            }
            if meta.uid() != owner {
                found.push(path);
            } else if meta.is_dir() {
                folders.push(path);
            }
            if found.len() == 10 {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn only_the_folder_itself_is_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("a/b");
        provide(&data).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&data), 0o750);
        assert_ne!(mode(&folder.path().join("a")) & 0o005, 0, "whoever owns it must get there");
    }

    #[test]
    fn whoever_is_refused_reads_what_to_type() {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            permit(folder.path(), "run").is_ok() && permit(Path::new("/no/such"), "run").is_ok()
        );
        let said = StrangerError::new(Path::new("/no/such"), "join").to_string();
        assert!(said.contains("/no/such") && said.ends_with("sudo rollcall-edge join"), "{said}");
        let refused = OwnerError::new(folder.path(), io::ErrorKind::PermissionDenied.into());
        let full = OwnerError::new(folder.path(), io::ErrorKind::StorageFull.into());
        assert!(refused.to_string().contains("with sudo") && !full.to_string().contains("sudo"));
    }

    #[test]
    #[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
    fn what_belongs_to_another_is_found_however_deep_it_lies() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("gallery/old")).unwrap();
        fs::write(folder.path().join("gallery/old/4"), "").unwrap();
        assert_eq!(strange(folder.path()).unwrap(), Vec::<PathBuf>::new());
        if !Uid::effective().is_root() {
            println!("skipped: only root can give a file away");
            return;
        }
        let file = folder.path().join("gallery/old/5");
        fs::write(&file, "").unwrap();
        chown(&file, Some(Uid::from_raw(65_534)), None).unwrap();
        assert_eq!(strange(folder.path()).unwrap(), [file]);
    }
}
