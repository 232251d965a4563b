//! The running hub: builds the parts, connects them, starts and stops them.
//!
//! The only file that spawns. What follows the data goes on whatever fails in it: one thing is set
//! aside, the rest is done ([`acts::care`]). A listener that ends, well or not, ends the whole:
//! the supervisor starts a hub that is whole again.

use crate::site::site;
use accept::{Guests, House, Visit};
use acts::apart::Apart;
use acts::auth::{Passwords, token::Tokens};
use acts::certificates::{Certificates, May};
use acts::device::Fleet;
use acts::events::{Event, Events};
use acts::gallery::Gallery;
use acts::ingest::{Ingest, fault::StagedFault, school::Schools};
use acts::jobs::{Jobs, Task};
use acts::join::Joins;
use acts::online::Online;
use acts::pairing;
use acts::parts::Parts;
use acts::pki::Pki;
use acts::privacy;
use acts::recogniser::Recogniser;
use acts::snaps::Snaps;
use acts::timekeeper::Timekeeper;
use acts::upkeep::{Upkeep, rest};
use acts::{care::Tally, upkeep::Aside};
use config::{Config, FirstAdmin};
use doors::mqtt;
use doors::mqtt::Listener;
use http::{self, front::Front};
use rules::auth::Role;
use rules::care::AsideKind;
use rules::error::{Doing, Error};
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::keys::Keys;
use store::{self, Db, account::NewAccount, file, reshut::ReshutBack};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::pulse::{Beat, Pulse};
use wire::{Clock, Mono};

/// How long parts have to finish what they are doing.
const GRACE: Duration = Duration::from_secs(10);
/// How often changes made by another process are looked for.
const POLL: Duration = Duration::from_millis(500);

/// How long a part that failed rests.
const REST: Duration = Duration::from_secs(2);
/// How often the loops are looked at where systemd does not say.
const LOOK: Duration = Duration::from_secs(120);

/// How often leases of galleries and the lessons ahead are looked at: each hour.
const HOUR_MS: u64 = 3_600_000;

