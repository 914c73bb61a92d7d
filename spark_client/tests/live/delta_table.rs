//! Rows of Delta tables: merge, update, delete; what is known about a table.

use crate::{
    delta::{changes, rows, table},
    support::{live, same, unique},
};
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;
use spark_client::{
    SparkSession,
    delta::{DeltaColumn, DeltaTable, IdempotentWrite},
    functions::{col, concat, expr, lit, upper},
};

pub fn tests() -> Vec<Trial> {
    vec![
        live("delta_table::merge_has_all_clauses_and_an_alias", merge_all_clauses),
        live("delta_table::merge_knows_the_columns_of_the_table", merge_by_columns),
        live("delta_table::merge_adds_columns", merge_adds_columns),
        live("delta_table::merge_happens_once", merge_happens_once),
        live("delta_table::update_by_columns_and_by_texts", update),
        live("delta_table::delete_by_columns_and_by_texts", delete),
        live("delta_table::history_and_detail", history_and_detail),
        live("delta_table::odd_names_are_names", odd_names),
        live("delta_table::a_folder_is_a_delta_table_or_not", is_delta_table),
    ]
}

fn named(rows: &[(i32, &str)]) -> Vec<(i32, String)> {
    rows.iter().map(|&(id, name)| (id, name.to_owned())).collect()
}

