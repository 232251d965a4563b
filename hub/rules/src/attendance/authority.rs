//! Whether somebody who is only logged, staff above all, may be where a door saw them.
//!
//! A log is decided by nobody, so it says of itself how far it is to be trusted. It speaks of the
//! moment of the passage: who leaves the school later was authorised then. Whoever is unknown,
//! erased, or withdrew their consent leaves no line at all.

use super::Authority;
use wire::Verdict;

/// What the log says of a passage.
#[must_use]
pub fn of(is_active: bool, verdict: Verdict) -> Authority {
    match (is_active, verdict) {
        (false, _) => Authority::Inactive,
        (true, Verdict::High) => Authority::Authorized,
        (true, Verdict::Review | Verdict::Unknown) => Authority::Unsure,
    }
}

impl Authority {
    /// Whether the person may be there, as far as the hub can say.
    #[must_use]
    pub fn is_authorized(self) -> bool {
        self == Self::Authorized
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sure_match_of_somebody_active_is_authorised() {
        let all = [Verdict::High, Verdict::Review, Verdict::Unknown];
        for (verdict, active) in all.into_iter().flat_map(|v| [(v, true), (v, false)]) {
            let wanted = verdict == Verdict::High && active;
            assert_eq!(of(active, verdict).is_authorized(), wanted, "{verdict:?} {active}");
        }
        assert_eq!(of(false, Verdict::High), Authority::Inactive, "whoever left is named as such");
        assert_eq!(of(true, Verdict::Review), Authority::Unsure);
    }
}
