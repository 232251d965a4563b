//! Who goes to which door: those timetabled in the room behind it, and when they are due.

use super::Index;
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;
use wire::gallery::Due;
use wire::{Person, StudentId, Wall};

/// Days ahead for which a door knows who is due.
pub const AHEAD_MS: i64 = 14 * 24 * 3600 * 1000;

/// Which people a door gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Those timetabled in its room; everybody where nothing ever is.
    Room,
    /// Everybody.
    All,
}

/// What is taught in the room behind a door.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ScopeRoom {
    /// Whether anything ever was, or will be.
    pub timetabled: bool,
    /// Classes that come here.
    pub classes: BTreeSet<Uuid>,
    /// Windows of lessons: start, end (exclusive), class.
    pub lessons: Vec<(Wall, Wall, Uuid)>,
}

/// The school around the rooms.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ScopeHouse {
    /// Rosters of the classes in any of the rooms.
    pub rosters: HashMap<Uuid, Vec<StudentId>>,
    /// Who works here: known at every door.
    pub staff: HashSet<StudentId>,
    /// People ruled out by a person: who was seen, and who they are not.
    pub ruled_out: Vec<(StudentId, StudentId)>,
}

/// What the door of `room` gets; a door that was taken back gets nobody but those it is held to.
#[must_use]
pub fn gallery(
    index: &Index,
    scope: Scope,
    room: &ScopeRoom,
    house: &ScopeHouse,
    held: Option<&[StudentId]>,
) -> wire::Gallery {
    let roster = |class: &Uuid| house.rosters.get(class).into_iter().flatten().copied();
    let own = (scope == Scope::Room && room.timetabled)
        .then(|| room.classes.iter().flat_map(roster).collect::<HashSet<_>>());
    let held = held.map(|held| held.iter().copied().collect::<HashSet<_>>());
    let mut gallery = index.to_gallery_of(|id| {
        let comes = own.as_ref().is_none_or(|own| own.contains(&id) || house.staff.contains(&id));
        comes && held.as_ref().is_none_or(|held| held.contains(&id))
    });
    let rows = rows(&gallery.people);
    let row = |id: &StudentId| rows.get(id).copied();
    let pairs = house.ruled_out.iter().filter_map(|(seen, other)| row(seen).zip(row(other)));
    gallery.cannot_link = pairs.collect::<BTreeSet<_>>().into_iter().collect();
    let members = |class: &Uuid| roster(class).filter_map(|id| row(&id)).collect::<Vec<_>>();
    gallery.due = windows(&room.lessons, gallery.people.len(), members);
    gallery
}

fn rows(people: &[Person]) -> HashMap<StudentId, u32> {
    people.iter().map(|person| person.id).zip(0..).collect()
}

