//! `/settings/webhooks`: other programs that are told what happens here.

use crate::note::Note;
use crate::shell::Shell;
use crate::shell::shell;
use acts::notify::webhooks::EVENTS;
use acts::webhooks::{NewWebhook, WebhookChanges};
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Problem;
use http::reply::{page, see};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use store::webhook::{self, Webhook, WebhookListed};
use warp::http::StatusCode;
use wire::Wall;

/// Messages of each hook that are shown.
const MESSAGES: u32 = 10;
const DONE: [&str; 4] =
    ["settings-hook-on", "settings-hook-off", "settings-hook-gone", "settings-hook-pinged"];

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let all = "/settings/webhooks";
    vec![
        Route::get(all).admin().page().by(index),
        Route::post(all).admin().form().page().by(add),
        Route::post("/settings/webhooks/{id}").admin().of(Object::Webhook).form().page().by(change),
    ]
}

#[derive(Template)]
#[template(path = "settings-webhooks.html")]
struct WebhooksPage {
    shell: Shell,
    tab: &'static str,
    note: Option<Note>,
    /// A new secret, shown once.
    secret: Option<String>,
    hooks: Vec<Hook>,
    events: Vec<&'static str>,
}

/// A hook with what became of its messages.
struct Hook {
    hook: Webhook,
    failing: Option<String>,
    messages: Vec<(WebhookListed, String)>,
}

async fn index(call: Call) -> Outcome {
    show(&call, StatusCode::OK, Note::done(&call, &DONE), None).await
}

async fn show(
    call: &Call,
    status: StatusCode,
    note: Option<Note>,
    secret: Option<String>,
) -> Outcome {
    let read = call.app().db.read(|tx| {
        let hooks = webhook::list(tx)?.into_iter();
        let with = |hook: Webhook| {
            let messages = webhook::messages(tx, hook.id, MESSAGES)?;
            Ok::<_, rules::Error>((hook, messages))
        };
        hooks.map(with).collect::<Result<Vec<_>, _>>()
    });
    let shell = shell(call, "settings");
    let ago = |at: Wall| words::ago(shell.language, at, call.now);
    let hook = |(hook, messages): (Webhook, Vec<WebhookListed>)| Hook {
        failing: hook.failing_since.map(ago),
        messages: messages.into_iter().map(|one| (one.clone(), ago(one.created_at))).collect(),
        hook,
    };
    let hooks = read.await?.into_iter().map(hook).collect();
    let events = EVENTS.into_iter().filter(|name| *name != "ping").collect();
    page(status, &WebhooksPage { shell, tab: "webhooks", note, secret, hooks, events })
}

async fn add(call: Call) -> Outcome {
    let done = async {
        let url = call.field("url")?.to_owned();
        let chosen = |name: &&str| call.content.field(name).is_some();
        let events = EVENTS.into_iter().filter(chosen).map(str::to_owned).collect();
        let new = NewWebhook { url, events };
        let by = call.actor()?;
        Ok::<_, Problem>(call.app().webhooks().add(new, by, call.now).await?)
    };
    match done.await {
        Ok(made) => show(&call, StatusCode::CREATED, None, Some(made.secret)).await,
        Err(problem) => show(&call, problem.status, Some(Note::problem(&problem)), None).await,
    }
}

/// Tries, switches or removes one.
async fn change(call: Call) -> Outcome {
    match changed(&call).await {
        Ok(key) => see(&format!("/settings/webhooks?done={key}")),
        Err(problem) => show(&call, problem.status, Some(Note::problem(&problem)), None).await,
    }
}

async fn changed(call: &Call) -> Result<&'static str, Problem> {
    let webhooks = call.app().webhooks();
    let id = call.id("id")?;
    let by = call.actor()?;
    let step = call.content.field("step").unwrap_or("");
    match step {
        "on" | "off" => {
            let is_active = Some(step == "on");
            let version = call.version(None)?;
            let to = WebhookChanges { hook: id, url: None, events: None, is_active, version };
            let hook = webhooks.change(to, by, call.now).await?;
            Ok(if hook.is_active { DONE[0] } else { DONE[1] })
        }
        "remove" => Ok(webhooks.remove(id, None, by, call.now).await.map(|()| DONE[2])?),
        _ => Ok(webhooks.ping(id, call.now).await.map(|()| DONE[3])?),
    }
}
