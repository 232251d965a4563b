//! How a device gets its certificate: a one-time token, a request, and never a second try with
//! the same token.

use crate::events::{Event, Events};
use crate::pki::Pki;
use rules::error::{Doing, Error};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use store::Db;
use store::keys::Keys;
use wire::{Clock, JoinRequest, Joined, Mono};

/// Tries of one address in a minute.
const PER_MINUTE: u32 = 5;
/// Wrong tokens of one address before it is locked out.
const WRONG: u32 = 10;
const MINUTE_MS: u64 = 60_000;
/// How long an address that guesses is locked out.
const LOCKED_MS: u64 = 15 * MINUTE_MS;
/// Addresses remembered; beyond it the longest quiet is forgotten.
const REMEMBERED: usize = 4096;

/// What gives doors their first certificate; cheap to clone.
#[derive(Clone)]
pub struct Joining {
    /// The database.
    pub db: Db,
    /// The hub's keys.
    pub keys: Keys,
    /// Who signs doors.
    pub pki: Pki,
    /// Who tried lately.
    pub joins: Joins,
    /// Who is told.
    pub events: Events,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where doors reach the hub, by MQTT and by HTTPS: `host:port`.
    pub reach: (String, String),
}

impl Joining {
    /// Joins `request`'s device, asked from `peer`.
    ///
    /// # Errors
    /// `Unavailable` when the address asks too often, `Unauthorised` when the token is wrong, used
    /// or too old, `Invalid` when the request is none; the token then stays good.
    pub async fn join(&self, peer: IpAddr, request: JoinRequest) -> Result<Joined, Error> {
        let now = self.clock.mono();
        self.joins.knock(peer, now)?;
        let joined = self.issue(request).await;
        match &joined {
            Ok(joined) => self.events.say(Event::DeviceChanged(joined.device.clone())),
            Err(Error::Unauthorised(_)) => {
                self.joins.wrong(peer, now);
                rules::security!("join", %peer, "a wrong join token");
            }
            Err(_) => {}
        }
        joined
    }

    async fn issue(&self, request: JoinRequest) -> Result<Joined, Error> {
        let pki = self.pki.clone();
        let keys = self.keys.clone();
        let now = self.clock.wall();
        let hub_key = self.keys.hub_secret()?.public().doing("reading the hub's sealing key")?;
        let gallery_key = self.keys.signing()?.verifying_key().to_bytes();
        let (mqtt, https) = self.reach.clone();
        let ca_pem = self.pki.ca_pem();
        let write = self.db.write(move |tx| {
            let (secret, _pin) = store::device::split_token(&request.token)?;
            let device = store::device::use_token(tx, secret, now)?.ok_or_else(wrong)?;
            let issued = pki.sign(&device, &request.csr_pem, now)?;
            store::device::add_cert(tx, &device, &issued.serial, issued.expires, now)?;
            store::certificate::identify(tx, &issued.serial, &issued.digest)?;
            let place = store::device::get(tx, &device)?.ok_or_else(wrong)?;
            let program_key = store::update::key(tx)?;
            // What lies on the disk of a unit that had this name before opens no more. Before the
            // token is used up for good: a unit without an answer could never join.
            keys.erase_door(&device)?;
            Ok(Joined {
                device,
                certificate_pem: issued.pem,
                ca_pem,
                mqtt,
                https,
                hub_key,
                gallery_key,
                room: place.room,
                direction: place.direction,
                program_key,
            })
        });
        write.await
    }
}

fn wrong() -> Error {
    let why = "the join token is wrong, used up, or too old: make a new one with \
               `rollcall-hub device token NAME`";
    Error::Unauthorised(why.into())
}

/// Who tried to join lately. In RAM: a restart forgives.
#[derive(Clone, Default)]
pub struct Joins(Arc<Mutex<HashMap<IpAddr, Tries>>>);

#[derive(Clone, Copy)]
struct Tries {
    since: Mono,
    tries: u32,
    wrong: u32,
    last: Mono,
}

impl Joins {
    /// Whether `peer` may try now; counts it.
    ///
    /// # Errors
    /// `Unavailable`, saying how long to wait.
    fn knock(&self, peer: IpAddr, now: Mono) -> Result<(), Error> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED
            && !all.contains_key(&peer)
            && let Some(oldest) = all.iter().min_by_key(|(_, tries)| tries.last).map(|(ip, _)| *ip)
        {
            all.remove(&oldest);
        }
        let tries = all.entry(peer).or_insert(Tries { since: now, tries: 0, wrong: 0, last: now });
        if now.since(tries.last) >= LOCKED_MS {
            tries.wrong = 0;
        }
        if now.since(tries.since) >= MINUTE_MS {
            (tries.since, tries.tries) = (now, 0);
        }
        if tries.wrong >= WRONG {
            let why = "too many wrong join tokens came from this address: wait 15 minutes";
            return Err(Error::Unavailable(why.into()));
        }
        if tries.tries >= PER_MINUTE {
            let why = "too many tries to join came from this address: wait a minute";
            return Err(Error::Unavailable(why.into()));
        }
        tries.tries += 1;
        tries.last = now;
        Ok(())
    }

    fn wrong(&self, peer: IpAddr, now: Mono) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tries) = all.get_mut(&peer) {
            tries.wrong += 1;
            tries.last = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn five_tries_a_minute_and_no_more() {
        let joins = Joins::default();
        for n in 0..5 {
            joins.knock(PEER, Mono(n)).unwrap();
        }
        assert!(joins.knock(PEER, Mono(MINUTE_MS - 1)).is_err());
        joins.knock(PEER, Mono(MINUTE_MS)).unwrap();
        joins.knock("10.0.0.1".parse().unwrap(), Mono(5)).unwrap();
    }

    #[test]
    fn ten_wrong_tokens_lock_an_address_out() {
        let joins = Joins::default();
        for n in 0..10 {
            joins.knock(PEER, Mono(n * MINUTE_MS)).unwrap();
            joins.wrong(PEER, Mono(n * MINUTE_MS));
        }
        assert!(joins.knock(PEER, Mono(15 * MINUTE_MS)).is_err());
        joins.knock(PEER, Mono(24 * MINUTE_MS)).unwrap();
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let joins = Joins::default();
        for n in 0..5000u32 {
            joins.knock(IpAddr::V4(n.into()), Mono(u64::from(n))).unwrap();
        }
        assert_eq!(joins.0.lock().unwrap().len(), REMEMBERED);
    }
}
