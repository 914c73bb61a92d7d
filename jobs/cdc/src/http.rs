//! `/metrics`, `/healthz` and `/readyz`.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::error::{Error, ErrorKind, Result};
use crate::metrics::Metrics;

/// Serves until the program ends.
pub(crate) async fn serve(address: SocketAddr, metrics: Metrics) -> Result<()> {
    let listener = TcpListener::bind(address).await.map_err(|cause| {
        Error::new(
            ErrorKind::Configuration,
            format!("cannot listen for metrics at {address}: choose another metrics.listen"),
        )
        .caused_by(cause)
    })?;
    let router = Router::new()
        .route("/metrics", get(async |State(metrics): State<Metrics>| metrics.text()))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .with_state(metrics);
    tokio::spawn(async move {
        if let Err(cause) = axum::serve(listener, router).await {
            tracing::error!(%cause, "the metrics endpoint has stopped");
        }
    });
    Ok(())
}

async fn ready(State(metrics): State<Metrics>) -> (StatusCode, &'static str) {
    if metrics.is_ready() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not capturing\n")
    }
}
