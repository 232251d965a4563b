//! One request as a handler sees it: who asks, for what, with what.

use super::body::Content;
use super::front::Front;
use super::problem::Problem;
use crate::signed_in::Proof;
use crate::signed_in::SignedIn;
use acts::accounts::Asker;
use acts::auth::digest;
use acts::bring::{self, PeopleTable, PhotoArchive};
use acts::entrance::SIGNED_OUT;
use acts::parts::Parts;
use bytes::Bytes;
use rules::auth::Actor;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::net::IpAddr;
use std::str::FromStr;
use store::account::{self, Account};
use store::login::LoginKeep;
use store::reader::Reader;
use tokio::sync::SemaphorePermit;
use warp::http::HeaderMap;
use wire::Wall;

/// Rows of a page at most.
pub const MOST: u32 = 500;

/// One request, admitted.
pub struct Call {
    /// What the front of the house shares.
    pub front: Front,
    /// Who asks, on routes that demand it and on pages that greet.
    pub by: Option<SignedIn>,
    /// Values of the path's parameters.
    pub params: Vec<(String, String)>,
    /// The query string.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub content: Content,
    /// The other end's address.
    pub peer: IpAddr,
    /// The request's name in every log line and answer.
    pub request_id: String,
    /// When it came.
    pub now: Wall,
}

impl Call {
    /// What the hub is made of.
    #[must_use]
    pub fn app(&self) -> &Parts {
        &self.front.app
    }

    /// The table of people that was sent as `file`.
    ///
    /// # Errors
    /// 422 without one.
    pub fn people_table(&self) -> Result<PeopleTable, Problem> {
        let file = self.file("file")?;
        let has_header = bring::header_said(self.content.field("has_header"))?;
        Ok(PeopleTable { file, has_header })
    }

    /// The archive of photos that was sent as `file`.
    ///
    /// # Errors
    /// 422 without one.
    pub fn photo_archive(&self) -> Result<PhotoArchive, Problem> {
        let file = self.spooled("file")?;
        let consent = self.content.field("consent_by").map(str::trim).filter(|by| !by.is_empty());
        Ok(PhotoArchive { file, consent_by: consent.map(str::to_owned), class: None })
    }

    /// A place among those whose photos are looked at together.
    ///
    /// # Errors
    /// 500 when the hub stops.
    pub async fn photo_place(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.front.photos.acquire().await.map_err(|_| Problem::internal())
    }

    /// Who asks, as one who changes accounts.
    ///
    /// # Errors
    /// 401 when nobody is signed in.
    pub fn asker(&self) -> Result<Asker, Problem> {
        Ok(Asker::Account { id: self.actor()?.user, proved: self.is_proved_again() })
    }

    /// Whether whoever asks proved who they are since they signed in, not long ago.
    #[must_use]
    pub fn is_proved_again(&self) -> bool {
        self.by.as_ref().is_some_and(|by| by.is_fresh(self.now) && by.again)
    }

    /// One's own account.
    ///
    /// # Errors
    /// 401 when it was closed this moment.
    pub async fn own(&self) -> Result<Account, Problem> {
        let id = self.actor()?.user;
        self.app().db.read(move |tx| account::get(tx, id)).await?.ok_or_else(signed_out)
    }

    /// The sign-in that the call came by, which stays when the others end.
    #[must_use]
    pub fn kept(&self) -> LoginKeep {
        match self.by.as_ref().map(|by| &by.proof) {
            Some(Proof::Session(secret)) => LoginKeep::Session(digest(secret)),
            Some(Proof::Token(family)) => LoginKeep::Family(*family),
            _ => LoginKeep::Nothing,
        }
    }

    /// Who asks, as the audit chain names them.
    ///
    /// # Errors
    /// 401 when nobody is signed in.
    pub fn name(&self) -> Result<String, Problem> {
        Ok(self.actor()?.user.to_string())
    }

    /// Who asks.
    ///
    /// # Errors
    /// 401 when nobody is signed in; on routes that declare a role that cannot be.
    pub fn actor(&self) -> Result<Actor, Problem> {
        self.by.as_ref().map(|by| by.actor).ok_or_else(signed_out)
    }

    /// Who reads, on the school's day.
    ///
    /// # Errors
    /// 401 when nobody is signed in.
    pub fn reader(&self) -> Result<Reader, Problem> {
        let today = rules::timetable::day(self.now, &self.app().config.zone);
        Ok(Reader { actor: self.actor()?, today })
    }

    /// The address of a calendar with this secret.
    #[must_use]
    pub fn calendar(&self, secret: &str) -> String {
        let scheme = if self.app().config.plain { "http" } else { "https" };
        format!("{scheme}://{}/calendar/{secret}.ics", self.host())
    }

    /// What to type on a unit that joins with `token`: the hub as this very request reached it.
    #[must_use]
    pub fn join_command(&self, token: &str) -> String {
        format!("rollcall-edge join https://{} {token}", self.host())
    }

