#!/usr/bin/env python3
"""Sends the tables of hostile input to a server of its own and checks what comes back.

    tests/hostile/run.py --server-binary build/bin/atelier [--only PATTERN] [--keep]

Ends with "N passed, M failed" and the status 0 when nothing failed.
"""

import argparse
import concurrent.futures
import os
import re
import signal
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from common.atelier import Server  # noqa: E402
from hostile.harness import SANITIZER, Context, Failure, ImportRow, check  # noqa: E402
from hostile.tables import (  # noqa: E402
    folders, http, images, imports, jobs, json_bodies, keys, kserve, models, paths, steps, uploads)

TABLES = [http, json_bodies, uploads, paths, keys, jobs, imports, images, models, folders, kserve, steps]

# Short limits, so that slow rows end soon; several jobs at once for the rows that import.
FLAGS = ["--http-header-timeout-ms", "3s", "--http-write-timeout-ms", "5s", "--jobs-running", "4"]


def run_row(context, row):
    """Returns None, or why the row failed."""
    try:
        row.run(context)
        context.check_alive()
        return None
    except Failure as failure:
        return str(failure)
    except Exception:  # noqa: BLE001: a row must not end the others
        return traceback.format_exc(limit=3)


def report(table, row, failure, seconds):
    name = f"{table.__name__.rsplit('.', 1)[-1]}: {row.name}"
    print(f"{'FAIL' if failure else 'ok  '} {name} ({seconds:.2f} s)" + (f"\n     {failure}" if failure else ""),
          flush=True)


def run_all(context, pattern):
    chosen = [(table, row) for table in TABLES for row in table.ROWS
              if re.search(pattern, f"{table.__name__.rsplit('.', 1)[-1]}: {row.name}")]
    # Rows that wait for time limits or jobs do so beside the others.
    slow = [pair for pair in chosen if isinstance(pair[1], ImportRow) or pair[1] in getattr(pair[0], "SLOW", [])]
    quick = [pair for pair in chosen if pair not in slow]
    results = []

    def timed(pair):
        begin = time.monotonic()
        failure = run_row(context, pair[1])
        report(*pair, failure, time.monotonic() - begin)
        results.append(failure)

    with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
        waiting = [pool.submit(timed, pair) for pair in slow]
        for pair in quick:
            timed(pair)
        for future in waiting:
            future.result()
    failed = sum(failure is not None for failure in results)
    return len(results) - failed, failed


def settle(context, descriptors, resident):
    """Whether what the rows used is given back within 5 s, and nothing was reported."""
    end = time.monotonic() + 5
    while context.open_descriptors() > descriptors + 4 and time.monotonic() < end:
        time.sleep(0.1)
    now = context.open_descriptors()
    check(now <= descriptors + 4, f"{now} open descriptors, {descriptors} before the rows")
    grown = context.resident_bytes() - resident
    print(f"     resident memory grew by {grown / 2**20:.1f} MiB; {now} descriptors, {descriptors} before")
    for name, text in logs(context.server):
        report = SANITIZER.search(text)
        check(report is None, f"{name} holds a sanitizer report: {report and text[report.start():][:2000]}")


def logs(server):
    """What the server, its jobs and its workers wrote: (name, text)."""
    for folder, _, names in os.walk(server.data_dir):
        for name in names:
            if name.endswith((".log", "log.txt")):
                with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                    yield name, file.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server-binary", required=True)
    parser.add_argument("--only", default="", help="run the rows whose name matches this pattern")
    parser.add_argument("--keep", action="store_true", help="leave the data folder behind")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is stopped, too
    server = Server(arguments.server_binary, flags=FLAGS)
    try:
        server.start()
        context = Context(server)
        context.check_alive()
        context.prepare()
        descriptors, resident = context.open_descriptors(), context.resident_bytes()
        passed, failed = run_all(context, arguments.only)
        try:
            settle(context, descriptors, resident)
            passed += 1
        except Failure as failure:
            print(f"FAIL everything is given back\n     {failure}")
            failed += 1
        code = server.stop()
        if code not in (0, -15):
            print(f"FAIL the server ends cleanly\n     exit status {code}")
            failed += 1
    finally:
        if arguments.keep:
            server.stop()
            print(f"left behind: {server.data_dir}")
        else:
            server.remove()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
