//! `hubs`: several hubs of one school side by side, which share the database and the keys.

use super::hub::{Hub, actor, moment, now};
use acts::{pairing, serving, sharing};
use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};
use config::{Config, Vars};
use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};
use store::keys::{Admission, Keys};
use store::{Database, Db};

/// How long a hub waits to be let in.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// Letters of a hub's name at most.
const NAME: usize = 60;

/// Several hubs of one school: share, join, admit, list, dismiss.
#[derive(Debug, Args)]
pub struct HubsArgs {
    #[command(subcommand)]
    verb: HubsVerb,
}

#[derive(Debug, Subcommand)]
enum HubsVerb {
    /// On the first hub, once, while it is stopped: put its keys where others can share them.
    Share {
        /// What this hub is called; its machine's name if nothing is said.
        #[arg(long)]
        name: Option<String>,
    },
    /// On a further machine, with the first one's hub.toml: ask to be let in, and wait for it.
    Join {
        /// What this hub is called; its machine's name if nothing is said.
        #[arg(long)]
        name: Option<String>,
    },
    /// On any hub that serves: let one in that asks.
    Admit {
        /// Its name.
        name: String,
        /// The code that it shows.
        code: String,
    },
    /// Which there are.
    List,
    /// Shut one out: it opens nothing any more.
    Dismiss {
        /// Its name.
        name: String,
    },
}

impl HubsArgs {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        match self.verb {
            HubsVerb::Share { name } => share(data, name, out),
            HubsVerb::Join { name } => join(data, name, out),
            HubsVerb::Admit { name, code } => {
                let hub = Hub::open(data)?;
                sharing::admit(&hub.db, &hub.keys()?, &name, &code, actor(), now()).await?;
                Ok(writeln!(out, "“{name}” is let in, and has the keys within seconds.")?)
            }
            HubsVerb::List => list(&Hub::open(data)?.keys()?, out),
            HubsVerb::Dismiss { name } => {
                let hub = Hub::open(data)?;
                sharing::dismiss(&hub.db, &hub.keys()?, &name, actor(), now()).await?;
                writeln!(out, "“{name}” opens nothing any more. Stop it, and take its database")?;
                Ok(writeln!(out, "password away: what it has in memory it has until it stops.")?)
            }
        }
    }
}

fn share(data: &Path, name: Option<String>, out: &mut dyn Write) -> anyhow::Result<()> {
    let name = named(name)?;
    let hub = Hub::open(data)?;
    let _alone = serving::alone(&hub.config.data)?;
    let Database::Server(server) = hub.config.database() else {
        bail!("hubs share a PostgreSQL server: move the school there first (`rollcall-hub move`)");
    };
    ensure!(hub.config.keys().server.is_none(), "the keys of this hub are shared already");
    let settings = fs::read_to_string(data.join(config::FILE))?;
    sharing::share(&hub.keys()?, &server, &name, &settings, now())?;
    writeln!(out, "The keys lie beside the data now, for this hub and those it lets in.")?;
    writeln!(out, "Add to hub.toml, and start it:")?;
    writeln!(out, "[postgres]\nshared_keys = true")?;
    Ok(writeln!(out, "Then copy hub.toml to the next machine and type there: hubs join")?)
}

fn join(data: &Path, name: Option<String>, out: &mut dyn Write) -> anyhow::Result<()> {
    let name = named(name)?;
    let file = data.join(config::FILE);
    // Where variables say where the database is, as in a container, the rest comes with the keys.
    let text = match fs::read_to_string(&file) {
        Err(why) if why.kind() == ErrorKind::NotFound => String::new(),
        read => read.with_context(|| format!("reading {}", file.display()))?,
    };
    let config = Config::read(data, &text, &Vars::of_process())?;
    config.database().there()?;
    fs::create_dir_all(data).with_context(|| format!("making {}", data.display()))?;
    let place = config.keys();
    let server = place.server.as_ref().context(
        "hub.toml names no shared keys: copy it from a hub of the school (postgres.shared_keys)",
    )?;
    let asked = Admission::ask(server, data, &name, now())?;
    writeln!(out, "On a hub that serves the school, type within a quarter of an hour:")?;
    writeln!(out, "    rollcall-hub hubs admit {name} {}", asked.code)?;
    out.flush()?;
    let begun = Instant::now();
    while !asked.is_granted()? {
        ensure!(begun.elapsed() < PATIENCE, "nobody let this hub in: type `hubs join` again");
        std::thread::sleep(Admission::EVERY);
    }
    let keys = Keys::open(&place)?;
    pairing::check(&Db::join(config.database())?, &keys)?;
    fs::write(data.join("ca.pem"), keys.paper("ca.pem")?)?;
    if !file.exists() {
        fs::write(&file, sharing::settings(&keys)?)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?; // it may come to hold secrets
    }
    Ok(writeln!(out, "It is let in: start it with `rollcall-hub serve`.")?)
}

fn list(keys: &Keys, out: &mut dyn Write) -> anyhow::Result<()> {
    let Some(own) = keys.hub_name()? else {
        return Ok(writeln!(out, "This hub is alone: see `rollcall-hub hubs share`.")?);
    };
    for hub in keys.hubs()? {
        let state = match (hub.admitted, hub.is_behind) {
            (None, _) => format!("asks since {}", moment(hub.asked)),
            (Some(_), true) => "has not taken the newest key: is it on?".into(),
            (Some(at), false) => format!("since {}", moment(at)),
        };
        let this = if hub.name == own { "  (this one)" } else { "" };
        writeln!(out, "{}  {state}{this}", hub.name)?;
    }
    Ok(())
}

/// What a hub is called, as people and programs write it.
fn named(name: Option<String>) -> anyhow::Result<String> {
    let machine = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    let name = name.unwrap_or_else(machine).to_ascii_lowercase();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    let sound = (1..=NAME).contains(&name.len()) && name.chars().all(fits);
    ensure!(sound, "“{name}” is no name of a hub: use --name with letters, digits, “-” and “.”");
    Ok(name)
}
