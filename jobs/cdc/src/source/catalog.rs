use std::collections::HashMap;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::OnceCell;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, SimpleQueryMessage, Statement};

use super::key::{CatalogKey, Key, flagged, key_of};
use super::refused;
use crate::avro::field_names;
use crate::config::{Partitions, RowOptions, TableFilter};
use crate::error::{Error, ErrorKind, Result};
use crate::pgoutput::{Relation, RelationColumn, RelationId, ReplicaIdentity};
use crate::table::{Column, ColumnDefault, ColumnType, TableName, TableShape, TypeOptions, TypeRow};

/// Tables that are asked for at the same time.
const TOGETHER: usize = 32;

/// The catalog's types, read once and again when an unknown one turns up.
pub(crate) struct Catalog {
    client: Arc<Client>,
    options: RowOptions,
    types: HashMap<u32, TypeRow>,
    /// Asks for the columns of a table.
    columns: OnceCell<Statement>,
}

/// What the catalog has of a table's columns.
#[derive(Default)]
struct CatalogColumns {
    columns: Vec<CatalogColumn>,
    partitioned: bool,
    key_is_deferred: bool,
}

impl CatalogColumns {
    fn key(&self) -> CatalogKey<'_> {
        let mut columns: Vec<(usize, &str)> = self
            .columns
            .iter()
            .filter_map(|column| Some((column.key_position?, column.relation.name.as_str())))
            .collect();
        columns.sort_unstable();
        CatalogKey {
            columns: columns.into_iter().map(|(_, name)| name).collect(),
            is_deferred: self.key_is_deferred,
        }
    }
}

/// What the catalog knows of a column beyond the replication stream.
struct CatalogColumn {
    relation: RelationColumn,
    nullable: bool,
    default: ColumnDefault,
    /// From 0, for a column of the key.
    key_position: Option<usize>,
    /// Whether an old row tells the column, none when it tells all or there are no old rows.
    in_old_rows: Option<bool>,
}

/// The columns of table `$1`. Its key is that of the index of the replica identity, if it is an index, since of a
/// deleted row nothing else is known; else of the primary key, even of a deferrable one; else of the first unique index
/// that every row is in.
const COLUMNS: &str = "
    SELECT a.attname, a.atttypid, a.atttypmod, a.attnotnull,
           array_position(k.key, a.attnum),
           pg_get_expr(d.adbin, d.adrelid), format_type(a.atttypid, a.atttypmod),
           EXISTS (SELECT FROM pg_class c WHERE c.oid = $1 AND c.relkind = 'p'),
           (SELECT a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
             WHERE i.indrelid = $1 AND i.indimmediate AND (c.relreplident = 'd' AND i.indisprimary OR c.relreplident = 'i' AND i.indisreplident)),
           NOT coalesce(k.indimmediate, true)
      FROM pg_attribute a
      LEFT JOIN (
               SELECT (i.indkey::int2[])[0:i.indnkeyatts - 1] AS key, i.indimmediate
                 FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
                WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND (i.indimmediate OR i.indisprimary)
                  AND i.indpred IS NULL AND i.indexprs IS NULL
                  AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = $1 AND NOT a.attnotnull
                                     AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
                ORDER BY c.relreplident = 'i' AND i.indisreplident DESC, i.indisprimary DESC, x.relname LIMIT 1) AS k ON true
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
     ORDER BY a.attnum";

impl Catalog {
    pub(crate) fn new(client: Arc<Client>, options: &RowOptions) -> Self {
        Self { client, options: options.clone(), types: HashMap::new(), columns: OnceCell::new() }
    }

    pub(crate) fn client(&self) -> Arc<Client> {
        Arc::clone(&self.client)
    }

    /// The tables that the filter lets through, by name; of a partitioned table either itself or its partitions.
    ///
    /// # Errors
    /// Among others [`ErrorKind::Configuration`] when there are none.
    pub(crate) async fn tables(
        &self,
        filter: &TableFilter,
        partitions: Partitions,
    ) -> Result<Vec<(RelationId, TableName)>> {
        let tables = self.tables_now(filter, partitions).await?;
        if tables.is_empty() {
            return Err(Error::new(
                ErrorKind::Configuration,
                "no table matches tables.include and tables.exclude: check both, and that the tables exist",
            ));
        }
        Ok(tables)
    }

    /// The same, but there may be none.
    pub(crate) async fn tables_now(
        &self,
        filter: &TableFilter,
        partitions: Partitions,
    ) -> Result<Vec<(RelationId, TableName)>> {
        let roots = partitions == Partitions::Root;
        let rows = self
            .client
            .query(
                "SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE (c.relkind = 'r' OR c.relkind = 'p' AND $1) AND c.relpersistence = 'p'
                    AND NOT (c.relispartition AND $1) AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
                  ORDER BY 2, 3",
                &[&roots],
            )
            .await
            .map_err(refused("cannot list the tables"))?;
        let mut tables = Vec::with_capacity(rows.len());
        for row in &rows {
            let name = TableName { schema: row.get(1), table: row.get(2) };
            if !filter.matches(&name.schema, &name.table) {
                continue;
            }
            tables.push((RelationId(row.get(0)), name));
        }
        Ok(tables)
    }

