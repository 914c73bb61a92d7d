//! Rows of the source as PostgreSQL's own texts, read by Spark.

use lakepulse_medallion::control::{ShapeColumn, SourceTable};
use lakepulse_types::SourceType;
use spark_client::{DataFrame, SparkSession};

use crate::error::{Error, Result};
use crate::snapshot::Snapshot;
use crate::source::SourceAddress;

/// The settings that capture has too, whatever the server, the database or the role say: what values are printed as, and an error
/// instead of rows that a policy hides.
const SETTINGS: [(&str, &str); 11] = [
    ("datestyle", "ISO,MDY"),
    ("intervalstyle", "postgres"),
    ("timezone", "UTC"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    ("xmlbinary", "base64"),
    ("lc_monetary", "C"),
    ("array_nulls", "on"),
    ("search_path", "public"),
    ("row_security", "off"),
    ("statement_timeout", "0"),
];

/// The table as of the snapshot: each column's canonical text as `c0`, `c1`, and so on, of arrays as a JSON array of texts; and
/// `present`, which is 1.
pub(crate) fn texts(
    spark: &SparkSession,
    source: &SourceAddress,
    snapshot: &Snapshot,
    table: &SourceTable,
    is_partitioned: bool,
    columns: &[ShapeColumn],
) -> Result<DataFrame> {
    let config = source.config()?;
    let host = match config.get_hosts().first() {
        Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
        _ => return Err(Error::new("the source's address must name a host, for Spark to read it")),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let database = config.get_dbname().unwrap_or("postgres");
    let password = config.get_password().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let settings: Vec<String> =
        SETTINGS.iter().map(|(name, value)| format!("; SET LOCAL {name} = '{value}'")).collect();
    Ok(spark
        .read()
        .format("jdbc")
        .option("driver", "org.postgresql.Driver")
        // A snapshot can be taken over by a transaction of this level only.
        .option(
            "url",
            format!(
                "jdbc:postgresql://{host}:{port}/{database}?options=-c%20default_transaction_isolation%3Drepeatable%5C%20read"
            ),
        )
        .option("user", config.get_user().unwrap_or_default())
        .option("password", password.unwrap_or_default())
        // Not in the address: the driver's own time zone and digits would win over those.
        .option(
            "sessionInitStatement",
            format!("SET TRANSACTION SNAPSHOT '{}'{}", snapshot.id, settings.concat()),
        )
        .option("fetchsize", 10_000)
        .option("query", query(table, is_partitioned, columns))
        .load())
}

fn query(table: &SourceTable, is_partitioned: bool, columns: &[ShapeColumn]) -> String {
    let mut values = vec!["1 as present".to_owned()];
    for (index, column) in columns.iter().enumerate() {
        values.push(format!("{} as c{index}", text(&sql_name(&column.name), &column.source)));
    }
    // A table's heirs are tables of their own, and a partitioned table has no rows but those of its leaves.
    let only = if is_partitioned { "" } else { "only " };
    format!("select {} from {only}{}.{}", values.join(", "), sql_name(&table.schema), sql_name(&table.table))
}

/// What the type's output function prints, as events have it. A cast to text is another text of some types: it strips a
/// character(n), and adds a mask to an inet.
fn text(column: &str, source: &SourceType) -> String {
    match source {
        SourceType::Array(_) => format!("array_to_json({column}::text::text[])::text"),
        _ => format!("case when {column} is distinct from null then format('%s', {column}) end"),
    }
}

fn sql_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_output_functions_print() {
        let check = |source: &str, expected: &str| {
            assert_eq!(text("\"c\"", &source.parse().unwrap()), expected);
        };
        check("character(5)", "case when \"c\" is distinct from null then format('%s', \"c\") end");
        check("integer[]", "array_to_json(\"c\"::text::text[])::text");
        assert_eq!(sql_name("a\"b"), "\"a\"\"b\"");
    }
}
