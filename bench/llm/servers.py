"""The two servers: ours through its front door, and llama-server. Both say what to ask, what memory they hold and how
long they took to be ready."""

import os
import pathlib
import re
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests"))

from common.atelier import Server  # noqa: E402
from load import Target  # noqa: E402

POLL_S = 0.01
READY_S = 900
SLOT_TOKENS = {9: 2048, 64: 256}  # of the peer, by its number of slots


def memory_of(pid):
    """Proportional and resident bytes of a process."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return {name: int(re.search(rf"^{key}:\s+(\d+)", text, re.M)[1]) * 1024
            for name, key in (("proportional", "Pss"), ("resident", "Rss"))}


def children_of(pid):
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            status, command = (folder / "status").read_text(), (folder / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if re.search(rf"^PPid:\s+{pid}$", status, re.M):
            yield int(folder.name), command


def until(condition, what, seconds=READY_S):
    """Polls; the seconds that it took."""
    begin = time.perf_counter()
    while not condition():
        if time.perf_counter() - begin > seconds:
            raise TimeoutError(f"{what} after {seconds} s")
        time.sleep(POLL_S)
    return time.perf_counter() - begin


def timed(work):
    """The seconds that work() takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


class Ours:
    """`atelier serve` on a data folder that stays between runs, so that models are imported once."""

    def __init__(self, binary, folder, threads, kv_mib=1024):
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        self.server = Server(binary, data_dir=str(folder))
        self.settings = {"threads": threads, "context": 4096, "max_running": 64, "kv_bytes": kv_mib << 20}

    def start(self):
        self.server.start()
        return self

    def stop(self):
        self.server.stop()

    def call(self, method, path, body=None, expect=200):
        answer = self.server.request(method, path, body, timeout=READY_S)
        if answer.status != expect:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.body[:500]}")
        return answer.json()

    def import_model(self, name, path):
        if self.server.request("GET", f"/v1/registry/models/{name}").status == 200:
            return
        environment = {**os.environ, "ATELIER_DATA_DIR": self.server.data_dir}
        done = subprocess.run([self.server.binary, "model", "import", str(path), "--name", name], env=environment,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{path} was not imported: {done.stderr[-2000:]}")

    def state(self, name):
        return self.call("GET", f"/v1/deployments/{name}")["status"]

    def deploy(self, name, model, **settings):
        """The seconds until it is ready."""
        body = {"name": name, "model": model, "settings": {**self.settings, **settings}}
        return timed(lambda: (self.call("POST", "/v1/deployments", body), self.wait_ready(name)))

    def wait_ready(self, name):
        def settled():
            state = self.state(name)
            if state == "failed":
                raise RuntimeError(f"the deployment {name} failed: {self.server.log_text()[-2000:]}")
            return state == "ready"
        until(settled, f"the deployment {name} is not ready")

    def undeploy(self, name):
        if self.server.request("DELETE", f"/v1/deployments/{name}").status == 404:
            return
        until(lambda: not self.workers(), "workers are still there")

    def clear(self):
        """Takes away what an earlier run has left deployed."""
        for deployment in self.call("GET", "/v1/deployments")["data"]:
            self.server.request("DELETE", f"/v1/deployments/{deployment['name']}")

    def workers(self):
        return [pid for pid, command in children_of(self.server.process.pid) if "worker" in command]

    def memory(self):
        gateway = memory_of(self.server.process.pid)
        workers = [memory_of(pid) for pid in self.workers()]
        return {key: gateway[key] + sum(worker[key] for worker in workers) for key in gateway} | {
            "gateway": gateway["proportional"], "worker": sum(worker["proportional"] for worker in workers)}

    def target(self, name):
        return Target(self.server.port, name, {"Authorization": f"Bearer {self.server.key}"})

    def metrics(self):
        """{name: sum over all its series}."""
        text = self.server.request("GET", "/metrics").body.decode()
        found = {}
        for name, value in re.findall(r"^([a-zA-Z_:]+)(?:\{[^\n]*\})? ([\d.e+-]+)$", text, re.M):
            found[name] = found.get(name, 0) + float(value)
        return found

    def schema(self, schema):
        return {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}}


class Peer:
    """llama-server with one model."""

    def __init__(self, folder, model, threads, slots, log):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = log
        self.command = [os.path.join(folder, "llama-server"), "-m", str(model), "--host", "127.0.0.1", "--port",
                        str(self.port), "-t", str(threads), "-np", str(slots), "-c", str(slots * SLOT_TOKENS[slots]),
                        "--no-webui"]
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        self.ready_s = until(self.healthy, "llama-server is not ready")
        return self

    def healthy(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"llama-server ended with {self.process.returncode}; see {self.log}")
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return connection.recv(64).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def memory(self):
        return memory_of(self.process.pid)

    def target(self, name):
        return Target(self.port, name)

    def schema(self, schema):
        return {"json_schema": schema}


def model_name(shape, form):
    return f"{shape}-{form}"
