//! A week as a grid: days beside each other, hours below each other, where each lesson goes.
//!
//! Only places, in units of the drawing; what stands there is the page's. Lessons at the same time
//! share the width of their day. Where lines run from right to left, days do too.

use jiff::civil::Time;

/// Width of the drawing.
const WIDTH: i64 = 912;
/// Width of the hours beside the days.
const HOURS: i64 = 56;
/// Height of the names of the days.
const HEAD: i64 = 52;
/// Height of an hour: a lesson of 45 minutes holds four lines.
const HOUR: i64 = 96;
/// A lesson is drawn at least so high, however short it is.
const LEAST: i64 = 32;
/// Free room between lessons.
const GAP: i64 = 2;

/// Where everything goes.
#[derive(PartialEq, Eq, Debug)]
pub struct Grid {
    pub width: i64,
    pub height: i64,
    /// Where the days begin, below their names.
    pub top: i64,
    /// Where the words of hours end.
    pub beside: i64,
    /// Each full hour: its height, and when it is.
    pub hours: Vec<(i64, String)>,
    pub columns: Vec<Column>,
}

/// A day.
#[derive(PartialEq, Eq, Debug)]
pub struct Column {
    pub x: i64,
    pub width: i64,
    /// Where its name stands.
    pub middle: i64,
    /// Its lessons, in the order they came in.
    pub slots: Vec<TimetableSlot>,
}

/// A lesson.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimetableSlot {
    pub x: i64,
    pub y: i64,
    pub width: i64,
    pub height: i64,
}

/// When a lesson begins and ends.
pub type TimetableSpan = (Time, Time);

/// Draws `days`, each with its lessons by their beginning; nothing where there is no lesson.
#[must_use]
pub fn lay(days: &[Vec<TimetableSpan>], from_right: bool) -> Option<Grid> {
    let all = || days.iter().flatten();
    let first = all().map(|(starts, _)| minute(*starts)).min()? / 60;
    let last = all().map(|(_, ends)| minute(*ends)).max()?.div_euclid(60) + 1;
    let last =
        if all().all(|(_, ends)| minute(*ends) <= (last - 1) * 60) { last - 1 } else { last };
    let last = last.max(first + 1);
    let count = i64::try_from(days.len()).unwrap_or(1).max(1);
    let mirrored = |x: i64, width: i64| if from_right { WIDTH - x - width } else { x };
    let columns = days.iter().zip(0..).map(|(lessons, n)| {
        let (from, to) =
            (HOURS + (WIDTH - HOURS) * n / count, HOURS + (WIDTH - HOURS) * (n + 1) / count);
        let x = mirrored(from, to - from);
        let slots = slots(lessons, (x, to - from), first, from_right);
        Column { x, width: to - from, middle: x + (to - from) / 2, slots }
    });
    Some(Grid {
        width: WIDTH,
        height: HEAD + (last - first) * HOUR + 1,
        top: HEAD,
        beside: mirrored(HOURS - 8, 0),
        hours: (first..=last).map(|hour| (HEAD + (hour - first) * HOUR, clock(hour))).collect(),
        columns: columns.collect(),
    })
}

fn slots(
    lessons: &[TimetableSpan],
    (x, width): (i64, i64),
    first: i64,
    from_right: bool,
) -> Vec<TimetableSlot> {
    let place = |((starts, ends), (lane, of)): (&TimetableSpan, (i64, i64))| {
        let lane = if from_right { of - 1 - lane } else { lane };
        let (left, right) = (x + width * lane / of, x + width * (lane + 1) / of);
        let y = HEAD + (minute(*starts) - first * 60) * HOUR / 60;
        let height = (minute(*ends) - minute(*starts)) * HOUR / 60;
        TimetableSlot {
            x: left + GAP,
            y: y + 1,
            width: right - left - 2 * GAP,
            height: (height - GAP).max(LEAST),
        }
    };
    lessons.iter().zip(lanes(lessons)).map(place).collect()
}

