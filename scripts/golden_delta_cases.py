"""The cases of `golden_plans.py` for Delta Connect, by name. `spark_client/src/golden/delta_cases.rs` builds the same
ones in Rust."""

from delta.connect.tables import DeltaTable
from delta.tables import IdentityGenerator
from pyspark.sql.connect import functions as F
from pyspark.sql.types import LongType, StringType, StructType

col, lit, expr = F.col, F.lit, F.expr


def t(spark):
    return DeltaTable.forName(spark, "db.t")


def p(spark):
    return DeltaTable.forPath(spark, "/lake/t")


def changes(spark):
    return spark.table("changes").alias("c")


def merge_all_clauses(spark):
    return (
        t(spark)
        .alias("t")
        .merge(changes(spark), "t.id = c.id")
        .whenMatchedDelete(col("c.op") == "d")
        .whenMatchedUpdate("c.lsn > t.lsn", {"name": col("c.name"), "`odd.name`": expr("c.name || '!'")})
        .whenMatchedUpdateAll()
        .whenNotMatchedInsert(col("c.op") == "r", {"id": col("c.id")})
        .whenNotMatchedInsertAll(col("c.op") != "d")
        .whenNotMatchedBySourceUpdate(col("t.seen"), {"seen": lit(False)})
        .whenNotMatchedBySourceDelete()
        .withSchemaEvolution()
        .execute()
    )


def created(spark):
    return (
        DeltaTable.create(spark)
        .tableName("db.t")
        .location("/lake/t")
        .comment("a table")
        .addColumn("key", "BIGINT", generatedAlwaysAs=IdentityGenerator(start=-5, step=10))
        .addColumn("other_key", "BIGINT", generatedByDefaultAs=IdentityGenerator())
        .addColumn("at", "TIMESTAMP", nullable=False, comment="of the order")
        .addColumn("day", "DATE", generatedAlwaysAs="CAST(at AS DATE)")
        .partitionedBy("day")
        .property("a", "1")
        .property("b", "x")
        .execute()
    )


CASES = {
    # Queries
    "scan_name": lambda spark: t(spark).toDF(),
    "scan_path": lambda spark: p(spark).toDF(),
    "scan_alias": lambda spark: t(spark).alias("x").toDF(),
    "history": lambda spark: t(spark).history(),
    "history_limit": lambda spark: p(spark).history(3),
    "detail": lambda spark: t(spark).detail(),
    "is_delta_table": lambda spark: DeltaTable.isDeltaTable(spark, "/lake/t"),
    # Rows
    "delete": lambda spark: t(spark).delete(),
    "delete_text": lambda spark: t(spark).delete("a > 1"),
    "delete_column": lambda spark: p(spark).alias("x").delete(col("x.a") > 1),
    "update": lambda spark: t(spark).update(set={"a": lit(1), "b.c": "b.c + 1"}),
    "update_column": lambda spark: t(spark).update(col("a").isNull(), {"a": col("b")}),
    "merge": merge_all_clauses,
    "merge_insert_only": lambda spark: p(spark)
    .merge(changes(spark), expr("id = c.id"))
    .whenNotMatchedInsertAll()
    .execute(),
    # Files and versions
    "optimize": lambda spark: t(spark).optimize().executeCompaction(),
    "optimize_where": lambda spark: t(spark).optimize().where("day > '2026'").where("c = 1").executeCompaction(),
    "optimize_z_order": lambda spark: p(spark).optimize().executeZOrderBy("a", "b"),
    "vacuum": lambda spark: t(spark).vacuum(),
    "vacuum_hours": lambda spark: p(spark).vacuum(0.5),
    "restore_version": lambda spark: t(spark).restoreToVersion(3),
    "restore_timestamp": lambda spark: t(spark).restoreToTimestamp("2026-01-01"),
    "generate": lambda spark: t(spark).generate("symlink_format_manifest"),
    "convert": lambda spark: DeltaTable.convertToDelta(spark, "parquet.`/data/t`"),
    "convert_partitioned": lambda spark: DeltaTable.convertToDelta(spark, "parquet.`/data/t`", "day DATE"),
    "clone": lambda spark: t(spark).clone("db.u", isShallow=True),
    "clone_version": lambda spark: t(spark).cloneAtVersion(3, "db.u", True, True, {"a": "1"}),
    "clone_timestamp": lambda spark: p(spark).cloneAtTimestamp("2026-01-01", "/lake/u", True),
    # Protocol
    "upgrade": lambda spark: t(spark).upgradeTableProtocol(1, 3),
    "add_feature": lambda spark: t(spark).addFeatureSupport("deletionVectors"),
    "drop_feature": lambda spark: t(spark).dropFeatureSupport("deletionVectors"),
    "drop_feature_history": lambda spark: t(spark).dropFeatureSupport("deletionVectors", True),
    # New tables
    "create": created,
    "create_if_not_exists": lambda spark: DeltaTable.createIfNotExists(spark)
    .location("/lake/t")
    .addColumn("a", "INT")
    .addColumns(StructType().add("id", LongType()).add("name", StringType(), False))
    .execute(),
    "replace": lambda spark: DeltaTable.replace(spark).tableName("t").addColumn("a", "INT").execute(),
    "create_or_replace": lambda spark: DeltaTable.createOrReplace(spark)
    .tableName("t")
    .addColumn("a", "INT")
    .clusterBy("a")
    .execute(),
}
