//! The settings of a session.

use crate::{
    Error,
    proto::{KeyValue, config_request as request, config_request::operation::OpType},
    rpc::Connection,
};
use std::collections::BTreeMap;

/// The settings of a session: `spark.conf()`.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// let conf = spark.conf();
/// conf.set("spark.sql.shuffle.partitions", 8).await?;
/// println!("{:?}", conf.get("spark.sql.session.timeZone").await?);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy)]
pub struct RuntimeConf<'a> {
    connection: &'a Connection,
}

impl<'a> RuntimeConf<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection }
    }

    /// A setting's value, its default included, or `None` when it has neither.
    pub async fn get(&self, key: &str) -> Result<Option<String>, Error> {
        let keys = vec![key.to_owned()];
        let pairs = self.connection.config(OpType::GetOption(request::GetOption { keys })).await?;
        Ok(pairs.into_iter().find(|pair| pair.key == key).and_then(|pair| pair.value))
    }

    /// All settings that were set and whose names begin with `prefix`, which may be empty.
    pub async fn get_all(&self, prefix: &str) -> Result<BTreeMap<String, String>, Error> {
        let prefix = (!prefix.is_empty()).then(|| prefix.to_owned());
        let asked = prefix.clone().unwrap_or_default();
        let pairs = self.connection.config(OpType::GetAll(request::GetAll { prefix })).await?;
        // The server answers with the rest of the name after the prefix.
        let whole = |pair: KeyValue| (format!("{asked}{}", pair.key), pair.value.unwrap_or_default());
        Ok(pairs.into_iter().map(whole).collect())
    }

    /// Sets one setting.
    pub async fn set(&self, key: &str, value: impl ToString) -> Result<(), Error> {
        self.set_all([(key, value.to_string())]).await
    }

    /// Sets several settings in one call.
    pub async fn set_all(
        &self,
        settings: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Result<(), Error> {
        let pair = |(key, value): (_, _)| KeyValue { key: Into::into(key), value: Some(Into::into(value)) };
        let pairs: Vec<_> = settings.into_iter().map(pair).collect();
        if pairs.is_empty() {
            return Ok(());
        }
        self.connection.config(OpType::Set(request::Set { pairs, silent: None })).await.map(|_| ())
    }

    /// Gives a setting Spark's default back: what the server's own configuration says is lost for the
    /// session too.
    pub async fn unset(&self, key: &str) -> Result<(), Error> {
        self.unset_all([key]).await
    }

    /// [`RuntimeConf::unset`] for several settings, in one call.
    pub async fn unset_all(&self, keys: impl IntoIterator<Item = impl Into<String>>) -> Result<(), Error> {
        let keys = keys.into_iter().map(Into::into).collect();
        self.connection.config(OpType::Unset(request::Unset { keys })).await.map(|_| ())
    }

    /// Whether a setting can be changed in a session.
    pub async fn is_modifiable(&self, key: &str) -> Result<bool, Error> {
        let keys = vec![key.to_owned()];
        let pairs = self.connection.config(OpType::IsModifiable(request::IsModifiable { keys })).await?;
        Ok(pairs.into_iter().any(|pair| pair.key == key && pair.value.as_deref() == Some("true")))
    }
}
