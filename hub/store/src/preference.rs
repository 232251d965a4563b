//! Tables `preference` and `mail_switch`: what somebody who signs in says about themselves, and
//! which mail goes out for their classes.

use super::{Tx, audit, params};
use rules::error::{Doing, Error};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;
use wire::Wall;

/// Mail about a student who was absent.
pub const ABSENCE: &str = "absence";
/// Mail about a student who is absent often.
pub const LOW_ATTENDANCE: &str = "low_attendance";
/// Mail about doors, to admins.
pub const ALERTS: &str = "alerts";

/// What somebody says about themselves.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Choices {
    /// Telephone.
    #[serde(default)]
    pub phone: Option<String>,
    /// Department or faculty.
    #[serde(default)]
    pub department: Option<String>,
    /// Tag of the language in which they said which mail they want: they are written to in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// Which mail goes out for their classes, and to themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PreferenceMail {
    /// About absences.
    pub absence: bool,
    /// About low attendance.
    pub low_attendance: bool,
    /// To themselves, about doors; only admins get it.
    pub alerts: bool,
}

/// What `account` chose, and its version; version 0 before anything was chosen.
pub fn get(tx: &Tx<'_>, account: Uuid) -> Result<(Choices, i64), Error> {
    let sql = "select choices, version from preference where account = $1";
    let row =
        tx.row(sql, params![account.to_string()], |row| Ok((row.get::<String>(0)?, row.get(1)?)))?;
    let Some((text, version)) = row else { return Ok((Choices::default(), 0)) };
    Ok((serde_json::from_str(&text).doing("reading preferences")?, version))
}

/// Keeps what `account` chose.
///
/// # Errors
/// `Conflict` when it is not at `version` any more, `Invalid` for what is too long.
pub fn put(
    tx: &Tx<'_>,
    account: Uuid,
    choices: &Choices,
    version: Option<i64>,
    now: Wall,
) -> Result<(), Error> {
    for (field, text) in [("phone", &choices.phone), ("department", &choices.department)] {
        let odd = |text: &String| text.len() > 100 || text.chars().any(char::is_control);
        if text.as_ref().is_some_and(odd) {
            return Err(Error::Invalid(format!("{field}: use at most 100 bytes, in one line")));
        }
    }
    let (_, was) = get(tx, account)?;
    if version.is_some_and(|version| version != was) {
        return Err(Error::Conflict("these settings were changed meanwhile: look again".into()));
    }
    let id = account.to_string();
    let text = serde_json::to_string(choices).doing("writing preferences")?;
    let sql = "insert into preference (account, choices, version) values ($1, $2, 1)
         on conflict (account) do update set choices = excluded.choices,
             version = preference.version + 1";
    tx.execute(sql, params![id, text])?;
    let entry = audit::AuditEntry {
        actor: &id,
        action: "change",
        table: "preference",
        id: &id,
        meta: json!({}),
    };
    audit::add(tx, now, &entry)
}

/// Which mail goes out for the classes of `account`, and to them: all of it unless they said no.
pub fn mail(tx: &Tx<'_>, account: Uuid) -> Result<PreferenceMail, Error> {
    let sql = "select kind from mail_switch where account = $1 and is_on = 0";
    let off = tx.query(sql, params![account.to_string()], |row| row.get::<String>(0))?;
    let on = |kind: &str| !off.iter().any(|is| is == kind);
    let low_attendance = on(LOW_ATTENDANCE);
    Ok(PreferenceMail { absence: on(ABSENCE), low_attendance, alerts: on(ALERTS) })
}

/// Keeps which mail goes out.
pub fn set_mail(tx: &Tx<'_>, account: Uuid, mail: PreferenceMail) -> Result<(), Error> {
    let PreferenceMail { absence, low_attendance, alerts } = mail;
    for (kind, on) in [(ABSENCE, absence), (LOW_ATTENDANCE, low_attendance), (ALERTS, alerts)] {
        let sql = "insert into mail_switch (account, kind, is_on) values ($1, $2, $3)
             on conflict (account, kind) do update set is_on = excluded.is_on";
        tx.execute(sql, params![account.to_string(), kind, i64::from(on)])?;
    }
    Ok(())
}
