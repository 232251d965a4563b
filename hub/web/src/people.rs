//! `/people`: who can be recognised, found by name, class and what is missing; and adding one.

mod bring;
mod faces;
mod forget;
mod person;

use super::shell::Shell;
use crate::shell::shell;
use acts::people::{self, PersonChanges, PersonKind as Works};
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::language;
use http::problem::Problem;
use http::reply::{page, see};
use http::route::Route;
use http::{problem::Outcome, takes::PHOTO};
use serde::Deserialize;
use store::class::{self, Class};
use store::student::{self, Student, StudentCounts, StudentFilter};
use uuid::Uuid;
use warp::http::StatusCode;
use wire::StudentId;
use words::language::Language;

/// People on a page.
const PER_PAGE: u32 = 50;

/// Routes of this page and those below it.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let at = "/people";
    [
        vec![
            Route::get(at).admin().page().by(index),
            Route::post(at).admin().parts(PHOTO).page().by(add),
        ],
        person::routes(),
        faces::routes(),
        forget::routes(),
        bring::routes(),
    ]
    .concat()
}

#[derive(Template)]
#[template(path = "people.html")]
struct PeoplePage {
    shell: Shell,
    counts: StudentCounts,
    known: String,
    note: Option<(bool, String)>,
    /// Whether the form for a new person is open.
    open: bool,
    typed: PeopleForm,
    asked: PeopleQuery,
    kinds: [PeopleKind; 5],
    classes: Vec<Class>,
    people: Vec<PeopleRow>,
    next: Option<String>,
}

/// A kind of people that can be listed alone.
struct PeopleKind {
    words: String,
    link: String,
    count: i64,
    here: bool,
}

/// A person in the list.
struct PeopleRow {
    id: Uuid,
    name: String,
    number: String,
    department: String,
    active: bool,
    enrolled: bool,
    consent: bool,
}

/// What was typed into the form for a new person, to be shown again if it will not do.
#[derive(Default)]
struct PeopleForm {
    number: String,
    name: String,
    consent_by: String,
    staff: bool,
}

/// Which people.
#[derive(Deserialize, Default)]
struct PeopleQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    class: String,
    #[serde(default)]
    state: String,
    after: Option<Uuid>,
}

impl PeopleQuery {
    /// Those people, of `class` if one is named.
    fn filter(&self, class: Option<Uuid>) -> Result<StudentFilter, Problem> {
        let (is_active, enrolled, agrees) = match self.state.as_str() {
            "known" => (true, Some(true), Some(true)),
            "new" => (true, Some(false), None),
            "asked" => (true, None, Some(false)),
            "left" => (false, None, None),
            "" => (true, None, None),
            _ => return Err(Problem::field("state", "say known, new, asked or left, or nothing")),
        };
        Ok(StudentFilter {
            is_active: Some(is_active),
            enrolled,
            agrees,
            search: Some(self.q.clone()).filter(|text| !text.trim().is_empty()),
            class,
            ..StudentFilter::default()
        })
    }

    /// Whether anything was asked for at all.
    fn is_narrow(&self) -> bool {
        !(self.q.trim().is_empty() && self.class.is_empty() && self.state.is_empty())
    }

    /// The address of this list in `state`, after `after`.
    fn link(&self, state: &str, after: Option<Uuid>) -> String {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let all =
            [("q", self.q.trim()), ("class", &self.class), ("state", state), ("after", &after)];
        let said: Vec<_> = all.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let query = serde_urlencoded::to_string(said).unwrap_or_default();
        if query.is_empty() { "/people".to_owned() } else { format!("/people?{query}") }
    }
}

/// The kinds, each with how many there are and where they are listed.
fn kinds(language: Language, counts: &StudentCounts, asked: &PeopleQuery) -> [PeopleKind; 5] {
    [
        ("", "people-kind-all", counts.active),
        ("known", "people-kind-known", counts.known),
        ("new", "people-kind-new", counts.not_enrolled),
        ("asked", "people-kind-asked", counts.no_consent),
        ("left", "people-kind-left", counts.inactive),
    ]
    .map(|(state, key, count)| PeopleKind {
        words: language.say(key),
        link: asked.link(state, None),
        count,
        here: asked.state == state,
    })
}

async fn index(call: Call) -> Outcome {
    let asked = call.query()?;
    show(&call, StatusCode::OK, asked, None, PeopleForm::default()).await
}

async fn show(
    call: &Call,
    status: StatusCode,
    mut asked: PeopleQuery,
    note: Option<(bool, String)>,
    typed: PeopleForm,
) -> Outcome {
    let class = found(call, &asked.class).await?;
    asked.class = class.map(|id| id.to_string()).unwrap_or_default();
    let filter = asked.filter(class)?;
    let after = asked.after.map(StudentId);
    let reader = call.reader()?;
    let read = call.app().db.read(move |tx| {
        let people = student::list(tx, &filter, after, PER_PAGE)?;
        Ok((people, student::counts(tx)?, class::list(tx, reader)?))
    });
    let (people, counts, classes) = read.await?;
    let shell = shell(call, "people");
    let last = people.last().filter(|_| people.len() == PER_PAGE as usize);
    let next = last.map(|last| asked.link(&asked.state, Some(last.id.0)));
    let view = PeoplePage {
        known: shell.two("people-known", "known", counts.known, "count", counts.active),
        kinds: kinds(shell.language, &counts, &asked),
        open: note.is_some() || counts.active + counts.inactive == 0,
        people: people.into_iter().map(row).collect(),
        shell,
        counts,
        note,
        typed,
        asked,
        classes,
        next,
    };
    page(status, &view)
}

