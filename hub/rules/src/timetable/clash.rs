//! Whether a lesson finds its class or its room taken, and by what: a decision over facts.

use super::Lesson;
use crate::timetable::Source;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use uuid::Uuid;
use wire::Wall;

/// A class and a room for a while.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClashSpan {
    /// Whose.
    pub class: Uuid,
    /// Where; nowhere in particular when it is empty.
    pub room: String,
    /// First moment.
    pub starts: Wall,
    /// Last moment.
    pub ends: Wall,
}

/// What is there already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClashTaken {
    /// When and where.
    pub span: ClashSpan,
    /// What people call it.
    pub name: String,
    /// Its local date.
    pub day: Date,
    /// Why it is there.
    pub source: Source,
}

impl From<&Lesson> for ClashSpan {
    fn from(lesson: &Lesson) -> Self {
        let Lesson { class, room, starts, ends, .. } = lesson;
        Self { class: *class, room: room.clone(), starts: *starts, ends: *ends }
    }
}

impl ClashSpan {
    fn meets(&self, other: &Self) -> bool {
        let shares =
            self.class == other.class || (self.room == other.room && !self.room.is_empty());
        shares && self.starts < other.ends && other.starts < self.ends
    }
}

/// The first of `wanted` that cannot be, with what is in its way.
#[must_use]
pub fn find<'a>(
    wanted: &'a [ClashSpan],
    there: &'a [ClashTaken],
) -> Option<(&'a ClashSpan, &'a ClashTaken)> {
    wanted.iter().find_map(|span| {
        let first = there.iter().filter(|taken| taken.span.meets(span));
        first
            .min_by_key(|taken| (taken.span.class != span.class, taken.span.starts))
            .map(|t| (span, t))
    })
}

/// What is in the way, for whoever planned it.
#[must_use]
pub fn sentence(wanted: &ClashSpan, taken: &ClashTaken, zone: &TimeZone) -> String {
    let ClashTaken { span, name, day, source } = taken;
    let time = |at: Wall| {
        let at = Timestamp::from_millisecond(at.0).unwrap_or_default();
        at.to_zoned(zone.clone()).strftime("%H:%M").to_string()
    };
    let what = match source {
        Source::Timetable => "the weekly lesson",
        Source::Manual => "the lesson",
        Source::Adhoc => "the unplanned lesson",
    };
    let (from, to) = (time(span.starts), time(span.ends));
    let what = format!("{what} “{name}” on {day} from {from} to {to}");
    if span.class == wanted.class {
        format!("this class has {what}: it cannot be in two places at once")
    } else {
        format!("room “{}” is taken at that time by {what}", span.room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn span(class: u128, room: &str, starts: i64, ends: i64) -> ClashSpan {
        let (starts, ends) = (Wall(starts * 60_000), Wall(ends * 60_000));
        ClashSpan { class: Uuid::from_u128(class), room: room.into(), starts, ends }
    }

    fn taken(span: ClashSpan) -> ClashTaken {
        let (name, source) = ("Maths".to_owned(), Source::Adhoc);
        ClashTaken { span, name, day: date(1970, 1, 1), source }
    }

    #[test]
    fn the_same_class_or_the_same_room_cannot_be_taken_twice_at_one_time() {
        let there = [taken(span(1, "204", 60, 105))];
        let meets = |wanted| find(&[wanted], &there).is_some();
        assert!(meets(span(1, "Hall", 100, 120)) && meets(span(2, "204", 0, 61)));
        assert!(!meets(span(2, "Hall", 60, 105)), "another class in another room");
        assert!(!meets(span(1, "204", 105, 150)) && !meets(span(1, "204", 0, 60)), "one by one");
        let nowhere = [taken(span(1, "", 60, 105))];
        assert!(find(&[span(2, "", 60, 105)], &nowhere).is_none(), "no room is no room");
    }

    #[test]
    fn the_sentence_names_what_is_there() {
        let there = taken(span(1, "204", 60, 105));
        let room = sentence(&span(2, "204", 60, 70), &there, &TimeZone::UTC);
        let is = "room “204” is taken at that time by the unplanned lesson “Maths” on 1970-01-01 \
                  from 01:00 to 01:45";
        assert_eq!(room, is);
        let class = sentence(&span(1, "Hall", 60, 70), &there, &TimeZone::UTC);
        assert!(class.starts_with("this class has the unplanned lesson “Maths”"), "{class}");
    }

    prop_compose! {
        fn any_span()(class in 0u128..3, room in 0usize..3, from in 0i64..100, length in 1i64..50)
            -> ClashSpan {
            span(class, ["", "204", "Hall"][room], from, from + length)
        }
    }

    proptest! {
        #[test]
        fn what_is_in_the_way_of_one_has_it_in_its_way(one in any_span(), other in any_span()) {
            let there = |span: &ClashSpan| [taken(span.clone())];
            let (one_by_other, other_by_one) = (there(&other), there(&one));
            let (one, other) = ([one], [other]);
            prop_assert_eq!(
                find(&one, &one_by_other).is_some(), find(&other, &other_by_one).is_some()
            );
        }

        #[test]
        fn a_plan_that_was_let_in_step_by_step_takes_nothing_twice(
            wishes in prop::collection::vec(any_span(), 0..30)
        ) {
            let mut plan: Vec<ClashTaken> = Vec::new();
            for wish in wishes {
                if find(std::slice::from_ref(&wish), &plan).is_none() {
                    plan.push(taken(wish));
                }
            }
            for minute in 0..150 {
                let at = Wall(minute * 60_000);
                let on = plan.iter().map(|t| &t.span).filter(|s| s.starts <= at && at < s.ends);
                let (mut classes, mut rooms): (Vec<_>, Vec<_>) =
                    on.map(|s| (s.class, s.room.clone())).unzip();
                rooms.retain(|room| !room.is_empty());
                let (c, r) = (classes.len(), rooms.len());
                classes.sort_unstable();
                classes.dedup();
                rooms.sort_unstable();
                rooms.dedup();
                prop_assert_eq!((classes.len(), rooms.len()), (c, r));
            }
        }
    }
}
