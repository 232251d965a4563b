//! What becomes of one record: a pure decision, taken before the transaction and in parallel.
//!
//! It opens the seals, compares with the whole school, and says what to store. A face that
//! nobody at the school has leaves nothing but the receipt of its number.

use super::school::School;
use std::sync::Arc;
use vision::Template;
use wire::link::Reject;
use wire::record::{Anchor, Health, Loss, Moved, Watch, crop_hash};
use wire::seal::Part;
use wire::{
    Body, Candidate, ClockState, DeviceId, Direction, Epoch, HubSecret, Item, ModelId, Quality,
    Reason, RecordKey, SealError, Sealed, Sighting, StudentId, Verdict,
};
use zeroize::Zeroizing;

/// Candidates a sighting may name.
const CANDIDATES: usize = 5;
/// Reasons a sighting may give.
const REASONS: usize = 16;
/// Bytes of a room's name.
const ROOM: usize = 128;
/// Bytes of a crop, opened.
const CROP: usize = 16 * 1024;
/// Reasons that only the door can know, and that stay.
const KEPT: [Reason; 8] = [
    Reason::FaceSmall,
    Reason::Blurred,
    Reason::Dark,
    Reason::Bright,
    Reason::TurnedAway,
    Reason::DetectorUnsure,
    Reason::ClockUnset,
    Reason::StaleGallery,
];
/// Of those, the ones about how well the face was seen.
const DOUBTS: usize = 6;

/// What judging needs besides the record.
pub struct Context<'a> {
    /// The hub's sealing keys, the newest and those not yet retired.
    pub secrets: &'a [HubSecret],
    /// Everybody who may be recognised, for each model.
    pub schools: &'a [Arc<dyn School>],
}

impl Context<'_> {
    fn school(&self, model: &ModelId) -> Option<&dyn School> {
        self.schools.iter().find(|school| school.model() == model).map(|school| &**school)
    }
}

/// A record, judged.
#[derive(Debug)]
pub struct Judged {
    /// As it came, for the dead letter if it becomes one.
    pub item: Item,
    /// Of what really came, so that a damaged record never hides an intact one.
    pub hash: [u8; 16],
    /// The key and hash it had in an earlier life of its outbox.
    pub moved: Option<(RecordKey, [u8; 16])>,
    /// What to do.
    pub finding: JudgedFinding,
}

/// What a record turned out to be.
#[derive(Debug)]
pub enum JudgedFinding {
    /// Somebody of the school: for a person to decide.
    Seen(Box<JudgedSeen>),
    /// Nobody the school knows, or knows any more: no trace.
    Nobody,
    /// A face that cannot be compared: nobody has a template of its model. And whom its door
    /// named.
    Incomparable(ModelId, Vec<StudentId>),
    /// A face that is nobody's of whom there are templates of its model; and whom its door named
    /// of whom there are none.
    Unlearnt(ModelId, Vec<StudentId>),
    /// That frames came, from a door that does not say more.
    Health(Health),
    /// What the door could have recognised.
    Watch(Watch),
    /// What the door lost.
    Loss(Loss),
    /// What time it was.
    Anchor(Anchor),
    /// Not to be used: set aside, with a sentence for whoever looks into it.
    Dead(Reject, String),
}

/// A sighting as the hub sees it.
pub struct JudgedSeen {
    /// Room, direction, quality, frames, gallery and model are the door's; the rest is ours.
    pub room: String,
    /// Which way the door counts.
    pub direction: Direction,
    /// Best first, never empty.
    pub candidates: Vec<Candidate>,
    /// Of the first.
    pub confidence: f32,
    /// Ours.
    pub verdict: Verdict,
    /// Sorted.
    pub reasons: Vec<Reason>,
    /// The door's.
    pub quality: Quality,
    /// The door's.
    pub frames: u16,
    /// The door's.
    pub gallery: u64,
    /// The door's, of which there are templates here.
    pub model: ModelId,
    /// f16 little-endian, opened.
    pub template: Zeroizing<Vec<u8>>,
    /// JPEG, opened.
    pub crop: Option<Zeroizing<Vec<u8>>>,
}

impl std::fmt::Debug for JudgedSeen {
    /// Neither template nor crop.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = (&self.candidates, self.verdict, &self.reasons, self.crop.is_some());
        f.debug_tuple("Seen").field(&parts).finish()
    }
}

/// Why a record is dead.
type Dead = (Reject, String);

/// A record, opened and checked: what is left is to compare its face, if it has one.
struct JudgedOpened<'a> {
    item: &'a Item,
    moved: Option<(RecordKey, [u8; 16])>,
    found: Result<SealFound, Dead>,
}

enum SealFound {
    Face(Box<JudgedFace>),
    Other(JudgedFinding),
}

