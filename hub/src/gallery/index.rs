//! Everybody who may be recognised, searchable.

use crate::ingest::school::{Look, School};
use std::collections::{BTreeMap, HashSet};
use vision::decide::{self, CANDIDATES, Facts};
use vision::quality::Grade;
use vision::search::{Hit, Matrix};
use vision::{Template, TemplateError};
use wire::{Candidate, Lines, ModelId, Person, Reason, StudentId};

/// Neighbours looked at when look-alikes are searched: a person with more look-alikes than this
/// is in some of the pairs, and so are all of them.
const NEIGHBOURS: usize = 8;

/// One mean template per person, of one model.
#[derive(Debug)]
pub struct Index {
    model: ModelId,
    lines: Lines,
    /// Cosine of the two most alike people, if any are near each other.
    highest: Option<f32>,
    ids: Vec<StudentId>,
    matrix: Matrix,
    files: Vec<Vec<u8>>,
    look_alikes: Vec<(u32, u32)>,
    alike: HashSet<StudentId>,
    /// Who was at a door, and whom they were taken for and are not.
    ruled_out: HashSet<(StudentId, StudentId)>,
}

impl Index {
    /// The index of these people, each with at least one template of `model`; people without
    /// any are left out.
    ///
    /// # Errors
    /// When templates have different lengths.
    pub fn build(
        model: ModelId,
        people: &BTreeMap<StudentId, Vec<Template>>,
    ) -> Result<Self, TemplateError> {
        let enrolled: Vec<_> = people.iter().filter(|(_, looks)| !looks.is_empty()).collect();
        let dim = enrolled.first().map_or(0, |(_, looks)| looks[0].dim());
        let mut matrix = Matrix::new(dim);
        let (mut ids, mut means) = (Vec::new(), Vec::new());
        for (id, looks) in enrolled {
            let mean = Template::mean(looks)?;
            matrix.push(&mean)?;
            ids.push(*id);
            means.push(mean);
        }
        let usual = decide::lines_of(model.as_str());
        let pairs = near_pairs(&matrix, &means, usual.single_review);
        let highest = pairs.iter().map(|pair| pair.2).reduce(f32::max);
        let alike = pairs.iter().flat_map(|p| [ids[p.0 as usize], ids[p.1 as usize]]).collect();
        let look_alikes = pairs.into_iter().map(|(a, b, _)| (a, b)).collect();
        let files = means.iter().map(Template::to_f16_bytes).collect();
        let (lines, ruled_out) = (usual, HashSet::new());
        let index =
            Self { model, lines, highest, ids, matrix, files, look_alikes, alike, ruled_out };
        Ok(index.with_lines(&usual))
    }

    /// The same under other lines, raised above the two most alike people too.
    #[must_use]
    pub fn with_lines(self, lines: &Lines) -> Self {
        let raised = |highest| decide::raised(lines, highest);
        Self { lines: self.highest.map_or(*lines, raised), ..self }
    }

    /// The same with what people ruled out: who was seen, and who they are not.
    #[must_use]
    pub fn with_ruled_out(self, pairs: impl IntoIterator<Item = (StudentId, StudentId)>) -> Self {
        Self { ruled_out: pairs.into_iter().collect(), ..self }
    }

    /// How many people are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether nobody is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Everybody in it, in the order of their ids.
    #[must_use]
    pub fn people(&self) -> &[StudentId] {
        &self.ids
    }

    /// Whether `student` is known to look like somebody else in it.
    #[must_use]
    pub fn is_alike(&self, student: StudentId) -> bool {
        self.alike.contains(&student)
    }

    /// The lines of this site: its own or those of the pack, raised above the two most alike people.
    #[must_use]
    pub fn lines(&self) -> Lines {
        self.lines
    }

    /// Cosine of the two most alike people, if any are near each other.
    #[must_use]
    pub fn highest(&self) -> Option<f32> {
        self.highest
    }

    /// Cosines of different people: each with the next ones, about `most` pairs in all.
    #[must_use]
    pub fn strangers(&self, most: usize) -> Vec<f32> {
        let people = self.ids.len();
        if people < 2 {
            return Vec::new();
        }
        let numbers = self.matrix.as_slice();
        let rows: Vec<&[f32]> = numbers.chunks(numbers.len() / people).collect();
        let rounds = (most / people).min((people - 1) / 2).max(1);
        let dot = |a: usize, b: usize| rows[a].iter().zip(rows[b]).map(|(x, y)| x * y).sum();
        let with = |apart: usize| (0..people).map(move |a| (a, (a + apart) % people));
        (1..=rounds).flat_map(with).map(|(a, b)| dot(a, b)).collect()
    }

