//! The lakehouse as the command asks it: a Spark session with the names of its tables.

use clap::Args;
use lakepulse_medallion::Lake;
use lakepulse_medallion::job::SparkAddress;
use spark_client::SparkSession;

use crate::error::{Doing, Result};

/// Where Spark is, and how the tables are called.
#[derive(Clone, Args)]
pub struct LakehouseAddress {
    #[command(flatten)]
    spark: SparkAddress,
    #[command(flatten)]
    lake: Lake,
}

/// A session with the names of the tables.
#[derive(Clone)]
pub struct Lakehouse {
    /// The session.
    pub spark: SparkSession,
    /// The names.
    pub lake: Lake,
}

impl LakehouseAddress {
    /// Opens a session.
    pub async fn connect(&self) -> Result<Lakehouse> {
        let spark = self.spark.connect().await.doing("opening the lakehouse")?;
        Ok(Lakehouse { spark, lake: self.lake.clone() })
    }
}

impl Lakehouse {
    /// The lakehouse of a stack on this machine, by the stack's endpoints.
    pub async fn of_stack(endpoints: &[(String, String)]) -> Result<Self> {
        let value = |name: &str| {
            let found = endpoints.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let spark = SparkAddress { remote: value("SPARK_REMOTE") };
        let lake = Lake {
            topic_prefix: "wwi".to_owned(),
            database_prefix: String::new(),
            state: value("LAKEPULSE_STATE"),
        };
        LakehouseAddress { spark, lake }.connect().await
    }
}
