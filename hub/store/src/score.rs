//! The scores of passages that people decided, across `sighting` and `candidate`.

use super::{Tx, params};
use rules::attendance::marking::HUB;
use rules::error::Error;
use rules::scores::{Scores, single};
use vision::decide::FUSED;
use wire::{Lines, ModelId};

/// Decisions of each kind that are looked at: the newest.
const MOST: u32 = 20_000;

/// The scores of the newest decided passages of `model`, whose lines usually lie at `usual`. What
/// the hub approved by itself tells nothing: nobody looked.
pub fn decided(tx: &Tx<'_>, model: &ModelId, usual: &Lines) -> Result<Scores, Error> {
    let mut scores = Scores::default();
    for status in ["approved", "rejected"] {
        let sql = "select c.score, s.frames >= $3, case when s.decided_student = c.student then 1 else 0 end
             from (select id, frames, decided_student, model, reviewer from sighting
                 where review_status = $1 order by order_at desc limit $5) s
             join candidate c on c.sighting = s.id
             where s.model = $2 and coalesce(s.reviewer, $4) <> $4
                 and c.rank = (select min(f.rank) from candidate f where f.sighting = s.id)";
        let values = params![status, model.as_str(), FUSED, HUB, MOST];
        let rows = tx.query(sql, values, |row| {
            Ok((row.get::<f64>(0)?, row.get::<bool>(1)?, row.get::<bool>(2)?))
        })?;
        for (score, fused, right) in rows {
            let score = single(score, fused, usual);
            if right { scores.right.add(score, 1) } else { scores.wrong.add(score, 1) }
        }
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Db;
    use crate::device;
    use crate::device::DevicePlace;
    use crate::student;
    use crate::student::StudentProfile;
    use wire::{Direction, StudentId, Wall};

    const MODEL: &str = "test-1";
    const USUAL: Lines = Lines {
        single_high: 0.960,
        single_review: 0.945,
        fused_high: 0.970,
        fused_review: 0.955,
        margin: 0.01,
    };

    /// A passage: its state, who was decided, by whom, from how many frames, by which network; and
    /// the scores of its candidates, best first: the first student’s, then the second’s.
    struct Passage {
        status: &'static str,
        decided: Option<usize>,
        reviewer: Option<&'static str>,
        frames: u16,
        model: &'static str,
        scores: &'static [f64],
    }

    const USUALLY: Passage = Passage {
        status: "approved",
        decided: Some(0),
        reviewer: Some("ada"),
        frames: 1,
        model: MODEL,
        scores: &[0.980, 0.950],
    };

    fn add(tx: &Tx<'_>, people: &[StudentId], n: usize, one: &Passage) -> Result<(), Error> {
        let sql = "insert into sighting (id, device, epoch, seq, boot, mono, clock, order_at, room,
                 direction, reasons, quality, confidence, verdict, frames, model, gallery,
                 review_status, decided_student, reviewer, received_at, version)
             values ($1, 'd1', x'00', $2, 1, 1, 'ntp', $2, 'R', 'entry', '[]', '{}', 0.9, 'review',
                 $3, $4, 1, $5, $6, $7, $2, 1)";
        let id = uuid::Uuid::from_u128(n as u128 + 1).to_string();
        let n = u32::try_from(n).unwrap() + 1;
        let decided = one.decided.map(|of| people[of].to_string());
        let values = params![id, n, one.frames, one.model, one.status, decided, one.reviewer];
        tx.execute(sql, values)?;
        for (rank, score) in (1u32..).zip(one.scores) {
            let sql =
                "insert into candidate (sighting, rank, student, score) values ($1, $2, $3, $4)";
            tx.execute(sql, params![id, rank, people[rank as usize - 1].to_string(), score])?;
        }
        Ok(())
    }

    /// What is counted of these passages: the score of each right and each wrong name.
    async fn counted(passages: &'static [Passage]) -> (Vec<usize>, Vec<usize>) {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path().join("hub.db")).unwrap();
        let write = move |tx: &Tx<'_>| {
            let (room, location) = ("R".to_owned(), String::new());
            let place = DevicePlace { room, location, direction: Direction::Entry };
            device::add(tx, &"d1".parse().unwrap(), &place, "t", Wall(1))?;
            let student = |n: u32| {
                let (student_number, first_name) = (n.to_string(), "A".to_owned());
                let profile =
                    StudentProfile { student_number, first_name, ..StudentProfile::default() };
                student::add(tx, profile, "t", Wall(1))
            };
            let people = (1..=2).map(student).collect::<Result<Vec<_>, _>>()?;
            let each = |(n, one): (usize, &Passage)| add(tx, &people, n, one);
            passages.iter().enumerate().try_for_each(each)
        };
        db.write(write).await.unwrap();
        let model: ModelId = MODEL.parse().unwrap();
        let scores = db.read(move |tx| decided(tx, &model, &USUAL)).await.unwrap();
        let steps = |of: &rules::scores::Histogram| {
            let counts = of.steps().iter().enumerate();
            counts.flat_map(|(step, count)| vec![step; usize::try_from(*count).unwrap()]).collect()
        };
        (steps(&scores.right), steps(&scores.wrong))
    }

    fn at(scores: &[f64]) -> Vec<usize> {
        scores.iter().map(|score| rules::scores::step(*score)).collect()
    }

    #[tokio::test]
    async fn what_people_approved_is_right_and_what_they_corrected_or_rejected_is_wrong() {
        let counted = counted(&[
            USUALLY,
            Passage { decided: Some(1), scores: &[0.962, 0.960], ..USUALLY },
            Passage { status: "rejected", decided: None, scores: &[0.948], ..USUALLY },
        ]);
        assert_eq!(counted.await, (at(&[0.980]), at(&[0.948, 0.962])), "the best candidate only");
    }

    #[tokio::test]
    async fn what_nobody_looked_at_and_what_another_network_said_tells_nothing() {
        let counted = counted(&[
            Passage { reviewer: Some(HUB), ..USUALLY },
            Passage { status: "pending", decided: None, reviewer: None, ..USUALLY },
            Passage { status: "logged", decided: None, reviewer: None, ..USUALLY },
            Passage { model: "other-1", ..USUALLY },
            Passage { scores: &[], ..USUALLY },
        ]);
        assert_eq!(counted.await, (vec![], vec![]));
    }

    #[tokio::test]
    async fn a_fused_score_counts_as_that_of_one_picture() {
        let counted = counted(&[Passage { frames: FUSED, ..USUALLY }, USUALLY]);
        assert_eq!(counted.await.0, at(&[0.970, 0.980]), "its lines lie a hundredth higher");
    }
}
