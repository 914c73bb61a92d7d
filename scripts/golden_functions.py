"""What PySpark sends for each function at each number of arguments, called with the samples of
`spark_client/src/functions/table/samples.rs`.

A case is named `function/arguments`. PySpark's signatures say which functions there are, what is optional and, by
its annotation, what kind of argument is wanted: nothing here names a function unless it needs an exception.
"""

import inspect
import warnings

import pyspark.sql.functions as catalogue
from pyspark.sql.connect import functions as F

# Written by hand in Rust, with cases of their own in golden_members_cases.py: they take functions, options, schemas,
# tables or many names, or are no functions on columns.
BY_HAND = set(
    """
    broadcast call_function call_udf col column count_distinct expr json_tuple lit when window
    asc asc_nulls_first asc_nulls_last desc desc_nulls_first desc_nulls_last
    aggregate array_sort exists filter forall map_filter map_zip_with reduce transform transform_keys
    transform_values zip_with
    from_csv from_json from_xml schema_of_csv schema_of_json schema_of_xml to_csv to_json to_xml
    """.split()
)
# Closures of Python, which no other client can send.
OUT_OF_SCOPE = {"arrow_udf", "arrow_udtf", "pandas_udf", "udf", "udtf"}
# Functions that PySpark leaves out of `__all__` because their names hide Python's.
HIDDEN = ["chr", "random", "uuid"]
# Without a seed each call sends another one.
RANDOM = {"rand", "randn", "random", "randstr", "shuffle", "uniform", "uuid", "count_min_sketch"}
# Where one function of PySpark is several in Rust: the arguments of each.
SEVERAL = {
    "log": {"log": ["c0"], "log_base": [0.25, "c1"]},
    "unix_timestamp": {"unix_timestamp": [], "unix_timestamp_of": ["c0"], "unix_timestamp_of+": ["c0", "s1"]},
    "convert_timezone": {
        "convert_timezone": [None, F.lit("s0"), "c1"],
        "convert_timezone_from": [F.lit("s0"), F.lit("s1"), "c2"],
    },
}
FIELDS = ["years", "months", "days", "hours", "mins", "secs"]
MOMENTS = ["make_timestamp", "make_timestamp_ntz", "try_make_timestamp", "try_make_timestamp_ntz"]


def sample(parameter, position):
    """An argument for a parameter, by its annotation."""
    wanted = str(parameter.annotation)
    if "float]" in wanted and "Sequence" in wanted:
        return 0.25
    if "ColumnOrName" in wanted:
        return 3 if "int" in wanted.replace("Union", "") or "float" in wanted else f"c{position}"
    for name, value in (("bool", True), ("int'", 256), ("int,", 256), ("int]", 256), ("float", 0.25)):
        if name in wanted:
            return value
    if "Any" in wanted:
        return 9
    return f"s{position}" if "str" in wanted else F.lit(f"s{position}")


def calls(name):
    """The calls of one function: case and arguments, positional and by name."""
    if name in SEVERAL:
        for case, arguments in SEVERAL[name].items():
            yield case.rstrip("+"), [argument for argument in arguments], {}
        return
    if name in MOMENTS:
        zones = [] if name.endswith("ntz") else ["timezone"]
        for case, fields in ((name, FIELDS), (name + "_of", ["date", "time"])):
            for given in [fields] + ([fields + zones] if zones else []):
                yield case, [], {field: f"c{position}" for position, field in enumerate(given)}
        return
    parameters = list(inspect.signature(getattr(F, name)).parameters.values())
    several = [p for p in parameters if p.kind == p.VAR_POSITIONAL]
    plain = [p for p in parameters if p.kind != p.VAR_POSITIONAL]
    required = sum(p.default is p.empty for p in plain)
    samples = [sample(p, position) for position, p in enumerate(plain)]
    if name == "histogram_numeric":
        samples[1] = F.lit(256)
    if name == "st_asbinary":
        samples[1] = "s1"  # a text, in spite of its annotation
    for given in range(required, len(plain) + 1):
        yield name, samples[:given] + (["x1", "x2"] if several else []), {}


def size(name, positional, named):
    """The number of arguments as Rust counts them: any number of columns is one, a zone left away none."""
    several = any(argument == "x1" for argument in positional if isinstance(argument, str))
    return sum(argument is not None for argument in positional) + len(named) - several


def generated():
    """The functions whose cases come from PySpark's signatures."""
    return [n for n in catalogue.__all__ if n[0].islower() and n not in BY_HAND | OUT_OF_SCOPE] + HIDDEN


def cases():
    """(case, call) for each function at each number of arguments."""
    warnings.simplefilter("ignore", FutureWarning)
    for name in generated():
        for case, positional, named in calls(name):
            if name in RANDOM and len(positional) < len(inspect.signature(getattr(F, name)).parameters):
                continue
            yield f"{case}/{size(name, positional, named)}", getattr(F, name)(*positional, **named)