    /// The shape of a table as the catalog has it now.
    pub(crate) async fn shape(&mut self, id: RelationId, name: &TableName) -> Result<TableShape> {
        let known = self.columns(id, name).await?;
        self.of_columns(id, name, &known).await
    }

    /// The same with its types read anew.
    pub(crate) async fn shape_now(&mut self, id: RelationId, name: &TableName) -> Result<TableShape> {
        let shape = self.shape(id, name).await?;
        if shape.columns.iter().all(|column| column.kind.labels().is_empty()) {
            return Ok(shape);
        }
        self.read_types().await?;
        self.shape(id, name).await
    }

    /// The shapes of many tables, in the same order.
    pub(crate) async fn shapes(&mut self, tables: &[(RelationId, TableName)]) -> Result<Vec<TableShape>> {
        let this = &*self;
        let all: Vec<_> = stream::iter(tables)
            .map(|(id, name)| this.columns(*id, name))
            .buffered(TOGETHER)
            .try_collect()
            .await?;
        let mut shapes = Vec::with_capacity(tables.len());
        for ((id, name), known) in tables.iter().zip(all) {
            shapes.push(self.of_columns(*id, name, &known).await?);
        }
        Ok(shapes)
    }

    async fn of_columns(
        &mut self,
        id: RelationId,
        name: &TableName,
        known: &CatalogColumns,
    ) -> Result<TableShape> {
        let relation = Relation {
            id,
            schema: name.schema.clone(),
            table: name.table.clone(),
            identity: ReplicaIdentity::Default,
            columns: known.columns.iter().map(|column| column.relation.clone()).collect(),
        };
        self.combine(&relation, known, None).await
    }

    /// The shape of a table as the stream describes it, with nullability and primary key from the
    /// catalog, which may have moved on since: a column that it no longer knows is nullable. `before` is
    /// the table's last shape.
    pub(crate) async fn shape_of(
        &mut self,
        relation: &Relation,
        before: Option<&TableShape>,
    ) -> Result<TableShape> {
        let name = TableName { schema: relation.schema.clone(), table: relation.table.clone() };
        let known = self.columns(relation.id, &name).await?;
        self.combine(relation, &known, before).await
    }

    /// The present type of a column, whose values may have become more.
    pub(crate) fn type_now(&self, column: &Column) -> ColumnType {
        ColumnType::resolve(&self.types, column.type_oid, column.type_modifier, self.options.types)
    }

    /// Columns to be written whose types have no form of their own, with their types' names.
    pub(crate) fn unknown_columns(&self, shape: &TableShape) -> Vec<(String, String)> {
        let options = TypeOptions { unknown_as_text: false, ..self.options.types };
        let mut unknown = Vec::new();
        for column in &shape.columns {
            let kind = ColumnType::resolve(&self.types, column.type_oid, column.type_modifier, options);
            if kind == ColumnType::Unknown
                && column.mask.is_none()
                && self.options.captures(&shape.name, &column.name)
            {
                let name = self.types.get(&column.type_oid).map_or("composite", |row| row.name.as_str());
                unknown.push((column.name.clone(), name.to_owned()));
            }
        }
        unknown
    }

