//! What a person's decision does to a sighting: approve, reject, reassign, and take it back.
//!
//! Everything here is a decision over facts; whoever carries them out reads and writes the rows.
//! Rejecting hides crop and template from everybody at once; they go for good when the hour is
//! over in which a mistake is usually noticed. Undoing restores everything but the version and
//! the audit chain, which only grow, and but pictures that are gone by then: the card says so.

use crate::error::Error;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use wire::{RecordId, StudentId, Wall};

/// Where a sighting stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Waits for a person.
    Pending,
    /// It is known who it was: a person said so, or the class trusts its door.
    Approved,
    /// A person says it was nobody to record.
    Rejected,
    /// Kept as a log only: never to be decided.
    Logged,
}

impl Status {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Approved, Self::Rejected, Self::Logged];

    /// As the database and the API write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Logged => "logged",
        }
    }
}

impl std::str::FromStr for Status {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| format!("“{text}” is no state of a record"))
    }
}

/// The part of a sighting that decisions change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReviewState {
    /// Where it stands.
    pub status: Status,
    /// Who the hub thinks it was; once a person ruled that out, the next best.
    pub predicted: Option<StudentId>,
    /// How sure that is, 0..=1, by the bits of the number: what comes back is what was.
    pub sure: u64,
    /// Who a person said it was.
    pub decided: Option<StudentId>,
    /// The account that decided.
    pub reviewer: Option<String>,
    /// When.
    pub reviewed_at: Option<Wall>,
    /// What the reviewer noted.
    pub notes: Option<String>,
    /// Whom people ruled out, by id: whoever it was, it was none of them.
    pub ruled_out: Vec<StudentId>,
}

/// A sighting as a decision finds it.
#[derive(Clone, PartialEq, Debug)]
pub struct ReviewFacts {
    /// Which.
    pub record: RecordId,
    /// Counts decisions.
    pub version: i64,
    /// The lesson it is in.
    pub lesson: Option<Uuid>,
    /// What decisions made of it.
    pub state: ReviewState,
    /// Everybody it may have been and how sure that is, best first.
    pub candidates: Vec<(StudentId, f64)>,
    /// What the account that decided is called.
    pub reviewer_name: Option<String>,
}

/// What a person says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReviewSay {
    /// It was this student, or else the predicted one.
    Approve(Option<StudentId>),
    /// It was nobody to record.
    Reject,
    /// It was not the predicted one, and never is: whoever comes next among the candidates takes
    /// their place, and doors learn not to take the one for the other.
    RuleOut,
}

/// One decision that is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReviewAsk {
    /// About which sighting.
    pub record: RecordId,
    /// What.
    pub say: ReviewSay,
    /// A note to keep with it.
    pub notes: Option<String>,
    /// The version the person saw. Without it only a pending sighting is decided; with it an
    /// earlier decision can be corrected.
    pub version: Option<i64>,
}

/// What happens to crop and template.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReviewEvidence {
    /// Nothing.
    Keep,
    /// Their keys are wrapped for this student.
    Wrap(StudentId),
    /// Nobody sees them any more, and soon they go with their keys.
    Hide,
}

/// What follows from a decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReviewChange {
    /// The new state.
    pub state: ReviewState,
    /// What happens to crop and template.
    pub evidence: ReviewEvidence,
    /// The verb for the audit chain.
    pub action: &'static str,
}

/// Longest note, bytes.
const NOTE: usize = 2000;

/// What `ask` by the account `by` makes of a sighting.
///
/// # Errors
/// `Conflict` naming who was faster; `Invalid` when there is nobody to approve.
pub fn decide(
    facts: &ReviewFacts,
    ask: &ReviewAsk,
    by: &str,
    now: Wall,
) -> Result<ReviewChange, Error> {
    admit(facts, ask.version)?;
    let notes = ask.notes.as_deref().map(str::trim).filter(|note| !note.is_empty());
    if notes.is_some_and(|note| note.len() > NOTE) {
        return Err(Error::Invalid(format!("notes: use at most {NOTE} bytes")));
    }
    let ReviewState { predicted, sure, ruled_out, .. } = facts.state.clone();
    let state = |status, decided, ruled_out| ReviewState {
        status,
        predicted,
        sure,
        decided,
        reviewer: Some(by.to_owned()),
        reviewed_at: Some(now),
        notes: notes.map(str::to_owned),
        ruled_out,
    };
    let rejected = |action| {
        let state = state(Status::Rejected, None, Vec::new());
        ReviewChange { state, evidence: ReviewEvidence::Hide, action }
    };
    let nobody = || Error::Invalid("say which student it was: the hub has no guess".into());
    match ask.say {
        ReviewSay::Reject => Ok(rejected("reject")),
        ReviewSay::RuleOut => {
            let gone = with(ruled_out, predicted.ok_or_else(nobody)?);
            let next = facts.candidates.iter().find(|(student, _)| !gone.contains(student));
            Ok(next
                .map_or_else(|| rejected("rule_out"), |(next, sure)| passed_on(*next, *sure, gone)))
        }
        ReviewSay::Approve(student) => {
            let student = student.or(predicted).ok_or_else(nobody)?;
            let other = predicted.filter(|predicted| *predicted != student);
            let action = if other.is_some() { "reassign" } else { "approve" };
            let mut gone = other.into_iter().fold(ruled_out, with);
            gone.retain(|other| *other != student);
            let state = state(Status::Approved, Some(student), gone);
            Ok(ReviewChange { state, evidence: ReviewEvidence::Wrap(student), action })
        }
    }
}

