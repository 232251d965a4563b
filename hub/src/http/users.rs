//! `/api/users`: accounts of people who sign in.

use super::auth::hashed;
use super::call::Call;
use super::page::{page, rows};
use super::problem::Problem;
use super::proof;
use super::reply::{created, nothing, versioned};
use super::route::{ADMIN, Object, Outcome, Route, SMALL, Shapes, Takes};
use jiff::Timestamp;
use rules::auth::Role;
use rules::error::Error;
use serde::{Deserialize, Serialize};
use store::people::{self, Filter, Person, Profile};
use store::{Tx, identity, login, student, totp};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use warp::http::Method;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (some, one) = ("/api/users", "/api/users/{id}");
    let (user, body, no) = (Object::User, Takes::Json(SMALL), Takes::Nothing);
    let list = Shapes::gives::<Vec<Body>>().asks::<Which>();
    let (gives, both) = (Shapes::gives::<Body>(), Shapes::both::<Typed, Body>());
    vec![
        Route::new((Method::GET, some), ADMIN, Object::None, no, list, index),
        Route::new((Method::POST, some), ADMIN, Object::None, body, both.created(), add),
        Route::new((Method::GET, one), ADMIN, user, no, gives, show),
        Route::new((Method::PUT, one), ADMIN, user, body, both, change),
        Route::new((Method::PATCH, one), ADMIN, user, body, both, change),
        Route::new((Method::DELETE, one), ADMIN, user, no, Shapes::EMPTY, remove),
    ]
}

