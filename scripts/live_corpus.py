#!/usr/bin/env python3
"""Run the golden cases by PySpark on a real server, for `golden::corpus` in spark_client to do the same and compare.

Plans read the views `t` and `u`; a function reads the first of the views below on which it works, since its samples
say nothing about types. What works on none must fail in the same way in both clients.

    live_corpus.py --remote sc://host:port FOLDER           views as `corpus_views.json` says, `text` where it says none
    live_corpus.py --remote sc://host:port FOLDER --find    tries them all, and writes `corpus_views.json`

FOLDER gets `cases.json`: for each case the view, and the file of its rows (an Arrow stream) or the error class.
"""

import argparse
import json
import logging
import pathlib

import pyarrow
from pyspark.errors import PySparkException
from pyspark.sql.connect.proto import base_pb2 as base
from pyspark.sql.connect.session import SparkSession

import golden_functions
import golden_members_cases
import golden_plans_cases

VIEWS = pathlib.Path(__file__).with_name("corpus_views.json")
COLUMNS = [f"c{i}" for i in range(10)] + ["x1", "x2"]
# Two rows of each type: Spark's SQL for the values.
TYPES = {
    "text": ["'7'", "'2026-11-24 01:02:03'"],
    "number": ["7", "2"],
    "float": ["0.5D", "-0.25D"],
    "flag": ["true", "false"],
    "date": ["DATE'2026-11-24'", "DATE'1969-02-28'"],
    "timestamp": ["TIMESTAMP'2026-11-24 01:02:03.5'", "TIMESTAMP'1969-02-28 00:00:00'"],
    "bytes": ["X'01ff'", "X''"],
    "numbers": ["array(3, 1, 2)", "array(CAST(NULL AS INT))"],
    "texts": ["array('b', 'a')", "array('c')"],
    "lists": ["array(array(1), array(2, 3))", "array(array(4))"],
    "map": ["map('a', 1, 'b', 2)", "map('c', 3)"],
    "json": ["'{\"a\": [1, 2], \"s0\": 1}'", "'{\"b\": null}'"],
    "variant": ["parse_json('{\"a\": 1}')", "parse_json('[1]')"],
    "struct": ["named_struct('a', 1, 's0', 2)", "named_struct('a', 3, 's0', 4)"],
    "entries": ["array(struct('a', 1))", "array(struct('b', 2))"],
    "json_path": ["'$.a'", "'$[0]'"],
    "interval": ["INTERVAL '3' DAY", "INTERVAL '-1' DAY"],
    "time": ["TIME'01:02:03'", "TIME'23:59:59.5'"],
    "theta": ["theta_sketch_agg(1)", None],
    "hll": ["hll_sketch_agg(1)", None],
    "kll": ["kll_sketch_agg_bigint(1)", None],
    "geometry": ["st_geomfromwkb(X'0101000000000000000000F03F0000000000000040')", None],
}
# What an answer depends on besides the rows: the time, chance, the session, the order of tasks.
UNSTEADY = set(
    """
    curdate current_date current_time current_timestamp localtimestamp now unix_timestamp input_file_name
    monotonically_increasing_id rand randn random randstr shuffle spark_partition_id uniform uuid version user
    current_user session_user input_file_block_start input_file_block_length aes_encrypt function_times
    """.split()
)
# Commands that write tables: what is there before, and the rows to be compared after. The others write to paths, other
# servers and streams.
NEW_TABLES = "write_table write_buckets write_clusters write_v2_create write_v2_clusters write_v2_create_or_replace"
CHANGED_TABLES = """
    write_insert write_insert_over write_v2_overwrite write_v2_append write_v2_replace write_v2_overwrite_partitions
"""
MERGES = "merge merge_all"
FRESH = ["CREATE DATABASE IF NOT EXISTS db", "DROP TABLE IF EXISTS db.out", "DROP TABLE IF EXISTS db.target"]
OUT = "CREATE TABLE db.out USING delta PARTITIONED BY (k) AS SELECT * FROM t"
TARGET = "CREATE TABLE db.target USING delta AS SELECT * FROM VALUES (1L, 'old'), (9L, 'other') AS v(id, name)"
BEFORE = (
    {name: FRESH for name in NEW_TABLES.split()}
    | {name: [*FRESH, OUT] for name in CHANGED_TABLES.split()}
    | {name: [*FRESH, TARGET] for name in MERGES.split()}
)
TABLES = """
    SELECT * FROM VALUES (1, 5, 2, 3, 'x', 2025, 'one', DATE'2026-11-01', 0, 9, 1),
                         (2, 6, 4, 1, 'y', 2026, 'two', DATE'2026-11-02', 1, 8, 2)
    AS v(id, a, b, c, k, year, name, day, part, lsn, ordinal)
"""


