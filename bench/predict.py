"""Requests per second and latency of POST /v1/predict, with batching on and off.

python3 bench/predict.py MODEL... [--seconds 5] [--rounds 3]
Needs a running server (ATELIER_URL, ATELIER_DATA_DIR), image models of 28x28 input in its registry, and `wrk`.
Each model is deployed twice, with max_batch 32 and with max_batch 1; the two alternate within a round and the medians of
the rounds are printed. The gateway's own time comes from its histogram atelier_gateway_overhead_seconds.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time
import urllib.request

URL = os.environ.get("ATELIER_URL", "http://127.0.0.1:8080")
DATA_DIR = pathlib.Path(os.environ["ATELIER_DATA_DIR"])
KEY = (DATA_DIR / "owner.key").read_text().strip()
CONNECTIONS = (1, 8, 64)
LUA = """
wrk.method = "POST"
wrk.headers["Authorization"] = "Bearer %s"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [==[%s]==]
"""


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, {"Authorization": "Bearer " + KEY, "Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode()


def deploy(name, model, max_batch):
    call("POST", "/v1/deployments", {"name": name, "model": model, "settings": {"max_batch": max_batch}})
    for _ in range(600):
        if json.loads(call("GET", "/v1/deployments/" + name))["status"] == "ready":
            return
        time.sleep(0.1)
    raise SystemExit(f"{name} did not become ready")


def milliseconds(text):
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(value) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit]


def wrk(name, connections, seconds):
    """Requests per second, p50 and p99 in milliseconds, failed answers."""
    pixels = [[(7 * x * y) % 256 for x in range(28)] for y in range(28)]
    body = json.dumps({"model": name, "inputs": [pixels], "top_k": 1}, separators=(",", ":"))
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(LUA % (KEY, body))
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script.name, URL + "/v1/predict"]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    percentile = {p: milliseconds(re.search(rf"\b{p}%\s+(\S+)", out).group(1)) for p in (50, 99)}
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), percentile[50], percentile[99], int(failed[1]) if failed else 0


def overhead_buckets():
    """Cumulative counts by upper bound in seconds."""
    found = re.findall(r'^atelier_gateway_overhead_seconds_bucket\{.*?le="([^"]+)"\} ([\d.e+]+)', call("GET", "/metrics"), re.M)
    total = {}
    for bound, count in found:
        total[float(bound)] = total.get(float(bound), 0) + float(count)
    return total


def median_bound(before, after):
    """The upper bound of the bucket that holds the median of what came between two readings."""
    counts = {bound: after[bound] - before.get(bound, 0) for bound in sorted(after)}
    whole = counts[float("inf")]
    return next(bound for bound, count in counts.items() if count >= whole / 2)


def gateway_memory():
    pid = subprocess.run(["pgrep", "-f", f"atelier serve --data-dir {DATA_DIR}"], capture_output=True, text=True).stdout.split()[0]
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="+")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    names = {}
    for model in arguments.models:
        for label, max_batch in (("on", 32), ("off", 1)):
            names[model, label] = f"bench-{model}-{label}"
            deploy(names[model, label], model, max_batch)
    print("| model | batching | connections | requests/s | p50 ms | p99 ms | failed | gateway's own time, p50 below ms |")
    print("|---|---|---|---|---|---|---|---|")
    for connections in CONNECTIONS:
        runs = {key: [] for key in names}
        own = {key: [] for key in names}
        for _ in range(arguments.rounds):
            for key, name in names.items():
                before = overhead_buckets()
                runs[key].append(wrk(name, connections, arguments.seconds))
                own[key].append(median_bound(before, overhead_buckets()) * 1e3)
        for (model, label), results in runs.items():
            rate, p50, p99, failed = (statistics.median(column) for column in zip(*results))
            print(f"| {model} | {label} | {connections} | {rate:.0f} | {p50:.2f} | {p99:.2f} | {failed:.0f} | {statistics.median(own[model, label]):.2f} |")
    print(f"\ngateway: {gateway_memory():.1f} MB resident")
    for name in names.values():
        call("DELETE", "/v1/deployments/" + name)


main()
