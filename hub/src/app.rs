//! The running hub: builds the parts, connects them, starts and stops them.
//!
//! The only file that spawns. What follows the data goes on whatever fails in it: one thing is set
//! aside, the rest is done ([`acts::care`]). A listener that ends, well or not, ends the whole:
//! the supervisor starts a hub that is whole again.

use crate::site::site;
use accept::{Guests, House, Visit};
use acts::apart::Apart;
use acts::auth::{Passwords, token::Tokens};
use acts::begin;
use acts::certificates::{Certificates, May};
use acts::device::Fleet;
use acts::doors::boards::Boards;
use acts::events::Events;
use acts::gallery::Gallery;
use acts::hubs::Hubs;
use acts::ingest::{Ingest, fault::StagedFault, school::Schools};
use acts::jobs::{Jobs, Task};
use acts::join::Joins;
use acts::keyring;
use acts::online::Online;
use acts::pairing;
use acts::parts::Parts;
use acts::pki::Pki;
use acts::privacy;
use acts::readiness::Readiness;
use acts::recogniser::Recogniser;
use acts::rounds::Rounds;
use acts::serving::{self, Serving};
use acts::snaps::Snaps;
use acts::tails::Tails;
use acts::timekeeper::Timekeeper;
use acts::upkeep::rest;
use acts::{care::Tally, upkeep::Aside};
use config::Config;
use doors::mqtt;
use doors::mqtt::Listener;
use http::{self, front::Front};
use rules::error::{Doing, Error};
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use store::Db;
use store::keys::Keys;
use store::line::Duty;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::Clock;
use wire::pulse::{Beat, Pulse};

/// How long parts have to finish what they are doing.
const GRACE: Duration = Duration::from_secs(10);
/// How long a part that failed rests.
const REST: Duration = Duration::from_secs(2);
/// How often the loops are looked at where systemd does not say.
const LOOK: Duration = Duration::from_secs(120);

