//! The schema of a school on a server, made and brought up to date.

use super::apart;
use super::server::Server;
use crate::Tx;
use ::postgres::Client;
use rules::error::{Doing, Error};

mod migrations {
    refinery::embed_migrations!("migrations/postgres");
}

/// Makes the schema that is this school's, and brings it up to date.
///
/// # Errors
/// When it cannot be reached, or is of a newer program.
pub(crate) fn up(server: &Server) -> Result<(), Error> {
    let way = server.way(None)?;
    apart(|| up_by(&mut way.open()?, server))
}

fn up_by(client: &mut Client, server: &Server) -> Result<(), Error> {
    let doing = format!("updating the schema of {server}");
    // Two hubs may begin at once; the lock goes with the connection.
    client.execute("select pg_advisory_lock($1)", &[&server.turn()]).doing(&doing)?;
    let schema = server.schema_name();
    let sql = format!("create schema if not exists {schema}");
    client.batch_execute(&sql).doing(&doing)?;
    let applied = applied(client)?;
    if applied > Some(newest()) {
        let why = "it was written by a newer version of this program: install that one";
        return Err(Error::internal(format!("opening {server}"), why));
    }
    let runner = migrations::migrations::runner().set_grouped(true).set_abort_divergent(true);
    runner.run(client).doing(&doing).map(drop)
}

/// The version of the schema that this program knows.
pub(crate) fn newest() -> i32 {
    let runner = migrations::migrations::runner();
    runner.get_migrations().iter().map(refinery::Migration::version).max().unwrap_or(0)
}

/// After rows with numbers of their own: the next ones follow the highest.
pub(crate) fn number_on(tx: &Tx<'_>) -> Result<(), Error> {
    let sql = "select relname::text, attname::text from pg_attribute
               join pg_class c on c.oid = attrelid
               where relnamespace = current_schema()::regnamespace and attidentity <> ''";
    let numbered = tx.query(sql, [], |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)))?;
    for (table, n) in numbered {
        let sql = format!(
            "select setval(pg_get_serial_sequence('{table}', '{n}'), greatest(max({n}), 1),
                           max({n}) is not null) from {table}"
        );
        tx.row(&sql, [], |_| Ok(()))?;
    }
    Ok(())
}

/// The version of the schema there; nothing before the first.
pub(crate) fn applied(client: &mut Client) -> Result<Option<i32>, Error> {
    let doing = "reading the schema's version";
    let sql = "select to_regclass('refinery_schema_history') is not null";
    let is_there: bool = client.query_one(sql, &[]).and_then(|row| row.try_get(0)).doing(doing)?;
    if !is_there {
        return Ok(None);
    }
    let sql = "select max(version) from refinery_schema_history";
    client.query_one(sql, &[]).and_then(|row| row.try_get(0)).doing(doing)
}
