//! Tables `login_session`, `token_family` and `refresh_token`: who is signed in, and how long.
//!
//! Secrets arrive here as digests; a stolen database opens nothing. The account is read with
//! each request, so a closed account or a changed role counts at once.

use super::account::{self, Account, COLUMNS};
use super::{Read, Row, Tx, params};
use data_encoding::HEXLOWER;
use rules::auth::refresh::{Exchange, Refresh, RefreshLimits, exchange};
use rules::error::Error;
use std::net::IpAddr;
use uuid::Uuid;
use wire::Wall;

/// How a sign-in came about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// By password, and a code where there is a second factor.
    Password,
    /// By a passkey.
    Passkey,
    /// At the sign-in service of the school.
    Elsewhere,
    /// As the first admin.
    SetUp,
}

impl Way {
    /// As the database says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Passkey => "passkey",
            Self::Elsewhere => "elsewhere",
            Self::SetUp => "set-up",
        }
    }
}

/// How a sign-in came about, and from where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    /// How.
    pub way: Way,
    /// From which address.
    pub from: IpAddr,
}

/// Somebody signed in, as each request reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoginLive {
    /// Whose sign-in it is.
    pub account: Account,
    /// When they last proved who they are.
    pub proved: Wall,
    /// Whether that was since signing in; true for who has nothing to prove it with here.
    pub again: bool,
    /// Whether their role must have a second factor, and they have none.
    pub lacks_factor: bool,
}

/// The setting that names the roles which must have a second factor, with commas between.
pub const FACTOR: &str = "second_factor";

/// Columns of a sign-in `s` of account `a`, as [`live`] reads them. Who signs in elsewhere shows
/// a second factor there, if one is asked for.
const LIVE: &str = "s.proved_at, case when s.way <> 'elsewhere'
     and ',' || coalesce((select value from setting where name = 'second_factor'), '') || ','
         like '%,' || a.role || ',%'
     and not exists (select 1 from totp f where f.account = a.id and f.confirmed_at is not null)
     and not exists (select 1 from passkey k where k.account = a.id)
     then 1 else 0 end,
     case when s.again = 1 or (a.password is null
     and not exists (select 1 from totp f where f.account = a.id and f.confirmed_at is not null)
     and not exists (select 1 from passkey k where k.account = a.id))
     then 1 else 0 end";

fn live(row: &Row<'_>) -> Read<LoginLive> {
    let lacks_factor = row.get::<i64>(6)? == 1;
    let again = row.get::<i64>(7)? == 1;
    Ok(LoginLive { account: account::read(row)?, proved: Wall(row.get(5)?), again, lacks_factor })
}

/// Opens a session of `account`.
pub fn open(
    tx: &Tx<'_>,
    digest: &[u8],
    account: Uuid,
    origin: &Origin,
    now: Wall,
) -> Result<(), Error> {
    let sql = "insert into login_session (digest, account, created_at, seen_at, proved_at, way,
             address) values ($1, $2, $3, $3, $3, $4, $5)";
    let way = origin.way.as_str();
    let from = origin.from.to_string();
    tx.execute(sql, params![digest, account.to_string(), now.0, way, from]).map(drop)
}

/// Whose session it is, when it began and when it was last used.
pub fn session(tx: &Tx<'_>, digest: &[u8]) -> Result<Option<(LoginLive, Wall, Wall)>, Error> {
    let sql = format!(
        "select {COLUMNS}, {LIVE}, s.created_at, s.seen_at from login_session s
         join user_account a on a.id = s.account where s.digest = $1 and a.is_active = 1"
    );
    tx.row(&sql, params![digest], |row| Ok((live(row)?, Wall(row.get(8)?), Wall(row.get(9)?))))
}