/// The hub, opened; cheap to clone.
#[derive(Clone)]
pub struct App {
    /// What it is made of.
    pub parts: Parts,
    /// Whether doors that were connected before the start are noted as gone.
    noted: Arc<AtomicBool>,
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
        let db = Db::open(&config.database())?;
        let keys = Keys::open(&config.data)?;
        pairing::settle(&db, &keys, &config.database(), clock.wall()).await?;
        let pki = Pki::open(&config.data, &keys)?;
        let accounts = &config.accounts;
        let given = accounts.token_key.as_ref().map(|secret| Tokens::key(secret.expose()));
        let tokens = Tokens::new(&given.unwrap_or_default(), accounts.tokens);
        let events = Events::default();
        let recogniser = recogniser(&config, &db).await?;
        let (lines, unwise) = (config.lines.of(recogniser.model().as_str()))
            .map_err(|why| Error::Invalid(why.to_string()))?;
        unwise.iter().for_each(|why| tracing::warn!("{why}"));
        let at_work = TaskTracker::new();
        let tracker = at_work.clone();
        let spawn = Arc::new(move |task: Task| drop(tracker.spawn(task)));
        let jobs = Jobs::new(db.clone(), events.clone(), clock.clone(), spawn);
        let parts = Parts {
            db,
            keys,
            certificates: Certificates::new(&pki, config.tls.clone()),
            tokens,
            pki,
            gallery: Gallery::new(recogniser.model().clone()).with_lines(lines),
            apart: Apart::default(),
            recogniser,
            snaps: Snaps::new(events.clone()),
            events,
            clock,
            config: Arc::new(config),
            fleet: Fleet::default(),
            online: Online::default(),
            schools: Schools::default(),
            jobs,
            joins: Joins::default(),
            aside: Aside::default(),
            timekeeper: Timekeeper::default(),
            care: Tally::default(),
            ports: Arc::default(),
        };
        let app = Self { parts, noted: Arc::default(), at_work };
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
        app.end_again().await?;
        let keys = app.keys.clone();
        let resealed = app.db.write(move |tx| store::reseal::all(tx, &keys)).await;
        upkeep.tried("sealing anew what kek had sealed", resealed);
        app.follower().refresh().await?;
        match app.galleries().follow().await {
            // Without it every passage would be nobody's.
            Err(error) if !app.gallery.is_loaded() => return Err(error),
            done => upkeep.tried("making galleries", done),
        };
        upkeep.tried("sweeping keys", app.sweep_keys().await);
        upkeep.tried("finishing erasures", app.privacy().finish_erasures().await);
        Ok(())
    }

    /// Finishes erasures that were cut short: erases keys whose student is gone. The keys are
    /// listed first, because a student is always there before their key.
    async fn sweep_keys(&self) -> Result<(), Error> {
        let keyed = self.keys.students()?;
        let known = self.db.read(store::student::ids).await?;
        let gone = keyed.into_iter().filter(|id| !known.contains(id));
        gone.into_iter().try_for_each(|id| self.keys.erase(id))?;
        self.album().sweep(self.clock.wall()).await
    }

    /// Ends again what an older backup brought back: certificates, and what opened an account.
    async fn end_again(&self) -> Result<(), Error> {
        let ended = self.keys.ended()?;
        let shut = self.keys.shut()?;
        let now = self.clock.wall();
        let write = self.db.write(move |tx| {
            let certificates = store::certificate::end_again(tx, &ended, now)?;
            Ok((certificates, store::reshut::again(tx, &shut)?))
        });
        let (certificates, ReshutBack { shut, bare }) = write.await?;
        if certificates + shut > 0 {
            tracing::warn!(
                certificates,
                shut,
                passwords = bare,
                "what had ended came back with a backup: ended again"
            );
        }
        Ok(())
    }

    /// Makes the account that the environment names, on a hub that has none yet.
    pub(crate) async fn first_admin(&self) -> Result<(), Error> {
        let Some(first) = self.config.accounts.first_admin.clone() else { return Ok(()) };
        if self.db.read(store::account::any).await? {
            tracing::warn!("DJANGO_SUPERUSER_PASSWORD did its work at the first start: unset it");
            return Ok(());
        }
        let FirstAdmin { email, name, password } = first;
        let passwords = Passwords::default();
        let hash = passwords.hash(password.expose().to_owned()).await;
        let password = Some(hash.doing("hashing the first admin's password")?);
        let new = NewAccount { email, name, role: Role::Admin, student: None, password };
        let now = self.clock.wall();
        self.db.write(move |tx| store::account::add(tx, &new, "first start", now)).await?;
        tracing::info!("the first admin was made from the environment");
        Ok(())
    }

    /// TLS towards doors.
    fn door_tls(&self) -> Result<Arc<rustls::ServerConfig>, Error> {
        let tls = doors::tls::server(self.pki.clone(), self.fleet.clone());
        tls.doing("setting up TLS for doors")
    }

    /// Notices what the command line changed in people and doors, leases that end, and pictures
    /// to be forgotten, until `stop`; what doors are told follows the releases (`acts::device::follow`).
    pub(crate) async fn follow(self, beat: Beat, stop: CancellationToken) -> Result<(), Error> {
        let upkeep = self.upkeep();
        let lessons = self.lessons();
        let galleries = self.galleries();
        let mut seen = upkeep.tried("noticing changes", self.db.read(store::change::read).await);
        let mut looked = self.clock.mono();
        let mut made = None::<Mono>;
        while stop.run_until_cancelled(tokio::time::sleep(POLL)).await.is_some() {
            beat.turn();
            let mono = self.clock.mono();
            self.snaps.sweep(mono);
            self.note_doors(&upkeep).await;
            if made.is_none_or(|at| mono.since(at) > HOUR_MS)
                && upkeep.is_due(AsideKind::Work, "making lessons")
            {
                let done = upkeep.tried("making lessons", lessons.make().await);
                made = done.map(|()| mono).or(made);
            }
            let now = upkeep.tried("noticing changes", self.db.read(store::change::read).await);
            let hour = mono.since(looked) > HOUR_MS;
            let changed = now.is_some() && now != seen;
            if (changed || hour) && upkeep.is_due(AsideKind::Work, "making galleries") {
                let done = galleries.follow().await;
                if upkeep.tried("making galleries", done).is_some() {
                    (seen, looked) = (now, mono);
                    self.events.say(Event::GalleryChanged);
                }
            }
        }
        Ok(())
    }

    /// Notes that doors which were connected before the start are gone, if the start could not.
    async fn note_doors(&self, upkeep: &Upkeep) {
        if self.noted.load(Ordering::Relaxed)
            || !upkeep.is_due(AsideKind::Work, "noting doors that are gone")
        {
            return;
        }
        let connected = self.online.all();
        let note = move |tx: &store::Tx<'_>| store::device::offline_but(tx, &connected);
        let done = upkeep.tried("noting doors that are gone", self.db.write_behind(note).await);
        self.noted.store(done.is_some(), Ordering::Relaxed);
    }
}

