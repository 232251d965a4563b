//! `/api/classes`: classes and their rosters.

use acts::classes::{self, ClassChanges, ClassSettings, NewClass, PolicyKind};
use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{page, rows};
use http::reply::{created, nothing, versioned};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::Timestamp;
use jiff::civil::Date;
use rules::attendance::budget::{self, BudgetCount};
use rules::attendance::placing::Policy;
use rules::error::Error;
use serde::{Deserialize, Serialize};
use store::class::{self, Class, Suspension};
use store::{self, Tx};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use wire::Wall;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let some = "/api/classes";
    let one = "/api/classes/{id}";
    vec![
        Route::get(some).staff().asks::<ClassQuery>().gives::<Vec<ClassBody>>().by(index),
        Route::post(some).admin().takes::<ClassForm>().gives::<ClassBody>().created().by(add),
        Route::get(one).staff().of(Object::Class).gives::<ClassBody>().by(show),
        Route::put(one)
            .admin()
            .of(Object::Class)
            .takes::<ClassPatch>()
            .gives::<ClassBody>()
            .by(change),
        Route::patch(one)
            .admin()
            .of(Object::Class)
            .takes::<ClassPatch>()
            .gives::<ClassBody>()
            .by(change),
        Route::delete(one).admin().of(Object::Class).by(remove),
    ]
}

/// A class, as the API says it.
#[derive(Serialize, ToSchema)]
#[schema(as = ClassesClass)]
pub struct ClassBody {
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
    policy: ClassWord,
    /// With `auto`: at or above this confidence a sure match marks at once.
    auto_line: Option<f64>,
    /// With `auto`: wrong names per 1,000 passages that the school accepts for it.
    error_budget: Option<f64>,
    /// With `auto`: passages that were marked without a person, of the last 30 days and 200 at
    /// most.
    auto_passages: Option<u32>,
    /// Of those, the ones that a person corrected since.
    auto_errors: Option<u32>,
    suspended: Option<ClassSuspended>,
    version: i64,
}

