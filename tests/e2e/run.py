#!/usr/bin/env python3
"""The whole loop through the command line and REST, on small data of its own.

    tests/e2e/run.py --server-binary build/bin/atelier [--keep]

Every step builds on the ones before; the first failure ends the run with status 1.
"""

import argparse
import hashlib
import json
import os
import pty
import random
import select
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from common.atelier import Server  # noqa: E402
from hostile.pictures import png  # noqa: E402

DATASET = "\u9e22\u5c3e\u82b1"  # names may be Chinese
COLUMNS = ["sepal length", "sepal width", "petal length", "petal width"]
# Means and deviations of three kinds of flowers, close to those of R. A. Fisher's irises.
KINDS = {"setosa": [(5.0, .35), (3.4, .38), (1.5, .17), (.25, .1)],
         "versicolor": [(5.9, .5), (2.8, .3), (4.3, .45), (1.3, .2)],
         "virginica": [(6.6, .6), (3.0, .3), (5.6, .5), (2.0, .25)]}
SETOSA, VIRGINICA = [5.0, 3.4, 1.5, 0.2], [6.7, 3.1, 5.7, 2.2]


def flowers(rows):
    rng = random.Random(7)
    lines = [",".join([*COLUMNS, "species"])]
    for i in range(rows):
        kind = list(KINDS)[i % 3]
        lines.append(",".join([*(f"{rng.gauss(*p):.2f}" for p in KINDS[kind]), kind]))
    return "\n".join(lines) + "\n"