/// What looks at pictures. Without a whole pack everything that needs none goes on, with the
/// network that was in use before.
async fn recogniser(config: &Config, db: &Db) -> Result<Recogniser, Error> {
    let used = db.read(store::enrolment::model_in_use).await?;
    match Recogniser::start(&config.models) {
        Ok(recogniser) => {
            let model = recogniser.model().clone();
            if used.as_ref() != Some(&model) {
                let keep = move |tx: &store::Tx<'_>| store::enrolment::use_model(tx, &model);
                if let Err(error) = db.write(keep).await {
                    tracing::warn!(%error, "which network is in use was not remembered");
                }
            }
            Ok(recogniser)
        }
        Err(error) => Recogniser::without(&config.models, used, &error),
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
    pulse: Pulse,
    stop: CancellationToken,
}

/// Starts a hub.
///
/// # Errors
/// When its data is not whole or an address is taken.
pub async fn serve(config: Config, clock: Arc<dyn Clock>) -> Result<Running, Error> {
    let listen = config.listen;
    file::there(&config.database())?;
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
        pulse: Pulse::default(),
        stop: CancellationToken::new(),
    };
    let stop = running.stop.clone();
    upkeep.tried("ending jobs that were cut short", app.jobs.interrupt().await);
    running.keep("follower", App::follow);
    running.keep("certificates", |app, beat, stop| app.renewal().run(beat, stop));
    running.keep("privacy", |app, beat, stop| app.privacy().run(beat, stop));
    running.keep("messages", |app, beat, stop| app.sender().run(beat, stop));
    running.keep("lessons", |app, beat, stop| app.lessons().run(beat, stop));
    running.keep("care", |app, beat, stop| app.cares().run(beat, stop));
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
        let noted = app
            .upkeep()
            .tried("noting doors that are gone", app.db.write(store::device::all_offline).await);
        app.noted.store(noted.is_some(), Ordering::Relaxed);
        let (ingest, deliveries) = mpsc::channel(mqtt::QUEUE);
        let writer = Ingest {
            db: app.db.clone(),
            keys: app.keys.clone(),
            schools: app.schools.clone(),
            events: app.events.clone(),
            clock: app.clock.clone(),
            deliveries,
            fault: StagedFault::from_env(),
        };
        let ear = Listener {
            ingest,
            fleet: app.fleet.clone(),
            online: app.online.clone(),
            snaps: app.snaps.clone(),
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

    /// Asks every part to finish, and waits up to 10 s.
    ///
    /// # Errors
    /// The first failure of a part, or that one was stuck.
    pub async fn stop(mut self) -> Result<(), Error> {
        let _no_supervisor = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
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
