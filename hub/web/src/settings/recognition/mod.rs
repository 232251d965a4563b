//! `/settings/recognition`: from which score on a face is a person, and what that comes to here.

mod chart;

use crate::note::Note;
use crate::shell::Shell;
use crate::shell::shell;
use acts::gallery::lines::Choice;
use askama::Template;
use chart::LinesChart;
use fluent_bundle::FluentArgs;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::problem::Problem;
use http::reply::{page, see};
use http::route::Route;
use rules::gallery::Guard;
use rules::scores::{self, ENOUGH, Figures, SiteScores};
use serde::Deserialize;
use warp::http::StatusCode;
use wire::Lines;
use words::language::Language;

const DONE: [&str; 2] = ["settings-rec-saved", "settings-rec-usual"];

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let path = "/settings/recognition";
    vec![
        Route::get(path).admin().page().by(index),
        Route::post(path).admin().form().page().by(save),
    ]
}

#[derive(Template)]
#[template(path = "settings-recognition.html")]
struct LinesPage {
    shell: Shell,
    tab: &'static str,
    note: Option<Note>,
    /// Whether the hub's file holds the lines.
    fixed: bool,
    /// Whether an admin chose them.
    chosen: bool,
    /// What the figures rest on.
    basis: String,
    few: bool,
    chart: LinesChart,
    now: LinesTold,
    other: Option<LinesTold>,
    budget: String,
    /// What look-alikes do to the lines, in sentences.
    guard: Option<String>,
}

/// Lines and what they come to, in words.
struct LinesTold {
    high: String,
    review: String,
    wrong: String,
    asked: String,
    unknown: String,
}

/// What the address asks to be shown beside the lines that count.
#[derive(Deserialize, Default)]
struct LinesQuery {
    #[serde(default)]
    high: String,
    #[serde(default)]
    review: String,
    /// Wrong names per 1,000 passages at most.
    #[serde(default)]
    budget: String,
}

async fn index(call: Call) -> Outcome {
    show(&call, StatusCode::OK, Note::done(&call, &DONE)).await
}

async fn show(call: &Call, status: StatusCode, note: Option<Note>) -> Outcome {
    let asked: LinesQuery = call.query()?;
    let recognition = call.app().recognition();
    let site = recognition.site().await?;
    let (note, other) = match proposed(&site, &asked) {
        Ok(other) => (note, other),
        Err(problem) => (Some(Note::problem(&problem)), None),
    };
    let fixed = recognition.is_fixed();
    page(status, &view(shell(call, "settings"), note, &site, other, asked.budget, fixed))
}

/// The lines that the address proposes.
fn proposed(site: &SiteScores, asked: &LinesQuery) -> Result<Option<Choice>, Problem> {
    let (high, review) = (f64::from(site.lines.single_high), f64::from(site.lines.single_review));
    if let Some(budget) = number(&asked.budget, "budget")? {
        let none = "no line keeps that: even the surest passages were wrong more often";
        let line = site.line_within(budget).ok_or_else(|| Problem::field("budget", none))?;
        return choice(line, review.min(line), &site.usual).map(Some);
    }
    match (number(&asked.high, "high")?, number(&asked.review, "review")?) {
        (None, None) => Ok(None),
        (line, ask) => choice(line.unwrap_or(high), ask.unwrap_or(review), &site.usual).map(Some),
    }
}

fn choice(high: f64, review: f64, usual: &Lines) -> Result<Choice, Problem> {
    Ok(typed(high, review).checked(usual)?)
}

#[expect(clippy::cast_possible_truncation, reason = "a cosine with three digits")]
fn typed(high: f64, review: f64) -> Choice {
    Choice { high: high as f32, review: review as f32 }
}

fn number(text: &str, field: &str) -> Result<Option<f64>, Problem> {
    let text = text.trim().replace(',', ".");
    if text.is_empty() {
        return Ok(None);
    }
    let read = text.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
    read.map(Some).ok_or_else(|| Problem::field(field, "write a number such as 0.5"))
}

fn view(
    shell: Shell,
    note: Option<Note>,
    site: &SiteScores,
    other: Option<Choice>,
    budget: String,
    fixed: bool,
) -> LinesPage {
    let language = shell.language;
    let lines = site.lines;
    let of = |line: f32| f64::from(line);
    let mut marks = vec![("high", of(lines.single_high)), ("review", of(lines.single_review))];
    if let Some(Choice { high, review }) = other {
        marks.extend([("high other", of(high)), ("review other", of(review))]);
    }
    LinesPage {
        tab: "recognition",
        note,
        fixed,
        chosen: site.chosen,
        basis: basis(language, site),
        few: site.passages() < ENOUGH,
        chart: chart::draw(&site.scores, &site.pairs, &marks),
        now: told(language, site, of(lines.single_high), of(lines.single_review)),
        other: other.map(|other| told(language, site, of(other.high), of(other.review))),
        budget,
        guard: site.guard.map(|guard| guarded(language, &guard, lines.single_high)),
        shell,
    }
}

