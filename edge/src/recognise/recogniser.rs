//! The thread that owns the models: takes bursts, hands out records.
//!
//! Nothing here is shared or locked. A burst may be lost before this point, never after it.

use super::{Config, Opinion, judge::judge, see::see, told};
use crate::report::Report;
use crate::{
    capture::Frame,
    draft::{Draft, Keep, Timing},
    gallery::LoadedGallery,
    packs::Model,
    pulse::Beat,
    signal::Sign,
    status::Counters,
    track::{Track, TrackId, Tracker},
    trigger::Burst,
    visit::{Rules, Settled, Visits},
};
use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::Ordering::Relaxed,
        mpsc::{Receiver, RecvTimeoutError, SyncSender},
    },
    time::{Duration, Instant},
};
use tokio::sync::watch;
use vision::Picture;
use wire::{Clock, ClockState, Mono, Reason, Verdict};

/// How long a face may be unseen within one passage.
const GAP_MS: u64 = 1_500;
/// How often passages that wait are looked after.
const TURN: Duration = Duration::from_millis(200);
/// Bytes of a crop before it is sealed.
const CROP_BYTES: usize = 12 * 1024;

/// What the recogniser works with.
pub struct Tools {
    /// How to recognise.
    pub config: Config,
    /// Detector and embedder: newest only.
    pub model: watch::Receiver<Model>,
    /// Whom to recognise.
    pub gallery: watch::Receiver<Option<Arc<LoadedGallery>>>,
    /// Where records go.
    pub keep: Box<dyn Keep>,
    /// Dates them.
    pub timing: Arc<dyn Timing>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Lights and buzzer.
    pub signs: SyncSender<Sign>,
    /// What is counted.
    pub counters: Arc<Counters>,
    /// Turned even while nobody comes.
    pub beat: Beat,
}

/// Recognises bursts one after another.
pub struct Recogniser {
    tools: Tools,
    model: Model,
    tracker: Tracker,
    visits: Visits,
    /// Tracks that were told that nobody knows them.
    told: HashSet<TrackId>,
    frames: u64,
}

impl Recogniser {
    /// Ready for the first burst.
    #[must_use]
    pub fn new(mut tools: Tools) -> Self {
        let model = tools.model.borrow_and_update().clone();
        let rules = Rules { hold_ms: tools.config.hold_ms, cooldown_ms: tools.config.cooldown_ms };
        let now = tools.timing.stamp(tools.clock.mono());
        let visits = Visits::new(rules, &tools.keep.recent(), &now);
        let tracker = Tracker::new(GAP_MS, model.pack.scale());
        Self { tools, model, tracker, visits, told: HashSet::new(), frames: 0 }
    }

