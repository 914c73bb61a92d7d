"""Measures lakepulse-cdc beside the WAL sender's own speed and, where it is installed, Debezium.

    measure.py BINARY [--rounds N] [--rows N] [--only MEASURE ...] [--beside BINARY] [--peer] [--at-least-once]

Everything runs on the servers of one stack. The readers take turns on the same WAL, and their order turns with each
round, so that a machine that slows down meets all of them. One JSON line for each measurement; medians at the end.
"""

import argparse
import json
import os
import statistics
import time

import floor
import latency
import stage
from ours import Capture

MEASURES = ("stream", "single", "snapshot", "latency", "incremental")


class Results:
    def __init__(self):
        self.rows = {}

    def note(self, measure, reader, result):
        print(json.dumps({"measure": measure, "reader": reader, "load": os.getloadavg()[0], **result}), flush=True)
        self.rows.setdefault((measure, reader), []).append(result)

    def medians(self):
        print(f"\n{'measure':24} {'reader':13} {'rows/s':>9} {'in all':>9} {'rows/CPU-s':>11}")
        for (measure, reader), results in self.rows.items():
            def median(field):
                values = [result[field] for result in results if field in result]
                return round(statistics.median(values)) if values else ""
            if "to_append" in results[0]:
                def percentile(field, share):
                    return statistics.median(result[field][share] for result in results)
                print(f"{measure:24} {reader:13} to append p50 {percentile('to_append', 'p50_ms')} p99 "
                      f"{percentile('to_append', 'p99_ms')} ms; to consumer p50 {percentile('to_consumer', 'p50_ms')} p99 "
                      f"{percentile('to_consumer', 'p99_ms')} ms")
            else:
                print(f"{measure:24} {reader:13} {median('rows_per_s'):>9} {median('rows_per_s_in_all'):>9} "
                      f"{median('rows_per_cpu_s'):>11}")


def in_turn(captures, number):
    """Names and captures, in the order of the round."""
    return list(captures.items()) if number % 2 == 0 else list(reversed(captures.items()))


def streams(results, captures, rows, rows_per_transaction, measure, rounds):
    for capture in captures.values():
        capture.prepare()
    first = 1
    for number in range(rounds):
        publication = captures["ours"].name
        floor.prepare()
        end = stage.load(first, rows, rows_per_transaction)
        first += rows
        readers = {"floor": lambda: floor.stream(publication, end, rows)}
        readers.update((name, lambda capture=capture: capture.stream(rows)) for name, capture in captures.items())
        order = list(readers) if number % 2 == 0 else list(reversed(readers))
        for name in order:
            results.note(measure, name, readers[name]())
        stage.drop_slot("bench_floor")


def snapshots(results, make, rows, rounds):
    stage.create_table()
    stage.load(1, rows, 10_000)
    stage.sql("vacuum analyze order_lines")
    for number in range(rounds):
        captures = make(f"snapshot{number}")
        for name, capture in in_turn(captures, number):
            results.note("snapshot", name, capture.snapshot(rows))
            capture.remove()


def latencies(results, captures, rounds, seconds):
    for number in range(rounds):
        for name, capture in in_turn(captures, number):
            if number == 0:
                capture.prepare()
                capture.topic.use_append_time()
            pid = capture.start()
            stage.wait_until("the slot is read", lambda: stage.value(
                f"select count(*) from pg_replication_slots where slot_name = '{capture.name}' and active"))
            # What the others' load left in the log.
            capture.topic.wait_until_still()
            for measure, transactions, rows in (("latency 1,000 tx/s", 1000, 1), ("latency 10,000 rows/s", 1000, 10)):
                results.note(measure, name, latency.measure(capture.topic, pid, transactions, rows, seconds))
            capture.stop()


def incrementals(results, captures, rows, rounds, seconds):
    """A snapshot while the stream goes on: of an idle table, and the latency of the stream beside one of the same table."""
    stage.load(1, rows, 10_000)
    for capture in captures.values():
        capture.prepare()
        capture.topic.use_append_time()
    for number in range(rounds):
        for name, capture in in_turn(captures, number):
            pid = capture.start()
            capture.wait_for("streaming")
            # What the others' load left in the log.
            capture.topic.wait_until_still()
            base, begun = capture.topic.end(), time.time()
            present = int(stage.value("select count(*) from order_lines"))
            capture.ask_for_snapshot()
            results.note("incremental snapshot", name, stage.watch(capture.topic, base, present, pid, begun))
            result = latency.measure(capture.topic, pid, 1000, 1, seconds, capture.ask_for_snapshot)
            results.note("latency beside it", name, result)
            capture.topic.wait_until_still()
            capture.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--single-rows", type=int, default=200_000)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--only", nargs="*", choices=MEASURES, default=MEASURES)
    parser.add_argument("--beside", metavar="BINARY", help="measure another build of lakepulse-cdc too")
    parser.add_argument("--peer", action="store_true", help="measure Debezium too")
    parser.add_argument("--at-least-once", action="store_true", help="measure ours without Kafka transactions too")
    parser.add_argument("--property", nargs="*", default=[], help="NAME=VALUE among kafka.properties")
    arguments = parser.parse_args()
    stage.create_database()
    stamp = f"b{int(time.time()) % 1_000_000}"
    properties = dict(pair.split("=", 1) for pair in arguments.property)
    results, made = Results(), []

    def ours(kind, more=""):
        captures = {"ours": Capture(arguments.binary, f"{stamp}_{kind}", properties, more)}
        if arguments.beside:
            captures["beside"] = Capture(arguments.beside, f"{stamp}_{kind}_beside", properties, more)
        made.extend(captures.values())
        return captures

    def make(kind, tuned_for="throughput"):
        captures = ours(kind)
        if arguments.at_least_once:
            captures["at-least-once"] = Capture(arguments.binary, f"{stamp}_{kind}_alo", properties, exactly_once=False)
            made.append(captures["at-least-once"])
        if arguments.peer:
            import debezium
            captures["debezium"] = debezium.Connector(f"{stamp}_{kind}_peer", tuned_for)
            made.append(captures["debezium"])
        return captures

    try:
        if "stream" in arguments.only:
            stage.create_table()
            streams(results, make("stream"), arguments.rows, 1000, "stream", arguments.rounds)
        if "single" in arguments.only:
            stage.create_table()
            streams(results, make("single"), arguments.single_rows, 1, "single-row transactions", arguments.rounds)
        if "snapshot" in arguments.only:
            snapshots(results, make, arguments.rows, arguments.rounds)
        if "latency" in arguments.only:
            stage.create_table()
            latencies(results, make("latency", "latency"), arguments.rounds, arguments.seconds)
        if "incremental" in arguments.only:
            stage.create_table()
            incrementals(results, ours("incremental", '[snapshot]\nmode = "never"'), arguments.rows, arguments.rounds, arguments.seconds)
    finally:
        for capture in made:
            capture.remove()
    results.medians()


main()
