#!/usr/bin/env python3
"""The generative engine's speed, beside llama.cpp where its programs are given. See bench/README.md.

    ninja -C build atelier llm_bench llm_model
    python3 -B bench/llm/run.py --work FOLDER [--peer FOLDER] [--section engine,serving,start,speculation,soak]
"""

import argparse
import datetime
import pathlib
import platform
import re
import subprocess

import engine
import servers
from models import FORMATS, SMOKE, VOCABULARIES, Models
from report import Report
from serving import measure_serving
from soak import measure_soak
from speculation import measure_speculation
from start import measure_start

SECTIONS = (*engine.SECTIONS, "serving", "start", "speculation", "soak")
ROOT = pathlib.Path(__file__).resolve().parents[2]


def listed(choices=None, kind=str):
    def parse(text):
        values = [kind(value) for value in text.split(",")]
        if choices and (wrong := [value for value in values if value not in choices]):
            raise argparse.ArgumentTypeError(f"{wrong[0]} is none of {', '.join(choices)}")
        return values
    return parse


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--work", type=pathlib.Path, required=True, help="folder for models, data and figures; about 20 GB for everything")
    add("--peer", type=pathlib.Path, help="folder of llama-bench, llama-batched-bench and llama-server")
    add("--build", type=pathlib.Path, default=ROOT / "build" / "bin", help="folder of our programs")
    add("--section", type=listed(("engine", *SECTIONS)), default=["engine", "serving", "start", "speculation"],
        help="of engine (prefill, decode, depth, batched), serving, start, speculation, soak")
    add("--models", type=listed(VOCABULARIES), default=[shape for shape in VOCABULARIES if shape != SMOKE])
    add("--formats", type=listed(FORMATS), default=list(FORMATS))
    add("--threads", type=listed(kind=int), default=[1, 2], help="of the engine; servers take the most")
    add("--rounds", type=int, default=5)
    add("--case", default="", help="only those cases of serving whose name has this in it")
    add("--minutes", type=float, default=10, help="of the soak")
    add("--soak-kv-mib", type=int, default=192, help="its pages count as memory from their first use on: soon full")
    add("--prompt", type=int, default=engine.PROMPT)
    add("--answer", type=int, default=engine.ANSWER)
    add("--depth", type=int, default=engine.DEPTH)
    add("--stream-answer", type=int, default=engine.STREAM_ANSWER)
    add("--streams", type=listed(kind=int), default=[1, 4, 8, 16, 32])
    arguments = parser.parse_args()
    if "engine" in arguments.section:
        arguments.section += engine.SECTIONS
    arguments.work = arguments.work.resolve()
    arguments.atelier = str(arguments.build / "atelier")
    arguments.sizes = argparse.Namespace(**{name: getattr(arguments, name) for name in (
        "prompt", "answer", "depth", "stream_answer", "streams")})
    return arguments


def processor():
    found = re.search(r"^model name\s*: (.+)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return found[1] if found else platform.machine()


def found_in(command, pattern):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(pattern, done.stdout + done.stderr, re.M)
    return found[1] if found else "unknown"


def print_head(arguments, report):
    commit = found_in(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], "^(.+)$")
    peer = found_in([arguments.peer / "llama-server", "--version"], "^version: (.+)$") if arguments.peer else "none"
    report.keep("head", {"date": str(datetime.date.today()), "processor": processor(), "commit": commit, "peer": peer})
    report.note(f"{datetime.date.today()}, {processor()}, atelier {commit}, peer: {peer}")


def measure_with_server(arguments, models, report):
    ours = servers.Ours(arguments.atelier, arguments.work / "data", max(arguments.threads)).start()
    try:
        ours.clear()
        if "serving" in arguments.section:
            measure_serving(arguments, models, ours, report)
        if "speculation" in arguments.section:
            measure_speculation(arguments, models, ours, report)
        if "soak" in arguments.section:
            measure_soak(arguments, models, ours, report)
    finally:
        ours.stop()


def main():
    arguments = parse_arguments()
    models = Models(arguments.build / "llm_model", arguments.work / "models")
    report = Report(arguments.work / f"figures-{datetime.datetime.now():%Y%m%d-%H%M%S}.json")
    print_head(arguments, report)
    if set(arguments.section) & set(engine.SECTIONS):
        ours = engine.Ours(arguments.build / "llm_bench")
        peer = engine.Peer(arguments.peer) if arguments.peer else None
        engine.measure_engine(arguments, models, ours, peer, report)
    if "start" in arguments.section:
        measure_start(arguments, models, report)
    if {"serving", "speculation", "soak"} & set(arguments.section):
        measure_with_server(arguments, models, report)
    print(f"\nall figures: {report.path}")


if __name__ == "__main__":
    main()
