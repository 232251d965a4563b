//! A table that somebody brings: CSV as Excel, Google and others write it, or XLSX.

use calamine::{Data, Reader as _, Xlsx};
use serde::{Deserialize, Serialize};
use std::io::Cursor;

/// Longest cell, bytes; more is cut off by nobody: the table is refused.
const CELL: usize = 4_000;
/// Columns at most.
const COLUMNS: usize = 100;
/// Bytes that a workbook may unpack to.
const UNPACKED: u64 = 64 * 1024 * 1024;

/// Heads and rows, all as text without blanks around it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct TableFile {
    /// Names of the columns, lower case; empty when the table has none.
    pub heads: Vec<String>,
    /// The rows with their line numbers, from 1; empty ones are left out.
    pub rows: Vec<(usize, Vec<String>)>,
}

/// Why a table is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TableUnreadable {
    /// Neither CSV nor XLSX.
    #[error("the file can be read neither as CSV nor as XLSX: save it as one of the two")]
    Kind,
    /// Too many rows.
    #[error("the file has more than {0} rows: split it")]
    Rows(usize),
    /// A workbook that unpacks to far more than a table of people.
    #[error("the workbook unpacks to more than 64 MiB: save the table alone")]
    Unpacked,
    /// Something far too large for a table of people.
    #[error("line {0} is far too long for a table of people: is this the right file?")]
    Size(usize),
}

impl TableFile {
    /// Reads a file of at most `most` rows.
    ///
    /// # Errors
    /// See [`TableUnreadable`].
    pub fn read(bytes: &[u8], has_header: bool, most: usize) -> Result<Self, TableUnreadable> {
        let rows = match bytes {
            [b'P', b'K', ..] => workbook(bytes, most)?,
            _ => text(bytes, most)?,
        };
        let blank = |row: &[String]| row.iter().all(String::is_empty);
        let mut rows: Vec<_> = rows.into_iter().filter(|(_, row)| !blank(row)).collect();
        let heads = if has_header && !rows.is_empty() { rows.remove(0).1 } else { Vec::new() };
        if rows.len() > most {
            return Err(TableUnreadable::Rows(most));
        }
        let heads = heads.iter().map(|head| head.to_lowercase().replace([' ', '-'], "_")).collect();
        Ok(Self { heads, rows })
    }

    /// The column with one of these names, else the one at `place` when the table has no names.
    #[must_use]
    pub fn column(&self, names: &[&str], place: usize) -> Option<usize> {
        if self.heads.is_empty() {
            return Some(place);
        }
        self.heads.iter().position(|head| names.contains(&head.as_str()))
    }
}

/// The cell of a row; nothing when it is missing or blank.
#[must_use]
pub fn cell(row: &[String], column: Option<usize>) -> Option<&str> {
    row.get(column?).map(String::as_str).filter(|text| !text.is_empty())
}

type TableRows = Vec<(usize, Vec<String>)>;
/// A line, and those of its cells that hold something, with their columns.
type Sparse = (usize, Vec<(usize, String)>);

fn text(bytes: &[u8], most: usize) -> Result<TableRows, TableUnreadable> {
    let text = decoded(bytes)?;
    let first = text.lines().next().unwrap_or("");
    let count = |c: char| first.matches(c).count();
    let delimiter = [',', ';', '\t'].into_iter().max_by_key(|c| count(*c)).unwrap_or(',');
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter as u8)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|_| TableUnreadable::Kind)?;
        let line = record.position().map_or(0, |at| usize::try_from(at.line()).unwrap_or(0));
        rows.push((line, checked(line, record.iter())?));
        if rows.len() > most + 1 {
            return Err(TableUnreadable::Rows(most));
        }
    }
    Ok(rows)
}

/// UTF-8 with or without a mark, UTF-16 with one, or else Windows' western letters.
fn decoded(bytes: &[u8]) -> Result<String, TableUnreadable> {
    let text = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        plain => match std::str::from_utf8(plain) {
            Ok(text) => text.to_owned(),
            Err(_) => plain.iter().map(|byte| char::from(*byte)).collect(),
        },
    };
    let odd = |c: char| c.is_control() && !matches!(c, '\t' | '\r' | '\n');
    if text.chars().any(odd) { Err(TableUnreadable::Kind) } else { Ok(text) }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units)
}

fn workbook(bytes: &[u8], most: usize) -> Result<TableRows, TableUnreadable> {
    let unpacked = super::archive::unpacked(bytes, UNPACKED).map_err(|_| TableUnreadable::Kind)?;
    if unpacked > UNPACKED {
        return Err(TableUnreadable::Unpacked);
    }
    let cells = cells(bytes, most)?;
    let left = cells.iter().flat_map(|(_, row)| row).map(|(column, _)| *column).min();
    let dense = |(line, row): Sparse| {
        let width = row.iter().map(|(column, _)| column + 1 - left.unwrap_or(0)).max();
        let width = width.filter(|width| *width <= COLUMNS).ok_or(TableUnreadable::Size(line))?;
        let mut texts = vec![""; width];
        row.iter().for_each(|(column, text)| texts[column - left.unwrap_or(0)] = text);
        Ok((line, checked(line, texts.into_iter())?))
    };
    cells.into_iter().map(dense).collect()
}

