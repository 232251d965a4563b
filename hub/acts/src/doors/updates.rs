//! Updates for doors: brought here, and handed on in stages.

use crate::events::{Event, Events};
use crate::upkeep::Upkeep;
use ed25519_dalek::VerifyingKey;
use rules::error::{Doing, Error};
use rules::rollout::{Follows, follows};
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::rollout::{self, Asked, Rollout, RolloutState};
use store::update::{self, Update};
use store::{Db, Tx};
use tokio_util::sync::CancellationToken;
use wire::program::{PROGRAM_BYTES, Program, unpack};
use wire::pulse::Beat;
use wire::{DeviceId, Wall};

/// How often what doors said is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// Bytes of a file that brings an update, at most: a program and its description.
pub const UPDATE_BYTES: u64 = PROGRAM_BYTES + 4096;
/// Where the files lie, in the folder of the data.
const FOLDER: &str = "programs";

/// Where updates are looked after; cheap to clone.
#[derive(Clone)]
pub struct Updates {
    /// The database.
    pub db: Db,
    /// Directory of the data.
    pub data: PathBuf,
    /// Who is told.
    pub events: Events,
    /// What fails is tried again.
    pub upkeep: Upkeep,
}

/// Where the file of the update `name` lies.
#[must_use]
pub fn path(data: &Path, name: &str) -> PathBuf {
    data.join(FOLDER).join(name)
}

/// Takes a signed program out of `file` and keeps it, if it is signed with the key that the school
/// trusts.
///
/// # Errors
/// `Invalid` in a sentence for what it is otherwise.
pub async fn bring(
    db: &Db,
    data: &Path,
    mut file: impl std::io::Read + Send + 'static,
    by: String,
    now: Wall,
) -> Result<Update, Error> {
    let key = db.read(update::key).await?.ok_or_else(untrusted)?;
    let folder = data.join(FOLDER);
    let kept = move || {
        let mut bytes = Vec::new();
        file.by_ref().take(UPDATE_BYTES + 1).read_to_end(&mut bytes).doing("reading an update")?;
        let key = VerifyingKey::from_bytes(&key).doing("reading whose programs doors take")?;
        let (signed, program) = unpack(&bytes).map_err(|why| refused(&why))?;
        let known = Program::verified(&signed, &key).map_err(|why| refused(&why))?;
        if !known.is(program) {
            return Err(Error::Invalid("the program was changed after it was signed".into()));
        }
        keep(&folder, &known.name(), program).doing("keeping an update")?;
        Ok((known, signed))
    };
    let (known, signed) = tokio::task::spawn_blocking(kept).await.doing("keeping an update")??;
    db.write(move |tx| update::add(tx, &known, &signed, &by, now)).await
}

fn refused(why: &wire::program::ProgramError) -> Error {
    Error::Invalid(why.to_string())
}

fn untrusted() -> Error {
    let why = "this school trusts nobody's programs yet: type rollcall-hub update trust KEY on the \
               hub, with the key of whoever releases them";
    Error::Conflict(why.into())
}

/// Whole or not at all.
fn keep(folder: &Path, name: &str, program: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let growing = folder.join(format!("{name}.part"));
    let mut file = File::create(&growing)?;
    file.write_all(program)?;
    file.sync_all()?;
    fs::rename(&growing, folder.join(name))?;
    File::open(folder)?.sync_all()
}

/// Whether the update `name` is known here: then its file may be asked for.
pub async fn is_known(db: &Db, name: &str) -> Result<bool, Error> {
    let name = name.to_owned();
    let found = db.read(move |tx| update::get(tx, &name)).await;
    match found {
        Ok(_) => Ok(true),
        Err(Error::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A rollout, and how far each door is that was asked.
pub struct Far {
    /// Which.
    pub rollout: Rollout,
    /// Doors that can run it.
    pub reach: usize,
    /// Those that were asked.
    pub asked: Vec<Asked>,
}

/// How far a rollout is.
pub fn far(tx: &Tx<'_>, rollout: Rollout) -> Result<Far, Error> {
    let reach = rollout::reach(tx, &rollout)?;
    let asked = rollout::asked(tx, rollout.n)?;
    Ok(Far { rollout, reach, asked })
}

impl Updates {
    /// Hands updates on until `stop`. A failed look is noted, and the next one is the retry.
    ///
    /// # Errors
    /// Never.
    pub async fn run(self, beat: Beat, stop: CancellationToken) -> Result<(), Error> {
        while !stop.is_cancelled() {
            beat.turn();
            if self.upkeep.is_ours() {
                self.upkeep.tried("handing updates on", self.look().await);
            }
            let _ = stop.run_until_cancelled(tokio::time::sleep(LOOK)).await;
        }
        Ok(())
    }

    /// Looks once at every rollout that goes on.
    pub async fn look(&self) -> Result<(), Error> {
        let now = self.upkeep.clock.wall();
        let going = self.db.read(move |tx| {
            let going = rollout::going(tx)?.into_iter();
            going.map(|one| Ok((one.n, follows(&rollout::facts(tx, &one)?, now)))).collect()
        });
        let going: Vec<(u32, Follows)> = going.await?;
        for (n, what) in going {
            if what != Follows::Wait {
                self.db.write(move |tx| follow(tx, n, now)).await?;
                self.events.say(Event::RolloutChanged(n));
            }
        }
        Ok(())
    }

    /// Lets an update begin.
    ///
    /// # Errors
    /// `NotFound` when there is no such update, or no such door.
    pub async fn begin(
        &self,
        name: String,
        first: Option<DeviceId>,
        by: String,
        now: Wall,
    ) -> Result<Far, Error> {
        let write = self.db.write(move |tx| {
            let begun = rollout::begin(tx, &name, first.as_ref(), &by, now)?;
            far(tx, begun)
        });
        self.told(write.await?)
    }

    /// Says whether a rollout goes on.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when it has ended.
    pub async fn say(
        &self,
        n: u32,
        state: RolloutState,
        by: String,
        now: Wall,
    ) -> Result<Far, Error> {
        let write = self.db.write(move |tx| {
            let said = rollout::say(tx, n, state, &by, now)?;
            far(tx, said)
        });
        self.told(write.await?)
    }

    fn told(&self, far: Far) -> Result<Far, Error> {
        self.events.say(Event::RolloutChanged(far.rollout.n));
        Ok(far)
    }
}

/// Does what follows from what is true in this transaction.
fn follow(tx: &Tx<'_>, n: u32, now: Wall) -> Result<(), Error> {
    let rollout = rollout::get(tx, n)?;
    if rollout.state != RolloutState::Going {
        return Ok(());
    }
    match follows(&rollout::facts(tx, &rollout)?, now) {
        Follows::Wait => Ok(()),
        Follows::Offer(doors) => rollout::offer(tx, n, &doors, now),
        Follows::Enter(stage) => rollout::enter(tx, n, stage),
        Follows::Halt => {
            tracing::warn!("rollout {n} is halted: doors refuse the update");
            rollout::set(tx, n, RolloutState::Halted)
        }
    }
}
