//! Puts crops together and to people: clusters, nearest neighbours, suggestions, likenesses.
//!
//! Lines come as the similarities of the systems that Rollcall replaces, which were made for
//! other networks: with the default pack 0.7 as a plain cosine would join everybody. They are
//! taken as confidences ([`vision::Scale`]), so that with any pack 0.7 falls on the line from which
//! on a match is worth a look.

use super::{Album, OpenCrop, ids};
use crate::jobs::JobProgress;
use rules::assign;
use rules::cluster::{self, ClusterFace};
use rules::error::{Doing, Error};
use rules::gallery::Index;
use rules::knn::{self, Vote};
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};
use store::crop::{self, As, CropOf};
use store::reader::Reader;
use store::{Tx, consent};
use uuid::Uuid;
use vision::Scale;
use wire::{Candidate, StudentId};

/// What a clustering came to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
pub struct Clustered {
    /// Crops that were looked at.
    pub crops: usize,
    /// Those in no cluster that is given.
    pub alone: usize,
    /// The largest first.
    pub clusters: Vec<Cluster>,
}

/// Crops that seem to show one person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
pub struct Cluster {
    /// Its number, from 1; crops carry it until the next clustering.
    pub cluster: i64,
    /// Its crops.
    pub crop_ids: Vec<Uuid>,
    /// Student number of whom one of them is known to show.
    pub student_id: Option<String>,
}

/// Who a crop may show.
#[derive(Clone, PartialEq, Debug, Serialize, utoipa::ToSchema)]
pub struct Suggestion {
    /// The crop.
    pub crop_id: Uuid,
    /// Its photo.
    pub image_id: Uuid,
    /// Own id of the student.
    #[schema(value_type = Uuid)]
    pub student: StudentId,
    /// Student number.
    pub student_id: String,
    /// Full name.
    pub name: String,
    /// Cosine to the nearest face of theirs.
    pub similarity: f32,
    /// The same as a confidence, 0..=1.
    pub confidence: f32,
    /// How many of the nearest faces are theirs.
    pub votes: usize,
    /// Whether they are known to look like somebody else: a person decides.
    pub look_alike: bool,
    /// Whether the crop was put to them.
    pub assigned: bool,
}

/// What putting crops to people came to.
#[derive(Clone, PartialEq, Debug, Serialize, utoipa::ToSchema)]
pub struct Sorted {
    /// Crops without a person that were looked at.
    pub crops: usize,
    /// Those that were put to somebody.
    pub assigned: usize,
    /// Who each may show.
    pub suggestions: Vec<Suggestion>,
}

/// Another crop, and how alike it is.
#[derive(Clone, PartialEq, Debug)]
pub struct Alike {
    /// The other crop.
    pub crop: Uuid,
    /// Cosine.
    pub score: f32,
}

impl Album {
    /// What the cosines of its crops mean.
    #[must_use]
    pub fn scale(&self) -> Scale {
        Scale::of(self.recogniser.model().as_str())
    }

    /// A cosine for a similarity as people set it, 0..=1.
    ///
    /// # Errors
    /// `Invalid` outside that.
    pub fn line(&self, similarity: f32) -> Result<f32, Error> {
        let wrong = |_| Error::Invalid("similarity_threshold: use a number from 0 to 1".into());
        self.scale().cosine(similarity).map_err(wrong)
    }

    /// Clusters the crops of a class or a lesson, and remembers where each went.
    pub async fn cluster(
        &self,
        (of, class): (CropOf, Uuid),
        rule: cluster::ClusterRule,
        progress: &JobProgress,
    ) -> Result<Clustered, Error> {
        let open = self.open(of).await?;
        progress.set_total(open.len() as u64);
        let faces: Vec<ClusterFace> = open.iter().map(face).collect();
        let work = move || cluster::cluster(&faces, rule);
        let clusters = tokio::task::spawn_blocking(work).await.doing("clustering crops")?;
        let members = self.members(class).await?;
        let number = |ids: &[Uuid]| {
            let known = open.iter().filter(|open| ids.contains(&open.id));
            let known = known.filter_map(|open| open.student).map(|(student, _)| student).next()?;
            members.get(&known).map(|member| member.number.clone())
        };
        let given: Vec<Cluster> = (1i64..)
            .zip(&clusters)
            .map(|(cluster, ids)| Cluster {
                cluster,
                crop_ids: ids.clone(),
                student_id: number(ids),
            })
            .collect();
        let inside: usize = clusters.iter().map(Vec::len).sum();
        progress.no_return();
        self.db.write(move |tx| crop::set_clusters(tx, of, &clusters)).await?;
        progress.advance(open.len() as u64);
        Ok(Clustered { crops: open.len(), alone: open.len() - inside, clusters: given })
    }

    /// Says who the crops without a person may show, and with a `reader` to act for puts them to
    /// those people; look-alikes and people without consent are left to a person.
    pub async fn sort(
        &self,
        of: (CropOf, Uuid),
        rule: knn::KnnRule,
        commit: Option<Reader>,
        progress: &JobProgress,
    ) -> Result<Sorted, Error> {
        let Sorted { crops, mut suggestions, .. } = self.suggest(of, rule).await?;
        progress.set_total(crops as u64);
        if let Some(reader) = commit {
            progress.no_return();
            suggestions = self.commit(suggestions, reader).await?;
        }
        progress.advance(crops as u64);
        let assigned = suggestions.iter().filter(|suggestion| suggestion.assigned).count();
        Ok(Sorted { crops, assigned, suggestions })
    }

