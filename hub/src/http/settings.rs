//! `/api/settings`: a teacher's profile, preferences and schedule.

use super::attendance::reader;
use super::call::Call;
use super::problem::Problem;
use super::reply::versioned;
use super::route::{Object, Outcome, Route, SMALL, STAFF, Shapes, Takes};
use crate::planning::booking;
use crate::planning::maker::{Of, make};
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use rules::auth::{Actor, Role};
use rules::error::Error;
use rules::timetable::Period;
use rules::timetable::own::{Replaced, replace};
use serde::{Deserialize, Serialize};
use store::desk::Reader;
use store::period::{self, Filter, clock};
use store::preference::{self, Choices, Mail};
use store::{Tx, class, people};
use utoipa::ToSchema;
use uuid::Uuid;
use warp::http::Method;
use wire::Wall;

/// Lessons of one teacher in a week at most.
const LESSONS: usize = 200;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (at, own, body) = ("/api/settings", Object::None, Takes::Json(SMALL));
    let (gives, whole) = (Shapes::gives::<Settings>(), Shapes::both::<Whole, Settings>());
    let part = Shapes::both::<Part, Settings>();
    vec![
        Route::new((Method::GET, at), STAFF, own, Takes::Nothing, gives, show),
        Route::new((Method::PATCH, at), STAFF, own, body, part, change),
        Route::new((Method::PUT, at), STAFF, own, body, whole, replace_all),
    ]
}

/// Everything a teacher sets.
#[derive(Serialize, ToSchema)]
pub struct Settings {
    /// Who they are.
    pub profile: Profile,
    /// Which mail goes out for their classes.
    pub preferences: Preferences,
    /// The lessons of the classes they teach.
    schedule: Vec<Lesson>,
    /// Counts changes of profile and preferences.
    version: i64,
}

/// Who they are.
#[derive(Serialize, ToSchema)]
#[schema(as = SettingsProfile)]
pub struct Profile {
    id: Uuid,
    email: String,
    full_name: String,
    role: Role,
    /// The school's number of them.
    pub teacher_id: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// Department or faculty.
    pub department: Option<String>,
}

/// Which mail goes out for their classes.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[schema(as = SettingsPreferences)]
pub struct Preferences {
    /// About absences.
    pub mail_absence: bool,
    /// About low attendance.
    pub mail_low_attendance: bool,
}

/// A weekly lesson of a class they teach.
#[derive(Serialize, ToSchema)]
#[schema(as = ScheduleLesson)]
pub struct Lesson {
    id: Uuid,
    class_id: Uuid,
    /// 1 is Monday.
    weekday: i8,
    /// Local time, `08:45`.
    starts: String,
    ends: String,
    room: String,
    #[schema(value_type = String, format = Date)]
    from_day: Date,
    /// The last day, inclusive; null until further notice.
    #[schema(value_type = Option<String>, format = Date)]
    to_day: Option<Date>,
}

/// A weekly lesson as typed. One with the id of a lesson that is there changes that one.
#[derive(Deserialize, ToSchema)]
#[schema(as = ScheduleLessonTyped)]
pub struct TypedLesson {
    id: Option<Uuid>,
    /// Own id or code of a class they teach.
    class_id: String,
    /// 1 is Monday.
    #[schema(minimum = 1, maximum = 7)]
    weekday: i8,
    #[schema(value_type = String, example = "08:45")]
    starts: Time,
    #[schema(value_type = String, example = "09:30")]
    ends: Time,
    /// The class's usual room if it is left out.
    room: Option<String>,
    /// Today if it is left out.
    #[schema(value_type = Option<String>, format = Date)]
    from_day: Option<Date>,
    #[schema(value_type = Option<String>, format = Date)]
    to_day: Option<Date>,
}

/// What they may say about themselves.
#[derive(Deserialize, ToSchema, Default)]
#[schema(as = SettingsProfileTyped)]
pub struct TypedProfile {
    /// What pages call them.
    pub full_name: Option<String>,
    /// Empty takes it away.
    pub phone: Option<String>,
    /// Empty takes it away.
    pub department: Option<String>,
}

