//! Tables `rollout` and `rollout_door`: how updates go from door to door.

use super::{Read, Row, Tx, audit, change, device, odd, params, parsed, parsed_option};
use rules::error::{Doing, Error};
use rules::rollout::{RolloutDoor, RolloutFacts, Stage};
use serde_json::json;
use std::collections::HashMap;
use wire::program::{Machine, Offer, Progress, Step};
use wire::{DeviceId, Wall};

/// An update on its way to doors.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rollout {
    /// Its number, counted upwards.
    pub n: u32,
    /// Which update.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it runs on.
    pub machine: Machine,
    /// How far it has come.
    pub stage: Stage,
    /// Whether it goes on.
    pub state: RolloutState,
    /// The door that tries it first, where an admin chose one.
    pub first: Option<DeviceId>,
    /// Refusals after which a person said that it goes on.
    pub forgiven: usize,
    /// When it began.
    pub began: Wall,
    /// Who began it.
    pub began_by: String,
}

/// Whether a rollout goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RolloutState {
    /// It does.
    Going,
    /// A person holds it.
    Paused,
    /// Too many doors refused it.
    Halted,
    /// A person ended it, or another one took its place.
    Ended,
}

impl RolloutState {
    /// Every state by its name.
    pub const ALL: [(Self, &str); 4] = [
        (Self::Going, "going"),
        (Self::Paused, "paused"),
        (Self::Halted, "halted"),
        (Self::Ended, "ended"),
    ];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// A door that was asked, and how far it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Which.
    pub id: DeviceId,
    /// How far.
    pub step: Step,
    /// Why no further; empty if it goes on.
    pub why: String,
    /// Whether it is connected.
    pub online: bool,
    /// Since when it is there.
    pub at: Wall,
}

const COLUMNS: &str = "r.n, r.name, u.version, u.machine, r.stage, r.state, r.first, r.forgiven,
     r.began_at, r.began_by";
const FROM: &str = "rollout r join door_update u on u.name = r.name";

/// Lets the update `name` begin; what is on its way for the same machines ends.
///
/// # Errors
/// `NotFound` when there is no such update, or no such door.
pub fn begin(
    tx: &Tx<'_>,
    name: &str,
    first: Option<&DeviceId>,
    actor: &str,
    now: Wall,
) -> Result<Rollout, Error> {
    let update = super::update::get(tx, name)?;
    if let Some(first) = first {
        fits(tx, first, update.machine)?;
    }
    let sql = "update rollout set state = 'ended' where state <> 'ended' and name in
         (select name from door_update where machine = $1)";
    tx.execute(sql, params![update.machine.as_str()])?;
    let sql = "insert into rollout (name, stage, state, first, forgiven, began_at, began_by)
         values ($1, 'one', 'going', $2, 0, $3, $4) returning n";
    let first = first.map(DeviceId::as_str);
    let n = tx.row(sql, params![name, first, now.0, actor], |row| row.get::<u32>(0))?;
    let n = n.ok_or_else(|| Error::internal("beginning a rollout", "it has no number"))?;
    noted(tx, n, "begin", json!({ "update": name, "version": update.version }), actor, now)?;
    get(tx, n)
}

/// Whether the door can run programs for `machine`.
///
/// # Errors
/// `NotFound` when there is no such door; `Conflict` when it cannot.
fn fits(tx: &Tx<'_>, door: &DeviceId, machine: Machine) -> Result<(), Error> {
    let sql = "select machine = $2 and is_active = 1 from device where id = $1";
    let fits = tx.row(sql, params![door.as_str(), machine.as_str()], |row| row.get(0))?;
    match fits {
        None => Err(Error::unknown("door", door)),
        Some(true) => Ok(()),
        Some(false) => Err(Error::Conflict(format!(
            "“{door}” has not said that it takes programs for {machine}: name another door"
        ))),
    }
}

