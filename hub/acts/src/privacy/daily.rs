//! Once a day: what is over goes, and the head of the audit chain is signed.

use super::{retention, witness};
use crate::privacy::upkeep::PrivacyUpkeep;
use jiff::civil::Date;
use rules::error::{Doing, Error};
use store::{Tx, audit, audit_head, cursor, setting};
use wire::pulse::Beat;
use witness::Witness;

/// The setting that remembers the last day.
const DONE: &str = "daily_done";

impl PrivacyUpkeep {
    /// Does the day's work if it has not been done; each step of it is a turn of `beat`.
    ///
    /// # Errors
    /// When the database, the key store or the disk fails; then it is done with the next call.
    pub async fn do_the_day(&self, beat: &Beat) -> Result<bool, Error> {
        let now = self.upkeep.clock.wall();
        let today = rules::timetable::day(now, &self.zone).to_string();
        let day = today.clone();
        let done = self.db.read(|tx| setting::get(tx, DONE)).await?;
        if done.as_ref() == Some(&today) {
            return Ok(false);
        }
        let key = self.keys.signing()?;
        let head = self.db.write(move |tx| {
            let signed = witness::sign(&day, audit::head(tx)?, now, &key);
            audit_head::add(tx, &signed)?;
            Ok(signed)
        });
        let witness = Witness::from(head.await?);
        let data = self.data.clone();
        let write = tokio::task::spawn_blocking(move || witness.write(&data));
        write.await.doing("writing the audit chain's head")??;
        let turn = |_| beat.turn();
        let swept = retention::run(&self.upkeep, &self.keys, "hub", now, &turn).await?;
        while self.db.write_behind(cursor::forget_some).await? {
            beat.turn();
        }
        let rows: u64 = swept.iter().map(|swept| swept.rows).sum();
        self.db.write(move |tx| setting::set(tx, DONE, &today)).await?;
        self.flush().await?;
        tracing::info!(rows, "the day's work is done");
        Ok(true)
    }

    /// Empties the database's log, so that what was erased is in no file.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub async fn flush(&self) -> Result<(), Error> {
        let db = self.db.clone();
        let flush = tokio::task::spawn_blocking(move || db.place().flush());
        flush.await.doing("emptying the database's log")?.map(drop)
    }
}

/// The day of the next run: today, within a minute, or else tomorrow, shortly after midnight.
pub fn next(tx: &Tx<'_>, today: Date) -> Result<Date, Error> {
    let done = setting::get(tx, DONE)?.is_some_and(|day| day == today.to_string());
    Ok(if done { today.tomorrow().unwrap_or(today) } else { today })
}
