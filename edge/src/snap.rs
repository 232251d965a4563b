//! What the camera sees, for the hub: a picture only when it asks, sealed for it, kept nowhere.

use crate::report::Report;
use crate::trigger::Ask;
use crate::{burst, draw};
use rand::rngs::StdRng;
use std::sync::{Arc, mpsc::SyncSender};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wire::{
    Clock, DeviceId, Epoch, HubKey,
    link::{SNAP_BYTES, Snap},
    seal::Part,
};

/// Answers the hub's wishes to see, one at a time.
pub struct Snapper {
    /// The hub's wishes.
    pub wishes: mpsc::Receiver<()>,
    /// The shutter.
    pub asks: SyncSender<Ask>,
    /// To the link; what it does not take is dropped, a person asks again.
    pub snaps: mpsc::Sender<Snap>,
    /// Seals the pictures.
    pub sealer: Sealer,
    /// Dates the questions.
    pub clock: Arc<dyn Clock>,
}

/// Turns what came of a look into what the hub gets.
pub struct Sealer {
    /// Who this door is.
    pub device: DeviceId,
    /// The outbox's life.
    pub epoch: Epoch,
    /// Whom pictures are sealed for.
    pub key: HubKey,
    /// For seals.
    pub rng: StdRng,
}

impl Snapper {
    /// Looks whenever the hub asks, until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        while let Some(Some(())) = stop.run_until_cancelled(self.wishes.recv()).await {
            let looked = burst::take(&self.asks, self.clock.mono()).await;
            let snap = looked.and_then(|report| self.sealer.seal(&report));
            let snap = snap.unwrap_or_else(|why| Snap::Trouble(why.to_owned()));
            if self.snaps.try_send(snap).is_err() {
                tracing::warn!("a picture for the hub was dropped: the link is busy or away");
            }
        }
        stop.cancelled().await;
    }
}

impl Sealer {
    /// The report's picture with its boxes, small enough and sealed.
    fn seal(&mut self, report: &Report) -> Result<Snap, &'static str> {
        let picture = draw::boxes(report).ok_or("the camera's frames cannot be read")?;
        let jpeg = picture.jpeg_within(SNAP_BYTES).ok_or("the picture is too large to be sent")?;
        let of = Snap::key(self.device.clone(), self.epoch);
        let jpeg = self.key.seal(&of, Part::Snap, &jpeg, &mut self.rng);
        let jpeg = jpeg.map_err(|_| "the hub's sealing key is damaged: let the door join again")?;
        Ok(Snap::Picture { epoch: self.epoch, jpeg })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trigger::asking;
    use rand::SeedableRng;
    use wire::{HubSecret, Message, link::BATCH_BYTES, time::SystemClock};

    fn sealer(secret: &HubSecret) -> Sealer {
        let (device, epoch) = ("door-1".parse().unwrap(), Epoch([3; 16]));
        let (key, rng) = (secret.public().unwrap(), StdRng::seed_from_u64(2));
        Sealer { device, epoch, key, rng }
    }

    /// Noise: nothing compresses worse.
    fn noise(side: u32) -> vision::Picture {
        let bytes = (0..side * side * 3).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8);
        vision::Picture::new(side, side, bytes.collect()).unwrap()
    }

    #[test]
    fn the_worst_picture_fits_its_topic_and_opens_only_at_the_hub() {
        let secret = HubSecret::generate(1, &mut StdRng::seed_from_u64(1));
        let report = Report { frames: 1, picture: Some(noise(900)), ..Report::default() };
        let snap = sealer(&secret).seal(&report).unwrap();
        assert!(Message::from(snap.clone()).encode().len() <= BATCH_BYTES);
        let Snap::Picture { epoch, jpeg } = snap else { panic!() };
        let of = Snap::key("door-1".parse().unwrap(), epoch);
        assert!(secret.open(&of, Part::Snap, &jpeg).unwrap().starts_with(&[0xff, 0xd8]));
        let other = Snap::key("door-2".parse().unwrap(), epoch);
        assert!(secret.open(&other, Part::Snap, &jpeg).is_err());
    }

    fn why(snap: Option<Snap>) -> String {
        if let Some(Snap::Trouble(why)) = snap { why } else { panic!("{snap:?}") }
    }

    #[tokio::test]
    async fn each_wish_is_answered_with_a_picture_or_with_why_there_is_none() {
        let ((wish, wishes), (snaps, mut shown)) = (mpsc::channel(1), mpsc::channel(1));
        let (asks, asked) = asking();
        let sealer = sealer(&HubSecret::generate(1, &mut StdRng::seed_from_u64(1)));
        let clock = Arc::new(SystemClock);
        let stop = CancellationToken::new();
        let snapper = Snapper { wishes, asks, snaps, sealer, clock };
        let shutter = tokio::task::spawn_blocking(move || {
            for (picture, ask) in [Some(noise(32)), None].into_iter().zip(asked.iter()) {
                let report = Report { frames: 1, picture, ..Report::default() };
                ask.reply.unwrap().send(report).unwrap();
            }
        });
        let hub = async {
            wish.send(()).await.unwrap();
            assert!(matches!(shown.recv().await, Some(Snap::Picture { .. })));
            wish.send(()).await.unwrap();
            assert_eq!(why(shown.recv().await), "the camera's frames cannot be read");
            shutter.await.unwrap();
            wish.send(()).await.unwrap();
            assert!(why(shown.recv().await).contains("no camera"));
            stop.cancel();
        };
        tokio::join!(snapper.run(stop.clone()), hub);
    }
}
