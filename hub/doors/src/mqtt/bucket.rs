//! Token buckets: how long somebody who sends too fast must wait. Nothing is ever dropped.

use config::doors::DoorLimits;
use std::time::Duration;
use tokio::time::Instant;
use wire::topic::{Leaf, RULES, Rule};

/// Fills at a steady rate up to its size; taking more than it holds is a debt that takes time.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    per_second: f64,
    size: f64,
    level: f64,
    at: Instant,
}

impl Bucket {
    /// Full at `now`.
    #[must_use]
    pub fn new(per_second: u32, size: u32, now: Instant) -> Self {
        let size = f64::from(size);
        Self { per_second: f64::from(per_second.max(1)), size, level: size, at: now }
    }

    /// Takes `count` tokens; the wait until the bucket is out of debt, zero if it never was.
    pub fn take(&mut self, count: u32, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.level = (self.level + passed * self.per_second).min(self.size) - f64::from(count);
        self.at = now;
        Duration::from_secs_f64((-self.level / self.per_second).max(0.0))
    }
}

/// Messages of one topic that may come at once.
const AT_ONCE: u32 = 10;

/// How much one door may say: so many records, and so many messages of each topic.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    records: Bucket,
    topics: [Bucket; RULES.len()],
}

impl Allowance {
    /// Nothing said yet at `now`: a door that connects has something to say on most topics at once.
    #[must_use]
    pub fn new(limits: &DoorLimits, now: Instant) -> Self {
        let topic = |rule: Rule| Bucket::new(rule.per_minute / 60, AT_ONCE, now);
        let records = Bucket::new(limits.records_per_second, limits.burst, now);
        Self { records, topics: RULES.map(topic) }
    }

    /// One message with so many records was said; when the next may be read.
    pub fn take(&mut self, leaf: Leaf, records: usize, now: Instant) -> Instant {
        let records = u32::try_from(records).unwrap_or(u32::MAX);
        let topic = self.topics[leaf as usize].take(1, now);
        now + self.records.take(records, now).max(topic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_message_is_due_is_waited_for_once() {
        let (limits, start) = (DoorLimits::default(), Instant::now());
        let mut allowance = Allowance::new(&limits, start);
        let said: Vec<_> = (0..14).map(|_| allowance.take(Leaf::Status, 0, start)).collect();
        assert_eq!(said[9], start, "ten at once are free");
        assert_eq!(said[13], start + Duration::from_secs(4), "four more take four seconds");
        assert_eq!(allowance.take(Leaf::Config, 0, start), start, "each topic has its own");
        assert_eq!(allowance.take(Leaf::Up, 500, start), start);
        let due = allowance.take(Leaf::Up, 64, start);
        assert_eq!(due, start + Duration::from_millis(160));
        assert_eq!(allowance.take(Leaf::Up, 0, due), due);
    }

    #[test]
    fn a_burst_is_free_and_the_rest_takes_its_time() {
        let start = Instant::now();
        let mut bucket = Bucket::new(50, 500, start);
        assert_eq!(bucket.take(500, start), Duration::ZERO);
        assert_eq!(bucket.take(64, start), Duration::from_millis(1280));
        let later = start + Duration::from_millis(1280);
        assert!(bucket.take(0, later) < Duration::from_micros(1));
        assert_eq!(bucket.take(500, later + Duration::from_secs(60)), Duration::ZERO);
    }
}
