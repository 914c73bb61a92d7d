use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio_postgres::Client;

use super::captured::Captured;
use super::isolation;
use crate::avro::{
    DEAD_LETTER, Image, TRANSACTION_KEY, TRANSACTION_VALUE, TableEncoder, key_schema, message_schemas,
    value_schema,
};
use crate::config::Config;
use crate::delivery::{SideTopic, SideTopics};
use crate::error::{Error, ErrorKind, Result};
use crate::kafka::Topics;
use crate::metrics::Metrics;
use crate::pgoutput::{Relation, RelationId, ReplicaIdentity};
use crate::registry::Registry;
use crate::relation::{Believed, RelationLog, RelationShape, Telling, believed};
use crate::source::{Catalog, Characters, TableFacts, arrange_publications, catalog_version};
use crate::table::{Lesson, Lessons, TableName, TableShape};
use crate::topic_names::TopicNames;

/// The tables in the stream, each with the encoder of its current shape.
pub(crate) struct Tables {
    catalog: Catalog,
    registry: Registry,
    topics: Topics,
    config: Config,
    metrics: Metrics,
    /// None for a table that the configuration doesn't include.
    known: HashMap<RelationId, Option<Captured>>,
    /// How often the stream has described each table.
    described: HashMap<RelationId, u32>,
    /// Tables whose rows were written anew, as the event trigger tells before it describes them.
    pub(super) rewritten: HashSet<RelationId>,
    pub(crate) relations: RelationLog,
    /// The signal table, with the places of its columns `type` and `data`.
    signals: Option<(RelationId, [usize; 2])>,
    lessons: Lessons,
    /// Tables whose old rows the stream tells in full.
    told_in_full: HashSet<RelationId>,
    names: TopicNames,
    /// Those of a database that is not in UTF-8.
    pub(crate) characters: Option<Arc<Characters>>,
}

/// A table as the catalog has it at the moment.
pub(crate) struct Present {
    id: RelationId,
    pub(crate) shape: TableShape,
    pub(crate) telling: Telling,
}

/// A table whose schemas are registered, and what is to be told of it.
pub(crate) struct Prepared {
    pub(crate) encoder: Arc<TableEncoder>,
    pub(crate) telling: Telling,
}

impl Tables {
    pub(crate) fn new(
        (catalog, characters): (Catalog, Option<Arc<Characters>>),
        registry: Registry,
        (topics, names): (Topics, TopicNames),
        relations: RelationLog,
        config: &Config,
        metrics: &Metrics,
        lessons: &Lessons,
    ) -> Self {
        Self {
            catalog,
            registry,
            topics,
            config: config.clone(),
            metrics: metrics.clone(),
            known: HashMap::new(),
            described: HashMap::new(),
            rewritten: HashSet::new(),
            relations,
            signals: None,
            lessons: lessons.clone(),
            told_in_full: HashSet::new(),
            names,
            characters,
        }
    }

    pub(crate) fn client(&self) -> Arc<Client> {
        self.catalog.client()
    }

    /// The tables that the configuration includes, as the catalog has them now.
    pub(crate) async fn included(&mut self) -> Result<Vec<(RelationId, TableName)>> {
        self.catalog.tables_now(&self.config.tables, self.config.partitions).await
    }

    /// An included table by its [key](TableName::key).
    pub(crate) async fn keyed(&mut self, key: &str) -> Result<Option<(RelationId, TableName)>> {
        Ok(self.included().await?.into_iter().find(|(_, table)| table.key() == key))
    }

    /// Whether a table, captured or not, has come up before.
    pub(crate) fn knows(&self, relation: RelationId) -> bool {
        self.known.contains_key(&relation)
    }

    /// Publishes tables that are not yet, and prepares those that are new. One that can't be published now stays unknown.
    pub(crate) async fn add(&mut self, tables: &[(RelationId, TableName)]) -> Result<Vec<Prepared>> {
        let names: Vec<_> = tables.iter().map(|(_, name)| name.clone()).collect();
        let arranged = arrange_publications(&self.client(), &self.config, &names).await?;
        if let Some(refused) = arranged.refused {
            return Err(refused);
        }
        let is_new =
            |(id, name): &&(RelationId, TableName)| !self.knows(*id) && !arranged.left_out.contains(name);
        let new: Vec<_> = tables.iter().filter(is_new).cloned().collect();
        self.prepare(&new, false).await
    }

