//! The command line.

use crate::app::offline;
use crate::config::Config;
use crate::control::{Answer, Question};
use crate::doctor::{self, Checkup, Finding};
use crate::owner::StrangerError;
use crate::program::{self, Reads, Role};
use crate::report::Report;
use crate::{alone, app, config, control, draw, join, journal, owner};
use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand, builder::PossibleValuesParser};
use std::{
    fs::File,
    io::{self, IsTerminal as _, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};
use wire::{Clock, time::SystemClock};

/// A program on trial finds identity and model within this.
const PREPARED: Duration = Duration::from_secs(120);

/// Takes the register at the classroom door.
#[derive(Debug, Parser)]
#[command(name = "rollcall-edge", version)]
pub struct Args {
    /// The configuration.
    #[arg(long, global = true, default_value = config::DEFAULT_FILE)]
    config: PathBuf,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Recognise people until told to stop
    Run,
    /// Say what is wrong with this unit, and how to mend it
    Doctor {
        /// Look only at these; everything if nothing is named
        #[arg(value_name = "WHAT", value_parser = PossibleValuesParser::new(doctor::whats()))]
        only: Vec<String>,
        /// For programs: as JSON
        #[arg(long)]
        json: bool,
        /// Measure how fast this unit is, and recommend settings
        #[arg(long, conflicts_with = "only")]
        bench: bool,
        /// How long `--bench` keeps the unit at work, to see how warm it becomes
        #[arg(long, value_name = "N", default_value_t = 300, requires = "bench",
              value_parser = clap::value_parser!(u64).range(1..=3_600))]
        seconds: u64,
    },
    /// Take a look now, and say what comes of it (ids only, no names)
    Snap {
        /// Write what the camera sees, with a box around each face, to this JPEG
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Show a folder of pictures to the pipeline; nothing is recorded
    Replay {
        /// Pictures, each a passage of its own
        dir: PathBuf,
    },
    /// Say how the running daemon is
    Status,
    /// Join a hub, with the address and the token that it shows for this door
    Join {
        /// The address, such as `https://hub.school.example:8443`
        url: String,
        /// Works once, and for a few minutes
        token: String,
    },
}

/// A file to be written, opened already.
struct Target {
    path: PathBuf,
    file: File,
    is_new: bool,
}

impl Target {
    /// What lies there stays until there is something better.
    fn open(path: &Path) -> anyhow::Result<Self> {
        let is_new = !path.exists();
        let file = File::options().write(true).create(true).truncate(false).open(path);
        let file = file.with_context(|| format!("writing {}", path.display()))?;
        Ok(Self { path: path.to_owned(), file, is_new })
    }

    fn fill(mut self, bytes: &[u8]) -> io::Result<()> {
        if self.file.metadata()?.is_file() {
            self.file.set_len(0)?;
        }
        self.is_new = false;
        self.file.write_all(bytes)
    }
}

impl Drop for Target {
    /// No picture came of it: an empty file would look like one.
    fn drop(&mut self) {
        if self.is_new {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Verb {
    /// Where the picture goes, if one is wanted.
    fn picture(&self) -> anyhow::Result<Option<Target>> {
        match self {
            Self::Snap { out } => out.as_deref().map(Target::open).transpose(),
            _ => Ok(None),
        }
    }

    /// Whether it keeps something in the data folder.
    fn keeps(&self) -> bool {
        matches!(self, Self::Run | Self::Join { .. })
    }

    /// Whether it only asks the daemon, which whoever may open its socket may do.
    fn asks(&self) -> bool {
        matches!(self, Self::Snap { .. } | Self::Status)
    }

    /// As it is typed.
    fn name(&self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Doctor { .. } => "doctor",
            Self::Snap { .. } => "snap",
            Self::Replay { .. } => "replay",
            Self::Status => "status",
            Self::Join { .. } => "join",
        }
    }
}

/// Logs to standard error, and notes it for the hub's admins; `RUST_LOG` says how much.
pub fn log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = io::stderr().is_terminal();
    let shown = tracing_subscriber::fmt::layer().with_ansi(colours).with_writer(io::stderr);
    tracing_subscriber::registry().with(filter).with(shown).with(journal::Noting).init();
}

/// Does what was asked.
///
/// # Errors
/// In a sentence for whoever typed it.
pub fn run(args: Args, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let config = match Config::load(&args.config) {
        Ok(config) => config,
        Err(error) => {
            if let (Verb::Run, Some((data, update))) = (&args.verb, Config::least(&args.config)) {
                // The program that was handed on may know settings that this one does not.
                owner::act(&data)?;
                if data.is_dir() {
                    alone::keep(&data)?;
                    let role = program::launch(&data, &update, Reads::Nothing)?;
                    program::unread(&data, role)?;
                }
            }
            if let Verb::Doctor { json, bench: false, .. } = args.verb {
                return Ok(tell(&[doctor::unread(&error)], json, out)?);
            }
            return Err(error.into());
        }
    };
    // Where it goes is for whoever typed the command to say; all else is for the daemon's user.
    let picture = args.verb.picture()?;
    if args.verb.keeps() {
        owner::provide(&config.data)?;
    }
    owner::act(&config.data)?;
    if !args.verb.asks() {
        owner::permit(&config.data, args.verb.name())?;
    }
    match args.verb {
        Verb::Run => {
            // Before anything is counted or opened: what runs is not to notice.
            alone::keep(&config.data)?;
            let role = program::launch(&config.data, &config.update, Reads::Settings)?;
            daemon(config, role)?;
        }
        Verb::Doctor { json, bench: true, seconds, .. } => bench(&config, json, seconds, out)?,
        Verb::Doctor { only, json, .. } => {
            let checkup = Checkup { only: &only, ..Checkup::here(&config) };
            return Ok(tell(&checkup.examine(), json, out)?);
        }
        Verb::Snap { .. } => snap(&config, picture, out)?,
        Verb::Replay { dir } => {
            offline::replay(&config, &dir, app::kept_gallery(&config)?, |path, report| {
                writeln!(out, "{}", path.file_name().unwrap_or_default().display())?;
                report.lines().iter().try_for_each(|line| writeln!(out, "  {line}"))
            })?;
        }
        Verb::Status => status(&config, out)?,
        Verb::Join { url, token } => {
            let identity = join::join(&url, &token, &config.data)?;
            writeln!(out, "joined as “{}”", identity.joined.device)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn daemon(config: Config, role: Role) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let mut stop = std::pin::pin!(stopped());
        tokio::select! {
            signal = &mut stop => return signal.map(|name| tracing::info!("stopping: {name}")),
            ready = prepared(&config, role, &clock) => ready?,
        }
        let mut running = app::start(config, role, clock)?;
        let outcome = tokio::select! {
            signal = stop => signal.map(|name| tracing::info!("stopping: {name}")),
            (name, ended) = running.ended() => {
                ended.and_then(|()| bail!("{name} ended by itself; the daemon stops with it"))
            }
        };
        let drained = running.stop().await;
        if let Err(error) = &drained {
            tracing::error!("{error:#}");
        }
        outcome.and(drained)
    });
    app::leave(runtime);
    outcome
}

/// Until this unit is somebody and has a model. A program on trial has both from the one before:
/// where it does not find them, it has failed.
async fn prepared(config: &Config, role: Role, clock: &Arc<dyn Clock>) -> anyhow::Result<()> {
    let prepare = app::prepare(config, clock);
    match role {
        Role::Own | Role::Settled => prepare.await,
        Role::Trial => tokio::time::timeout(PREPARED, prepare).await.context(
            "this program does not find what the one before left, and is started again at most twice",
        )?,
    }
}

async fn stopped() -> anyhow::Result<&'static str> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    Ok(tokio::select! {
        _ = term.recv() => "asked to by SIGTERM",
        _ = int.recv() => "interrupted",
    })
}

