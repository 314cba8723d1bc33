#!/usr/bin/env python3
"""Runs clang-tidy over source files in parallel, and remembers what passed.

usage: run_tidy.py BUILD_FOLDER [FILE...]    without files: every source of the build

A file is not looked at again while it, the project's headers that it includes, its command and .clang-tidy are the same.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

import source_files

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def clean_command(command):
    """The compile command without ccache and without precompiled headers, which are GCC's and not Clang's."""
    command = re.sub(r"^.*?ccache (?=\S*(c\+\+|g\+\+|cc))", "", command)
    command = re.sub(r"(-Winvalid-pch|-include \S*cmake_pch\.hxx) ", "", command)
    return command


def write_database(build, folder):
    """compile_commands.json of our own sources in `folder`; gives {path: command}."""
    entries = json.loads((build / "compile_commands.json").read_text())
    entries = [entry for entry in entries if not pathlib.Path(entry["file"]).is_relative_to(build)]
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


def tidy(folder, path, stamp):
    result = subprocess.run(["clang-tidy", "--quiet", "-p", str(folder), path], capture_output=True, text=True,
                            check=False)
    if result.returncode == 0:
        stamp.touch()
    return result.returncode, result.stdout + (result.stderr if result.returncode else "")


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    folder = build / "tidy"
    commands = write_database(build, folder)
    wanted = [str(pathlib.Path(name).resolve()) for name in sys.argv[2:]] or sorted(commands)
    fingerprints = Fingerprints(build)
    stamps = {path: folder / fingerprints.of(path, commands[path]) for path in wanted if path in commands}
    todo = {path: stamp for path, stamp in stamps.items() if not stamp.exists()}
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for status, output in pool.map(lambda item: tidy(folder, *item), todo.items()):
            failed += status != 0
            if status != 0:
                print(output, flush=True)
    print(f"clang-tidy: {len(todo)} files looked at, {len(stamps) - len(todo)} known to be good, {failed} bad")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
