//! Tables: workbooks and CSV.

use super::archives::{zip, zipped};
use super::{Hostile, TABLE};

const TYPES: &str =
    r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#;
const ROOT: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const RELS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#;
const BOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>"#;

/// A workbook with this sheet and these shared strings.
fn book(sheet: &str, strings: &str) -> Vec<u8> {
    zip(&[
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("_rels/.rels", ROOT.as_bytes()),
        ("xl/_rels/workbook.xml.rels", RELS.as_bytes()),
        ("xl/workbook.xml", BOOK.as_bytes()),
        ("xl/sharedStrings.xml", format!("<sst>{strings}</sst>").as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}

fn sheet(rows: &str) -> Vec<u8> {
    book(&format!("<worksheet><sheetData>{rows}</sheetData></worksheet>"), "")
}

/// A workbook of one cell.
pub fn honest() -> Vec<u8> {
    sheet(&format!("<row r=\"1\">{}</row>", cell("A1").replace('x', "first_name")))
}

fn cell(place: &str) -> String {
    format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>x</t></is></c>")
}

fn workbooks() -> Vec<(&'static str, Vec<u8>)> {
    let row = |n: usize| format!("<row r=\"{n}\">{}</row>", cell(&format!("A{n}")));
    let corners =
        format!("<row r=\"1\">{}</row><row r=\"1048576\">{}</row>", cell("A1"), cell("XFD1048576"));
    let wide: String = (0..200_000).map(|_| "<c t=\"inlineStr\"><is><t>x</t></is></c>").collect();
    let laughs = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">\
                  <!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]>";
    let laughs = format!(
        "{laughs}<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>&c;</t></is></c></row></sheetData></worksheet>"
    );
    let many: Vec<_> = (0..6000).map(|n| format!("x{n}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), b"x".as_slice())).collect();
    let mut cut = sheet(&row(1));
    cut.truncate(cut.len() / 2);
    let deep = "<a>".repeat(2_000_000);
    vec![
        ("a workbook of two cells at its corners", sheet(&corners)),
        ("a workbook that unpacks to 100 MiB", book(&" ".repeat(100 << 20), "")),
        ("a workbook of ten million shared strings", book("", &"<si/>".repeat(10_000_000))),
        ("a workbook that says it has 4 thousand million strings", {
            let strings = "<si><t>x</t></si>";
            book(
                "",
                &format!("</sst><sst count=\"4294967295\" uniqueCount=\"4294967295\">{strings}"),
            )
        }),
        ("a workbook of a million rows", sheet(&(1..1_000_000).map(row).collect::<String>())),
        ("a workbook of one row without an end", sheet(&format!("<row r=\"1\">{wide}</row>"))),
        ("a workbook whose entities laugh", book(&laughs, "")),
        ("a workbook of two million nested elements", book(&deep, "")),
        ("a workbook of six thousand files", zip(&many)),
        ("a workbook that is cut off", cut),
        ("a workbook without a sheet", zip(&[("xl/workbook.xml", BOOK.as_bytes())])),
        ("a workbook that lies about its sizes", zipped(u32::MAX)),
    ]
}

pub fn all() -> Vec<Hostile> {
    const MOST: usize = (5 << 20) - 1000;
    let quote = format!("first,last\n\"{}", "a".repeat(MOST - 100));
    let odd: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(std::iter::repeat_n(0xd8, MOST - 2)).collect();
    let texts = [
        ("a CSV of one endless line", vec![b'a'; MOST]),
        ("a CSV of five million commas", vec![b','; MOST]),
        ("a CSV of five million lines", vec![b'\n'; MOST]),
        ("a CSV of two million rows", b"a\n".repeat(MOST / 2)),
        ("a CSV whose quote never ends", quote.into_bytes()),
        ("a CSV of broken UTF-16", odd),
        ("a CSV of nothing but zeros", vec![0; MOST]),
    ];
    let files = workbooks().into_iter().chain(texts);
    files.map(|(what, file)| Hostile::file(what, TABLE, &file)).collect()
}