/// The cells that hold something, by their lines, as the sheet holds them: a sheet whose corners
/// are a million lines apart has two.
fn cells(bytes: &[u8], most: usize) -> Result<Vec<Sparse>, TableUnreadable> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|_| TableUnreadable::Kind)?;
    let name = book.sheet_names().into_iter().next().ok_or(TableUnreadable::Kind)?;
    let mut sheet = book.worksheet_cells_reader(&name).map_err(|_| TableUnreadable::Kind)?;
    let mut rows = Vec::<Sparse>::new();
    while let Some(cell) = sheet.next_cell().map_err(|_| TableUnreadable::Kind)? {
        let line = cell.get_position().0 as usize + 1;
        let column = cell.get_position().1 as usize;
        let text = Data::from(cell.get_value().clone()).to_string();
        let full = rows.len() > most;
        match rows.last_mut() {
            _ if text.trim().is_empty() => {}
            Some((last, row)) if *last == line && row.len() < COLUMNS => row.push((column, text)),
            Some((last, _)) if *last == line => return Err(TableUnreadable::Size(line)),
            _ if full => return Err(TableUnreadable::Rows(most)),
            _ => rows.push((line, vec![(column, text)])),
        }
    }
    Ok(rows)
}

fn checked<'a>(
    line: usize,
    cells: impl Iterator<Item = &'a str>,
) -> Result<Vec<String>, TableUnreadable> {
    let cells: Vec<_> = cells.take(COLUMNS + 1).map(|cell| cell.trim().to_owned()).collect();
    let fits = cells.len() <= COLUMNS && cells.iter().all(|cell| cell.len() <= CELL);
    if fits { Ok(cells) } else { Err(TableUnreadable::Size(line)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(bytes: &[u8]) -> Vec<Vec<String>> {
        let table = TableFile::read(bytes, true, 100).unwrap();
        table.rows.into_iter().map(|(_, row)| row).collect()
    }

    #[test]
    fn tables_of_every_office_read_the_same() {
        let wanted = [["Zoë", "O'Neill, Jr."]];
        assert_eq!(rows("first,last\nZoë,\"O'Neill, Jr.\"\n".as_bytes()), wanted);
        assert_eq!(rows("\u{feff}first;last\r\nZoë;O'Neill, Jr.\r\n".as_bytes()), wanted);
        assert_eq!(rows("first\tlast\n\n Zoë \tO'Neill, Jr.\n".as_bytes()), wanted);
        assert_eq!(rows(b"first;last\nZo\xeb;O'Neill, Jr.\n"), wanted, "Windows 1252");
        let wide: Vec<u8> = "\u{feff}first;last\nZoë;O'Neill, Jr.\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(rows(&wide), wanted);
    }

    #[test]
    fn a_workbook_reads_like_the_table_it_shows() {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (row, (number, name)) in [("Student ID", "First Name"), ("7", "Ali")].iter().enumerate()
        {
            let row = u32::try_from(row).unwrap();
            sheet.write(row, 0, *number).unwrap();
            sheet.write(row, 1, *name).unwrap();
        }
        sheet.write(2, 0, 8).unwrap();
        sheet.write(2, 1, "علی").unwrap();
        let table = TableFile::read(&book.save_to_buffer().unwrap(), true, 10).unwrap();
        assert_eq!(table.heads, ["student_id", "first_name"]);
        let cells: Vec<_> = table.rows.iter().map(|(_, row)| row.join("|")).collect();
        assert_eq!(cells, ["7|Ali", "8|علی"]);
    }

    #[test]
    fn two_cells_at_the_corners_of_a_sheet_are_two_cells() {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        sheet.write(0, 0, "first").unwrap();
        sheet.write(1_048_575, 16_383, "far").unwrap();
        let read = TableFile::read(&book.save_to_buffer().unwrap(), true, 9);
        assert_eq!(read, Err(TableUnreadable::Size(1_048_576)));
    }

    #[test]
    fn a_table_in_the_middle_of_a_sheet_reads_like_one_in_its_corner() {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (row, column, text) in [(4, 3, "First"), (4, 4, "Last"), (6, 4, "Rezaei")] {
            sheet.write(row, column, text).unwrap();
        }
        let table = TableFile::read(&book.save_to_buffer().unwrap(), true, 9).unwrap();
        assert_eq!(table.heads, ["first", "last"]);
        assert_eq!(table.rows, [(7, vec![String::new(), "Rezaei".into()])]);
    }

    #[test]
    fn what_is_no_table_or_too_long_is_refused_in_a_sentence() {
        assert_eq!(TableFile::read(b"\x89PNG\r\n\x1a\n\0\0", true, 9), Err(TableUnreadable::Kind));
        assert_eq!(TableFile::read(b"PK\x03\x04rubbish", true, 9), Err(TableUnreadable::Kind));
        let long = "a,b\n".repeat(11);
        assert_eq!(TableFile::read(long.as_bytes(), false, 9), Err(TableUnreadable::Rows(9)));
        let wide = "x".repeat(CELL + 1);
        assert_eq!(TableFile::read(wide.as_bytes(), false, 9), Err(TableUnreadable::Size(1)));
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(bytes in prop::collection::vec(any::<u8>(), 0..400), zip: bool) {
            let bytes = if zip { [b"PK\x03\x04".to_vec(), bytes].concat() } else { bytes };
            let _read_or_refused = TableFile::read(&bytes, true, 50);
        }

        #[test]
        fn what_a_table_holds_comes_out_again(
            cells in prop::collection::vec("[^\\p{C}]{0,30}", 2), comma in prop::sample::select(vec![b',', b';'])
        ) {
            let mut writer = csv::WriterBuilder::new().delimiter(comma).from_writer(Vec::new());
            writer.write_record(["one", "two"]).unwrap();
            writer.write_record(&cells).unwrap();
            let bytes = writer.into_inner().unwrap();
            let wanted: Vec<_> = cells.iter().map(|cell| cell.trim().to_owned()).collect();
            let found = rows(&bytes);
            prop_assert!(found.is_empty() && wanted.iter().all(String::is_empty)
                || found == [wanted.clone()]);
        }
    }
}
