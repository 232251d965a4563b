//! What the hub's listeners show: its own certificate, renewed in the last third of its life, and
//! for people the one that was brought (`tls.cert`, `tls.key`), read again when its files change.

use crate::auth::token::Tokens;
use crate::pki::{Pki, ServerCertificateLife, ServerCertificateShown};
use crate::upkeep::Upkeep;
use config::{Config, Files};
use rules::error::{Doing, Error};
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use store::Db;
use store::keys::Keys;
use tokio_util::sync::CancellationToken;
use wire::Wall;
use wire::join::JOIN_ALPN;
use wire::pulse::Beat;

/// How often files and dates are looked at.
const EVERY: Duration = Duration::from_secs(2);

/// How the certificate for people is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificatesState {
    /// When it ends.
    pub ends: Option<Wall>,
    /// Whether people brought it; else the hub renews it by itself.
    pub brought: bool,
    /// Why the files that people brought are not in use, or the hub's own was not renewed;
    /// empty if all is well.
    pub trouble: String,
}

/// What is shown to people and programs; cheap to clone.
#[derive(Clone, Debug)]
pub struct Certificates {
    own: ServerCertificateShown,
    files: Option<Files>,
    now: Arc<RwLock<Now>>,
}

#[derive(Default, Debug)]
struct Now {
    brought: Option<Arc<CertifiedKey>>,
    /// Why the files are not in use.
    unread: String,
    /// Why the hub's own was not renewed.
    unrenewed: String,
}

impl Certificates {
    /// Those of `files` where there are any, else what `pki` shows. Files that cannot be used are
    /// trouble and no reason to stay closed.
    #[must_use]
    pub fn new(pki: &Pki, files: Option<Files>) -> Self {
        let all = Self { own: pki.shown().clone(), files, now: Arc::default() };
        all.read();
        all
    }

    /// How it is.
    #[must_use]
    pub fn state(&self) -> CertificatesState {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        let shown = now.brought.clone().unwrap_or_else(|| self.own.get());
        CertificatesState {
            ends: ServerCertificateLife::of(&shown.cert[0]).ok().map(|life| life.to),
            brought: now.brought.is_some(),
            trouble: [now.unread.as_str(), now.unrenewed.as_str()].join(" ").trim().to_owned(),
        }
    }

    /// Reads the files anew. What cannot be used leaves what was shown in use.
    fn read(&self) {
        let Some(files) = &self.files else { return };
        let read = read(files);
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        let unread = match read {
            Err(why) => why.to_string(),
            Ok(next) => {
                if now.brought.as_ref().is_none_or(|now| now.cert != next.cert) {
                    tracing::info!(cert = %files.cert.display(), "another certificate is shown to people");
                }
                now.brought = Some(Arc::new(next));
                String::new()
            }
        };
        if !unread.is_empty() && unread != now.unread {
            tracing::error!("the certificate that was brought cannot be used: {unread}");
        }
        now.unread = unread;
    }

    fn unrenewed(&self, why: String) {
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        if !why.is_empty() && why != now.unrenewed {
            tracing::error!("the hub's certificate was not renewed: {why}");
        }
        now.unrenewed = why;
    }
}

fn read(files: &Files) -> Result<CertifiedKey, Error> {
    let doing = format!("reading {}", files.cert.display());
    let chain = CertificateDer::pem_file_iter(&files.cert).doing(&doing)?;
    let chain = chain.collect::<Result<Vec<_>, _>>().doing(&doing)?;
    if chain.is_empty() {
        return Err(Error::internal(doing, "there is no certificate in it"));
    }
    let doing = format!("reading {}", files.key.display());
    let key = PrivateKeyDer::from_pem_file(&files.key).doing(&doing)?;
    let both = CertifiedKey::from_der(chain, key, &ring::default_provider());
    both.doing("putting tls.cert and tls.key together")
}

impl ResolvesServerCert for Certificates {
    /// A door that joins is shown the hub's own: its token names the authority of that.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let joins = hello.alpn().is_some_and(|mut offers| offers.any(|offer| offer == JOIN_ALPN));
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        let brought = now.brought.clone().filter(|_| !joins);
        Some(brought.unwrap_or_else(|| self.own.get()))
    }
}

