//! What the pipeline made of one burst: for `snap`, `replay` and tests. Ids only, no names.

use serde::{Deserialize, Serialize};
use vision::Picture;
use wire::{Candidate, Quality, Reason, Verdict};

/// What came of one burst.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Frames looked at.
    pub frames: usize,
    /// Of these, frames that could not be decoded, with the reason.
    pub bad_frames: Vec<String>,
    /// From the question to the first frame, milliseconds.
    pub wait_ms: u64,
    /// Recognising all frames, milliseconds.
    pub took_ms: u64,
    /// Version of the gallery, 0 if there was none.
    pub gallery: u64,
    /// The faces, one per person as far as anybody can tell.
    pub faces: Vec<Face>,
    /// Numbers of the records stored now.
    pub records: Vec<u64>,
    /// The last frame, for whoever asked to see it. Never stored or logged;
    /// the hub gets it only when it asks.
    #[serde(skip)]
    pub picture: Option<Picture>,
}

/// One person in a burst.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Face {
    /// Where, in the last frame that shows the face: left, top, right, bottom.
    pub rect: [f32; 4],
    /// What the door makes of it.
    pub verdict: Verdict,
    /// Best first; empty if unknown.
    pub candidates: Vec<Candidate>,
    /// Nearest score of all, whoever it is; absent without a gallery.
    pub nearest: Option<f32>,
    /// Of the first candidate, 0..=1.
    pub confidence: f32,
    /// Why it is not surer.
    pub reasons: Vec<Reason>,
    /// Of the best look.
    pub quality: Quality,
    /// Frames fused.
    pub frames: u16,
}

impl Report {
    /// One line for each thing worth knowing.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} in {} ({} ms), gallery {}",
            count(self.faces.len(), "face"),
            count(self.frames, "frame"),
            self.took_ms,
            if self.gallery == 0 { "none".to_owned() } else { self.gallery.to_string() },
        )];
        lines.extend(self.bad_frames.iter().map(|why| format!("skipped a frame: {why}")));
        lines.extend(self.faces.iter().map(Face::line));
        if !self.records.is_empty() {
            let numbers: Vec<_> = self.records.iter().map(u64::to_string).collect();
            lines.push(format!("recorded as {}", numbers.join(", ")));
        }
        lines
    }
}

impl Face {
    fn line(&self) -> String {
        let who = match (self.candidates.first(), self.nearest) {
            (Some(first), _) => format!("{} {:.3}", first.student, first.score),
            (None, Some(nearest)) => format!("nearest score {nearest:.3}"),
            (None, None) => "nobody to compare with".to_owned(),
        };
        let reasons: Vec<_> = self.reasons.iter().map(word).collect();
        format!(
            "{}: {who}, {}, {:.0} px between the eyes{}{}",
            word(&self.verdict),
            count(self.frames.into(), "fused frame"),
            self.quality.eye_px,
            if reasons.is_empty() { "" } else { ", because: " },
            reasons.join(", "),
        )
    }
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// A verdict or reason as the wire's JSON names it.
fn word(value: &impl Serialize) -> String {
    let json = serde_json::to_value(value).ok();
    json.and_then(|json| Some(json.as_str()?.replace('_', " "))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_is_told_in_a_line_with_an_id_and_no_name() {
        let face = Face {
            rect: [0.0; 4],
            verdict: Verdict::Review,
            candidates: vec![Candidate {
                student: "00000000-0000-7000-8000-000000000001".parse().unwrap(),
                score: 0.95,
            }],
            nearest: Some(0.95),
            confidence: 0.8,
            reasons: vec![Reason::BelowLine, Reason::SingleFrame],
            quality: Quality { eye_px: 41.6, ..Quality::default() },
            frames: 1,
        };
        let report = Report { frames: 1, took_ms: 31, faces: vec![face], ..Report::default() };
        assert_eq!(
            report.lines(),
            [
                "1 face in 1 frame (31 ms), gallery none",
                "review: 00000000-0000-7000-8000-000000000001 0.950, 1 fused frame, \
             42 px between the eyes, because: below line, single frame",
            ]
        );
    }
}
