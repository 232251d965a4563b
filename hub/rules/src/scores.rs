//! What the site's own decisions say about a line: how many wrong names it lets through, and how
//! many passages it leaves to people. Pure; `store::score` counts, `web::settings` draws.

mod site;

pub use site::SiteScores;
use wire::Lines;

/// Width of a step of scores.
pub const STEP: f64 = 0.002;
/// Steps from 0 to 1, the last for 1 itself.
pub const STEPS: usize = 501;
/// Fewer decisions than this say too little: then the network's published figure is shown.
pub const ENOUGH: u64 = 300;

/// How many scores fall into each step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Histogram(Vec<u64>);

impl Default for Histogram {
    fn default() -> Self {
        Self(vec![0; STEPS])
    }
}

impl Histogram {
    /// Counts `many` at `score`; what is beyond an end counts at the end.
    pub fn add(&mut self, score: f64, many: u64) {
        self.0[step(score)] += many;
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Those at or above `line`.
    #[must_use]
    pub fn from(&self, line: f64) -> u64 {
        self.0[step(line)..].iter().sum()
    }

    /// Those from `line` up to, but not with, `end`.
    #[must_use]
    pub fn between(&self, line: f64, end: f64) -> u64 {
        self.from(line).saturating_sub(self.from(end))
    }

    /// The count of each step.
    #[must_use]
    pub fn steps(&self) -> &[u64] {
        &self.0
    }
}

/// The step of a score. A hair is forgiven, so that .95 is at .95 however it was computed.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 500")]
#[must_use]
pub fn step(score: f64) -> usize {
    ((score / STEP + 1e-4).floor().clamp(0.0, 500.0)) as usize
}

/// Scores of passages that people decided: the best candidate was the right one, or was not.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scores {
    /// People approved the best candidate.
    pub right: Histogram,
    /// They rejected it, or named somebody else.
    pub wrong: Histogram,
}

/// Something per 1,000 passages, with the ends of its 95 % interval.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ScoreRate {
    /// What is expected.
    pub expected: f64,
    /// Hardly less.
    pub low: f64,
    /// Hardly more.
    pub high: f64,
}

/// What lines come to, per 1,000 passages.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Figures {
    /// Passages behind the figures.
    pub passages: u64,
    /// Wrong names that would be taken for sure.
    pub wrong: ScoreRate,
    /// Passages that a person would be asked about.
    pub asked: f64,
    /// Passages left as unknown.
    pub unknown: f64,
}

/// What lines at `high` and `review` would have come to.
#[must_use]
pub fn figures(scores: &Scores, high: f64, review: f64) -> Figures {
    let Scores { right, wrong } = scores;
    let passages = right.total() + wrong.total();
    let sure = right.from(high) + wrong.from(high);
    let asked = right.between(review, high) + wrong.between(review, high);
    let unknown = passages - sure - asked;
    let share = |many| if passages == 0 { 0.0 } else { thousand(many) / real(passages) };
    let wrong = rate(wrong.from(high), passages);
    Figures { passages, wrong, asked: share(asked), unknown: share(unknown) }
}

/// How sure a cosine of `model` makes, 0 to 1.
#[must_use]
pub fn confidence(model: &str, score: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "a cosine has no more digits in f32")]
    f64::from(vision::Scale::of(model).confidence(score as f32))
}

/// `many` of `all` per 1,000: the rule of three when there was none, Wilson's interval else.
#[must_use]
pub fn rate(many: u64, all: u64) -> ScoreRate {
    if all == 0 {
        return ScoreRate { expected: 0.0, low: 0.0, high: 1000.0 };
    }
    let n = real(all);
    let p = real(many) / real(all);
    if many == 0 {
        return ScoreRate { expected: 0.0, low: 0.0, high: (3000.0 / n).min(1000.0) };
    }
    let z2 = 1.96 * 1.96;
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = 1.96 * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
    let end = |at: f64| (1000.0 * at).clamp(0.0, 1000.0);
    let expected = 1000.0 * p;
    ScoreRate {
        expected,
        low: end(middle - half).min(expected),
        high: end(middle + half).max(expected),
    }
}

/// The lowest line from `least` on at which `wrong` is no more than `budget`; nothing where even
/// a score of 1 was wrong too often.
#[must_use]
pub fn line_for(budget: f64, least: f64, wrong: impl Fn(f64) -> f64) -> Option<f64> {
    (step(least)..STEPS).map(line).find(|line| wrong(*line) <= budget)
}

/// The line at the lower end of a step.
#[must_use]
pub fn line(step: usize) -> f64 {
    f64::from(u16::try_from(step).unwrap_or(u16::MAX)) * STEP
}

/// Where the default network takes one stranger in so many for one other person (over
/// 29.3 million pairs of LFW): line, and the logarithm of the share.
const PUBLISHED: [(f64, f64); 5] =
    [(0.911, -2.0), (0.929, -3.0), (0.943, -4.0), (0.954, -5.0), (0.962, -6.0)];

