//! Signing in elsewhere: on the way there, and back again.

use super::Visitor;
use crate::auth::elsewhere::{Attempt, ElsewhereSeen};
use crate::provider::Provider;
use rules::auth::throttle::ThrottleKind;
use rules::error::{Doing, Error};
use std::sync::{Arc, Mutex, PoisonError};
use store::account::Account;

/// What an attempt is sealed for.
const ATTEMPT: &str = "oidc attempt";

/// Where people sign in elsewhere, and which answers from there were used; cheap to clone.
#[derive(Clone)]
pub struct Elsewhere {
    provider: Option<Provider>,
    seen: Arc<Mutex<ElsewhereSeen>>,
}

/// Somebody on their way there.
pub struct Departure {
    /// Where to send their browser.
    pub to: String,
    /// What it keeps until they are back: the sealed attempt.
    pub attempt: Vec<u8>,
}

/// Somebody who is back.
pub struct Return {
    /// What their browser kept.
    pub attempt: Option<Vec<u8>>,
    /// Which attempt the provider answers.
    pub state: String,
    /// What the provider tells who they are for, if it let them in.
    pub code: Option<String>,
}

/// Somebody who is in.
pub struct ElsewhereArrival {
    /// Whose account.
    pub account: Account,
    /// Where they wanted to go on.
    pub next: String,
}

impl Elsewhere {
    /// At this provider, or nowhere.
    #[must_use]
    pub fn new(provider: Option<Provider>) -> Self {
        Self { provider, seen: Arc::default() }
    }

    fn provider(&self) -> Result<&Provider, Error> {
        let none = "This hub has no sign-in elsewhere: use your e-mail and password.";
        self.provider.as_ref().ok_or_else(|| Error::NotFound(none.into()))
    }
}

impl Visitor {
    /// Sends somebody to the provider, to go on to `next` once they are back.
    ///
    /// # Errors
    /// `NotFound` on a hub without one, `Unavailable` when it does not answer.
    pub async fn depart(&self, next: &str) -> Result<Departure, Error> {
        let entrance = &self.entrance;
        let provider = entrance.elsewhere.provider()?;
        let (to, attempt) = provider.begin(next, self.now, entrance.clock.mono()).await?;
        let plain = serde_json::to_vec(&attempt).doing("beginning a sign-in elsewhere")?;
        Ok(Departure { to, attempt: entrance.keys.seal(ATTEMPT, &plain) })
    }

    /// Lets somebody in whom the provider vouches for. It counts as a try.
    ///
    /// # Errors
    /// `TooMany` for who tries too often; `Malformed` for what is no answer to this browser's
    /// attempt, or was used; `Forbidden` for who is not vouched for, or has no account here;
    /// `Unavailable` when the provider does not answer.
    pub async fn come_back(&self, back: Return) -> Result<ElsewhereArrival, Error> {
        let guess = self.guess(ThrottleKind::Elsewhere, None);
        self.reserve(&guess)?;
        let came = self.arrive(back).await;
        match &came {
            Err(error) if !error.is_ours() => self.wrong(None, "elsewhere").await?,
            _ => self.right(&guess),
        }
        came
    }

    async fn arrive(&self, back: Return) -> Result<ElsewhereArrival, Error> {
        let entrance = &self.entrance;
        let now = self.now;
        let attempt = back.attempt.and_then(|sealed| self.unsealed(&sealed));
        let taken = {
            let mut seen = entrance.elsewhere.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.take(attempt, &back.state, now)
        };
        let attempt = taken.map_err(|why| Error::Malformed(why.to_string()))?;
        let code = back.code.ok_or_else(|| {
            let say = "The sign-in service did not let you in: begin again.";
            Error::Forbidden(say.into())
        })?;
        let next = attempt.next.clone();
        let provider = entrance.elsewhere.provider()?;
        let who = provider.finish(attempt, code, now, entrance.clock.mono()).await?;
        let account = self.vouched(who).await?.ok_or_else(|| {
            let say = "No account here belongs to you at the sign-in service. Ask whoever looks \
                       after Rollcall at your school to invite your address.";
            Error::Forbidden(say.into())
        })?;
        Ok(ElsewhereArrival { account, next })
    }

    fn unsealed(&self, attempt: &[u8]) -> Option<Attempt> {
        serde_json::from_slice(&self.entrance.keys.unseal(ATTEMPT, attempt).ok()?).ok()
    }
}
