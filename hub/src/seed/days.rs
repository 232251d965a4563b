//! The year of the made-up school, day by day: lessons are made from the timetable, doors see who
//! comes, and lessons are closed.

use super::people::door;
use super::plan::{COME, SeedPlan, rooms};
use super::{SeedMade, SeedRoll, Seeder, Size};
use acts::ingest::{self, Memo};
use acts::marks;
use acts::planning::maker::{self, MakeFor};
use jiff::civil::{Date, Time, Weekday};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rules::attendance::marking;
use rules::attendance::placing::EARLY_MS;
use rules::error::{Doing, Error};
use rules::sighting::judge::{Judged, JudgedFinding, JudgedSeen};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use store::session::Session;
use store::{self, Tx};
use wire::record::{CameraState, Watch};
use wire::{
    Candidate, ClockState, Direction, Epoch, Item, ModelId, Mono, Reason, Stamp, Verdict, Wall,
};
use zeroize::Zeroizing;

/// Lessons are made this many days at a time.
const AHEAD: i64 = 14;
/// Records wait among the last ones: one in so many.
const RECENT: usize = 5;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const EPOCH: Epoch = Epoch([0x5e; 16]);

/// Doors and chance, from day to day.
struct SeedYear {
    rng: StdRng,
    seqs: HashMap<usize, u64>,
    made: SeedMade,
    size: Size,
    crop: Vec<u8>,
    model: ModelId,
    roll: Arc<SeedRoll>,
    rosters: HashMap<uuid::Uuid, (usize, Vec<usize>)>,
}

/// What one door says on one day.
type SeedSaid = (usize, Vec<Judged>);

impl Seeder {
    /// Lets the year pass.
    pub(super) async fn days(
        &self,
        size: &Size,
        plan: &SeedPlan,
        roll: SeedRoll,
        mut tell: impl FnMut(&str),
    ) -> Result<SeedMade, Error> {
        let rosters = roll.classes.iter().zip(&plan.rosters).enumerate();
        let rosters = rosters.map(|(n, (id, roster))| (*id, (n, roster.clone()))).collect();
        let roll = Arc::new(roll);
        let rng = StdRng::seed_from_u64(size.seed ^ 2);
        let crop = picture();
        let model = self.model.clone();
        let size = *size;
        let seqs = HashMap::new();
        let made = SeedMade::default();
        let mut year = SeedYear { rng, seqs, made, size, crop, model, roll, rosters };
        let mut day = plan.first;
        while day <= plan.last && year.made.sightings < size.sightings {
            let passed = (day - plan.first).get_days();
            if i64::from(passed) % AHEAD == 0 {
                let zone = self.zone.clone();
                let at = self.at(day, Time::midnight())?;
                self.db.write(move |tx| maker::make(tx, MakeFor::Everybody, &zone, at)).await?;
                let SeedMade { lessons, sightings, pending } = year.made;
                tell(&format!("{day}: {lessons} lessons, {sightings} sightings, {pending} wait"));
            }
            if !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
                self.day(&mut year, day).await?;
            }
            day = day.tomorrow().doing("going through the year")?;
        }
        self.end(self.at(day, Time::midnight())?).await?;
        Ok(year.made)
    }

    /// Lessons after the last sighting did not take place: otherwise nobody came to them.
    async fn end(&self, after: Wall) -> Result<(), Error> {
        let now = self.now;
        let write = move |tx: &Tx<'_>| {
            let open = store::seed::lessons(tx, after, now)?;
            open.iter().try_for_each(|lesson| store::session::remove(tx, lesson.id))
        };
        self.db.write(write).await
    }

    fn at(&self, day: Date, time: Time) -> Result<Wall, Error> {
        let at = day.to_datetime(time).to_zoned(self.zone.clone()).doing("going through a day")?;
        Ok(Wall(at.timestamp().as_millisecond()))
    }

    async fn day(&self, year: &mut SeedYear, day: Date) -> Result<(), Error> {
        let begins = self.at(day, Time::midnight())?;
        let ends = begins.plus_ms(18 * 60 * 60 * 1000);
        let lessons = self.db.read(move |tx| store::seed::lessons(tx, begins, ends)).await?;
        let said = year.day(&lessons, (begins, ends));
        year.made.lessons += lessons.len();
        let keys = self.keys.clone();
        let roll = year.roll.clone();
        let write = move |tx: &Tx<'_>| {
            let mut memo = Memo::new(&keys, &roll.keys);
            for (n, records) in said {
                ingest::file(tx, &mut memo, &door(n)?, EPOCH, &records, ends)?;
            }
            for lesson in &lessons {
                marks::close(tx, lesson, marking::HUB, ends)?;
            }
            Ok(())
        };
        self.db.write(write).await
    }
}

