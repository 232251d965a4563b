//! The site's scores as a drawing: three rows of bars above one scale, and the lines across.

use rules::scores::{Histogram, STEPS, Scores, line, step};

/// Width of the drawing.
const WIDTH: f64 = 640.0;
/// Height of a row of bars, and the room above it.
const ROW: f64 = 64.0;
const GAP: f64 = 20.0;

/// A bar, in units of the drawing.
pub struct Bar {
    pub x: String,
    pub y: String,
    pub width: String,
    pub height: String,
}

/// One kind of passage.
pub struct LinesRow {
    /// Class of the style and key of the text: `right`, `wrong` or `pairs`.
    pub kind: &'static str,
    /// Where the row stands.
    pub base: String,
    pub bars: Vec<Bar>,
}

/// A line across all rows.
pub struct LinesMark {
    /// Class of the style.
    pub kind: &'static str,
    pub x: String,
}

/// The whole drawing.
pub struct LinesChart {
    pub height: String,
    /// Where the rows end and the scale begins.
    pub floor: String,
    pub rows: Vec<LinesRow>,
    pub marks: Vec<LinesMark>,
    /// Place and number of each mark of the scale.
    pub scale: Vec<(String, String)>,
    /// The same as numbers: from, to, right, wrong, pairs.
    pub table: Vec<(String, String, [u64; 3])>,
}

/// Draws `scores` and the cosines of strangers; `marks` are the lines, each with its style.
#[must_use]
pub fn draw(scores: &Scores, pairs: &Histogram, marks: &[(&'static str, f64)]) -> LinesChart {
    let all = [("right", &scores.right), ("wrong", &scores.wrong), ("pairs", pairs)];
    let first = first(all.map(|(_, histogram)| histogram), marks);
    let x = move |at: f64| WIDTH * (at - first) / (1.0 - first);
    let mut base = 0.0;
    let rows = all.map(|(kind, histogram)| {
        base += GAP + ROW;
        LinesRow { kind, base: number(base), bars: bars(histogram, first, base, x) }
    });
    LinesChart {
        height: number(base + 28.0),
        floor: number(base),
        rows: rows.into(),
        marks: marks.iter().map(|(kind, at)| LinesMark { kind, x: number(x(*at)) }).collect(),
        scale: tenths(first).map(|at| (number(x(at)), format!("{at:.2}"))).collect(),
        table: table(all.map(|(_, histogram)| histogram), first),
    }
}

/// Where the drawing begins: a little left of everything, at a whole twentieth.
fn first(all: [&Histogram; 3], marks: &[(&'static str, f64)]) -> f64 {
    let lowest = |histogram: &Histogram| histogram.steps().iter().position(|count| *count > 0);
    let scores = all.into_iter().filter_map(lowest).map(line);
    let lines = marks.iter().map(|(_, at)| *at);
    let least = scores.chain(lines).fold(0.95, f64::min);
    ((least - 0.01) / 0.05).floor().max(0.0) * 0.05
}

/// The tallest bar of a row fills it: rows are compared by shape, not by height.
fn bars(histogram: &Histogram, first: f64, base: f64, x: impl Fn(f64) -> f64) -> Vec<Bar> {
    let tallest = histogram.steps().iter().max().copied().unwrap_or(0).max(1);
    let counts = histogram.steps().iter().enumerate().skip(step(first));
    let bar = |(n, count): (usize, &u64)| {
        let height = ROW * ratio(*count, tallest);
        let (left, right) = (x(line(n)), x(line((n + 1).min(STEPS))));
        let width = number((right - left - 0.5).max(0.5));
        Bar { x: number(left), y: number(base - height), width, height: number(height) }
    };
    counts.filter(|(_, count)| **count > 0).map(bar).collect()
}

fn tenths(first: f64) -> impl Iterator<Item = f64> {
    let apart = if first < 0.7 { 0.1 } else { 0.05 };
    (0..=20u8).map(move |n| first + f64::from(n) * apart).take_while(|at| *at < 1.0 + 1e-9)
}

/// Sums over hundredths, those without anything left out.
fn table(all: [&Histogram; 3], first: f64) -> Vec<(String, String, [u64; 3])> {
    let from = step(first) / 5;
    let row = |n: usize| {
        let (low, high) = (line(n * 5), line((n + 1) * 5));
        let sums = all.map(|histogram| match n {
            100 => histogram.from(1.0),
            _ => histogram.between(low, high),
        });
        (format!("{low:.2}"), format!("{:.2}", high.min(1.0)), sums)
    };
    let some = |row: &(String, String, [u64; 3])| row.2.iter().any(|count| *count > 0);
    (from..=100).map(row).filter(some).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

fn number(at: f64) -> String {
    format!("{at:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn everything_is_inside_the_drawing_and_nothing_is_lost(
            right in vec(0.0f64..=1.0, 0..40), wrong in vec(0.0f64..=1.0, 0..40),
            high in 0.5f64..1.0,
        ) {
            let mut scores = Scores::default();
            right.iter().for_each(|score| scores.right.add(*score, 1));
            wrong.iter().for_each(|score| scores.wrong.add(*score, 1));
            let chart = draw(&scores, &Histogram::default(), &[("high", high)]);
            for bar in chart.rows.iter().flat_map(|row| &row.bars) {
                let x: f64 = bar.x.parse().unwrap();
                let (y, height): (f64, f64) = (bar.y.parse().unwrap(), bar.height.parse().unwrap());
                prop_assert!((-0.1..=WIDTH).contains(&x) && y >= 0.0 && height <= ROW);
            }
            let x: f64 = chart.marks[0].x.parse().unwrap();
            prop_assert!((0.0..=WIDTH).contains(&x));
            let sum = |kind: usize| chart.table.iter().map(|row| row.2[kind]).sum::<u64>();
            prop_assert_eq!(sum(0), scores.right.total());
            prop_assert_eq!(sum(1), scores.wrong.total());
        }
    }
}
