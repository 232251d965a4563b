//! Cuts a byte stream of JPEGs, one after another, into pictures.
//!
//! An end marker inside a segment (a thumbnail in EXIF) is no end: segments are skipped by their
//! length, and only entropy-coded data is searched for markers. Garbage between pictures, and
//! pictures that never end, are dropped and counted.

/// A picture larger than this is no picture.
const MOST: usize = 8 << 20;

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;

/// Bytes in, JPEGs out.
#[derive(Debug, Default)]
pub struct Splitter {
    /// From the start of a picture on, or a tail in which one may start.
    buffer: Vec<u8>,
    /// Everything before this is understood.
    at: usize,
    place: Place,
    dropped: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Place {
    /// Between pictures.
    #[default]
    Outside,
    /// A marker is due.
    Marker,
    /// In entropy-coded data.
    Scan,
}

enum Step {
    /// Go on looking.
    On,
    /// More bytes are needed.
    Wait,
    /// A picture ends before `at`.
    End,
    /// This is no JPEG after all.
    Broken,
}

impl Splitter {
    /// Takes the next bytes, cut anywhere; returns the pictures they complete.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<Vec<u8>> {
        self.buffer.extend_from_slice(chunk);
        let mut pictures = Vec::new();
        loop {
            match self.step() {
                Step::On => {}
                Step::End => pictures.push(self.take()),
                Step::Broken => self.resync(),
                Step::Wait if self.place != Place::Outside && self.buffer.len() > MOST => {
                    self.resync();
                }
                Step::Wait => return pictures,
            }
        }
    }

