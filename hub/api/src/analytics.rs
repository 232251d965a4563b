//! `/api/analytics`: attendance over days, months and classes, in the JSON of S4.
//!
//! A percentage is that of the marks `present` among `present`, `absent` and `late`, rounded to
//! two decimals. Excused, unverified and undecided marks are in none.

use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::problem::Problem;
use http::reply::json;
use http::route::Route;
use jiff::civil::Date;
use rules::reports::analytics::{self, Subject};
use rules::reports::forwards;
use serde::{Deserialize, Serialize};
use store::{class, report};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::get("/api/analytics/attendance-trend")
            .staff()
            .asks::<AnalyticsSpan>()
            .gives::<Trend>()
            .by(trend),
        Route::get("/api/analytics/monthly-summary")
            .staff()
            .asks::<AnalyticsQuery>()
            .gives::<Months>()
            .by(months),
        Route::get("/api/analytics/class-risk").staff().gives::<Risks>().by(class_risk),
        Route::get("/api/analytics/global").staff().gives::<Global>().by(global),
    ]
}

/// Which class, from when to when.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
struct AnalyticsSpan {
    /// Own id or code of the class.
    #[serde(alias = "class_id")]
    class_id: String,
    /// First day.
    #[serde(alias = "date_from")]
    #[param(value_type = String, format = Date)]
    date_from: Date,
    /// Last day.
    #[serde(alias = "date_to")]
    #[param(value_type = String, format = Date)]
    date_to: Date,
}

/// Which class.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
struct AnalyticsQuery {
    /// Own id or code of one class; without it all that the caller may see.
    #[serde(alias = "class_id")]
    class_id: Option<String>,
}

/// One class, day by day.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Trend {
    class_id: Uuid,
    #[schema(value_type = String, format = Date)]
    date_from: Date,
    #[schema(value_type = String, format = Date)]
    date_to: Date,
    data: Vec<AnalyticsDay>,
}

/// One day of a class.
#[derive(Serialize, ToSchema)]
#[schema(as = Day)]
pub struct AnalyticsDay {
    #[schema(value_type = String, format = Date)]
    date: Date,
    present: i64,
    absent: i64,
    late: i64,
    total: i64,
    percentage: f64,
}

/// Months of classes.
#[derive(Serialize, ToSchema)]
pub struct Months {
    data: Vec<AnalyticsMonth>,
}

/// One month of a class.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Month)]
pub struct AnalyticsMonth {
    class_id: Uuid,
    /// Year and month, `2024-01`.
    month: String,
    total_present: i64,
    total_absent: i64,
    total_late: i64,
    total_students: i64,
    days_recorded: i64,
    average_percentage: f64,
}

/// Classes strictly below 75 per cent, lowest first.
#[derive(Serialize, ToSchema)]
pub struct Risks {
    data: Vec<AnalyticsRisk>,
}

/// A class at risk.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Risk)]
pub struct AnalyticsRisk {
    class_id: Uuid,
    class_name: String,
    class_code: String,
    attendance_percentage: f64,
    total_present: i64,
    total_absent: i64,
    total_late: i64,
    total_students: i64,
    /// The last day with a record.
    #[schema(value_type = String, format = Date)]
    last_recorded: Date,
}

/// All classes of the caller at a glance.
#[derive(Serialize, ToSchema)]
pub struct Global {
    /// Mean of the classes' percentages.
    overall_attendance: f64,
    /// Classes strictly below 75 per cent.
    risk_count: usize,
    /// Every class with a record, best first.
    top_subjects: Vec<TopSubject>,
}

/// A class among others.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TopSubject {
    subject_id: Uuid,
    subject_name: String,
    subject_code: String,
    attendance_percentage: f64,
    total_present: i64,
    total_absent: i64,
    total_late: i64,
    total_students: i64,
}

impl From<report::Month> for AnalyticsMonth {
    fn from(of: report::Month) -> Self {
        let report::Month { class, month, sums, days } = of;
        Self {
            class_id: class,
            month,
            total_present: sums.present,
            total_absent: sums.absent,
            total_late: sums.late,
            total_students: sums.total(),
            days_recorded: days,
            average_percentage: sums.punctual().percent(),
        }
    }
}

impl From<Subject> for AnalyticsRisk {
    fn from(of: Subject) -> Self {
        Self {
            class_id: of.class,
            class_name: of.name,
            class_code: of.code,
            attendance_percentage: of.sums.punctual().percent(),
            total_present: of.sums.present,
            total_absent: of.sums.absent,
            total_late: of.sums.late,
            total_students: of.sums.total(),
            last_recorded: of.last,
        }
    }
}

impl From<Subject> for TopSubject {
    fn from(of: Subject) -> Self {
        Self {
            subject_id: of.class,
            subject_name: of.name,
            subject_code: of.code,
            attendance_percentage: of.sums.punctual().percent(),
            total_present: of.sums.present,
            total_absent: of.sums.absent,
            total_late: of.sums.late,
            total_students: of.sums.total(),
        }
    }
}

async fn trend(call: Call) -> Outcome {
    let AnalyticsSpan { class_id, date_from, date_to } = call.query()?;
    forwards("dateTo", date_from, date_to)?;
    let reader = call.reader()?;
    let read = call.app().db.read(move |tx| {
        let class = class::find(tx, reader, &class_id)?.id;
        Ok((class, report::days(tx, class, date_from, date_to)?))
    });
    let (class_id, days) = read.await?;
    let day = |(date, sums): (Date, rules::reports::Sums)| AnalyticsDay {
        date,
        present: sums.present,
        absent: sums.absent,
        late: sums.late,
        total: sums.total(),
        percentage: sums.punctual().percent(),
    };
    json(&Trend { class_id, date_from, date_to, data: days.into_iter().map(day).collect() })
}

async fn months(call: Call) -> Outcome {
    let AnalyticsQuery { class_id } = call.query()?;
    let reader = call.reader()?;
    let read = call.app().db.read(move |tx| {
        let class = class_id.map(|name| class::find(tx, reader, &name)).transpose()?;
        report::months(tx, reader, class.map(|class| class.id))
    });
    json(&Months { data: read.await?.into_iter().map(AnalyticsMonth::from).collect() })
}

async fn class_risk(call: Call) -> Outcome {
    let subjects = subjects(&call).await?;
    let data = analytics::at_risk(subjects).into_iter().map(AnalyticsRisk::from).collect();
    json(&Risks { data })
}

async fn global(call: Call) -> Outcome {
    let seen = analytics::overview(subjects(&call).await?);
    json(&Global {
        overall_attendance: seen.overall.percent(),
        risk_count: seen.at_risk,
        top_subjects: seen.subjects.into_iter().map(TopSubject::from).collect(),
    })
}

async fn subjects(call: &Call) -> Result<Vec<Subject>, Problem> {
    let reader = call.reader()?;
    Ok(call.app().db.read(move |tx| report::subjects(tx, reader)).await?)
}
