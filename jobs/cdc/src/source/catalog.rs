use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::{StreamExt, stream};
use lakepulse_types::{AvroForm, Conversion, SourceType, TypeOptions, TypeRow};
use tokio_postgres::{Client, Statement};

use super::characters::{is_no_text, query_readable};
use super::defaults::read_defaults;
use super::facts::{ColumnFacts, KeyFacts, TableFacts, VERSION_OF_TABLE, read_facts};
use super::narrowing::Narrowed;
use super::{ordering, refused};
use crate::avro::field_names;
use crate::config::{Partitions, RowOptions, TableFilter};
use crate::error::{Error, ErrorKind, Result};
use crate::pgoutput::RelationId;
use crate::table::{Column, ColumnDefault, KeyOperators, TableName, TableShape};

/// Tables whose facts one statement asks for.
const TOGETHER: usize = 500;
/// Tables whose defaults are asked for at the same time.
const AT_ONCE: usize = 32;

/// The catalog's types, read once and again when an unknown one turns up.
pub(crate) struct Catalog {
    client: Arc<Client>,
    options: RowOptions,
    types: HashMap<u32, TypeRow>,
    /// Operators of types whose order is not PostgreSQL's own.
    operators: HashMap<u32, KeyOperators>,
    narrowed: Narrowed,
    /// Tables that can't be described in UTF-8, by their OIDs.
    unreadable: BTreeSet<u32>,
    /// The table that was described last: while it is read in ranges, each of them asks for its shape.
    described: Option<Described>,
    version_of_table: Option<Statement>,
}

/// What was found of a table while the catalog had this version of it.
struct Described {
    id: RelationId,
    version: String,
    shape: TableShape,
    facts: TableFacts,
}

impl Catalog {
    pub(crate) fn new(client: Arc<Client>, options: &RowOptions) -> Self {
        Self {
            client,
            options: options.clone(),
            types: HashMap::new(),
            operators: HashMap::new(),
            narrowed: Narrowed::new(&options.publications),
            unreadable: BTreeSet::new(),
            described: None,
            version_of_table: None,
        }
    }

    pub(crate) fn client(&self) -> Arc<Client> {
        Arc::clone(&self.client)
    }

    /// The tables that the filter lets through, by name; of a partitioned table either itself or its partitions.
    ///
    /// # Errors
    /// Among others [`ErrorKind::Configuration`] when there are none.
    pub(crate) async fn tables(
        &mut self,
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
        &mut self,
        filter: &TableFilter,
        partitions: Partitions,
    ) -> Result<Vec<(RelationId, TableName)>> {
        let roots = partitions == Partitions::Root;
        let failed = || refused("cannot list the tables");
        let all = "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE (c.relkind = 'r' OR c.relkind = 'p' AND $1) AND c.relpersistence = 'p'
                    AND NOT (c.relispartition AND $1) AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'";
        // In one statement, so that a table that is replaced meanwhile does not seem to be gone.
        let rows = match self
            .client
            .query(&format!("SELECT c.oid, n.nspname, c.relname {all}"), &[&roots])
            .await
        {
            Err(cause) if is_no_text(&cause) => {
                let rows =
                    self.client.query(&format!("SELECT c.oid {all}"), &[&roots]).await.map_err(failed())?;
                let oids: Vec<u32> = rows.iter().map(|row| row.get(0)).collect();
                let mut unreadable = Vec::new();
                let names = "SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY ($1)";
                let rows = query_readable(&self.client, names, &oids, &mut unreadable).await;
                self.note_unreadable(&unreadable);
                rows.map_err(failed())?
            }
            rows => rows.map_err(failed())?,
        };
        let mut tables = Vec::with_capacity(rows.len());
        for row in &rows {
            let name = TableName { schema: row.get(1), table: row.get(2) };
            if !filter.matches(&name.schema, &name.table) {
                continue;
            }
            tables.push((RelationId(row.get(0)), name));
        }
        tables.sort_by(|(_, name), (_, other)| name.cmp(other));
        Ok(tables)
    }

