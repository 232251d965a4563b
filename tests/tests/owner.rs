//! Root types the commands of a door whose data belongs to another user, as behind `sudo`: what
//! they leave behind is that user's, or the daemon could not read it. A stranger reads what to type.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may stop, and says so")]

use house::school::{Door, School, wall};
use nix::unistd::{Uid, chown};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

const NOBODY: u32 = 65_534;
const STRANGER: u32 = 65_533;
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
    let second = door.edge(&["run"]).unwrap_err().to_string();
    assert!(second.contains("another daemon works in") && door.status().is_ok(), "{second}");
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

#[test]
fn a_stranger_reads_what_to_type_and_spends_no_token() {
    if !Uid::effective().is_root() {
        println!("skipped: only root can act as somebody else");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let school = School::found(dir.path()).unwrap();
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let _hub = school.open().unwrap();
    let unit = school.blank("unit", &wall(dir.path()).unwrap()).unwrap();
    fs::create_dir(unit.data()).unwrap();
    fs::set_permissions(unit.data(), Permissions::from_mode(0o750)).unwrap();
    give(&unit.data(), NOBODY);
    // This checkout may lie where only root may look.
    let program = dir.path().join("rollcall-edge");
    fs::copy(house::bin("rollcall-edge"), &program).unwrap();
    let said = school.hub(&["device", "add", "door-1", "--room", "Room 1"]).unwrap();
    let join = said.lines().find_map(|line| line.split_once("rollcall-edge ")).unwrap().1;
    for line in ["run", "doctor", "status", "snap", "replay /tmp", join] {
        let Output { status, stderr, .. } = typed(&program, STRANGER, unit.config(), line);
        let verb = line.split(' ').next().unwrap();
        let said = String::from_utf8(stderr).unwrap();
        assert!(
            !status.success() && said.contains(&format!("sudo rollcall-edge {verb}")),
            "{said}"
        );
    }
    assert!(typed(&program, NOBODY, unit.config(), join).status.success(), "its owner may");
    assert_eq!(fs::metadata(unit.data().join("identity.json")).unwrap().uid(), NOBODY);
}

fn typed(program: &Path, user: u32, config: &Path, line: &str) -> Output {
    let mut command = Command::new(program);
    command.args(line.split_whitespace()).arg("--config").arg(config);
    command.uid(user).gid(user).output().unwrap()
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