/// What look-alikes do to the lines: whom a person is always asked about, and for whom sure begins
/// later than at `high`.
fn guarded(language: Language, guard: &Guard, high: f32) -> String {
    let three = |line: f32| language.digits(&format!("{line:.3}"));
    let alike = language.two(
        "settings-rec-alike",
        ("count", guard.alike),
        ("highest", three(guard.highest).as_str()),
    );
    let raised = guard.near > 0 && guard.line > high;
    let near = raised.then(|| {
        let line = three(guard.line);
        language.two("settings-rec-near", ("count", guard.near), ("line", line.as_str()))
    });
    [Some(alike), near].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// What the figures rest on, in a sentence.
fn basis(language: Language, site: &SiteScores) -> String {
    let passages = site.passages();
    match (passages, site.measured) {
        (ENOUGH.., _) => language.one("settings-rec-own", "count", passages),
        (few, true) => {
            language.two("settings-rec-published", ("count", few), ("people", site.people))
        }
        (few, false) => language.one("settings-rec-nothing", "count", few),
    }
}

fn told(language: Language, site: &SiteScores, high: f64, review: f64) -> LinesTold {
    let own = scores::figures(&site.scores, high, review);
    let few = own.passages < ENOUGH;
    let wrong = match site.wrong(high, review) {
        Some(wrong) if few => language.one("settings-rec-about", "wrong", said(language, wrong)),
        Some(_) => interval(language, &own),
        None => language.say("settings-rec-unknown"),
    };
    let share = |share: f64| match own.passages {
        0 => language.say("settings-rec-unknown"),
        _ => said(language, share),
    };
    let three = |line: f64| format!("{line:.3}");
    let asked = share(own.asked);
    let unknown = share(own.unknown);
    LinesTold { high: three(high), review: three(review), wrong, asked, unknown }
}

fn interval(language: Language, own: &Figures) -> String {
    let mut args = FluentArgs::new();
    for (name, rate) in
        [("wrong", own.wrong.expected), ("low", own.wrong.low), ("high", own.wrong.high)]
    {
        args.set(name, said(language, rate));
    }
    language.tell("settings-rec-interval", &args)
}

/// A rate with as many digits as it deserves.
fn said(language: Language, rate: f64) -> String {
    let text = match rate {
        r if r <= 0.0 => "0".to_owned(),
        r if r < 0.01 => "< 0.01".to_owned(),
        r if r < 10.0 => format!("{r:.2}"),
        r => format!("{r:.0}"),
    };
    language.digits(&text)
}

async fn save(call: Call) -> Outcome {
    match saved(&call).await {
        Ok(key) => see(&format!("/settings/recognition?done={key}")),
        Err(problem) => show(&call, problem.status, Some(Note::problem(&problem))).await,
    }
}

/// Keeps the choice and makes the releases that follow, so that every door gets it.
async fn saved(call: &Call) -> Result<&'static str, Problem> {
    let new = match call.content.field("usual") {
        Some(_) => None,
        None => {
            let line = |name| {
                let line = number(call.field(name)?, name)?;
                line.ok_or_else(|| Problem::field(name, "this field is missing"))
            };
            Some(typed(line("high")?, line("review")?))
        }
    };
    call.app().recognition().choose(new, call.actor()?, call.now).await?;
    Ok(if new.is_some() { DONE[0] } else { DONE[1] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::scores::{Histogram, Scores};
    use vision::decide;

    fn site(right: u64, wrong: u64) -> SiteScores {
        let mut scores = Scores::default();
        scores.right.add(0.97, right);
        scores.wrong.add(0.955, wrong);
        SiteScores {
            scores,
            pairs: Histogram::default(),
            lines: decide::LINES,
            usual: decide::LINES,
            guard: None,
            people: 100,
            measured: true,
            chosen: false,
        }
    }

    #[test]
    fn with_few_decisions_the_published_figure_is_said_and_named() {
        let told = told(Language::English, &site(20, 1), 0.96, 0.94);
        assert!(told.wrong.contains("about"), "{}", told.wrong);
        assert!(basis(Language::English, &site(20, 1)).contains("published"));
        assert!(basis(Language::English, &site(299, 1)).contains("decided here"));
    }

    #[test]
    fn a_budget_finds_the_line_where_the_site_kept_it() {
        let asked = |budget: &str| LinesQuery { budget: budget.into(), ..LinesQuery::default() };
        let found = proposed(&site(990, 10), &asked("0")).unwrap().unwrap();
        assert!((found.high - 0.956).abs() < 1e-6, "{}", found.high);
        let loose = proposed(&site(990, 10), &asked("20")).unwrap().unwrap();
        assert!(loose.high <= 0.941, "{}", loose.high);
        assert!(proposed(&site(990, 10), &asked("x")).is_err());
        assert!(proposed(&site(1, 1), &LinesQuery::default()).unwrap().is_none());
    }

    #[test]
    fn whom_look_alikes_touch_is_said_with_their_numbers() {
        let guard = |near, line| Guard { alike: 2, near, highest: 0.975, line };
        let said =
            |guard| guarded(Language::English, &guard, 0.960).replace(['\u{2068}', '\u{2069}'], "");
        let far = said(guard(0, 0.980));
        assert!(far.contains("2 enrolled people") && far.contains("0.975"), "{far}");
        assert!(!far.contains("0.980"), "{far}");
        let near = said(guard(3, 0.980));
        assert!(near.contains("3 people near them") && near.contains("0.980"), "{near}");
        assert!(!said(guard(3, 0.960)).contains("near them"), "nothing is raised");
    }

    #[test]
    fn rates_are_said_with_the_digits_they_deserve() {
        let said = |rate| said(Language::English, rate);
        assert_eq!([0.0, 0.004, 0.13, 12.4].map(said), ["0", "< 0.01", "0.13", "12"]);
    }
}
