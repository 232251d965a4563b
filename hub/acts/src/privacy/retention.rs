//! What goes by itself, and when: a pure decision, and its daily run.

use super::erase;
use crate::upkeep::Upkeep;
use rules::care::AsideKind;
use rules::error::{Doing, Error};
use rules::retention::{Retention, RetentionKind, Swept};
use serde_json::json;
use store::erasure::ErasureReason;
use store::keys::Keys;
use store::retention::RetentionLooked;
use store::{self, Db, Tx, audit};
use tokio::time::Instant;
use wire::Wall;

/// The setting that holds the days.
const SETTING: &str = "retention";
/// Rows that go in one transaction at most.
const STEP: u32 = 250;

/// What the school has set.
pub fn get(tx: &Tx<'_>) -> Result<Retention, Error> {
    let text = store::setting::get(tx, SETTING)?;
    let read = |text: String| serde_json::from_str(&text).doing("reading the retention setting");
    text.map_or(Ok(Retention::default()), read)
}

/// After how many days one kind of thing goes; nothing where it stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetentionKeep {
    /// Which.
    pub kind: RetentionKind,
    /// How long.
    pub days: Option<u32>,
}

/// Sets all of it.
///
/// # Errors
/// `Invalid` naming the field.
pub async fn set(db: &Db, new: Retention, by: String, now: Wall) -> Result<(), Error> {
    db.write(move |tx| put(tx, new, &by, now)).await
}

/// Sets what `said` names; the rest stays.
///
/// # Errors
/// `Invalid` naming the field.
pub async fn change(db: &Db, said: Vec<RetentionKeep>, by: String, now: Wall) -> Result<(), Error> {
    let work = move |tx: &Tx<'_>| {
        let with = |set: Retention, keep: RetentionKeep| set.with(keep.kind, keep.days);
        put(tx, said.into_iter().fold(get(tx)?, with), &by, now)
    };
    db.write(work).await
}

fn put(tx: &Tx<'_>, new: Retention, actor: &str, now: Wall) -> Result<(), Error> {
    let text = serde_json::to_string(&new.checked()?).doing("writing the retention setting")?;
    store::setting::set(tx, SETTING, &text)?;
    let action = "retention";
    let table = "setting";
    let id = SETTING;
    let meta = json!(new);
    audit::add(tx, now, &audit::AuditEntry { actor, action, table, id, meta })
}

/// How many of each kind are due, without touching them.
pub async fn count(db: &Db, now: Wall) -> Result<Vec<Swept>, Error> {
    let place = db.place().clone();
    let read = move |tx: &Tx<'_>| {
        let one = |(kind, before)| {
            let rows = match kind {
                RetentionKind::Copies => place.old_copies(before)?.len() as u64,
                kind => store::retention::count(tx, kind, before)?,
            };
            Ok(Swept { kind, rows })
        };
        get(tx)?.due(now).into_iter().map(one).collect()
    };
    db.read(read).await
}

/// Takes away what is due, a piece at a time, so that nobody waits for it, and tells `gone` how
/// many each piece was.
///
/// Whoever cannot be erased is set aside, and the rest goes on.
///
/// # Errors
/// When the database, the key store or the disk fails; what went is gone, the rest goes with the
/// next run.
pub async fn run(
    upkeep: &Upkeep,
    keys: &Keys,
    actor: &str,
    now: Wall,
    gone: &(impl Fn(u64) + Sync),
) -> Result<Vec<Swept>, Error> {
    let db = &upkeep.db;
    let due = db.read(move |tx| Ok(get(tx)?.due(now))).await?;
    let mut swept = Vec::new();
    for (kind, before) in due {
        let rows = match kind {
            RetentionKind::Leavers => leavers(upkeep, keys, (before, now), gone).await?,
            RetentionKind::Copies => copies(db, before, gone).await?,
            kind => sweep(db, kind, before, gone).await?,
        };
        swept.push(Swept { kind, rows });
    }
    let actor = actor.to_owned();
    let meta = json!(swept);
    let note = move |tx: &Tx<'_>| {
        let action = "sweep";
        let table = "setting";
        let id = SETTING;
        audit::add(tx, now, &audit::AuditEntry { actor: &actor, action, table, id, meta })
    };
    db.write(note).await?;
    Ok(swept)
}

async fn copies(db: &Db, before: Wall, gone: &(impl Fn(u64) + Sync)) -> Result<u64, Error> {
    let place = db.place().clone();
    let doing = "deleting copies from before an update";
    let delete = move || {
        let old = place.old_copies(before)?;
        old.iter().try_for_each(std::fs::remove_file).doing(doing)?;
        Ok::<_, Error>(old.len() as u64)
    };
    let files = tokio::task::spawn_blocking(delete).await.doing(doing)??;
    gone(files);
    Ok(files)
}

async fn sweep(
    db: &Db,
    kind: RetentionKind,
    before: Wall,
    gone: &(impl Fn(u64) + Sync),
) -> Result<u64, Error> {
    let mut rows = 0;
    let mut next = Some(RetentionLooked::default());
    while let Some(after) = next {
        let began = Instant::now();
        let step = move |tx: &Tx<'_>| store::retention::sweep(tx, kind, before, &after, STEP);
        let (some, left) = db.write_behind(step).await?;
        if some > 0 {
            gone(some);
        }
        (rows, next) = (rows + some, left);
        // A school's year may go at once: doors and teachers write in between.
        tokio::time::sleep(began.elapsed()).await;
    }
    Ok(rows)
}

/// Erases who left, each by themselves: whoever cannot be erased is set aside until the next day.
async fn leavers(
    upkeep: &Upkeep,
    keys: &Keys,
    (before, now): (Wall, Wall),
    gone: &(impl Fn(u64) + Sync),
) -> Result<u64, Error> {
    let db = &upkeep.db;
    let mut rows = 0;
    for student in db.read(move |tx| store::retention::leavers(tx, before)).await? {
        let done = erase::erase(db, keys, student, ErasureReason::Left, "hub".into(), now).await;
        if upkeep.one(AsideKind::Leaver, &student.to_string(), done)?.is_some() {
            gone(1);
            rows += 1;
        }
    }
    Ok(rows)
}
