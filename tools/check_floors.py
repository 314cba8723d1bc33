#!/usr/bin/env python3
"""Fails when a file under src/ or apps/ includes what its floor may not (DESIGN: the house)."""
import re
import sys

import source_files

# A module is the longest folder that matches.
FLOORS = {
    "base": 0,
    "storage": 1, "tensor": 1, "text": 1, "media": 1,
    "access": 2, "registry": 2, "jobs": 2, "data": 2, "data/images": 2, "families": 2, "families/spec": 2, "engine": 2,
    "hub": 2, "learning/metrics": 2,
    "learning": 3, "learning/spec": 3, "learning/evaluation": 3, "learning/search": 3, "serving": 3,
    "api": 4,
}
# Parts of one module that are targets of their own, and families, which learn from the rows that data
# reads.
NEIGHBOURS = {("data/images", "data"), ("families", "families/spec"), ("learning", "learning/spec"),
              ("learning", "learning/evaluation"), ("families", "data"), ("families/spec", "data")}
# Libraries that only some may see: the pattern of the include, and where it may stand.
LIBRARIES = [
    (re.compile(r"(torch|ATen|c10)/"), ("families", "learning", "apps/atelier-torch")),
    (re.compile(r"opencv2?/"), ("media", "data/images/tests")),
    (re.compile(r"boost/beast"), ("api", "apps/")),
    (re.compile(r"curl/"), ("hub",)),
]
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)
LINE_COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)


def module_of(path):
    """The module of a path such as src/families/spec/mlp.h, or of an include such as families/spec/mlp.h."""
    parts = path.removeprefix("src/").split("/")[:-1]
    if path.startswith("apps/"):
        return "/".join(parts[:2])
    for length in range(len(parts), 0, -1):
        if (name := "/".join(parts[:length])) in FLOORS:
            return name
    return None


def allowed(user, used):
    if user == used or (user, used) in NEIGHBOURS or user.startswith("apps/"):
        return True
    return FLOORS[used] < FLOORS[user]


def violations(path, text):
    """Messages about one file; `path` is relative to the root."""
    user = module_of(path)
    if user is None:
        if path.startswith("src/"):
            yield f"{path}: not in a module; add its folder to FLOORS"
        return
    for match in INCLUDE.finditer(LINE_COMMENT.sub("", text)):
        included = match[2]
        used = module_of(included) if match[1] == '"' else None
        if used is not None and not allowed(user, used):
            yield (f"{path}: {user} (floor {FLOORS[user]}) includes {included} of {used} (floor {FLOORS[used]}); "
                   "only lower floors may be included")
        # Tests of the picture formats make the pictures that they read.
        place = user + "/tests" if path.endswith("_test.cpp") else user
        for pattern, places in LIBRARIES:
            if pattern.match(included) and not {user, place} & set(places) and user.split("/")[0] + "/" not in places:
                yield f"{path}: <{included}> may only be included in {', '.join(places)}"


def main():
    found = []
    for path in source_files.tracked(".h", ".cpp"):
        name = path.relative_to(source_files.ROOT).as_posix()
        if name.startswith(("src/", "apps/")):
            found += violations(name, path.read_text(encoding="utf-8"))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
