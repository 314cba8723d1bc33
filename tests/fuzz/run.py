#!/usr/bin/env python3
"""Runs fuzzers one after the other: run.py FOLDER SECONDS [NAME...]

FOLDER is the build's (build-fuzz): programs in bin/, seeds in seeds/; what is found grows corpus/NAME, and inputs that
break something are left in FOLDER/NAME-crash-*, -timeout-*, -oom-*. SECONDS of processor time for each. Says of each how
many inputs it ran and how much of the program they reached; ends with 1 where something broke.
"""

import os
import re
import signal
import subprocess
import sys
import time

OPTIONS = ["-rss_limit_mb=2048", "-malloc_limit_mb=1024", "-timeout=120", "-print_final_stats=1", "-max_len=16384"]
INTERRUPTED = 72  # libFuzzer's exit status after SIGINT
TICK = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def fuzz(folder, name, seconds):
    """Whether nothing broke."""
    corpus, seeds, log = (os.path.join(folder, *parts) for parts in (("corpus", name), ("seeds", name), (name + ".log",)))
    os.makedirs(corpus, exist_ok=True)
    command = [os.path.join(folder, "bin", name + "_fuzz"), *OPTIONS, f"-artifact_prefix={folder}/{name}-", corpus, seeds]
    dictionary = seeds + ".dict"
    if os.path.exists(dictionary) and os.path.getsize(dictionary):
        command.insert(1, f"-dict={dictionary}")
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
        used = 0
        try:
            while process.poll() is None:
                used = processor_seconds(process.pid)
                if used >= seconds:
                    process.send_signal(signal.SIGINT)
                    process.wait(60)
                time.sleep(0.5)
        finally:
            if process.poll() is None:
                process.kill()
    with open(log, encoding="utf-8", errors="replace") as file:
        text = file.read()
    stats = dict(re.findall(r"stat::(\w+): +(\d+)", text))
    reached = re.findall(r"cov: (\d+) ft: (\d+) corp: (\S+)", text)
    cov, features, inputs = reached[-1] if reached else ("?",) * 3
    print(f"{name}: {used:.0f} s, {stats.get('number_of_executed_units', '?')} inputs run, coverage {cov}, features "
          f"{features}, corpus {inputs}, {stats.get('peak_rss_mb', '?')} MB", flush=True)
    if process.returncode in (0, INTERRUPTED):
        return True
    start = max(text.find("ERROR:"), text.find("runtime error:"), 0)
    print(f"{name} broke (status {process.returncode}):\n{text[start:start + 3000]}", flush=True)
    return False


def main():
    folder, seconds = os.path.abspath(sys.argv[1]), float(sys.argv[2])
    suffix = "_fuzz"
    all_names = sorted(name[:-len(suffix)] for name in os.listdir(os.path.join(folder, "bin")) if name.endswith(suffix))
    results = [fuzz(folder, name, seconds) for name in sys.argv[3:] or all_names]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
