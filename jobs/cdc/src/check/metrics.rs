use tokio::net::TcpListener;

use super::Findings;
use crate::config::Config;

/// Whether metrics can be served where the configuration wants it; a capture that runs does so already.
pub(super) async fn check(config: &Config, is_running: bool, findings: &mut Findings) {
    const WHAT: &str = "metrics";
    let Some(address) = config.metrics_listen else { return };
    match TcpListener::bind(address).await {
        Ok(_) => findings.ok(WHAT, format!("can be served at {address}")),
        Err(_) if is_running => {
            findings
                .note(WHAT, format!("{address} is taken, by the capture that runs or by another program"));
        }
        Err(cause) => findings.fix(
            WHAT,
            format!("cannot listen for metrics at {address}: choose another metrics.listen: {cause}"),
        ),
    }
}
