//! `/class/{id}/photo`: photos of a class, who is on them, and the lesson they mark.
//!
//! A photo is chosen or dropped, looked at as a job, and shown with a box around each face. What
//! its buttons do is in [`shot`](crate::photo_buttons).

use super::faces::{self, PhotoFacesGroup, PhotoFacesMember, PhotoFacesShown};
use super::shell::Shell;
use crate::shell::shell;
use acts::album::NewImage;
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Problem;
use http::reply::{page, see};
use http::route::Route;
use http::{problem::Outcome, route::Object, takes::PHOTO};
use rules::error::Error;
use rules::timetable::day_of;
use serde::Deserialize;
use store::class::{self, Class};
use store::crop::{self, CropOf};
use store::image::{self, Image, ImageState};
use store::job::Job;
use store::job::JobState as Stands;
use store::reader::Reader;
use store::session::{self, Session};
use store::{Tx, image::ImageFilter};
use uuid::Uuid;
use warp::http::StatusCode;

/// Photos that wait, on one page.
const PHOTOS: u32 = 50;
/// Faces without a name, on one page.
const FACES: u32 = 500;
/// Lessons of a day.
const LESSONS: u32 = 100;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let at = "/class/{id}/photo";
    vec![
        Route::get(at).staff().of(Object::Class).page().by(index),
        Route::post(at).staff().of(Object::Class).parts(PHOTO).page().by(add),
        Route::post("/class/{id}/photo/cancel").staff().of(Object::Class).form().page().by(cancel),
    ]
}

#[derive(Template)]
#[template(path = "photo.html")]
struct ClassPhotoPage {
    shell: Shell,
    class: Class,
    /// What went wrong.
    problem: Option<String>,
    work: Option<ClassPhotoWork>,
    waiting: Vec<ClassPhotoWaiting>,
    /// Where older ones are, if there may be some.
    older: Option<String>,
    photo: Option<PhotoFacesShown>,
    lessons: Vec<(Uuid, String, bool)>,
    /// Whether one of them is the photo's.
    planned: bool,
    groups: Vec<PhotoFacesGroup>,
    /// Faces without a name that are in no group.
    alone: usize,
    members: Vec<PhotoFacesMember>,
}

/// Work that goes on, or how it ended.
struct ClassPhotoWork {
    id: Uuid,
    title: &'static str,
    running: bool,
    done: u64,
    total: u64,
    /// How it ended, if it did not end well: a text's key, or the job's own sentence.
    failed: Option<String>,
    cancelled: bool,
}

/// A photo that waits for somebody.
struct ClassPhotoWaiting {
    id: Uuid,
    at: String,
    faces: i64,
    looked: bool,
    here: bool,
}

async fn index(call: Call) -> Outcome {
    show(&call, call.param("id"), call.query()?, StatusCode::OK, None).await
}

/// Everything the page shows, read in one snapshot.
struct ClassPhotoFound {
    class: Class,
    photos: Vec<Image>,
    photo: Option<(Image, Vec<crop::Crop>, Vec<Session>)>,
    unnamed: Vec<crop::Crop>,
    members: Vec<class::Member>,
}

fn found(
    tx: &Tx<'_>,
    reader: Reader,
    name: &str,
    ClassPhotoQuery { photo: wanted, after: before, .. }: ClassPhotoQuery,
    zone: &jiff::tz::TimeZone,
) -> Result<ClassPhotoFound, Error> {
    let class = class::find(tx, reader, name)?;
    let filter =
        ImageFilter { class: Some(class.id), is_kept: true, before, ..ImageFilter::default() };
    let photos = image::list(tx, reader, &filter, PHOTOS)?;
    let wanted = wanted.map(|id| image::find(tx, reader, &id.to_string())).transpose()?;
    let photo = wanted.filter(|photo| photo.class == class.id && photo.kept);
    let photo = photo.map(|photo| {
        let (from, until) = day_of(rules::timetable::day(photo.taken_at, zone), zone)?;
        let of = Some(class.id);
        let from = Some(from);
        let until = Some(until);
        let day =
            session::SessionFilter { class: of, from, until, ..session::SessionFilter::default() };
        let lessons = session::list(tx, reader, &day, LESSONS)?;
        Ok::<_, Error>((crop::of_image(tx, photo.id)?, photo, lessons))
    });
    let photo = photo.transpose()?.map(|(crops, photo, lessons)| (photo, crops, lessons));
    let of = Some(CropOf::Class(class.id));
    let identified = Some(false);
    let filter =
        crop::CropFilter { of, identified, is_waiting: true, ..crop::CropFilter::default() };
    let unnamed = crop::list(tx, reader, &filter, FACES)?;
    let members = class::members(tx, class.id)?;
    Ok(ClassPhotoFound { class, photos, photo, unnamed, members })
}

