//! Files, versions and the protocol of Delta tables.

use crate::support::{live, same, unique};
use libtest_mimic::{Failed, Trial};
use spark_client::{
    DataFrame, SaveMode, SparkSession,
    delta::{DeltaTable, Manifest},
    functions::{col, expr, lit},
};
use std::{fs, path::Path};
use tempfile::TempDir;

pub fn tests() -> Vec<Trial> {
    vec![
        live("delta_maintenance::compaction_of_all_and_of_one_partition", compaction),
        live("delta_maintenance::z_order_by_columns", z_order),
        live("delta_maintenance::vacuum_deletes_what_its_dry_run_lists", vacuum),
        live("delta_maintenance::restore_by_version_and_by_time", restore),
        live("delta_maintenance::clones_are_tables_of_their_own", clones),
        live("delta_maintenance::a_clone_takes_a_name", named_clone),
        live("delta_maintenance::manifests_list_the_files", manifests),
        live("delta_maintenance::features_come_and_go", features),
        live("delta_maintenance::parquet_files_become_a_table", conversion),
    ]
}

/// A table of (id, part), four files of ids 0 to 7 written in as many commits, versions 1 to 4; its path.
async fn in_four_files(spark: &SparkSession, folder: &TempDir) -> Result<(DeltaTable, String), Failed> {
    let path = folder.path().join("t").display().to_string();
    let columns = [("id", "BIGINT"), ("part", "BIGINT")];
    let create = columns.iter().fold(DeltaTable::create(spark).location(&path), |b, &c| b.add_column(c));
    let target = create.partitioned_by(["part"]).execute().await?;
    for start in [0, 2, 4, 6] {
        let rows = spark.range_by(start..start + 2, 1, Some(1)).with_column("part", lit(start / 4));
        rows.write().format("delta").mode(SaveMode::Append).save(&path).await?;
    }
    Ok((target, path))
}

async fn ids(frame: &DataFrame) -> Result<Vec<i64>, Failed> {
    let rows: Vec<(i64,)> = frame.select(["id"]).order_by(["id"]).collect_as().await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

async fn files(target: &DeltaTable) -> Result<i64, Failed> {
    let rows: Vec<(i64,)> = target.detail().select(["numFiles"]).collect_as().await?;
    Ok(rows.first().map_or(-1, |row| row.0))
}

/// Parquet files under a folder, whether the table still needs them or not.
fn on_disk(folder: &Path) -> Result<usize, Failed> {
    let mut count = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() && !name.starts_with('_') {
            count += on_disk(&entry.path())?;
        } else if name.ends_with(".parquet") {
            count += 1;
        }
    }
    Ok(count)
}

async fn compaction(spark: SparkSession) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let (target, _) = in_four_files(&spark, &folder).await?;
    let removed = async |answer: DataFrame| -> Result<Vec<(i64, i64)>, Failed> {
        Ok(answer.select(["metrics.numFilesRemoved", "metrics.numFilesAdded"]).collect_as().await?)
    };
    let one =
        target.optimize().where_("part = 1 -- the last").where_("part < 2").execute_compaction().await?;
    same(removed(one).await?, vec![(2, 1)])?;
    same(files(&target).await?, 3)?;
    let all = target.optimize().execute_compaction().await?;
    same(removed(all.clone()).await?, vec![(2, 1)])?;
    // The answer is kept: reading it again does not optimize again.
    same(removed(all).await?, vec![(2, 1)])?;
    same(files(&target).await?, 2)?;
    same(target.history(None).filter("operation = 'OPTIMIZE'").count().await?, 2)?;
    same(ids(&target.to_df()).await?, (0..8).collect())
}

async fn z_order(spark: SparkSession) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let (target, _) = in_four_files(&spark, &folder).await?;
    target.optimize().execute_z_order_by(["id"]).await?;
    let by: Vec<(String,)> =
        target.history(1).select([expr("operationParameters['zOrderBy']")]).collect_as().await?;
    same(by, vec![(r#"["id"]"#.to_owned(),)])?;
    same(files(&target).await?, 2)?;
    same(ids(&target.to_df()).await?, (0..8).collect())
}

async fn vacuum(spark: SparkSession) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let (target, path) = in_four_files(&spark, &folder).await?;
    target.optimize().execute_compaction().await?;
    same(on_disk(Path::new(&path))?, 6)?;
    // VACUUM lists files with as many tasks as this says: 10,000 unless set.
    spark.conf().set("spark.sql.sources.parallelPartitionDiscovery.parallelism", 2).await?;
    // Files that are this young are only deleted when Delta's check is off.
    same(target.vacuum(0.0).await.is_err(), true)?;
    target.vacuum(None).await?;
    same(on_disk(Path::new(&path))?, 6)?;
    spark.conf().set("spark.databricks.delta.retentionDurationCheck.enabled", false).await?;
    let listed = target.vacuum_dry_run(0.0).await?;
    same(listed.columns().await?, vec!["path".to_owned()])?;
    same(listed.filter("path LIKE '%.parquet'").count().await?, 4)?;
    same(on_disk(Path::new(&path))?, 6)?;
    target.vacuum(0.0).await?;
    same(on_disk(Path::new(&path))?, 2)?;
    same(ids(&target.to_df()).await?, (0..8).collect())
}

async fn restore(spark: SparkSession) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let (target, _) = in_four_files(&spark, &folder).await?;
    let answer = target.restore_to_version(2).await?;
    let removed: Vec<(i64,)> = answer.select(["num_removed_files"]).collect_as().await?;
    same(removed, vec![(2,)])?;
    same(ids(&target.to_df()).await?, (0..4).collect())?;
    let at = target.history(None).filter(col("version").eq(3));
    let at: Vec<(String,)> = at.select([expr("CAST(timestamp AS STRING)")]).collect_as().await?;
    target.restore_to_timestamp(&at.first().ok_or("no version 3")?.0).await?;
    same(ids(&target.to_df()).await?, (0..6).collect())
}