class Cli:
    """The command line, as someone beside the server would call it."""

    def __init__(self, server):
        self.server = server
        self.environment = {"PATH": os.environ["PATH"], "HOME": server.data_dir, "LANG": "C.UTF-8",
                            "ATELIER_DATA_DIR": server.data_dir}

    def command(self, arguments):
        return [self.server.binary, *arguments]

    def run(self, *arguments, code=0, environment=None, stdin=""):
        """Returns (standard output, standard error); checks the exit code."""
        done = subprocess.run(self.command(arguments), env={**self.environment, **(environment or {})}, timeout=300,
                              input=stdin.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        out, err = done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
        assert done.returncode == code, f"{arguments}: exit {done.returncode}, expected {code}\n{out}\n{err}"
        return out, err

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--json")[0])

    def on_terminal(self, *arguments, interrupt_after=None):
        """Runs on a terminal of 120 columns; returns (exit code, what the terminal got)."""
        master, slave = pty.openpty()
        subprocess.run(["stty", "cols", "120"], stdin=slave, check=False)
        process = subprocess.Popen(self.command(arguments), env=self.environment, stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        seen, begin = b"", time.monotonic()
        while time.monotonic() - begin < 300:
            if interrupt_after and interrupt_after in seen:
                process.send_signal(signal.SIGINT)
                interrupt_after = None
            if select.select([master], [], [], 0.2)[0]:
                try:
                    data = os.read(master, 65536)
                except OSError:
                    break
                if not data:
                    break
                seen += data
            elif process.poll() is not None:
                break
        os.close(master)
        return process.wait(30), seen.decode("utf-8", "replace")


class Loop:
    def __init__(self, server, folder):
        self.server = server
        self.folder = folder
        self.cli = Cli(server)
        self.answers = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    # The steps, in order.

    def exit_codes(self):
        _, err = self.cli.run("dataset", "list", code=3, environment={"ATELIER_URL": "http://127.0.0.1:9"})
        assert "no server at http://127.0.0.1:9" in err and "atelier serve" in err, err
        self.cli.run("nonsense", code=2)
        self.cli.run("dataset", "add", "x", "/no/such/file", code=2)
        _, err = self.cli.run("dataset", "show", "no-such", code=1)
        assert err.startswith("error: ") and "(dataset_not_found)" in err, err
        _, err = self.cli.run("dataset", "list", code=1, environment={"ATELIER_API_KEY": "sk-wrong"})
        assert "invalid_api_key" in err, err
        out, _ = self.cli.run("doctor")
        assert "FAILED" not in out and "accepted" in out, out

    def add_data(self):
        csv = self.write("flowers.csv", flowers(300).encode())
        out, _ = self.cli.run("dataset", "add", DATASET, csv, "--target", "species", "--split", "0.7,0.1,0.2", "--seed", "3")
        assert f"{DATASET}@1" in out and "300 rows" in out and "train 210, validation 30, test 60" in out, out
        assert "sepal length" in out and "virginica" in out, out
        shown = self.cli.json("dataset", "show", DATASET)
        assert shown["version"] == 1 and shown["manifest"]["task"] == "classification", shown
        assert DATASET in self.cli.run("dataset", "list")[0]
        again = self.cli.json("dataset", "show", f"{DATASET}@1")
        assert again["manifest"] == shown["manifest"]
        out, _ = self.cli.run("dataset", "split", f"{DATASET}@1", "0.8,0.1,0.1", "--seed", "4")
        assert f"{DATASET}@2" in out and "train 240" in out, out
        _, err = self.cli.run("dataset", "add", "broken", self.write("broken.csv", b"a,b\n1,2\n3\n"), code=1)
        assert "row 3" in err, err

    def train(self):
        settings = ["--set", "layers=16,16", "epochs=30", "batch_size=16", "learning_rate=0.01"]
        out, _ = self.cli.run("train", "mlp", "--data", f"{DATASET}@1", "--name", "iris", *settings, "seed=1", "--follow")
        assert "epoch 30/30" in out and "loss" in out and "samples/s" in out and "iris@1" in out, out
        code, seen = self.cli.on_terminal("train", "mlp", "--data", f"{DATASET}@1", "--name", "iris", *settings, "seed=2",
                                          "--follow")
        assert code == 0 and "epoch 30/30" in seen and "ETA" in seen and "iris@2" in seen, seen
        first, second = (self.cli.json("model", "show", f"iris@{v}") for v in (1, 2))
        assert first["files"] != second["files"], "another seed gave the same weights"
        job = self.cli.run("train", "mlp", "--data", f"{DATASET}@1", "--name", "again", *settings, "seed=1")[0].strip()
        done = self.cli.json("job", "follow", job)
        assert done["status"] == "succeeded", done
        twin = self.cli.json("model", "show", "again@1")
        assert twin["files"]["model.safetensors"] == first["files"]["model.safetensors"], "the same seed gave other weights"
        _, err = self.cli.run("train", "mlp", "--data", DATASET, "--name", "x", "--set", "epochs=0", code=1)
        assert "epochs" in err, err

    def interrupt(self):
        """Ctrl-C while following leaves the job running; it can be cancelled and resumed."""
        code, seen = self.cli.on_terminal("train", "mlp", "--data", f"{DATASET}@1", "--name", "long", "--set", "epochs=100000",
                                          "batch_size=8", "--follow", interrupt_after=b"epoch 1")
        assert code == 130 and "atelier job follow job_" in seen, (code, seen[-500:])
        job = seen[seen.rindex("atelier job follow ") + len("atelier job follow "):].split()[0]
        assert self.cli.json("job", "show", job)["status"] == "running"
        self.cli.run("job", "cancel", job)
        assert self.server.wait_job(job)["status"] == "cancelled"
        self.cli.run("job", "resume", job)
        self.cli.run("job", "cancel", job)
        assert self.server.wait_job(job)["status"] == "cancelled"
        assert job in self.cli.run("job", "list", "--status", "cancelled")[0]
        self.cli.run("job", "logs", job)

    def evaluate(self):
        done = self.cli.json("evaluate", "iris@1", "--data", f"{DATASET}@1", "--errors", "--slice", "petal length")
        accuracy = done["metrics"]["accuracy"]
        assert accuracy >= 0.9, f"accuracy {accuracy}"
        assert done["metrics"]["intervals"]["accuracy"][0] <= accuracy, done["metrics"]["intervals"]
        assert len(done["errors"]["slices"]) > 1, done["errors"]
        out, _ = self.cli.run("evaluate", "iris@1", "--data", f"{DATASET}@1", "--split", "train")
        assert "accuracy" in out, out
        evaluations = self.server.request("GET", "/v1/evaluations?model=iris").json()["data"]
        assert len(evaluations) == 2, evaluations
        assert "McNemar" in self.cli.run("evaluate", "compare", done["id"], done["id"])[0]
        _, err = self.cli.run("deploy", "iris@1", "--as", "gated", "--gate", "accuracy<=0.01", code=1)
        assert "gate_failed" in err, err

    def search(self):
        small = ["--set", "layers=8", "--set", "epochs=2"]
        job = self.cli.json("train", "mlp", "--data", f"{DATASET}@1", "--folds", "3", *small, "--follow")
        assert len(job["result"]["metrics"]["accuracy"]["values"]) == 3, job["result"]
        job = self.cli.json("search", "mlp", "--data", f"{DATASET}@1", "--name", "searched", *small, "--strategy", "grid",
                            "--space", "learning_rate=0.0001,0.02", "--follow")
        assert job["result"]["search"]["best"]["settings"] == {"learning_rate": 0.02}, job["result"]["search"]
        assert len(self.server.request("GET", f"/v1/jobs?parent={job['id']}").json()["data"]) == 2
        assert "searched" in self.cli.run("model", "list")[0]

    def registry(self):
        out, _ = self.cli.run("model", "list")
        assert "iris" in out and "mlp" in out, out
        self.cli.run("model", "alias", "iris", "production", "1")
        assert "production=1" in self.cli.run("model", "show", "iris")[0]
        card, _ = self.cli.run("model", "card", "iris@production")
        assert DATASET in card and "iris" in card, card
        self.cli.run("model", "download", "iris@production", "--to", self.path("got"))
        files = self.cli.json("model", "show", "iris@1")["files"]
        for name, file in files.items():
            with open(self.path(f"got/{name}"), "rb") as handle:
                assert hashlib.sha256(handle.read()).hexdigest() == file["sha256"], name

    def deploy(self):
        out, _ = self.cli.run("deploy", "iris@production", "--as", "flowers", "--max-batch", "8", "--max-delay-us", "200")
        assert "ready" in out, out
        self.cli.run("deploy", "iris@2", "--as", "flowers")
        assert self.served() == [(2, 100)], self.served()
        self.cli.run("rollback", "flowers")
        assert self.served() == [(1, 100)], self.served()
        self.cli.run("deploy", "iris", "--as", "flowers", "--traffic", "1=90,2=10")
        assert self.served() == [(1, 90), (2, 10)], self.served()
        self.cli.run("rollback", "flowers")
        _, err = self.cli.run("model", "delete", "iris", code=1)
        assert "in_use" in err, err
        assert "flowers" in self.cli.run("deployments")[0]

    def served(self):
        """Versions and weights; a version that still drains is not served any more."""
        versions = self.server.request("GET", "/v1/deployments/flowers").json()["versions"]
        return sorted((v["version"], v["weight"]) for v in versions if v["status"] != "stopping")

    def predict(self):
        numbers = ",".join(map(str, SETOSA))
        record = ",".join(f"{name}={value}" for name, value in zip(COLUMNS, VIRGINICA))
        out, _ = self.cli.run("predict", "flowers", numbers, record, json.dumps(VIRGINICA), "--top", "2")
        lines = out.splitlines()
        assert [line.count("setosa") > 0 for line in lines[1:]].index(True) == 0 and len(lines) == 4, out
        rows = self.write("rows.json", json.dumps({"inputs": [SETOSA, VIRGINICA]}).encode())
        answer = self.cli.json("predict", "flowers", f"@{rows}")
        assert [p["label"] for p in answer["data"]] == ["setosa", "virginica"], answer
        self.answers = self.ask()
        assert [p["label"] for p in self.answers] == ["setosa", "virginica"], self.answers
        _, err = self.cli.run("predict", "flowers", "1,2", code=1)
        assert err.startswith("error: "), err
        names = [m["id"] for m in self.server.request("GET", "/v1/models").json()["data"]]
        assert "flowers" in names, names

    def ask(self):
        body = {"model": "flowers", "inputs": [SETOSA, VIRGINICA], "top_k": 3}
        answer = self.server.request("POST", "/v1/predict", body)
        assert answer.status == 200, answer
        return answer.json()["data"]

    def open_inference(self):
        for target in ("/v2/health/live", "/v2/health/ready", "/v2/models/flowers/ready"):
            assert self.server.request("GET", target).status == 200, target
        metadata = self.server.request("GET", "/v2/models/flowers").json()
        tensor = metadata["inputs"][0]
        if len(metadata["inputs"]) == 1:
            inputs = [{"name": tensor["name"], "datatype": tensor["datatype"], "shape": [2, 4], "data": SETOSA + VIRGINICA}]
        else:
            inputs = [{"name": t["name"], "datatype": t["datatype"], "shape": [2, 1], "data": [SETOSA[i], VIRGINICA[i]]}
                      for i, t in enumerate(metadata["inputs"])]
        answer = self.server.request("POST", "/v2/models/flowers/infer", {"id": "7", "inputs": inputs})
        assert answer.status == 200 and answer.json()["id"] == "7", answer
        values = answer.json()["outputs"][0]["data"]
        expected = {p["index"]: p["probability"] for p in self.answers[0]["top"]}
        assert all(abs(values[i] - expected[i]) < 1e-5 for i in range(3)), (values, expected)

    def keys(self):
        secret = self.cli.run("key", "create", "\u5ba2\u6237", "--expires", "1h")[0].strip()
        with_key = {"ATELIER_API_KEY": secret}
        self.cli.run("predict", "flowers", "5,3.4,1.5,0.2", environment=with_key)
        self.cli.run("key", "list", code=1, environment=with_key)
        keys = self.cli.json("key", "list")
        assert secret not in json.dumps(keys)
        mine = next(key for key in keys if key["name"] == "\u5ba2\u6237")
        self.cli.run("key", "revoke", mine["id"])
        self.cli.run("dataset", "list", code=1, environment=with_key)

    def pictures(self):
        for i in range(24):
            label, value = ("dark", i * 4) if i % 2 else ("light", 150 + i * 4)
            self.write(f"pictures/{label}/{i}.png", png(8, 8, value=value))
        out, _ = self.cli.run("dataset", "add", "pictures", self.path("pictures"), "--split", "0.75,0,0.25")
        assert "24 rows" in out and "dark, light" in out, out
        self.cli.run("train", "cnn", "--data", "pictures", "--name", "shade", "--follow", "--set",
                     "layers=conv4x3,pool2,dense16", "epochs=20", "batch_size=4", "learning_rate=0.01")
        self.cli.run("deploy", "shade")
        out, _ = self.cli.run("predict", "shade", self.path("pictures/dark/1.png"), self.path("pictures/light/22.png"))
        lines = out.splitlines()
        assert "dark" in lines[1].split("  ", 1)[1] and "light" in lines[2].split("  ", 1)[1], out

    def restart(self):
        """What was acknowledged is there again, after a stop and after a kill."""
        before = [self.server.request("GET", target).json()
                  for target in ("/v1/datasets", "/v1/registry/models", "/v1/evaluations", "/v1/jobs", "/v1/files")]
        for how in (signal.SIGTERM, signal.SIGKILL):
            code = self.server.stop(how)
            assert code == (0 if how == signal.SIGTERM else -9), f"exit {code}"
            self.server.start()
            after = [self.server.request("GET", target).json()
                     for target in ("/v1/datasets", "/v1/registry/models", "/v1/evaluations", "/v1/jobs", "/v1/files")]
            assert before == after, "a restart changed what is kept"
            assert self.server.wait_ready("flowers")["status"] == "ready"
            assert self.ask() == self.answers, "a restart changed the answers"

    def remove(self):
        self.cli.run("undeploy", "flowers")
        self.cli.run("predict", "flowers", "1,2,3,4", code=1)
        self.cli.run("model", "delete", "iris")
        self.cli.run("dataset", "delete", DATASET)
        self.cli.run("dataset", "show", DATASET, code=1)


STEPS = ["exit_codes", "add_data", "train", "interrupt", "evaluate", "search", "registry", "deploy", "predict", "open_inference",
         "keys", "pictures", "restart", "remove"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server-binary", required=True)
    parser.add_argument("--keep", action="store_true", help="leave the data folder behind")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is stopped, too
    server = Server(arguments.server_binary)
    passed = 0
    try:
        with tempfile.TemporaryDirectory(prefix="atelier-e2e-") as folder:
            loop = Loop(server.start(), folder)
            for step in STEPS:
                begin = time.monotonic()
                getattr(loop, step)()
                passed += 1
                print(f"ok   {step} ({time.monotonic() - begin:.2f} s)", flush=True)
    except Exception as error:  # noqa: BLE001: whatever it is, the log of the server explains it
        print(f"FAIL {STEPS[min(passed, len(STEPS) - 1)]}: {error!r}\n{server.log_text()[-2000:]}")
        raise
    finally:
        if arguments.keep:
            server.stop()
            print(f"left behind: {server.data_dir}")
        else:
            server.remove()
        print(f"{passed} passed, {len(STEPS) - passed} failed")


if __name__ == "__main__":
    main()
