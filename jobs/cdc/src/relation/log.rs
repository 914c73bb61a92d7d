//! What was told of every table so far, and what is to be told next.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::alignment::{Believed, believed, described, is_described_by, is_described_by_record};
use super::difference::What;
use super::record::{Change, GONE, IMAGE_BEGIN, IMAGE_END, RELATION, RelationRecord, RelationShape};
use crate::avro::{field_names, wire_header};
use crate::delivery::Outbox;
use crate::error::Result;
use crate::kafka::EventId;
use crate::pgoutput::{Relation, RelationId};
use crate::source::TableFacts;
use crate::table::{TableName, TableShape};

/// The relation topic, and the last record of every table in it.
pub(crate) struct RelationLog {
    topic: Arc<str>,
    schema_id: u32,
    tables: BTreeMap<TableName, Told>,
    /// How many records the topic has.
    records: i64,
}

/// What was told of the table that has a name.
struct Told {
    record: RelationRecord,
    /// The image that has begun and not ended.
    image: Option<String>,
}

/// A table as it is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Telling {
    pub(crate) name: TableName,
    pub(crate) id: RelationId,
    pub(crate) topic: Arc<str>,
    pub(crate) shape: RelationShape,
    /// Whether each column is known to be the one that it is called.
    pub(crate) is_certain: bool,
    /// Whether rows were written anew, which the event trigger tells.
    pub(crate) rewritten: bool,
}

impl RelationLog {
    pub(crate) fn new(topic: &str, schema_id: u32) -> Self {
        Self { topic: topic.into(), schema_id, tables: BTreeMap::new(), records: 0 }
    }

    /// Takes note of a record that is in Kafka already; in their order.
    pub(crate) fn recall(&mut self, record: RelationRecord) {
        self.records += 1;
        let name = record.name();
        let told = self.tables.get_mut(&name);
        match (record.kind.as_str(), told) {
            (IMAGE_BEGIN, Some(told)) => told.image = record.image,
            (IMAGE_END, Some(told)) => told.image = None,
            (RELATION | GONE, told) => {
                let image = told.and_then(|told| told.image.take()).filter(|_| record.kind == RELATION);
                self.tables.insert(name, Told { record, image });
            }
            _ => {}
        }
    }

    /// How many records the topic has.
    pub(crate) fn records(&self) -> i64 {
        self.records
    }

    /// The last description of the table of this name; none when it is gone.
    pub(crate) fn named(&self, name: &TableName) -> Option<&RelationRecord> {
        self.tables.get(name).map(|told| &told.record).filter(|record| record.kind == RELATION)
    }

    /// The last description of this table, under whatever name.
    pub(crate) fn of(&self, id: RelationId, name: &TableName) -> Option<&RelationRecord> {
        let is_it = |record: &&RelationRecord| record.id() == id && record.kind == RELATION;
        self.named(name).filter(is_it).or_else(|| self.tables.values().map(|told| &told.record).find(is_it))
    }

    /// The partitioned table that had this one as a leaf.
    pub(crate) fn root_of(&self, leaf: RelationId) -> Option<&TableName> {
        let has_it =
            |told: &Told| told.record.shape.leaves.iter().any(|known| known.oid == i64::from(leaf.0));
        self.tables.iter().find(|(_, told)| has_it(told)).map(|(name, _)| name)
    }

    /// The last descriptions of the tables that are there.
    pub(crate) fn present(&self) -> impl Iterator<Item = &RelationRecord> {
        self.tables.values().map(|told| &told.record).filter(|record| record.kind == RELATION)
    }

    /// The topic of every table that was told, of those that are gone too.
    pub(crate) fn topics(&self) -> impl Iterator<Item = (&TableName, &str)> {
        self.tables.iter().map(|(name, told)| (name, told.record.topic.as_str()))
    }

