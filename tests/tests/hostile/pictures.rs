//! Pictures of every kind we take.

use super::{Hostile, PICTURE};
use flate2::{Compression, Crc, write::ZlibEncoder};
use std::io::Write;

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(data);
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length, kind.as_slice(), data, &crc.sum().to_be_bytes()].concat()
}

/// A PNG of this size and kind, whose pixels are `bytes` zeros.
fn png(width: u32, height: u32, depth: u8, colour: u8, bytes: u64) -> Vec<u8> {
    let mut zeros = ZlibEncoder::new(Vec::new(), Compression::fast());
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), bytes), &mut zeros).unwrap();
    zeros.flush().unwrap();
    let head =
        [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, colour, 0, 0, 0]].concat();
    let pixels = zeros.finish().unwrap();
    let parts = [chunk(b"IHDR", &head), chunk(b"IDAT", &pixels), chunk(b"IEND", &[])];
    [b"\x89PNG\r\n\x1a\n".to_vec(), parts.concat()].concat()
}

/// A TIFF of one strip that says it is this large; the list of its pages leads to `next`.
fn tiff(side: u32, next: u32) -> Vec<u8> {
    let tags = [
        (256u16, side),
        (257, side),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, side),
        (279, u32::MAX),
    ];
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    bytes.extend_from_slice(&u16::try_from(tags.len()).unwrap().to_le_bytes());
    for (tag, value) in tags {
        bytes.extend_from_slice(&tag.to_le_bytes());
        bytes.extend_from_slice(&[4, 0, 1, 0, 0, 0]);
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    bytes.extend_from_slice(&next.to_le_bytes());
    bytes
}

/// A small JPEG whose layers come `layers` times, and that says it is this large.
fn jpeg(layers: usize, side: Option<u16>) -> Vec<u8> {
    let picture = vision::Picture::new(64, 64, vec![120; 64 * 64 * 3]).unwrap();
    let whole = picture.to_jpeg(80);
    let scan = whole.windows(2).position(|two| two == [0xff, 0xda]).unwrap();
    let (head, rest) = whole.split_at(scan);
    let (mut head, layer) = (head.to_vec(), &rest[..rest.len() - 2]);
    if let Some(side) = side {
        let frame = head.windows(2).position(|two| two == [0xff, 0xc0]).unwrap();
        head[frame + 5..frame + 7].copy_from_slice(&side.to_be_bytes());
        head[frame + 7..frame + 9].copy_from_slice(&side.to_be_bytes());
    }
    [head, layer.repeat(layers), vec![0xff, 0xd9]].concat()
}

fn webp() -> Vec<u8> {
    // VP8L: a signature byte, then 14 bits each for width and height less one.
    let data = [0x2f, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0, 0];
    let mut bytes = b"RIFF\x1e\0\0\0WEBPVP8L\x0a\0\0\0".to_vec();
    bytes.extend_from_slice(&data);
    bytes
}

fn bmp() -> Vec<u8> {
    let mut bytes = b"BM\xff\xff\xff\x7f\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bytes.extend_from_slice(&19_000u32.to_le_bytes());
    bytes.extend_from_slice(&19_000u32.to_le_bytes());
    bytes.extend_from_slice(&[1, 0, 24, 0]);
    bytes.extend_from_slice(&[0; 100]);
    bytes
}

pub fn all() -> Vec<Hostile> {
    let files = [
        ("a PNG of 20,000 pixels each way", png(20_000, 20_000, 8, 2, 1000)),
        ("a PNG of 64 bits a pixel", png(7900, 7900, 16, 6, 7900 * (7900 * 8 + 1))),
        ("a PNG that unpacks to 64 megapixels", png(8000, 8000, 8, 2, 8000 * (8000 * 3 + 1))),
        ("a PNG with far more pixels than it says", png(8, 8, 8, 2, 1 << 30)),
        ("a TIFF that says it is huge", tiff(60_000, 0)),
        ("a TIFF whose pages lead in a circle", tiff(100, 8)),
        ("a WebP of 16,384 pixels each way", webp()),
        ("a BMP that says it is huge", bmp()),
        ("a JPEG of 65,535 pixels each way", jpeg(1, Some(65_535))),
        ("a JPEG of 8,000 pixels each way without their data", jpeg(1, Some(8000))),
        ("a JPEG of a thousand layers", jpeg(1000, None)),
        ("a JPEG that ends in its middle", jpeg(1, None)[..300].to_vec()),
    ];
    files.into_iter().map(|(what, file)| Hostile::file(what, PICTURE, &file)).collect()
}
