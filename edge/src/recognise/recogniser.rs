//! The thread that compares faces: takes frames whose faces were found, hands out records.
//!
//! Nothing here is locked. A frame may be lost before this point, never after it. Frames are
//! compared while the rest of their burst still comes; whoever is sure by several looks is
//! recorded at once, all others are decided when the burst is complete.

use super::scout::{Rest, Scout, Spotted, Step, spot};
use super::{Config, Opinion, Seen, judge::judge, see::see, told};
use crate::report::Report;
use crate::{
    capture::Frame,
    draft::{Draft, Keep, Timing},
    gallery::LoadedGallery,
    packs::Model,
    passing::{Passing, Way},
    pulse::Beat,
    signal::Sign,
    status::Counters,
    track::{Place, Track, TrackId, Tracker},
    trigger::Burst,
    visit::{Rules, Settled, Visits},
};
use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::Ordering::Relaxed,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};
use tokio::sync::{oneshot, watch};
use vision::decide::FUSED;
use vision::{Cut, Face, NetError, Picture};
use wire::{Clock, ClockState, Mono, Reason, Verdict};

/// How long a face may be unseen within one passage.
const GAP_MS: u64 = 1_500;
/// How often passages that wait are looked after.
const TURN: Duration = Duration::from_millis(200);
/// Frames passed over once everybody on the last one has their record. Whoever comes next is in
/// view for several times as long as that takes, and is looked at in every frame from then on.
const REST: u32 = 2;
/// With nobody else on a frame for so long before and after, whoever went through two lines is who
/// was seen.
const ALONE_MS: u64 = 2_000;
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
    /// Which way people go, where two lines tell.
    pub passing: Arc<Passing>,
}

