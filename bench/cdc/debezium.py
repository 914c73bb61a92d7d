"""Debezium's connector on Kafka Connect, as the peer: one task, Confluent's Avro, tuned for what is measured."""

import atexit
import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import stage
from stage import HERE, KAFKA, REGISTRY, SOURCE, Topic, delete_topics, drop_slot, sql, value, wait_until, watch

#: What lets it go fastest, and what lets it answer soonest.
TUNED = {
    "throughput": {
        "max.batch.size": "20480", "max.queue.size": "81920", "snapshot.fetch.size": "20480",
        "producer.override.batch.size": "524288", "producer.override.linger.ms": "20",
        "producer.override.compression.type": "lz4",
    },
    "latency": {"poll.interval.ms": "5", "producer.override.linger.ms": "0"},
}


class Worker:
    """One Kafka Connect process, started with the first connector and ended with the program."""

    running = None
    #: Further settings of the worker.
    more = {}

    @classmethod
    def get(cls):
        cls.running = cls.running or cls()
        return cls.running

    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.folder = tempfile.TemporaryDirectory()
        properties = Path(self.folder.name) / "connect.properties"
        settings = {
            "bootstrap.servers": KAFKA, "listeners": self.url, "plugin.path": os.environ["LAKEPULSE_BENCH_PLUGINS"],
            "rest.advertised.host.name": "127.0.0.1", "key.converter.schema.registry.url": REGISTRY,
            "value.converter.schema.registry.url": REGISTRY, **self.more,
        }
        lines = [(HERE / "connect.properties").read_text(), *(f"{name}={text}" for name, text in settings.items())]
        properties.write_text("\n".join(lines))
        log = (Path(self.folder.name) / "log").open("w")
        root = Path(os.environ["LAKEPULSE_ROOT"])
        self.process = subprocess.Popen(
            [root / "var/dist/jdk/bin/java", "-Xms1g", "-Xmx1g", "-XX:+UseG1GC",
             "-cp", f"{os.environ['LAKEPULSE_BENCH_CONNECT']}/*", "org.apache.kafka.connect.cli.ConnectDistributed", properties],
            stdout=log, stderr=log)
        atexit.register(self.process.kill)
        wait_until("Kafka Connect answers", self.answers)

    def answers(self):
        if self.process.poll() is not None:
            raise RuntimeError((Path(self.folder.name) / "log").read_text()[-2000:])
        try:
            self.ask("GET", "/connectors")
            return True
        except OSError:
            return False

    def ask(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, method=method, headers={"Content-Type": "application/json"},
                                         data=None if body is None else json.dumps(body).encode())
        for _ in range(120):
            try:
                with urllib.request.urlopen(request) as answer:
                    return json.loads(answer.read() or b"null")
            except urllib.error.HTTPError as error:
                # It is still sharing out the work.
                if error.code != 409:
                    raise
                time.sleep(0.5)
        raise TimeoutError(f"{method} {path}")


class Connector:
    def __init__(self, name, tuned_for):
        self.name, self.worker, self.made = name, Worker.get(), False
        self.topic = Topic(f"{name}.public.order_lines")
        self.settings = {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "tasks.max": "1",
            "plugin.name": "pgoutput", "database.hostname": SOURCE.hostname, "database.port": str(SOURCE.port),
            "database.user": SOURCE.username, "database.password": os.environ["PGPASSWORD"], "database.dbname": stage.DATABASE,
            "publication.autocreate.mode": "filtered", "table.include.list": "public.order_lines", "topic.prefix": name,
            "slot.name": name, "publication.name": name, "topic.creation.enable": "true",
            "topic.creation.default.replication.factor": "1", "topic.creation.default.partitions": "1",
            **TUNED[tuned_for],
        }

    def put(self, mode):
        self.worker.ask("PUT", f"/connectors/{self.name}/config", {**self.settings, "snapshot.mode": mode})
        self.made = True

    def streams(self):
        status = self.worker.ask("GET", f"/connectors/{self.name}/status")
        for task in status["tasks"]:
            if task["state"] == "FAILED":
                causes = [line for line in task["trace"].splitlines() if not line.startswith("\t")]
                raise RuntimeError(f"{self.name}: {causes}")
        return value(f"select count(*) from pg_replication_slots where slot_name = '{self.name}' and active")

    def start(self):
        if self.made:
            self.worker.ask("PUT", f"/connectors/{self.name}/resume")
        else:
            self.put("no_data")
        return self.worker.process.pid

    def stop(self):
        self.worker.ask("PUT", f"/connectors/{self.name}/stop")
        wait_until("the slot is free", lambda: not self.streams())

    def prepare(self):
        """Creates slot and topic by a first row, and stops again."""
        self.start()
        # Connect answers 404 until it has shared out the work.
        def ready():
            try:
                return self.streams()
            except urllib.error.HTTPError:
                return False
        wait_until("the connector streams", ready)
        sql("insert into order_lines select nextval('next_line'), 1, 1, '', 1, 1, 1, 1, 1, now(), 1, now()")
        wait_until("its topic is there", lambda: self.topic.end() > 0)
        self.stop()

    def stream(self, rows):
        base, begun = self.topic.end(), time.time()
        result = watch(self.topic, base, rows, self.start(), begun)
        self.stop()
        return result

    def snapshot(self, rows):
        begun = time.time()
        self.put("initial")
        return watch(self.topic, 0, rows, self.worker.process.pid, begun)

    def remove(self):
        if self.made:
            self.worker.ask("DELETE", f"/connectors/{self.name}")
            self.made = False
        drop_slot(self.name)
        sql(f"drop publication if exists {self.name}")
        delete_topics(self.name)