/// The hub, opened; cheap to clone.
#[derive(Clone)]
pub struct App {
    /// What it is made of.
    pub parts: Parts,
    /// Whether doors that were connected before the start are noted as gone.
    gone_noted: Arc<AtomicBool>,
    /// Jobs at work, and requests that must be finished.
    at_work: TaskTracker,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl App {
    /// Opens what `init` made.
    ///
    /// # Errors
    /// When the data directory is not whole.
    pub async fn open(config: Config, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let db = Db::open(config.database())?;
        let keys = Keys::open(config.keys())?;
        keys.leave_file()?;
        pairing::settle(&db, &keys, clock.wall()).await?;
        let pki = Pki::open(&keys)?;
        let accounts = &config.accounts;
        let given = accounts.token_key.as_ref().map(|secret| Tokens::key(secret.expose()));
        let tokens = Tokens::new(&given.unwrap_or_default(), accounts.tokens);
        let hubs = Hubs::of(&keys)?;
        let out = hubs.out().clone();
        let events = Events::new(out.clone());
        let recogniser = Recogniser::in_use(&config.models, &db).await?;
        let (lines, unwise) = (config.lines.of(recogniser.model().as_str()))
            .map_err(|why| Error::Invalid(why.to_string()))?;
        unwise.iter().for_each(|why| tracing::warn!("{why}"));
        let at_work = TaskTracker::new();
        let tracker = at_work.clone();
        let spawn = Arc::new(move |task: Task| drop(tracker.spawn(task)));
        let jobs = Jobs::new(db.clone(), hubs.clone(), events.clone(), clock.clone(), spawn);
        let duty = match hubs.is_alone() {
            true => Duty::default(),
            false => db.duty()?,
        };
        let parts = Parts {
            db,
            keys,
            certificates: Certificates::new(&pki, config.tls.clone()),
            tokens,
            pki,
            gallery: Gallery::new(recogniser.model().clone()).with_lines(lines),
            apart: Apart::default(),
            recogniser,
            snaps: Snaps::new(events.clone(), out.clone()),
            tails: Tails::new(events.clone(), out.clone()),
            boards: Boards::new(out.clone()),
            events,
            clock,
            config: Arc::new(config),
            fleet: Fleet::default(),
            online: Online::new(out),
            hubs,
            schools: Schools::default(),
            jobs,
            joins: Joins::default(),
            aside: Aside::default(),
            timekeeper: Timekeeper::default(),
            duty,
            care: Tally::default(),
            readiness: Readiness::default(),
            ports: Arc::default(),
        };
        let app = Self { parts, gone_noted: Arc::default(), at_work };
        app.begin().await?;
        Ok(app)
    }

    /// Brings what is stored to this moment, before anybody is let in.
    async fn begin(&self) -> Result<(), Error> {
        let app = self;
        let upkeep = self.upkeep();
        let renewal = self.renewal();
        renewal.turn_tokens()?;
        let may = upkeep.tried("looking at the hub's certificates", renewal.may().await);
        let _nothing_ends_here = renewal.reload(May { end: false, ..may.unwrap_or_default() });
        privacy::erase::bury_again(&app.db, &app.keys, app.clock.wall()).await?;
        keyring::end_again(&app.db, &app.keys, app.clock.wall()).await?;
        let keys = app.keys.clone();
        let resealed = app.db.write(move |tx| store::reseal::all(tx, &keys)).await;
        upkeep.tried("sealing anew what kek had sealed", resealed);
        app.follower().refresh().await?;
        match app.galleries().follow().await {
            // Without it every passage would be nobody's.
            Err(error) if !app.gallery.is_loaded() => return Err(error),
            done => upkeep.tried("making galleries", done),
        };
        let swept = keyring::sweep(&app.db, &app.keys).await;
        upkeep.tried("sweeping keys", swept);
        let swept = app.album().sweep(app.clock.wall()).await;
        upkeep.tried("sweeping keys of photos", swept);
        upkeep.tried("finishing erasures", app.privacy().finish_erasures().await);
        Ok(())
    }

    /// Makes the account that the environment names, on a hub that has none yet.
    pub(crate) async fn first_admin(&self) -> Result<(), Error> {
        let Some(first) = self.config.accounts.first_admin.clone() else { return Ok(()) };
        begin::first_admin(&self.db, first, self.clock.wall()).await
    }

    /// TLS towards doors.
    fn door_tls(&self) -> Result<Arc<rustls::ServerConfig>, Error> {
        let tls = doors::tls::server(self.pki.clone(), self.fleet.clone());
        tls.doing("setting up TLS for doors")
    }

    /// What goes the rounds.
    pub(crate) fn rounds(&self) -> Rounds {
        Rounds {
            lessons: self.lessons(),
            galleries: self.galleries(),
            snaps: self.snaps.clone(),
            tails: self.tails.clone(),
            hubs: self.hubs.clone(),
            online: self.online.clone(),
            events: self.events.clone(),
            upkeep: self.upkeep(),
            gone_noted: self.gone_noted.clone(),
        }
    }
}

/// A hub at work.
pub struct Running {
    /// Where people and programs reach it.
    pub web: SocketAddr,
    /// Where doors speak MQTT.
    pub mqtt: SocketAddr,
    /// Where doors fetch galleries.
    pub device: SocketAddr,
    /// The same hub, from inside.
    pub app: App,
    parts: JoinSet<(&'static str, Result<(), Error>)>,
    _serving: Serving,
    pulse: Pulse,
    stop: CancellationToken,
}

/// Starts a hub.
///
/// # Errors
/// When its data is not whole or an address is taken.
pub async fn serve(config: Config, clock: Arc<dyn Clock>) -> Result<Running, Error> {
    let listen = config.listen;
    let serving = serving::begin(&config.data)?;
    config.database().there()?;
    let app = App::open(config, clock).await?;
    let upkeep = app.upkeep();
    upkeep.tried("making the first admin", app.first_admin().await);
    let web = bind(listen.web)?;
    let mqtt = bind(listen.mqtt)?;
    let device = bind(listen.device)?;
    let mut running = Running {
        web: address(&web)?,
        mqtt: address(&mqtt)?,
        device: address(&device)?,
        app: app.clone(),
        parts: JoinSet::new(),
        _serving: serving,
        pulse: Pulse::default(),
        stop: CancellationToken::new(),
    };
    let stop = running.stop.clone();
    upkeep.tried("ending jobs that were cut short", app.jobs.interrupt().await);
    running.keep("rounds", |app, beat, stop| app.rounds().run(beat, stop));
    running.keep("certificates", |app, beat, stop| app.renewal().run(beat, stop));
    running.keep("privacy", |app, beat, stop| app.privacy().run(beat, stop));
    running.keep("messages", |app, beat, stop| app.sender().run(beat, stop));
    running.keep("lessons", |app, beat, stop| app.lessons().run(beat, stop));
    running.keep("updates", |app, beat, stop| app.updates().run(beat, stop));
    running.keep("care", |app, beat, stop| app.cares().run(beat, stop));
    running.keep("alerts", |app, beat, stop| app.alerts().run(beat, stop));
    if !app.hubs.is_alone() {
        running.keep("hubs", |app, beat, stop| app.neighbours().run(beat, stop));
    }
    if let Some(herald) = app.herald() {
        running.keep("broker", move |_, beat, stop| herald.clone().run(beat, stop));
    }
    running.doors(&app, mqtt, device).await?;
    running.start("web", web_part(web, &app, stop.clone())?);
    let pulse = std::mem::take(&mut running.pulse);
    running.start("watchdog", watchdog(pulse, stop));
    Ok(running)
}

/// Starts the visit of a guest.
fn visit(guests: &mut Guests, visit: Visit) {
    guests.spawn(visit);
}

/// The web listener; on the loopback it may be plain.
fn web_part(
    listener: TcpListener,
    app: &App,
    stop: CancellationToken,
) -> Result<impl Future<Output = Result<(), Error>> + Send + 'static, Error> {
    let tls = http::serve::tls(app)?;
    let metrics = api::system::recorder();
    let (site, handlers) = site();
    let front = Front::new(app.parts.clone(), site, Passwords::default(), metrics, stop.clone());
    let crowds = app.config.proxies.clone();
    let house = House { limits: accept::PEOPLE, crowds, ..House::new(visit, tls) };
    Ok(async move {
        http::serve::run(listener, house, front, handlers, stop).await;
        Ok(())
    })
}

impl Running {
    /// Everything that doors talk to.
    async fn doors(
        &mut self,
        app: &App,
        mqtt: TcpListener,
        https: TcpListener,
    ) -> Result<(), Error> {
        let _set_once = app.ports.set((self.mqtt.port(), self.device.port()));
        app.rounds().note_gone().await;
        let (ingest, deliveries) = mpsc::channel(mqtt::QUEUE);
        let writer = Ingest {
            db: app.db.clone(),
            keys: app.keys.clone(),
            schools: app.schools.clone(),
            events: app.events.clone(),
            clock: app.clock.clone(),
            deliveries,
            hub: app.hubs.name().to_owned(),
            fault: StagedFault::from_env(),
        };
        let ear = Listener {
            ingest,
            fleet: app.fleet.clone(),
            online: app.online.clone(),
            snaps: app.snaps.clone(),
            tails: app.tails.clone(),
            boards: app.boards.clone(),
            clock: app.clock.clone(),
            limits: app.config.doors,
        };
        let tls = app.door_tls()?;
        let stop = self.stop.clone();
        self.start("ingest", writer.run(stop.clone()));
        self.keep("fleet", |app, beat, stop| app.follower().run(beat, stop));
        let house = House::new(visit, Some(tls));
        let limits = app.config.doors.accept;
        self.start("mqtt", ear.run(mqtt, House { limits, ..house.clone() }, stop.clone()));
        self.start("device https", doors::https::run(https, house, app.parts.clone(), stop));
        Ok(())
    }

