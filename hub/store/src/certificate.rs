//! Tables `device_cert` and `twin`: how certificates of doors succeed each other, and which of
//! them were copied.

use super::{Tx, audit, change, device, params};
use rules::care::CareFound;
use rules::certificate::DEVICE_DAYS;
use rules::error::Error;
use serde_json::json;
use std::net::IpAddr;
use wire::{DeviceId, Wall};

const DAY_MS: i64 = 24 * 3600 * 1000;

/// A certificate that ended before its time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ended {
    /// Its number, in hexadecimal digits.
    pub serial: String,
    /// Whose it was.
    pub device: String,
    /// When it would have ended by itself.
    pub ends: Wall,
}

/// A certificate that was shown from two places in turn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Twin {
    /// Whose it is.
    pub device: DeviceId,
    /// Its number.
    pub serial: String,
    /// The two addresses.
    pub places: (String, String),
    /// When that was seen last.
    pub last: Wall,
}

/// `device` came with the certificate `serial`, which is good until `ends`. With its first use
/// those before it end: whoever copied one holds nothing.
///
/// One that nobody here knows was given after the backup that this hub was made of.
pub fn used(
    tx: &Tx<'_>,
    device: &DeviceId,
    serial: &str,
    ends: Wall,
    now: Wall,
) -> Result<(), Error> {
    if device::get(tx, device)?.is_none() {
        return Ok(());
    }
    let sql = "insert into device_cert (serial, device, state, issued_at, expires_at, found_at)
         values ($1, $2, 'valid', $3, $4, $5) on conflict do nothing";
    let issued = ends.plus_ms(-DEVICE_DAYS * DAY_MS);
    if tx.execute(sql, params![serial, device.as_str(), issued.0, ends.0, now.0])? > 0 {
        noted(tx, device, "find", json!({ "serial": serial }), now)?;
    }
    let sql = "update device_cert set used_at = $2 where serial = $1 and used_at is null";
    if tx.execute(sql, params![serial, now.0])? == 0 {
        return Ok(());
    }
    let sql = "update device_cert set state = 'revoked', revoked_at = $3
         where device = $1 and state = 'valid' and serial <> $2
           and issued_at <= (select issued_at from device_cert where serial = $2)";
    let ended = tx.execute(sql, params![device.as_str(), serial, now.0])?;
    if ended == 0 {
        return Ok(());
    }
    change::bump(tx, change::DEVICE)?;
    noted(tx, device, "supersede", json!({ "serial": serial, "certificates": ended }), now)
}

/// Whoever has the number `authority` signed the certificate `serial`, which was shown.
pub fn signed_by(tx: &Tx<'_>, serial: &str, authority: &str) -> Result<(), Error> {
    let sql = "update device_cert set authority = $2 where serial = $1";
    tx.execute(sql, params![serial, authority]).map(drop)
}

/// The certificate `serial` is the one with `digest`, unless another is known by that number.
pub fn identify(tx: &Tx<'_>, serial: &str, digest: &str) -> Result<(), Error> {
    let sql = "update device_cert set digest = $2 where serial = $1 and digest is null";
    tx.execute(sql, params![serial, digest]).map(drop)
}

/// `device` showed a certificate of an older authority under a number that was given here.
///
/// Without a digest nobody can say whether it is that one: it counts as found.
pub fn doubted(tx: &Tx<'_>, device: &DeviceId, serial: &str, now: Wall) -> Result<(), Error> {
    let sql = "update device_cert set found_at = $2
         where serial = $1 and digest is null and found_at is null";
    if tx.execute(sql, params![serial, now.0])? == 0 {
        return Ok(());
    }
    noted(tx, device, "find", json!({ "serial": serial }), now)
}

/// `device` showed a certificate that was forged with the key of `authority`, and was refused.
///
/// One such a door is remembered, by its digest: whoever has that key can make any number.
pub fn refused(
    tx: &Tx<'_>,
    device: &DeviceId,
    (digest, authority): (&str, &str),
    now: Wall,
) -> Result<(), Error> {
    let sql = "insert into device_cert
             (serial, device, state, issued_at, expires_at, revoked_at, found_at, authority)
         select $1, id, 'revoked', $3, $4, $3, $3, $5 from device where id = $2 and not exists
             (select 1 from device_cert
                 where device = $2 and revoked_at = found_at and expires_at > $3)
         on conflict (serial) do nothing";
    let until = now.plus_ms(DEVICE_DAYS * DAY_MS);
    if tx.execute(sql, params![digest, device.as_str(), now.0, until.0, authority])? == 0 {
        return Ok(());
    }
    noted(tx, device, "refuse", json!({ "digest": digest }), now)
}