/// The rollout `n`.
///
/// # Errors
/// `NotFound` when there is none.
pub fn get(tx: &Tx<'_>, n: u32) -> Result<Rollout, Error> {
    let sql = format!("select {COLUMNS} from {FROM} where r.n = $1");
    tx.row(&sql, params![n], read)?.ok_or_else(|| Error::unknown("rollout", n))
}

/// The newest rollouts, at most `limit`.
pub fn list(tx: &Tx<'_>, limit: u32) -> Result<Vec<Rollout>, Error> {
    tx.query(&format!("select {COLUMNS} from {FROM} order by r.n desc limit $1"), [limit], read)
}

/// Those that go on.
pub fn going(tx: &Tx<'_>) -> Result<Vec<Rollout>, Error> {
    let sql = format!("select {COLUMNS} from {FROM} where r.state = 'going' order by r.n");
    tx.query(&sql, [], read)
}

/// A person says whether it goes on.
///
/// # Errors
/// `NotFound`; `Conflict` when it has ended.
pub fn say(
    tx: &Tx<'_>,
    n: u32,
    state: RolloutState,
    actor: &str,
    now: Wall,
) -> Result<Rollout, Error> {
    if get(tx, n)?.state == RolloutState::Ended {
        return Err(Error::Conflict("this rollout has ended: begin another one".into()));
    }
    let sql = "update rollout set forgiven =
             (select count(*) from rollout_door a join device d on d.id = a.device
              where a.rollout = $1 and a.step = 'refused' and d.is_active = 1)
         where n = $1 and $2 = 'going'";
    tx.execute(sql, params![n, state.as_str()])?;
    set(tx, n, state)?;
    noted(tx, n, state.as_str(), json!({}), actor, now)?;
    get(tx, n)
}

/// Says whether it goes on.
pub fn set(tx: &Tx<'_>, n: u32, state: RolloutState) -> Result<(), Error> {
    let sql = "update rollout set state = $2 where n = $1";
    tx.execute(sql, params![n, state.as_str()])?;
    change::bump(tx, change::DEVICE)
}

/// It goes on to more doors.
pub fn enter(tx: &Tx<'_>, n: u32, stage: Stage) -> Result<(), Error> {
    let sql = "update rollout set stage = $2 where n = $1";
    tx.execute(sql, params![n, stage.as_str()]).map(drop)
}

/// It is offered to these doors.
pub fn offer(tx: &Tx<'_>, n: u32, doors: &[DeviceId], now: Wall) -> Result<(), Error> {
    let sql = "insert into rollout_door (rollout, device, step, why, at)
         values ($1, $2, 'idle', '', $3)";
    doors.iter().try_for_each(|door| tx.execute(sql, params![n, door.as_str(), now.0]).map(drop))
}

/// What is known of `rollout`.
pub fn facts(tx: &Tx<'_>, rollout: &Rollout) -> Result<RolloutFacts, Error> {
    let sql = "select d.id, d.online, a.step, a.at from device d
         left join rollout_door a on a.rollout = $1 and a.device = d.id
         where d.is_active = 1 and d.machine = $2 order by d.id";
    let doors = tx.query(sql, params![rollout.n, rollout.machine.as_str()], |row| {
        Ok(RolloutDoor {
            id: device::device_id(row, 0)?,
            online: row.get(1)?,
            step: parsed_option(row, 2)?.zip(row.get::<Option<i64>>(3)?.map(Wall)),
        })
    })?;
    let Rollout { stage, first, forgiven, .. } = rollout.clone();
    Ok(RolloutFacts { stage, first, forgiven, doors })
}