/// An account, to an admin.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub struct Body {
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
pub struct Typed {
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
struct Which {
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

impl From<Person> for Body {
    fn from(person: Person) -> Self {
        let Person { account, teacher_id, is_active, .. } = person;
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

impl Typed {
    /// Whether it changes how `old` is opened.
    fn opens(&self, old: &Person) -> bool {
        let moved = |email: &String| email.trim().to_lowercase() != old.account.email;
        let factor = self.totp == Some(false) && old.second_factor;
        self.password.is_some() || factor || self.email.as_ref().is_some_and(moved)
    }

    /// `old` with what was typed; a student is looked up by id or number.
    ///
    /// # Errors
    /// `Invalid` when there is no such student.
    pub fn over(&self, tx: &Tx<'_>, old: Profile) -> Result<Profile, Error> {
        let role = self.role.unwrap_or(old.role);
        let student = match self.student_id.as_deref().map(str::trim) {
            Some("") => None,
            Some(name) => Some(student::find(tx, name).map_err(no_student)?.id),
            None => old.student.filter(|_| role == Role::Student),
        };
        let clone = |new: &Option<String>, old: String| new.clone().unwrap_or(old);
        Ok(Profile {
            email: clone(&self.email, old.email),
            name: clone(&self.full_name, old.name),
            role,
            student,
            teacher_id: match &self.teacher_id {
                Some(id) => Some(id.clone()),
                None => old.teacher_id.filter(|_| role != Role::Student),
            },
            is_active: self.is_active.unwrap_or(old.is_active),
            may_link: self.may_link.unwrap_or(old.may_link),
        })
    }

    /// A new account of this role, before anything was typed.
    #[must_use]
    pub fn blank(role: Role) -> Profile {
        Profile {
            email: String::new(),
            name: String::new(),
            role,
            student: None,
            teacher_id: None,
            is_active: true,
            may_link: false,
        }
    }
}

fn no_student(error: Error) -> Error {
    match error {
        Error::NotFound(_) => Error::Invalid("student_id: there is no such student".into()),
        other => other,
    }
}

async fn index(call: Call) -> Outcome {
    let which: Which = call.query()?;
    let roles = which.role.into_iter().collect();
    let filter = Filter { roles, is_active: which.is_active };
    listed(&call, filter, which.after, which.limit, Body::from).await
}

/// A page of accounts, each told by `tell`.
///
/// # Errors
/// When the database fails.
pub async fn listed<T: Serialize>(
    call: &Call,
    filter: Filter,
    after: Option<Uuid>,
    limit: Option<u32>,
    tell: fn(Person) -> T,
) -> Outcome {
    let limit = rows(limit);
    let people = call.app().db.read(move |tx| people::list(tx, &filter, after, limit)).await?;
    let last = people.last().map(|person| person.account.id.to_string());
    page(call, &people.into_iter().map(tell).collect::<Vec<_>>(), limit, last)
}

async fn add(call: Call) -> Outcome {
    let typed: Typed = call.json()?;
    let Some(role) = typed.role else {
        return Err(Problem::field("role", "give one: admin, teacher or student"));
    };
    let made = Body::from(made(&call, typed, role).await?);
    created(&format!("/api/users/{}", made.id), &made)
}

/// Makes the account that was typed.
///
/// # Errors
/// 409 when something is taken, 422 when something cannot be.
pub async fn made(call: &Call, typed: Typed, role: Role) -> Result<Person, Problem> {
    let email = typed.email.clone().unwrap_or_default();
    if !people::is_address(email.trim()) {
        return Err(Problem::field("email", "this is no e-mail address"));
    }
    let password = match typed.password.clone() {
        Some(new) => Some(hashed(call, "password", new, &email).await?),
        None => None,
    };
    let by = call.by.as_ref().map_or_else(|| "register".into(), |by| by.actor.user.to_string());
    let now = call.now;
    let write = call.app().db.write(move |tx| {
        let profile = typed.over(tx, Typed::blank(role))?;
        people::add(tx, profile, password, &by, now)
    });
    Ok(write.await?)
}

async fn show(call: Call) -> Outcome {
    let name = call.param("id").to_owned();
    let body = Body::from(call.app().db.read(move |tx| people::find(tx, &name)).await?);
    versioned(&body, body.version)
}

async fn change(call: Call) -> Outcome {
    let typed: Typed = call.json()?;
    let body = Body::from(changed(&call, typed, &Role::ALL).await?);
    versioned(&body, body.version)
}

/// Changes the account that the address names, if it is of one of `roles`.
///
/// # Errors
/// 403 without a proof since signing in, for what opens one's own account; 404, 409 and 422 as
/// [`people::change`].
pub async fn changed(call: &Call, typed: Typed, roles: &'static [Role]) -> Result<Person, Problem> {
    let (name, now) = (call.param("id").to_owned(), call.now);
    let (by, version) = (call.actor()?.user.to_string(), call.version(typed.version)?);
    let key = name.clone();
    let old = call.app().db.read(move |tx| of_roles(tx, &key, roles)).await?;
    if old.account.id == call.actor()?.user && typed.opens(&old) {
        proof::again(call)?;
    }
    let password = match typed.password.clone() {
        Some(new) => Some(hashed(call, "password", new, &old.account.email).await?),
        None => None,
    };
    let write = call.app().db.write(move |tx| {
        let old = of_roles(tx, &name, roles)?;
        let (id, profile) = (old.account.id, typed.over(tx, old.profile())?);
        people::change(tx, id, profile, version, &by, now)?;
        if let Some(phc) = password {
            people::set_password(tx, id, &phc, &login::Keep::Nothing, &by, now)?;
        }
        match typed.totp {
            Some(false) => drop(totp::remove_every(tx, id, &by, now)?),
            Some(true) if !old.second_factor => {
                let say = "totp: only the person themselves can begin a second factor";
                return Err(Error::Invalid(say.into()));
            }
            _ => {}
        }
        if typed.linked == Some(false) {
            identity::unlink(tx, id, &by, now)?;
        }
        people::find(tx, &id.to_string())
    });
    Ok(write.await?)
}

/// The account `name`, if it is of one of `roles`.
///
/// # Errors
/// `NotFound`.
pub fn of_roles(tx: &Tx<'_>, name: &str, roles: &[Role]) -> Result<Person, Error> {
    let person = people::find(tx, name)?;
    if roles.contains(&person.account.role) {
        return Ok(person);
    }
    Err(Error::unknown("account", name))
}

async fn remove(call: Call) -> Outcome {
    closed(&call, &Role::ALL).await
}

/// Closes an account: it stays in the audit chain, and nobody signs in by it.
///
/// # Errors
/// 404; 409 for the last admin.
pub async fn closed(call: &Call, roles: &'static [Role]) -> Outcome {
    changed(call, Typed { is_active: Some(false), ..Typed::default() }, roles).await?;
    nothing()
}