impl SeedYear {
    /// What every door says of a day with these lessons.
    fn day(&mut self, lessons: &[Session], span: (Wall, Wall)) -> Vec<SeedSaid> {
        let mut doors: HashMap<usize, Vec<Judged>> = HashMap::new();
        let mut cuts: HashMap<usize, BTreeSet<Wall>> = HashMap::new();
        for lesson in lessons {
            let Some((n, roster)) = self.rosters.get(&lesson.class).cloned() else { continue };
            let arrivals = [lesson.starts.plus_ms(-EARLY_MS), lesson.starts];
            cuts.entry(n / 5).or_default().extend(arrivals);
            for member in roster {
                if self.made.sightings >= self.size.sightings {
                    break;
                }
                if self.rng.random_ratio(COME, 100) {
                    let seen = self.passage(lesson, member, n / 5);
                    doors.entry(n / 5).or_default().push(seen);
                }
            }
        }
        for n in 0..rooms(self.rosters.len()) {
            let mut cuts = cuts.remove(&n).unwrap_or_default();
            cuts.extend([span.0, span.1]);
            let health = cuts.iter().zip(cuts.iter().skip(1));
            let health = health.map(|(from, to)| self.health(n, (*from, *to))).collect::<Vec<_>>();
            doors.entry(n).or_default().extend(health);
        }
        let mut said: Vec<_> = doors.into_iter().collect();
        said.sort_by_key(|(n, _)| *n);
        said
    }

    /// Somebody comes: mostly in time, some late, now and then in a way that needs a person.
    fn passage(&mut self, lesson: &Session, member: usize, door: usize) -> Judged {
        let late = if self.rng.random_ratio(6, 100) { 11..35 } else { -9..9 };
        let second = self.rng.random_range(0..60_000);
        let at = lesson.starts.plus_ms(self.rng.random_range(late) * 60_000 + second);
        let waits = self.waits();
        self.made.sightings += 1;
        self.made.pending += usize::from(waits);
        let (verdict, reasons, confidence) = match waits {
            true => self.doubt(),
            false => (Verdict::High, vec![], 0.97),
        };
        let student = self.roll.students[member];
        let mut candidates = vec![Candidate { student, score: 0.97 }];
        if waits {
            let other = self.rng.random_range(0..self.roll.students.len());
            let student = self.roll.students[other];
            candidates.extend((other != member).then_some(Candidate { student, score: 0.94 }));
        }
        let seen = JudgedSeen {
            room: lesson.room.clone(),
            direction: Direction::Entry,
            candidates,
            confidence,
            verdict,
            reasons,
            quality: wire::Quality::default(),
            frames: 5,
            gallery: 1,
            model: self.model.clone(),
            template: Zeroizing::new(self.roll.templates[member].clone()),
            crop: waits.then(|| Zeroizing::new(self.crop.clone())),
        };
        self.judged(door, at, JudgedFinding::Seen(Box::new(seen)))
    }

    /// Why somebody waits: mostly one more picture would have done, else somebody is as similar.
    fn doubt(&mut self) -> (Verdict, Vec<Reason>, f32) {
        match self.rng.random_ratio(2, 3) {
            true => (Verdict::Review, vec![Reason::SingleFrame], self.rng.random_range(0.9..0.98)),
            false => {
                (Verdict::Review, vec![Reason::CloseRunnerUp], self.rng.random_range(0.6..0.9))
            }
        }
    }

    /// Whether the next one waits for a person: so many of the last ones that all are found.
    fn waits(&mut self) -> bool {
        let left = self.size.pending - self.made.pending;
        let ahead = self.size.sightings - self.made.sightings;
        ahead <= left * RECENT && self.rng.random_range(0..ahead) < left
    }

    /// The door watched all that time, and somebody made it look.
    fn health(&mut self, door: usize, (begins, ends): (Wall, Wall)) -> Judged {
        let since = mono(begins);
        let until = mono(ends);
        let watch = Watch {
            since,
            usable_ms: until.since(since),
            blind: Vec::new(),
            camera: CameraState::Watching,
            disk_free_mb: 4000,
            gallery: 1,
            model: self.model.clone(),
            fired: 100,
            looks: 100,
            dropped: 0,
            refused: 0,
            err_ms: Some(0),
        };
        self.judged(door, ends, JudgedFinding::Watch(watch))
    }

    fn judged(&mut self, door: usize, at: Wall, finding: JudgedFinding) -> Judged {
        let seq = self.seqs.entry(door).or_default();
        *seq += 1;
        let at = Stamp { boot: 1, mono: mono(at), wall: Some(at), clock: ClockState::Ntp };
        let hash = Item::digest(*seq, &at, &[]);
        let item = Item { seq: *seq, at, hash, body: Vec::new(), crop: None };
        Judged { item, hash, moved: None, finding }
    }
}

/// The doors booted long ago, at the beginning of time.
fn mono(at: Wall) -> Mono {
    Mono(u64::try_from(at.0.max(0)).unwrap_or(0) % (DAY_MS as u64 * 40_000))
}

/// A picture of nobody.
fn picture() -> Vec<u8> {
    let side = 96u32;
    let rgb = (0..side * side)
        .flat_map(|n| {
            let (x, y) = (n % side, n / side);
            [x * 2, y * 2, (x * y) % 251].map(|value| u8::try_from(value % 256).unwrap_or(0))
        })
        .collect();
    vision::image::Picture::new(side, side, rgb)
        .map(|picture| picture.to_jpeg(80))
        .unwrap_or_default()
}
