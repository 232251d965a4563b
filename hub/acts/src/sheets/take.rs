//! A table on its way out, row by row: as CSV, XLSX or JSON.

use super::sheet::{self, Book, Value};
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
pub struct Sink<'a> {
    to: &'a mut dyn Write,
    names: &'static [&'static str],
    rows: u64,
    kind: Kind,
}

enum Kind {
    Csv,
    Json,
    Xlsx(Box<Book>, File),
}

impl<'a> Sink<'a> {
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
        let head: Vec<Value> = names.iter().map(|name| Value::from(*name)).collect();
        let kind = match format {
            Format::Csv => {
                to.write_all(sheet::MARK.as_bytes()).doing(doing)?;
                to.write_all(&sheet::line(&head)?).doing(doing)?;
                Kind::Csv
            }
            Format::Json => {
                to.write_all(b"[").doing(doing)?;
                Kind::Json
            }
            Format::Xlsx => {
                let whole = tempfile::tempfile_in(folder).doing(doing)?;
                Kind::Xlsx(Box::new(Book::new(folder, head)?), whole)
            }
        };
        Ok(Self { to, names, rows: 0, kind })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn row(&mut self, row: &[Value]) -> Result<(), Error> {
        let doing = "writing a row";
        match &mut self.kind {
            Kind::Csv => self.to.write_all(&sheet::line(row)?).doing(doing)?,
            Kind::Xlsx(book, _) => book.row(row)?,
            Kind::Json => {
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
            Kind::Csv => {}
            Kind::Json => self.to.write_all(b"\n]\n").doing(doing)?,
            Kind::Xlsx(book, mut whole) => {
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
fn field(name: &str, value: &Value) -> String {
    let value = match value {
        Value::Text(text) => serde_json::Value::from(text.as_str()),
        Value::Number(number) => (*number).into(),
        Value::Rate(rate) => rate.percent().into(),
        Value::Flag(flag) => (*flag).into(),
        Value::Nothing => serde_json::Value::Null,
    };
    format!("{}:{value}", serde_json::Value::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn taken(format: Format, rows: &[Vec<Value>]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let mut out = Vec::new();
        let mut sink = Sink::new(format, &["a", "b"], folder.path(), &mut out).unwrap();
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
        let rows = [vec!["=x".into(), Value::Nothing], vec![Value::Flag(true), 7.into()]];
        let json: serde_json::Value = serde_json::from_slice(&taken(Format::Json, &rows)).unwrap();
        assert_eq!(json, serde_json::json!([{ "a": "=x", "b": null }, { "a": true, "b": 7 }]));
        let csv = String::from_utf8(taken(Format::Csv, &rows)).unwrap();
        assert_eq!(csv, "\u{feff}a,b\r\n'=x,\r\ntrue,7\r\n");
    }

    proptest! {
        #[test]
        fn every_text_comes_back_from_json(texts in prop::collection::vec(any::<String>(), 0..6)) {
            let rows: Vec<_> =
                texts.iter().map(|text| vec![Value::from(text.as_str()), Value::Nothing]).collect();
            let json: Vec<serde_json::Value> =
                serde_json::from_slice(&taken(Format::Json, &rows)).unwrap();
            let back: Vec<_> = json.iter().map(|row| row["a"].as_str().unwrap()).collect();
            prop_assert_eq!(back, texts);
        }
    }
}
