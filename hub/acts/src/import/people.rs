//! People from a table: into the register, and onto a class's roster.
//!
//! Whoever has a number is who has that number; without numbers, a name that the class has as
//! often as the file is there already. So the same file again changes nothing.

use super::table::{TableFile, cell};
use rules::error::Error;
use rules::person::PersonDetails;
use std::collections::HashMap;
use store::reader::{Reader, visible_to};
use store::student::{self, StudentProfile};
use store::{Tx, class};
use uuid::Uuid;
use wire::{StudentId, Wall};

/// Rows of a table at most.
pub const ROWS: usize = 1_000;

/// A row of the table.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PersonRow {
    /// Its line in the file.
    pub line: usize,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// Number at the school.
    pub number: Option<String>,
    /// Everything else.
    pub details: PersonDetails,
}

/// Somebody in the register already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct There {
    /// Who.
    pub id: StudentId,
    /// Whether whoever brings the table may see them.
    pub visible: bool,
    /// Whether they are on the roster.
    pub member: bool,
}

/// What is known about a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BroughtFacts {
    /// Who has its number.
    pub numbered: Option<There>,
    /// People of its name there are, that no earlier row of the file was taken for.
    pub namesakes: usize,
    /// An earlier row has the same number.
    pub repeated: bool,
}

/// What to do with a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BroughtWhat {
    /// A new person, entered on the roster.
    Create,
    /// A known person, entered on the roster.
    Enter(StudentId),
    /// Nothing, because of this.
    Skip(&'static str),
}

/// What to do with `row`.
#[must_use]
pub fn decide(row: &PersonRow, facts: &BroughtFacts) -> BroughtWhat {
    if row.first_name.is_empty() && row.last_name.is_empty() {
        return BroughtWhat::Skip("the name is missing");
    }
    if facts.repeated {
        return BroughtWhat::Skip("an earlier row has the same number");
    }
    match (&row.number, facts.numbered) {
        (Some(_), Some(There { visible: false, .. })) => BroughtWhat::Skip(
            "this number belongs to somebody at the school: ask an admin to enter them",
        ),
        (Some(_), Some(There { member: true, .. })) => BroughtWhat::Skip("already there"),
        (Some(_), Some(There { id, .. })) => BroughtWhat::Enter(id),
        (None, _) if facts.namesakes > 0 => BroughtWhat::Skip("already there"),
        _ => BroughtWhat::Create,
    }
}

/// What stands in the fourth column and after it of a table without names.
const PLACES: [&str; 3] = ["email", "year", "department"];

/// The rows of a table with the columns `first_name, last_name[, student_id]` and what else we
/// know of people.
#[must_use]
pub fn rows(table: &TableFile) -> Vec<PersonRow> {
    let column = |names: &[&str], place| table.column(names, place);
    let first = column(&["first_name", "firstname", "given_name", "givenname"], 0);
    let last = column(&["last_name", "lastname", "family_name", "familyname", "surname"], 1);
    let number = column(&["student_id", "student_number", "number", "personnel_code"], 2);
    let full = table.heads.iter().position(|head| head == "full_name" || head == "name");
    let place = |name| PLACES.iter().position(|at| *at == name).map(|at| at + 3);
    let details =
        PersonDetails::NAMES.map(|name| (name, column(&[name], place(name).unwrap_or(usize::MAX))));
    let detail = |name: &str, cells: &[String]| {
        let at = details.iter().find(|(of, _)| *of == name).and_then(|(_, column)| *column);
        cell(cells, at).map(str::to_owned)
    };
    let row = |(line, cells): &(usize, Vec<String>)| {
        let text = |column| cell(cells, column).map(str::to_owned);
        let mut given = text(first).unwrap_or_default();
        let mut family = text(last).unwrap_or_default();
        if let Some(full) = text(full).filter(|_| given.is_empty() && family.is_empty()) {
            (given, family) = rules::names::split(&full);
        }
        PersonRow {
            line: *line,
            first_name: given,
            last_name: family,
            number: text(number),
            details: PersonDetails::of(|name| detail(name, cells)),
        }
    };
    table.rows.iter().map(row).collect()
}

/// Somebody whom a table brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Brought {
    /// Own id.
    pub id: StudentId,
    /// Their number, given or made.
    pub number: String,
    /// The row.
    pub row: PersonRow,
}

/// What became of a table.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BroughtDone {
    /// New people.
    pub created: Vec<Brought>,
    /// Known people who were entered on the roster.
    pub entered: Vec<Brought>,
    /// Rows that changed nothing, and why.
    pub skipped: Vec<(PersonRow, String)>,
}

