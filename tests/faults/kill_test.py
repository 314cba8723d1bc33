"""SIGKILL at random moments: training jobs go on to the same weights, the gateway loses nothing it acknowledged.

python3 tests/faults/kill_test.py --server-binary build/bin/atelier [--rounds 20] [--seed 1]
"""

import argparse
import hashlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from common.atelier import Server  # noqa: E402

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


def call(server, method, target, body=None):
    """The parsed answer; an answer that is no success ends the caller with an error."""
    answer = server.request(method, target, body)
    if answer.status >= 300:
        raise RuntimeError(f"{method} {target}: {answer}")
    return answer.json()


def train(server, model, **settings):
    body = {"kind": "train", "family": "mlp", "dataset": "points", "model": model, "settings": settings}
    return call(server, "POST", "/v1/jobs", body)["id"]


def succeed(server, job_id, timeout=1200):
    job = server.wait_job(job_id, timeout)
    assert job["status"] == "succeeded", job


def weights(server, model):
    """SHA-256 of the weights of the latest version."""
    return call(server, "GET", f"/v1/registry/models/{model}/versions/latest")["files"]["model.safetensors"]["sha256"]


def training_processes(server):
    children = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True, check=False)
    return [int(pid) for pid in children.stdout.split() if "atelier-torch" in command_line(pid)]


def command_line(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def kill_training(server, rounds, draw):
    """Kills the job's process at `rounds` random moments, each time resumes it; the final weights must not change."""
    started = time.monotonic()
    succeed(server, train(server, "calm", **SETTINGS))
    duration = time.monotonic() - started
    expected = weights(server, "calm")
    kills = models = 0
    while kills < rounds:
        models += 1
        name = f"killed-{models}"
        job_id = train(server, name, **SETTINGS)
        while kills < rounds:
            time.sleep(draw.uniform(0.02, duration))
            for pid in training_processes(server):
                os.kill(pid, signal.SIGKILL)
                kills += 1
            job = server.wait_job(job_id)
            if job["status"] == "succeeded":
                break
            assert job["status"] == "failed" and "SIGKILL" in job["error"]["message"], job
            call(server, "POST", f"/v1/jobs/{job_id}/resume")
        succeed(server, job_id)
        assert weights(server, name) == expected, f"{name} differs after kills"
    print(f"training: {kills} kills over {models} runs of {duration:.1f} s; each ended with the weights {expected[:12]}")


class Load(threading.Thread):
    """Uploads, imports, queues trainings and sets aliases until the server goes away; remembers what was acknowledged."""

    def __init__(self, server, tag, draw):
        super().__init__()
        self.server, self.tag, self.draw = server, tag, draw
        self.files, self.datasets, self.jobs, self.aliases, self.begun = {}, [], [], [], set()

    def run(self):
        try:
            for i in range(1000):
                self.step(f"{self.tag}-{i}")
        except (OSError, ValueError, RuntimeError, AttributeError):
            pass  # the server was killed; what was acknowledged until then is checked by the main thread

    def step(self, name):
        self.begun.add(name + ".csv")
        content = table(200 * self.draw.randrange(1, 40), self.draw.random())
        file_id = self.server.upload(name + ".csv", content)
        self.files[file_id] = hashlib.sha256(content).hexdigest()
        body = {"name": name, "files": [{"file_id": file_id}], "split": [0.8, 0, 0.2]}
        job_id = call(self.server, "POST", "/v1/datasets", body)["id"]
        self.jobs.append(job_id)
        call(self.server, "PUT", "/v1/registry/models/calm/aliases/" + name, {"version": 1})
        self.aliases.append(name)
        if self.server.wait_job(job_id)["status"] == "succeeded":
            self.datasets.append(name)


def check(server, load):
    """What the load was told is there must be there, and no file that was not finished may show."""
    for file_id, sha256 in load.files.items():
        assert call(server, "GET", "/v1/files/" + file_id)["sha256"] == sha256
        content = server.request("GET", f"/v1/files/{file_id}/content").body
        assert hashlib.sha256(content).hexdigest() == sha256
    for name in load.datasets:
        assert call(server, "GET", "/v1/datasets/" + name)["latest_version"] == 1, name
    for job_id in load.jobs:
        assert call(server, "GET", "/v1/jobs/" + job_id)["id"] == job_id
    aliases = call(server, "GET", "/v1/registry/models/calm")["aliases"]
    assert all(aliases.get(name) == 1 for name in load.aliases)
    listed = call(server, "GET", "/v1/files?limit=100")["data"]
    shown = {file["filename"] for file in listed if file["filename"].startswith(load.tag + "-")}
    # One answer can be lost between the commit and the client, so one more than acknowledged may be whole.
    assert shown <= load.begun and len(shown) - len(load.files) in (0, 1), "a file that nobody finished is visible"


def kill_gateway(server, rounds, draw):
    """Kills the gateway while it works; a training run that lives through all of it must end with the same weights."""
    longer = {**SETTINGS, "epochs": 5 * SETTINGS["epochs"]}
    survivor = train(server, "survivor", **longer)
    slowest = 0.0
    files = jobs = 0
    for i in range(rounds):
        load = Load(server, f"r{i}", draw)
        load.start()
        time.sleep(draw.uniform(0.05, 2.5))
        server.stop(signal.SIGKILL)
        load.join()
        begin = time.monotonic()
        server.start()
        slowest = max(slowest, time.monotonic() - begin)
        check(server, load)
        files, jobs = files + len(load.files), jobs + len(load.jobs)
    succeed(server, survivor)
    succeed(server, train(server, "undisturbed", **longer))
    assert weights(server, "survivor") == weights(server, "undisturbed")
    assert slowest < 5, f"a restart took {slowest:.1f} s"
    print(f"gateway: {rounds} kills; {files} files and {jobs} jobs acknowledged, all found again; slowest restart "
          f"{slowest:.2f} s; the training run that lived through them ended with the weights of an undisturbed one")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server-binary", required=True)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    # Two jobs at once, so that imports run beside the long training.
    server = Server(arguments.server_binary, flags=["--jobs-running", "2"])
    server.start()
    try:
        file_id = server.upload("points.csv", table(6000, 1))
        server.run_job("/v1/datasets", {"name": "points", "files": [{"file_id": file_id}], "split": [0.8, 0.1, 0.1]})
        kill_training(server, arguments.rounds, draw)
        kill_gateway(server, arguments.rounds, draw)
    finally:
        server.remove()


main()
