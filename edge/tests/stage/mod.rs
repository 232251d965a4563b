//! A doorway on a stage: portraits walk through generated pictures, the real pipeline looks.
//!
//! Every frame differs: heads move, grow, and walk through light and shade. Nothing is a copy of
//! another frame, so fused looks are as good, and as bad, as those of a walking person.
#![expect(clippy::unwrap_used, reason = "this is part of tests")]

use rollcall_edge::{
    capture::{Frame, Pixels},
    draft::{Draft, Keep, KeepError, Timing},
    gallery::LoadedGallery,
    packs::Model,
    passing::Passing,
    pulse::Beat,
    recognise::{Config, Recogniser, Tools},
    report::Report,
    signal,
    status::Counters,
    trigger::{Burst, Cause},
};
use std::{
    path::PathBuf,
    sync::{Arc, LazyLock, Mutex},
};
use tokio::sync::watch;
use vision::{Limits, Pack, Picture, Template};
use wire::{
    ClockState, Gallery, Mono, Person, Stamp, StudentId, Wall, record::Watch, time::ManualClock,
};

/// Pixels of a frame.
const SIZE: [u32; 2] = [640, 480];
/// From one frame to the next.
const STEP_MS: u64 = 100;

/// The models, loaded once for all tests.
pub static PACK: LazyLock<Arc<Pack>> = LazyLock::new(|| {
    let mut pack = Pack::load(&folder("ROLLCALL_MODELS", "models/weights"))
        .expect("the models are missing: run models/fetch");
    pack.min_face = Config::default().min_face as f32;
    Arc::new(pack)
});

fn folder(variable: &str, default: &str) -> PathBuf {
    let project = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    std::env::var_os(variable).map_or_else(|| project.join(default), PathBuf::from)
}

/// A portrait as it was fetched.
pub fn portrait(name: &str) -> Picture {
    let path = folder("ROLLCALL_PORTRAITS", "models/portraits").join(name);
    let bytes = std::fs::read(&path)
        .unwrap_or_else(|_| panic!("{} is missing: run models/fetch", path.display()));
    vision::decode(&bytes, &Limits::default()).unwrap()
}

/// The head in a portrait, with some room around it.
pub fn head(name: &str) -> Picture {
    let portrait = portrait(name);
    let face = PACK.detect(&portrait).unwrap().swap_remove(0).rect;
    let (width, height) = (face.width() * 1.7, face.height() * 1.7);
    let (x, y) = (face.centre().x - width / 2.0, face.centre().y - height / 2.0);
    portrait.crop(x as i64, y as i64, width as u32, height as u32).unwrap()
}

/// One head in one frame.
pub struct Place {
    /// Middle of the head, pixels.
    pub x: f32,
    /// See `x`.
    pub y: f32,
    /// Pixels across the head with its room.
    pub width: f32,
    /// Brightness, 1 as in the portrait.
    pub light: f32,
}

/// A wall with a door frame.
pub fn wall() -> Picture {
    let pixel = |n: u32| {
        let (x, y) = (n % SIZE[0], n / SIZE[0]);
        let post = if x % 200 < 14 { 40 } else { 0 };
        let shade = (110 + x / 16 + y / 12 - post) as u8;
        [shade, shade.saturating_sub(8), shade.saturating_sub(20)]
    };
    Picture::new(SIZE[0], SIZE[1], (0..SIZE[0] * SIZE[1]).flat_map(pixel).collect()).unwrap()
}

/// Puts a head into the frame; what lies at its rim fades into the wall.
pub fn put(frame: &mut Picture, head: &Picture, place: &Place) {
    let scale = place.width / head.width as f32;
    let head = head.resized(place.width as u32, (head.height as f32 * scale) as u32);
    let (left, top) = (place.x - head.width as f32 / 2.0, place.y - head.height as f32 / 2.0);
    for y in 0..head.height {
        for x in 0..head.width {
            let (u, v) = ((left + x as f32) as i64, (top + y as f32) as i64);
            if u < 0 || v < 0 || u >= i64::from(frame.width) || v >= i64::from(frame.height) {
                continue;
            }
            let at = (v as usize * frame.width as usize + u as usize) * 3;
            let share = rim(x as f32 / head.width as f32, y as f32 / head.height as f32);
            for (old, new) in frame.rgb[at..at + 3].iter_mut().zip(head.pixel(x, y)) {
                let new = (f32::from(new) * place.light).min(255.0);
                *old = (f32::from(*old) * (1.0 - share) + new * share) as u8;
            }
        }
    }
}

