//! Where the unit keeps its things: settings, data, models, programs.

use crate::unit::{Said, Unit, models, names, said};
use nix::unistd::{Uid, chown};
use rollcall_edge::doctor::Ailment as A;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

const NOBODY: u32 = 65_534;

#[test]
fn a_key_that_is_not_known_is_named_with_its_line() {
    let unit = Unit::new();
    assert!(unit.named(&["settings"]).is_empty());
    unit.write("min_fcae = 40", "[trigger.motion]");
    let output = unit.program(&["doctor"]);
    let page = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        page.contains("unknown field `min_fcae`") && page.contains("man rollcall-edge"),
        "{page}"
    );
    assert_eq!(unit.named(&["settings"]), [A::SettingsWrong.name()]);
}

#[test]
fn a_data_folder_that_is_not_there_is_to_be_made() {
    let missing = said(A::DataMissing, "is not there", "install -d");
    let missing = Said { also: &[A::IdentityMissing], ..missing };
    Unit::new().planted(|unit| fs::remove_dir_all(unit.data()).unwrap(), &missing);
}

#[test]
fn models_that_are_not_there_come_from_the_hub() {
    let said = said(A::ModelMissing, "is not complete", "models fetch");
    let none = |unit: &mut Unit| unit.write("models = \"none\"", "[trigger.motion]");
    Unit::of_models().planted(none, &said);
}

#[test]
fn a_model_that_changed_on_its_card_is_refused() {
    let said = said(A::ModelDamaged, "was changed or cut short", "it gets the hub's model");
    let spoil = |unit: &mut Unit| {
        let copy = unit.path("models");
        fs::create_dir(&copy).unwrap();
        for entry in fs::read_dir(models()).unwrap().flatten().filter(|e| e.path().is_file()) {
            fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
        }
        let path = copy.join("pnet.safetensors");
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::remove_file(&path).unwrap();
        fs::write(path, bytes).unwrap();
        unit.write("models = \"models\"", "[trigger.motion]");
    };
    Unit::of_models().planted(spoil, &said);
}

#[test]
fn a_program_of_the_hub_that_was_given_up_says_why() {
    let said = said(A::UpdateGivenUp, "0.9.0 was given up, and what ran before", "page Updates");
    let refuse = |unit: &mut Unit| {
        let why = "it was started three times and never proved itself";
        let book =
            format!("{{\"refused\": {{\"name\": \"0.9.0\", \"rollout\": 4, \"why\": {why:?}}}}}");
        fs::create_dir(unit.data().join("programs")).unwrap();
        fs::write(unit.data().join("programs/book.json"), book).unwrap();
    };
    Unit::new().planted(refuse, &said);
}

/// Whether it could be planted at all; says why not.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn is_root() -> bool {
    let is = Uid::effective().is_root();
    if !is {
        println!("skipped: only root can give a file away");
    }
    is
}

#[test]
fn a_file_of_somebody_else_is_found_and_given_back() {
    if is_root() {
        let said = said(A::OwnerOther, "outbox.db belongs to somebody else", "chown -R");
        let give = |unit: &mut Unit| {
            let path = unit.data().join("outbox.db");
            fs::write(&path, "").unwrap();
            chown(&path, Some(Uid::from_raw(NOBODY)), None).unwrap();
        };
        Unit::new().planted(give, &said);
    }
}

/// A unit whose data is of somebody else than root, who looks as that somebody.
fn of_nobody() -> Unit {
    let unit = Unit::new();
    fs::set_permissions(unit.path(""), Permissions::from_mode(0o755)).unwrap();
    if Uid::effective().is_root() {
        for path in [unit.data(), unit.data().join("identity.json")] {
            chown(&path, Some(Uid::from_raw(NOBODY)), None).unwrap();
        }
    }
    unit
}

#[test]
fn an_identity_that_the_daemon_may_not_read_is_told_from_one_that_is_damaged() {
    let unit = of_nobody();
    let named = unit.named(&["identity"]);
    assert!(!named.iter().any(|name| name.starts_with("identity")), "{named:?}");
    let path = unit.data().join("identity.json");
    if Uid::effective().is_root() {
        chown(&path, Some(Uid::from_raw(0)), None).unwrap();
    } else {
        fs::set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
    }
    let named = unit.named(&["identity"]);
    assert!(named.contains(&A::IdentityRefused.name().to_owned()), "{named:?}");
}

