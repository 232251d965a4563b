//! pip as a downloader: one pinned package, its hash required, nothing of it run.
//!
//! Asked for a source archive, pip first wants its metadata and would run the package's `setup.py`
//! with build tools fetched unpinned. We put a build backend of our own in front instead, which
//! answers with the name and version we know. So Python and pip are enough, and no code of the
//! archive runs.

use super::{ModelsError, SourceArchive, manifest::SourceKind};
use std::{
    ffi::OsString,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The Python whose pip is used.
#[derive(Debug, Clone)]
pub struct Pip {
    /// Name or path of the interpreter.
    pub python: OsString,
}

impl Pip {
    /// Downloads `archive` into `folder`, which is also where pip keeps its temporary files, and
    /// returns where it lies. Its hash has been checked by pip only.
    ///
    /// # Errors
    /// No Python, no pip, a wrong hash, a full disk, no network: each its own sentence.
    pub fn download(&self, archive: &SourceArchive, folder: &Path) -> Result<PathBuf, ModelsError> {
        let wrote = self.prepare(archive, folder);
        wrote.map_err(|error| ModelsError::file("preparing", folder, error))?;
        let output =
            self.command(archive, folder).output().map_err(|error| match error.kind() {
                ErrorKind::NotFound => {
                    ModelsError::NoPython(self.python.to_string_lossy().into_owned())
                }
                _ => ModelsError::file("starting", Path::new(&self.python), error),
            })?;
        if !output.status.success() {
            return Err(refusal(archive, folder, &output));
        }
        Ok(folder.join(&archive.file))
    }

    /// The requirement with its hash, and the backend that answers for source archives.
    fn prepare(&self, archive: &SourceArchive, folder: &Path) -> std::io::Result<()> {
        let SourceArchive { package, version, sha256, .. } = archive;
        let requirement = format!("{package}=={version} --hash=sha256:{sha256}\n");
        fs::write(folder.join("requirement.txt"), requirement)?;
        let backend = folder.join("backend/setuptools");
        fs::create_dir_all(&backend)?;
        fs::write(backend.join("__init__.py"), "")?;
        fs::write(backend.join("build_meta.py"), backend_text(package, version))
    }

    fn command(&self, archive: &SourceArchive, folder: &Path) -> Command {
        let mut command = Command::new(&self.python);
        command.args(["-m", "pip", "download", "--quiet", "--no-input", "--progress-bar", "off"]);
        command.args(["--disable-pip-version-check", "--require-hashes", "--no-deps"]);
        match archive.kind {
            SourceKind::Wheel => command.args(["--only-binary", ":all:"]),
            SourceKind::Source => {
                command.env("PYTHONPATH", folder.join("backend"));
                command.args(["--no-binary", ":all:", "--no-build-isolation", "--use-pep517"])
            }
        };
        command.arg("--requirement").arg(folder.join("requirement.txt"));
        command.arg("--dest").arg(folder).env("TMPDIR", folder);
        command
    }
}

/// The one hook pip calls before it hands over a source archive.
fn backend_text(package: &str, version: &str) -> String {
    format!(
        r#"import os

class Backend:
    def prepare_metadata_for_build_wheel(self, directory, config_settings=None):
        name = "{package}-{version}.dist-info"
        os.mkdir(os.path.join(directory, name))
        with open(os.path.join(directory, name, "METADATA"), "w") as metadata:
            metadata.write("Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
        return name

__legacy__ = Backend()
"#
    )
}

/// pip's words, turned into one of our sentences.
fn refusal(archive: &SourceArchive, folder: &Path, output: &Output) -> ModelsError {
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("No module named pip") {
        return ModelsError::NoPip;
    }
    if said.contains("No space left on device") || said.contains("Disk quota exceeded") {
        return ModelsError::DiskFull(folder.to_path_buf());
    }
    if said.contains("DO NOT MATCH THE HASHES") {
        let got = said.lines().find_map(|line| line.trim().strip_prefix("Got"));
        return ModelsError::WrongHash {
            what: archive.title(),
            wanted: archive.sha256.clone(),
            got: got.unwrap_or("another").trim().to_owned(),
        };
    }
    let mut lines = said.lines().rev().map(str::trim).filter(|line| !line.is_empty());
    let error = lines.clone().find(|line| line.starts_with("ERROR"));
    let says = error.or_else(|| lines.next()).unwrap_or("it gave no reason").to_owned();
    ModelsError::Pip { package: archive.title(), says }
}
