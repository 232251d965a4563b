//! One delivery inside the transaction: what is new is stored, what is known is recognised, and
//! the cursor says so. Deciding was done before; this only settles it against what is there.

use super::memo::{Memo, Receipts};
use crate::events::Event;
use crate::marks;
use crate::marks::{Arrival, Worth};
use rules::attendance::authority;
use rules::error::Error;
use rules::review::Status;
use rules::sighting::judge::{Judged, JudgedFinding, JudgedSeen};
use rules::sighting::lineage::{self, LineageLine};
use rules::sighting::time::{self, TimePoint, When};
use store::arrival::Boot;
use store::cursor::{self, Cursor};
use store::dead_letter::{self, DeadLetterContent, DeadLetterLetter};
use store::evidence::Evidence;
use store::{
    Tx, arrival, backed_up, device, enrolment, held, life, loss, passage, release, session, setting,
};
use uuid::Uuid;
use wire::link::{ACK_RANGES, Ack, Greeting, Reject, WINDOW};
use wire::record::Anchor;
use wire::seal::Part;
use wire::{
    Candidate, DeviceId, Epoch, ModelId, Mono, Ranges, Reason, RecordId, RecordKey, Stamp,
    StudentId, Wall,
};

/// A door that can be reached has fetched a new gallery by then.
const FETCHED_MS: i64 = 15 * 60_000;

/// Tells a door that its card is an old copy: more than any card has sent, even one that gave out
/// more numbers while it waited for the answer.
const OLD_COPY: u64 = i64::MAX.cast_unsigned();

/// Where and when things are settled.
pub struct Clerk<'a, 't> {
    /// The transaction.
    pub tx: &'a Tx<'a>,
    /// Who may be seen, and their keys.
    pub memo: &'a mut Memo<'t>,
    /// What is known of the batch's numbers.
    pub receipts: Receipts,
    /// The anchors around the last moment that was dated.
    gap: Option<Gap>,
    /// The life of the door's card that the record is of.
    life: i64,
    /// The name of this hub among others; empty where it is alone.
    pub hub: &'a str,
    /// Now.
    pub now: Wall,
    /// What to say after COMMIT.
    pub events: Vec<Event>,
}

/// What became of one record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum CommitSettled {
    Stored,
    Known(Option<Reject>),
    Dead(Reject),
    /// Not now: its door keeps it, and sends it again.
    Waits,
}

/// What is stored under a number that a record had in an earlier life of its outbox.
enum CommitFormer {
    /// Nothing.
    New,
    /// That record.
    Same,
    /// Another one, or it belongs to one that never came: its card was rolled back and gave the
    /// number out again.
    Other,
}

impl<'a, 't> Clerk<'a, 't> {
    /// Nothing settled yet.
    #[must_use]
    pub fn new(tx: &'a Tx<'a>, memo: &'a mut Memo<'t>, now: Wall) -> Self {
        Self {
            tx,
            memo,
            receipts: Receipts::default(),
            gap: None,
            life: 0,
            hub: "",
            now,
            events: Vec::new(),
        }
    }

    /// Settles a batch and says where the outbox stands after it.
    ///
    /// # Errors
    /// When the database fails: then nothing of it is stored.
    pub fn batch(
        &mut self,
        device: &DeviceId,
        epoch: Epoch,
        records: &[Judged],
    ) -> Result<Ack, Error> {
        let mut cursor = cursor::get(self.tx, device, epoch)?;
        let mut rejects = Vec::new();
        let numbers: Vec<_> = records.iter().map(|record| record.item.seq).collect();
        self.receipts = Receipts::of(self.tx, device, epoch, numbers.iter().copied())?;
        for record in records {
            let key = RecordKey { device: device.clone(), epoch, seq: record.item.seq };
            let settled = self.record(&key, record, &mut cursor)?;
            if let CommitSettled::Dead(reject) | CommitSettled::Known(Some(reject)) = settled {
                rejects.push((record.item.seq, reject));
            }
            if is_numbered(record.item.seq) {
                if settled != CommitSettled::Waits {
                    cursor.ranges.insert(record.item.seq, record.item.seq);
                }
                cursor.max_seq = cursor.max_seq.max(record.item.seq);
            }
        }
        cursor::put(self.tx, device, epoch, &cursor, self.now)?;
        life::end_former(self.tx, device, epoch, self.now)?;
        self.ack(device, epoch, &cursor, &numbers, rejects)
    }

