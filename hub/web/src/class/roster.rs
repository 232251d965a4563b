//! `/class/{id}`: who is in a class, who teaches it, and how it treats what doors say.

use super::policy::{self, PolicyRules};
use crate::note::Note;
use crate::settings::users::{some, teaching};
use crate::shell::Shell;
use crate::shell::shell;
use acts::roster::{self as entering, EnrolledFace, Entering, Membership, Strangers};
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Problem;
use http::reply::{page, see};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rules::auth::Role;
use rules::error::Error;
use rules::reports::Sums;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use store::accounts::{self, AccountFilter};
use store::class::{self, Class, Member};
use store::member::{self, MemberCounts};
use store::student::Student;
use store::teaches::{self, Teacher};
use store::{Tx, budget};
use store::{desk, reader::Reader};
use uuid::Uuid;
use warp::http::StatusCode;
use wire::StudentId;
use words::language::{Language, Said as _};

/// People that a search names.
const FOUND: u32 = 8;
/// Lines that are taken at once.
const LINES: usize = 1_000;
/// Teachers to choose from.
const STAFF_MOST: u32 = 500;
const DONE: [&str; 9] = [
    "class-made",
    "class-saved",
    "class-entered",
    "class-left",
    "class-taught",
    "class-over",
    "class-again",
    "class-verified",
    "class-unverified",
];

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let one = "/class/{id}";
    vec![
        Route::get(one).staff().of(Object::Class).page().by(index),
        Route::post(one).admin().of(Object::Class).form().page().by(save),
        Route::post("/class/{id}/people").admin().of(Object::Class).form().page().by(enter),
        Route::post("/class/{id}/leave").admin().of(Object::Class).form().page().by(take_out),
        Route::post("/class/{id}/verify").staff().of(Object::Class).form().page().by(verify),
        Route::post("/class/{id}/teaches").admin().of(Object::Class).form().page().by(teach_it),
    ]
}

#[derive(Template)]
#[template(path = "class-roster.html")]
struct RosterPage {
    shell: Shell,
    note: Option<Note>,
    class: Class,
    rules: PolicyRules,
    /// What became of the numbers that were typed.
    lines: Vec<RosterLine>,
    /// What was searched for, and who was found.
    asked: String,
    found: Vec<RosterFound>,
    members: Vec<RosterPerson>,
    teachers: Vec<Teacher>,
    /// Accounts that may teach it.
    staff: Vec<(Uuid, String)>,
    today: Date,
}

/// Somebody found, and whether they are in the class already.
struct RosterFound {
    person: desk::PersonSeen,
    there: bool,
}

/// Somebody of the class, and what they were marked so far.
struct RosterPerson {
    member: Member,
    marks: String,
    last: Option<String>,
}

/// What became of a line.
#[derive(PartialEq, Eq, Debug)]
struct RosterLine {
    n: usize,
    number: String,
    name: String,
    outcome: RosterBecame,
}

/// What became of a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum RosterBecame {
    Entered,
    There,
    Unknown,
}

impl RosterBecame {
    /// The colour of its tag, and the text's key.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Entered => ("good", "class-line-entered"),
            Self::There => ("off", "class-line-there"),
            Self::Unknown => ("bad", "class-line-unknown"),
        }
    }
}

#[derive(Deserialize, Default)]
struct RosterQuery {
    q: Option<String>,
}

async fn index(call: Call) -> Outcome {
    show(&call, StatusCode::OK, Note::done(&call, &DONE), Vec::new()).await
}

