"""Runs the clients in turn against the server of SPARK_REMOTE and prints medians and ratios.

    compare.py OURS PEER [--rounds N] [--stream GIB] [--stream-peers GIB] [--only MEASURE ...]

Each measurement is a process of its own; the order of the clients turns with each round, so that a machine that
slows down meets all of them.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

MEASURES = {
    "first": "4,000,000 rows, first batch",
    "collect": "4,000,000 rows, 139 MB, all",
    "select": "select 1",
    "plans": "200 plans of 100 columns",
    "upload": "upload of 1,000,000 rows",
}
CLIENTS = ("spark_client", "PySpark", "apache-spark-connect")


def commands(ours, peer):
    pyspark = [sys.executable, str(Path(__file__).with_name("pyspark_client.py"))]
    return dict(zip(CLIENTS, ([ours], pyspark, [peer])))


def measure(command, *arguments):
    done = subprocess.run([*command, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        return None, (done.stderr.strip().splitlines() or ["no message"])[-1][:300]
    return json.loads(done.stdout.splitlines()[-1]), None


def rounds(clients, arguments, count):
    """Results by client, and what failed."""
    found, failed = {name: [] for name in clients}, {}
    for number in range(count):
        order = list(clients) if number % 2 == 0 else list(reversed(clients))
        for name in order:
            if name in failed:
                continue
            result, error = measure(clients[name], *arguments)
            if error:
                failed[name] = error
            else:
                found[name].append(result)
    return found, failed


def row(title, results, failed, field="ms"):
    """Medians in the unit of the field, and how many times ours the others' are."""
    medians = {
        name: statistics.median(result[field] for result in all_) if all_ else None
        for name, all_ in results.items()
    }
    ours = medians[CLIENTS[0]]
    cells = []
    for name in CLIENTS:
        value = medians.get(name)
        if value is None:
            cells.append(f"{'failed' if name in failed else '-':>22}")
            continue
        ratio = f" ({ours / value:4.2f}x)" if name != CLIENTS[0] and ours else ""
        cells.append(f"{value:,.1f}{ratio}".rjust(22))
    print(f"{title:42}" + "".join(cells), flush=True)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("ours")
    arguments.add_argument("peer")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--stream", type=int, default=10, help="GiB that spark_client streams")
    arguments.add_argument("--stream-peers", type=int, default=0, help="GiB that the others stream")
    arguments.add_argument("--only", nargs="*", default=[*MEASURES, "stream"])
    given = arguments.parse_args()
    clients = commands(given.ours, given.peer)

    print(f"{os.cpu_count()} cores; medians of {given.rounds} processes each, in turn; in brackets ours to theirs")
    print(f"{'':42}" + "".join(name.rjust(22) for name in CLIENTS))
    for name in MEASURES:
        # What the server compiles and caches in its first runs counts for none.
        for _ in range(2 if name in given.only else 0):
            rounds(clients, [name], 1)
        if name not in given.only:
            continue
        results, failed = rounds(clients, [name], given.rounds)
        row(f"{MEASURES[name]}, ms", results, failed)
        if name == "select":
            row(f"{MEASURES[name]}, 99th percentile, ms", results, failed, "p99_ms")
        row(f"{MEASURES[name]}, peak RSS, MiB", results, failed, "rss_mib")
        for client, error in failed.items():
            print(f"    {client}: {error}")
    if "stream" in given.only:
        stream(clients, given)


def stream(clients, given):
    for name, gib in zip(CLIENTS, (given.stream, given.stream_peers, given.stream_peers)):
        if gib == 0:
            continue
        result, error = measure(clients[name], "stream", str(gib))
        if error:
            print(f"stream of {gib} GiB, {name}: {error}")
        else:
            print(f"stream of {gib} GiB, {name}: {result['ms'] / 1000:.0f} s, peak RSS {result['rss_mib']:.0f} MiB")


main()
