//! Which tables there are, as the database itself says.

use crate::{Database, Read, Row, Tx, params};
use rules::error::Error;

/// A table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Table {
    pub name: String,
    /// In their order; a database that was updated step by step may have another one.
    pub columns: Vec<String>,
    /// Those of the primary key, in its order.
    pub key: Vec<String>,
    /// Tables that its rows point to.
    pub needs: Vec<String>,
}

/// How to ask.
struct Questions {
    tables: &'static str,
    columns: &'static str,
    needs: &'static str,
}

const SQLITE: Questions = Questions {
    tables: "select name from sqlite_schema where type = 'table' and name not like 'sqlite!_%' escape '!'
             and name <> 'refinery_schema_history' order by name",
    columns: "select name, pk from pragma_table_info($1) order by cid",
    needs: "select distinct \"table\" from pragma_foreign_key_list($1) where \"table\" <> $1 order by 1",
};

const POSTGRES: Questions = Questions {
    tables: "select relname::text from pg_class where relnamespace = current_schema()::regnamespace
             and relkind = 'r' and relname <> 'refinery_schema_history' order by relname",
    columns: "select attname::text, coalesce(array_position(indkey::int2[], attnum) + 1, 0)
              from pg_attribute left join pg_index on indrelid = attrelid and indisprimary
              where attrelid = to_regclass($1) and attnum > 0 and not attisdropped order by attnum",
    needs:
        "select distinct relname::text from pg_constraint join pg_class r on r.oid = confrelid
            where contype = 'f' and conrelid = to_regclass($1) and confrelid <> conrelid order by 1",
};

/// All tables, each after those that its rows point to.
pub(crate) fn tables(tx: &Tx<'_>, place: &Database) -> Result<Vec<Table>, Error> {
    let ask = match place {
        Database::File(_) => SQLITE,
        Database::Server(_) => POSTGRES,
    };
    let word = |row: &Row<'_>| row.get::<String>(0);
    let mut waiting = Vec::new();
    for name in tx.query(ask.tables, [], word)? {
        let columns = tx.query(ask.columns, params![name], column)?;
        let mut key: Vec<_> = columns.iter().filter(|(_, place)| *place > 0).collect();
        key.sort_by_key(|(_, place)| *place);
        waiting.push(Table {
            key: key.into_iter().map(|(name, _)| name.clone()).collect(),
            columns: columns.iter().map(|(name, _)| name.clone()).collect(),
            needs: tx.query(ask.needs, params![name], word)?,
            name,
        });
    }
    in_order(waiting)
}

fn column(row: &Row<'_>) -> Read<(String, i64)> {
    Ok((row.get(0)?, row.get(1)?))
}

fn in_order(mut waiting: Vec<Table>) -> Result<Vec<Table>, Error> {
    let mut sorted: Vec<Table> = Vec::new();
    while !waiting.is_empty() {
        let is_there = |name: &String| sorted.iter().any(|table| table.name == *name);
        let (ready, rest): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|table| table.needs.iter().all(is_there));
        if ready.is_empty() {
            let why = format!("{} points to itself by way of others", rest[0].name);
            return Err(Error::internal("looking which tables there are", why));
        }
        sorted.extend(ready);
        waiting = rest;
    }
    Ok(sorted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pointed_to_comes_first() {
        let table = |name: &str, needs: &[&str]| Table {
            name: name.into(),
            columns: vec![],
            key: vec![],
            needs: needs.iter().map(|&name| name.to_owned()).collect(),
        };
        let all = vec![table("mark", &["session", "student"]), table("session", &["class"])];
        let more = vec![table("class", &[]), table("student", &[])];
        let sorted = in_order([all, more].concat()).unwrap();
        let names: Vec<_> = sorted.iter().map(|table| &*table.name).collect();
        assert_eq!(names, ["class", "student", "session", "mark"]);
        assert!(in_order(vec![table("a", &["b"]), table("b", &["a"])]).is_err());
    }
}
