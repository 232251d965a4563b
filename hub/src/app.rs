//! The running hub: builds the parts, connects them, starts and stops them.
//!
//! The only file that spawns. What follows the data goes on whatever fails in it: one thing is set
//! aside, the rest is done ([`crate::care`]). A listener that ends, well or not, ends the whole:
//! the supervisor starts a hub that is whole again.

use crate::album::Album;
use crate::apart::Apart;
use crate::auth::{Passwords, token::Tokens};
use crate::care;
use crate::care::{Aside, Tally};
use crate::certificates::{self, Certificates, May};
use crate::device::{self, Fleet};
use crate::events::{Event, Events};
use crate::gallery::Gallery;
use crate::http::{self, front::Front};
use crate::ingest::{Ingest, fault::Fault, school::Schools};
use crate::jobs::{Jobs, Task};
use crate::join::Joins;
use crate::listener::{self, Listener, Roster};
use crate::marks;
use crate::notify;
use crate::pairing;
use crate::pki::Pki;
use crate::planning::maker;
use crate::privacy;
use crate::recogniser::Recogniser;
use crate::snaps::Snaps;
use crate::timekeeper::{self, Timekeeper};
use config::{Config, FirstAdmin};
use rules::attendance::marking;
use rules::auth::Role;
use rules::care::What;
use rules::error::{Doing, Error};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use store::keys::Keys;
use store::{self, Db, account::New, file, shut::Back};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::pulse::{Beat, Pulse};
use wire::{Clock, Mono, Wall};

/// How long parts have to finish what they are doing.
const GRACE: Duration = Duration::from_secs(10);
/// How often changes made by another process are looked for.
const POLL: Duration = Duration::from_millis(500);

/// How often lessons that are over are looked for.
const CLOSE: Duration = Duration::from_secs(2);
/// Periods whose lessons are made in one transaction: a school has hundreds, and others write too.
const MADE_AT_ONCE: usize = 20;
/// Lessons closed in one look.
const CLOSED_AT_ONCE: u32 = 50;

/// How often what waits for a person is counted, and how long a part that failed rests.
const COUNT: Duration = Duration::from_secs(30);
const REST: Duration = Duration::from_secs(2);
/// How often a loop turns that waits.
const TURN: Duration = Duration::from_secs(2);
/// How often the loops are looked at where systemd does not say.
const LOOK: Duration = Duration::from_secs(120);

/// How often leases of galleries and the lessons ahead are looked at: each hour.
const HOUR_MS: u64 = 3_600_000;

