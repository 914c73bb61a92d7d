//! Writes that change a Delta table at most once, however often they are run.

use crate::{Error, SparkSession};
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};

const APP_ID: &str = "spark.databricks.delta.write.txnAppId";
const VERSION: &str = "spark.databricks.delta.write.txnVersion";
/// Where Delta leaves the version of the session's last commit.
const LAST_COMMIT: &str = "spark.databricks.delta.lastCommitVersionInSession";

/// The identity of a write. Delta remembers, for each application id and table, the highest version that
/// was written; a statement (MERGE, INSERT, UPDATE, DELETE, an append of a DataFrame) with that version or
/// a lower one changes nothing and succeeds.
///
/// The identity is a setting of the session while the write runs. Scopes on one session therefore wait for
/// each other; but a write elsewhere on the same session, outside of a scope, would get the identity too:
/// give such a write a session of its own ([`SparkSession::new_session`]). And since the identity is per
/// table, **run one statement a table in a scope**: a second one would be skipped without a word.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession, changes: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// use spark_client::{delta::IdempotentWrite, functions::expr};
/// let merge = changes.alias("c").merge_into("silver.customers", expr("customers.id = c.id"))
///     .when_matched(None).update_all()
///     .when_not_matched(None).insert_all()
///     .merge();
/// IdempotentWrite::new("silver.customers", 4711).run(&spark, merge).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotentWrite {
    app_id: String,
    version: i64,
}

impl IdempotentWrite {
    /// `version` grows with each new write of the application, from 0.
    pub fn new(app_id: &str, version: i64) -> Self {
        Self { app_id: app_id.to_owned(), version }
    }

    /// Runs the write, a future that was not polled yet, with this identity and takes it off the session again, also when the write fails and
    /// when the future is dropped.
    pub async fn run<T, E: From<Error>>(
        &self,
        session: &SparkSession,
        write: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let mut scope = Scope::enter(session, self).await?;
        let written = write.await;
        // When both fail, the write's own failure says more; a session that is gone has no settings either.
        match scope.leave().await {
            Err(error) if written.is_ok() => Err(error.into()),
            _ => written,
        }
    }

    /// [`IdempotentWrite::run`], and the version of the table that the write has made: without a look at the table's
    /// history, which costs a job. None when the write was skipped or had nothing to change.
    pub async fn commit<T, E: From<Error>>(
        &self,
        session: &SparkSession,
        write: impl Future<Output = Result<T, E>>,
    ) -> Result<Option<i64>, E> {
        let write = async {
            session.conf().unset(LAST_COMMIT).await?;
            write.await?;
            Ok::<_, E>(session.conf().get(LAST_COMMIT).await?)
        };
        let version = self.run(session, write).await?;
        Ok(version.and_then(|version| version.parse().ok()))
    }
}

/// The time in which the session has the identity.
struct Scope {
    session: SparkSession,
    turn: Option<OwnedMutexGuard<()>>,
}

impl Scope {
    async fn enter(session: &SparkSession, write: &IdempotentWrite) -> Result<Self, Error> {
        let turns: Arc<Mutex<()>> = session.connection().write_turns();
        let scope = Self { session: session.clone(), turn: Some(turns.lock_owned().await) };
        let settings = [(APP_ID, write.app_id.clone()), (VERSION, write.version.to_string())];
        scope.session.conf().set_all(settings).await?;
        Ok(scope)
    }

    async fn leave(&mut self) -> Result<(), Error> {
        let left = self.session.conf().unset_all([APP_ID, VERSION]).await;
        if left.is_ok() {
            self.turn = None;
        }
        left
    }
}

/// Dropped in the middle: the settings still come off, and only then is it the next scope's turn.
impl Drop for Scope {
    fn drop(&mut self) {
        if let (Some(turn), Ok(runtime)) = (self.turn.take(), tokio::runtime::Handle::try_current()) {
            let session = self.session.clone();
            runtime.spawn(async move {
                if let Err(error) = session.conf().unset_all([APP_ID, VERSION]).await {
                    tracing::error!(%error, "the identity of a Delta write stays on the session: stop it");
                }
                drop(turn);
            });
        }
    }
}
