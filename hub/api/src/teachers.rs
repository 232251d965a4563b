//! `/api/teachers`: accounts of teachers and admins, as S2 names their fields.

use super::users::{UserForm, changed, closed, listed};
use acts::accounts;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Problem;
use http::reply::{created, versioned};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use rules::auth::Role;
use serde::{Deserialize, Serialize};
use store::accounts::{AccountFilter, AccountPerson};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Who is one.
const TEACHERS: &[Role] = &[Role::Teacher, Role::Admin];

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let some = "/api/teachers";
    let one = "/api/teachers/{id}";
    vec![
        Route::get(some).admin().asks::<TeacherQuery>().gives::<Vec<TeacherBody>>().by(index),
        Route::post(some).admin().takes::<TeacherTyped>().gives::<TeacherBody>().created().by(add),
        Route::get(one).admin().of(Object::User).gives::<TeacherBody>().by(show),
        Route::put(one)
            .admin()
            .of(Object::User)
            .takes::<TeacherTyped>()
            .gives::<TeacherBody>()
            .by(change),
        Route::patch(one)
            .admin()
            .of(Object::User)
            .takes::<TeacherTyped>()
            .gives::<TeacherBody>()
            .by(change),
        Route::delete(one).admin().of(Object::User).by(remove),
    ]
}

/// A teacher.
#[derive(Serialize, ToSchema)]
#[schema(as = Teacher)]
pub struct TeacherBody {
    /// Own id.
    id: Uuid,
    /// The school's number of them.
    teacher_id: Option<String>,
    full_name: String,
    email: String,
    /// `teacher` or `admin`.
    role: Role,
    is_active: bool,
    version: i64,
}

/// A teacher as typed. A change leaves out what stays.
#[derive(Deserialize, ToSchema)]
pub struct TeacherTyped {
    /// The school's number of them; needed for a new one.
    teacher_id: Option<String>,
    /// Needed for a new one.
    #[serde(alias = "name")]
    full_name: Option<String>,
    /// Needed for a new one.
    email: Option<String>,
    /// At least 8 characters.
    password: Option<String>,
    /// `teacher` (the default) or `admin`.
    role: Option<Role>,
    is_active: Option<bool>,
    /// The version that was read, so that nobody’s change is overwritten.
    version: Option<i64>,
}

/// Which to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TeacherQuery {
    /// Only those who may sign in, or only the others.
    is_active: Option<bool>,
    /// Own id of the last one of the page before.
    after: Option<Uuid>,
    /// How many.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

impl From<AccountPerson> for TeacherBody {
    fn from(person: AccountPerson) -> Self {
        let AccountPerson { account, teacher_id, is_active, version, .. } = person;
        let id = account.id;
        let full_name = account.name;
        let email = account.email;
        let role = account.role;
        Self { id, teacher_id, full_name, email, role, is_active, version }
    }
}

impl TeacherTyped {
    fn typed(self) -> Result<UserForm, Problem> {
        if self.role == Some(Role::Student) {
            return Err(Problem::field("role", "a teacher is teacher or admin"));
        }
        let Self { teacher_id, full_name, email, password, role, is_active, version } = self;
        let usual = UserForm::default();
        Ok(UserForm { teacher_id, full_name, email, password, role, is_active, version, ..usual })
    }
}

async fn index(call: Call) -> Outcome {
    let which: TeacherQuery = call.query()?;
    let filter = AccountFilter { roles: TEACHERS.to_vec(), is_active: which.is_active };
    listed(&call, filter, which.after, which.limit, TeacherBody::from).await
}

async fn add(call: Call) -> Outcome {
    let typed = call.json::<TeacherTyped>()?.typed()?;
    if typed.teacher_id.as_deref().is_none_or(|id| id.trim().is_empty()) {
        return Err(Problem::field("teacher_id", "every teacher needs one"));
    }
    let role = typed.role.unwrap_or(Role::Teacher);
    let made = TeacherBody::from(
        call.front.entrance.accounts().add(typed.into(), role, call.name()?, call.now).await?,
    );
    created(&format!("/api/teachers/{}", made.id), &made)
}

async fn show(call: Call) -> Outcome {
    let which = accounts::AccountName { name: call.param("id").to_owned(), among: TEACHERS };
    let body = TeacherBody::from(call.app().db.read(move |tx| accounts::find(tx, &which)).await?);
    versioned(&body, body.version)
}

async fn change(call: Call) -> Outcome {
    let typed = call.json::<TeacherTyped>()?.typed()?;
    let body = TeacherBody::from(changed(&call, typed, TEACHERS).await?);
    versioned(&body, body.version)
}

async fn remove(call: Call) -> Outcome {
    closed(&call, TEACHERS).await
}
