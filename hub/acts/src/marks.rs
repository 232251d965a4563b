//! Carries the decisions about lessons out, inside whoever's transaction: finds the lesson of a
//! sighting, lets marks follow from what was approved, and closes what is over.

pub mod budget;

use jiff::civil::Date;
use rules::attendance::closing::{self, Ground, Grounds};
use rules::attendance::marking::{self, HUB};
use rules::attendance::placing::{self, PlacingFacts, PlacingLesson, PlacingPlace};
use rules::attendance::{Mark, Source, Status};
use rules::error::Error;
use rules::review;
use serde_json::json;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use store::session::{self, Session};
use store::{Tx, audit, class, mark, passage, watch};
use uuid::Uuid;
use wire::{Candidate, Direction, Reason, RecordId, StudentId, Verdict, Wall};

/// What is recorded of this student in this lesson changed.
pub type Marked = (Uuid, StudentId);

/// A sighting that has just come, as far as lessons need it.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// The room behind the door.
    pub room: &'a str,
    /// Which way the door counts.
    pub direction: Direction,
    /// When it was, where that is known.
    pub at: Option<Wall>,
    /// The earliest and the latest it can have been; no earliest when nothing is known.
    pub span: (Option<Wall>, Wall),
    /// Whether the first candidate is sure.
    pub verdict: Verdict,
    /// Of the first candidate.
    pub confidence: f32,
    /// Why it is not surer.
    pub reasons: &'a [Reason],
}

/// What a sighting that has just come is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Worth {
    /// The lesson it fell into.
    pub session: Option<Uuid>,
    /// Whether it waits, is approved by the class's policy, or is only a log.
    pub status: review::Status,
}

/// Finds the lesson of a sighting; of doubtful candidates, whoever is due there comes first.
pub fn place(
    tx: &Tx<'_>,
    arrival: &Arrival<'_>,
    candidates: &mut [Candidate],
) -> Result<Worth, Error> {
    let people: Vec<_> = candidates.iter().map(|candidate| candidate.student).collect();
    let sure = arrival.verdict == Verdict::High;
    let (place, lessons) = find(tx, arrival, &people, sure)?;
    let (session, index) = match place {
        PlacingPlace::Logged => return Ok(Worth { session: None, status: review::Status::Logged }),
        PlacingPlace::Waits(session, index) => (session, index),
    };
    candidates[..=index].rotate_right(1);
    let of = lessons.iter().find(|lesson| Some(lesson.id) == session);
    let Some(of) = of.filter(|_| index == 0) else {
        return Ok(Worth { session, status: review::Status::Pending });
    };
    let policy = class::policy(tx, of.class)?;
    let status = placing::worth(policy, arrival.verdict, arrival.confidence, arrival.reasons);
    Ok(Worth { session, status })
}

fn find(
    tx: &Tx<'_>,
    arrival: &Arrival<'_>,
    people: &[StudentId],
    sure: bool,
) -> Result<(PlacingPlace, Vec<Session>), Error> {
    let planned = session::planned(tx)?;
    let low = arrival.span.0.unwrap_or(arrival.span.1.plus_ms(-placing::LONGEST_MS));
    let span = arrival.at.map_or((low, arrival.span.1), |at| (at, at));
    let sessions = match planned && !arrival.room.is_empty() {
        true => session::in_room(tx, arrival.room, span)?,
        false => Vec::new(),
    };
    let mut lessons = Vec::new();
    for session in &sessions {
        let mut due = Vec::new();
        for person in people {
            if class::has(tx, session.class, *person)? {
                due.push(*person);
            }
        }
        let Session { id, starts, ends, .. } = *session;
        lessons.push(PlacingLesson { id, starts, ends, due });
    }
    let staff = match people.first() {
        Some(first) if planned => passage::is_staff(tx, *first)?,
        _ => false,
    };
    let facts = PlacingFacts {
        planned,
        staff,
        direction: arrival.direction,
        at: arrival.at,
        span,
        candidates: people,
        sure,
        lessons: &lessons,
    };
    Ok((placing::place(&facts), sessions))
}

