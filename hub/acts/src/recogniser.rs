//! Recognition for uploaded pictures: two threads that own nothing but the networks.
//!
//! The queue is short on purpose: a picture that would wait longer than a person does is
//! refused at once, with a sentence.

use crate::darkroom::{Darkroom, Developed};
use rules::error::{Doing, Error};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use store::{Db, Tx, enrolment};
use tokio::sync::oneshot;
use vision::quality::Judgement;
use vision::{Face, Pack, Picture, Rect, Template, quality};
use wire::ModelId;

/// Pictures that may wait; each may be 10 MiB.
const QUEUE: usize = 16;
/// Threads that look.
const THREADS: usize = 2;
/// The network of a hub that never had a pack.
const NONE: &str = "none-0";
/// What is said to whoever brings a picture while there is no pack.
const OUT: &str = "nobody can be recognised now, because the model pack is missing or damaged: \
     whoever runs the system sees on the page “What needs care” what to do";

/// A face found in an uploaded picture.
pub struct FaceSeen {
    /// Where, and how sure the detector is.
    pub face: Face,
    /// The chip it was embedded from.
    pub chip: Picture,
    /// How good the look is.
    pub judgement: Judgement,
    /// What it looks like.
    pub template: Template,
}

impl std::fmt::Debug for FaceSeen {
    /// Neither the chip nor the template.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaceSeen").field("judgement", &self.judgement).finish_non_exhaustive()
    }
}

/// A picture and every face in it, the surest first.
pub struct PictureSight {
    /// The decoded picture.
    pub picture: Developed,
    /// The faces.
    pub faces: Vec<FaceSeen>,
}

/// A picture and how good the look at each face in it is: nobody is told apart by it.
#[derive(Clone, PartialEq, Debug)]
pub struct FrameGlance {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Where each face is, the surest first, and how good the look at it.
    pub faces: Vec<(Rect, Judgement)>,
}

type RecogniserAnswer<T> = oneshot::Sender<Result<T, Error>>;

/// What is wanted of a picture.
enum RecogniserWish {
    Look(RecogniserAnswer<PictureSight>),
    Glance(RecogniserAnswer<FrameGlance>),
}

type RecogniserJob = (Vec<u8>, RecogniserWish);

/// Hands pictures to the threads; cheap to clone.
#[derive(Clone)]
pub struct Recogniser {
    model: ModelId,
    folder: Arc<Path>,
    darkroom: Darkroom,
    /// The way to the threads, or why there are none.
    jobs: Result<mpsc::SyncSender<RecogniserJob>, Arc<str>>,
}

