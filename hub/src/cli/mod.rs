//! What people type: one file per noun. Commands work while `serve` runs.

mod audit;
mod backup;
mod clock;
mod dead_letters;
mod device;
mod doctor;
mod enrol;
mod export;
mod healthy;
mod hub;
mod hubs;
mod import;
mod init;
mod keys;
mod models;
mod pages;
mod relocate;
mod retention;
mod seed;
pub(crate) mod serve;
mod student;
mod update;
mod user;
mod vision;

use clap::{Parser, Subcommand};
use config::ConfigError;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// The hub of Rollcall: takes what the doors saw, and lets teachers decide.
#[derive(Debug, Parser)]
#[command(name = "rollcall-hub", version)]
pub struct Cli {
    /// Directory of databases, keys and certificates.
    #[arg(long, global = true, env = "ROLLCALL_DATA", default_value = "/var/lib/rollcall-hub")]
    data: PathBuf,
    #[command(subcommand)]
    verb: HubVerb,
}

#[derive(Debug, Subcommand)]
enum HubVerb {
    /// Make certificates, keys and the database, and print a one-time set-up code.
    Init(init::Init),
    /// Run the hub.
    Serve,
    /// Ask the hub that runs here whether it is ready; ends with 1 while it is not.
    Healthy,
    /// Whether the hub's clock is believed: show, confirm.
    Clock(clock::ClockCommand),
    /// Say what waits for whoever runs the system, and what to do about it.
    Doctor,
    /// Doors: add, list, revoke.
    Device(device::Devices),
    /// Programs for doors: sign, trust, bring.
    Update(update::Updates),
    /// People in the register: add, list.
    Student(student::Students),
    /// Enrol a person by photos; the photos are not kept.
    Enrol(enrol::Enrol),
    /// Take over what other programs know: people, classes, timetables.
    Import(import::ImportCommand),
    /// Take away people or attendance, for spreadsheets and programs.
    Export(export::ExportCommand),
    /// Accounts of people who sign in: add, list, change.
    User(user::Users),
    /// The chain of who did what: verify.
    Audit(audit::Audit),
    /// The hub's own keys and certificates: list, rotate.
    Keys(keys::KeysArgs),
    /// Copy the data and the keys, while the hub runs; the copy is opened and checked.
    Backup(backup::Backup),
    /// Make a hub out of the newest backup, where there is none.
    Restore(backup::Restore),
    /// Bring the database up to date; `serve` does it too.
    Migrate(backup::Migrate),
    /// Several hubs of one school: share, join, admit, list, dismiss.
    Hubs(hubs::HubsArgs),
    /// Copy the school into another database, compare both, and leave the old one.
    Move(relocate::Move),
    /// Records that could not be used: list, show, replay, drop.
    DeadLetters(dead_letters::DeadLetters),
    /// What goes because its time is over: show, run.
    Retention(retention::RetentionArgs),
    /// Fill an empty hub with a made-up school, to measure it or to look around.
    Seed(seed::Seed),
    /// Recognition packs: fetch, import, list, use.
    Models(models::Models),
    /// Every page as JSON, for the tests that look at each.
    #[command(hide = true)]
    Pages,
    /// Read a file that somebody brought, under limits; the hub starts it by itself.
    #[command(hide = true)]
    ReadApart,
    /// Recognition by hand: embed, compare, measure.
    Vision(vision::Vision),
}

/// sysexits’ `EX_USAGE`: what was configured is wrong.
const USAGE: u8 = 64;

/// How long threads that are stuck may hold up the end of `serve`, once its parts were given their
/// time; systemd's own limit lies above both.
const LAST: Duration = Duration::from_secs(3);

/// The exit code for `error`.
#[must_use]
pub fn code(error: &anyhow::Error) -> ExitCode {
    if error.is::<ConfigError>() { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
}

/// Whether it failed only because nobody reads any more what it prints.
#[must_use]
pub fn is_unread(error: &anyhow::Error) -> bool {
    let mut of_io = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    of_io.any(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

impl Cli {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub fn run(self, out: &mut dyn Write) -> anyhow::Result<()> {
        let data = &self.data;
        match self.verb {
            HubVerb::Init(init) => runtime()?.block_on(init.run(data, out)),
            HubVerb::Serve => {
                let runtime = runtime()?;
                let ended = runtime.block_on(serve::run(data));
                // Work on a thread of its own that is stuck does not hold the end up.
                runtime.shutdown_timeout(LAST);
                ended
            }
            HubVerb::Healthy => runtime()?.block_on(healthy::run(data, out)),
            HubVerb::Clock(clock) => runtime()?.block_on(clock.run(data, out)),
            HubVerb::Doctor => runtime()?.block_on(doctor::run(data, out)),
            HubVerb::Device(devices) => runtime()?.block_on(devices.run(data, out)),
            HubVerb::Update(updates) => runtime()?.block_on(updates.run(data, out)),
            HubVerb::Student(students) => runtime()?.block_on(students.run(data, out)),
            HubVerb::Enrol(enrol) => runtime()?.block_on(enrol.run(data, out)),
            HubVerb::Import(import) => runtime()?.block_on(import.run(data, out)),
            HubVerb::Export(export) => runtime()?.block_on(export.run(data, out)),
            HubVerb::User(users) => runtime()?.block_on(users.run(data, out)),
            HubVerb::Audit(audit) => runtime()?.block_on(audit.run(data, out)),
            HubVerb::Keys(keys) => runtime()?.block_on(keys.run(data, out)),
            HubVerb::Backup(backup) => runtime()?.block_on(backup.run(data, out)),
            HubVerb::Restore(restore) => runtime()?.block_on(restore.run(data, out)),
            HubVerb::Migrate(migrate) => migrate.run(data, out),
            HubVerb::Hubs(hubs) => runtime()?.block_on(hubs.run(data, out)),
            HubVerb::Move(to) => to.run(data, out),
            HubVerb::DeadLetters(letters) => runtime()?.block_on(letters.run(data, out)),
            HubVerb::Retention(retention) => runtime()?.block_on(retention.run(data, out)),
            HubVerb::Seed(seed) => runtime()?.block_on(seed.run(data, out)),
            HubVerb::Models(models) => runtime()?.block_on(models.run(data, out)),
            HubVerb::Pages => pages::run(out),
            HubVerb::ReadApart => acts::apart::run(&mut std::io::stdin().lock(), out),
            HubVerb::Vision(vision) => vision.run(out),
        }
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
