//! Bytes from a camera, a browser or a file become a [`Picture`]: upright, RGB, nothing else.
//!
//! The bytes are hostile until decoded: the format is read from them and never from a name, the
//! size is checked before a pixel is touched, and whatever rode along (EXIF, colour profile,
//! thumbnail, further frames) is dropped once the picture stands upright.

use image::{
    DynamicImage, ExtendedColorType, ImageBuffer, ImageDecoder, ImageEncoder, ImageFormat,
    ImageReader, Rgb, codecs::jpeg::JpegEncoder, imageops, metadata::Orientation,
};
use std::{
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Why bytes did not become a picture. Each message can be shown to the person who sent them.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ImageError {
    /// More bytes than [`Limits::bytes`].
    #[error("the picture file has {got} bytes; at most {most} are taken: send a smaller copy")]
    TooManyBytes {
        /// What came.
        got: usize,
        /// What is allowed.
        most: usize,
    },
    /// No byte at all.
    #[error("the picture file is empty: send a JPEG, PNG, BMP, TIFF or WebP picture")]
    Empty,
    /// The first bytes are those of none of the five formats.
    #[error("this is not a picture we can read: send a JPEG, PNG, BMP, TIFF or WebP picture")]
    NotAPicture,
    /// Wider, higher or more pixels than allowed; said before decoding.
    #[error("the picture is {width}×{height} pixels, more than is taken: send a smaller copy")]
    TooLarge {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// The file ends before the picture does.
    #[error("the {format} picture is cut short (the end of the file is missing): send it again")]
    Truncated {
        /// The format's usual name.
        format: &'static str,
    },
    /// A JPEG that is painted over more often than any camera does.
    #[error("the JPEG picture is built of more than {SCANS} layers: save it anew")]
    Layers,
    /// The format is known, the content does not decode.
    #[error("the {format} picture is damaged and cannot be read: send another copy")]
    Broken {
        /// The format's usual name.
        format: &'static str,
    },
    /// Width, height and bytes handed over do not belong together.
    #[error("{width}×{height} RGB pixels do not have {bytes} bytes")]
    Shape {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Bytes given.
        bytes: usize,
    },
}

/// What a sender may make us allocate.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Encoded bytes.
    pub bytes: usize,
    /// Width × height.
    pub pixels: u64,
    /// Longest side in pixels.
    pub side: u32,
    /// Bytes a decoder may hold at once.
    pub alloc: u64,
}

impl Default for Limits {
    /// The limits of the HTTP contract: 10 MiB and 64 megapixels.
    fn default() -> Self {
        Self { bytes: 10 << 20, pixels: 64_000_000, side: 20_000, alloc: 512 << 20 }
    }
}

/// Layers of a JPEG at most: programs write 10, and each costs a walk over every pixel.
pub const SCANS: usize = 32;

/// Upright sRGB pixels, 8 bits a channel, rows from the top, no padding: `rgb` has `width × height
/// × 3` bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels across, at least 1.
    pub width: u32,
    /// Pixels down, at least 1.
    pub height: u32,
    /// Red, green, blue of each pixel in turn.
    pub rgb: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    /// The size only: pixels show faces, and faces do not belong in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}×{})", self.width, self.height)
    }
}

/// Reads one still picture: the first frame, turned upright.
///
/// # Errors
/// Anything that is not a whole JPEG, PNG, BMP, TIFF or WebP picture within `limits`.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Picture, ImageError> {
    let file = File::read_head(bytes, limits)?;
    file.safely(|| decode_as(&file, limits))
}

/// Bytes of memory that [`decode`] needs at most for this picture, by its head alone.
///
/// # Errors
/// As [`decode`]; `TooLarge` where it is more than [`Limits::alloc`].
pub fn weigh(bytes: &[u8], limits: &Limits) -> Result<u64, ImageError> {
    let file = File::read_head(bytes, limits)?;
    file.safely(|| open(&file, limits)).map(|(_, _, weight)| weight)
}

/// A picture file whose format is known.
struct File<'a> {
    bytes: &'a [u8],
    format: ImageFormat,
    /// Layers of a JPEG; 1 for the others.
    scans: usize,
}

