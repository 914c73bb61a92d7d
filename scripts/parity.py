#!/usr/bin/env python3
"""Write `docs/parity.md`: every public member and function of PySpark Connect and of delta-spark's tables, and what
spark_client calls it.

PySpark and delta-spark say what there is; the source of spark_client says what it has. A member is there when a public
function of its snake_case name, or of the name that `NAMES` gives, is in the files of its class.

    parity.py            write docs/parity.md
    parity.py --check    exit 1 when what is committed differs
"""

import argparse
import importlib.metadata
import pathlib
import re
import sys

import pyspark
import pyspark.sql.functions as functions
from delta.connect.tables import DeltaMergeBuilder, DeltaOptimizeBuilder, DeltaTable, DeltaTableBuilder
from delta.tables import IdentityGenerator
from pyspark.sql.connect.catalog import Catalog
from pyspark.sql.connect.column import Column
from pyspark.sql.connect.conf import RuntimeConf
from pyspark.sql.connect.dataframe import DataFrame, DataFrameNaFunctions, DataFrameStatFunctions
from pyspark.sql.connect.group import GroupedData
from pyspark.sql.connect.merge import MergeIntoWriter
from pyspark.sql.connect.observation import Observation
from pyspark.sql.connect.readwriter import DataFrameReader, DataFrameWriter, DataFrameWriterV2
from pyspark.sql.connect.session import SparkSession
from pyspark.sql.connect.streaming.query import StreamingQuery, StreamingQueryManager
from pyspark.sql.connect.streaming.readwriter import DataStreamReader, DataStreamWriter
from pyspark.sql.connect.tvf import TableValuedFunction
from pyspark.sql.connect.window import Window, WindowSpec

import golden_functions

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = ROOT / "spark_client" / "src"
LEDGER = ROOT / "docs" / "parity.md"

CLASSES = [
    (SparkSession, "session"),
    (SparkSession.Builder, "session/builder.rs"),
    (RuntimeConf, "session/conf.rs"),
    (Catalog, "session/catalog"),
    (DataFrame, "dataframe column/subqueries.rs"),
    (DataFrameNaFunctions, "dataframe"),
    (DataFrameStatFunctions, "dataframe"),
    (GroupedData, "dataframe/grouping.rs"),
    (Column, "column"),
    (Window, "column/window.rs"),
    (WindowSpec, "column/window.rs"),
    (TableValuedFunction, "tvf.rs"),
    (MergeIntoWriter, "merge.rs"),
    (Observation, "dataframe/observation.rs"),
    (DataFrameReader, "reader.rs"),
    (DataFrameWriter, "writer.rs"),
    (DataFrameWriterV2, "writer_v2.rs"),
    (DataStreamReader, "streaming/reader.rs"),
    (DataStreamWriter, "streaming/writer.rs"),
    (StreamingQuery, "streaming/query.rs"),
    (StreamingQueryManager, "streaming/manager.rs streaming/events.rs"),
    (DeltaTable, "delta"),
    (DeltaMergeBuilder, "delta/merge.rs"),
    (DeltaTableBuilder, "delta/builder.rs"),
    (DeltaOptimizeBuilder, "delta/optimize.rs"),
    (IdentityGenerator, "delta/column.rs"),
]

# Where Rust's name is not the snake_case one: keywords, aliases, and arguments that are a type here.
NAMES = {
    "DataFrame.dropna": "drop_na",
    "DataFrame.executionInfo": "execution_info",
    "DataFrame.toJSON": "to_json",
    "DataFrame.fillna": "fill_na",
    "DataFrame.groupby": "group_by",
    "DataFrame.where": "where_",
    "DataFrame.subtract": "except",
    "DataFrame.exceptAll": "except_all",
    "DataFrame.unionAll": "union",
    "DataFrame.melt": "unpivot",
    "DataFrame.toDF": "to_df",
    "DataFrame.toArrow": "collect",
    "DataFrame.toLocalIterator": "stream",
    "DataFrame.printSchema": "schema",
    "DataFrame.dtypes": "schema",
    "DataFrame.sparkSession": "session",
    "DataFrameNaFunctions.drop": "drop_na",
    "DataFrameNaFunctions.fill": "fill_na",
    "Column.astype": "cast",
    "Column.name": "alias",
    "Column.bitwiseAND": "bitwise_and",
    "Column.bitwiseOR": "bitwise_or",
    "Column.bitwiseXOR": "bitwise_xor",
    "Column.startswith": "starts_with",
    "Column.endswith": "ends_with",
    "Column.isNaN": "is_nan",
    "Column.dropFields": "drop_field",
    "SparkSession.createDataFrame": "create_data_frame",
    "SparkSession.getTags": "tags",
    "StreamingQueryManager.addListener": "events",
    "Builder.create": "connect",
    "Builder.channelBuilder": "channel",
    "Builder.getOrCreate": "connect",
    "DataStreamWriter.toTable": "to_table",
    "Window.orderBy": "ordered_by",
    "functions.struct": "struct_",
    "functions.typeof": "typeof_",
    "StreamingQueryManager.awaitAnyTermination": "await_any_termination",
    "DeltaTable.clone": "clone_table",
    "DeltaTable.toDF": "to_df",
    "DeltaOptimizeBuilder.where": "where_",
    "DeltaOptimizeBuilder.executeZOrderBy": "execute_z_order_by",
    "Window.unboundedPreceding": "unbounded",
    "Window.unboundedFollowing": "unbounded",
}

