//! `/api/users`: accounts of people who sign in.

use acts::accounts::{AccountChanges, AccountName as Account};
use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{page, rows};
use http::problem::Problem;
use http::reply::{created, nothing, versioned};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::Timestamp;
use rules::auth::Role;
use serde::{Deserialize, Serialize};
use store::accounts::{self, AccountFilter, AccountPerson};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let some = "/api/users";
    let one = "/api/users/{id}";
    vec![
        Route::get(some).admin().asks::<UserQuery>().gives::<Vec<UserBody>>().by(index),
        Route::post(some).admin().takes::<UserForm>().gives::<UserBody>().created().by(add),
        Route::get(one).admin().of(Object::User).gives::<UserBody>().by(show),
        Route::put(one).admin().of(Object::User).takes::<UserForm>().gives::<UserBody>().by(change),
        Route::patch(one)
            .admin()
            .of(Object::User)
            .takes::<UserForm>()
            .gives::<UserBody>()
            .by(change),
        Route::delete(one).admin().of(Object::User).by(remove),
    ]
}

/// An account, to an admin.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserBody {
    /// Own id.
    pub id: Uuid,
    email: String,
    full_name: String,
    role: Role,
    /// The school's number of a teacher.
    teacher_id: Option<String>,
    /// The student this account belongs to.
    student_id: Option<Uuid>,
    /// Whether they may sign in.
    is_active: bool,
    /// Whether they have a password here.
    has_password: bool,
    /// Whether they have a second factor.
    totp: bool,
    /// Whether the first sign-in elsewhere with this address may take the account over.
    may_link: bool,
    /// Whether they sign in elsewhere.
    linked: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    version: i64,
}

/// An account as typed. A change leaves out what stays.
#[derive(Deserialize, ToSchema, Default)]
#[schema(as = UserTyped)]
pub struct UserForm {
    /// Needed for a new account.
    pub email: Option<String>,
    /// Needed for a new account.
    #[serde(alias = "name")]
    pub full_name: Option<String>,
    /// Needed for a new account.
    pub role: Option<Role>,
    /// At least 8 characters. Without one they sign in elsewhere, or wait for one.
    pub password: Option<String>,
    /// The school's number of a teacher; empty takes it away.
    pub teacher_id: Option<String>,
    /// Own id or number of the student this account belongs to; empty takes it away.
    pub student_id: Option<String>,
    /// Whether they may sign in.
    pub is_active: Option<bool>,
    /// Whether the first sign-in elsewhere with this address may take the account over.
    pub may_link: Option<bool>,
    /// False takes the second factor away, and every passkey, for a lost phone.
    pub totp: Option<bool>,
    /// False takes the sign-in elsewhere away.
    pub linked: Option<bool>,
    /// The version that was read, so that nobody’s change is overwritten.
    pub version: Option<i64>,
}

/// Which to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct UserQuery {
    /// Only of this role.
    #[param(inline)]
    role: Option<Role>,
    /// Only those who may sign in, or only the others.
    is_active: Option<bool>,
    /// Own id of the last one of the page before.
    after: Option<Uuid>,
    /// How many.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

impl From<AccountPerson> for UserBody {
    fn from(person: AccountPerson) -> Self {
        let AccountPerson { account, teacher_id, is_active, .. } = person;
        Self {
            id: account.id,
            email: account.email,
            full_name: account.name,
            role: account.role,
            teacher_id,
            student_id: account.student.map(|student| student.0),
            is_active,
            has_password: person.has_password,
            totp: person.second_factor,
            may_link: person.may_link,
            linked: person.linked,
            created_at: Timestamp::from_millisecond(person.created_at.0).ok(),
            version: person.version,
        }
    }
}

impl From<UserForm> for AccountChanges {
    fn from(typed: UserForm) -> Self {
        Self {
            email: typed.email,
            name: typed.full_name,
            role: typed.role,
            password: typed.password,
            teacher_id: typed.teacher_id,
            student: typed.student_id,
            is_active: typed.is_active,
            may_link: typed.may_link,
            second_factor: typed.totp,
            linked: typed.linked,
            version: typed.version,
        }
    }
}

async fn index(call: Call) -> Outcome {
    let which: UserQuery = call.query()?;
    let roles = which.role.into_iter().collect();
    let filter = AccountFilter { roles, is_active: which.is_active };
    listed(&call, filter, which.after, which.limit, UserBody::from).await
}

/// A page of accounts, each told by `tell`.
pub async fn listed<T: Serialize>(
    call: &Call,
    filter: AccountFilter,
    after: Option<Uuid>,
    limit: Option<u32>,
    tell: fn(AccountPerson) -> T,
) -> Outcome {
    let limit = rows(limit);
    let people = call.app().db.read(move |tx| accounts::list(tx, &filter, after, limit)).await?;
    let last = people.last().map(|person| person.account.id.to_string());
    page(call, &people.into_iter().map(tell).collect::<Vec<_>>(), limit, last)
}

async fn add(call: Call) -> Outcome {
    let typed: UserForm = call.json()?;
    let Some(role) = typed.role else {
        return Err(Problem::field("role", "give one: admin, teacher or student"));
    };
    let made =
        call.front.entrance.accounts().add(typed.into(), role, call.name()?, call.now).await?;
    let made = UserBody::from(made);
    created(&format!("/api/users/{}", made.id), &made)
}

async fn show(call: Call) -> Outcome {
    let name = call.param("id").to_owned();
    let body = UserBody::from(call.app().db.read(move |tx| accounts::find(tx, &name)).await?);
    versioned(&body, body.version)
}

async fn change(call: Call) -> Outcome {
    let typed: UserForm = call.json()?;
    let body = UserBody::from(changed(&call, typed, &Role::ALL).await?);
    versioned(&body, body.version)
}

/// Changes the account that the address names, if it is of one of `roles`.
///
/// # Errors
/// 403 without a proof since signing in, for what opens one's own account; 404, 409 and 422 as
/// [`accounts::change`].
pub async fn changed(
    call: &Call,
    typed: UserForm,
    roles: &'static [Role],
) -> Result<AccountPerson, Problem> {
    let which = Account { name: call.param("id").to_owned(), among: roles };
    let to = AccountChanges { version: call.version(typed.version)?, ..typed.into() };
    Ok(call.front.entrance.accounts().change(which, to, call.asker()?, call.now).await?)
}

async fn remove(call: Call) -> Outcome {
    closed(&call, &Role::ALL).await
}

/// Closes an account: it stays in the audit chain, and nobody signs in by it.
///
/// # Errors
/// 404; 409 for the last admin.
pub async fn closed(call: &Call, roles: &'static [Role]) -> Outcome {
    changed(call, UserForm { is_active: Some(false), ..UserForm::default() }, roles).await?;
    nothing()
}