    /// Says who the crops without a person may show, and changes nothing.
    pub async fn suggest(
        &self,
        (of, class): (CropOf, Uuid),
        rule: knn::KnnRule,
    ) -> Result<Sorted, Error> {
        let open = self.open(of).await?;
        let members = self.members(class).await?;
        // Who a person named anywhere in the class is known everywhere in it.
        let named = if of == CropOf::Class(class) {
            open.clone()
        } else {
            self.open(CropOf::Class(class)).await?
        };
        let crops = open.iter().filter(|open| open.student.is_none()).count();
        let index = self.gallery.index();
        let people = ids(&members);
        let scale = self.scale();
        let work = move || settle(&open, &named, &index, &people, rule);
        let settled = tokio::task::spawn_blocking(work).await.doing("sorting crops")?;
        let suggestions = settled
            .into_iter()
            .filter_map(|(open, vote, look_alike)| {
                let member = members.get(&vote.student)?;
                Some(Suggestion {
                    crop_id: open.id,
                    image_id: open.image,
                    student: vote.student,
                    student_id: member.number.clone(),
                    name: member.name.clone(),
                    similarity: vote.score,
                    confidence: scale.confidence(vote.score),
                    votes: vote.votes,
                    look_alike,
                    assigned: false,
                })
            })
            .collect();
        Ok(Sorted { crops, assigned: 0, suggestions })
    }

    /// Puts crops to the people they seem to show. What changed meanwhile is left alone.
    async fn commit(
        &self,
        mut suggestions: Vec<Suggestion>,
        reader: Reader,
    ) -> Result<Vec<Suggestion>, Error> {
        let now = self.clock.wall();
        let work = move |tx: &Tx<'_>| {
            let by = reader.actor.user.to_string();
            for suggestion in suggestions.iter_mut().filter(|suggestion| !suggestion.look_alike) {
                if consent::given(tx, suggestion.student)? != Some(true) {
                    continue;
                }
                let crop = match crop::find(tx, reader, &suggestion.crop_id.to_string()) {
                    Ok(crop) if crop.student.is_none() && crop.kept => crop,
                    Ok(_) | Err(Error::NotFound(_)) => continue,
                    Err(error) => return Err(error),
                };
                match crop::assign(tx, &crop, suggestion.student, As::Machine, &by, now) {
                    Ok(()) => suggestion.assigned = true,
                    Err(Error::Conflict(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(suggestions)
        };
        self.db.write(work).await
    }

    /// The crops of the class most like this one, the likest first.
    ///
    /// # Errors
    /// `Invalid` when the crop has no template.
    pub async fn alike(
        &self,
        class: Uuid,
        id: Uuid,
        (line, most): (f32, usize),
    ) -> Result<Vec<Alike>, Error> {
        let open = self.open(CropOf::Class(class)).await?;
        let own = open.iter().find(|open| open.id == id).map(|open| open.template.clone());
        let none = || Error::Invalid("this crop has no template to compare: generate it".into());
        let own = own.ok_or_else(none)?;
        let score = |open: &OpenCrop| Alike { crop: open.id, score: own.cosine(&open.template) };
        let others = open.iter().filter(|open| open.id != id).map(score);
        let mut alike: Vec<_> = others.filter(|alike| alike.score >= line).collect();
        alike.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.crop.cmp(&b.crop)));
        alike.truncate(most);
        Ok(alike)
    }
}

fn face(open: &OpenCrop) -> ClusterFace {
    ClusterFace {
        id: open.id,
        photo: open.image,
        known: open.student.map(|(student, _)| student),
        template: open.template.clone(),
    }
}

/// Whom each crop without a person may show: photo by photo, nobody twice.
fn settle(
    open: &[OpenCrop],
    named: &[OpenCrop],
    index: &Index,
    members: &HashSet<StudentId>,
    rule: knn::KnnRule,
) -> Vec<(OpenCrop, Vote, bool)> {
    let mut photos: BTreeMap<Uuid, Vec<&OpenCrop>> = BTreeMap::new();
    for open in open.iter().filter(|open| open.student.is_none()) {
        photos.entry(open.image).or_default().push(open);
    }
    let mut settled = Vec::new();
    for (photo, mut crops) in photos {
        crops.sort_by_key(|open| open.id);
        let votes: Vec<Vec<Vote>> = crops
            .iter()
            .map(|open| knn::vote(&known(open, named, index, members, rule), rule))
            .collect();
        let matches: Vec<_> = votes.iter().map(|votes| knn::matches(votes, rule.voting)).collect();
        let taken = named.iter().filter(|open| open.image == photo);
        let taken = taken.filter_map(|open| open.student).map(|(student, _)| student).collect();
        for ((open, votes), found) in crops.iter().zip(&votes).zip(assign::settle(&matches, &taken))
        {
            let Some(found) = found else { continue };
            let vote = votes.iter().find(|vote| vote.student == found.student);
            let look_alike = index.is_alike(found.student);
            settled.extend(vote.map(|vote| ((*open).clone(), *vote, look_alike)));
        }
    }
    settled
}

/// The faces people of the class are known by, with their cosines to this one: enrolled, or named
/// by a person.
fn known(
    open: &OpenCrop,
    named: &[OpenCrop],
    index: &Index,
    members: &HashSet<StudentId>,
    rule: knn::KnnRule,
) -> Vec<Candidate> {
    let mut known = index.nearest_of(&open.template, rule.k, |id| members.contains(&id));
    known.extend(named.iter().filter_map(|other| match other.student {
        Some((student, As::Person)) if members.contains(&student) => {
            Some(Candidate { student, score: open.template.cosine(&other.template) })
        }
        _ => None,
    }));
    known
}
