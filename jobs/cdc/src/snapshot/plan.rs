use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokio_postgres::Client;

use crate::avro::{TableEncoder, from_hex};
use crate::checkpoint::TableProgress;
use crate::error::Result;
use crate::source::{literal, quoted, refused};
use crate::table::{Column, KeyOperators, TableShape};

/// Boundaries fetched at a time.
const FETCH: u32 = 64;

/// Rows of one table between two primary keys.
#[derive(Debug, Clone)]
pub(crate) struct Range {
    pub(crate) encoder: Arc<TableEncoder>,
    /// The key before the first row; none from the table's beginning.
    after: Option<Vec<String>>,
    /// The last row's key; none to the table's end.
    pub(crate) through: Option<Vec<String>>,
    /// So many rows in the order of the key; none for all.
    pub(crate) limit: Option<u32>,
}

impl Range {
    /// The next rows after this key; all that are left where keys have no order.
    pub(crate) fn next(encoder: &Arc<TableEncoder>, after: &[String], limit: u32) -> Self {
        Self {
            encoder: Arc::clone(encoder),
            after: (!after.is_empty()).then(|| after.to_vec()),
            through: None,
            limit: has_order(&encoder.shape).then_some(limit),
        }
    }

    /// Whether it is a whole table that has no more rows than a range may have.
    pub(crate) fn is_small_table(&self) -> bool {
        self.after.is_none() && self.through.is_none() && has_order(&self.encoder.shape)
    }

    /// Whether it has the table's first rows.
    pub(crate) fn begins_table(&self) -> bool {
        self.after.is_none()
    }

    /// The statement that reads the range.
    pub(crate) fn copy(&self) -> String {
        let shape = &self.encoder.shape;
        // What is not captured is not read either; its place in the row stays.
        let column = |column: &Column| if column.captured { quoted(&column.name) } else { "NULL".to_owned() };
        let columns: Vec<String> = shape.columns.iter().map(column).collect();
        let mut bounds: Vec<String> = shape.row_filter.iter().map(|filter| format!("({filter})")).collect();
        bounds.extend(self.after.as_ref().map(|after| is_after(shape, after)));
        bounds.extend(self.through.as_ref().map(|through| is_at_most(shape, through)));
        let condition =
            if bounds.is_empty() { String::new() } else { format!(" WHERE {}", bounds.join(" AND ")) };
        let order = self
            .limit
            .map_or_else(String::new, |limit| format!(" ORDER BY {} LIMIT {limit}", key_columns(shape)));
        format!(
            "COPY (SELECT {} FROM {}{condition}{order}) TO STDOUT (ENCODING 'SQL_ASCII')",
            columns.join(", "),
            relation(shape)
        )
    }
}

/// Gives out the ranges that are left, table by table and in the order of their keys.
pub(crate) struct Planner {
    client: Client,
    tables: VecDeque<(Arc<TableEncoder>, TableProgress)>,
    rows_per_range: u32,
    /// Whether the database is in UTF-8: else keys are asked for as bytes.
    is_utf8: bool,
    /// The table being divided: its last boundary, and those fetched ahead.
    current: Option<Division>,
}

struct Division {
    encoder: Arc<TableEncoder>,
    after: Option<Vec<String>>,
    boundaries: VecDeque<Vec<String>>,
    exhausted: bool,
}

impl Planner {
    /// `client` stands in a transaction at the snapshot.
    pub(crate) async fn new(
        client: Client,
        encoders: &[Arc<TableEncoder>],
        progress: &BTreeMap<String, TableProgress>,
        rows_per_range: u32,
        is_utf8: bool,
    ) -> Result<Self> {
        client
            .batch_execute("SAVEPOINT planned")
            .await
            .map_err(refused("cannot begin to plan key ranges"))?;
        let tables = encoders
            .iter()
            .map(|encoder| {
                let done = progress.get(&encoder.shape.name.key()).cloned().unwrap_or_default();
                (Arc::clone(encoder), done)
            })
            .filter(|(_, progress)| !progress.done)
            .collect();
        Ok(Self { client, tables, rows_per_range, is_utf8, current: None })
    }

    /// Gives back the locks of tables whose ranges have been read: a server has room for some thousands. Until then
    /// they keep a table from being rewritten between two of its ranges.
    pub(crate) async fn release(&self) -> Result<()> {
        if self.current.is_some() {
            return Ok(());
        }
        let released = self.client.batch_execute("ROLLBACK TO SAVEPOINT planned").await;
        released.map_err(refused("cannot release the tables of key ranges"))
    }