/// Everything a part of the hub may need; cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: Db,
    /// Secrets.
    pub keys: Keys,
    /// Certificates.
    pub pki: Pki,
    /// What is shown to people and programs.
    pub certificates: Certificates,
    /// Signs and reads access tokens.
    pub tokens: Tokens,
    /// Who may be recognised.
    pub gallery: Gallery,
    /// What reads files that people bring.
    pub apart: Apart,
    /// What looks at uploaded pictures.
    pub recogniser: Recogniser,
    /// What just happened.
    pub events: Events,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Settings.
    pub config: Arc<Config>,
    /// What doors should run, and which of their certificates no longer count.
    pub fleet: Fleet,
    /// Which doors are connected.
    pub roster: Roster,
    /// What doors' cameras see, when somebody asked.
    pub snaps: Snaps,
    /// Who may be recognised, for the hub's own look at each sighting.
    pub schools: Schools,
    /// Long work.
    pub jobs: Jobs,
    /// Who tried to join lately.
    pub joins: Joins,
    /// What failed and is tried again later.
    pub aside: Aside,
    /// Whether the clock is believed.
    pub timekeeper: Timekeeper,
    /// How much waits for a person who runs the system.
    pub care: Tally,
    /// Whether doors that were connected before the start are noted as gone.
    noted: Arc<AtomicBool>,
    /// Jobs at work, and requests that must be finished.
    at_work: TaskTracker,
    /// Ports of the doors' listeners, once bound: MQTT and HTTPS.
    ports: Arc<OnceLock<(u16, u16)>>,
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
        let app = Self {
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
            roster: Roster::default(),
            schools: Schools::default(),
            jobs,
            at_work,
            joins: Joins::default(),
            aside: Aside::default(),
            timekeeper: Timekeeper::default(),
            care: Tally::default(),
            noted: Arc::default(),
            ports: Arc::default(),
        };
        app.turn_tokens()?;
        let may = app.tried("looking at the hub's certificates", certificates::may(&app).await);
        certificates::look(&app, May { end: false, ..may.unwrap_or_default() });
        privacy::erase::bury_again(&app.db, &app.keys, app.clock.wall()).await?;
        app.end_again().await?;
        let keys = app.keys.clone();
        let resealed = app.db.write(move |tx| store::reseal::all(tx, &keys)).await;
        app.tried("sealing anew what kek had sealed", resealed);
        app.follow_devices().await?;
        match app.follow_gallery().await {
            // Without it every passage would be nobody's.
            Err(error) if !app.gallery.is_loaded() => return Err(error),
            done => app.tried("making galleries", done),
        };
        app.tried("sweeping keys", app.sweep_keys().await);
        app.tried("finishing erasures", privacy::erase::resume(&app).await);
        Ok(app)
    }

    /// This moment, on both clocks.
    fn now(&self) -> (Wall, Mono) {
        (self.clock.wall(), self.clock.mono())
    }

    /// What came of `work` that the hub does by itself; what failed is noted, and its next turn is
    /// the retry.
    pub fn tried<T>(&self, work: &'static str, done: Result<T, Error>) -> Option<T> {
        match done {
            Ok(done) => {
                self.aside.done(What::Work, work);
                Some(done)
            }
            Err(error) => {
                self.aside.failed(What::Work, work, &error, self.now());
                None
            }
        }
    }

    /// The same for one thing of many. A store that is busy or full is not its fault: it waits for
    /// the next turn like all others.
    ///
    /// # Errors
    /// What the store said.
    pub(crate) fn one<T>(
        &self,
        what: What,
        id: &str,
        done: Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match done {
            Ok(done) => {
                self.aside.done(what, id);
                Ok(Some(done))
            }
            Err(error) if store::is_passing(&error) => Err(error),
            Err(error) => {
                self.aside.failed(what, id, &error, self.now());
                Ok(None)
            }
        }
    }

    /// Lets `task` run to its end, whoever asked for it; the hub waits for it when it stops.
    pub fn finish(&self, task: Task) {
        drop(self.at_work.spawn(task));
    }

    /// Finishes erasures that were cut short: erases keys whose student is gone. The keys are
    /// listed first, because a student is always there before their key.
    async fn sweep_keys(&self) -> Result<(), Error> {
        let keyed = self.keys.students()?;
        let known = self.db.read(store::student::ids).await?;
        let gone = keyed.into_iter().filter(|id| !known.contains(id));
        gone.into_iter().try_for_each(|id| self.keys.erase(id))?;
        Album::of(self).sweep(self.clock.wall()).await
    }

    /// Takes the keys of access tokens as they are now, unless the settings name one.
    ///
    /// # Errors
    /// When the key store fails.
    pub fn turn_tokens(&self) -> Result<(), Error> {
        if self.config.accounts.token_key.is_none() {
            let overlap = self.tokens.limits().access_ms;
            self.tokens.turn(&self.keys.tokens(overlap, self.clock.wall())?);
        }
        Ok(())
    }

    /// Ends again what an older backup brought back: certificates, and what opened an account.
    async fn end_again(&self) -> Result<(), Error> {
        let (ended, shut, now) = (self.keys.ended()?, self.keys.shut()?, self.clock.wall());
        let write = self.db.write(move |tx| {
            let certificates = store::certificate::end_again(tx, &ended, now)?;
            Ok((certificates, store::shut::again(tx, &shut)?))
        });
        let (certificates, Back { shut, bare }) = write.await?;
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
        let new = New { email, name, role: Role::Admin, student: None, password };
        let now = self.clock.wall();
        self.db.write(move |tx| store::account::add(tx, &new, "first start", now)).await?;
        tracing::info!("the first admin was made from the environment");
        Ok(())
    }

    /// Where doors reach the hub: `host:port` of MQTT and of HTTPS.
    #[must_use]
    pub fn reach(&self) -> (String, String) {
        let listen = &self.config.listen;
        let set = || (listen.mqtt.port(), listen.device.port());
        let (mqtt, https) = self.ports.get().copied().unwrap_or_else(set);
        let host = &self.config.host;
        (format!("{host}:{mqtt}"), format!("{host}:{https}"))
    }

    /// TLS towards doors.
    fn door_tls(&self) -> Result<Arc<rustls::ServerConfig>, Error> {
        let tls = device::tls::server(self.pki.clone(), self.fleet.clone());
        tls.doing("setting up TLS for doors")
    }

    /// Reads anew what doors should run, and which of their certificates no longer count.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn follow_devices(&self) -> Result<(), Error> {
        device::follow::look(self).await
    }

    /// Reads anew who may be recognised, and makes the releases that follow from it.
    ///
    /// # Errors
    /// When the database or the key store fails.
    pub async fn follow_gallery(&self) -> Result<(), Error> {
        let done = self.gallery.refresh(&self.db, &self.keys, self.clock.wall()).await;
        if self.gallery.is_loaded() {
            self.schools.set(self.gallery.schools());
        }
        done
    }

    /// Makes the lessons of the days ahead from the timetable.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn make_lessons(&self) -> Result<(), Error> {
        let (zone, now) = (self.config.zone.clone(), self.clock.wall());
        let of = zone.clone();
        let mut stale = self.db.read(move |tx| maker::stale(tx, &of, now)).await?;
        stale.retain(|id| self.aside.is_due(What::Period, &id.to_string(), self.clock.mono()));
        let make = |some: Vec<uuid::Uuid>| {
            let zone = zone.clone();
            self.db.write_behind(move |tx| {
                let one = |id: &uuid::Uuid| maker::make(tx, maker::Of::Period(*id), &zone, now);
                some.iter().try_for_each(|id| one(id).map(drop))
            })
        };
        for some in stale.chunks(MADE_AT_ONCE) {
            if make(some.to_vec()).await.is_ok() {
                some.iter().for_each(|id| self.aside.done(What::Period, &id.to_string()));
                continue;
            }
            for id in some {
                self.one(What::Period, &id.to_string(), make(vec![*id]).await)?;
            }
        }
        if !stale.is_empty() {
            tracing::info!(periods = stale.len(), "lessons were made from the timetable");
        }
        Ok(())
    }

    /// Closes lessons that are over: whoever is on their roster without a mark gets one. Says how
    /// many it closed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close_lessons(&self) -> Result<usize, Error> {
        let (now, mono) = self.now();
        let aside = u32::try_from(self.aside.count(What::Lesson)).unwrap_or(CLOSED_AT_ONCE);
        let most = CLOSED_AT_ONCE + aside;
        let mut over = self.db.read(move |tx| store::session::over(tx, now, most)).await?;
        over.retain(|id| self.aside.is_due(What::Lesson, &id.to_string(), mono));
        let mut closed = 0;
        for id in over {
            let close = move |tx: &store::Tx<'_>| marks::close(tx, id, marking::HUB, now);
            let done = self.db.write_behind(close).await;
            if self.one(What::Lesson, &id.to_string(), done)?.is_some() {
                self.events.say(Event::SessionClosed(id));
                closed += 1;
            }
        }
        Ok(closed)
    }

    /// Closes lessons as they end, and lets the faces of rejected sightings go, until `stop`.
    async fn close_as_they_end(self, beat: Beat, stop: CancellationToken) -> Result<(), Error> {
        while stop.run_until_cancelled(tokio::time::sleep(CLOSE)).await.is_some() {
            beat.turn();
            self.close_what_is_over().await;
        }
        Ok(())
    }

    /// One turn of it; nothing while the clock is not believed.
    pub(crate) async fn close_what_is_over(&self) {
        if !self.is_believed().await {
            return;
        }
        self.tried("closing lessons", self.close_lessons().await);
        let now = self.clock.wall();
        let sweep = move |tx: &store::Tx<'_>| store::review::sweep_evidence(tx, now);
        self.tried("sweeping evidence", self.db.write_behind(sweep).await);
    }

    /// Whether the clock is believed, so that what cannot be undone may be done.
    pub async fn is_believed(&self) -> bool {
        let leap = self.tried("looking after the clock", timekeeper::leap(self).await);
        leap.is_some_and(|leap| leap.is_none())
    }

    /// Counts what waits for a person, for every page, until `stop`.
    async fn count_cares(self, beat: Beat, stop: CancellationToken) -> Result<(), Error> {
        loop {
            beat.turn();
            self.tried("counting what needs care", care::facts::look(&self).await);
            rest(COUNT, &beat, &stop).await;
            if stop.is_cancelled() {
                return Ok(());
            }
        }
    }

    /// Notices what the command line changed in people and doors, leases that end, and pictures
    /// to be forgotten, until `stop`; what doors are told follows the releases (`device::follow`).
    pub(crate) async fn follow(self, beat: Beat, stop: CancellationToken) -> Result<(), Error> {
        let mut seen = self.tried("noticing changes", self.db.read(store::change::read).await);
        let (mut looked, mut made) = (self.clock.mono(), None::<Mono>);
        while stop.run_until_cancelled(tokio::time::sleep(POLL)).await.is_some() {
            beat.turn();
            let mono = self.clock.mono();
            self.snaps.sweep(mono);
            self.note_doors().await;
            if made.is_none_or(|at| mono.since(at) > HOUR_MS) && self.is_due("making lessons") {
                let done = self.tried("making lessons", self.make_lessons().await);
                made = done.map(|()| mono).or(made);
            }
            let now = self.tried("noticing changes", self.db.read(store::change::read).await);
            let hour = mono.since(looked) > HOUR_MS;
            let changed = now.is_some() && now != seen;
            if (changed || hour) && self.is_due("making galleries") {
                let done = self.follow_gallery().await;
                if self.tried("making galleries", done).is_some() {
                    (seen, looked) = (now, mono);
                    self.events.say(Event::GalleryChanged);
                }
            }
        }
        Ok(())
    }

    /// Whether work that failed may be tried again.
    fn is_due(&self, work: &str) -> bool {
        self.aside.is_due(What::Work, work, self.clock.mono())
    }

    /// Notes that doors which were connected before the start are gone, if the start could not.
    async fn note_doors(&self) {
        if self.noted.load(Ordering::Relaxed) || !self.is_due("noting doors that are gone") {
            return;
        }
        let connected = self.roster.connected();
        let note = move |tx: &store::Tx<'_>| store::device::offline_but(tx, &connected);
        let done = self.tried("noting doors that are gone", self.db.write_behind(note).await);
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
    app.tried("making the first admin", app.first_admin().await);
    let (web, mqtt, device) = (bind(listen.web)?, bind(listen.mqtt)?, bind(listen.device)?);
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
    app.tried("ending jobs that were cut short", app.jobs.interrupt().await);
    running.keep("follower", App::follow);
    running.keep("certificates", certificates::run);
    running.keep("privacy", privacy::keeper::run);
    running.keep("messages", notify::sender::run);
    running.keep("lessons", App::close_as_they_end);
    running.keep("care", App::count_cares);
    running.doors(&app, mqtt, device).await?;
    running.start("web", web_part(web, app, stop.clone())?);
    let pulse = std::mem::take(&mut running.pulse);
    running.start("watchdog", watchdog(pulse, stop));
    Ok(running)
}

