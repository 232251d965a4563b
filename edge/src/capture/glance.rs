//! What a camera gives, without looking for anybody in it: how many frames, how often, how late.

use super::{Frame, Pixels};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use vision::Picture;
use wire::Mono;

/// Frames of which times are kept, at most: half a minute.
const MOST: usize = 1_000;

/// What came while somebody watched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Glance {
    /// For how long, milliseconds.
    pub ms: u64,
    /// Until the first frame, milliseconds; nothing if none came.
    pub first_ms: Option<u64>,
    /// Frames that came.
    pub frames: u64,
    /// Of these, the same as the one before, to the last bit.
    pub copies: u64,
    /// From one frame to the next, milliseconds, by the time they came.
    pub gaps_ms: Vec<u64>,
    /// From the moment that the camera says it took it to the moment that it was here.
    pub ages_ms: Vec<u64>,
}

impl Glance {
    /// Frames a second, from the first on.
    #[must_use]
    pub fn rate(&self) -> f32 {
        let ms: u64 = self.gaps_ms.iter().sum();
        if ms == 0 { 0.0 } else { self.gaps_ms.len() as f32 * 1_000.0 / ms as f32 }
    }
}

/// How the bytes of a frame are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A whole JPEG, or what else the decoder knows.
    Encoded,
    /// See [`Pixels::Yuyv`].
    Yuyv(u32, u32),
    /// Three bytes a pixel.
    Rgb(u32, u32),
}

impl Pixels {
    /// As bytes, and how they are to be read.
    #[must_use]
    pub fn to_bytes(&self) -> (Form, Vec<u8>) {
        match self {
            Self::Encoded(bytes) => (Form::Encoded, bytes.clone()),
            Self::Yuyv { width, height, bytes } => (Form::Yuyv(*width, *height), bytes.clone()),
            Self::Rgb(picture) => (Form::Rgb(picture.width, picture.height), picture.rgb.clone()),
        }
    }

    /// What [`Pixels::to_bytes`] gave; nothing if it is something else.
    #[must_use]
    pub fn from_bytes(form: Form, bytes: Vec<u8>) -> Option<Self> {
        match form {
            Form::Encoded => Some(Self::Encoded(bytes)),
            Form::Yuyv(width, height) => Some(Self::Yuyv { width, height, bytes }),
            Form::Rgb(width, height) => Picture::new(width, height, bytes).ok().map(Self::Rgb),
        }
    }
}

/// Watches, frame by frame.
#[derive(Debug)]
pub struct Glancer {
    began: Mono,
    came: Option<Mono>,
    newest: Option<Arc<Frame>>,
    glance: Glance,
}

impl Glancer {
    /// From now on.
    #[must_use]
    pub fn new(now: Mono) -> Self {
        Self { began: now, came: None, newest: None, glance: Glance::default() }
    }

    /// A frame came.
    pub fn see(&mut self, frame: &Arc<Frame>, now: Mono) {
        let glance = &mut self.glance;
        glance.frames += 1;
        glance.first_ms.get_or_insert(now.since(self.began));
        glance.copies += u64::from(self.newest.as_ref().is_some_and(|old| frame.is_copy_of(old)));
        if glance.ages_ms.len() < MOST {
            glance.ages_ms.push(now.since(frame.at));
            glance.gaps_ms.extend(self.came.map(|before| now.since(before)));
        }
        self.came = Some(now);
        self.newest = Some(frame.clone());
    }

    /// What came until now, and the newest frame.
    #[must_use]
    pub fn done(self, now: Mono) -> (Glance, Option<Arc<Frame>>) {
        (Glance { ms: now.since(self.began), ..self.glance }, self.newest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glance_counts_frames_their_copies_and_how_late_they_are() {
        let frame = |at, byte| Arc::new(Frame::new(Mono(at), Pixels::Encoded(vec![byte])));
        let mut watch = Glancer::new(Mono(100));
        watch.see(&frame(120, 1), Mono(150));
        watch.see(&frame(180, 1), Mono(230));
        watch.see(&frame(260, 2), Mono(310));
        let (glance, newest) = watch.done(Mono(400));
        assert_eq!(
            (glance.ms, glance.first_ms, glance.frames, glance.copies),
            (300, Some(50), 3, 1)
        );
        assert_eq!((glance.gaps_ms, glance.ages_ms), (vec![80, 80], vec![30, 50, 50]));
        assert_eq!(newest.unwrap().at, Mono(260));
        assert_eq!(Glancer::new(Mono(5)).done(Mono(9)).0, Glance { ms: 4, ..Glance::default() });
    }

    #[test]
    fn a_frame_of_each_form_goes_through_bytes_and_nonsense_does_not() {
        let rgb = Picture::new(2, 1, vec![7; 6]).unwrap();
        let yuyv = Pixels::Yuyv { width: 2, height: 1, bytes: vec![9; 4] };
        for pixels in [Pixels::Encoded(vec![1, 2]), yuyv, Pixels::Rgb(rgb)] {
            let (form, bytes) = pixels.to_bytes();
            assert_eq!(Pixels::from_bytes(form, bytes.clone()).unwrap().to_bytes(), (form, bytes));
        }
        assert!(Pixels::from_bytes(Form::Rgb(9, 9), vec![0]).is_none());
    }
}