    /// Whether nothing was ever told.
    pub(crate) fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// Whether the stream describes a table as it was told last.
    pub(crate) fn is_told(&self, relation: &Relation) -> bool {
        let name = TableName { schema: relation.schema.clone(), table: relation.table.clone() };
        self.named(&name).is_some_and(|record| is_described_by_record(record, relation))
    }

    /// The table as it was told last, if that is not how the catalog has it, in this shape, by now.
    pub(crate) fn believed_before(&self, facts: &TableFacts, shape: &TableShape) -> Option<Believed> {
        let told = self.named(&facts.name()).filter(|told| told.id() == facts.id())?;
        let described = described(told);
        let has_key = told.shape.key.iter().eq(shape.key_columns().map(|column| &column.name));
        if has_key && is_described_by(facts, &described) {
            return None;
        }
        Some(believed(&described, Some(told), Some(facts)))
    }

    /// Gives the columns of a table the names of fields that were told of them before, and lets those that were renamed remember
    /// their former ones.
    pub(crate) fn adopt(&self, facts: &TableFacts, shape: &mut TableShape) {
        let Some(told) = self.of(facts.id(), &shape.name) else { return };
        let number =
            |name: &str| facts.columns.iter().find(|column| column.name == *name).map(|column| column.attnum);
        let earlier: Vec<_> = shape
            .columns
            .iter()
            .map(|column| {
                let attnum = number(&column.name).filter(|attnum| *attnum > 0)?;
                told.shape
                    .columns
                    .iter()
                    .find(|known| known.attnum == i32::from(attnum) && !known.field.is_empty())
            })
            .collect();
        let named = shape.columns.iter().zip(&earlier);
        let kept: HashMap<String, String> = named
            .filter_map(|(column, earlier)| {
                let earlier = earlier.filter(|earlier| earlier.name == column.name)?;
                Some((column.name.clone(), earlier.field.clone()))
            })
            .collect();
        let fields = field_names(&shape.columns, |name| kept.get(name).cloned());
        for ((column, field), earlier) in shape.columns.iter_mut().zip(fields).zip(earlier) {
            if let Some(earlier) = earlier {
                column.former_fields.clone_from(&earlier.former_fields);
                if earlier.field != field && !column.former_fields.contains(&earlier.field) {
                    column.former_fields.push(earlier.field.clone());
                }
                column.former_fields.retain(|former| *former != field);
            }
            column.field = field;
        }
    }

    /// What is new about a table.
    pub(crate) fn changes(&self, telling: &Telling) -> Vec<Change> {
        let Some(told) = self.tables.get(&telling.name) else { return vec![Change::new(What::FIRST)] };
        let before = &told.record;
        if before.id() != telling.id {
            return vec![Change {
                before: Some(before.oid.to_string()),
                after: Some(telling.id.0.to_string()),
                ..Change::new(What::REPLACED)
            }];
        }
        if before.kind != RELATION {
            return vec![Change::new(What::FIRST)];
        }
        let mut changes = telling.shape.changes_since(&before.shape, telling.is_certain);
        if *before.topic != *telling.topic {
            changes.push(Change::new(What::TOPIC).changed(&before.topic, &*telling.topic));
        }
        if telling.rewritten && !changes.iter().any(|change| change.what == What::ROWS) {
            changes.push(Change::new(What::ROWS));
        }
        changes
    }