/// Whether somebody here remembers giving the certificate with this number and digest, and the one
/// it was given for.
pub fn is_given(tx: &Tx<'_>, (serial, digest): (&str, &str)) -> Result<bool, Error> {
    let sql = "select 1 from device_cert
         where serial = $1 and digest = $2 and found_at is null";
    Ok(tx.row(sql, [serial, digest], |_| Ok(()))?.is_some())
}

/// Doors with such a certificate: since `since`, and those that the authority `signer` gives no
/// successor. Who was given one since then is well.
pub fn found(tx: &Tx<'_>, signer: &str, since: Wall, now: Wall) -> Result<Vec<CareFound>, Error> {
    let sql = "select device, max(found_at), max(case when c.authority <> $1
             and (c.state = 'revoked' or c.authority <> '') then 1 else 0 end)
         from device_cert c join device d on d.id = c.device and d.is_active = 1
         where found_at is not null and expires_at > $3
             and (found_at >= $2 or c.authority not in ('', $1))
             and (c.state = 'valid' or revoked_at = found_at)
             and not exists (select 1 from device_cert n where n.device = c.device
                 and n.found_at is null and n.issued_at > c.found_at)
         group by device order by device limit 100";
    tx.query(sql, params![signer, since.0, now.0], |row| {
        Ok(CareFound { device: row.get(0)?, at: Wall(row.get(1)?), is_refused: row.get(2)? })
    })
}

