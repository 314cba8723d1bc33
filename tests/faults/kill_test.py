"""SIGKILL at random moments: training jobs go on to the same weights, the gateway loses nothing it acknowledged.

python3 tests/faults/kill_test.py --binary build/bin/atelier [--rounds 20] [--seed 1]
"""

import argparse
import os
import pathlib
import random
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from server import Refused, Server  # noqa: E402

SETTINGS = {"layers": "64,64", "epochs": 12, "batch_size": 32, "dropout": 0.2, "checkpoint_every_steps": 40, "seed": 7}


def table(rows, seed):
    """A CSV of three classes that a small network learns in seconds."""
    draw = random.Random(seed)
    lines = ["a,b,c,d,kind"]
    for _ in range(rows):
        kind = draw.randrange(3)
        values = [draw.gauss(kind * (i + 1) % 4, 1.0) for i in range(4)]
        lines.append(",".join(f"{value:.5f}" for value in values) + f",k{kind}")
    return ("\n".join(lines) + "\n").encode()


def kill_training(server, rounds, draw):
    """Kills the job's process at `rounds` random moments, each time resumes it; the final weights must not change."""
    started = time.monotonic()
    server.succeed(server.train("mlp", "points", "calm", **SETTINGS))
    duration = time.monotonic() - started
    expected = server.weights("calm")
    kills = models = 0
    while kills < rounds:
        models += 1
        name = f"killed-{models}"
        job = server.train("mlp", "points", name, **SETTINGS)
        while kills < rounds:
            time.sleep(draw.uniform(0.02, duration))
            current = server.call("GET", "/v1/jobs/" + job["id"])
            if current["status"] == "succeeded":
                break
            for pid in server.processes("atelier-torch"):
                os.kill(pid, signal.SIGKILL)
                kills += 1
            current = server.wait_job(job["id"])
            if current["status"] == "succeeded":
                break
            assert current["status"] == "failed" and "SIGKILL" in current["error"]["message"], current
            server.call("POST", f"/v1/jobs/{job['id']}/resume")
        server.succeed(job)
        assert server.weights(name) == expected, f"{name} differs after kills"
    print(f"training: {kills} kills over {models} runs of {duration:.1f} s, every run ended with the weights {expected[:12]}")


class Load(threading.Thread):
    """Uploads, imports, trains and deploys until the server goes away; remembers what was acknowledged."""

    def __init__(self, server, tag, draw):
        super().__init__()
        self.server, self.tag, self.draw = server, tag, draw
        self.files, self.datasets, self.jobs, self.aliases, self.begun = {}, [], [], {}, set()

    def run(self):
        try:
            for i in range(1000):
                self.step(f"{self.tag}-{i}")
        except (OSError, Refused, ValueError) as error:
            self.end = error

    def step(self, name):
        content = table(200, self.draw.random()) * self.draw.randrange(1, 40)
        self.begun.add(name + ".csv")
        made = self.server.upload(name + ".csv", content)
        self.files[made["id"]] = made["sha256"]
        job = self.server.call("POST", "/v1/datasets", {"name": name, "files": [{"file_id": made["id"]}], "split": [0.8, 0, 0.2]})
        self.jobs.append(job["id"])
        # A repeated header line makes every second file a bad one; both outcomes must survive.
        if self.server.wait_job(job["id"])["status"] == "succeeded":
            self.datasets.append(name)
        self.jobs.append(self.server.train("mlp", "points", "loaded", **{**SETTINGS, "epochs": 1})["id"])
        self.server.call("PUT", "/v1/registry/models/calm/aliases/" + name, {"version": 1})
        self.aliases[name] = 1


def kill_gateway(server, rounds, draw):
    """Kills the gateway under load; what it acknowledged must be there, and nothing half-made may show."""
    slowest = 0.0
    long_job = server.train("mlp", "points", "survivor", **{**SETTINGS, "epochs": 60})
    files = jobs = 0
    for i in range(rounds):
        load = Load(server, f"r{i}", draw)
        load.start()
        time.sleep(draw.uniform(0.05, 2.5))
        server.kill()
        load.join()
        slowest = max(slowest, server.start())
        for file_id, sha256 in load.files.items():
            assert server.call("GET", "/v1/files/" + file_id)["sha256"] == sha256
            server.call("GET", f"/v1/files/{file_id}/content")
        for name in load.datasets:
            assert server.call("GET", "/v1/datasets/" + name)["latest_version"] == 1, name
        for job_id in load.jobs:
            assert server.call("GET", "/v1/jobs/" + job_id)["id"] == job_id
        aliases = server.call("GET", "/v1/registry/models/calm")["aliases"]
        assert all(aliases.get(name) == version for name, version in load.aliases.items())
        files, jobs = files + len(load.files), jobs + len(load.jobs)
        listed = server.call("GET", "/v1/files?limit=100")["data"]
        shown = {file["filename"] for file in listed if file["filename"].startswith(f"r{i}-")}
        assert shown <= load.begun and len(shown) - len(load.files) in (0, 1), "a file that nobody finished is visible"
    server.succeed(long_job, 1200)
    calm = server.train("mlp", "points", "survivor-calm", **{**SETTINGS, "epochs": 60})
    server.succeed(calm, 1200)
    assert server.weights("survivor") == server.weights("survivor-calm")
    assert slowest < 5, f"a restart took {slowest:.1f} s"
    print(f"gateway: {rounds} kills, {files} files and {jobs} jobs acknowledged and found again, slowest restart {slowest:.2f} s,")
    print("         the run that lived through them ended with the weights of one that was never disturbed")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(arguments.binary, folder)
        server.start()
        try:
            server.add_dataset("points", {"points.csv": table(6000, 1)}, split=[0.8, 0.1, 0.1])
            kill_training(server, arguments.rounds, draw)
            kill_gateway(server, arguments.rounds, draw)
        finally:
            server.stop()


main()
