//! Table `door_update`: programs for doors that somebody signed. Their files lie beside the
//! database.

use super::{Read, Row, Tx, audit, params, parsed, setting};
use rules::error::{Doing, Error};
use serde_json::json;
use wire::Wall;
use wire::program::{Machine, Program};
use wire::sign::Signed;

/// The setting that names whose programs are handed on: a public key in hexadecimal digits.
const KEY: &str = "program_key";

/// A program that can be handed on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Update {
    /// BLAKE3 of it in hexadecimal digits.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it runs on.
    pub machine: Machine,
    /// When it was released.
    pub released: Wall,
    /// Bytes.
    pub length: u64,
    /// When it came here.
    pub added: Wall,
    /// Who brought it.
    pub added_by: String,
}

/// The key of whoever signs programs for doors, if the school trusts one.
pub fn key(tx: &Tx<'_>) -> Result<Option<[u8; 32]>, Error> {
    let digits = setting::get(tx, KEY)?;
    let hash = digits.map(blake3::Hash::from_hex).transpose();
    Ok(hash.doing("reading whose programs doors take")?.map(|hash| *hash.as_bytes()))
}

/// From now on doors that join take programs that `key` signed.
pub fn trust(tx: &Tx<'_>, key: &[u8; 32], actor: &str, now: Wall) -> Result<(), Error> {
    let digits = blake3::Hash::from_bytes(*key).to_hex().to_string();
    setting::set(tx, KEY, &digits)?;
    noted(tx, "trust", &digits, json!({}), actor, now)
}

/// Remembers a program; one that is known is brought anew.
pub fn add(
    tx: &Tx<'_>,
    program: &Program,
    signed: &Signed,
    actor: &str,
    now: Wall,
) -> Result<Update, Error> {
    let bytes = postcard::to_stdvec(signed).doing("storing an update")?;
    let name = program.name();
    let sql = "insert into door_update (name, version, machine, released_at, length, signed,
             added_at, added_by) values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (name) do update set version = excluded.version,
             released_at = excluded.released_at, signed = excluded.signed,
             added_at = excluded.added_at, added_by = excluded.added_by";
    let machine = program.machine.as_str();
    let length = super::cursor::signed(program.length);
    let values =
        params![name, program.version, machine, program.released.0, length, bytes, now.0, actor];
    tx.execute(sql, values)?;
    let meta = json!({ "version": program.version, "machine": machine });
    noted(tx, "add", &name, meta, actor, now)?;
    get(tx, &name)
}

/// The update `name`.
///
/// # Errors
/// `NotFound` when there is none.
pub fn get(tx: &Tx<'_>, name: &str) -> Result<Update, Error> {
    let sql = format!("select {COLUMNS} from door_update where name = $1");
    tx.row(&sql, params![name], read)?.ok_or_else(|| Error::unknown("update", name))
}

/// The newest updates, at most `limit`.
pub fn list(tx: &Tx<'_>, limit: u32) -> Result<Vec<Update>, Error> {
    let sql = format!(
        "select {COLUMNS} from door_update order by added_at desc, released_at desc, name limit $1"
    );
    tx.query(&sql, params![limit], read)
}

const COLUMNS: &str = "name, version, machine, released_at, length, added_at, added_by";

fn read(row: &Row<'_>) -> Read<Update> {
    Ok(Update {
        name: row.get(0)?,
        version: row.get(1)?,
        machine: parsed(row, 2)?,
        released: Wall(row.get(3)?),
        length: super::unsigned(row, 4)?,
        added: Wall(row.get(5)?),
        added_by: row.get(6)?,
    })
}

fn noted(
    tx: &Tx<'_>,
    action: &str,
    id: &str,
    meta: serde_json::Value,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    audit::add(tx, now, &audit::AuditEntry { actor, action, table: "update", id, meta })
}
