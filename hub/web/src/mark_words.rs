//! How pages say each kind of mark.

use rules::attendance::Status;

/// Texts for one kind of mark, by their keys; its class of CSS is [`Status::as_str`].
#[derive(Clone, Copy, Debug)]
pub struct MarkWords {
    /// On a button and in the row of a roll.
    pub in_roll: &'static str,
    /// With a number, above a roll.
    pub counted: &'static str,
    /// In a report.
    pub in_report: &'static str,
    /// In the cells of a report.
    pub letter: &'static str,
    /// On the page of a person.
    pub of_person: &'static str,
    /// Good, bad, or neither: the class of its tag.
    pub tone: &'static str,
}

/// How pages say `status`.
#[must_use]
pub const fn of(status: Status) -> MarkWords {
    match status {
        Status::Present => MarkWords {
            in_roll: "roll-present",
            counted: "roll-count-present",
            in_report: "report-present",
            letter: "report-letter-present",
            of_person: "people-mark-present",
            tone: "good",
        },
        Status::Late => MarkWords {
            in_roll: "roll-late",
            counted: "roll-count-late",
            in_report: "report-late",
            letter: "report-letter-late",
            of_person: "people-mark-late",
            tone: "warn",
        },
        Status::Absent => MarkWords {
            in_roll: "roll-absent",
            counted: "roll-count-absent",
            in_report: "report-absent",
            letter: "report-letter-absent",
            of_person: "people-mark-absent",
            tone: "bad",
        },
        Status::Excused => MarkWords {
            in_roll: "roll-excused",
            counted: "roll-count-excused",
            in_report: "report-excused",
            letter: "report-letter-excused",
            of_person: "people-mark-excused",
            tone: "off",
        },
        Status::Unverified => MarkWords {
            in_roll: "roll-unverified",
            counted: "roll-count-unverified",
            in_report: "report-unverified",
            letter: "report-letter-unverified",
            of_person: "people-mark-unverified",
            tone: "off",
        },
        Status::Undecided => MarkWords {
            in_roll: "roll-undecided",
            counted: "roll-count-undecided",
            in_report: "report-undecided",
            letter: "report-letter-undecided",
            of_person: "people-mark-undecided",
            tone: "off",
        },
    }
}
