use tokio_postgres::Client;

use super::Findings;
use crate::config::Config;
use crate::snapshot::Standby;

/// The standby that tables are read from, if there is one.
pub(super) async fn check(source: &Client, config: &Config, findings: &mut Findings) {
    const WHAT: &str = "replica";
    let Some(replica) = &config.snapshot.replica else { return };
    let opened = Standby::open(config, replica, source).await;
    if findings.known(WHAT, opened).is_some() {
        findings.ok(WHAT, format!("tables are read from {}, a standby of the source", replica.place()));
    }
}
