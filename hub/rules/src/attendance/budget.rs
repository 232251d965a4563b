//! Whether a class that marks without a person is wrong more often than the school accepted.
//!
//! The school states a budget: wrong names per 1,000 passages. Of the class's newest passages that
//! were approved at once, those that a person corrected since are errors. The budget counts as
//! overrun when that many errors would be surprising even if the class were exactly as good as
//! stated ([`SURPRISE`]). Errors that nobody noticed are not counted: this finds a class that is
//! bad, it does not prove that one is good.

/// Passages of a class that are looked at, the newest first.
pub const PASSAGES: u32 = 200;
/// Older ones are not: 30 days.
pub const SPAN_MS: i64 = 30 * 24 * 3_600_000;
/// How likely so many errors may be, in a class that keeps its budget, before it is suspended.
///
/// It is asked again after every correction, so it is strict: by chance alone a good class should
/// hardly ever be suspended.
pub const SURPRISE: f64 = 0.01;

/// What was counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BudgetCount {
    /// Passages that were approved at once.
    pub passages: u32,
    /// Of those, the ones that a person corrected since.
    pub errors: u32,
}

impl BudgetCount {
    /// Whether this cannot well be chance in a class with `budget` errors per 1,000 passages: the
    /// exact one-sided binomial test.
    #[must_use]
    pub fn overruns(self, budget: f64) -> bool {
        self.at_least(budget / 1000.0) < SURPRISE
    }

    /// How likely so many errors or more are, if each passage is wrong with `probability`. Errors
    /// are added up passage by passage, so that nothing cancels out or underflows.
    fn at_least(self, probability: f64) -> f64 {
        let p = probability.clamp(0.0, 1.0);
        let most = self.errors as usize;
        if most == 0 {
            return 1.0;
        }
        // How likely each number of errors is after the passages so far; the last is “or more”.
        let mut after = vec![0.0; most + 1];
        after[0] = 1.0;
        for _ in 0..self.passages {
            after[most] += after[most - 1] * p;
            for errors in (1..most).rev() {
                after[errors] = after[errors] * (1.0 - p) + after[errors - 1] * p;
            }
            after[0] *= 1.0 - p;
        }
        after[most]
    }
}

/// Why a person decides again, for whoever teaches the class.
#[must_use]
pub fn reason(count: BudgetCount, budget: f64) -> String {
    let BudgetCount { passages, errors } = count;
    format!(
        "Of the last {passages} passages that were marked without a person, {errors} were corrected \
         since; the school accepts {budget} in 1,000. A person decides again until somebody who \
         may change the class sets its policy to “auto”."
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn overruns(errors: u32, passages: u32, budget: f64) -> bool {
        BudgetCount { passages, errors }.overruns(budget)
    }

    #[test]
    fn few_passages_need_few_errors_and_many_need_more() {
        assert!(!overruns(0, 0, 1.0) && !overruns(0, 200, 0.0), "no error, no reason");
        assert!(overruns(1, 200, 0.0), "who accepts none is told of the first");
        assert!(overruns(1, 10, 1.0) && !overruns(1, 11, 1.0));
        assert!(overruns(2, 148, 1.0) && !overruns(2, 200, 1.0));
        assert!(overruns(3, 200, 1.0));
        assert!(overruns(20, 200, 50.0) && !overruns(10, 200, 50.0));
        assert!(!overruns(200, 200, 1000.0), "who accepts all is never told");
    }

    #[test]
    fn it_is_the_binomial_tail() {
        let tail = |errors, passages, p| BudgetCount { passages, errors }.at_least(p);
        for (found, wanted) in [
            (tail(0, 5, 0.3), 1.0),
            (tail(1, 2, 0.5), 0.75),
            (tail(2, 2, 0.5), 0.25),
            (tail(1, 10, 0.001), 1.0 - 0.999_f64.powi(10)),
            (tail(3, 4, 0.5), 5.0 / 16.0),
        ] {
            assert!((found - wanted).abs() < 1e-12, "{found} is not {wanted}");
        }
    }

    proptest! {
        #[test]
        fn more_errors_never_excuse_and_a_larger_budget_never_accuses(
            passages in 1u32..=PASSAGES, errors in 0u32..200, budget in 0.0f64..=1000.0, more in 0.0f64..500.0
        ) {
            let errors = errors.min(passages);
            let now = overruns(errors, passages, budget);
            prop_assert!(!now || errors == passages || overruns(errors + 1, passages, budget));
            prop_assert!(now || !overruns(errors, passages, (budget + more).min(1000.0)));
            prop_assert!(now || !overruns(errors, passages + 1, budget), "a right one is no error");
        }

        #[test]
        fn a_class_within_its_budget_is_never_suspended(
            passages in 1u32..=PASSAGES, budget in 0.0f64..=1000.0
        ) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 200")]
            let errors = (f64::from(passages) * budget / 1000.0).floor() as u32;
            prop_assert!(!overruns(errors, passages, budget));
        }

        #[test]
        fn chance_alone_suspends_one_class_in_a_hundred_at_most(
            passages in 1u32..=PASSAGES, budget in 0.0f64..=1000.0
        ) {
            let first = (0..=passages).find(|errors| overruns(*errors, passages, budget));
            let likely = |errors| BudgetCount { passages, errors }.at_least(budget / 1000.0);
            prop_assert!(first.is_none_or(|errors| errors > 0 && likely(errors) < SURPRISE));
        }

        #[test]
        fn a_class_ten_times_as_bad_as_stated_is_found_within_its_window(budget in 1.0f64..=50.0) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 200")]
            let errors = (f64::from(PASSAGES) * budget / 100.0).ceil() as u32;
            prop_assert!(overruns(errors.max(3), PASSAGES, budget));
        }
    }
}
