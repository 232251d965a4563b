//! The running hub: builds the parts, connects them, starts and stops them.
//!
//! The only file that spawns. A part that ends, well or not, ends the whole: the supervisor
//! starts a hub that is whole again.

use crate::album::Album;
use crate::apart::Apart;
use crate::attendance::{marking, register};
use crate::auth::{Passwords, Role, token::Tokens};
use crate::certificates::{self, Certificates};
use crate::config::{Config, FirstAdmin};
use crate::device::{self, Fleet};
use crate::error::{Doing, Error};
use crate::events::{Event, Events};
use crate::gallery::Gallery;
use crate::http::{self, front::Front};
use crate::ingest::{Ingest, fault::Fault, school::Schools};
use crate::jobs::{Jobs, Task};
use crate::join::Joins;
use crate::keys::Keys;
use crate::listener::{self, Listener, Roster};
use crate::notify;
use crate::pki::Pki;
use crate::privacy;
use crate::recogniser::Recogniser;
use crate::snaps::Snaps;
use crate::store::{self, Db, account::New, file};
use crate::timetable::maker;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::Clock;

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
        let pki = Pki::open(&config.data, &keys)?;
        let accounts = &config.accounts;
        let given = accounts.token_key.as_ref().map(|secret| Tokens::key(secret.expose()));
        let tokens = Tokens::new(&given.unwrap_or_default(), accounts.tokens);
        let events = Events::default();
        let recogniser = Recogniser::start(&config.models)?;
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
            ports: Arc::default(),
        };
        app.turn_tokens()?;
        certificates::look(&app);
        app.sweep_keys().await?;
        privacy::erase::bury_again(&app.db, &app.keys, app.clock.wall()).await?;
        app.end_again().await?;
        let keys = app.keys.clone();
        app.db.write(move |tx| store::reseal::all(tx, &keys)).await?;
        app.follow_devices().await?;
        app.follow_gallery().await?;
        privacy::erase::resume(&app).await?;
        Ok(app)
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

    /// Ends certificates again that an older backup brought back.
    async fn end_again(&self) -> Result<(), Error> {
        let (ended, now) = (self.keys.ended()?, self.clock.wall());
        let back = self.db.write(move |tx| store::certificate::end_again(tx, &ended, now)).await?;
        if back > 0 {
            tracing::warn!(
                back,
                "certificates that had ended came back with a backup: ended again"
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
        let doing = "setting up TLS for doors";
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.pki.ca().clone()).doing(doing)?;
        let shown = Arc::new(self.pki.shown().clone());
        device::tls::server(roots, shown, self.fleet.clone()).doing(doing)
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
        self.gallery.refresh(&self.db, &self.keys, self.clock.wall()).await?;
        self.schools.set(self.gallery.schools());
        Ok(())
    }

    /// Makes the lessons of the days ahead from the timetable.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn make_lessons(&self) -> Result<(), Error> {
        let (zone, now) = (self.config.zone.clone(), self.clock.wall());
        let of = zone.clone();
        let stale = self.db.read(move |tx| maker::stale(tx, &of, now)).await?;
        for some in stale.chunks(MADE_AT_ONCE) {
            let (some, zone) = (some.to_vec(), zone.clone());
            let make = move |tx: &store::Tx<'_>| {
                let one = |id: &uuid::Uuid| maker::make(tx, maker::Of::Period(*id), &zone, now);
                some.iter().try_for_each(|id| one(id).map(drop))
            };
            self.db.write_behind(make).await?;
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
        let now = self.clock.wall();
        let over = self.db.read(move |tx| store::session::over(tx, now, CLOSED_AT_ONCE)).await?;
        for &id in &over {
            self.db.write_behind(move |tx| register::close(tx, id, marking::HUB, now)).await?;
            self.events.say(Event::SessionClosed(id));
        }
        Ok(over.len())
    }

    /// Closes lessons as they end, and lets the faces of rejected sightings go, until `stop`.
    async fn close_as_they_end(self, stop: CancellationToken) -> Result<(), Error> {
        while stop.run_until_cancelled(tokio::time::sleep(CLOSE)).await.is_some() {
            self.close_lessons().await?;
            let now = self.clock.wall();
            self.db.write_behind(move |tx| store::review::sweep_evidence(tx, now)).await?;
        }
        Ok(())
    }

    /// Notices what the command line changed in people and doors, leases that end, and pictures
    /// to be forgotten, until `stop`; what doors are told follows the releases (`device::follow`).
    pub(crate) async fn follow(self, stop: CancellationToken) -> Result<(), Error> {
        let mut seen = self.db.read(store::change::read).await?;
        let mut looked = self.clock.mono();
        self.make_lessons().await?;
        while stop.run_until_cancelled(tokio::time::sleep(POLL)).await.is_some() {
            self.snaps.sweep(self.clock.mono());
            let now = self.db.read(store::change::read).await?;
            let hour = self.clock.mono().since(looked) > HOUR_MS;
            if hour {
                self.make_lessons().await?;
            }
            if now != seen || hour {
                looked = self.clock.mono();
                self.follow_gallery().await?;
                self.events.say(Event::GalleryChanged);
            }
            seen = now;
        }
        Ok(())
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
    app.first_admin().await?;
    let (web, mqtt, device) =
        (bind(listen.web).await?, bind(listen.mqtt).await?, bind(listen.device).await?);
    let mut running = Running {
        web: address(&web)?,
        mqtt: address(&mqtt)?,
        device: address(&device)?,
        app: app.clone(),
        parts: JoinSet::new(),
        stop: CancellationToken::new(),
    };
    let stop = running.stop.clone();
    app.jobs.interrupt().await?;
    running.start("follower", app.clone().follow(stop.clone()));
    running.start("certificates", certificates::run(app.clone(), stop.clone()));
    running.start("privacy", privacy::keeper::run(app.clone(), stop.clone()));
    running.start("messages", notify::sender::run(app.clone(), stop.clone()));
    running.start("lessons", app.clone().close_as_they_end(stop.clone()));
    running.doors(&app, mqtt, device).await?;
    running.start("web", web_part(web, app, stop)?);
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
        app.db.write(store::device::all_offline).await?;
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
        self.start("fleet", device::follow::run(app.clone(), stop.clone()));
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

async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.doing(&format!("listening on {address}"))
}

fn address(listener: &TcpListener) -> Result<SocketAddr, Error> {
    listener.local_addr().doing("reading a listener's address")
}
