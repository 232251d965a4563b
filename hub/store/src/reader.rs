//! Who reads: every query about students has its reader in it. What somebody may not see is as if
//! it were not there.

use super::{Tx, params};
use jiff::civil::Date;
use rules::auth::{Actor, Role};
use rules::error::Error;
use wire::StudentId;

/// Who reads, on which day of the school.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    /// The account.
    pub actor: Actor,
    /// The local date, for the dates of `teaches`.
    pub today: Date,
}

impl Reader {
    /// Role, account and day: `$1`, `$2`, `$3` of every query with a reader in it.
    #[must_use]
    pub fn keys(self) -> (&'static str, String, String) {
        let Actor { user, role } = self.actor;
        (role.as_str(), user.to_string(), self.today.to_string())
    }

    /// Whether they see everything anyway.
    #[must_use]
    pub fn sees_all(self) -> bool {
        self.actor.role == Role::Admin
    }
}

/// What `$1` (role), `$2` (account) and `$3` (day) let a reader see of student `{student}`.
pub(crate) fn visible_student(student: &str) -> String {
    format!(
        "($1 = 'admin'
          or ($1 = 'teacher' and exists (select 1 from roster r join teaches t on t.class = r.class
                where r.student = {student} and t.teacher = $2 and t.from_day <= $3
                  and (t.to_day is null or t.to_day >= $3)))
          or ($1 = 'student' and exists (select 1 from user_account me
                where me.id = $2 and me.student = {student})))"
    )
}

/// Whether the reader may see the student `id`.
pub fn visible_to(tx: &Tx<'_>, reader: Reader, id: StudentId) -> Result<bool, Error> {
    let (role, user, today) = reader.keys();
    let sql = format!("select 1 from student p where {} and p.id = $4", visible_student("p.id"));
    Ok(tx.row(&sql, params![role, user, today, id.to_string()], |_| Ok(()))?.is_some())
}