/// Of each lesson its lane, and how many lanes those have that overlap, by way of others too.
fn lanes(lessons: &[TimetableSpan]) -> Vec<(i64, i64)> {
    let mut found = vec![(0, 1); lessons.len()];
    let mut group = Vec::new();
    let mut ends: Vec<Time> = Vec::new();
    for (n, (from, to)) in lessons.iter().enumerate() {
        if ends.iter().all(|end| end <= from) {
            share(&mut found, &group, ends.len());
            (group, ends) = (Vec::new(), Vec::new());
        }
        let lane = ends.iter().position(|end| end <= from).unwrap_or(ends.len());
        match ends.get_mut(lane) {
            Some(end) => *end = *to,
            None => ends.push(*to),
        }
        found[n].0 = i64::try_from(lane).unwrap_or(0);
        group.push(n);
    }
    share(&mut found, &group, ends.len());
    found
}

fn share(found: &mut [(i64, i64)], group: &[usize], lanes: usize) {
    group.iter().for_each(|n| found[*n].1 = i64::try_from(lanes).unwrap_or(1));
}

fn minute(time: Time) -> i64 {
    i64::from(time.hour()) * 60 + i64::from(time.minute())
}

fn clock(hour: i64) -> String {
    format!("{hour:02}:00")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn at(minute: i64) -> Time {
        let part = |n: i64| i8::try_from(n).unwrap();
        jiff::civil::time(part(minute / 60), part(minute % 60), 0, 0)
    }

    #[test]
    fn a_week_is_drawn_from_its_first_hour_to_its_last() {
        let day = vec![(at(525), at(570)), (at(600), at(660))];
        let grid = lay(&[day, vec![]], false).unwrap();
        let hours: Vec<_> = grid.hours.iter().map(|(_, hour)| hour.as_str()).collect();
        assert_eq!(hours, ["08:00", "09:00", "10:00", "11:00"]);
        assert_eq!(grid.columns[0].slots[0].y, HEAD + 72 + 1, "a quarter to nine");
        assert_eq!(grid.columns[1].slots, []);
        assert_eq!(lay(&[vec![], vec![]], false), None);
    }

    #[test]
    fn lessons_at_the_same_time_share_the_width_and_others_have_it_all() {
        let three =
            [(at(480), at(540)), (at(500), at(560)), (at(545), at(600)), (at(600), at(660))];
        assert_eq!(lanes(&three), [(0, 2), (1, 2), (0, 2), (0, 1)]);
        assert_eq!(
            lanes(&[(at(0), at(9)), (at(0), at(9)), (at(0), at(9))]),
            [(0, 3), (1, 3), (2, 3)]
        );
    }

    #[test]
    fn from_right_to_left_everything_is_mirrored() {
        let days = [vec![(at(480), at(540)), (at(480), at(540))], vec![(at(480), at(540))]];
        let (left, right) = (lay(&days, false).unwrap(), lay(&days, true).unwrap());
        let slots = |grid: &Grid| -> Vec<TimetableSlot> {
            grid.columns.iter().flat_map(|column| column.slots.clone()).collect()
        };
        for (a, b) in slots(&left).iter().zip(slots(&right)) {
            assert_eq!((WIDTH - a.x - a.width, a.y, a.width), (b.x, b.y, b.width));
        }
    }

    proptest! {
        #[test]
        fn no_two_lessons_cover_each_other_and_all_are_inside(
            lessons in vec((0i64..1380, 15i64..300), 1..25), from_right: bool,
        ) {
            let ends = |(from, long): &(i64, i64)| (from + long.max(&20)).min(1439);
            let mut day: Vec<_> = lessons.iter().map(|one| (at(one.0), at(ends(one)))).collect();
            day.sort();
            let grid = lay(&[day, vec![]], from_right).unwrap();
            let column = &grid.columns[0];
            for (n, a) in column.slots.iter().enumerate() {
                prop_assert!(a.x >= column.x && a.x + a.width <= column.x + column.width);
                prop_assert!(a.y >= HEAD && a.y + a.height <= grid.height + LEAST);
                for b in &column.slots[n + 1..] {
                    let beside = a.x + a.width <= b.x || b.x + b.width <= a.x;
                    let below = a.y + a.height <= b.y + LEAST || b.y + b.height <= a.y + LEAST;
                    prop_assert!(beside || below, "{a:?} {b:?}");
                }
            }
        }
    }
}
