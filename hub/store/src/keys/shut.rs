//! What the key store remembers of what opened an account and does no more.

use super::Keys;
use crate::params;
use crate::row::Row;
use crate::shut::{KEPT_MS, Shut, ShutKind};
use rules::error::Error;
use wire::Wall;

pub(super) const SCHEMA: &str = "
    create table if not exists shut (
        kind text not null, what text not null, at bigint not null, primary key (kind, what)
    ) without rowid;";

impl Keys {
    /// Remembers that these open nothing any more, as long as an older backup could say otherwise.
    pub fn remember_shut(&self, shut: &[Shut], now: Wall) -> Result<(), Error> {
        let old = now.plus_ms(-KEPT_MS).0;
        let sql = "insert into shut (kind, what, at) values ($1, $2, $3)
             on conflict (kind, what) do update set at = excluded.at where shut.at < excluded.at";
        self.write(|tx, _| {
            tx.execute("delete from shut where at < $1", params![old])?;
            shut.iter().try_for_each(|Shut { kind, what, at }| {
                tx.execute(sql, params![kind.as_str(), what, at.0]).map(drop)
            })
        })
    }

    /// What opens no account any more.
    pub fn shut(&self) -> Result<Vec<Shut>, Error> {
        let one = |row: &Row<'_>| {
            let what = row.get(1)?;
            let at = Wall(row.get(2)?);
            let kind = ShutKind::of(&row.get::<String>(0)?);
            Ok(kind.map(|kind| Shut { kind, what, at }))
        };
        let sql = "select kind, what, at from shut order by at";
        let found = self.read(|tx, _| tx.query(sql, [], one))?;
        Ok(found.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_time_counts_and_old_ones_are_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::create(dir.path(), Wall(1)).unwrap();
        let one = |at| Shut { kind: ShutKind::Passkey, what: "p".into(), at: Wall(at) };
        keys.remember_shut(&[one(5)], Wall(5)).unwrap();
        keys.remember_shut(&[one(9)], Wall(9)).unwrap();
        keys.remember_shut(&[one(7)], Wall(9)).unwrap();
        assert_eq!(Keys::open(dir.path()).unwrap().shut().unwrap(), [one(9)]);
        keys.remember_shut(&[], Wall(10 + KEPT_MS)).unwrap();
        assert_eq!(keys.shut().unwrap(), []);
    }
}
