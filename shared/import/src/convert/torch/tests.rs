use super::*;
use proptest::prelude::*;

fn text(text: &str) -> Vec<u8> {
    [&b"X"[..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}

/// A file with one tensor `w` of `shape` over the storage `k` of the numbers 0, 1, 2, …
fn file(shape: [u8; 2], strides: [u8; 2], length: u8) -> Vec<u8> {
    let magic = [&[0x80, 2, 0x8a, 10][..], &MAGIC, b"."].concat();
    let head = [&magic[..], &[0x80, 2, b'M', 0xe9, 0x03, b'.', 0x80, 2, b'}', b'.']].concat();
    let pair = |[a, b]: [u8; 2]| vec![b'K', a, b'K', b, 0x86];
    let storage = [&b"("[..], &text("storage"), b"ctorch\nFloatStorage\n", &text("k")].concat();
    let storage = [&storage[..], &text("cpu"), &[b'K', length], b"NtQ"].concat();
    let tensor = [&b"ctorch._utils\n_rebuild_tensor_v2\n("[..], &storage, b"K\0"].concat();
    let tensor =
        [&tensor[..], &pair(shape), &pair(strides), b"\x89ccollections\nOrderedDict\n)RtR"];
    let dict = b"\x80\x02ccollections\nOrderedDict\n)Rq\0(";
    let state = [&dict[..], &text("w"), &tensor.concat(), b"u."].concat();
    let keys = [&b"\x80\x02]q\0("[..], &text("k"), b"e."].concat();
    let numbers: Vec<u8> = (0..length).flat_map(|x| f32::from(x).to_le_bytes()).collect();
    [head, state, keys, u64::from(length).to_le_bytes().to_vec(), numbers].concat()
}

#[test]
fn a_tensor_comes_out_row_by_row_whichever_way_it_lay() {
    for (strides, wanted) in [([3, 1], [0u8, 1, 2, 3, 4, 5]), ([1, 2], [0, 2, 4, 1, 3, 5])] {
        let bytes = torch_state(&file([2, 3], strides, 6)).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let tensor = tensors.tensor("w").unwrap();
        assert_eq!(tensor.shape(), [2, 3]);
        let wanted: Vec<u8> = wanted.iter().flat_map(|&x| f32::from(x).to_le_bytes()).collect();
        assert_eq!(tensor.data(), wanted);
    }
}

#[test]
fn tensors_that_leave_their_storage_are_refused() {
    assert!(torch_state(&file([2, 3], [3, 2], 6)).is_err(), "the last number lies outside");
    assert!(torch_state(&file([2, 4], [4, 1], 6)).is_err(), "more than the storage has");
    assert!(torch_state(&[file([2, 3], [3, 1], 6), vec![0]].concat()).is_err(), "a byte left over");
    assert!(torch_state(b"PK\x03\x04").unwrap_err().to_string().contains("not a zip"));
    assert!(torch_state(b"").is_err());
}

#[test]
fn a_pickle_that_calls_something_else_is_refused() {
    let evil = file([2, 3], [3, 1], 6);
    let at = evil.windows(11).position(|part| part == b"OrderedDict").unwrap();
    let evil = [&evil[..at], b"OrderedSink", &evil[at + 11..]].concat();
    let error = torch_state(&evil).unwrap_err().to_string();
    assert!(error.contains("nothing else"), "{error}");
}

proptest! {
    #[test]
    fn mutated_files_never_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let mut bytes = file([2, 3], [3, 1], 6);
        for (at, value) in edits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(cut.map_or(bytes.len(), |cut| cut.index(bytes.len())));
        let _ = torch_state(&bytes);
    }
}