def view(kind):
    first, second = TYPES[kind]
    if second is None:
        return "SELECT " + ", ".join(f"{first} AS {name}" for name in COLUMNS)
    # Inline tables are computed by the server itself, without a job: most of what fails does so at once.
    rows = ", ".join("(" + ", ".join([row] * len(COLUMNS)) + ")" for row in (first, second))
    return f"SELECT * FROM VALUES {rows} AS v({', '.join(COLUMNS)})"


def rows_of(spark, frame):
    """The rows as the server sends them, without PySpark's own conversions."""
    plan = base.Plan()
    plan.root.CopyFrom(frame._plan.plan(spark.client))
    return spark.client.to_table(plan, {})[0]


def written(spark, name, case):
    """The rows of the table that a command has written."""
    for statement in BEFORE[name]:
        spark.sql(statement)
    case(spark)
    return rows_of(spark, spark.sql(after(name)))


def after(name):
    return f"SELECT * FROM db.{'target' if name in MERGES.split() else 'out'} ORDER BY ALL"


def attempt(make):
    """(rows, none) or (none, error class, empty for an error without one)."""
    try:
        return make(), None
    except PySparkException as error:
        return None, error.getCondition() or ""


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--remote", required=True)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--find", action="store_true", help="find the view of each function anew")
    options = arguments.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    # PySpark logs each failure, and failures are looked for here.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    spark = SparkSession(options.remote)
    cases = {}

    def keep(name, source, found, error, **more):
        file = f"{len(cases)}.arrow"
        if found is not None:
            with pyarrow.ipc.new_stream(options.folder / file, found.schema) as writer:
                writer.write_table(found)
        unsteady = name.split(" ")[1].split("/")[0] in UNSTEADY
        rows = file if found is not None else None
        cases[name] = {"view": source, "rows": rows, "error": error, "unsteady": unsteady, **more}

    statements = {name: TABLES for name in ("t", "u")} | {kind: view(kind) for kind in TYPES}
    # One task, so that aggregates see the rows in one order.
    spark.conf.set("spark.sql.leafNodeDefaultParallelism", "1")
    for name, query in statements.items():
        spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW {name} AS {query}")
    plans = golden_plans_cases.CASES | golden_members_cases.PLANS | golden_members_cases.BY_HAND
    for name, case in plans.items():
        if not name.startswith(("read_", "sql")):
            keep(f"plan {name}", None, *attempt(lambda: rows_of(spark, case(spark))))
    known = {name: kind for kind, names in json.loads(VIEWS.read_text()).items() for name in names}
    fitting = {}
    for name, column in golden_functions.cases():
        for kind in TYPES if options.find else [known.get(name, "text")]:
            found, error = attempt(lambda: rows_of(spark, spark.table(kind).select(column)))
            if error is None:
                break
        if error is None and kind != "text":
            fitting.setdefault(kind, []).append(name)
        keep(f"function {name}", kind, found, error)
    if options.find:
        VIEWS.write_text(json.dumps(fitting, indent=0, sort_keys=True) + "\n")
    commands = golden_plans_cases.COMMANDS | golden_members_cases.COMMANDS
    for name, before in BEFORE.items():
        found, error = attempt(lambda: written(spark, name, commands[name]))
        keep(f"plan {name}", None, found, error, before=before, after=after(name))
    (options.folder / "cases.json").write_text(json.dumps({"views": statements, "cases": cases}, indent=1))
    works = sum(case["error"] is None for case in cases.values())
    print(f"PySpark: {works} of {len(cases)} cases work")
    spark.stop()


if __name__ == "__main__":
    main()
