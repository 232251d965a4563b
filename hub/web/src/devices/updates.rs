//! `/updates`: programs for the doors, how far each is on its way, and what lets it go on or stop.
//! A door may be called `updates`: this is not below `/devices`.

use crate::note::Note;
use crate::shell::{Shell, shell};
use acts::doors::updates::{self, Far, UPDATE_BYTES};
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::{Outcome, Problem};
use http::reply::{page, see};
use http::route::Route;
use rules::error::Error;
use rules::rollout::Stage;
use store::rollout::{self, Asked, Rollout, RolloutState};
use store::update::{self, Update};
use store::{Tx, account, device};
use warp::http::StatusCode;
use wire::DeviceId;
use wire::program::Step;

/// Updates and rollouts that are shown: the newest.
const SHOWN: u32 = 10;
/// Doors that are named as being on their way.
const NAMED: usize = 20;
/// Doors that are proposed to try one first.
const DOORS: u32 = 500;
const DONE: [&str; 3] = ["updates-done-added", "updates-done-begun", "updates-done-said"];

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::get("/updates").admin().page().by(index),
        Route::post("/updates").admin().archive(UPDATE_BYTES).page().by(bring),
        Route::post("/updates/begin").admin().form().page().by(begin),
        Route::post("/updates/say").admin().form().page().by(say),
    ]
}

#[derive(Template)]
#[template(path = "updates.html")]
struct UpdatesPage {
    shell: Shell,
    note: Option<Note>,
    /// Whether the school trusts somebody's programs.
    trusts: bool,
    rollouts: Vec<UpdatesRollout>,
    updates: Vec<UpdatesUpdate>,
    doors: Vec<String>,
}

/// An update on its way.
struct UpdatesRollout {
    number: u32,
    version: String,
    machine: &'static str,
    class: &'static str,
    words: String,
    stage: String,
    /// Doors that run it, and all that can.
    done: usize,
    total: usize,
    began: String,
    named: Vec<UpdatesDoor>,
    more: usize,
    /// What may be said of it: the state, and its words.
    says: &'static [(&'static str, &'static str)],
}

/// A door on its way, or one that goes no further.
struct UpdatesDoor {
    name: String,
    words: String,
    why: String,
}

/// A program that can go to the doors.
struct UpdatesUpdate {
    id: String,
    version: String,
    machine: &'static str,
    added: String,
    by: String,
    megabytes: u64,
}

/// Everything that is read for the page.
struct UpdatesFacts {
    trusts: bool,
    rollouts: Vec<Far>,
    updates: Vec<Update>,
    doors: Vec<String>,
}

fn facts(tx: &Tx<'_>) -> Result<UpdatesFacts, Error> {
    let rollouts = rollout::list(tx, SHOWN)?.into_iter();
    Ok(UpdatesFacts {
        trusts: update::key(tx)?.is_some(),
        rollouts: rollouts.map(|one| updates::far(tx, one)).collect::<Result<_, _>>()?,
        updates: update::list(tx, SHOWN)?
            .into_iter()
            .map(|update| by_name(tx, update))
            .collect::<Result<_, _>>()?,
        doors: device::page(tx, "", DOORS)?.into_iter().map(|door| door.id.to_string()).collect(),
    })
}

/// With the name of whoever brought it.
fn by_name(tx: &Tx<'_>, update: Update) -> Result<Update, Error> {
    let name = account::name(tx, &update.added_by)?;
    Ok(Update { added_by: name.unwrap_or(update.added_by), ..update })
}

async fn index(call: Call) -> Outcome {
    show(&call, StatusCode::OK, Note::done(&call, &DONE)).await
}

async fn show(call: &Call, status: StatusCode, note: Option<Note>) -> Outcome {
    let UpdatesFacts { trusts, rollouts, updates, doors } = call.app().db.read(facts).await?;
    let shell = shell(call, "devices");
    let at = |moment| words::when(shell.language, moment, &call.app().config.zone, call.now);
    let known = |update: Update| UpdatesUpdate {
        added: at(update.added),
        id: update.name,
        version: update.version,
        machine: update.machine.as_str(),
        by: update.added_by,
        megabytes: update.length.div_ceil(1 << 20),
    };
    let view = UpdatesPage {
        note,
        trusts,
        rollouts: rollouts.into_iter().map(|far| on_its_way(&shell, far, at)).collect(),
        updates: updates.into_iter().map(known).collect(),
        doors,
        shell,
    };
    page(status, &view)
}

