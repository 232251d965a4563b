//! Both databases have the same tables, columns, keys, indexes and triggers.

use crate::catalog::{self, Table};
use crate::{Database, Db, Tx};
use rules::error::Error;

const SQLITE: &str = "select type || ' ' || name || ' on ' || tbl_name from sqlite_schema
    where type in ('index', 'trigger') and sql is not null
    and tbl_name <> 'refinery_schema_history' order by 1";
const POSTGRES: &str = "select * from (
        select 'index ' || i.relname || ' on ' || t.relname as said from pg_index
        join pg_class i on i.oid = indexrelid join pg_class t on t.oid = indrelid
        where t.relnamespace = current_schema()::regnamespace
        and t.relname <> 'refinery_schema_history'
        and not exists (select 1 from pg_constraint where conindid = indexrelid)
        union all
        select 'trigger ' || tgname || ' on ' || relname from pg_trigger
        join pg_class c on c.oid = tgrelid
        where relnamespace = current_schema()::regnamespace and not tgisinternal
    ) all_of_them order by said collate \"C\"";

fn shape(place: &Database, beside: &str) -> (Vec<Table>, Vec<String>) {
    drop(Db::open(place).unwrap());
    let ask = |tx: &Tx<'_>| {
        let tables = catalog::tables(tx, place)?;
        Ok::<_, Error>((tables, tx.query(beside, [], |row| row.get(0))?))
    };
    place.read(ask).unwrap()
}

#[test]
fn the_two_schemas_are_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hub.db");
    let file = shape(&Database::File(path.clone()), SQLITE);
    assert!(file.0.len() > 60 && file.1.len() > 60, "{file:?}");
    // There is one when `tests/postgres/run` runs this.
    let Database::Server(server) = Database::from(path) else { return };
    let server = shape(&Database::Server(server), POSTGRES);
    let sorted = |tables: Vec<Table>| {
        let sort = |mut table: Table| {
            table.columns.sort();
            table
        };
        tables.into_iter().map(sort).collect::<Vec<_>>()
    };
    assert_eq!(sorted(file.0), sorted(server.0));
    assert_eq!(file.1, server.1);
}