    /// The table's present shape, which may be ahead of that in the stream; in another server's catalog, if there is one.
    pub(crate) async fn present(
        &mut self,
        id: RelationId,
        name: &TableName,
        elsewhere: Option<&mut Catalog>,
    ) -> Result<Present> {
        let (mut shape, facts) = elsewhere.unwrap_or(&mut self.catalog).shape_now(id, name).await?;
        self.relations.adopt(&facts, &mut shape);
        let telling = self.telling(&Believed::certain(facts), &shape);
        self.lessons.apply(&mut shape);
        Ok(Present { id, shape, telling })
    }

    /// Whether a table has another shape in the stream.
    pub(crate) fn differs(&self, present: &Present) -> bool {
        let known = self.known.get(&present.id).and_then(Option::as_ref);
        known.is_some_and(|known| known.encoder.shape != present.shape)
    }

    /// The encoder of a table's present shape, whose schemas are registered if they are new.
    pub(crate) async fn encoder_of(&mut self, present: &Present) -> Result<Arc<TableEncoder>> {
        match self.known.get(&present.id) {
            Some(Some(known)) if known.encoder.shape == present.shape => Ok(Arc::clone(&known.encoder)),
            _ => self.encoder(present.shape.clone()).await,
        }
    }

    /// What is to be told of a table.
    fn telling(&mut self, Believed { facts, is_certain }: &Believed, shape: &TableShape) -> Telling {
        self.give_topics([&shape.name]);
        Telling {
            name: shape.name.clone(),
            id: facts.id(),
            topic: self.names.of(&shape.name),
            shape: RelationShape::new(facts, shape),
            is_certain: *is_certain,
            rewritten: self.rewritten.contains(&facts.id()),
        }
    }

