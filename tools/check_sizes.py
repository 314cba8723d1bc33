#!/usr/bin/env python3
"""Fails on files, functions and parameter lists that are too long (DESIGN: style)."""
import ast
import re
import sys

import source_files

FILE_LINES, TEST_LINES, FUNCTION_LINES, PARAMETERS = 500, 800, 70, 5
SUFFIXES = (".h", ".cpp", ".py", ".sh", ".cmake", ".proto", ".ts", ".tsx", "/dev", "CMakeLists.txt")
SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b")
TOKEN = re.compile(r"[{};]")
LABELS = re.compile(r"\s*((public|private|protected):\s*)*")
NO_PARAMETERS = re.compile(r"\b(noexcept|alignas|decltype|requires)\s*\([^()]*\)")
INITIALISER = re.compile(r"\)\s*(noexcept\s*)?:(?!:)[^{}]*\w$")
ASSIGNED = re.compile(r"[^=!<>]=\s*$")


def is_test(name):
    return name.startswith("tests/") or re.search(r"_test\.(cpp|py)$", name) is not None


def parameter_list(head):
    """What stands between the parentheses that follow the function's name."""
    head = NO_PARAMETERS.sub("", head.replace("operator()", "operator"))
    start = head.find("(") + 1
    depth = 1
    for i in range(start, len(head)):
        depth += {"(": 1, ")": -1}.get(head[i], 0)
        if depth == 0:
            return head[start:i]
    return ""


def count_parameters(parameters):
    depth, count = 0, 1 if parameters.strip() not in ("", "void") else 0
    for character in parameters:
        depth += {"(": 1, "[": 1, "{": 1, "<": 1, ")": -1, "]": -1, "}": -1, ">": -1}.get(character, 0)
        count += character == "," and depth == 0
    return count


def kind_of_brace(head):
    """What the brace after `head` opens, where all around are namespaces and types."""
    head = re.sub(r"\{[^{}]*\}", "", NO_PARAMETERS.sub("", head))
    if "(" not in head:
        return "scope" if SCOPE.search(head) else "inner"
    if INITIALISER.search(head):
        return "initialiser"
    return "inner" if ASSIGNED.search(head) else "function"


def cpp_functions(text):
    """(line of the start, lines, name, parameters) of each function with a body; right for our formatting."""
    text = source_files.without_noise(text)
    stack, last = [], 0  # of the open braces: (kind, start of the function, its head)
    for match in TOKEN.finditer(text):
        kind = None
        if match[0] == "{":
            head = text[last:match.start()]
            kind = kind_of_brace(head) if all(entry[0] == "scope" for entry in stack) else "inner"
            begin = last + LABELS.match(head).end()
            stack.append((kind, begin, text[begin:match.start()].strip()))
        elif match[0] == "}" and stack:
            kind, begin, head = stack.pop()
            if kind == "function":
                name = re.sub(r"\s+", " ", head)[:60]
                lines = text.count("\n", begin, match.end()) + 1
                yield text.count("\n", 0, begin) + 1, lines, name, count_parameters(parameter_list(head))
        # A constructor's `: member_{value}` belongs to the head of its body.
        if kind != "initialiser" and all(entry[0] != "initialiser" for entry in stack):
            last = match.end()


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            count = len(node.args.args) + len(node.args.kwonlyargs) - (node.args.args[:1] != []
                                                                        and node.args.args[0].arg == "self")
            yield node.lineno, node.end_lineno - node.lineno + 1, node.name, count


def violations(name, text):
    lines = text.count("\n")
    limit = TEST_LINES if is_test(name) else FILE_LINES
    if lines > limit:
        yield f"{name}: {lines} lines, at most {limit}"
    functions = python_functions if name.endswith(".py") else cpp_functions if name.endswith((".h", ".cpp")) else None
    for line, length, function, parameters in functions(text) if functions else ():
        if length > FUNCTION_LINES:
            yield f"{name}:{line}: {length} lines, at most {FUNCTION_LINES}: {function}"
        # Python passes options by name.
        if parameters > PARAMETERS and not name.endswith(".py"):
            yield f"{name}:{line}: {parameters} parameters, at most {PARAMETERS}: {function}"


def main():
    found = []
    for path in source_files.tracked(*SUFFIXES, "dev"):
        name = path.relative_to(source_files.ROOT).as_posix()
        if name.endswith(SUFFIXES) or name == "dev":
            found += violations(name, path.read_text(encoding="utf-8"))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