    /// Tables that can't be described in UTF-8, which are left out.
    pub(crate) fn unreadable(&self) -> impl Iterator<Item = u32> {
        self.unreadable.iter().copied()
    }

    pub(crate) fn is_unreadable(&self, table: RelationId) -> bool {
        self.unreadable.contains(&table.0)
    }

    fn note_unreadable(&mut self, tables: &[u32]) {
        for oid in tables {
            if self.unreadable.insert(*oid) {
                tracing::error!("{}", describe_unreadable(*oid));
            }
        }
    }

    /// What the catalog knows of these tables now, in their order; those that are gone are missing.
    pub(crate) async fn facts(&mut self, tables: &[RelationId]) -> Result<Vec<TableFacts>> {
        let mut all: HashMap<u32, TableFacts> = HashMap::with_capacity(tables.len());
        for together in tables.chunks(TOGETHER) {
            let mut unreadable = Vec::new();
            let facts = read_facts(&self.client, together, &mut unreadable).await?;
            for facts in &facts {
                self.unreadable.remove(&facts.oid);
            }
            self.note_unreadable(&unreadable);
            all.extend(facts.into_iter().map(|facts| (facts.oid, facts)));
        }
        let mut facts: Vec<TableFacts> = tables.iter().filter_map(|id| all.remove(&id.0)).collect();
        self.narrow(&mut facts).await?;
        Ok(facts)
    }

    /// Leaves out what the publications hide of these tables.
    pub(crate) async fn narrow(&mut self, tables: &mut [TableFacts]) -> Result<()> {
        let only = if let [one] = &*tables { Some(one.id()) } else { None };
        self.narrowed.read(&self.client, only).await?;
        for facts in tables {
            let id = facts.id();
            facts.row_filter = self.narrowed.row_filter(id);
            let is_hidden = |column: &ColumnFacts| !column.generated && !self.narrowed.has(id, &column.name);
            let hidden: Vec<i16> =
                facts.columns.iter().filter(|column| is_hidden(column)).map(|column| column.attnum).collect();
            facts.columns.retain(|column| !hidden.contains(&column.attnum));
            // A part of a key names no row.
            if facts.key.as_ref().is_some_and(|key| key.columns.iter().any(|number| hidden.contains(number)))
            {
                facts.key = None;
            }
        }
        Ok(())
    }

    /// The shape of a table as the catalog has it now.
    ///
    /// # Errors
    /// Among others [`ErrorKind::SourceRefused`] when it is gone.
    pub(crate) async fn shape_now(
        &mut self,
        id: RelationId,
        name: &TableName,
    ) -> Result<(TableShape, TableFacts)> {
        let version = self.version_of(id).await?;
        if let (Some(known), Some(version)) = (&self.described, &version)
            && (known.id, &known.version) == (id, version)
        {
            return Ok((known.shape.clone(), known.facts.clone()));
        }
        let Some(facts) = self.facts(&[id]).await?.pop() else {
            let what = if self.is_unreadable(id) {
                format!("the table {name} is left out: {}", describe_unreadable(id.0))
            } else {
                format!("the table {name} is gone")
            };
            return Err(Error::new(ErrorKind::SourceRefused, what));
        };
        let shape = self.shape(&facts).await?;
        // What is read after its version is as new, or newer than it is taken for.
        self.described =
            version.map(|version| Described { id, version, shape: shape.clone(), facts: facts.clone() });
        Ok((shape, facts))
    }

    /// The catalog's version of a table, none when it is gone.
    async fn version_of(&mut self, id: RelationId) -> Result<Option<String>> {
        let failed = || refused("cannot read whether a table has changed");
        let statement = match &self.version_of_table {
            Some(statement) => statement.clone(),
            None => self.client.prepare(VERSION_OF_TABLE).await.map_err(failed())?,
        };
        self.version_of_table = Some(statement.clone());
        let row = self.client.query_opt(&statement, &[&id.0]).await.map_err(failed())?;
        Ok(row.map(|row| row.get(0)))
    }

