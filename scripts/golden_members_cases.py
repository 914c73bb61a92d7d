"""Further cases of `golden_plans.py`, so that each member that spark_client has gets one: every call of a class at least
once, and the functions written by hand at each number of arguments. `spark_client/src/golden/members.rs` and
`by_hand.rs` build the same ones in Rust.
"""

from pyspark.sql.connect import functions as F
from pyspark.sql.connect.streaming.query import StreamingQuery
from pyspark.sql.connect.window import Window
from pyspark.sql.types import LongType, StructType
from pyspark.storagelevel import StorageLevel

col, lit = F.col, F.lit
NUMBERS = StructType().add("a", LongType()).add("b", LongType())
ROWS = {"mode": "FAILFAST"}


def t(spark):
    return spark.table("t")


def u(spark):
    return spark.table("u")


def one(make):
    """A projection of one expression."""
    return lambda spark: t(spark).select(make())


def joined(how):
    return lambda spark: t(spark).join(u(spark), "id", how)


def grouped(call):
    def case(spark):
        frame = t(spark)
        # Else PySpark asks the server which columns are numbers.
        frame._cached_schema = NUMBERS
        return call(frame.groupBy("k"))

    return case


def query(call):
    return lambda spark: call(StreamingQuery(spark, "q", "r", "n"))


def pairs():
    return F.create_map(lit("k"), col("a"))


def numbers():
    return F.array("a", "b")


