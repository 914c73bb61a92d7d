"""The floor: what the WAL sender gives to a reader that throws everything away."""

import subprocess
import time

import psycopg2

from stage import DATABASE, drop_slot, sql, value


def prepare():
    """A slot at the present position."""
    drop_slot("bench_floor")
    sql("select pg_create_logical_replication_slot('bench_floor', 'pgoutput')")


def stream(publication, end, rows, options=()):
    """Reads the slot's WAL up to a position."""
    start = value("select confirmed_flush_lsn from pg_replication_slots where slot_name = 'bench_floor'")
    drop_slot("bench_floor_run")
    sql("select pg_copy_logical_replication_slot('bench_floor', 'bench_floor_run', false)")
    reader = subprocess.Popen(
        ["pg_recvlogical", "-d", DATABASE, "--slot", "bench_floor_run", "--start", "-f", "/dev/null", "--no-loop",
         f"--endpos={end}", "-o", "proto_version=1", "-o", f"publication_names={publication}",
         *(part for option in options for part in ("-o", option))],
        stderr=subprocess.DEVNULL)
    total = value(f"select '{end}'::pg_lsn - '{start}'::pg_lsn")
    marks, last = {}, 0.0
    connection = psycopg2.connect(dbname=DATABASE)
    connection.autocommit = True
    cursor = connection.cursor()
    while reader.poll() is None:
        cursor.execute(f"select sent_lsn - '{start}'::pg_lsn from pg_stat_replication where application_name = 'pg_recvlogical'")
        row = cursor.fetchone()
        sent = float(row[0] or 0) if row else last
        last = sent
        for share in (0.1, 0.9):
            if sent >= share * float(total) and share not in marks:
                marks[share] = (time.time(), sent)
        time.sleep(0.005)
    connection.close()
    drop_slot("bench_floor_run")
    if reader.returncode:
        raise RuntimeError(f"pg_recvlogical ended with {reader.returncode}")
    # In all it can't be said: it stops some time after the last row.
    (t1, s1), (t9, s9) = marks[0.1], marks[0.9]
    return {"rows_per_s": round(rows * (s9 - s1) / float(total) / max(t9 - t1, 1e-6))}
