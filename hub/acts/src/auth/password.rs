//! How passwords are kept.
//!
//! argon2id, 19 MiB, two passes, one lane (OWASP's minimum). A hash costs memory, so only
//! [`AT_ONCE`] run together and [`QUEUE`] wait; whoever comes after is told to try again.

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Hashes computed together: 2 × 19 MiB.
pub const AT_ONCE: usize = 2;
/// Hashes that wait. Beyond it a login is answered “try again”, so that logins cannot eat the hub.
pub const QUEUE: usize = 32;
/// Too many hashes are waiting.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("many people are signing in at this moment: try again in a few seconds")]
pub struct Busy;

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

    /// Passwords at a cost that only tests may pay.
    #[doc(hidden)]
    #[must_use]
    pub fn cheap() -> Self {
        Self::with(Params::new(8, 1, 1, None).expect("the least parameters are in range"))
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
    let bytes = &password.as_bytes()[..password.len().min(rules::auth::password::LONGEST)];
    argon.hash_password(bytes).expect("argon2 takes any password this short").to_string()
}

fn verify(argon: &Argon2<'_>, password: &str, phc: &str) -> bool {
    let bytes = &password.as_bytes()[..password.len().min(rules::auth::password::LONGEST)];
    PasswordHash::new(phc).is_ok_and(|parsed| argon.verify_password(bytes, &parsed).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

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
