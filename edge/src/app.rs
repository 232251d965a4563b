//! The daemon put together: builds the parts, connects them, starts and stops them.
//!
//! The only file that spawns, with those below it. The first part to end, or a signal, stops all:
//! triggers and camera first, then what they feed, so that the last record is stored before the
//! outbox closes.

mod door;
mod first;
pub mod load;
pub mod offline;
mod parts;
pub mod peek;
mod uplink;

pub use door::Door;
pub use first::prepare;
pub use parts::Parts;
pub use uplink::{Loaded, Post, Programs, Uplink, host_port, hub_time, kept_gallery};

use crate::{
    capture::Lifeline,
    care::Care,
    config::Config,
    packs::{Model, Packs},
    program::{Here, Role, Shelf, Updater},
    pulse::Pulse,
    running,
    status::{Say, Status},
    trigger::{Ask, asking},
};
use anyhow::Context as _;
use std::{
    sync::{Arc, mpsc::SyncSender},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;
use wire::Clock;

/// Time to drain after a stop.
const GRACE: Duration = Duration::from_secs(10);
/// How often the loops are looked at where systemd does not say.
const LOOK: Duration = Duration::from_secs(10);

/// A door that runs.
pub struct Running {
    parts: Parts,
    stop: CancellationToken,
    lifeline: Lifeline,
    asks: Option<SyncSender<Ask>>,
    say: Say,
}

/// Loads the models.
///
/// # Errors
/// When they are missing or damaged; the message says what to do.
pub fn models(packs: &Packs) -> anyhow::Result<Model> {
    packs.open().context("the models cannot be loaded")
}

/// Starts the whole daemon as `role`: what looks, and the way to the hub. Needs a runtime.
///
/// # Errors
/// When this unit has not joined a hub, or models, disk or control socket cannot be used.
pub fn start(config: Config, role: Role, clock: Arc<dyn Clock>) -> anyhow::Result<Running> {
    let began = Instant::now();
    let packs = config.packs();
    let model = models(&packs)?;
    let mut parts = Parts::default();
    let mut pulse = Pulse::default();
    let lifeline = Lifeline::default();
    let stop = CancellationToken::new();
    let (asks, asked) = asking();
    let care = Care::new(config.data.clone(), running::values(&config));
    let told = care.clone();
    let post =
        Post { config: &config, clock: &clock, packs, model, stop: &stop, asks: &asks, care: told };
    let uplink = post.start(&mut parts, &mut pulse)?;
    let programs = uplink.programs.clone();
    let shelf = Shelf::new(&config.data);
    let steady_ms = u64::from(config.update.steady_s) * 1_000;
    let quiet_ms = u64::from(config.update.quiet_s) * 1_000;
    let lifeline_of = lifeline.clone();
    let ticking = clock.clone();
    let stop_of = stop.clone();
    let door = Door { config, clock, uplink, care, lifeline: lifeline_of, stop: stop_of, began };
    let say = door.start(&asks, asked, &mut parts, &mut pulse)?;
    let updater = Updater {
        role,
        shelf,
        here: Here::new(programs.signer),
        steady_ms,
        quiet_ms,
        offers: programs.offers,
        progress: programs.progress,
        online: programs.online,
        fetch: programs.fetch,
        say: say.clone(),
        clock: ticking,
        rng: uplink::rng(),
    };
    parts.task("program", updater.run(stop.clone()));
    parts.task("watchdog", watchdog(pulse, stop.clone()));
    // Systemd hears it; elsewhere nobody listens.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    tracing::info!("the door is ready");
    Ok(Running { parts, stop, lifeline, asks: Some(asks), say })
}

impl Running {
    /// How the daemon is.
    #[must_use]
    pub fn status(&self) -> Status {
        (self.say)()
    }

    /// Waits until some part ends by itself: its name, and what it said.
    pub async fn ended(&mut self) -> (&'static str, anyhow::Result<()>) {
        self.parts.first().await
    }

    /// Stops looking, stores what waits, and ends.
    ///
    /// # Errors
    /// What a part said that failed, or who was stuck.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        self.lifeline.cut();
        self.stop.cancel();
        drop(self.asks.take());
        self.parts.drain(GRACE).await
    }
}

/// Lets go of the runtime without waiting for threads that hang: whoever did not stop within the
/// grace was named, and the process ends with them.
pub fn leave(runtime: tokio::runtime::Runtime) {
    runtime.shutdown_background();
}

/// Feeds systemd's watchdog as long as every loop turns.
async fn watchdog(mut pulse: Pulse, stop: CancellationToken) -> anyhow::Result<()> {
    let every = sd_notify::watchdog_enabled().map_or(LOOK, |limit| limit / 3);
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(every) => {}
        }
        match pulse.stuck().as_slice() {
            [] => drop(sd_notify::notify(&[sd_notify::NotifyState::Watchdog])),
            stuck => tracing::error!("these loops stand still: {}", stuck.join(", ")),
        }
    }
}