    /// Where an outbox stands, for the first word of a connection.
    ///
    /// One whose numbers are not those that are known, or that gave out more before, is an old copy:
    /// it is told so, and begins a new life. So does one that names no run where two cards go on: a
    /// copy asks like that when the hub was slow.
    pub fn hello(&mut self, device: &DeviceId, said: &Greeting) -> Result<Ack, Error> {
        let hello = &said.hello;
        let epoch = said.hello.epoch;
        let mut cursor = cursor::get(self.tx, device, epoch)?;
        if device::greeted(self.tx, device, (cursor.life, hello.boot), self.now)? {
            self.events.push(Event::DeviceChanged(device.clone()));
        }
        let known = life::known(self.tx, device, epoch)?;
        let either = cursor.parted.is_some() && said.runs.is_empty() && !known.runs.is_empty();
        match lineage::line(&known.runs, known.heard, &said.runs) {
            LineageLine::On(_) if either => cursor.max_seq = OLD_COPY,
            LineageLine::Parts(first) => {
                tracing::warn!(%device, first, "an old copy of this door's card greets");
                life::part(self.tx, device, epoch, first)?;
                cursor.max_seq = OLD_COPY;
            }
            LineageLine::On(runs) => {
                let told = life::greeted(self.tx, device, hello, cursor.life, self.now)?;
                if runs != known.runs {
                    life::keep(self.tx, device, epoch, &runs)?;
                }
                life::end_former(self.tx, device, epoch, self.now)?;
                if hello.max_seq < told {
                    cursor.max_seq = OLD_COPY;
                }
            }
        }
        self.ack(device, epoch, &cursor, &[], Vec::new())
    }

    /// The acknowledgement that storing `seqs` would earn, without storing anything: only for
    /// the fault that acknowledges too early.
    pub fn promise(&mut self, device: &DeviceId, epoch: Epoch, seqs: &[u64]) -> Result<Ack, Error> {
        let mut cursor = cursor::get(self.tx, device, epoch)?;
        for &seq in seqs.iter().filter(|seq| is_numbered(**seq)) {
            cursor.ranges.insert(seq, seq);
            cursor.max_seq = cursor.max_seq.max(seq);
        }
        self.ack(device, epoch, &cursor, seqs, Vec::new())
    }

    /// Keeps bytes that are no message.
    pub fn poison(&mut self, device: &DeviceId, why: &str, bytes: &[u8]) -> Result<(), Error> {
        let letter = DeadLetterLetter {
            content: DeadLetterContent::Bytes(bytes),
            error: "malformed",
            detail: why,
        };
        dead_letter::add(self.tx, device, &letter, self.now).map(drop)
    }

    fn ack(
        &self,
        device: &DeviceId,
        epoch: Epoch,
        cursor: &Cursor,
        asked: &[u64],
        rejects: Vec<(u64, Reject)>,
    ) -> Result<Ack, Error> {
        let cum = cursor.ranges.cumulative();
        let ranges = named(&cursor.ranges, asked);
        let hub_epoch = setting::hub_epoch(self.tx)?;
        let max_seq = cursor.max_seq;
        let backed_up = backed_up::of(self.tx, device, epoch)?.min(cum);
        Ok(Ack { hub_epoch, epoch, cum, ranges, rejects, backed_up, max_seq, window: WINDOW })
    }