    /// The shape in which a table is captured that the catalog knows like this.
    pub(crate) async fn shape(&mut self, facts: &TableFacts) -> Result<TableShape> {
        let defaults = read_defaults(&self.client, facts).await;
        self.combine(facts, defaults).await
    }

    /// The shapes of many tables, in the same order.
    pub(crate) async fn shapes(&mut self, tables: &[TableFacts]) -> Result<Vec<TableShape>> {
        let client = Arc::clone(&self.client);
        let defaults: Vec<_> =
            stream::iter(tables).map(|facts| read_defaults(&client, facts)).buffered(AT_ONCE).collect().await;
        let mut shapes = Vec::with_capacity(tables.len());
        for (facts, defaults) in tables.iter().zip(defaults) {
            shapes.push(self.combine(facts, defaults).await?);
        }
        Ok(shapes)
    }

    /// The same, where nobody asks for the columns' defaults.
    pub(crate) async fn shapes_without_defaults(&mut self, tables: &[TableFacts]) -> Result<Vec<TableShape>> {
        let mut shapes = Vec::with_capacity(tables.len());
        for facts in tables {
            shapes.push(self.combine(facts, vec![ColumnDefault::None; facts.columns.len()]).await?);
        }
        Ok(shapes)
    }

    /// Has types read again when they are needed next: values of an enum came, or were renamed.
    pub(crate) fn forget_types(&mut self) {
        self.types.clear();
        self.described = None;
    }

    /// The present type of a column, whose values may have become more.
    pub(crate) fn type_now(&self, column: &Column) -> AvroForm {
        AvroForm::resolve(&self.types, column.type_oid, column.type_modifier, self.options.types)
    }

    /// Columns to be written whose types have no form of their own, with their types' names.
    pub(crate) fn unknown_columns(&self, shape: &TableShape) -> Vec<(String, String)> {
        let options = TypeOptions { unknown_as_text: false, ..self.options.types };
        let mut unknown = Vec::new();
        for column in &shape.columns {
            let kind = AvroForm::resolve(&self.types, column.type_oid, column.type_modifier, options);
            if kind == AvroForm::Unknown
                && column.mask.is_none()
                && self.options.captures(&shape.name, &column.name)
            {
                let name = self.types.get(&column.type_oid).map_or("composite", |row| row.name.as_str());
                unknown.push((column.name.clone(), name.to_owned()));
            }
        }
        unknown
    }

