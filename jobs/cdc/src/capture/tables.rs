use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use prometheus::IntCounter;

use super::outbox::TopicId;
use crate::avro::{
    DEAD_LETTER, Operation, Stamp, TRANSACTION_KEY, TRANSACTION_VALUE, TableEncoder, key_schema, topic_name,
    value_schema,
};
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::kafka::Topics;
use crate::metrics::Metrics;
use crate::pgoutput::{Datum, Relation, RelationId, Tuple};
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
    known: HashMap<RelationId, Option<Captured>>,
    described: HashSet<RelationId>,
}

/// A topic beside those of tables.
#[derive(Debug, Clone)]
pub(crate) struct SideTopic {
    pub(crate) name: Arc<str>,
    /// Of key and value.
    pub(crate) schema_ids: (u32, u32),
}

/// The topics beside those of tables that the configuration wants.
#[derive(Debug, Clone, Default)]
pub(crate) struct SideTopics {
    pub(crate) transactions: Option<SideTopic>,
    pub(crate) dead_letters: Option<SideTopic>,
}

/// A table in the stream.
pub(crate) struct Captured {
    pub(crate) encoder: Arc<TableEncoder>,
    pub(crate) stamp: Stamp,
    /// The topic's place in the outbox, once an event went there.
    pub(crate) topic: Option<TopicId>,
    counters: [Option<IntCounter>; 5],
}

impl Captured {
    fn new(encoder: Arc<TableEncoder>) -> Self {
        Self { encoder, stamp: Stamp::default(), topic: None, counters: [const { None }; 5] }
    }

    /// Counts one event in the metrics.
    pub(crate) fn count(&mut self, operation: Operation, metrics: &Metrics) {
        if let Some(counter) = self.counters.get_mut(operation as usize) {
            counter.get_or_insert_with(|| metrics.events(&self.encoder.shape.name, operation.letter())).inc();
        }
    }
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
        let shapes = self.catalog.shapes(tables).await?;
        let schemas = shapes.iter().flat_map(|shape| self.schemas(shape)).collect();
        self.registry.register_all(schemas, &self.metrics).await?;
        let mut encoders = Vec::with_capacity(tables.len());
        for ((id, _), shape) in tables.iter().zip(shapes) {
            encoders.push(self.install(*id, shape).await?);
        }
        Ok(encoders)
    }

    /// The subjects and schemas of a table.
    fn schemas(&self, shape: &TableShape) -> Vec<(String, String)> {
        let prefix = &self.config.topic_prefix;
        let topic = topic_name(prefix, &shape.name);
        let key = key_schema(prefix, shape).map(|schema| (format!("{topic}-key"), schema));
        key.into_iter().chain([(format!("{topic}-value"), value_schema(prefix, shape))]).collect()
    }

    /// Registers the schemas and creates the topics that are not of tables.
    pub(crate) async fn prepare_side_topics(&mut self) -> Result<SideTopics> {
        let events = self.config.events;
        let transactions = if events.transactions {
            Some(self.side_topic("transaction", Some(TRANSACTION_KEY), TRANSACTION_VALUE).await?)
        } else {
            None
        };
        let dead_letters = if events.dead_letters {
            Some(self.side_topic("dead_letter", None, DEAD_LETTER).await?)
        } else {
            None
        };
        Ok(SideTopics { transactions, dead_letters })
    }

    async fn side_topic(&mut self, name: &str, key: Option<&str>, value: &str) -> Result<SideTopic> {
        let name = format!("{}.{name}", self.config.topic_prefix);
        self.topics.ensure(&[&name]).await?;
        let key_id = match key {
            Some(schema) => self.registry.register(&format!("{name}-key"), schema, &self.metrics).await?,
            None => 0,
        };
        let value_id = self.registry.register(&format!("{name}-value"), value, &self.metrics).await?;
        Ok(SideTopic { name: name.into(), schema_ids: (key_id, value_id) })
    }

    /// Takes note of what the stream says of a table; a changed shape becomes a new schema version.
    pub(crate) async fn describe(&mut self, relation: &Relation) -> Result<()> {
        if !self.config.tables.matches(&relation.schema, &relation.table) {
            self.known.insert(relation.id, None);
            return Ok(());
        }
        let known =
            self.known.get(&relation.id).and_then(Option::as_ref).map(|table| Arc::clone(&table.encoder));
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

    /// A table of the stream, none when it isn't captured.
    pub(crate) fn get(&mut self, relation: RelationId) -> Result<Option<&mut Captured>> {
        match self.known.get_mut(&relation) {
            Some(known) => Ok(known.as_mut()),
            None => Err(Error::new(
                ErrorKind::Protocol,
                format!("a row of table OID {} came before its relation", relation.0),
            )),
        }
    }

    /// Makes the columns that are null in this row nullable: the catalog, read later than the row was
    /// written, had said NOT NULL.
    pub(crate) async fn allow_nulls(&mut self, relation: RelationId, row: Tuple<'_>) -> Result<()> {
        let Some(table) = self.get(relation)? else { return Ok(()) };
        let mut shape = table.encoder.shape.clone();
        for (column, datum) in shape.columns.iter_mut().zip(row.iter()) {
            column.nullable |= datum == Datum::Null;
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
        let schemas = (key_schema_id, value_schema_id);
        let encoder =
            Arc::new(TableEncoder::new(shape, &topic, schemas, prefix, &self.config.source.database));
        self.known.insert(id, Some(Captured::new(Arc::clone(&encoder))));
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
