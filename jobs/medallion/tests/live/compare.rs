//! Whether a typed table has the rows of its source.

use lakepulse_medallion::live::{spark_database, trino_schema};
use lakepulse_types::SourceType;

use crate::stage::{Result, Stage};

/// A row as texts, a column each.
type Row = Vec<Option<String>>;

/// An error when a table differs from its source, in any column or row.
pub fn equal(stage: &Stage, table: &str) -> Result<()> {
    let plain_name = table.replace('"', "");
    let standing = stage.standing(&plain_name).ok_or_else(|| format!("{table} has no typed table"))?;
    if let Some(reason) = &standing.held {
        return Err(format!("{table} is held: {reason}").into());
    }
    if let Some(wrong) = stage.live.as_ref().and_then(|live| live.wrong.get(&plain_name)) {
        return Err(wrong.clone().into());
    }
    let columns = columns(stage, table)?;
    let source = source_rows(stage, table, &columns, false)?;
    let lake = lake_rows(stage, &stage.lake.silver(&standing.silver_table), &columns)?;
    if source == lake {
        return Ok(());
    }
    let last = format!(
        "SELECT to_json(struct(*)) FROM {} WHERE source_table = '{plain_name}' ORDER BY commit_lsn DESC, ordinal DESC LIMIT 6",
        stage.lake.changes()
    );
    let last: Vec<(String,)> =
        stage.runtime.block_on(async { stage.reader.sql(&last).await?.collect_as().await })?;
    Err(format!("{table}, {standing:?}, last changes {last:#?}: {}", difference(&source, &lake)).into())
}

fn difference(source: &[Row], lake: &[Row]) -> String {
    let only = |rows: &[Row], others: &[Row]| -> Vec<String> {
        rows.iter().filter(|row| !others.contains(row)).take(3).map(|row| format!("{row:.300?}")).collect()
    };
    format!(
        "{} and {} rows; only in the source {:#?}, only in the lake {:#?}",
        source.len(),
        lake.len(),
        only(source, lake),
        only(lake, source)
    )
}

/// What is wrong with the live views of a table, in Spark and in Trino.
pub fn live_differences(stage: &Stage, table: &str, view: &str) -> Result<Vec<String>> {
    let columns = columns(stage, table)?;
    let mut found = Vec::new();
    let source = source_rows(stage, table, &columns, false)?;
    let spark = lake_rows(stage, &format!("{}.{view}", spark_database(&stage.lake)), &columns)?;
    if spark != source {
        found.push(format!("Spark: {}", difference(&source, &spark)));
    }
    let source = source_rows(stage, table, &columns, true)?;
    let trino = trino_rows(stage, view, &columns)?;
    if trino != source {
        found.push(format!("Trino: {}", difference(&source, &trino)));
    }
    Ok(found)
}

/// Through casts to varchar, and of arrays to JSON.
fn trino_rows(stage: &Stage, view: &str, columns: &[Column]) -> Result<Vec<Row>> {
    let live = stage.live.as_ref().ok_or("no live views")?;
    let values: Vec<String> = columns
        .iter()
        .map(|column| {
            let name = format!("\"{}\"", column.lake_name.replace('"', "\"\""));
            match &column.source {
                SourceType::Bytes => format!("'\\x' || lower(to_hex({name}))"),
                SourceType::Array(_) => format!("json_format(CAST({name} AS json))"),
                _ => format!("CAST({name} AS varchar)"),
            }
        })
        .collect();
    let query =
        format!("SELECT {} FROM lakehouse.\"{}\".\"{view}\"", values.join(", "), trino_schema(&stage.lake));
    let rows = stage.runtime.block_on(live.trino.run(&query))?;
    let mut texts: Vec<Row> = rows
        .into_iter()
        .map(|row| {
            let value = |(value, column): (serde_json::Value, &Column)| {
                let text = value.as_str().map(|text| spark_text(&column.source, text));
                plain(&column.source, text)
            };
            row.into_iter().zip(columns).map(value).collect()
        })
        .collect();
    texts.sort();
    Ok(texts)
}

