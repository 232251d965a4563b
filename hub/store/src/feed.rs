//! Table `calendar_feed`: secret addresses of calendars, and the lessons they show.

use super::shut::{self, ShutKind};
use super::{Read, Row, Tx, audit, params, parsed, parsed_option};
use jiff::civil::Date;
use rules::error::Error;
use serde_json::json;
use uuid::Uuid;
use wire::Wall;

/// A lesson as a calendar shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeedShown {
    /// The session's id.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// First moment.
    pub starts: Wall,
    /// Last moment.
    pub ends: Wall,
    /// Where.
    pub room: String,
    /// Counts changes.
    pub version: i64,
}

/// Feeds one account may have.
pub const MOST: usize = 50;
/// Lessons a feed shows at most.
const LESSONS: i64 = 2_000;

/// A feed; its secret is only in its address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Feed {
    /// Own id.
    pub id: Uuid,
    /// Whose lessons, unless it is of a class.
    pub account: Uuid,
    /// Of one class only.
    pub class: Option<Uuid>,
    /// When it was made.
    pub created_at: Wall,
}

/// Makes a feed under the digest of its secret.
///
/// # Errors
/// `Conflict` when the account has too many.
pub fn add(tx: &Tx<'_>, feed: &Feed, digest: &[u8], now: Wall) -> Result<(), Error> {
    if of(tx, feed.account)?.len() >= MOST {
        return Err(Error::Conflict("you have too many calendars: remove one first".into()));
    }
    let sql = "insert into calendar_feed (id, digest, account, class, created_at)
         values ($1, $2, $3, $4, $5)";
    let id = feed.id.to_string();
    let account = feed.account.to_string();
    let class = feed.class.map(|id| id.to_string());
    tx.execute(sql, params![id, digest, account, class, now.0])?;
    noted(tx, "add", feed, now)
}

/// The feeds of `account`.
pub fn of(tx: &Tx<'_>, account: Uuid) -> Result<Vec<Feed>, Error> {
    let sql = "select id, account, class, created_at from calendar_feed where account = $1
         order by id";
    tx.query(sql, params![account.to_string()], read)
}

/// The feed with this digest, while its account is active and may see what it shows: a class that
/// it teaches on this day, or any as an admin.
pub fn by_digest(tx: &Tx<'_>, digest: &[u8], today: Date) -> Result<Option<Feed>, Error> {
    let sql = "select f.id, f.account, f.class, f.created_at from calendar_feed f
         join user_account u on u.id = f.account and u.is_active = 1
         where f.digest = $1 and u.role <> 'student'
             and (f.class is null or u.role = 'admin' or exists (select 1 from teaches t
                 where t.class = f.class and t.teacher = f.account and t.from_day <= $2
                     and (t.to_day is null or t.to_day >= $2)))";
    tx.row(sql, params![digest, today.to_string()], read)
}

/// Ends a feed of `account`: its address is worth nothing from then on.
///
/// # Errors
/// `NotFound`, for a foreign one too.
pub fn remove(tx: &Tx<'_>, account: Uuid, id: Uuid, now: Wall) -> Result<(), Error> {
    let found = of(tx, account)?.into_iter().find(|feed| feed.id == id);
    let feed = found.ok_or_else(|| Error::unknown("calendar", id))?;
    tx.execute("delete from calendar_feed where id = $1", params![id.to_string()])?;
    shut::note(tx, ShutKind::Feed, &id.to_string(), now)?;
    noted(tx, "remove", &feed, now)
}

/// Lessons of the feed between two moments, by time: of its class, or of the classes its account
/// teaches on that day; an admin's without a class shows none of other people's.
pub fn lessons(tx: &Tx<'_>, feed: &Feed, from: Wall, until: Wall) -> Result<Vec<FeedShown>, Error> {
    let of = match feed.class {
        Some(_) => "s.class = $1",
        None => {
            "s.class in (select t.class from teaches t where t.teacher = $1
                 and t.from_day <= s.day and (t.to_day is null or t.to_day >= s.day))"
        }
    };
    let sql = format!(
        "select s.id, s.name, s.starts, s.ends, s.room, s.version from session s
         where {of} and s.starts >= $2 and s.starts < $3 order by s.starts, s.id limit $4"
    );
    let whose = feed.class.unwrap_or(feed.account).to_string();
    tx.query(&sql, params![whose, from.0, until.0, LESSONS], |row| {
        let id = parsed(row, 0)?;
        let name = row.get(1)?;
        let (starts, ends) = (Wall(row.get(2)?), Wall(row.get(3)?));
        Ok(FeedShown { id, name, starts, ends, room: row.get(4)?, version: row.get(5)? })
    })
}

fn noted(tx: &Tx<'_>, action: &str, feed: &Feed, now: Wall) -> Result<(), Error> {
    let actor = feed.account.to_string();
    let id = feed.id.to_string();
    let entry = audit::AuditEntry {
        actor: &actor,
        action,
        table: "calendar_feed",
        id: &id,
        meta: json!({}),
    };
    audit::add(tx, now, &entry)
}

fn read(row: &Row<'_>) -> Read<Feed> {
    let id = parsed(row, 0)?;
    let account = parsed(row, 1)?;
    let class = parsed_option(row, 2)?;
    Ok(Feed { id, account, class, created_at: Wall(row.get(3)?) })
}