    fn record(
        &mut self,
        key: &RecordKey,
        record: &Judged,
        cursor: &mut Cursor,
    ) -> Result<CommitSettled, Error> {
        self.life = cursor.life;
        if let Some(before) = self.receipts.get(self.tx, key)? {
            if before.hash == record.hash {
                return Ok(CommitSettled::Known(reject_of(&before.disposition)));
            }
            return self.conflict(key, record);
        }
        if cursor.is_forgotten(key.seq) {
            return Ok(CommitSettled::Known(None));
        }
        let Some((former, hash)) = &record.moved else {
            if cursor.is_shared(key.seq)
                && self.receipts.get(self.tx, &twin(key, &record.hash))?.is_some()
            {
                return Ok(CommitSettled::Known(None));
            }
            return self.fresh(key, key, &record.hash, record, cursor);
        };
        let settled = match self.former(former, hash, record)? {
            CommitFormer::Same => CommitSettled::Known(None),
            CommitFormer::Other => self.twin(key, former, hash, record, cursor)?,
            CommitFormer::New => {
                self.life = self.life_of(former, record, cursor)?;
                self.fresh(key, former, hash, record, cursor)?
            }
        };
        if settled != CommitSettled::Waits {
            self.receipts.add(self.tx, key, &record.hash, "moved")?;
        }
        Ok(settled)
    }

    /// What is known under the number that a moved record had before. Where the receipt is gone,
    /// the passage or the report itself tells; an old report is never needed again.
    fn former(
        &mut self,
        former: &RecordKey,
        hash: &[u8; 16],
        record: &Judged,
    ) -> Result<CommitFormer, Error> {
        if let Some(before) = self.receipts.get(self.tx, former)? {
            return Ok(if before.hash == *hash { CommitFormer::Same } else { CommitFormer::Other });
        }
        let cursor = cursor::get(self.tx, &former.device, former.epoch)?;
        let is_shared = cursor.is_shared(former.seq);
        let is_passage = matches!(
            record.finding,
            JudgedFinding::Seen(_) | JudgedFinding::Incomparable(..) | JudgedFinding::Unlearnt(..)
        );
        let at = (record.item.at.boot, record.item.at.mono);
        Ok(match cursor.is_forgotten(former.seq) {
            false if is_shared => CommitFormer::Other,
            false => CommitFormer::New,
            true if !is_passage && is_shared && !self.is_reported(former, record)? => {
                CommitFormer::Other
            }
            true if !is_passage => CommitFormer::Same,
            true => match arrival::made(self.tx, former.id())? {
                None if is_shared => CommitFormer::Other,
                None => CommitFormer::New,
                Some(made) if made == at => CommitFormer::Same,
                Some(_) => CommitFormer::Other,
            },
        })
    }

    /// Whether the report is here. One without a time counts nowhere.
    fn is_reported(&mut self, former: &RecordKey, record: &Judged) -> Result<bool, Error> {
        if !matches!(record.finding, JudgedFinding::Health(_) | JudgedFinding::Watch(_)) {
            return Ok(false);
        }
        match self.date(&former.device, &record.item.at)?.at() {
            Some(about) => arrival::is_reported(self.tx, former, &record.item.at, about),
            None => Ok(true),
        }
    }

    /// The life of a moved record: that of its first number, unless it was made in the boot in which
    /// its door began the new one.
    fn life_of(&self, former: &RecordKey, record: &Judged, cursor: &Cursor) -> Result<i64, Error> {
        if cursor.born.is_some_and(|born| record.item.at.boot >= born) {
            return Ok(cursor.life);
        }
        let life = cursor::life(self.tx, &former.device, former.epoch)?;
        Ok(life.unwrap_or(cursor.life))
    }

    /// A record whose `former` number belongs to another one, stored under a key of its own.
    fn twin(
        &mut self,
        key: &RecordKey,
        former: &RecordKey,
        hash: &[u8; 16],
        record: &Judged,
        cursor: &mut Cursor,
    ) -> Result<CommitSettled, Error> {
        let own = twin(former, hash);
        match self.receipts.get(self.tx, &own)? {
            Some(_) => Ok(CommitSettled::Known(None)),
            None => self.fresh(key, &own, hash, record, cursor),
        }
    }