/// A text of Trino as Spark writes it: times without zeros at their end.
fn spark_text(source: &SourceType, text: &str) -> String {
    match source {
        SourceType::TimestampTz(_) if text == "9999-12-31 23:59:59.999 UTC" => {
            "9999-12-31 23:59:59.999999".to_owned()
        }
        SourceType::Timestamp(_) | SourceType::TimestampTz(_) => {
            text.trim_end_matches(" UTC").trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => text.to_owned(),
    }
}

struct Column {
    name: String,
    lake_name: String,
    source: SourceType,
}

fn columns(stage: &Stage, table: &str) -> Result<Vec<Column>> {
    let query = format!(
        "SELECT attname, coalesce((WITH RECURSIVE d AS (SELECT t.oid, t.typtype, t.typbasetype, t.typtypmod, format_type(t.oid, a.atttypmod) AS f \
         FROM pg_type t WHERE t.oid = a.atttypid UNION ALL SELECT t.oid, t.typtype, t.typbasetype, t.typtypmod, format_type(t.oid, d.typtypmod) \
         FROM d JOIN pg_type t ON t.oid = d.typbasetype WHERE d.typtype = 'd') SELECT f FROM d WHERE typtype <> 'd'), format_type(atttypid, atttypmod)) \
         FROM pg_attribute a WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum"
    );
    let rows = stage.runtime.block_on(stage.client.query(&query, &[]))?;
    let mut taken = std::collections::HashSet::new();
    rows.iter()
        .enumerate()
        .map(|(index, row)| {
            let (name, kind): (String, String) = (row.get(0), row.get(1));
            let lake_name = if taken.insert(name.to_lowercase()) {
                name.clone()
            } else {
                format!("{name}_{}", index + 1)
            };
            Ok(Column { name, lake_name, source: kind.parse()? })
        })
        .collect()
}

/// `in_millis`: of instants, as Trino has them: what is behind them is dropped.
fn source_rows(stage: &Stage, table: &str, columns: &[Column], in_millis: bool) -> Result<Vec<Row>> {
    let values: Vec<String> = columns
        .iter()
        .map(|column| {
            let name = format!("\"{}\"", column.name.replace('"', "\"\""));
            match &column.source {
                SourceType::Array(_) => format!("array_to_json({name})::text"),
                SourceType::TimestampTz(_) if in_millis => {
                    format!("date_trunc('milliseconds', {name})::text")
                }
                _ => format!("{name}::text"),
            }
        })
        .collect();
    let query = format!("SELECT {} FROM {table}", values.join(", "));
    let rows = stage.runtime.block_on(stage.client.query(&query, &[]))?;
    let mut rows: Vec<Row> = rows
        .iter()
        .map(|row| {
            columns.iter().enumerate().map(|(index, column)| plain(&column.source, row.get(index))).collect()
        })
        .collect();
    rows.sort();
    Ok(rows)
}

fn lake_rows(stage: &Stage, table: &str, columns: &[Column]) -> Result<Vec<Row>> {
    let values: Vec<String> = columns
        .iter()
        .map(|column| {
            let name = format!("`{}`", column.lake_name.replace('`', "``"));
            match &column.source {
                SourceType::Bytes => format!("concat('\\\\x', lower(hex({name})))"),
                SourceType::Array(_) => format!("to_json({name}, map('ignoreNullFields', 'false'))"),
                _ => format!("CAST({name} AS STRING)"),
            }
        })
        .collect();
    let query = format!("SELECT to_json(array({})) FROM {table}", values.join(", "));
    let rows: Vec<(String,)> =
        stage.runtime.block_on(async { stage.reader.sql(&query).await?.collect_as().await })?;
    let mut texts = Vec::new();
    for (row,) in rows {
        let values: Vec<Option<String>> = serde_json::from_str(&row)?;
        texts.push(
            values.into_iter().zip(columns).map(|(value, column)| plain(&column.source, value)).collect(),
        );
    }
    texts.sort();
    Ok(texts)
}

/// One text for values that are equal: the two sides print floats, times, and infinities differently.
fn plain(source: &SourceType, text: Option<String>) -> Option<String> {
    let text = text?;
    Some(match source {
        SourceType::Real => text.parse::<f32>().map_or(text, |number| format!("{number:?}")),
        SourceType::Double => text.parse::<f64>().map_or(text, |number| format!("{number:?}")),
        SourceType::Numeric(..) if text == "NaN" => return None,
        SourceType::Date => match text.as_str() {
            "infinity" => "9999-12-31".to_owned(),
            "-infinity" => "0001-01-01".to_owned(),
            _ => era(&text),
        },
        SourceType::Timestamp(_) | SourceType::TimestampTz(_) => match text.as_str() {
            "infinity" => "9999-12-31 23:59:59.999999".to_owned(),
            "-infinity" => "0001-01-01 00:00:00".to_owned(),
            text if text.starts_with("29427") => "9999-12-31 23:59:59.999999".to_owned(),
            _ => era(&text.replace("+00", "")),
        },
        SourceType::Array(element) => match serde_json::from_str::<Vec<serde_json::Value>>(&text) {
            Ok(values) => {
                let value = |value: serde_json::Value| match value {
                    serde_json::Value::Null => None,
                    serde_json::Value::String(text) => {
                        plain(element, Some(text.replace('T', " ").replace("+00:00", "").replace('Z', "")))
                    }
                    other => plain(element, Some(other.to_string())),
                };
                format!("{:?}", values.into_iter().map(value).collect::<Vec<_>>())
            }
            Err(_) => text,
        },
        _ => text,
    })
}

/// PostgreSQL's years before Christ as Spark writes them.
fn era(text: &str) -> String {
    match text.strip_suffix(" BC").and_then(|text| text.split_once('-')) {
        Some((year, rest)) => format!("-{:04}-{rest}", year.parse::<i32>().unwrap_or(0) - 1),
        None if text.find('-') > Some(4) && !text.starts_with('+') => format!("+{text}"),
        None => text.to_owned(),
    }
}