/// The doors that were asked and can still run it, those that refused first.
pub fn asked(tx: &Tx<'_>, n: u32) -> Result<Vec<Asked>, Error> {
    let sql = "select a.device, a.step, a.why, d.online, a.at from rollout_door a
         join rollout r on r.n = a.rollout join door_update u on u.name = r.name
         join device d on d.id = a.device and d.is_active = 1 and d.machine = u.machine
         where a.rollout = $1 order by a.device";
    let mut asked = tx.query(sql, params![n], |row| {
        Ok(Asked {
            id: device::device_id(row, 0)?,
            step: parsed(row, 1)?,
            why: row.get(2)?,
            online: row.get(3)?,
            at: Wall(row.get(4)?),
        })
    })?;
    asked.sort_by_key(|door| (door.step != Step::Refused, door.step == Step::Settled));
    Ok(asked)
}

/// How many active doors can run the update of `rollout`.
pub fn reach(tx: &Tx<'_>, rollout: &Rollout) -> Result<usize, Error> {
    let sql = "select count(*) from device where is_active = 1 and machine = $1";
    let count = tx.row(sql, params![rollout.machine.as_str()], |row| row.get::<u32>(0))?;
    Ok(count.unwrap_or(0) as usize)
}

/// What each active door is offered: the newest that it was asked to try, while that goes on.
pub fn offers(tx: &Tx<'_>) -> Result<HashMap<DeviceId, Offer>, Error> {
    let sql = "select d.id, r.n, r.state, u.signed from device d
         join rollout r on r.n = (select max(rollout) from rollout_door where device = d.id)
         join door_update u on u.name = r.name and u.machine = d.machine where d.is_active = 1";
    let rows = tx.query(sql, [], |row| {
        let state: String = row.get(2)?;
        let signed: Vec<u8> = row.get(3)?;
        Ok((device::device_id(row, 0)?, row.get::<u32>(1)?, state == "going", signed))
    })?;
    let read = |(id, rollout, is_going, signed): (DeviceId, u32, bool, Vec<u8>)| {
        let signed = postcard::from_bytes(&signed).doing("reading an update")?;
        Ok((id, Offer { rollout, signed: Some(signed).filter(|_| is_going) }))
    };
    rows.into_iter().map(read).collect()
}

/// Remembers what a door said of its program. Whether that changed anything.
pub fn heard(tx: &Tx<'_>, id: &DeviceId, said: &Progress, now: Wall) -> Result<bool, Error> {
    let machine = said.machine.map_or("", Machine::as_str);
    let running = said.running.map(|hash| blake3::Hash::from_bytes(hash).to_hex().to_string());
    let running = running.unwrap_or_default();
    let sql = "update device set machine = $2, program = $3
         where id = $1 and (machine <> $2 or program <> $3)";
    let known = tx.execute(sql, params![id.as_str(), machine, running])?;
    let sql = "update rollout_door set step = $3, why = $4, at = $5
         where rollout = $1 and device = $2 and $3 <> 'idle' and (step <> $3 or why <> $4)";
    let step = said.step.as_str();
    let values = params![said.rollout, id.as_str(), step, said.why, now.0];
    Ok(known + tx.execute(sql, values)? > 0)
}

fn read(row: &Row<'_>) -> Read<Rollout> {
    let stage: String = row.get(4)?;
    let state: String = row.get(5)?;
    let known = RolloutState::ALL.iter().find(|(_, name)| *name == state);
    Ok(Rollout {
        n: row.get(0)?,
        name: row.get(1)?,
        version: row.get(2)?,
        machine: parsed(row, 3)?,
        stage: Stage::named(&stage).ok_or_else(|| odd(4, "a stage that nobody here writes"))?,
        state: known.ok_or_else(|| odd(5, "a state that nobody here writes"))?.0,
        first: parsed_option(row, 6)?,
        forgiven: row.get::<u32>(7)? as usize,
        began: Wall(row.get(8)?),
        began_by: row.get(9)?,
    })
}

fn noted(
    tx: &Tx<'_>,
    n: u32,
    action: &str,
    meta: serde_json::Value,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    let id = n.to_string();
    audit::add(tx, now, &audit::AuditEntry { actor, action, table: "rollout", id: &id, meta })
}
