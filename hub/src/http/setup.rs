//! `/api/setup`: the one-time code of `init` makes the first admin.

use super::auth::{guess, reserve, wrong};
use super::call::Call;
use super::problem::Problem;
use super::reply::{created, sentence};
use super::route::{Object, Outcome, Route, SMALL, Shapes, Takes, Who};
use rules::auth::Role;
use rules::auth::throttle::What;
use rules::error::Error;
use serde::Deserialize;
use store::account::{self, Account, New};
use store::user;
use utoipa::ToSchema;
use warp::http::Method;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (place, shapes) =
        ((Method::POST, "/api/setup"), Shapes::both::<Setup, super::auth::Me>().created());
    vec![Route::new(place, Who::Anyone, Object::None, Takes::Json(SMALL), shapes, set_up)]
}

/// The first account.
#[derive(Deserialize, ToSchema)]
pub struct Setup {
    /// What `init` printed.
    code: String,
    /// What pages call the admin.
    full_name: String,
    /// Address of the account.
    email: String,
    /// At least 8 characters.
    password: String,
}

async fn set_up(call: Call) -> Outcome {
    let Setup { code, full_name, email, password } = call.json()?;
    let account = first_admin(&call, &code, &full_name, &email, password).await?;
    created("/api/auth/me", &super::auth::Me::from(&account))
}

/// Whether the hub waits for its first account.
///
/// # Errors
/// When the database fails.
pub async fn is_new(call: &Call) -> Result<bool, Problem> {
    Ok(!call.app().db.read(account::any).await?)
}

/// Makes the first admin. The code is used up only if the account is made.
///
/// # Errors
/// 403 for a wrong code, 409 when there is an account already, 422 for a weak password.
pub async fn first_admin(
    call: &Call,
    code: &str,
    name: &str,
    email: &str,
    password: String,
) -> Result<Account, Problem> {
    let front = &call.front;
    checked(name, email)?;
    let weak = |weak: rules::auth::password::Weak| Problem::field("password", weak.to_string());
    rules::auth::password::check(&password, email).map_err(weak)?;
    let guess = guess(call, What::Code("set-up"), None);
    reserve(call, &guess)?;
    let hashed = front.passwords.hash(password).await;
    let phc = hashed.map_err(|busy| Problem::too_many(sentence(&busy.to_string())).after(5))?;
    let (name, email) = (name.trim().to_owned(), email.trim().to_owned());
    let new = New { email, name, role: Role::Admin, student: None, password: Some(phc) };
    let (code, now) = (code.trim().to_owned(), call.now);
    let made = front.app.db.write(move |tx| {
        if account::any(tx)? {
            return Err(Error::Conflict("this hub is set up already: sign in".into()));
        }
        if !user::use_setup_code(tx, &code, now)? {
            let say = "this set-up code is wrong, was used or is too old: run `rollcall-hub init` \
                       again on the hub, and it prints a new one";
            return Err(Error::Forbidden(say.into()));
        }
        account::add(tx, &new, "set-up", now)
    });
    let made = made.await;
    match made {
        Err(Error::Forbidden(_)) => wrong(call, None, "set-up").await?,
        _ => front.throttle(|t| t.right(&guess, super::front::mono(&front.app))),
    }
    Ok(made?)
}

fn checked(name: &str, email: &str) -> Result<(), Problem> {
    if name.trim().is_empty() || name.len() > 200 {
        return Err(Problem::field("full_name", "give a name of at most 200 bytes"));
    }
    if !email.contains('@') || email.len() > 254 {
        return Err(Problem::field("email", "this is no e-mail address"));
    }
    Ok(())
}
