//! The hub recognises by another model pack: a door that has only its own gets the other from
//! the hub, checked, and works by its own one until then.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use house::packs::{OTHER, two};
use house::portraits;
use house::process::Process;
use house::school::{Door, School};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(90);
const BROKEN: &str = "dlib_resnet_v1.safetensors";

/// A school whose hub has two packs: the usual one, and the same networks under another id.
struct Site {
    school: School,
    models: PathBuf,
}

impl Site {
    fn new(dir: &Path) -> Self {
        let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
        let models = dir.join("models");
        two(&models).unwrap();
        let school = School::found(dir).unwrap().with_models(models.clone());
        Self { school, models }
    }

    fn hub(&self, args: &[&str]) {
        self.school.hub(args).unwrap();
    }

    fn open(&self) -> Process {
        self.school.open().unwrap()
    }

    /// What the hub knows of the door.
    fn door(&self) -> serde_json::Value {
        self.school.admin().unwrap().get("/api/devices/door-1").unwrap()
    }
}

fn status(door: &Door, edge: &mut Process, what: &str, key: &str, is: impl Fn(&str) -> bool) {
    let right = || {
        let status = door.status().ok()?;
        is(&status[key].as_str().map_or_else(|| status[key].to_string(), str::to_owned))
            .then_some(())
    };
    edge.until(what, LIMIT, right).unwrap();
}

#[test]
fn a_door_takes_the_hubs_model_and_only_whole() {
    let dir = tempfile::tempdir().unwrap();
    let site = Site::new(dir.path());
    let photo = portraits().join("obama.jpg").display().to_string();
    site.hub(&["student", "add", "S-1", "First", "Person"]);
    site.hub(&["enrol", "S-1", &photo, "--consent-by", "test"]);
    site.hub(&["enrol", "S-1", &photo, "--pack", "other"]);
    let hub = site.open();
    let stream = format!("while cat {:?}; do sleep 0.2; done", portraits().join("obama2.jpg"));
    let camera = format!(
        "[camera]\nkind = \"command\"\ncommand = [\"sh\", \"-c\", {stream:?}]\n\
         [gallery]\nkey = \"disk\"\n"
    );
    let door = site.school.door("door-1", &camera).unwrap();
    let mut edge = door.open().unwrap();
    status(&door, &mut edge, "the gallery", "people", |people| people == "1");
    edge.stop().unwrap();

    // The hub recognises by the other pack from now on; on the way to doors it is damaged.
    hub.stop().unwrap();
    site.hub(&["models", "use", "other"]);
    let hub = site.open();
    let whole = site.models.join(BROKEN);
    let broken = site.models.join("packs/other").join(BROKEN);
    let mut bytes = fs::read(&whole).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::remove_file(&broken).unwrap();
    fs::write(&broken, bytes).unwrap();
    let mut edge = door.open().unwrap();
    status(&door, &mut edge, "the refusal", "gallery_trouble", |why| {
        why.contains("failed its check")
    });
    let before = door.status().unwrap();
    assert!(before["people"] == 1 && before["model"] != OTHER, "the old one is kept: {before}");
    let told = || site.door()["trouble"].as_str()?.contains("failed its check").then_some(());
    edge.until("the hub's word of it", LIMIT, told).unwrap();
    let said = door.command(&["doctor"]).output().unwrap();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("FAULT  gallery") && said.contains("is kept in use"), "{said}");

    // Whole again, it is taken, and a passage by it reaches the desk.
    fs::remove_file(&broken).unwrap();
    symlink(&whole, &broken).unwrap();
    status(&door, &mut edge, "the other model", "model", |model| model == OTHER);
    let after = door.status().unwrap();
    assert!(after["gallery"].as_u64() > before["gallery"].as_u64(), "{after}");
    assert_eq!((&after["people"], &after["gallery_trouble"]), (&1.into(), &"".into()));
    door.edge(&["snap"]).unwrap();
    let api = site.school.admin().unwrap();
    let card = || {
        let cards = api.get("/api/attendance/pending").ok()?;
        (cards[0]["predicted_student_id"] == "S-1").then_some(())
    };
    edge.until("the record", LIMIT, card).unwrap();
    assert_eq!(site.door()["model_id"], OTHER);

    // It stays after a restart, without the hub.
    edge.stop().unwrap();
    hub.stop().unwrap();
    let mut edge = door.open().unwrap();
    status(&door, &mut edge, "the gallery without a hub", "people", |people| people == "1");
    assert_eq!(door.status().unwrap()["model"], OTHER);
}
