#!/usr/bin/env python3
"""Turns spec/settings.yaml into base/settings.h and base/settings.cpp, and into docs/guides/settings.md.

usage: generate_settings.py SPEC --cpp FOLDER      writes FOLDER/settings.h and FOLDER/settings.cpp
       generate_settings.py SPEC --markdown FILE   writes the guide
"""
import argparse
import json
import pathlib
import re
import sys

import yaml

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
DURATIONS = {"": 1, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
SIZES = {"": 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
CPP_TYPES = {
    "string": "std::string", "int": "int64_t", "double": "double", "bool": "bool", "path": "std::filesystem::path",
    "duration_ms": "int64_t", "bytes": "int64_t", "enum": "std::string", "list": "std::vector<std::string>",
}
ENUMERATORS = {
    "string": "kString", "int": "kInt", "double": "kDouble", "bool": "kBool", "path": "kPath",
    "duration_ms": "kDurationMs", "bytes": "kBytes", "enum": "kEnum", "list": "kList",
}
KEYS = {"name", "flag", "type", "default", "min", "max", "choices", "help"}
INTEGERS = ("int", "duration_ms", "bytes")


def number(setting, key, fallback):
    """The value of `key` as the number that the program holds."""
    value = setting.get(key, fallback)
    units = {"duration_ms": DURATIONS, "bytes": SIZES}.get(setting["type"])
    if units is None or isinstance(value, int):
        return value
    match = re.fullmatch(r"(\d+) ?([A-Za-z]*)", str(value))
    if match is None or match[2] not in units:
        raise ValueError(f"{key} {value!r} is not a {setting['type']}")
    return int(match[1]) * units[match[2]]


def check(setting):
    """Refuses a row that would generate wrong code, and fills in what may be left out."""
    if unknown := set(setting) - KEYS:
        raise ValueError(f"unknown keys {sorted(unknown)}")
    if not re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*", setting["name"]):
        raise ValueError("the name must be lower case words with dots between")
    kind = setting["type"]
    if kind not in CPP_TYPES:
        raise ValueError(f"unknown type {kind}")
    setting.setdefault("flag", re.sub(r"[._]", "-", setting["name"]))
    setting["environment"] = "ATELIER_" + setting["name"].replace(".", "_").upper()
    setting["member"] = setting["name"].replace(".", "_")
    if (kind == "enum") != ("choices" in setting):
        raise ValueError("`choices` belongs to an enum, and an enum needs it")
    if kind == "enum" and setting["default"] not in setting["choices"]:
        raise ValueError("the default is not one of the choices")
    expected = {"bool": bool, "list": list, "string": str, "path": str, "enum": str}.get(kind, (int, float, str))
    if not isinstance(setting["default"], expected):
        raise ValueError(f"the default is not a {kind}")
    if kind in INTEGERS or kind == "double":
        low, high = number(setting, "min", INT64_MIN), number(setting, "max", INT64_MAX)
        if not low <= number(setting, "default", None) <= high:
            raise ValueError("the default is out of range")


def load(path):
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    seen = {}
    for setting in settings:
        try:
            check(setting)
            for key in ("flag", "environment"):
                if other := seen.get((key, setting[key])):
                    raise ValueError(f"the {key} {setting[key]} is also that of {other}")
                seen[key, setting[key]] = setting["name"]
        except (KeyError, ValueError) as error:
            sys.exit(f"{path}: {setting.get('name', '?')}: {error}")
    return settings


def quote(text):
    return json.dumps(str(text))


def literal(setting):
    """The default as C++."""
    kind, value = setting["type"], setting["default"]
    if kind == "bool":
        return "true" if value else "false"
    if kind == "list":
        return "{" + ", ".join(quote(item) for item in value) + "}"
    if kind in INTEGERS:
        return str(number(setting, "default", None))
    return repr(float(value)) if kind == "double" else quote(value)


def text(setting):
    value = setting["default"]
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else (
        ",".join(value) if isinstance(value, list) else str(value))


def header(settings):
    members = "\n".join(
        f"  {CPP_TYPES[s['type']]} {s['member']} = {literal(s)};  // {s['help']}".replace(" = {};", ";")
        for s in settings)
    return f"""// Generated from spec/settings.yaml; do not edit.
#pragma once

#include <array>

#include "base/settings_types.h"

namespace atelier {{

struct Settings {{
{members}
}};

extern const std::array<SettingDescriptor, {len(settings)}> kSettings;

}}  // namespace atelier
"""


def int64(value):
    return "INT64_MIN" if value == INT64_MIN else f"INT64_C({value})"


def row(setting):
    kind = setting["type"]
    low, high = (number(setting, "min", INT64_MIN), number(setting, "max", INT64_MAX)) if kind in INTEGERS else (0, 0)
    bounds = (float(setting.get("min", -1.7e308)), float(setting.get("max", 1.7e308))) if kind == "double" else (0, 0)
    cells = [quote(setting["name"]), quote(setting["flag"]), quote(setting["environment"]),
             f"SettingType::{ENUMERATORS[kind]}", f"&Settings::{setting['member']}", quote(text(setting)),
             int64(low), int64(high), repr(bounds[0]), repr(bounds[1]),
             quote(", ".join(setting.get("choices", []))), quote(setting["help"])]
    return "    {" + ", ".join(cells) + "},"


def source(settings):
    rows = "\n".join(row(s) for s in settings)
    return f"""// Generated from spec/settings.yaml; do not edit.
#include "base/settings.h"

namespace atelier {{

constexpr std::array<SettingDescriptor, {len(settings)}> kSettings{{{{
{rows}
}}}};

}}  // namespace atelier
"""


def markdown(settings):
    lines = ["# Settings", "", "<!-- Generated from spec/settings.yaml by `./dev fmt`; do not edit. -->", "",
             "A flag wins over an environment variable, that over the YAML file of `--config`, that over the default.",
             "Durations are milliseconds or carry a unit (`250ms`, `30s`, `5m`, `2h`); so do sizes (`64KiB`, `8GiB`).",
             "", "| file key | flag | environment | type | default | what |", "|---|---|---|---|---|---|"]
    for s in settings:
        kind = "one of " + ", ".join(s["choices"]) if s["type"] == "enum" else s["type"].replace("_ms", "")
        limits = [f"{name} {s[key]}" for key, name in (("min", "at least"), ("max", "at most")) if key in s]
        lines.append(f"| `{s['name']}` | `--{s['flag']}` | `{s['environment']}` | {kind}"
                     f"{' (' + ', '.join(limits) + ')' if limits else ''} | {'`' + text(s) + '`' if text(s) else ''} "
                     f"| {s['help']} |")
    return "\n".join(lines) + "\n"


def write(path, content):
    """Leaves an unchanged file alone, so that nothing is compiled again for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != content:
        path.write_text(content, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("spec", type=pathlib.Path)
    parser.add_argument("--cpp", type=pathlib.Path)
    parser.add_argument("--markdown", type=pathlib.Path)
    arguments = parser.parse_args()
    settings = load(arguments.spec)
    if arguments.cpp:
        write(arguments.cpp / "settings.h", header(settings))
        write(arguments.cpp / "settings.cpp", source(settings))
    if arguments.markdown:
        write(arguments.markdown, markdown(settings))


if __name__ == "__main__":
    main()
