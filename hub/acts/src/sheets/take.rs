//! A table on its way out, row by row: as CSV, XLSX or JSON.

use super::sheet::{self, SheetBook, SheetValue};
use rules::error::{Doing, Error};
use std::fs::File;
use std::io::{BufWriter, Seek as _, Write};
use std::path::Path;

/// As what a table leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// UTF-8 with a mark that Excel understands; cells are guarded against formulas.
    Csv,
    /// A workbook.
    Xlsx,
    /// An array of objects, a line each.
    Json,
}

impl Format {
    /// What each is called.
    pub const NAMES: [(&str, Self); 3] =
        [("csv", Self::Csv), ("xlsx", Self::Xlsx), ("json", Self::Json)];
}

/// Where rows go.
pub struct SheetSink<'a> {
    to: &'a mut dyn Write,
    names: &'static [&'static str],
    rows: u64,
    kind: SinkKind,
}

enum SinkKind {
    Csv,
    Json,
    Xlsx(Box<SheetBook>, File),
}

impl<'a> SheetSink<'a> {
    /// Begins a table with columns of these names. What a workbook needs on disk is in `folder`,
    /// without a name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(
        format: Format,
        names: &'static [&'static str],
        folder: &Path,
        to: &'a mut dyn Write,
    ) -> Result<Self, Error> {
        let doing = "beginning a table";
        let head: Vec<SheetValue> = names.iter().map(|name| SheetValue::from(*name)).collect();
        let kind = match format {
            Format::Csv => {
                to.write_all(sheet::MARK.as_bytes()).doing(doing)?;
                to.write_all(&sheet::line(&head)?).doing(doing)?;
                SinkKind::Csv
            }
            Format::Json => {
                to.write_all(b"[").doing(doing)?;
                SinkKind::Json
            }
            Format::Xlsx => {
                let whole = tempfile::tempfile_in(folder).doing(doing)?;
                SinkKind::Xlsx(Box::new(SheetBook::new(folder, head)?), whole)
            }
        };
        Ok(Self { to, names, rows: 0, kind })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn row(&mut self, row: &[SheetValue]) -> Result<(), Error> {
        let doing = "writing a row";
        match &mut self.kind {
            SinkKind::Csv => self.to.write_all(&sheet::line(row)?).doing(doing)?,
            SinkKind::Xlsx(book, _) => book.row(row)?,
            SinkKind::Json => {
                let comma = if self.rows == 0 { "\n" } else { ",\n" };
                let fields = self.names.iter().zip(row).map(|(name, value)| field(name, value));
                let fields = fields.collect::<Vec<_>>().join(",");
                self.to.write_all(format!("{comma}{{{fields}}}").as_bytes()).doing(doing)?;
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// Ends the table; how many rows it has.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end(self) -> Result<u64, Error> {
        let doing = "ending a table";
        match self.kind {
            SinkKind::Csv => {}
            SinkKind::Json => self.to.write_all(b"\n]\n").doing(doing)?,
            SinkKind::Xlsx(book, mut whole) => {
                book.save(BufWriter::new(&mut whole))?;
                whole.rewind().doing(doing)?;
                std::io::copy(&mut whole, self.to).doing(doing)?;
            }
        }
        self.to.flush().doing(doing)?;
        Ok(self.rows)
    }
}

/// One field of an object. Texts go out as they are: JSON has no formulas.
fn field(name: &str, value: &SheetValue) -> String {
    let value = match value {
        SheetValue::Text(text) => serde_json::Value::from(text.as_str()),
        SheetValue::Number(number) => (*number).into(),
        SheetValue::Rate(rate) => rate.percent().into(),
        SheetValue::Flag(flag) => (*flag).into(),
        SheetValue::Nothing => serde_json::Value::Null,
    };
    format!("{}:{value}", serde_json::Value::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn taken(format: Format, rows: &[Vec<SheetValue>]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let mut out = Vec::new();
        let mut sink = SheetSink::new(format, &["a", "b"], folder.path(), &mut out).unwrap();
        rows.iter().try_for_each(|row| sink.row(row)).unwrap();
        assert_eq!(sink.end().unwrap(), rows.len() as u64);
        out
    }

    #[test]
    fn an_empty_table_is_a_table() {
        assert_eq!(taken(Format::Csv, &[]), "\u{feff}a,b\r\n".as_bytes());
        assert_eq!(taken(Format::Json, &[]), b"[\n]\n");
        assert_eq!(&taken(Format::Xlsx, &[])[..2], b"PK");
    }

    #[test]
    fn json_keeps_kinds_and_csv_guards_texts() {
        let rows = [vec!["=x".into(), SheetValue::Nothing], vec![SheetValue::Flag(true), 7.into()]];
        let json: serde_json::Value = serde_json::from_slice(&taken(Format::Json, &rows)).unwrap();
        assert_eq!(json, serde_json::json!([{ "a": "=x", "b": null }, { "a": true, "b": 7 }]));
        let csv = String::from_utf8(taken(Format::Csv, &rows)).unwrap();
        assert_eq!(csv, "\u{feff}a,b\r\n'=x,\r\ntrue,7\r\n");
    }

    proptest! {
        #[test]
        fn every_text_comes_back_from_json(texts in prop::collection::vec(any::<String>(), 0..6)) {
            let rows: Vec<_> =
                texts.iter().map(|text| vec![SheetValue::from(text.as_str()), SheetValue::Nothing]).collect();
            let json: Vec<serde_json::Value> =
                serde_json::from_slice(&taken(Format::Json, &rows)).unwrap();
            let back: Vec<_> = json.iter().map(|row| row["a"].as_str().unwrap()).collect();
            prop_assert_eq!(back, texts);
        }
    }
}
