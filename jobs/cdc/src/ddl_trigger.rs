//! The event trigger of the source: installed, removed and printed, never unasked.

use crate::config::Config;
use crate::error::Result;
use crate::source::{self, REMOVE_DDL, install_ddl, run_ddl};

/// Installs the event trigger in the source's database, or brings it up to date. Returns one line for each thing to know.
///
/// # Errors
/// When the source can't be reached or refuses, as it does to all but superusers.
pub async fn install_ddl_trigger(config: &Config) -> Result<Vec<String>> {
    let client = source::connect(&config.source).await?;
    run_ddl(&client, &install_ddl()).await?;
    Ok(vec![format!(
        "event triggers lakepulse_ddl_command_end, lakepulse_sql_drop and lakepulse_table_rewrite are installed in {}",
        config.source.place()
    )])
}

/// Removes it.
///
/// # Errors
/// When the source can't be reached or refuses.
pub async fn remove_ddl_trigger(config: &Config) -> Result<Vec<String>> {
    let client = source::connect(&config.source).await?;
    run_ddl(&client, REMOVE_DDL).await?;
    Ok(vec![format!("the event triggers are removed from {}", config.source.place())])
}

/// The statements that install it, for a superuser to run.
pub fn ddl_trigger_statements() -> String {
    install_ddl()
}
