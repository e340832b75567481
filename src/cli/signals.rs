//! Ctrl-C, SIGTERM, and SIGHUP: a terminal that is closed ends a run as Ctrl-C does.

/// Notices the signals from the moment it is made: one that comes before anybody waits is not lost, and does
/// not end the process. Must be made inside a tokio runtime.
pub struct Interrupts {
    #[cfg(unix)]
    streams: Vec<tokio::signal::unix::Signal>,
}

impl Interrupts {
    pub fn listen() -> Interrupts {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            // Where signals cannot be had, the process ends by them as any other does.
            let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
            Interrupts { streams: kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect() }
        }
        #[cfg(not(unix))]
        Interrupts {}
    }

    /// Completes at the next signal; never where signals cannot be had.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        std::future::poll_fn(|cx| {
            match self.streams.iter_mut().any(|stream| stream.poll_recv(cx).is_ready()) {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            }
        })
        .await;
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