/// Remembers that whoever has the sign-in `own` has just proved who they are.
pub fn prove(tx: &Tx<'_>, own: &LoginKeep, now: Wall) -> Result<(), Error> {
    match own {
        LoginKeep::Nothing => Ok(()),
        LoginKeep::Session(digest) => {
            let sql = "update login_session set proved_at = $2, again = 1 where digest = $1";
            tx.execute(sql, params![digest, now.0]).map(drop)
        }
        LoginKeep::Family(family) => {
            let sql = "update token_family set proved_at = $2, again = 1 where id = $1";
            tx.execute(sql, params![family.to_string(), now.0]).map(drop)
        }
    }
}

/// Remembers that a session is in use.
pub fn touch(tx: &Tx<'_>, digest: &[u8], now: Wall) -> Result<(), Error> {
    let sql = "update login_session set seen_at = $2 where digest = $1";
    tx.execute(sql, params![digest, now.0]).map(drop)
}

/// Ends a session.
pub fn close(tx: &Tx<'_>, digest: &[u8]) -> Result<(), Error> {
    tx.execute("delete from login_session where digest = $1", params![digest]).map(drop)
}

/// Sessions that began long ago.
pub(super) const OLD: &str = "delete from login_session where created_at < $1";

/// Forgets sessions and tokens that began before `before`, and are over.
pub fn sweep(tx: &Tx<'_>, before: Wall) -> Result<usize, Error> {
    let gone = tx.execute(OLD, params![before.0])?;
    tx.execute("delete from refresh_token where issued_at < $1", params![before.0])?;
    let sql = "delete from token_family where created_at < $1
         and not exists (select 1 from refresh_token r where r.family = token_family.id)";
    Ok(gone + tx.execute(sql, params![before.0])?)
}

/// Begins a family of tokens for `account`, with its first refresh token.
pub fn begin(
    tx: &Tx<'_>,
    family: Uuid,
    account: Uuid,
    digest: &[u8],
    origin: &Origin,
    now: Wall,
) -> Result<(), Error> {
    let sql = "insert into token_family (id, account, created_at, proved_at, way, address)
         values ($1, $2, $3, $3, $4, $5)";
    let way = origin.way.as_str();
    let from = origin.from.to_string();
    tx.execute(sql, params![family.to_string(), account.to_string(), now.0, way, from])?;
    issue(tx, family, digest, now)
}

fn issue(tx: &Tx<'_>, family: Uuid, digest: &[u8], now: Wall) -> Result<(), Error> {
    let sql = "insert into refresh_token (digest, family, issued_at) values ($1, $2, $3)";
    tx.execute(sql, params![digest, family.to_string(), now.0]).map(drop)
}

/// The account of a family that has not ended.
pub fn family(tx: &Tx<'_>, family: Uuid) -> Result<Option<LoginLive>, Error> {
    let sql = format!(
        "select {COLUMNS}, {LIVE} from token_family s join user_account a on a.id = s.account
         where s.id = $1 and s.ended_at is null and a.is_active = 1"
    );
    tx.row(&sql, params![family.to_string()], live)
}

/// Ends a family: none of its tokens works any more.
pub fn end(tx: &Tx<'_>, family: Uuid, now: Wall) -> Result<(), Error> {
    let sql = "update token_family set ended_at = $2 where id = $1 and ended_at is null";
    tx.execute(sql, params![family.to_string(), now.0]).map(drop)
}

/// What of an account's sign-ins stays when the others end.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum LoginKeep {
    /// None.
    #[default]
    Nothing,
    /// The session with this digest.
    Session(Vec<u8>),
    /// This family of tokens.
    Family(Uuid),
}

/// Ends every session and family of `account` but the one to keep.
pub fn end_all(tx: &Tx<'_>, account: Uuid, keep: &LoginKeep, now: Wall) -> Result<(), Error> {
    let id = account.to_string();
    let (session, family) = match keep {
        LoginKeep::Nothing => (None, None),
        LoginKeep::Session(digest) => (Some(digest), None),
        LoginKeep::Family(family) => (None, Some(family.to_string())),
    };
    let sql = "delete from login_session where account = $1 and (digest <> $2 or $2 is null)";
    tx.execute(sql, params![id, session])?;
    let sql = "update token_family set ended_at = $3
         where account = $1 and ended_at is null and (id <> $2 or $2 is null)";
    tx.execute(sql, params![id, family, now.0]).map(drop)
}

