//! `/api/events`: what just happened, as server-sent events, each person's own part of it.
//!
//! An event is a nudge with an id; the page asks for the card with its own rights. Here too the
//! store is asked whether this person may see the record, so that nobody learns of another's.

use acts::events::Event;
use http::endpoint::Endpoint;
use http::front::Front;
use http::guard;
use http::problem::Outcome;
use http::problem::Problem;
use http::route::Route;
use http::{call::Call, signed_in::SignedIn};
use rules::auth::{Actor, Role};
use rules::review::Status;
use serde_json::json;
use std::convert::Infallible;
use std::time::Duration;
use store::{class, session};
use store::{desk, reader::Reader};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::error::RecvError;
use tokio_stream::Stream;
use warp::reply::Reply;
use warp::sse;
use wire::RecordId;

/// A comment this often keeps proxies and phones from closing the stream.
const ALIVE: Duration = Duration::from_secs(20);
/// An open stream looks this often whether its session still counts.
const LOOK: Duration = Duration::from_secs(15);

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![Route::get("/api/events").staff().file("text/event-stream").by(listen)]
}

async fn listen(call: Call) -> Outcome {
    let place = call.front.streams.clone().try_acquire_owned().map_err(|_| {
        Problem::unavailable("Too many pages are open at once: reload this one later.").after(30)
    })?;
    let missed = call.header("last-event-id").is_some();
    let by = call.by.clone().ok_or_else(http::call::signed_out)?;
    let stream = stream(call.front.clone(), by, place, missed, LOOK);
    Ok(sse::reply(sse::keep_alive().interval(ALIVE).stream(stream)).into_response())
}

/// Events for whoever `by` is, until the hub stops or they are signed out: that is looked at before
/// each event and every `look`. It begins with an event, so that whoever was told nothing else has
/// an id to come back with; whoever comes back after a gap is told to look anew.
#[doc(hidden)]
pub fn stream(
    front: Front,
    by: SignedIn,
    place: OwnedSemaphorePermit,
    missed: bool,
    look: Duration,
) -> impl Stream<Item = Result<sse::Event, Infallible>> + Send + Sync + 'static {
    let heard = front.app.events.listen();
    let first = named(if missed { "missed" } else { "begun" }, &json!({}));
    let state = (front, by, heard, place, Some(first));
    futures_util::stream::unfold(
        state,
        move |(front, by, mut heard, place, mut first)| async move {
            if let Some(event) = first.take() {
                return Some((Ok(event), (front, by, heard, place, None)));
            }
            loop {
                let said = tokio::select! {
                    () = front.stop.cancelled() => return None,
                    said = heard.recv() => Some(said),
                    () = tokio::time::sleep(look) => None,
                };
                if !is_still(&front, &by).await {
                    return None;
                }
                let event = match said {
                    Some(Ok(event)) => event_for(&front, by.actor, event).await,
                    Some(Err(RecvError::Lagged(_))) => Some(named("missed", &json!({}))),
                    Some(Err(RecvError::Closed)) => return None,
                    None => None,
                };
                if let Some(event) = event {
                    return Some((Ok(event), (front, by, heard, place, None)));
                }
            }
        },
    )
}

/// Whether `by` is signed in as before, in the same role. Otherwise the stream ends, and the page
/// asks again with what it has.
async fn is_still(front: &Front, by: &SignedIn) -> bool {
    let now = front.app.clock.wall();
    guard::still(front, &by.proof, now).await.is_ok_and(|actor| actor == Some(by.actor))
}

/// What somebody is told of an event, if they may hear of it.
#[doc(hidden)]
pub async fn event_for(front: &Front, actor: Actor, event: Event) -> Option<sse::Event> {
    match event {
        Event::PendingAdded(record) | Event::Decided { record, .. } => {
            let seen = seen(front, actor, record).await?;
            let name = if seen.status == Status::Pending { "pending" } else { "decided" };
            Some(named(name, &json!({ "id": record, "version": seen.version })))
        }
        Event::JobChanged { job, by } if by == actor.user => {
            let job = front.app.jobs.get(job, by, false).await.ok()?;
            let state = job.state;
            let done = job.done;
            let total = job.total;
            Some(named(
                "job",
                &json!({ "id": job.id, "state": state, "done": done, "total": total }),
            ))
        }
        Event::Marked { session, student } => {
            let id = session.to_string();
            may_see(front, actor, id).await.then_some(())?;
            Some(named("marked", &json!({ "session_id": session, "student": student })))
        }
        Event::SessionClosed(session) => {
            may_see(front, actor, session.to_string()).await.then_some(())?;
            Some(named("closed", &json!({ "session_id": session })))
        }
        Event::Snapped(device) if actor.role == Role::Admin => {
            Some(named("snap", &json!({ "id": device })))
        }
        Event::ClassSuspended(class) => {
            let reader = reader(front, actor);
            let id = class.to_string();
            front.app.db.read(move |tx| class::find(tx, reader, &id)).await.ok()?;
            Some(named("suspended", &json!({ "class_id": class })))
        }
        Event::DeviceChanged(device) => Some(named("device", &json!({ "id": device }))),
        Event::RolloutChanged(n) if actor.role == Role::Admin => {
            Some(named("rollout", &json!({ "number": n })))
        }
        Event::Missed => Some(named("missed", &json!({}))),
        _ => None,
    }
}

/// This person today.
fn reader(front: &Front, actor: Actor) -> Reader {
    Reader { actor, today: rules::timetable::day(front.app.clock.wall(), &front.app.config.zone) }
}

/// Whether this person may see the lesson `id`.
async fn may_see(front: &Front, actor: Actor, id: String) -> bool {
    let reader = reader(front, actor);
    front.app.db.read(move |tx| session::find(tx, reader, &id)).await.is_ok()
}

/// A record, if this person may see it.
async fn seen(front: &Front, actor: Actor, record: RecordId) -> Option<desk::SightingSeen> {
    let reader = reader(front, actor);
    front.app.db.read(move |tx| desk::one(tx, reader, record)).await.ok()
}

fn named(name: &str, data: &serde_json::Value) -> sse::Event {
    sse::Event::default().event(name).id(acts::auth::nonce().to_string()).data(data.to_string())
}