/// The class of this id or code, if one is named.
async fn found(call: &Call, name: &str) -> Result<Option<Uuid>, Problem> {
    if name.is_empty() {
        return Ok(None);
    }
    let reader = call.reader()?;
    let name = name.to_owned();
    Ok(Some(call.app().db.read(move |tx| class::find(tx, reader, &name)).await?.id))
}

fn row(person: Student) -> PeopleRow {
    PeopleRow {
        id: person.id.0,
        name: person.profile.full_name(),
        number: person.profile.student_number,
        department: person.profile.details.department.unwrap_or_default(),
        active: person.is_active,
        enrolled: person.face_enrolled,
        consent: person.consent.unwrap_or(false),
    }
}

/// A new person, perhaps with a first photo. If only the photo will not do, the person stays in
/// the list and another photo can be added there.
async fn add(call: Call) -> Outcome {
    let language = language::of(&call.headers);
    match added(&call, language).await {
        Ok((id, None)) => see(&format!("/people/{}?done=added", id.0)),
        Ok((_, Some((good, words)))) => {
            let status = if good { StatusCode::CREATED } else { StatusCode::UNPROCESSABLE_ENTITY };
            show(&call, status, PeopleQuery::default(), Some((good, words)), PeopleForm::default())
                .await
        }
        Err(problem) => {
            let field = |name| call.content.field(name).unwrap_or_default().to_owned();
            let number = field("student_number");
            let name = field("full_name");
            let consent_by = field("consent_by");
            let staff = field("kind") == "staff";
            let typed = PeopleForm { number, name, consent_by, staff };
            show(
                &call,
                problem.status,
                PeopleQuery::default(),
                Some((false, problem.detail)),
                typed,
            )
            .await
        }
    }
}

/// The new person, and what became of the photo if there was one.
async fn added(
    call: &Call,
    language: Language,
) -> Result<(StudentId, Option<(bool, String)>), Problem> {
    let number = call.field("student_number")?;
    let name = call.field("full_name")?.to_owned();
    let staff = call.content.field("kind") == Some("staff");
    let new = PersonChanges {
        number: Some(number.to_owned()),
        full_name: Some(name.clone()),
        kind: Some(if staff { Works::Staff } else { Works::Student }),
        ..PersonChanges::default()
    };
    let photo = call.content.file("file").cloned();
    if photo.is_some() {
        call.field("consent_by")?;
    }
    let id = people::add(&call.app().db, new, call.name()?, call.now).await?.id;
    let Some(photo) = photo else { return Ok((id, None)) };
    let look = faces::enrol_photo(call, id, photo, "photo").await;
    let key = if look.good { "people-added-known" } else { "people-added-only" };
    let words = language.two(key, ("name", name), ("why", look.words));
    Ok((id, Some((look.good, words))))
}

/// The first letters of the first and the last word of a name, for where no picture is kept.
fn initials(name: &str) -> String {
    let letter = |word: &str| word.chars().find(|c| c.is_alphanumeric());
    let letters: Vec<char> = name.split_whitespace().filter_map(letter).collect();
    let ends = letters.first().into_iter().chain(letters.get(1..).and_then(<[char]>::last));
    // Nothing visible between them, but letters that join in some alphabets stay apart.
    ends.flat_map(|c| c.to_uppercase()).map(String::from).collect::<Vec<_>>().join("\u{200c}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_letters_whatever_the_name_is_made_of() {
        let plain = |name| initials(name).replace('\u{200c}', "");
        assert_eq!(plain("Ada King Lovelace"), "AL");
        assert_eq!(plain("pelé"), "P");
        assert_eq!(plain("\u{202e}<script> 😀 علی"), "Sع");
        assert_eq!(plain("😀 \u{200f}"), "");
    }

    #[test]
    fn a_list_is_asked_for_by_its_address_and_nothing_else() {
        let asked = |query: &str| serde_urlencoded::from_str::<PeopleQuery>(query).unwrap();
        assert_eq!(asked("q=&class=&state=").link("", None), "/people");
        let narrow = asked("q=Ada+L&state=new");
        assert_eq!(narrow.link("known", None), "/people?q=Ada+L&state=known");
        assert!(narrow.is_narrow() && !asked("q=+").is_narrow());
        let filter = narrow.filter(None).unwrap();
        assert_eq!((filter.is_active, filter.enrolled), (Some(true), Some(false)));
        assert_eq!(asked("state=left").filter(None).unwrap().is_active, Some(false));
        assert!(asked("state=rubbish").filter(None).is_err());
    }
}
