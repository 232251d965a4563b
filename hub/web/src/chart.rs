//! Lines and bars of percentages as SVG: where each piece goes, nothing of what it means.
//!
//! A chart is always followed by its table, so a screen reader hears numbers, not shapes.

use rules::reports::Sums;

/// A day, a week or a month with what was recorded of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChartPart {
    /// In few letters, under the chart.
    pub short: String,
    /// In full, in the table.
    pub full: String,
    /// What was recorded.
    pub sums: Sums,
}

/// Width of a chart, in its own units.
pub const WIDTH: i64 = 400;
/// Height of a chart.
pub const HEIGHT: i64 = 200;
/// Where 100 per cent is.
const TOP: i64 = 12;
/// Where nothing is.
const BOTTOM: i64 = 168;
/// Where the first piece begins.
const LEFT: i64 = 52;
/// Where the last piece ends: half of its word stands beyond.
const RIGHT: i64 = 376;
/// Words under the chart at most.
const WORDS: usize = 5;

/// A piece of a chart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChartPiece {
    /// Its middle, from the left.
    pub x: i64,
    /// Its top.
    pub y: i64,
    /// From its left edge to its right, for a bar.
    pub width: i64,
    /// Down to nothing.
    pub height: i64,
    /// The word under it; not every piece has one.
    pub word: Option<String>,
}

impl ChartPiece {
    /// The left edge of its bar.
    #[must_use]
    pub fn left(&self) -> i64 {
        self.x - self.width / 2
    }
}

/// Where so many per cent are.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "0..=100 per cent of 156 units")]
pub fn height_of(percent: f64) -> i64 {
    let up = percent.clamp(0.0, 100.0) / 100.0 * (BOTTOM - TOP) as f64;
    BOTTOM - up.round() as i64
}

/// Where each of `parts` goes, from the left to the right.
#[must_use]
pub fn pieces(parts: &[ChartPart]) -> Vec<ChartPiece> {
    let n = i64::try_from(parts.len()).unwrap_or(i64::MAX).max(1);
    let room = RIGHT - LEFT;
    let every = parts.len().div_ceil(WORDS).max(1);
    let piece = |(at, part): (usize, &ChartPart)| {
        let y = height_of(part.sums.attended().percent());
        let at_ = i64::try_from(at).unwrap_or(0);
        ChartPiece {
            x: LEFT + (2 * at_ + 1) * room / (2 * n),
            y,
            width: (room * 3 / (5 * n)).clamp(2, 56),
            height: BOTTOM - y,
            word: (at % every == 0).then(|| part.short.clone()),
        }
    };
    parts.iter().enumerate().map(piece).collect()
}

/// The line through the tops of `pieces`, as a polyline's points.
#[must_use]
pub fn line(pieces: &[ChartPiece]) -> String {
    let points: Vec<_> = pieces.iter().map(|piece| format!("{},{}", piece.x, piece.y)).collect();
    points.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part(present: i64, absent: i64) -> ChartPart {
        let sums = Sums { present, late: 0, absent };
        ChartPart { short: "x".into(), full: "X".into(), sums }
    }

    #[test]
    fn all_is_at_the_top_and_nothing_at_the_bottom() {
        let pieces = pieces(&[part(1, 0), part(0, 1), part(1, 1)]);
        let tops: Vec<_> = pieces.iter().map(|piece| (piece.y, piece.height)).collect();
        assert_eq!(tops, [(TOP, BOTTOM - TOP), (BOTTOM, 0), (90, 78)]);
        assert_eq!(line(&pieces), "106,12 214,168 322,90");
    }

    proptest! {
        #[test]
        fn every_piece_is_inside_and_they_never_overlap_and_few_have_words(
            parts in prop::collection::vec((0_i64..30, 0_i64..30), 0..140),
        ) {
            let parts: Vec<_> = parts.into_iter().map(|(p, a)| part(p, a)).collect();
            let all = pieces(&parts);
            prop_assert_eq!(all.len(), parts.len());
            prop_assert!(all.iter().filter(|piece| piece.word.is_some()).count() <= WORDS);
            for piece in &all {
                prop_assert!(piece.left() >= LEFT && piece.left() + piece.width <= RIGHT + 1);
                prop_assert!((TOP..=BOTTOM).contains(&piece.y));
            }
            for pair in all.windows(2) {
                prop_assert!(pair[0].left() + pair[0].width <= pair[1].left() + 1);
            }
        }
    }
}