    async fn combine(
        &mut self,
        relation: &Relation,
        known: &CatalogColumns,
        before: Option<&TableShape>,
    ) -> Result<TableShape> {
        let name = TableName { schema: relation.schema.clone(), table: relation.table.clone() };
        let own_key = self.options.key(&name).map(<[String]>::to_vec);
        let mut columns: Vec<Column> = Vec::with_capacity(relation.columns.len());
        let mut key = match &own_key {
            // A key that lacks a column is refused below.
            Some(names) => Key {
                columns: names
                    .iter()
                    .filter_map(|name| relation.columns.iter().position(|column| column.name == *name))
                    .collect(),
                is_deferred: true,
            },
            None => key_of(relation, &known.key(), before),
        };
        let flagged = flagged(relation).unwrap_or_default();
        for (index, column) in relation.columns.iter().enumerate() {
            let facts = known.columns.iter().find(|known| known.relation.name == column.name);
            let in_key = key.columns.contains(&index);
            if own_key.is_some() && in_key && facts.and_then(|facts| facts.in_old_rows) == Some(false) {
                return Err(Error::new(
                    ErrorKind::Configuration,
                    format!(
                        "tables.keys: deleted rows of {name} do not tell column {}: run ALTER TABLE {}.{} REPLICA IDENTITY FULL",
                        column.name,
                        super::quoted(&name.schema),
                        super::quoted(&name.table)
                    ),
                ));
            }
            let resolved = self.column_type(column.type_oid, column.type_modifier).await?;
            let mask = self.options.mask(&name, &column.name).cloned();
            // A key is written whole.
            let captured =
                in_key || resolved.kind != ColumnType::Unknown && self.options.captures(&name, &column.name);
            columns.push(Column {
                name: column.name.clone(),
                type_oid: column.type_oid,
                type_modifier: column.type_modifier,
                nullable: facts.map_or(!flagged.contains(&index), |facts| facts.nullable)
                    && !resolved.not_null,
                default: facts
                    .filter(|facts| facts.relation.type_oid == column.type_oid && resolved.has_default)
                    .filter(|_| mask.is_none() || resolved.kind == ColumnType::Text)
                    .map(|facts| facts.default.clone())
                    .unwrap_or_default(),
                kind: if mask.is_some() { ColumnType::Text } else { resolved.kind },
                mask,
                captured,
                field: String::new(),
                former_fields: Vec::new(),
                texts: false,
            });
        }
        let fields = field_names(&columns, |_| None);
        for (column, field) in columns.iter_mut().zip(fields) {
            column.field = field;
        }
        if let Some(names) = own_key.as_ref().filter(|names| names.len() != key.columns.len()) {
            return Err(Error::new(
                ErrorKind::Configuration,
                format!("tables.keys: {name} lacks some of the columns {names:?}: correct their names"),
            ));
        }
        Ok(TableShape {
            name,
            columns,
            key: std::mem::take(&mut key.columns),
            own_key: own_key.is_some(),
            key_is_deferred: key.is_deferred,
            partitioned: known.partitioned,
        })
    }

    /// The table's columns, and whether it is divided into partitions.
    async fn columns(&self, id: RelationId, name: &TableName) -> Result<CatalogColumns> {
        let failed = || format!("cannot read the columns of {name}");
        let statement =
            self.columns.get_or_try_init(|| self.client.prepare(COLUMNS)).await.map_err(refused(failed()))?;
        let rows = self.client.query(statement, &[&id.0]).await.map_err(refused(failed()))?;
        let mut columns = Vec::with_capacity(rows.len());
        let mut constants = Vec::new();
        for row in &rows {
            let expression: Option<String> = row.get(5);
            let default = match &expression {
                Some(expression) if is_constant(expression) => {
                    let of_type: String = row.get(6);
                    constants.push((columns.len(), format!("({expression})::{of_type}")));
                    ColumnDefault::None
                }
                Some(expression) if is_call(expression) => ColumnDefault::Computed,
                Some(_) | None => ColumnDefault::None,
            };
            columns.push(CatalogColumn {
                relation: RelationColumn {
                    name: row.get(0),
                    type_oid: row.get(1),
                    type_modifier: row.get(2),
                    in_identity: row.get::<_, Option<bool>>(8).unwrap_or_default(),
                },
                nullable: !row.get::<_, bool>(3),
                default,
                // Of an array that counts from 0.
                key_position: row.get::<_, Option<i32>>(4).map(|position| position as usize),
                in_old_rows: row.get(8),
            });
        }
        self.read_constants(&mut columns, &constants, name).await;
        let first = rows.first();
        Ok(CatalogColumns {
            columns,
            partitioned: first.is_some_and(|row| row.get(7)),
            key_is_deferred: first.is_some_and(|row| row.get(9)),
        })
    }

    /// Asks for the text forms of constant defaults.
    async fn read_constants(
        &self,
        columns: &mut [CatalogColumn],
        constants: &[(usize, String)],
        name: &TableName,
    ) {
        if constants.is_empty() {
            return;
        }
        let expressions: Vec<&str> = constants.iter().map(|(_, expression)| expression.as_str()).collect();
        match self.client.simple_query(&format!("SELECT {}", expressions.join(", "))).await {
            Ok(messages) => {
                for message in messages {
                    let SimpleQueryMessage::Row(row) = message else { continue };
                    for (place, (index, _)) in constants.iter().enumerate() {
                        if let (Some(column), Some(text)) = (columns.get_mut(*index), row.get(place)) {
                            // A `char(5)` is told without the spaces that fill it up.
                            let padded = column.relation.type_oid == Type::BPCHAR.oid();
                            let text = if padded { text.trim_end_matches(' ') } else { text };
                            column.default = ColumnDefault::Constant(text.to_owned());
                        }
                    }
                }
            }
            // They are for readers of the schema, and stand for what a delete does not tell.
            Err(cause) => tracing::warn!(table = %name, "the defaults of columns are left out: {cause}"),
        }
    }

