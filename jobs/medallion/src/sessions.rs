//! Sessions for writes that run at the same time.

use std::sync::{Mutex, PoisonError};

use spark_client::SparkSession;
use tokio::sync::Semaphore;

use crate::error::{Error, ErrorKind, Result};
use crate::job::{interrupt, own_session};

/// Sessions that are lent to one write at a time, since a session's settings carry the identity of the write.
#[derive(Debug)]
pub(crate) struct Sessions {
    all: Vec<SparkSession>,
    permits: Semaphore,
    free: Mutex<Vec<SparkSession>>,
}

impl Sessions {
    /// Opens `count` sessions, but at least one, beside the given one.
    pub(crate) async fn open(spark: &SparkSession, count: usize) -> Result<Self> {
        let count = count.max(1);
        let mut free = Vec::new();
        for _ in 0..count {
            free.push(own_session(spark).await?);
        }
        Ok(Self { all: free.clone(), permits: Semaphore::new(count), free: Mutex::new(free) })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    /// Ends what runs in them on the server.
    pub(crate) async fn interrupt(&self) {
        for session in &self.all {
            interrupt(session).await;
        }
    }

    /// Waits for a session, and has it back when the work is done.
    pub(crate) async fn lend<T>(&self, work: impl AsyncFnOnce(SparkSession) -> Result<T>) -> Result<T> {
        let closed = || Error::new(ErrorKind::Spark, "the sessions for writes are closed");
        let _permit = self.permits.acquire().await.map_err(|_| closed())?;
        let session = self.free().pop().ok_or_else(closed)?;
        let done = work(session.clone()).await;
        self.free().push(session);
        done
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<SparkSession>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
