"""Compares what lakepulse-cdc and Debezium write of the same changes, decoded by fastavro: every key, every value and
every schema.

    golden.py BINARY                 compare with Debezium's records that are kept in the repository
    golden.py BINARY --peer          compare with Debezium itself, reading the same write-ahead log
    golden.py BINARY --peer --write  and keep its records

What is not compared: `DIFFERENT` and, with the kept records, `BOUND_TO_A_RUN`.
"""

import argparse
import base64
import contextlib
import difflib
import gzip
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import stage

stage.DATABASE = "golden_cdc"

import debezium  # noqa: E402
import ours  # noqa: E402
from confluent_kafka import Consumer, KafkaError, TopicPartition  # noqa: E402
from stage import KAFKA, Envelopes, sql, value, wait_until  # noqa: E402
from variants import NO_MESSAGES, VARIANTS  # noqa: E402

HERE = Path(__file__).parent
KEPT = HERE / "debezium.json.gz"
#: Fields of the envelope that two captures never have in common: who wrote it, and when.
DIFFERENT = {"ts_ms", "ts_us", "ts_ns", "source.version", "source.name"}
#: Rows of a snapshot have no commit time, and are told apart as the first, the last and others by Debezium alone.
DIFFERENT_IN_SNAPSHOT = {"source.ts_ms", "source.ts_us", "source.ts_ns", "source.snapshot", "source.lsn", "source.sequence", "source.txId"}
#: Equal when both read the same log.
BOUND_TO_A_RUN = {"source.ts_ms", "source.ts_us", "source.ts_ns", "source.lsn", "source.sequence", "source.txId"}

os.environ["GOLDEN_SALT"] = "pepper"
# Offsets are written down once a minute by default, and the slot moves then.
debezium.Worker.more["offset.flush.interval.ms"] = "500"


def create_database():
    sql(f"drop database if exists {stage.DATABASE} with (force)", "postgres")
    sql(f"create database {stage.DATABASE} template template0 encoding 'UTF8' locale 'C.UTF-8'", "postgres")
    run_file("before.sql")


def run_file(name):
    subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", stage.DATABASE, "-f", HERE / name], check=True,
                   stdout=subprocess.DEVNULL)


class Peer(debezium.Connector):
    """Debezium, capturing all tables but these."""

    def __init__(self, name, settings, excluded):
        super().__init__(name, "latency")
        del self.settings["table.include.list"]
        if excluded:
            self.settings["table.exclude.list"] = ",".join(excluded)
        self.settings |= {"publication.autocreate.mode": "all_tables", "snapshot.mode": "initial",
                          "field.name.adjustment.mode": "avro", "schema.name.adjustment.mode": "avro", **settings}

    def begin(self):
        self.put("initial")

    def works(self):
        """Whether it still runs; fails with its own words when it does not."""
        self.streams()
        return True


class Own(ours.Capture):
    """lakepulse-cdc, capturing all tables but these."""

    def __init__(self, binary, name, more, excluded):
        super().__init__(binary, name)
        tables = f'partitions = "leaves"\nexclude = {json.dumps(excluded)}'
        self.config.write_text(self.config.read_text().replace('include = ["public.order_lines"]', tables) + more)

    def begin(self):
        self.start()

    def works(self):
        if self.process.poll() is not None:
            raise RuntimeError(self.log_path.read_text())
        return True


def plain(value):
    """A value as JSON has it."""
    if isinstance(value, bytes):
        return "base64:" + base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, (int, str, bool)) or value is None:
        return value
    return str(value)


def raw(schema):
    """The schema without logical types, whose values Python cannot always hold."""
    if isinstance(schema, dict):
        return {name: raw(part) for name, part in schema.items() if name != "logicalType"}
    return [raw(part) for part in schema] if isinstance(schema, list) else schema


class Reader:
    """All records of a capture's topics, without the topics' prefix."""

    def __init__(self, prefix):
        self.prefix, self.envelopes = prefix + ".", Envelopes(raw)

    def records(self):
        consumer = Consumer({"bootstrap.servers": KAFKA, "group.id": "golden", "enable.auto.commit": False,
                             "isolation.level": "read_committed", "enable.partition.eof": True})
        names = [name for name in consumer.list_topics(timeout=10).topics
                 if name.startswith(self.prefix) and not name.endswith((".checkpoint", ".relation"))]
        # Of a partitioned table Debezium reads the snapshot twice, under its own name too.
        names = [name for name in sorted(names) if name.removeprefix(self.prefix) not in ("public.finish", "public.parts")]
        records = {name.removeprefix(self.prefix): [] for name in names}
        consumer.assign([TopicPartition(name, 0, 0) for name in names])
        at_end = set()
        while len(at_end) < len(names):
            for message in consumer.consume(1000, 1):
                if message.error() is None:
                    record = (self.part(message.key()), self.part(message.value()))
                    records[message.topic().removeprefix(self.prefix)].append(record)
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    at_end.add(message.topic())
                else:
                    raise RuntimeError(message.error().str())
        return records

    def part(self, payload):
        """Schema and value of a key or a value."""
        if payload is None:
            return None
        value = plain(self.envelopes.decode(payload))
        schema = self.envelopes.texts[int.from_bytes(payload[1:5], "big")]
        return json.loads(schema.replace(self.prefix, "prefix.")), value


