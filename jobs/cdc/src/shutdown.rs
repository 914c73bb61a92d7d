use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::error::{Error, ErrorKind, Result};

/// How long a Kafka transaction may take to finish once the program is told to stop.
const GRACE: Duration = Duration::from_secs(4);

/// Tells every part of the program that it is to stop.
#[derive(Debug, Clone)]
pub struct Shutdown {
    since: watch::Receiver<Option<Instant>>,
}

impl Shutdown {
    /// A handle to ask for the stop, and the signal it gives.
    pub fn channel() -> (watch::Sender<Option<Instant>>, Self) {
        let (sender, since) = watch::channel(None);
        (sender, Self { since })
    }

    /// Stops on SIGTERM and SIGINT.
    ///
    /// # Errors
    /// When the signals can't be listened to.
    pub fn on_signals() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| {
            signal(kind).map_err(|cause| {
                Error::new(ErrorKind::Configuration, "cannot listen for signals").caused_by(cause)
            })
        };
        let (mut terminate, mut interrupt) =
            (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
        let (sender, shutdown) = Self::channel();
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("told to stop: finishing the Kafka transaction");
            sender.send_replace(Some(Instant::now()));
            // Keeps the channel open for receivers that look later.
            std::future::pending::<()>().await;
        });
        Ok(shutdown)
    }

    pub(crate) fn requested(&self) -> bool {
        self.since.borrow().is_some()
    }

    /// The time to finish has passed too.
    pub(crate) fn overdue(&self) -> bool {
        self.since.borrow().is_some_and(|since| since.elapsed() > GRACE)
    }

    /// Waits until the time to finish has passed.
    pub(crate) async fn wait_overdue(&mut self) {
        self.wait().await;
        let since = *self.since.borrow();
        let left = since.map_or(GRACE, |since| GRACE.saturating_sub(since.elapsed()));
        tokio::time::sleep(left).await;
    }

    /// Waits until the stop is asked for.
    pub(crate) async fn wait(&mut self) {
        if self.since.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
