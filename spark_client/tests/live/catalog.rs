//! What the catalog says of databases, tables, columns and functions.

use crate::support::{live, same, unique};
use libtest_mimic::{Failed, Trial};
use spark_client::{DataType, Field, Schema, SparkSession, StorageLevel};

pub fn tests() -> Vec<Trial> {
    vec![
        live("catalog::what_was_made_is_described", described),
        live("catalog::views_are_listed_and_dropped", views),
        live("catalog::functions_are_described", functions),
        live("catalog::partitions_are_listed", partitions),
        live("catalog::a_java_class_becomes_a_function", java_function),
        live("catalog::rows_are_kept_where_they_were_told", kept_rows),
    ]
}

async fn described(spark: SparkSession) -> Result<(), Failed> {
    let (database, folder) = (unique("db"), tempfile::tempdir()?);
    let catalog = spark.catalog();
    catalog.create_database(&database, false).await?;
    let info = catalog.get_database(&database).await?;
    same((info.name.as_str(), info.catalog.as_deref()), (database.as_str(), Some("spark_catalog")))?;
    same(info.location_uri.is_some(), true)?;
    let listed = catalog.list_databases(Some(&format!("{database}*"))).await?;
    same(listed, vec![info])?;
    let catalogs = catalog.list_catalogs(None).await?;
    same(catalogs.iter().any(|catalog| catalog.name == "spark_catalog"), true)?;
    let field =
        |name: &str, data_type| Field { name: name.to_owned(), data_type, nullable: true, metadata: None };
    let price = DataType::Decimal { precision: 18, scale: 2 };
    let schema = Schema { fields: vec![field("id", DataType::Long), field("price", price)] };
    let table = format!("{database}.orders");
    let path = folder.path().join("orders").display().to_string();
    let orders = catalog
        .create_table(&table)
        .source("parquet")
        .path(&path)
        .schema(&schema)
        .description("what was sold")
        .create()
        .await?;
    same(orders.count().await?, 0)?;
    let info = catalog.get_table(&table).await?;
    same((info.name.as_str(), info.description.as_deref()), ("orders", Some("what was sold")))?;
    same((info.table_type.as_deref(), info.is_temporary), (Some("EXTERNAL"), false))?;
    same(catalog.list_tables_like(Some(&database), "ord*").await?.len(), 1)?;
    same(catalog.list_tables_like(Some(&database), "x*").await?.len(), 0)?;
    let columns = catalog.list_columns(&table).await?;
    let types: Vec<_> =
        columns.iter().map(|column| (column.name.as_str(), column.data_type.as_str())).collect();
    same(types, vec![("id", "bigint"), ("price", "decimal(18,2)")])?;
    let text = catalog.get_create_table_string(&table, false).await?;
    same((text.contains("orders"), text.contains("USING parquet")), (true, true))?;
    catalog.analyze_table(&table, false).await?;
    catalog.drop_database(&database, false, true).await?;
    same(catalog.get_database(&database).await.is_err(), true)
}

async fn views(spark: SparkSession) -> Result<(), Failed> {
    let (view, shared) = (unique("view"), unique("shared"));
    let (rows, catalog) = (spark.range(0..3), spark.catalog());
    rows.create_temp_view(&view).await?;
    same(rows.create_temp_view(&view).await.is_err(), true)?;
    let listed = catalog.list_views(None, Some(&view)).await?;
    same(listed.iter().map(|info| info.is_temporary).collect::<Vec<_>>(), vec![true])?;
    rows.create_global_temp_view(&shared).await?;
    let other = spark.new_session().await?;
    let seen = other.table(&format!("global_temp.{shared}")).count().await;
    other.stop().await?;
    same(seen?, 3)?;
    same(catalog.drop_temp_view(&view).await?, true)?;
    same(catalog.drop_temp_view(&view).await?, false)?;
    same(catalog.drop_global_temp_view(&shared).await?, true)
}

async fn functions(spark: SparkSession) -> Result<(), Failed> {
    let catalog = spark.catalog();
    same(catalog.function_exists("upper").await?, true)?;
    let upper = catalog.get_function("upper").await?;
    same((upper.name.as_str(), upper.is_temporary), ("upper", true))?;
    same(upper.class_name.as_deref(), Some("org.apache.spark.sql.catalyst.expressions.Upper"))?;
    let listed = catalog.list_functions(None, Some("bit_*")).await?;
    same(listed.iter().any(|function| function.name == "bit_count"), true)?;
    same(listed.iter().all(|function| function.name.starts_with("bit_")), true)
}

async fn partitions(spark: SparkSession) -> Result<(), Failed> {
    let (table, folder) = (unique("days"), tempfile::tempdir()?);
    let place = folder.path().display();
    spark
        .sql(&format!(
            "CREATE TABLE {table} (id INT, day INT) USING parquet PARTITIONED BY (day) LOCATION '{place}' \
             TBLPROPERTIES ('made.by' = 'test')"
        ))
        .await?;
    spark.sql(&format!("INSERT INTO {table} VALUES (1, 7), (2, 8)")).await?;
    let catalog = spark.catalog();
    let mut found = catalog.list_partitions(&table).await?;
    found.sort();
    let properties = catalog.get_table_properties(&table).await?;
    let partitioned: Vec<_> =
        catalog.list_columns(&table).await?.into_iter().filter(|c| c.is_partition).map(|c| c.name).collect();
    catalog.recover_partitions(&table).await?;
    catalog.drop_table(&table, false, false).await?;
    same(found, vec!["day=7".to_owned(), "day=8".to_owned()])?;
    same(properties.get("made.by").map(String::as_str), Some("test"))?;
    same(partitioned, vec!["day".to_owned()])
}

/// A class that no server has is an error that names it; the rest of the way is the golden plans'.
async fn java_function(spark: SparkSession) -> Result<(), Failed> {
    let error = spark.register_java_function("f", "org.nowhere.Missing", Some("int")).await.err();
    same(error.ok_or("no error")?.to_string().contains("org.nowhere.Missing"), true)
}

async fn kept_rows(spark: SparkSession) -> Result<(), Failed> {
    let rows = spark.range(0..10).select_expr(["id * 3 AS x"]);
    same(rows.is_cached().await?, false)?;
    rows.persist(StorageLevel::DISK_ONLY).await?;
    same(rows.storage_level().await?, StorageLevel::DISK_ONLY)?;
    same(rows.count().await?, 10)?;
    rows.unpersist().await?;
    same(rows.storage_level().await?, StorageLevel::NONE)?;
    rows.cache().await?;
    same(rows.storage_level().await?, StorageLevel::MEMORY_AND_DISK_DESER)?;
    rows.unpersist().await?;
    let view = unique("kept");
    rows.create_temp_view(&view).await?;
    spark.catalog().cache_table(&view, Some(StorageLevel::MEMORY_ONLY)).await?;
    same(spark.catalog().is_cached(&view).await?, true)?;
    spark.catalog().uncache_table(&view).await?;
    same(spark.catalog().is_cached(&view).await?, false)
}
