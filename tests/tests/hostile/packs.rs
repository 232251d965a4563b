//! Files that say they are networks: the command that takes them over says what is wrong.

use super::*;

/// A protobuf field of bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    while length > 127 {
        bytes.push(u8::try_from(length & 127).unwrap() | 128);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).unwrap());
    [bytes, content.to_vec()].concat()
}

#[test]
fn a_hostile_network_is_refused_in_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let school = School::found(dir.path()).unwrap();
    let nested = (0..2_000).fold(Vec::new(), |inner, _| field(7, &inner));
    let files = [
        ("nothing", Vec::new()),
        ("rubbish", vec![0xff; 1 << 20]),
        ("a graph in a graph, two thousand times", nested),
        ("three million empty operations", field(7, &field(1, &[]).repeat(3_000_000))),
        ("a length that leads far behind the end", vec![0x3a, 0xff, 0xff, 0xff, 0xff, 0x7f]),
    ];
    for (what, file) in files {
        let path = dir.path().join("file.onnx");
        fs::write(&path, file).unwrap();
        let mut import = school.hub_command(&["models", "import", path.to_str().unwrap()]);
        let ended = import.output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(!ended.status.success(), "{what}");
        assert!(said.starts_with("rollcall-hub: ") && !said.contains("panicked"), "{what}: {said}");
        println!("{what}: {said}");
    }
}
