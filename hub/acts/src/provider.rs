//! The OpenID provider: where to send a browser, and what its answer is worth.
//!
//! Code flow with PKCE and nonce. The identity token must be signed by a key of the provider, for
//! us, for this attempt, and not be over. A provider that is slow holds up one caller at a time:
//! whoever comes meanwhile gets its last good answer, or is asked to try again.

mod known;

use crate::auth::elsewhere::Attempt;
use crate::jobs::Spawn;
use chrono::{DateTime, Utc};
use config::Oidc;
use known::ProviderKnown;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreJwsSigningAlgorithm as Alg, CoreProviderMetadata,
};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope,
};
use rules::auth::elsewhere::ProviderIdentity;
use rules::error::{Doing, Error};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wire::{Mono, Wall};

/// Who comes back from the provider together; fewer than the places for strangers.
const BACK_AT_ONCE: usize = 8;
/// How long one more waits for its turn.
const TURN: Duration = Duration::from_secs(5);
/// Minutes by which the provider's clock may differ from ours.
const SKEW_MIN: i64 = 10;
/// For one request to the provider.
const TIME: Duration = Duration::from_secs(10);
/// Bytes of an answer at most.
const LARGEST: usize = 256 * 1024;

/// Signatures that only the provider can make.
const SIGNED: [Alg; 9] = [
    Alg::RsaSsaPkcs1V15Sha256,
    Alg::RsaSsaPkcs1V15Sha384,
    Alg::RsaSsaPkcs1V15Sha512,
    Alg::RsaSsaPssSha256,
    Alg::RsaSsaPssSha384,
    Alg::RsaSsaPssSha512,
    Alg::EcdsaP256Sha256,
    Alg::EcdsaP384Sha384,
    Alg::EdDsa,
];

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// A provider; cheap to clone.
#[derive(Clone)]
pub struct Provider {
    oidc: Arc<Oidc>,
    back: String,
    http: reqwest::Client,
    known: Arc<Mutex<ProviderKnown<CoreProviderMetadata>>>,
    /// For whoever asks the provider about itself: one at a time.
    asks: Arc<Semaphore>,
    /// Runs that to its end, whoever wanted to know.
    spawn: Spawn,
    stop: CancellationToken,
    /// For whoever has a code changed into who they are.
    back_again: Arc<Semaphore>,
}

