//! Joins faces over frames: which of them are the same person walking by.
//!
//! Likeness decides and place helps: where two people cross, their boxes swap within a frame or
//! two and their faces do not. A passage cut in two costs nothing (the visit joins it by name); two
//! people joined into one would cost a record, so in doubt a face starts a track of its own.

use std::sync::Arc;
use vision::{Cut, Picture, Rect, Scale, Template};
use wire::{Mono, Quality, Reason};

/// Where likeness alone does not decide, the box of a face must overlap that of the last frame by
/// this much.
const OVERLAP: f32 = 0.3;
/// What a full overlap is worth, in bands of the scale.
const PLACE: f32 = 1.5;
/// A face that overlaps the box of the last frame by this much, with nobody near, is still who it
/// was: somebody else's would stand out by place or size, or have been seen beside it first.
const STILL: f32 = 0.6;
/// From that frame on for so long, milliseconds: time for half a step.
const STILL_MS: u64 = 400;
/// Frames in a row that may be taken for still; the next face is compared again.
const UNSEEN: u32 = 3;
/// Looks a track keeps; the poorest goes first.
const LOOKS: usize = 12;

/// One face in one frame, good enough to be compared.
#[derive(Clone, Debug)]
pub struct Look {
    /// Number of the frame, rising.
    pub frame: u64,
    /// When the frame was taken.
    pub at: Mono,
    /// Where the face is.
    pub rect: Rect,
    /// What it looks like, without its mirror image.
    pub template: Template,
    /// What its mirror image looks like, once that was asked for: most looks are never the best.
    pub mirror: Option<Template>,
    /// The face as the embedder sees it.
    pub cut: Arc<Cut>,
    /// How good the look is.
    pub quality: Quality,
    /// What speaks against it, if it is good enough only for a person to decide.
    pub reasons: Vec<Reason>,
    /// Its weight among others, above 0.
    pub weight: f32,
    /// The face, cut out.
    pub crop: Arc<Picture>,
}

impl Look {
    /// Whether nothing speaks against it.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.reasons.is_empty()
    }

    fn place(&self) -> Place {
        Place { frame: self.frame, at: self.at, rect: self.rect }
    }
}

/// Number of a track, unique while the daemon runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackId(pub u64);

/// One person over several frames, as far as anybody can tell.
#[derive(Clone, Debug)]
pub struct Track {
    /// Its number.
    pub id: TrackId,
    /// The looks kept, at least one, in the order they came.
    pub looks: Vec<Look>,
    /// Every frame it was seen in lately.
    frames: Vec<u64>,
    last: Look,
    /// Where it was last, looked at or taken for still.
    place: Place,
    /// Frames in a row that it was taken for still.
    unseen: u32,
}

/// A face in a frame, whoever it is.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Number of the frame, rising.
    pub frame: u64,
    /// When the frame was taken.
    pub at: Mono,
    /// Where the face is.
    pub rect: Rect,
}

impl Track {
    /// The look with the greatest weight.
    #[must_use]
    pub fn best(&self) -> &Look {
        let best = self.looks.iter().max_by(|a, b| a.weight.total_cmp(&b.weight));
        best.expect("a track has at least one look")
    }

    /// The looks that count: good ones only; where there is none, those that are good enough for a
    /// person to decide.
    pub fn telling(&self) -> impl Iterator<Item = &Look> {
        let is_any_good = self.looks.iter().any(Look::is_good);
        self.looks.iter().filter(move |look| look.is_good() || !is_any_good)
    }

    /// The best of the looks that count.
    #[must_use]
    pub fn clearest(&self) -> &Look {
        let best = self.telling().max_by(|a, b| a.weight.total_cmp(&b.weight));
        best.expect("a track has at least one look")
    }

    /// Whether both were seen in one frame, and so are two people.
    #[must_use]
    pub fn is_beside(&self, other: &Self) -> bool {
        self.id != other.id && self.frames.iter().any(|frame| other.frames.contains(frame))
    }

    /// Where it was seen last.
    #[must_use]
    pub fn place(&self) -> Rect {
        self.place.rect
    }

    /// When it was seen last.
    #[must_use]
    pub fn seen(&self) -> Mono {
        self.place.at
    }

    fn new(id: TrackId, look: Look) -> Self {
        let (place, frames) = (look.place(), vec![look.frame]);
        Self { id, looks: vec![look.clone()], frames, place, last: look, unseen: 0 }
    }

    /// Whether `place` is this face where it was a moment ago.
    fn is_still(&self, place: &Place) -> bool {
        self.unseen < UNSEEN
            && place.frame == self.place.frame + 1
            && place.at.since(self.place.at) <= STILL_MS
            && self.place.rect.iou(&place.rect) >= STILL
    }

    fn touch(&mut self, place: Place) {
        self.frames.push(place.frame);
        self.place = place;
        self.unseen += 1;
        self.forget();
    }

    fn forget(&mut self) {
        if self.frames.len() > 4 * LOOKS {
            self.frames.remove(0);
        }
    }

