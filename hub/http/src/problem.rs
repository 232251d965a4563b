//! What went wrong, as RFC 9457 says it: `application/problem+json`.
//!
//! `detail` is a sentence for a teacher. What only an operator should read is logged with the
//! request's id and never sent.

use rules::error::Refused;
use serde::Serialize;
use warp::http::{HeaderValue, StatusCode, header};
use warp::reply::{Reply, Response};

/// The kind of problem that asks for a fresh proof of who somebody is.
pub const PROOF_NEEDED: &str = "proof-needed";

/// One wrong field of a body.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
pub struct Wrong {
    /// Its name in the body.
    pub field: String,
    /// What is wrong with it.
    pub detail: String,
}

/// A refusal or a failure, ready to be sent.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The status.
    pub status: StatusCode,
    /// The last word of `type`, for programs: stable, one per cause.
    pub kind: &'static str,
    /// What happened, for a person.
    pub detail: String,
    /// The fields that are wrong.
    pub errors: Vec<Wrong>,
    /// Seconds until another try makes sense.
    pub retry_after: Option<u64>,
    /// Methods the path does know.
    pub allow: Option<String>,
}

/// The body of a problem.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Wrong>,
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $kind:literal;)*) => {
        $($(#[$doc])*
        #[must_use]
        pub fn $name(detail: impl Into<String>) -> Self {
            Self::new(StatusCode::$status, $kind, detail)
        })*
    };
}

impl Problem {
    problems! {
        /// 400: the request itself is broken.
        malformed = BAD_REQUEST, "malformed";
        /// 401: nobody is signed in.
        unauthorised = UNAUTHORIZED, "not-signed-in";
        /// 403: this role may never do it.
        forbidden = FORBIDDEN, "forbidden";
        /// 404: no such thing, or not yours to see.
        not_found = NOT_FOUND, "not-found";
        /// 409: somebody else changed it.
        conflict = CONFLICT, "conflict";
        /// 411: the body has no length.
        no_length = LENGTH_REQUIRED, "length-required";
        /// 413: the body is too large.
        too_large = PAYLOAD_TOO_LARGE, "too-large";
        /// 415: the body is of another type.
        wrong_type = UNSUPPORTED_MEDIA_TYPE, "wrong-type";
        /// 422: the content cannot be taken.
        invalid = UNPROCESSABLE_ENTITY, "invalid";
        /// 429: too much at once.
        too_many = TOO_MANY_REQUESTS, "too-many-requests";
        /// 503: something we need is not there.
        unavailable = SERVICE_UNAVAILABLE, "unavailable";
    }

    /// A problem without any extras.
    #[must_use]
    pub fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { status, kind, detail, errors: Vec::new(), retry_after: None, allow: None }
    }

    /// 500, without saying more than the id under which the log does.
    #[must_use]
    pub fn internal() -> Self {
        let detail = "Something went wrong in the hub. Before you try again, look whether it was \
                      done; if it happens once more, give the request id to whoever looks after \
                      the hub.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// A wrong field.
    #[must_use]
    pub fn field(field: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let wrong = Wrong { field: field.to_owned(), detail: detail.clone() };
        Self { errors: vec![wrong], ..Self::invalid(format!("{field}: {detail}")) }
    }

    /// 401: what was shown does not open anything.
    #[must_use]
    pub fn refused(what: Refused, detail: String) -> Self {
        let kind = match what {
            Refused::Code => "second-factor-wrong",
            Refused::Passkey => "passkey-refused",
        };
        Self::new(StatusCode::UNAUTHORIZED, kind, detail)
    }

    /// 403: they may, once they prove again that it is them.
    #[must_use]
    pub fn unproven() -> Self {
        let say = "Prove once more that it is you: send your password, a code or a passkey to \
                   /api/auth/prove, and then this again.";
        Self::new(StatusCode::FORBIDDEN, PROOF_NEEDED, say)
    }

    /// The same, with a wait.
    #[must_use]
    pub fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// The answer, named by its request.
    #[must_use]
    pub fn reply(&self, request_id: &str) -> Response {
        let body = ProblemBody {
            kind: format!("/problems/{}", self.kind),
            title: self.status.canonical_reason().unwrap_or("Problem"),
            status: self.status.as_u16(),
            detail: &self.detail,
            request_id,
            errors: self.errors.clone(),
        };
        let mut answer = warp::reply::json(&body).into_response();
        *answer.status_mut() = self.status;
        let headers = answer.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        if self.status == StatusCode::UNAUTHORIZED {
            let bearer = HeaderValue::from_static("Bearer realm=\"rollcall\"");
            headers.insert(header::WWW_AUTHENTICATE, bearer);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = self.allow.as_deref().and_then(|a| HeaderValue::from_str(a).ok()) {
            headers.insert(header::ALLOW, allow);
        }
        answer
    }
}

/// What a handler comes to.
pub type Outcome = Result<Response, Problem>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_ours_claims_nothing_of_what_was_done() {
        let detail = Problem::internal().detail;
        assert!(!detail.contains("Nothing was changed"), "{detail}");
        assert!(detail.contains("look whether it was done"), "{detail}");
    }
}