/// A face that was at a door.
struct JudgedFace {
    key: RecordKey,
    said: Sighting,
    template: Zeroizing<Vec<u8>>,
    probe: Template,
}

/// Judges records of `device` that came together, from its outbox `epoch`; their faces are
/// compared with the school in one go.
#[must_use]
pub fn judge(
    device: &DeviceId,
    epoch: Epoch,
    items: &[Item],
    context: &Context<'_>,
) -> Vec<Judged> {
    let key = |seq| RecordKey { device: device.clone(), epoch, seq };
    let opened: Vec<_> =
        items.iter().map(|item| JudgedOpened::new(&key(item.seq), item, context)).collect();
    let mut nearest = vec![Vec::new(); opened.len()];
    for school in context.schools {
        let probe =
            |(n, one): (usize, &JudgedOpened<'_>)| Some((n, one.probe(school.model())?.clone()));
        let (places, probes): (Vec<_>, Vec<_>) =
            opened.iter().enumerate().filter_map(probe).unzip();
        for (n, near) in places.into_iter().zip(school.search(&probes)) {
            nearest[n] = near;
        }
    }
    opened.into_iter().zip(nearest).map(|(one, near)| one.judged(&near, context)).collect()
}

impl<'a> JudgedOpened<'a> {
    fn new(key: &RecordKey, item: &'a Item, context: &Context<'_>) -> Self {
        let mut moved = None;
        let found = find(key, item, context, &mut moved);
        Self { item, moved, found }
    }

    /// Its face, if it is for the school of `model`.
    fn probe(&self, model: &ModelId) -> Option<&Template> {
        match &self.found {
            Ok(SealFound::Face(face)) if face.said.model == *model => Some(&face.probe),
            _ => None,
        }
    }

    fn judged(self, nearest: &[Candidate], context: &Context<'_>) -> Judged {
        let Self { item, moved, found } = self;
        let finding = match found {
            Ok(SealFound::Face(face)) => face.compared(item, nearest, context),
            Ok(SealFound::Other(finding)) => finding,
            Err((reject, why)) => JudgedFinding::Dead(reject, why),
        };
        let hash = Item::digest(item.seq, &item.at, &item.body);
        Judged { item: item.clone(), hash, moved, finding }
    }
}

fn find(
    key: &RecordKey,
    item: &Item,
    context: &Context<'_>,
    moved: &mut Option<(RecordKey, [u8; 16])>,
) -> Result<SealFound, Dead> {
    if !item.is_intact() {
        return Err((Reject::WrongHash, "the hash is not that of the content".into()));
    }
    if item.seq == 0 || i64::try_from(item.seq).is_err() || i64::try_from(item.at.mono.0).is_err() {
        return Err(invalid("its number or its time is out of range"));
    }
    match item.body().map_err(malformed)? {
        Body::Moved(old) => {
            let body = Body::decode(&old.body).map_err(malformed)?;
            let key = former(key, item, &old, moved);
            weigh(&key, item, body, context)
        }
        body => weigh(key, item, body, context),
    }
}

/// The key a moved record had, remembered in `moved` if it ever had a number there.
fn former(
    key: &RecordKey,
    item: &Item,
    old: &Moved,
    moved: &mut Option<(RecordKey, [u8; 16])>,
) -> RecordKey {
    let former = RecordKey { device: key.device.clone(), epoch: old.epoch, seq: old.seq };
    if old.seq > 0 {
        *moved = Some((former.clone(), Item::digest(old.seq, &item.at, &old.body)));
    }
    former
}

fn weigh(
    key: &RecordKey,
    item: &Item,
    body: Body,
    context: &Context<'_>,
) -> Result<SealFound, Dead> {
    let finding = match body {
        Body::Sighting(sighting) => return see(key, sighting, context),
        Body::Health(health) => {
            let span = item.at.mono.since(health.since);
            if health.since > item.at.mono || health.watched_ms > span {
                return Err(invalid("it watched longer than the time it speaks of"));
            }
            JudgedFinding::Health(health)
        }
        Body::Watch(watch) if !watch.is_sound(item.at.mono) => {
            return Err(invalid("it watched longer than the time it speaks of"));
        }
        Body::Watch(watch) => JudgedFinding::Watch(watch),
        Body::Loss(loss) if i64::try_from(loss.gone.max()).is_err() => {
            return Err(invalid("it gives up numbers that cannot exist"));
        }
        Body::Loss(loss) => JudgedFinding::Loss(loss),
        Body::Anchor(_) if item.at.wall.is_none() || item.at.clock < ClockState::Rtc => {
            return Err(invalid("it ties together a time that is not known"));
        }
        Body::Anchor(anchor) => JudgedFinding::Anchor(anchor),
        Body::Moved(_) => return Err(invalid("it was moved twice in one record")),
    };
    Ok(SealFound::Other(finding))
}

fn see(key: &RecordKey, said: Sighting, context: &Context<'_>) -> Result<SealFound, Dead> {
    check(&said)?;
    let template = open(key, Part::Template, &said.template, context.secrets)
        .map_err(|error| (Reject::Unsealable, error.to_string()))?;
    if context.school(&said.model).is_none() {
        let named = people(&said.candidates);
        return Ok(SealFound::Other(JudgedFinding::Incomparable(said.model, named)));
    }
    let probe = Template::from_f16_bytes(&template).map_err(|error| invalid(&error.to_string()))?;
    Ok(SealFound::Face(Box::new(JudgedFace { key: key.clone(), said, template, probe })))
}

impl JudgedFace {
    /// What it comes to, once the people most like it are known.
    fn compared(self, item: &Item, nearest: &[Candidate], context: &Context<'_>) -> JudgedFinding {
        let Self { key, said, template, .. } = self;
        let kept: Vec<_> =
            KEPT.into_iter().filter(|reason| said.reasons.contains(reason)).collect();
        let doubts: Vec<_> =
            kept.iter().copied().filter(|reason| KEPT[..DOUBTS].contains(reason)).collect();
        let Some(school) = context.school(&said.model) else { return JudgedFinding::Nobody };
        let look = school.judge(nearest, said.frames, &doubts);
        if look.candidates.is_empty() {
            let named = people(&said.candidates).into_iter();
            let unlearnt: Vec<_> = named.filter(|student| !school.holds(*student)).collect();
            return match unlearnt[..] {
                [] => JudgedFinding::Nobody,
                _ => JudgedFinding::Unlearnt(said.model, unlearnt),
            };
        }
        let crop = crop(&key, item, &said, context.secrets);
        let changed = people(&said.candidates) != people(&look.candidates);
        let dropped =
            crop.is_none() && (said.crop.is_some() || said.reasons.contains(&Reason::CropDropped));
        let mut reasons = [look.reasons, kept].concat();
        reasons.extend(changed.then_some(Reason::ChangedByHub));
        reasons.extend(dropped.then_some(Reason::CropDropped));
        reasons.sort_unstable();
        reasons.dedup();
        let verdict = if changed { Verdict::Review } else { look.verdict };
        JudgedFinding::Seen(Box::new(JudgedSeen {
            room: said.room,
            direction: said.direction,
            candidates: look.candidates,
            confidence: look.confidence,
            verdict,
            reasons,
            quality: said.quality,
            frames: said.frames,
            gallery: said.gallery,
            model: said.model,
            template,
            crop,
        }))
    }
}

/// Values out of range are a door's fault, or somebody else's at a door.
fn check(said: &Sighting) -> Result<(), Dead> {
    let q = &said.quality;
    let measures = [q.eye_px, q.sharpness, q.brightness, q.turn, q.detector];
    let scores = said.candidates.iter().map(|candidate| candidate.score);
    let sound = said.candidates.len() <= CANDIDATES
        && said.reasons.len() <= REASONS
        && said.room.len() <= ROOM
        && said.frames > 0
        && (0.0..=1.0).contains(&said.confidence)
        && i64::try_from(said.gallery).is_ok()
        && measures.iter().all(|measure| measure.is_finite())
        && scores.into_iter().all(|score| (-1.001..=1.001).contains(&score));
    if sound { Ok(()) } else { Err(invalid("a value of the sighting is out of range")) }
}

fn open(
    key: &RecordKey,
    part: Part,
    sealed: &Sealed,
    secrets: &[HubSecret],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let secret = secrets.iter().find(|secret| secret.id == sealed.key);
    secret.ok_or(SealError::Retired(sealed.key))?.open(key, part, sealed)
}

/// The crop, if it came, is the one the record names, opens, and is a JPEG. A crop that is not
/// does not cost the record: the card says that it is missing.
fn crop(
    key: &RecordKey,
    item: &Item,
    said: &Sighting,
    secrets: &[HubSecret],
) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = item.crop.as_ref().filter(|bytes| said.crop == Some(crop_hash(bytes)))?;
    let jpeg = open(key, Part::Crop, &Sealed::decode(bytes).ok()?, secrets).ok()?;
    (jpeg.len() <= CROP && jpeg.starts_with(&[0xff, 0xd8, 0xff])).then_some(jpeg)
}

fn people(candidates: &[Candidate]) -> Vec<StudentId> {
    candidates.iter().map(|candidate| candidate.student).collect()
}

fn malformed(error: impl std::fmt::Display) -> Dead {
    (Reject::Malformed, format!("the body does not decode: {error}"))
}

fn invalid(why: &str) -> Dead {
    (Reject::Invalid, why.to_owned())
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
