use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::avro::{TableEncoder, key_schema, topic_name, value_schema};
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::kafka::Topics;
use crate::metrics::Metrics;
use crate::pgoutput::{Datum, Relation, RelationId};
use crate::registry::Registry;
use crate::source::Catalog;
use crate::table::{TableName, TableShape};

/// The tables in the stream, each with the encoder of its current shape.
pub(crate) struct Tables {
    catalog: Catalog,
    registry: Registry,
    topics: Topics,
    config: Config,
    metrics: Metrics,
    /// None for a table that the configuration doesn't include.
    known: HashMap<RelationId, Option<Arc<TableEncoder>>>,
    described: HashSet<RelationId>,
}

impl Tables {
    pub(crate) fn new(
        catalog: Catalog,
        registry: Registry,
        topics: Topics,
        config: &Config,
        metrics: &Metrics,
    ) -> Self {
        Self {
            catalog,
            registry,
            topics,
            config: config.clone(),
            metrics: metrics.clone(),
            known: HashMap::new(),
            described: HashSet::new(),
        }
    }

    /// Registers the schemas and creates the topics of these tables, as the catalog has them now.
    pub(crate) async fn prepare(
        &mut self,
        tables: &[(RelationId, TableName)],
    ) -> Result<Vec<Arc<TableEncoder>>> {
        let names: Vec<String> =
            tables.iter().map(|(_, name)| topic_name(&self.config.topic_prefix, name)).collect();
        self.topics.ensure(&names.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        let mut encoders = Vec::with_capacity(tables.len());
        for (id, name) in tables {
            let shape = self.catalog.shape(*id, name).await?;
            encoders.push(self.install(*id, shape).await?);
        }
        Ok(encoders)
    }

    /// Takes note of what the stream says of a table; a changed shape becomes a new schema version.
    pub(crate) async fn describe(&mut self, relation: &Relation) -> Result<()> {
        if !self.config.tables.matches(&relation.schema, &relation.table) {
            self.known.insert(relation.id, None);
            return Ok(());
        }
        let known = self.known.get(&relation.id).cloned().flatten();
        // The server describes a table again when its catalog entry has changed, be it only its key.
        let again = !self.described.insert(relation.id);
        if !again && known.as_ref().is_some_and(|encoder| same(&encoder.shape, relation)) {
            return Ok(());
        }
        let mut shape = self.catalog.shape_of(relation).await?;
        if let Some(known) = known.filter(|encoder| same(&encoder.shape, relation)) {
            // A column in which null was seen stays nullable.
            for (column, before) in shape.columns.iter_mut().zip(&known.shape.columns) {
                column.nullable |= before.nullable;
            }
            if shape == known.shape {
                return Ok(());
            }
        }
        tracing::info!(table = %shape.name, columns = shape.columns.len(), "the table has a new shape");
        let topic = topic_name(&self.config.topic_prefix, &shape.name);
        self.topics.ensure(&[&topic]).await?;
        self.install(relation.id, shape).await?;
        Ok(())
    }

    /// The encoder of a table, none when it isn't captured.
    pub(crate) fn encoder(&self, relation: RelationId) -> Result<Option<Arc<TableEncoder>>> {
        self.known.get(&relation).cloned().ok_or_else(|| {
            Error::new(
                ErrorKind::Protocol,
                format!("a row of table OID {} came before its relation", relation.0),
            )
        })
    }

    /// Makes the columns that are null in this row nullable: the catalog, read later than the row was
    /// written, had said NOT NULL.
    pub(crate) async fn allow_nulls(&mut self, relation: RelationId, row: &[Datum]) -> Result<()> {
        let Some(encoder) = self.encoder(relation)? else { return Ok(()) };
        let mut shape = encoder.shape.clone();
        for (column, datum) in shape.columns.iter_mut().zip(row) {
            column.nullable |= *datum == Datum::Null;
        }
        self.install(relation, shape).await?;
        Ok(())
    }

    async fn install(&mut self, id: RelationId, shape: TableShape) -> Result<Arc<TableEncoder>> {
        let prefix = &self.config.topic_prefix;
        let topic = topic_name(prefix, &shape.name);
        let key_schema_id = match key_schema(prefix, &shape) {
            Some(schema) => {
                Some(self.registry.register(&format!("{topic}-key"), &schema, &self.metrics).await?)
            }
            None => None,
        };
        let schema = value_schema(prefix, &shape);
        let value_schema_id =
            self.registry.register(&format!("{topic}-value"), &schema, &self.metrics).await?;
        let encoder = Arc::new(TableEncoder {
            shape,
            topic: topic.into(),
            key_schema_id,
            value_schema_id,
            prefix: prefix.clone(),
            database: self.config.source.database.clone(),
        });
        self.known.insert(id, Some(Arc::clone(&encoder)));
        Ok(encoder)
    }
}

/// Whether the relation is what the shape was made from.
fn same(shape: &TableShape, relation: &Relation) -> bool {
    shape.name.schema == relation.schema
        && shape.name.table == relation.table
        && shape.columns.len() == relation.columns.len()
        && shape.columns.iter().zip(&relation.columns).all(|(known, column)| {
            known.name == column.name
                && known.type_oid == column.type_oid
                && known.type_modifier == column.type_modifier
        })
}