    /// Settles a record that was set aside, now that it can be used. Whether it is stored by
    /// this: it may have been before.
    ///
    /// # Errors
    /// `Conflict` when it is still set aside; when the database fails.
    pub fn again(
        &mut self,
        device: &DeviceId,
        epoch: Epoch,
        record: &Judged,
    ) -> Result<bool, Error> {
        let sent = RecordKey { device: device.clone(), epoch, seq: record.item.seq };
        let mut cursor = cursor::get(self.tx, device, epoch)?;
        self.life = cursor.life;
        let (made, hash) = match &record.moved {
            Some((former, hash)) => match self.former(former, hash, record)? {
                CommitFormer::Other => (twin(former, hash), *hash),
                CommitFormer::Same | CommitFormer::New => {
                    self.life = self.life_of(former, record, &cursor)?;
                    (former.clone(), *hash)
                }
            },
            None => (sent.clone(), record.hash),
        };
        let settled = match self.receipts.get(self.tx, &made)? {
            Some(before) if reject_of(&before.disposition).is_some() && before.hash == hash => {
                cursor::remove_receipt(self.tx, &made)?;
                self.fresh(&sent, &made, &hash, record, &mut cursor)?
            }
            Some(before) if before.hash == hash => CommitSettled::Known(None),
            Some(_) => {
                self.life = cursor.life;
                self.twin(&sent, &made, &hash, record, &mut cursor)?
            }
            None => self.fresh(&sent, &made, &hash, record, &mut cursor)?,
        };
        cursor::put(self.tx, device, epoch, &cursor, self.now)?;
        match settled {
            CommitSettled::Dead(_) => Err(Error::Conflict("it would be set aside again".into())),
            CommitSettled::Waits => {
                let say = "nobody has a template of its model: enrol with that one first";
                Err(Error::Conflict(say.into()))
            }
            settled => Ok(settled == CommitSettled::Stored),
        }
    }

    /// Another record with this number is stored: kept apart, never overwritten.
    fn conflict(&mut self, key: &RecordKey, record: &Judged) -> Result<CommitSettled, Error> {
        let device = &key.device;
        rules::security!("conflict", %device, seq = key.seq, "two records with one number");
        let detail = "another record with this number is stored: was the card copied?";
        self.bury(key, Reject::Conflict, detail, record)?;
        Ok(CommitSettled::Dead(Reject::Conflict))
    }

    /// Stores what was not known, under the key it was `made` with.
    fn fresh(
        &mut self,
        sent: &RecordKey,
        made: &RecordKey,
        hash: &[u8; 16],
        record: &Judged,
        cursor: &mut Cursor,
    ) -> Result<CommitSettled, Error> {
        let disposition = match &record.finding {
            JudgedFinding::Dead(reject, why) => {
                self.bury(sent, *reject, why, record)?;
                if is_numbered(sent.seq) {
                    self.receipts.add(self.tx, made, hash, &dead_text(*reject))?;
                }
                return Ok(CommitSettled::Dead(*reject));
            }
            JudgedFinding::Nobody => "nobody",
            JudgedFinding::Incomparable(model, named) | JudgedFinding::Unlearnt(model, named) => {
                if self.may_learn_one_of(named, model)? {
                    held::note(self.tx, &made.device, model, self.now)?;
                    return Ok(CommitSettled::Waits);
                }
                if matches!(record.finding, JudgedFinding::Incomparable(..)) {
                    let at = record.item.at.wall;
                    loss::note(self.tx, made, loss::NOBODY_ENROLLED, at, self.now)?;
                }
                "nobody"
            }
            JudgedFinding::Seen(seen) => match self.sighting(made, &record.item.at, seen)? {
                Some(status) => status.as_str(),
                None => "nobody",
            },
            JudgedFinding::Health(health) => {
                let at = &record.item.at;
                let when = self.date(&made.device, at)?;
                arrival::add_health(self.tx, made, (self.life, at), &when, health)?;
                "health"
            }
            JudgedFinding::Watch(watch) => {
                let at = &record.item.at;
                let when = self.date(&made.device, at)?;
                arrival::add_watch(self.tx, made, (self.life, at), &when, watch)?;
                self.watched(&made.device, &when, at.mono.since(watch.since))?;
                "health"
            }
            JudgedFinding::Loss(loss) => {
                arrival::add_loss(self.tx, made, loss, self.now)?;
                self.give_up(sent, made, &loss.gone, cursor)?;
                "loss"
            }
            JudgedFinding::Anchor(anchor) => {
                arrival::add_anchor(self.tx, made, (self.life, &record.item.at), anchor)?;
                self.gap = None;
                self.redate(&made.device, &record.item.at, anchor)?;
                "anchor"
            }
        };
        self.receipts.add(self.tx, made, hash, disposition)?;
        Ok(CommitSettled::Stored)
    }

