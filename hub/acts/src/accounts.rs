//! Accounts of people who sign in: made, changed, closed and opened again.

use crate::auth::{Busy, Passwords};
use rules::auth::{Role, password};
use rules::error::Error;
use store::accounts::{self, AccountPerson, AccountProfile};
use store::{Db, Tx, identity, login, student, totp};
use uuid::Uuid;
use wire::Wall;

/// Where accounts are kept; cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    /// The database.
    pub db: Db,
    /// What makes passwords into what is kept of them.
    pub passwords: Passwords,
}

/// What is said of an account; what is left out stays.
#[derive(Clone, Default)]
pub struct AccountChanges {
    /// Address; needed for a new account.
    pub email: Option<String>,
    /// What pages call them; needed for a new account.
    pub name: Option<String>,
    /// Needed for a new account.
    pub role: Option<Role>,
    /// A new password.
    pub password: Option<String>,
    /// The school's number of a teacher; empty takes it away.
    pub teacher_id: Option<String>,
    /// Own id or number of the student this account belongs to; empty takes it away.
    pub student: Option<String>,
    /// Whether they may sign in.
    pub is_active: Option<bool>,
    /// Whether the first sign-in elsewhere with this address may take the account over.
    pub may_link: Option<bool>,
    /// False takes the second factor away, and every passkey, for a lost phone.
    pub second_factor: Option<bool>,
    /// False takes the sign-in elsewhere away.
    pub linked: Option<bool>,
    /// The version that was read.
    pub version: Option<i64>,
}

/// Which account.
#[derive(Clone, Debug)]
pub struct AccountName {
    /// Address, own id or teacher's number.
    pub name: String,
    /// It is found only if it is of one of these roles.
    pub among: &'static [Role],
}

/// Who changes an account.
#[derive(Clone, Debug)]
pub enum Asker {
    /// Somebody signed in, who proved since then that it is them, or did not.
    Account {
        /// Their own account.
        id: Uuid,
        /// Whether they proved once more who they are, not long ago.
        proved: bool,
    },
    /// Somebody else, by the name that the audit chain gives them.
    Other(String),
}

impl Asker {
    fn name(&self) -> String {
        match self {
            Self::Account { id, .. } => id.to_string(),
            Self::Other(name) => name.clone(),
        }
    }

    /// Whether they may change how `account` is opened.
    fn may_open(&self, account: Uuid) -> bool {
        !matches!(self, Self::Account { id, proved: false } if *id == account)
    }
}

impl AccountChanges {
    /// Whether it changes how `old` is opened.
    fn opens(&self, old: &AccountPerson) -> bool {
        let moved = |email: &String| email.trim().to_lowercase() != old.account.email;
        let factor = self.second_factor == Some(false) && old.second_factor;
        self.password.is_some() || factor || self.email.as_ref().is_some_and(moved)
    }

    /// `old` with what was said; a student is looked up by id or number.
    fn over(&self, tx: &Tx<'_>, old: AccountProfile) -> Result<AccountProfile, Error> {
        let role = self.role.unwrap_or(old.role);
        let student = match self.student.as_deref().map(str::trim) {
            Some("") => None,
            Some(name) => Some(student::find(tx, name).map_err(no_student)?.id),
            None => old.student.filter(|_| role == Role::Student),
        };
        let clone = |new: &Option<String>, old: String| new.clone().unwrap_or(old);
        Ok(AccountProfile {
            email: clone(&self.email, old.email),
            name: clone(&self.name, old.name),
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
}

fn no_student(error: Error) -> Error {
    match error {
        Error::NotFound(_) => Error::Invalid("student_id: there is no such student".into()),
        other => other,
    }
}

/// A new account of this role, before anything was said.
fn blank(role: Role) -> AccountProfile {
    AccountProfile {
        email: String::new(),
        name: String::new(),
        role,
        student: None,
        teacher_id: None,
        is_active: true,
        may_link: false,
    }
}

/// The account, if it is of one of the roles.
///
/// # Errors
/// `NotFound`.
pub fn find(tx: &Tx<'_>, which: &AccountName) -> Result<AccountPerson, Error> {
    let person = accounts::find(tx, &which.name)?;
    if which.among.contains(&person.account.role) {
        return Ok(person);
    }
    Err(Error::unknown("account", &which.name))
}

impl Accounts {
    /// Makes an account of this role.
    ///
    /// # Errors
    /// `Conflict` when something is taken, `Field` or `Invalid` for what cannot be.
    pub async fn add(
        &self,
        new: AccountChanges,
        role: Role,
        by: String,
        now: Wall,
    ) -> Result<AccountPerson, Error> {
        let email = new.email.clone().unwrap_or_default();
        if !accounts::is_address(email.trim()) {
            return Err(Error::field("email", "this is no e-mail address"));
        }
        let kept = self.kept(new.password.clone(), &email).await?;
        let work = move |tx: &Tx<'_>| {
            let profile = new.over(tx, blank(role))?;
            accounts::add(tx, profile, kept, &by, now)
        };
        self.db.write(work).await
    }

    /// Changes an account.
    ///
    /// # Errors
    /// `Unproven` for what opens one's own account; `NotFound`, `Conflict`, `Field` and `Invalid`
    /// as [`accounts::change`].
    pub async fn change(
        &self,
        which: AccountName,
        to: AccountChanges,
        by: Asker,
        now: Wall,
    ) -> Result<AccountPerson, Error> {
        let key = which.clone();
        let old = self.db.read(move |tx| find(tx, &key)).await?;
        if to.opens(&old) && !by.may_open(old.account.id) {
            return Err(Error::Unproven);
        }
        let kept = self.kept(to.password.clone(), &old.account.email).await?;
        let work = move |tx: &Tx<'_>| {
            let old = find(tx, &which)?;
            let by = by.name();
            let id = old.account.id;
            let profile = to.over(tx, old.profile())?;
            // Who only gets a new password is not looked at: it may be the way back in.
            if profile != old.profile() || to.version.is_some() {
                accounts::change(tx, id, profile, to.version, &by, now)?;
            }
            if let Some(kept) = kept {
                accounts::set_password(tx, id, &kept, &login::LoginKeep::Nothing, &by, now)?;
            }
            match to.second_factor {
                Some(false) => drop(totp::remove_every(tx, id, &by, now)?),
                Some(true) if !old.second_factor => {
                    let say = "totp: only the person themselves can begin a second factor";
                    return Err(Error::Invalid(say.into()));
                }
                _ => {}
            }
            if to.linked == Some(false) {
                identity::unlink(tx, id, &by, now)?;
            }
            accounts::find(tx, &id.to_string())
        };
        self.db.write(work).await
    }

    /// What is kept of a new password, if there is one.
    async fn kept(&self, new: Option<String>, email: &str) -> Result<Option<String>, Error> {
        let Some(new) = new else { return Ok(None) };
        hashed(&self.passwords, "password", new, email).await.map(Some)
    }
}

/// A new password as it is kept, once it was looked at.
///
/// # Errors
/// `Field` for a weak one, `TooMany` when too many are being made.
pub async fn hashed(
    passwords: &Passwords,
    field: &'static str,
    new: String,
    email: &str,
) -> Result<String, Error> {
    password::check(&new, email).map_err(|weak| Error::field(field, weak.to_string()))?;
    let busy = |busy: Busy| Error::TooMany { why: busy.to_string(), seconds: 5 };
    passwords.hash(new).await.map_err(busy)
}