#[test]
fn a_data_folder_that_may_not_be_written_is_told_from_one_that_is_not_there() {
    let unit = of_nobody();
    let named = unit.named(&["data"]);
    assert!(!named.iter().any(|name| name.starts_with("data")), "{named:?}");
    fs::set_permissions(unit.data(), Permissions::from_mode(0o500)).unwrap();
    let named = unit.named(&["data"]);
    assert!(named.contains(&A::DataRefused.name().to_owned()), "{named:?}");
}

const QUICK: [&str; 4] = ["data", "owner", "disk", "gpio"];

/// The faults that the program names in a mount namespace of its own, after `plant`, in which $1
/// is the unit's folder; nothing where this system gives none.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn named_after(unit: &Unit, plant: &str) -> Option<Vec<String>> {
    let script = format!("set -e; cd \"$1\"; {plant}; shift; exec \"$@\"");
    let mut command = Command::new("unshare");
    let doctor = unit.command(&[&["doctor", "--json", "camera"], &QUICK[..]].concat());
    let here = if Uid::effective().is_root() { "-m" } else { "-rm" };
    command.args([here, "sh", "-c", &script, "sh"]).arg(unit.path(""));
    let output = command.arg(doctor.get_program()).args(doctor.get_args()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if said.contains("unshare") || said.contains("mount:") {
        println!("skipped: no mount namespace here: {said}");
        return None;
    }
    Some(names(&output))
}

/// The data moves onto a card of that size.
fn card(size: &str, then: &str) -> String {
    format!(
        "cp -a data kept; mount -t tmpfs -o size={size},mode=755 card data; cp kept/identity.json \
         data; rm -r kept; {then}"
    )
}

fn planted_in_a_namespace(plant: &str, of: A) {
    let unit = Unit::new();
    assert_eq!(unit.named(&QUICK), Vec::<String>::new());
    let Some(named) = named_after(&unit, plant) else { return };
    assert!(named.contains(&of.name().to_owned()), "{named:?}");
}

#[test]
fn a_card_that_is_read_only_is_told_from_one_that_may_not_be_written() {
    planted_in_a_namespace(&card("99m", "mount -o remount,ro data"), A::DataReadOnly);
}

#[test]
fn a_full_card_is_told_from_a_small_one() {
    let fill = "head -c 9m /dev/zero > data/fill 2> /dev/null || true";
    planted_in_a_namespace(&card("1m", fill), A::DataFull);
}

#[test]
fn a_card_on_which_an_outbox_has_too_little_room_says_how_much_it_needs() {
    planted_in_a_namespace(&card("99m", "true"), A::DiskShort);
}

#[test]
fn a_folder_of_root_where_there_is_a_user_for_the_daemon_is_given_to_it() {
    let user = "grep -v rollcall-edge /etc/passwd > passwd || true; \
                echo rollcall-edge:x:987:987::/:/bin/false >> passwd; mount --bind passwd /etc/passwd";
    planted_in_a_namespace(user, A::OwnerRoot);
}

/// A /dev of this machine's own devices and one more, which only root may open.
const DEV: &str = "mount -t tmpfs -o mode=755 dev /dev; mknod -m 666 /dev/null c 1 3; \
                   mknod -m 666 /dev/urandom c 1 9";

#[test]
fn a_camera_that_the_daemon_may_not_open_names_the_group() {
    if !is_root() {
        return;
    }
    let unit = of_nobody();
    let named = unit.named(&["camera"]);
    assert!(!named.iter().any(|name| name.starts_with("camera")), "{named:?}");
    unit.camera("kind = \"v4l2\"\ndevice = \"/dev/video0\"");
    let plant = format!("{DEV}; mknod -m 600 /dev/video0 c 81 0");
    let Some(named) = named_after(&unit, &plant) else { return };
    assert!(named.contains(&A::CameraRefused.name().to_owned()), "{named:?}");
}

#[test]
fn lines_of_a_pi_that_the_daemon_may_not_use_name_the_package() {
    if !is_root() {
        return;
    }
    let unit = of_nobody();
    unit.write(&format!("models = {:?}", models()), "[trigger.motion]\n[signal]\ngreen = 18");
    let pi = "printf 'Revision\\t: c03111\\n' > cpuinfo; \
              mount --bind cpuinfo /proc/cpuinfo";
    let plant = format!(
        "{DEV}; {pi}; mknod -m 600 /dev/gpiomem c 10 99; mknod -m 600 /dev/gpiochip0 c 10 98"
    );
    let Some(named) = named_after(&unit, &plant) else { return };
    assert!(named.contains(&A::GpioRefused.name().to_owned()), "{named:?}");
}
