//! Answers, and the one match that turns the hub's errors into problems.

use super::problem::Problem;
use crate::problem::Outcome;
use askama::Template;
use rules::error::Error;
use serde::Serialize;
use warp::http::{HeaderName, HeaderValue, StatusCode, header};
use warp::reply::{Reply, Response};

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::NotFound(_) => Self::not_found(sentence(&detail)),
            Error::Malformed(_) => Self::malformed(sentence(&detail)),
            Error::Conflict(_) => Self::conflict(sentence(&detail)),
            Error::Invalid(_) => Self::invalid(sentence(&detail)),
            Error::Field { field, why } => Self::field(field, why),
            Error::Unauthorised(_) => Self::unauthorised(sentence(&detail)),
            Error::Forbidden(_) => Self::forbidden(sentence(&detail)),
            Error::Refused(what) => Self::refused(what, sentence(&detail)),
            Error::Unproven => Self::unproven(),
            Error::TooMany { seconds, .. } => Self::too_many(sentence(&detail)).after(seconds),
            Error::Unavailable(_) => Self::unavailable(sentence(&detail)).after(5),
            Error::Internal { doing, source } => {
                tracing::error!(%doing, error = &*source as &dyn std::error::Error, "{detail}");
                Self::internal()
            }
        }
    }
}

/// The same words with a capital and a full stop.
#[must_use]
pub fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let stop = if words.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

/// 200 with JSON.
pub fn json<T: Serialize>(value: &T) -> Outcome {
    Ok(warp::reply::json(value).into_response())
}

/// JSON with another status: what is asked for and how it is are both the answer.
pub fn json_with<T: Serialize>(status: StatusCode, value: &T) -> Outcome {
    let mut answer = warp::reply::json(value).into_response();
    *answer.status_mut() = status;
    Ok(answer)
}

/// 200 with JSON of something that has a version: its `ETag`, for the caller's next `If-Match`.
pub fn versioned<T: Serialize>(value: &T, version: i64) -> Outcome {
    Ok(with(json(value)?, header::ETAG, &format!("\"{version}\"")))
}

/// 201 with JSON, and where the new thing is.
pub fn created<T: Serialize>(place: &str, value: &T) -> Outcome {
    let mut answer = warp::reply::json(value).into_response();
    *answer.status_mut() = StatusCode::CREATED;
    Ok(with(answer, header::LOCATION, place))
}

/// 202 with JSON, and where to ask how far it is.
pub fn accepted<T: Serialize>(place: &str, value: &T) -> Outcome {
    let mut answer = warp::reply::json(value).into_response();
    *answer.status_mut() = StatusCode::ACCEPTED;
    Ok(with(answer, header::LOCATION, place))
}

/// 204.
pub fn nothing() -> Outcome {
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// 303: look there.
pub fn see(place: &str) -> Outcome {
    Ok(with(StatusCode::SEE_OTHER.into_response(), header::LOCATION, place))
}

/// A page.
///
/// # Errors
/// 500 when the template cannot be written, which only a bug can cause.
pub fn page(status: StatusCode, template: &impl Template) -> Outcome {
    let html = template.render().map_err(|error| {
        tracing::error!(%error, "a page could not be written");
        Problem::internal()
    })?;
    let mut answer = warp::reply::html(html).into_response();
    *answer.status_mut() = status;
    Ok(answer)
}

/// Bytes of a known type.
pub fn bytes(kind: &'static str, bytes: impl Into<bytes::Bytes>) -> Outcome {
    let body: bytes::Bytes = bytes.into();
    let answer = warp::http::Response::new(body).into_response();
    Ok(with(answer, header::CONTENT_TYPE, kind))
}

/// The same answer with one header more; a value that is no header is left out.
#[must_use]
pub fn with(mut answer: Response, name: HeaderName, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().append(name, value);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_error_has_one_status_and_says_nothing_secret() {
        let status = |error: Error| Problem::from(error).status.as_u16();
        assert_eq!(status(Error::NotFound("x".into())), 404);
        assert_eq!(status(Error::Malformed("x".into())), 400);
        assert_eq!(status(Error::Conflict("x".into())), 409);
        assert_eq!(status(Error::Invalid("x".into())), 422);
        assert_eq!(status(Error::Unauthorised("x".into())), 401);
        assert_eq!(status(Error::Forbidden("x".into())), 403);
        assert_eq!(status(Error::Unavailable("x".into())), 503);
        let inside = Problem::from(Error::internal("reading /var/lib", "disk on fire"));
        assert_eq!(inside.status.as_u16(), 500);
        assert!(!inside.detail.contains("fire") && !inside.detail.contains("/var"));
    }

    #[test]
    fn what_people_read_is_a_sentence() {
        assert_eq!(sentence("no face was found"), "No face was found.");
        assert_eq!(sentence("Try again!"), "Try again!");
    }
}
