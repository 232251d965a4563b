//! The scores of passages that people decided, across `sighting` and `candidate`.

use super::{Tx, params};
use crate::attendance::marking::HUB;
use crate::error::Error;
use crate::scores::{Scores, single};
use vision::decide::FUSED;
use wire::{Lines, ModelId};

/// Decisions of each kind that are looked at: the newest.
const MOST: u32 = 20_000;

/// The scores of the newest decided passages of `model`, whose lines usually lie at `usual`. What
/// the hub approved by itself tells nothing: nobody looked.
///
/// # Errors
/// When the database fails.
pub fn decided(tx: &Tx<'_>, model: &ModelId, usual: &Lines) -> Result<Scores, Error> {
    let mut scores = Scores::default();
    for status in ["approved", "rejected"] {
        let sql = "select c.score, s.frames >= $3, coalesce(s.decided_student = c.student, 0)
             from (select id, frames, decided_student, model, reviewer from sighting
                 where review_status = $1 order by order_at desc limit $5) s
             join candidate c on c.sighting = s.id
             where s.model = $2 and coalesce(s.reviewer, $4) <> $4
                 and c.rank = (select min(f.rank) from candidate f where f.sighting = s.id)";
        let values = params![status, model.as_str(), FUSED, HUB, MOST];
        let rows = tx.query(sql, values, |row| {
            Ok((row.get::<_, f64>(0)?, row.get::<_, bool>(1)?, row.get::<_, bool>(2)?))
        })?;
        for (score, fused, right) in rows {
            let score = single(score, fused, usual);
            if right { scores.right.add(score, 1) } else { scores.wrong.add(score, 1) }
        }
    }
    Ok(scores)
}
