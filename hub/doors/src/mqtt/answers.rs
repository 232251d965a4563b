//! Acknowledgements of one connection: at once after a silence, gathered while it is busy.
//!
//! A pure state machine: it is told what was committed and what time it is, and says what to
//! send. A lost acknowledgement costs a resend and nothing else.

use std::time::Duration;
use tokio::time::Instant;
use wire::link::{ACK_RANGES, Ack};

/// Between two acknowledgements; what is committed meanwhile shares the next one.
const GATHER: Duration = Duration::from_millis(250);
/// Records that are acknowledged at once.
const ENOUGH: usize = 64;

/// What is committed and not yet told.
#[derive(Debug, Default)]
pub struct Answers {
    due: Option<MqttDue>,
    last: Option<Ack>,
    spoke: Option<Instant>,
}

#[derive(Debug)]
struct MqttDue {
    ack: Ack,
    records: usize,
    at: Instant,
}

impl Answers {
    /// `records` more were committed and `ack` is the cursor after them. Returns what must be
    /// sent before anything else: the cursor of another epoch, or what `ack` does not name again
    /// because one of them names as much as it can.
    pub fn committed(&mut self, ack: Ack, records: usize, now: Instant) -> Option<Ack> {
        let apart =
            |due: &mut MqttDue| due.ack.epoch != ack.epoch || is_full(&due.ack) || is_full(&ack);
        let other = self.due.take_if(apart).map(|due| self.told(due));
        match &mut self.due {
            Some(due) => {
                let mut rejects = std::mem::take(&mut due.ack.rejects);
                rejects.extend(ack.rejects);
                due.ack = Ack { rejects, ..ack };
                due.records += records;
            }
            None => {
                let at = self.spoke.map_or(now, |spoke| now.max(spoke + GATHER));
                self.due = Some(MqttDue { ack, records, at });
            }
        }
        other
    }

    /// When [`Answers::take`] has something to say, if nothing more comes.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.due.as_ref().map(|due| due.at)
    }

    /// What is due at `now`.
    pub fn take(&mut self, now: Instant) -> Option<Ack> {
        let due = self.due.take_if(|due| due.records >= ENOUGH || due.at <= now)?;
        self.spoke = Some(now);
        Some(self.told(due))
    }

    /// Everything committed so far, due or not; the last cursor again if nothing is new.
    pub fn flush(&mut self) -> Option<Ack> {
        match self.due.take() {
            Some(due) => Some(self.told(due)),
            None => self.last.clone(),
        }
    }

    fn told(&mut self, due: MqttDue) -> Ack {
        self.last = Some(Ack { rejects: Vec::new(), ..due.ack.clone() });
        due.ack
    }
}

/// Whether there may be more ranges than it names.
fn is_full(ack: &Ack) -> bool {
    ack.ranges.as_slice().len() >= ACK_RANGES
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::link::{Reject, WINDOW};
    use wire::{Epoch, Ranges};

    fn ack(epoch: u8, cum: u64, rejects: Vec<(u64, Reject)>) -> Ack {
        let (hub_epoch, epoch) = (Epoch([9; 16]), Epoch([epoch; 16]));
        let ranges = Ranges::default();
        Ack { hub_epoch, epoch, cum, ranges, rejects, backed_up: 0, max_seq: cum, window: WINDOW }
    }

    #[test]
    fn a_passage_after_a_silence_is_acknowledged_at_once() {
        let (mut answers, start) = (Answers::default(), Instant::now());
        answers.committed(ack(1, 1, vec![]), 1, start);
        assert_eq!(answers.take(start), Some(ack(1, 1, vec![])));
        answers.committed(ack(1, 2, vec![]), 1, start);
        assert_eq!((answers.take(start), answers.deadline()), (None, Some(start + GATHER)));
        assert_eq!(answers.take(start + GATHER), Some(ack(1, 2, vec![])));
    }

    #[test]
    fn acknowledgements_gather_for_a_quarter_second_or_64_records() {
        let (mut answers, start) = (Answers::default(), Instant::now());
        answers.spoke = Some(start);
        assert_eq!(answers.committed(ack(1, 3, vec![(2, Reject::Invalid)]), 3, start), None);
        assert_eq!(answers.take(start), None);
        answers.committed(ack(1, 9, vec![(7, Reject::WrongHash)]), 6, start);
        assert_eq!(answers.deadline(), Some(start + GATHER));
        let both = vec![(2, Reject::Invalid), (7, Reject::WrongHash)];
        assert_eq!(answers.take(start + GATHER), Some(ack(1, 9, both)));
        answers.committed(ack(1, 73, vec![]), 64, start);
        assert_eq!(answers.take(start), Some(ack(1, 73, vec![])));
        assert_eq!(answers.flush(), Some(ack(1, 73, vec![])), "said again when asked");
    }

    #[test]
    fn what_is_named_for_one_batch_only_is_said_before_the_next() {
        let (mut answers, start) = (Answers::default(), Instant::now());
        let full = |first: u64| {
            let ranges: Vec<_> = (first..first + 32).map(|n| (2 * n, 2 * n)).collect();
            Ack { ranges: ranges.into(), ..ack(1, 0, vec![]) }
        };
        answers.committed(full(1), 32, start);
        assert_eq!(answers.committed(full(40), 32, start), Some(full(1)));
        assert_eq!(answers.flush(), Some(full(40)));
    }

    #[test]
    fn another_epoch_does_not_hide_what_was_committed() {
        let (mut answers, start) = (Answers::default(), Instant::now());
        answers.committed(ack(1, 3, vec![]), 3, start);
        assert_eq!(answers.committed(ack(2, 1, vec![]), 1, start), Some(ack(1, 3, vec![])));
        assert_eq!(answers.flush(), Some(ack(2, 1, vec![])));
    }
}
