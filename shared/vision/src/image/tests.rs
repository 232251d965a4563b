use super::*;
use proptest::prelude::*;

/// Red in the left half, blue in the right, the top row white: every turn of it differs.
fn flag(width: u32, height: u32) -> Picture {
    let pixel = |x, y| match (x < width / 2, y == 0) {
        (_, true) => [255, 255, 255],
        (true, _) => [200, 10, 10],
        (false, _) => [10, 10, 200],
    };
    let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect();
    Picture::new(width, height, rgb).unwrap()
}

fn encoded(picture: &Picture, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    picture.view().write_to(&mut out, format).unwrap();
    out.into_inner()
}

const LOSSLESS: [ImageFormat; 4] =
    [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Tiff, ImageFormat::WebP];

#[test]
fn lossless_formats_return_the_same_pixels() {
    let picture = flag(31, 17);
    for format in LOSSLESS {
        let back = decode(&encoded(&picture, format), &Limits::default()).unwrap();
        assert!(back == picture, "{format:?} changed the pixels");
    }
}

#[test]
fn a_jpeg_returns_nearly_the_same_pixels() {
    let picture = flag(64, 48);
    let back = decode(&picture.to_jpeg(95), &Limits::default()).unwrap();
    assert_eq!((back.width, back.height), (64, 48));
    let [red, _, blue] = back.pixel(8, 24);
    assert!(red > 180 && blue < 40, "left half came back as {red}/{blue}");
}

/// An EXIF block of one tag (orientation) put behind the start marker of a JPEG.
fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let exif = [b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0", &[orientation][..]]
        .concat();
    let exif = [&exif[..], &[0, 0, 0, 0, 0, 0]].concat();
    let length = (exif.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
}

#[test]
fn exif_turns_the_picture_upright_and_is_dropped() {
    let jpeg = turned(&flag(64, 32).to_jpeg(95), 6);
    let back = decode(&jpeg, &Limits::default()).unwrap();
    assert_eq!((back.width, back.height), (32, 64));
    let [red, _, blue] = back.pixel(10, 10);
    assert!(red > 150 && blue < 80, "red half must be on top, got {red}/{blue}");
    assert!(!back.to_jpeg(90).windows(4).any(|four| four == b"Exif"));
}

#[test]
fn a_text_file_called_jpg_is_refused_in_a_sentence() {
    let error = decode(b"Dear teacher, here is my face.", &Limits::default()).unwrap_err();
    assert_eq!(error, ImageError::NotAPicture);
    assert!(error.to_string().contains("JPEG, PNG, BMP, TIFF or WebP"));
    assert_eq!(decode(b"", &Limits::default()), Err(ImageError::Empty));
}

#[test]
fn a_cut_jpeg_is_called_cut_even_with_a_whole_thumbnail() {
    let jpeg = flag(200, 200).to_jpeg(90);
    let thumbnail = [&[0xff, 0xe2, 0, 6][..], &[0xff, 0xd9, 0, 0]].concat();
    let jpeg = [&jpeg[..2], &thumbnail, &jpeg[2..]].concat();
    assert!(decode(&jpeg, &Limits::default()).is_ok());
    for keep in [jpeg.len() / 3, jpeg.len() - 2] {
        let error = decode(&jpeg[..keep], &Limits::default()).unwrap_err();
        assert_eq!(error, ImageError::Truncated { format: "JPEG" });
    }
}

#[test]
fn cut_files_of_the_other_formats_are_refused() {
    for format in LOSSLESS {
        let bytes = encoded(&flag(64, 64), format);
        let error = decode(&bytes[..bytes.len() / 2], &Limits::default()).unwrap_err();
        assert!(
            matches!(error, ImageError::Truncated { .. } | ImageError::Broken { .. }),
            "{format:?}: {error}"
        );
    }
}

/// A PNG that promises `side`×`side` pixels and brings none.
fn hollow_png(side: u32) -> Vec<u8> {
    let mut png = encoded(&flag(8, 8), ImageFormat::Png);
    png[16..20].copy_from_slice(&side.to_be_bytes());
    png[20..24].copy_from_slice(&side.to_be_bytes());
    let crc = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    png
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    })
}

