//! What the made-up school is like: a decision over its size and a number.

use super::Size;
use jiff::ToSpan as _;
use jiff::civil::{Date, Time, Weekday, time};
use rand::seq::SliceRandom as _;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rules::error::Error;
use rules::timetable::Period;
use std::collections::HashSet;
use uuid::Uuid;

/// Classes that share a room and its door.
const SHARE: usize = 5;
/// Lessons of one class in a week at most.
const WEEKLY: usize = 8;
/// Weeks of a school year at most.
const WEEKS: usize = 38;
/// Of those due, how many of a hundred come.
pub const COME: u32 = 93;
/// Largest and smallest class.
const CLASS: (usize, usize) = (4, 300);

/// The school on paper.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeedPlan {
    /// For each class, the numbers of its students.
    pub rosters: Vec<Vec<usize>>,
    /// Lessons of each class in a week.
    pub weekly: usize,
    /// The first day, a Monday.
    pub first: Date,
    /// The last day, yesterday.
    pub last: Date,
}

impl SeedPlan {
    /// The school of this size on `today`.
    ///
    /// # Errors
    /// `Invalid` when it cannot be.
    pub fn new(size: &Size, today: Date) -> Result<Self, Error> {
        let Size { students, classes, sightings, pending, seed } = *size;
        if !(1..=200_000).contains(&students) || !(1..=students).contains(&classes) {
            let why = "use 1 to 200,000 students, and at most as many classes";
            return Err(Error::Invalid(why.into()));
        }
        let mut rng = StdRng::seed_from_u64(seed);
        let rosters = rosters(students, classes, &mut rng);
        let places: usize = rosters.iter().map(Vec::len).sum();
        let lessons = (sightings * 100).div_ceil(places * COME as usize).max(1);
        if lessons > WEEKLY * WEEKS || pending > sightings {
            let why = "so many sightings do not fit into a year of these classes";
            return Err(Error::Invalid(why.into()));
        }
        let weekly = lessons.div_ceil(WEEKS);
        let weeks = i64::try_from(lessons.div_ceil(weekly) + 1).unwrap_or(1);
        let monday = i64::from(today.weekday().to_monday_zero_offset());
        let first = today.checked_sub((weeks * 7 + monday).days());
        let (first, last) = (first.ok(), today.yesterday().ok());
        let (first, last) = first.zip(last).ok_or_else(|| Error::Invalid("no such day".into()))?;
        Ok(Self { rosters, weekly, first, last })
    }

    /// The weekly lessons of class number `n`; no two in one room clash.
    #[must_use]
    pub fn periods(&self, n: usize, class: Uuid, mut id: impl FnMut() -> Uuid) -> Vec<Period> {
        let period = |lesson: usize| {
            let starts = starts(lesson);
            Period {
                id: id(),
                class,
                weekday: DAYS[(lesson + n % SHARE) % DAYS.len()],
                starts,
                ends: starts.saturating_add(45.minutes()),
                room: room(n),
                from: self.first,
                to: None,
                version: 1,
            }
        };
        (0..self.weekly).map(period).collect()
    }
}

const DAYS: [Weekday; 5] =
    [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];

fn starts(lesson: usize) -> Time {
    let minutes = i64::try_from(lesson).unwrap_or(0) * 55;
    time(8, 0, 0, 0).saturating_add(minutes.minutes())
}

/// The room of class number `n`.
#[must_use]
pub fn room(n: usize) -> String {
    format!("R{:03}", n / SHARE)
}

/// How many rooms so many classes need.
#[must_use]
pub fn rooms(classes: usize) -> usize {
    classes.div_ceil(SHARE)
}

/// Everybody is in one class, a quarter in a second; sizes fall like those of popular courses.
fn rosters(students: usize, classes: usize, rng: &mut StdRng) -> Vec<Vec<usize>> {
    #[expect(clippy::cast_precision_loss, reason = "a few hundred classes")]
    let weights: Vec<f64> = (1..=classes).map(|rank| 1.0 / (rank as f64).sqrt()).collect();
    let all = students + students / 4;
    let sum = weights.iter().sum::<f64>();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a few thousand people"
    )]
    let wanted = |weight: &f64| (all as f64 * weight / sum).round() as usize;
    let most = CLASS.1.min(students);
    let sizes = weights.iter().map(|weight| wanted(weight).clamp(CLASS.0.min(most), most));
    let mut order: Vec<usize> = (0..students).collect();
    order.shuffle(rng);
    let mut dealt = order.into_iter();
    let mut rosters: Vec<Vec<usize>> = sizes
        .map(|size| {
            let mut roster: HashSet<usize> = dealt.by_ref().take(size).collect();
            while roster.len() < size {
                roster.insert(rng.random_range(0..students));
            }
            let mut roster: Vec<_> = roster.into_iter().collect();
            roster.sort_unstable();
            roster
        })
        .collect();
    for (n, left) in dealt.enumerate() {
        rosters[n % classes].push(left);
    }
    rosters
}
