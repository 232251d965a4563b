//! Faces of a photo and faces without a name, as a teacher sees them: boxes, choices, groups.

use rules::scores;
use std::collections::{BTreeMap, HashMap};
use store::class;
use store::crop::Crop;
use store::image::{Image, ImageState};
use store::job::Job;
use store::session::Session;
use uuid::Uuid;
use words::language::Language;

/// From this confidence on a proposal is chosen beforehand.
const LIKELY: f64 = 0.7;

/// A student to choose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PhotoFacesMember {
    /// Own id.
    pub id: Uuid,
    /// Full name, and number.
    pub name: String,
}

/// The students of a class, to choose from.
#[must_use]
pub fn members(members: Vec<class::Member>) -> Vec<PhotoFacesMember> {
    let one = |member: class::Member| {
        let name = format!("{} ({})", member.name, member.number);
        PhotoFacesMember { id: member.student.0, name }
    };
    members.into_iter().map(one).collect()
}

/// A photo with its faces.
#[derive(Debug)]
pub struct PhotoFacesShown {
    /// Own id.
    pub id: Uuid,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Whether somebody has looked for its faces.
    pub looked: bool,
    /// Size of the words on it.
    pub letters: u32,
    /// Its faces, from the left to the right.
    pub faces: Vec<PhotoFacesFace>,
    /// Counts changes.
    pub version: i64,
}

/// A face of a photo.
#[derive(Debug)]
pub struct PhotoFacesFace {
    /// Its number on the photo.
    pub n: usize,
    /// The crop.
    pub id: Uuid,
    /// From the left, in pixels.
    pub x: i64,
    /// From the top.
    pub y: i64,
    /// Across.
    pub width: i64,
    /// Down.
    pub height: i64,
    /// Where its words stand.
    pub words_y: i64,
    /// Who it seems to be: id, name, confidence in words and per cent.
    pub proposed: Option<(Uuid, String, &'static str, String)>,
    /// Who is chosen beforehand.
    pub chosen: Option<Uuid>,
    /// The name of whoever is chosen.
    pub name: String,
}

impl PhotoFacesShown {
    /// The photo `of` with its `crops`, in a class of these members.
    #[must_use]
    pub fn new(
        of: &Image,
        crops: &[Crop],
        members: &[PhotoFacesMember],
        language: Language,
    ) -> Self {
        let letters = (of.width.max(of.height) / 40).max(12);
        let mut crops: Vec<_> = crops.iter().collect();
        crops.sort_by_key(|crop| (crop.at.x, crop.at.y));
        let at = (i64::from(of.height), i64::from(letters));
        let face = |(n, crop): (usize, &&Crop)| face(n + 1, crop, at, members, language);
        Self {
            id: of.id,
            width: of.width,
            height: of.height,
            looked: of.state == ImageState::Processed,
            letters,
            faces: crops.iter().enumerate().map(face).collect(),
            version: of.version,
        }
    }

    /// Width of a line around a face.
    #[must_use]
    pub fn stroke(&self) -> u32 {
        (self.letters / 6).max(2)
    }
}

impl PhotoFacesFace {
    /// Whether the face seems to be this student.
    #[must_use]
    pub fn is_proposed(&self, id: &Uuid) -> bool {
        self.proposed.as_ref().is_some_and(|(proposed, ..)| proposed == id)
    }
}

fn face(
    n: usize,
    crop: &Crop,
    (bottom, letters): (i64, i64),
    members: &[PhotoFacesMember],
    language: Language,
) -> PhotoFacesFace {
    let member = |id: Uuid| members.iter().find(|member| member.id == id);
    let proposed = crop.proposed.as_ref().filter(|(person, _)| member(person.student.0).is_some());
    let sure = proposed
        .map(|(_, score)| scores::confidence(crop.model.as_deref().unwrap_or_default(), *score));
    let likely = proposed.filter(|_| sure.is_some_and(|sure| sure >= LIKELY));
    let stands = crop.student.as_ref().map(|person| person.student.0);
    let chosen = stands.or(likely.map(|(person, _)| person.student.0));
    let below = crop.at.y + crop.at.height + letters;
    PhotoFacesFace {
        n,
        id: crop.id,
        x: crop.at.x,
        y: crop.at.y,
        width: crop.at.width,
        height: crop.at.height,
        words_y: if below + letters / 4 <= bottom { below } else { crop.at.y - letters / 3 },
        proposed: proposed.zip(sure).map(|((person, _), sure)| {
            let percent = language.digits(&words::percent(sure).to_string());
            (person.student.0, person.name.clone(), words::confidence(sure), percent)
        }),
        name: chosen.and_then(member).map(isolated).unwrap_or_default(),
        chosen,
    }
}

/// A name that keeps its own direction, where no element does it.
fn isolated(member: &PhotoFacesMember) -> String {
    format!("\u{2068}{}\u{2069}", member.name)
}

/// The lesson a photo belongs to, of those of its day: the one it is in, or that ran when it was
/// taken.
#[must_use]
pub fn lesson_of(photo: &Image, lessons: &[Session]) -> Option<Uuid> {
    let at = photo.taken_at;
    let ran = lessons.iter().find(|of| of.starts <= at && at <= of.ends).map(|of| of.id);
    photo.session.or(ran)
}

/// Faces that seem to show one person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PhotoFacesGroup {
    /// Its number on the page.
    pub n: usize,
    /// The crops.
    pub crops: Vec<Uuid>,
    /// Who they seem to be.
    pub student: Option<Uuid>,
}

impl PhotoFacesGroup {
    /// The crops as a form sends them.
    #[must_use]
    pub fn joined(&self) -> String {
        self.crops.iter().map(Uuid::to_string).collect::<Vec<_>>().join(" ")
    }
}

/// Faces without a name put together, and how many are in no group: by whom `job` suggests, if
/// it suggested anybody, or else as the last clustering put them.
#[must_use]
pub fn groups(
    unnamed: &[Crop],
    job: Option<&Job>,
    members: &[PhotoFacesMember],
) -> (Vec<PhotoFacesGroup>, usize) {
    let suggested = suggested(job);
    let mut people: BTreeMap<(usize, i64), PhotoFacesGroup> = BTreeMap::new();
    for crop in unnamed {
        let student = suggested.get(&crop.id).copied();
        let place = student.and_then(|id| members.iter().position(|member| member.id == id));
        let key = match (place, crop.cluster) {
            (Some(place), _) => (place, 0),
            (None, Some(cluster)) if suggested.is_empty() => (usize::MAX, cluster),
            _ => continue,
        };
        let student = student.filter(|_| place.is_some());
        let new = || PhotoFacesGroup { n: 0, crops: Vec::new(), student };
        people.entry(key).or_insert_with(new).crops.push(crop.id);
    }
    let inside: usize = people.values().map(|group| group.crops.len()).sum();
    let mut groups: Vec<_> = people.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.crops.len()));
    for (n, group) in groups.iter_mut().enumerate() {
        group.n = n + 1;
    }
    (groups, unnamed.len() - inside)
}

/// Whom a job suggests for which crop.
fn suggested(job: Option<&Job>) -> HashMap<Uuid, Uuid> {
    let result = job.and_then(|job| job.result.as_ref());
    let all = result.and_then(|result| result["suggestions"].as_array());
    let id = |value: &serde_json::Value| value.as_str()?.parse::<Uuid>().ok();
    let pair = |one: &serde_json::Value| Some((id(&one["crop_id"])?, id(&one["student"])?));
    all.into_iter().flatten().filter_map(pair).collect()
}