/// The sighting waits on, as that of `next`: nobody has decided it.
fn passed_on(next: StudentId, sure: f64, ruled_out: Vec<StudentId>) -> ReviewChange {
    let state = ReviewState {
        status: Status::Pending,
        predicted: Some(next),
        sure: sure.to_bits(),
        decided: None,
        reviewer: None,
        reviewed_at: None,
        notes: None,
        ruled_out,
    };
    ReviewChange { state, evidence: ReviewEvidence::Wrap(next), action: "rule_out" }
}

/// The same people and `other`, by id.
fn with(mut people: Vec<StudentId>, other: StudentId) -> Vec<StudentId> {
    people.push(other);
    people.sort_unstable();
    people.dedup();
    people
}

fn admit(facts: &ReviewFacts, seen: Option<i64>) -> Result<(), Error> {
    let ReviewFacts { version, state, .. } = facts;
    if state.status == Status::Logged {
        return Err(Error::Invalid("this record is only a log: there is nothing to decide".into()));
    }
    let free = state.status == Status::Pending && seen.is_none_or(|seen| seen == *version);
    if free || seen == Some(*version) {
        return Ok(());
    }
    Err(Error::Conflict(faster(facts)))
}

/// Who was faster, in words.
fn faster(facts: &ReviewFacts) -> String {
    let who = facts.reviewer_name.as_deref().unwrap_or("somebody");
    match facts.state.status {
        Status::Approved => format!("{who} has already approved this: look again"),
        Status::Rejected => format!("{who} has already rejected this: look again"),
        Status::Pending | Status::Logged => "this was changed meanwhile: look again".into(),
    }
}

/// A sighting that one step changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FormerReview {
    /// Which.
    pub record: RecordId,
    /// The lesson it was in before.
    pub lesson: Option<Uuid>,
    /// What it was before.
    pub before: ReviewState,
    /// How the step left it.
    pub after: ReviewState,
}

/// What taking a step back does to a sighting. It must be as the step left it; that later steps
/// were taken back in between does not matter, so the version is not asked.
///
/// # Errors
/// `Conflict` when somebody decided after that step.
pub fn undo(facts: &ReviewFacts, former: &FormerReview) -> Result<ReviewChange, Error> {
    if facts.state != former.after {
        return Err(Error::Conflict(faster(facts)));
    }
    let state = former.before.clone();
    let evidence = match (state.status, holder(&state)) {
        (Status::Rejected, _) => ReviewEvidence::Hide,
        (_, Some(student)) => ReviewEvidence::Wrap(student),
        (_, None) => ReviewEvidence::Keep,
    };
    Ok(ReviewChange { state, evidence, action: "undo" })
}

