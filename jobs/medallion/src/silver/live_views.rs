//! Live views, which both halves of the service keep up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::control::{Position, SourceTable};
use crate::error::Result;
use crate::live::Views;
use crate::typed::Merged;

/// The views, and what they show.
#[derive(Debug)]
pub(super) struct LiveViews(Mutex<Shown>);

#[derive(Debug)]
struct Shown {
    views: Views,
    tables: Arc<BTreeMap<String, SourceTable>>,
    merged: Merged,
    /// Up to here what was told of the tables is in the views.
    lsn: i64,
    /// Some view could not be made, or is not made yet.
    is_incomplete: bool,
}

/// Cuts wait no longer than this for views. One that is not replaced in time stands still before events of shapes that it does not know.
const PATIENCE: Duration = Duration::from_secs(20);

impl LiveViews {
    /// None of them is looked at yet.
    pub(super) fn new(
        views: Views,
        tables: Arc<BTreeMap<String, SourceTable>>,
        merged: Merged,
        lsn: i64,
    ) -> Self {
        Self(Mutex::new(Shown { views, tables, merged, lsn, is_incomplete: true }))
    }

    /// Before a cut of up to this LSN is published: its events may have shapes that were told of since.
    pub(super) async fn prepare(&self, tables: &Arc<BTreeMap<String, SourceTable>>, lsn: i64) -> Result<()> {
        let mut shown = self.0.lock().await;
        let told_above = |table: &SourceTable| table.last_told() > Position::end_of(shown.lsn);
        let is_new = !Arc::ptr_eq(&shown.tables, tables) || shown.tables.values().any(told_above);
        shown.lsn = shown.lsn.max(lsn);
        if is_new {
            shown.tables.clone_from(tables);
            shown.refresh().await?;
        }
        Ok(())
    }

    /// After a round, and between rounds to try again what failed.
    pub(super) async fn follow(&self, merged: &Merged) -> Result<()> {
        let mut shown = self.0.lock().await;
        if shown.merged != *merged || shown.is_incomplete {
            shown.merged.clone_from(merged);
            shown.refresh().await?;
        }
        Ok(())
    }
}

impl Shown {
    async fn refresh(&mut self) -> Result<()> {
        self.is_incomplete = true;
        let refreshed = self.views.refresh(&self.tables, &self.merged, self.lsn);
        if let Ok(failed) = tokio::time::timeout(PATIENCE, refreshed).await {
            self.is_incomplete = !failed?.is_empty();
        } else {
            tracing::warn!("live views were not made within {} s", PATIENCE.as_secs());
        }
        Ok(())
    }
}
