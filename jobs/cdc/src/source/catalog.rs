use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio_postgres::Client;

use super::refused;
use crate::config::TableFilter;
use crate::error::{Error, ErrorKind, Result};
use crate::pgoutput::{Relation, RelationColumn, RelationId};
use crate::table::{Column, ColumnType, TableName, TableShape, TypeRow};

/// The catalog's types, read once and again when an unknown one turns up.
pub(crate) struct Catalog {
    client: Arc<Client>,
    types: HashMap<u32, TypeRow>,
}

/// What the catalog knows of a column beyond the replication stream.
struct CatalogColumn {
    relation: RelationColumn,
    nullable: bool,
    /// From 0, for a column of the primary key.
    key_position: Option<usize>,
}

impl Catalog {
    pub(crate) fn new(client: Arc<Client>) -> Self {
        Self { client, types: HashMap::new() }
    }

    /// The ordinary tables that the filter lets through, by name; partitions and their roots are not captured yet.
    pub(crate) async fn tables(&self, filter: &TableFilter) -> Result<Vec<(RelationId, TableName)>> {
        let rows = self
            .client
            .query(
                "SELECT c.oid, n.nspname, c.relname, c.relreplident::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND NOT c.relispartition
                    AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
                  ORDER BY 2, 3",
                &[],
            )
            .await
            .map_err(refused("cannot list the tables"))?;
        let mut tables = Vec::with_capacity(rows.len());
        for row in &rows {
            let name = TableName { schema: row.get(1), table: row.get(2) };
            if !filter.matches(&name.schema, &name.table) {
                continue;
            }
            let identity: String = row.get(3);
            if identity == "n" || identity == "i" {
                return Err(Error::new(
                    ErrorKind::Configuration,
                    format!(
                        "table {name} has a replica identity that may lack its primary key: run ALTER TABLE {}.{} REPLICA \
                         IDENTITY DEFAULT (or FULL), or exclude the table",
                        super::quoted(&name.schema),
                        super::quoted(&name.table)
                    ),
                ));
            }
            tables.push((RelationId(row.get(0)), name));
        }
        if tables.is_empty() {
            return Err(Error::new(
                ErrorKind::Configuration,
                "no table matches tables.include and tables.exclude: check both, and that the tables exist",
            ));
        }
        Ok(tables)
    }

    /// The shape of a table as the catalog has it now.
    pub(crate) async fn shape(&mut self, id: RelationId, name: &TableName) -> Result<TableShape> {
        let columns = self.columns(id, name).await?;
        let relation = Relation {
            id,
            schema: name.schema.clone(),
            table: name.table.clone(),
            columns: columns.iter().map(|column| column.relation.clone()).collect(),
        };
        self.combine(&relation, &columns).await
    }

    /// The shape of a table as the stream describes it, with nullability and primary key from the
    /// catalog, which may have moved on since: a column that it no longer knows is nullable.
    pub(crate) async fn shape_of(&mut self, relation: &Relation) -> Result<TableShape> {
        let name = TableName { schema: relation.schema.clone(), table: relation.table.clone() };
        let columns = self.columns(relation.id, &name).await?;
        self.combine(relation, &columns).await
    }

    async fn combine(&mut self, relation: &Relation, known: &[CatalogColumn]) -> Result<TableShape> {
        let mut columns = Vec::with_capacity(relation.columns.len());
        let mut key = BTreeMap::new();
        for (index, column) in relation.columns.iter().enumerate() {
            let facts = known.iter().find(|known| known.relation.name == column.name);
            if let Some(position) = facts.and_then(|facts| facts.key_position) {
                key.insert(position, index);
            }
            columns.push(Column {
                name: column.name.clone(),
                type_oid: column.type_oid,
                type_modifier: column.type_modifier,
                kind: self.column_type(column.type_oid, column.type_modifier).await?,
                nullable: facts.is_none_or(|facts| facts.nullable),
            });
        }
        Ok(TableShape {
            name: TableName { schema: relation.schema.clone(), table: relation.table.clone() },
            columns,
            key: key.into_values().collect(),
        })
    }

    async fn columns(&self, id: RelationId, name: &TableName) -> Result<Vec<CatalogColumn>> {
        let rows = self
            .client
            .query(
                "SELECT a.attname, a.atttypid, a.atttypmod, a.attnotnull, array_position(k.conkey, a.attnum)
                   FROM pg_attribute a
                   LEFT JOIN pg_constraint k ON k.conrelid = a.attrelid AND k.contype = 'p'
                  WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
                  ORDER BY a.attnum",
                &[&id.0],
            )
            .await
            .map_err(refused(format!("cannot read the columns of {name}")))?;
        Ok(rows
            .iter()
            .map(|row| CatalogColumn {
                relation: RelationColumn {
                    name: row.get(0),
                    type_oid: row.get(1),
                    type_modifier: row.get(2),
                },
                nullable: !row.get::<_, bool>(3),
                key_position: row.get::<_, Option<i32>>(4).map(|position| position as usize),
            })
            .collect())
    }

    async fn column_type(&mut self, oid: u32, modifier: i32) -> Result<ColumnType> {
        if !self.types.contains_key(&oid) {
            self.read_types().await?;
        }
        Ok(ColumnType::resolve(&self.types, oid, modifier))
    }

    async fn read_types(&mut self) -> Result<()> {
        let rows = self
            .client
            .query(
                "SELECT t.oid, t.typname, t.typtype::text, t.typcategory::text, t.typbasetype, t.typtypmod, t.typelem,
                        (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)
                   FROM pg_type t WHERE t.typtype <> 'c'",
                &[],
            )
            .await
            .map_err(refused("cannot read the types"))?;
        self.types = rows
            .iter()
            .map(|row| {
                let kind: String = row.get(2);
                let category: String = row.get(3);
                let facts = TypeRow {
                    name: row.get(1),
                    is_domain: kind == "d",
                    is_array: category == "A",
                    base: row.get(4),
                    base_modifier: row.get(5),
                    element: row.get(6),
                    labels: row.get::<_, Option<Vec<String>>>(7).unwrap_or_default(),
                };
                (row.get(0), facts)
            })
            .collect();
        Ok(())
    }
}
