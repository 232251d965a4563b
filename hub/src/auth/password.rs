//! Passwords: which are accepted, and how they are kept.
//!
//! argon2id, 19 MiB, two passes, one lane (OWASP's minimum). A hash costs memory, so only
//! [`AT_ONCE`] run together and [`QUEUE`] wait; whoever comes after is told to try again.

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;

/// Hashes computed together: 2 × 19 MiB.
pub const AT_ONCE: usize = 2;
/// Hashes that wait. Beyond it a login is answered “try again”, so that logins cannot eat the hub.
pub const QUEUE: usize = 32;
/// Shortest password, characters.
pub const SHORTEST: usize = 8;
/// Longest password, bytes: enough for any phrase, and a bound on the work.
pub const LONGEST: usize = 256;

/// Too many hashes are waiting.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("many people are signing in at this moment: try again in a few seconds")]
pub struct Busy;

/// Why a new password is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Weak {
    /// Fewer than [`SHORTEST`] characters.
    #[error("the password is too short: use at least {SHORTEST} characters, better 15")]
    Short,
    /// More than [`LONGEST`] bytes.
    #[error("the password is too long: use at most {LONGEST} bytes")]
    Long,
    /// Among those everybody tries first, or the e-mail address itself.
    #[error("this password is among the first that anybody would try: choose another")]
    Common,
}

/// Checks a new password: only length and the lists of first guesses count, no rules about kinds
/// of characters (ASVS 6.2). The 3,000 that leak most often are looked up here, on this machine.
///
/// # Errors
/// When it is too short, too long, or too common.
pub fn check(password: &str, email: &str) -> Result<(), Weak> {
    let lower = password.to_lowercase();
    let stem = lower.trim_end_matches(|c: char| c.is_ascii_digit() || c == '!');
    let own = email.to_lowercase();
    match password {
        p if p.chars().count() < SHORTEST => Err(Weak::Short),
        p if p.len() > LONGEST => Err(Weak::Long),
        _ if FIRST_GUESSES.contains(&stem) || lower == own => Err(Weak::Common),
        _ if is_common(&lower) => Err(Weak::Common),
        _ if own.split('@').next() == Some(stem) => Err(Weak::Common),
        _ => Ok(()),
    }
}

/// Whether this is one of the 3,000 that leak most often.
fn is_common(lower: &str) -> bool {
    static SORTED: LazyLock<Vec<&str>> = LazyLock::new(|| {
        include_str!("common.txt").lines().filter(|line| !line.starts_with("# ")).collect()
    });
    SORTED.binary_search(&lower).is_ok()
}

/// What stands at the head of every list of leaked passwords, without trailing digits.
const FIRST_GUESSES: [&str; 24] = [
    "",
    "password",
    "passw0rd",
    "p@ssword",
    "p@ssw0rd",
    "admin",
    "administrator",
    "qwerty",
    "qwertyuiop",
    "qwertz",
    "letmein",
    "welcome",
    "iloveyou",
    "abc",
    "abcdef",
    "abcdefgh",
    "teacher",
    "student",
    "school",
    "attendance",
    "rollcall",
    "changeme",
    "sunshine",
    "football",
];

/// Hashes and checks passwords, a few at a time.
#[derive(Clone)]
pub struct Passwords {
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
    argon: Argon2<'static>,
    /// The hash of a password nobody knows: an unknown account costs the same time as a known one.
    nobody: Arc<str>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self::with(Params::new(19_456, 2, 1, None).expect("OWASP's parameters are in range"))
    }
}

impl Passwords {
    fn with(params: Params) -> Self {
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = hash(&argon, &super::secret());
        Self {
            running: Arc::new(Semaphore::new(AT_ONCE)),
            admitted: Arc::new(Semaphore::new(AT_ONCE + QUEUE)),
            argon,
            nobody: nobody.into(),
        }
    }

    /// Passwords at a cost only tests may pay.
    #[cfg(test)]
    #[must_use]
    pub fn cheap() -> Self {
        Self::with(Params::new(8, 1, 1, None).unwrap())
    }

    /// A new password as it is stored: a PHC string with its own salt and parameters.
    ///
    /// # Errors
    /// [`Busy`] when the queue is full.
    pub async fn hash(&self, password: String) -> Result<String, Busy> {
        let argon = self.argon.clone();
        self.run(move || hash(&argon, &password)).await
    }

    /// Whether `password` is the one behind `stored`. Without `stored` it does the same work and
    /// says no.
    ///
    /// # Errors
    /// [`Busy`] when the queue is full.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<bool, Busy> {
        let known = stored.is_some();
        let phc = stored.unwrap_or_else(|| self.nobody.to_string());
        let argon = self.argon.clone();
        self.run(move || known & verify(&argon, &password, &phc)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let _place = self.admitted.clone().try_acquire_owned().map_err(|_| Busy)?;
        let turn = self.running.clone().acquire_owned().await.expect("never closed");
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(|_| Busy)
    }
}

fn hash(argon: &Argon2<'_>, password: &str) -> String {
    let bytes = &password.as_bytes()[..password.len().min(LONGEST)];
    argon.hash_password(bytes).expect("argon2 takes any password this short").to_string()
}

fn verify(argon: &Argon2<'_>, password: &str, phc: &str) -> bool {
    let bytes = &password.as_bytes()[..password.len().min(LONGEST)];
    PasswordHash::new(phc).is_ok_and(|parsed| argon.verify_password(bytes, &parsed).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_long_and_first_guesses_are_refused() {
        assert_eq!(check("kurz", "a@b.c"), Err(Weak::Short));
        assert_eq!(check(&"x".repeat(257), "a@b.c"), Err(Weak::Long));
        for guess in ["password1", "Admin123!", "12345678", "ada1815!", "ada@school.test"] {
            assert_eq!(check(guess, "ada@school.test"), Err(Weak::Common), "{guess}");
        }
        assert_eq!(check("nine horses graze", "ada@school.test"), Ok(()));
    }

    #[test]
    fn none_of_the_three_thousand_that_leak_most_is_taken() {
        let list = include_str!("common.txt");
        let common: Vec<_> = list.lines().filter(|line| !line.starts_with("# ")).collect();
        assert_eq!(common.len(), 3_000);
        assert!(common.is_sorted());
        for one in common {
            assert_eq!(check(one, "a@b.c"), Err(Weak::Common), "{one}");
            assert_eq!(check(&one.to_uppercase(), "a@b.c"), Err(Weak::Common), "{one}");
        }
        assert_eq!(check("trustno1 to graze", "a@b.c"), Ok(()), "a word of it is none of them");
    }

    #[test]
    fn the_cost_is_what_owasp_asks_for() {
        let phc = hash(&Passwords::default().argon, "nine horses graze");
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_account_opens() {
        let passwords = Passwords::cheap();
        let stored = passwords.hash("nine horses".into()).await.unwrap();
        assert!(passwords.verify("nine horses".into(), Some(stored.clone())).await.unwrap());
        assert!(!passwords.verify("ten horses".into(), Some(stored)).await.unwrap());
        assert!(!passwords.verify("nine horses".into(), None).await.unwrap());
        assert!(!passwords.verify("nine horses".into(), Some("rubbish".into())).await.unwrap());
    }

    #[tokio::test]
    async fn beyond_the_queue_people_are_told_to_come_again() {
        let passwords = Passwords::cheap();
        let _all = passwords.admitted.clone().acquire_many_owned(34).await.unwrap();
        assert_eq!(passwords.hash("nine horses".into()).await, Err(Busy));
    }
}