CLOSURE = "runs a Python or JVM closure on the server"
NO_PANDAS = "pandas"
PYTHON = "belongs to the Python process"
OUT_OF_SCOPE = {
    **{f"functions.{name}": CLOSURE for name in golden_functions.OUT_OF_SCOPE},
    **{f"SparkSession.{name}": CLOSURE for name in ("udf", "udtf", "dataSource")},
    **{f"SparkSession.{name}": PYTHON for name in ("Builder", "Hook", "active", "getActiveSession", "client", "profile")},
    **{f"Builder.{name}": PYTHON for name in ("appName", "enableHiveSupport", "master")},
    **{f"DataFrame.{name}": CLOSURE for name in ("foreach", "foreachPartition", "mapInArrow", "mapInPandas")},
    **{f"DataFrame.{name}": NO_PANDAS for name in ("pandas_api", "plot", "toPandas")},
    "DataFrame.na": "its methods are DataFrame's own",
    "DataFrame.stat": "its methods are DataFrame's own",
    "StreamingQueryManager.close": "PySpark's inside",
    "DataFrame.registerTempTable": "deprecated; `create_or_replace_temp_view`",
    **{
        f"GroupedData.{name}": CLOSURE
        for name in (
            "apply applyInArrow applyInPandas applyInPandasWithState cogroup transformWithState "
            "transformWithStateInPandas"
        ).split()
    },
    "Column.to_plan": "PySpark's inside",
    "Catalog.createExternalTable": "deprecated; `create_table`",
    "DataFrame.asTable": "an argument of table functions written in Python",
    "StreamingQueryManager.removeListener": "dropping the stream of `events` removes it",
    "Catalog.registerFunction": CLOSURE,
    "DataStreamWriter.foreach": CLOSURE,
    "DataStreamWriter.foreachBatch": CLOSURE,
    **{f"MergeIntoWriter.{name}": "a class, here a type of the crate" for name in ("WhenMatched", "WhenNotMatched", "WhenNotMatchedBySource")},
}


def snake(name):
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match[1].lower(), name)


def sources(place):
    paths = [SOURCE / part for part in place.split()]
    files = [file for path in paths for file in (sorted(path.glob("**/*.rs")) if path.is_dir() else [path])]
    return "\n".join(file.read_text() for file in files)


def names_in(text):
    """Public functions, fields, constants and variants, and what the tables of macros define."""
    found = set(re.findall(r"pub (?:async )?fn (\w+)", text))
    found |= set(re.findall(r"^    pub (\w+): ", text, re.M))
    found |= {snake(name).lower() for name in re.findall(r"^    (\w+),$", text, re.M)}
    found |= set(re.findall(r'^    "[^"]+" (\w+)\(', text, re.M))
    return found | set(re.findall(r'^    (\w+) = "', text, re.M))


def functions_in(text):
    rows = re.findall(r'^    (\w+)(?: (?:as|distinct) "[^"]+")?\(', text, re.M)
    formats = [name for row in re.findall(r'^    "\w+" (\w+ \w+ \w+);', text, re.M) for name in row.split()]
    return set(rows) | set(formats) | set(re.findall(r"pub (?:async )?fn (\w+)", text))


def entries():
    """(class, member, name in Rust, state)."""
    for subject, place in CLASSES:
        have = names_in(sources(place))
        for member in (name for name in dir(subject) if not name.startswith("_")):
            yield subject.__name__, member, *state(subject.__name__, member, have)
    have = functions_in(sources("functions"))
    for name in sorted(name for name in functions.__all__ if name[0].islower()):
        yield "functions", name, *state("functions", name, have)


def state(owner, member, have):
    key = f"{owner}.{member}"
    rust = NAMES.get(key, snake(member))
    if key in OUT_OF_SCOPE:
        return "", f"out of scope: {OUT_OF_SCOPE[key]}"
    return (f"`{rust}`", "have") if rust in have else ("", "planned")


def ledger():
    lines = [
        "# Parity with PySpark",
        "",
        f"Public members and functions of PySpark Connect {pyspark.__version__}, the tables of delta-spark "
        f"{importlib.metadata.version('delta-spark')}, and what `spark_client` calls them.",
        "`scripts/parity.py` writes this file; a test compares it.",
        "",
    ]
    by_owner = {}
    for owner, member, rust, standing in entries():
        by_owner.setdefault(owner, []).append((member, rust, standing))
    lines += ["| | have | planned | out of scope |", "|---|---:|---:|---:|"]
    for owner, rows in by_owner.items():
        counts = [sum(row[2].startswith(word) for row in rows) for word in ("have", "planned", "out of scope")]
        lines.append(f"| {owner} | {counts[0]} | {counts[1]} | {counts[2]} |")
    for owner, rows in by_owner.items():
        lines += ["", f"## {owner}", "", "| PySpark | spark_client | |", "|---|---|---|"]
        lines += [f"| `{member}` | {rust} | {standing} |" for member, rust, standing in rows]
    return "\n".join(lines) + "\n"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", action="store_true", help="compare instead of writing")
    text = ledger()
    if not arguments.parse_args().check:
        LEDGER.write_text(text)
    elif not LEDGER.exists() or LEDGER.read_text() != text:
        sys.exit("parity.py: docs/parity.md is not what PySpark and the source say; write it anew")


if __name__ == "__main__":
    main()