impl<'a> File<'a> {
    fn read_head(bytes: &'a [u8], limits: &Limits) -> Result<Self, ImageError> {
        if bytes.is_empty() {
            return Err(ImageError::Empty);
        }
        if bytes.len() > limits.bytes {
            return Err(ImageError::TooManyBytes { got: bytes.len(), most: limits.bytes });
        }
        let format = sniff(bytes).ok_or(ImageError::NotAPicture)?;
        let scans = match format {
            ImageFormat::Jpeg => {
                jpeg_scans(bytes).ok_or(ImageError::Truncated { format: "JPEG" })?
            }
            _ => 1,
        };
        if scans > SCANS { Err(ImageError::Layers) } else { Ok(Self { bytes, format, scans }) }
    }

    /// The decoders are other people's code fed with hostile bytes: a panic there is bad input too.
    fn safely<T>(&self, work: impl FnOnce() -> Result<T, ImageError>) -> Result<T, ImageError> {
        let broken = ImageError::Broken { format: name(self.format) };
        catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(broken))
    }
}

/// A decoder that has read the head, how the picture must be turned, and its weight.
fn open<'a>(
    file: &File<'a>,
    limits: &Limits,
) -> Result<(impl ImageDecoder + use<'a>, Orientation, u64), ImageError> {
    let (format, bytes) = (file.format, file.bytes);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut allowed = image::Limits::default();
    allowed.max_alloc = Some(limits.alloc);
    reader.limits(allowed);
    let mut decoder = reader.into_decoder().map_err(|error| refusal(format, &error))?;
    let (width, height) = decoder.dimensions();
    if width > limits.side
        || height > limits.side
        || u64::from(width) * u64::from(height) > limits.pixels
        || decoder.total_bytes() > limits.alloc
    {
        return Err(ImageError::TooLarge { width, height });
    }
    let orientation = decoder.orientation().map_err(|error| refusal(format, &error))?;
    let turned = orientation != Orientation::NoTransforms;
    let pixels = u64::from(width) * u64::from(height);
    let weight = weight(file, pixels, decoder.total_bytes(), turned);
    if weight > limits.alloc {
        return Err(ImageError::TooLarge { width, height });
    }
    Ok((decoder, orientation, weight))
}

/// What the decoder writes, its own notes beside it, and the copies that follow.
fn weight(file: &File<'_>, pixels: u64, written: u64, turned: bool) -> u64 {
    let notes = match file.format {
        // Layers are gathered as numbers of 16 bits, three to a pixel.
        ImageFormat::Jpeg if file.scans > 1 => 6 * pixels,
        ImageFormat::Tiff => written,
        ImageFormat::WebP => 8 * pixels,
        _ => 0,
    };
    let (rgb, copy) = (3 * pixels, if turned { written } else { 0 });
    let converted = if written == rgb { 0 } else { rgb };
    written + notes.max(copy).max(converted)
}

fn decode_as(file: &File<'_>, limits: &Limits) -> Result<Picture, ImageError> {
    let format = file.format;
    let (decoder, orientation, _) = open(file, limits)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(|error| refusal(format, &error))?;
    image.apply_orientation(orientation);
    let image = image.into_rgb8();
    let (width, height) = image.dimensions();
    Picture::new(width, height, image.into_raw())
}

fn refusal(format: ImageFormat, error: &image::ImageError) -> ImageError {
    let format = name(format);
    match error {
        image::ImageError::IoError(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => {
            ImageError::Truncated { format }
        }
        _ => ImageError::Broken { format },
    }
}

/// The format by its first bytes, of the five we take.
fn sniff(bytes: &[u8]) -> Option<ImageFormat> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some(ImageFormat::Jpeg),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(ImageFormat::Png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(ImageFormat::WebP),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Some(ImageFormat::Tiff),
        [b'B', b'M', ..] if bytes.len() > 26 => Some(ImageFormat::Bmp),
        _ => None,
    }
}

fn name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Png => "PNG",
        ImageFormat::WebP => "WebP",
        ImageFormat::Tiff => "TIFF",
        _ => "BMP",
    }
}

/// The layers of a JPEG that reaches its end-of-image marker. The decoder would fill what is
/// missing with grey, and half a face is worse than none. Segments are walked, because an EXIF
/// thumbnail has an end marker of its own.
fn jpeg_scans(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut scans) = (2, 0);
    while let Some(&[lead, code]) = bytes.get(at..at + 2).and_then(<[u8]>::first_chunk) {
        match (lead, code) {
            (0xff, 0xd9) => return Some(scans),
            // Fill bytes, stuffed bytes, restarts and entropy-coded data lie between markers.
            (0xff, 0x00 | 0x01 | 0xd0..=0xd8) => at += 2,
            (0xff, 0xff) => at += 1,
            (0xff, code) => match bytes.get(at + 2..at + 4) {
                Some(&[high, low]) => {
                    scans += usize::from(code == 0xda);
                    at += 2 + usize::from(u16::from_be_bytes([high, low]));
                }
                _ => return None,
            },
            _ => at += 1,
        }
    }
    None
}

