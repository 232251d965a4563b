//! Slows down guessing: a growing wait for an account, a quota of failures for an address.
//!
//! Nobody is locked out for ever, because that would let anybody lock a teacher out. Only
//! failures count, so a whole school behind one address signs in freely.

use std::{collections::HashMap, net::IpAddr};
use wire::Mono;

/// Failures before an account begins to wait.
pub const FREE: u32 = 5;
/// Longest wait for an account, milliseconds.
pub const LONGEST_MS: u64 = 15 * 60 * 1000;
/// Failures an address may make in a minute.
pub const PER_MINUTE: u32 = 20;
/// Accounts and addresses remembered; beyond it the longest-quiet one is forgotten.
pub const REMEMBERED: usize = 10_000;
/// An account that stays quiet this long starts afresh, milliseconds.
const FORGIVEN_MS: u64 = 60 * 60 * 1000;
const MINUTE_MS: u64 = 60_000;

/// How long to wait before the next try.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("too many failed attempts: try again in {} s", self.seconds())]
pub struct Wait {
    /// Milliseconds, more than 0.
    pub ms: u64,
}

impl Wait {
    /// Whole seconds, rounded up, for `Retry-After`.
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.ms.div_ceil(1000)
    }
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Mono,
}

/// What is remembered of failed logins. State in RAM: a restart forgives.
#[derive(Default)]
pub struct Throttle {
    accounts: HashMap<String, Failures>,
    addresses: HashMap<IpAddr, Failures>,
}

impl Throttle {
    /// Whether a login may be tried now.
    ///
    /// # Errors
    /// [`Wait`] says how long not.
    pub fn check(&self, account: &str, from: IpAddr, now: Mono) -> Result<(), Wait> {
        let account = self.accounts.get(account).map_or(0, |f| left(account_wait(f.count), f, now));
        let address = self.addresses.get(&from).filter(|f| f.count >= PER_MINUTE);
        let address = address.map_or(0, |f| left(MINUTE_MS, f, now));
        match account.max(address) {
            0 => Ok(()),
            ms => Err(Wait { ms }),
        }
    }

    /// Remembers a failed login.
    pub fn failed(&mut self, account: &str, from: IpAddr, now: Mono) {
        count(&mut self.accounts, account.to_owned(), FORGIVEN_MS, now);
        count(&mut self.addresses, from, MINUTE_MS, now);
    }

    /// Counts something that anybody may do, but not often: as a failure of `key` alone.
    pub fn spent(&mut self, key: &str, now: Mono) {
        count(&mut self.accounts, key.to_owned(), FORGIVEN_MS, now);
    }

    /// Forgives an account; its address keeps its count, or a guesser would sign in to his own.
    pub fn succeeded(&mut self, account: &str) {
        self.accounts.remove(account);
    }
}

/// 1 s after the fifth failure, then doubling.
fn account_wait(count: u32) -> u64 {
    match count.checked_sub(FREE) {
        None => 0,
        Some(over) => 1000_u64.saturating_mul(1 << over.min(20)).min(LONGEST_MS),
    }
}

fn left(wait: u64, failures: &Failures, now: Mono) -> u64 {
    wait.saturating_sub(now.since(failures.last))
}

fn count<K: std::hash::Hash + Eq + Clone>(
    all: &mut HashMap<K, Failures>,
    key: K,
    window: u64,
    now: Mono,
) {
    if all.len() >= REMEMBERED && !all.contains_key(&key) {
        let oldest = all.iter().min_by_key(|(_, f)| f.last).map(|(k, _)| k.clone());
        oldest.and_then(|k| all.remove(&k));
    }
    let entry = all.entry(key).or_insert(Failures { count: 0, last: now });
    let fresh = now.since(entry.last) > window;
    *entry = Failures { count: if fresh { 1 } else { entry.count.saturating_add(1) }, last: now };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, n])
    }

    #[test]
    fn the_wait_of_an_account_doubles_up_to_a_quarter_of_an_hour() {
        let mut throttle = Throttle::default();
        for n in 0..4 {
            throttle.failed("ada", at(n), Mono(0));
        }
        assert_eq!(throttle.check("ada", at(9), Mono(0)), Ok(()));
        for (n, ms) in [(4, 1000), (5, 2000), (6, 4000)] {
            throttle.failed("ada", at(n), Mono(0));
            assert_eq!(throttle.check("ada", at(9), Mono(0)), Err(Wait { ms }));
        }
        assert_eq!(account_wait(40), LONGEST_MS);
        assert_eq!(throttle.check("ada", at(9), Mono(4000)), Ok(()));
    }

    #[test]
    fn an_address_that_guesses_many_accounts_waits_too() {
        let mut throttle = Throttle::default();
        for n in 0..PER_MINUTE {
            throttle.failed(&format!("pupil{n}"), at(1), Mono(0));
        }
        assert!(throttle.check("new", at(1), Mono(30_000)).is_err());
        assert!(throttle.check("new", at(2), Mono(30_000)).is_ok());
        assert!(throttle.check("new", at(1), Mono(60_000)).is_ok());
    }

    #[test]
    fn success_and_a_quiet_hour_forgive() {
        let mut throttle = Throttle::default();
        (0..6).for_each(|_| throttle.failed("ada", at(1), Mono(0)));
        throttle.succeeded("ada");
        assert_eq!(throttle.check("ada", at(2), Mono(0)), Ok(()));
        (0..6).for_each(|_| throttle.failed("bob", at(1), Mono(0)));
        throttle.failed("bob", at(1), Mono(FORGIVEN_MS + 1));
        assert_eq!(throttle.check("bob", at(2), Mono(FORGIVEN_MS + 1)), Ok(()));
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let mut throttle = Throttle::default();
        for n in 0..REMEMBERED as u64 + 50 {
            throttle.failed(&n.to_string(), at(1), Mono(n));
        }
        assert_eq!(throttle.accounts.len(), REMEMBERED);
        assert!(!throttle.accounts.contains_key("0"));
    }
}
