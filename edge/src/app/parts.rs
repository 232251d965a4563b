//! The parts of a running program, by name, so that whoever is stuck at the end can be named.

use anyhow::bail;
use std::{collections::HashMap, future::Future, time::Duration};
use tokio::task::{Id, JoinError, JoinSet};

/// Everything that runs.
#[derive(Default)]
pub struct Parts {
    set: JoinSet<anyhow::Result<()>>,
    names: HashMap<Id, &'static str>,
}

impl Parts {
    /// Starts a part that blocks, on a thread of its own.
    pub fn thread(
        &mut self,
        name: &'static str,
        part: impl FnOnce() -> anyhow::Result<()> + Send + 'static,
    ) {
        let handle = self.set.spawn_blocking(part);
        self.names.insert(handle.id(), name);
    }

    /// Starts a part that does not block.
    pub fn task(
        &mut self,
        name: &'static str,
        part: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        let handle = self.set.spawn(part);
        self.names.insert(handle.id(), name);
    }

    /// Waits for the first part to end: its name, and how it ended.
    pub async fn first(&mut self) -> (&'static str, anyhow::Result<()>) {
        match self.set.join_next_with_id().await {
            Some(ended) => self.ended(ended),
            None => ("nothing", Ok(())),
        }
    }

    /// Waits for all parts to end.
    ///
    /// # Errors
    /// What the first of them to fail said, or who was stuck when `grace` was over.
    pub async fn drain(mut self, grace: Duration) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        let drained = tokio::time::timeout(grace, async {
            while let Some(ended) = self.set.join_next_with_id().await {
                let (name, result) = self.ended(ended);
                tracing::debug!("{name} ended");
                if outcome.is_ok() {
                    outcome = result;
                }
            }
        });
        if drained.await.is_err() {
            let mut stuck: Vec<_> = self.names.into_values().collect();
            stuck.sort_unstable();
            self.set.detach_all();
            bail!("these parts did not stop within {grace:?}: {}", stuck.join(", "));
        }
        outcome
    }

    fn ended(
        &mut self,
        ended: Result<(Id, anyhow::Result<()>), JoinError>,
    ) -> (&'static str, anyhow::Result<()>) {
        let (id, result) = match ended {
            Ok((id, result)) => (id, result),
            Err(error) => (error.id(), Err(error.into())),
        };
        let name = self.names.remove(&id).unwrap_or("a part");
        (name, result.map_err(|error| error.context(format!("{name} failed"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn whoever_ends_first_is_named_and_the_rest_drains() {
        let (mut parts, (stop, stopped)) = (Parts::default(), oneshot::channel::<()>());
        parts.task("link", async move { Ok(stopped.await?) });
        parts.thread("camera", || bail!("it hung"));
        let (name, result) = parts.first().await;
        assert_eq!(
            (name, format!("{:#}", result.unwrap_err())),
            ("camera", "camera failed: it hung".into())
        );
        stop.send(()).unwrap();
        parts.drain(GRACE).await.unwrap();
    }

    const GRACE: Duration = Duration::from_secs(10);

    #[test]
    fn a_thread_that_hangs_is_named_and_does_not_keep_the_process() {
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
        let error = runtime.block_on(async {
            let mut parts = Parts::default();
            parts.thread("camera", move || Ok(ended.recv()?));
            tokio::task::yield_now().await;
            parts.drain(Duration::ZERO).await.unwrap_err().to_string()
        });
        assert_eq!(error, "these parts did not stop within 0ns: camera");
        crate::app::leave(runtime);
        assert!(end.send(()).is_ok(), "it hangs still, and nobody waited for it");
    }

    #[tokio::test]
    async fn whoever_is_stuck_is_named() {
        let mut parts = Parts::default();
        parts.task("link", std::future::pending());
        let error = parts.drain(Duration::ZERO).await.unwrap_err().to_string();
        assert_eq!(error, "these parts did not stop within 0ns: link");
    }
}
