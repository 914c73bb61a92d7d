#!/usr/bin/env python3
"""Make the golden plans of spark_client: what PySpark sends for each case of `golden_plans_cases.py`, for each
function of `golden_functions.py`, and what delta-spark sends for each case of `golden_delta_cases.py`.

No server is needed: the session points at a closed port, and plans are taken before they are sent.
Ids that only have to be distinct (plans, lambda variables) are numbered in the order of appearance,
as the test in `spark_client/src/golden` does on its side.

    golden_plans.py            write spark_client/tests/golden/*.json
    golden_plans.py --check    exit 1 when what is committed differs
"""

import argparse
import json
import pathlib
import re
import sys
import types

import pyspark
from google.protobuf import json_format
from pyspark.sql.connect.proto import base_pb2 as base
from pyspark.sql.connect.session import SparkSession

import golden_actions_cases
import golden_delta_cases
import golden_coverage
import golden_functions
import golden_members_cases
import golden_plans_cases

PYSPARK = "4.2.0"
FOLDER = pathlib.Path(__file__).resolve().parent.parent / "spark_client" / "tests" / "golden"
LAMBDA_VARIABLE = re.compile(r"^[a-z]+_\d+$")


class Captured(Exception):
    """Carries a command, or a relation whose rows were asked for, out of PySpark, in place of sending it."""


def offline_session():
    # The discard port of this machine: nothing listens, and nothing is ever sent.
    spark = SparkSession("sc://localhost:9/;user_id=golden")

    def capture(command, *_):
        raise Captured(command)

    # Before PySpark asks the server whether it takes compressed plans.
    def capture_relation(_, relation):
        raise Captured(relation)

    spark.client.execute_command = capture
    spark.client._set_relation_in_plan = capture_relation
    return spark


def capture_requests(spark):
    """From here on, every request is carried out of PySpark."""

    def capture(request, *_, **__):
        raise Captured(request)

    client = spark.client
    del client.execute_command, client._set_relation_in_plan
    client._execute = client._execute_and_fetch_as_iterator = capture
    client._stub = types.SimpleNamespace(AnalyzePlan=capture)


def request_of(spark, case):
    """The plan, or the question, that a call sends."""
    try:
        case(spark)
    except Captured as captured:
        request = captured.args[0]
    if isinstance(request, base.AnalyzePlanRequest):
        kind = request.WhichOneof("analyze")
        question = base.AnalyzePlanRequest()
        getattr(question, kind).CopyFrom(getattr(request, kind))
        return question
    return request.plan


def message_of(spark, case):
    try:
        frame = case(spark)
    except Captured as captured:
        return captured.args[0]
    return frame._plan.plan(spark.client)


class Numbering:
    """Numbers ids in the order in which they are met; keys are walked in sorted order."""

    def __init__(self):
        self.plans = {}
        self.variables = {}

    def normal(self, value, key=None):
        if isinstance(value, dict):
            return {k: self.normal(value[k], k) for k in sorted(value) if k != "origin"}
        if isinstance(value, list):
            return [self.normal(item, key) for item in value]
        if key == "plan_id":
            return self.plans.setdefault(value, len(self.plans))
        if key == "name_parts" and LAMBDA_VARIABLE.match(value):
            return "variable_%d" % self.variables.setdefault(value, len(self.variables))
        return value


def without_empty_common(value):
    """PySpark notes where in Python an expression was written; without that nothing is left of `common`."""
    if isinstance(value, dict):
        return {k: without_empty_common(v) for k, v in value.items() if not (k == "common" and v == {})}
    if isinstance(value, list):
        return [without_empty_common(item) for item in value]
    return value


def golden(message):
    plain = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return without_empty_common(Numbering().normal(plain))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", action="store_true", help="compare instead of writing")
    check = arguments.parse_args().check
    if pyspark.__version__ != PYSPARK:
        sys.exit(f"golden_plans.py: PySpark {PYSPARK} is pinned, {pyspark.__version__} is installed")
    recorder = golden_coverage.Recorder()
    recorder.attach()
    spark = offline_session()

    def text_of(messages):
        return json.dumps({name: golden(message) for name, message in messages}, indent=1, sort_keys=True) + "\n"

    def plans(cases):
        return text_of((name, message_of(spark, case)) for name, case in cases.items())

    plan_texts = {
        "plans.json": plans(golden_plans_cases.CASES | golden_plans_cases.COMMANDS),
        "members.json": plans(golden_members_cases.PLANS | golden_members_cases.COMMANDS),
        "by_hand.json": plans(golden_members_cases.BY_HAND),
        "delta.json": plans(golden_delta_cases.CASES),
    }
    actions = golden_actions_cases.CASES | golden_members_cases.ACTIONS
    functions = {name: golden(made._expr.to_plan(spark.client)) for name, made in golden_functions.cases()}
    capture_requests(spark)
    # One case a line.
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(functions[name])}" for name in sorted(functions))
    texts = {
        **plan_texts,
        "actions.json": text_of((name, request_of(spark, case)) for name, case in actions.items()),
        "functions.json": f"{{\n{lines}\n}}\n",
    }
    missing, needless = recorder.missing()
    if missing or needless:
        sys.exit(f"golden_plans.py: members without a case: {missing}; listed as such, but not: {needless}")
    count = sum(len(json.loads(text)) for text in texts.values())
    print(f"golden plans: {count} cases; a case for every member and function that spark_client has")
    for name, text in texts.items():
        file = FOLDER / name
        if not check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        elif not file.exists() or file.read_text() != text:
            sys.exit(f"golden_plans.py: {name} differs from what PySpark {PYSPARK} and delta-spark send")


if __name__ == "__main__":
    main()