/// Ends every session and every family of tokens, whoever holds them.
pub fn end_everybody(tx: &Tx<'_>, now: Wall) -> Result<(), Error> {
    tx.execute("delete from login_session", [])?;
    let sql = "update token_family set ended_at = $1 where ended_at is null";
    tx.execute(sql, params![now.0]).map(drop)
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
    /// From which address; nothing for one of before that was kept.
    pub from: String,
    /// Whether it is the one to keep.
    pub kept: bool,
}

/// Most sign-ins that are listed.
const LISTED: u32 = 100;

/// The sign-ins of `account`, newest first; `keep` is the one it asks by.
pub fn of(tx: &Tx<'_>, account: Uuid, keep: &LoginKeep) -> Result<Vec<SignIn>, Error> {
    let id = account.to_string();
    let sql = "select digest, created_at, seen_at, address from login_session where account = $1
         order by created_at desc limit $2";
    let mut found = tx.query(sql, params![id, LISTED], |row| {
        let digest: Vec<u8> = row.get(0)?;
        let began = Wall(row.get(1)?);
        let seen = Some(Wall(row.get(2)?));
        let kept = matches!(keep, LoginKeep::Session(own) if *own == digest);
        Ok(SignIn { key: HEXLOWER.encode(&digest), seen, began, from: row.get(3)?, kept })
    })?;
    let sql =
        "select id, created_at, address from token_family where account = $1 and ended_at is null
         order by created_at desc limit $2";
    found.extend(tx.query(sql, params![id, LISTED], |row| {
        let family: Uuid = super::parsed(row, 0)?;
        let kept = *keep == LoginKeep::Family(family);
        let key = family.to_string();
        let began = Wall(row.get(1)?);
        Ok(SignIn { key, seen: None, began, from: row.get(2)?, kept })
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
pub fn rotate(
    tx: &Tx<'_>,
    old: &[u8],
    new: &[u8],
    limits: RefreshLimits,
    now: Wall,
) -> Result<Option<(Account, Uuid)>, Error> {
    let sql = format!(
        "select {COLUMNS}, r.family, r.issued_at, r.used_at, f.ended_at from refresh_token r
         join token_family f on f.id = r.family join user_account a on a.id = f.account
         where r.digest = $1 and a.is_active = 1"
    );
    let found = tx.row(&sql, params![old], |row| {
        let used = row.get::<Option<i64>>(7)?.map(Wall);
        let ended = row.get::<Option<i64>>(8)?.is_some();
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
    use crate::Db;
    use rules::auth::Role;
    use std::net::Ipv4Addr;

    const HERE: Origin = Origin { way: Way::Password, from: IpAddr::V4(Ipv4Addr::LOCALHOST) };

    async fn house() -> (tempfile::TempDir, Db, Account) {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path().join("hub.db")).unwrap();
        let new = account::tests::new("ada@school.test", Role::Admin);
        let made = db.write(move |tx| account::add(tx, &new, "cli:test", Wall(1))).await.unwrap();
        (dir, db, made)
    }

    #[tokio::test]
    async fn a_session_opens_is_used_and_closes() {
        let (_dir, db, ada) = house().await;
        let id = ada.id;
        db.write(move |tx| open(tx, b"digest", id, &HERE, Wall(5))).await.unwrap();
        db.write(|tx| touch(tx, b"digest", Wall(9))).await.unwrap();
        let found = db.read(|tx| session(tx, b"digest")).await.unwrap();
        let live = LoginLive { account: ada, proved: Wall(5), again: false, lacks_factor: false };
        assert_eq!(found, Some((live, Wall(5), Wall(9))));
        db.write(|tx| prove(tx, &LoginKeep::Session(b"digest".into()), Wall(8))).await.unwrap();
        let found = db.read(|tx| session(tx, b"digest")).await.unwrap().unwrap();
        assert_eq!((found.0.proved, found.0.again), (Wall(8), true));
        db.write(|tx| close(tx, b"digest")).await.unwrap();
        assert_eq!(db.read(|tx| session(tx, b"digest")).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_role_that_must_have_a_second_factor_lacks_it_until_it_is_confirmed() {
        let (_dir, db, ada) = house().await;
        let id = ada.id;
        let lacks = async |sql: &'static str, way: Way| {
            let look = move |tx: &Tx<'_>| {
                tx.execute(sql, [])?;
                tx.execute("delete from login_session", [])?;
                open(tx, b"digest", id, &Origin { way, ..HERE }, Wall(5))?;
                Ok(session(tx, b"digest")?.unwrap().0.lacks_factor)
            };
            db.write(look).await.unwrap()
        };
        let demand = "insert into setting (name, value) values ('second_factor', 'teacher,admin')";
        assert!(lacks(demand, Way::Password).await);
        assert!(!lacks("select 1 where false", Way::Elsewhere).await, "they were asked elsewhere");
        let begin = "insert into totp (account, sealed, created_at, last_step)
             select id, x'00', 0, 0 from user_account";
        assert!(lacks(begin, Way::Password).await, "not confirmed");
        assert!(!lacks("update totp set confirmed_at = 1", Way::Password).await);
        let fewer = "update setting set value = 'teacher' where name = 'second_factor'";
        lacks(fewer, Way::Password).await;
        assert!(!lacks("delete from totp", Way::Password).await, "another role");
    }

    #[tokio::test]
    async fn an_old_refresh_token_ends_the_whole_family() {
        let (_dir, db, ada) = house().await;
        let (id, name) = (ada.id, Uuid::from_u128(3));
        db.write(move |tx| begin(tx, name, id, b"1", &HERE, Wall(5))).await.unwrap();
        let turn = |old: &'static [u8], new: &'static [u8]| {
            db.write(move |tx| rotate(tx, old, new, RefreshLimits::default(), Wall(6)))
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
        let seen = |keep: LoginKeep| {
            db.write(move |tx| {
                open(tx, b"a", id, &HERE, Wall(5))?;
                open(tx, b"b", id, &HERE, Wall(5))?;
                begin(tx, name, id, b"1", &HERE, Wall(5))?;
                end_all(tx, id, &keep, Wall(6))?;
                let left = (session(tx, b"a")?.is_some(), session(tx, b"b")?.is_some());
                let family = family(tx, name)?.is_some();
                tx.execute("delete from login_session", [])?;
                tx.execute("delete from refresh_token", [])?;
                tx.execute("delete from token_family", [])?;
                Ok((left.0, left.1, family))
            })
        };
        assert_eq!(seen(LoginKeep::Nothing).await.unwrap(), (false, false, false));
        assert_eq!(seen(LoginKeep::Session(b"b".into())).await.unwrap(), (false, true, false));
        assert_eq!(seen(LoginKeep::Family(name)).await.unwrap(), (false, false, true));
    }

    #[tokio::test]
    async fn sign_ins_are_listed_and_ended_one_by_one_and_only_ones_own() {
        let (_dir, db, ada) = house().await;
        let (id, name) = (ada.id, Uuid::from_u128(3));
        let write = db.write(move |tx| {
            open(tx, b"a", id, &HERE, Wall(5))?;
            begin(tx, name, id, b"1", &HERE, Wall(6))?;
            of(tx, id, &LoginKeep::Session(b"a".into()))
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
        assert!(db.read(move |tx| of(tx, id, &LoginKeep::Nothing)).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_is_long_over_is_forgotten() {
        let (_dir, db, ada) = house().await;
        let id = ada.id;
        db.write(move |tx| open(tx, b"d", id, &HERE, Wall(5))).await.unwrap();
        db.write(move |tx| begin(tx, Uuid::nil(), id, b"1", &HERE, Wall(5))).await.unwrap();
        assert_eq!(db.write(|tx| sweep(tx, Wall(5))).await.unwrap(), 0);
        assert_eq!(db.write(|tx| sweep(tx, Wall(6))).await.unwrap(), 2);
    }
}