PLANS = {
    # DataFrame
    "where": lambda spark: t(spark).where("id > 7"),
    "groupby": lambda spark: t(spark).groupby("k").agg(F.min("a")),
    "melt": lambda spark: t(spark).melt("id", "a", "name", "value"),
    "unpivot_all": lambda spark: t(spark).unpivot(["id", "k", "name", "day"], None, "name_of", "value"),
    "sort": lambda spark: t(spark).sort(col("a").asc(), col("b").desc_nulls_first()),
    "sort_nulls": lambda spark: t(spark).sort(
        col("a").asc_nulls_first(), col("b").desc_nulls_last(), F.asc("c"), F.desc("k"), F.asc_nulls_first("id"),
        F.asc_nulls_last("year"), F.desc_nulls_first("name"), F.desc_nulls_last("day"),
    ),
    "union_all": lambda spark: t(spark).unionAll(u(spark)),
    "union_by_name_strictly": lambda spark: t(spark).unionByName(u(spark)),
    "intersect_all": lambda spark: t(spark).intersectAll(u(spark)),
    "with_columns_renamed": lambda spark: t(spark).withColumnsRenamed({"a": "x", "b": "y"}),
    "drop_duplicates_by_alias": lambda spark: t(spark).drop_duplicates(["a"]),
    "transform": lambda spark: t(spark).transform(lambda frame: frame.limit(3)),
    "sample_with_replacement": lambda spark: t(spark).sample(True, 0.25, 42),
    "repartition_by_columns": lambda spark: t(spark).repartition("a", "b"),
    "coalesce_one": lambda spark: t(spark).coalesce(1),
    "fill_na_all": lambda spark: t(spark).fillna("none"),
    "fill_na_of_columns": lambda spark: t(spark).fillna({"a": 1, "k": "none"}),
    "drop_na_any": lambda spark: t(spark).dropna(),
    "drop_na_all": lambda spark: t(spark).dropna("all"),
    "replace_everywhere": lambda spark: t(spark).replace({1: 2}),
    "na_fill": lambda spark: t(spark).na.fill(True),
    "na_drop": lambda spark: t(spark).na.drop(subset=["a"]),
    "na_replace": lambda spark: t(spark).na.replace({"x": "y"}, subset=["k"]),
    "stat_crosstab": lambda spark: t(spark).stat.crosstab("k", "a"),
    "stat_freq_items": lambda spark: t(spark).stat.freqItems(["a"]),
    "stat_sample_by": lambda spark: t(spark).stat.sampleBy("a", {5: 1.0}, 7),
    "describe_all": lambda spark: t(spark).describe(),
    "join_full": joined("outer"),
    "join_left": joined("left"),
    "join_right": joined("right"),
    "join_semi": joined("semi"),
    "lateral_join_cross": lambda spark: t(spark).lateralJoin(spark.tvf.explode(F.array(col("a").outer())), how="cross"),
    # Groups
    "group_avg": grouped(lambda g: g.avg("a", "b")),
    "group_max": grouped(lambda g: g.max("a")),
    "group_mean": grouped(lambda g: g.mean("a")),
    "group_min": grouped(lambda g: g.min("a")),
    "group_sum": grouped(lambda g: g.sum("a", "b")),
    "pivot_unnamed": lambda spark: t(spark).groupBy("k").pivot("year").agg(F.sum("a")),
    # Columns
    "ilike": one(lambda: col("k").ilike("X%")),
    "astype": one(lambda: col("a").astype("string")),
    "name": one(lambda: col("a").name("n")),
    "column_transform": one(lambda: col("a").transform(lambda c: c + 1)),
    "window_spec": one(
        lambda: F.sum("a").over(
            Window.rowsBetween(-1, Window.currentRow).partitionBy("k").orderBy("b")
        )
    ),
    "window_range_unbounded": one(
        lambda: F.count("a").over(
            Window.rangeBetween(Window.unboundedPreceding, Window.unboundedFollowing).orderBy("b")
        )
    ),
    # Readers
    "read_csv": lambda spark: spark.read.options(header="true", sep=";").csv("/data/a"),
    "read_json": lambda spark: spark.read.schema("id BIGINT").json("/data/a"),
    "read_text": lambda spark: spark.read.text("/data/a"),
    "read_many": lambda spark: spark.read.format("parquet").load(["/data/a", "/data/b"]),
    "read_stream_csv": lambda spark: spark.readStream.schema("id BIGINT").options(sep=";").csv("/data/a"),
    "read_stream_orc": lambda spark: spark.readStream.schema("id BIGINT").orc("/data/a"),
    "read_stream_parquet": lambda spark: spark.readStream.schema("id BIGINT").parquet("/data/a"),
    "read_stream_text": lambda spark: spark.readStream.text("/data/a"),
    "read_stream_xml": lambda spark: spark.readStream.schema("id BIGINT").option("rowTag", "r").xml("/data/a"),
    "read_stream_named": lambda spark: spark.readStream.format("rate").name("ticks").load(),
    # Table functions
    "tvf_range": lambda spark: spark.tvf.range(2, 5),
    "tvf_explode_outer": lambda spark: spark.tvf.explode_outer(F.array(lit(1))),
    "tvf_inline": lambda spark: spark.tvf.inline(F.array(F.struct(lit(1), lit("x")))),
    "tvf_inline_outer": lambda spark: spark.tvf.inline_outer(F.array(F.struct(lit(1)))),
    "tvf_json_tuple": lambda spark: spark.tvf.json_tuple(lit('{"a": 1}'), lit("a"), lit("b")),
    "tvf_posexplode": lambda spark: spark.tvf.posexplode(F.array(lit(1))),
    "tvf_posexplode_outer": lambda spark: spark.tvf.posexplode_outer(F.array(lit(1))),
    "tvf_variant_explode": lambda spark: spark.tvf.variant_explode(F.parse_json(lit("[1]"))),
    "tvf_variant_explode_outer": lambda spark: spark.tvf.variant_explode_outer(F.parse_json(lit("{}"))),
    "tvf_collations": lambda spark: spark.tvf.collations(),
    "tvf_python_worker_logs": lambda spark: spark.tvf.python_worker_logs(),
}

