//! Which certificates doors show, and from where: news for the database.
//!
//! A door moves from one address to another and stays there. A certificate that is shown here,
//! there, and here again is held by two units.

use super::{DoorIdentity, Serial};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::Instant;
use wire::DeviceId;

/// Coming back to an address within this time is no move.
const AT_ONCE: Duration = Duration::from_secs(600);
/// Certificates remembered; beyond it the longest unseen is forgotten.
const REMEMBERED: usize = 4096;

/// What the database does not know yet.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub struct News {
    /// Certificates that were shown for the first time since the start.
    pub first: Vec<DoorIdentity>,
    /// Certificates shown from two places in turn.
    pub twins: Vec<(DoorIdentity, (IpAddr, IpAddr))>,
    /// Forged certificates, one a door.
    pub refused: Vec<DoorIdentity>,
}

/// What was seen since the start.
#[derive(Default, Debug)]
pub struct ShownSeen {
    sights: HashMap<Serial, ShownSight>,
    refused: HashMap<DeviceId, DoorIdentity>,
}

#[derive(Debug)]
struct ShownSight {
    identity: DoorIdentity,
    noted: bool,
    now: (IpAddr, Instant),
    before: Option<(IpAddr, Instant)>,
    twin: Option<(IpAddr, IpAddr)>,
}

impl ShownSeen {
    /// `identity` was heard `from` there at `at`.
    pub fn saw(&mut self, identity: &DoorIdentity, from: IpAddr, at: Instant) {
        if !self.sights.contains_key(&identity.serial) {
            self.make_room();
        }
        let new = || ShownSight {
            identity: identity.clone(),
            noted: false,
            now: (from, at),
            before: None,
            twin: None,
        };
        self.sights.entry(identity.serial.clone()).or_insert_with(new).again(from, at);
    }

    /// `identity` was refused.
    pub fn refused(&mut self, identity: &DoorIdentity) {
        if self.refused.len() < REMEMBERED {
            self.refused.insert(identity.device.clone(), identity.clone());
        }
    }

    /// What is to be noted.
    #[must_use]
    pub fn news(&self) -> News {
        let first = self.sights.values().filter(|sight| !sight.noted);
        let twin = |sight: &ShownSight| Some((sight.identity.clone(), sight.twin?));
        News {
            first: first.map(|sight| sight.identity.clone()).collect(),
            twins: self.sights.values().filter_map(twin).collect(),
            refused: self.refused.values().cloned().collect(),
        }
    }

    /// `news` were noted.
    pub fn noted(&mut self, news: &News) {
        for identity in &news.first {
            self.sights.get_mut(&identity.serial).into_iter().for_each(|sight| sight.noted = true);
        }
        for (identity, _) in &news.twins {
            self.sights.get_mut(&identity.serial).into_iter().for_each(|sight| sight.twin = None);
        }
        for identity in &news.refused {
            self.refused.remove(&identity.device);
        }
    }

    fn make_room(&mut self) {
        if self.sights.len() >= REMEMBERED
            && let Some(oldest) = self.sights.iter().min_by_key(|(_, sight)| sight.now.1)
        {
            let oldest = oldest.0.clone();
            self.sights.remove(&oldest);
        }
    }
}

impl ShownSight {
    fn again(&mut self, from: IpAddr, at: Instant) {
        if from == self.now.0 {
            self.now.1 = self.now.1.max(at);
        } else if at > self.now.1 {
            let back = self.before.filter(|before| before.0 == from && at - before.1 < AT_ONCE);
            self.twin = back.map(|_| (self.now.0, from)).or(self.twin);
            self.before = Some(std::mem::replace(&mut self.now, (from, at)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Wall;

    fn door(serial: &str) -> DoorIdentity {
        let device = "door-1".parse().unwrap();
        let (serial, authority) = (Serial::from_hex(serial), String::new());
        DoorIdentity { device, serial, digest: String::new(), not_after: Wall(0), authority }
    }

    /// What is made of a certificate heard at these seconds from these last parts of an address.
    fn twins(heard: &[(u64, u8)]) -> usize {
        let (mut seen, start) = (ShownSeen::default(), Instant::now());
        for (seconds, place) in heard {
            let at = start + Duration::from_secs(*seconds);
            seen.saw(&door("aa"), IpAddr::from([10, 0, 0, *place]), at);
        }
        seen.news().twins.len()
    }

    #[test]
    fn a_door_may_move_and_two_units_may_not_share_a_certificate() {
        assert_eq!(twins(&[(0, 1), (60, 1), (70, 2), (80, 2)]), 0, "it moved");
        assert_eq!(twins(&[(0, 1), (70, 2), (60, 1), (80, 2)]), 0, "its old link was heard before");
        assert_eq!(twins(&[(0, 1), (5, 2), (700, 1)]), 0, "and back, later");
        assert_eq!(twins(&[(0, 1), (5, 2), (65, 1)]), 1, "here, there, and here again");
    }

    #[test]
    fn each_certificate_is_news_once_and_what_is_remembered_is_bounded() {
        let (mut seen, start, from) =
            (ShownSeen::default(), Instant::now(), IpAddr::from([10, 0, 0, 1]));
        seen.saw(&door("aa"), from, start);
        let news = seen.news();
        assert_eq!(news.first, [door("aa")]);
        seen.noted(&news);
        seen.saw(&door("aa"), from, start);
        assert_eq!(seen.news(), News::default());
        (0..5000).for_each(|n| seen.saw(&door(&format!("b{n:04x}")), from, start));
        assert_eq!(seen.sights.len(), REMEMBERED);
        seen.refused(&door("cc"));
        let news = seen.news();
        assert_eq!(news.refused, [door("cc")]);
        seen.noted(&news);
        assert_eq!(seen.news().refused, []);
    }
}