/// Brings `rows` into the register, and onto the roster of `class` if there is one.
///
/// # Errors
/// When the database fails; what is wrong with single rows is in the answer.
pub fn bring(
    tx: &Tx<'_>,
    reader: Reader,
    class: Option<Uuid>,
    rows: Vec<PersonRow>,
    actor: &str,
    now: Wall,
) -> Result<BroughtDone, Error> {
    let mut done = BroughtDone::default();
    let mut seen = HashMap::<String, usize>::new();
    let mut names = student::namesakes(tx, class)?;
    for row in rows {
        let facts = facts(tx, reader, class, &row, &names, &seen)?;
        if let Some(number) = &row.number {
            seen.insert(number.clone(), row.line);
        }
        match decide(&row, &facts) {
            BroughtWhat::Skip(why) => {
                if let Some(left) = names.get_mut(&key(&row)).filter(|_| row.number.is_none()) {
                    *left = left.saturating_sub(1);
                }
                done.skipped.push((row, why.to_owned()));
            }
            BroughtWhat::Enter(id) => {
                enter(tx, class, id, actor, now)?;
                let number = row.number.clone().unwrap_or_default();
                done.entered.push(Brought { id, number, row });
            }
            BroughtWhat::Create => match create(tx, &row, actor, now) {
                Ok((id, number)) => {
                    enter(tx, class, id, actor, now)?;
                    done.created.push(Brought { id, number, row });
                }
                Err(Error::Invalid(why) | Error::Conflict(why)) => done.skipped.push((row, why)),
                Err(error) => return Err(error),
            },
        }
    }
    Ok(done)
}

fn facts(
    tx: &Tx<'_>,
    reader: Reader,
    class: Option<Uuid>,
    row: &PersonRow,
    names: &HashMap<(String, String), usize>,
    seen: &HashMap<String, usize>,
) -> Result<BroughtFacts, Error> {
    let found = row.number.as_deref().map(|number| student::by_number(tx, number)).transpose()?;
    let there = |id| -> Result<There, Error> {
        let member = class.map_or(Ok(true), |class| class::has(tx, class, id))?;
        Ok(There { id, visible: member || visible_to(tx, reader, id)?, member })
    };
    Ok(BroughtFacts {
        numbered: found.flatten().map(there).transpose()?,
        namesakes: names.get(&key(row)).copied().unwrap_or(0),
        repeated: row.number.as_ref().is_some_and(|number| seen.contains_key(number)),
    })
}

fn key(row: &PersonRow) -> (String, String) {
    (row.first_name.clone(), row.last_name.clone())
}

fn create(
    tx: &Tx<'_>,
    row: &PersonRow,
    actor: &str,
    now: Wall,
) -> Result<(StudentId, String), Error> {
    let made = || crate::auth::nonce().simple().to_string()[..8].to_uppercase();
    let number = row.number.clone().unwrap_or_else(|| format!("N{}", made()));
    let profile = StudentProfile {
        student_number: number.clone(),
        first_name: row.first_name.clone(),
        last_name: row.last_name.clone(),
        details: row.details.clone(),
        ..StudentProfile::default()
    };
    Ok((student::add(tx, profile, actor, now)?, number))
}

fn enter(
    tx: &Tx<'_>,
    class: Option<Uuid>,
    student: StudentId,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    class.map_or(Ok(()), |class| class::add_member(tx, class, student, actor, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: Option<&str>) -> PersonRow {
        let (first_name, last_name) = ("Ali".to_owned(), "Rezaei".to_owned());
        PersonRow {
            line: 2,
            first_name,
            last_name,
            number: number.map(str::to_owned),
            ..PersonRow::default()
        }
    }

    fn facts(numbered: Option<There>, namesakes: usize) -> BroughtFacts {
        BroughtFacts { numbered, namesakes, repeated: false }
    }

    const ID: StudentId = StudentId(Uuid::from_u128(7));

    #[test]
    fn a_number_says_who_it_is_and_names_never_do() {
        let there = |visible, member| Some(There { id: ID, visible, member });
        assert_eq!(
            decide(&row(Some("7")), &facts(None, 3)),
            BroughtWhat::Create,
            "a third Ali Rezaei"
        );
        assert_eq!(decide(&row(Some("7")), &facts(there(true, false), 0)), BroughtWhat::Enter(ID));
        assert!(matches!(
            decide(&row(Some("7")), &facts(there(true, true), 0)),
            BroughtWhat::Skip(_)
        ));
        let foreign = decide(&row(Some("7")), &facts(there(false, false), 0));
        assert!(matches!(foreign, BroughtWhat::Skip(why) if why.contains("ask an admin")));
    }

    #[test]
    fn without_a_number_as_many_of_a_name_as_the_file_has_are_enough() {
        assert_eq!(decide(&row(None), &facts(None, 0)), BroughtWhat::Create);
        assert_eq!(decide(&row(None), &facts(None, 1)), BroughtWhat::Skip("already there"));
        let nameless = PersonRow::default();
        assert_eq!(decide(&nameless, &facts(None, 0)), BroughtWhat::Skip("the name is missing"));
    }

    #[test]
    fn columns_are_found_by_name_or_else_by_place() {
        let named = TableFile::read(b"Student ID,Last Name,First Name\n7,Rezaei,Ali\n", true, 9);
        assert_eq!(rows(&named.unwrap()), [row(Some("7"))]);
        let plain = TableFile::read(b"Ali,Rezaei,7\n", false, 9).unwrap();
        assert_eq!(rows(&plain)[0].number.as_deref(), Some("7"));
        let full = TableFile::read(b"name\nAli Rezaei\n", true, 9).unwrap();
        assert_eq!(rows(&full), [row(None)]);
    }
}
