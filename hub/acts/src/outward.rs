//! What is said here and other hubs should hear. Where there are none it costs nothing.

use crate::word::Word;
use tokio::sync::broadcast;

/// Words kept for the one that tells the others; of more it says that something was missed.
const KEPT: usize = 4096;

/// Where it is said; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Outward(Option<broadcast::Sender<Word>>);

impl Outward {
    /// For a hub among others.
    #[must_use]
    pub fn new() -> Self {
        Self(Some(broadcast::Sender::new(KEPT)))
    }

    /// Says it to whoever tells the others.
    pub fn say(&self, word: impl FnOnce() -> Word) {
        if let Some(out) = &self.0 {
            let _nobody_tells = out.send(word());
        }
    }

    /// Everything from now on, where there are others.
    pub fn listen(&self) -> Option<broadcast::Receiver<Word>> {
        self.0.as_ref().map(broadcast::Sender::subscribe)
    }
}
