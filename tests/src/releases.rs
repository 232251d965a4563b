//! Whoever releases programs for doors: a key of their own, and files that a hub takes.

use crate::client::Api;
use crate::school::School;
use anyhow::Context as _;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// A maker of programs, whom the school may trust or not.
pub struct Releases<'a> {
    school: &'a School,
    dir: PathBuf,
    key: PathBuf,
    public: String,
}

impl<'a> Releases<'a> {
    /// A maker with a new key in `dir`.
    ///
    /// # Errors
    /// When the key cannot be made.
    pub fn new(school: &'a School, dir: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(dir)?;
        let (dir, key) = (dir.to_owned(), dir.join("release.key"));
        let said = school.hub(&["update", "key", &key.display().to_string()])?;
        let public = said.lines().last().context("no key was said")?.to_owned();
        Ok(Self { school, dir, key, public })
    }

    /// The key that others know the maker by.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The school takes programs of this maker from now on.
    ///
    /// # Errors
    /// When the hub does not take the key.
    pub fn trusted(self) -> anyhow::Result<Self> {
        self.school.hub(&["update", "trust", &self.public])?;
        Ok(self)
    }

    /// The file that brings `bytes` as version 0.`n`.0.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn sign(&self, n: u32, bytes: &[u8]) -> anyhow::Result<PathBuf> {
        let path = |name: &str| self.dir.join(name);
        fs::write(path("program"), bytes)?;
        let version = format!("0.{n}.0");
        let (program, into) = (path("program"), path("update"));
        let [program, key, update] = [&program, &self.key, &into].map(|p| p.display().to_string());
        let sign = ["update", "sign", &program, "--version", &version, "--key", &key];
        self.school.hub(&[&sign[..], &["--into", &update]].concat())?;
        Ok(into)
    }

    /// Brings it to the hub, and lets it go to the doors: the rollout's number.
    ///
    /// # Errors
    /// When the hub takes it not.
    pub fn begin(&self, file: &Path, api: &Api) -> anyhow::Result<u64> {
        self.school.hub(&["update", "add", &file.display().to_string()])?;
        let newest = api.get("/api/updates")?[0]["id"].clone();
        let begun = api.post("/api/rollouts", &json!({ "update_id": newest }))?;
        begun["number"].as_u64().context("a rollout has a number")
    }
}