    /// The hub's name and port, as this request reached it.
    fn host(&self) -> String {
        let config = &self.app().config;
        let here = || format!("{}:{}", config.host, config.listen.web.port());
        self.header("host").map_or_else(here, str::to_owned)
    }

    /// A value from the path.
    #[must_use]
    pub fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// An id from the path; anything that is no id names nothing.
    ///
    /// # Errors
    /// 404.
    pub fn id<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        let text = self.param(name);
        text.parse().map_err(|_| Problem::not_found(format!("There is nothing called “{text}”.")))
    }

    /// The query string as `T`.
    ///
    /// # Errors
    /// 422 naming what is wrong.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let fields: Vec<(String, String)> =
            serde_urlencoded::from_str(&self.query).unwrap_or_default();
        let limit = fields.iter().find(|(key, _)| key == "limit").map(|(_, value)| value);
        if limit.is_some_and(|limit| !limit.parse().is_ok_and(|n: u32| (1..=MOST).contains(&n))) {
            return Err(Problem::field("limit", format!("give a number from 1 to {MOST}")));
        }
        serde_urlencoded::from_str(&self.query)
            .map_err(|error| Problem::invalid(format!("The query cannot be read: {error}.")))
    }

    /// The JSON body as `T`.
    ///
    /// # Errors
    /// 400 for what is no JSON, 422 for JSON of another shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let Content::Json(bytes) = &self.content else { return Err(Problem::internal()) };
        serde_json::from_slice(bytes).map_err(|error| {
            if error.is_data() {
                Problem::invalid(format!("The body does not fit: {error}."))
            } else {
                Problem::malformed(format!("The body is not JSON: {error}."))
            }
        })
    }

    /// The version that the caller read: `If-Match` as `"3"`, `3` or `W/"3"`, or else `typed`.
    ///
    /// # Errors
    /// 422 for a header that is no version, or is not what the body says.
    pub fn version(&self, typed: Option<i64>) -> Result<Option<i64>, Problem> {
        let Some(text) = self.header("if-match").map(str::trim).filter(|text| *text != "*") else {
            return Ok(typed);
        };
        let text = text.trim_start_matches("W/").trim_matches('"');
        let odd = |why: &str| Problem::field("If-Match", why);
        let version = text.parse().map_err(|_| odd("give the version that was read"))?;
        if typed.is_some_and(|typed| typed != version) {
            return Err(odd("the header and the body name different versions"));
        }
        Ok(Some(version))
    }

    /// The version that a form's page showed: `If-Match`, or else the form's own.
    ///
    /// # Errors
    /// 422 for what is no version: the change would overwrite whatever was saved meanwhile.
    pub fn form_version(&self) -> Result<Option<i64>, Problem> {
        let odd = |_| Problem::field("version", "this is no version: load the page again");
        let typed = self.content.field("version").map(str::parse).transpose();
        self.version(typed.map_err(odd)?)
    }

    /// A form's field that must be there.
    ///
    /// # Errors
    /// 422 naming it.
    pub fn field(&self, name: &str) -> Result<&str, Problem> {
        let given = self.content.field(name).map(str::trim).filter(|value| !value.is_empty());
        given.ok_or_else(|| Problem::field(name, "this field is missing"))
    }

    /// A form's file that must be there.
    ///
    /// # Errors
    /// 422 naming it.
    pub fn file(&self, name: &str) -> Result<Bytes, Problem> {
        let given = self.content.file(name).cloned();
        given.ok_or_else(|| Problem::field(name, "a picture is missing"))
    }

    /// A form's file that must be there and lies on the disk, from its beginning.
    ///
    /// # Errors
    /// 422 naming it.
    pub fn spooled(&self, name: &str) -> Result<File, Problem> {
        let missing = || Problem::field(name, "a file is missing");
        let Content::Parts(parts) = &self.content else { return Err(missing()) };
        let (_, there) = parts.spooled.iter().find(|(key, _)| key == name).ok_or_else(missing)?;
        there.file.try_clone().map_err(|_| Problem::internal())
    }

    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether htmx asks for a piece of a page.
    #[must_use]
    pub fn wants_piece(&self) -> bool {
        self.header("hx-request") == Some("true")
    }

    /// Whether the answer may be a page: only if `text/html` is named.
    #[must_use]
    pub fn wants_page(&self) -> bool {
        self.header("accept").is_some_and(|accept| accept.contains("text/html"))
    }

    /// The session's secret, if a browser asks.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        match self.by.as_ref().map(|by| &by.proof) {
            Some(Proof::Session(secret)) => Some(secret),
            _ => None,
        }
    }
}

/// 401.
#[must_use]
pub fn signed_out() -> Problem {
    Problem::unauthorised(SIGNED_OUT)
}
