"""One measurement of PySpark's own client: first|collect|select|plans|upload|stream GIB."""

import json
import os
import sys
import time

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

COLLECTED, PARTITIONS, UPLOADED = 4_000_000, 8, 1_000_000
COLUMNS = ["id", "id * 0.5D AS amount", "concat('customer', id) AS name"]
PLANS, PLAN_COLUMNS = 200, 100
WARM_UP, QUERIES = 30, 300


def report(seconds, **more):
    with open("/proc/self/status") as status:
        peak = next(line for line in status if line.startswith("VmHWM:"))
    print(json.dumps({"ms": seconds * 1000, "rss_mib": int(peak.split()[1]) / 1024, **more}))


def batches(frame):
    """Arrow tables as they arrive; PySpark's public methods give either all of them or rows."""
    client = frame.sparkSession.client
    tables = client.to_table_as_iterator(frame._plan.to_proto(client), {})
    return (table for table in tables if isinstance(table, pa.Table))


def collected(spark):
    return spark.range(0, COLLECTED, 1, PARTITIONS).selectExpr(*COLUMNS)


def first(spark):
    started = time.perf_counter()
    next(batches(collected(spark)))
    report(time.perf_counter() - started)


def collect(spark):
    started = time.perf_counter()
    table = collected(spark).toArrow()
    elapsed = time.perf_counter() - started
    assert table.num_rows == COLLECTED
    report(elapsed)


def select(spark):
    latencies = []
    for _ in range(WARM_UP + QUERIES):
        started = time.perf_counter()
        rows = spark.sql("select 1").collect()
        latencies.append(time.perf_counter() - started)
        assert len(rows) == 1
    latencies = sorted(latencies[WARM_UP:])
    report(latencies[round((QUERIES - 1) * 0.5)], p99_ms=latencies[round((QUERIES - 1) * 0.99)] * 1000)


def plans(spark):
    started = time.perf_counter()
    for plan in range(PLANS):
        columns = [
            (F.col("id") + F.lit(plan * PLAN_COLUMNS + n)).cast("string").alias(f"c{n}")
            for n in range(PLAN_COLUMNS)
        ]
        assert len(spark.range(1).select(*columns).schema) == PLAN_COLUMNS
    report(time.perf_counter() - started)


def upload(spark):
    rows = pa.table(
        {
            "id": pa.array(range(UPLOADED), pa.int64()),
            "amount": pa.array((id * 0.5 for id in range(UPLOADED)), pa.float64()),
            "name": pa.array((f"customer{id}" for id in range(UPLOADED)), pa.string()),
        }
    )
    started = time.perf_counter()
    counted = spark.createDataFrame(rows).count()
    elapsed = time.perf_counter() - started
    assert counted == UPLOADED
    report(elapsed)


def stream(spark, gib):
    rows = int(gib) << 20
    started = time.perf_counter()
    wide = spark.range(0, rows, 1, int(gib) * 32).select("id", F.expr("lpad(id, 1012, 'x')").alias("text"))
    found = sum(table.num_rows for table in batches(wide))
    elapsed = time.perf_counter() - started
    assert found == rows
    report(elapsed)


def main(name, *arguments):
    spark = SparkSession.builder.remote(os.environ["SPARK_REMOTE"]).getOrCreate()
    spark.range(1).collect()
    {f.__name__: f for f in (first, collect, select, plans, upload, stream)}[name](spark, *arguments)
    spark.stop()


main(*sys.argv[1:])
