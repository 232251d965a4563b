//! From a device's words to rows: judged in parallel, committed in groups, acknowledged after.
//!
//! One part does it for all devices, in the order in which their words came. A group is whatever
//! waited while the last one was committed, so that few records are fast and many are cheap. A
//! record that breaks the hub is set aside; those around it are stored.

mod commit;
pub mod dating;
pub mod fault;
pub mod judge;
mod memo;
pub mod school;

use crate::error::Error;
use crate::events::{Event, Events};
use crate::keys::Keys;
use crate::listener::{Answer, Delivery, Sent};
use crate::store::{self, Db, Tx};
use crate::vault::DataKey;
use commit::Clerk;
use fault::Fault;
use judge::{Court, Finding, Judged, judge};
pub use memo::Memo;
use rayon::prelude::*;
use school::{School, Schools};
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use wire::link::{Ack, Hello, Reject, Reported, Status};
use wire::{Clock, DeviceId, Epoch, HubSecret, Item, StudentId, Wall};

/// Records that share a COMMIT at most: a person's decision may have to wait for one.
const GROUP: usize = 128;
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
    /// For the rig that kills the hub.
    pub fault: Fault,
}

/// A delivery, judged.
struct Case {
    device: DeviceId,
    matter: Matter,
}

enum Matter {
    Batch(Epoch, Vec<Judged>),
    Hello(Hello),
    Status(Status),
    Reported(Reported),
    Poison(Vec<u8>, String),
}

/// What waited, being judged; and whom to tell.
struct Group {
    judged: tokio::task::JoinHandle<Result<Cases, Error>>,
    answers: Vec<oneshot::Sender<Answer>>,
}

/// Cases of a group, and the keys they will probably need.
struct Cases {
    all: Vec<Case>,
    keys: HashMap<StudentId, DataKey>,
}

/// What a case comes to.
type Done = (Option<Ack>, Vec<Event>);