/// Recognises whoever is on the frames of bursts, one burst after another.
pub struct Recogniser {
    tools: Tools,
    model: Model,
    /// Whom the model can recognise.
    gallery: Option<Arc<LoadedGallery>>,
    tracker: Tracker,
    visits: Visits,
    /// Tracks that were told that nobody knows them.
    told: HashSet<TrackId>,
    frames: u64,
    /// What came of the burst under way.
    report: Report,
    /// When the last frame of the burst under way was taken.
    last: Option<Mono>,
    /// Frames to pass over.
    rest: Arc<Rest>,
    /// Whether the last frame showed a face that could not be compared.
    poor: bool,
    /// Tracks of which no further look says more.
    sure: HashSet<TrackId>,
    /// When several faces were last on one frame.
    crowd: Option<Mono>,
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
        Self {
            tools,
            model,
            gallery: None,
            tracker,
            visits,
            told: HashSet::new(),
            frames: 0,
            report: Report::default(),
            last: None,
            rest: Arc::default(),
            poor: false,
            sure: HashSet::new(),
            crowd: None,
        }
    }

    /// Who finds the faces, for a thread of its own, and what it finds.
    #[must_use]
    pub fn scout(&self, beat: Beat) -> (Scout, Receiver<Step>) {
        let model = self.tools.model.clone();
        let rest = self.rest.clone();
        let counters = self.tools.counters.clone();
        let (steps, found) = sync_channel(0);
        (Scout { model, rest, counters, beat, steps }, found)
    }

    /// Runs until nobody sends frames any more, then settles what waits. Blocking: give it a
    /// thread of its own.
    pub fn run(mut self, steps: &Receiver<Step>) {
        loop {
            match steps.recv_timeout(TURN) {
                Ok(Step::Compare(spotted, burst)) => self.compare(*spotted, &burst),
                Ok(Step::Done(burst, reply)) => self.answer(&burst, reply),
                // Looks of a burst under way are no opinion yet: nobody is let go of meanwhile.
                Ok(Step::Idle) if self.last.is_some() => {}
                Ok(Step::Idle) => {
                    // People who were taken out of a gallery leave this memory, too.
                    self.take_up_gallery();
                    drop(self.settle(self.tools.clock.mono()));
                }
                // The scout is at a frame, which may be of whoever waits here.
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.tools.beat.turn();
        }
        self.end(self.tools.clock.mono());
    }

    /// Looks at the next frame of a burst, and records whoever is sure by now: what a scout and
    /// [`Recogniser::run`] do, one after the other.
    pub fn look(&mut self, frame: &Arc<Frame>, burst: &Burst) {
        if self.rest.passes(burst) {
            self.tools.counters.rested_frames.fetch_add(1, Relaxed);
        } else {
            self.compare(spot(&self.model, frame), burst);
        }
    }

    fn compare(&mut self, spotted: Spotted, burst: &Burst) {
        let began = Instant::now();
        let frame = spotted.frame.clone();
        self.report.took_ms += spotted.took_ms;
        if self.report.frames == 0 {
            self.report.wait_ms = frame.at.since(burst.asked);
        }
        self.report.frames += 1;
        self.last = Some(frame.at);
        let settled = self.change(self.tools.clock.mono());
        self.report.records.extend(settled);
        if let Some(picture) = self.frame(spotted) {
            self.report.picture = burst.told.then_some(picture);
        }
        self.opine(frame.at, false);
        let sure = self.visits.settle_sure(frame.at);
        let sure = self.store(sure);
        self.report.records.extend(sure);
        self.rest.set(burst, if self.is_everybody_known(frame.at) { REST } else { 0 });
        self.report.took_ms += ms(began);
    }

    /// Whether somebody is on the frame taken `at`, and of nobody there a look is wanted. A face too
    /// poor to be compared may be somebody who comes nearer.
    fn is_everybody_known(&self, at: Mono) -> bool {
        let mut here = self.tracker.tracks().iter().filter(|track| track.seen() == at).peekable();
        let is_empty = here.peek().is_none();
        !is_empty && !self.poor && here.all(|track| self.is_known(track.id))
    }

    /// Whether a track has its record, or will have the one that it would have now.
    fn is_known(&self, track: TrackId) -> bool {
        self.visits.is_settled(track) || self.sure.contains(&track)
    }

    /// Decides on everybody, when no further frame of a burst will come. Of one that nobody looked at
    /// nothing comes: the next burst waits already, and goes on where the last one ended.
    pub fn done(&mut self, burst: &Burst) -> Report {
        let began = Instant::now();
        let Some(now) = self.last.take() else { return Report::default() };
        let opinions = self.opine(now, true);
        for (track, opinion) in self.tracker.tracks().iter().zip(&opinions) {
            self.report.faces.push(told::face(track, opinion));
        }
        let settled = self.visits.settle(now, &[]);
        let mut records = self.store(settled);
        records.extend(if burst.is_whole() { self.end(now) } else { self.settle(now) });
        self.report.records.extend(records);
        self.report.took_ms += ms(began);
        std::mem::take(&mut self.report)
    }

    /// What comes of all frames of a burst at once.
    pub fn burst(&mut self, burst: &Burst, frames: &[Arc<Frame>]) -> Report {
        for (n, frame) in frames.iter().enumerate() {
            self.look(frame, &Burst { frames: n + 1, ..*burst });
        }
        self.done(burst)
    }

    fn answer(&mut self, burst: &Burst, reply: Option<oneshot::Sender<Report>>) {
        let report = self.done(burst);
        // Without an answer whoever asked hears that the door is busy; they may be gone, too.
        if let Some(reply) = reply
            && (burst.frames > 0 || burst.dropped == 0)
        {
            drop(reply.send(report));
        }
    }

    /// Takes up another model, if there is one: whoever is on the way is settled by the old one,
    /// since looks of two networks do not compare.
    fn change(&mut self, now: Mono) -> Vec<u64> {
        if !self.tools.model.has_changed().unwrap_or(false) {
            return Vec::new();
        }
        self.opine(now, true);
        let settled = self.end(now);
        self.gallery = None;
        self.model = self.tools.model.borrow_and_update().clone();
        self.tracker.change(self.model.pack.scale());
        settled
    }

    /// One frame into the tracker. A bad one is counted and skipped.
    fn frame(&mut self, spotted: Spotted) -> Option<Picture> {
        // Points of another detector mean something else.
        let is_ours = spotted.model == self.model.id;
        let spotted = if is_ours { spotted } else { spot(&self.model, &spotted.frame) };
        let Spotted { frame, found, .. } = spotted;
        self.frames += 1;
        let counters = self.tools.counters.clone();
        counters.frames.fetch_add(1, Relaxed);
        let looked = found.and_then(|(picture, faces)| {
            let seen = self.see(&picture, faces, frame.at).map_err(|error| error.to_string())?;
            Ok((seen, picture))
        });
        match looked {
            Ok((seen, picture)) => {
                counters.faces.fetch_add((seen.looks.len() + seen.poor.len()) as u64, Relaxed);
                counters.poor_faces.fetch_add(seen.poor.len() as u64, Relaxed);
                self.report.faces.extend(seen.poor.iter().map(told::poor));
                self.poor = !seen.poor.is_empty();
                if seen.faces > 1 {
                    self.crowd = Some(frame.at);
                }
                self.tracker.step(seen.looks);
                Some(picture)
            }
            Err(why) => {
                counters.bad_frames.fetch_add(1, Relaxed);
                tracing::warn!(frame = self.frames, %why, "skipped a frame: {why}");
                self.report.bad_frames.push(why);
                None
            }
        }
    }

    /// The faces of a frame, but for those of people who are known by now and are still there.
    fn see(&mut self, picture: &Picture, mut faces: Vec<Face>, at: Mono) -> Result<Seen, NetError> {
        let pack = self.model.pack.clone();
        let count = faces.len();
        let place = |rect| Place { frame: self.frames, at, rect };
        let places: Vec<Place> = faces.iter().map(|face| place(face.rect)).collect();
        let still = self.tracker.still(&places, |track| self.is_known(track));
        let mut known = still.iter().map(Option::is_some);
        faces.retain(|_| !known.next().unwrap_or(false));
        let seen = Seen { faces: count, ..see(&pack, picture, faces, (self.frames, at))? };
        for (id, place) in still.into_iter().zip(places) {
            let Some(id) = id else { continue };
            self.tracker.touch(id, place);
            self.tools.counters.faces.fetch_add(1, Relaxed);
            self.tools.counters.still_faces.fetch_add(1, Relaxed);
        }
        Ok(seen)
    }

    /// Forms an opinion on every track and tells the visits. While a burst still comes they hear
    /// only of whoever is alone and sure by several looks, with something to spare: one who has
    /// more chances must be surer, and whoever comes next may have the better claim.
    fn opine(&mut self, now: Mono, is_complete: bool) -> Vec<Opinion> {
        self.take_up_gallery();
        self.reflect(if is_complete { 1 } else { FUSED });
        let gallery = self.gallery.clone();
        let stamp = self.tools.timing.stamp(now);
        let opinions = judge(self.tracker.tracks(), gallery.as_deref(), stamp.wall);
        self.report.gallery = gallery.as_ref().map_or(0, |gallery| gallery.version);
        let sure = opinions.iter().filter(|opinion| self.is_beyond_doubt(opinion));
        self.sure = sure.map(|opinion| opinion.track).collect();
        let is_alone = opinions.len() == 1;
        for opinion in &opinions {
            let Opinion { track, decision, .. } = opinion;
            let is_sure = is_alone && self.sure.contains(track);
            match decision.candidates.first() {
                None if is_complete && self.told.insert(*track) => {
                    show(&self.tools.signs, Sign::Unknown);
                }
                None => {}
                Some(best) if self.visits.is_settled(*track) => {
                    self.visits.still(now, best.student);
                }
                Some(_) if is_complete || is_sure => {
                    let draft = self.draft(opinion, self.report.gallery);
                    self.visits.seen(now, *track, draft);
                }
                Some(_) => {}
            }
        }
        opinions
    }

    /// Looks at the mirror image of the best look of each track that has `least` looks or more and
    /// may become a record: it makes a template surer, and costs as much as another look.
    fn reflect(&mut self, least: u16) {
        let wanted = |track: &&Track| {
            track.telling().count() >= least.into()
                && track.clearest().mirror.is_none()
                && !self.is_known(track.id)
        };
        let tracks: Vec<&Track> = self.tracker.tracks().iter().filter(wanted).collect();
        let ids: Vec<TrackId> = tracks.iter().map(|track| track.id).collect();
        let cuts: Vec<Cut> = tracks.iter().map(|track| Cut::clone(&track.clearest().cut)).collect();
        match self.model.pack.mirror(&cuts) {
            Ok(None) => {}
            Ok(Some(mirrors)) => {
                ids.into_iter().zip(mirrors).for_each(|(id, seen)| self.tracker.reflect(id, seen));
            }
            Err(error) => tracing::warn!(%error, "a face was compared without its mirror image"),
        }
    }

    /// Whether several looks are sure by more than they must be.
    fn is_beyond_doubt(&self, opinion: &Opinion) -> bool {
        let Some(gallery) = &self.gallery else { return false };
        let lines = &gallery.gallery.lines;
        let best = opinion.decision.candidates.first().map_or(f32::MIN, |best| best.score);
        opinion.decision.verdict == Verdict::High
            && opinion.frames >= FUSED
            && best >= lines.fused_high + lines.margin / 2.0
    }

    /// Model and gallery change one after the other: in between the last one that fits is used.
    fn take_up_gallery(&mut self) {
        match &*self.tools.gallery.borrow() {
            Some(gallery) if gallery.gallery.model != self.model.id => {}
            gallery => self.gallery.clone_from(gallery),
        }
    }

    fn draft(&self, opinion: &Opinion, gallery: u64) -> Draft {
        let at = self.tools.timing.stamp(opinion.best.at);
        let mut reasons = opinion.decision.reasons.clone();
        reasons.extend((at.clock == ClockState::Unset).then_some(Reason::ClockUnset));
        let crop = self.tools.config.crops.then(|| opinion.best.crop.jpeg_within(CROP_BYTES));
        Draft {
            at,
            way: None,
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
        let settled = self.visits.settle(now, &ids);
        self.store(settled)
    }

    /// Which way whoever was seen at `at` went; of several people nobody can tell.
    fn way(&self, at: Mono) -> Option<Way> {
        let is_alone = self.crowd.is_none_or(|crowd| at.0.abs_diff(crowd.0) > ALONE_MS);
        is_alone.then(|| self.tools.passing.way(at)).flatten()
    }

    /// Records what the visits settled. Green follows COMMIT.
    fn store(&mut self, Settled { records, repeats }: Settled) -> Vec<u64> {
        self.tools.counters.repeats.fetch_add(repeats.len() as u64, Relaxed);
        if records.is_empty() {
            return Vec::new();
        }
        let way = |draft: Draft| Draft { way: self.way(draft.at.mono), ..draft };
        let drafts = records.iter().map(|(_, draft)| way(draft.clone())).collect();
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

fn ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// A sign that finds the panel busy is dropped: it would come too late to be true.
fn show(signs: &SyncSender<Sign>, sign: Sign) {
    let _ = signs.try_send(sign);
}