fn on_its_way(shell: &Shell, far: Far, at: impl Fn(wire::Wall) -> String) -> UpdatesRollout {
    let Far { rollout, reach, asked } = far;
    let done = asked.iter().filter(|door| door.step == Step::Settled).count();
    let late: Vec<_> = asked.into_iter().filter(|door| door.step != Step::Settled).collect();
    let (class, words) = state(&rollout, done, reach);
    UpdatesRollout {
        number: rollout.n,
        class,
        words: shell.say(words),
        stage: shell.say(stage(rollout.stage)),
        done,
        total: reach.max(done),
        began: at(rollout.began),
        more: late.len().saturating_sub(NAMED),
        named: late.into_iter().take(NAMED).map(|door| named(shell, door)).collect(),
        says: says(rollout.state),
        machine: rollout.machine.as_str(),
        version: rollout.version,
    }
}

fn state(rollout: &Rollout, done: usize, reach: usize) -> (&'static str, &'static str) {
    match rollout.state {
        RolloutState::Going if rollout.stage == Stage::All && done >= reach => {
            ("good", "updates-everywhere")
        }
        RolloutState::Going => ("good", "updates-going"),
        RolloutState::Paused => ("warn", "updates-paused"),
        RolloutState::Halted => ("bad", "updates-halted"),
        RolloutState::Ended => ("off", "updates-ended"),
    }
}

fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::One => "updates-stage-one",
        Stage::Tenth => "updates-stage-tenth",
        Stage::All => "updates-stage-all",
    }
}

/// What a person may say of a rollout in this state.
fn says(state: RolloutState) -> &'static [(&'static str, &'static str)] {
    const END: (&str, &str) = ("ended", "updates-end");
    const GO_ON: (&str, &str) = ("going", "updates-go-on");
    match state {
        RolloutState::Going => &[("paused", "updates-pause"), END],
        RolloutState::Paused | RolloutState::Halted => &[GO_ON, END],
        RolloutState::Ended => &[],
    }
}

fn named(shell: &Shell, door: Asked) -> UpdatesDoor {
    let words = match door.step {
        Step::Refused => "updates-door-refused",
        _ if !door.online => "updates-door-offline",
        Step::Idle => "updates-door-told",
        Step::Fetching => "updates-door-fetching",
        Step::Waiting => "updates-door-waiting",
        Step::Trial | Step::Settled => "updates-door-trial",
    };
    UpdatesDoor { name: door.id.to_string(), words: shell.say(words), why: door.why }
}

async fn bring(call: Call) -> Outcome {
    let brought = async {
        let app = call.app();
        let file = call.spooled("file")?;
        let by = call.name()?;
        Ok(updates::bring(&app.db, &app.config.data, file, by, call.now).await?)
    };
    let brought = brought.await.map(drop);
    answer(&call, brought, DONE[0]).await
}

async fn begin(call: Call) -> Outcome {
    let begun = async {
        let name = call.field("update_id")?.to_owned();
        let first =
            call.content.field("first_device_id").map(str::trim).filter(|id| !id.is_empty());
        let odd = |_| Problem::field("first_device_id", "there is no such door");
        let first = first.map(str::parse::<DeviceId>).transpose().map_err(odd)?;
        Ok(call.app().updates().begin(name, first, call.name()?, call.now).await?)
    };
    let begun = begun.await.map(drop);
    answer(&call, begun, DONE[1]).await
}

async fn say(call: Call) -> Outcome {
    let said = async {
        let odd = || Problem::field("state", "use the buttons of the page");
        let number = call.field("number")?.parse().map_err(|_| odd())?;
        let state = match call.field("state")? {
            "going" => {
                http::proof::fresh(&call)?;
                RolloutState::Going
            }
            "paused" => RolloutState::Paused,
            "ended" => RolloutState::Ended,
            _ => return Err(odd()),
        };
        Ok(call.app().updates().say(number, state, call.name()?, call.now).await?)
    };
    let said = said.await.map(drop);
    answer(&call, said, DONE[2]).await
}

async fn answer(call: &Call, done: Result<(), Problem>, key: &str) -> Outcome {
    match done {
        Ok(()) => see(&format!("/updates?done={key}")),
        // What the form named is not there; the page itself is.
        Err(problem) if problem.status == StatusCode::NOT_FOUND => {
            show(call, StatusCode::UNPROCESSABLE_ENTITY, Some(Note::problem(&problem))).await
        }
        Err(problem) => show(call, problem.status, Some(Note::problem(&problem))).await,
    }
}
