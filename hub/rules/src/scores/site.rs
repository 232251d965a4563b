//! What is known of a site when its lines are chosen, and what lines would come to there.

use super::{ENOUGH, Histogram, Scores, figures, line_for, published};
use crate::gallery::Guard;
use wire::Lines;

/// A site as its own decisions and its people say it.
#[derive(Clone, Debug)]
pub struct SiteScores {
    /// Passages that people decided.
    pub scores: Scores,
    /// Cosines of enrolled people with each other.
    pub pairs: Histogram,
    /// The lines that count.
    pub lines: Lines,
    /// The network's own.
    pub usual: Lines,
    /// What look-alikes do to the lines.
    pub guard: Option<Guard>,
    /// Those enrolled, at least one.
    pub people: usize,
    /// Whether figures of the network are published.
    pub measured: bool,
    /// Whether an admin chose the lines.
    pub chosen: bool,
}

impl SiteScores {
    /// Passages behind the site's own figures.
    #[must_use]
    pub fn passages(&self) -> u64 {
        self.scores.right.total() + self.scores.wrong.total()
    }

    /// Wrong names per 1,000 passages: the site's own figure where it says enough, or else the
    /// network's published one, if there is any.
    #[must_use]
    pub fn wrong(&self, high: f64, review: f64) -> Option<f64> {
        let own = figures(&self.scores, high, review);
        match own.passages {
            ENOUGH.. => Some(own.wrong.expected),
            _ => self.measured.then(|| published(high, self.people)),
        }
    }

    /// The lowest line from where people are asked on that lets no more than `budget` wrong names
    /// through; nothing where none does.
    #[must_use]
    pub fn line_within(&self, budget: f64) -> Option<f64> {
        let least = f64::from(self.usual.single_review);
        let review = f64::from(self.lines.single_review);
        line_for(budget, least, |line| self.wrong(line, review).unwrap_or(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vision::decide::LINES;

    fn site(right: u64, wrong: u64, measured: bool) -> SiteScores {
        let mut scores = Scores::default();
        scores.right.add(0.97, right);
        scores.wrong.add(0.955, wrong);
        let (pairs, lines, usual) = (Histogram::default(), LINES, LINES);
        SiteScores {
            scores,
            pairs,
            lines,
            usual,
            guard: None,
            people: 100,
            measured,
            chosen: false,
        }
    }

    #[test]
    fn a_site_that_says_too_little_has_the_published_figure_if_there_is_one() {
        assert_eq!(site(20, 1, true).wrong(0.950, 0.940), Some(published(0.950, 100)));
        assert_eq!(site(20, 1, false).wrong(0.950, 0.940), None);
        assert_eq!(site(299, 1, false).wrong(0.950, 0.940), Some(1000.0 / 300.0));
    }

    #[test]
    fn the_line_within_a_budget_is_where_the_site_kept_it() {
        let found = |budget| site(990, 10, true).line_within(budget).unwrap();
        assert!((found(0.0) - 0.956).abs() < 1e-6, "{}", found(0.0));
        assert!(found(20.0) <= 0.941, "{}", found(20.0));
    }
}