impl Picture {
    /// # Errors
    /// When there is no pixel, or not exactly `width × height × 3` bytes.
    pub fn new(width: u32, height: u32, rgb: Vec<u8>) -> Result<Self, ImageError> {
        let wanted = u128::from(width) * u128::from(height) * 3;
        if wanted == 0 || rgb.len() as u128 != wanted {
            return Err(ImageError::Shape { width, height, bytes: rgb.len() });
        }
        Ok(Self { width, height, rgb })
    }

    /// One pixel; the nearest one where `x` or `y` lies outside.
    #[must_use]
    pub fn pixel(&self, x: u32, y: u32) -> [u8; 3] {
        let (x, y) = (x.min(self.width - 1) as usize, y.min(self.height - 1) as usize);
        let at = (y * self.width as usize + x) * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }

    /// Another size, averaged when smaller and interpolated when larger. Sides are at least 1.
    #[must_use]
    pub fn resized(&self, width: u32, height: u32) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        let resized = imageops::resize(&self.view(), width, height, imageops::Triangle);
        Self { width, height, rgb: resized.into_raw() }
    }

    /// Turned clockwise by 90, 180 or 270 degrees; by any other angle it stays as it is.
    #[must_use]
    pub fn turned(self, degrees: u16) -> Self {
        let turned = match degrees {
            90 => imageops::rotate90(&self.view()),
            180 => imageops::rotate180(&self.view()),
            270 => imageops::rotate270(&self.view()),
            _ => return self,
        };
        Self { width: turned.width(), height: turned.height(), rgb: turned.into_raw() }
    }

    /// The part of the rectangle that lies in the picture; `None` if no pixel of it does.
    #[must_use]
    pub fn crop(&self, x: i64, y: i64, width: u32, height: u32) -> Option<Self> {
        let span = |at: i64, length: u32, side: u32| {
            let end = at.saturating_add(i64::from(length)).clamp(0, i64::from(side));
            let start = at.clamp(0, i64::from(side));
            (start as usize, (end - start).max(0) as usize)
        };
        let (left, across) = span(x, width, self.width);
        let (top, down) = span(y, height, self.height);
        if across == 0 || down == 0 {
            return None;
        }
        let row = |y: usize| (y * self.width as usize + left) * 3;
        let rgb = (top..top + down)
            .flat_map(|y| &self.rgb[row(y)..row(y) + across * 3])
            .copied()
            .collect();
        Some(Self { width: across as u32, height: down as u32, rgb })
    }

    /// A baseline JPEG without metadata, `quality` 1 to 100.
    #[must_use]
    pub fn to_jpeg(&self, quality: u8) -> Vec<u8> {
        let mut out = Vec::new();
        JpegEncoder::new_with_quality(&mut out, quality.clamp(1, 100))
            .write_image(&self.rgb, self.width, self.height, ExtendedColorType::Rgb8)
            .expect("writing RGB pixels of the right length to memory cannot fail");
        out
    }

    /// The best JPEG of at most `most` bytes: quality gives way first, then size. `None` only where
    /// not even a stamp of 8 pixels fits.
    #[must_use]
    pub fn jpeg_within(&self, most: usize) -> Option<Vec<u8>> {
        let mut picture = std::borrow::Cow::Borrowed(self);
        loop {
            let mut tries = [88, 80, 70, 60].into_iter().map(|quality| picture.to_jpeg(quality));
            if let Some(jpeg) = tries.find(|jpeg| jpeg.len() <= most) {
                return Some(jpeg);
            }
            let (width, height) = (picture.width * 3 / 4, picture.height * 3 / 4);
            if width.min(height) < 8 {
                return None;
            }
            picture = std::borrow::Cow::Owned(picture.resized(width, height));
        }
    }

    fn view(&self) -> ImageBuffer<Rgb<u8>, &[u8]> {
        ImageBuffer::from_raw(self.width, self.height, self.rgb.as_slice())
            .expect("a picture has as many bytes as its size says")
    }
}

#[cfg(test)]
mod tests;
