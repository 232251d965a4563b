//! A connection whose other end must take what it asked for: a reader that lets us wait takes at
//! least [`PACE`] bytes in each [`PATIENCE`], or is left.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How long a reader may let us wait.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes that it takes meanwhile at least.
pub const PACE: usize = 16 * 1024;

/// Such a connection.
pub struct Patient<S> {
    stream: S,
    patience: Duration,
    /// While it lets us wait: until when.
    until: Option<Pin<Box<Sleep>>>,
    /// Bytes that it took since.
    taken: usize,
}

impl<S> Patient<S> {
    /// Patient with `stream`.
    pub fn new(stream: S) -> Self {
        Self { stream, patience: PATIENCE, until: None, taken: 0 }
    }

    /// What the other end does not take now, it takes in time.
    fn wait<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let until = self.until.get_or_insert_with(|| {
            self.taken = 0;
            Box::pin(sleep(self.patience))
        });
        while until.as_mut().poll(cx).is_ready() {
            if self.taken < PACE {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.taken = 0;
            until.as_mut().reset(Instant::now() + self.patience);
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(cx, bytes) {
            Poll::Ready(Ok(written)) => {
                self.taken += written;
                Poll::Ready(Ok(written))
            }
            Poll::Ready(failed) => Poll::Ready(failed),
            Poll::Pending => self.wait(cx),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Ready(done) => {
                self.until = None;
                Poll::Ready(done)
            }
            Poll::Pending => self.wait(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_shutdown(cx) {
            Poll::Ready(done) => Poll::Ready(done),
            Poll::Pending => self.wait(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    /// What becomes of 100 KiB for a reader that takes `bytes` every `each`, and that we have a
    /// tenth of a second for.
    async fn written(bytes: usize, each: Duration) -> io::Result<()> {
        let (ours, mut theirs) = duplex(4 * 1024);
        let mut ours = Patient { patience: Duration::from_millis(100), ..Patient::new(ours) };
        let write = async move {
            ours.write_all(&[7; 100 * 1024]).await?;
            ours.flush().await
        };
        let read = async move {
            let mut buffer = vec![0; bytes];
            loop {
                sleep(each).await;
                if theirs.read_exact(&mut buffer).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::select! { done = write => done, () = read => unreachable!() }
    }

    #[tokio::test]
    async fn a_reader_on_a_slow_line_gets_all_of_it_and_one_that_dawdles_is_left() {
        let moment = Duration::from_millis(1);
        assert!(written(2048, moment).await.is_ok());
        let left = written(1, moment).await.unwrap_err();
        assert_eq!(left.kind(), io::ErrorKind::TimedOut);
        let silent = written(1, Duration::from_secs(1000)).await.unwrap_err();
        assert_eq!(silent.kind(), io::ErrorKind::TimedOut);
    }
}