    /// The next range, none when everything has been given out.
    pub(crate) async fn next(&mut self) -> Result<Option<Range>> {
        if self.current.is_none() {
            let Some((encoder, progress)) = self.tables.pop_front() else { return Ok(None) };
            if !has_order(&encoder.shape) {
                return Ok(Some(Range { encoder, after: None, through: None, limit: None }));
            }
            let after = Some(progress.through).filter(|through| !through.is_empty());
            self.declare(&encoder.shape, after.as_deref()).await?;
            self.current = Some(Division { encoder, after, boundaries: VecDeque::new(), exhausted: false });
        }
        let Some(mut division) = self.current.take() else { return Ok(None) };
        if division.boundaries.is_empty() && !division.exhausted {
            division.boundaries = self.fetch(&division.encoder.shape).await?;
            division.exhausted = division.boundaries.len() < FETCH as usize;
        }
        let encoder = Arc::clone(&division.encoder);
        let through = division.boundaries.pop_front();
        let range = Range { encoder, after: division.after.take(), through: through.clone(), limit: None };
        if through.is_some() {
            division.after = through;
            self.current = Some(division);
        } else {
            self.client
                .batch_execute("CLOSE boundaries")
                .await
                .map_err(refused("cannot close the cursor of key ranges"))?;
        }
        Ok(Some(range))
    }

    /// Opens a cursor over every n-th key.
    async fn declare(&self, shape: &TableShape, after: Option<&[String]>) -> Result<()> {
        let key = key_columns(shape);
        let mut bounds: Vec<String> = shape.row_filter.iter().map(|filter| format!("({filter})")).collect();
        bounds.extend(after.map(|after| is_after(shape, after)));
        let condition =
            if bounds.is_empty() { String::new() } else { format!(" WHERE {}", bounds.join(" AND ")) };
        let text = |column: &Column| {
            let text = format!("{}::text", quoted(&column.name));
            if self.is_utf8 {
                text
            } else {
                format!("encode(convert_to({text}, getdatabaseencoding()), 'hex')")
            }
        };
        let texts: Vec<String> = shape.key_columns().map(text).collect();
        let sql = format!(
            "DECLARE boundaries NO SCROLL CURSOR FOR SELECT {} FROM (SELECT {key}, row_number() OVER (ORDER BY {key}) AS lakepulse_row \
             FROM {}{condition}) AS numbered WHERE lakepulse_row % {} = 0",
            texts.join(", "),
            relation(shape),
            self.rows_per_range
        );
        self.client.batch_execute(&sql).await.map_err(refused(format!(
            "cannot divide {} into key ranges: the user needs SELECT on it",
            shape.name
        )))
    }

    async fn fetch(&self, shape: &TableShape) -> Result<VecDeque<Vec<String>>> {
        let rows = self
            .client
            .query(&format!("FETCH {FETCH} FROM boundaries"), &[])
            .await
            .map_err(refused(format!("cannot divide {} into key ranges", shape.name)))?;
        let text = |text: String| {
            let bytes = if self.is_utf8 { None } else { from_hex(text.as_bytes()) };
            bytes.map_or(text, |bytes| key_text(&bytes, false))
        };
        Ok(rows.iter().map(|row| (0..row.len()).map(|index| text(row.get(index))).collect()).collect())
    }
}

/// Whether the table can be read in the order of its keys: null is neither before nor after another one.
fn has_order(shape: &TableShape) -> bool {
    !shape.key.is_empty() && !shape.key_columns().any(|column| column.nullable)
}

/// The table without those that inherit from it, unless its rows are in partitions.
fn relation(shape: &TableShape) -> String {
    let only = if shape.partitioned { "" } else { "ONLY " };
    format!("{only}{}.{}", quoted(&shape.name.schema), quoted(&shape.name.table))
}

fn key_columns(shape: &TableShape) -> String {
    shape.key_columns().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ")
}

/// Rows after a key, in the order of ORDER BY.
fn is_after(shape: &TableShape, key: &[String]) -> String {
    compared(shape, key, |operators| &operators.greater).unwrap_or_else(|| one_by_one(shape, key))
}

fn is_at_most(shape: &TableShape, key: &[String]) -> String {
    compared(shape, key, |operators| &operators.at_most)
        .unwrap_or_else(|| format!("NOT {}", one_by_one(shape, key)))
}

fn operators(column: &Column) -> KeyOperators {
    column.operators.clone().unwrap_or_default()
}

/// One comparison of the whole key; none where its columns have operators of several kinds.
fn compared(shape: &TableShape, key: &[String], which: impl Fn(&KeyOperators) -> &String) -> Option<String> {
    let mut kinds = shape.key_columns().map(operators);
    let first = kinds.next().unwrap_or_default();
    let condition = || format!("({}) {} ({})", key_columns(shape), which(&first), literals(key));
    kinds.all(|kind| kind == first).then(condition)
}