fn tell(findings: &[Finding], json: bool, out: &mut impl Write) -> io::Result<ExitCode> {
    if json {
        writeln!(out, "{}", doctor::json(findings))?;
    } else {
        write!(out, "{}", doctor::table(findings, columns()))?;
    }
    let ill = findings.iter().any(Finding::is_fault);
    Ok(ExitCode::from(u8::from(ill)))
}

/// How wide the screen is, if a person reads there.
fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

fn bench(config: &Config, json: bool, seconds: u64, out: &mut impl Write) -> anyhow::Result<()> {
    let under_way = |what: &str| drop(writeln!(io::stderr(), "{what}"));
    let measures = doctor::bench::measure(config, Path::new("/"), seconds, under_way)?;
    let advice = doctor::bench::advise(config, &measures);
    if json {
        return Ok(writeln!(out, "{}", doctor::bench::json(&measures, &advice))?);
    }
    Ok(write!(out, "{}", doctor::bench::page(&measures, &advice, columns()))?)
}

fn snap(config: &Config, file: Option<Target>, out: &mut impl Write) -> anyhow::Result<()> {
    let (report, picture) =
        match control::ask(&config.socket, Question::Snap { picture: file.is_some() }) {
            Ok((Answer::Report { report, .. }, jpeg)) => (report, jpeg),
            Ok((Answer::Trouble(why), _)) => bail!("{why}"),
            Ok((answer, _)) => bail!("the daemon answered something else: {answer:?}"),
            Err(error) if control::is_nobody(&error) => {
                owner::permit(&config.data, "snap")?;
                writeln!(
                    out,
                    "no daemon runs here: looking with the camera itself, recording nothing"
                )?;
                let report = offline::snap(config, app::kept_gallery(config)?)?;
                let drawn = draw::boxes(&report).map(|picture| picture.to_jpeg(90));
                (report, drawn.unwrap_or_default())
            }
            Err(error) => return Err(unasked(config, error, "snap")),
        };
    show(&report, out)?;
    if let Some(file) = file {
        let path = file.path.display().to_string();
        if picture.is_empty() {
            bail!("no frame could be read, so that there is no picture for {path}");
        }
        file.fill(&picture).with_context(|| format!("writing {path}"))?;
        writeln!(out, "picture written to {path}")?;
    }
    Ok(())
}

fn show(report: &Report, out: &mut impl Write) -> io::Result<()> {
    report.lines().iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn status(config: &Config, out: &mut impl Write) -> anyhow::Result<()> {
    match control::ask(&config.socket, Question::Status) {
        Ok((Answer::Status(status), _)) => {
            Ok(writeln!(out, "{}", serde_json::to_string_pretty(&status)?)?)
        }
        Ok((answer, _)) => bail!("the daemon answered something else: {answer:?}"),
        Err(error) if control::is_nobody(&error) => {
            bail!(
                "no daemon runs here, or it waits to join a hub (nobody listens at {}): see \
                 systemctl status rollcall-edge",
                config.socket.display()
            )
        }
        Err(error) => Err(unasked(config, error, "status")),
    }
}

/// Why the daemon could not be asked for `verb`.
fn unasked(config: &Config, error: io::Error, verb: &'static str) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::PermissionDenied => StrangerError::new(&config.data, verb).into(),
        _ => anyhow::Error::new(error).context(format!("asking at {}", config.socket.display())),
    }
}
