//! From a device's words to rows: judged in parallel, committed in groups, acknowledged after.
//!
//! One part does it for all devices, in the order in which their words came. A group is whatever
//! waited while the last one was committed, so that few records are fast and many are cheap. A
//! record that breaks the hub twice, by itself and with a store that is well, is set aside whole;
//! those around it are stored. While a store is not well nothing is set aside: doors hold it.

mod commit;
pub mod delivery;
pub mod fault;
mod memo;
pub mod replay;
pub mod school;

use crate::events::{Event, Events};
use crate::ingest::delivery::{Delivery, DeliveryAnswer, Sent};
use commit::Clerk;
use fault::StagedFault;
pub use memo::Memo;
use rayon::prelude::*;
use rules::error::Error;
use rules::sighting::judge::{Context, Judged, JudgedFinding, judge};
use rules::sighting::school::School;
use school::Schools;
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use store::keys::Keys;
use store::vault::DataKey;
use store::{self, Db, Tx, is_passing};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use wire::link::{Ack, Greeting, Reject, Reported, Status};
use wire::program::Progress;
use wire::{Clock, DeviceId, Epoch, HubSecret, Item, StudentId, Wall};

/// Records that share a COMMIT at most: a person's decision may have to wait for one.
const GROUP: usize = 128;
/// How often a record fails by itself before it is set aside.
const TRIES: usize = 2;
/// Faces that are compared with the school in one go: its templates are read once for all of them.
const TOGETHER: usize = 16;

/// The one writer of what devices say.
pub struct Ingest {
    /// Where it is stored.
    pub db: Db,
    /// The students' keys, and the hub's.
    pub keys: Keys,
    /// Everybody who may be recognised.
    pub schools: Schools,
    /// Told after COMMIT.
    pub events: Events,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What devices said.
    pub deliveries: mpsc::Receiver<Delivery>,
    /// The name of this hub among others; empty where it is alone.
    pub hub: String,
    /// For the rig that kills the hub.
    pub fault: StagedFault,
}

/// A delivery, judged.
struct Case {
    device: DeviceId,
    matter: Matter,
}

enum Matter {
    Batch(Epoch, Vec<Judged>),
    Hello(Greeting),
    Status(Status),
    Reported(Reported),
    Progress(Progress),
    Poison(Vec<u8>, String),
}

/// What waited, being judged; and whom to tell.
struct IngestGroup {
    judged: tokio::task::JoinHandle<Result<Cases, Error>>,
    answers: Vec<oneshot::Sender<DeliveryAnswer>>,
}

/// Cases of a group, and the keys they will probably need.
struct Cases {
    all: Vec<Case>,
    keys: HashMap<StudentId, DataKey>,
}

/// What is to be settled: a case, or one record of it.
#[derive(Clone, Copy)]
struct IngestPart {
    case: usize,
    record: Option<usize>,
}

impl IngestPart {
    fn whole(case: usize) -> Self {
        Self { case, record: None }
    }
}

/// What a case comes to.
type IngestDone = (Option<Ack>, Vec<Event>);

