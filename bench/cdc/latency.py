"""From the source's commit to the topic, while rows come at a steady rate; rows of a snapshot don't count."""

import subprocess
import threading
import time

from stage import DATABASE, HERE, Envelopes, cpu

#: The first seconds are not counted.
WARM_UP_S = 5


def measure(topic, pid, transactions_per_s, rows_per_transaction, seconds=30):
    """Percentiles in ms: commit to the broker's append, and commit to a read_committed consumer."""
    base = topic.end()
    arrivals, done = {}, threading.Event()

    def consume():
        for message in topic.read(base, idle_s=3):
            arrivals[message.offset()] = (time.time(), message)

    reader = threading.Thread(target=consume)
    before = cpu(pid)
    generator = subprocess.Popen(
        ["pgbench", "-n", "-M", "prepared", "-c", "4", "-j", "1", "-R", str(transactions_per_s), "-T", str(seconds),
         "-D", f"rows={rows_per_transaction}", "-f", HERE / "latency.sql", DATABASE],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    time.sleep(0.5)
    reader.start()
    report = generator.communicate()[0]
    reader.join()
    used = cpu(pid) - before
    tps = next((float(line.split()[2]) for line in report.splitlines() if line.startswith("tps")), 0)
    envelopes, first, appended, seen = Envelopes(), None, [], []
    for offset in sorted(arrivals)[:: max(1, len(arrivals) // 50_000)]:
        arrived, message = arrivals[offset]
        event = envelopes.decode(message.value())
        if event["op"] == "r":
            continue
        committed = event["source"]["ts_us"] / 1e6
        first = first or committed
        if committed - first >= WARM_UP_S:
            appended.append(message.timestamp()[1] / 1e3 - committed)
            seen.append(arrived - committed)

    def percentiles(values):
        values.sort()
        at = lambda share: round(values[min(len(values) - 1, int(len(values) * share))] * 1000, 1)
        return {"p50_ms": at(0.5), "p90_ms": at(0.9), "p99_ms": at(0.99), "max_ms": at(1)}

    return {"tps": round(tps), "records": len(arrivals), "cpu_share": round(used / seconds, 2),
            "to_append": percentiles(appended), "to_consumer": percentiles(seen)}
