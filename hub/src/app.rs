//! The running hub: builds the parts, connects them, starts and stops them.
//!
//! The only file that spawns. A part that ends, well or not, ends the whole: the supervisor
//! starts a hub that is whole again.

use crate::config::Config;
use crate::error::{Doing, Error};
use crate::events::{Event, Events};
use crate::keys::Keys;
use crate::pki::Pki;
use crate::store::{self, Db};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wire::Clock;

/// How long parts have to finish what they are doing.
const GRACE: Duration = Duration::from_secs(10);
/// How often changes made by another process are looked for.
const POLL: Duration = Duration::from_millis(500);

/// Everything a part of the hub may need; cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: Db,
    /// Secrets.
    pub keys: Keys,
    /// Certificates.
    pub pki: Pki,
    /// What just happened.
    pub events: Events,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Settings.
    pub config: Arc<Config>,
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
        let events = Events::default();
        let app = Self { db, keys, pki, events, clock, config: Arc::new(config) };
        app.follow_devices().await?;
        Ok(app)
    }

    /// Reads the revoked certificates anew.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn follow_devices(&self) -> Result<(), Error> {
        self.pki.set_revoked(self.db.read(store::device::revoked).await?);
        Ok(())
    }

    /// Notices what the command line changed, until `stop`.
    async fn follow(self, stop: CancellationToken) -> Result<(), Error> {
        let mut seen = self.db.read(store::change::read).await?;
        while stop.run_until_cancelled(tokio::time::sleep(POLL)).await.is_some() {
            let now = self.db.read(store::change::read).await?;
            if now.0 != seen.0 {
                self.events.say(Event::GalleryChanged);
            }
            if now.1 != seen.1 {
                self.follow_devices().await?;
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
    let app = App::open(config, clock).await?;
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
    running.start("follower", app.clone().follow(stop.clone()));
    Ok(running)
}

impl Running {
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
        let drain = async {
            let mut result = Ok(());
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
