//! What the key store keeps about doors: the key of each gallery on a door's disk, and which
//! certificates have ended, so that a backup of the data from before then brings none back.

use super::Keys;
use crate::certificate::Ended;
use crate::params;
use crate::row::Row;
use crate::vault::DataKey;
use rules::error::{Doing, Error};
use wire::{DeviceId, Wall};

/// What the place of a door's key begins with.
pub(super) const PLACE: &str = "door ";

pub(super) const SCHEMA: &str = "
    create table if not exists door_key (
        device text primary key not null, wrapped blob not null, created_at bigint not null
    ) without rowid;
    create table if not exists ended_cert (
        serial text primary key not null, device text not null, ends bigint not null
    ) without rowid;";

impl Keys {
    /// The key of the gallery on `device`'s disk, made if it has none.
    pub fn door_or_new(&self, device: &DeviceId, now: Wall) -> Result<DataKey, Error> {
        let doing = "reading the key of a door's gallery";
        let place = place(device);
        self.write(|tx, kek| {
            let wrapped = kek.wrap(&place, &DataKey::random());
            let sql = "insert into door_key (device, wrapped, created_at) values ($1, $2, $3)
                 on conflict (device) do nothing";
            tx.execute(sql, params![device.as_str(), wrapped, now.0])?;
            let sql = "select wrapped from door_key where device = $1";
            let wrapped = tx.row(sql, params![device.as_str()], |row| row.get::<Vec<u8>>(0))?;
            kek.unwrap(&place, &wrapped.unwrap_or_default()).doing(doing)
        })
    }

    /// Erases the key of the gallery on `device`'s disk: what lies there opens for nobody.
    pub fn erase_door(&self, device: &DeviceId) -> Result<(), Error> {
        let sql = "delete from door_key where device = $1";
        self.write(|tx, _| tx.execute(sql, params![device.as_str()]).map(drop))
    }

    /// Remembers that these certificates ended, as long as they would have been good.
    pub fn remember_ended(&self, ended: &[Ended], now: Wall) -> Result<(), Error> {
        let sql = "insert into ended_cert (serial, device, ends) values ($1, $2, $3)
             on conflict do nothing";
        self.write(|tx, _| {
            tx.execute("delete from ended_cert where ends < $1", params![now.0])?;
            ended.iter().try_for_each(|Ended { serial, device, ends }| {
                tx.execute(sql, params![serial, device, ends.0]).map(drop)
            })
        })
    }

    /// The certificates that ended before their time.
    pub fn ended(&self) -> Result<Vec<Ended>, Error> {
        let sql = "select serial, device, ends from ended_cert order by serial";
        let one = |row: &Row<'_>| {
            Ok(Ended { serial: row.get(0)?, device: row.get(1)?, ends: Wall(row.get(2)?) })
        };
        self.read(|tx, _| tx.query(sql, [], one))
    }

    /// Whether `device` has a key of its gallery here.
    pub fn has_door(&self, device: &DeviceId) -> Result<bool, Error> {
        let sql = "select 1 from door_key where device = $1";
        let found = self.read(|tx, _| tx.row(sql, params![device.as_str()], |_| Ok(())))?;
        Ok(found.is_some())
    }
}

fn place(device: &DeviceId) -> String {
    format!("{PLACE}{device}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_gets_the_same_key_until_it_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::create(dir.path(), Wall(1)).unwrap();
        let (one, two) = ("door-1".parse().unwrap(), "door-2".parse().unwrap());
        let key = |door| *keys.door_or_new(door, Wall(1)).unwrap().as_bytes();
        let first = key(&one);
        assert!(first == key(&one) && first != key(&two));
        keys.erase_door(&one).unwrap();
        assert!(!keys.has_door(&one).unwrap() && keys.has_door(&two).unwrap());
        assert_ne!(key(&one), first);
    }

    #[test]
    fn certificates_that_ended_are_remembered_while_they_could_be_shown() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::create(dir.path(), Wall(1)).unwrap();
        let ended = |serial: &str, ends| Ended {
            serial: serial.into(),
            device: "d".into(),
            ends: Wall(ends),
        };
        let both = [ended("aa", 10), ended("bb", 20)];
        keys.remember_ended(&both, Wall(1)).unwrap();
        keys.remember_ended(&both, Wall(1)).unwrap();
        assert_eq!(Keys::open(dir.path()).unwrap().ended().unwrap(), both);
        keys.remember_ended(&[], Wall(11)).unwrap();
        assert_eq!(keys.ended().unwrap(), both[1..]);
    }
}