impl Ingest {
    /// Stores what devices say until `stop`; what was taken by then is still stored. While one
    /// group is committed, the next is judged.
    ///
    /// # Errors
    /// Never: what cannot be stored is held, and its device sends it again.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Error> {
        let mut transactions = 0;
        let mut next = None;
        loop {
            let group = match next.take() {
                Some(group) => group,
                None => match stop.run_until_cancelled(self.deliveries.recv()).await {
                    Some(Some(first)) => self.begin(first),
                    Some(None) | None => return Ok(()),
                },
            };
            transactions += 1;
            match group.judged.await.unwrap_or_else(|panic| Err(judging(panic))) {
                Ok(cases) => {
                    next = self.deliveries.try_recv().ok().map(|first| self.begin(first));
                    if let Err(error) = self.group(cases, group.answers, transactions).await {
                        tracing::error!(%error, "what devices said could not be stored; they send it again");
                    }
                }
                // Nobody is answered, which tells every door to hold what it sent.
                Err(error) => {
                    tracing::error!(%error, "what devices said could not be judged; they send it again");
                }
            }
        }
    }

    /// Begins to judge what waits now.
    fn begin(&mut self, first: Delivery) -> IngestGroup {
        let (said, answers) = self.gather(first);
        let keys = self.keys.clone();
        let schools = self.schools.now();
        let judged = tokio::task::spawn_blocking(move || judge_all(said, &keys, &schools));
        IngestGroup { judged, answers }
    }

    /// What waits now, up to a full group.
    fn gather(
        &mut self,
        first: Delivery,
    ) -> (Vec<(DeviceId, Sent)>, Vec<oneshot::Sender<DeliveryAnswer>>) {
        let mut said = Vec::new();
        let mut answers = Vec::new();
        let mut records = 0;
        let mut next = Some(first);
        while let Some(delivery) = next {
            records += if let Sent::Batch(batch) = &delivery.sent { batch.items.len() } else { 1 };
            said.push((delivery.device, delivery.sent));
            answers.push(delivery.answer);
            next = if records < GROUP { self.deliveries.try_recv().ok() } else { None };
        }
        (said, answers)
    }

    async fn group(
        &self,
        cases: Cases,
        answers: Vec<oneshot::Sender<DeliveryAnswer>>,
        n: u64,
    ) -> Result<(), Error> {
        let cases = Arc::new(cases);
        let mut answers = answers;
        if self.fault == StagedFault::AckBeforeCommit {
            // Acknowledges what is not stored: the wrong order, on purpose.
            answers = self.acknowledge_too_early(&cases, answers).await?;
        }
        let all: Vec<_> = (0..cases.all.len()).map(IngestPart::whole).collect();
        match self.commit(&cases, all, n).await {
            Ok(done) => {
                self.fault.after_commit(n);
                for (done, answer) in done.into_iter().zip(answers) {
                    self.answer(done, answer);
                }
            }
            Err(error) if is_passing(&error) => hold(answers, &error),
            Err(error) => {
                tracing::warn!(%error, "a group was not stored; its parts are tried one by one");
                for (index, answer) in answers.into_iter().enumerate() {
                    match self.alone(&cases, index, n).await {
                        Ok(done) => self.answer(done, answer),
                        Err(error) => hold([answer], &error),
                    }
                }
            }
        }
        Ok(())
    }

    /// One case in a transaction of its own, so that a broken one harms nobody else; a batch that
    /// is broken even so, record by record.
    async fn alone(&self, cases: &Arc<Cases>, index: usize, n: u64) -> Result<IngestDone, Error> {
        let broken = match self.one(cases, IngestPart::whole(index), n).await {
            Err(error) if !is_passing(&error) => error,
            done => return done,
        };
        let Matter::Batch(_, records) = &cases.all[index].matter else { return Err(broken) };
        let mut all: Option<Ack> = None;
        for record in 0..records.len() {
            let (ack, events) = self.record(cases, (index, record), n).await?;
            let before = all.take().map(|ack| ack.rejects).unwrap_or_default();
            all = ack.map(|ack| Ack { rejects: [before, ack.rejects].concat(), ..ack });
            // It is stored, whatever becomes of the next.
            self.tell(events);
        }
        Ok((all, Vec::new()))
    }

    /// One record by itself. If that fails twice it is at fault, not the store, which shows that
    /// it is well by keeping the letter.
    async fn record(
        &self,
        cases: &Arc<Cases>,
        (index, record): (usize, usize),
        n: u64,
    ) -> Result<IngestDone, Error> {
        let part = IngestPart { case: index, record: Some(record) };
        let mut failed = None;
        for _ in 0..TRIES {
            match self.one(cases, part, n).await {
                Err(error) if !is_passing(&error) => failed = Some(error),
                done => return done,
            }
        }
        let case = &cases.all[index];
        let (Some(error), Matter::Batch(epoch, records)) = (failed, &case.matter) else {
            return Err(Error::internal("setting a record aside", "it is none"));
        };
        let device = &case.device;
        let seq = records[record].item.seq;
        tracing::error!(%device, seq, why = ?error, "a record breaks the hub and is set aside: a bug");
        let matter = Matter::Batch(*epoch, vec![condemned(&records[record], &error)]);
        let case = Case { device: device.clone(), matter };
        let alone = Arc::new(Cases { all: vec![case], keys: HashMap::new() });
        self.one(&alone, IngestPart::whole(0), n).await
    }

    async fn one(&self, cases: &Arc<Cases>, part: IngestPart, n: u64) -> Result<IngestDone, Error> {
        let done = self.commit(cases, vec![part], n).await?.pop();
        done.ok_or_else(|| Error::internal("storing", "nothing came of it"))
    }

    async fn commit(
        &self,
        cases: &Arc<Cases>,
        which: Vec<IngestPart>,
        n: u64,
    ) -> Result<Vec<IngestDone>, Error> {
        let cases = cases.clone();
        let keys = self.keys.clone();
        let fault = self.fault;
        let now = self.clock.wall();
        let hub = self.hub.clone();
        let work = move |tx: &Tx<'_>| {
            let mut memo = Memo::new(&keys, &cases.keys);
            let settle = |part: IngestPart| {
                let mut clerk = Clerk::new(tx, &mut memo, now);
                clerk.hub = &hub;
                let ack = settle(&mut clerk, &cases.all[part.case], part.record)?;
                Ok((ack, clerk.events))
            };
            let done = which.into_iter().map(settle).collect::<Result<Vec<_>, Error>>();
            fault.before_commit(n);
            done
        };
        self.db.write_behind(work).await
    }

    fn answer(&self, (ack, events): IngestDone, answer: oneshot::Sender<DeliveryAnswer>) {
        let _gone = answer.send(DeliveryAnswer::Stored(ack));
        self.tell(events);
    }

    fn tell(&self, events: Vec<Event>) {
        events.into_iter().for_each(|event| self.events.say(event));
    }

    async fn acknowledge_too_early(
        &self,
        cases: &Arc<Cases>,
        answers: Vec<oneshot::Sender<DeliveryAnswer>>,
    ) -> Result<Vec<oneshot::Sender<DeliveryAnswer>>, Error> {
        for (case, answer) in cases.all.iter().zip(answers) {
            let ack = match &case.matter {
                Matter::Batch(epoch, records) => {
                    Some(self.promise(&case.device, *epoch, records).await?)
                }
                Matter::Hello(said) => {
                    Some(self.promise(&case.device, said.hello.epoch, &[]).await?)
                }
                _ => None,
            };
            let _gone = answer.send(DeliveryAnswer::Stored(ack));
        }
        Ok(Vec::new())
    }

    /// The acknowledgement that a commit would earn.
    async fn promise(
        &self,
        device: &DeviceId,
        epoch: Epoch,
        records: &[Judged],
    ) -> Result<Ack, Error> {
        let device = device.clone();
        let seqs = records.iter().map(|r| r.item.seq).collect::<Vec<_>>();
        let keys = self.keys.clone();
        let now = self.clock.wall();
        self.db
            .read(move |tx| {
                let none = HashMap::new();
                let mut memo = Memo::new(&keys, &none);
                let mut clerk = Clerk::new(tx, &mut memo, now);
                clerk.promise(&device, epoch, &seqs)
            })
            .await
    }
}

