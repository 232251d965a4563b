//! The whole school's gallery as it is now, for whoever judges records.

use rules::sighting::school::All;
use std::sync::Arc;
use tokio::sync::watch;

/// The school as it is now; cheap to clone. Whoever changes the gallery sets it.
#[derive(Clone)]
pub struct Schools(watch::Sender<All>);

impl Default for Schools {
    /// Before anybody is enrolled.
    fn default() -> Self {
        Self(watch::Sender::new(Arc::default()))
    }
}

impl Schools {
    /// The newest.
    #[must_use]
    pub fn now(&self) -> All {
        self.0.borrow().clone()
    }

    /// Replaces it.
    pub fn set(&self, schools: impl Into<All>) {
        self.0.send_replace(schools.into());
    }
}
