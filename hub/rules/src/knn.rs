//! Who a face is by its nearest known faces.
//!
//! Known are the enrolled people of the class, and the crops a person named. Neighbours below the
//! line have no vote; with voting the person with most of the `k` nearest wins, without it the
//! nearest alone.

use crate::assign::Match;
use wire::{Candidate, StudentId};

/// Who may vote.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct KnnRule {
    /// So many nearest faces.
    pub k: usize,
    /// Of those, the ones at or above this cosine.
    pub line: f32,
    /// Whether most of them win, or the nearest.
    pub voting: bool,
}

/// What speaks for one person.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Vote {
    /// Who.
    pub student: StudentId,
    /// How many of the nearest faces are theirs.
    pub votes: usize,
    /// The cosine of the nearest of them.
    pub score: f32,
}

/// Everybody a face may be, the likeliest first; of equal ones the smaller id. `known` are the
/// faces people are known by, with their cosines to it.
#[must_use]
pub fn vote(known: &[Candidate], rule: KnnRule) -> Vec<Vote> {
    let mut near = known.to_vec();
    near.retain(|known| known.score.is_finite());
    near.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.student.cmp(&b.student)));
    near.truncate(rule.k);
    near.retain(|known| known.score >= rule.line);
    let mut votes: Vec<Vote> = Vec::new();
    for Candidate { student, score } in near {
        match votes.iter_mut().find(|vote| vote.student == student) {
            Some(vote) => vote.votes += 1,
            None => votes.push(Vote { student, votes: 1, score }),
        }
    }
    let count = |vote: &Vote| if rule.voting { vote.votes } else { 1 };
    votes.sort_by(|a, b| {
        count(b).cmp(&count(a)).then(b.score.total_cmp(&a.score)).then(a.student.cmp(&b.student))
    });
    votes
}

/// The votes as matches on the people of a photo: with voting the number of votes weighs more than
/// any similarity.
#[must_use]
pub fn matches(votes: &[Vote], voting: bool) -> Vec<Match> {
    #[expect(clippy::cast_precision_loss, reason = "at most 50 votes")]
    let weight =
        |vote: &Vote| if voting { vote.votes as f32 * 4.0 + vote.score } else { vote.score };
    votes.iter().map(|vote| Match { student: vote.student, weight: weight(vote) }).collect()
}

#[cfg(test)]
mod tests;