/// 1 within an ellipse, fading to 0 at the edge of the box.
fn rim(x: f32, y: f32) -> f32 {
    let from_middle = (2.0 * x - 1.0).hypot(2.0 * y - 1.0);
    ((1.0 - from_middle) / 0.15 + 0.5).clamp(0.0, 1.0)
}

/// People of a gallery and the portraits they were enrolled from.
pub fn gallery(people: &[(u8, &[&str])]) -> LoadedGallery {
    let template = |name: &&str| {
        let portrait = portrait(name);
        PACK.embed(&portrait, &PACK.detect(&portrait).unwrap()[0]).unwrap()
    };
    let person = |(n, names): &(u8, &[&str])| {
        let templates: Vec<Template> = names.iter().map(template).collect();
        Person { id: student(*n), template: Template::mean(&templates).unwrap().to_f16_bytes() }
    };
    let gallery = Gallery {
        model: PACK.model_id.parse().unwrap(),
        dim: 128,
        lines: vision::decide::LINES,
        people: people.iter().map(person).collect(),
        look_alikes: vec![],
        cannot_link: vec![],
        due: vec![],
    };
    LoadedGallery::new(1, gallery).unwrap()
}

pub fn student(n: u8) -> StudentId {
    format!("00000000-0000-7000-8000-0000000000{n:02x}").parse().unwrap()
}

/// Remembers what would be recorded.
#[derive(Clone, Default)]
pub struct Kept(pub Arc<Mutex<Vec<Draft>>>);

impl Keep for Kept {
    fn keep(&mut self, drafts: Vec<Draft>) -> Result<Vec<u64>, KeepError> {
        let mut kept = self.0.lock().unwrap();
        let numbers = (1..).skip(kept.len()).take(drafts.len()).collect();
        kept.extend(drafts);
        Ok(numbers)
    }

    fn health(&mut self, _: Stamp, _: Watch) -> Result<u64, KeepError> {
        Ok(0)
    }

    fn recent(&self) -> Vec<(StudentId, Stamp)> {
        vec![]
    }
}

struct Dates;

impl Timing for Dates {
    fn stamp(&self, at: Mono) -> Stamp {
        Stamp { boot: 1, mono: at, wall: None, clock: ClockState::Ntp }
    }
}

/// A door with the real models.
pub struct Door {
    pub recogniser: Recogniser,
    pub kept: Kept,
    pub clock: Arc<ManualClock>,
    pub counters: Arc<Counters>,
    pub model: watch::Sender<Model>,
    pub gallery: watch::Sender<Option<Arc<LoadedGallery>>>,
    pub passing: Arc<Passing>,
}

impl Door {
    pub fn new(gallery: LoadedGallery) -> Self {
        let (kept, clock) = (Kept::default(), Arc::new(ManualClock::at(Wall(0), Mono(1_000))));
        let counters = Arc::<Counters>::default();
        let model = Model { pack: PACK.clone(), id: PACK.model_id.parse().unwrap() };
        let passing = Arc::new(Passing::new(1_500));
        let (model, models) = watch::channel(model);
        let (gallery, galleries) = watch::channel(Some(Arc::new(gallery)));
        let tools = Tools {
            config: Config::default(),
            model: models,
            gallery: galleries,
            keep: Box::new(kept.clone()),
            timing: Arc::new(Dates),
            clock: clock.clone(),
            signs: signal::signs().0,
            counters: counters.clone(),
            beat: Beat::default(),
            passing: passing.clone(),
        };
        Self { recogniser: Recogniser::new(tools), kept, clock, counters, model, gallery, passing }
    }

    /// Shows pictures as the daemon would see them: bursts of five frames, one after another.
    pub fn show(&mut self, pictures: Vec<Picture>) -> Vec<Report> {
        let mut pictures = pictures.into_iter().peekable();
        let mut reports = Vec::new();
        while pictures.peek().is_some() {
            reports.push(self.burst(pictures.by_ref().take(5).collect()));
        }
        reports
    }

    /// Shows pictures as one burst.
    pub fn burst(&mut self, pictures: Vec<Picture>) -> Report {
        let frame = |picture| {
            self.clock.advance(STEP_MS);
            let at = wire::Clock::mono(&*self.clock);
            Arc::new(Frame::new(at, Pixels::Rgb(picture)))
        };
        let frames: Vec<_> = pictures.into_iter().map(frame).collect();
        self.recogniser.burst(&Burst::new(Cause::Motion, frames[0].at), &frames)
    }

    /// Closes the door: whoever waits is settled. What was recorded, oldest first.
    pub fn close(self) -> Vec<Draft> {
        let (_, steps) = self.recogniser.scout(Beat::default());
        self.recogniser.run(&steps);
        let kept = self.kept.0.lock().unwrap();
        kept.clone()
    }
}
