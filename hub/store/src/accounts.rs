//! Table `user_account` as an admin sees it: everybody who may sign in, and changes to them.

use super::account::{self, Account, COLUMNS};
use super::login::{self, LoginKeep};
use super::shut::{self, ShutKind};
use super::{Read, Row, Tx, audit, params, passkey, student};
use rules::auth::Role;
use rules::error::Error;
use serde_json::json;
use uuid::Uuid;
use wire::{StudentId, Wall};

/// An account with what only admins see.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountPerson {
    /// The account.
    pub account: Account,
    /// The school's number of a teacher.
    pub teacher_id: Option<String>,
    /// Whether they may sign in.
    pub is_active: bool,
    /// Whether they have a password here.
    pub has_password: bool,
    /// Whether they have a second factor.
    pub second_factor: bool,
    /// Whether the first sign-in elsewhere with this address may take the account over.
    pub may_link: bool,
    /// Whether they sign in elsewhere.
    pub linked: bool,
    /// When the account was made.
    pub created_at: Wall,
    /// Counts changes.
    pub version: i64,
}

/// What may be changed about an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountProfile {
    /// Address; unique.
    pub email: String,
    /// What pages call them.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The student they are, for the role student.
    pub student: Option<StudentId>,
    /// The school's number of a teacher; unique.
    pub teacher_id: Option<String>,
    /// Whether they may sign in.
    pub is_active: bool,
    /// Whether the first sign-in elsewhere with this address may take the account over.
    pub may_link: bool,
}

/// Which accounts to list.
#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    /// Of these roles; all if empty.
    pub roles: Vec<Role>,
    /// Only those who may sign in, or only the others.
    pub is_active: Option<bool>,
}

const MORE: &str = "a.teacher_id, a.is_active, a.password is not null,
     exists (select 1 from totp t where t.account = a.id and t.confirmed_at is not null)
         or exists (select 1 from passkey k where k.account = a.id),
     a.may_link, exists (select 1 from identity i where i.account = a.id), a.created_at, a.version";

impl AccountPerson {
    /// What may be changed, as it is now.
    #[must_use]
    pub fn profile(&self) -> AccountProfile {
        let Account { email, name, role, student, .. } = self.account.clone();
        let teacher_id = self.teacher_id.clone();
        let is_active = self.is_active;
        AccountProfile {
            email,
            name,
            role,
            student,
            teacher_id,
            is_active,
            may_link: self.may_link,
        }
    }
}

impl AccountProfile {
    /// Trimmed, and refused where it cannot be.
    ///
    /// # Errors
    /// `Invalid` naming the field.
    pub fn checked(self) -> Result<Self, Error> {
        let email = self.email.trim().to_lowercase();
        let name = self.name.trim().to_owned();
        let teacher_id = self.teacher_id.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
        let invalid = |say: &str| Err(Error::Invalid(say.into()));
        let odd = |text: &str| text.chars().any(char::is_control);
        match (&email, &name, &teacher_id) {
            (email, ..) if !is_address(email) => invalid("email: this is no e-mail address"),
            (_, name, _) if name.is_empty() || name.len() > 200 || odd(name) => {
                invalid("full_name: give a name of at most 200 bytes")
            }
            (.., Some(id)) if id.len() > 64 || odd(id) => {
                invalid("teacher_id: use at most 64 bytes")
            }
            _ if self.role == Role::Student && teacher_id.is_some() => {
                invalid("teacher_id: a student has none")
            }
            _ if self.role != Role::Student && self.student.is_some() => {
                invalid("student_id: only an account of the role student belongs to a student")
            }
            _ => Ok(Self { email, name, teacher_id, ..self }),
        }
    }
}

/// Whether this can be an address: one `@` with something on both sides, nothing invisible.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let plain = text.len() <= 254 && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    plain
        && text
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
}

