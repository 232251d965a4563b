//! The things looked at between the unit and its hub.

use super::Finding;
use crate::{app::host_port, config::Config, identity::Identity};
use std::{
    net::{SocketAddr, TcpStream, ToSocketAddrs as _},
    time::Duration,
};
use wire::{Clock as _, Wall, time::SystemClock};
use x509_parser::pem::Pem;

const PATIENCE: Duration = Duration::from_secs(3);
const DAY_MS: i64 = 24 * 3600 * 1000;
/// Days before the end from which a certificate is a fault.
const SOON: i64 = 14;
const JOIN: &str = "on the hub: rollcall-hub device add NAME; here: the command that it prints";

/// The door has joined, and its certificate is good for a while.
pub fn certificate(config: &Config) -> Finding {
    let identity = match Identity::load(&config.data) {
        Ok(identity) => identity,
        Err(error) => return Finding::fault("certificate", error.to_string(), JOIN),
    };
    let device = &identity.joined.device;
    let Some(end) = expiry(&identity.joined.certificate_pem) else {
        return Finding::fault("certificate", format!("that of “{device}” is damaged"), JOIN);
    };
    match days_left(end, SystemClock.wall()) {
        days if days < 0 => Finding::fault(
            "certificate",
            format!("that of “{device}” ended {} days ago", -days),
            JOIN,
        ),
        days if days < SOON => {
            Finding::fault("certificate", format!("that of “{device}” ends in {days} days"), JOIN)
        }
        days => Finding::well("certificate", format!("this is “{device}”, for {days} more days")),
    }
}

fn expiry(pem: &str) -> Option<Wall> {
    let pem = Pem::iter_from_buffer(pem.as_bytes()).next()?.ok()?;
    let end = pem.parse_x509().ok()?.validity().not_after.timestamp();
    Some(Wall(end.saturating_mul(1000)))
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
    fn a_certificate_that_is_none_has_no_end() {
        assert_eq!(expiry("hello"), None);
        let key = rcgen::KeyPair::generate().unwrap();
        let made =
            rcgen::CertificateParams::new(vec!["d1".into()]).unwrap().self_signed(&key).unwrap();
        assert!(expiry(&made.pem()).unwrap() > Wall(1_700_000_000_000));
    }

    #[test]
    fn a_unit_that_has_not_joined_is_told_how() {
        let folder = tempfile::tempdir().unwrap();
        let text = "data = \".\"\n[camera]\nkind = \"v4l2\"";
        let paths = crate::config::Paths(folder.path().to_owned());
        let config = Config::parse(text, &paths, "edge.toml").unwrap();
        assert!(certificate(&config).to_string().contains("device add"));
        assert!(!name(&config).is_fault() && !reach(&config).is_fault());
    }
}