/// Why a request to the provider failed.
#[derive(Debug, thiserror::Error)]
enum Unreachable {
    #[error("{0}")]
    Http(#[from] reqwest::Error),
    #[error("{0}")]
    Odd(#[from] openidconnect::http::Error),
    #[error("the answer is larger than {LARGEST} bytes")]
    Large,
}

impl Provider {
    /// The provider that the settings name; browsers come back to `public_url`. What it says about
    /// itself is asked by tasks of `spawn`, until `stop`.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(
        oidc: &Oidc,
        public_url: &str,
        spawn: Spawn,
        stop: CancellationToken,
    ) -> Result<Self, Error> {
        let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .https_only(oidc.issuer.starts_with("https://"))
            .timeout(TIME)
            .build()
            .doing("setting up the way to the OpenID provider")?;
        let back = format!("{public_url}/api/auth/oidc/callback");
        Ok(Self {
            oidc: Arc::new(oidc.clone()),
            back,
            http,
            known: Arc::default(),
            asks: Arc::new(Semaphore::new(1)),
            spawn,
            stop,
            back_again: Arc::new(Semaphore::new(BACK_AT_ONCE)),
        })
    }

    /// Begins an attempt: where to send the browser, and what to remember.
    ///
    /// # Errors
    /// `Unavailable` when the provider cannot be reached.
    pub async fn begin(
        &self,
        next: &str,
        now: Wall,
        mono: Mono,
    ) -> Result<(String, Attempt), Error> {
        let client = self.client(mono).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let ask = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        let ask = ask.add_scope(Scope::new("email".into())).set_pkce_challenge(challenge);
        let (url, state, nonce) = ask.url();
        let attempt = Attempt {
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
            next: next.to_owned(),
            made: now.0,
        };
        Ok((url.to_string(), attempt))
    }

    /// Who came back with `code`.
    ///
    /// # Errors
    /// `Forbidden` when the provider's answer does not hold, `Unavailable` without any.
    pub async fn finish(
        &self,
        attempt: Attempt,
        code: String,
        now: Wall,
        mono: Mono,
    ) -> Result<ProviderIdentity, Error> {
        let turn = timeout(TURN, self.back_again.acquire());
        let _place = turn.await.map_err(|_| silent())?.map_err(|_| silent())?;
        let client = self.client(mono).await?;
        let exchange = client.exchange_code(AuthorizationCode::new(code)).map_err(refused)?;
        let exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier));
        let call = |request| self.call(request);
        let answer = exchange.request_async(&call).await.map_err(refused)?;
        let token = answer.extra_fields().id_token().ok_or_else(|| refused("no id token"))?;
        let at = moment(now)?;
        let near = move |issued: DateTime<Utc>| {
            let apart = (issued - at).num_minutes().abs();
            if apart <= SKEW_MIN { Ok(()) } else { Err(format!("{apart} minutes apart")) }
        };
        let verifier = client.id_token_verifier().set_allowed_algs(SIGNED);
        let verifier = verifier.set_time_fn(move || at).set_issue_time_verifier_fn(near);
        let claims = token.claims(&verifier, &Nonce::new(attempt.nonce)).map_err(refused)?;
        let verified = claims.email_verified().unwrap_or(false);
        let email = claims.email().filter(|_| verified).map(|email| email.to_string());
        Ok(ProviderIdentity {
            issuer: claims.issuer().to_string(),
            subject: claims.subject().to_string(),
            verified_email: email,
        })
    }

    async fn client(&self, mono: Mono) -> Result<Client, Error> {
        let about = self.about(mono).await?;
        let id = ClientId::new(self.oidc.client_id.clone());
        let secret = self.oidc.client_secret.as_ref();
        let secret = secret.map(|secret| ClientSecret::new(secret.expose().to_owned()));
        let back = RedirectUrl::new(self.back.clone()).doing("reading public_url")?;
        Ok(CoreClient::from_provider_metadata(about, id, secret).set_redirect_uri(back))
    }

    /// What the provider says about itself: asked for again every few minutes, because its keys
    /// change. Nobody waits for somebody else's question.
    async fn about(&self, mono: Mono) -> Result<CoreProviderMetadata, Error> {
        let asks = self.asks.clone().try_acquire_owned().ok();
        if let Some(place) = asks.filter(|_| self.known().is_due(mono)) {
            let _learnt_or_stopped = self.learn(place, mono).await;
        }
        self.known().last(mono).ok_or_else(silent)
    }

    /// Asks in a task of its own: whoever wanted to know may be gone before the answer, and the
    /// next one has it nevertheless.
    fn learn(&self, place: OwnedSemaphorePermit, mono: Mono) -> oneshot::Receiver<()> {
        let (done, learnt) = oneshot::channel();
        let own = self.clone();
        (self.spawn)(Box::pin(async move {
            if let Some(answer) = own.stop.run_until_cancelled(own.discover()).await {
                own.known().learn(answer, mono);
            }
            drop(place);
            let _nobody_waits = done.send(());
        }));
        learnt
    }

    fn known(&self) -> MutexGuard<'_, ProviderKnown<CoreProviderMetadata>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn discover(&self) -> Option<CoreProviderMetadata> {
        let issuer = IssuerUrl::new(self.oidc.issuer.clone()).ok()?;
        let call = |request| self.call(request);
        let about = CoreProviderMetadata::discover_async(issuer, &call).await;
        let about = about.inspect_err(|error| {
            tracing::warn!(error = error as &dyn std::error::Error, "the OpenID provider");
        });
        about.ok()
    }

    /// One request, by our own client.
    fn call(
        &self,
        request: HttpRequest,
    ) -> impl Future<Output = Result<HttpResponse, Unreachable>> + Send + use<> {
        let http = self.http.clone();
        async move {
            let mut answer = http.execute(request.try_into()?).await?;
            let mut whole = openidconnect::http::Response::builder().status(answer.status());
            for (name, value) in answer.headers() {
                whole = whole.header(name, value);
            }
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await? {
                if body.len() + chunk.len() > LARGEST {
                    return Err(Unreachable::Large);
                }
                body.extend_from_slice(&chunk);
            }
            Ok(whole.body(body)?)
        }
    }
}

fn silent() -> Error {
    Error::Unavailable("the sign-in service does not answer: try again in a moment".into())
}

/// Nothing of the answer is told to whoever came: only the log says what was wrong.
fn refused(why: impl std::fmt::Display) -> Error {
    rules::security!("oidc", %why, "an answer of the OpenID provider was refused");
    Error::Forbidden("the sign-in service's answer does not hold: begin again".into())
}

fn moment(now: Wall) -> Result<DateTime<Utc>, Error> {
    DateTime::from_timestamp_millis(now.0)
        .ok_or_else(|| Error::internal("reading the clock", "outside of time"))
}