/// Accounts by address, those after `after`; erased ones are none any more.
///
/// # Errors
/// `Field` once the one it follows is erased.
pub fn list(
    tx: &Tx<'_>,
    filter: &AccountFilter,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<AccountPerson>, Error> {
    let mut wanted = vec![account::KEPT.to_owned()];
    if !filter.roles.is_empty() {
        let names: Vec<_> = filter.roles.iter().map(|role| format!("'{role}'")).collect();
        wanted.push(format!("a.role in ({})", names.join(", ")));
    }
    if let Some(active) = filter.is_active {
        wanted.push(format!("a.is_active = {}", i32::from(active)));
    }
    if let Some(after) = after {
        account::ever(tx, after)?.ok_or_else(Error::cut_off)?;
        wanted.push("a.email > (select b.email from user_account b where b.id = $1)".into());
    }
    let wanted = wanted.join(" and ");
    let sql = format!(
        "select {COLUMNS}, {MORE} from user_account a where {wanted} and $1 = $1
         order by a.email limit $2"
    );
    tx.query(&sql, params![after.map(|id| id.to_string()).unwrap_or_default(), limit], read)
}

/// The account that `name` names: an own id, a teacher's number or an address.
///
/// # Errors
/// `NotFound`.
pub fn find(tx: &Tx<'_>, name: &str) -> Result<AccountPerson, Error> {
    let by = |column: &str, key: &str| {
        let sql = format!("select {COLUMNS}, {MORE} from user_account a where a.{column} = $1");
        tx.row(&sql, params![key], read)
    };
    let key = name.trim();
    let lower = key.to_lowercase();
    for (column, key) in [("id", key), ("teacher_id", key), ("email", lower.as_str())] {
        if let Some(person) = by(column, key)? {
            return Ok(person);
        }
    }
    Err(Error::unknown("account", name))
}

/// Makes an account; `password` is a PHC string.
///
/// # Errors
/// `Invalid` when the profile cannot be, `Conflict` when address, number or student is taken.
pub fn add(
    tx: &Tx<'_>,
    profile: AccountProfile,
    password: Option<String>,
    actor: &str,
    now: Wall,
) -> Result<AccountPerson, Error> {
    let p = profile.checked()?;
    refuse_taken(tx, &p, Uuid::nil())?;
    let email = p.email;
    let name = p.name;
    let role = p.role;
    let student = p.student;
    let made = account::add(
        tx,
        &account::NewAccount { email, name, role, student, password },
        actor,
        now,
    )?;
    let sql =
        "update user_account set teacher_id = $2, may_link = $3, is_active = $4 where id = $1";
    tx.execute(sql, params![made.id.to_string(), p.teacher_id, p.may_link, p.is_active])?;
    find(tx, &made.id.to_string())
}

/// Changes an account. A changed role and a closed account end all its sign-ins.
///
/// # Errors
/// `NotFound`; `Invalid`; `Conflict` when something is taken, the account is not at `version` any
/// more, or nobody would be left to look after the hub.
pub fn change(
    tx: &Tx<'_>,
    id: Uuid,
    profile: AccountProfile,
    version: Option<i64>,
    actor: &str,
    now: Wall,
) -> Result<AccountPerson, Error> {
    let key = id.to_string();
    let old = find(tx, &key)?;
    let p = profile.checked()?;
    refuse_taken(tx, &p, id)?;
    let loses = p.role != Role::Admin || !p.is_active;
    if old.account.role == Role::Admin && old.is_active && loses && !another_admin(tx, id)? {
        let say = "this is the only admin: make another one first";
        return Err(Error::Conflict(say.into()));
    }
    let sql = "update user_account set email = $3, name = $4, role = $5, student = $6,
             teacher_id = $7, is_active = $8, may_link = $9, version = version + 1
         where id = $1 and (version = $2 or $2 is null)";
    let student = p.student.map(|student| student.to_string());
    let role = p.role.as_str();
    let active = p.is_active;
    let row =
        params![key, version, p.email, p.name, role, student, p.teacher_id, active, p.may_link];
    if tx.execute(sql, row)? == 0 {
        return Err(Error::Conflict("this account was changed meanwhile: look again".into()));
    }
    if old.is_active && !p.is_active {
        shut::note(tx, ShutKind::Account, &key, now)?;
    }
    if !old.is_active && p.is_active {
        shut::note(tx, ShutKind::Reopened, &key, now)?;
    }
    if p.role != old.account.role || p.student != old.account.student || !p.is_active {
        login::end_all(tx, id, &LoginKeep::Nothing, now)?;
    }
    let meta = json!({ "role": p.role, "active": p.is_active });
    noted(tx, now, actor, "change", &key, meta)?;
    find(tx, &key)
}

/// Sets the password, a PHC string, and ends every other sign-in. When somebody else sets it, the
/// passkeys go as well: one may be of whoever knew the password before.
pub fn set_password(
    tx: &Tx<'_>,
    id: Uuid,
    password: &str,
    keep: &LoginKeep,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    let key = id.to_string();
    let sql = "update user_account set password = $2, version = version + 1 where id = $1";
    if tx.execute(sql, params![key, password])? == 0 {
        return Err(Error::unknown("account", id));
    }
    shut::note(tx, ShutKind::Password, &key, now)?;
    login::end_all(tx, id, keep, now)?;
    if actor != key {
        passkey::remove_all(tx, id, actor, now)?;
    }
    noted(tx, now, actor, "password", &key, json!({}))
}

/// The password's PHC string.
pub fn password(tx: &Tx<'_>, id: Uuid) -> Result<Option<String>, Error> {
    let sql = "select password from user_account where id = $1 and is_active = 1";
    Ok(tx.row(sql, params![id.to_string()], |row| row.get(0))?.flatten())
}

fn another_admin(tx: &Tx<'_>, id: Uuid) -> Result<bool, Error> {
    let sql = "select 1 from user_account where role = 'admin' and is_active = 1 and id <> $1";
    Ok(tx.row(sql, params![id.to_string()], |_| Ok(()))?.is_some())
}

/// Says in a sentence what is taken.
fn refuse_taken(tx: &Tx<'_>, p: &AccountProfile, by: Uuid) -> Result<(), Error> {
    if let Some(student) = p.student {
        student::get(tx, student)?
            .ok_or_else(|| Error::Invalid("student_id: there is no such student".into()))?;
    }
    let student = p.student.map(|student| student.to_string());
    for (column, key, what) in [
        ("email", Some(p.email.as_str()), "for this address"),
        ("teacher_id", p.teacher_id.as_deref(), "with this teacher_id"),
        ("student", student.as_deref(), "of this student"),
    ] {
        let Some(key) = key else { continue };
        let sql = format!("select 1 from user_account where {column} = $1 and id <> $2");
        if tx.row(&sql, params![key, by.to_string()], |_| Ok(()))?.is_some() {
            return Err(Error::Conflict(format!("there is an account {what} already")));
        }
    }
    Ok(())
}

fn noted(
    tx: &Tx<'_>,
    now: Wall,
    actor: &str,
    action: &str,
    id: &str,
    meta: serde_json::Value,
) -> Result<(), Error> {
    audit::add(tx, now, &audit::AuditEntry { actor, action, table: "user_account", id, meta })
}

fn read(row: &Row<'_>) -> Read<AccountPerson> {
    Ok(AccountPerson {
        account: account::read(row)?,
        teacher_id: row.get(5)?,
        is_active: row.get(6)?,
        has_password: row.get(7)?,
        second_factor: row.get(8)?,
        may_link: row.get(9)?,
        linked: row.get(10)?,
        created_at: Wall(row.get(11)?),
        version: row.get(12)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Db;

    fn profile(email: &str, role: Role) -> AccountProfile {
        AccountProfile {
            email: email.into(),
            name: "Ada".into(),
            role,
            student: None,
            teacher_id: None,
            is_active: true,
            may_link: false,
        }
    }

    async fn house() -> (tempfile::TempDir, Db, AccountPerson) {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path().join("hub.db")).unwrap();
        let ada = profile("ada@school.test", Role::Admin);
        let ada = db.write(|tx| add(tx, ada, None, "t", Wall(1))).await.unwrap();
        (dir, db, ada)
    }

    #[tokio::test]
    async fn the_last_admin_stays_one() {
        let (_dir, db, ada) = house().await;
        let id = ada.account.id;
        let to = |p: AccountProfile| db.write(move |tx| change(tx, id, p, None, "t", Wall(2)));
        let mut weaker = ada.profile();
        weaker.role = Role::Teacher;
        assert!(matches!(to(weaker.clone()).await, Err(Error::Conflict(_))));
        let mut closed = ada.profile();
        closed.is_active = false;
        assert!(matches!(to(closed).await, Err(Error::Conflict(_))));
        let bob = profile("bob@school.test", Role::Admin);
        db.write(|tx| add(tx, bob, None, "t", Wall(1))).await.unwrap();
        assert_eq!(to(weaker).await.unwrap().account.role, Role::Teacher);
    }

    #[tokio::test]
    async fn pages_of_accounts_join_without_a_gap() {
        let (_dir, db, _) = house().await;
        for n in 0..5 {
            let new = profile(&format!("t{n}@school.test"), Role::Teacher);
            db.write(|tx| add(tx, new, None, "t", Wall(1))).await.unwrap();
        }
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let filter = AccountFilter { roles: vec![Role::Teacher], is_active: Some(true) };
            let page = db.read(move |tx| list(tx, &filter, after, 2)).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.account.id);
            seen.extend(page.into_iter().map(|p| p.account.email));
        }
        let wanted: Vec<_> = (0..5).map(|n| format!("t{n}@school.test")).collect();
        assert_eq!(seen, wanted);
    }

    #[test]
    fn an_address_has_one_at_and_nothing_invisible() {
        assert!(is_address("ada@school.test") && is_address("ü@x"));
        for bad in ["", "ada", "@x", "a@", "a@b@c", "a b@c", "a@b\n"] {
            assert!(!is_address(bad), "{bad:?}");
        }
    }
}