    async fn column_type(&mut self, oid: u32, modifier: i32) -> Result<ResolvedType> {
        if !self.types.contains_key(&oid) {
            self.read_types().await?;
        }
        let row = self.types.get(&oid);
        Ok(ResolvedType {
            kind: ColumnType::resolve(&self.types, oid, modifier, self.options.types),
            not_null: row.is_some_and(|row| row.not_null),
            has_default: row.is_some_and(TypeRow::has_default),
        })
    }

    /// Reads the types anew, since enums gain values; those that are gone stay known.
    pub(crate) async fn read_types(&mut self) -> Result<()> {
        let rows = self
            .client
            .query(
                "SELECT t.oid, t.typname, t.typtype::text, t.typinput = 'array_in'::regproc AND t.typdelim = ',', t.typbasetype, t.typtypmod, t.typelem, t.typnotnull,
                        (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)
                   FROM pg_type t WHERE t.typtype <> 'c'",
                &[],
            )
            .await
            .map_err(refused("cannot read the types"))?;
        self.types.extend(rows.iter().map(|row| {
            let kind: String = row.get(2);
            let facts = TypeRow {
                name: row.get(1),
                is_domain: kind == "d",
                // Not those with a form of their own, such as int2vector's, or with semicolons, such as box[].
                is_array: row.get(3),
                base: row.get(4),
                base_modifier: row.get(5),
                element: row.get(6),
                not_null: row.get(7),
                labels: row.get::<_, Option<Vec<String>>>(8).unwrap_or_default(),
            };
            (row.get(0), facts)
        }));
        Ok(())
    }
}

/// A column's type as it is written, and whether the type itself forbids null.
struct ResolvedType {
    kind: ColumnType,
    not_null: bool,
    /// Whether the schema tells the column's default.
    has_default: bool,
}

/// Whether an expression as PostgreSQL prints it is a literal, perhaps in parentheses and cast to types.
fn is_constant(expression: &str) -> bool {
    let mut rest = expression.trim();
    while let Some(inner) = rest.strip_prefix('(') {
        rest = inner;
    }
    let after = if let Some(text) = rest.strip_prefix("E'").or_else(|| rest.strip_prefix('\'')) {
        end_of_text(text, rest.starts_with('E'))
    } else {
        let word = rest.strip_prefix('-').unwrap_or(rest);
        let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(word.len());
        let (word, after) = word.split_at(end);
        let literal =
            word.starts_with(|c: char| c.is_ascii_digit()) || matches!(word, "true" | "false" | "NULL");
        literal.then_some(after)
    };
    // Casts are names, perhaps quoted, with numbers or brackets.
    after.is_some_and(|casts| {
        casts.is_empty()
            || casts.trim_start_matches(')').is_empty()
            || (casts.trim_start_matches(')').starts_with("::")
                && casts.chars().all(|c| c.is_alphanumeric() || " :_.,\"()[]".contains(c)))
    })
}

/// Whether an expression is a function's call, such as `nextval(…)`, or one of those that need no brackets, such as
/// `CURRENT_DATE`.
fn is_call(expression: &str) -> bool {
    let rest = expression.trim_start_matches('(');
    let end = rest.find(|c: char| !c.is_alphanumeric() && !"_.\"".contains(c)).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    !name.is_empty() && (after.starts_with('(') || name.starts_with("CURRENT_") || name.starts_with("LOCAL"))
}

/// What follows the quote that ends a text.
fn end_of_text(text: &str, escapes: bool) -> Option<&str> {
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' if escapes => drop(characters.next()),
            '\'' if characters.next_if(|(_, next)| *next == '\'').is_none() => return text.get(at + 1..),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants() {
        for constant in [
            "1",
            "'-1'::integer",
            "(-1)",
            "1.5",
            "'a'::text",
            "'it''s'::character varying(9)",
            "true",
            "NULL::text",
            "'{1,2}'::integer[]",
            "('now'::text)::date",
            "E'a\\'b'::text",
            "'x'::\"Own\".mood",
            "(1)::numeric(10,2)",
        ] {
            assert!(is_constant(constant), "{constant}");
        }
        for computed in [
            "nextval('s'::regclass)",
            "now()",
            "CURRENT_DATE",
            "(1 + 1)",
            "upper('x'::text)",
            "'a'::text || 'b'::text",
            "('now'::text)::date + 1",
            "'open",
            "gen_random_uuid()",
            "-x",
        ] {
            assert!(!is_constant(computed), "{computed}");
        }
        for call in
            ["nextval('s'::regclass)", "now()", "CURRENT_DATE", "\"Own\".make(1)", "CURRENT_TIMESTAMP(3)"]
        {
            assert!(is_call(call), "{call}");
        }
        for other in ["(1 + 1)", "'a'::text || 'b'::text", "x"] {
            assert!(!is_call(other), "{other}");
        }
    }
}
