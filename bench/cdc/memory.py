"""Peak memory of lakepulse-cdc: one large transaction, many tables, one large value.

    memory.py BINARY [--gib N] [--tables N] [--value-mb N] [--only transaction tables value]
"""

import argparse
import json
import time

import stage
from ours import Capture

CASES = ("transaction", "tables", "value")


def note(case, **result):
    print(json.dumps({"case": case, **result}), flush=True)


def capture_of(binary, kind, tables, more=""):
    capture = Capture(binary, f"m{int(time.time()) % 1_000_000}_{kind}", more=more)
    capture.config.write_text(capture.config.read_text().replace("public.order_lines", tables))
    return capture


def transaction(binary, gib):
    """One INSERT of rows of 10,000 bytes, which PostgreSQL keeps compressed and sends in full."""
    stage.sql("drop table if exists wide; create table wide (id integer primary key, v text not null)")
    capture = capture_of(binary, "tx", "public.wide")
    rows = gib * 2**30 // 10_000
    try:
        pid = capture.start()
        capture.wait_for("streaming")
        idle = stage.rss_peak(pid)
        begun = time.time()
        stage.sql(f"insert into wide select n, rpad(n::text, 10000, md5(n::text)) from generate_series(1, {rows}) as n")
        end = stage.value("select pg_current_wal_insert_lsn()")
        written = time.time() - begun

        def passed():
            if capture.process.poll() is not None:
                raise RuntimeError(capture.log_path.read_text())
            stage.sql("select pg_logical_emit_message(false, 'memory', 'x')")
            return stage.value(f"select confirmed_flush_lsn >= '{end}' from pg_replication_slots where slot_name = '{capture.name}'")
        stage.wait_until("the transaction is out", passed, 1800)
        note("transaction", gib=gib, rows=rows, written_s=round(written), seconds=round(time.time() - begun),
             idle_mib=idle, peak_mib=stage.rss_peak(pid))
        capture.stop()
    finally:
        capture.remove()
        stage.sql("drop table wide")


def drop_many():
    """Some hundred at a time, since each takes locks until its transaction ends."""
    stage.sql("create schema if not exists many")
    while names := stage.sql("select tablename from pg_tables where schemaname = 'many' limit 500"):
        stage.sql("drop table " + ", ".join(f"many.{name}" for name, in names))


def tables(binary, count):
    drop_many()
    for first in range(0, count, 500):
        stage.sql(f"do $$ begin for n in {first}..{first + 499} loop execute format("
                  "'create table many.t%s (id integer primary key, v text, at timestamp)', n); end loop; end $$")
    capture = capture_of(binary, "tables", "many.*")
    try:
        begun = time.time()
        pid = capture.start()
        stage.wait_until("streaming", lambda: capture.process.poll() is not None
                         or "streaming" in capture.log_path.read_text(), 3000)
        started = time.time() - begun
        stage.sql(f"do $$ begin for n in 0..{count - 1} loop execute format("
                  "'insert into many.t%s values (1, ''x'', now())', n); end loop; end $$")
        end = stage.value("select pg_current_wal_insert_lsn()")

        def passed():
            if capture.process.poll() is not None:
                raise RuntimeError(capture.log_path.read_text())
            return stage.value(f"select confirmed_flush_lsn >= '{end}' from pg_replication_slots where slot_name = '{capture.name}'")
        stage.wait_until("a row of every table is out", passed, 1800)
        note("tables", tables=count, start_s=round(started), peak_mib=stage.rss_peak(pid))
        capture.stop()
    finally:
        capture.remove()
        drop_many()


def large_value(binary, megabytes):
    """What the capture does with a value that is larger than any record: end with one clear line."""
    stage.sql("drop table if exists large; create table large (id integer primary key, v bytea)")
    capture = capture_of(binary, "value", "public.large")
    try:
        pid = capture.start()
        capture.wait_for("streaming")
        stage.sql(f"insert into large values (1, convert_to(repeat('x', {megabytes} * 1000000), 'UTF8'))")
        peak = 0
        begun = time.time()
        while capture.process.poll() is None and time.time() - begun < 300:
            try:
                peak = max(peak, stage.rss_peak(pid))
            except (OSError, IndexError):
                pass
            time.sleep(0.02)
        errors = [line for line in capture.log_path.read_text().splitlines() if "ERROR" in line]
        note("value", megabytes=megabytes, peak_mib=peak, exit_code=capture.process.poll(), errors=errors)
    finally:
        capture.remove()
        stage.sql("drop table large")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--gib", type=int, default=10)
    parser.add_argument("--tables", type=int, default=10_000)
    parser.add_argument("--value-mb", type=int, nargs="*", default=[30, 200, 900])
    parser.add_argument("--only", nargs="*", choices=CASES, default=CASES)
    arguments = parser.parse_args()
    stage.create_database()
    if "transaction" in arguments.only:
        transaction(arguments.binary, arguments.gib)
    if "value" in arguments.only:
        for megabytes in arguments.value_mb:
            large_value(arguments.binary, megabytes)
    if "tables" in arguments.only:
        tables(arguments.binary, arguments.tables)


main()