async fn clones(spark: SparkSession) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let (target, _) = in_four_files(&spark, &folder).await?;
    let path = folder.path().join("a clone").display().to_string();
    let clone = target.clone_at_version(2, &path).property("delta.appendOnly", false).execute().await?;
    same(ids(&clone.to_df()).await?, (0..4).collect())?;
    // Shallow: the rows are still in the files of the table.
    same(on_disk(Path::new(&path))?, 0)?;
    clone.delete(col("id").lt(3)).await?;
    same(ids(&clone.to_df()).await?, vec![3])?;
    same(ids(&target.to_df()).await?, (0..8).collect())?;
    let property = clone.detail().select([expr("properties['delta.appendOnly']")]);
    same(property.collect_as::<(String,)>().await?, vec![("false".to_owned(),)])?;
    same(target.clone_table(&path).execute().await.is_err(), true)?;
    clone.delete(None).await?;
    let clone = target.clone_table(&path).replace().execute().await?;
    same(ids(&clone.to_df()).await?, (0..8).collect())
}

async fn named_clone(spark: SparkSession) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let (target, _) = in_four_files(&spark, &folder).await?;
    let at = target.history(None).filter(col("version").eq(1));
    let at: Vec<(String,)> = at.select([expr("CAST(timestamp AS STRING)")]).collect_as().await?;
    let name = unique("clone");
    let clone = target.clone_at_timestamp(&at.first().ok_or("no version 1")?.0, &name).execute().await?;
    let found = ids(&clone.to_df()).await;
    spark.sql(&format!("DROP TABLE {name}")).await?;
    same(found?, vec![0, 1])
}

async fn manifests(spark: SparkSession) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let (target, path) = in_four_files(&spark, &folder).await?;
    target.generate(Manifest::Symlink).await?;
    let manifest = Path::new(&path).join("_symlink_format_manifest/part=1/manifest");
    let listed = fs::read_to_string(manifest)?;
    let is_file = |line: &str| line.contains("/part=1/") && line.ends_with(".parquet");
    same((listed.lines().count(), listed.lines().all(is_file)), (2, true))
}

async fn features(spark: SparkSession) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().display().to_string();
    let create = DeltaTable::create(&spark).location(&path).add_column(("id", "BIGINT"));
    let target = create.property("delta.enableDeletionVectors", false).execute().await?;
    let protocol = async || -> Result<(i32, i32), Failed> {
        let columns = ["minReaderVersion", "minWriterVersion"];
        let rows: Vec<(i32, i32)> = target.detail().select(columns).collect_as().await?;
        Ok(rows.first().copied().unwrap_or_default())
    };
    let has = async |feature: &str| -> Result<bool, Failed> {
        let has = target.detail().filter(expr(
            "array_contains(tableFeatures, :f)".replace(":f", &spark_client::quoted_text(feature)).as_str(),
        ));
        Ok(has.count().await? == 1)
    };
    target.upgrade_table_protocol(1, 3).await?;
    same(protocol().await?, (1, 3))?;
    same(has("deletionVectors").await?, false)?;
    target.add_feature_support("deletionVectors").await?;
    same((has("deletionVectors").await?, protocol().await?), (true, (3, 7)))?;
    target.add_feature_support("domainMetadata").await?;
    same(has("domainMetadata").await?, true)?;
    target.drop_feature_support("domainMetadata", false).await?;
    same(has("domainMetadata").await?, false)?;
    same(target.add_feature_support("no such feature").await.is_err(), true)
}

async fn conversion(spark: SparkSession) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("it's `odd`").display().to_string();
    let rows = spark.range(0..6).with_column("part", col("id") % 2);
    rows.write().format("parquet").partition_by(["part"]).save(&path).await?;
    same(DeltaTable::is_delta_table(&spark, &path).await?, false)?;
    let identifier = format!("parquet.{}", spark_client::quoted_name(&path));
    let unpartitioned = DeltaTable::convert_to_delta(&spark, &identifier).execute().await;
    same(unpartitioned.is_err(), true)?;
    let table =
        DeltaTable::convert_to_delta(&spark, &identifier).partitioned_by("part BIGINT").execute().await?;
    same(DeltaTable::is_delta_table(&spark, &path).await?, true)?;
    same(ids(&table.to_df()).await?, (0..6).collect())?;
    same(ids(&table.to_df().filter("part = 1")).await?, vec![1, 3, 5])?;
    let columns: Vec<(Vec<String>,)> = table.detail().select(["partitionColumns"]).collect_as().await?;
    same(columns, vec![(vec!["part".to_owned()],)])?;
    table.delete(col("part").eq(1)).await?;
    same(ids(&table.to_df()).await?, vec![0, 2, 4])
}