    /// Where the lines of its model lie to begin with.
    #[must_use]
    pub fn usual(&self) -> Lines {
        decide::lines_of(self.model.as_str())
    }

    /// The people most like `template`, best first.
    #[must_use]
    pub fn nearest(&self, template: &Template, most: usize) -> Vec<Candidate> {
        self.nearest_of(template, most, |_| true)
    }

    /// The same among the people `keep` says yes to.
    #[must_use]
    pub fn nearest_of(
        &self,
        template: &Template,
        most: usize,
        keep: impl Fn(StudentId) -> bool,
    ) -> Vec<Candidate> {
        let hits = self.matrix.top_of(template, most, |row| keep(self.ids[row]));
        self.candidates(&hits)
    }

    fn candidates(&self, hits: &[Hit]) -> Vec<Candidate> {
        let one = |hit: &Hit| Candidate { student: self.ids[hit.row], score: hit.score };
        hits.iter().map(one).collect()
    }

    /// What a door gets: everybody here, means only.
    #[must_use]
    pub fn to_gallery(&self) -> wire::Gallery {
        self.to_gallery_of(|_| true)
    }

    /// The same of those `keep` says yes to.
    #[must_use]
    pub fn to_gallery_of(&self, keep: impl Fn(StudentId) -> bool) -> wire::Gallery {
        let rows: Vec<_> = (0..self.ids.len()).filter(|row| keep(self.ids[*row])).collect();
        let people = rows.iter().map(|row| (&self.ids[*row], &self.files[*row]));
        let dim = self.files.first().map_or(0, |file| file.len() / 2);
        let place = |row: u32| {
            let place = rows.binary_search(&(row as usize)).ok()?;
            u32::try_from(place).ok()
        };
        let pairs = self.look_alikes.iter();
        let look_alikes = pairs.filter_map(|(a, b)| place(*a).zip(place(*b))).collect();
        wire::Gallery {
            model: self.model.clone(),
            dim: u16::try_from(dim).expect("templates have a few hundred numbers"),
            lines: self.lines,
            people: people
                .map(|(id, template)| Person { id: *id, template: template.clone() })
                .collect(),
            look_alikes,
            cannot_link: Vec::new(),
            due: Vec::new(),
        }
    }
}

impl School for Index {
    fn model(&self) -> &ModelId {
        &self.model
    }

    fn search(&self, probes: &[Template]) -> Vec<Vec<Candidate>> {
        let hits = self.matrix.batch(probes, CANDIDATES);
        hits.iter().map(|hits| self.candidates(hits)).collect()
    }

    fn look(&self, candidates: &[Candidate], frames: u16, doubts: &[Reason]) -> Look {
        let look_alike = candidates.first().is_some_and(|best| self.is_alike(best.student));
        let grade = if doubts.is_empty() { Grade::Accept } else { Grade::ReviewOnly };
        let usual = self.usual();
        let ruled_out = decide::is_ruled_out(candidates, frames, &self.lines, |seen, best| {
            self.ruled_out.contains(&(seen, best))
        });
        let mut doubts = doubts.to_vec();
        doubts.extend(ruled_out.then_some(Reason::RuledOut));
        let doubts = doubts.as_slice();
        let facts = Facts { candidates, frames, grade, doubts, look_alike, usual };
        let decision = decide::decide(&facts, &self.lines);
        Look {
            verdict: decision.verdict,
            reasons: decision.reasons,
            candidates: decision.candidates,
            confidence: decision.confidence,
        }
    }
}

