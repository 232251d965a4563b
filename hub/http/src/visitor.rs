//! Whoever asks, at the entrance: known by their browser, and signed in by its cookies.

use super::call::Call;
use super::reply::with;
use crate::problem::Outcome;
use acts::auth;
use acts::auth::{known, session};
use acts::entrance::{Missing, Visitor};
use data_encoding::BASE64URL_NOPAD;
use store::login::Way;
use uuid::Uuid;
use warp::http::header;
use warp::reply::Response;

impl Call {
    /// Whoever asks, at the entrance.
    #[must_use]
    pub fn visitor(&self) -> Visitor {
        Visitor {
            entrance: self.front.entrance.clone(),
            from: self.peer,
            browser: self.browser(),
            keep: self.kept(),
            proved: self.is_proved_again(),
            now: self.now,
        }
    }

    /// Whether a page may speak of passkeys, or why not.
    #[must_use]
    pub fn lacks_passkeys(&self) -> Option<Missing> {
        self.front.entrance.passkeys.missing(self.header("host"))
    }

    /// The browser that asks, if somebody signed in with it before.
    fn browser(&self) -> Option<known::Browser> {
        let cookies = self.headers.get_all(header::COOKIE).iter();
        let sealed = cookies.filter_map(|value| known::find(value.to_str().ok()?)).next()?;
        let sealed = BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?;
        let plain = self.app().keys.unseal(known::PLACE, &sealed).ok()?;
        known::Browser::parse(std::str::from_utf8(&plain).ok()?)
    }

    /// The cookie by which this browser is known to `account` from now on.
    fn remembered(&self, account: Uuid) -> String {
        let new = || known::Browser::new(auth::nonce().as_u128());
        let text = self.browser().unwrap_or_else(new).with(account, self.now).text();
        let sealed = self.app().keys.seal(known::PLACE, text.as_bytes());
        known::cookie(&BASE64URL_NOPAD.encode(&sealed))
    }

    /// Opens a browser's session: the answer with its cookie, and with that by which the browser
    /// is known from now on.
    pub async fn open_session(&self, account: Uuid, way: Way, answer: Response) -> Outcome {
        let secret = self.visitor().session(account, way).await?;
        let own = session::cookie(&secret, self.front.limits);
        let answer = with(answer, header::SET_COOKIE, &own);
        Ok(with(answer, header::SET_COOKIE, &self.remembered(account)))
    }
}