/// Lets the mark of a sighting that has just been stored follow: of one that the class's policy
/// approved, and of one that comes after its lesson was closed.
pub fn arrived(
    tx: &Tx<'_>,
    worth: Worth,
    student: StudentId,
    now: Wall,
) -> Result<Option<Marked>, Error> {
    let Some(session) = worth.session.map(|id| session::get(tx, id)).transpose()?.flatten() else {
        return Ok(None);
    };
    let matters = worth.status == review::Status::Approved || session.closed_at.is_some();
    if matters { follow(tx, &session, student, HUB, now) } else { Ok(None) }
}

/// Lets marks follow from a decision about `record`: that of whom it was, and is, decided to be.
/// A decision that is taken back brings the record `home`, to the lesson it was in.
pub fn decided(
    tx: &Tx<'_>,
    record: RecordId,
    (before, after): (&review::ReviewState, &review::ReviewState),
    home: Option<Uuid>,
    actor: &str,
    now: Wall,
) -> Result<Vec<Marked>, Error> {
    let place = passage::place(tx, record)?;
    let home = home.map(|id| session::get(tx, id)).transpose()?.flatten();
    let moved = match (home, review::holder(after)) {
        (Some(home), _) => Some(home.id),
        (None, Some(student)) => lesson_of(tx, &place, student)?,
        (None, None) => place.session,
    };
    if moved != place.session {
        passage::set_session(tx, record, moved)?;
    }
    let sessions: HashSet<Uuid> = place.session.into_iter().chain(moved).collect();
    let people = [before.decided, after.decided, before.predicted, after.predicted];
    let people: HashSet<StudentId> = people.into_iter().flatten().collect();
    let mut marked = Vec::new();
    for id in sessions {
        let Some(session) = session::get(tx, id)? else { continue };
        for student in &people {
            marked.extend(follow(tx, &session, *student, actor, now)?);
        }
    }
    Ok(marked)
}

/// Lets marks follow once a sighting of this lesson in this state is gone.
pub fn removed(
    tx: &Tx<'_>,
    session: Option<Uuid>,
    state: &review::ReviewState,
    actor: &str,
    now: Wall,
) -> Result<Vec<Marked>, Error> {
    let session = session.map(|id| session::get(tx, id)).transpose()?.flatten();
    let Some(session) = session else { return Ok(Vec::new()) };
    let people: HashSet<StudentId> = state.decided.into_iter().chain(state.predicted).collect();
    let follow = |student| follow(tx, &session, student, actor, now).transpose();
    people.into_iter().filter_map(follow).collect()
}

/// The lesson of a sighting once it is `student`'s: the one it is in if they are on its roster,
/// else another one there and then.
fn lesson_of(
    tx: &Tx<'_>,
    place: &passage::Where,
    student: StudentId,
) -> Result<Option<Uuid>, Error> {
    if let Some(session) = place.session.map(|id| session::get(tx, id)).transpose()?.flatten()
        && class::has(tx, session.class, student)?
    {
        return Ok(place.session);
    }
    let arrival = Arrival {
        room: &place.room,
        direction: place.direction,
        at: place.at,
        span: (Some(place.span.0), place.span.1),
        verdict: Verdict::High,
        confidence: 0.0,
        reasons: &[],
    };
    match find(tx, &arrival, &[student], true)?.0 {
        PlacingPlace::Waits(Some(session), _) => Ok(Some(session)),
        _ => Ok(place.session),
    }
}

/// Finds the lesson of a sighting whose time became known, or became another.
pub fn redated(tx: &Tx<'_>, record: RecordId, now: Wall) -> Result<Vec<Marked>, Error> {
    let facts = store::review::facts(tx, record)?;
    let mut place = passage::place(tx, record)?;
    let before = place.session.take();
    let Some(student) = review::holder(&facts.state) else {
        return Ok(Vec::new());
    };
    if matches!(facts.state.status, review::Status::Logged | review::Status::Rejected) {
        return Ok(Vec::new());
    }
    let after = lesson_of(tx, &place, student)?.or(before);
    if after != before {
        passage::set_session(tx, record, after)?;
    }
    let mut marked = Vec::new();
    let sessions: HashSet<Uuid> = before.into_iter().chain(after).collect();
    for id in sessions {
        let Some(session) = session::get(tx, id)? else { continue };
        if facts.state.status == review::Status::Approved || session.closed_at.is_some() {
            marked.extend(follow(tx, &session, student, HUB, now)?);
        }
    }
    Ok(marked)
}

