"""The cases of `golden_plans.py`, by name. `spark_client/src/golden/cases.rs` builds the same ones in Rust."""

from decimal import Decimal

from pyspark.sql.connect import functions as F
from pyspark.sql.connect.avro import functions as avro
from pyspark.sql.connect.column import Column  # noqa: F401  (registers the Connect column)
from pyspark.sql.connect.window import Window
from pyspark.sql.types import ArrayType, DecimalType, IntegerType, LongType, StructType

col, lit, expr = F.col, F.lit, F.expr
URL = "jdbc:postgresql://db/wwi"
SHAPE = (
    StructType().add("id", LongType()).add("price", DecimalType(18, 2)).add("days", ArrayType(IntegerType()))
)
SCHEMA = '{"type": "record", "name": "r", "fields": [{"name": "id", "type": "long"}]}'


def t(spark):
    return spark.table("t")


def u(spark):
    return spark.table("u")


def one(make):
    """A projection of one expression."""
    return lambda spark: t(spark).select(make())


def largest(spark):
    return u(spark).select(F.max("a")).scalar()


def of_row(spark):
    return u(spark).filter(col("u.id") == col("t.id").outer())


def matching(spark):
    return of_row(spark).exists()


def nearest(spark, mode, direction, how):
    return t(spark).nearestByJoin(u(spark), col("a") - col("b"), 3, mode, direction, joinType=how)


def joined_by_columns_of_both(spark):
    left, right = t(spark), u(spark)
    return left.join(right, left["id"] == right["id"], "left")


def merge_all_clauses(spark):
    return (
        t(spark)
        .alias("s")
        .mergeInto("db.target", expr("target.id = s.id"))
        .whenMatched(col("s.op") == "d")
        .delete()
        .whenMatched()
        .update({"name": col("s.name")})
        .whenNotMatched(col("s.op") != "d")
        .insert({"id": col("s.id"), "name": col("s.name")})
        .whenNotMatchedBySource()
        .delete()
        .withSchemaEvolution()
        .merge()
    )