# The functions of `golden_functions.BY_HAND`, at each number of arguments: name/arguments.
BY_HAND = {
    "col/1": one(lambda: col("a")),
    "column/1": one(lambda: F.column("a")),
    "lit/1": one(lambda: lit(7)),
    "when/2": one(lambda: F.when(col("a") > 1, "x")),
    "call_function/2": one(lambda: F.call_function("abs", col("a"))),
    "call_udf/2": one(lambda: F.call_udf("abs", "a")),
    "count_distinct/1": lambda spark: t(spark).agg(F.count_distinct("a")),
    "count_distinct/3": lambda spark: t(spark).agg(F.count_distinct("a", "b", "c")),
    "json_tuple/2": one(lambda: F.json_tuple(lit('{"a": 1}'), "a")),
    "json_tuple/3": one(lambda: F.json_tuple(lit('{"a": 1}'), "a", "b")),
    "window/2": one(lambda: F.window(F.to_timestamp("day"), "10 minutes")),
    "window/3": one(lambda: F.window(F.to_timestamp("day"), "10 minutes", "5 minutes")),
    "window/4": one(lambda: F.window(F.to_timestamp("day"), "10 minutes", "5 minutes", "1 minute")),
    "window/start": one(lambda: F.window(F.to_timestamp("day"), "10 minutes", startTime="1 minute")),
    "aggregate/3": one(lambda: F.aggregate(numbers(), lit(0), lambda acc, x: acc + x)),
    "aggregate/4": one(lambda: F.aggregate(numbers(), lit(0), lambda acc, x: acc + x, lambda acc: acc * 2)),
    "reduce/3": one(lambda: F.reduce(numbers(), lit(0), lambda acc, x: acc + x)),
    "reduce/4": one(lambda: F.reduce(numbers(), lit(0), lambda acc, x: acc + x, lambda acc: acc * 2)),
    "array_sort/1": one(lambda: F.array_sort(numbers())),
    "array_sort/2": one(lambda: F.array_sort(numbers(), lambda x, y: y - x)),
    "exists/2": one(lambda: F.exists(numbers(), lambda x: x > 5)),
    "filter/2": one(lambda: F.filter(numbers(), lambda x: x > 4)),
    "filter/index": one(lambda: F.filter(numbers(), lambda x, i: (x > 4) & (i > 0))),
    "forall/2": one(lambda: F.forall(numbers(), lambda x: x > 4)),
    "transform/2": one(lambda: F.transform(numbers(), lambda x: x * 2)),
    "transform/index": one(lambda: F.transform(numbers(), lambda x, i: x + i)),
    "map_filter/2": one(lambda: F.map_filter(pairs(), lambda k, v: v > 5)),
    "map_zip_with/3": one(lambda: F.map_zip_with(pairs(), pairs(), lambda k, x, y: x + y)),
    "transform_keys/2": one(lambda: F.transform_keys(pairs(), lambda k, v: F.upper(k))),
    "transform_values/2": one(lambda: F.transform_values(pairs(), lambda k, v: v + 1)),
    "zip_with/3": one(lambda: F.zip_with(numbers(), numbers(), lambda x, y: x * y)),
    "from_json/2": one(lambda: F.from_json(lit('{"id": 1}'), "id BIGINT")),
    "from_json/3": one(lambda: F.from_json(lit('{"id": 1}'), "id BIGINT", ROWS)),
    "from_json/column": one(lambda: F.from_json(lit('{"id": 1}'), F.schema_of_json(lit('{"id": 1}')))),
    "from_csv/2": one(lambda: F.from_csv(lit("1,x"), lit("id BIGINT, name STRING"))),
    "from_csv/3": one(lambda: F.from_csv(lit("1,x"), lit("id BIGINT, name STRING"), ROWS)),
    "from_xml/2": one(lambda: F.from_xml(lit("<r><id>1</id></r>"), "id BIGINT")),
    "from_xml/3": one(lambda: F.from_xml(lit("<r><id>1</id></r>"), "id BIGINT", ROWS)),
    "schema_of_json/1": one(lambda: F.schema_of_json(lit('{"id": 1}'))),
    "schema_of_json/2": one(lambda: F.schema_of_json(lit('{"id": 1}'), ROWS)),
    "schema_of_csv/1": one(lambda: F.schema_of_csv(lit("1,x"))),
    "schema_of_csv/2": one(lambda: F.schema_of_csv(lit("1,x"), {"sep": ","})),
    "schema_of_xml/1": one(lambda: F.schema_of_xml(lit("<r><id>1</id></r>"))),
    "schema_of_xml/2": one(lambda: F.schema_of_xml(lit("<r><id>1</id></r>"), ROWS)),
    "to_json/1": one(lambda: F.to_json(F.struct("a", "k"))),
    "to_json/2": one(lambda: F.to_json(F.struct("a", "k"), {"pretty": "true"})),
    "to_csv/1": one(lambda: F.to_csv(F.struct("a", "k"))),
    "to_csv/2": one(lambda: F.to_csv(F.struct("a", "k"), {"sep": ";"})),
    "to_xml/1": one(lambda: F.to_xml(F.struct("a", "k"))),
    "to_xml/2": one(lambda: F.to_xml(F.struct("a", "k"), {"rowTag": "row"})),
    "broadcast/1": lambda spark: F.broadcast(u(spark)),
    "expr/1": one(lambda: F.expr("a + b")),
    "asc/1": lambda spark: t(spark).sort(F.asc("a")),
    "asc_nulls_first/1": lambda spark: t(spark).sort(F.asc_nulls_first("a")),
    "asc_nulls_last/1": lambda spark: t(spark).sort(F.asc_nulls_last("a")),
    "desc/1": lambda spark: t(spark).sort(F.desc("a")),
    "desc_nulls_first/1": lambda spark: t(spark).sort(F.desc_nulls_first("a")),
    "desc_nulls_last/1": lambda spark: t(spark).sort(F.desc_nulls_last("a")),
}