    /// How well `look` continues the track; `None` if it does not.
    fn fit(&self, look: &Look, scale: &Scale) -> Option<f32> {
        if self.place.frame == look.frame {
            return None;
        }
        let likeness = [&self.last, self.best()].map(|known| known.template.cosine(&look.template));
        let likeness = likeness[0].max(likeness[1]);
        let overlap = self.place.rect.iou(&look.rect);
        let joins = likeness >= scale.same() || (likeness >= scale.near() && overlap >= OVERLAP);
        joins.then_some(likeness + PLACE * scale.band() * overlap)
    }

    fn join(&mut self, look: Look) {
        self.frames.push(look.frame);
        (self.place, self.unseen) = (look.place(), 0);
        self.last = look.clone();
        self.looks.push(look);
        if self.looks.len() > LOOKS {
            let poorest = (0..self.looks.len())
                .min_by(|a, b| self.looks[*a].weight.total_cmp(&self.looks[*b].weight));
            self.looks.remove(poorest.expect("it has looks"));
        }
        self.forget();
    }
}

/// All tracks that may go on.
#[derive(Debug)]
pub struct Tracker {
    tracks: Vec<Track>,
    next: u64,
    gap_ms: u64,
    scale: Scale,
}

impl Tracker {
    /// A tracker that lets go of a face unseen for `gap_ms`, of templates whose cosines mean what
    /// `scale` says.
    #[must_use]
    pub fn new(gap_ms: u64, scale: Scale) -> Self {
        Self { tracks: Vec::new(), next: 1, gap_ms, scale }
    }

    /// Goes on with templates of another model. Those of the old one must have been let go.
    pub fn change(&mut self, scale: Scale) {
        self.scale = scale;
    }

    /// Which of the faces of one frame are still where `may` be still, each track at most once: for
    /// these there is nothing new to see.
    #[must_use]
    pub fn still(&self, faces: &[Place], may: impl Fn(TrackId) -> bool) -> Vec<Option<TrackId>> {
        let is_alone = |n: usize| {
            let others = faces.iter().enumerate().filter(|(other, _)| *other != n);
            others.map(|(_, face)| face.rect).all(|rect| !is_near(&faces[n].rect, &rect))
        };
        let who = |n: usize| {
            let near = |track: &&Track| is_near(&faces[n].rect, &track.place.rect);
            // Whoever else was here lately may be back.
            let [track] = self.tracks.iter().filter(near).collect::<Vec<_>>()[..] else {
                return None;
            };
            (track.is_still(&faces[n]) && may(track.id) && is_alone(n)).then_some(track.id)
        };
        (0..faces.len()).map(who).collect()
    }

    /// The face of track `id` is still there.
    pub fn touch(&mut self, id: TrackId, place: Place) {
        if let Some(track) = self.tracks.iter_mut().find(|track| track.id == id) {
            track.touch(place);
        }
    }

    /// The mirror image of the best look of track `id` is `template`.
    pub fn reflect(&mut self, id: TrackId, template: Template) {
        let Some(track) = self.tracks.iter_mut().find(|track| track.id == id) else { return };
        let frame = track.clearest().frame;
        if let Some(best) = track.looks.iter_mut().find(|look| look.frame == frame) {
            best.mirror = Some(template);
        }
    }

    /// Takes all looks of one frame. Each goes to one track, and each track gets at most one.
    pub fn step(&mut self, looks: Vec<Look>) {
        let mut fits: Vec<(f32, usize, usize)> = Vec::new();
        for (l, look) in looks.iter().enumerate() {
            let fit = |(t, track): (usize, &Track)| Some((track.fit(look, &self.scale)?, t, l));
            fits.extend(self.tracks.iter().enumerate().filter_map(fit));
        }
        fits.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut track_of = vec![None; looks.len()];
        let mut taken = vec![false; self.tracks.len()];
        for (_, t, l) in fits {
            if track_of[l].is_none() && !taken[t] {
                (track_of[l], taken[t]) = (Some(t), true);
            }
        }
        for (look, t) in looks.into_iter().zip(track_of) {
            match t {
                Some(t) => self.tracks[t].join(look),
                None => self.begin(look),
            }
        }
    }

    fn begin(&mut self, look: Look) {
        self.tracks.push(Track::new(TrackId(self.next), look));
        self.next += 1;
    }

    /// The tracks that may go on, oldest first.
    #[must_use]
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// Lets go of the tracks not seen for too long, and returns them.
    pub fn end(&mut self, now: Mono) -> Vec<Track> {
        let gap_ms = self.gap_ms;
        self.tracks.extract_if(.., |track| now.since(track.seen()) > gap_ms).collect()
    }

    /// Lets go of all tracks, and returns them.
    pub fn end_all(&mut self) -> Vec<Track> {
        std::mem::take(&mut self.tracks)
    }
}

/// Whether two faces are so near to each other that one might be taken for the other: their boxes
/// meet if each is half as large again.
fn is_near(a: &Rect, b: &Rect) -> bool {
    let grown = |rect: &Rect| Rect {
        left: rect.left - rect.width() / 4.0,
        top: rect.top - rect.height() / 4.0,
        right: rect.right + rect.width() / 4.0,
        bottom: rect.bottom + rect.height() / 4.0,
    };
    grown(a).iou(&grown(b)) > 0.0
}

#[cfg(test)]
mod tests;
