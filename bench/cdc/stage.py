"""What the measurements stand on: the source, the topics, and the CPU time of processes."""

import io
import json
import os
import struct
import subprocess
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlparse

import fastavro
import psycopg2
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

HERE = Path(__file__).parent
TICK = os.sysconf("SC_CLK_TCK")
SOURCE = urlparse(os.environ["LAKEPULSE_TEST_PG_URL"])
KAFKA = os.environ["LAKEPULSE_TEST_KAFKA"]
REGISTRY = os.environ["LAKEPULSE_TEST_REGISTRY"]
DATABASE = "bench_cdc"
os.environ.update(PGHOST=SOURCE.hostname, PGPORT=str(SOURCE.port), PGUSER=SOURCE.username)


def sql(statement, database=None):
    """Runs one statement; its rows."""
    connection = psycopg2.connect(dbname=database or DATABASE)
    connection.autocommit = True
    try:
        cursor = connection.cursor()
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def value(statement):
    rows = sql(statement)
    return rows[0][0] if rows else None


def create_database():
    if not sql(f"select 1 from pg_database where datname = '{DATABASE}'", "postgres"):
        sql(f"create database {DATABASE} template template0", "postgres")
    create_table()


def create_table():
    subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", DATABASE, "-f", HERE / "schema.sql"],
                   check=True, stderr=subprocess.DEVNULL)


def load(first, rows, rows_per_transaction):
    """Commits rows at the source; the position behind them."""
    sql(f"call load_lines({first}, {first + rows - 1}, {rows_per_transaction})")
    end = value("select pg_current_wal_insert_lsn()")
    sql("checkpoint")
    # Something behind the last row, so that a reader that stops there has read it.
    sql("select pg_switch_wal()")
    return end


def drop_slot(slot):
    wait_until(f"slot {slot} is free", lambda: not value(
        f"select count(*) from pg_replication_slots where slot_name = '{slot}' and active"))
    sql(f"select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '{slot}'")


def wait_until(what, condition, limit=180):
    begun = time.time()
    while not condition():
        if time.time() - begun > limit:
            raise TimeoutError(what)
        time.sleep(0.01)


def cpu(pid):
    """CPU seconds that a process has used."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICK


def rss_peak(pid):
    """MiB of memory that a process has held at most."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    return 0


class Topic:
    """A topic of one partition."""

    def __init__(self, name):
        self.name = name
        self.consumer = Consumer({"bootstrap.servers": KAFKA, "group.id": "bench", "enable.auto.commit": False,
                                  "isolation.level": "read_committed", "fetch.wait.max.ms": 50})

    def end(self):
        """Records and markers of transactions in it."""
        try:
            return self.consumer.get_watermark_offsets(TopicPartition(self.name, 0), timeout=5)[1]
        except Exception:
            return 0

    def wait_until_still(self, seconds=3):
        """Until nothing was written to it for some seconds."""
        end, since = self.end(), time.time()
        while time.time() - since < seconds:
            time.sleep(0.2)
            if (now := self.end()) != end:
                end, since = now, time.time()

    def use_append_time(self):
        """Lets the broker's own clock stamp the records."""
        entry = ConfigEntry("message.timestamp.type", "LogAppendTime", incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, self.name, incremental_configs=[entry])
        # A client that is let go of takes its answers with it.
        admin = AdminClient({"bootstrap.servers": KAFKA})
        for future in admin.incremental_alter_configs([resource]).values():
            future.result(20)

    def read(self, offset, idle_s=2):
        """Messages from an offset on, with the time of their arrival, until none come any more."""
        self.consumer.assign([TopicPartition(self.name, 0, offset)])
        last = time.time()
        while time.time() - last < idle_s:
            first = self.consumer.poll(0.1)
            # What is there already, without waiting for more of it.
            for message in [first, *self.consumer.consume(1000, 0)] if first else []:
                last = time.time()
                if message.error() is None and message.value() is not None:
                    yield message
        self.consumer.unassign()


def delete_topics(prefix):
    admin = AdminClient({"bootstrap.servers": KAFKA})
    names = [name for name in admin.list_topics(timeout=10).topics if name.startswith(prefix)]
    # Kafka's controller takes no more at a time.
    for first in range(0, len(names), 1000):
        for future in admin.delete_topics(names[first:first + 1000]).values():
            future.result(60)


class Envelopes:
    """Decodes events by the schemas of the registry, changed by `prepare`."""

    def __init__(self, prepare=lambda schema: schema):
        self.schemas, self.texts, self.prepare = {}, {}, prepare

    def decode(self, payload):
        number = struct.unpack(">I", payload[1:5])[0]
        if number not in self.schemas:
            with urllib.request.urlopen(f"{REGISTRY}/schemas/ids/{number}") as answer:
                self.texts[number] = json.load(answer)["schema"]
            self.schemas[number] = fastavro.parse_schema(self.prepare(json.loads(self.texts[number])))
        return fastavro.schemaless_reader(io.BytesIO(payload[5:]), self.schemas[number])


def watch(topic, base, wanted, pid, begun, limit=600, settle_s=1.0):
    """Follows a topic until it has grown by `wanted` records: rates and CPU time, in all and between 10 % and 90 %.

    The end of a topic counts the markers of transactions too. How many they were is known when it stands still, and
    they are taken to be spread evenly.
    """
    samples = []
    while True:
        grown, now = topic.end() - base, time.time() - begun
        if not samples or grown > samples[-1][1]:
            samples.append((now, grown, cpu(pid)))
        elif grown >= wanted and now - samples[-1][0] > settle_s:
            break
        if now > limit:
            raise TimeoutError(f"{topic.name} has {grown} of {wanted} records after {limit} s")
        time.sleep(0.01)
    total = samples[-1][1]

    def reached(share):
        now, grown, used = next(sample for sample in samples if sample[1] >= share * total)
        return now, grown * wanted / total, used

    (t1, n1, c1), (t9, n9, c9), (t0, _, c0), (t, _, c) = (reached(share) for share in (0.1, 0.9, 0.0001, 1.0))
    return {
        "rows_per_s": round((n9 - n1) / (t9 - t1)),
        "rows_per_s_in_all": round(wanted / t),
        "rows_per_cpu_s": round((n9 - n1) / max(c9 - c1, 1 / TICK)),
        "rows_per_cpu_s_in_all": round(wanted / max(c - c0, 1 / TICK)),
        "first_row_s": round(t0, 2),
        "transactions": total - wanted,
    }