CASES = {
    # Sources
    "table": t,
    "range": lambda spark: spark.range(1, 10, 2, 3),
    "sql": lambda spark: spark.sql("SELECT 1"),
    "sql_named": lambda spark: spark.sql("SELECT :a", {"a": 7}),
    "sql_positional": lambda spark: spark.sql("SELECT ?, ?", [7, "x"]),
    "read_parquet": lambda spark: spark.read.parquet("/data/a"),
    "read_orc": lambda spark: spark.read.orc("/data/a"),
    "read_xml": lambda spark: spark.read.option("rowTag", "r").xml("/data/a"),
    "read_stream_json": lambda spark: spark.readStream.schema("id BIGINT").json("/data/a"),
    "read_options": lambda spark: spark.read.format("csv").schema("id BIGINT").option("header", True).load("/data/b"),
    "read_table_options": lambda spark: spark.read.option("versionAsOf", 3).table("db.t"),
    "read_stream_kafka": lambda spark: spark.readStream.format("kafka").option("subscribe", "a").load(),
    "read_stream_table": lambda spark: spark.readStream.option("readChangeFeed", "true").table("db.t"),
    # Transformations
    "select_names": lambda spark: t(spark).select("id", "name"),
    "select_star": lambda spark: t(spark).select("*", col("x.*")),
    "select_expr": lambda spark: t(spark).selectExpr("id + 1 AS next", "name"),
    "filter_column": lambda spark: t(spark).filter(col("id") > 7),
    "filter_text": lambda spark: t(spark).filter("id > 7"),
    "with_column": lambda spark: t(spark).withColumn("next", col("id") + 1),
    "with_columns": lambda spark: t(spark).withColumns({"a": lit(1), "b": lit("x")}),
    "with_column_renamed": lambda spark: t(spark).withColumnRenamed("a", "b"),
    "drop_names": lambda spark: t(spark).drop("a", "b"),
    "drop_columns": lambda spark: t(spark).drop(col("a")),
    "to_df": lambda spark: t(spark).toDF("a", "b"),
    "alias": lambda spark: t(spark).alias("x"),
    "distinct": lambda spark: t(spark).distinct(),
    "drop_duplicates": lambda spark: t(spark).dropDuplicates(["a", "b"]),
    "drop_duplicates_watermark": lambda spark: t(spark)
    .withWatermark("at", "10 minutes")
    .dropDuplicatesWithinWatermark(["id"]),
    "order_by": lambda spark: t(spark).orderBy("a", col("b").desc(), col("c").asc_nulls_last()),
    "sort_within_partitions": lambda spark: t(spark).sortWithinPartitions("a"),
    "limit_offset": lambda spark: t(spark).offset(5).limit(10),
    "repartition": lambda spark: t(spark).repartition(4),
    "repartition_by": lambda spark: t(spark).repartition(4, "a"),
    "coalesce": lambda spark: t(spark).coalesce(2),
    "hint": lambda spark: t(spark).hint("rebalance", 3),
    "broadcast": lambda spark: F.broadcast(t(spark)),
    "sample": lambda spark: t(spark).sample(0.25, 42),
    "fill_na": lambda spark: t(spark).fillna(0, ["a"]),
    "drop_na": lambda spark: t(spark).dropna(thresh=2, subset=["a", "b", "c"]),
    "unpivot": lambda spark: t(spark).unpivot(["id"], ["a", "b"], "name", "value"),
    "transpose": lambda spark: t(spark).transpose(),
    "transpose_index": lambda spark: t(spark).transpose("a"),
    "with_metadata": lambda spark: t(spark).withMetadata("a", {"k": "v"}),
    "rows_as_json": lambda spark: t(spark).toJSON(),
    "columns_of_the_plan": lambda spark: (lambda f: f.select(f.colRegex("`a.*`"), f.metadataColumn("_metadata")))(t(spark)),
    "repartition_by_range": lambda spark: t(spark).repartitionByRange(4, "a", col("b").desc()),
    "replace": lambda spark: t(spark).replace({"x": "y", "z": "w"}, subset=["a"]),
    # Statistics
    "summary": lambda spark: t(spark).summary(),
    "summary_of": lambda spark: t(spark).summary("count", "95%"),
    "describe": lambda spark: t(spark).describe("a", "b"),
    "crosstab": lambda spark: t(spark).crosstab("a", "b"),
    "freq_items": lambda spark: t(spark).freqItems(["a", "b"], 0.25),
    "sample_by": lambda spark: t(spark).sampleBy("a", {1: 0.25, 2: 0.5}, 7),
    "random_split": lambda spark: t(spark).randomSplit([1.0, 3.0], 7)[1],
    "tvf_explode": lambda spark: spark.tvf.explode(F.array(lit(1), lit(2))),
    "tvf_stack": lambda spark: spark.tvf.stack(lit(2), lit(1), lit(2), lit(3)),
    "tvf_sql_keywords": lambda spark: spark.tvf.sql_keywords(),
    # Two inputs
    "join_using": lambda spark: t(spark).join(u(spark), ["id", "day"], "inner"),
    "join_condition": joined_by_columns_of_both,
    "join_anti": lambda spark: t(spark).join(u(spark), "id", "left_anti"),
    "cross_join": lambda spark: t(spark).crossJoin(u(spark)),
    "union": lambda spark: t(spark).union(u(spark)),
    "union_by_name": lambda spark: t(spark).unionByName(u(spark), True),
    "intersect": lambda spark: t(spark).intersect(u(spark)),
    "except_all": lambda spark: t(spark).exceptAll(u(spark)),
    "except": lambda spark: t(spark).subtract(u(spark)),
    # Plans that refer to others
    "subquery_scalar": lambda spark: t(spark).filter(col("a") > largest(spark)),
    "subquery_exists": lambda spark: t(spark).alias("t").filter(~matching(spark)),
    "subquery_in": lambda spark: t(spark).filter(col("id").isin(u(spark).select("id"))),
    "subquery_in_struct": lambda spark: t(spark).filter(F.struct("id", "day").isin(u(spark).select("id", "day"))),
    "subquery_select": lambda spark: t(spark).select("id", (largest(spark) - col("a")).cast("int").alias("below")),
    "subquery_with_column": lambda spark: t(spark).withColumn("top", largest(spark)),
    "subquery_case": lambda spark: t(spark).select(F.when(matching(spark), largest(spark)).otherwise(lit(0))),
    "subquery_group": lambda spark: t(spark).groupBy("k").agg(F.sum("a") - F.first(largest(spark))),
    "subquery_sort": lambda spark: t(spark).orderBy(largest(spark).desc()),
    "subquery_two": lambda spark: t(spark).filter((col("a") == largest(spark)) | matching(spark)),
    "subquery_nested": lambda spark: t(spark).filter(u(spark).filter(col("b") < largest(spark)).exists()),
    "lateral_join": lambda spark: t(spark).lateralJoin(of_row(spark)),
    "lateral_join_on": lambda spark: t(spark).lateralJoin(of_row(spark), col("a") > 1, "left"),
    "nearest_exact": lambda spark: nearest(spark, "exact", "distance", "inner"),
    "nearest_approximate": lambda spark: nearest(spark, "approx", "similarity", "leftouter"),
    "read_jdbc": lambda spark: spark.read.option("user", "reader").jdbc(URL, "sales.orders"),
    "read_jdbc_ranges": lambda spark: spark.read.option("user", "reader").jdbc(URL, "sales.orders", "id", 1, 100, 4),
    "read_jdbc_conditions": lambda spark: spark.read.option("user", "reader").jdbc(
        URL, "sales.orders", predicates=["id < 10", "id >= 10"]
    ),
    "read_changes": lambda spark: spark.read.option("startingVersion", 2).changes("db.t"),
    "read_stream_changes": lambda spark: spark.readStream.changes("db.t"),
    # Groups
    "grouping_sets": lambda spark: t(spark).groupingSets([["a", "b"], ["a"], []], "a", "b").agg(F.sum("c")),
    "to_schema": lambda spark: t(spark).to(SHAPE),
    "repartition_by_id": lambda spark: t(spark).repartitionById(4, "part"),
    "zip_with_index": lambda spark: t(spark).zipWithIndex(),
    "observe": lambda spark: t(spark).observe("seen", F.count(lit(1)).alias("rows"), F.max("a").alias("largest")),
    "agg": lambda spark: t(spark).agg(F.sum("a"), F.count_distinct("b", "c")),
    "group_by": lambda spark: t(spark).groupBy("k").agg(F.max("a").alias("top"), F.avg(col("b"))),
    "group_count": lambda spark: t(spark).groupBy("k").count(),
    "rollup": lambda spark: t(spark).rollup("a", "b").agg(F.count(lit(1))),
    "cube": lambda spark: t(spark).cube("a").agg(F.min("b")),
    "pivot": lambda spark: t(spark).groupBy("k").pivot("year", [2025, 2026]).agg(F.sum("a")),
    # Expressions
    "literals": lambda spark: t(spark).select(lit(True), lit(7), lit(1 << 40), lit(0.5), lit("x"), lit(b"\x00\xff")),
    "literal_null": one(lambda: lit(None)),
    "literal_decimal": one(lambda: lit(Decimal("12.5")).cast("decimal(10,2)")),
    "arithmetic": one(lambda: -(col("a") + 1 - col("b") * 2 / 3 % 4)),
    "logic": one(lambda: ~((col("a") & col("b")) | col("c"))),
    "comparisons": lambda spark: t(spark).select(
        col("a") == 1, col("a") != 1, col("a") >= 1, col("a") <= 1, col("a") < 1, col("a").eqNullSafe("x")
    ),
    "texts": lambda spark: t(spark).select(
        col("a").like("x%"), col("a").rlike("^x"), col("a").contains("x"), col("a").startswith("x"), col("a").endswith("x")
    ),
    "nulls": lambda spark: t(spark).select(col("a").isNull(), col("a").isNotNull(), col("a").isNaN()),
    "isin": one(lambda: col("a").isin(1, 2, 3)),
    "between": one(lambda: col("a").between(1, 5)),
    "case_when": one(lambda: F.when(col("a") > 1, "x").when(col("a") > 0, col("b")).otherwise(lit(None))),
    "casts": lambda spark: t(spark).select(col("a").cast("bigint"), col("a").try_cast("int")),
    "parts": lambda spark: t(spark).select(
        col("a")["k"], col("a").getItem(0), col("a").getField("f"), col("a").withField("g", lit(1)), col("a").dropFields("h")
    ),
    "aliases": one(lambda: F.posexplode("a").alias("at", "item")),
    "substr": one(lambda: col("a").substr(1, 3)),
    "bits": lambda spark: t(spark).select(col("a").bitwiseAND(1), col("a").bitwiseOR(2), col("a").bitwiseXOR(3)),
    "window": one(
        lambda: F.row_number().over(Window.partitionBy("k").orderBy(col("lsn").desc(), col("ordinal").desc()))
    ),
    "window_rows": one(
        lambda: F.sum("a").over(Window.orderBy("b").rowsBetween(Window.unboundedPreceding, Window.currentRow))
    ),
    "window_range": one(lambda: F.sum("a").over(Window.partitionBy("k").orderBy("b").rangeBetween(-10, 5))),
    # Functions
    "aggregates": lambda spark: t(spark).agg(
        F.max_by("a", "b"), F.min_by("a", "b"), F.collect_list("a"), F.approx_count_distinct("a"), F.sum_distinct("a")
    ),
    "function_texts": lambda spark: t(spark).select(
        F.concat_ws("-", "a", "b"), F.upper("a"), F.substring("a", 1, 2), F.regexp_replace("a", "x", "y"), F.sha2("a", 256)
    ),
    "function_times": lambda spark: t(spark).select(
        F.current_timestamp(), F.date_format("a", "yyyy"), F.date_trunc("hour", "a"), F.to_date("a", "yyyy"), F.year("a")
    ),
    "function_structs": lambda spark: t(spark).select(
        F.struct("a", "b"), F.array("a", "b"), F.create_map(lit("k"), "a"), F.element_at("a", 1), F.explode("a")
    ),
    "function_nulls": lambda spark: t(spark).select(F.coalesce("a", "b"), F.greatest("a", "b"), F.round("a", 2)),
    "function_windows": lambda spark: t(spark).select(
        F.lead("a", 1).over(Window.orderBy("b")), F.lag("a", 2).over(Window.orderBy("b"))
    ),
    "raise_error": one(lambda: F.raise_error("no")),
    "expr": one(lambda: expr("a + 1")),
    "call_function": one(lambda: F.call_function("my_function", col("a"), lit(1))),
    "from_json": one(lambda: F.from_json("a", "id BIGINT", {"mode": "FAILFAST"})),
    "to_json": one(lambda: F.to_json("a")),
    "from_avro": one(lambda: avro.from_avro("a", SCHEMA)),
    "from_avro_options": one(lambda: avro.from_avro("a", SCHEMA, {"avroSchema": SCHEMA})),
    "to_avro": one(lambda: avro.to_avro(F.struct("a"), SCHEMA)),
    "lambda_transform": one(lambda: F.transform("a", lambda x: x + 1)),
    "lambda_nested": one(lambda: F.transform("a", lambda x: F.filter(x, lambda y: y > 0))),
    "lambda_aggregate": one(lambda: F.aggregate("a", lit(0), lambda acc, x: acc + x)),
}