/// Some of the preferences.
#[derive(Deserialize, ToSchema, Default)]
#[schema(as = SettingsPreferencesTyped)]
pub struct TypedPreferences {
    /// About absences.
    pub mail_absence: Option<bool>,
    /// About low attendance.
    pub mail_low_attendance: Option<bool>,
}

/// What changes; what is left out stays.
#[derive(Deserialize, ToSchema, Default)]
#[schema(as = SettingsChange)]
pub struct Part {
    /// Who they are.
    #[serde(default)]
    pub profile: TypedProfile,
    /// Which mail goes out for their classes.
    #[serde(default)]
    pub preferences: TypedPreferences,
    /// All lessons of the classes they teach: those left out end.
    #[schema(max_items = 200)]
    pub schedule: Option<Vec<TypedLesson>>,
    /// The version that was read, so that no other change is overwritten.
    pub version: Option<i64>,
}

/// Everything at once.
#[derive(Deserialize, ToSchema)]
#[schema(as = SettingsWhole)]
pub struct Whole {
    profile: TypedProfile,
    preferences: Preferences,
    /// All lessons of the classes they teach: those left out end.
    #[schema(max_items = 200)]
    schedule: Vec<TypedLesson>,
    /// The version that was read, so that no other change is overwritten.
    version: Option<i64>,
}

async fn show(call: Call) -> Outcome {
    let settings = get(&call).await?;
    versioned(&settings, settings.version)
}

/// What the caller sets.
///
/// # Errors
/// When the database fails.
pub async fn get(call: &Call) -> Result<Settings, Problem> {
    let reader = own(call)?;
    Ok(call.app().db.read(move |tx| settings(tx, reader)).await?)
}

async fn change(call: Call) -> Outcome {
    let part: Part = call.json()?;
    let settings = changed(&call, part).await?;
    versioned(&settings, settings.version)
}

async fn replace_all(call: Call) -> Outcome {
    let Whole { profile, preferences, schedule, version } = call.json()?;
    let emptied = |text: Option<String>| Some(text.unwrap_or_default());
    let profile = TypedProfile {
        full_name: profile.full_name,
        phone: emptied(profile.phone),
        department: emptied(profile.department),
    };
    let preferences = TypedPreferences {
        mail_absence: Some(preferences.mail_absence),
        mail_low_attendance: Some(preferences.mail_low_attendance),
    };
    let part = Part { profile, preferences, schedule: Some(schedule), version };
    let settings = changed(&call, part).await?;
    versioned(&settings, settings.version)
}

/// The caller as a teacher: an admin's own schedule is that of the classes they teach, too.
fn own(call: &Call) -> Result<Reader, Problem> {
    let reader = reader(call)?;
    Ok(Reader { actor: Actor { role: Role::Teacher, ..reader.actor }, ..reader })
}

/// Changes what the caller sets.
///
/// # Errors
/// 422 for what cannot be, 409 when it was changed meanwhile.
pub async fn changed(call: &Call, part: Part) -> Result<Settings, Problem> {
    let (reader, now, zone) = (own(call)?, call.now, call.app().config.zone.clone());
    let version = call.version(part.version)?;
    let write = call.app().db.write(move |tx| {
        let id = reader.actor.user;
        let (old, _) = preference::get(tx, id)?;
        preference::put(tx, id, &part.profile.over(old), version, now)?;
        if let Some(name) = part.profile.full_name {
            let person = people::find(tx, &id.to_string())?;
            let profile = people::Profile { name, ..person.profile() };
            people::change(tx, id, profile, None, &id.to_string(), now)?;
        }
        let mail = preference::mail(tx, id)?;
        let TypedPreferences { mail_absence, mail_low_attendance } = part.preferences;
        let mail = Mail {
            absence: mail_absence.unwrap_or(mail.absence),
            low_attendance: mail_low_attendance.unwrap_or(mail.low_attendance),
        };
        preference::set_mail(tx, id, mail)?;
        if let Some(lessons) = part.schedule {
            reschedule(tx, reader, lessons, &zone, now)?;
        }
        settings(tx, reader)
    });
    Ok(write.await?)
}

