//! What all requests share besides the hub itself: password hashing, throttling, tokens, limits.

use super::cost::{Cost, Spender};
use super::site::Site;
use accept::HalfOpen;
use acts::auth::{Passwords, token::Tokens};
use acts::entrance::{Elsewhere, Entrance, Passkeys};
use acts::parts::Parts;
use acts::provider::Provider;
use metrics_exporter_prometheus::PrometheusHandle;
use rules::auth::meter::Meter;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use wire::Mono;

/// Photos read or looked at together: bounds the memory they need (10 MiB each, decoded more).
pub const PHOTOS_AT_ONCE: usize = 8;
/// Requests of people who are not signed in that are answered together: others go before a crowd.
pub const STRANGERS: usize = 16;
/// KiB of large bodies that are read or looked at together.
pub const BODIES: u32 = 96 * 1024;
/// Event streams open together.
pub const STREAMS: usize = 512;

/// Shared by all requests; cheap to clone.
#[derive(Clone)]
pub struct Front(Arc<FrontShared>);

/// What [`Front`] holds.
pub struct FrontShared {
    /// The hub.
    pub app: Parts,
    /// What is served.
    pub site: Site,
    /// Password hashing, a few at a time.
    pub passwords: Passwords,
    /// Access tokens.
    pub tokens: Tokens,
    /// How long sessions live.
    pub limits: rules::auth::session::SessionLimits,
    /// What `/metrics` prints.
    pub metrics: Option<PrometheusHandle>,
    /// Places for photos.
    pub photos: Arc<Semaphore>,
    /// Places for requests of people who are not signed in.
    pub strangers: Arc<Semaphore>,
    /// Room for large bodies, in KiB.
    pub bodies: Arc<Semaphore>,
    /// Places for event streams.
    pub streams: Arc<Semaphore>,
    /// Cancelled when the hub stops: event streams end.
    pub stop: CancellationToken,
    /// The way in.
    pub entrance: Entrance,
    costs: Mutex<Meter<(Spender, Cost)>>,
}

impl Deref for Front {
    type Target = FrontShared;
    fn deref(&self) -> &FrontShared {
        &self.0
    }
}

impl Front {
    /// The front of `app`'s house.
    #[must_use]
    pub fn new(
        app: Parts,
        site: Site,
        passwords: Passwords,
        metrics: Option<PrometheusHandle>,
        stop: CancellationToken,
    ) -> Self {
        let accounts = &app.config.accounts;
        let tokens = app.tokens.clone();
        let limits = accounts.sessions;
        let provider = accounts.oidc.as_ref().and_then(|oidc| {
            let jobs = app.jobs.clone();
            let spawn = Arc::new(move |task| jobs.finish(task));
            let made = Provider::new(oidc, &app.config.public_url, spawn, stop.clone());
            made.inspect_err(|error| tracing::error!(%error, "no sign-in elsewhere")).ok()
        });
        let entrance = Entrance {
            db: app.db.clone(),
            keys: app.keys.clone(),
            passwords: passwords.clone(),
            tokens: tokens.clone(),
            limits,
            passkeys: Passkeys::new(&app.config.public_url),
            elsewhere: Elsewhere::new(provider),
            throttle: Arc::default(),
            clock: app.clock.clone(),
            host: app.config.host.clone(),
        };
        Self(Arc::new(FrontShared {
            app,
            site,
            passwords,
            tokens,
            limits,
            metrics,
            photos: Arc::new(Semaphore::new(PHOTOS_AT_ONCE)),
            strangers: Arc::new(Semaphore::new(STRANGERS)),
            bodies: Arc::new(Semaphore::new(BODIES as usize)),
            streams: Arc::new(Semaphore::new(STREAMS)),
            stop,
            entrance,
            costs: Mutex::default(),
        }))
    }

    /// Looks at or changes who has used what costs something.
    pub fn costs<T>(&self, look: impl FnOnce(&mut Meter<(Spender, Cost)>) -> T) -> T {
        look(&mut self.costs.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Where a request comes from; the accept loop puts it into the request.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The other end.
    pub address: IpAddr,
    /// Whether it came over TLS.
    pub tls: bool,
    /// Its place among strangers, until it shows who it is.
    pub(super) stranger: Stranger,
}

impl Peer {
    /// Somebody at the other end.
    #[must_use]
    pub fn new(address: IpAddr, tls: bool) -> Self {
        Self { address, tls, stranger: Stranger::default() }
    }
}

/// The place of a connection among those that have not shown who they are.
#[derive(Clone, Default, Debug)]
pub struct Stranger(Arc<Mutex<Option<HalfOpen>>>);

impl Stranger {
    /// Takes its place.
    #[must_use]
    pub fn new(place: HalfOpen) -> Self {
        Self(Arc::new(Mutex::new(Some(place))))
    }

    /// Somebody signed in asked over this connection.
    pub fn known(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Whether somebody did.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

/// A moment of the monotonic clock, for the throttle.
#[must_use]
pub fn mono(app: &Parts) -> Mono {
    app.clock.mono()
}
