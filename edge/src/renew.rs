//! The door's next certificate: asked for in the last third of the present one's life, with the
//! present one. The new identity is used from the next start on, which follows at once.

use crate::identity::Identity;
use crate::tls;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use reqwest::StatusCode;
use rustls::ClientConfig;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use wire::Wall;
use wire::join::RENEW_PATH;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::dating::Timekeeper;

/// Between two looks at the certificate.
const EVERY: Duration = Duration::from_secs(3600);
/// The hub answers within this, or is asked again an hour later.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of a certificate at most.
const ANSWER: usize = 64 * 1024;

/// When a certificate begins and ends.
pub type Life = (Wall, Wall);

/// Whether two thirds of a certificate's life are over.
#[must_use]
pub fn is_due((begins, ends): Life, now: Wall) -> bool {
    now.0.saturating_sub(begins.0) >= ends.0.saturating_sub(begins.0) / 3 * 2
}

/// What looks after the certificate.
pub struct Renewal {
    /// The folder of the identity.
    pub data: PathBuf,
    /// Who the door is now.
    pub identity: Identity,
    /// How it speaks to the hub now.
    pub tls: Arc<ClientConfig>,
    /// What time it is.
    pub time: Timekeeper,
}

impl Renewal {
    /// Looks each hour, until `stop` or until there is a new certificate.
    ///
    /// # Errors
    /// When there is a new certificate: the daemon starts anew with it.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            match self.look().await {
                Ok(false) => {}
                Ok(true) => anyhow::bail!("the door has a new certificate, and starts anew with it"),
                Err(error) => tracing::warn!(%error, "the door's certificate was not renewed"),
            }
            if stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_none() {
                return Ok(());
            }
        }
    }

    /// Whether a new certificate was needed and is stored.
    async fn look(&self) -> anyhow::Result<bool> {
        let Some(now) = self.time.now().wall else { return Ok(false) };
        if !is_due(life(&self.identity.joined.certificate_pem)?, now) {
            return Ok(false);
        }
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let Some(pem) = self.ask(crate::join::request(&key)?).await? else { return Ok(false) };
        let mut next = self.identity.clone();
        next.joined.certificate_pem = pem;
        next.key_pem = key.serialize_pem();
        // What does not fit together is not put in the place of what does.
        tls::config(&next, self.time.clone())?;
        next.store(&self.data)?;
        Ok(true)
    }

    /// The new certificate, or nothing where the hub says that it is too early.
    async fn ask(&self, csr: String) -> anyhow::Result<Option<String>> {
        let client = reqwest::Client::builder()
            .https_only(true)
            .no_proxy()
            .timeout(PATIENCE)
            .tls_backend_preconfigured(ClientConfig::clone(&self.tls))
            .build()?;
        let url = format!("https://{}{RENEW_PATH}", self.identity.joined.https);
        let answer = client.post(url).body(csr).send().await?;
        if answer.status() == StatusCode::CONFLICT {
            return Ok(None);
        }
        let text = answer.error_for_status()?.text().await?;
        anyhow::ensure!(text.len() <= ANSWER, "the hub's answer is no certificate");
        Ok(Some(text))
    }
}

/// The life of the first certificate in `pem`.
///
/// # Errors
/// When it is damaged.
pub fn life(pem: &str) -> Result<Life, tls::TlsError> {
    let damaged = tls::TlsError::Damaged("certificate");
    let chain = tls::certificates(pem, "certificate")?;
    let Some(own) = chain.first() else { return Err(damaged) };
    let (_, own) = X509Certificate::from_der(own).map_err(|_| damaged)?;
    let at = |seconds: i64| Wall(seconds.saturating_mul(1000));
    let span = own.validity();
    Ok((at(span.not_before.timestamp()), at(span.not_after.timestamp())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3600 * 1000;
    const BEGINS: Wall = Wall(1_790_000_000_000);

    #[test]
    fn a_certificate_of_ninety_days_is_due_after_sixty() {
        let span = (BEGINS, BEGINS.plus_ms(90 * DAY));
        assert!(!is_due(span, BEGINS) && !is_due(span, BEGINS.plus_ms(60 * DAY - 1)));
        assert!(is_due(span, BEGINS.plus_ms(60 * DAY)) && is_due(span, BEGINS.plus_ms(99 * DAY)));
        assert!(!is_due(span, Wall(0)), "a clock that was never set renews nothing");
    }

    #[test]
    fn what_is_no_certificate_has_no_life() {
        assert!(life("no certificate").is_err());
    }
}
