//! `rollcall-hub models …`: fetch the weights, and say what is here under which licence.

use crate::models::{Folders, Manifest, Pip, fetch};
use clap::{Args, Subcommand};
use indicatif::ProgressBar;
use std::{ffi::OsString, io::Write, path::PathBuf, time::Duration};

/// Weights: where they come from and what is here.
#[derive(Debug, Args)]
pub struct Models {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Download, check and convert what the manifest names. A second run does nothing.
    Fetch(Fetch),
    /// Print each pack with its files, licences, sources and state.
    List(Place),
}

#[derive(Debug, Args)]
struct Fetch {
    #[command(flatten)]
    place: Place,
    /// Another manifest than the one built in.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// The Python whose pip downloads.
    #[arg(long, env = "ROLLCALL_PYTHON", default_value = "python3")]
    python: OsString,
}

#[derive(Debug, Args)]
struct Place {
    /// Folder of the weights.
    #[arg(long, value_name = "DIR", env = "ROLLCALL_MODELS", default_value = "models/weights")]
    into: PathBuf,
    /// Folder of the portraits for demo and tests; without it none are fetched.
    #[arg(long, value_name = "DIR", env = "ROLLCALL_PORTRAITS")]
    portraits: Option<PathBuf>,
}

impl Place {
    fn folders(&self) -> Folders {
        Folders { weights: self.into.clone(), portraits: self.portraits.clone() }
    }
}

impl Models {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        match &self.verb {
            Verb::Fetch(args) => args.run(out),
            Verb::List(place) => list(&Manifest::ours(), &place.folders(), out),
        }
    }
}

impl Fetch {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let manifest = match &self.manifest {
            Some(path) => Manifest::parse(&std::fs::read_to_string(path)?)?,
            None => Manifest::ours(),
        };
        let folders = self.place.folders();
        let pip = Pip { python: self.python.clone() };
        let spinner = ProgressBar::new_spinner();
        spinner.enable_steady_tick(Duration::from_millis(120));
        let hidden = spinner.is_hidden();
        let fetched = fetch(&manifest, &pip, &folders, &mut |step| {
            spinner.set_message(step.to_owned());
            if hidden {
                let _ = writeln!(out, "{step}");
            }
        });
        spinner.finish_and_clear();
        let place = folders.weights.display();
        match fetched? {
            true => writeln!(out, "pack {} is ready in {place}", manifest.pack.name)?,
            false => writeln!(out, "everything is here already, nothing to do: {place}")?,
        }
        Ok(())
    }
}

fn list(manifest: &Manifest, folders: &Folders, out: &mut dyn Write) -> anyhow::Result<()> {
    let pack = &manifest.pack;
    writeln!(out, "pack {}  (model {})\n  {}", pack.name, pack.model_id, pack.about)?;
    for archive in &manifest.archives {
        let title = archive.title();
        writeln!(out, "\n  {title:<32} licence {:<8} {}", archive.licence, archive.source)?;
        let Some(folder) = folders.of(archive) else {
            writeln!(out, "    not wanted (give --portraits DIR)")?;
            continue;
        };
        for member in &archive.members {
            let state = if member.is_in(folder) { "ready" } else { "missing: run models/fetch" };
            writeln!(out, "    {:<30} {state}", member.becomes)?;
        }
    }
    Ok(())
}
