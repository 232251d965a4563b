//! Which crops show the same person: agglomerative clustering, average linkage, cosine.
//!
//! The two most similar clusters are joined, again and again, until none are similar enough. Two
//! crops that cannot be one person are never in one cluster: those a person named differently,
//! and those of one photo. The order of the input does not matter.

use std::cmp::Ordering;
use uuid::Uuid;
use vision::Template;
use wire::StudentId;

/// A face to be put with others.
#[derive(Clone, Debug)]
pub struct ClusterFace {
    /// The crop.
    pub id: Uuid,
    /// The photo it is cut from.
    pub photo: Uuid,
    /// Who it is, if that is known.
    pub known: Option<StudentId>,
    /// What it looks like.
    pub template: Template,
}

/// When to stop joining.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ClusterRule {
    /// Clusters less similar than this cosine are not joined.
    pub line: f32,
    /// As many clusters at most.
    pub most: usize,
    /// Goes on joining below the line until there are at most `most`. Otherwise the largest
    /// `most` are given, and the crops of the others stay alone.
    pub force: bool,
}

/// The clusters, the largest first, of equal ones that with the smallest crop id.
#[must_use]
pub fn cluster(faces: &[ClusterFace], rule: ClusterRule) -> Vec<Vec<Uuid>> {
    let mut faces: Vec<&ClusterFace> = faces.iter().collect();
    faces.sort_by_key(|face| face.id);
    let mut joining = ClusterJoining::new(&faces);
    while let Some((a, b, likeness)) = joining.best() {
        let enough = likeness >= f64::from(rule.line);
        let too_many = rule.force && joining.count() > rule.most;
        if !enough && !too_many {
            break;
        }
        joining.join(a, b);
    }
    let id = |n: &usize| faces[*n].id;
    let members = joining.members.iter().filter(|members| !members.is_empty());
    let mut clusters: Vec<Vec<Uuid>> = members
        .map(|members| {
            let mut ids: Vec<_> = members.iter().map(id).collect();
            ids.sort_unstable();
            ids
        })
        .collect();
    clusters.sort_by_key(|ids| (std::cmp::Reverse(ids.len()), ids[0]));
    clusters.truncate(rule.most);
    clusters
}

/// Clusters so far, and how alike each two are.
struct ClusterJoining {
    n: usize,
    /// Sum of the cosines between members; minus infinity for two that are never joined.
    sums: Vec<f64>,
    members: Vec<Vec<usize>>,
    /// For each cluster its best later partner.
    near: Vec<Option<(usize, f64)>>,
}

impl ClusterJoining {
    fn new(faces: &[&ClusterFace]) -> Self {
        let n = faces.len();
        let mut sums = vec![f64::NEG_INFINITY; n * n];
        for a in 0..n {
            for b in a + 1..n {
                let sum = likeness(faces[a], faces[b]);
                (sums[a * n + b], sums[b * n + a]) = (sum, sum);
            }
        }
        let members = (0..n).map(|n| vec![n]).collect();
        let mut joining = Self { n, sums, members, near: vec![None; n] };
        for a in 0..n {
            joining.near[a] = joining.nearest(a);
        }
        joining
    }

    fn count(&self) -> usize {
        self.members.iter().filter(|members| !members.is_empty()).count()
    }

    fn average(&self, a: usize, b: usize) -> f64 {
        let pairs = self.members[a].len() * self.members[b].len();
        #[expect(clippy::cast_precision_loss, reason = "a few thousand crops, squared")]
        let pairs = pairs as f64;
        self.sums[a * self.n + b] / pairs
    }

    /// The best partner of `a` among those after it; of equal ones the first.
    fn nearest(&self, a: usize) -> Option<(usize, f64)> {
        let open = (a + 1..self.n).filter(|b| !self.members[*b].is_empty());
        let pairs = open.map(|b| (b, self.average(a, b))).filter(|pair| pair.1.is_finite());
        pairs.max_by(|a, b| order(a.1, b.1).then(b.0.cmp(&a.0)))
    }

    /// The two most alike; of equal ones the first.
    fn best(&self) -> Option<(usize, usize, f64)> {
        let open = self.near.iter().enumerate();
        let pairs = open.filter_map(|(a, near)| near.map(|(b, likeness)| (a, b, likeness)));
        pairs.max_by(|a, b| order(a.2, b.2).then(b.0.cmp(&a.0)))
    }

    /// `b` becomes part of `a`, which comes before it.
    fn join(&mut self, a: usize, b: usize) {
        let n = self.n;
        for other in 0..n {
            let sum = self.sums[a * n + other] + self.sums[b * n + other];
            (self.sums[a * n + other], self.sums[other * n + a]) = (sum, sum);
        }
        let gone = std::mem::take(&mut self.members[b]);
        self.members[a].extend(gone);
        self.near[b] = None;
        for other in 0..n {
            let stale = self.near[other].is_some_and(|(near, _)| near == a || near == b);
            if (other == a || stale) && !self.members[other].is_empty() {
                self.near[other] = self.nearest(other);
            }
        }
    }
}

/// Cosine, or minus infinity for two who cannot be one person.
fn likeness(a: &ClusterFace, b: &ClusterFace) -> f64 {
    let named_apart = a.known.zip(b.known).is_some_and(|(a, b)| a != b);
    if named_apart || a.photo == b.photo {
        return f64::NEG_INFINITY;
    }
    f64::from(a.template.cosine(&b.template))
}

fn order(a: f64, b: f64) -> Ordering {
    a.total_cmp(&b)
}

#[cfg(test)]
mod tests;