/// Makes the mark of `student` in `session` what follows from what stands now, and says whether
/// that changed anything.
pub fn follow(
    tx: &Tx<'_>,
    session: &Session,
    student: StudentId,
    actor: &str,
    now: Wall,
) -> Result<Option<Marked>, Error> {
    let old = mark::get(tx, session.id, student)?;
    let due = class::has(tx, session.class, student)?;
    let passages = match due {
        true => passage::approved(tx, session.id, student)?,
        false => Vec::new(), // a guest is let in, and marked nowhere
    };
    let mut grounds = None;
    let end = match session.closed_at {
        Some(at) if due => {
            let waits = passage::waiting(tx, session.id)?.contains(&student);
            let said = grounds.insert(Witnesses::of(tx, session)?.grounds(tx, student)?);
            Some(marking::closed(closing::say(waits, said), at))
        }
        _ => None,
    };
    let new = marking::settle(old.as_ref(), &passages, session.late_after, end.as_ref());
    let closed = new.as_ref().is_some_and(|new| new.source == Source::Close);
    let marked = put(tx, session, student, (old, new), actor, now)?;
    if let Some(grounds) = grounds.filter(|_| closed) {
        mark::set_grounds(tx, session.id, student, &grounds)?;
    }
    Ok(marked)
}

/// Records `new` instead of `old` if it says anything else, and says so in the audit chain.
fn put(
    tx: &Tx<'_>,
    session: &Session,
    student: StudentId,
    (old, new): (Option<Mark>, Option<Mark>),
    actor: &str,
    now: Wall,
) -> Result<Option<Marked>, Error> {
    let words = |mark: &Mark| Mark { version: 0, at: Wall(0), ..mark.clone() };
    if old.as_ref().map(words) == new.as_ref().map(words) {
        return Ok(None);
    }
    match &new {
        Some(new) => mark::put(tx, session.id, student, new)?,
        None => mark::remove(tx, session.id, student)?,
    }
    let status = new.as_ref().map(|new| new.status.as_str());
    let source = new.as_ref().map(|new| new.source.as_str());
    let meta = json!({ "student": student, "status": status, "source": source });
    let id = session.id.to_string();
    audit::add(
        tx,
        now,
        &audit::AuditEntry { actor, action: "mark", table: "session", id: &id, meta },
    )?;
    // Whoever was here need not have passed a door for the next lesson, and the other way.
    if let Some(next) = session::after(tx, session)?.filter(|next| next.closed_at.is_some())
        && can_tell(tx, &next, student)?
    {
        follow(tx, &next, student, HUB, now)?;
    }
    Ok(Some((session.id, student)))
}

/// Whether today's facts say anything of `student` in a lesson that may be long over.
///
/// The roster of its day has marks: whoever has none in a closed lesson came to the class later.
/// And where a sighting waited that was never decided and is kept no longer, nobody can tell.
pub fn can_tell(tx: &Tx<'_>, lesson: &Session, student: StudentId) -> Result<bool, Error> {
    Ok(match mark::get(tx, lesson.id, student)? {
        None => lesson.closed_at.is_none(),
        Some(mark) if mark.status == Status::Undecided => {
            passage::waiting(tx, lesson.id)?.contains(&student)
        }
        Some(_) => true,
    })
}

/// Records what a person says of `student`, whatever else there is.
///
/// # Errors
/// `Invalid` when the student is not on the roster, or for a status that no person says.
pub fn say(
    tx: &Tx<'_>,
    session: &Session,
    student: StudentId,
    said: Mark,
    now: Wall,
) -> Result<Option<Marked>, Error> {
    if !class::has(tx, session.class, student)? {
        return Err(Error::Invalid("this student is not on the roster of this class".into()));
    }
    if !Status::SAID.contains(&said.status) {
        let all = Status::SAID.map(Status::as_str).join(", ");
        return Err(Error::Invalid(format!("status: a person says one of {all}")));
    }
    let old = mark::get(tx, session.id, student)?;
    if !marking::admits(old.as_ref(), &said) {
        return Ok(None);
    }
    let actor = said.by.clone();
    let former = old.clone().filter(marking::stands_alone);
    let marked = put(tx, session, student, (old, Some(said)), &actor, now)?;
    if marked.is_some() {
        mark::remember(tx, session.id, student, former.as_ref())?;
    }
    Ok(marked)
}

