//! Ctrl-C, SIGTERM, and SIGHUP: a terminal that is closed ends a run as Ctrl-C does.

use tokio::sync::watch;

/// Notices the signals from the moment it is made: one that comes before anybody waits is not lost, and does
/// not end the process. A clone sees what the original has not waited for yet. Must be made inside a tokio runtime.
#[derive(Clone, Debug)]
pub struct Interrupts {
    /// How many there were.
    count: watch::Receiver<u64>,
}

impl Interrupts {
    pub fn listen() -> Interrupts {
        let (sender, count) = watch::channel(0);
        let mut signals = Signals::listen();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = signals.next() => sender.send_modify(|count| *count += 1),
                    () = sender.closed() => return,
                }
            }
        });
        Interrupts { count }
    }

    /// Completes at the next signal; never where signals cannot be had.
    pub async fn next(&mut self) {
        if self.count.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

struct Signals {
    #[cfg(unix)]
    streams: Vec<tokio::signal::unix::Signal>,
}

impl Signals {
    fn listen() -> Signals {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            // Where signals cannot be had, the process ends by them as any other does.
            let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
            Signals { streams: kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect() }
        }
        #[cfg(not(unix))]
        Signals {}
    }

    async fn next(&mut self) {
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