    /// Runs until nobody sends bursts any more, then settles what waits. Blocking: give it a
    /// thread of its own.
    pub fn run(mut self, bursts: &Receiver<Burst>) {
        loop {
            match bursts.recv_timeout(TURN) {
                Ok(mut burst) => {
                    let report = self.burst(&burst);
                    if let Some(reply) = burst.reply.take() {
                        // Whoever asked may be gone.
                        let _ = reply.send(report);
                    }
                }
                Err(RecvTimeoutError::Timeout) => drop(self.settle(self.tools.clock.mono())),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.tools.beat.turn();
        }
        self.end(self.tools.clock.mono());
    }

    /// Looks at all frames and records whoever is to be recorded now.
    pub fn burst(&mut self, burst: &Burst) -> Report {
        let began = Instant::now();
        let mut report = Report { frames: burst.frames.len(), ..Report::default() };
        report.wait_ms = burst.frames.first().map_or(0, |frame| frame.at.since(burst.asked));
        let mut now = self.tools.clock.mono();
        report.records.extend(self.change(now));
        for frame in &burst.frames {
            if let Some(picture) = self.frame(frame, &mut report) {
                report.picture = burst.reply.is_some().then_some(picture);
            }
            now = frame.at;
        }
        let settled = self.opine(now, &mut report);
        report.records.extend(settled);
        report.records.extend(if burst.is_whole() { self.end(now) } else { self.settle(now) });
        report.took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        report
    }

    /// Takes up another model, if there is one: whoever is on the way is settled by the old one,
    /// since looks of two networks do not compare.
    fn change(&mut self, now: Mono) -> Vec<u64> {
        if !self.tools.model.has_changed().unwrap_or(false) {
            return Vec::new();
        }
        let settled = self.end(now);
        self.model = self.tools.model.borrow_and_update().clone();
        self.tracker.change(self.model.pack.scale());
        settled
    }

    /// One frame into the tracker. A bad one is counted and skipped.
    fn frame(&mut self, frame: &Frame, report: &mut Report) -> Option<Picture> {
        self.frames += 1;
        let counters = self.tools.counters.clone();
        counters.frames.fetch_add(1, Relaxed);
        let looked = frame.picture().map_err(|error| error.to_string()).and_then(|picture| {
            let seen = see(&self.model.pack, &picture, self.frames, frame.at);
            Ok((seen.map_err(|error| error.to_string())?, picture))
        });
        match looked {
            Ok((seen, picture)) => {
                counters.faces.fetch_add((seen.looks.len() + seen.poor.len()) as u64, Relaxed);
                counters.poor_faces.fetch_add(seen.poor.len() as u64, Relaxed);
                report.faces.extend(seen.poor.iter().map(told::poor));
                self.tracker.step(seen.looks);
                Some(picture)
            }
            Err(why) => {
                counters.bad_frames.fetch_add(1, Relaxed);
                tracing::warn!(frame = self.frames, %why, "skipped a frame: {why}");
                report.bad_frames.push(why);
                None
            }
        }
    }

    /// Forms an opinion on every track, and records what is sure.
    fn opine(&mut self, now: Mono, report: &mut Report) -> Vec<u64> {
        let gallery = self.tools.gallery.borrow().clone();
        // Model and gallery change one after the other; between them nobody is compared.
        let gallery = gallery.filter(|gallery| gallery.gallery.model == self.model.id);
        let stamp = self.tools.timing.stamp(now);
        let opinions = judge(self.tracker.tracks(), gallery.as_deref(), stamp.wall);
        report.gallery = gallery.as_ref().map_or(0, |gallery| gallery.version);
        for (track, opinion) in self.tracker.tracks().iter().zip(&opinions) {
            report.faces.push(told::face(track, opinion));
            if opinion.decision.verdict == Verdict::Unknown {
                if self.told.insert(track.id) {
                    show(&self.tools.signs, Sign::Unknown);
                }
                continue;
            }
            let draft = self.draft(opinion, report.gallery);
            self.visits.seen(now, track.id, draft);
        }
        self.store(now, &[])
    }

    fn draft(&self, opinion: &Opinion, gallery: u64) -> Draft {
        let at = self.tools.timing.stamp(opinion.best.at);
        let mut reasons = opinion.decision.reasons.clone();
        reasons.extend((at.clock == ClockState::Unset).then_some(Reason::ClockUnset));
        let crop = self.tools.config.crops.then(|| opinion.best.crop.jpeg_within(CROP_BYTES));
        Draft {
            at,
            candidates: opinion.decision.candidates.clone(),
            confidence: opinion.decision.confidence,
            verdict: opinion.decision.verdict,
            reasons,
            quality: opinion.best.quality,
            frames: opinion.frames,
            gallery,
            model: self.model.id.clone(),
            template_f16: opinion.template.to_f16_bytes(),
            crop_jpeg: crop.flatten(),
        }
    }

    /// Lets go of whoever has gone, and records what has waited long enough.
    fn settle(&mut self, now: Mono) -> Vec<u64> {
        let ended = self.tracker.end(now);
        self.finish(now, &ended)
    }

    /// Lets go of everybody.
    fn end(&mut self, now: Mono) -> Vec<u64> {
        let ended = self.tracker.end_all();
        self.finish(now, &ended)
    }

    fn finish(&mut self, now: Mono, ended: &[Track]) -> Vec<u64> {
        let ids: Vec<TrackId> = ended.iter().map(|track| track.id).collect();
        for id in &ids {
            let unknown = self.told.remove(id) && !self.visits.knows(*id);
            self.tools.counters.unknown.fetch_add(unknown.into(), Relaxed);
        }
        self.tools.counters.passages.fetch_add(ids.len() as u64, Relaxed);
        self.store(now, &ids)
    }

    /// Records what the visits settle. Green follows COMMIT.
    fn store(&mut self, now: Mono, ended: &[TrackId]) -> Vec<u64> {
        let Settled { records, repeats } = self.visits.settle(now, ended);
        self.tools.counters.repeats.fetch_add(repeats.len() as u64, Relaxed);
        if records.is_empty() {
            return Vec::new();
        }
        let drafts = records.iter().map(|(_, draft)| draft.clone()).collect();
        match self.tools.keep.keep(drafts) {
            Ok(numbers) => {
                self.tools.counters.records.fetch_add(numbers.len() as u64, Relaxed);
                show(&self.tools.signs, Sign::Kept);
                numbers
            }
            Err(error) => {
                self.tools.counters.refused.fetch_add(records.len() as u64, Relaxed);
                tracing::error!(error = &error as &dyn std::error::Error, "{error}");
                show(&self.tools.signs, Sign::Refused);
                Vec::new()
            }
        }
    }
}

/// A sign that finds the panel busy is dropped: it would come too late to be true.
fn show(signs: &SyncSender<Sign>, sign: Sign) {
    let _ = signs.try_send(sign);
}
