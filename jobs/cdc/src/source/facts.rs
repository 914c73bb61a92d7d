//! What the catalog knows of a table, as one JSON document that PostgreSQL makes: asked for over a connection, and sent by
//! the event trigger out of the transaction that changes a table.

use serde::Deserialize;
use tokio_postgres::Client;

use super::characters::query_readable;
use super::refused;
use crate::error::{Error, ErrorKind, Result};
use crate::pgoutput::{RelationId, ReplicaIdentity};
use crate::relation::Label;
use crate::table::TableName;

/// An SQL expression over `c` (`pg_class`) and `n` (its `pg_namespace`). The key is the index of the replica identity, if that
/// is an index, since of a deleted row nothing else is known; else the primary key, deferrable or not; else the first
/// unique index that every row is in.
///
/// No part of it waits for a lock: whoever changes a table may be waiting for a snapshot of ours to end. That is why defaults are
/// printed without their table, which only generated columns need.
pub(crate) const FACTS: &str = concat!(
    "json_build_object(
    'oid', c.oid::bigint, 'schema', n.nspname, 'table', c.relname, 'partitioned', c.relkind = 'p',
    'identity', c.relreplident, 'filenode', c.relfilenode::bigint,
    'columns', (SELECT coalesce(json_agg(json_build_object(
            'attnum', a.attnum, 'name', a.attname, 'type_oid', a.atttypid::bigint, 'modifier', a.atttypmod,
            'type', format_type(a.atttypid, a.atttypmod), 'base', CASE WHEN y.typtype = 'd' OR e.typtype = 'd' THEN (
                WITH RECURSIVE made_of (oid, modifier, brackets) AS (SELECT a.atttypid, a.atttypmod, '' UNION ALL
                       SELECT CASE b.typtype WHEN 'd' THEN b.typbasetype ELSE b.typelem END,
                              CASE WHEN b.typtype = 'd' AND modifier = -1 THEN b.typtypmod ELSE modifier END,
                              CASE b.typtype WHEN 'd' THEN brackets ELSE brackets || '[]' END
                         FROM made_of JOIN pg_type b USING (oid)
                        WHERE b.typtype = 'd' OR b.typcategory = 'A' AND b.typelem <> 0)
                SELECT format_type(made_of.oid, made_of.modifier) || made_of.brackets FROM made_of JOIN pg_type b USING (oid)
                 WHERE NOT (b.typtype = 'd' OR b.typcategory = 'A' AND b.typelem <> 0)) END, 'not_null', a.attnotnull, 'generated', a.attgenerated <> '',
            'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, 0) END,
            'missing', CASE WHEN a.atthasmissing THEN (a.attmissingval::text::text[])[1] END,
            'labels', CASE WHEN y.typcategory IN ('A', 'E') THEN (
                WITH RECURSIVE made_of (oid) AS (SELECT y.oid UNION
                       SELECT CASE b.typtype WHEN 'd' THEN b.typbasetype ELSE b.typelem END FROM made_of JOIN pg_type b USING (oid)
                        WHERE b.typtype = 'd' OR b.typcategory = 'A')
                SELECT coalesce(json_agg(json_build_object('oid', e.oid::bigint, 'label', e.enumlabel) ORDER BY e.enumsortorder), '[]')
                  FROM made_of JOIN pg_enum e ON e.enumtypid = made_of.oid) ELSE '[]' END) ORDER BY a.attnum), '[]')
          FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_type e ON e.oid = y.typelem
          LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    'key', (SELECT json_build_object('columns', (i.indkey::int2[])[0:i.indnkeyatts - 1], 'primary', i.indisprimary,
                                     'identity', c.relreplident = 'i' AND i.indisreplident, 'immediate', i.indimmediate)
              FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
             WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND (i.indimmediate OR i.indisprimary)
               AND i.indpred IS NULL AND i.indexprs IS NULL
               AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attnotnull
                                  AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
             ORDER BY c.relreplident = 'i' AND i.indisreplident DESC, i.indisprimary DESC, x.relname LIMIT 1),
    'identity_columns', (SELECT (i.indkey::int2[])[0:i.indnkeyatts - 1] FROM pg_index i
             WHERE i.indrelid = c.oid AND i.indimmediate AND i.indisvalid
               AND (c.relreplident = 'd' AND i.indisprimary OR c.relreplident = 'i' AND i.indisreplident)),
    'leaves', CASE WHEN c.relkind = 'p' THEN (SELECT coalesce(json_agg(json_build_object(
            'oid', l.oid::bigint, 'schema', m.nspname, 'table', l.relname, 'filenode', l.relfilenode::bigint) ORDER BY l.oid), '[]')
          FROM pg_class l JOIN pg_namespace m ON m.oid = l.relnamespace
         WHERE l.relkind IN ('r', 'f') AND ",
    is_partition_of!("l", "c"),
    ") ELSE '[]' END)"
);

/// A number that changes whenever a table, column, index, partition, type or publication is made, altered or dropped.
const VERSION: &str = "
    SELECT md5(string_agg(part, ' ')) FROM (
        SELECT coalesce(sum(hashtext(concat(oid, ' ', xmin, ' ', relfilenode))::bigint), 0) || ' ' || count(*) AS part FROM pg_class WHERE relkind IN ('r', 'p')
        UNION ALL SELECT coalesce(sum(hashtext(concat(attrelid, ' ', attnum, ' ', xmin))::bigint), 0) || ' ' || count(*) FROM pg_attribute WHERE attnum > 0
        UNION ALL SELECT coalesce(sum(hashtext(concat(adrelid, ' ', adnum, ' ', xmin))::bigint), 0) || ' ' || count(*) FROM pg_attrdef
        UNION ALL SELECT coalesce(sum(hashtext(concat(indexrelid, ' ', xmin))::bigint), 0) || ' ' || count(*) FROM pg_index
        UNION ALL SELECT coalesce(sum(hashtext(concat(inhrelid, ' ', inhparent, ' ', xmin))::bigint), 0) || ' ' || count(*) FROM pg_inherits
        UNION ALL SELECT coalesce(sum(hashtext(concat(oid, ' ', xmin))::bigint), 0) || ' ' || count(*) FROM pg_enum
        UNION ALL SELECT coalesce(sum(hashtext(concat(oid, ' ', xmin))::bigint), 0) || ' ' || count(*) FROM pg_type WHERE typtype IN ('d', 'e')
        UNION ALL SELECT coalesce(sum(hashtext(concat(oid, ' ', xmin))::bigint), 0) || ' ' || count(*) FROM pg_publication
        UNION ALL SELECT coalesce(sum(hashtext(concat(oid, ' ', xmin))::bigint), 0) || ' ' || count(*) FROM pg_publication_rel
        UNION ALL SELECT coalesce(sum(hashtext(concat(oid, ' ', xmin))::bigint), 0) || ' ' || count(*) FROM pg_namespace) AS parts (part)";

/// The same of one table and of what its description is made of; far cheaper than the description.
pub(super) const VERSION_OF_TABLE: &str = concat!(
    "
    SELECT md5(concat_ws(' ', c.xmin, n.xmin,
        (SELECT string_agg(concat(l.oid, ' ', l.xmin), ' ' ORDER BY l.oid) FROM pg_class l WHERE ",
    is_partition_of!("l", "c"),
    "),
        (SELECT string_agg(concat(a.attnum, ' ', a.xmin, ' ', y.xmin), ' ' ORDER BY a.attnum)
           FROM pg_attribute a LEFT JOIN pg_type y ON y.oid = a.atttypid WHERE a.attrelid = c.oid AND a.attnum > 0),
        (SELECT string_agg(concat(d.oid, ' ', d.xmin), ' ' ORDER BY d.oid) FROM pg_attrdef d WHERE d.adrelid = c.oid),
        (SELECT string_agg(concat(i.indexrelid, ' ', i.xmin), ' ' ORDER BY i.indexrelid) FROM pg_index i WHERE i.indrelid = c.oid),
        (SELECT string_agg(concat(r.oid, ' ', r.xmin), ' ' ORDER BY r.oid) FROM pg_publication_rel r WHERE r.prrelid = c.oid),
        (SELECT concat(sum(hashtext(concat(oid, ' ', xmin))::bigint), ' ', count(*)) FROM pg_publication),
        (SELECT concat(sum(hashtext(concat(oid, ' ', xmin))::bigint), ' ', count(*)) FROM pg_enum),
        (SELECT concat(sum(hashtext(concat(oid, ' ', xmin))::bigint), ' ', count(*)) FROM pg_type WHERE typtype IN ('d', 'e'))))
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1"
);

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct TableFacts {
    pub(crate) oid: u32,
    pub(crate) schema: String,
    pub(crate) table: String,
    pub(crate) partitioned: bool,
    #[serde(deserialize_with = "identity")]
    pub(crate) identity: ReplicaIdentity,
    /// The file that holds its rows, another one whenever all of them were written anew; 0 for a partitioned table.
    pub(crate) filenode: u32,
    pub(crate) columns: Vec<ColumnFacts>,
    pub(crate) key: Option<KeyFacts>,
    /// Numbers of the columns that an old row tells; none when it tells all, or when there are no old rows.
    pub(crate) identity_columns: Option<Vec<i16>>,
    /// Of a partitioned table, those that hold rows.
    pub(crate) leaves: Vec<LeafFacts>,
    /// The condition of the rows that are published; none when all are.
    #[serde(skip)]
    pub(crate) row_filter: Option<String>,
}

/// A column that is not dropped.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct ColumnFacts {
    /// Never given to another column of the table.
    pub(crate) attnum: i16,
    pub(crate) name: String,
    pub(crate) type_oid: u32,
    pub(crate) modifier: i32,
    /// The type with its modifiers, such as `numeric(10,2)`.
    #[serde(rename = "type")]
    pub(crate) type_name: String,
    /// What a domain, or an array of domains, is made of in the end, written likewise; none for other types.
    #[serde(default)]
    pub(crate) base: Option<String>,
    pub(crate) not_null: bool,
    /// Computed by the source, and not in the stream.
    pub(crate) generated: bool,
    /// An SQL expression.
    pub(crate) default: Option<String>,
    /// What rows have that were written before the column existed, in PostgreSQL's text form.
    pub(crate) missing: Option<String>,
    /// The values of an enum, or of the enum that a domain or an array is made of, in their order.
    pub(crate) labels: Vec<Label>,
}

/// The index that is a table's key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct KeyFacts {
    /// Numbers of columns, in the order of the index.
    pub(crate) columns: Vec<i16>,
    pub(crate) primary: bool,
    /// Whether it is the index of the replica identity.
    pub(crate) identity: bool,
    pub(crate) immediate: bool,
}

/// A partition that holds rows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct LeafFacts {
    pub(crate) oid: u32,
    pub(crate) schema: String,
    pub(crate) table: String,
    pub(crate) filenode: u32,
}

