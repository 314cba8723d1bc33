#!/usr/bin/env python3
"""Runs clang-tidy over source files in parallel, and remembers what passed.

usage: run_tidy.py BUILD_FOLDER [--seconds N] [FILE...]    without files: every source of the build, but no tests and
none that includes LibTorch

A file is not looked at again while it, the project's headers that it includes, its command and .clang-tidy are the same.
With --seconds no more files are begun after so long; the rest are counted, and looked at by the next run.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import source_files

# Clang 14 cannot read LibTorch 1.13's headers as C++20: an incomplete type in a vector.
UNREADABLE = "/torch/csrc/api/include"
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def clean_command(command):
    """The compile command without ccache and without precompiled headers, which are GCC's and not Clang's."""
    command = re.sub(r"^.*?ccache (?=\S*(c\+\+|g\+\+|cc))", "", command)
    command = re.sub(r"(-Winvalid-pch|-include \S*cmake_pch\.hxx) ", "", command)
    return command


def write_database(build, folder):
    """compile_commands.json of our own sources that Clang can read, in `folder`; gives {path: command}."""
    entries = json.loads((build / "compile_commands.json").read_text())
    entries = [entry for entry in entries
               if not pathlib.Path(entry["file"]).is_relative_to(build) and UNREADABLE not in entry["command"]]
    for entry in entries:
        entry["command"] = clean_command(entry["command"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "compile_commands.json").write_text(json.dumps(entries))
    return {entry["file"]: entry["command"] for entry in entries}


class Fingerprints:
    """What a file's verdict depends on."""

    def __init__(self, build):
        self.roots = [source_files.ROOT / "src", source_files.ROOT / "apps", build / "generated"]
        version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
        self.common = hashlib.sha256(version + (source_files.ROOT / ".clang-tidy").read_bytes()).digest()
        self.contents = {}

    def closure(self, path, seen):
        if path in seen:
            return
        seen.add(path)
        if path not in self.contents:
            data = path.read_bytes()
            self.contents[path] = (hashlib.sha256(data).digest(), INCLUDE.findall(data.decode("utf-8", "replace")))
        for name in self.contents[path][1]:
            for root in self.roots:
                if (root / name).is_file():
                    self.closure(root / name, seen)
                    break

    def of(self, path, command):
        seen = set()
        self.closure(pathlib.Path(path), seen)
        digest = hashlib.sha256(self.common + command.encode())
        for part in sorted(seen):
            digest.update(self.contents[part][0])
        return digest.hexdigest()


def tidy(folder, path, stamp, deadline):
    """(clang-tidy's status or None when there was no time, its output)"""
    if time.monotonic() > deadline:
        return None, ""
    result = subprocess.run(["clang-tidy", "--quiet", "-p", str(folder), path], capture_output=True, text=True,
                            check=False)
    if result.returncode == 0:
        stamp.touch()
    return result.returncode, result.stdout + (result.stderr if result.returncode else "")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    return parser.parse_intermixed_args()


def main():
    arguments = parse_arguments()
    deadline = time.monotonic() + arguments.seconds
    build = arguments.build.resolve()
    folder = build / "tidy"
    commands = write_database(build, folder)
    wanted = [str(path.resolve()) for path in arguments.files] or sorted(commands)
    fingerprints = Fingerprints(build)
    stamps = {path: folder / fingerprints.of(path, commands[path])
              for path in wanted if path in commands and not path.endswith(("_test.cpp", "_bench.cpp"))}
    todo = {path: stamp for path, stamp in stamps.items() if not stamp.exists()}
    bad = skipped = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for status, output in pool.map(lambda item: tidy(folder, *item, deadline), todo.items()):
            skipped += status is None
            bad += status not in (None, 0)
            print(output, end="", flush=True)
    print(f"clang-tidy: {len(todo) - skipped} files looked at, {bad} of them bad; {len(stamps) - len(todo)} known to be "
          f"good" + (f"; no time for {skipped}, run again or ./dev check --all" if skipped else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
