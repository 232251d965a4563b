//! Bodies that are wrong themselves.

use super::{ARCHIVE, Hostile, PICTURE, TABLE};

const FORM: &str = "multipart/form-data; boundary=x";

pub fn all() -> Vec<Hostile> {
    let part = "--x\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\nb\r\n";
    let head = format!("--x\r\ncontent-disposition: {}", "a".repeat(30 << 20));
    let files = [
        ("JSON of 50,000 levels", "/api/students", "application/json", "[".repeat(50_000)),
        ("JSON of 10,000 closed levels", "/api/students", "application/json", {
            format!("{}{}", "{\"a\":".repeat(10_000), "}".repeat(10_000))
        }),
        ("a form of 100,000 parts", PICTURE, FORM, part.repeat(100_000)),
        ("a table in a form of 80,000 parts", TABLE, FORM, part.repeat(80_000)),
        ("an archive in a form of a million parts", ARCHIVE, FORM, part.repeat(1_000_000)),
        ("an archive in a form whose head never ends", ARCHIVE, FORM, head),
    ];
    let hostile = |(what, path, kind, body): (_, _, &str, String)| Hostile {
        what,
        path,
        kind: kind.into(),
        body: body.into_bytes(),
    };
    files.into_iter().map(hostile).collect()
}
