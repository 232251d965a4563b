//! The door's next certificate: asked for in the last third of the life of the one it has, or when
//! another authority signs doors by now.
//!
//! New key, new request, over the connection that the old certificate still opens. The old one
//! serves until the new one lies on the disk: there is no moment without an identity.

use crate::{
    clock::Timekeeper,
    fetch::{Fetch, FetchError},
    identity::{Identity, IdentityError, Passport},
    join,
    tls::{Badge, TlsError, Trust, is_of_the_newest, validity},
};
use ed25519_dalek::VerifyingKey;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use reqwest::StatusCode;
use std::time::Duration;
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;
use wire::{Wall, join::RENEW_PATH, link::Desired};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(3600);
/// The same while the time is not known.
const UNTIMED: Duration = Duration::from_secs(10);

/// How the door's certificate is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// When it ends.
    pub ends: Wall,
    /// Why it was not renewed at the last try, in a sentence; empty if it was, or is not due.
    pub trouble: String,
}

/// Why there is no new certificate.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// It did not come.
    #[error("the hub gave no new certificate: {0}")]
    Fetch(#[from] FetchError),
    /// It did not give the one in use, or ended it.
    #[error(
        "the hub gave no new certificate for this one, which it ended or never gave: let the door join again with a new token"
    )]
    Refused,
    /// It is of no use.
    #[error("the certificate that the hub gave cannot be used: {0}")]
    Unusable(#[from] TlsError),
    /// It is not newer.
    #[error("the certificate that the hub gave ends no later than the one in use")]
    Stale,
    /// The key could not be made.
    #[error("a key could not be made: {0}")]
    Key(#[from] rcgen::Error),
    /// It could not be stored.
    #[error("the new certificate could not be stored: {0}")]
    Store(#[from] IdentityError),
}

/// Looks after the certificate, ready to run.
pub struct Renewer {
    /// Who this door is.
    pub passport: Passport,
    /// Asks the hub.
    pub fetch: Fetch,
    /// What the door shows.
    pub badge: Badge,
    /// Whom the door trusts.
    pub trust: Trust,
    /// What the hub wants: a change is a good moment to ask who signs by now.
    pub desired: watch::Receiver<Option<Desired>>,
    /// What time it is.
    pub time: Timekeeper,
    /// Whether the hub answers: when it comes back is a good moment to ask.
    pub online: watch::Receiver<bool>,
    /// What `status` and `doctor` show.
    pub certificate: watch::Sender<Certificate>,
}

impl Renewer {
    /// Looks each hour, and when the link comes or goes. The next look is the retry.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let trouble = self.renew_if_due().await.err().map(|trouble| trouble.to_string());
            if let Some(trouble) = &trouble {
                tracing::warn!("the door's certificate was not renewed: {trouble}");
            }
            self.certificate.send_modify(|now| now.trouble = trouble.unwrap_or_default());
            let wait = if self.time.now().wall.is_some() { EVERY } else { UNTIMED };
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(wait) => {}
                Ok(()) = self.online.changed() => {}
                Ok(()) = self.desired.changed() => {}
            }
        }
    }

    /// Asks who signs the hub and doors by now.
    async fn authorities(&self) -> Result<(), RenewError> {
        let joined = self.passport.get().joined;
        let pinned = VerifyingKey::from_bytes(&joined.gallery_key);
        let pinned = pinned.map_err(|_| TlsError::Damaged("signing key"))?;
        let said = self.fetch.authorities(&pinned).await?;
        if let Some(pem) = said.filter(|pem| *pem != joined.ca_pem) {
            self.trust.take(&pem)?;
            self.passport.change(|identity| identity.with_authorities(pem))?;
            tracing::info!("the hub's authorities changed: the door follows");
        }
        Ok(())
    }

    /// Renews the certificate if it is due, or another authority signs doors by now. None is taken
    /// before it is known who signs: the hub takes its use for a word that this door has followed.
    async fn renew_if_due(&mut self) -> Result<(), RenewError> {
        let good = validity(&self.passport.get().joined.certificate_pem)?;
        let due = self.time.now().wall.is_some_and(|now| good.is_due(now));
        if due || *self.online.borrow() {
            match self.authorities().await {
                // A hub that was restored with keys of before says nothing that this door believes:
                // no reason to let the door's own certificate end.
                Err(RenewError::Fetch(error @ FetchError::Forged(_))) if due => {
                    tracing::warn!(%error, "nobody knows who signs: renewing all the same");
                }
                asked => asked?,
            }
        }
        let joined = self.passport.get().joined;
        if !due && is_of_the_newest(&joined.certificate_pem, &joined.ca_pem)? {
            return Ok(());
        }
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let pem = match self.fetch.post(RENEW_PATH, join::request(&key)?).await {
            Err(FetchError::Status(StatusCode::FORBIDDEN)) => return Err(RenewError::Refused),
            came => came?,
        };
        let ends = validity(&pem)?.to;
        if ends <= good.to && due {
            return Err(RenewError::Stale);
        }
        let renewed = |identity: Identity| identity.renewed(pem.clone(), key.serialize_pem());
        let next = Badge::new(&renewed(self.passport.get()))?;
        self.passport.change(renewed)?;
        self.badge.take(&next);
        self.certificate.send_replace(Certificate { ends, trouble: String::new() });
        tracing::info!("the door's certificate was renewed");
        Ok(())
    }
}