    /// Pictures begun and given up.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn step(&mut self) -> Step {
        match self.place {
            Place::Outside => self.search(),
            Place::Marker => self.marker(),
            Place::Scan => self.scan(),
        }
    }

    /// Looks for a start marker, keeping only what may be the beginning of one.
    fn search(&mut self) -> Step {
        let Some(start) = self.buffer.windows(3).position(|w| w == [0xff, SOI, 0xff]) else {
            let keep = self.buffer.len().min(2);
            self.buffer.drain(..self.buffer.len() - keep);
            return Step::Wait;
        };
        self.buffer.drain(..start);
        (self.at, self.place) = (2, Place::Marker);
        Step::On
    }

    fn marker(&mut self) -> Step {
        let Some(&[lead, code]) =
            self.buffer.get(self.at..self.at + 2).and_then(<[u8]>::first_chunk)
        else {
            return Step::Wait;
        };
        match (lead, code) {
            (0xff, 0xff) => self.at += 1,
            (0xff, EOI) => return self.end(),
            (0xff, 0x01 | 0xd0..=0xd7) => self.at += 2,
            (0xff, 0x02..=0xbf | SOI) | (..=0xfe, _) | (0xff, 0) => return Step::Broken,
            (0xff, code) => return self.segment(code),
        }
        Step::On
    }

    fn segment(&mut self, code: u8) -> Step {
        let Some(&[high, low]) =
            self.buffer.get(self.at + 2..self.at + 4).and_then(<[u8]>::first_chunk)
        else {
            return Step::Wait;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length < 2 {
            return Step::Broken;
        }
        if self.buffer.len() < self.at + 2 + length {
            return Step::Wait;
        }
        self.at += 2 + length;
        self.place = if code == SOS { Place::Scan } else { Place::Marker };
        Step::On
    }

    /// Runs through entropy-coded data up to a marker that is neither stuffing nor a restart.
    fn scan(&mut self) -> Step {
        while let Some(&[lead, code]) =
            self.buffer.get(self.at..self.at + 2).and_then(<[u8]>::first_chunk)
        {
            match (lead, code) {
                (0xff, 0x00 | 0xd0..=0xd7) => self.at += 2,
                (0xff, 0xff) => self.at += 1,
                (0xff, _) => {
                    self.place = Place::Marker;
                    return Step::On;
                }
                _ => self.at += 1,
            }
        }
        Step::Wait
    }

    fn end(&mut self) -> Step {
        self.at += 2;
        Step::End
    }

    fn take(&mut self) -> Vec<u8> {
        let rest = self.buffer.split_off(self.at);
        (self.at, self.place) = (0, Place::Outside);
        std::mem::replace(&mut self.buffer, rest)
    }

    /// Gives up the picture begun and looks for the next start after its own.
    fn resync(&mut self) {
        self.dropped += 1;
        self.buffer.drain(..2);
        (self.at, self.place) = (0, Place::Outside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A real JPEG, and the same with a thumbnail (start and end marker) in an APP1 segment.
    fn jpegs() -> [Vec<u8>; 2] {
        let rgb = (0..48 * 32 * 3).map(|n| (n * 7 % 251) as u8).collect();
        let plain = vision::Picture::new(48, 32, rgb).unwrap().to_jpeg(80);
        let thumbnail = [&[0xff, 0xe1, 0x00, 0x0a][..], &[0xff, 0xd8, 0xff, 0xd9, 1, 2, 3, 4]];
        let fat = [&plain[..2], &thumbnail.concat(), &plain[2..]].concat();
        [plain, fat]
    }

    fn split(chunks: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Vec<Vec<u8>> {
        let mut splitter = Splitter::default();
        chunks.into_iter().flat_map(|chunk| splitter.push(chunk.as_ref())).collect()
    }

    #[test]
    fn an_end_marker_in_a_thumbnail_is_no_end() {
        let [plain, fat] = jpegs();
        assert_eq!(split([[fat.clone(), plain.clone()].concat()]), [fat, plain]);
    }

    #[test]
    fn a_picture_that_was_cut_short_costs_only_itself() {
        let [plain, fat] = jpegs();
        let cut = &plain[..plain.len() / 2];
        let found = split([[&fat, cut, &plain, &fat].concat()]);
        assert_eq!(found.first(), Some(&fat));
        assert_eq!(found.last(), Some(&fat), "the stream is understood again");
    }

    #[test]
    fn a_stream_without_any_end_is_given_up_at_the_limit() {
        let mut splitter = Splitter::default();
        let head = &jpegs()[0];
        splitter.push(&head[..head.len() - 2]);
        for _ in 0..=MOST / 65_536 {
            assert_eq!(splitter.push(&[0x55; 65_536]).len(), 0);
        }
        assert_eq!(splitter.dropped(), 1);
        assert!(splitter.buffer.len() < 65_536);
        assert_eq!(splitter.push(head).len(), 1);
    }

    proptest! {
        #[test]
        fn pictures_come_out_whole_however_the_stream_is_cut(
            order in prop::collection::vec(0usize..2, 1..6),
            cuts in prop::collection::vec(1usize..300, 1..40),
            noise in prop::collection::vec(0u8..0xff, 0..50),
        ) {
            let pictures: Vec<_> = order.iter().map(|&n| jpegs()[n].clone()).collect();
            let mut stream = noise.clone();
            pictures.iter().for_each(|p| { stream.extend(p); stream.extend(&noise); });
            let (mut rest, mut chunks, mut cuts) = (&stream[..], vec![], cuts.iter().cycle());
            while !rest.is_empty() {
                let (chunk, later) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
                chunks.push(chunk);
                rest = later;
            }
            prop_assert_eq!(split(chunks), pictures);
        }

        #[test]
        fn no_bytes_panic_or_pile_up(
            chunks in prop::collection::vec(prop::collection::vec(prop::sample::select(
                vec![0u8, 1, 2, 0xc0, 0xd0, 0xd8, 0xd9, 0xda, 0xe1, 0xff]), 0..200), 0..30)
        ) {
            let mut splitter = Splitter::default();
            for chunk in chunks {
                for picture in splitter.push(&chunk) {
                    prop_assert!(picture.starts_with(&[0xff, 0xd8, 0xff]));
                    prop_assert!(picture.ends_with(&[0xff, 0xd9]));
                }
            }
        }
    }
}