#[test]
fn fifty_thousand_pixels_square_are_refused_before_decoding() {
    let started = std::time::Instant::now();
    let error = decode(&hollow_png(50_000), &Limits::default()).unwrap_err();
    assert_eq!(error, ImageError::TooLarge { width: 50_000, height: 50_000 });
    assert!(started.elapsed().as_secs() < 1, "refused only after {:?}", started.elapsed());
}

#[test]
fn bytes_pixels_and_sides_each_have_a_limit() {
    let png = encoded(&flag(40, 30), ImageFormat::Png);
    let few = |limits: Limits| decode(&png, &limits).unwrap_err();
    let all = Limits::default();
    let bytes = few(Limits { bytes: png.len() - 1, ..all });
    assert_eq!(bytes, ImageError::TooManyBytes { got: png.len(), most: png.len() - 1 });
    let large = ImageError::TooLarge { width: 40, height: 30 };
    assert_eq!(few(Limits { pixels: 1199, ..all }), large);
    assert_eq!(few(Limits { side: 39, ..all }), large);
    assert_eq!(few(Limits { alloc: 3599, ..all }), large);
}

#[test]
fn a_crop_keeps_what_lies_inside() {
    let picture = flag(10, 10);
    let corner = picture.crop(-3, -3, 5, 6).unwrap();
    assert_eq!((corner.width, corner.height), (2, 3));
    assert_eq!(corner.pixel(1, 2), picture.pixel(1, 2));
    assert!(picture.crop(10, 0, 5, 5).is_none());
    assert!(picture.crop(i64::MIN, i64::MAX, u32::MAX, u32::MAX).is_none());
    assert!(picture.crop(0, 0, u32::MAX, u32::MAX).unwrap() == picture);
}

#[test]
fn resizing_averages_and_keeps_a_flat_picture_flat() {
    let flat = Picture::new(9, 7, [90, 120, 30].repeat(63)).unwrap();
    for (width, height) in [(3, 2), (40, 31), (1, 1), (0, 0)] {
        let other = flat.resized(width, height);
        assert!(other.rgb.chunks(3).all(|pixel| pixel == [90, 120, 30]));
        assert_eq!(other.rgb.len(), (width.max(1) * height.max(1) * 3) as usize);
    }
}

#[test]
fn a_jpeg_fits_the_bytes_it_is_given() {
    let noise = (0..400u32 * 400 * 3).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8);
    let noise = Picture::new(400, 400, noise.collect()).unwrap();
    for most in [100_000, 12 * 1024, 2_000] {
        let jpeg = noise.jpeg_within(most).unwrap();
        assert!(jpeg.len() <= most && decode(&jpeg, &Limits::default()).is_ok());
    }
    assert_eq!(noise.jpeg_within(100), None);
}

#[test]
fn a_picture_has_the_bytes_its_size_says() {
    assert!(Picture::new(2, 2, vec![0; 12]).is_ok());
    assert!(Picture::new(2, 2, vec![0; 11]).is_err());
    assert!(Picture::new(0, 2, vec![]).is_err());
    assert!(Picture::new(u32::MAX, u32::MAX, vec![0; 3]).is_err());
}

fn samples() -> Vec<Vec<u8>> {
    let mut all: Vec<_> = LOSSLESS.iter().map(|&format| encoded(&flag(24, 18), format)).collect();
    all.push(turned(&flag(24, 18).to_jpeg(80), 5));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn mutated_pictures_never_panic(
        which in 0usize..5,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..24),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let mut bytes = samples().swap_remove(which);
        for (at, value) in edits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let limits = Limits { pixels: 1_000_000, alloc: 16 << 20, ..Limits::default() };
        if let Ok(picture) = decode(&bytes, &limits) {
            prop_assert!(u64::from(picture.width) * u64::from(picture.height) <= limits.pixels);
            prop_assert_eq!(picture.rgb.len(), (picture.width * picture.height * 3) as usize);
        }
    }

    #[test]
    fn arbitrary_bytes_behind_a_magic_never_panic(
        magic in prop::sample::select(vec![
            &b"\xff\xd8\xff"[..], b"\x89PNG\r\n\x1a\n", b"BM", b"II*\0", b"MM\0*", b"RIFF\x40\0\0\0WEBP",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..512),
    ) {
        let limits = Limits { pixels: 1_000_000, alloc: 16 << 20, ..Limits::default() };
        let _ = decode(&[magic, &rest].concat(), &limits);
    }
}