/// Wrong names per 1,000 passages that the default network is published with, for a line at
/// `high` and so many people enrolled: straight between the measured points, and on beyond them.
#[must_use]
pub fn published(high: f64, people: usize) -> f64 {
    let above = PUBLISHED.iter().position(|(line, _)| *line >= high);
    let n = above.unwrap_or(PUBLISHED.len() - 1).max(1);
    let [(x0, y0), (x1, y1)] = [PUBLISHED[n - 1], PUBLISHED[n]];
    let log = y0 + (high - x0) * (y1 - y0) / (x1 - x0);
    let one = 10f64.powf(log.min(0.0));
    1000.0 * (1.0 - (1.0 - one).powf(real(people as u64)))
}

/// A score of a template fused from several pictures, as if it were of one: their lines differ.
#[must_use]
pub fn single(score: f64, fused: bool, usual: &Lines) -> f64 {
    let apart = f64::from(usual.fused_high - usual.single_high);
    if fused { score - apart } else { score }
}

#[expect(clippy::cast_precision_loss, reason = "counts of passages are far below 2^52")]
fn real(many: u64) -> f64 {
    many as f64
}

fn thousand(many: u64) -> f64 {
    1000.0 * real(many)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn scores(right: &[f64], wrong: &[f64]) -> Scores {
        let mut all = Scores::default();
        right.iter().for_each(|score| all.right.add(*score, 1));
        wrong.iter().for_each(|score| all.wrong.add(*score, 1));
        all
    }

    proptest! {
        #[test]
        fn a_higher_line_never_lets_more_wrong_names_through(
            right in vec(0.0f64..1.0, 0..60), wrong in vec(0.0f64..1.0, 0..60),
            high in 0.0f64..1.0, more in 0.0f64..0.2,
        ) {
            let all = scores(&right, &wrong);
            let (one, other) = (figures(&all, high, 0.0), figures(&all, high + more, 0.0));
            prop_assert!(other.wrong.expected <= one.wrong.expected);
            prop_assert!(other.asked + 1e-9 >= one.asked, "whoever is not sure is asked about");
        }

        #[test]
        fn every_passage_is_sure_asked_about_or_unknown(
            right in vec(0.0f64..1.0, 1..60), wrong in vec(0.0f64..1.0, 0..60),
            high in 0.0f64..1.0, below in 0.0f64..0.5,
        ) {
            let all = scores(&right, &wrong);
            let told = figures(&all, high, high - below);
            let sure = thousand(all.right.from(high) + all.wrong.from(high)) / real(told.passages);
            prop_assert!((sure + told.asked + told.unknown - 1000.0).abs() < 1e-6);
        }

        #[test]
        fn the_interval_holds_the_figure_and_narrows_with_more_passages(
            many in 0u64..500, others in 0u64..5000,
        ) {
            let all = many + others;
            let one = rate(many, all);
            prop_assert!(0.0 <= one.low && one.low <= one.expected);
            prop_assert!(one.expected <= one.high && one.high <= 1000.0);
            let more = rate(many * 10, all * 10);
            prop_assert!(more.high - more.low <= one.high - one.low + 1e-9);
        }

        #[test]
        fn the_line_for_a_budget_keeps_it_and_none_lower_does(
            right in vec(0.0f64..1.0, 0..60), wrong in vec(0.0f64..1.0, 0..60),
            budget in 0.0f64..200.0,
        ) {
            let all = scores(&right, &wrong);
            let expected = |line| figures(&all, line, 0.0).wrong.expected;
            match line_for(budget, 0.0, expected) {
                Some(found) => {
                    prop_assert!(expected(found) <= budget);
                    prop_assert!(found < STEP || expected(found - STEP) > budget);
                }
                None => prop_assert!(expected(1.0) > budget),
            }
        }

        #[test]
        fn what_is_published_falls_with_the_line_and_grows_with_the_school(
            high in 0.5f64..1.0, more in 0.0f64..0.1, people in 1usize..10_000,
        ) {
            prop_assert!(published(high + more, people) <= published(high, people));
            prop_assert!(published(high, people + 1) >= published(high, people));
        }
    }

    #[test]
    fn without_any_wrong_name_the_rule_of_three_says_what_may_be() {
        assert_eq!(rate(0, 300), ScoreRate { expected: 0.0, low: 0.0, high: 10.0 });
        assert_eq!(rate(0, 0).high, 1000.0, "nothing is known");
    }

    #[test]
    fn the_published_figure_is_that_of_a_school_of_a_hundred() {
        // Measured on LFW: .013 % wrong with a hundred enrolled people at .960.
        let told = published(0.960, 100);
        assert!((0.05..0.4).contains(&told), "{told}");
        assert!((published(0.943, 1) - 0.1).abs() < 1e-6, "1 in 10,000");
    }

    #[test]
    fn a_score_is_at_its_own_line() {
        let all = scores(&[0.95], &[0.948]);
        assert_eq!((all.right.from(0.95), all.wrong.from(0.95)), (1, 0));
        let f32_line = f64::from(0.96f32);
        assert_eq!(scores(&[0.96], &[]).right.from(f32_line), 1);
    }
}
