//! The whole house under test: the real programs as processes, and what watches them.
//!
//! Everything here talks to the programs as their users do: command lines, files, HTTPS, MQTT.
//! Ports are found free, folders are temporary, and what was started is killed on drop.

pub mod client;
pub mod history;
pub mod mosquitto;
pub mod packs;
pub mod passages;
pub mod process;
pub mod releases;
pub mod rig;
pub mod school;
pub mod shadow;
pub mod shift;
pub mod tap;

use std::path::PathBuf;

/// The program `name` as `cargo build` left it beside the running test.
///
/// # Panics
/// When it was not built: house tests need `cargo build --workspace --bins` first.
#[must_use]
pub fn bin(name: &str) -> PathBuf {
    let exe = std::env::current_exe().expect("a running program has a path");
    let found = exe.ancestors().map(|dir| dir.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is not built: run `cargo build --workspace --bins`"))
}

/// The folder of the default weights: `ROLLCALL_MODELS`, or `models/weights` of the project.
#[must_use]
pub fn models() -> PathBuf {
    folder("ROLLCALL_MODELS", "models/weights")
}

/// The folder of the sample portraits: `ROLLCALL_PORTRAITS`, or `models/portraits`.
#[must_use]
pub fn portraits() -> PathBuf {
    folder("ROLLCALL_PORTRAITS", "models/portraits")
}

fn folder(variable: &str, default: &str) -> PathBuf {
    let project = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let folder = std::env::var_os(variable).map_or_else(|| project.join(default), PathBuf::from);
    assert!(folder.is_dir(), "{} is missing: run models/fetch", folder.display());
    folder
}
