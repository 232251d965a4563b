//! What a person's decision does to a sighting: approve, reject, reassign, and take it back.
//!
//! Everything here is a decision over facts; [`desk`](crate::desk) reads and writes the rows.
//! Rejecting deletes crop and template at once, because their keys are the erasure: undoing a
//! rejection brings the record back without its picture, and the card says so. Undoing restores
//! everything else but the version and the audit chain, which only grow.

use crate::error::Error;
use serde::{Deserialize, Serialize};
use wire::{RecordId, StudentId, Wall};

/// Where a sighting stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Waits for a person.
    Pending,
    /// A person says who it was.
    Approved,
    /// A person says it was nobody to record.
    Rejected,
    /// Kept as a log only: never to be decided.
    Logged,
}

/// The part of a sighting that decisions change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct State {
    /// Where it stands.
    pub status: Status,
    /// Who a person said it was.
    pub decided: Option<StudentId>,
    /// The account that decided.
    pub reviewer: Option<String>,
    /// When.
    pub reviewed_at: Option<Wall>,
    /// What the reviewer noted.
    pub notes: Option<String>,
    /// Whom the person ruled out: (was at the door, is not).
    pub ruled_out: Option<(StudentId, StudentId)>,
}

/// A sighting as a decision finds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// Which.
    pub record: RecordId,
    /// Counts decisions.
    pub version: i64,
    /// Who the hub thinks it was.
    pub predicted: Option<StudentId>,
    /// What decisions made of it.
    pub state: State,
    /// What the account that decided is called.
    pub reviewer_name: Option<String>,
}

/// What a person says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Say {
    /// It was this student, or else the predicted one.
    Approve(Option<StudentId>),
    /// It was nobody to record.
    Reject,
}

/// One decision that is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ask {
    /// About which sighting.
    pub record: RecordId,
    /// What.
    pub say: Say,
    /// A note to keep with it.
    pub notes: Option<String>,
    /// The version the person saw. Without it only a pending sighting is decided; with it an
    /// earlier decision can be corrected.
    pub version: Option<i64>,
}

/// What happens to crop and template.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Evidence {
    /// Nothing.
    Keep,
    /// Their keys are wrapped for this student.
    Wrap(StudentId),
    /// They go, with their keys.
    Delete,
}

/// What follows from a decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The new state.
    pub state: State,
    /// What happens to crop and template.
    pub evidence: Evidence,
    /// The verb for the audit chain.
    pub action: &'static str,
}

/// Longest note, bytes.
const NOTE: usize = 2000;

/// What `ask` by the account `by` makes of a sighting.
///
/// # Errors
/// `Conflict` naming who was faster; `Invalid` when there is nobody to approve.
pub fn decide(facts: &Facts, ask: &Ask, by: &str, now: Wall) -> Result<Change, Error> {
    admit(facts, ask.version)?;
    let notes = ask.notes.as_deref().map(str::trim).filter(|note| !note.is_empty());
    if notes.is_some_and(|note| note.len() > NOTE) {
        return Err(Error::Invalid(format!("notes: use at most {NOTE} bytes")));
    }
    let (reviewer, reviewed_at) = (Some(by.to_owned()), Some(now));
    let notes = notes.map(str::to_owned);
    let state = |status, decided, ruled_out| State {
        status,
        decided,
        reviewer,
        reviewed_at,
        notes,
        ruled_out,
    };
    let Say::Approve(student) = ask.say else {
        let state = state(Status::Rejected, None, None);
        return Ok(Change { state, evidence: Evidence::Delete, action: "reject" });
    };
    let nobody = || Error::Invalid("say which student it was: the hub has no guess".into());
    let student = student.or(facts.predicted).ok_or_else(nobody)?;
    let other = facts.predicted.filter(|predicted| *predicted != student);
    let action = if other.is_some() { "reassign" } else { "approve" };
    let state = state(Status::Approved, Some(student), other.map(|other| (student, other)));
    Ok(Change { state, evidence: Evidence::Wrap(student), action })
}

fn admit(facts: &Facts, seen: Option<i64>) -> Result<(), Error> {
    let Facts { version, state, .. } = facts;
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
fn faster(facts: &Facts) -> String {
    let who = facts.reviewer_name.as_deref().unwrap_or("somebody");
    match facts.state.status {
        Status::Approved => format!("{who} has already approved this: look again"),
        Status::Rejected => format!("{who} has already rejected this: look again"),
        Status::Pending | Status::Logged => "this was changed meanwhile: look again".into(),
    }
}

/// A sighting that one step changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Former {
    /// Which.
    pub record: RecordId,
    /// What it was before.
    pub before: State,
    /// How the step left it.
    pub after: State,
}

