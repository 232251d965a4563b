//! What is stored about the hub's clock: a leap that was noted, and what an admin said of it.

use super::{Tx, params, setting};
use rules::clock::{ClockFacts, ClockHeard, Leap};
use rules::error::{Doing, Error};
use wire::Wall;

/// The settings of both.
const LEAPT: &str = "clock_leapt";
const CONFIRMED: &str = "clock_confirmed";

/// What the database knows about the clock.
///
/// # Errors
/// When it fails.
pub fn facts(tx: &Tx<'_>) -> Result<ClockFacts, Error> {
    let noted = setting::get(tx, LEAPT)?.filter(|text| !text.is_empty());
    let noted =
        noted.map(|text| serde_json::from_str(&text).doing("reading a leap")).transpose()?;
    let confirmed = setting::get(tx, CONFIRMED)?.and_then(|text| text.parse().ok()).map(Wall);
    let last = "select at from audit order by n desc limit 1";
    let written = tx.row(last, [], |row| Ok(Wall(row.get(0)?)))?;
    Ok(ClockFacts { anchor: None, written, doors: doors(tx)?, noted, confirmed })
}

/// What the doors that are connected said last, by their clocks.
fn doors(tx: &Tx<'_>) -> Result<Vec<ClockHeard>, Error> {
    let sql = "select (select max(h.at) from health h where h.device = d.id),
             exists (select 1 from anchor a
                 where a.device = d.id and a.life = d.life and a.boot = d.boot and a.clock = 'ntp')
         from device d where d.online = 1 limit 100";
    let said = tx.query(sql, params![], |row| {
        let at: Option<i64> = row.get(0)?;
        let is_own: bool = row.get(1)?;
        Ok(at.map(|at| ClockHeard { at: Wall(at), is_own }))
    });
    Ok(said?.into_iter().flatten().collect())
}

/// Notes a leap, or that there is none any more.
pub fn note(tx: &Tx<'_>, leap: Option<&Leap>) -> Result<(), Error> {
    let text = leap.map(|leap| serde_json::to_string(leap).doing("noting a leap")).transpose()?;
    setting::set(tx, LEAPT, &text.unwrap_or_default())
}

/// Notes that the clock is right as it is `now`.
pub fn confirm(tx: &Tx<'_>, now: Wall) -> Result<(), Error> {
    note(tx, None)?;
    setting::set(tx, CONFIRMED, &now.0.to_string())
}
