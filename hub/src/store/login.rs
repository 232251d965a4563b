//! Tables `login_session`, `token_family` and `refresh_token`: who is signed in, and how long.
//!
//! Secrets arrive here as digests; a stolen database opens nothing. The account is read with
//! each request, so a closed account or a changed role counts at once.

use super::account::{self, Account, COLUMNS};
use super::{Tx, params};
use crate::auth::token::{Exchange, Limits, Refresh, exchange};
use crate::error::Error;
use data_encoding::HEXLOWER;
use uuid::Uuid;
use wire::Wall;

/// Opens a session of `account`.
///
/// # Errors
/// When the database fails.
pub fn open(tx: &Tx<'_>, digest: &[u8], account: Uuid, now: Wall) -> Result<(), Error> {
    let sql = "insert into login_session (digest, account, created_at, seen_at)
         values ($1, $2, $3, $3)";
    tx.execute(sql, params![digest, account.to_string(), now.0]).map(drop)
}

/// Whose session it is, when it began and when it was last used.
///
/// # Errors
/// When the database fails.
pub fn session(tx: &Tx<'_>, digest: &[u8]) -> Result<Option<(Account, Wall, Wall)>, Error> {
    let sql = format!(
        "select {COLUMNS}, s.created_at, s.seen_at from login_session s
         join user_account a on a.id = s.account where s.digest = $1 and a.is_active = 1"
    );
    tx.row(&sql, params![digest], |row| {
        Ok((account::read(row)?, Wall(row.get(5)?), Wall(row.get(6)?)))
    })
}

/// Remembers that a session is in use.
///
/// # Errors
/// When the database fails.
pub fn touch(tx: &Tx<'_>, digest: &[u8], now: Wall) -> Result<(), Error> {
    let sql = "update login_session set seen_at = $2 where digest = $1";
    tx.execute(sql, params![digest, now.0]).map(drop)
}

/// Ends a session.
///
/// # Errors
/// When the database fails.
pub fn close(tx: &Tx<'_>, digest: &[u8]) -> Result<(), Error> {
    tx.execute("delete from login_session where digest = $1", params![digest]).map(drop)
}

/// Forgets sessions and tokens that began before `before`, and are over.
///
/// # Errors
/// When the database fails.
pub fn sweep(tx: &Tx<'_>, before: Wall) -> Result<usize, Error> {
    let gone = tx.execute("delete from login_session where created_at < $1", params![before.0])?;
    tx.execute("delete from refresh_token where issued_at < $1", params![before.0])?;
    let sql = "delete from token_family where created_at < $1
         and not exists (select 1 from refresh_token r where r.family = token_family.id)";
    Ok(gone + tx.execute(sql, params![before.0])?)
}

/// Begins a family of tokens for `account`, with its first refresh token.
///
/// # Errors
/// When the database fails.
pub fn begin(
    tx: &Tx<'_>,
    family: Uuid,
    account: Uuid,
    digest: &[u8],
    now: Wall,
) -> Result<(), Error> {
    let sql = "insert into token_family (id, account, created_at) values ($1, $2, $3)";
    tx.execute(sql, params![family.to_string(), account.to_string(), now.0])?;
    issue(tx, family, digest, now)
}

fn issue(tx: &Tx<'_>, family: Uuid, digest: &[u8], now: Wall) -> Result<(), Error> {
    let sql = "insert into refresh_token (digest, family, issued_at) values ($1, $2, $3)";
    tx.execute(sql, params![digest, family.to_string(), now.0]).map(drop)
}

/// The account of a family that has not ended.
///
/// # Errors
/// When the database fails.
pub fn family(tx: &Tx<'_>, family: Uuid) -> Result<Option<Account>, Error> {
    let sql = format!(
        "select {COLUMNS} from token_family f join user_account a on a.id = f.account
         where f.id = $1 and f.ended_at is null and a.is_active = 1"
    );
    tx.row(&sql, params![family.to_string()], account::read)
}

/// Ends a family: none of its tokens works any more.
///
/// # Errors
/// When the database fails.
pub fn end(tx: &Tx<'_>, family: Uuid, now: Wall) -> Result<(), Error> {
    let sql = "update token_family set ended_at = $2 where id = $1 and ended_at is null";
    tx.execute(sql, params![family.to_string(), now.0]).map(drop)
}

/// What of an account's sign-ins stays when the others end.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Keep {
    /// None.
    #[default]
    Nothing,
    /// The session with this digest.
    Session(Vec<u8>),
    /// This family of tokens.
    Family(Uuid),
}

