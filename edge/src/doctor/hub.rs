//! The way from the unit to its hub: name, port, TLS, and whether the hub takes this door.

use super::{Ailment, Finding};
use crate::app::{host_port, hub_time};
use crate::clock::Timekeeper;
use crate::identity::Identity;
use crate::tls::{self, Badge, Trust};
use rustls::{CertificateError, ClientConfig, ClientConnection, Error as Tls};
use rustls_pki_types::ServerName;
use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;
use wire::{Wall, time::SystemClock};

const PATIENCE: Duration = Duration::from_secs(3);
/// A hub that refuses a door says so after the handshake, at once.
const AFTER: Duration = Duration::from_millis(400);

/// What came of going there.
#[derive(Debug, Default)]
pub struct Meeting {
    name: Option<Finding>,
    hub: Option<Finding>,
    date: Option<Wall>,
}

/// Goes there, as the door that `known` is.
pub fn meet(known: Option<&Identity>) -> Meeting {
    let Some(identity) = known else { return Meeting::default() };
    let Ok((host, port)) = host_port(&identity.joined.mqtt) else { return Meeting::default() };
    let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
    let found = match found {
        Ok(found) => found,
        Err(error) => return Meeting { name: Some(unknown(&host, &error)), ..Meeting::default() },
    };
    let plural = if found.len() == 1 { "" } else { "es" };
    let name = Finding::well("dns", format!("“{host}” has {} address{plural}", found.len()));
    let knocked = knock(identity, &host, &found);
    let asked = knocked.and_then(|at| {
        let date = hub_time(identity).map_err(|error| asked_in_vain(&host, &error))?;
        Ok((at, date))
    });
    let (hub, date) = match asked {
        Ok((at, date)) => (Finding::well("hub", format!("{host} answers at {at}")), date),
        Err(fault) => (fault, None),
    };
    Meeting { name: Some(name), hub: Some(hub), date }
}

impl Meeting {
    /// By how much `now` is ahead of what the hub said, milliseconds.
    pub fn ahead_ms(&self, now: Wall) -> Option<i64> {
        self.date.map(|date| now.0.saturating_sub(date.0))
    }

    /// What was found.
    pub fn findings(self) -> Vec<Finding> {
        let name = self.name.unwrap_or(Finding::unused("dns", "the door has not joined a hub"));
        let hub = self.hub.unwrap_or(Finding::unused("hub", "its address is not known"));
        vec![name, hub]
    }
}

fn unknown(host: &str, why: &io::Error) -> Finding {
    let wrong = format!("the hub's name “{host}” is not found ({why})");
    let mend = format!("check the network and its DNS server, or add “{host}” to /etc/hosts");
    Finding::fault(Ailment::NameUnknown, wrong, mend)
}

/// Which of the addresses answers as the hub; else what is wrong.
fn knock(identity: &Identity, host: &str, found: &[SocketAddr]) -> Result<SocketAddr, Finding> {
    let opened =
        found.iter().find_map(|at| Some((at, TcpStream::connect_timeout(at, PATIENCE).ok()?)));
    let Some((at, stream)) = opened else { return Err(closed(host, "its MQTT port")) };
    let Some(config) = as_door(identity) else { return Ok(*at) };
    greet(&config, host, stream).map_err(|error| refused(host, &error))?;
    Ok(*at)
}

fn closed(host: &str, port: &str) -> Finding {
    let mend = "start the hub; let the school's firewall pass its two ports for doors (8883 and \
                8444 unless hub.toml says otherwise); records wait here meanwhile";
    Finding::fault(Ailment::HubClosed, format!("{host} does not answer on {port}"), mend)
}

/// As the daemon would go there; nothing of an identity that is damaged.
fn as_door(identity: &Identity) -> Option<Arc<ClientConfig>> {
    let from = tls::validity(&identity.joined.certificate_pem).ok()?.from;
    let badge = Badge::new(identity).ok()?;
    let trust = Trust::new(&identity.joined.ca_pem).ok()?;
    let time = Timekeeper::new(0, from, Arc::new(SystemClock));
    tls::config(identity, &badge, &trust, time).ok()
}

/// Shakes hands, and waits whether the hub has something against it.
fn greet(config: &Arc<ClientConfig>, host: &str, mut stream: TcpStream) -> io::Result<()> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let mut talk = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    while talk.is_handshaking() {
        talk.complete_io(&mut stream)?;
    }
    stream.set_read_timeout(Some(AFTER))?;
    match talk.read_tls(&mut stream) {
        // Silence is what a hub that waits for MQTT says.
        Err(_) => Ok(()),
        Ok(_) => talk.process_new_packets().map(drop).map_err(io::Error::other),
    }
}

fn asked_in_vain(host: &str, error: &anyhow::Error) -> Finding {
    let inner = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    match inner.filter(|error| tls_error(error).is_some()) {
        Some(error) => refused(host, error),
        None if error.to_string().contains("status") => {
            let wrong = format!("{host} takes no questions of this door ({error})");
            Finding::fault(Ailment::HubRefuses, wrong, REJOIN)
        }
        None => closed(host, "its HTTPS port for doors"),
    }
}

const REJOIN: &str = "look at the hub's page of this door; if it was cut off there, let it join \
                      again: rollcall-hub device token NAME prints the command";

fn tls_error(error: &io::Error) -> Option<&Tls> {
    error.get_ref()?.downcast_ref()
}

fn refused(host: &str, error: &io::Error) -> Finding {
    let Some(tls) = tls_error(error) else {
        let wrong = format!("{host} hung up before it said who it is ({error})");
        let mend = "look at the hub's log; something between may forbid TLS (a firewall, a proxy)";
        return Finding::fault(Ailment::HubNoTls, wrong, mend);
    };
    match tls {
        Tls::InvalidCertificate(why) => distrusted(host, why),
        Tls::AlertReceived(why) => {
            let wrong = format!("{host} does not take this door's certificate ({why:?})");
            Finding::fault(Ailment::HubRefuses, wrong, REJOIN)
        }
        other => {
            let wrong = format!("something else than the hub answers at {host} ({other})");
            let mend = "check the address that the door joined, and who has that port; something \
                        between may change TLS (a proxy)";
            Finding::fault(Ailment::HubNoTls, wrong, mend)
        }
    }
}

fn distrusted(host: &str, why: &CertificateError) -> Finding {
    use CertificateError as C;
    match why {
        C::NotValidForName | C::NotValidForNameContext { .. } => {
            let wrong = format!("the hub has a certificate, and not for the name “{host}”");
            let mend = format!(
                "on the hub: rollcall-hub keys rotate server --name {host}; or let the door join \
                 by the name that it has"
            );
            Finding::fault(Ailment::HubOtherName, wrong, mend)
        }
        C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. } => {
            let wrong = "by this door's clock the hub's certificate is not good now";
            let mend = "see “clock”; if that is right, on the hub: rollcall-hub keys rotate server";
            Finding::fault(Ailment::HubTime, wrong, mend)
        }
        _ => {
            let wrong =
                format!("{host} is not the hub that this door joined: another authority signed it");
            let mend = "check the address; if the hub was made anew or its authority replaced, let \
                        the door join again";
            Finding::fault(Ailment::HubStranger, wrong, mend)
        }
    }
}
