"""A table larger than what memory is given to it: imported, processed, killed on the way, gone on with.

python bench/large_table.py [--gigabytes 3] [--folder /tmp/large-table]     (needs build/bin and 4 times the size on disk)

Prints the wall time of each job, the largest resident memory of any process of the server, and rows in and out.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from common import atelier  # noqa: E402

STEPS = [
    {"step": "deduplicate"},
    {"step": "split", "fractions": [0.8, 0.1, 0.1]},
    {"step": "standardize", "columns": ["price", "weight"]},
    {"step": "normalize", "columns": ["age"]},
]


def write_table(path, size):
    """About a tenth of the rows are doubles of others."""
    draw = random.Random(1)
    words = [f"word{i}" for i in range(500)]
    ends = [f",{draw.choice(('Oslo', 'Kyoto', '北京', 'Lima'))},{' '.join(draw.choices(words, k=8))}\n" for _ in range(5000)]
    with path.open("w", encoding="utf-8") as file:
        file.write("price,weight,age,city,words\n")
        row = 0
        while file.tell() < size:
            lines = []
            for _ in range(20000):
                row += 1
                number = row if row % 10 else row - 9
                lines.append(f"{number % 9973}.{number % 97:02},{number * 7919 % 1000003},{number % 89}{ends[number % 5000]}")
            file.write("".join(lines))
    return row


class Memory(threading.Thread):
    """The largest resident memory that a process of the server has had, in MB."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.peaks, self.on = server, {}, True

    def run(self):
        while self.on:
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if self.server.data_dir not in command:
                        continue
                    status = pathlib.Path(f"/proc/{pid}/status").read_text()
                    peak = int(status.split("VmHWM:")[1].split()[0]) // 1024
                    name = "job" if " job " in command else "server"
                    self.peaks[name] = max(peak, self.peaks.get(name, 0))
                except (OSError, IndexError):
                    pass
            time.sleep(0.2)


def follow(server, job, kill_at):
    """Waits for the job; kills server and job once this share of the bytes is done, and starts the server again."""
    start, shown = time.monotonic(), 0
    while True:
        state = server.request("GET", f"/v1/jobs/{job}").json()
        progress = state.get("progress") or {}
        done = progress.get("done_bytes", 0) / progress.get("total_bytes", 1)
        if state["status"] not in ("queued", "running"):
            assert state["status"] == "succeeded", state
            return time.monotonic() - start, state
        if kill_at and done >= kill_at:
            print(f"   killed (SIGKILL) after {done:.0%}", flush=True)
            for pid in children(server.process.pid):
                os.kill(pid, signal.SIGKILL)
            server.stop(signal.SIGKILL)
            server.start()
            kill_at = 0
        if time.monotonic() - shown > 15:
            shown = time.monotonic()
            print("  ", progress, flush=True)
        time.sleep(0.2)


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gigabytes", type=float, default=3)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("/tmp/large-table"))
    arguments = parser.parse_args()
    shutil.rmtree(arguments.folder, ignore_errors=True)
    (arguments.folder / "data").mkdir(parents=True)
    table = arguments.folder / "table.csv"
    rows = write_table(table, arguments.gigabytes * 1e9)
    print(f"{table.stat().st_size / 1e9:.2f} GB, {rows} rows", flush=True)
    server = atelier.Server(str(ROOT / "build/bin/atelier"), str(arguments.folder / "data")).start()
    memory = Memory(server)
    memory.start()
    try:
        run(server, table)
    finally:
        memory.on = False
        server.stop()
        print("largest resident memory in MB:", memory.peaks)
        shutil.rmtree(arguments.folder)


def command(server, *words):
    environment = {**os.environ, "ATELIER_URL": f"http://127.0.0.1:{server.port}", "ATELIER_DATA_DIR": server.data_dir}
    done = subprocess.run([server.binary, "--json", *words], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run(server, table):
    start = time.monotonic()
    command(server, "dataset", "add", "table", str(table), "--task", "none", "--type", "words=text")
    print(f"import: {time.monotonic() - start:.0f} s", flush=True)
    answer = server.request("POST", "/v1/datasets/table/process", {"steps": STEPS, "seed": 1})
    seconds, job = follow(server, answer.json()["id"], 0.5)
    print(f"process, with a kill on the way: {seconds:.0f} s, attempts {job['attempt']}")
    for line in job["result"]["report"]["steps"]:
        print("  ", line["step"], line["rows_in"], "->", line["rows_out"])


main()
