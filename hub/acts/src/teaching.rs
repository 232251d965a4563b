//! Who teaches a class, for which days.

use jiff::civil::Date;
use rules::auth::Role;
use rules::error::Error;
use store::reader::Reader;
use store::{Db, Tx, accounts, class, teaches};
use uuid::Uuid;
use wire::Wall;

/// Somebody and the class they teach.
#[derive(Clone, Debug)]
pub struct Teaching {
    /// Address, own id or teacher's number of the account.
    pub account: String,
    /// Own id or code of the class.
    pub class: String,
}

/// Lets somebody teach a class from a day, today if none is said, to a day, inclusive. Returns
/// account and class.
///
/// # Errors
/// `NotFound`; `Invalid` for days in the wrong order, or a student's account.
pub async fn begin(
    db: &Db,
    reader: Reader,
    whom: Teaching,
    (from, to): (Option<Date>, Option<Date>),
    now: Wall,
) -> Result<(Uuid, Uuid), Error> {
    let work = move |tx: &Tx<'_>| {
        let account = accounts::find(tx, &whom.account)?.account;
        let class = class::find(tx, reader, &whom.class)?.id;
        let from = from.unwrap_or(reader.today);
        if to.is_some_and(|to| to < from) {
            return Err(Error::Invalid("to: the last day lies before the first".into()));
        }
        if account.role == Role::Student {
            return Err(Error::Invalid("only a teacher or an admin teaches a class".into()));
        }
        teaches::add(tx, class, account.id, (from, to), &reader.actor.user.to_string(), now)?;
        Ok((account.id, class))
    };
    db.write(work).await
}

/// They teach the class no longer. Returns account and class.
///
/// # Errors
/// `NotFound`.
pub async fn end(
    db: &Db,
    reader: Reader,
    whom: Teaching,
    now: Wall,
) -> Result<(Uuid, Uuid), Error> {
    let work = move |tx: &Tx<'_>| {
        let account = accounts::find(tx, &whom.account)?.account.id;
        let class = class::find(tx, reader, &whom.class)?.id;
        let actor = reader.actor.user.to_string();
        teaches::stop(tx, class, account, reader.today, &actor, now)?;
        Ok((account, class))
    };
    db.write(work).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::auth::Actor;
    use store::account::{self, NewAccount};

    const NOW: Wall = Wall(1_790_000_000_000);

    #[tokio::test]
    async fn whoever_ended_today_teaches_when_the_class_gets_them_again_today() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path().join("hub.db")).unwrap();
        let today = jiff::civil::date(2026, 9, 21);
        let make = |tx: &Tx<'_>| {
            let new = NewAccount {
                email: "t@school.test".into(),
                name: "T".into(),
                role: Role::Teacher,
                student: None,
                password: None,
            };
            let teacher = account::add(tx, &new, "t", NOW)?.id;
            Ok((teacher, class::add(tx, "7b", "7B", None, "t", NOW)?))
        };
        let (teacher, id) = db.write(make).await.unwrap();
        let actor = Actor { user: Uuid::from_u128(1), role: Role::Admin };
        let reader = Reader { actor, today };
        let whom = Teaching { account: "t@school.test".into(), class: "7B".into() };
        begin(&db, reader, whom.clone(), (None, None), NOW).await.unwrap();
        end(&db, reader, whom, NOW).await.unwrap();
        let again = move |tx: &Tx<'_>| {
            class::set_teachers(tx, id, &[teacher], today, "t", NOW)?;
            class::teachers(tx, id, today)
        };
        assert_eq!(db.write(again).await.unwrap(), [teacher]);
    }
}