/// Takes the last word of a person back: what another person, or a class photo, said before it
/// counts again, or else what doors and the end of the lesson say.
///
/// # Errors
/// `NotFound` when nobody said anything.
pub fn undo(
    tx: &Tx<'_>,
    session: &Session,
    student: StudentId,
    actor: &str,
    now: Wall,
) -> Result<Marked, Error> {
    let old = mark::get(tx, session.id, student)?;
    let former = mark::former(tx, session.id, student)?;
    match former {
        Some(former) => {
            put(tx, session, student, (old, Some(former)), actor, now)?;
            Ok((session.id, student))
        }
        None => unsay(tx, session, student, actor, now),
    }
}

/// Takes back what a person or a class photo said; what doors and the end of the lesson say
/// follows again.
///
/// # Errors
/// `NotFound` when nobody said anything.
pub fn unsay(
    tx: &Tx<'_>,
    session: &Session,
    student: StudentId,
    actor: &str,
    now: Wall,
) -> Result<Marked, Error> {
    let old = mark::get(tx, session.id, student)?;
    let said = old.filter(|old| matches!(old.source, Source::Manual | Source::Photo));
    if said.is_none() {
        return Err(Error::NotFound("nobody said anything by hand of this student here".into()));
    }
    put(tx, session, student, (said, None), actor, now)?;
    follow(tx, session, student, actor, now)?;
    Ok((session.id, student))
}

/// Closes a lesson because its time is over, unless it is closed, goes on or is gone by now.
pub fn end(tx: &Tx<'_>, id: Uuid, now: Wall) -> Result<Option<Vec<Marked>>, Error> {
    let is_over = |session: &Session| session.closed_at.is_none() && session.ends <= now;
    let session = session::get(tx, id)?.filter(is_over);
    session.map(|session| close(tx, &session, HUB, now)).transpose()
}

/// Closes a lesson that is over, or that `actor` says is over: whoever is on its roster without a
/// mark gets one.
pub fn close(tx: &Tx<'_>, session: &Session, actor: &str, now: Wall) -> Result<Vec<Marked>, Error> {
    let id = session.id;
    session::close(tx, id, now)?;
    let there: HashSet<StudentId> = (mark::of_session(tx, id)?.into_iter())
        .filter(|(_, mark)| mark.source != Source::Close)
        .map(|(student, _)| student)
        .collect();
    let waiting: HashSet<StudentId> = passage::waiting(tx, id)?.into_iter().collect();
    let mut witnesses = Witnesses::of(tx, session)?;
    let mut marked = Vec::new();
    for student in class::roster(tx, session.class)? {
        if there.contains(&student) {
            continue;
        }
        let grounds = witnesses.grounds(tx, student)?;
        let new = marking::closed(closing::say(waiting.contains(&student), &grounds), now);
        let old = mark::get(tx, id, student)?;
        let same = |old: &Mark| old.status == new.status;
        if !old.as_ref().is_some_and(same) {
            mark::put(tx, id, student, &new)?;
            marked.push((id, student));
        }
        mark::set_grounds(tx, id, student, &grounds)?;
    }
    let text = id.to_string();
    let meta = json!({ "marks": marked.len() });
    let entry = audit::AuditEntry { actor, action: "close", table: "session", id: &text, meta };
    audit::add(tx, now, &entry)?;
    Ok(marked)
}

/// Opens a closed lesson again: what its end said counts no more.
pub fn open(tx: &Tx<'_>, session: &Session, actor: &str, now: Wall) -> Result<Vec<Marked>, Error> {
    session::open(tx, session.id)?;
    let open = Session { closed_at: None, ..session.clone() };
    let mut marked = Vec::new();
    for (student, mark) in mark::of_session(tx, open.id)? {
        if mark.source == Source::Close {
            marked.extend(follow(tx, &open, student, actor, now)?);
        }
    }
    let id = open.id.to_string();
    let meta = json!({ "marks": marked.len() });
    audit::add(
        tx,
        now,
        &audit::AuditEntry { actor, action: "open", table: "session", id: &id, meta },
    )?;
    Ok(marked)
}

/// The doors of a lesson, and what each of them can say of whom.
struct Witnesses<'a> {
    session: &'a Session,
    doors: Vec<closing::ClosingDoor>,
    /// Everybody on the roster.
    pupils: BTreeMap<StudentId, closing::Pupil>,
    /// Who was in which door's release.
    galleries: HashMap<(String, u64), Vec<StudentId>>,
}