/// Pairs of rows that reach `line`, the review line of a single look: one would be on the other's card.
fn near_pairs(matrix: &Matrix, means: &[Template], line: f32) -> Vec<(u32, u32, f32)> {
    let near = matrix.batch(means, NEIGHBOURS + 1);
    let row = |n: usize| u32::try_from(n).expect("fewer than 4 billion people");
    let mut pairs: Vec<_> = near
        .iter()
        .enumerate()
        .flat_map(|(a, hits)| hits.iter().map(move |hit| (a, hit.row, hit.score)))
        .filter(|(a, b, score)| a != b && *score >= line)
        .map(|(a, b, score)| (row(a.min(b)), row(a.max(b)), score))
        .collect();
    pairs.sort_by_key(|pair| (pair.0, pair.1));
    pairs.dedup_by_key(|pair| (pair.0, pair.1));
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;
    use wire::Verdict;

    fn student(n: u128) -> StudentId {
        StudentId(Uuid::from_u128(n))
    }

    /// A unit vector in the plane, `degrees` from the first axis.
    fn look(degrees: f32) -> Template {
        let (sin, cos) = degrees.to_radians().sin_cos();
        Template::from_raw(vec![cos, sin]).unwrap()
    }

    fn index(people: &[(u128, f32)]) -> Index {
        let people = people.iter().map(|(n, at)| (student(*n), vec![look(*at)])).collect();
        Index::build("test-1".parse().unwrap(), &people).unwrap()
    }

    impl Index {
        /// What it makes of three looks at `degrees`.
        fn seen(&self, degrees: f32) -> Look {
            let nearest = self.search(&[look(degrees)]);
            School::look(self, &nearest[0], 3, &[])
        }
    }

    #[test]
    fn the_nearest_person_is_named_with_confidence() {
        let seen = index(&[(1, 0.0), (2, 90.0)]).seen(3.0);
        assert_eq!((seen.verdict, seen.candidates[0].student), (Verdict::High, student(1)));
        assert_eq!(seen.candidates.len(), 1, "the other is below the review line");
    }

    #[test]
    fn look_alikes_go_to_review_whatever_they_score() {
        let twins = index(&[(1, 0.0), (2, 12.0), (3, 90.0)]);
        assert!(twins.is_alike(student(1)) && !twins.is_alike(student(3)));
        assert!(twins.lines().single_high > decide::LINES.single_high, "raised above the pair");
        let seen = twins.seen(0.0);
        assert_eq!(seen.verdict, Verdict::Review);
        assert!(seen.reasons.contains(&Reason::LookAlike));
    }

    #[test]
    fn whoever_was_taken_for_another_goes_to_review_when_they_may_come_again() {
        let people = || index(&[(1, 0.0), (2, 20.0), (3, 90.0)]);
        let pairs = [(student(2), student(1)), (student(3), student(1))];
        let seen = people().seen(4.0);
        assert_eq!((seen.verdict, seen.candidates.len()), (Verdict::High, 2));
        let seen = people().with_ruled_out(pairs).seen(4.0);
        assert_eq!((seen.verdict, seen.reasons), (Verdict::Review, vec![Reason::RuledOut]));
        let other = people().with_ruled_out(pairs).seen(17.0);
        assert_eq!(other.verdict, Verdict::High, "the other way round nothing was said");
        let far = people().with_ruled_out([pairs[1]]).seen(4.0);
        assert_eq!(far.verdict, Verdict::High, "who is nowhere near does not come into it");
    }

    #[test]
    fn nobody_enrolled_means_nobody_found() {
        let empty = index(&[]);
        assert!(empty.is_empty());
        assert_eq!(empty.seen(0.0).verdict, Verdict::Unknown);
        assert_eq!(empty.to_gallery().people, vec![]);
    }

    #[test]
    fn a_door_that_was_taken_back_gets_a_sound_gallery_of_fewer() {
        let all = index(&[(1, 0.0), (2, 45.0), (3, 12.0), (4, 90.0)]);
        let some = all.to_gallery_of(|id| id != student(2));
        assert_eq!(wire::Gallery::decode(&some.encode()).unwrap(), some);
        assert_eq!((some.people.len(), some.look_alikes.as_slice()), (3, &[(0, 1)][..]));
        assert_eq!(all.to_gallery_of(|id| id != student(1)).look_alikes, []);
    }

    #[test]
    fn a_door_gets_a_sound_gallery_of_the_same_people() {
        let gallery = index(&[(2, 0.0), (1, 12.0)]).to_gallery();
        assert_eq!(wire::Gallery::decode(&gallery.encode()).unwrap(), gallery);
        let ids: Vec<_> = gallery.people.iter().map(|person| person.id).collect();
        assert_eq!(ids, [student(1), student(2)]);
    }
}
