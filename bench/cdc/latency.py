"""From the source's commit to the topic, while rows come at a steady rate."""

import subprocess
import threading
import time

from stage import DATABASE, HERE, Envelopes, cpu

#: The first seconds are not counted.
WARM_UP_S = 5


def measure(topic, pid, transactions_per_s, rows_per_transaction, seconds=30, ask_for_snapshot=None):
    """Percentiles in ms: commit to the broker's append, and commit to a read_committed consumer.

    With a snapshot, which is asked for once all is warm, only changes count that stand between two of its rows.
    """
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
    if ask_for_snapshot:
        time.sleep(WARM_UP_S + 1)
        ask_for_snapshot()
    report = generator.communicate()[0]
    reader.join()
    used = cpu(pid) - before
    tps = next((float(line.split()[2]) for line in report.splitlines() if line.startswith("tps")), 0)
    envelopes, first, appended, seen = Envelopes(), None, [], []
    # Debezium's records have no headers.
    operation = lambda message: dict(message.headers() or ()).get("op")
    read = [offset for offset, (_, message) in arrivals.items() if operation(message) == b"r"]
    begin, end = (min(read), max(read)) if read else (0, float("inf"))
    changes = sorted(offset for offset in arrivals.keys() - set(read) if begin <= offset <= end)
    for offset in changes[:: max(1, len(changes) // 50_000)]:
        arrived, message = arrivals[offset]
        committed = envelopes.decode(message.value())["source"]["ts_us"] / 1e6
        first = first or committed
        if read or committed - first >= WARM_UP_S:
            appended.append(message.timestamp()[1] / 1e3 - committed)
            seen.append(arrived - committed)

    def percentiles(values):
        values.sort()
        at = lambda share: round(values[min(len(values) - 1, int(len(values) * share))] * 1000, 1)
        return {"p50_ms": at(0.5), "p90_ms": at(0.9), "p99_ms": at(0.99), "max_ms": at(1)}

    return {"tps": round(tps), "records": len(arrivals), "changes": len(appended), "cpu_share": round(used / seconds, 2),
            "to_append": percentiles(appended), "to_consumer": percentiles(seen)}