impl TableFacts {
    pub(crate) fn id(&self) -> RelationId {
        RelationId(self.oid)
    }

    pub(crate) fn name(&self) -> TableName {
        TableName { schema: self.schema.clone(), table: self.table.clone() }
    }

    /// The columns that are in the stream, in its order.
    pub(crate) fn streamed(&self) -> impl Iterator<Item = &ColumnFacts> {
        self.columns.iter().filter(|column| !column.generated)
    }
}

fn identity<'de, D: serde::Deserializer<'de>>(from: D) -> Result<ReplicaIdentity, D::Error> {
    let letter = String::deserialize(from)?;
    let identity = letter.bytes().next().and_then(ReplicaIdentity::from_letter);
    identity.ok_or_else(|| serde::de::Error::custom(format!("{letter:?} is no replica identity")))
}

/// The facts of these tables, in no order; those that are gone are missing, and those with texts that UTF-8 has no form for.
pub(crate) async fn read_facts(
    client: &Client,
    tables: &[RelationId],
    unreadable: &mut Vec<u32>,
) -> Result<Vec<TableFacts>> {
    let ids: Vec<u32> = tables.iter().map(|id| id.0).collect();
    let sql = format!(
        "SELECT ({FACTS})::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY ($1)"
    );
    let rows = query_readable(client, &sql, &ids, unreadable)
        .await
        .map_err(refused(format!("cannot read the columns of {} tables", tables.len())))?;
    rows.iter().map(|row| parse_facts(row.get(0))).collect()
}

/// Reads the document of one table.
pub(crate) fn parse_facts(document: &str) -> Result<TableFacts> {
    serde_json::from_str(document).map_err(|cause| {
        Error::new(ErrorKind::Protocol, "what the catalog says of a table can't be read").caused_by(cause)
    })
}

/// What changes whenever the catalog does, as far as tables depend on it.
pub(crate) async fn catalog_version(client: &Client) -> Result<String> {
    let row = client
        .query_one(VERSION, &[])
        .await
        .map_err(refused("cannot ask whether the catalog has changed"))?;
    Ok(row.get(0))
}