    fn start(
        &mut self,
        name: &'static str,
        part: impl Future<Output = Result<(), Error>> + Send + 'static,
    ) {
        self.parts.spawn(async move { (name, part.await) });
    }

    /// Starts a part that goes on whatever fails in it: an error that it does not handle itself, or
    /// a panic, is noted, and it begins again.
    fn keep<F>(
        &mut self,
        name: &'static str,
        part: impl Fn(App, Beat, CancellationToken) -> F + Send + 'static,
    ) where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let app = self.app.clone();
        let beat = self.pulse.beat(name);
        let stop = self.stop.clone();
        self.start(name, async move {
            while !stop.is_cancelled() {
                let mut once = JoinSet::new();
                once.spawn(part(app.clone(), beat.clone(), stop.clone()));
                let error = match once.join_next().await {
                    Some(Ok(Err(error))) => error,
                    Some(Err(panic)) => Error::internal(name, panic),
                    Some(Ok(Ok(()))) | None => Error::internal(name, "it ended by itself"),
                };
                if !stop.is_cancelled() {
                    app.upkeep().tried::<()>(name, Err(error));
                    rest(REST, &beat, &stop).await;
                }
            }
            Ok(())
        });
    }

    /// Waits until a part ends by itself, which none should.
    ///
    /// # Errors
    /// Why it ended.
    pub async fn ended(&mut self) -> Result<(), Error> {
        match self.parts.join_next().await {
            None => Ok(()),
            Some(Err(panic)) => Err(Error::internal("a part of the hub", panic)),
            Some(Ok((name, Ok(())))) => Err(Error::internal(name, "it ended by itself")),
            Some(Ok((_, Err(error)))) => Err(error),
        }
    }

    /// Says at `/ready` that nobody should be sent here any more, serves those who come all the
    /// same for as long as the settings say, then asks every part to finish and waits up to 10 s.
    ///
    /// # Errors
    /// The first failure of a part, or that one was stuck.
    pub async fn stop(mut self) -> Result<(), Error> {
        let _no_supervisor = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        self.app.readiness.close();
        tokio::time::sleep(self.app.config.drain).await;
        self.stop.cancel();
        self.app.jobs.stop();
        self.app.at_work.close();
        let drain = async {
            let mut result = Ok(());
            self.app.at_work.wait().await;
            while let Some(ended) = self.parts.join_next().await {
                let ended = match ended {
                    Ok((_, ended)) => ended,
                    Err(panic) => Err(Error::internal("stopping", panic)),
                };
                result = result.and(ended);
            }
            result
        };
        match tokio::time::timeout(GRACE, drain).await {
            Ok(result) => result,
            Err(_) => Err(Error::internal("stopping", "a part did not end within 10 s")),
        }
    }
}

/// Feeds systemd's watchdog as long as every loop turns.
async fn watchdog(mut pulse: Pulse, stop: CancellationToken) -> Result<(), Error> {
    let every = sd_notify::watchdog_enabled().map_or(LOOK, |limit| limit / 3);
    while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
        match pulse.stuck().as_slice() {
            [] => drop(sd_notify::notify(&[sd_notify::NotifyState::Watchdog])),
            stuck => tracing::error!("these loops stand still: {}", stuck.join(", ")),
        }
    }
    Ok(())
}

fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    accept::listen(address).doing(&format!("listening on {address}"))
}

fn address(listener: &TcpListener) -> Result<SocketAddr, Error> {
    listener.local_addr().doing("reading a listener's address")
}
