//! Table `user_account`: people who sign in.

use super::shut::{self, ShutKind};
use super::{Read, Row, Tx, audit, params};
use rules::auth::{Actor, Role};
use rules::error::Error;
use serde_json::json;
use uuid::Uuid;
use wire::{StudentId, Wall};

/// Somebody who may sign in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Their id.
    pub id: Uuid,
    /// Their address, as they typed it, in lower case.
    pub email: String,
    /// What pages call them.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The student they are, for the role `student`.
    pub student: Option<StudentId>,
}

impl Account {
    /// The account as whoever acts.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor { user: self.id, role: self.role }
    }
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Address; unique.
    pub email: String,
    /// What pages call them.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The student they are, if they are one.
    pub student: Option<StudentId>,
    /// PHC string of the password; none for those who sign in elsewhere.
    pub password: Option<String>,
}

pub(super) const COLUMNS: &str = "a.id, a.email, a.name, a.role, a.student";

/// Of an account `a`: that it was not erased.
pub(super) const KEPT: &str = "a.email <> 'erased-' || a.id";

/// Makes an account.
///
/// # Errors
/// `Conflict` when the address is taken.
pub fn add(tx: &Tx<'_>, new: &NewAccount, actor: &str, now: Wall) -> Result<Account, Error> {
    let email = new.email.trim().to_lowercase();
    // Closed ones too: whoever goes on after this refusal must be able to.
    let sql = "select 1 from user_account where email = $1";
    if tx.row(sql, params![email], |_| Ok(()))?.is_some() {
        return Err(Error::Conflict(format!("there is an account for “{email}” already")));
    }
    let id = wire::id::v7(now);
    let student = new.student.map(|student| student.to_string());
    let sql = "insert into user_account (id, email, name, role, password, student, is_active,
             created_at, version) values ($1, $2, $3, $4, $5, $6, 1, $7, 1)";
    let name = new.name.trim();
    let role = new.role.as_str();
    let key = id.to_string();
    tx.execute(sql, params![key, email, name, role, new.password, student, now.0])?;
    let action = "add";
    let table = "user_account";
    let meta = json!({ "role": role });
    audit::add(tx, now, &audit::AuditEntry { actor, action, table, id: &key, meta })?;
    Ok(Account { id, email, name: name.to_owned(), role: new.role, student: new.student })
}

/// The active account of `email`, and its password's PHC string.
pub fn by_email(tx: &Tx<'_>, email: &str) -> Result<Option<(Account, Option<String>)>, Error> {
    let sql = format!(
        "select {COLUMNS}, a.password from user_account a where a.email = $1 and a.is_active = 1"
    );
    let email = email.trim().to_lowercase();
    tx.row(&sql, params![email], |row| Ok((read(row)?, row.get(5)?)))
}

/// The active account `id`.
pub fn get(tx: &Tx<'_>, id: Uuid) -> Result<Option<Account>, Error> {
    let sql = format!("select {COLUMNS} from user_account a where a.id = $1 and a.is_active = 1");
    tx.row(&sql, params![id.to_string()], read)
}

/// The account `id`, open or closed, unless it was erased.
pub fn ever(tx: &Tx<'_>, id: Uuid) -> Result<Option<Account>, Error> {
    let sql = format!("select {COLUMNS} from user_account a where a.id = $1 and {KEPT}");
    tx.row(&sql, params![id.to_string()], read)
}

/// What `id` is called, whether or not the account is still active.
pub fn name(tx: &Tx<'_>, id: &str) -> Result<Option<String>, Error> {
    tx.row("select name from user_account where id = $1", params![id], |row| row.get(0))
}

/// Whether there is any account at all; before the first, `/setup` is open.
pub fn any(tx: &Tx<'_>) -> Result<bool, Error> {
    Ok(tx.row("select 1 from user_account limit 1", [], |_| Ok(()))?.is_some())
}

/// Closes the accounts that are `student`, and takes names and secrets out of them; the rows
/// stay, because the audit chain names them. Returns how many.
pub fn forget_student(tx: &Tx<'_>, student: StudentId, now: Wall) -> Result<usize, Error> {
    let sql = "select id from user_account where student = $1";
    let ids: Vec<String> = tx.query(sql, params![student.to_string()], |row| row.get(0))?;
    for id in &ids {
        for table in ["login_session", "identity", "totp", "recovery_code", "passkey", "preference"]
        {
            tx.execute(&format!("delete from {table} where account = $1"), params![id])?;
        }
        let sql = "update token_family set ended_at = $2 where account = $1 and ended_at is null";
        tx.execute(sql, params![id, now.0])?;
        let sql = "update user_account set email = 'erased-' || id, name = 'Erased',
                 password = null, student = null, is_active = 0, version = version + 1
             where id = $1";
        tx.execute(sql, params![id])?;
        shut::note(tx, ShutKind::Account, id, now)?;
    }
    Ok(ids.len())
}

pub(super) fn read(row: &Row<'_>) -> Read<Account> {
    let role: String = row.get(3)?;
    let student: Option<String> = row.get(4)?;
    let student = student.map(|id| id.parse()).transpose().map_err(|why| super::odd(4, why))?;
    Ok(Account {
        id: super::parsed(row, 0)?,
        email: row.get(1)?,
        name: row.get(2)?,
        role: role.parse().map_err(|why| super::odd(3, why))?,
        student,
    })
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::Db;

    pub fn new(email: &str, role: Role) -> NewAccount {
        let email = email.to_owned();
        let name = "Ada".to_owned();
        NewAccount { email, name, role, student: None, password: Some("phc".into()) }
    }

    #[tokio::test]
    async fn an_address_belongs_to_one_account_however_it_is_typed() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path().join("hub.db")).unwrap();
        assert!(!db.read(any).await.unwrap());
        let add = |email| {
            let new = new(email, Role::Teacher);
            db.write(move |tx| add(tx, &new, "cli:test", Wall(5)))
        };
        let made = add("Ada@School.test").await.unwrap();
        assert!(matches!(add(" ada@school.TEST").await, Err(Error::Conflict(_))));
        let found = db.read(|tx| by_email(tx, "ADA@school.test")).await.unwrap();
        assert_eq!(found, Some((made, Some("phc".into()))));
        assert!(db.read(any).await.unwrap());
    }
}