async fn show(
    call: &Call,
    status: StatusCode,
    note: Option<Note>,
    lines: Vec<RosterLine>,
) -> Outcome {
    let asked: RosterQuery = call.query()?;
    let reader = call.reader()?;
    let now = call.now;
    let name = call.param("id").to_owned();
    let asked = asked.q.unwrap_or_default();
    let text = asked.trim().to_owned();
    let shell = shell(call, "class");
    let admin = shell.is_admin();
    let read = call.app().db.read(move |tx| {
        let class = class::find(tx, reader, &name)?;
        let count = budget::of(tx, &class, now)?;
        let members = class::members(tx, class.id)?;
        let counts = member::counts(tx, class.id)?;
        let teachers = teaches::teachers(tx, class.id, reader.today)?;
        let (found, staff) = match admin {
            true => (found(tx, reader, &text, &members)?, staff(tx)?),
            false => (Vec::new(), Vec::new()),
        };
        Ok((class, count, (members, counts), teachers, found, staff))
    });
    let (class, count, members, teachers, found, staff) = read.await?;
    let rules = PolicyRules::new(shell.language, &class, count, now);
    let today = reader.today;
    let zone = &call.app().config.zone;
    let members = with_marks(members.0, members.1, shell.language, zone);
    let view = RosterPage {
        shell,
        note,
        class,
        rules,
        lines,
        asked,
        found,
        members,
        teachers,
        staff,
        today,
    };
    page(status, &view)
}

fn found(
    tx: &Tx<'_>,
    reader: Reader,
    text: &str,
    members: &[Member],
) -> Result<Vec<RosterFound>, Error> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let there: HashSet<_> = members.iter().map(|member| member.student).collect();
    let found = desk::named(tx, reader, text, FOUND)?.into_iter();
    Ok(found.map(|person| RosterFound { there: there.contains(&person.student), person }).collect())
}

fn staff(tx: &Tx<'_>) -> Result<Vec<(Uuid, String)>, Error> {
    let roles = vec![Role::Teacher, Role::Admin];
    let all =
        accounts::list(tx, &AccountFilter { roles, is_active: Some(true) }, None, STAFF_MOST)?;
    let mut all: Vec<_> = all.into_iter().map(|one| (one.account.id, one.account.name)).collect();
    all.sort_by(|(_, a), (_, b)| a.cmp(b));
    Ok(all)
}

/// Puts one person whom the search found, or everybody whose number was typed, into the class.
async fn enter(call: Call) -> Outcome {
    let one = some(&call, "student");
    let typed = some(&call, "numbers");
    let asked: Vec<String> = match (&one, typed) {
        (Some(one), _) => vec![one.clone()],
        (None, Some(typed)) => numbers(&typed),
        (None, None) => Vec::new(),
    };
    match entered(&call, asked).await {
        Ok((class, _)) if one.is_some() => {
            let q = some(&call, "q").unwrap_or_default();
            let query = serde_urlencoded::to_string([("q", q.as_str()), ("done", DONE[2])]);
            see(&format!("/class/{class}?{}#add", query.unwrap_or_default()))
        }
        Ok((_, lines)) => show(&call, StatusCode::OK, None, lines).await,
        Err(problem) => refused(&call, &problem).await,
    }
}

async fn refused(call: &Call, problem: &Problem) -> Outcome {
    show(call, problem.status, Some(Note::problem(problem)), Vec::new()).await
}

/// The first cell of each line that has one: a column pasted from a table, with or without more.
fn numbers(typed: &str) -> Vec<String> {
    let cells = typed.lines().map(|line| line.split('\t').next().unwrap_or_default().trim());
    cells.filter(|number| !number.is_empty()).map(str::to_owned).collect()
}

async fn entered(call: &Call, asked: Vec<String>) -> Result<(Uuid, Vec<RosterLine>), Problem> {
    if asked.is_empty() || asked.len() > LINES {
        let say = format!("numbers: write 1 to {LINES}, one in each line");
        return Err(Error::Invalid(say).into());
    }
    let class = call.param("id").to_owned();
    let strangers = Strangers::Tell;
    let who = Entering { class, students: asked, strangers };
    let people = call.app().people();
    let shown = |_: &Tx<'_>, class, became| Ok((class, became));
    let (class, became) = people.enter(call.reader()?, who, shown, call.now).await?;
    Ok((class, became.into_iter().enumerate().map(|(n, became)| line(n + 1, became)).collect()))
}

