//! A folder of weights with two packs: the usual one, and the same networks under another id.

use anyhow::Context as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// The model id of the other pack.
pub const OTHER: &str = "dlib-other-1";

/// Makes `models` such a folder; the other pack is called “other”.
///
/// # Errors
/// When a file cannot be written.
pub fn two(models: &Path) -> anyhow::Result<()> {
    let other = models.join("packs/other");
    fs::create_dir_all(&other)?;
    for file in fs::read_dir(crate::models())?.flatten() {
        if file.path().is_file() {
            symlink(file.path(), models.join(file.file_name()))?;
            symlink(file.path(), other.join(file.file_name()))?;
        }
    }
    let text = fs::read_to_string(models.join("pack.toml"))?;
    let line = text.lines().find(|line| line.starts_with("model_id = "));
    let text = text.replace(line.context("no model id")?, &format!("model_id = {OTHER:?}"));
    fs::remove_file(other.join("pack.toml"))?;
    Ok(fs::write(other.join("pack.toml"), text)?)
}
