//! `/api/classes`: classes and their rosters.

use super::attendance::reader;
use super::call::Call;
use super::page::{page, rows};
use super::problem::Problem;
use super::reply::{created, nothing, versioned};
use super::route::{ADMIN, Object, Outcome, Route, SMALL, STAFF, Shapes, Takes};
use crate::planning::maker::{Of, make};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rules::attendance::budget::{self, Count};
use rules::attendance::placing::Policy;
use rules::error::Error;
use serde::{Deserialize, Serialize};
use store::class::{self, Class, Suspension};
use store::desk::Reader;
use store::period::{self, Filter};
use store::{self, Tx};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use warp::http::Method;
use wire::Wall;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (some, one) = ("/api/classes", "/api/classes/{id}");
    let (class, body, nothing) = (Object::Class, Takes::Json(SMALL), Takes::Nothing);
    let (gives, list) = (Shapes::gives::<Body>(), Shapes::gives::<Vec<Body>>().asks::<Which>());
    let (new, both) = (Shapes::both::<Typed, Body>().created(), Shapes::both::<Patch, Body>());
    vec![
        Route::new((Method::GET, some), STAFF, Object::None, nothing, list, index),
        Route::new((Method::POST, some), ADMIN, Object::None, body, new, add),
        Route::new((Method::GET, one), STAFF, class, nothing, gives, show),
        Route::new((Method::PUT, one), ADMIN, class, body, both, change),
        Route::new((Method::PATCH, one), ADMIN, class, body, both, change),
        Route::new((Method::DELETE, one), ADMIN, class, nothing, Shapes::EMPTY, remove),
    ]
}

/// A class, as the API says it.
#[derive(Serialize, ToSchema)]
#[schema(as = Class)]
pub struct Body {
    id: Uuid,
    class_name: String,
    class_code: String,
    room: Option<String>,
    /// Accounts that teach it today.
    teacher_ids: Vec<Uuid>,
    is_active: bool,
    student_count: i64,
    /// Minutes after the start when people are not late yet.
    grace_min: i64,
    /// What holds now: `review` while `suspended` says why.
    policy: Word,
    /// With `auto`: at or above this confidence a sure match marks at once.
    auto_line: Option<f64>,
    /// With `auto`: wrong names per 1,000 passages that the school accepts for it.
    error_budget: Option<f64>,
    /// With `auto`: passages that were marked without a person, of the last 30 days and 200 at
    /// most.
    auto_passages: Option<u32>,
    /// Of those, the ones that a person corrected since.
    auto_errors: Option<u32>,
    suspended: Option<Suspended>,
    version: i64,
}

/// Why a person decides again in a class that was `auto`. Setting `policy` to `auto` ends it.
#[derive(Serialize, ToSchema)]
#[schema(as = ClassSuspension)]
pub struct Suspended {
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    passages: u32,
    errors: u32,
    reason: String,
}

/// How a class treats what doors say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ClassPolicy)]
pub enum Word {
    /// A person decides all.
    Review,
    /// A sure match marks at once; never a look-alike, nor a poor look.
    Auto,
}

/// A new class.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewClass)]
pub struct Typed {
    #[serde(alias = "name")]
    class_name: String,
    #[serde(alias = "code")]
    class_code: String,
    #[serde(flatten)]
    rest: Settings,
}

/// What may change about a class; what is left out stays.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = ClassChange)]
pub struct Patch {
    /// What people call it.
    #[serde(alias = "name")]
    pub class_name: Option<String>,
    /// Unique in the school.
    #[serde(alias = "code")]
    pub class_code: Option<String>,
    /// Whether it still meets.
    pub is_active: Option<bool>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Settings,
    /// The version that was read, so that nobody’s change is overwritten.
    pub version: Option<i64>,
}

/// Everything else about a class.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = ClassSettings)]
pub struct Settings {
    /// Where it usually is.
    pub room: Option<String>,
    /// Account of the teacher.
    pub teacher_id: Option<Uuid>,
    /// Or several.
    pub teacher_ids: Option<Vec<Uuid>>,
    /// Minutes after the start when people are not late yet; 10 if nobody said.
    #[schema(minimum = 0, maximum = 240)]
    pub grace_min: Option<i64>,
    /// How it treats what doors say.
    pub policy: Option<Word>,
    /// Needed with `auto`.
    #[schema(minimum = 0.5, maximum = 1)]
    pub auto_line: Option<f64>,
    /// Needed with `auto`: nobody is marked by a machine alone before the school says how often
    /// it may be wrong.
    #[schema(minimum = 0, maximum = 1000)]
    pub error_budget: Option<f64>,
}

