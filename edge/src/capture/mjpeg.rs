//! JPEGs of USB cameras, which often leave their Huffman tables out.

use std::borrow::Cow;

/// An empty APP0 segment of a Motion-JPEG file: it tells the decoder to use the standard tables.
const AVI1: [u8; 9] = [0xff, 0xe0, 0, 7, b'A', b'V', b'I', b'1', 0];
const DHT: u8 = 0xc4;
const SOS: u8 = 0xda;
const END: [u8; 2] = [0xff, 0xd9];

/// The picture, marked as Motion-JPEG if it is a JPEG without tables.
pub fn whole(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !lacks_tables(bytes) {
        return Cow::Borrowed(bytes);
    }
    Cow::Owned([&bytes[..2], &AVI1, &bytes[2..]].concat())
}

/// The bytes up to the last end of a picture; none where it was cut short.
pub fn ended(bytes: &[u8]) -> &[u8] {
    let end = bytes.array_windows().rposition(|pair| *pair == END);
    end.map_or(&[], |at| &bytes[..at + END.len()])
}

/// The picture with an end, unless there is nothing of it.
pub fn with_end(bytes: &[u8]) -> Vec<u8> {
    if bytes.is_empty() { Vec::new() } else { [bytes, &END].concat() }
}

/// Walks the segments up to the first scan.
fn lacks_tables(bytes: &[u8]) -> bool {
    let Some(mut rest) = bytes.strip_prefix(&[0xff, 0xd8]) else { return false };
    while let [0xff, code, high, low, ..] = *rest {
        match code {
            DHT => return false,
            SOS => return true,
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        let Some(next) = rest.get(2 + length..) else { return false };
        rest = next;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use vision::{Limits, Picture};

    /// Our encoder writes the standard tables, as segments of their own.
    fn without_tables(jpeg: &[u8]) -> Vec<u8> {
        let (mut out, mut rest) = (jpeg[..2].to_vec(), &jpeg[2..]);
        while let [0xff, code, high, low, ..] = *rest {
            let end = 2 + usize::from(u16::from_be_bytes([high, low]));
            if code != DHT {
                out.extend(&rest[..end]);
            }
            rest = &rest[end..];
            if code == SOS {
                break;
            }
        }
        out.extend(rest);
        out
    }

    #[test]
    fn a_camera_picture_without_tables_decodes_like_one_with_them() {
        let rgb = (0..64 * 48 * 3).map(|n| (n / 40 % 256) as u8).collect();
        let jpeg = Picture::new(64, 48, rgb).unwrap().to_jpeg(85);
        let bare = without_tables(&jpeg);
        assert!(bare.len() < jpeg.len() - 300 && lacks_tables(&bare) && !lacks_tables(&jpeg));
        let decode = |bytes| vision::decode(bytes, &Limits::default());
        assert_eq!(decode(&whole(&bare)), decode(&jpeg));
    }

    #[test]
    fn other_pictures_are_left_alone() {
        for bytes in [&b"\x89PNG"[..], b"", b"\xff\xd8", b"\xff\xd8\xff\xe0\xff\xff"] {
            assert_eq!(*whole(bytes), *bytes);
        }
    }
}
