//! Percentages without a rounding surprise: whole numbers, half away from zero.

use crate::attendance::{Counted, Status};
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

/// A percentage in hundredths of a per cent: 84.62 % is 8462.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ReportRate(i64);

impl ReportRate {
    /// `part` of `whole`, rounded to two decimals, half away from zero; 0 of nothing is 0.
    #[must_use]
    pub fn of(part: i64, whole: i64) -> Self {
        if whole <= 0 {
            return Self(0);
        }
        let part = i128::from(part.max(0));
        let whole = i128::from(whole);
        Self(i64::try_from((part * 20_000 + whole) / (2 * whole)).unwrap_or(i64::MAX))
    }

    /// The mean of `rates`, rounded the same way; of none it is 0.
    #[must_use]
    pub fn mean(rates: &[Self]) -> Self {
        let n = i128::try_from(rates.len()).unwrap_or(i128::MAX);
        let sum: i128 = rates.iter().map(|rate| i128::from(rate.0)).sum();
        if n == 0 {
            return Self(0);
        }
        Self(i64::try_from((2 * sum + n) / (2 * n)).unwrap_or(i64::MAX))
    }

    /// In per cent, as JSON has it: the float nearest to two decimals.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "10,000 at most")]
    pub fn percent(self) -> f64 {
        self.0 as f64 / 100.0
    }

    /// Whether it is strictly below so many per cent.
    #[must_use]
    pub fn is_below(self, percent: i64) -> bool {
        self.0 < percent.saturating_mul(100)
    }
}

impl fmt::Display for ReportRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// What counts of some marks. Excused, unverified and undecided ones are in no percentage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sums {
    /// There in time.
    pub present: i64,
    /// There after the grace period.
    pub late: i64,
    /// Not there.
    pub absent: i64,
}

impl Sums {
    /// So many marks more that say `status`.
    pub fn count(&mut self, status: Status, many: i64) {
        match status.counted() {
            Some(Counted::InTime) => self.present += many,
            Some(Counted::Late) => self.late += many,
            Some(Counted::Away) => self.absent += many,
            None => {}
        }
    }

    /// Marks that count.
    #[must_use]
    pub fn total(self) -> i64 {
        self.present + self.late + self.absent
    }

    /// How many were there in time: the percentage of the analytics.
    #[must_use]
    pub fn punctual(self) -> ReportRate {
        ReportRate::of(self.present, self.total())
    }

    /// How many were there, in time or late: the attendance rate of registers.
    #[must_use]
    pub fn attended(self) -> ReportRate {
        ReportRate::of(self.present + self.late, self.total())
    }
}

/// How many marks say what, in the order of [`Status::ALL`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MarkTally(pub [i64; Status::ALL.len()]);

impl MarkTally {
    /// How many say `status`.
    #[must_use]
    pub fn of(&self, status: Status) -> i64 {
        self.0[status as usize]
    }

    /// What counts of them.
    #[must_use]
    pub fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        for (status, many) in Status::ALL.into_iter().zip(self.0) {
            sums.count(status, many);
        }
        sums
    }
}

impl FromIterator<Status> for MarkTally {
    fn from_iter<I: IntoIterator<Item = Status>>(marks: I) -> Self {
        let mut tally = Self::default();
        marks.into_iter().for_each(|status| tally.0[status as usize] += 1);
        tally
    }
}

impl Add for Sums {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            present: self.present + other.present,
            late: self.late + other.late,
            absent: self.absent + other.absent,
        }
    }
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Sums {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_the_contract_hold() {
        let said = |part, whole| ReportRate::of(part, whole).to_string();
        assert_eq!(said(22, 26), "84.62");
        assert_eq!(said(420, 510), "82.35");
        assert_eq!(said(350, 515), "67.96");
        assert_eq!((said(442, 500), said(361, 500)), ("88.40".into(), "72.20".into()));
        assert_eq!(
            (said(0, 0), said(7, 7), said(1, 8)),
            ("0.00".into(), "100.00".into(), "12.50".into())
        );
        assert_eq!(ReportRate::of(22, 26).percent().to_string(), "84.62");
    }

    #[test]
    fn a_half_goes_up_where_floats_go_down() {
        // 1.005 % is exactly half; as a float it is a little less.
        assert_eq!(ReportRate::of(201, 20_000).to_string(), "1.01");
        assert_eq!(ReportRate::mean(&[ReportRate(1), ReportRate(2)]).to_string(), "0.02");
        assert_eq!(ReportRate::mean(&[]).to_string(), "0.00");
    }

    #[test]
    fn the_line_itself_is_not_below_the_line() {
        assert!(!ReportRate::of(3, 4).is_below(75));
        assert!(ReportRate::of(7499, 10_000).is_below(75));
    }

    proptest! {
        /// By the definition of rounding: no further away than half a hundredth, and on the
        /// upper side when it is exactly between.
        #[test]
        fn a_rate_is_the_nearest_hundredth(whole in 1_i64..3_000_000, share in 0.0_f64..=1.0) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a share of it")]
            let part = (whole as f64 * share) as i64;
            let exact = i128::from(part) * 10_000; // in hundredths, times `whole`
            let rounded = i128::from(ReportRate::of(part, whole).0) * i128::from(whole);
            let off = 2 * (rounded - exact);
            prop_assert!(-i128::from(whole) < off && off <= i128::from(whole));
        }

        #[test]
        fn what_json_says_is_what_people_read(hundredths in 0_i64..=10_000) {
            let rate = ReportRate(hundredths);
            let json: f64 = serde_json::to_string(&rate.percent()).unwrap().parse().unwrap();
            prop_assert_eq!(format!("{json:.2}"), rate.to_string());
        }

        #[test]
        fn a_mean_lies_between_its_ends(rates in prop::collection::vec(0_i64..=10_000, 1..40)) {
            let (low, high) = (*rates.iter().min().unwrap(), *rates.iter().max().unwrap());
            let mean = ReportRate::mean(&rates.into_iter().map(ReportRate).collect::<Vec<_>>());
            prop_assert!(ReportRate(low) <= mean && mean <= ReportRate(high));
        }
    }
}