/// Which part of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Own id of the last one of the page before.
    pub after: Option<Uuid>,
    /// How many.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

impl Settings {
    /// `old` with what was typed.
    fn over(&self, old: Class, now: Wall) -> Result<Class, Error> {
        let (line, budget) = match old.policy {
            Policy::Auto { line, budget } => (Some(line), Some(budget)),
            Policy::Review => (None, None),
        };
        let was = if line.is_some() { Word::Auto } else { Word::Review };
        let policy = match self.policy.unwrap_or(was) {
            Word::Review => Policy::Review,
            Word::Auto => {
                let stated = self.auto_line.or(line).zip(self.error_budget.or(budget));
                let (line, budget) = stated.ok_or_else(|| {
                    let say = "policy: “auto” needs an auto_line and an error_budget";
                    Error::Invalid(say.into())
                })?;
                Policy::Auto { line, budget }
            }
        };
        let (auto_since, suspended) = self.counting(&old, policy, now);
        let (room, grace_min) = (self.room.clone().or(old.room), self.grace_min);
        let grace_min = grace_min.unwrap_or(old.grace_min);
        Ok(Class { room, policy, grace_min, auto_since, suspended, ..old })
    }

    /// Since when wrong names count, and whether the class stays suspended. Whoever says `auto`
    /// switches it on again; what was seen under another line says nothing of the new one.
    fn counting(
        &self,
        old: &Class,
        policy: Policy,
        now: Wall,
    ) -> (Option<Wall>, Option<Suspension>) {
        let again = old.suspended.is_some() && self.policy == Some(Word::Auto);
        match (old.policy, policy) {
            (_, Policy::Review) => (None, None),
            (Policy::Review, _) => (Some(now), None),
            _ if again => (Some(now), None),
            (Policy::Auto { line: was, .. }, Policy::Auto { line, .. }) if was < line => {
                (Some(now), old.suspended)
            }
            _ => (old.auto_since, old.suspended),
        }
    }

    fn teachers(&self) -> Option<Vec<Uuid>> {
        let some = self.teacher_ids.clone();
        match self.teacher_id {
            Some(one) => Some(some.unwrap_or_default().into_iter().chain([one]).collect()),
            None => some,
        }
    }
}

impl Body {
    /// Which class it is.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    fn new(class: Class, teacher_ids: Vec<Uuid>, count: Option<Count>) -> Self {
        let (auto_line, error_budget) = match class.policy {
            Policy::Review => (None, None),
            Policy::Auto { line, budget } => (Some(line), Some(budget)),
        };
        let at_once = error_budget.is_some() && class.suspended.is_none();
        let policy = if at_once { Word::Auto } else { Word::Review };
        let suspended = class.suspended.zip(error_budget).map(Suspended::from);
        Self {
            id: class.id,
            class_name: class.class_name,
            class_code: class.class_code,
            room: class.room,
            teacher_ids,
            is_active: class.is_active,
            student_count: class.students,
            grace_min: class.grace_min,
            policy,
            auto_line,
            error_budget,
            auto_passages: count.map(|count| count.passages),
            auto_errors: count.map(|count| count.errors),
            suspended,
            version: class.version,
        }
    }
}

impl From<(Suspension, f64)> for Suspended {
    fn from((why, budget): (Suspension, f64)) -> Self {
        let Suspension { at, count } = why;
        let since = Timestamp::from_millisecond(at.0).ok();
        let Count { passages, errors } = count;
        Self { since, passages, errors, reason: budget::reason(count, budget) }
    }
}

fn whole(tx: &Tx<'_>, class: Class, today: Date, now: Wall) -> Result<Body, Error> {
    let teachers = class::teachers(tx, class.id, today)?;
    let count = store::budget::of(tx, &class, now)?;
    Ok(Body::new(class, teachers, count))
}