    /// Tells a table, if something about it is new: it holds from the event of this position on.
    pub(crate) async fn tell(
        &mut self,
        outbox: &mut Outbox,
        mut telling: Telling,
        at: EventId,
        learned_from: &str,
    ) -> Result<Vec<Change>> {
        let before = self.tables.get(&telling.name);
        if let Some(before) = before.filter(|told| told.record.id() == telling.id) {
            telling.shape.remember(&before.record.shape);
        }
        let changes = self.changes(&telling);
        let image = before.and_then(|told| told.image.clone());
        let (filenode, id) = (telling.shape.filenode, telling.id);
        if changes.is_empty() {
            // The next difference is one to the file as it is now.
            if let Some(told) = self.tables.get_mut(&telling.name).filter(|_| telling.is_certain) {
                told.record.shape.filenode = filenode;
            }
            return Ok(changes);
        }
        let name = telling.name;
        let words: Vec<&str> = changes.iter().map(|change| change.what.as_str()).collect();
        if words != [What::FIRST] {
            tracing::info!(table = %name, lsn = %at.commit_lsn, changes = ?words, learned_from, "the table has changed");
        }
        let record = RelationRecord {
            kind: RELATION.to_owned(),
            schema: name.schema.clone(),
            table: name.table.clone(),
            oid: i64::from(id.0),
            topic: telling.topic.to_string(),
            commit_lsn: at.commit_lsn.0 as i64,
            ordinal: at.ordinal as i64,
            learned_from: learned_from.to_owned(),
            image: None,
            changes: changes.clone(),
            shape: telling.shape,
        };
        self.write(outbox, &record).await?;
        self.records += 1;
        // An image of the table before is one of rows that are gone.
        let image = image.filter(|_| !changes.iter().any(Change::needs_image));
        self.tables.insert(name, Told { record, image });
        Ok(changes)
    }

    /// Tells that there is no table of this name any more, or that it is not captured.
    pub(crate) async fn tell_gone(
        &mut self,
        outbox: &mut Outbox,
        name: &TableName,
        at: EventId,
        learned_from: &str,
    ) -> Result<()> {
        if self.named(name).is_none() {
            return Ok(());
        }
        tracing::info!(table = %name, lsn = %at.commit_lsn, "the table is gone, or captured no more");
        self.mark(outbox, name, GONE, None, at, learned_from).await
    }

    /// Whether an image of the table has begun and not ended.
    pub(crate) fn has_open_image(&self, name: &TableName) -> bool {
        self.tables.get(name).is_some_and(|told| told.image.is_some())
    }

    /// Tells that rows of a new image follow.
    pub(crate) async fn begin_image(
        &mut self,
        outbox: &mut Outbox,
        name: &TableName,
        at: EventId,
    ) -> Result<()> {
        let oid = self.tables.get(name).map(|told| told.record.oid).unwrap_or_default();
        let image = format!("{oid}@{}/{}", at.commit_lsn, at.ordinal);
        self.mark(outbox, name, IMAGE_BEGIN, Some(image), at, "snapshot").await
    }

    /// Tells that the open image is whole; nothing when none is open.
    pub(crate) async fn end_image(
        &mut self,
        outbox: &mut Outbox,
        name: &TableName,
        at: EventId,
    ) -> Result<()> {
        match self.tables.get(name).and_then(|told| told.image.clone()) {
            Some(image) => self.mark(outbox, name, IMAGE_END, Some(image), at, "snapshot").await,
            None => Ok(()),
        }
    }

    async fn mark(
        &mut self,
        outbox: &mut Outbox,
        name: &TableName,
        kind: &str,
        image: Option<String>,
        at: EventId,
        learned_from: &str,
    ) -> Result<()> {
        let Some(told) = self.tables.get(name) else { return Ok(()) };
        let record = RelationRecord {
            kind: kind.to_owned(),
            commit_lsn: at.commit_lsn.0 as i64,
            ordinal: at.ordinal as i64,
            learned_from: learned_from.to_owned(),
            image,
            changes: Vec::new(),
            ..told.record.clone()
        };
        self.write(outbox, &record).await?;
        self.recall(record);
        Ok(())
    }

    async fn write(&self, outbox: &mut Outbox, record: &RelationRecord) -> Result<()> {
        let mut value = Vec::with_capacity(512);
        wire_header(self.schema_id, &mut value);
        record.encode(&mut value);
        let key = format!("{}.{}", record.schema, record.table);
        let topic = outbox.uncounted_topic(&self.topic);
        let now_us = chrono::Utc::now().timestamp_micros();
        outbox.set_relations(self.records + 1);
        outbox.uncounted(topic, (Some(key.as_bytes()), &value), record.position(), now_us).await
    }
}