impl<'a> Witnesses<'a> {
    /// What every door of the room says, from the first arrivals up to the end of grace.
    fn of(tx: &Tx<'_>, session: &'a Session) -> Result<Self, Error> {
        let doors = watch::doors(tx, &session.room, counts(session))?;
        let pupils = watch::pupils(tx, session.class)?;
        Ok(Self { session, doors, pupils, galleries: HashMap::new() })
    }

    /// What the end of the lesson can say of `student`.
    fn grounds(&mut self, tx: &Tx<'_>, student: StudentId) -> Result<Grounds, Error> {
        let pupil = self.pupils.get(&student).cloned().unwrap_or_default();
        let mut doors = Vec::new();
        for door in &self.doors {
            doors.push(ground(tx, door, self.session, student, &pupil, &mut self.galleries)?);
        }
        Ok(Grounds { stayed: has_stayed(tx, self.session, student)?, doors })
    }
}

/// What the word of `door` about a student is worth.
fn ground(
    tx: &Tx<'_>,
    door: &closing::ClosingDoor,
    session: &Session,
    student: StudentId,
    pupil: &closing::Pupil,
    galleries: &mut HashMap<(String, u64), Vec<StudentId>>,
) -> Result<Ground, Error> {
    let place = |version| (door.id.clone(), version);
    for report in &door.reports {
        if let Entry::Vacant(empty) = galleries.entry(place(report.gallery)) {
            empty.insert(watch::members(tx, &door.id, report.gallery)?);
        }
    }
    let unknown = |report: &closing::DoorReport| {
        let held = galleries.get(&place(report.gallery));
        let holds = held.is_some_and(|held| held.binary_search(&student).is_ok());
        pupil.unknown_to(report.model.as_ref(), report.from, holds)
    };
    Ok(closing::ground(door, counts(session), unknown))
}

/// The time in which doors must have seen whoever comes to a lesson.
#[must_use]
pub fn counts(session: &Session) -> (Wall, Wall) {
    (session.starts.plus_ms(-placing::EARLY_MS), session.late_after)
}

/// Whether the student was in the lesson just before, of the same class in the same room.
fn has_stayed(tx: &Tx<'_>, session: &Session, student: StudentId) -> Result<bool, Error> {
    let Some(before) = session::before(tx, session)? else { return Ok(false) };
    let mark = mark::get(tx, before.id, student)?;
    Ok(mark.is_some_and(|mark| mark.status.was_there()))
}

/// The lesson of `class` now: the planned one, or an ad-hoc one of this day, opened if need be.
pub fn lesson_now(
    tx: &Tx<'_>,
    of: &class::Class,
    now: Wall,
    today: Date,
    actor: &str,
) -> Result<Session, Error> {
    if let Some(session) = session::of_class_at(tx, of.id, now)? {
        return Ok(session);
    }
    let session = Session {
        id: wire::id::v7(now),
        class: of.id,
        name: of.class_name.clone(),
        day: today,
        starts: now,
        ends: now.plus_ms(ADHOC_MS),
        late_after: now.plus_ms(ADHOC_MS),
        room: of.room.clone().unwrap_or_default(),
        source: rules::timetable::Source::Adhoc,
        period: None,
        closed_at: None,
        version: 1,
    };
    session::add(tx, &session)?;
    let id = session.id.to_string();
    let meta = json!({ "class": of.id });
    audit::add(
        tx,
        now,
        &audit::AuditEntry { actor, action: "add", table: "session", id: &id, meta },
    )?;
    Ok(session)
}

/// An ad-hoc lesson lasts this long: nobody said until when. Nobody is late for it.
const ADHOC_MS: i64 = 60 * 60 * 1000;

/// Lets sightings that were only logged wait in a lesson which was made after them.
pub fn adopt(tx: &Tx<'_>, session: &Session, now: Wall) -> Result<Vec<RecordId>, Error> {
    let span = (session.starts.plus_ms(-placing::EARLY_MS), session.ends);
    if span.0 > now || session.room.is_empty() {
        return Ok(Vec::new());
    }
    let mut records = Vec::new();
    for (record, student) in passage::logged(tx, session.class, &session.room, span)? {
        if can_tell(tx, session, student)? {
            passage::adopt(tx, record, session.id)?;
            records.push(record);
        }
    }
    Ok(records)
}

#[cfg(test)]
#[path = "marks_tests.rs"]
mod tests;
