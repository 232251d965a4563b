//! Jobs over a real database: progress, cancelling, failing, restarting.

use super::*;
use crate::album::Album;
use crate::gallery::Gallery;
use crate::hubs::Hubs;
use crate::recogniser::Recogniser;
use rules::auth::{Actor, Role};
use rules::knn::KnnRule;
use std::path::{Path, PathBuf};
use store::account::{self, NewAccount};
use store::crop::CropOf;
use store::keys::Keys;
use store::reader::Reader;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;
use wire::time::ManualClock;
use wire::{Mono, Wall};

struct Shop {
    _dir: tempfile::TempDir,
    db: Db,
    jobs: Jobs,
    by: Uuid,
    events: Events,
}

async fn shop() -> Shop {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(dir.path().join("hub.db")).unwrap();
    let jobs = open(&db, &Events::default());
    let (email, name, role) = ("a@b.test".into(), "Ada".into(), Role::Admin);
    let new = NewAccount { email, name, role, student: None, password: None };
    let by = db.write(move |tx| account::add(tx, &new, "test", Wall(1))).await.unwrap().id;
    let events = jobs.0.events.clone();
    Shop { _dir: dir, db, jobs, by, events }
}

fn open(db: &Db, events: &Events) -> Jobs {
    let tracker = TaskTracker::new();
    let clock = Arc::new(ManualClock::at(Wall(1_000), Mono(1_000)));
    let spawn = move |task: Task| drop(tracker.spawn(task));
    Jobs::new(db.clone(), Hubs::default(), events.clone(), clock, Arc::new(spawn))
}

#[tokio::test]
async fn a_job_says_how_far_it_is_and_what_it_came_to() {
    let shop = shop().await;
    let mut heard = shop.events.listen();
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    let work = move |progress: JobProgress| async move {
        progress.advance(2);
        wait.await.ok();
        progress.advance(1);
        Ok(serde_json::json!({ "made": 3 }))
    };
    let job = shop.jobs.start("count", 3, shop.by, work).await.unwrap();
    assert_eq!((job.state, job.done, job.total), (JobState::Queued, 0, 3));
    let changed = Event::JobChanged { job: job.id, by: shop.by };
    assert_eq!(heard.recv().await, Ok(changed.clone()), "it began");
    assert_eq!(heard.recv().await, Ok(changed), "it got on");
    let half = shop.jobs.get(job.id, shop.by, false).await.unwrap();
    assert_eq!((half.state, half.done), (JobState::Running, 2));
    go.send(()).unwrap();
    let done = shop.jobs.ended(job.id, shop.by).await.unwrap();
    assert_eq!((done.state, done.done, done.error), (JobState::Done, 3, None));
    assert_eq!(done.result.unwrap()["made"], 3);
}

#[tokio::test]
async fn a_cancelled_job_stops_where_it_is() {
    let shop = shop().await;
    let work = |_| async { std::future::pending::<Result<(), Error>>().await };
    let job = shop.jobs.start("wait", 1, shop.by, work).await.unwrap();
    let stopped = shop.jobs.cancel(job.id, shop.by, false).await.unwrap();
    assert_eq!((stopped.state, &stopped.result), (JobState::Cancelled, &None));
    let again = shop.jobs.cancel(job.id, shop.by, false).await.unwrap();
    assert_eq!(again, stopped, "twice is the same as once");
}

#[tokio::test]
async fn a_cancel_that_comes_after_the_write_began_is_too_late() {
    let shop = shop().await;
    let db = shop.db.clone();
    let (began, begins) = tokio::sync::oneshot::channel::<()>();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let work = move |progress: JobProgress| async move {
        progress.no_return();
        let write = move |_: &Tx<'_>| {
            began.send(()).ok();
            wait.recv().ok();
            Ok(())
        };
        db.write(write).await?;
        progress.advance(1);
        Ok(())
    };
    let job = shop.jobs.start("bring", 1, shop.by, work).await.unwrap();
    begins.await.unwrap();
    shop.jobs.live()[&job.id].0.cancel.cancel();
    tokio::task::yield_now().await;
    go.send(()).unwrap();
    let done = shop.jobs.ended(job.id, shop.by).await.unwrap();
    assert_eq!((done.state, done.done), (JobState::Done, 1));
}

/// A clock that cancels a job when it is asked the time, and says so: an album asks just before it
/// writes.
#[derive(Default)]
struct Canceller(Mutex<Option<(JobProgress, oneshot::Sender<()>)>>);

impl Clock for Canceller {
    fn wall(&self) -> Wall {
        if let Some((job, cancelled)) = self.0.lock().unwrap().take() {
            job.0.cancel.cancel();
            cancelled.send(()).unwrap();
        }
        Wall(1_000)
    }

    fn mono(&self) -> Mono {
        Mono(1_000)
    }
}