fn line(n: usize, became: entering::Became) -> RosterLine {
    let (outcome, Student { profile, .. }) = match became {
        entering::Became::Entered(student) => (RosterBecame::Entered, student),
        entering::Became::There(student) => (RosterBecame::There, student),
        entering::Became::Unknown(number) => {
            return RosterLine { n, number, name: String::new(), outcome: RosterBecame::Unknown };
        }
    };
    RosterLine { n, name: profile.full_name(), number: profile.student_number, outcome }
}

/// The members with their marks; days as the reader's language writes them.
fn with_marks(
    members: Vec<Member>,
    mut counts: HashMap<StudentId, MemberCounts>,
    language: Language,
    zone: &TimeZone,
) -> Vec<RosterPerson> {
    let person = |member: Member| {
        let counts = counts.remove(&member.student).unwrap_or_default();
        let last =
            counts.last.map(|at| language.digits(&rules::timetable::day(at, zone).to_string()));
        RosterPerson { member, marks: marks(language, counts), last }
    };
    members.into_iter().map(person).collect()
}

/// How often somebody was there, late and away, in a sentence.
fn marks(language: Language, counts: MemberCounts) -> String {
    let Sums { present, late, absent } = counts.sums;
    let gaps = [("present", present), ("late", late), ("absent", absent)];
    let gaps = gaps.into_iter().map(|(name, many)| (name.to_owned(), many.value()));
    language.tell("class-marks-so-far", &gaps.collect())
}

async fn verify(call: Call) -> Outcome {
    let (yes, no) = (some(&call, "student"), some(&call, "take_back"));
    let (face, done) = match yes.is_some() {
        true => (EnrolledFace::Own, "class-verified"),
        false => (EnrolledFace::Unsaid, "class-unverified"),
    };
    let verified = async {
        let db = &call.app().db;
        let whose = named(&call, yes.or(no))?;
        let shown = |_: &Tx<'_>, class, _| Ok(class);
        Ok::<_, Problem>(entering::verify(db, call.reader()?, whose, face, shown, call.now).await?)
    };
    match verified.await {
        Ok(class) => see(&at(class, done)),
        Err(problem) => refused(&call, &problem).await,
    }
}

async fn take_out(call: Call) -> Outcome {
    let left = async {
        let who = named(&call, some(&call, "student"))?;
        Ok::<_, Problem>(call.app().people().leave(call.reader()?, who, call.now).await?)
    };
    match left.await {
        Ok(class) => see(&at(class, "class-left")),
        Err(problem) => refused(&call, &problem).await,
    }
}

/// The class that the address names, and the student of whom a button was pressed.
fn named(call: &Call, student: Option<String>) -> Result<Membership, Error> {
    let student = student.filter(|id| id.parse::<StudentId>().is_ok());
    let odd = || Error::Invalid("student: use the buttons of the page".into());
    Ok(Membership { class: call.param("id").to_owned(), student: student.ok_or_else(odd)? })
}

fn at(class: Uuid, done: &str) -> String {
    format!("/class/{class}?done={done}")
}

async fn teach_it(call: Call) -> Outcome {
    let stop = some(&call, "stop");
    let ends = stop.is_some();
    let account = stop.or_else(|| some(&call, "account")).unwrap_or_default();
    match teaching(&call, account, call.param("id").to_owned(), ends).await {
        Ok((_, class)) => see(&at(class, "class-taught")),
        Err(problem) => refused(&call, &problem).await,
    }
}

async fn save(call: Call) -> Outcome {
    match policy::saved(&call).await {
        Ok((class, done)) => see(&at(class, done)),
        Err(problem) => refused(&call, &problem).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_column_is_read_line_by_line() {
        let pasted = " S01 \tAda Lovelace\r\n\r\nS02\n\t\nS 03\tx\ty\n";
        assert_eq!(numbers(pasted), ["S01", "S02", "S 03"]);
        assert!(numbers(" \n\t\n").is_empty());
    }
}