/// Ends every session and family of `account` but the one to keep.
///
/// # Errors
/// When the database fails.
pub fn end_all(tx: &Tx<'_>, account: Uuid, keep: &Keep, now: Wall) -> Result<(), Error> {
    let id = account.to_string();
    let (session, family) = match keep {
        Keep::Nothing => (None, None),
        Keep::Session(digest) => (Some(digest), None),
        Keep::Family(family) => (None, Some(family.to_string())),
    };
    let sql = "delete from login_session where account = $1 and ($2 is null or digest <> $2)";
    tx.execute(sql, params![id, session])?;
    let sql = "update token_family set ended_at = $3
         where account = $1 and ended_at is null and ($2 is null or id <> $2)";
    tx.execute(sql, params![id, family, now.0]).map(drop)
}

/// One way in which an account is signed in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignIn {
    /// Names it: a digest or an id, which open nothing.
    pub key: String,
    /// When a browser last used it; nothing for a program's tokens.
    pub seen: Option<Wall>,
    /// When it began.
    pub began: Wall,
    /// Whether it is the one to keep.
    pub kept: bool,
}

/// Most sign-ins that are listed.
const LISTED: u32 = 100;

/// The sign-ins of `account`, newest first; `keep` is the one it asks by.
///
/// # Errors
/// When the database fails.
pub fn of(tx: &Tx<'_>, account: Uuid, keep: &Keep) -> Result<Vec<SignIn>, Error> {
    let id = account.to_string();
    let sql = "select digest, created_at, seen_at from login_session where account = $1
         order by created_at desc limit $2";
    let mut found = tx.query(sql, params![id, LISTED], |row| {
        let digest: Vec<u8> = row.get(0)?;
        let (began, seen) = (Wall(row.get(1)?), Some(Wall(row.get(2)?)));
        let kept = matches!(keep, Keep::Session(own) if *own == digest);
        Ok(SignIn { key: HEXLOWER.encode(&digest), seen, began, kept })
    })?;
    let sql = "select id, created_at from token_family where account = $1 and ended_at is null
         order by created_at desc limit $2";
    found.extend(tx.query(sql, params![id, LISTED], |row| {
        let family: Uuid = super::parsed(row, 0)?;
        let kept = *keep == Keep::Family(family);
        Ok(SignIn { key: family.to_string(), seen: None, began: Wall(row.get(1)?), kept })
    })?);
    Ok(found)
}

/// Ends the sign-in `key` of `account`.
///
/// # Errors
/// `NotFound`, for a foreign one too.
pub fn end_one(tx: &Tx<'_>, account: Uuid, key: &str, now: Wall) -> Result<(), Error> {
    let id = account.to_string();
    let digest = HEXLOWER.decode(key.as_bytes()).unwrap_or_default();
    let sql = "delete from login_session where account = $1 and digest = $2";
    let session = tx.execute(sql, params![id, digest])?;
    let sql = "update token_family set ended_at = $3
         where account = $1 and id = $2 and ended_at is null";
    let family = tx.execute(sql, params![id, key, now.0])?;
    if session + family == 0 {
        return Err(Error::NotFound("this sign-in is over already".into()));
    }
    Ok(())
}

