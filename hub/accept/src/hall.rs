//! Who is in: how many of each address, which of them are strangers, and who leaves when it is
//! full.

use super::Limits;
use rules::auth::throttle::network;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// Everybody who is in.
#[derive(Clone, Debug)]
pub(super) struct Hall {
    limits: Limits,
    present: Arc<Mutex<Present>>,
}

#[derive(Default, Debug)]
struct Present {
    /// Who came so far.
    came: u64,
    all: usize,
    homes: HashMap<IpAddr, Home>,
}

/// Who came from one address.
#[derive(Default, Debug)]
struct Home {
    all: usize,
    /// The oldest first, and how each is asked to leave.
    strangers: BTreeMap<u64, CancellationToken>,
}

impl Home {
    /// Asks the oldest stranger to leave, if there is one.
    fn make_room(&mut self) -> bool {
        let Some((_, leave)) = self.strangers.pop_first() else { return false };
        metrics::counter!("connections_made_room_total").increment(1);
        leave.cancel();
        true
    }
}

impl Hall {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, present: Arc::default() }
    }

    /// Lets somebody in, if need be for a stranger who leaves; nothing when nobody makes room. Of
    /// a crowd there may be any number. Cancelled is who is to leave.
    pub(super) fn enter(
        &self,
        address: IpAddr,
        crowd: bool,
    ) -> Option<(HalfOpen, Slot, CancellationToken)> {
        let address = network(address);
        let limits = self.limits;
        let mut present = self.lock();
        let home = present.homes.entry(address).or_default();
        if !crowd && home.strangers.len() >= limits.half_open_per_ip {
            home.make_room();
        }
        if !crowd && home.all >= limits.per_ip && !home.make_room() {
            return None;
        }
        if present.all >= limits.connections && !present.make_room() {
            present.tidy(address);
            return None;
        }
        present.came += 1;
        present.all += 1;
        let number = present.came;
        let leave = CancellationToken::new();
        let home = present.homes.entry(address).or_default();
        home.all += 1;
        home.strangers.insert(number, leave.clone());
        let hall = self.clone();
        let slot = Slot { hall: self.clone(), address };
        Some((HalfOpen { hall, address, number }, slot, leave))
    }

    fn lock(&self) -> MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Present {
    /// Asks the oldest stranger of the address that has most of them to leave.
    fn make_room(&mut self) -> bool {
        let most = self.homes.values_mut().max_by_key(|home| home.strangers.len());
        most.is_some_and(Home::make_room)
    }

    /// Forgets an address that nobody is in from.
    fn tidy(&mut self, address: IpAddr) {
        if self.homes.get(&address).is_some_and(|home| home.all == 0) {
            self.homes.remove(&address);
        }
    }
}

/// Held while a guest has not shown who it is.
#[derive(Debug)]
pub struct HalfOpen {
    hall: Hall,
    address: IpAddr,
    number: u64,
}

impl Drop for HalfOpen {
    fn drop(&mut self) {
        if let Some(home) = self.hall.lock().homes.get_mut(&self.address) {
            home.strangers.remove(&self.number);
        }
    }
}

/// Held while a guest is in.
#[derive(Debug)]
pub struct Slot {
    hall: Hall,
    address: IpAddr,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut present = self.hall.lock();
        present.all -= 1;
        if let Some(home) = present.homes.get_mut(&self.address) {
            home.all -= 1;
        }
        present.tidy(self.address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hall(connections: usize, per_ip: usize, half_open_per_ip: usize) -> Hall {
        Hall::new(Limits { connections, per_ip, half_open_per_ip, ..Limits::default() })
    }

    fn of(n: u8) -> IpAddr {
        [127, 0, 0, n].into()
    }

    #[test]
    fn strangers_of_the_address_with_most_make_room_the_oldest_first() {
        let hall = hall(4, 9, 9);
        let crowd: Vec<_> = (0..3).map(|_| hall.enter(of(1), false).unwrap()).collect();
        let one = hall.enter(of(2), false).unwrap();
        let _further = hall.enter(of(3), false).unwrap();
        let left: Vec<_> = crowd.iter().map(|(_, _, leave)| leave.is_cancelled()).collect();
        assert_eq!(left, [true, false, false]);
        assert!(!one.2.is_cancelled(), "it came later than all of them, and alone");
    }

    #[test]
    fn whoever_is_known_stays_and_a_house_full_of_them_refuses() {
        let hall = hall(2, 9, 9);
        let guests: Vec<_> = (1..3).map(|n| hall.enter(of(n), false).unwrap()).collect();
        let slots: Vec<_> = guests.into_iter().map(|(_stranger, slot, _)| slot).collect();
        assert!(hall.enter(of(3), false).is_none());
        drop(slots);
        assert!(hall.enter(of(3), false).is_some());
        assert_eq!(hall.lock().homes.len(), 0, "nobody is remembered");
    }

    #[test]
    fn one_address_has_its_share_and_a_proxy_has_more() {
        let hall = hall(100, 3, 2);
        let first: Vec<_> = (0..3).map(|_| hall.enter(of(1), false).unwrap()).collect();
        assert!(first[0].2.is_cancelled() && !first[1].2.is_cancelled());
        let all: Vec<_> = (0..50).map(|_| hall.enter(of(2), true).unwrap()).collect();
        assert!(all.iter().all(|(_, _, leave)| !leave.is_cancelled()));
        let known = hall.enter(of(3), false).map(|(_, slot, _)| slot);
        let more: Vec<_> = (0..2).map(|_| hall.enter(of(3), false).unwrap().1).collect();
        assert!(hall.enter(of(3), false).is_none(), "three of it are known");
        drop((known, more));
    }
}