/// The operations of the table's history, the last one first.
async fn operations(table: &DeltaTable, limit: i32) -> Result<Vec<String>, Failed> {
    let rows: Vec<(String,)> = table.history(limit).select(["operation"]).collect_as().await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

async fn merge_all_clauses(spark: SparkSession) -> Result<(), Failed> {
    let (name, _folder) =
        table(&spark, "(1, 'one'), (2, 'two'), (3, 'three'), (6, 'six'), (7, 'seven')").await?;
    let target = DeltaTable::for_name(&spark, &name).alias("t");
    let values = "(1, 'ONE', 'u'), (2, 't.id', 'd'), (3, 'x', 'keep'), \
                  (4, 'four', 'r'), (5, 'five', 'u'), (8, 'no', 'd')";
    let changes = spark.sql(&format!("SELECT * FROM VALUES {values} AS v(id, name, op)")).await?.alias("c");
    target
        .merge(&changes, "t.id = c.id AND 't.id' <> c.op")
        .when_matched_delete("c.op = 'd' AND t.name = 'two'")
        .when_matched_update(
            col("c.op").eq("keep"),
            [("t.name", concat([col("t.name"), lit("+"), col("c.name")]))],
        )
        .when_matched_update_all(None)
        .when_not_matched_insert(
            col("c.op").eq("r"),
            [("id", col("c.id") * 10), ("name", expr("upper(c.name)"))],
        )
        .when_not_matched_insert_all(col("c.op").neq("d"))
        .when_not_matched_by_source_update("t.id = 6", [("name", upper("t.name"))])
        .when_not_matched_by_source_delete(None)
        .execute()
        .await?;
    same(
        rows(&spark, &name).await?,
        named(&[(1, "ONE"), (3, "three+x"), (5, "five"), (6, "SIX"), (40, "FOUR")]),
    )?;
    same(operations(&target, 1).await?, vec!["MERGE".to_owned()])
}

async fn merge_by_columns(spark: SparkSession) -> Result<(), Failed> {
    let (_, folder) = table(&spark, "(1, 'one'), (2, 'two'), (3, 'three')").await?;
    let path = folder.path().display().to_string();
    let target = DeltaTable::for_path(&spark, &path);
    let (old, new) = (target.to_df(), changes(&spark).await?);
    target
        .merge(&new, old.col("id").eq(new.col("id")))
        .when_matched_update(new.col("op").eq("u"), [("name", concat([old.col("name"), lit("!")]))])
        .when_matched_delete(None)
        .execute()
        .await?;
    same(rows(&spark, &format!("delta.`{path}`")).await?, named(&[(1, "one!"), (3, "three")]))
}

async fn merge_adds_columns(spark: SparkSession) -> Result<(), Failed> {
    let (name, _folder) = table(&spark, "(1, 'one')").await?;
    let target = DeltaTable::for_name(&spark, &name).alias("t");
    let merge = target
        .merge(&changes(&spark).await?, "t.id = c.id")
        .when_matched_update_all(None)
        .when_not_matched_insert_all(None);
    merge.clone().execute().await?;
    same(target.to_df().columns().await?, vec!["id".to_owned(), "name".to_owned()])?;
    merge.with_schema_evolution().execute().await?;
    let rows: Vec<(i32, String)> = target.to_df().select(["id", "op"]).order_by(["id"]).collect_as().await?;
    same(rows, named(&[(1, "u"), (2, "d"), (4, "u"), (5, "d")]))
}

async fn merge_happens_once(spark: SparkSession) -> Result<(), Failed> {
    let (name, _folder) = table(&spark, "(1, 'one')").await?;
    let target = DeltaTable::for_name(&spark, &name);
    let write = IdempotentWrite::new("spark_client.tests", 7);
    let grow = || target.update(None, [("name", concat([col("name"), lit("+")]))]);
    write.run(&spark, grow()).await?;
    write.run(&spark, grow()).await?;
    same(rows(&spark, &name).await?, named(&[(1, "one+")]))?;
    grow().await?;
    same(rows(&spark, &name).await?, named(&[(1, "one++")]))
}

async fn update(spark: SparkSession) -> Result<(), Failed> {
    let (name, _folder) = table(&spark, "(1, 'one'), (2, NULL), (3, 'three')").await?;
    let target = DeltaTable::for_name(&spark, &name);
    // NULL is not 'one', but not unlike it either: such a row stays.
    target.update(col("name").neq("one"), [("name", upper("name")), ("id", col("id") + 10)]).await?;
    target.update(col("name").is_null(), [("name", expr("concat('was null: ', id)"))]).await?;
    let found = rows(&spark, &name).await?;
    same(found, named(&[(1, "one"), (2, "was null: 2"), (13, "THREE")]))?;
    same(operations(&target, 2).await?, vec!["MERGE".to_owned(); 2])?;
    // Both new values come from the row as it was.
    let set = [("id", expr("t.id * 2 -- twice")), ("name", expr("concat(t.id, ')')"))];
    target.alias("t").update("t.id > 1 -- not the first", set).await?;
    let found = rows(&spark, &name).await?;
    same(found, named(&[(1, "one"), (4, "2)"), (26, "13)")]))?;
    same(operations(&target, 1).await?, vec!["UPDATE".to_owned()])?;
    target.alias("t").update(None, [("id", lit(0)), ("name", col("t.name"))]).await?;
    same(target.to_df().filter(col("id").eq(0)).count().await?, 3)?;
    let nothing = target.update(None, []).await;
    same(nothing.is_err_and(|e| e.kind() == spark_client::ErrorKind::InvalidInput), true)
}

async fn delete(spark: SparkSession) -> Result<(), Failed> {
    let (name, _folder) =
        table(&spark, "(1, 'one'), (2, NULL), (3, 'three'), (4, 'four'), (5, 'five')").await?;
    let target = DeltaTable::for_name(&spark, &name);
    target.delete(col("name").neq("one") & col("id").lt(4)).await?;
    target.delete(expr("name = 'no such'") | lit(None::<bool>)).await?;
    let ids = async || -> Result<Vec<i32>, Failed> {
        let rows: Vec<(i32,)> = target.to_df().select(["id"]).order_by(["id"]).collect_as().await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    };
    same(ids().await?, vec![1, 2, 4, 5])?;
    same(operations(&target, 1).await?, vec!["MERGE".to_owned()])?;
    target.alias("t").delete("t.name IS NULL").await?;
    same(ids().await?, vec![1, 4, 5])?;
    target.alias("t").delete(col("t.id").gt(4)).await?;
    same(ids().await?, vec![1, 4])?;
    target.delete(None).await?;
    same(ids().await?, vec![])?;
    same(operations(&target, 1).await?, vec!["DELETE".to_owned()])
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    format: String,
    location: String,
    num_files: i64,
    properties: std::collections::BTreeMap<String, String>,
}

async fn history_and_detail(spark: SparkSession) -> Result<(), Failed> {
    let (name, folder) = table(&spark, "(1, 'one')").await?;
    let by_name = DeltaTable::for_name(&spark, &name);
    let by_path = DeltaTable::for_path(&spark, &folder.path().display().to_string());
    for target in [by_name, by_path] {
        let history: Vec<(i64, String)> =
            target.history(None).select(["version", "operation"]).order_by(["version"]).collect_as().await?;
        same(history, vec![(0, "CREATE TABLE".to_owned()), (1, "WRITE".to_owned())])?;
        let newest: Vec<(i64,)> = target.history(1).select(["version"]).collect_as().await?;
        same(newest, vec![(1,)])?;
        let columns = ["format", "location", "numFiles", "properties"];
        let detail: Vec<Detail> = target.detail().select(columns).collect_as().await?;
        let found =
            detail.first().map(|d| (d.format.as_str(), d.location.trim_start_matches("file:"), d.num_files));
        same(found, Some(("delta", folder.path().to_str().unwrap_or_default(), 1)))?;
    }
    Ok(())
}

async fn odd_names(spark: SparkSession) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("größe 1.a`b'c").display().to_string();
    let odd = "odd.na`me; größe";
    // Without a back quote: Delta cannot order by a column that has one in its name.
    let ordered = "odd.name 2";
    let quoted = spark_client::quoted_name(odd);
    let target = DeltaTable::create(&spark)
        .location(&path)
        .add_column(("id", "INT"))
        .add_column(DeltaColumn::new(odd, "STRING").comment("it's `odd` \\"))
        .add_column((ordered, "INT"))
        .property("delta.columnMapping.mode", "name")
        .comment("it's a table")
        .execute()
        .await?;
    spark
        .sql("SELECT 1 AS a, 'one' AS b, 2 AS c")
        .await?
        .to_df(["id", odd, ordered])
        .write_to(&format!("delta.{}", spark_client::quoted_name(&path)))
        .append()
        .await?;
    target.update(col(&quoted).eq("one"), [(quoted.as_str(), lit("two"))]).await?;
    target
        .alias("odd`t")
        .update("`odd``t`.id = 1", [(quoted.as_str(), expr(&format!("concat(`odd``t`.{quoted}, '!')")))])
        .await?;
    target.optimize().execute_z_order_by([spark_client::quoted_name(ordered)]).await?;
    let found: Vec<(i32, String)> = target.to_df().select([col("id"), col(&quoted)]).collect_as().await?;
    same(found, named(&[(1, "two!")]))?;
    // What would be SQL if it was not quoted is the name of no table.
    let (name, _folder) = table(&spark, "(1, 'one')").await?;
    for injected in [format!("{name} WHERE true; --"), format!("{name}` --"), format!("`{name}` WHERE 1 = 1")]
    {
        let gone = DeltaTable::for_name(&spark, &injected).delete(None).await;
        same(gone.is_err(), true)?;
    }
    same(rows(&spark, &name).await?.len(), 1)
}

async fn is_delta_table(spark: SparkSession) -> Result<(), Failed> {
    let (_, delta) = table(&spark, "(1, 'one')").await?;
    let other = tempfile::tempdir()?;
    let parquet = other.path().join("parquet").display().to_string();
    spark.range(0..3).write().format("parquet").save(&parquet).await?;
    let cases = [
        (delta.path().display().to_string(), true),
        (parquet, false),
        (other.path().display().to_string(), false),
        (other.path().join(unique("missing")).display().to_string(), false),
    ];
    for (path, expected) in cases {
        same((DeltaTable::is_delta_table(&spark, &path).await?, path.as_str()), (expected, path.as_str()))?;
    }
    Ok(())
}