/// Rows after a key, column by column.
fn one_by_one(shape: &TableShape, key: &[String]) -> String {
    let (mut equal, mut ways) = (String::new(), Vec::new());
    for (column, value) in shape.key_columns().zip(key) {
        let (name, operators, value) = (quoted(&column.name), operators(column), key_literal(value));
        ways.push(format!("{equal}{name} {} {value}", operators.greater));
        equal = format!("{equal}{name} {} {value} AND ", operators.equal);
    }
    format!("({})", ways.join(" OR "))
}

/// Untyped literals: each takes the type of the column that it is compared with.
fn literals(values: &[String]) -> String {
    values.iter().map(|value| key_literal(value)).collect::<Vec<_>>().join(", ")
}

/// A value of a key as it is kept: a text, or behind a zero byte, which no text has, the digits of the bytes that a database in
/// another encoding has.
pub(super) fn key_text(bytes: &[u8], is_utf8: bool) -> String {
    if is_utf8 || bytes.is_ascii() {
        String::from_utf8_lossy(bytes).into_owned()
    } else {
        bytes.iter().fold("\0".to_owned(), |text, byte| text + &format!("{byte:02x}"))
    }
}

fn key_literal(text: &str) -> String {
    let Some(bytes) = text.strip_prefix('\0').and_then(|digits| from_hex(digits.as_bytes())) else {
        return literal(text);
    };
    // Escapes are bytes in the encoding of the database.
    let escaped: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    format!("E'{escaped}'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::TableName;
    use lakepulse_types::AvroForm;

    #[test]
    fn keys_that_are_no_texts() {
        assert_eq!(key_text("é".as_bytes(), true), "é");
        assert_eq!((key_text(b"a", false), key_text(b"a\xff", false)), ("a".into(), "\x0061ff".into()));
        assert_eq!((key_literal("o'x"), key_literal("\x0061ff")), ("'o''x'".into(), "E'\\x61\\xff'".into()));
    }

    #[test]
    fn statements() {
        let column =
            |name: &str| Column { captured: name != "c", ..Column::new(name, AvroForm::Int4, false) };
        let shape = TableShape::new(
            TableName { schema: "s".into(), table: "T".into() },
            vec![column("a"), column("b"), column("c")],
            vec![1],
        );
        let encoder = Arc::new(TableEncoder::new(shape, "t", (None, 1), "", ""));
        let check = |after: Option<&str>, through: Option<&str>, condition: &str| {
            let bound = |key: Option<&str>| key.map(|key| vec![key.to_owned()]);
            let encoder = Arc::clone(&encoder);
            let range = Range { encoder, after: bound(after), through: bound(through), limit: None };
            assert_eq!(
                range.copy(),
                format!(
                    r#"COPY (SELECT "a", "b", NULL FROM ONLY "s"."T"{condition}) TO STDOUT (ENCODING 'SQL_ASCII')"#
                )
            );
        };
        check(None, None, "");
        check(Some("5"), None, r#" WHERE ("b") OPERATOR(pg_catalog.>) ('5')"#);
        check(
            Some("o'x"),
            Some("9"),
            r#" WHERE ("b") OPERATOR(pg_catalog.>) ('o''x') AND ("b") OPERATOR(pg_catalog.<=) ('9')"#,
        );
        let mut narrow = encoder.shape.clone();
        narrow.row_filter = Some("a < 5 OR b = 1".to_owned());
        narrow.key = vec![0, 1];
        if let Some(first) = narrow.columns.first_mut() {
            first.operators = Some(KeyOperators {
                greater: "OPERATOR(x.>)".into(),
                at_most: "OPERATOR(x.<=)".into(),
                equal: "OPERATOR(x.=)".into(),
            });
        }
        let key = ["A".to_owned(), "7".to_owned()];
        let after = r#"("a" OPERATOR(x.>) 'A' OR "a" OPERATOR(x.=) 'A' AND "b" OPERATOR(pg_catalog.>) '7')"#;
        assert_eq!(is_after(&narrow, &key), after);
        assert_eq!(is_at_most(&narrow, &key), format!("NOT {after}"));
        let narrow = Arc::new(TableEncoder::new(narrow, "t", (None, 1), "", ""));
        let whole = Range { encoder: narrow, after: None, through: None, limit: None }.copy();
        assert_eq!(
            whole,
            r#"COPY (SELECT "a", "b", NULL FROM ONLY "s"."T" WHERE (a < 5 OR b = 1)) TO STDOUT (ENCODING 'SQL_ASCII')"#
        );
        let next = Range::next(&encoder, &["5".to_owned()], 10).copy();
        assert_eq!(
            next,
            r#"COPY (SELECT "a", "b", NULL FROM ONLY "s"."T" WHERE ("b") OPERATOR(pg_catalog.>) ('5') ORDER BY "b" LIMIT 10) TO STDOUT (ENCODING 'SQL_ASCII')"#
        );
    }
}
