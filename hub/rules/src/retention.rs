//! What goes by itself, and when.

use crate::error::Error;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wire::Wall;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// After how many days things go; nothing where they stay. Zero is “with the next run”.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Crop and template of a sighting, after somebody decided it.
    #[schema(minimum = 0, maximum = 3650)]
    pub crop_days: Option<u32>,
    /// Sightings that nobody decided.
    #[schema(minimum = 0, maximum = 3650)]
    pub pending_days: Option<u32>,
    /// Sightings that are only a log.
    #[schema(minimum = 0, maximum = 3650)]
    pub logged_days: Option<u32>,
    /// Sightings that were decided; marks stay without them.
    #[schema(minimum = 0, maximum = 3650)]
    pub decided_days: Option<u32>,
    /// What doors said about themselves; at least 31, because dates follow from it.
    #[schema(minimum = 31, maximum = 3650)]
    pub health_days: Option<u32>,
    /// Messages that could not be understood.
    #[schema(minimum = 0, maximum = 3650)]
    pub dead_letter_days: Option<u32>,
    /// People who are not active any more: erased with everything.
    #[schema(minimum = 0, maximum = 3650)]
    pub leaver_days: Option<u32>,
    /// Steps that reviewers can take back.
    #[schema(minimum = 0, maximum = 3650)]
    pub undo_days: Option<u32>,
    /// Sign-ins that are over.
    #[schema(minimum = 2, maximum = 3650)]
    pub session_days: Option<u32>,
    /// Mail and webhook messages that were sent or given up.
    #[schema(minimum = 0, maximum = 3650)]
    pub mail_days: Option<u32>,
    /// Copies of the database from before an update of the program: they hold who was erased
    /// since.
    #[schema(minimum = 0, maximum = 3650)]
    pub copy_days: Option<u32>,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            crop_days: Some(1),
            pending_days: Some(30),
            logged_days: Some(30),
            decided_days: None,
            health_days: Some(90),
            dead_letter_days: Some(30),
            leaver_days: Some(365),
            undo_days: Some(7),
            session_days: Some(30),
            mail_days: Some(30),
            copy_days: Some(30),
        }
    }
}

/// A kind of thing that goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RetentionKind)]
pub enum RetentionKind {
    /// See [`Retention::crop_days`].
    Crops,
    /// See [`Retention::pending_days`].
    Pending,
    /// See [`Retention::logged_days`].
    Logged,
    /// See [`Retention::decided_days`].
    Decided,
    /// See [`Retention::health_days`].
    Health,
    /// See [`Retention::dead_letter_days`].
    DeadLetters,
    /// See [`Retention::leaver_days`].
    Leavers,
    /// See [`Retention::undo_days`].
    UndoSteps,
    /// See [`Retention::session_days`].
    SignIns,
    /// See [`Retention::mail_days`].
    Mail,
    /// See [`Retention::copy_days`].
    Copies,
}

/// How many of a kind go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Swept {
    /// Of what.
    pub kind: RetentionKind,
    /// Rows; of copies, files.
    pub rows: u64,
}

impl RetentionKind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Crops,
        Self::Pending,
        Self::Logged,
        Self::Decided,
        Self::Health,
        Self::DeadLetters,
        Self::Leavers,
        Self::UndoSteps,
        Self::SignIns,
        Self::Mail,
        Self::Copies,
    ];
}

impl Retention {
    /// With other days for one kind.
    #[must_use]
    pub fn with(mut self, kind: RetentionKind, days: Option<u32>) -> Self {
        *self.slot(kind) = days;
        self
    }

    fn slot(&mut self, kind: RetentionKind) -> &mut Option<u32> {
        match kind {
            RetentionKind::Crops => &mut self.crop_days,
            RetentionKind::Pending => &mut self.pending_days,
            RetentionKind::Logged => &mut self.logged_days,
            RetentionKind::Decided => &mut self.decided_days,
            RetentionKind::Health => &mut self.health_days,
            RetentionKind::DeadLetters => &mut self.dead_letter_days,
            RetentionKind::Leavers => &mut self.leaver_days,
            RetentionKind::UndoSteps => &mut self.undo_days,
            RetentionKind::SignIns => &mut self.session_days,
            RetentionKind::Mail => &mut self.mail_days,
            RetentionKind::Copies => &mut self.copy_days,
        }
    }

    /// Checked.
    ///
    /// # Errors
    /// `Invalid` naming the field.
    pub fn checked(self) -> Result<Self, Error> {
        let least = [("health_days", self.health_days, 31), ("session_days", self.session_days, 2)];
        for (name, days, least) in least {
            if days.is_some_and(|days| days < least) {
                return Err(Error::Invalid(format!("{name}: use at least {least} days")));
            }
        }
        let too_long = |days: &(RetentionKind, Option<u32>)| days.1.is_some_and(|days| days > 3650);
        match self.days().iter().any(too_long) {
            true => Err(Error::Invalid("use at most 3650 days, or null for ever".into())),
            false => Ok(self),
        }
    }

    /// Each kind with its days.
    #[must_use]
    pub fn days(mut self) -> [(RetentionKind, Option<u32>); 11] {
        RetentionKind::ALL.map(|kind| (kind, *self.slot(kind)))
    }

    /// What goes at `now`: of each kind all that ended before a moment.
    #[must_use]
    pub fn due(&self, now: Wall) -> Vec<(RetentionKind, Wall)> {
        let before = |days: u32| now.plus_ms(-i64::from(days) * DAY_MS);
        let days = self.days().into_iter();
        days.filter_map(|(kind, days)| Some((kind, before(days?)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Wall = Wall(1_790_000_000_000);

    proptest! {
        #[test]
        fn whatever_goes_is_older_than_the_school_says(days in 0u32..3650, more in 0u32..100) {
            let of = |days| Retention { crop_days: Some(days), ..Retention::default() };
            let cut = |days| of(days).due(NOW)[0].1;
            prop_assert_eq!(NOW.0 - cut(days).0, i64::from(days) * DAY_MS);
            prop_assert!(cut(days + more) <= cut(days), "a longer time never takes more");
        }
    }

    #[test]
    fn what_is_to_stay_for_ever_is_never_due() {
        let due = Retention::default().due(NOW);
        assert!(due.iter().all(|(kind, _)| *kind != RetentionKind::Decided));
        let none = Retention { leaver_days: None, ..Retention::default() };
        assert!(none.due(NOW).iter().all(|(kind, _)| *kind != RetentionKind::Leavers));
    }

    #[test]
    fn each_kind_has_days_of_its_own() {
        for kind in RetentionKind::ALL {
            let others = |set: Retention| set.days().into_iter().filter(move |(of, _)| *of != kind);
            let (usual, set) = (Retention::default(), Retention::default().with(kind, Some(77)));
            assert!(set.days().contains(&(kind, Some(77))), "{kind:?}");
            assert!(others(set).eq(others(usual)), "{kind:?}");
        }
    }

    #[test]
    fn days_that_cannot_be_are_refused_by_name() {
        let short = Retention { health_days: Some(5), ..Retention::default() };
        assert!(short.checked().unwrap_err().to_string().contains("health_days"));
        let long = Retention { undo_days: Some(4000), ..Retention::default() };
        assert!(long.checked().is_err());
    }
}