/// Everything that takes time and needs no transaction.
fn judge_all(
    said: Vec<(DeviceId, Sent)>,
    keys: &Keys,
    schools: &[Arc<dyn School>],
) -> Result<Cases, Error> {
    let secrets = secrets(keys)?;
    let context = Context { secrets: &secrets, schools };
    let case = |(device, sent): (DeviceId, Sent)| {
        let matter = match sent {
            Sent::Batch(batch) => {
                let some = |items: &[Item]| judge_safely(&device, batch.epoch, items, &context);
                Matter::Batch(
                    batch.epoch,
                    batch.items.par_chunks(TOGETHER).flat_map(some).collect(),
                )
            }
            Sent::Hello(said) => Matter::Hello(said),
            Sent::Status(status) => Matter::Status(status),
            Sent::Reported(reported) => Matter::Reported(reported),
            Sent::Progress(progress) => Matter::Progress(progress),
            Sent::Poison(bytes, error) => Matter::Poison(bytes, error.to_string()),
        };
        Case { device, matter }
    };
    let all: Vec<_> = said.into_par_iter().map(case).collect();
    let keys = keys.of(all.iter().flat_map(best).collect::<HashSet<_>>())?;
    Ok(Cases { all, keys })
}

/// Whose keys settling the case will probably need.
fn best(case: &Case) -> impl Iterator<Item = StudentId> {
    let records = if let Matter::Batch(_, records) = &case.matter { &records[..] } else { &[] };
    records.iter().filter_map(|record| match &record.finding {
        JudgedFinding::Seen(seen) => seen.candidates.first().map(|best| best.student),
        _ => None,
    })
}

