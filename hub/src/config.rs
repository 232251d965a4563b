//! What `hub.toml` says, and what it means.
//!
//! `RawConfig` is what was typed, unknown keys refused; [`Config`] is checked and complete.

use jiff::tz::TimeZone;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The file in the data directory.
pub const FILE: &str = "hub.toml";

/// Why a configuration is refused; the program ends with exit code 64.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path} cannot be read: {why}; run `rollcall-hub init` first, or give --data")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: std::io::Error,
    },
    /// The text is no TOML, or holds a key or value that is not expected.
    #[error("{path}: {why}")]
    Text {
        /// The file.
        path: PathBuf,
        /// TOML's words; they name line and key.
        why: Box<toml::de::Error>,
    },
    /// A value makes no sense.
    #[error("{path}: {key} = “{value}”: {why}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// What it was set to.
        value: String,
        /// Why that cannot be.
        why: String,
    },
}

/// As typed.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default)]
struct RawConfig {
    host: Option<String>,
    zone: Option<String>,
    models: Option<PathBuf>,
    listen: RawListen,
    doors: RawDoors,
}

#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default)]
struct RawDoors {
    records_per_second: Option<u32>,
    burst: Option<u32>,
}

#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default)]
struct RawListen {
    web: Option<String>,
    plain: bool,
    mqtt: Option<String>,
    device: Option<String>,
}

/// As meant.
#[derive(Clone, Debug)]
pub struct Config {
    /// Directory of databases, keys and certificates.
    pub data: PathBuf,
    /// The name by which people and doors reach the hub. Default `localhost`.
    pub host: String,
    /// The site's time zone: dates and lessons are local to it. Default UTC.
    pub zone: TimeZone,
    /// Directory of the model pack's weights. `ROLLCALL_MODELS` wins over the file; default
    /// `models/weights`.
    pub models: PathBuf,
    /// Where it listens.
    pub listen: Listen,
    /// How much one door may do.
    pub doors: crate::listener::Limits,
    /// Whether people and programs are served without TLS; only on the loopback.
    pub plain: bool,
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
    /// The configuration in the data directory `data`.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn load(data: &Path) -> Result<Self, ConfigError> {
        let path = data.join(FILE);
        let text = std::fs::read_to_string(&path)
            .map_err(|why| ConfigError::Unreadable { path: path.clone(), why })?;
        Self::parse(data, &text, std::env::var_os("ROLLCALL_MODELS").map(PathBuf::from))
    }

    /// The configuration that `text` means; `models` is what the environment says.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn parse(data: &Path, text: &str, models: Option<PathBuf>) -> Result<Self, ConfigError> {
        let path = data.join(FILE);
        let raw: RawConfig = toml::from_str(text)
            .map_err(|why| ConfigError::Text { path: path.clone(), why: Box::new(why) })?;
        let bad = |key, value: &str, why: String| {
            let (path, value) = (path.clone(), value.to_owned());
            ConfigError::Value { path, key, value, why }
        };
        let address = |key, typed: Option<String>, port: u16| match typed {
            None => Ok(SocketAddr::from(([0, 0, 0, 0], port))),
            Some(typed) => typed.parse().map_err(|_| {
                bad(key, &typed, "write an address and a port, such as 0.0.0.0:8443".into())
            }),
        };
        let zone = raw.zone.unwrap_or_else(|| "UTC".into());
        let zone = TimeZone::get(&zone).map_err(|why| bad("zone", &zone, why.to_string()))?;
        let host = raw.host.unwrap_or_else(|| "localhost".into());
        if host.is_empty() || host.contains(['/', ' ', '@']) {
            return Err(bad("host", &host, "write a host name alone".into()));
        }
        let listen = Listen {
            web: address("listen.web", raw.listen.web, 8443)?,
            mqtt: address("listen.mqtt", raw.listen.mqtt, 8883)?,
            device: address("listen.device", raw.listen.device, 8444)?,
        };
        let plain = raw.listen.plain;
        if plain && !listen.web.ip().is_loopback() {
            let why = "plain HTTP is for the loopback only: set listen.web to 127.0.0.1:8443";
            return Err(bad("listen.plain", "true", why.into()));
        }
        let models = models.or(raw.models).unwrap_or_else(|| "models/weights".into());
        let usual = crate::listener::Limits::default();
        let doors = crate::listener::Limits {
            records_per_second: raw.doors.records_per_second.unwrap_or(usual.records_per_second),
            burst: raw.doors.burst.unwrap_or(usual.burst),
            ..usual
        };
        Ok(Self { data: data.to_owned(), host, zone, models, listen, doors, plain })
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.data.join("hub.db")
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
         # burst = 500               # and at once\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(Path::new("/data"), text, None)
    }

    #[test]
    fn what_init_writes_is_all_defaults() {
        let config = parse(&template("hub.example", "UTC")).unwrap();
        assert_eq!(config.host, "hub.example");
        assert_eq!(config.listen, parse("").unwrap().listen);
        assert_eq!(config.listen.web.port(), 8443);
        assert_eq!(config.database(), Path::new("/data/hub.db"));
    }

    #[test]
    fn a_wrong_key_or_value_is_named() {
        for (text, named) in [
            ("hots = \"x\"", "hots"),
            ("[listen]\nwebb = \"x\"", "webb"),
            ("[listen]\nweb = \"8443\"", "listen.web"),
            ("[listen]\nplain = true", "listen.plain"),
            ("zone = \"Mars/Base\"", "zone"),
            ("host = \"https://x\"", "host"),
            ("host = 7", "host"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(named) && error.contains("hub.toml"), "{error}");
        }
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let config = |env: Option<&str>| {
            Config::parse(Path::new("/d"), "models = \"/a\"", env.map(PathBuf::from)).unwrap()
        };
        assert_eq!(config(None).models, Path::new("/a"));
        assert_eq!(config(Some("/b")).models, Path::new("/b"));
    }
}
