//! The things looked at between the unit and its hub.

use super::Finding;
use crate::{
    app::host_port,
    config::Config,
    control::{self, Answer, Question},
    identity::Identity,
    tls::validity,
};
use std::{
    net::{SocketAddr, TcpStream, ToSocketAddrs as _},
    time::Duration,
};
use wire::{Clock as _, Wall, time::SystemClock};

const PATIENCE: Duration = Duration::from_secs(3);
const DAY_MS: i64 = 24 * 3600 * 1000;
/// Days before the end from which a certificate is a fault.
const SOON: i64 = 14;
const RENEW: &str =
    "let the daemon run and reach the hub's HTTPS port for doors; it asks each hour";
const JOIN: &str = "on the hub: rollcall-hub device add NAME; here: the command that it prints";

/// The door has joined, and its certificate is good for a while.
pub fn certificate(config: &Config) -> Finding {
    let identity = match Identity::load(&config.data) {
        Ok(identity) => identity,
        Err(error) => return Finding::fault("certificate", error.to_string(), JOIN),
    };
    let device = &identity.joined.device;
    let Ok(good) = validity(&identity.joined.certificate_pem) else {
        return Finding::fault("certificate", format!("that of “{device}” is damaged"), JOIN);
    };
    let now = SystemClock.wall();
    let days = days_left(good.to, now);
    if days < 0 {
        let wrong = format!("that of “{device}” ended {} days ago", -days);
        return Finding::fault("certificate", wrong, JOIN);
    }
    let why = if good.is_due(now) { unrenewed(config) } else { String::new() };
    if days < SOON {
        let wrong = format!("that of “{device}” ends in {days} days{why}");
        return Finding::fault("certificate", wrong, RENEW);
    }
    Finding::well("certificate", format!("this is “{device}”, for {days} more days{why}"))
}

/// Why the certificate was not renewed though it is time.
fn unrenewed(config: &Config) -> String {
    match control::ask(&config.socket, Question::Status) {
        Ok((Answer::Status(status), _)) if status.certificate_trouble.is_empty() => {
            ", and is about to be renewed".to_owned()
        }
        Ok((Answer::Status(status), _)) => {
            format!(", and was not renewed: {}", status.certificate_trouble)
        }
        _ => ", and only a running daemon renews it".to_owned(),
    }
}

fn days_left(end: Wall, now: Wall) -> i64 {
    end.0.saturating_sub(now.0).div_euclid(DAY_MS)
}

/// The hub's name leads to an address.
pub fn name(config: &Config) -> Finding {
    match addresses(config) {
        None => Finding::unused("dns", "the door has not joined a hub"),
        Some((host, Ok(found))) => {
            let count = found.len();
            Finding::well(
                "dns",
                format!("“{host}” has {count} address{}", if count == 1 { "" } else { "es" }),
            )
        }
        Some((host, Err(why))) => Finding::fault(
            "dns",
            format!("the hub's name “{host}” is not found ({why})"),
            format!("check the network and its DNS server, or add “{host}” to /etc/hosts"),
        ),
    }
}

/// Something listens there.
pub fn reach(config: &Config) -> Finding {
    let Some((host, Ok(found))) = addresses(config) else {
        return Finding::unused("hub", "its address is not known");
    };
    let reached = |at: &&SocketAddr| TcpStream::connect_timeout(at, PATIENCE).is_ok();
    match found.iter().find(reached) {
        Some(at) => Finding::well("hub", format!("{host} answers at {at}")),
        None => Finding::fault(
            "hub",
            format!("{host} does not answer on its MQTT port"),
            "start the hub; let the school's firewall pass this port; records wait here meanwhile",
        ),
    }
}

type Found = (String, Result<Vec<SocketAddr>, String>);

fn addresses(config: &Config) -> Option<Found> {
    let identity = Identity::load(&config.data).ok()?;
    let (host, port) = host_port(&identity.joined.mqtt).ok()?;
    let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
    Some((host, found.map_err(|error| error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_and_negative_after_the_end() {
        assert_eq!(days_left(Wall(3 * DAY_MS), Wall(0)), 3);
        assert_eq!(days_left(Wall(DAY_MS - 1), Wall(0)), 0);
        assert_eq!(days_left(Wall(0), Wall(1)), -1);
    }

    #[test]
    fn a_unit_that_has_not_joined_is_told_how() {
        let folder = tempfile::tempdir().unwrap();
        let text = "data = \".\"\n[camera]\nkind = \"v4l2\"";
        let paths = crate::table::Paths(folder.path().to_owned());
        let config = Config::parse(text, &paths, "edge.toml").unwrap();
        assert!(certificate(&config).to_string().contains("device add"));
        assert!(!name(&config).is_fault() && !reach(&config).is_fault());
    }
}