/// Whose key wraps crop and template in this state.
#[must_use]
pub fn holder(state: &ReviewState) -> Option<StudentId> {
    state.decided.or(state.predicted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn student(n: u128) -> StudentId {
        StudentId(Uuid::from_u128(n))
    }

    /// Waits as student 1, and may have been 2.
    fn waiting() -> ReviewFacts {
        let state = ReviewState {
            status: Status::Pending,
            predicted: Some(student(1)),
            sure: 0.9f64.to_bits(),
            decided: None,
            reviewer: None,
            reviewed_at: None,
            notes: None,
            ruled_out: vec![],
        };
        let candidates = vec![(student(1), 0.9), (student(2), 0.6)];
        let record = RecordId(Uuid::from_u128(9));
        ReviewFacts { record, version: 1, lesson: None, state, candidates, reviewer_name: None }
    }

    fn ask(say: ReviewSay, version: Option<i64>) -> ReviewAsk {
        ReviewAsk { record: waiting().record, say, notes: None, version }
    }

    /// The sighting after a decision.
    fn after(facts: &ReviewFacts, change: ReviewChange) -> ReviewFacts {
        let name = change.state.reviewer.clone();
        let (state, version) = (change.state, facts.version + 1);
        ReviewFacts { state, version, reviewer_name: name, ..facts.clone() }
    }

    #[test]
    fn approving_takes_the_predicted_student_and_reassigning_rules_them_out() {
        let own = decide(&waiting(), &ask(ReviewSay::Approve(None), None), "a", Wall(5)).unwrap();
        assert_eq!((own.state.decided, own.action), (Some(student(1)), "approve"));
        assert_eq!(own.state.ruled_out, []);
        let other = ReviewSay::Approve(Some(student(2)));
        let other = decide(&waiting(), &ask(other, Some(1)), "a", Wall(5)).unwrap();
        assert_eq!((other.state.decided, other.action), (Some(student(2)), "reassign"));
        assert_eq!(other.state.ruled_out, [student(1)]);
        assert_eq!(other.evidence, ReviewEvidence::Wrap(student(2)));
    }

    #[test]
    fn whoever_is_ruled_out_gives_way_to_the_next_until_nobody_is_left() {
        let first = decide(&waiting(), &ask(ReviewSay::RuleOut, Some(1)), "a", Wall(5)).unwrap();
        let ReviewState { status, predicted, sure, .. } = first.state;
        assert_eq!((status, predicted), (Status::Pending, Some(student(2))));
        assert_eq!((f64::from_bits(sure), first.evidence), (0.6, ReviewEvidence::Wrap(student(2))));
        assert_eq!(
            (&first.state.reviewer, first.state.ruled_out.as_slice()),
            (&None, &[student(1)][..])
        );
        let passed = after(&waiting(), first);
        let own = decide(&passed, &ask(ReviewSay::Approve(None), None), "a", Wall(6)).unwrap();
        assert_eq!((own.state.decided, own.action), (Some(student(2)), "approve"));
        assert_eq!(own.state.ruled_out, [student(1)], "it is remembered of whoever it was");
        let back = decide(&passed, &ask(ReviewSay::Approve(Some(student(1))), None), "a", Wall(6))
            .unwrap();
        assert_eq!(back.state.ruled_out, [student(2)], "a person may think again");
        let last = decide(&passed, &ask(ReviewSay::RuleOut, None), "a", Wall(6)).unwrap();
        assert_eq!((last.state.status, last.evidence), (Status::Rejected, ReviewEvidence::Hide));
        assert_eq!(last.state.ruled_out, [], "of somebody unknown nothing can be remembered");
    }

    #[test]
    fn whoever_comes_second_is_told_who_was_first() {
        let first = decide(&waiting(), &ask(ReviewSay::Reject, Some(1)), "Ada", Wall(5)).unwrap();
        let decided = after(&waiting(), first);
        for version in [None, Some(1)] {
            let second = decide(&decided, &ask(ReviewSay::Approve(None), version), "Bob", Wall(6));
            let said = second.unwrap_err().to_string();
            assert_eq!(said, "Ada has already rejected this: look again");
        }
        assert!(decide(&decided, &ask(ReviewSay::Approve(None), Some(2)), "Bob", Wall(6)).is_ok());
    }

    #[test]
    fn there_must_be_somebody_to_approve() {
        let state = ReviewState { predicted: None, ..waiting().state };
        let nobody = ReviewFacts { state, ..waiting() };
        let asked = decide(&nobody, &ask(ReviewSay::Approve(None), None), "a", Wall(5));
        assert!(matches!(asked, Err(Error::Invalid(_))));
        let logged = ReviewState { status: Status::Logged, ..waiting().state };
        let logged = ReviewFacts { state: logged, ..waiting() };
        assert!(decide(&logged, &ask(ReviewSay::Reject, Some(1)), "a", Wall(5)).is_err());
    }

    #[test]
    fn undo_gives_the_former_state_unless_somebody_decided_since() {
        let change =
            decide(&waiting(), &ask(ReviewSay::Approve(None), None), "a", Wall(5)).unwrap();
        let decided = after(&waiting(), change);
        let (before, after) = (waiting().state, decided.state.clone());
        let former =
            FormerReview { record: decided.record, lesson: None, before: before.clone(), after };
        let back = undo(&decided, &former).unwrap();
        assert_eq!((back.state, back.evidence), (before, ReviewEvidence::Wrap(student(1))));
        let state = ReviewState { reviewed_at: Some(Wall(6)), ..decided.state.clone() };
        let later = ReviewFacts { state, ..decided };
        assert!(matches!(undo(&later, &former), Err(Error::Conflict(_))));
    }
}
