//! The one-time code of `init` makes the first admin.

use super::Visitor;
use crate::accounts::hashed;
use rules::auth::Role;
use rules::auth::throttle::ThrottleKind;
use rules::error::Error;
use store::account::{self, Account, NewAccount};
use store::{Tx, accounts, user};

/// The first account.
pub struct SetUpFirstAdmin {
    /// What `init` printed.
    pub code: String,
    /// What pages call the admin.
    pub name: String,
    /// Address of the account.
    pub email: String,
    /// Its password.
    pub password: String,
}

impl Visitor {
    /// Makes the first admin. The code is used up only if the account is made.
    ///
    /// # Errors
    /// `Forbidden` for a wrong code, `Conflict` when there is an account already, `Field` for what
    /// cannot be.
    pub async fn set_up(&self, first: SetUpFirstAdmin) -> Result<Account, Error> {
        let SetUpFirstAdmin { code, name, email, password } = first;
        checked(&name, &email)?;
        let weak = |weak: rules::auth::password::Weak| Error::field("password", weak.to_string());
        rules::auth::password::check(&password, &email).map_err(weak)?;
        let guess = self.guess(ThrottleKind::Code("set-up"), None);
        self.reserve(&guess)?;
        let kept = hashed(&self.entrance.passwords, "password", password, &email).await?;
        let name = name.trim().to_owned();
        let email = email.trim().to_owned();
        let new =
            NewAccount { email, name, role: Role::Admin, student: None, password: Some(kept) };
        let code = code.trim().to_owned();
        let now = self.now;
        let work = move |tx: &Tx<'_>| {
            if account::any(tx)? {
                return Err(Error::Conflict("this hub is set up already: sign in".into()));
            }
            if !user::use_setup_code(tx, &code, now)? {
                let say = "this set-up code is wrong, was used or is too old: run `rollcall-hub \
                           init` again on the hub, and it prints a new one";
                return Err(Error::Forbidden(say.into()));
            }
            account::add(tx, &new, "set-up", now)
        };
        let made = self.entrance.db.write(work).await;
        match made {
            Err(Error::Forbidden(_)) => self.wrong(None, "set-up").await?,
            _ => self.right(&guess),
        }
        made
    }
}

fn checked(name: &str, email: &str) -> Result<(), Error> {
    if name.trim().is_empty() || name.len() > 200 {
        return Err(Error::field("full_name", "give a name of at most 200 bytes"));
    }
    if !accounts::is_address(email.trim()) {
        return Err(Error::field("email", "this is no e-mail address"));
    }
    Ok(())
}
