//! `/api/auth/register`: a new account, or a new person where a personnel code is given.
//!
//! Admins register anybody. Where the setting `accounts.open_registration` says so, others
//! register themselves: as students, who see nothing until an admin says which student they are.

use super::auth::Me;
use super::persons;
use acts::accounts::AccountChanges;
use http::call::{Call, signed_out};
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::problem::Problem;
use http::reply::created;
use http::route::Route;
use rules::auth::Role;
use rules::auth::throttle::ThrottleKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let account = Route::post("/api/auth/register").anyone().takes::<SignUpForm>();
    vec![account.gives::<Registered>().created().by(register)]
}

/// Who is registered: an account, or with a `personnel_code` a person who is recognised.
#[derive(Deserialize, ToSchema)]
#[schema(as = Register)]
pub struct SignUpForm {
    /// Address of the account; needed for one.
    email: Option<String>,
    /// Needed for an account; at least 8 characters.
    password: Option<String>,
    /// Instead of the two names.
    #[serde(alias = "name", alias = "username")]
    full_name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    /// Only an admin may say another than `student`.
    role: Option<Role>,
    /// Only an admin may say which student an account belongs to.
    student_id: Option<String>,
    /// With it a person is registered, not an account; admins only.
    personnel_code: Option<String>,
    department: Option<String>,
    position: Option<String>,
    phone: Option<String>,
}

/// What was made.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum Registered {
    /// An account.
    User(Me),
    /// A person.
    Person(persons::PersonBody),
}

async fn register(call: Call) -> Outcome {
    let asked: SignUpForm = call.json()?;
    let admin = call.by.as_ref().is_some_and(|by| by.actor.role == Role::Admin);
    if admin && asked.personnel_code.is_some() {
        return person(&call, asked).await;
    }
    if !admin {
        open(&call, &asked)?;
    }
    let role = asked.role.unwrap_or(Role::Student);
    let password = asked.password.clone();
    let password = password.ok_or_else(|| Problem::field("password", "choose one"))?;
    let name = asked.name();
    let SignUpForm { email, student_id, .. } = asked;
    let new = AccountChanges {
        email,
        name: Some(name),
        password: Some(password),
        student: student_id,
        role: Some(role),
        ..AccountChanges::default()
    };
    let by = call.by.as_ref().map_or_else(|| "register".into(), |by| by.actor.user.to_string());
    let person = call.front.entrance.accounts().add(new, role, by, call.now).await?;
    created("/api/auth/me", &Registered::User(Me::from(&person.account)))
}

impl SignUpForm {
    fn name(&self) -> String {
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        let two = format!("{} {}", part(&self.first_name).trim(), part(&self.last_name).trim());
        let local = || part(&self.email).split('@').next().unwrap_or("").to_owned();
        let named = self.full_name.clone().unwrap_or_else(|| two.trim().to_owned());
        if named.trim().is_empty() { local() } else { named }
    }
}

/// Whether somebody who is no admin may register this, now.
fn open(call: &Call, asked: &SignUpForm) -> Result<(), Problem> {
    if !call.app().config.accounts.open_registration {
        return Err(match &call.by {
            None => signed_out(),
            Some(_) => Problem::forbidden("Only an admin registers people here."),
        });
    }
    if asked.role.is_some_and(|role| role != Role::Student) {
        return Err(Problem::forbidden("Only an admin makes teachers and admins."));
    }
    if asked.student_id.is_some() || asked.personnel_code.is_some() {
        return Err(Problem::forbidden("Only an admin says who somebody is at the school."));
    }
    let visitor = call.visitor();
    Ok(visitor.reserve(&visitor.guess(ThrottleKind::Secret("register"), None))?)
}

async fn person(call: &Call, asked: SignUpForm) -> Outcome {
    let SignUpForm { first_name, last_name, personnel_code, department, .. } = asked;
    let SignUpForm { position, email, phone, .. } = asked;
    let typed = persons::PersonForm {
        first_name,
        last_name,
        personnel_code,
        department,
        position,
        email,
        phone,
        ..persons::PersonForm::default()
    };
    let made = persons::made(call, typed).await?;
    created(&format!("/api/persons/{}", made.id), &Registered::Person(made))
}
