//! How far the doors are with the newest gallery, and the buttons that send it out and take it
//! back.

use super::show;
use crate::note::Note;
use crate::shell::Shell;
use acts::doors::galleries::{GalleryBack, ReleaseStep, step};
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::problem::Problem;
use http::reply::see;
use http::route::Route;
use rules::error::Error;
use store::release::Progress;

/// Doors that are named as not being there yet.
const NAMED: usize = 20;

/// Routes of this file. A door may be called `gallery`: these are not below `/devices`.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::post("/gallery/push").admin().form().page().by(push),
        Route::post("/gallery/back").admin().form().page().by(back),
    ]
}

/// How far all doors are.
pub struct Push {
    /// Doors that use their newest release.
    pub done: usize,
    /// All that have one.
    pub total: usize,
    /// Those that do not use it yet, and why.
    pub waiting: Vec<PushWaiting>,
    /// How many more there are of those.
    pub more: usize,
    /// Doors that were taken back.
    pub held: usize,
}

/// A door that does not use its newest release.
pub struct PushWaiting {
    /// The door.
    pub name: String,
    /// Why, in words.
    pub why: String,
    /// What the door itself says; empty if nothing.
    pub trouble: String,
}

impl Push {
    /// From the newest release of each door; nothing before the first.
    pub fn new(shell: &Shell, all: Vec<Progress>) -> Option<Self> {
        let total = all.len();
        let held = all.iter().filter(|of| of.held).count();
        let late: Vec<_> = all.into_iter().filter(|of| of.in_use < of.version).collect();
        let done = total - late.len();
        let more = late.len().saturating_sub(NAMED);
        let waiting = late.into_iter().take(NAMED).map(|of| waiting(shell, of)).collect();
        (total > 0).then_some(Self { done, total, waiting, more, held })
    }
}

fn waiting(shell: &Shell, of: Progress) -> PushWaiting {
    let why = match step(&of) {
        _ if !of.online => "doors-late-offline",
        _ if !of.trouble.is_empty() => "doors-late-trouble",
        ReleaseStep::Fetched => "doors-late-fetched",
        _ => "doors-late-told",
    };
    PushWaiting { name: of.device.to_string(), why: shell.say(why), trouble: of.trouble }
}

async fn push(call: Call) -> Outcome {
    let done = call.app().doors().push(call.name()?, call.now).await;
    answer(&call, done, super::DONE[0]).await
}

async fn back(call: Call) -> Outcome {
    let done = call.app().doors().take_back(GalleryBack::All, call.name()?, call.now).await;
    answer(&call, done, super::DONE[1]).await
}

async fn answer(call: &Call, done: Result<(), Error>, key: &str) -> Outcome {
    match done {
        Ok(()) => see(&format!("/devices?done={key}")),
        Err(error) => {
            let problem = Problem::from(error);
            show(call, problem.status, Some(Note::problem(&problem)), None).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Wall;

    fn progress(name: &str, in_use: u64, online: bool, trouble: &str) -> Progress {
        Progress {
            device: name.parse().unwrap(),
            version: 4,
            created: Wall(0),
            expires: Wall(0),
            people: 2,
            fetched: None,
            in_use,
            online,
            trouble: trouble.into(),
            held: false,
        }
    }

    #[test]
    fn the_doors_that_are_late_are_named_with_the_reason() {
        let shell = Shell::default();
        assert!(Push::new(&shell, vec![]).is_none());
        let all = vec![
            progress("a", 4, false, ""),
            progress("b", 3, false, ""),
            progress("c", 3, true, "no room"),
            Progress { fetched: Some(Wall(1)), ..progress("d", 3, true, "") },
            progress("e", 0, true, ""),
        ];
        let push = Push::new(&shell, all).unwrap();
        assert_eq!((push.done, push.total, push.more, push.held), (1, 5, 0, 0));
        let said: Vec<_> =
            push.waiting.iter().map(|of| (of.name.as_str(), of.why.clone())).collect();
        let keys = ["offline", "trouble", "fetched", "told"];
        let why = keys.map(|key| shell.say(&format!("doors-late-{key}")));
        let wanted: Vec<_> = ["b", "c", "d", "e"].into_iter().zip(why).collect();
        assert_eq!(said, wanted);
    }

    #[test]
    fn a_page_names_some_and_counts_the_others() {
        let all = (0..50).map(|n| progress(&format!("d{n}"), 0, true, "")).collect();
        let push = Push::new(&Shell::default(), all).unwrap();
        assert_eq!((push.waiting.len(), push.more), (NAMED, 50 - NAMED));
    }
}
