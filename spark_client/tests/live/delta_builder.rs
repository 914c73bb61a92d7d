//! New Delta tables.

use crate::support::{live, same, unique};
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;
use spark_client::{
    DataType, SparkSession,
    delta::{DeltaColumn, DeltaTable, IdentityGenerator},
    functions::lit,
};
use std::collections::BTreeMap;

pub fn tests() -> Vec<Trial> {
    vec![
        live("delta_builder::generated_columns_are_computed", generated_columns),
        live("delta_builder::identity_columns_are_numbered", identity_columns),
        live("delta_builder::a_table_has_what_was_said", described),
        live("delta_builder::create_replace_and_leave_alone", modes),
        live("delta_builder::columns_of_a_schema_and_clusters", columns_of_a_schema),
    ]
}

async fn generated_columns(spark: SparkSession) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("t").display().to_string();
    let table = DeltaTable::create(&spark)
        .location(&path)
        .add_column(DeltaColumn::new("at", "TIMESTAMP").not_null())
        .add_column(DeltaColumn::new("day", "DATE").generated_always_as("CAST(at AS DATE) -- of at"))
        .partitioned_by(["day"])
        .execute()
        .await?;
    let add = async |query: &str| -> Result<(), Failed> {
        let rows = spark.sql(query).await?;
        Ok(rows.write_to(&format!("delta.`{path}`")).append().await?)
    };
    add("SELECT TIMESTAMP '2026-03-04 05:06:07' AS at").await?;
    let days: Vec<(String,)> = table.to_df().select_expr(["CAST(day AS STRING)"]).collect_as().await?;
    same(days, vec![("2026-03-04".to_owned(),)])?;
    same(add("SELECT TIMESTAMP '2026-03-04 05:06:07' AS at, DATE '2020-01-01' AS day").await.is_err(), true)?;
    same(add("SELECT CAST(NULL AS TIMESTAMP) AS at").await.is_err(), true)?;
    same(table.to_df().count().await?, 1)
}

async fn identity_columns(spark: SparkSession) -> Result<(), Failed> {
    let name = unique("identity");
    let folder = tempfile::tempdir()?;
    let table = DeltaTable::create(&spark)
        .table_name(&name)
        .location(&folder.path().display().to_string())
        .add_column(
            DeltaColumn::new("always", DataType::Long)
                .generated_always_as_identity(IdentityGenerator { start: -10, step: -5 }),
        )
        .add_column(
            DeltaColumn::new("by_default", "BIGINT")
                .generated_by_default_as_identity(IdentityGenerator::default()),
        )
        .add_column(("name", "STRING"))
        .execute()
        .await?;
    spark.sql(&format!("INSERT INTO {name} (name) VALUES ('a')")).await?;
    spark.sql(&format!("INSERT INTO {name} (name, by_default) VALUES ('b', 77)")).await?;
    let refused = spark.sql(&format!("INSERT INTO {name} (name, always) VALUES ('c', 1)")).await;
    let rows: Vec<(String, i64, i64)> =
        table.to_df().select(["name", "always", "by_default"]).order_by(["name"]).collect_as().await?;
    spark.sql(&format!("DROP TABLE {name}")).await?;
    same(refused.is_err(), true)?;
    same(rows, vec![("a".to_owned(), -10, 1), ("b".to_owned(), -15, 77)])
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    name: Option<String>,
    description: Option<String>,
    location: String,
    partition_columns: Vec<String>,
    clustering_columns: Vec<String>,
    properties: BTreeMap<String, String>,
}

async fn detail(table: &DeltaTable) -> Result<Detail, Failed> {
    let columns = ["name", "description", "location", "partitionColumns", "clusteringColumns", "properties"];
    let rows: Vec<Detail> = table.detail().select(columns).collect_as().await?;
    Ok(rows.into_iter().next().ok_or("no detail")?)
}

async fn described(spark: SparkSession) -> Result<(), Failed> {
    let name = unique("described");
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("it's here").display().to_string();
    let table = DeltaTable::create(&spark)
        .table_name(&format!("default.`{name}`"))
        .location(&path)
        .comment("it's \"a\" \\ table")
        .add_column(DeltaColumn::new("day", "DATE").comment("it's a day"))
        .add_column(DeltaColumn::new("größe", "DECIMAL(18, 2)").not_null())
        .partitioned_by(["day"])
        .property("delta.logRetentionDuration", "interval 40 days")
        .property("purpose", "it's a test")
        .execute()
        .await?;
    let found = detail(&table).await?;
    let schema = table.to_df().schema().await?;
    spark.sql(&format!("DROP TABLE {name}")).await?;
    same(found.name, Some(format!("spark_catalog.default.{name}")))?;
    same(found.description.as_deref(), Some("it's \"a\" \\ table"))?;
    same(found.location.replace("%20", " ").trim_start_matches("file:"), path.as_str())?;
    same(found.partition_columns, vec!["day".to_owned()])?;
    same(found.properties.get("purpose").map(String::as_str), Some("it's a test"))?;
    same(found.properties.get("delta.logRetentionDuration").map(String::as_str), Some("interval 40 days"))?;
    let comment = schema.field("day").and_then(|field| field.metadata.clone()).unwrap_or_default();
    same(comment.contains("it's a day"), true)?;
    let size = schema.field("größe").map(|field| field.data_type.clone());
    same(size, Some(DataType::Decimal { precision: 18, scale: 2 }))
}

async fn modes(spark: SparkSession) -> Result<(), Failed> {
    let name = unique("modes");
    let columns = async |table: &DeltaTable| table.to_df().columns().await;
    let named = |builder: spark_client::delta::DeltaTableBuilder, column: &str| {
        builder.table_name(&name).add_column((column, "INT")).execute()
    };
    same(named(DeltaTable::replace(&spark), "a").await.is_err(), true)?;
    let table = named(DeltaTable::create(&spark), "a").await?;
    same(named(DeltaTable::create(&spark), "b").await.is_err(), true)?;
    named(DeltaTable::create_if_not_exists(&spark), "b").await?;
    let unchanged = columns(&table).await?;
    named(DeltaTable::replace(&spark), "c").await?;
    let replaced = columns(&table).await?;
    named(DeltaTable::create_or_replace(&spark), "d").await?;
    let again = columns(&table).await?;
    let versions = table.history(None).count().await?;
    spark.sql(&format!("DROP TABLE {name}")).await?;
    same([unchanged, replaced, again].concat(), vec!["a".to_owned(), "c".to_owned(), "d".to_owned()])?;
    same(versions, 3)
}

async fn columns_of_a_schema(spark: SparkSession) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("t").display().to_string();
    let like = spark.range(0..1).select_expr([
        "id",
        "CAST(NULL AS STRUCT<`odd.field`: ARRAY<INT>>) AS nested",
        "MAP('a', 1.5) AS numbers",
    ]);
    let schema = like.schema().await?;
    let table =
        DeltaTable::create(&spark).location(&path).add_columns(&schema).cluster_by(["id"]).execute().await?;
    let found = table.to_df().schema().await?;
    let types = |schema: &spark_client::Schema| -> Vec<(String, String)> {
        schema.fields.iter().map(|f| (f.name.clone(), f.data_type.to_string())).collect()
    };
    same(types(&found), types(&schema))?;
    same(detail(&table).await?.clustering_columns, vec!["id".to_owned()])?;
    table.update(None, [("nested.`odd.field`", lit([1, 2]))]).await.map_err(Failed::from)
}