/// Why a person decides again in a class that was `auto`. Setting `policy` to `auto` ends it.
#[derive(Serialize, ToSchema)]
#[schema(as = ClassSuspension)]
pub struct ClassSuspended {
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
pub enum ClassWord {
    /// A person decides all.
    Review,
    /// A sure match marks at once; never a look-alike, nor a poor look.
    Auto,
}

/// A new class.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewClass)]
pub struct ClassForm {
    #[serde(alias = "name")]
    class_name: String,
    #[serde(alias = "code")]
    class_code: String,
    #[serde(flatten)]
    rest: ClassSettingsBody,
}

/// What may change about a class; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = ClassChange)]
pub struct ClassPatch {
    /// What people call it.
    #[serde(alias = "name")]
    class_name: Option<String>,
    /// Unique in the school.
    #[serde(alias = "code")]
    class_code: Option<String>,
    /// Whether it still meets.
    is_active: Option<bool>,
    /// Everything else.
    #[serde(flatten)]
    rest: ClassSettingsBody,
    /// The version that was read, so that nobody’s change is overwritten.
    version: Option<i64>,
}

/// Everything else about a class.
#[derive(Deserialize, ToSchema)]
#[schema(as = ClassSettings)]
pub struct ClassSettingsBody {
    /// Where it usually is.
    room: Option<String>,
    /// Account of the teacher.
    teacher_id: Option<Uuid>,
    /// Or several.
    teacher_ids: Option<Vec<Uuid>>,
    /// Minutes after the start when people are not late yet; 10 if nobody said.
    #[schema(minimum = 0, maximum = 240)]
    grace_min: Option<i64>,
    /// How it treats what doors say.
    policy: Option<ClassWord>,
    /// Needed with `auto`.
    #[schema(minimum = 0.5, maximum = 1)]
    auto_line: Option<f64>,
    /// Needed with `auto`: nobody is marked by a machine alone before the school says how often
    /// it may be wrong.
    #[schema(minimum = 0, maximum = 1000)]
    error_budget: Option<f64>,
}

/// Which part of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ClassQuery {
    /// Own id of the last one of the page before.
    pub after: Option<Uuid>,
    /// How many.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

impl From<ClassWord> for PolicyKind {
    fn from(word: ClassWord) -> Self {
        match word {
            ClassWord::Review => Self::Review,
            ClassWord::Auto => Self::Auto,
        }
    }
}

impl From<ClassSettingsBody> for ClassSettings {
    fn from(typed: ClassSettingsBody) -> Self {
        let some = typed.teacher_ids;
        let teachers = match typed.teacher_id {
            Some(one) => Some(some.unwrap_or_default().into_iter().chain([one]).collect()),
            None => some,
        };
        let ClassSettingsBody { room, grace_min, auto_line, error_budget, .. } = typed;
        let policy = typed.policy.map(PolicyKind::from);
        Self { room, teachers, grace_min, policy, auto_line, error_budget }
    }
}

impl ClassBody {
    fn new(class: Class, teacher_ids: Vec<Uuid>, count: Option<BudgetCount>) -> Self {
        let (auto_line, error_budget) = match class.policy {
            Policy::Review => (None, None),
            Policy::Auto { line, budget } => (Some(line), Some(budget)),
        };
        let at_once = error_budget.is_some() && class.suspended.is_none();
        let policy = if at_once { ClassWord::Auto } else { ClassWord::Review };
        let suspended = class.suspended.zip(error_budget).map(ClassSuspended::from);
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

impl From<(Suspension, f64)> for ClassSuspended {
    fn from((why, budget): (Suspension, f64)) -> Self {
        let Suspension { at, count } = why;
        let since = Timestamp::from_millisecond(at.0).ok();
        let BudgetCount { passages, errors } = count;
        Self { since, passages, errors, reason: budget::reason(count, budget) }
    }
}

/// The class with its teachers and what was counted of it.
fn whole(tx: &Tx<'_>, class: Class, today: Date, now: Wall) -> Result<ClassBody, Error> {
    let teachers = class::teachers(tx, class.id, today)?;
    let count = store::budget::of(tx, &class, now)?;
    Ok(ClassBody::new(class, teachers, count))
}

async fn index(call: Call) -> Outcome {
    let which: ClassQuery = call.query()?;
    let reader = call.reader()?;
    let now = call.now;
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
    let ClassForm { class_name: name, class_code: code, rest } = call.json()?;
    let new = NewClass { name, code, rest: rest.into() };
    let reader = call.reader()?;
    let now = call.now;
    let shown = move |tx: &Tx<'_>, class| whole(tx, class, reader.today, now);
    let body = classes::add(&call.app().db, reader, new, shown, now).await?;
    created(&format!("/api/classes/{}", body.id), &body)
}

async fn show(call: Call) -> Outcome {
    let reader = call.reader()?;
    let name = call.param("id").to_owned();
    let now = call.now;
    let read = call.app().db.read(move |tx| {
        let class = class::find(tx, reader, &name)?;
        whole(tx, class, reader.today, now)
    });
    let class = read.await?;
    versioned(&class, class.version)
}

async fn change(call: Call) -> Outcome {
    let patch: ClassPatch = call.json()?;
    let version = call.version(patch.version)?;
    let ClassPatch { class_name: name, class_code: code, is_active, rest, .. } = patch;
    let class = call.param("id").to_owned();
    let rest = rest.into();
    let to = ClassChanges { class, name, code, is_active, rest, version };
    let db = &call.app().db;
    let zone = &call.app().config.zone;
    let reader = call.reader()?;
    let now = call.now;
    let shown = move |tx: &Tx<'_>, class| whole(tx, class, reader.today, now);
    let body = classes::change(db, zone, reader, to, shown, now).await?;
    versioned(&body, body.version)
}

async fn remove(call: Call) -> Outcome {
    let db = &call.app().db;
    let zone = &call.app().config.zone;
    let class = call.param("id").to_owned();
    let version = call.version(None)?;
    let over = Some(false);
    let to = ClassChanges { class, is_active: over, version, ..ClassChanges::default() };
    classes::change(db, zone, call.reader()?, to, |_, _| Ok(()), call.now).await?;
    nothing()
}
