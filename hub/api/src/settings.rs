//! `/api/settings`: a teacher's profile, preferences and schedule.

use acts::own::{self, OwnChanges, OwnLesson, OwnSettings};
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::reply::versioned;
use http::route::Route;
use jiff::civil::{Date, Time};
use rules::auth::Role;
use rules::timetable::Period;
use serde::{Deserialize, Serialize};
use store::period::clock;
use utoipa::ToSchema;
use uuid::Uuid;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let at = "/api/settings";
    vec![
        Route::get(at).staff().gives::<OwnSettingsBody>().by(show),
        Route::patch(at).staff().takes::<OwnSettingsForm>().gives::<OwnSettingsBody>().by(change),
        Route::put(at)
            .staff()
            .takes::<OwnSettingsWhole>()
            .gives::<OwnSettingsBody>()
            .by(replace_all),
    ]
}

/// Everything a teacher sets.
#[derive(Serialize, ToSchema)]
#[schema(as = Settings)]
pub struct OwnSettingsBody {
    /// Who they are.
    pub profile: OwnProfileBody,
    /// Which mail goes out for their classes.
    pub preferences: Preferences,
    /// The lessons of the classes they teach.
    schedule: Vec<OwnLessonBody>,
    /// Counts changes of profile and preferences.
    version: i64,
}

/// Who they are.
#[derive(Serialize, ToSchema)]
#[schema(as = SettingsProfile)]
pub struct OwnProfileBody {
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

/// Which mail goes out for their classes, and to themselves.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[schema(as = SettingsPreferences)]
pub struct Preferences {
    /// About absences.
    pub mail_absence: bool,
    /// About low attendance.
    pub mail_low_attendance: bool,
    /// About doors, to themselves; only admins get it. Left out of what replaces all, it stays.
    pub mail_alerts: Option<bool>,
}

/// A weekly lesson of a class they teach.
#[derive(Serialize, ToSchema)]
#[schema(as = ScheduleLesson)]
pub struct OwnLessonBody {
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
    /// About doors, to themselves; only admins get it.
    pub mail_alerts: Option<bool>,
}

/// What changes; what is left out stays.
#[derive(Deserialize, ToSchema, Default)]
#[schema(as = SettingsChange)]
pub struct OwnSettingsForm {
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
pub struct OwnSettingsWhole {
    profile: TypedProfile,
    preferences: Preferences,
    /// All lessons of the classes they teach: those left out end.
    #[schema(max_items = 200)]
    schedule: Vec<TypedLesson>,
    /// The version that was read, so that no other change is overwritten.
    version: Option<i64>,
}

async fn show(call: Call) -> Outcome {
    let reader = call.reader()?;
    let settings =
        OwnSettingsBody::from(call.app().db.read(move |tx| own::settings(tx, reader)).await?);
    versioned(&settings, settings.version)
}

async fn change(call: Call) -> Outcome {
    let part: OwnSettingsForm = call.json()?;
    let version = call.version(part.version)?;
    changed(&call, OwnChanges { version, ..part.into() }).await
}

async fn replace_all(call: Call) -> Outcome {
    let OwnSettingsWhole { profile, preferences, schedule, version } = call.json()?;
    let emptied = |text: Option<String>| Some(text.unwrap_or_default());
    let all = OwnChanges {
        name: profile.full_name,
        phone: emptied(profile.phone),
        department: emptied(profile.department),
        mail_absence: Some(preferences.mail_absence),
        mail_low_attendance: Some(preferences.mail_low_attendance),
        mail_alerts: preferences.mail_alerts,
        language: None,
        schedule: Some(schedule.into_iter().map(OwnLesson::from).collect()),
        version: call.version(version)?,
    };
    changed(&call, all).await
}

async fn changed(call: &Call, to: OwnChanges) -> Outcome {
    let app = call.app();
    let zone = call.app().config.zone.clone();
    let settings = own::change(&app.db, call.reader()?, to, zone, call.now).await?;
    let settings = OwnSettingsBody::from(settings);
    versioned(&settings, settings.version)
}

impl From<OwnSettingsForm> for OwnChanges {
    fn from(OwnSettingsForm { profile, preferences, schedule, version }: OwnSettingsForm) -> Self {
        Self {
            name: profile.full_name,
            phone: profile.phone,
            department: profile.department,
            mail_absence: preferences.mail_absence,
            mail_low_attendance: preferences.mail_low_attendance,
            mail_alerts: preferences.mail_alerts,
            language: None,
            schedule: schedule.map(|all| all.into_iter().map(OwnLesson::from).collect()),
            version,
        }
    }
}

impl From<TypedLesson> for OwnLesson {
    fn from(typed: TypedLesson) -> Self {
        Self {
            id: typed.id,
            class: typed.class_id,
            weekday: typed.weekday,
            starts: typed.starts,
            ends: typed.ends,
            room: typed.room,
            from: typed.from_day,
            to: typed.to_day,
        }
    }
}

impl From<OwnSettings> for OwnSettingsBody {
    fn from(own: OwnSettings) -> Self {
        let account = own.person.account;
        let teacher_id = own.person.teacher_id;
        Self {
            profile: OwnProfileBody {
                id: account.id,
                email: account.email,
                full_name: account.name,
                role: account.role,
                teacher_id,
                phone: own.choices.phone,
                department: own.choices.department,
            },
            preferences: Preferences {
                mail_absence: own.mail.absence,
                mail_low_attendance: own.mail.low_attendance,
                mail_alerts: Some(own.mail.alerts),
            },
            schedule: own.schedule.into_iter().map(OwnLessonBody::from).collect(),
            version: own.version,
        }
    }
}

impl From<Period> for OwnLessonBody {
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