    /// Whether somebody whom the door named may be recognised here, and is enrolled with another
    /// model: they may be with this one, too.
    fn may_learn_one_of(&mut self, named: &[StudentId], model: &ModelId) -> Result<bool, Error> {
        for student in named {
            if self.memo.standing(self.tx, *student)?.may_be_seen()
                && enrolment::has_of_another(self.tx, *student, model)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Where it stands, if anybody remains who may be recognised; if nobody does, nothing is
    /// stored.
    fn sighting(
        &mut self,
        key: &RecordKey,
        at: &Stamp,
        seen: &JudgedSeen,
    ) -> Result<Option<Status>, Error> {
        let mut candidates = Vec::new();
        for candidate in &seen.candidates {
            if self.memo.standing(self.tx, candidate.student)?.may_be_seen() {
                candidates.push(*candidate);
            }
        }
        let when = self.date(&key.device, at)?;
        let mut reasons = seen.reasons.clone();
        reasons.extend(when.at().is_none().then_some(Reason::ClockUnset));
        reasons.extend(self.is_stale(&key.device, seen, &when)?.then_some(Reason::StaleGallery));
        reasons.extend((candidates != seen.candidates).then_some(Reason::ChangedByHub));
        reasons.sort_unstable();
        reasons.dedup();
        if candidates.is_empty() {
            return self.left(key, at, seen, &when, &reasons);
        }
        let worth = self.place(key, seen, &when, &reasons, &mut candidates)?;
        let best = candidates[0].student;
        let Some(student_key) = self.memo.key(best)? else { return Ok(None) };
        let Worth { session, status } = worth;
        let logged = (status == Status::Logged).then(|| authority::of(true, seen.verdict));
        let row = arrival::ArrivalRow {
            candidates: &candidates,
            reasons: &reasons,
            seen,
            session,
            status,
            authority: logged,
        };
        let id = arrival::add_sighting(self.tx, key, (self.life, at), &when, &row, self.now)?;
        let parts = [(Part::Template, Some(&seen.template)), (Part::Crop, seen.crop.as_ref())];
        for (part, plain) in parts {
            let Some(plain) = plain.filter(|_| status != Status::Logged) else { continue };
            let evidence = Evidence::seal(id, part, plain, best, &student_key);
            arrival::add_evidence(self.tx, id, part, &evidence)?;
        }
        self.tell(id, worth, best)?;
        Ok(Some(status))
    }

    /// Whether the door compared with an older gallery than it should have had by then.
    fn is_stale(&self, device: &DeviceId, seen: &JudgedSeen, when: &When) -> Result<bool, Error> {
        let Some(at) = when.at() else { return Ok(false) };
        let due = release::newest_at(self.tx, device, at.plus_ms(-FETCHED_MS))?;
        Ok(due.is_some_and(|due| seen.gallery < due))
    }

    /// Somebody of the staff whom the school let go, and whose consent stands, is a line in the
    /// log, without a picture; everybody else who may not be recognised leaves no trace.
    fn left(
        &mut self,
        key: &RecordKey,
        at: &Stamp,
        seen: &JudgedSeen,
        when: &When,
        reasons: &[Reason],
    ) -> Result<Option<Status>, Error> {
        let best = &seen.candidates[..1];
        let standing = self.memo.standing(self.tx, best[0].student)?;
        if !(standing.is_staff && standing.consents) {
            return Ok(None);
        }
        let authority = Some(authority::of(standing.is_active, seen.verdict));
        let session = None;
        let status = Status::Logged;
        let row =
            arrival::ArrivalRow { candidates: best, reasons, seen, session, status, authority };
        arrival::add_sighting(self.tx, key, (self.life, at), when, &row, self.now)?;
        Ok(Some(status))
    }

    /// The lesson it fell into, and what it is worth at once.
    fn place(
        &self,
        key: &RecordKey,
        seen: &JudgedSeen,
        when: &When,
        reasons: &[Reason],
        candidates: &mut [Candidate],
    ) -> Result<Worth, Error> {
        let room = match seen.room.as_str() {
            "" => passage::room_of(self.tx, key.device.as_str())?,
            room => room.to_owned(),
        };
        let arrival = Arrival {
            room: &room,
            direction: seen.direction,
            at: when.at(),
            span: (when.low(), when.high()),
            verdict: seen.verdict,
            confidence: seen.confidence,
            reasons,
        };
        marks::place(self.tx, &arrival, candidates)
    }

    fn tell(&mut self, id: RecordId, worth: Worth, student: StudentId) -> Result<(), Error> {
        match worth.status {
            Status::Pending => self.events.push(Event::PendingAdded(id)),
            Status::Approved => self.events.push(Event::Decided { record: id, by: Uuid::nil() }),
            Status::Rejected | Status::Logged => {}
        }
        let marked = marks::arrived(self.tx, worth, student, self.now)?;
        self.marked(marked);
        Ok(())
    }

    fn marked(&mut self, marked: impl IntoIterator<Item = marks::Marked>) {
        let event = |(session, student)| Event::Marked { session, student };
        self.events.extend(marked.into_iter().map(event));
    }

    /// A report may tell absence from blindness in lessons that were closed before it came.
    fn watched(&self, device: &DeviceId, when: &When, span_ms: u64) -> Result<(), Error> {
        let Some(to) = when.at() else { return Ok(()) };
        let span = i64::try_from(span_ms).unwrap_or(0);
        let room = passage::room_of(self.tx, device.as_str())?;
        session::reopen(self.tx, &room, (to.plus_ms(-span), to))
    }

    fn boot(&self, at: &Stamp) -> Boot {
        Boot { life: self.life, number: at.boot }
    }

    fn date(&mut self, device: &DeviceId, at: &Stamp) -> Result<When, Error> {
        let boot = self.boot(at);
        let gap = self.gap.take().filter(|gap| gap.holds(device, (boot, at.mono)));
        let gap = gap.map_or_else(|| Gap::around(self.tx, device, (boot, at.mono)), Ok)?;
        let synced = time::synced(at, &gap.points);
        self.gap = Some(gap);
        if let Some(when) = synced {
            return Ok(when);
        }
        let known = arrival::known(self.tx, device, boot, at.mono, self.now)?;
        Ok(time::date(at, &known))
    }

    /// A new anchor tells the time of what came before it, and a clock that jumped how wrong it
    /// was.
    fn redate(&mut self, device: &DeviceId, at: &Stamp, anchor: &Anchor) -> Result<(), Error> {
        let mut rows = arrival::undated(self.tx, device, (self.life, at), self.now)?;
        if anchor.stepped {
            rows.extend(arrival::doubted(self.tx, device, (self.boot(at), at.mono), self.now)?);
            self.doubt(device, at)?;
        }
        for row in rows {
            let at = row.stamp;
            let known = arrival::known(self.tx, device, self.boot(&at), at.mono, row.received)?;
            arrival::redate(self.tx, &row.id, &time::date(&at, &known))?;
            if let Ok(id) = row.id.parse() {
                let marked = marks::redated(self.tx, id, self.now)?;
                self.marked(marked);
            }
        }
        Ok(())
    }

    /// What the door watched by a clock that then jumped was watched at another time.
    fn doubt(&self, device: &DeviceId, at: &Stamp) -> Result<(), Error> {
        let before = Mono(at.mono.0.saturating_sub(1));
        let boot = self.boot(at);
        let points = arrival::around(self.tx, device, boot, before)?;
        let Some(last) = points.iter().find(|point| point.mono <= before) else { return Ok(()) };
        let stamp = Stamp { mono: before, wall: Some(last.wall_at(before)), ..*at };
        let Some(when) = time::synced(&stamp, &points) else { return Ok(()) };
        arrival::doubt(self.tx, device, (boot, last.mono, before), when.err_ms())
    }

    /// Numbers that will never come count as arrived.
    fn give_up(
        &self,
        sent: &RecordKey,
        made: &RecordKey,
        gone: &Ranges,
        cursor: &mut Cursor,
    ) -> Result<(), Error> {
        if made.epoch == sent.epoch {
            merge(cursor, gone);
            return Ok(());
        }
        let mut former = cursor::get(self.tx, &made.device, made.epoch)?;
        merge(&mut former, gone);
        cursor::put(self.tx, &made.device, made.epoch, &former, self.now)
    }

    fn bury(
        &self,
        key: &RecordKey,
        reject: Reject,
        detail: &str,
        record: &Judged,
    ) -> Result<(), Error> {
        let content = DeadLetterContent::Record(key.epoch, &record.item);
        let letter = DeadLetterLetter { content, error: code(reject), detail };
        dead_letter::add(self.tx, &key.device, &letter, self.now).map(drop)
    }
}

/// The anchors of a door just before and just after a moment, and so of every moment between.
struct Gap {
    device: DeviceId,
    boot: Boot,
    points: Vec<TimePoint>,
}

impl Gap {
    fn around(tx: &Tx<'_>, device: &DeviceId, (boot, mono): (Boot, Mono)) -> Result<Self, Error> {
        let points = arrival::around(tx, device, boot, mono)?;
        Ok(Self { device: device.clone(), boot, points })
    }

    /// Whether `mono` lies between the same anchors: records come in order.
    fn holds(&self, device: &DeviceId, (boot, mono): (Boot, Mono)) -> bool {
        let (before, after) = (self.points.first(), self.points.get(1));
        let inside = before.is_some_and(|point| point.mono <= mono)
            && after.is_none_or(|point| mono < point.mono);
        self.boot == boot && self.device == *device && inside
    }
}

/// What an acknowledgement names of the numbers above the first gap: those around what its door
/// `asked` about first, or many gaps would keep them from ever being named; then the lowest.
fn named(stored: &Ranges, asked: &[u64]) -> Ranges {
    let cum = stored.cumulative();
    let above = stored.as_slice().iter().filter(|range| range.0 > cum.max(1));
    let holds = |range: &&(u64, u64)| asked.iter().any(|seq| (range.0..=range.1).contains(seq));
    let (first, rest): (Vec<_>, Vec<_>) = above.partition(holds);
    let all = first.into_iter().chain(rest);
    Ranges::from(all.take(ACK_RANGES).copied().collect::<Vec<_>>())
}

fn merge(cursor: &mut Cursor, gone: &Ranges) {
    for (first, last) in gone.as_slice() {
        cursor.ranges.insert(*first, *last);
    }
}

/// The key of the record with this content, where its `former` number belongs to another one: the
/// same each time it comes.
fn twin(former: &RecordKey, hash: &[u8; 16]) -> RecordKey {
    let mut own = blake3::Hasher::new();
    own.update(&former.epoch.0).update(hash);
    let mut epoch = [0; 16];
    own.finalize_xof().fill(&mut epoch);
    RecordKey { epoch: Epoch(epoch), ..former.clone() }
}

/// Whether the database can hold the number; others are only set aside.
fn is_numbered(seq: u64) -> bool {
    seq > 0 && i64::try_from(seq).is_ok()
}

/// The code in the database and in logs.
fn code(reject: Reject) -> &'static str {
    match reject {
        Reject::Malformed => "malformed",
        Reject::WrongHash => "wrong_hash",
        Reject::Conflict => "conflict",
        Reject::Invalid => "invalid",
        Reject::Unsealable => "unsealable",
        Reject::WrongModel => "wrong_model",
    }
}

const ALL: [Reject; 6] = [
    Reject::Malformed,
    Reject::WrongHash,
    Reject::Conflict,
    Reject::Invalid,
    Reject::Unsealable,
    Reject::WrongModel,
];

fn dead_text(reject: Reject) -> String {
    format!("dead:{}", code(reject))
}

/// So that a lost acknowledgement does not lose the reason.
fn reject_of(disposition: &str) -> Option<Reject> {
    ALL.into_iter().find(|reject| dead_text(*reject) == disposition)
}