/// The web listener; on the loopback it may be plain.
fn web_part(
    listener: TcpListener,
    app: App,
    stop: CancellationToken,
) -> Result<impl Future<Output = Result<(), Error>> + Send + 'static, Error> {
    let tls = http::serve::tls(&app)?;
    let metrics = http::system::recorder();
    let front = Front::new(app, Passwords::default(), metrics, stop.clone());
    Ok(async move {
        http::serve::run(listener, tls, front, stop).await;
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
        let noted =
            app.tried("noting doors that are gone", app.db.write(store::device::all_offline).await);
        app.noted.store(noted.is_some(), Ordering::Relaxed);
        let (ingest, deliveries) = mpsc::channel(listener::QUEUE);
        let writer = Ingest {
            db: app.db.clone(),
            keys: app.keys.clone(),
            schools: app.schools.clone(),
            events: app.events.clone(),
            clock: app.clock.clone(),
            deliveries,
            fault: Fault::from_env(),
        };
        let ear = Listener {
            ingest,
            fleet: app.fleet.clone(),
            roster: app.roster.clone(),
            snaps: app.snaps.clone(),
            clock: app.clock.clone(),
            limits: app.config.doors,
        };
        let (tls, stop) = (app.door_tls()?, self.stop.clone());
        self.start("ingest", writer.run(stop.clone()));
        self.keep("fleet", device::follow::run);
        self.start("mqtt", ear.run(mqtt, tls.clone(), stop.clone()));
        self.start("device https", device::http::run(https, tls, app.clone(), stop));
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
        let (app, beat, stop) = (self.app.clone(), self.pulse.beat(name), self.stop.clone());
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
                    app.tried::<()>(name, Err(error));
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

/// Waits for so long, or until `stop`. Who waits still turns.
pub(crate) async fn rest(how_long: Duration, beat: &Beat, stop: &CancellationToken) {
    let ends = tokio::time::Instant::now() + how_long;
    while tokio::time::Instant::now() < ends && !stop.is_cancelled() {
        beat.turn();
        let next = ends.min(tokio::time::Instant::now() + TURN);
        stop.run_until_cancelled(tokio::time::sleep_until(next)).await;
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
