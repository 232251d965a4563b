//! What `hub.toml` and the environment say, and what it means.
//!
//! `raw` is what was typed, unknown keys refused; [`Config`] is checked and complete. A variable
//! wins over the file ([`Vars`]); those of other systems are understood too ([`seeds`]).

mod accounts;
mod broker;
mod check;
mod database;
pub mod doors;
mod error;
mod lines;
mod log;
mod raw;
mod secret;
pub mod seeds;
mod smtp;
mod source;
mod tls;
mod traces;
mod vars;
mod web;

pub use accounts::{AccountSettings, FirstAdmin, Oidc};
pub use broker::Broker;
pub use error::ConfigError;
pub use lines::{LineSetting, LinesSetting};
pub use log::{Log, LogFormat};
pub use secret::Secret;
pub use smtp::{Smtp, SmtpTls};
pub use tls::Files;
pub use traces::Traces;
pub use vars::Vars;
pub use web::{Cors, Hosts};

use accept::Proxies;
use jiff::tz::TimeZone;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::{Database, keys::KeysPlace};

/// The file in the data directory.
pub const FILE: &str = "hub.toml";

/// As meant.
#[derive(Clone, Debug)]
pub struct Config {
    /// Directory of databases, keys and certificates.
    pub data: PathBuf,
    /// The name by which people and doors reach the hub. Default `localhost`.
    pub host: String,
    /// The address in links that leave the hub, without a slash at its end. Default
    /// `https://{host}:{port of listen.web}`.
    pub public_url: String,
    /// The site's time zone: dates and lessons are local to it. Default UTC.
    pub zone: TimeZone,
    /// Directory of the model pack's weights. Default `models/weights`.
    pub models: PathBuf,
    /// Where it listens.
    pub listen: Listen,
    /// How long a hub that was told to stop goes on serving while `/ready` sends balancers
    /// elsewhere. Default 0.
    pub drain: Duration,
    /// Names by which it may be asked for.
    pub hosts: Hosts,
    /// Who may say for whom a request comes. Default nobody.
    pub proxies: Proxies,
    /// How much one door may do.
    pub doors: crate::doors::DoorLimits,
    /// Whether people and programs are served without TLS; only on the loopback.
    pub plain: bool,
    /// Accounts, sessions and tokens.
    pub accounts: AccountSettings,
    /// Which other sites' pages may read the API.
    pub cors: Cors,
    /// The mail server; without one no mail is sent.
    pub smtp: Option<Smtp>,
    /// The site's broker; without one Home Assistant is told nothing.
    pub broker: Option<Broker>,
    /// From which score on somebody is surely, or possibly, who they look like. Default: the
    /// model pack's own.
    pub lines: LinesSetting,
    /// Bytes of an uploaded photo at most. Default and most 10 MiB.
    pub max_upload: u64,
    /// Whether webhooks may lead into private networks, and be plain HTTP.
    pub private_webhooks: bool,
    /// What a program shows to read the metrics from another machine.
    pub metrics_token: Option<Secret>,
    /// The certificate that people brought for the web, if they did.
    pub tls: Option<crate::Files>,
    /// Days after which a copy of the data goes, but for the newest. Default 90.
    pub backup_days: u32,
    /// The log.
    pub log: Log,
    /// Where traces go; without it there are none.
    pub traces: Option<Traces>,
    /// What was set and means nothing here, or is unwise: for the log at the start.
    pub warnings: Vec<String>,
    database: Database,
    keys: KeysPlace,
}

/// Addresses of the three listeners; port 0 takes any free one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listen {
    /// People, programs, joining doors. Default 0.0.0.0:8443.
    pub web: SocketAddr,
    /// Doors' MQTT. Default 0.0.0.0:8883.
    pub mqtt: SocketAddr,
    /// Doors' HTTPS. Default 0.0.0.0:8444.
    pub device: SocketAddr,
}

impl Config {
    /// The configuration in the data directory `data`, with the variables of this process.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn load(data: &Path) -> Result<Self, ConfigError> {
        let path = data.join(FILE);
        let text = std::fs::read_to_string(&path)
            .map_err(|why| ConfigError::Unreadable { path: path.clone(), why })?;
        Self::read(data, &text, &Vars::of_process())
    }

    /// Where a unit joins: the name that is in the hub's certificate, whoever asks by which other.
    #[must_use]
    pub fn joining(&self) -> String {
        format!("https://{}:{}", self.host, self.listen.web.port())
    }

    /// The configuration that `text` means, without any variable but the folder of models.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn parse(data: &Path, text: &str, models: Option<PathBuf>) -> Result<Self, ConfigError> {
        let models = models.map(|path| path.to_string_lossy().into_owned());
        let vars = Vars::default();
        Self::read(data, text, &models.map_or(vars.clone(), |m| vars.with("ROLLCALL_MODELS", &m)))
    }

    /// The configuration that `text` and `vars` mean.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn read(data: &Path, text: &str, vars: &Vars) -> Result<Self, ConfigError> {
        check::read(data, text, vars)
    }

    /// Where the data lies. Default `hub.db` in the data directory.
    #[must_use]
    pub fn database(&self) -> Database {
        self.database.clone()
    }

    /// Where the keys lie. Default `keys.db` in the data directory.
    #[must_use]
    pub fn keys(&self) -> KeysPlace {
        self.keys.clone()
    }
}

/// The file that `init` writes.
#[must_use]
pub fn template(host: &str, zone: &str) -> String {
    format!(
        "# The hub's settings; what is commented out is the default.\n\
         # The name by which people and doors reach it.\n\
         host = {host:?}\n\
         # The school's time zone.\n\
         zone = {zone:?}\n\
         # The folder with the model pack (the variable ROLLCALL_MODELS wins over it).\n\
         # models = \"models/weights\"\n\n\
         [listen]\n\
         # web = \"0.0.0.0:8443\"     # people, programs, joining doors\n\
         # mqtt = \"0.0.0.0:8883\"    # doors, with certificates\n\
         # device = \"0.0.0.0:8444\"  # doors fetching galleries and models, with certificates\n\n\
         [doors]\n\
         # records_per_second = 400  # of one door, in the long run; a faster one waits\n\
         # burst = 500               # and at once\n\n\
         # Everything else (accounts, oidc, cors, smtp, broker, lines, uploads, metrics, log, traces): docs/OPERATIONS.md\n"
    )
}

#[cfg(test)]
mod tests;
