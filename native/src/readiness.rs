//! Whether a server serves, and whether it is ours that does.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::port_owner;
use crate::process;
use crate::service::{Readiness, Service};

const PAUSE: Duration = Duration::from_millis(150);
const REQUEST_LIMIT: Duration = Duration::from_secs(5);

/// Fails with the name of the holder when a port of the service is taken.
pub(crate) fn require_free_ports(service: &Service) -> Result<()> {
    for (variable, port) in &service.ports {
        if let Some(owner) = port_owner::owner(*port) {
            return Err(Error::new(format!(
                "port {port} of {} is taken by {owner}; stop that, or set LAKEPULSE_{variable} (or LAKEPULSE_PORT_BASE) to \
                 another port",
                service.name
            ))
            .and_final());
        }
    }
    Ok(())
}

/// Returns when the service's own process listens on all its ports and its probe succeeds.
pub(crate) async fn until_ready(service: &Service, pid: u32) {
    loop {
        if service.ports.iter().all(|(_, port)| port_owner::is_listening(pid, *port)) && probe(service).await
        {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn probe(service: &Service) -> bool {
    match &service.readiness {
        Readiness::Listening => true,
        Readiness::Http { url, contains } => {
            let Ok(client) = reqwest::Client::builder().timeout(REQUEST_LIMIT).no_proxy().build() else {
                return false;
            };
            match client.get(url).send().await {
                Ok(answer) if answer.status().is_success() => {
                    answer.text().await.is_ok_and(|body| body.contains(contains))
                }
                _ => false,
            }
        }
        Readiness::Command(program) => process::succeeds(program).await,
    }
}
