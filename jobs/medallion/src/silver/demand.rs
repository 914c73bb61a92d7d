//! Merge rounds on demand.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use tokio::sync::Notify;

/// Somebody waits for typed tables, such as gold or `lakepulse verify`: the next round does not wait for the end of the rest.
#[derive(Debug, Clone, Default)]
pub struct Demand(Arc<Notify>);

impl Demand {
    /// Takes `POST /merge`, and answers that it was taken.
    pub fn router(&self) -> Router {
        let demand = self.clone();
        let take = move || async move {
            demand.0.notify_one();
            StatusCode::ACCEPTED
        };
        Router::new().route("/merge", post(take))
    }

    pub(super) async fn came(&self) {
        self.0.notified().await;
    }
}