/// Certificates that count: numbers and digests.
pub fn counting(tx: &Tx<'_>, now: Wall) -> Result<Vec<(String, Option<String>)>, Error> {
    let sql = "select serial, digest from device_cert where state = 'valid' and expires_at > $1";
    tx.query(sql, [now.plus_ms(-DAY_MS).0], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Doors that could still come and have shown no certificate of `authority` yet.
///
/// While there is one, the authority before it counts. Those whose certificates all ended have to
/// join again anyway, so that nobody is waited for longer than a certificate lives.
pub fn behind(tx: &Tx<'_>, authority: &str, now: Wall) -> Result<Vec<DeviceId>, Error> {
    let sql = "select id from device where is_active = 1
         and exists (select 1 from device_cert where device = device.id
             and state = 'valid' and expires_at > $2)
         and not exists (select 1 from device_cert where device = device.id
             and state = 'valid' and authority = $1)
         order by id limit 100";
    tx.query(sql, params![authority, now.0], |row| device::device_id(row, 0))
}

/// Certificates that ended before their time and could still be shown.
pub fn ended(tx: &Tx<'_>, now: Wall) -> Result<Vec<Ended>, Error> {
    let sql = "select serial, device, expires_at from device_cert
         where state = 'revoked' and expires_at > $1 order by serial";
    tx.query(sql, params![now.plus_ms(-DAY_MS).0], |row| {
        Ok(Ended { serial: row.get(0)?, device: row.get(1)?, ends: Wall(row.get(2)?) })
    })
}

/// Ends again what an older backup brought back. A door none of whose certificates counts any
/// more is cut off.
pub fn end_again(tx: &Tx<'_>, ended: &[Ended], now: Wall) -> Result<usize, Error> {
    let mut back = 0;
    let sql = "update device_cert set state = 'revoked', revoked_at = $2
         where serial = $1 and state = 'valid'";
    // One that the older copy never knew would count as new when it is shown.
    let unknown =
        "insert into device_cert (serial, device, state, issued_at, expires_at, revoked_at)
         select $1, id, 'revoked', $2, $3, $2 from device where id = $4
         on conflict (serial) do nothing";
    for Ended { serial, device, ends } in ended {
        tx.execute(unknown, params![serial, now.0, ends.0, device])?;
        if tx.execute(sql, params![serial, now.0])? == 0 {
            continue;
        }
        back += 1;
        let sql = "update device set is_active = 0, online = 0, version = version + 1
             where id = $1 and is_active = 1 and not exists
             (select 1 from device_cert where device = $1 and state = 'valid')";
        tx.execute(sql, params![device])?;
    }
    if back > 0 {
        change::bump(tx, change::DEVICE)?;
    }
    Ok(back)
}

/// Doors that are cut off.
pub fn cut_off(tx: &Tx<'_>) -> Result<Vec<DeviceId>, Error> {
    tx.query("select id from device where is_active = 0", [], |row| device::device_id(row, 0))
}

/// Remembers that a certificate was shown from two places in turn.
pub fn twin(
    tx: &Tx<'_>,
    device: &DeviceId,
    serial: &str,
    (one, other): (IpAddr, IpAddr),
    now: Wall,
) -> Result<(), Error> {
    if device::get(tx, device)?.is_none() {
        return Ok(());
    }
    let sql = "insert into twin (serial, device, one, other, first_at, last_at)
         values ($1, $2, $3, $4, $5, $5) on conflict (serial) do update
         set one = excluded.one, other = excluded.other, last_at = excluded.last_at";
    let (one, other) = (one.to_string(), other.to_string());
    tx.execute(sql, params![serial, device.as_str(), one, other, now.0])?;
    noted(tx, device, "twin", json!({ "serial": serial, "addresses": [one, other] }), now)
}

/// Certificates that were shown from two places in turn since `since` and still count, newest
/// first: a person cuts the door off and lets it join again.
pub fn twins(tx: &Tx<'_>, since: Wall) -> Result<Vec<Twin>, Error> {
    let sql = "select t.device, t.serial, t.one, t.other, t.last_at from twin t
         join device_cert c on c.serial = t.serial and c.state = 'valid'
         where t.last_at >= $1 order by t.last_at desc limit 100";
    tx.query(sql, params![since.0], |row| {
        Ok(Twin {
            device: device::device_id(row, 0)?,
            serial: row.get(1)?,
            places: (row.get(2)?, row.get(3)?),
            last: Wall(row.get(4)?),
        })
    })
}

fn noted(
    tx: &Tx<'_>,
    id: &DeviceId,
    action: &str,
    meta: serde_json::Value,
    now: Wall,
) -> Result<(), Error> {
    let entry = audit::AuditEntry { actor: "hub", action, table: "device", id: id.as_str(), meta };
    audit::add(tx, now, &entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Db;
    use wire::Direction;

    const NOW: Wall = Wall(1_790_000_000_000);
    const ENDS: Wall = Wall(NOW.0 + 90 * DAY_MS);

    fn door() -> DeviceId {
        "door-1".parse().unwrap()
    }

    async fn with_door() -> (tempfile::TempDir, Db) {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path().join("hub.db")).unwrap();
        let (room, location) = ("204".to_owned(), String::new());
        let place = device::DevicePlace { room, location, direction: Direction::Both };
        let write = move |tx: &Tx<'_>| {
            device::add(tx, &door(), &place, "t", NOW)?;
            device::add_cert(tx, &door(), "aa", ENDS, NOW)
        };
        db.write(write).await.unwrap();
        (dir, db)
    }

    #[tokio::test]
    async fn a_door_is_waited_for_until_it_shows_the_next_authoritys_certificate_or_cannot_come() {
        let (_dir, db) = with_door().await;
        let after = db.write(move |tx| {
            used(tx, &door(), "aa", ENDS, NOW)?;
            signed_by(tx, "aa", "old")?;
            let before = behind(tx, "new", NOW)?;
            let ended = behind(tx, "new", ENDS)?;
            device::renew_cert(tx, &door(), ("aa", "bb"), ENDS, NOW)?;
            let given = behind(tx, "new", NOW)?;
            signed_by(tx, "bb", "new")?;
            let shown = behind(tx, "new", NOW)?;
            device::revoke(tx, &door(), "t", NOW)?;
            Ok([before, given, ended, shown, behind(tx, "newer", NOW)?])
        });
        let none = vec![];
        let waits = vec![door()];
        assert_eq!(after.await.unwrap(), [waits.clone(), waits, none.clone(), none.clone(), none]);
    }

    fn serials(tx: &Tx<'_>) -> Result<Vec<String>, Error> {
        Ok(ended(tx, NOW)?.into_iter().map(|ended| ended.serial).collect())
    }

    #[tokio::test]
    async fn the_first_use_of_a_successor_ends_the_one_before() {
        let (_dir, db) = with_door().await;
        let later = NOW.plus_ms(1);
        let after = db.write(move |tx| {
            used(tx, &door(), "aa", ENDS, NOW)?;
            device::renew_cert(tx, &door(), ("aa", "bb"), ENDS, later)?;
            let kept = serials(tx)?;
            used(tx, &door(), "aa", ENDS, later)?;
            let still = serials(tx)?;
            used(tx, &door(), "bb", ENDS, later)?;
            let refused = device::renew_cert(tx, &door(), ("aa", "cc"), ENDS, later);
            Ok((kept, still, serials(tx)?, matches!(refused, Err(Error::Unauthorised(_)))))
        });
        let none = Vec::<String>::new();
        assert_eq!(after.await.unwrap(), (none.clone(), none, vec!["aa".to_owned()], true));
    }

    #[tokio::test]
    async fn what_ended_ends_again_in_an_older_copy_and_cuts_its_door_off() {
        let (_dir, db) = with_door().await;
        let ended =
            |serial: &str| Ended { serial: serial.into(), device: "door-1".into(), ends: ENDS };
        let (other, own) = ([ended("zz")], [ended("aa")]);
        let write = move |tx: &Tx<'_>| {
            let other = end_again(tx, &other, NOW)?;
            let active = device::get(tx, &door())?.is_some_and(|door| door.is_active);
            Ok((other, active, end_again(tx, &own, NOW)?, cut_off(tx)?, serials(tx)?))
        };
        let known = vec!["aa".to_owned(), "zz".to_owned()];
        let expected = (0, true, 1, vec![door()], known);
        assert_eq!(db.write(write).await.unwrap(), expected);
    }

    #[tokio::test]
    async fn a_certificate_that_a_restored_hub_does_not_know_is_known_once_it_is_shown() {
        let (_dir, db) = with_door().await;
        let ends = ENDS.plus_ms(DAY_MS);
        let write = move |tx: &Tx<'_>| {
            used(tx, &door(), "bb", ends, NOW)?;
            used(tx, &"nobody".parse().unwrap(), "cc", ends, NOW)?;
            device::renew_cert(tx, &door(), ("bb", "dd"), ends, NOW)?;
            serials(tx)
        };
        assert_eq!(db.write(write).await.unwrap(), ["aa"]);
    }

    #[tokio::test]
    async fn what_nobody_here_gave_is_told_until_the_door_joins_again() {
        let (_dir, db) = with_door().await;
        let (later, of) = (NOW.plus_ms(1), |tx: &Tx<'_>, signer| found(tx, signer, NOW, NOW));
        let after = db.write(move |tx| {
            refused(tx, &door(), ("zz", "old"), NOW)?;
            refused(tx, &door(), ("yy", "old"), NOW)?;
            let of_one = (serials(tx)?, of(tx, "new")?);
            device::add_cert(tx, &door(), "cc", ENDS, later)?;
            let joined = of(tx, "new")?;
            used(tx, &door(), "bb", ENDS.plus_ms(1), later)?;
            signed_by(tx, "bb", "old")?;
            let seen = (of(tx, "old")?, of(tx, "new")?);
            device::revoke(tx, &door(), "t", later)?;
            Ok((of_one, joined, seen, of(tx, "new")?))
        });
        let found = |at, is_refused| vec![CareFound { device: "door-1".into(), at, is_refused }];
        let seen = (found(later, false), found(later, true));
        let expected = ((vec!["zz".to_owned()], found(NOW, true)), vec![], seen, vec![]);
        assert_eq!(after.await.unwrap(), expected);
    }

    #[tokio::test]
    async fn a_copied_certificate_is_a_worry_until_it_ends() {
        let (_dir, db) = with_door().await;
        let places = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let after = db.write(move |tx| {
            twin(tx, &door(), "aa", places, NOW)?;
            let seen = twins(tx, NOW)?;
            device::revoke(tx, &door(), "t", NOW)?;
            Ok((seen[0].places.clone(), twins(tx, NOW)?.len()))
        });
        assert_eq!(after.await.unwrap(), (("10.0.0.1".into(), "10.0.0.2".into()), 0));
    }
}