/// Who is due when, in spans that do not overlap: in each, everybody of the lessons whose window
/// is open. A door looks for the first span that holds the moment.
fn windows(
    lessons: &[(Wall, Wall, Uuid)],
    people: usize,
    members: impl Fn(&Uuid) -> Vec<u32>,
) -> Vec<Due> {
    let edges: BTreeSet<Wall> = lessons.iter().flat_map(|(from, to, _)| [*from, *to]).collect();
    let edges: Vec<Wall> = edges.into_iter().collect();
    let classes: BTreeSet<Uuid> = lessons.iter().map(|(_, _, class)| *class).collect();
    let members: HashMap<Uuid, Vec<u32>> =
        classes.into_iter().map(|class| (class, members(&class))).collect();
    let span = |edge: &[Wall]| {
        let open = lessons.iter().filter(|(from, to, _)| *from <= edge[0] && edge[1] <= *to);
        let mut bits = vec![0u8; people.div_ceil(8)];
        for row in open.flat_map(|(_, _, class)| &members[class]) {
            bits[*row as usize / 8] |= 1 << (row % 8);
        }
        bits.iter().any(|byte| *byte > 0).then_some(Due {
            from: edge[0],
            to: edge[1],
            members: bits,
        })
    };
    edges.windows(2).filter_map(span).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use vision::Template;

    fn student(n: u128) -> StudentId {
        StudentId(Uuid::from_u128(n))
    }

    fn class(n: u128) -> Uuid {
        Uuid::from_u128(100 + n)
    }

    /// People 1 to 8, a few degrees apart, so that neighbours look alike.
    fn index() -> Index {
        let look = |n: u128| {
            let (sin, cos) = (f32::from(u8::try_from(n).unwrap()) * 0.2).sin_cos();
            vec![Template::from_raw(vec![cos, sin]).unwrap()]
        };
        let people: BTreeMap<_, _> = (1..=8).map(|n| (student(n), look(n))).collect();
        Index::build("m-1".parse().unwrap(), &people).unwrap()
    }

    /// Class 1 is people 1 and 2, class 2 is 2 to 4; person 8 works here.
    fn house() -> ScopeHouse {
        let roster = |ids: &[u128]| ids.iter().copied().map(student).collect::<Vec<_>>();
        ScopeHouse {
            rosters: [(class(1), roster(&[1, 2])), (class(2), roster(&[2, 3, 4]))].into(),
            staff: [student(8)].into(),
            ruled_out: vec![(student(3), student(4)), (student(1), student(7))],
        }
    }

    fn room(classes: &[u128]) -> ScopeRoom {
        let classes = classes.iter().copied().map(class).collect();
        ScopeRoom { timetabled: true, classes, lessons: vec![] }
    }

    fn ids(gallery: &wire::Gallery) -> Vec<StudentId> {
        gallery.people.iter().map(|person| person.id).collect()
    }

    #[test]
    fn a_door_knows_who_is_taught_behind_it_and_who_works_here() {
        let gallery = gallery(&index(), Scope::Room, &room(&[2]), &house(), None);
        assert_eq!(ids(&gallery), [2, 3, 4, 8].map(student));
        assert_eq!(gallery.cannot_link, [(1, 2)], "and only what concerns those");
        assert_eq!(wire::Gallery::decode(&gallery.encode()).unwrap(), gallery);
    }

    #[test]
    fn where_nothing_is_taught_or_the_school_says_so_a_door_knows_everybody() {
        let gate = ScopeRoom::default();
        assert_eq!(gallery(&index(), Scope::Room, &gate, &house(), None).people.len(), 8);
        assert_eq!(gallery(&index(), Scope::All, &room(&[2]), &house(), None).people.len(), 8);
        let holidays = gallery(&index(), Scope::Room, &room(&[]), &house(), None);
        assert_eq!(ids(&holidays), [student(8)], "nobody is due in the holidays");
    }

    #[test]
    fn look_alikes_keep_pointing_at_the_same_people() {
        let (whole, part) =
            (index().to_gallery(), gallery(&index(), Scope::Room, &room(&[2]), &house(), None));
        let named = |gallery: &wire::Gallery| -> BTreeSet<(StudentId, StudentId)> {
            let id = |row: u32| gallery.people[row as usize].id;
            gallery.look_alikes.iter().map(|(a, b)| (id(*a), id(*b))).collect()
        };
        let inside = ids(&part);
        let has = |id: &StudentId| inside.contains(id);
        let (both, alone): (BTreeSet<_>, BTreeSet<_>) =
            named(&part).into_iter().partition(|(a, b)| a != b);
        let wanted: BTreeSet<_> =
            named(&whole).into_iter().filter(|(a, b)| has(a) && has(b)).collect();
        assert!(!wanted.is_empty());
        assert_eq!(both, wanted);
        let cut = named(&whole).into_iter().filter(|(a, b)| has(a) != has(b));
        let wanted: BTreeSet<_> = cut.map(|(a, b)| if has(&a) { (a, a) } else { (b, b) }).collect();
        assert_eq!(alone, wanted, "their look-alike comes through other doors");
    }

    proptest! {
        #[test]
        fn at_every_moment_those_are_due_whose_lesson_is_open(
            lessons in prop::collection::vec((0i64..50, 1i64..20, 1u128..3), 0..8),
            at in 0i64..80,
        ) {
            let at = Wall(at);
            let lessons: Vec<_> = lessons.into_iter()
                .map(|(from, long, n)| (Wall(from), Wall(from + long), class(n))).collect();
            let open = |(from, to, _): &&(Wall, Wall, Uuid)| *from <= at && at < *to;
            let house = house();
            let wanted: BTreeSet<_> = lessons.iter().filter(open)
                .flat_map(|(_, _, class)| house.rosters[class].iter().copied()).collect();
            let room = ScopeRoom { lessons: lessons.clone(), ..room(&[1, 2]) };
            let gallery = gallery(&index(), Scope::Room, &room, &house, None);
            let spans: Vec<_> =
                gallery.due.iter().filter(|due| due.from <= at && at < due.to).collect();
            prop_assert!(spans.len() <= 1, "spans do not overlap");
            let due: BTreeSet<_> = spans.iter().flat_map(|due| {
                let is = |row: &usize| due.members[row / 8] >> (row % 8) & 1 == 1;
                (0..gallery.people.len()).filter(is).map(|row| gallery.people[row].id)
            }).collect();
            prop_assert_eq!(due, wanted);
        }
    }
}
