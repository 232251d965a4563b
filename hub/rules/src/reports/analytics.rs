//! Which classes do well and which are at risk, from the sums of their days.

use super::{ReportRate, Sums};
use jiff::civil::Date;
use uuid::Uuid;

/// A class is at risk strictly below this percentage.
pub const RISK: i64 = 75;

/// Everything ever recorded of a class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// The class.
    pub class: Uuid,
    /// What people call it.
    pub name: String,
    /// Its code.
    pub code: String,
    /// What was recorded.
    pub sums: Sums,
    /// The last day with a mark that counts.
    pub last: Date,
}

/// All subjects of somebody at a glance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Overview {
    /// Mean of the subjects' percentages: a small class counts as much as a large one.
    pub overall: ReportRate,
    /// How many are at risk.
    pub at_risk: usize,
    /// All of them, best first.
    pub subjects: Vec<Subject>,
}

/// The subjects at risk, lowest first; of equal ones by name, code and id.
#[must_use]
pub fn at_risk(mut subjects: Vec<Subject>) -> Vec<Subject> {
    subjects.retain(|subject| subject.sums.punctual().is_below(RISK));
    subjects.sort_by(|a, b| key(a).cmp(&key(b)));
    subjects
}

/// The overview of `subjects`, each with at least one mark that counts.
#[must_use]
pub fn overview(mut subjects: Vec<Subject>) -> Overview {
    let rates: Vec<_> = subjects.iter().map(|subject| subject.sums.punctual()).collect();
    let at_risk = rates.iter().filter(|rate| rate.is_below(RISK)).count();
    let best_first = |a: &Subject, b: &Subject| {
        let by_rate = b.sums.punctual().cmp(&a.sums.punctual());
        by_rate.then_with(|| key(a).cmp(&key(b)))
    };
    subjects.sort_by(best_first);
    Overview { overall: ReportRate::mean(&rates), at_risk, subjects }
}

fn key(subject: &Subject) -> (ReportRate, &str, &str, Uuid) {
    (subject.sums.punctual(), &subject.name, &subject.code, subject.class)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn subject(name: &str, present: i64, late: i64, absent: i64) -> Subject {
        let (name, code) = (name.to_owned(), name.to_uppercase());
        let sums = Sums { present, late, absent };
        Subject { class: Uuid::nil(), name, code, sums, last: jiff::civil::date(2024, 1, 31) }
    }

    fn names(subjects: &[Subject]) -> Vec<&str> {
        subjects.iter().map(|subject| subject.name.as_str()).collect()
    }

    #[test]
    fn those_at_risk_come_lowest_first_and_75_is_not_at_risk() {
        let all = vec![subject("b", 3, 0, 1), subject("c", 1, 0, 1), subject("a", 350, 5, 160)];
        assert_eq!(names(&at_risk(all)), ["c", "a"]);
    }

    #[test]
    fn the_overview_is_the_mean_of_percentages_best_first() {
        let all = vec![subject("maths", 361, 1, 138), subject("cs", 442, 0, 58)];
        let seen = overview(all);
        assert_eq!((seen.overall.to_string().as_str(), seen.at_risk), ("80.30", 1));
        assert_eq!(names(&seen.subjects), ["cs", "maths"]);
        assert_eq!(overview(Vec::new()).overall.to_string(), "0.00");
    }

    proptest! {
        #[test]
        fn every_subject_is_listed_once_in_order(
            all in prop::collection::vec((0_i64..50, 0_i64..50, 0_i64..50), 0..30),
        ) {
            let all: Vec<_> = all.into_iter().map(|(p, l, a)| subject("x", p, l, a)).collect();
            let seen = overview(all.clone());
            prop_assert_eq!(seen.subjects.len(), all.len());
            prop_assert!(seen.subjects.is_sorted_by_key(|s| std::cmp::Reverse(s.sums.punctual())));
            let risky = at_risk(all);
            prop_assert_eq!(risky.len(), seen.at_risk);
            prop_assert!(risky.is_sorted_by_key(|s| s.sums.punctual()));
        }
    }
}
