"""lakepulse-cdc, as a process of its own for each measurement."""

import signal
import subprocess
import tempfile
import time
from pathlib import Path

import stage
from stage import KAFKA, REGISTRY, SOURCE, Topic, delete_topics, drop_slot, rss_peak, sql, value, wait_until, watch

CONFIG = """
slot = "{name}"
publication = "{name}"
topic_prefix = "{name}"
[source]
host = "{host}"
port = {port}
database = "{database}"
user = "{user}"
password_env = "PGPASSWORD"
[tables]
include = ["public.order_lines"]
[kafka]
bootstrap = "{kafka}"
exactly_once = {exactly_once}
[kafka.properties]
{properties}
[registry]
url = "{registry}"
{more}
"""


class Capture:
    def __init__(self, binary, name, properties=None, more="", exactly_once=True):
        self.binary, self.name, self.process = binary, name, None
        self.folder = tempfile.TemporaryDirectory()
        self.config = Path(self.folder.name) / "cdc.toml"
        self.log_path = Path(self.folder.name) / "log"
        lines = "\n".join(f'"{key}" = "{text}"' for key, text in (properties or {}).items())
        self.config.write_text(CONFIG.format(
            name=name, host=SOURCE.hostname, port=SOURCE.port, database=stage.DATABASE, user=SOURCE.username, kafka=KAFKA,
            registry=REGISTRY, properties=lines, more=more, exactly_once=str(exactly_once).lower()))
        self.topic = Topic(f"{name}.public.order_lines")

    def start(self):
        self.log = self.log_path.open("a")
        self.process = subprocess.Popen([self.binary, "--config", self.config, "run"], stderr=self.log)
        return self.process.pid

    def wait_for(self, text):
        def there():
            if self.process.poll() is not None:
                raise RuntimeError(self.log_path.read_text())
            return text in self.log_path.read_text()
        wait_until(text, there)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(10)
        if status:
            raise RuntimeError(self.log_path.read_text())
        wait_until("the slot is free", lambda: not value(
            f"select count(*) from pg_replication_slots where slot_name = '{self.name}' and active"))

    def ask_for_snapshot(self):
        """Of the table, while the stream goes on."""
        command = [self.binary, "--config", self.config, "snapshot", "public.order_lines"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def prepare(self):
        """Creates slot and topics and stops again."""
        self.start()
        self.wait_for("streaming")
        self.stop()

    def stream(self, rows):
        """Streams what waits at the source."""
        base, begun = self.topic.end(), time.time()
        pid = self.start()
        result = watch(self.topic, base, rows, pid, begun)
        result["rss_mib"] = rss_peak(pid)
        self.stop()
        return result

    def snapshot(self, rows):
        begun = time.time()
        pid = self.start()
        result = watch(self.topic, 0, rows, pid, begun)
        result["rss_mib"] = rss_peak(pid)
        self.wait_for("streaming")
        self.stop()
        return result

    def remove(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        drop_slot(self.name)
        sql(f"drop publication if exists {self.name}")
        delete_topics(self.name)
