//! Everybody who may be recognised, searchable.

use crate::sighting::school::{School, SchoolLook};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use vision::decide::{self, CANDIDATES, Facts};
use vision::quality::Grade;
use vision::search::{Hit, Matrix};
use vision::{Scale, Template, TemplateError};
use wire::{Candidate, Lines, ModelId, Person, Reason, StudentId};

/// Neighbours looked at when look-alikes are searched: a person with more look-alikes than this
/// is in some of the pairs, and so are all of them.
const NEIGHBOURS: usize = 8;
/// Look-alikes looked at when those near them are searched, the nearest ones.
const CROWD: usize = 64;

/// One mean template per person, of one model.
#[derive(Debug)]
pub struct Index {
    model: ModelId,
    /// Of the site: its own or those of the pack.
    lines: Lines,
    /// People who look like somebody else, and those near them: the most alike pair beside each.
    beside: HashMap<StudentId, f32>,
    ids: Vec<StudentId>,
    matrix: Matrix,
    files: Vec<Vec<u8>>,
    look_alikes: Vec<(u32, u32)>,
    alike: HashSet<StudentId>,
    /// Who was at a door, and whom they were taken for and are not.
    ruled_out: HashSet<(StudentId, StudentId)>,
}

/// What look-alikes do to a site's lines.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Guard {
    /// People who look like somebody else: a person is always asked.
    pub alike: usize,
    /// People near these, for whom sure begins later.
    pub near: usize,
    /// Cosine of the two most alike people.
    pub highest: f32,
    /// Where sure begins beside them.
    pub line: f32,
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
        let mut ids = Vec::new();
        let mut means = Vec::new();
        for (id, looks) in enrolled {
            let mean = Template::mean(looks)?;
            matrix.push(&mean)?;
            ids.push(*id);
            means.push(mean);
        }
        let usual = decide::lines_of(model.as_str());
        let pairs = near_pairs(&matrix, &means, usual.single_review);
        let near = Scale::of(model.as_str()).near();
        let beside = beside(&pairs, &means, near)?;
        let beside = beside.into_iter().map(|(row, highest)| (ids[row], highest)).collect();
        let alike = pairs.iter().flat_map(|p| [ids[p.0 as usize], ids[p.1 as usize]]).collect();
        let look_alikes = pairs.into_iter().map(|(a, b, _)| (a, b)).collect();
        let files = means.iter().map(Template::to_f16_bytes).collect();
        let lines = usual;
        let ruled_out = HashSet::new();
        Ok(Self { model, lines, beside, ids, matrix, files, look_alikes, alike, ruled_out })
    }

    /// The same under other lines.
    #[must_use]
    pub fn with_lines(self, lines: &Lines) -> Self {
        Self { lines: *lines, ..self }
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

    /// The lines of this site: its own or those of the pack.
    #[must_use]
    pub fn lines(&self) -> Lines {
        self.lines
    }

    /// The lines for whoever is taken for `student`: beside people who look alike, sure begins above
    /// what these two have in common.
    #[must_use]
    pub fn lines_beside(&self, student: Option<StudentId>) -> Lines {
        let highest = student.and_then(|student| self.beside.get(&student));
        highest.map_or(self.lines, |highest| decide::raised(&self.lines, *highest))
    }

    /// What look-alikes do to this site's lines, if there are any.
    #[must_use]
    pub fn guard(&self) -> Option<Guard> {
        let highest = self.beside.values().copied().reduce(f32::max)?;
        let alike = self.alike.len();
        let line = decide::raised(&self.lines, highest).single_high;
        Some(Guard { alike, near: self.beside.len() - alike, highest, line })
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

    /// What its cosines mean.
    #[must_use]
    pub fn scale(&self) -> Scale {
        Scale::of(self.model.as_str())
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
        // Whose look-alike stays away is as doubtful here as with them.
        let pair = |(a, b): &(u32, u32)| match (place(*a), place(*b)) {
            (Some(a), Some(b)) => Some((a, b)),
            (one, other) => one.or(other).map(|alone| (alone, alone)),
        };
        let look_alikes: BTreeSet<_> = self.look_alikes.iter().filter_map(pair).collect();
        let look_alikes = look_alikes.into_iter().collect();
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

    fn holds(&self, student: StudentId) -> bool {
        self.ids.binary_search(&student).is_ok()
    }

    fn search(&self, probes: &[Template]) -> Vec<Vec<Candidate>> {
        let hits = self.matrix.batch(probes, CANDIDATES);
        hits.iter().map(|hits| self.candidates(hits)).collect()
    }

    fn judge(&self, candidates: &[Candidate], frames: u16, doubts: &[Reason]) -> SchoolLook {
        let look_alike = candidates.first().is_some_and(|best| self.is_alike(best.student));
        let grade = if doubts.is_empty() { Grade::Accept } else { Grade::ReviewOnly };
        let usual = self.usual();
        let lines = self.lines_beside(candidates.first().map(|best| best.student));
        let ruled_out = decide::is_ruled_out(candidates, frames, &lines, |seen, best| {
            self.ruled_out.contains(&(seen, best))
        });
        let mut doubts = doubts.to_vec();
        doubts.extend(ruled_out.then_some(Reason::RuledOut));
        let doubts = doubts.as_slice();
        let facts = Facts { candidates, frames, grade, doubts, look_alike, usual };
        let decision = decide::decide(&facts, &lines);
        SchoolLook {
            verdict: decision.verdict,
            reasons: decision.reasons,
            candidates: decision.candidates,
            confidence: decision.confidence,
        }
    }
}

/// For each row of a pair, and each near one of those, how alike the most alike pair beside it is:
/// the network runs high around them.
fn beside(
    pairs: &[(u32, u32, f32)],
    means: &[Template],
    near: f32,
) -> Result<HashMap<usize, f32>, TemplateError> {
    let mut paired = BTreeMap::<usize, f32>::new();
    for (a, b, score) in pairs {
        for row in [*a as usize, *b as usize] {
            paired.entry(row).and_modify(|most| *most = most.max(*score)).or_insert(*score);
        }
    }
    let mut crowd = Matrix::new(means.first().map_or(0, Template::dim));
    paired.keys().try_for_each(|row| crowd.push(&means[*row]).map(drop))?;
    let highest: Vec<f32> = paired.values().copied().collect();
    let beside = crowd.batch(means, CROWD).into_iter().map(|hits| {
        let near = hits.into_iter().filter(|hit| hit.score >= near);
        near.map(|hit| highest[hit.row]).reduce(f32::max)
    });
    let mut beside: HashMap<usize, f32> =
        beside.enumerate().filter_map(|(row, highest)| Some((row, highest?))).collect();
    for (row, own) in paired {
        beside.entry(row).and_modify(|most| *most = most.max(own)).or_insert(own);
    }
    Ok(beside)
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
    use proptest::prelude::*;
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
        fn seen(&self, degrees: f32) -> SchoolLook {
            let nearest = self.search(&[look(degrees)]);
            School::judge(self, &nearest[0], 3, &[])
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
        let line = |n| twins.lines_beside(Some(student(n))).single_high;
        assert!(line(1) > line(3), "raised above the pair");
        assert_eq!((line(3), twins.lines()), (0.960, decide::LINES), "and for nobody else");
        let seen = twins.seen(0.0);
        assert_eq!(seen.verdict, Verdict::Review);
        assert!(seen.reasons.contains(&Reason::LookAlike));
    }

    #[test]
    fn near_twins_sure_begins_above_them_and_far_away_where_it_did() {
        // Twins 10° apart (.985), somebody 22° from one of them (.927), somebody far away.
        let people = || index(&[(1, 0.0), (2, 10.0), (3, 32.0), (4, 90.0)]);
        let seen = |at: f32| people().seen(at);
        let near = seen(44.0); // 12° is .978
        assert_eq!((near.verdict, &near.reasons[..]), (Verdict::Review, &[Reason::BelowLine][..]));
        assert_eq!(seen(36.0).verdict, Verdict::High, "4° is .998, above the twins");
        assert_eq!(seen(102.0).verdict, Verdict::High, "12° again");
        let mut blind = people();
        blind.beside.clear();
        assert_eq!(blind.seen(44.0).verdict, Verdict::High, "the guard is what asks");
        let guard = people().guard().unwrap();
        assert_eq!((guard.alike, guard.near), (2, 1));
        assert!((guard.line - guard.highest - 0.005).abs() < 1e-6);
    }

    /// People anywhere on a ball, close together or not.
    fn anywhere() -> impl Strategy<Value = Vec<Template>> {
        let one = (0.0f32..1.2, 0.0f32..1.2).prop_map(|(a, b)| {
            let raw = vec![a.cos() * b.cos(), a.sin() * b.cos(), b.sin()];
            Template::from_raw(raw).unwrap()
        });
        prop::collection::vec(one, 2..24)
    }

    fn school(looks: &[Template]) -> Index {
        let people = (1u128..).zip(looks).map(|(n, look)| (student(n), vec![look.clone()]));
        Index::build("test-1".parse().unwrap(), &people.collect()).unwrap()
    }

    proptest! {
        #[test]
        fn nobody_is_sure_below_what_two_alike_people_near_them_have_in_common(
            looks in anywhere(), probe in anywhere(),
        ) {
            let (index, near) = (school(&looks), Scale::of("test-1").near());
            let seen = School::judge(&index, &index.search(&probe[..1])[0], 3, &[]);
            if seen.verdict == Verdict::High {
                let best = seen.candidates[0];
                let row = |id| index.people().binary_search(&id).unwrap();
                let own = &looks[row(best.student)];
                let others = looks.iter().filter(|other| *other != own);
                for one in others.filter(|one| one.cosine(own) >= near + 1e-5) {
                    let pair = looks.iter().filter(|other| *other != one);
                    let highest = pair.map(|other| other.cosine(one)).fold(0.0, f32::max);
                    prop_assert!(highest < 0.940 + 1e-5 || best.score >= highest.min(0.995));
                }
                prop_assert!(!index.is_alike(best.student), "nobody with a look-alike is sure");
            }
        }

        #[test]
        fn look_alikes_far_away_change_nothing(looks in anywhere(), probe in anywhere()) {
            // A pair on the other side of the ball.
            let twins = [-1.0, -0.999].map(|x| Template::from_raw(vec![x, -1.0, -1.0]).unwrap());
            let with = school(&[looks.clone(), twins.to_vec()].concat());
            let seen = |index: &Index| School::judge(index, &index.search(&probe[..1])[0], 3, &[]);
            prop_assert_eq!(seen(&with), seen(&school(&looks)));
        }

        #[test]
        fn no_door_is_sure_of_whoever_has_a_look_alike_anywhere(
            looks in anywhere(), kept in any::<u32>(),
        ) {
            let index = school(&looks);
            let place = |id: StudentId| index.people().binary_search(&id).unwrap();
            let gallery = index.to_gallery_of(|id| kept >> (place(id) % 32) & 1 == 1);
            for (n, person) in (0u32..).zip(&gallery.people) {
                let doubtful = gallery.look_alikes.iter().any(|(a, b)| *a == n || *b == n);
                prop_assert_eq!(doubtful, index.is_alike(person.id));
            }
            prop_assert!(wire::Gallery::decode(&gallery.encode()).is_ok());
        }
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
        let alone = all.to_gallery_of(|id| id != student(1));
        assert_eq!(alone.look_alikes, [(1, 1)], "like somebody who comes through other doors");
        assert_eq!(wire::Gallery::decode(&alone.encode()).unwrap(), alone);
        assert!(all.to_gallery_of(|id| id == student(2)).look_alikes.is_empty());
    }

    #[test]
    fn a_door_gets_a_sound_gallery_of_the_same_people() {
        let gallery = index(&[(2, 0.0), (1, 12.0)]).to_gallery();
        assert_eq!(wire::Gallery::decode(&gallery.encode()).unwrap(), gallery);
        let ids: Vec<_> = gallery.people.iter().map(|person| person.id).collect();
        assert_eq!(ids, [student(1), student(2)]);
    }
}