COMMANDS = {
    "write_csv": lambda spark: t(spark).write.options(header="true").csv("/data/out"),
    "write_json": lambda spark: t(spark).write.mode("append").json("/data/out"),
    "write_orc": lambda spark: t(spark).write.mode("ignore").orc("/data/out"),
    "write_text": lambda spark: t(spark).write.mode("error").text("/data/out"),
    "write_xml": lambda spark: t(spark).write.option("rowTag", "r").xml("/data/out"),
    "write_save": lambda spark: t(spark).write.format("delta").save("/data/out"),
    "write_save_by_options": lambda spark: t(spark).write.format("kafka").option("topic", "a").save(),
    "write_buckets": lambda spark: t(spark).write.format("parquet").bucketBy(4, "a", "b").sortBy("c").saveAsTable("db.out"),
    "write_clusters": lambda spark: t(spark).write.format("delta").clusterBy("a", "b").saveAsTable("db.out"),
    "write_insert_over": lambda spark: t(spark).write.mode("overwrite").insertInto("db.out"),
    "write_v2_append": lambda spark: t(spark).writeTo("db.out").option("a", "b").options(c="d").append(),
    "write_v2_replace": lambda spark: t(spark).writeTo("db.out").using("delta").replace(),
    "write_v2_create_or_replace": lambda spark: t(spark)
    .writeTo("db.out")
    .using("parquet")
    .partitionedBy(F.years("day"), col("k"))
    .createOrReplace(),
    "write_v2_clusters": lambda spark: t(spark).writeTo("db.out").using("delta").clusterBy("a", "b").create(),
    "write_v2_overwrite_partitions": lambda spark: t(spark).writeTo("db.out").overwritePartitions(),
    "write_stream_start": lambda spark: t(spark)
    .writeStream.format("kafka")
    .options(topic="a")
    .outputMode("update")
    .trigger(once=True)
    .start(),
    "write_stream_clusters": lambda spark: t(spark)
    .writeStream.format("delta")
    .outputMode("complete")
    .clusterBy("a")
    .trigger(continuous="1000 milliseconds")
    .toTable("db.out"),
    "merge_all": lambda spark: t(spark)
    .mergeInto("db.target", F.expr("target.id = t.id"))
    .whenMatched()
    .updateAll()
    .whenNotMatched()
    .insertAll()
    .whenNotMatchedBySource(col("target.id") > 5)
    .update({"name": lit("gone")})
    .merge(),
}

ACTIONS = {
    # Questions
    "columns": lambda spark: t(spark).columns,
    "dtypes": lambda spark: t(spark).dtypes,
    "print_schema": lambda spark: t(spark).printSchema(),
    "frame_is_cached": lambda spark: t(spark).is_cached,
    "unpersist_blocking": lambda spark: t(spark).unpersist(True),
    # Rows
    "first": lambda spark: t(spark).first(),
    "take": lambda spark: t(spark).take(2),
    "is_empty": lambda spark: t(spark).isEmpty(),
    "show_whole": lambda spark: t(spark).show(3, False),
    "show_vertical": lambda spark: t(spark).show(3, 7, True),
    "stat_approx_quantile": lambda spark: t(spark).stat.approxQuantile("a", [0.5], 0.0),
    "stat_corr": lambda spark: t(spark).stat.corr("a", "c"),
    "stat_cov": lambda spark: t(spark).stat.cov("a", "c"),
    # Commands
    "local_checkpoint_lazily": lambda spark: t(spark).localCheckpoint(False, StorageLevel.DISK_ONLY),
    "checkpoint_lazily": lambda spark: t(spark).checkpoint(False),
    # Streaming queries
    "query_status": query(lambda q: q.status),
    "query_is_active": query(lambda q: q.isActive),
    "query_last_progress": query(lambda q: q.lastProgress),
    "query_recent_progress": query(lambda q: q.recentProgress),
    "query_await": query(lambda q: q.awaitTermination()),
    "query_await_limited": query(lambda q: q.awaitTermination(2)),
    "query_process_all": query(lambda q: q.processAllAvailable()),
    "query_exception": query(lambda q: q.exception()),
    "query_explain": query(lambda q: q.explain()),
    "query_explain_extended": query(lambda q: q.explain(True)),
    "query_stop": query(lambda q: q.stop()),
    "streams_await_without_end": lambda spark: spark.streams.awaitAnyTermination(),
}
