"""Calls that are sent at once, by name. `spark_client/src/golden/actions.rs` makes the same ones in Rust."""

from pyspark.sql.types import LongType, StructType
from pyspark.storagelevel import StorageLevel

SCHEMA = StructType().add("id", LongType())


def t(spark):
    return spark.table("t")


def catalog(call):
    return lambda spark: call(spark.catalog)


CASES = {
    # Catalog
    "current_catalog": catalog(lambda c: c.currentCatalog()),
    "set_current_catalog": catalog(lambda c: c.setCurrentCatalog("a")),
    "list_catalogs": catalog(lambda c: c.listCatalogs()),
    "list_catalogs_like": catalog(lambda c: c.listCatalogs("a*")),
    "current_database": catalog(lambda c: c.currentDatabase()),
    "set_current_database": catalog(lambda c: c.setCurrentDatabase("d")),
    "list_databases": catalog(lambda c: c.listDatabases()),
    "list_databases_like": catalog(lambda c: c.listDatabases("d*")),
    "get_database": catalog(lambda c: c.getDatabase("d")),
    "database_exists": catalog(lambda c: c.databaseExists("d")),
    "list_tables": catalog(lambda c: c.listTables()),
    "list_tables_of": catalog(lambda c: c.listTables("d")),
    "list_tables_like": catalog(lambda c: c.listTables("d", "t*")),
    "get_table": catalog(lambda c: c.getTable("d.t")),
    "table_exists": catalog(lambda c: c.tableExists("d.t")),
    "list_views": catalog(lambda c: c.listViews("d", "v*")),
    "list_functions": catalog(lambda c: c.listFunctions()),
    "list_functions_like": catalog(lambda c: c.listFunctions("d", "f*")),
    "get_function": catalog(lambda c: c.getFunction("f")),
    "function_exists": catalog(lambda c: c.functionExists("f")),
    "list_columns": catalog(lambda c: c.listColumns("d.t")),
    "list_partitions": catalog(lambda c: c.listPartitions("d.t")),
    "get_table_properties": catalog(lambda c: c.getTableProperties("d.t")),
    "get_create_table_string": catalog(lambda c: c.getCreateTableString("d.t", True)),
    "create_table": catalog(lambda c: c.createTable("d.t", "/data/t", "csv", SCHEMA, "words", header="true")),
    "create_database": catalog(lambda c: c.createDatabase("d", True)),
    "drop_database": catalog(lambda c: c.dropDatabase("d", True, True)),
    "drop_table": catalog(lambda c: c.dropTable("d.t", True, True)),
    "drop_view": catalog(lambda c: c.dropView("d.v", True)),
    "drop_temp_view": catalog(lambda c: c.dropTempView("v")),
    "drop_global_temp_view": catalog(lambda c: c.dropGlobalTempView("v")),
    "is_cached": catalog(lambda c: c.isCached("t")),
    "cache_table": catalog(lambda c: c.cacheTable("t")),
    "cache_table_on_disk": catalog(lambda c: c.cacheTable("t", StorageLevel.DISK_ONLY)),
    "uncache_table": catalog(lambda c: c.uncacheTable("t")),
    "clear_cache": catalog(lambda c: c.clearCache()),
    "refresh_table": catalog(lambda c: c.refreshTable("t")),
    "refresh_by_path": catalog(lambda c: c.refreshByPath("/data")),
    "recover_partitions": catalog(lambda c: c.recoverPartitions("t")),
    "truncate_table": catalog(lambda c: c.truncateTable("t")),
    "analyze_table": catalog(lambda c: c.analyzeTable("t", True)),
    # Questions about plans
    "version": lambda spark: spark.version,
    "schema": lambda spark: t(spark).schema,
    "explain": lambda spark: t(spark).explain(),
    "explain_extended": lambda spark: t(spark).explain(True),
    "explain_codegen": lambda spark: t(spark).explain(mode="codegen"),
    "explain_cost": lambda spark: t(spark).explain(mode="cost"),
    "explain_formatted": lambda spark: t(spark).explain(mode="formatted"),
    "is_local": lambda spark: t(spark).isLocal(),
    "is_streaming": lambda spark: t(spark).isStreaming,
    "input_files": lambda spark: t(spark).inputFiles(),
    "same_semantics": lambda spark: t(spark).sameSemantics(spark.table("u")),
    "semantic_hash": lambda spark: t(spark).semanticHash(),
    "cache": lambda spark: t(spark).cache(),
    "persist": lambda spark: t(spark).persist(StorageLevel.MEMORY_ONLY_2),
    "unpersist": lambda spark: t(spark).unpersist(),
    "storage_level": lambda spark: t(spark).storageLevel,
    # Rows
    "collect": lambda spark: t(spark).collect(),
    "count": lambda spark: t(spark).count(),
    "head": lambda spark: t(spark).head(3),
    "tail": lambda spark: t(spark).tail(3),
    "show": lambda spark: t(spark).show(5),
    "cov": lambda spark: t(spark).cov("a", "b"),
    "corr": lambda spark: t(spark).corr("a", "b"),
    "approx_quantile": lambda spark: t(spark).approxQuantile(["a", "b"], [0.25, 0.5], 0.01),
    # Commands
    "temp_view": lambda spark: t(spark).createTempView("v"),
    "replaced_temp_view": lambda spark: t(spark).createOrReplaceTempView("v"),
    "global_temp_view": lambda spark: t(spark).createGlobalTempView("v"),
    "replaced_global_temp_view": lambda spark: t(spark).createOrReplaceGlobalTempView("v"),
    "local_checkpoint": lambda spark: t(spark).localCheckpoint(),
    "checkpoint": lambda spark: t(spark).checkpoint(),
    "java_function": lambda spark: spark.udf.registerJavaFunction("f", "org.F", "int"),
    "java_aggregate": lambda spark: spark.udf.registerJavaUDAF("f", "org.F"),
    "streams_active": lambda spark: spark.streams.active,
    "streams_get": lambda spark: spark.streams.get("7"),
    "streams_await": lambda spark: spark.streams.awaitAnyTermination(2),
    "streams_reset": lambda spark: spark.streams.resetTerminated(),
}