impl TypedProfile {
    fn over(&self, old: Choices) -> Choices {
        let chosen = |new: &Option<String>, old: Option<String>| match new.as_deref() {
            None => old,
            Some(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        };
        Choices {
            phone: chosen(&self.phone, old.phone),
            department: chosen(&self.department, old.department),
        }
    }
}

fn settings(tx: &Tx<'_>, reader: Reader) -> Result<Settings, Error> {
    let id = reader.actor.user;
    let person = people::find(tx, &id.to_string())?;
    let (Choices { phone, department }, version) = preference::get(tx, id)?;
    let mail = preference::mail(tx, id)?;
    let (account, teacher_id) = (person.account, person.teacher_id);
    let (email, full_name, role) = (account.email, account.name, account.role);
    Ok(Settings {
        profile: Profile { id, email, full_name, role, teacher_id, phone, department },
        preferences: Preferences {
            mail_absence: mail.absence,
            mail_low_attendance: mail.low_attendance,
        },
        schedule: there(tx, reader)?.into_iter().map(Lesson::from).collect(),
        version,
    })
}

impl From<Period> for Lesson {
    fn from(period: Period) -> Self {
        Self {
            id: period.id,
            class_id: period.class,
            weekday: period.weekday.to_monday_one_offset(),
            starts: clock(period.starts),
            ends: clock(period.ends),
            room: period.room,
            from_day: period.from,
            to_day: period.to,
        }
    }
}

/// The lessons of the classes they teach that are not over for ever.
fn there(tx: &Tx<'_>, reader: Reader) -> Result<Vec<Period>, Error> {
    let limit = u32::try_from(LESSONS).unwrap_or(u32::MAX);
    let filter = Filter { class: None, room: None, after: None, limit };
    let mut periods = period::list(tx, reader, &filter)?;
    periods.retain(|period| period.to.is_none_or(|to| to >= reader.today));
    periods.sort_by_key(|p| (p.weekday.to_monday_one_offset(), p.starts, p.id));
    Ok(periods)
}

/// Makes the lessons of their classes those that were typed, by the timetable's rules.
fn reschedule(
    tx: &Tx<'_>,
    reader: Reader,
    typed: Vec<TypedLesson>,
    zone: &TimeZone,
    now: Wall,
) -> Result<(), Error> {
    if typed.len() > LESSONS {
        return Err(Error::Invalid(format!("schedule: at most {LESSONS} lessons")));
    }
    let there = there(tx, reader)?;
    let wanted = typed.into_iter().map(|typed| wanted(tx, reader, typed, now));
    let Replaced { remove, put } = replace(&there, wanted.collect::<Result<_, _>>()?);
    let actor = reader.actor.user.to_string();
    for id in remove {
        period::remove(tx, id, reader.today, &actor, now)?;
    }
    for period in put {
        let id = period.id;
        booking::weekly(tx, &period, now, zone)?;
        period::put(tx, &Period { version: period.version.max(1), ..period }, &actor, now)?;
        make(tx, Of::Period(id), zone, now)?;
    }
    Ok(())
}

fn wanted(tx: &Tx<'_>, reader: Reader, typed: TypedLesson, now: Wall) -> Result<Period, Error> {
    let class = class::find(tx, reader, &typed.class_id).map_err(|error| match error {
        Error::NotFound(_) => Error::Invalid("schedule: class_id: you teach no such class".into()),
        other => other,
    })?;
    let weekday = Weekday::from_monday_one_offset(typed.weekday)
        .map_err(|_| Error::Invalid("schedule: weekday: 1 is Monday and 7 is Sunday".into()))?;
    let known = typed.id.map(|id| period::find(tx, reader, id)).transpose();
    let known =
        known.map_err(|_| Error::Invalid("schedule: id: there is no such lesson".into()))?;
    // A lesson does not go over to another class: the old one ends, and a new one begins.
    let known = known.filter(|period| period.class == class.id);
    let usual = known.as_ref().map(|period| (period.id, period.from));
    let (id, from) = usual.unwrap_or((wire::id::v7(now), reader.today));
    Ok(Period {
        id,
        class: class.id,
        weekday,
        starts: typed.starts,
        ends: typed.ends,
        room: typed.room.or(class.room).unwrap_or_default().trim().to_owned(),
        from: typed.from_day.unwrap_or(from),
        to: typed.to_day,
        version: 0,
    })
}
