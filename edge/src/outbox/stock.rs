//! How much waits for the hub, and for how long.

use super::{Book, OutboxError};
use crate::status::Stock;
use rusqlite::OptionalExtension as _;
use wire::Wall;

impl Book {
    /// What waits for the hub. Counting is a walk through an index of what waits: not for each
    /// record.
    ///
    /// # Errors
    /// When the outbox cannot be read.
    pub fn stock(&self) -> Result<Stock, OutboxError> {
        let sql = "select count(*) from outbox where acked_at is null";
        let waiting = self.db.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0))?;
        let oldest = |lane: i64| {
            let sql = "select wall_ms from outbox where lane = ?1 and acked_at is null
                       order by seq limit 1";
            let mut found = self.db.prepare_cached(sql)?;
            Ok::<_, OutboxError>(found.query_row([lane], |row| row.get(0)).optional()?.flatten())
        };
        // The backlog is older, and may be without a time.
        let since = oldest(1)?.or(oldest(0)?).map(Wall);
        let waiting = waiting.cast_unsigned();
        let rows = share(waiting, self.setup.max_rows);
        let bytes = share(self.bytes()?, self.setup.max_bytes) * waiting / self.rows.max(1);
        let full = u8::try_from(rows.max(bytes).min(100)).unwrap_or(100);
        Ok(Stock { waiting, since, full })
    }
}

fn share(part: u64, of: u64) -> u64 {
    part.saturating_mul(100) / of.max(1)
}
