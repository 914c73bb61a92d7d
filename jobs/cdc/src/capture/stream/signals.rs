//! Signals, which tell a running capture what to do.

use globset::GlobSet;
use tokio::sync::mpsc;

use super::Stream;
use crate::capture::signal::Signal;
use crate::config::set;
use crate::error::{Error, ErrorKind, Result};
use crate::kafka::KafkaSignal;
use crate::pgoutput::{Datum, Tuple};
use crate::transport::ReplicationStream;

/// The next signal that comes by Kafka; never when none do.
pub(super) async fn receive(signals: &mut Option<mpsc::Receiver<KafkaSignal>>) -> Option<KafkaSignal> {
    match signals {
        Some(signals) => signals.recv().await,
        None => std::future::pending().await,
    }
}

impl<S: ReplicationStream> Stream<S> {
    /// Follows a signal between transactions; it has been followed once Kafka knows.
    pub(super) async fn kafka_signal(&mut self, signal: KafkaSignal) -> Result<()> {
        self.follow(Signal::from_json(&signal.text)).await?;
        self.commit().await?;
        self.settle().await?;
        // The reader ends together with the session.
        let _ = signal.followed.send(());
        Ok(())
    }

    /// A row of the signal table.
    pub(super) async fn signal_row(&mut self, row: Tuple<'_>, columns: [usize; 2]) -> Result<()> {
        if self.position.peek_event().is_none_or(|id| self.position.is_out(id)) {
            return Ok(());
        }
        let text = |column: usize| match row.iter().nth(column) {
            Some(Datum::Text(bytes)) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        };
        let [kind, data] = columns.map(text);
        self.follow(Signal::read(&kind.unwrap_or_default(), data.as_deref())).await
    }

    /// Does what a signal says; one that can't be followed is told, and the stream goes on.
    pub(super) async fn follow(&mut self, signal: Result<Signal>) -> Result<()> {
        let followed = match signal {
            Ok(Signal::Execute(names)) => self.execute(&names).await,
            Ok(Signal::Stop(names)) => self.stop_reading(&names),
            Ok(Signal::Pause) => {
                self.incremental.paused = true;
                self.incremental.forget();
                tracing::info!("incremental snapshots are paused");
                Ok(())
            }
            Ok(Signal::Resume) => {
                self.incremental.paused = false;
                tracing::info!("incremental snapshots go on");
                Ok(())
            }
            Ok(Signal::Log(line)) => {
                tracing::info!(lsn = %self.position.reached().commit_lsn, "signal: {line}");
                Ok(())
            }
            Err(error) => Err(error),
        };
        match followed {
            Err(error) if matches!(error.kind(), ErrorKind::Configuration | ErrorKind::Publication) => {
                tracing::error!("{}", error.chain());
                Ok(())
            }
            followed => followed,
        }
    }

    async fn execute(&mut self, names: &[String]) -> Result<()> {
        let wanted = set("data-collections", names)?;
        let mut tables = self.tables.included().await?;
        tables.retain(|(_, name)| wanted.is_match(name.to_string()));
        if tables.is_empty() {
            return Err(Error::new(
                ErrorKind::Configuration,
                format!(
                    "a signal wants a snapshot of {names:?}, which are no captured tables: check tables.include"
                ),
            ));
        }
        self.add_tables(&tables).await?;
        // One that can't be published yet is found by a later poll, and read then.
        tables.retain(|(id, _)| self.tables.knows(*id));
        self.read_tables(tables.iter().map(|(_, name)| name));
        Ok(())
    }

    fn stop_reading(&mut self, names: &[String]) -> Result<()> {
        let all = ["*".to_owned()];
        let wanted: GlobSet = set("data-collections", if names.is_empty() { &all } else { names })?;
        for name in self.position.snapshots.stop(|name| wanted.is_match(name)) {
            tracing::info!(table = name, "the incremental snapshot is stopped");
        }
        self.incremental.forget();
        Ok(())
    }
}
