//! Tables for spreadsheets: CSV that Excel reads as UTF-8, and XLSX; no cell is ever a formula.

use rules::error::{Doing, Error};
use rules::reports::ReportRate;
use rust_xlsxwriter::{Format, Workbook};
use std::borrow::Cow;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What a CSV begins with, so that Excel does not take it for an older alphabet.
pub const MARK: &str = "\u{feff}";
/// Media type of a CSV.
pub const CSV: &str = "text/csv; charset=utf-8";
/// Media type of a workbook.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Rows of one sheet of a workbook at most.
const SHEET_ROWS: u32 = 1_048_576;
/// Characters of one cell of a workbook at most.
const CELL_CHARS: usize = 32_767;

/// What a cell holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SheetValue {
    /// Words.
    Text(String),
    /// A number of things.
    Number(i64),
    /// A percentage.
    Rate(ReportRate),
    /// Yes or no.
    Flag(bool),
    /// Nothing is known.
    Nothing,
}

impl From<&str> for SheetValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for SheetValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Option<String>> for SheetValue {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Nothing, Self::Text)
    }
}

impl From<i64> for SheetValue {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// `text` so that no spreadsheet takes it for a formula: with an apostrophe before a first
/// `=`, `+`, `-`, `@` (also the wide ones of East Asian keyboards), tab or line end.
#[must_use]
pub fn guarded(text: &str) -> Cow<'_, str> {
    const RISKY: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if text.starts_with(RISKY) { format!("'{text}").into() } else { text.into() }
}

/// One line of a CSV.
///
/// # Errors
/// Never in practice: memory is written to.
pub fn line(row: &[SheetValue]) -> Result<Vec<u8>, Error> {
    let doing = "writing a line of a table";
    let ends = csv::Terminator::CRLF;
    let mut writer = csv::WriterBuilder::new().terminator(ends).from_writer(Vec::new());
    let cells = row.iter().map(|value| match value {
        SheetValue::Text(text) => guarded(text),
        SheetValue::Number(number) => number.to_string().into(),
        SheetValue::Rate(rate) => rate.to_string().into(),
        SheetValue::Flag(flag) => flag.to_string().into(),
        SheetValue::Nothing => "".into(),
    });
    writer.write_record(cells.map(|cell| cell.into_owned().into_bytes())).doing(doing)?;
    writer.into_inner().map_err(|error| Error::internal(doing, error.to_string()))
}

/// A workbook of one table, row by row; the rows go to an unnamed file, not to memory.
pub struct SheetBook {
    book: Workbook,
    head: Vec<SheetValue>,
    rate: Format,
    sheets: usize,
    row: u32,
}

impl SheetBook {
    /// A workbook with this first row; its temporary file is in `folder`.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn new(folder: &Path, head: Vec<SheetValue>) -> Result<Self, Error> {
        let mut book = Workbook::new();
        book.set_tempdir(PathBuf::from(folder)).doing("making a workbook")?;
        let rate = Format::new().set_num_format("0.00");
        let mut this = Self { book, head, rate, sheets: 0, row: SHEET_ROWS };
        this.room()?;
        Ok(this)
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn row(&mut self, row: &[SheetValue]) -> Result<(), Error> {
        self.room()?;
        self.put(row)
    }

    /// Writes the workbook.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(mut self, to: impl Write + Send) -> Result<(), Error> {
        self.book.save_to_writer(to).doing("writing a workbook")
    }

    /// Another sheet when this one is full, which a million marks make it.
    fn room(&mut self) -> Result<(), Error> {
        if self.row < SHEET_ROWS {
            return Ok(());
        }
        self.book.add_worksheet_with_constant_memory().doing("making a sheet")?;
        (self.sheets, self.row) = (self.sheets + 1, 0);
        let head = self.head.clone();
        self.put(&head)
    }

    fn put(&mut self, row: &[SheetValue]) -> Result<(), Error> {
        let doing = "writing a row of a workbook";
        let sheet = self.book.worksheet_from_index(self.sheets - 1).doing(doing)?;
        for (column, value) in (0_u16..).zip(row) {
            let put = match value {
                SheetValue::Text(text) => {
                    let short: String = guarded(text).chars().take(CELL_CHARS).collect();
                    sheet.write_string(self.row, column, short)
                }
                #[expect(clippy::cast_precision_loss, reason = "a number of things")]
                SheetValue::Number(number) => sheet.write_number(self.row, column, *number as f64),
                SheetValue::Flag(flag) => sheet.write_boolean(self.row, column, *flag),
                SheetValue::Nothing => continue,
                SheetValue::Rate(rate) => {
                    sheet.write_number_with_format(self.row, column, rate.percent(), &self.rate)
                }
            };
            put.doing(doing)?;
        }
        self.row += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use calamine::{Data, Reader, Xlsx};
    use proptest::prelude::*;

    fn cells(text: &[u8]) -> Vec<String> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text);
        let record = reader.records().next().unwrap().unwrap();
        record.iter().map(str::to_owned).collect()
    }

    #[test]
    fn a_formula_is_a_text() {
        for risky in ["=1+1", "+49", "-1", "@x", "\tx", "\r=x", "\n=x", "＝1"] {
            assert_eq!(guarded(risky), format!("'{risky}"));
        }
        for plain in ["", "x", "Ünal", "بهرام", "a=b", "'=x", " x"] {
            assert_eq!(guarded(plain), plain);
        }
    }

    #[test]
    fn a_line_holds_quotes_commas_numbers_and_rates() {
        let row =
            [SheetValue::from("a \"b\", c"), 7.into(), SheetValue::Rate(ReportRate::of(22, 26))];
        assert_eq!(line(&row).unwrap(), b"\"a \"\"b\"\", c\",7,84.62\r\n");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Nothing begins like a formula, nothing else changes, and it reads back.
        #[test]
        fn no_cell_is_a_formula_and_every_text_comes_back(
            texts in prop::collection::vec("[=+@\\-\t\r\n \"',;|%a-zä-öא-ת]{0,12}", 1..6),
        ) {
            let row: Vec<_> = texts.iter().map(|text| SheetValue::from(text.as_str())).collect();
            let back = cells(&line(&row).unwrap());
            for (cell, text) in back.iter().zip(&texts) {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']));
                let guarded = format!("'{text}");
                prop_assert!(cell == text || *cell == guarded);
            }
            let folder = tempfile::tempdir().unwrap();
            let mut book = SheetBook::new(folder.path(), vec!["head".into()]).unwrap();
            book.row(&row).unwrap();
            let mut bytes = Vec::new();
            book.save(&mut bytes).unwrap();
            let mut read: Xlsx<_> = calamine::open_workbook_from_rs(std::io::Cursor::new(bytes)).unwrap();
            prop_assert!(read.worksheet_formula("Sheet1").unwrap().is_empty());
            let sheet = read.worksheet_range("Sheet1").unwrap();
            for (n, text) in (0_u32..).zip(&texts) {
                let found = match sheet.get_value((1, n)) {
                    Some(Data::String(found)) => found.clone(),
                    _ => String::new(),
                };
                // XML and its readers keep no difference between kinds of line ends.
                let one = |text: &str| text.replace(['\r', '\n'], "");
                prop_assert_eq!(one(&found), one(&guarded(text)));
            }
        }
    }
}