impl Recogniser {
    /// What looks at pictures with the pack in use in `dir`. Without a whole pack everything that
    /// needs none goes on, with the network that was in use before.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn in_use(dir: &Path, db: &Db) -> Result<Self, Error> {
        let used = db.read(enrolment::model_in_use).await?;
        let recogniser = match Self::start(dir) {
            Ok(recogniser) => recogniser,
            Err(error) => return Self::without(dir, used, &error),
        };
        let model = recogniser.model().clone();
        if used.as_ref() != Some(&model) {
            let keep = move |tx: &Tx<'_>| enrolment::use_model(tx, &model);
            if let Err(error) = db.write(keep).await {
                tracing::warn!(%error, "which network is in use was not remembered");
            }
        }
        Ok(recogniser)
    }

    /// Loads the pack in use in `dir` and starts the threads; they end when the last handle is
    /// dropped.
    ///
    /// # Errors
    /// When the pack is not whole.
    pub fn start(dir: &Path) -> Result<Self, Error> {
        Self::open(&vision::pack::folder(dir).doing("finding the model pack in use")?)
    }

    /// The same with the pack that lies in `dir` itself, whether it is in use or not.
    ///
    /// # Errors
    /// As [`Recogniser::start`].
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let pack = Arc::new(Pack::open(dir).doing("loading the model pack")?);
        let model = pack.model_id.parse().doing("reading the model pack's id")?;
        let (jobs, queue) = mpsc::sync_channel::<RecogniserJob>(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        let darkroom = Darkroom::default();
        for n in 0..THREADS {
            let pack = pack.clone();
            let queue = queue.clone();
            let room = darkroom.clone();
            std::thread::Builder::new()
                .name(format!("recogniser-{n}"))
                .spawn(move || work(&pack, &room, &queue))
                .doing("starting a recogniser thread")?;
        }
        Ok(Self { model, folder: dir.into(), darkroom, jobs: Ok(jobs) })
    }

    /// One that looks at nothing because its pack could not be loaded; `used` is the network that
    /// was in use before.
    ///
    /// # Errors
    /// Never; a name of ours is one.
    pub fn without(dir: &Path, used: Option<ModelId>, why: &Error) -> Result<Self, Error> {
        let none = || NONE.parse().doing("naming a pack that is missing");
        let model = used.map_or_else(none, Ok)?;
        let because = std::error::Error::source(why).map(|source| format!(": {source}"));
        let why = format!("{why}{}", because.unwrap_or_default());
        tracing::error!(why, "nobody can be recognised in pictures; everything else goes on");
        let folder = dir.into();
        let darkroom = Darkroom::default();
        Ok(Self { model, folder, darkroom, jobs: Err(why.into()) })
    }

    /// Why it looks at nothing, if it does not.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        self.jobs.as_ref().err().map(|why| &**why)
    }

    /// The network of every template it makes.
    #[must_use]
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// Where its pack lies: what doors fetch, whatever is chosen for the next start.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where its pictures become pixels, and everybody else's.
    #[must_use]
    pub fn darkroom(&self) -> &Darkroom {
        &self.darkroom
    }

    /// Every face in the picture file `bytes`.
    ///
    /// # Errors
    /// `Invalid` when it is no picture or beyond the limits, `Unavailable` when too many wait.
    pub async fn faces(&self, bytes: Vec<u8>) -> Result<PictureSight, Error> {
        self.ask(bytes, RecogniserWish::Look).await
    }

    /// How good a picture the file `bytes` is, without a template of anybody in it.
    ///
    /// # Errors
    /// As [`Recogniser::faces`].
    pub async fn glance(&self, bytes: Vec<u8>) -> Result<FrameGlance, Error> {
        self.ask(bytes, RecogniserWish::Glance).await
    }

    async fn ask<T>(
        &self,
        bytes: Vec<u8>,
        wish: fn(RecogniserAnswer<T>) -> RecogniserWish,
    ) -> Result<T, Error> {
        let (answer, seen) = oneshot::channel();
        let jobs = self.jobs.as_ref().map_err(|_| Error::Unavailable(OUT.into()))?;
        jobs.try_send((bytes, wish(answer))).map_err(|_| {
            Error::Unavailable("too many pictures are waiting: try again in a few seconds".into())
        })?;
        seen.await.doing("looking at a picture")?
    }
}

fn work(pack: &Pack, room: &Darkroom, queue: &Mutex<mpsc::Receiver<RecogniserJob>>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((bytes, wish)) = job else { return };
        match wish {
            RecogniserWish::Look(answer) => reply(answer, || find(pack, room, &bytes)),
            RecogniserWish::Glance(answer) => reply(answer, || glance(pack, room, &bytes)),
        }
    }
}

/// Answers with what `look` comes to; a panic in it ends this look and no other.
fn reply<T>(answer: RecogniserAnswer<T>, look: impl FnOnce() -> Result<T, Error>) {
    let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(look));
    let _asker_left = answer.send(seen.unwrap_or_else(|_| {
        Err(Error::internal("looking at a picture", "the recogniser panicked"))
    }));
}

fn glance(pack: &Pack, room: &Darkroom, bytes: &[u8]) -> Result<FrameGlance, Error> {
    let picture = room.develop(bytes)?;
    let judge = |face: Face| {
        let chip = pack.cut(&picture, &face).view.to_picture();
        (face.rect, quality::judge(&face, &chip))
    };
    let found = pack.detect(&picture).doing("looking at a picture")?;
    let faces = found.into_iter().map(judge).collect();
    Ok(FrameGlance { width: picture.width, height: picture.height, faces })
}

fn find(pack: &Pack, room: &Darkroom, bytes: &[u8]) -> Result<PictureSight, Error> {
    let doing = "looking at a picture";
    let picture = room.develop(bytes)?;
    let found = pack.detect(&picture).doing(doing)?;
    let cuts: Vec<_> = found.iter().map(|face| pack.cut(&picture, face)).collect();
    let templates = pack.embed_cuts(&cuts).doing(doing)?;
    let faces = found.into_iter().zip(cuts).zip(templates).map(|((face, cut), template)| {
        let chip = cut.view.to_picture();
        FaceSeen { judgement: quality::judge(&face, &chip), face, chip, template }
    });
    Ok(PictureSight { faces: faces.collect(), picture })
}
