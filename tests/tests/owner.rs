//! Root types the commands of a door whose data belongs to another user, as behind `sudo`: what
//! they leave behind is that user's, or the daemon could not read it.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may stop, and says so")]

use house::school::{Door, School, wall};
use nix::unistd::{Uid, chown};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

const NOBODY: u32 = 65_534;
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn what_root_does_at_a_door_belongs_to_the_owner_of_its_data() {
    if !Uid::effective().is_root() {
        println!("skipped: only root can act as somebody else");
        return;
    }
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let school = School::found(dir.path()).unwrap();
    let mut hub = school.open().unwrap();
    let data = dir.path().join("door-1/data");
    fs::create_dir_all(&data).unwrap();
    give(&data, NOBODY);
    let door = school.door("door-1", &wall(dir.path()).unwrap()).unwrap();
    with_readable_models(door.config());
    let edge = door.open().unwrap();
    hub.until("the door", LIMIT, || door.status().ok()).unwrap();
    let identity = fs::metadata(data.join("identity.json")).unwrap();
    assert_eq!((identity.uid(), identity.mode() & 0o777), (NOBODY, 0o600));
    assert_eq!(fs::metadata(format!("/proc/{}", edge.id())).unwrap().uid(), NOBODY);
    let said = doctor(&door);
    assert!(said.contains("ok     owner:"), "{said}");
    edge.stop().unwrap();
    give(&data.join("identity.json"), 0);
    let said = doctor(&door);
    assert!(said.contains("FAULT  owner:") && said.contains("chown -R"), "{said}");
    let picture = dir.path().join("door-1/seen.jpg");
    let out = picture.display().to_string();
    let _ = door.edge(&["snap", "--out", &out]).unwrap();
    let written = fs::metadata(&picture).unwrap();
    assert!(written.uid() == 0 && written.len() > 1_000, "it lies where root asked for it");
}

fn give(path: &Path, user: u32) {
    chown(path, Some(Uid::from_raw(user)), None).unwrap();
}

fn doctor(door: &Door) -> String {
    String::from_utf8(door.command(&["doctor"]).output().unwrap().stdout).unwrap()
}

/// The models of this checkout may lie where only root may look.
fn with_readable_models(config: &Path) {
    let copy = config.with_file_name("models");
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(house::models()).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
        }
    }
    let text = fs::read_to_string(config).unwrap();
    let moved = text.replace(&format!("{:?}", house::models()), &format!("{copy:?}"));
    assert_ne!(moved, text);
    fs::write(config, moved).unwrap();
}