async fn index(call: Call) -> Outcome {
    let (which, reader, now): (Which, _, _) = (call.query()?, reader(&call)?, call.now);
    let limit = rows(which.limit);
    let read = call.app().db.read(move |tx| {
        let classes = class::page(tx, reader, which.after, limit)?;
        let all = classes.into_iter().map(|class| whole(tx, class, reader.today, now));
        all.collect::<Result<Vec<_>, _>>()
    });
    let all = read.await?;
    let last = all.last().map(|class| class.id.to_string());
    page(&call, &all, limit, last)
}

async fn add(call: Call) -> Outcome {
    let (typed, reader, now): (Typed, _, _) = (call.json()?, reader(&call)?, call.now);
    let actor = reader.actor.user.to_string();
    let write = call.app().db.write(move |tx| {
        let words = (typed.class_name.as_str(), typed.class_code.as_str(), None);
        let id = class::add(tx, words, &actor, now)?;
        let class = class::find(tx, reader, &id.to_string())?;
        class::change(tx, &typed.rest.over(class, now)?, &actor, now)?;
        for teacher in typed.rest.teachers().unwrap_or_default() {
            class::add_teacher(tx, id, teacher, reader.today, &actor, now)?;
        }
        whole(tx, class::find(tx, reader, &id.to_string())?, reader.today, now)
    });
    let body = write.await?;
    created(&format!("/api/classes/{}", body.id), &body)
}

async fn show(call: Call) -> Outcome {
    let (reader, name, now) = (reader(&call)?, call.param("id").to_owned(), call.now);
    let read = call.app().db.read(move |tx| {
        let class = class::find(tx, reader, &name)?;
        whole(tx, class, reader.today, now)
    });
    let class = read.await?;
    versioned(&class, class.version)
}

async fn change(call: Call) -> Outcome {
    let class = changed(&call, call.json()?).await?;
    versioned(&class, class.version)
}

/// Changes the class that the address names.
///
/// # Errors
/// 404; 409 when the code is taken or somebody was faster; 422 naming a field.
pub async fn changed(call: &Call, patch: Patch) -> Result<Body, Problem> {
    let (reader, now) = (reader(call)?, call.now);
    let (name, zone) = (call.param("id").to_owned(), call.app().config.zone.clone());
    let version = call.version(patch.version)?;
    let write = call.app().db.write(move |tx| {
        let (old, actor) = (class::find(tx, reader, &name)?, reader.actor.user.to_string());
        if version.is_some_and(|version| version != old.version) {
            return Err(Error::Conflict("this class was changed meanwhile: look again".into()));
        }
        let (id, was_active) = (old.id.to_string(), old.is_active);
        let new = patch.rest.over(
            Class {
                class_name: patch.class_name.unwrap_or_else(|| old.class_name.clone()),
                class_code: patch.class_code.unwrap_or_else(|| old.class_code.clone()),
                is_active: patch.is_active.unwrap_or(old.is_active),
                ..old
            },
            now,
        )?;
        class::change(tx, &new, &actor, now)?;
        if let Some(teachers) = patch.rest.teachers() {
            class::set_teachers(tx, new.id, &teachers, reader.today, &actor, now)?;
        }
        if new.is_active != was_active {
            remake(tx, reader, new.id, (&zone, now))?;
        }
        whole(tx, class::find(tx, reader, &id)?, reader.today, now)
    });
    Ok(write.await?)
}

/// Takes a class out of every list; its lessons that lie ahead go, what took place stays.
async fn remove(call: Call) -> Outcome {
    let (reader, name, now) = (reader(&call)?, call.param("id").to_owned(), call.now);
    let zone = call.app().config.zone.clone();
    let write = call.app().db.write(move |tx| {
        let old = class::find(tx, reader, &name)?;
        let (id, actor) = (old.id, reader.actor.user.to_string());
        class::change(tx, &Class { is_active: false, ..old }, &actor, now)?;
        remake(tx, reader, id, (&zone, now))
    });
    write.await?;
    nothing()
}

/// Makes the lessons of a class anew from its periods.
fn remake(
    tx: &Tx<'_>,
    reader: Reader,
    class: Uuid,
    (zone, now): (&TimeZone, Wall),
) -> Result<(), Error> {
    let filter = Filter { class: Some(class), limit: 1000, ..Filter::default() };
    for period in period::list(tx, reader, &filter)? {
        make(tx, Of::Period(period.id), zone, now)?;
    }
    Ok(())
}
