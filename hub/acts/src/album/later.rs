//! The long work on photos, as jobs that somebody follows.

use super::Album;
use crate::jobs::{JobProgress, Jobs};
use rules::error::Error;
use rules::{cluster, knn};
use serde::Serialize;
use store::crop::CropOf;
use store::image::Image;
use store::job::Job;
use store::reader::Reader;
use utoipa::ToSchema;
use uuid::Uuid;

/// What looking at many photos came to.
#[derive(Serialize, ToSchema)]
pub struct Processed {
    /// Photos that were looked at.
    processed_images: usize,
    /// Photos at which that failed.
    failed_images: usize,
    /// Faces on them.
    face_crops: usize,
    /// Of those, the ones with a proposal.
    proposed: usize,
}

/// How crops are put to people.
#[derive(Clone, Debug)]
pub struct Putting {
    /// What the job is called.
    pub kind: &'static str,
    /// The crops, and their class.
    pub of: (CropOf, Uuid),
    /// Who wins.
    pub rule: knn::KnnRule,
    /// Whether it is only said, or done.
    pub outcome: Put,
}

/// What putting crops to people leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Put {
    /// A proposal for each.
    Suggest,
    /// The crops are theirs; a person confirms the photo later.
    Assign,
}

impl Album {
    /// Starts to look for the faces of a photo.
    ///
    /// # Errors
    /// `Conflict` when the photo is gone, `Unavailable` when too much waits.
    pub async fn look_later(self, jobs: &Jobs, photo: &Image, by: Uuid) -> Result<Job, Error> {
        if !photo.kept {
            let say = "this photo is gone: nobody can look at it again";
            return Err(Error::Conflict(say.into()));
        }
        let id = photo.id;
        let work = move |progress: JobProgress| async move {
            let looked = self.find_faces(id, by.to_string()).await?;
            progress.advance(1);
            Ok(looked)
        };
        jobs.start("process-image", 1, by, work).await
    }

    /// Starts to look at many photos; one at which that fails does not keep the others from it.
    ///
    /// # Errors
    /// `Unavailable` when too much waits.
    pub async fn look_at_all(
        self,
        jobs: &Jobs,
        kind: &'static str,
        photos: Vec<Uuid>,
        by: Uuid,
    ) -> Result<Job, Error> {
        let total = photos.len() as u64;
        let work = move |progress: JobProgress| async move {
            let mut failed_images = 0;
            let mut looked = Vec::new();
            for photo in photos {
                match self.find_faces(photo, by.to_string()).await {
                    Ok(one) => looked.push(one),
                    Err(error) => {
                        tracing::warn!(image = %photo, %error, "a photo could not be looked at");
                        failed_images += 1;
                    }
                }
                progress.advance(1);
            }
            let face_crops = looked.iter().map(|one| one.faces).sum();
            let proposed = looked.iter().map(|one| one.proposed).sum();
            let processed_images = looked.len();
            Ok(Processed { processed_images, failed_images, face_crops, proposed })
        };
        jobs.start(kind, total, by, work).await
    }

    /// Starts to cluster the crops of something of a class.
    ///
    /// # Errors
    /// `Unavailable` when too much waits.
    pub async fn cluster_later(
        self,
        jobs: &Jobs,
        of: (CropOf, Uuid),
        rule: cluster::ClusterRule,
        by: Uuid,
    ) -> Result<Job, Error> {
        let work =
            move |progress: JobProgress| async move { self.cluster(of, rule, &progress).await };
        jobs.start("cluster-crops", 0, by, work).await
    }

    /// Starts to put the crops of something of a class to people.
    ///
    /// # Errors
    /// `Unavailable` when too much waits.
    pub async fn put_later(
        self,
        jobs: &Jobs,
        putting: Putting,
        reader: Reader,
    ) -> Result<Job, Error> {
        let Putting { kind, of, rule, outcome } = putting;
        let commit = (outcome == Put::Assign).then_some(reader);
        let work = move |progress: JobProgress| async move {
            self.sort(of, rule, commit, &progress).await
        };
        jobs.start(kind, 0, reader.actor.user, work).await
    }
}