/// The doors send it again.
fn hold(answers: impl IntoIterator<Item = oneshot::Sender<DeliveryAnswer>>, why: &Error) {
    tracing::error!(%why, "nothing can be stored now; the doors hold their records");
    answers.into_iter().for_each(|answer| drop(answer.send(DeliveryAnswer::Held)));
}

fn judging(panic: tokio::task::JoinError) -> Error {
    Error::internal("judging records", panic)
}

/// A panic is a bug of ours: the record is kept for whoever mends it, and its neighbours are judged
/// without it.
fn judge_safely(
    device: &DeviceId,
    epoch: Epoch,
    items: &[Item],
    context: &Context<'_>,
) -> Vec<Judged> {
    let all = || judge(device, epoch, items, context);
    match (catch_unwind(AssertUnwindSafe(all)), items) {
        (Ok(judged), _) => judged,
        (Err(_), [item]) => vec![broken(item)],
        (Err(_), items) => {
            items.chunks(1).flat_map(|one| judge_safely(device, epoch, one, context)).collect()
        }
    }
}

fn broken(item: &Item) -> Judged {
    let hash = Item::digest(item.seq, &item.at, &item.body);
    let finding = JudgedFinding::Dead(Reject::Malformed, "the hub failed on it: a bug".into());
    Judged { item: item.clone(), hash, moved: None, finding }
}

/// The newest sealing key, and the one before it while it is kept.
fn secrets(keys: &Keys) -> Result<Vec<HubSecret>, Error> {
    let newest = keys.hub_secret()?;
    let before = newest.id.checked_sub(1).filter(|id| *id > 0);
    let before = before.and_then(|id| keys.hub_secret_by(id).ok());
    Ok(std::iter::once(newest).chain(before).collect())
}

fn settle(
    clerk: &mut Clerk<'_, '_>,
    case: &Case,
    record: Option<usize>,
) -> Result<Option<Ack>, Error> {
    let device = &case.device;
    let now = clerk.now;
    match &case.matter {
        Matter::Batch(epoch, records) => {
            let some = record.map_or(&records[..], |n| std::slice::from_ref(&records[n]));
            clerk.batch(device, *epoch, some).map(Some)
        }
        Matter::Hello(said) => clerk.hello(device, said).map(Some),
        Matter::Status(status) => {
            let connection = (status.boot, status.connection);
            if store::device::connected(clerk.tx, device, status.online, connection, now)? {
                clerk.events.push(Event::DeviceChanged(device.clone()));
                if status.online {
                    store::device::at_hub(clerk.tx, device, clerk.hub)?;
                }
            }
            Ok(None)
        }
        Matter::Reported(said) => {
            let model = &said.model;
            let software = said.software.as_str();
            store::device::reported(
                clerk.tx,
                device,
                said.gallery,
                model,
                software,
                &said.trouble,
                now,
            )?;
            let release = said.gallery;
            let manifest = &said.manifest;
            store::erasure::confirm(clerk.tx, device, release, manifest, now)?;
            clerk.events.push(Event::DeviceChanged(device.clone()));
            Ok(None)
        }
        Matter::Progress(said) => {
            if store::rollout::heard(clerk.tx, device, said, now)? {
                clerk.events.push(Event::DeviceChanged(device.clone()));
                clerk.events.push(Event::RolloutChanged(said.rollout));
            }
            Ok(None)
        }
        Matter::Poison(bytes, why) => clerk.poison(device, why, bytes).map(|()| None),
    }
}

/// Stores records that were judged elsewhere, in the caller's transaction: how the past of a
/// made-up school comes through the same decisions as a real one.
pub fn file(
    tx: &Tx<'_>,
    memo: &mut Memo<'_>,
    device: &DeviceId,
    epoch: Epoch,
    records: &[Judged],
    now: Wall,
) -> Result<Ack, Error> {
    Clerk::new(tx, memo, now).batch(device, epoch, records)
}

/// The same record, set aside because storing it fails.
fn condemned(record: &Judged, error: &Error) -> Judged {
    let why = match error {
        Error::Internal { source, .. } => format!("the hub could not store it: {error}: {source}"),
        _ => format!("the hub could not store it: {error}"),
    };
    let finding = JudgedFinding::Dead(Reject::Malformed, why);
    Judged { item: record.item.clone(), hash: record.hash, moved: record.moved.clone(), finding }
}

#[cfg(test)]
mod tests;