    async fn combine(&mut self, facts: &TableFacts, defaults: Vec<ColumnDefault>) -> Result<TableShape> {
        let name = facts.name();
        let own_key = self.options.key(&name).map(<[String]>::to_vec);
        let mut columns: Vec<Column> = Vec::with_capacity(facts.columns.len());
        let mut key = BTreeMap::new();
        for (known, default) in facts.columns.iter().zip(defaults).filter(|(known, _)| !known.generated) {
            let position = match (&own_key, &facts.key) {
                (Some(names), _) => names.iter().position(|name| *name == known.name),
                (None, Some(key)) => key.columns.iter().position(|number| *number == known.attnum),
                (None, None) => None,
            };
            if let Some(position) = position {
                key.insert(position, columns.len());
            }
            if own_key.is_some()
                && position.is_some()
                && facts.identity_columns.as_ref().is_some_and(|told| !told.contains(&known.attnum))
            {
                return Err(Error::new(
                    ErrorKind::Configuration,
                    format!(
                        "tables.keys: deleted rows of {name} do not tell column {}: run ALTER TABLE {} REPLICA IDENTITY FULL",
                        known.name,
                        name.quoted()
                    ),
                ));
            }
            let resolved = self.column_type(known.type_oid, known.modifier).await?;
            let mask = self.options.mask(&name, &known.name).cloned();
            // A key is written whole.
            let captured = position.is_some()
                || resolved.kind != AvroForm::Unknown && self.options.captures(&name, &known.name);
            let conversion =
                if mask.is_some() { Conversion::Avro } else { conversion(known, &resolved.kind) };
            columns.push(Column {
                name: known.name.clone(),
                type_oid: known.type_oid,
                type_modifier: known.modifier,
                nullable: !known.not_null && !resolved.not_null,
                default: Some(default)
                    .filter(|_| resolved.has_default)
                    .filter(|_| mask.is_none() || resolved.kind == AvroForm::Text)
                    .unwrap_or_default(),
                kind: if mask.is_some() { AvroForm::Text } else { resolved.kind },
                mask,
                captured,
                operators: self.operators.get(&known.type_oid).cloned(),
                field: String::new(),
                former_fields: Vec::new(),
                texts: false,
                conversion,
            });
        }
        if let Some(names) = own_key.as_ref().filter(|names| names.len() != key.len()) {
            return Err(Error::new(
                ErrorKind::Configuration,
                format!("tables.keys: {name} lacks some of the columns {names:?}: correct their names"),
            ));
        }
        let fields = field_names(&columns, |_| None);
        for (column, field) in columns.iter_mut().zip(fields) {
            column.field = field;
        }
        // Two rows never meet in a key that holds a whole index which is checked at once.
        let in_key = |number: &i16| {
            facts.columns.iter().any(|known| {
                known.attnum == *number && own_key.as_ref().is_none_or(|names| names.contains(&known.name))
            })
        };
        let is_checked = |index: &KeyFacts| index.immediate && index.columns.iter().all(in_key);
        let key_is_deferred = !key.is_empty() && !facts.key.as_ref().is_some_and(is_checked);
        Ok(TableShape {
            name,
            columns,
            key: key.into_values().collect(),
            own_key: own_key.is_some(),
            key_is_deferred,
            partitioned: facts.partitioned,
            row_filter: facts.row_filter.clone(),
        })
    }

    async fn column_type(&mut self, oid: u32, modifier: i32) -> Result<ResolvedType> {
        if !self.types.contains_key(&oid) {
            self.read_types().await?;
        }
        let row = self.types.get(&oid);
        Ok(ResolvedType {
            kind: AvroForm::resolve(&self.types, oid, modifier, self.options.types),
            not_null: row.is_some_and(|row| row.not_null),
            has_default: row.is_some_and(TypeRow::has_default),
        })
    }

    /// Reads the types anew, since enums gain values; those that are gone stay known.
    pub(crate) async fn read_types(&mut self) -> Result<()> {
        self.operators = ordering::read(&self.client).await?;
        let failed = || refused("cannot read the types");
        let rows =
            self.client.query("SELECT oid FROM pg_type WHERE typtype <> 'c'", &[]).await.map_err(failed())?;
        let oids: Vec<u32> = rows.iter().map(|row| row.get(0)).collect();
        // One that is no text in UTF-8 counts as unknown.
        let rows = query_readable(
                &self.client,
                "SELECT t.oid, t.typname, t.typtype::text, t.typinput = 'array_in'::regproc AND t.typdelim = ',', t.typbasetype, t.typtypmod, t.typelem, t.typnotnull,
                        (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)
                   FROM pg_type t WHERE t.oid = ANY ($1)",
                &oids,
                &mut Vec::new(),
            )
            .await
            .map_err(failed())?;
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

/// What is wrong with a table that can't be described in UTF-8.
pub(crate) fn describe_unreadable(oid: u32) -> String {
    format!(
        "the name, a column or a default of the table with OID {oid} (SELECT {oid}::regclass) has characters that UTF-8 lacks, or \
         bytes that are no text: it is left out until they are changed"
    )
}

/// Where the lakehouse takes the values of a column from: by its type as relation records tell it.
fn conversion(column: &ColumnFacts, kind: &AvroForm) -> Conversion {
    let name = column.base.as_ref().unwrap_or(&column.type_name);
    let source = name.parse().unwrap_or_else(|_| SourceType::Text(name.clone()));
    Conversion::of(&source, kind)
}

/// A column's type as it is written, and whether the type itself forbids null.
struct ResolvedType {
    kind: AvroForm,
    not_null: bool,
    /// Whether the schema tells the column's default.
    has_default: bool,
}
