//! `lakepulse contracts init`: writes the contracts that are missing, out of the source's catalog.

use std::path::Path;

use lakepulse_medallion::Contract;

use crate::catalog;
use crate::error::{Doing, Result};
use crate::source::SourceAddress;

/// Writes `<folder>/<schema>.<table>.yaml` for every table with a primary key that has none yet; people's edits stay.
/// The files that were written.
pub async fn init(address: &SourceAddress, folder: &Path) -> Result<Vec<String>> {
    let contracts = catalog::contracts(&address.connect().await?).await?;
    std::fs::create_dir_all(folder).doing(format!("creating {}", folder.display()))?;
    let mut written = Vec::new();
    for contract in contracts {
        let file = folder.join(format!("{}.yaml", contract.table));
        if !file.exists() {
            std::fs::write(&file, yaml(&contract)?).doing(format!("writing {}", file.display()))?;
            written.push(file.display().to_string());
        }
    }
    Ok(written)
}

fn yaml(contract: &Contract) -> Result<String> {
    serde_norway::to_string(contract).doing(format!("writing the contract of {}", contract.table))
}
