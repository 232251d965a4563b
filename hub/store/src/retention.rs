//! Counts and deletes what is over, kind by kind, across its tables.

use super::{Tx, forget, mark, params, parsed};
use rules::error::Error;
use rules::retention::RetentionKind;
use wire::{RecordId, StudentId, Wall};

/// Table, its key and condition (`$1` is the moment) of what can be deleted as it is.
fn plain(kind: RetentionKind) -> &'static [(&'static str, &'static str, &'static str)] {
    match kind {
        RetentionKind::Crops => &[(
            "evidence",
            "sighting, part",
            "exists (select 1 from sighting s where s.id = evidence.sighting
                 and s.review_status <> 'pending'
                 and coalesce(s.reviewed_at, s.received_at) < $1)",
        )],
        RetentionKind::Health => &[
            ("health", "n", "device in (select id from device) and at < $1"),
            ("health", "n", "device in (select id from device) and at is null and at_high < $1"),
            ("loss", "device, epoch, seq", "received_at < $1"),
            ("anchor", "device, epoch, seq", "wall < $1"),
            ("door_alert", "id", "until < $1"),
        ],
        RetentionKind::DeadLetters => &[("dead_letter", "n", "at < $1")],
        RetentionKind::UndoSteps => &[("undo_step", "n", "at < $1")],
        RetentionKind::Mail => {
            &[("mail", "id", "ended_at < $1"), ("webhook_message", "id", "ended_at < $1")]
        }
        RetentionKind::SignIns => &[
            ("login_session", "digest", "created_at < $1"),
            ("refresh_token", "digest", "issued_at < $1"),
            (
                "token_family",
                "id",
                "created_at < $1 and not exists
                     (select 1 from refresh_token r where r.family = token_family.id)",
            ),
            ("setup_code", "digest", "expires_at < $1"),
            ("join_token", "digest", "expires_at < $1"),
        ],
        RetentionKind::Pending
        | RetentionKind::Logged
        | RetentionKind::Decided
        | RetentionKind::Leavers
        | RetentionKind::Copies => &[],
    }
}

/// The states of the sightings of a kind.
fn states(kind: RetentionKind) -> &'static str {
    match kind {
        RetentionKind::Pending => "('pending')",
        RetentionKind::Logged => "('logged')",
        RetentionKind::Decided => "('approved', 'rejected')",
        _ => "('')",
    }
}

const LEFT: &str = "student where is_active = 0 and erased_at is null and updated_at < $1";

/// How many are over at `before`.
pub fn count(tx: &Tx<'_>, kind: RetentionKind, before: Wall) -> Result<u64, Error> {
    let mut rows = 0;
    let one = |from: &str| {
        let sql = format!("select count(*) from {from}");
        let count = tx.row(&sql, params![before.0], |row| super::unsigned(row, 0));
        Ok::<_, Error>(count?.unwrap_or(0))
    };
    for (table, _, over) in plain(kind) {
        rows += one(&format!("{table} where {over}"))?;
    }
    match kind {
        RetentionKind::Leavers => rows += one(LEFT)?,
        RetentionKind::Pending | RetentionKind::Logged | RetentionKind::Decided => {
            rows += one(&sightings(kind))?
        }
        _ => {}
    }
    Ok(rows)
}

fn sightings(kind: RetentionKind) -> String {
    let states = states(kind);
    format!("sighting where review_status in {states} and order_at < $1 and received_at < $1")
}

/// The last row that a sweep looked at: the next step goes on behind it.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Debug)]
pub struct RetentionLooked(String, String);

/// Takes away some of what is over at `before`; returns how many, and where to go on, if anything
/// may be left.
pub fn sweep(
    tx: &Tx<'_>,
    kind: RetentionKind,
    before: Wall,
    after: &RetentionLooked,
    limit: u32,
) -> Result<(u64, Option<RetentionLooked>), Error> {
    if kind == RetentionKind::Crops {
        return crops(tx, before, after, limit);
    }
    let mut rows = 0;
    for (table, key, over) in plain(kind) {
        let sql = format!(
            "delete from {table} where ({key}) in
                 (select {key} from {table} where {over} limit $2)"
        );
        rows += tx.execute(&sql, params![before.0, limit])?;
    }
    if matches!(kind, RetentionKind::Pending | RetentionKind::Logged | RetentionKind::Decided) {
        let sql = format!("select id from {} limit $2", sightings(kind));
        let over: Vec<RecordId> = tx.query(&sql, params![before.0, limit], |row| parsed(row, 0))?;
        for id in &over {
            mark::release(tx, *id)?;
            forget::sighting(tx, *id, "expired")?;
        }
        rows += over.len();
    }
    let next = (rows > 0).then(RetentionLooked::default);
    Ok((u64::try_from(rows).unwrap_or(u64::MAX), next))
}

