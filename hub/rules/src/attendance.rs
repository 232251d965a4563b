//! What is recorded of a student in a lesson, and what may replace it.
//!
//! [`placing`] finds the lesson of a sighting, [`marking`] says what follows from what was
//! approved, [`spoken`] what a person's word makes, [`closing`] what the end of a lesson says,
//! [`authority`] what a log is worth, and [`budget`] when a class that marks without a person is
//! wrong too often.

pub mod authority;
pub mod budget;
pub mod closing;
pub mod marking;
pub mod placing;
pub mod spoken;

use wire::{RecordId, Wall};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $word:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[derive(serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$of])* $word,)* }

        impl $name {
            /// Every one.
            pub const ALL: [Self; [$($text),*].len()] = [$(Self::$word),*];

            /// As the database and the API write it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$word => $text,)* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let found = Self::ALL.into_iter().find(|word| word.as_str() == text);
                let all = [$($text),*].join(", ");
                found.ok_or_else(|| format!("“{text}” is none of {all}"))
            }
        }
    };
}

words! {
    /// What a lesson says of a student.
    Status {
        /// There in time.
        Present = "present",
        /// There, after the grace period.
        Late = "late",
        /// Not there, and the door would have seen them.
        Absent = "absent",
        /// Not there, with a reason; left out of every percentage.
        Excused = "excused",
        /// Not seen, but the door was blind: nobody can say.
        Unverified = "unverified",
        /// Perhaps seen; nobody decided before the lesson ended.
        Undecided = "undecided",
    }
}

/// What a mark comes to where attendance is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counted {
    /// There in time.
    InTime,
    /// There, but not in time.
    Late,
    /// Not there.
    Away,
}

impl Status {
    /// What a person may say.
    pub const SAID: [Self; 4] = [Self::Present, Self::Late, Self::Absent, Self::Excused];

    /// What it comes to; nothing where it is left out of every percentage.
    #[must_use]
    pub fn counted(self) -> Option<Counted> {
        match self {
            Self::Present => Some(Counted::InTime),
            Self::Late => Some(Counted::Late),
            Self::Absent => Some(Counted::Away),
            Self::Excused | Self::Unverified | Self::Undecided => None,
        }
    }

    /// Whether the student was in the lesson.
    #[must_use]
    pub fn was_there(self) -> bool {
        matches!(self.counted(), Some(Counted::InTime | Counted::Late))
    }
}

words! {
    /// Who says so.
    Source {
        /// A door's sighting.
        Door = "door",
        /// A photo taken in the lesson.
        Photo = "photo",
        /// A person. Wins over everything else.
        Manual = "manual",
        /// The end of the lesson.
        Close = "close",
    }
}

words! {
    /// What a log says of a passage: S3's authorisation status.
    Authority {
        /// Surely somebody of the school who is active.
        Authorized = "authorized",
        /// Perhaps them: the match is not sure enough.
        Unsure = "unsure",
        /// Somebody of the school's staff who is not active any more.
        Inactive = "inactive",
    }
}

/// What is recorded of one student in one lesson.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    /// What.
    pub status: Status,
    /// Who says so.
    pub source: Source,
    /// The sighting it follows from.
    pub sighting: Option<RecordId>,
    /// When they were first seen.
    pub arrived_at: Option<Wall>,
    /// Account id of whoever decided, or `hub`.
    pub by: String,
    /// When it was recorded.
    pub at: Wall,
    /// What was noted with it.
    pub notes: Option<String>,
    /// Counts changes.
    pub version: i64,
}
