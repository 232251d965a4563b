//! The site's MQTT broker, where Home Assistant finds the doors.

use super::raw::RawBroker;
use super::source::Source;
use super::{ConfigError, Secret};
use std::path::{Path, PathBuf};

/// Bytes of a topic's beginning at most: what follows must fit too.
const TOPIC: usize = 100;

/// Where the broker is, and what is said there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broker {
    /// As typed: for people.
    pub address: String,
    /// Its name or address; with TLS its certificate must be for it.
    pub host: String,
    /// Its port. Default 8883, or 1883 without TLS.
    pub port: u16,
    /// Whether the connection is TLS; without it only to this machine.
    pub tls: bool,
    /// Who signs in there, with which password; nobody if absent.
    pub login: Option<(String, Secret)>,
    /// Who signed its certificate. Default whom the system trusts.
    pub ca: Option<PathBuf>,
    /// Where Home Assistant looks for what is new. Default `homeassistant`.
    pub discovery: String,
    /// Where it is said how doors are. Default `rollcall`.
    pub topic: String,
}

pub(super) fn read(
    data: &Path,
    raw: RawBroker,
    source: &Source,
) -> Result<Option<Broker>, ConfigError> {
    let any = raw != RawBroker::default();
    let keys = ("broker.password", "broker.password_file");
    let password = source.secret(keys, raw.password, raw.password_file)?;
    let Some(address) = raw.address else {
        return match any {
            true => Err(source.bad("broker.address", "", "the broker's address is missing")),
            false => Ok(None),
        };
    };
    // Whoever wrote a password into it should not read it in a log.
    let shown = if address.contains('@') { "***" } else { &*address };
    let (tls, host, port) =
        place(&address).map_err(|why| source.bad("broker.address", shown, why))?;
    if raw.ca.is_some() && !tls {
        let why = "this is for TLS only: begin broker.address with mqtts://, or leave it out";
        return Err(source.bad("broker.ca", "", why));
    }
    let discovery = topic("broker.discovery", raw.discovery, "homeassistant", source)?;
    let topic = topic("broker.topic", raw.topic, "rollcall", source)?;
    if topic == discovery {
        let why = "Home Assistant's own messages are there: take another than broker.discovery";
        return Err(source.bad("broker.topic", &topic, why));
    }
    let login = login(raw.user, password, source)?;
    let ca = raw.ca.map(|ca| data.join(ca));
    Ok(Some(Broker { address, host, port, tls, login, ca, discovery, topic }))
}

/// Whether it is TLS, and to which host and port.
fn place(address: &str) -> Result<(bool, String, u16), &'static str> {
    let odd = "write mqtts://broker.school.example:8883, or mqtt://127.0.0.1:1883 on this machine";
    let (scheme, rest) = address.split_once("://").ok_or(odd)?;
    let tls = match scheme.to_ascii_lowercase().as_str() {
        "mqtts" => true,
        "mqtt" => false,
        _ => return Err(odd),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains('@') {
        return Err(
            "leave user and password out of it: broker.user and broker.password are theirs",
        );
    }
    // The colons of an address of version 6 are within its brackets.
    let (host, port) = match rest.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) {
        None => (rest, if tls { 8883 } else { 1883 }),
        Some((host, port)) => (host, port.parse().ok().filter(|port| *port > 0).ok_or(odd)?),
    };
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let known = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let sound = match inner {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(known),
    };
    let here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    match sound {
        false => Err(odd),
        true if tls && inner.is_some() => Err("write the broker's name: its certificate is for it"),
        true if !tls && !here => {
            Err("without TLS only to a broker on this machine: begin it with mqtts://")
        }
        true => Ok((tls, host.to_owned(), port)),
    }
}

fn login(
    user: Option<String>,
    password: Option<Secret>,
    source: &Source,
) -> Result<Option<(String, Secret)>, ConfigError> {
    match (user, password) {
        (Some(user), Some(password)) => Ok(Some((user, password))),
        (None, None) => Ok(None),
        (Some(user), None) => Err(source.bad("broker.user", &user, "its password is missing")),
        (None, Some(_)) => Err(source.bad("broker.password", "***", "whose? set broker.user too")),
    }
}

/// What topics begin with: one level or more, and nothing that stands for others.
fn topic(
    key: &'static str,
    typed: Option<String>,
    usual: &str,
    source: &Source,
) -> Result<String, ConfigError> {
    let topic = typed.unwrap_or_else(|| usual.to_owned());
    let odd = |c: char| c.is_control() || "+#$ ".contains(c);
    if topic.len() > TOPIC || topic.contains(odd) || topic.split('/').any(str::is_empty) {
        let why = format!(
            "write one word such as {usual}, or more parted by “/”: at most {TOPIC} bytes, without \
             “+”, “#”, “$” and spaces"
        );
        return Err(source.bad(key, &topic, why));
    }
    Ok(topic)
}