COMMANDS = {
    "write_parquet": lambda spark: t(spark).write.mode("overwrite").parquet("/data/out"),
    "write_table": lambda spark: t(spark)
    .write.format("delta")
    .mode("append")
    .partitionBy("day")
    .option("mergeSchema", "true")
    .saveAsTable("db.out"),
    "write_jdbc": lambda spark: t(spark).write.jdbc("jdbc:postgresql://db/wwi", "o", mode="append"),
    "write_insert": lambda spark: t(spark).write.insertInto("db.out"),
    "write_v2_create": lambda spark: t(spark).writeTo("db.out").using("delta").tableProperty("a", "b").create(),
    "write_v2_overwrite": lambda spark: t(spark).writeTo("db.out").overwrite(col("day") == "x"),
    "write_stream_table": lambda spark: t(spark)
    .writeStream.format("delta")
    .option("checkpointLocation", "/cp")
    .queryName("q")
    .outputMode("append")
    .trigger(processingTime="1000 milliseconds")
    .toTable("db.out"),
    "write_stream_path": lambda spark: t(spark)
    .writeStream.format("parquet")
    .partitionBy("day")
    .trigger(availableNow=True)
    .start("/data/out"),
    "merge": merge_all_clauses,
    "temp_view": lambda spark: t(spark).createOrReplaceTempView("v"),
}