/// Exchanges the refresh token `old` for `new`: whose it is and in which family, or nothing. One
/// that was used before ends its family, and that is kept too.
///
/// # Errors
/// When the database fails.
pub fn rotate(
    tx: &Tx<'_>,
    old: &[u8],
    new: &[u8],
    limits: Limits,
    now: Wall,
) -> Result<Option<(Account, Uuid)>, Error> {
    let sql = format!(
        "select {COLUMNS}, r.family, r.issued_at, r.used_at, f.ended_at from refresh_token r
         join token_family f on f.id = r.family join user_account a on a.id = f.account
         where r.digest = $1 and a.is_active = 1"
    );
    let found = tx.row(&sql, params![old], |row| {
        let used = row.get::<_, Option<i64>>(7)?.map(Wall);
        let ended = row.get::<_, Option<i64>>(8)?.is_some();
        let token = Refresh { issued: Wall(row.get(6)?), used, ended };
        Ok((account::read(row)?, super::parsed::<Uuid>(row, 5)?, token))
    })?;
    let Some((account, family, token)) = found else { return Ok(None) };
    match exchange(token, limits, now) {
        Exchange::Refuse => Ok(None),
        Exchange::EndFamily => end(tx, family, now).map(|()| None),
        Exchange::Rotate => {
            let sql = "update refresh_token set used_at = $2 where digest = $1";
            tx.execute(sql, params![old, now.0])?;
            issue(tx, family, new, now)?;
            Ok(Some((account, family)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Role;
    use crate::store::Db;

    async fn house() -> (tempfile::TempDir, Db, Account) {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("hub.db")).unwrap();
        let new = account::tests::new("ada@school.test", Role::Admin);
        let made = db.write(move |tx| account::add(tx, &new, "cli:test", Wall(1))).await.unwrap();
        (dir, db, made)
    }

    #[tokio::test]
    async fn a_session_opens_is_used_and_closes() {
        let (_dir, db, ada) = house().await;
        let id = ada.id;
        db.write(move |tx| open(tx, b"digest", id, Wall(5))).await.unwrap();
        db.write(|tx| touch(tx, b"digest", Wall(9))).await.unwrap();
        let found = db.read(|tx| session(tx, b"digest")).await.unwrap();
        assert_eq!(found, Some((ada, Wall(5), Wall(9))));
        db.write(|tx| close(tx, b"digest")).await.unwrap();
        assert_eq!(db.read(|tx| session(tx, b"digest")).await.unwrap(), None);
    }

    #[tokio::test]
    async fn an_old_refresh_token_ends_the_whole_family() {
        let (_dir, db, ada) = house().await;
        let (id, name) = (ada.id, Uuid::from_u128(3));
        db.write(move |tx| begin(tx, name, id, b"1", Wall(5))).await.unwrap();
        let turn = |old: &'static [u8], new: &'static [u8]| {
            db.write(move |tx| rotate(tx, old, new, Limits::default(), Wall(6)))
        };
        assert_eq!(turn(b"1", b"2").await.unwrap(), Some((ada, name)));
        assert_eq!(turn(b"1", b"x").await.unwrap(), None, "the copy is refused");
        assert_eq!(turn(b"2", b"3").await.unwrap(), None, "and so is everything after it");
        assert_eq!(db.read(move |tx| family(tx, name)).await.unwrap(), None);
    }

    #[tokio::test]
    async fn all_sign_ins_of_an_account_end_but_one() {
        let (_dir, db, ada) = house().await;
        let (id, name) = (ada.id, Uuid::from_u128(3));
        let seen = |keep: Keep| {
            db.write(move |tx| {
                open(tx, b"a", id, Wall(5))?;
                open(tx, b"b", id, Wall(5))?;
                begin(tx, name, id, b"1", Wall(5))?;
                end_all(tx, id, &keep, Wall(6))?;
                let left = (session(tx, b"a")?.is_some(), session(tx, b"b")?.is_some());
                let family = family(tx, name)?.is_some();
                tx.execute("delete from login_session", [])?;
                tx.execute("delete from refresh_token", [])?;
                tx.execute("delete from token_family", [])?;
                Ok((left.0, left.1, family))
            })
        };
        assert_eq!(seen(Keep::Nothing).await.unwrap(), (false, false, false));
        assert_eq!(seen(Keep::Session(b"b".into())).await.unwrap(), (false, true, false));
        assert_eq!(seen(Keep::Family(name)).await.unwrap(), (false, false, true));
    }

    #[tokio::test]
    async fn sign_ins_are_listed_and_ended_one_by_one_and_only_ones_own() {
        let (_dir, db, ada) = house().await;
        let (id, name) = (ada.id, Uuid::from_u128(3));
        let write = db.write(move |tx| {
            open(tx, b"a", id, Wall(5))?;
            begin(tx, name, id, b"1", Wall(6))?;
            of(tx, id, &Keep::Session(b"a".into()))
        });
        let listed = write.await.unwrap();
        let seen: Vec<_> = listed.iter().map(|one| (one.began, one.seen, one.kept)).collect();
        assert_eq!(seen, [(Wall(5), Some(Wall(5)), true), (Wall(6), None, false)]);
        let key = listed[0].key.clone();
        let foreign = db.write(move |tx| end_one(tx, Uuid::nil(), &key, Wall(7))).await;
        assert!(matches!(foreign, Err(Error::NotFound(_))));
        for SignIn { key, .. } in listed {
            db.write(move |tx| end_one(tx, id, &key, Wall(7))).await.unwrap();
        }
        assert!(db.read(move |tx| of(tx, id, &Keep::Nothing)).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_is_long_over_is_forgotten() {
        let (_dir, db, ada) = house().await;
        let id = ada.id;
        db.write(move |tx| open(tx, b"d", id, Wall(5))).await.unwrap();
        db.write(move |tx| begin(tx, Uuid::nil(), id, b"1", Wall(5))).await.unwrap();
        assert_eq!(db.write(|tx| sweep(tx, Wall(5))).await.unwrap(), 0);
        assert_eq!(db.write(|tx| sweep(tx, Wall(6))).await.unwrap(), 2);
    }
}