/// What taking a step back does to a sighting. It must be as the step left it; that later steps
/// were taken back in between does not matter, so the version is not asked.
///
/// # Errors
/// `Conflict` when somebody decided after that step.
pub fn undo(facts: &Facts, former: &Former) -> Result<Change, Error> {
    if facts.state != former.after {
        return Err(Error::Conflict(faster(facts)));
    }
    let state = former.before.clone();
    let evidence = match (facts.state.status, holder(&state, facts.predicted)) {
        (Status::Rejected, _) | (_, None) => Evidence::Keep, // what was deleted stays deleted
        (_, Some(student)) => Evidence::Wrap(student),
    };
    Ok(Change { state, evidence, action: "undo" })
}

/// Whose key wraps crop and template in this state.
#[must_use]
pub fn holder(state: &State, predicted: Option<StudentId>) -> Option<StudentId> {
    state.decided.or(predicted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn student(n: u128) -> StudentId {
        StudentId(Uuid::from_u128(n))
    }

    fn waiting() -> Facts {
        let (decided, reviewer, reviewed_at) = (None, None, None);
        let (notes, ruled_out, status) = (None, None, Status::Pending);
        let state = State { status, decided, reviewer, reviewed_at, notes, ruled_out };
        let record = RecordId(Uuid::from_u128(9));
        Facts { record, version: 1, predicted: Some(student(1)), state, reviewer_name: None }
    }

    fn ask(say: Say, version: Option<i64>) -> Ask {
        Ask { record: waiting().record, say, notes: None, version }
    }

    /// The sighting after a decision.
    fn after(facts: &Facts, change: Change) -> Facts {
        let name = change.state.reviewer.clone();
        let (state, version) = (change.state, facts.version + 1);
        Facts { state, version, reviewer_name: name, ..facts.clone() }
    }

    #[test]
    fn approving_takes_the_predicted_student_and_reassigning_rules_them_out() {
        let own = decide(&waiting(), &ask(Say::Approve(None), None), "a", Wall(5)).unwrap();
        assert_eq!((own.state.decided, own.action), (Some(student(1)), "approve"));
        assert_eq!(own.state.ruled_out, None);
        let other = Say::Approve(Some(student(2)));
        let other = decide(&waiting(), &ask(other, Some(1)), "a", Wall(5)).unwrap();
        assert_eq!((other.state.decided, other.action), (Some(student(2)), "reassign"));
        assert_eq!(other.state.ruled_out, Some((student(2), student(1))));
        assert_eq!(other.evidence, Evidence::Wrap(student(2)));
    }

    #[test]
    fn whoever_comes_second_is_told_who_was_first() {
        let first = decide(&waiting(), &ask(Say::Reject, Some(1)), "Ada", Wall(5)).unwrap();
        let decided = after(&waiting(), first);
        for version in [None, Some(1)] {
            let second = decide(&decided, &ask(Say::Approve(None), version), "Bob", Wall(6));
            let said = second.unwrap_err().to_string();
            assert_eq!(said, "Ada has already rejected this: look again");
        }
        assert!(decide(&decided, &ask(Say::Approve(None), Some(2)), "Bob", Wall(6)).is_ok());
    }

    #[test]
    fn there_must_be_somebody_to_approve() {
        let nobody = Facts { predicted: None, ..waiting() };
        let asked = decide(&nobody, &ask(Say::Approve(None), None), "a", Wall(5));
        assert!(matches!(asked, Err(Error::Invalid(_))));
        let logged = State { status: Status::Logged, ..waiting().state };
        let logged = Facts { state: logged, ..waiting() };
        assert!(decide(&logged, &ask(Say::Reject, Some(1)), "a", Wall(5)).is_err());
    }

    #[test]
    fn undo_gives_the_former_state_unless_somebody_decided_since() {
        let change = decide(&waiting(), &ask(Say::Approve(None), None), "a", Wall(5)).unwrap();
        let decided = after(&waiting(), change);
        let (before, after) = (waiting().state, decided.state.clone());
        let former = Former { record: decided.record, before: before.clone(), after };
        let back = undo(&decided, &former).unwrap();
        assert_eq!((back.state, back.evidence), (before, Evidence::Wrap(student(1))));
        let state = State { reviewed_at: Some(Wall(6)), ..decided.state.clone() };
        let later = Facts { state, ..decided };
        assert!(matches!(undo(&later, &former), Err(Error::Conflict(_))));
    }
}
