//! Live views, which both halves of the service keep up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::control::{Position, SourceTable};
use crate::error::Result;
use crate::live::Views;
use crate::typed::Merged;

/// The views, and what they are to show.
#[derive(Debug)]
pub(super) struct LiveViews {
    told: Mutex<Told>,
    shown: tokio::sync::Mutex<Shown>,
}

/// What was told of the tables, and up to where it is to be in the views.
#[derive(Debug, Clone)]
struct Told {
    tables: Arc<BTreeMap<String, SourceTable>>,
    lsn: i64,
}

#[derive(Debug)]
struct Shown {
    views: Views,
    merged: Merged,
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
        Self {
            told: Mutex::new(Told { tables, lsn }),
            shown: tokio::sync::Mutex::new(Shown { views, merged, is_incomplete: true }),
        }
    }

    /// Before a cut of up to this LSN is published: its events may have shapes that were told of since. Else it does not wait for views that are
    /// being replaced.
    pub(super) async fn prepare(&self, tables: &Arc<BTreeMap<String, SourceTable>>, lsn: i64) -> Result<()> {
        if self.tell(tables, lsn) {
            self.shown.lock().await.refresh(&self.told()).await?;
        }
        Ok(())
    }

    /// After a round, and between rounds to try again what failed.
    pub(super) async fn follow(&self, merged: &Merged) -> Result<()> {
        let mut shown = self.shown.lock().await;
        if shown.merged != *merged || shown.is_incomplete {
            shown.merged.clone_from(merged);
            shown.refresh(&self.told()).await?;
        }
        Ok(())
    }

    /// Whether that is anything new to the views.
    fn tell(&self, tables: &Arc<BTreeMap<String, SourceTable>>, lsn: i64) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = !Arc::ptr_eq(&told.tables, tables)
            || tables.values().any(|table| table.last_told() > Position::end_of(told.lsn));
        told.tables.clone_from(tables);
        told.lsn = told.lsn.max(lsn);
        is_new
    }

    fn told(&self) -> Told {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Shown {
    async fn refresh(&mut self, told: &Told) -> Result<()> {
        self.is_incomplete = true;
        let refreshed = self.views.refresh(&told.tables, &self.merged, told.lsn);
        if let Ok(failed) = tokio::time::timeout(PATIENCE, refreshed).await {
            self.is_incomplete = !failed?.is_empty();
        } else {
            tracing::warn!("live views were not made within {} s", PATIENCE.as_secs());
        }
        Ok(())
    }
}