/// Most faces stay, because they wait for somebody: each is looked at once in a sweep.
fn crops(
    tx: &Tx<'_>,
    before: Wall,
    after: &RetentionLooked,
    limit: u32,
) -> Result<(u64, Option<RetentionLooked>), Error> {
    let sql = "select e.sighting, e.part,
             case when s.review_status <> 'pending'
                  and coalesce(s.reviewed_at, s.received_at) < $1 then 1 else 0 end
         from evidence e join sighting s on s.id = e.sighting
         where (e.sighting, e.part) > ($2, $3) order by e.sighting, e.part limit $4";
    let RetentionLooked(sighting, part) = after;
    let seen = tx.query(sql, params![before.0, sighting, part, limit], |row| {
        Ok((RetentionLooked(row.get(0)?, row.get(1)?), row.get::<i64>(2)? == 1))
    })?;
    let over = seen.iter().filter(|(_, over)| *over).map(|(at, _)| at);
    let mut rows = 0;
    for RetentionLooked(sighting, part) in over {
        let sql = "delete from evidence where sighting = $1 and part = $2";
        rows += tx.execute(sql, params![sighting, part])? as u64;
    }
    let full = seen.len() == usize::try_from(limit).unwrap_or(usize::MAX);
    Ok((rows, seen.last().filter(|_| full).map(|(at, _)| at.clone())))
}

/// People who left before `before`, longest ago first.
pub fn leavers(tx: &Tx<'_>, before: Wall) -> Result<Vec<StudentId>, Error> {
    let sql = format!("select id from {LEFT} order by updated_at");
    tx.query(&sql, params![before.0], |row| parsed(row, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use refinery::{Runner, Target};

    #[tokio::test]
    async fn marks_whose_sightings_were_swept_before_stand_alone_after_the_upgrade() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hub.db");
        let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
        let migrations = refinery::load_sql_migrations(migrations).unwrap();
        let mut old = rusqlite::Connection::open(&path).unwrap();
        Runner::new(&migrations).set_target(Target::Version(49)).run(&mut old).unwrap();
        let swept = "pragma foreign_keys = off;
             insert into mark (session, student, status, source, sighting, by_whom, at, version)
             values ('s', 'p', 'present', 'door', 'gone', 'hub', 0, 1)";
        old.execute_batch(swept).unwrap();
        drop(old);
        let db = crate::Db::in_file(&path).unwrap();
        let alone = "select count(*) from mark where sighting is null";
        let alone = db.read(move |tx| tx.row(alone, [], |row| row.get::<i64>(0)));
        assert_eq!(alone.await.unwrap(), Some(1));
    }

    #[tokio::test]
    async fn reports_that_never_got_a_time_go_as_well() {
        let dir = tempfile::tempdir().unwrap();
        let db = crate::Db::open(dir.path().join("hub.db")).unwrap();
        let swept = |tx: &Tx<'_>| {
            tx.execute(
                "insert into device (id, room, location, direction, is_active, online, boot,
                     connection, software, model, gallery, trouble, created_at, version)
                 values ('d1', '', '', 'both', 1, 0, 0, 0, '', '', 0, '', 0, 1)",
                [],
            )?;
            for (seq, at, at_high) in
                [(1, Some(9), 9), (2, None, 9), (3, None, 10), (4, Some(10), 10)]
            {
                let sql = "insert into health (device, epoch, seq, boot, since, until, at, at_high,
                         watched_ms, camera, disk_free_mb)
                     values ('d1', x'01', $1, 1, 0, 0, $2, $3, 0, 'watching', 9)";
                tx.execute(sql, params![seq, at, at_high])?;
            }
            let over = count(tx, RetentionKind::Health, Wall(10))?;
            let (rows, _) =
                sweep(tx, RetentionKind::Health, Wall(10), &RetentionLooked::default(), 100)?;
            let left = "select string_agg(cast(seq as text), ',') from health";
            Ok((over, rows, tx.row(left, [], |row| row.get::<String>(0))?))
        };
        assert_eq!(db.write(swept).await.unwrap(), (2, 2, Some("3,4".to_owned())));
    }

    #[tokio::test]
    async fn what_doors_reported_goes_by_an_index() {
        let dir = tempfile::tempdir().unwrap();
        let db = crate::Db::in_file(&dir.path().join("hub.db")).unwrap();
        let plans = |tx: &Tx<'_>| {
            let plan = |(table, key, over): &(&str, &str, &str)| {
                let sql = format!("explain query plan select {key} from {table} where {over}");
                Ok(tx.query(&sql, [0], |row| row.get::<String>(3))?.join("\n"))
            };
            plain(RetentionKind::Health).iter().map(plan).collect::<Result<Vec<_>, Error>>()
        };
        for plan in db.read(plans).await.unwrap() {
            assert!(plan.contains("SEARCH") && !plan.contains("SCAN health"), "{plan}");
        }
    }
}