#[tokio::test]
async fn faces_that_are_being_put_to_people_are_not_said_to_be_cancelled() {
    let shop = shop().await;
    let (clock, class) = (Arc::new(Canceller::default()), Uuid::from_u128(7));
    let models = std::env::var_os("ROLLCALL_MODELS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/weights"),
        PathBuf::from,
    );
    let recogniser = Recogniser::start(&models).unwrap();
    let album = Album {
        db: shop.db.clone(),
        keys: Keys::create(shop._dir.path(), Wall(1)).unwrap(),
        gallery: Gallery::new(recogniser.model().clone()),
        recogniser,
        zone: jiff::tz::TimeZone::UTC,
        clock: clock.clone(),
        events: shop.events.clone(),
    };
    let actor = Actor { user: shop.by, role: Role::Admin };
    let reader = Reader { actor, today: jiff::civil::date(2026, 3, 2) };
    let rule = KnnRule { k: 5, line: 0.5, voting: true };
    let db = shop.db.clone();
    let (tell, cancelled) = oneshot::channel();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let work = move |progress: JobProgress| async move {
        *clock.0.lock().unwrap() = Some((progress.clone(), tell));
        let busy = db.write(move |_| Ok(wait.recv().ok())); // what the album writes waits behind it
        let sort = album.sort((CropOf::Class(class), class), rule, Some(reader), &progress);
        tokio::join!(busy, sort).1
    };
    let job = shop.jobs.start("auto-assign-all-crops", 0, shop.by, work).await.unwrap();
    cancelled.await.unwrap();
    tokio::task::yield_now().await;
    go.send(()).unwrap();
    let ended = shop.jobs.ended(job.id, shop.by).await.unwrap();
    assert_eq!(ended.state, JobState::Done, "the write had begun");
}

#[tokio::test]
async fn a_job_that_goes_on_is_found_whoever_started_it_and_whatever_came_since() {
    let shop = shop().await;
    let wait = |_| async { std::future::pending::<Result<(), Error>>().await };
    let job = shop.jobs.start("wait", 1, shop.by, wait).await.unwrap();
    for _ in 0..51 {
        let quick = shop.jobs.start("quick", 1, shop.by, |_| async { Ok(()) }).await.unwrap();
        shop.jobs.ended(quick.id, shop.by).await.unwrap();
    }
    let found = async |kind| shop.jobs.unfinished(kind).await.unwrap().map(|job| job.id);
    assert_eq!((found("wait").await, found("quick").await), (Some(job.id), None));
    shop.jobs.cancel(job.id, shop.by, false).await.unwrap();
    assert_eq!(found("wait").await, None);
}

#[tokio::test]
async fn a_failure_and_a_panic_become_sentences() {
    let shop = shop().await;
    let fail = |_| async { Err::<(), _>(Error::Invalid("there is no photo".into())) };
    let job = shop.jobs.start("fail", 1, shop.by, fail).await.unwrap();
    let failed = shop.jobs.ended(job.id, shop.by).await.unwrap();
    assert_eq!(
        (failed.state, failed.error.as_deref()),
        (JobState::Failed, Some("There is no photo."))
    );
    let panic = |progress: JobProgress| async move {
        let (done, _) = progress.pieces();
        assert_eq!(done, 9, "on purpose");
        Ok(())
    };
    let job = shop.jobs.start("panic", 1, shop.by, panic).await.unwrap();
    let failed = shop.jobs.ended(job.id, shop.by).await.unwrap();
    assert_eq!((failed.state, failed.error.as_deref()), (JobState::Failed, Some("A job failed.")));
}

#[tokio::test]
async fn what_the_hubs_end_cut_off_says_so_after_the_restart() {
    let shop = shop().await;
    let forever = |_| async { std::future::pending::<Result<(), Error>>().await };
    let cut = shop.jobs.start("wait", 1, shop.by, forever).await.unwrap();
    let stopped = shop.jobs.start("wait", 1, shop.by, forever).await.unwrap();
    let next = open(&shop.db, &shop.events);
    next.interrupt().await.unwrap();
    let seen = next.get(cut.id, shop.by, false).await.unwrap();
    assert_eq!((seen.state, seen.error.as_deref()), (JobState::Failed, Some(INTERRUPTED)));
    shop.jobs.stop();
    let seen = shop.jobs.ended(stopped.id, shop.by).await.unwrap();
    assert_eq!((seen.state, seen.error.as_deref()), (JobState::Failed, Some(INTERRUPTED)));
}

#[tokio::test]
async fn only_a_few_run_at_once_and_too_many_are_refused() {
    let shop = shop().await;
    let running = Arc::new(AtomicU64::new(0));
    for _ in 0..MOST {
        let running = running.clone();
        let work = move |_| async move {
            running.fetch_add(1, Relaxed);
            std::future::pending::<Result<(), Error>>().await
        };
        shop.jobs.start("wait", 1, shop.by, work).await.unwrap();
    }
    let more = shop.jobs.start("wait", 1, shop.by, |_| async { Ok(()) }).await;
    assert!(matches!(more, Err(Error::Unavailable(_))));
    let at_work = || running.load(Relaxed);
    while at_work() < AT_ONCE as u64 {
        tokio::task::yield_now().await;
    }
    assert_eq!(at_work(), AT_ONCE as u64);
    shop.jobs.stop();
}

#[tokio::test]
async fn other_peoples_jobs_are_not_there() {
    let shop = shop().await;
    let job = shop.jobs.start("wait", 1, shop.by, |_| async { Ok(()) }).await.unwrap();
    let other = Uuid::from_u128(7);
    assert!(matches!(shop.jobs.get(job.id, other, false).await, Err(Error::NotFound(_))));
    assert!(matches!(shop.jobs.cancel(job.id, other, false).await, Err(Error::NotFound(_))));
    assert!(shop.jobs.get(job.id, other, true).await.is_ok(), "an admin sees all");
    assert!(shop.jobs.list(other, None, 10).await.unwrap().is_empty());
}