def without(value, paths):
    """The value without these fields of the envelope and of its source."""
    source = dict(value["source"])
    if source["sequence"]:
        # Both end with the change's own position. Debezium's begins with that of the transaction's first change, which
        # may go back from one transaction to the next; ours with the commit before, as Debezium's documentation says.
        source["sequence"] = json.loads(source["sequence"])[1]
    value = {**value, "source": source}
    return {name: {key: item for key, item in part.items() if f"{name}.{key}" not in paths} if name == "source" else part
            for name, part in value.items() if name not in paths}


def schema_lines(start, schema):
    """A line for each field of a key or a row, and one for what is around them."""
    around = json.loads(json.dumps(schema))
    record = around["fields"][0]["type"][1] if around["name"] == "Envelope" else around
    fields, record["fields"] = record["fields"], []
    return [f"{start} {json.dumps(part, sort_keys=True, ensure_ascii=False)}" for part in [around, *fields]]


def without_empty(records):
    """The `transaction` topic without transactions of which nothing is captured, which Debezium tells too."""
    empty = {value["id"].split(":")[0] for _, (_, value) in records
             if value["status"] == "END" and all(table["data_collection"] == "public.finish" for table in value["data_collections"])}
    return [record for record in records if record[1][1]["id"].split(":")[0] not in empty]


def timeless(topic, value):
    """The record without what is bound to a run."""
    if topic == "transaction":
        return {name: part for name, part in value.items() if name not in ("id", "ts_ms")}
    if value.get("transaction"):
        value = {**value, "transaction": {**value["transaction"], "id": None}}
    return value


def comparable(records, live):
    """Lines of text, a schema each time it changes."""
    lines = []
    for topic, found in records.items():
        found = without_empty(found) if topic == "transaction" else found
        schemas = [None, None]
        for record in found:
            if record == (None, None):
                # Debezium's tombstone of a row without a key, which no compaction can use.
                continue
            texts = []
            for index, part in enumerate(record):
                if part is None:
                    texts.append("null")
                    continue
                schema, value = part
                if schema != schemas[index]:
                    schemas[index] = schema
                    lines += schema_lines(f"{topic} {'value' if index else 'key'} schema", schema)
                if index and "op" in value:
                    hidden = set(DIFFERENT) | (set() if live else BOUND_TO_A_RUN)
                    hidden |= DIFFERENT_IN_SNAPSHOT if value["op"] == "r" else set()
                    value = without(value, hidden)
                if not live:
                    value = timeless(topic, value)
                texts.append(json.dumps(value, sort_keys=True, ensure_ascii=False))
            lines.append(f"{topic} {' '.join(texts)}")
    return lines


def differences(theirs, own):
    return [line for line in difflib.unified_diff(theirs, own, "Debezium", "lakepulse-cdc", lineterm="", n=0)
            if not line.startswith("@@")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--variant", action="append", choices=VARIANTS)
    options = parser.parse_args()
    variants = options.variant or list(VARIANTS)
    create_database()
    captures = {}
    with contextlib.ExitStack() as stack:
        stack.callback(sql, f"drop database if exists {stage.DATABASE} with (force)", "postgres")
        for variant in variants:
            settings, more, excluded = VARIANTS[variant]
            own = Own(options.binary, f"golden_{variant}_own", more, excluded)
            if variant != "messages":
                settings = {**NO_MESSAGES, **settings}
            pair = captures[variant] = (own, Peer(f"golden_{variant}_peer", settings, excluded) if options.peer else None)
            for capture in filter(None, pair):
                capture.remove()
                stack.callback(capture.remove)
                capture.begin()
        for own, peer in captures.values():
            own.wait_for("streaming")
            if peer:
                wait_until(f"{peer.name} streams", lambda: streams(peer))
        run_file("after.sql")
        end = value("select pg_current_wal_insert_lsn()")
        sql("create table finish (id integer primary key)")
        for own, peer in captures.values():
            for capture in filter(None, (own, peer)):
                wait_until(f"{capture.name} has read all", lambda: capture.works() and touched() and value(
                    f"select confirmed_flush_lsn >= '{end}' from pg_replication_slots where slot_name = '{capture.name}'"))
        kept = json.loads(gzip.decompress(KEPT.read_bytes())) if KEPT.exists() else {}
        count = failed = 0
        for variant, (own, peer) in captures.items():
            mine = Reader(own.name).records()
            if peer:
                theirs = Reader(peer.name).records()
                kept[variant] = comparable(theirs, False)
                expected = comparable(theirs, True)
            else:
                expected = kept[variant]
            lines = comparable(mine, bool(peer))
            found = differences(expected, lines)
            count += len(expected)
            failed += bool(found)
            for line in found:
                print(line)
            print(f"{variant}: {len(expected)} lines of Debezium's, {len(found)} of the difference", flush=True)
        if options.write:
            KEPT.write_bytes(gzip.compress(json.dumps(kept, ensure_ascii=False, indent=0).encode(), mtime=0))
    print(f"golden: {count} records and schemas of Debezium's in {len(captures)} configurations, {failed} configurations differ")
    sys.exit(1 if failed else 0)


def touched():
    """Something more in the log, so that positions move."""
    sql("insert into finish values (1) on conflict (id) do update set id = 1")
    time.sleep(0.2)
    return True


def streams(peer):
    """Whether the connector reads from its slot; Connect answers 404 until it has shared out the work."""
    try:
        return peer.streams()
    except debezium.urllib.error.HTTPError:
        return False


if __name__ == "__main__":
    main()
