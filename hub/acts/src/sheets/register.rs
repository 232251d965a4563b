//! The register of a class as a table: a row a student, a column a lesson.

use super::sheet::{self, SheetBook, SheetValue};
use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rules::attendance::Status;
use rules::error::{Doing, Error};
use rules::reports::MarkTally;
use rules::reports::matrix::{self, Cell, MatrixLesson, RegisterMatrix};
use std::fs::File;
use std::io::{BufWriter, Seek as _};
use std::path::Path;
use std::sync::Arc;

/// The register as CSV, line by line.
pub fn csv(
    matrix: RegisterMatrix,
    zone: &TimeZone,
) -> impl Iterator<Item = Result<Bytes, Error>> + Send + Sync + use<> {
    let people = 0..matrix.people.len();
    let matrix = Arc::new(matrix);
    let first = [Ok(Bytes::from(sheet::MARK)), sheet::line(&head(&matrix, zone)).map(Bytes::from)];
    let rows = matrix.clone();
    let lines = people.map(move |n| sheet::line(&row(&rows, n)).map(Bytes::from));
    let last = std::iter::once_with(move || sheet::line(&foot(&matrix)).map(Bytes::from));
    first.into_iter().chain(lines).chain(last)
}

/// The register as a workbook, in a file without a name in `folder`.
///
/// # Errors
/// When it cannot be written.
pub fn workbook(matrix: &RegisterMatrix, zone: &TimeZone, folder: &Path) -> Result<File, Error> {
    let doing = "making a workbook";
    let mut book = SheetBook::new(folder, head(matrix, zone))?;
    (0..matrix.people.len()).try_for_each(|n| book.row(&row(matrix, n)))?;
    book.row(&foot(matrix))?;
    let mut done = tempfile::tempfile_in(folder).doing(doing)?;
    book.save(BufWriter::new(&mut done))?;
    done.rewind().doing(doing)?;
    Ok(done)
}

/// The first row. Lessons are named by their local day and hour.
#[must_use]
pub fn head(matrix: &RegisterMatrix, zone: &TimeZone) -> Vec<SheetValue> {
    let who = ["student_number", "last_name", "first_name"].map(SheetValue::from);
    let lessons = matrix.lessons.iter().map(|lesson| SheetValue::from(title(lesson, zone)));
    who.into_iter()
        .chain(lessons)
        .chain(Status::ALL.map(|status| status.as_str().into()))
        .chain(std::iter::once("attendance_rate".into()))
        .collect()
}

/// A lesson's day, hour and name.
#[must_use]
pub fn title(lesson: &MatrixLesson, zone: &TimeZone) -> String {
    let starts = Timestamp::from_millisecond(lesson.starts.0).unwrap_or(Timestamp::UNIX_EPOCH);
    let hour = starts.to_zoned(zone.clone()).strftime("%H:%M").to_string();
    format!("{} {hour} {}", lesson.day, lesson.name).trim().to_owned()
}

/// The row of the `person`th student; a cell holds the mark, with a star if a person set it.
#[must_use]
pub fn row(matrix: &RegisterMatrix, person: usize) -> Vec<SheetValue> {
    let of = &matrix.people[person];
    let who =
        [&of.number, &of.last_name, &of.first_name].map(|text| SheetValue::from(text.as_str()));
    let cells = matrix.row(person).iter().map(|cell| SheetValue::from(word(*cell)));
    let count = matrix::tally(matrix.row(person).iter().copied());
    who.into_iter().chain(cells).chain(counts(&count)).collect()
}

/// The last row: how many per cent were there in each lesson, and all marks together.
#[must_use]
pub fn foot(matrix: &RegisterMatrix) -> Vec<SheetValue> {
    let who = ["attendance_rate", "", ""].map(SheetValue::from);
    let lessons = (0..matrix.lessons.len()).map(|lesson| {
        let sums = matrix::tally(matrix.column(lesson)).sums();
        if sums.total() == 0 { SheetValue::from("") } else { SheetValue::Rate(sums.attended()) }
    });
    let people = 0..matrix.people.len();
    let all = matrix::tally(people.flat_map(|person| matrix.row(person).iter().copied()));
    who.into_iter().chain(lessons).chain(counts(&all)).collect()
}

fn word(cell: Cell) -> String {
    let status = cell.status.map_or("", rules::attendance::Status::as_str);
    format!("{status}{}", if cell.manual { "*" } else { "" })
}

/// What the last columns count.
fn counts(count: &MarkTally) -> impl Iterator<Item = SheetValue> + use<> {
    let rate = SheetValue::Rate(count.sums().attended());
    count.0.map(SheetValue::Number).into_iter().chain(std::iter::once(rate))
}