/// The page of the class `name`.
pub(super) async fn show(
    call: &Call,
    name: &str,
    asked: ClassPhotoQuery,
    status: StatusCode,
    problem: Option<String>,
) -> Outcome {
    let reader = call.reader()?;
    let name = name.to_owned();
    let zone = call.app().config.zone.clone();
    let read = call.app().db.read(move |tx| found(tx, reader, &name, asked, &zone));
    let ClassPhotoFound { class, photos, photo, unnamed, members } = read.await?;
    let job = match asked.job {
        Some(id) => call.app().jobs.get(id, reader.actor.user, false).await.ok(),
        None => None,
    };
    let shell = shell(call, "class");
    let zone = &call.app().config.zone;
    let here = photo.as_ref().map(|(photo, ..)| photo.id);
    let said = |at| {
        let day = words::short_day(shell.language, rules::timetable::day(at, zone));
        format!("{day} {}", words::minute(shell.language, at, zone))
    };
    let last = photos.last().filter(|_| photos.len() == PHOTOS as usize);
    let older = last.map(|last| format!("/class/{}/photo?after={}", class.id, last.id));
    let waiting = photos.iter().map(|photo| ClassPhotoWaiting {
        id: photo.id,
        at: said(photo.taken_at),
        faces: photo.faces,
        looked: photo.state == ImageState::Processed,
        here: here == Some(photo.id),
    });
    let members = faces::members(members);
    let lessons: Option<Vec<_>> = photo.as_ref().map(|(photo, _, lessons)| {
        let first = faces::lesson_of(photo, lessons);
        let word = |of: &Session| {
            let hours = words::hours(shell.language, (of.starts, of.ends), zone);
            (of.id, format!("{hours} {}", of.name), first == Some(of.id))
        };
        lessons.iter().map(word).collect()
    });
    let (groups, alone) = faces::groups(&unnamed, job.as_ref(), &members);
    let view = ClassPhotoPage {
        work: job.as_ref().map(work),
        waiting: waiting.collect(),
        older,
        planned: lessons.iter().flatten().any(|(.., first)| *first),
        lessons: lessons.unwrap_or_default(),
        photo: photo.map(|(photo, crops, _)| {
            PhotoFacesShown::new(&photo, &crops, &members, shell.language)
        }),
        groups,
        alone,
        members,
        problem,
        class,
        shell,
    };
    page(status, &view)
}

/// What a page shows besides the class: a photo, and work.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct ClassPhotoQuery {
    /// The photo.
    pub photo: Option<Uuid>,
    /// The work.
    pub job: Option<Uuid>,
    /// Those that wait longer than this photo.
    pub after: Option<Uuid>,
}

fn work(job: &Job) -> ClassPhotoWork {
    ClassPhotoWork {
        id: job.id,
        title: match job.kind.as_str() {
            "cluster-crops" => "photo-grouping",
            "suggest-assignments" | "auto-assign-all-crops" => "photo-naming",
            _ => "photo-looking",
        },
        running: matches!(job.state, Stands::Queued | Stands::Running),
        done: job.done,
        total: job.total.max(1),
        failed: job.error.clone(),
        cancelled: job.state == Stands::Cancelled,
    }
}

/// Keeps a photo and looks at it.
async fn add(call: Call) -> Outcome {
    let reader = call.reader()?;
    let name = call.param("id").to_owned();
    let class = call.app().db.read(move |tx| class::find(tx, reader, &name)).await?;
    let kept = async {
        let picture = call.file("file")?;
        let _place = call.front.photos.acquire().await.map_err(|_| Problem::internal())?;
        let new = NewImage { class: class.id, session: None, taken_at: call.now };
        let by = reader.actor.user.to_string();
        let album = call.app().album();
        let photo = album.add(new, picture.to_vec(), by).await?;
        let job = album.look_later(&call.app().jobs, &photo, reader.actor.user).await?;
        Ok::<_, Problem>((photo.id, job.id))
    };
    match kept.await {
        Ok((photo, job)) => see(&format!("/class/{}/photo?photo={photo}&job={job}", class.id)),
        Err(problem) => {
            show(
                &call,
                call.param("id"),
                ClassPhotoQuery::default(),
                problem.status,
                Some(problem.detail),
            )
            .await
        }
    }
}

async fn cancel(call: Call) -> Outcome {
    let reader = call.reader()?;
    let name = call.param("id").to_owned();
    let class = call.app().db.read(move |tx| class::find(tx, reader, &name)).await?;
    let job: Uuid =
        call.field("job")?.parse().map_err(|_| Problem::field("job", "no such work"))?;
    call.app().jobs.cancel(job, reader.actor.user, false).await?;
    see(&format!("/class/{}/photo?job={job}", class.id))
}
