//! The register of one class over some days: students by lessons.

use super::MarkTally;
use crate::attendance::{Source, Status};
use jiff::civil::Date;
use uuid::Uuid;
use wire::{StudentId, Wall};

/// Cells of one register at most: a school year of the largest class has a twentieth of it.
pub const MOST_CELLS: usize = 4_000_000;

/// A student of the class: on its roster, or marked in one of the lessons.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MatrixPerson {
    /// Own id.
    pub id: StudentId,
    /// Number in the school's register.
    pub number: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
}

impl MatrixPerson {
    /// Given name, then family name.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }
}

/// A lesson of the class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MatrixLesson {
    /// Own id.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// The local date.
    pub day: Date,
    /// First moment.
    pub starts: Wall,
    /// Last moment.
    pub ends: Wall,
}

/// What is known of one student in one lesson.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cell {
    /// The mark, if there is one.
    pub status: Option<Status>,
    /// Whether a person set it.
    pub manual: bool,
    /// How often the student was seen: sightings and faces in photos, without rejected ones.
    pub seen: u16,
}

/// How many of `cells` say what.
pub fn tally(cells: impl IntoIterator<Item = Cell>) -> MarkTally {
    cells.into_iter().filter_map(|cell| cell.status).collect()
}

impl Cell {
    /// The cell of a mark; how often they were seen comes from elsewhere.
    #[must_use]
    pub fn of(status: Status, source: Source) -> Self {
        Self { status: Some(status), manual: source == Source::Manual, seen: 0 }
    }

    /// Whether the student was there, in time or late.
    #[must_use]
    pub fn present(self) -> bool {
        self.status.is_some_and(Status::was_there)
    }
}

/// Students by lessons; four bytes a cell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegisterMatrix {
    /// The rows, by family name, given name and id.
    pub people: Vec<MatrixPerson>,
    /// The columns, by time.
    pub lessons: Vec<MatrixLesson>,
    cells: Vec<Cell>,
}

impl RegisterMatrix {
    /// An empty register, or nothing if it would have more than [`MOST_CELLS`].
    #[must_use]
    pub fn new(people: Vec<MatrixPerson>, lessons: Vec<MatrixLesson>) -> Option<Self> {
        let size = people.len().checked_mul(lessons.len()).filter(|size| *size <= MOST_CELLS)?;
        Some(Self { cells: vec![Cell::default(); size], people, lessons })
    }

    /// The cell of the `person`th student in the `lesson`th lesson.
    pub fn cell(&mut self, person: usize, lesson: usize) -> Option<&mut Cell> {
        let width = self.lessons.len();
        (lesson < width).then(|| self.cells.get_mut(person * width + lesson))?
    }

    /// The row of the `person`th student.
    #[must_use]
    pub fn row(&self, person: usize) -> &[Cell] {
        let width = self.lessons.len();
        self.cells.get(person * width..(person + 1) * width).unwrap_or_default()
    }

    /// The column of the `lesson`th lesson.
    pub fn column(&self, lesson: usize) -> impl Iterator<Item = Cell> {
        let width = self.lessons.len().max(1);
        self.cells.iter().copied().skip(lesson).step_by(width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn person(n: usize) -> MatrixPerson {
        let name = n.to_string();
        let id = StudentId(Uuid::from_u128(n as u128));
        MatrixPerson { id, number: name.clone(), first_name: String::new(), last_name: name }
    }

    fn lesson(n: usize) -> MatrixLesson {
        let (id, day) = (Uuid::from_u128(n as u128), jiff::civil::date(2026, 3, 2));
        MatrixLesson { id, name: String::new(), day, starts: Wall(0), ends: Wall(1) }
    }

    fn matrix(people: usize, lessons: usize) -> Option<RegisterMatrix> {
        RegisterMatrix::new((0..people).map(person).collect(), (0..lessons).map(lesson).collect())
    }

    #[test]
    fn a_cell_is_small_and_a_register_bounded() {
        assert_eq!(size_of::<Cell>(), 4);
        assert!(matrix(2001, 2000).is_none());
    }

    #[test]
    fn an_empty_register_has_empty_rows_and_columns() {
        for (people, lessons) in [(0, 0), (3, 0), (0, 3)] {
            let mut empty = matrix(people, lessons).unwrap();
            assert!(empty.row(0).is_empty() && empty.cell(0, 0).is_none());
            assert_eq!(empty.column(0).count(), 0);
        }
    }

    proptest! {
        #[test]
        fn rows_and_columns_hold_the_same_marks(
            people in 1_usize..7,
            lessons in 1_usize..7,
            marks in prop::collection::vec((0_usize..7, 0_usize..7, 0_usize..6, any::<bool>()), 0..40),
        ) {
            let mut all = matrix(people, lessons).unwrap();
            let mut naive = std::collections::BTreeMap::new();
            for (person, lesson, status, manual) in marks {
                let source = if manual { Source::Manual } else { Source::Door };
                let cell = Cell::of(Status::ALL[status], source);
                let there = all.cell(person, lesson).map(|place| *place = cell).is_some();
                prop_assert_eq!(there, person < people && lesson < lessons);
                if there {
                    naive.insert((person, lesson), cell);
                }
            }
            let of = |keep: &dyn Fn(usize, usize) -> bool| {
                tally(naive.iter().filter(|((p, l), _)| keep(*p, *l)).map(|(_, cell)| *cell))
            };
            for person in 0..people {
                prop_assert_eq!(all.row(person).len(), lessons);
                prop_assert_eq!(tally(all.row(person).iter().copied()), of(&|p, _| p == person));
            }
            for lesson in 0..lessons {
                prop_assert_eq!(all.column(lesson).count(), people);
                prop_assert_eq!(tally(all.column(lesson)), of(&|_, l| l == lesson));
            }
        }
    }
}
