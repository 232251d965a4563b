//! Looks at a photo: cuts its faces out and proposes who each is, nobody twice.

use super::{Album, gone, ids};
use crate::photo;
use crate::recogniser::{FaceSeen, PictureSight};
use rules::assign::{self, Match};
use rules::error::{Doing, Error};
use rules::gallery::Index;
use serde::Serialize;
use std::collections::HashSet;
use store::crop::{self, Area, Crop, NewCrop};
use store::vault::DataKey;
use store::{Tx, consent, image};
use uuid::Uuid;
use vision::Rect;
use wire::StudentId;

/// Two boxes that overlap more than this (intersection over union) are one face.
const SAME: f32 = 0.5;

/// What a look at a photo came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Looked)]
pub struct PhotoLooked {
    /// The photo.
    pub image_id: Uuid,
    /// Faces on it.
    pub faces: usize,
    /// Of those, the ones with a proposal.
    pub proposed: usize,
}

impl Album {
    /// Cuts the faces of a photo out and proposes who they are, among its class. Faces that are
    /// there already keep their ids and their people.
    ///
    /// # Errors
    /// `NotFound` when the photo is gone, `Unavailable` when too many pictures wait.
    pub async fn find_faces(&self, id: Uuid, by: String) -> Result<PhotoLooked, Error> {
        let jpeg = self.picture(id).await?;
        let read = move |tx: &Tx<'_>| Ok((image::get(tx, id)?, crop::of_image(tx, id)?));
        let (photo, old) = self.db.read(read).await?;
        let key = self.keys.photo(id)?.ok_or_else(gone)?;
        let members = ids(&self.members(photo.class).await?);
        let sight = self.recogniser.faces(jpeg.to_vec()).await?;
        let index = self.gallery.index();
        let now = self.clock.wall();
        let model = self.recogniser.model().as_str().to_owned();
        let work = move || {
            let proposed = propose(&sight, &index, &members, &old);
            let seal = Seal { key: &key, model: &model, sight: &sight };
            let mut free: Vec<&Crop> = old.iter().collect();
            let mut found = Vec::new();
            let mut renewed = Vec::new();
            for (face, proposed) in sight.faces.iter().zip(proposed) {
                let known = same(&free, face.face.rect).map(|crop| crop.id);
                free.retain(|crop| Some(crop.id) != known);
                let id = known.unwrap_or_else(|| wire::id::v7(now));
                let of = if known.is_some() { &mut renewed } else { &mut found };
                of.push(seal.found(id, face, proposed));
            }
            PhotoCut {
                gone: free.into_iter().filter(|c| c.student.is_none()).map(|c| c.id).collect(),
                found,
                renewed,
            }
        };
        let cut = tokio::task::spawn_blocking(work).await.doing("cutting faces out")?;
        let faces = || cut.found.iter().chain(&cut.renewed);
        let proposed = faces().filter(|face| face.proposed.is_some()).count();
        let looked = PhotoLooked { image_id: id, faces: faces().count(), proposed };
        let write = move |tx: &Tx<'_>| {
            let photo = image::get(tx, id)?;
            if !photo.kept {
                return Err(gone());
            }
            cut.store(tx, &photo)?;
            image::processed(tx, id, looked.faces, &by, now)
        };
        self.db.write(write).await?;
        Ok(looked)
    }
}

/// Whom each face may be: the best that the whole photo leaves to it.
fn propose(
    sight: &PictureSight,
    index: &Index,
    members: &HashSet<StudentId>,
    old: &[Crop],
) -> Vec<Option<(StudentId, f32)>> {
    let named = |crop: &Crop| crop.student.as_ref().map(|person| person.student);
    let taken: HashSet<StudentId> = old.iter().filter_map(named).collect();
    let all: Vec<&Crop> = old.iter().collect();
    let claims: Vec<Vec<Match>> = (sight.faces.iter())
        .map(|face| {
            let known = same(&all, face.face.rect).and_then(named);
            let found = photo::compare(index, face, |id| members.contains(&id)).candidates;
            let claim = |c: wire::Candidate| Match { student: c.student, weight: c.score };
            if known.is_some() { Vec::new() } else { found.into_iter().map(claim).collect() }
        })
        .collect();
    let settled = assign::settle(&claims, &taken);
    settled.into_iter().map(|claim| claim.map(|claim| (claim.student, claim.weight))).collect()
}

/// The crop that is already there for this box.
fn same<'a>(old: &[&'a Crop], rect: Rect) -> Option<&'a Crop> {
    let near = old.iter().map(|crop| (*crop, rectangle(crop.at).iou(&rect)));
    let best = near.filter(|(_, iou)| *iou > SAME).max_by(|a, b| a.1.total_cmp(&b.1));
    best.map(|(crop, _)| crop)
}

/// What a look at a photo found, as rows.
struct PhotoCut {
    /// Faces that were not there before.
    found: Vec<NewCrop>,
    /// Faces that were.
    renewed: Vec<NewCrop>,
    /// Crops that are no face after all.
    gone: Vec<Uuid>,
}

impl PhotoCut {
    fn store(&self, tx: &Tx<'_>, photo: &image::Image) -> Result<(), Error> {
        self.gone.iter().try_for_each(|id| crop::remove(tx, *id))?;
        for face in &self.renewed {
            crop::renew(tx, face.id, face)?;
        }
        crop::add(tx, photo, &self.found)?;
        let named = crop::of_image(tx, photo.id)?
            .into_iter()
            .filter_map(|crop| crop.student.map(|person| (crop.id, person.student)));
        for (id, student) in named {
            if consent::given(tx, student)? != Some(true) {
                crop::drop_template(tx, id)?;
            }
        }
        Ok(())
    }
}

/// What faces of one photo are sealed with.
struct Seal<'a> {
    key: &'a DataKey,
    model: &'a str,
    sight: &'a PictureSight,
}

impl Seal<'_> {
    fn found(&self, id: Uuid, face: &FaceSeen, proposed: Option<(StudentId, f32)>) -> NewCrop {
        let template = face.template.to_f16_bytes();
        let pixels = photo::crop(self.sight, face);
        NewCrop {
            id,
            at: pixels_of(face.face.rect),
            score: f64::from(face.face.score),
            quality: face.judgement.quality,
            doubts: face.judgement.doubts.clone(),
            crop: pixels.map(|pixels| self.key.seal(&crop::place(id), &pixels)),
            template: self.key.seal(&crop::template_place(id), &template),
            model: self.model.to_owned(),
            proposed,
        }
    }
}

/// A box in whole pixels.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "pixels of a picture of 64 megapixels")]
pub fn pixels_of(rect: Rect) -> Area {
    let (x, y) = (rect.left.round() as i64, rect.top.round() as i64);
    let (width, height) = (rect.width().round() as i64, rect.height().round() as i64);
    Area { x, y, width, height }
}

#[expect(clippy::cast_precision_loss, reason = "pixels of a picture of 4096 at most")]
fn rectangle(at: Area) -> Rect {
    let left = at.x as f32;
    let top = at.y as f32;
    Rect { left, top, right: left + at.width as f32, bottom: top + at.height as f32 }
}
