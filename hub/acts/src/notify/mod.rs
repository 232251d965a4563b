//! What leaves the house: mail to families, and webhooks to other programs.
//!
//! Nothing is sent within a request. What is to be said is a row, noted by the database in the
//! transaction of what it follows from (`outgoing`) or derived from it later; [`sender`] makes
//! messages of them, sends what is due and tries again ([`pause_ms`]). About
//! an absence nobody could verify, nothing is said; and what turned out otherwise before its
//! mail left is not sent.

pub mod letters;
pub mod post;
pub mod sender;
pub mod texts;
pub mod webhooks;

/// Tries of one message at most.
pub const TRIES: i64 = 8;

/// How long to wait after so many failed tries, milliseconds; none when it is given up.
#[must_use]
pub fn pause_ms(tries: i64) -> Option<i64> {
    const MINUTES: [i64; 7] = [1, 5, 15, 60, 180, 360, 720];
    let n = usize::try_from(tries.checked_sub(1)?).ok()?;
    MINUTES.get(n).map(|minutes| minutes * 60_000)
}
