//! Who the tracks are: fuse the looks, compare, share out, decide. Pure.

use crate::{
    assign::{Left, assign},
    gallery::LoadedGallery,
    track::{Look, Track, TrackId},
};
use vision::decide::{LINES, is_ruled_out, lines_of};
use vision::{Decision, Facts, Grade, Template, decide};
use wire::{Candidate, Reason, Verdict, Wall};

/// People compared in detail; a sighting names at most five.
const NEAREST: usize = 8;

/// What the door makes of one track now.
#[derive(Clone, Debug)]
pub struct Opinion {
    /// Which track.
    pub track: TrackId,
    /// Sure, unsure or nobody, with the reasons.
    pub decision: Decision,
    /// The fused template.
    pub template: Template,
    /// Looks fused into it.
    pub frames: u16,
    /// The best of these looks.
    pub best: Look,
    /// Nearest score of all.
    pub nearest: Option<f32>,
}

/// Opinions on all tracks, in their order.
#[must_use]
pub fn judge(tracks: &[Track], gallery: Option<&LoadedGallery>, now: Option<Wall>) -> Vec<Opinion> {
    let fused: Vec<Fused<'_>> = tracks.iter().map(fuse).collect();
    let lists: Vec<_> = fused.iter().map(|fused| compare(fused, gallery, now)).collect();
    let left = assign(&lists, |a, b| tracks[a].is_beside(&tracks[b]));
    let parts = tracks.iter().zip(fused).zip(lists.iter().zip(left));
    parts
        .map(|((track, fused), (list, left))| opinion(track, fused, list, &left, gallery))
        .collect()
}

struct Fused<'a> {
    template: Template,
    frames: u16,
    grade: Grade,
    best: &'a Look,
}

/// The looks that count, and the mirror image of the best of those of which it is known.
fn fuse(track: &Track) -> Fused<'_> {
    let best = track.clearest();
    let grade = if best.is_good() { Grade::Accept } else { Grade::ReviewOnly };
    let reflected = track.telling().filter(|look| look.mirror.is_some());
    let mirror = reflected.max_by(|a, b| a.weight.total_cmp(&b.weight));
    let mirror = mirror.and_then(|look| look.mirror.as_ref());
    let glances = track.telling().map(|look| (&look.template, look.weight));
    // Only opposites cancel out, and opposites do not join a track; the best look stands for all.
    let template = Template::fused(glances, mirror).unwrap_or_else(|_| best.template.clone());
    let frames = u16::try_from(track.telling().count()).unwrap_or(u16::MAX);
    Fused { template, frames, grade, best }
}

/// Those due now come first: where one of them is a sure match, and nobody else is clearly more
/// alike, the rest of the gallery is not even a runner-up.
fn compare(
    fused: &Fused<'_>,
    gallery: Option<&LoadedGallery>,
    now: Option<Wall>,
) -> Vec<Candidate> {
    let Some(gallery) = gallery else { return Vec::new() };
    let all = gallery.nearest(&fused.template, NEAREST);
    let due = now.map(|now| gallery.nearest_due(&fused.template, NEAREST, now)).unwrap_or_default();
    let (Some(best), Some(best_due)) = (all.first(), due.first()) else { return all };
    let lines = &gallery.gallery.lines;
    let facts = facts(fused, &due, &[], false, Some(gallery));
    let sure = decide(&facts, lines).verdict == Verdict::High;
    if sure && best.score - best_due.score < lines.margin { due } else { all }
}

fn opinion(
    track: &Track,
    fused: Fused<'_>,
    list: &[Candidate],
    left: &Left,
    gallery: Option<&LoadedGallery>,
) -> Opinion {
    let mut doubts = fused.best.reasons.clone();
    doubts.extend(left.struck.then_some(Reason::CloseRunnerUp));
    let known = gallery.map(|gallery| Known::new(gallery, &left.candidates, fused.frames));
    doubts.extend(known.as_ref().and_then(|known| known.ruled_out.then_some(Reason::RuledOut)));
    let look_alike = known.is_some_and(|known| known.look_alike);
    let lines = gallery.map_or(LINES, |gallery| gallery.gallery.lines);
    let facts = facts(&fused, &left.candidates, &doubts, look_alike, gallery);
    let mut decision = decide(&facts, &lines);
    decision.reasons.sort();
    decision.reasons.dedup();
    Opinion {
        track: track.id,
        decision,
        frames: fused.frames,
        best: fused.best.clone(),
        nearest: list.first().map(|candidate| candidate.score),
        template: fused.template,
    }
}

fn facts<'a>(
    fused: &Fused<'_>,
    candidates: &'a [Candidate],
    doubts: &'a [Reason],
    look_alike: bool,
    gallery: Option<&LoadedGallery>,
) -> Facts<'a> {
    let usual = gallery.map_or(LINES, |gallery| lines_of(gallery.gallery.model.as_str()));
    Facts { candidates, frames: fused.frames, grade: fused.grade, doubts, look_alike, usual }
}

/// What people said before about the best candidate.
struct Known {
    look_alike: bool,
    ruled_out: bool,
}

impl Known {
    fn new(gallery: &LoadedGallery, candidates: &[Candidate], frames: u16) -> Self {
        let best = candidates.first().and_then(|best| gallery.row(best.student));
        let Some(best) = best else { return Self { look_alike: false, ruled_out: false } };
        let pairs = &gallery.gallery;
        // Somebody who was `seen` had been taken for the best candidate: they may come again.
        let again = |seen, not| {
            let rows = gallery.row(seen).zip(gallery.row(not));
            rows.is_some_and(|rows| pairs.cannot_link.contains(&rows))
        };
        Self {
            look_alike: pairs.look_alikes.iter().any(|(a, b)| *a == best || *b == best),
            ruled_out: is_ruled_out(candidates, frames, &pairs.lines, again),
        }
    }
}

#[cfg(test)]
mod tests;