/// What may be done at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct May {
    /// The hub's own certificate may be renewed.
    pub renew: bool,
    /// Replacing the authority may end.
    pub end: bool,
}

/// What renews certificates and ends what was replaced; cheap to clone.
#[derive(Clone)]
pub struct Renewal {
    /// The database.
    pub db: Db,
    /// The hub's keys.
    pub keys: Keys,
    /// The authority.
    pub pki: Pki,
    /// What is shown.
    pub certificates: Certificates,
    /// What reads access tokens.
    pub tokens: Tokens,
    /// Settings.
    pub config: Arc<Config>,
    /// What fails is tried again.
    pub upkeep: Upkeep,
}

impl Renewal {
    /// Looks at files and dates until `stop`. What fails is said, and the next look is the retry.
    ///
    /// # Errors
    /// Never.
    pub async fn run(self, beat: Beat, stop: CancellationToken) -> Result<(), Error> {
        while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            beat.turn();
            let may = self.upkeep.tried("looking at the hub's certificates", self.may().await);
            let of = self.clone();
            let may = may.unwrap_or_default();
            // A look that panics is said by the runtime, and the next one is the retry.
            let ended = tokio::task::spawn_blocking(move || of.reload(may)).await;
            if ended.is_ok_and(|ended| ended) {
                // Each door is told something new, and looks whom to trust by now.
                let told = self.db.write(store::release::renew_all).await;
                self.upkeep.tried("replacing the authority", told);
            }
        }
        Ok(())
    }

    /// What may be done now: nothing where another hub does it, and nothing by a clock that leapt. The next certificate would have its
    /// dates, and doors that are away would be taken for gone.
    pub async fn may(&self) -> Result<May, Error> {
        if !self.upkeep.is_ours() || !self.upkeep.is_believed().await {
            return Ok(May::default());
        }
        Ok(May { renew: true, end: self.is_over().await? })
    }

    /// Whether every door has followed to the authority that replaces the one before, or can come
    /// no more.
    async fn is_over(&self) -> Result<bool, Error> {
        if !self.pki.is_rotating() {
            return Ok(false);
        }
        let signer = self.pki.signer();
        let now = self.upkeep.clock.wall();
        let behind = self.db.read(move |tx| store::certificate::behind(tx, &signer, now)).await?;
        Ok(behind.is_empty())
    }

    /// Looks once: renews the hub's own certificate if that is due, and takes certificates and keys
    /// as they lie there now, whichever process replaced them.
    ///
    /// Ends replacing the authority if it `may`, and says whether that was done. Blocking.
    #[must_use]
    pub fn reload(&self, may: May) -> bool {
        self.certificates.read();
        let done = self.renew(may).and_then(|()| self.turn_tokens()).and_then(|()| self.end(may));
        let why = done.as_ref().err().map(ToString::to_string);
        self.certificates.unrenewed(why.unwrap_or_default());
        done.unwrap_or(false)
    }

    /// Ends the replacement of the authority if it `may`.
    fn end(&self, may: May) -> Result<bool, Error> {
        if may.end {
            self.pki.finish_ca(&self.keys, self.upkeep.clock.wall())?;
            tracing::info!("the authority was replaced: the one before counts no more");
        }
        Ok(may.end)
    }

    fn renew(&self, may: May) -> Result<(), Error> {
        let now = self.upkeep.clock.wall();
        self.pki.reload(&self.keys)?;
        if may.renew && self.pki.life()?.is_due(now) {
            self.pki.renew(&self.keys, &[], now)?;
            tracing::info!("the hub's certificate was renewed");
        }
        Ok(())
    }

    /// Takes the keys of access tokens as they are now, unless the settings name one.
    ///
    /// # Errors
    /// When the key store fails.
    pub fn turn_tokens(&self) -> Result<(), Error> {
        if self.config.accounts.token_key.is_none() {
            let overlap = self.tokens.limits().access_ms;
            self.tokens.turn(&self.keys.tokens(overlap, self.upkeep.clock.wall())?);
        }
        Ok(())
    }
}