    /// Sees to it that tables have topics, and says which have others than the template gives.
    fn give_topics<'a>(&mut self, tables: impl IntoIterator<Item = &'a TableName>) {
        for meeting in self.names.give(tables) {
            tracing::warn!("{meeting}");
        }
    }

    /// What is to be told of the tables that the catalog knows like this.
    pub(crate) async fn tellings(&mut self, tables: Vec<TableFacts>) -> Result<Vec<Telling>> {
        let mut shapes = self.catalog.shapes_without_defaults(&tables).await?;
        for (facts, shape) in tables.iter().zip(&mut shapes) {
            self.relations.adopt(facts, shape);
        }
        let tellings = tables.into_iter().zip(shapes);
        Ok(tellings.map(|(facts, shape)| self.telling(&Believed::certain(facts), &shape)).collect())
    }

    /// What is to be told of tables that the source itself described.
    pub(crate) async fn tellings_of(&mut self, mut tables: Vec<TableFacts>) -> Result<Vec<Telling>> {
        self.catalog.narrow(&mut tables).await?;
        self.tellings(tables).await
    }

    /// The catalog's present word on these tables.
    pub(crate) async fn facts(&mut self, tables: &[RelationId]) -> Result<Vec<TableFacts>> {
        self.catalog.facts(tables).await
    }

    /// What changes whenever the catalog does.
    pub(crate) async fn catalog_version(&self) -> Result<String> {
        catalog_version(&self.catalog.client()).await
    }

    /// Has types read again when they are needed next.
    pub(crate) fn forget_types(&mut self) {
        self.catalog.forget_types();
    }

    /// Whether a table of this name is captured, as far as the configuration says.
    pub(crate) fn includes(&self, name: &TableName) -> bool {
        self.config.tables.matches(&name.schema, &name.table)
    }

    /// How often the stream has described a table.
    pub(crate) fn descriptions(&self, id: RelationId) -> u32 {
        self.described.get(&id).copied().unwrap_or_default()
    }

    /// Where the signal table has its columns `type` and `data`, if this is it.
    pub(crate) fn signal_columns(&self, relation: RelationId) -> Option<[usize; 2]> {
        self.signals.filter(|(id, _)| *id == relation).map(|(_, columns)| columns)
    }

    /// Registers the schemas and creates the topics of these tables, as the catalog has them now; those that are gone
    /// are missing. Where the stream is `behind` the catalog, tables have the shape in it that was told last.
    pub(crate) async fn prepare(
        &mut self,
        tables: &[(RelationId, TableName)],
        behind: bool,
    ) -> Result<Vec<Prepared>> {
        self.give_topics(tables.iter().map(|(_, name)| name));
        let topics: Vec<_> = tables.iter().map(|(_, name)| self.names.of(name)).collect();
        self.topics.ensure(&topics.iter().map(|topic| &**topic).collect::<Vec<_>>()).await?;
        let ids: Vec<_> = tables.iter().map(|(id, _)| *id).collect();
        let facts = self.catalog.facts(&ids).await?;
        let mut shapes = self.catalog.shapes(&facts).await?;
        let mut tellings = Vec::with_capacity(shapes.len());
        for (facts, shape) in facts.into_iter().zip(&mut shapes) {
            self.relations.adopt(&facts, shape);
            let told = if behind { self.relations.believed_before(&facts, shape) } else { None };
            tellings.push(self.telling(&Believed::certain(facts), shape));
            if let Some(told) = told {
                *shape = self.catalog.shape(&told.facts).await?;
                self.relations.adopt(&told.facts, shape);
            }
            self.lessons.apply(shape);
        }
        let schemas = shapes.iter().flat_map(|shape| self.schemas(shape)).collect();
        self.registry.register_all(schemas, &self.metrics).await?;
        let mut prepared = Vec::with_capacity(tellings.len());
        for (telling, shape) in tellings.into_iter().zip(shapes) {
            prepared.push(Prepared { encoder: self.install(telling.id, shape).await?, telling });
        }
        Ok(prepared)
    }

    /// The subjects and schemas of a table.
    fn schemas(&self, shape: &TableShape) -> Vec<(String, String)> {
        let topic = self.names.of(&shape.name);
        let key = key_schema(&topic, shape).map(|schema| (format!("{topic}-key"), schema));
        key.into_iter().chain([(format!("{topic}-value"), value_schema(&topic, shape))]).collect()
    }

    /// Registers the schemas and creates the topics that are not of tables.
    pub(crate) async fn prepare_side_topics(&mut self) -> Result<SideTopics> {
        let transactions = if self.config.events.transactions {
            Some(self.side_topic("transaction", Some(TRANSACTION_KEY), TRANSACTION_VALUE).await?)
        } else {
            None
        };
        let dead_letters = if self.config.has_dead_letters() {
            let takes: &[ErrorKind] = match (self.config.events.dead_letters, self.config.registry.isolates) {
                (true, false) => &[ErrorKind::Encoding, ErrorKind::RecordTooLarge],
                (false, _) => &[ErrorKind::SchemaIncompatible],
                (true, true) => {
                    &[ErrorKind::Encoding, ErrorKind::RecordTooLarge, ErrorKind::SchemaIncompatible]
                }
            };
            Some(SideTopic { takes, ..self.side_topic("dead_letter", None, DEAD_LETTER).await? })
        } else {
            None
        };
        let messages = if self.config.events.messages.is_empty() {
            None
        } else {
            let (key, value) = message_schemas(self.config.rows.types.binary);
            Some(self.side_topic("message", Some(&key), &value).await?)
        };
        Ok(SideTopics { transactions, dead_letters, messages })
    }

    async fn side_topic(&mut self, name: &str, key: Option<&str>, value: &str) -> Result<SideTopic> {
        let name = format!("{}.{name}", self.config.topic_prefix);
        self.topics.ensure(&[&name]).await?;
        let key_id = match key {
            Some(schema) => self.registry.register(&format!("{name}-key"), schema, &self.metrics).await?,
            None => 0,
        };
        let value_id = self.registry.register(&format!("{name}-value"), value, &self.metrics).await?;
        let max_record_bytes = self.config.kafka.max_record_bytes as usize;
        Ok(SideTopic { name: name.into(), schema_ids: (key_id, value_id), takes: &[], max_record_bytes })
    }

    /// Takes note of what the stream says of a table; a changed shape becomes a new schema version. What is to be told of it, if
    /// anything may be.
    pub(crate) async fn describe(&mut self, relation: &Relation) -> Result<Option<Telling>> {
        let is_signal = |table: &TableName| table.schema == relation.schema && table.table == relation.table;
        if self.config.signals.table.as_ref().is_some_and(is_signal) {
            let column = |name: &str| relation.columns.iter().position(|column| column.name == name);
            self.signals = column("type").zip(column("data")).map(|(kind, data)| (relation.id, [kind, data]));
        }
        if !self.config.tables.matches(&relation.schema, &relation.table) {
            self.known.insert(relation.id, None);
            return Ok(None);
        }
        let known =
            self.known.get(&relation.id).and_then(Option::as_ref).map(|table| Arc::clone(&table.encoder));
        if relation.identity == ReplicaIdentity::Full {
            self.told_in_full.insert(relation.id);
        } else {
            self.told_in_full.remove(&relation.id);
        }
        if let Some(Some(table)) = self.known.get_mut(&relation.id) {
            table.displaces =
                table.encoder.shape.key_is_deferred && relation.identity == ReplicaIdentity::Full;
        }
        // The server describes a table again when its catalog entry has changed, be it only its key.
        let times = self.described.entry(relation.id).or_default();
        *times += 1;
        let is_known = known.as_ref().is_some_and(|encoder| same(&encoder.shape, relation));
        if *times == 1 && is_known && self.relations.is_told(relation) {
            return Ok(None);
        }
        let name = TableName { schema: relation.schema.clone(), table: relation.table.clone() };
        let now = self.catalog.facts(&[relation.id]).await?.pop();
        if self.catalog.is_unreadable(relation.id) {
            self.known.insert(relation.id, None);
            return Ok(None);
        }
        let believed = believed(relation, self.relations.of(relation.id, &name), now.as_ref());
        let mut shape = self.catalog.shape(&believed.facts).await?;
        self.relations.adopt(&believed.facts, &mut shape);
        let telling = self.telling(&believed, &shape);
        self.lessons.apply(&mut shape);
        if let Some(known) = known.filter(|_| is_known) {
            shape.keep_lessons(&known.shape);
            if shape == known.shape {
                return Ok(Some(telling));
            }
        }
        tracing::info!(table = %shape.name, columns = shape.columns.len(), "the table has a new shape");
        self.install(relation.id, shape).await?;
        Ok(Some(telling))
    }

    /// Whether a table has the shape that the stream is about to describe.
    pub(crate) fn is_described_as(&self, relation: &Relation) -> bool {
        let known = self.known.get(&relation.id).and_then(Option::as_ref);
        known.is_some_and(|table| same(&table.encoder.shape, relation))
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

    /// Makes the columns allow what these rows hold: null although the catalog, read later than they were written, says
    /// NOT NULL, an enum's value that was added or renamed since, or a text for what has no form in the column's type.
    pub(crate) async fn learn<'a>(
        &mut self,
        relation: RelationId,
        images: impl Iterator<Item = Image<'a>>,
    ) -> Result<()> {
        let Some(table) = self.get(relation)? else { return Ok(()) };
        let lessons: Vec<_> = images.flat_map(|image| table.encoder.lessons(&image)).collect();
        let mut shape = table.encoder.shape.clone();
        if lessons.iter().any(|(_, lesson)| matches!(lesson, Lesson::Label(_))) {
            self.catalog.read_types().await?;
            for column in &mut shape.columns {
                let now = self.catalog.type_now(column);
                if column.mask.is_none() && !column.kind.labels().is_empty() && !now.labels().is_empty() {
                    let before = std::mem::replace(&mut column.kind, now);
                    before.labels().iter().for_each(|label| column.kind.add_label(label));
                }
            }
        }
        for (index, lesson) in &lessons {
            shape.learn(*index, lesson);
            if let (Lesson::Text, Some(column)) = (lesson, shape.columns.get(*index)) {
                tracing::warn!(table = %shape.name, column = column.name, "the column holds PostgreSQL's texts too from now on, for values that have no form in its type");
            }
        }
        self.lessons.note(
            &shape,
            &lessons.into_iter().filter(|(_, lesson)| *lesson != Lesson::Null).collect::<Vec<_>>(),
        );
        self.install(relation, shape).await?;
        Ok(())
    }

    /// Asks the registry again for the tables whose schemas it refused, and returns those that it takes now.
    pub(crate) async fn retry_refused(&mut self) -> Result<Vec<Arc<TableEncoder>>> {
        let known = self.known.iter().filter_map(|(id, table)| Some((*id, &table.as_ref()?.encoder)));
        let refused = known.filter(|(_, encoder)| encoder.is_refused());
        let refused: Vec<_> = refused.map(|(id, encoder)| (id, encoder.shape.clone())).collect();
        let mut taken = Vec::new();
        for (id, shape) in refused {
            let encoder = self.encoder(shape.clone()).await?;
            if !encoder.is_refused() {
                taken.push(self.install(id, shape).await?);
            }
        }
        Ok(taken)
    }

    async fn install(&mut self, id: RelationId, shape: TableShape) -> Result<Arc<TableEncoder>> {
        let encoder = self.encoder(shape).await?;
        isolation::tell(&encoder, self.known.get(&id).and_then(Option::as_ref), &self.metrics);
        let mut captured = Captured::new(Arc::clone(&encoder));
        captured.displaces = encoder.shape.key_is_deferred && self.told_in_full.contains(&id);
        self.known.insert(id, Some(captured));
        Ok(encoder)
    }

    /// Registers the schemas of a shape.
    async fn encoder(&mut self, shape: TableShape) -> Result<Arc<TableEncoder>> {
        self.give_topics([&shape.name]);
        let topic = self.names.of(&shape.name);
        self.topics.ensure(&[&topic]).await?;
        let (shape, registered) = self.register_leniently(&topic, shape).await;
        let has_key = !shape.key.is_empty();
        let prefix = &self.config.topic_prefix;
        let new = |ids| TableEncoder::new(shape, &topic, ids, prefix, &self.config.source.database);
        let encoder = match registered {
            Err(error) if error.kind() == ErrorKind::SchemaIncompatible && self.config.registry.isolates => {
                // Keys are not sent, but tell whether a row moves.
                new((has_key.then_some(0), 0)).refused(&error)
            }
            registered => new(registered?),
        };
        Ok(Arc::new(encoder.teaching(&self.lessons)))
    }

    /// Registers the schemas of a shape, or where the registry refuses them those of the shape with nulls.
    async fn register_leniently(
        &mut self,
        topic: &str,
        shape: TableShape,
    ) -> (TableShape, Result<(Option<u32>, u32)>) {
        let registered = self.register(topic, &shape).await;
        let strict = shape.null_lessons();
        match &registered {
            Err(error) if error.kind() == ErrorKind::SchemaIncompatible && !strict.is_empty() => {}
            _ => return (shape, registered),
        }
        let lenient = shape.with_nulls();
        match self.register(topic, &lenient).await {
            Err(error) if error.kind() == ErrorKind::SchemaIncompatible => (shape, registered),
            otherwise => {
                if otherwise.is_ok() && self.lessons.note(&shape, &strict) {
                    tracing::warn!(table = %shape.name, "for the registry, which wants older records to stay readable, all columns but the key may be null in the schema");
                }
                (lenient, otherwise)
            }
        }
    }

    /// The ids of the schemas of key and value, the first for a table that has one.
    async fn register(&mut self, topic: &str, shape: &TableShape) -> Result<(Option<u32>, u32)> {
        let key_id = match key_schema(topic, shape) {
            Some(schema) => {
                Some(self.registry.register(&format!("{topic}-key"), &schema, &self.metrics).await?)
            }
            None => None,
        };
        let schema = value_schema(topic, shape);
        let value_id = self.registry.register(&format!("{topic}-value"), &schema, &self.metrics).await?;
        Ok((key_id, value_id))
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
        && has_flagged_key(shape, relation)
}

/// Whether the key is what the relation flags, if an index tells old rows.
fn has_flagged_key(shape: &TableShape, relation: &Relation) -> bool {
    let flagged = relation.columns.iter().filter(|column| column.in_identity).count();
    let by_index = matches!(relation.identity, ReplicaIdentity::Default | ReplicaIdentity::Index);
    let is_flagged = |index: &usize| relation.columns.get(*index).is_some_and(|column| column.in_identity);
    shape.own_key
        || !by_index
        || flagged == 0
        || flagged == shape.key.len() && shape.key.iter().all(is_flagged)
}
