//! `Idempotency-Key`: a write that is sent twice is done once, and answered the same.
//!
//! Whoever gets no answer (a phone in a lift) repeats the request with the same key within a day.
//! The work goes on even if they hang up, so that the second try finds its answer. A refusal is
//! not kept: it changed nothing.

use super::body::Content;
use super::call::Call;
use super::problem::Problem;
use super::route::Route;
use crate::endpoint::Run;
use crate::problem::Outcome;
use http_body_util::BodyExt;
use store::idempotency::{self, IdempotencyBegun, IdempotencyPlace};
use store::vault::DataKey;
use tracing::Instrument;
use warp::http::{HeaderName, HeaderValue, Method, StatusCode};
use warp::reply::Response;

/// Longest key, bytes.
const LONGEST: usize = 200;
/// Answers up to this size are kept, bytes; the API's answers to writes are far smaller.
const LARGEST: usize = 1024 * 1024;

/// An answer as it is kept: status, headers, body.
type IdempotencyKept = (u16, Vec<(String, String)>, Vec<u8>);

/// One request with a key.
struct IdempotencyAsk {
    place: IdempotencyPlace,
    /// Of what was sent: another body under the same key is a mistake.
    hash: [u8; 32],
    /// Seals the answer.
    seal: DataKey,
}

/// Answers `call`, once for each key.
///
/// # Errors
/// As the route; 409 while the first request goes on; 422 for a key that cannot be, or that was
/// used for something else.
pub async fn answer(route: &Route, run: &Run, call: Call) -> Outcome {
    let Some(ask) = ask(route, &call)? else { return run.answer(call).await };
    let (tell, told) = tokio::sync::oneshot::channel();
    let app = call.app().clone();
    let run = run.clone();
    let work = async move {
        let _they_hung_up = tell.send(once(ask, run, call).await);
    };
    app.jobs.finish(Box::pin(work.in_current_span()));
    told.await.unwrap_or_else(|_| Err(Problem::unavailable("The hub is stopping: try again.")))
}

/// What `call` asks for under a key, if it is a write, has one, and somebody is signed in.
fn ask(route: &Route, call: &Call) -> Result<Option<IdempotencyAsk>, Problem> {
    let writes = !matches!(route.method, Method::GET | Method::HEAD);
    let (Some(key), Some(by)) = (call.headers.get("idempotency-key"), &call.by) else {
        return Ok(None);
    };
    if !writes {
        return Ok(None);
    }
    let plain = |key: &&str| {
        (1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let odd = || {
        let say = format!("use 1 to {LONGEST} letters, digits or signs, such as a UUID");
        Problem::field("Idempotency-Key", say)
    };
    let key = key.to_str().ok().filter(plain).ok_or_else(odd)?;
    let seal = blake3::derive_key("rollcall hub idempotency answer 1", key.as_bytes());
    let place = IdempotencyPlace {
        account: by.actor.user,
        key: blake3::derive_key("rollcall hub idempotency place 1", key.as_bytes()).to_vec(),
        route: format!("{} {}", route.method, route.path),
    };
    let seal = DataKey::from_slice(&seal).map_err(|_| Problem::internal())?;
    Ok(Some(IdempotencyAsk { place, hash: hash(call), seal }))
}

/// Of everything that decides what a request does.
fn hash(call: &Call) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let mut add = |part: &[u8]| {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    };
    call.params.iter().for_each(|(_, value)| add(value.as_bytes()));
    add(call.query.as_bytes());
    add(call.header("if-match").unwrap_or("").as_bytes());
    match &call.content {
        Content::Nothing => {}
        Content::Json(bytes) => add(bytes),
        Content::Form(fields) => fields.iter().for_each(|(key, value)| {
            add(key.as_bytes());
            add(value.as_bytes());
        }),
        Content::Parts(parts) => {
            parts.spooled.iter().for_each(|(key, file)| {
                add(key.as_bytes());
                add(&file.digest);
            });
            parts.fields.iter().for_each(|(key, value)| {
                add(key.as_bytes());
                add(value.as_bytes());
            });
            parts.files.iter().for_each(|(key, bytes)| {
                add(key.as_bytes());
                add(bytes);
            });
        }
    }
    hasher.finalize().into()
}

async fn once(ask: IdempotencyAsk, run: Run, call: Call) -> Outcome {
    let IdempotencyAsk { place, hash, seal } = ask;
    let db = call.app().db.clone();
    let now = call.now;
    let at = place.clone();
    match db.write(move |tx| idempotency::begin(tx, &at, &hash, now)).await? {
        IdempotencyBegun::New => {}
        IdempotencyBegun::Answered(sealed) => return again(&seal, &place, &sealed),
        IdempotencyBegun::Unfinished => {
            let say = "The first request with this Idempotency-Key is not answered yet. Try again; \
                       if it stays so, the hub was stopped in the middle: look whether it is done.";
            return Err(Problem::conflict(say).after(1));
        }
        IdempotencyBegun::Other => {
            let say = "this key was used for another request: take a new one";
            return Err(Problem::field("Idempotency-Key", say));
        }
    }
    let outcome = run.answer(call).await;
    let kept = match outcome {
        Ok(answer) if answer.status().is_success() => keep(answer).await,
        other => other.map(|answer| (answer, None)),
    };
    let sealed = kept.as_ref().ok().and_then(|(_, kept)| kept.as_ref());
    let sealed = sealed.map(|plain| seal.seal(&of(&place), plain));
    let write = db.write(move |tx| match &sealed {
        Some(sealed) => idempotency::keep(tx, &place, sealed),
        None => idempotency::free(tx, &place),
    });
    write.await?;
    kept.map(|(answer, _)| answer)
}

/// What an answer is sealed for.
fn of(place: &IdempotencyPlace) -> String {
    format!("idempotency|{}|{}", place.account, place.route)
}

/// The answer, and its bytes if it is small enough to be kept.
async fn keep(answer: Response) -> Result<(Response, Option<Vec<u8>>), Problem> {
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.map_err(|_| Problem::internal())?.to_bytes();
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    let headers = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?)));
    let kept: IdempotencyKept = (parts.status.as_u16(), headers.collect(), body.to_vec());
    let small = body.len() <= LARGEST;
    let kept = small.then(|| postcard::to_allocvec(&kept).ok()).flatten();
    Ok((Response::from_parts(parts, body.into()), kept))
}

/// The first request's answer once more.
fn again(seal: &DataKey, place: &IdempotencyPlace, sealed: &[u8]) -> Outcome {
    let plain = seal.open(&of(place), sealed).map_err(|_| Problem::internal())?;
    let kept: IdempotencyKept = postcard::from_bytes(&plain).map_err(|_| Problem::internal())?;
    let (status, headers, body) = kept;
    let mut answer = Response::new(body.into());
    *answer.status_mut() = StatusCode::from_u16(status).map_err(|_| Problem::internal())?;
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            answer.headers_mut().append(name, value);
        }
    }
    let name = HeaderName::from_static("idempotency-replayed");
    answer.headers_mut().insert(name, HeaderValue::from_static("true"));
    Ok(answer)
}