impl Ingest {
    /// Stores what devices say until `stop`; what was taken by then is still stored. While one
    /// group is committed, the next is judged.
    ///
    /// # Errors
    /// Never: what cannot be stored is held, and its device sends it again.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Error> {
        let (mut transactions, mut next) = (0, None);
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
                Err(error) => {
                    tracing::error!(%error, "what devices said could not be judged; they send it again");
                }
            }
        }
    }

    /// Begins to judge what waits now.
    fn begin(&mut self, first: Delivery) -> Group {
        let (said, answers) = self.gather(first);
        let (keys, school) = (self.keys.clone(), self.schools.now());
        let judged = tokio::task::spawn_blocking(move || judge_all(said, &keys, &*school));
        Group { judged, answers }
    }

    /// What waits now, up to a full group.
    fn gather(&mut self, first: Delivery) -> (Vec<(DeviceId, Sent)>, Vec<oneshot::Sender<Answer>>) {
        let (mut said, mut answers, mut records) = (Vec::new(), Vec::new(), 0);
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
        answers: Vec<oneshot::Sender<Answer>>,
        n: u64,
    ) -> Result<(), Error> {
        let cases = Arc::new(cases);
        let mut answers = answers;
        if self.fault == Fault::AckBeforeCommit {
            // Acknowledges what is not stored: the wrong order, on purpose.
            answers = self.acknowledge_too_early(&cases, answers).await?;
        }
        let all: Vec<_> = (0..cases.all.len()).collect();
        match self.commit(&cases, all, n).await {
            Ok(done) => {
                self.fault.after_commit(n);
                for (done, answer) in done.into_iter().zip(answers) {
                    self.answer(done, answer);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a group was not stored; its parts are tried one by one");
                for (index, answer) in answers.into_iter().enumerate() {
                    self.alone(&cases, index, answer, n).await;
                }
            }
        }
        Ok(())
    }

    /// One case in a transaction of its own, so that a broken one harms nobody else.
    async fn alone(
        &self,
        cases: &Arc<Cases>,
        index: usize,
        answer: oneshot::Sender<Answer>,
        n: u64,
    ) {
        let mut result = self.commit(cases, vec![index], n).await;
        if let Err(error) = &result
            && !matches!(error, Error::Unavailable(_))
            && let Some(case) = condemned(&cases.all[index], error)
        {
            let device = &case.device;
            tracing::error!(%device, %error, "a batch breaks the hub and is set aside: a bug");
            let alone = Cases { all: vec![case], keys: HashMap::new() };
            result = self.commit(&Arc::new(alone), vec![0], n).await;
        }
        match result {
            Ok(done) => done.into_iter().zip([answer]).for_each(|(done, to)| self.answer(done, to)),
            Err(error) => {
                tracing::error!(%error, "nothing can be stored now; the device holds its records");
                let _gone = answer.send(Answer::Held);
            }
        }
    }

    async fn commit(
        &self,
        cases: &Arc<Cases>,
        which: Vec<usize>,
        n: u64,
    ) -> Result<Vec<Done>, Error> {
        let (cases, keys, fault) = (cases.clone(), self.keys.clone(), self.fault);
        let now = self.clock.wall();
        let work = move |tx: &Tx<'_>| {
            let mut memo = Memo::new(&keys, &cases.keys);
            let settle = |index: usize| {
                let mut clerk = Clerk::new(tx, &mut memo, now);
                let ack = settle(&mut clerk, &cases.all[index])?;
                Ok((ack, clerk.events))
            };
            let done = which.into_iter().map(settle).collect::<Result<Vec<_>, Error>>();
            fault.before_commit(n);
            done
        };
        self.db.write_behind(work).await
    }

    fn answer(&self, (ack, events): Done, answer: oneshot::Sender<Answer>) {
        let _gone = answer.send(Answer::Stored(ack));
        events.into_iter().for_each(|event| self.events.say(event));
    }

    async fn acknowledge_too_early(
        &self,
        cases: &Arc<Cases>,
        answers: Vec<oneshot::Sender<Answer>>,
    ) -> Result<Vec<oneshot::Sender<Answer>>, Error> {
        for (case, answer) in cases.all.iter().zip(answers) {
            let ack = match &case.matter {
                Matter::Batch(epoch, records) => {
                    Some(self.promise(&case.device, *epoch, records).await?)
                }
                Matter::Hello(hello) => Some(self.promise(&case.device, hello.epoch, &[]).await?),
                _ => None,
            };
            let _gone = answer.send(Answer::Stored(ack));
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
        let (device, seqs) = (device.clone(), records.iter().map(|r| r.seq).collect::<Vec<_>>());
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
    school: &dyn School,
) -> Result<Cases, Error> {
    let secrets = secrets(keys)?;
    let court = Court { secrets: &secrets, school };
    let case = |(device, sent): (DeviceId, Sent)| {
        let matter = match sent {
            Sent::Batch(batch) => {
                let some = |items: &[Item]| judge_safely(&device, batch.epoch, items, &court);
                Matter::Batch(
                    batch.epoch,
                    batch.items.par_chunks(TOGETHER).flat_map(some).collect(),
                )
            }
            Sent::Hello(hello) => Matter::Hello(hello),
            Sent::Status(status) => Matter::Status(status),
            Sent::Reported(reported) => Matter::Reported(reported),
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
        Finding::Seen(seen) => seen.candidates.first().map(|best| best.student),
        _ => None,
    })
}

fn judging(panic: tokio::task::JoinError) -> Error {
    Error::internal("judging records", panic)
}

/// A panic is a bug of ours: the record is kept for whoever mends it, and its neighbours are judged
/// without it.
fn judge_safely(device: &DeviceId, epoch: Epoch, items: &[Item], court: &Court<'_>) -> Vec<Judged> {
    let all = || judge(device, epoch, items, court);
    match (catch_unwind(AssertUnwindSafe(all)), items) {
        (Ok(judged), _) => judged,
        (Err(_), [item]) => vec![broken(item)],
        (Err(_), items) => {
            items.chunks(1).flat_map(|one| judge_safely(device, epoch, one, court)).collect()
        }
    }
}

fn broken(item: &Item) -> Judged {
    let hash = Item::digest(item.seq, &item.at, &item.body);
    let finding = Finding::Dead(Reject::Malformed, "the hub failed on it: a bug".into());
    Judged { seq: item.seq, hash, at: item.at, moved: None, finding, body: item.body.clone() }
}

/// The newest sealing key, and the one before it while it is kept.
fn secrets(keys: &Keys) -> Result<Vec<HubSecret>, Error> {
    let newest = keys.hub_secret()?;
    let before = newest.id.checked_sub(1).filter(|id| *id > 0);
    let before = before.and_then(|id| keys.hub_secret_by(id).ok());
    Ok(std::iter::once(newest).chain(before).collect())
}

fn settle(clerk: &mut Clerk<'_, '_>, case: &Case) -> Result<Option<Ack>, Error> {
    let (device, now) = (&case.device, clerk.now);
    match &case.matter {
        Matter::Batch(epoch, records) => clerk.batch(device, *epoch, records).map(Some),
        Matter::Hello(hello) => {
            store::device::heard(clerk.tx, device, now)?;
            clerk.hello(device, hello.epoch).map(Some)
        }
        Matter::Status(status) => {
            let connection = (status.boot, status.connection);
            if store::device::connected(clerk.tx, device, status.online, connection, now)? {
                clerk.events.push(Event::DeviceChanged(device.clone()));
            }
            Ok(None)
        }
        Matter::Reported(said) => {
            let (model, software) = (&said.model, said.software.as_str());
            store::device::reported(
                clerk.tx,
                device,
                said.gallery,
                model,
                software,
                &said.trouble,
                now,
            )?;
            let (release, manifest) = (said.gallery, &said.manifest);
            store::erasure::confirm(clerk.tx, device, release, manifest, now)?;
            clerk.events.push(Event::DeviceChanged(device.clone()));
            Ok(None)
        }
        Matter::Poison(bytes, why) => clerk.poison(device, why, bytes).map(|()| None),
    }
}

/// Stores records that were judged elsewhere, in the caller's transaction: how the past of a
/// made-up school comes through the same decisions as a real one.
///
/// # Errors
/// When the database fails.
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

/// The same batch with every record set aside, because storing it fails.
fn condemned(case: &Case, error: &Error) -> Option<Case> {
    let Matter::Batch(epoch, records) = &case.matter else { return None };
    let dead = |record: &Judged| Judged {
        seq: record.seq,
        hash: record.hash,
        at: record.at,
        moved: None,
        finding: Finding::Dead(Reject::Malformed, format!("the hub could not store it: {error}")),
        body: record.body.clone(),
    };
    let matter = Matter::Batch(*epoch, records.iter().map(dead).collect());
    Some(Case { device: case.device.clone(), matter })
}

#[cfg(test)]
mod tests;
