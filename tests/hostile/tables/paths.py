"""Names and paths (catalogue R): what comes from outside never becomes a path."""

import json

from hostile.harness import FunctionRow, Row, check, get, post

TRICKS = {
    "..": "..", ".": ".", "encoded ..": "%2e%2e", "encoded slashes": "a%2f..%2f..%2fetc%2fpasswd", "CON": "CON",
    "con.txt": "con.txt", "300 bytes": "n" * 300, "double encoding": "%252e%252e%252f", "..%5c": "..%5c..%5cx",
    "..;": "..;", "a space": "a%20b", "a NUL": "a%00b", "a leading dot": ".hidden", "a leading dash": "-rf",
    "an override": "a%E2%80%AEb", "a quote": "a%27b", "SQL": "x%27%20OR%20%271%27=%271", "a tilde": "~root",
}

NAMES = ["..", ".", "a/../../b", "a/b", "a\\b", "CON", "nul.txt", "n" * 129, "", " ", "a b", "-x", ".x", "a\u0000b", "a\nb",
         "a\u202eb", "a..b", "<script>", "' OR '1'='1", "a@1", "%2e%2e", "a;b", "$(x)"]

PLACES = {
    "/v1/registry/models/{}": {400, 404}, "/v1/datasets/{}": {400, 404}, "/v1/deployments/{}": {400, 404},
    "/v1/jobs/{}": {400, 404}, "/v1/files/{}": {400, 404}, "/v1/files/{}/content": {400, 404},
    "/v1/registry/models/hostile-mlp/versions/{}": {400, 404},
    "/v1/registry/models/hostile-mlp/versions/1/files/{}": {400, 404}, "/v1/datasets/hostile-rows/versions/{}": {400, 404},
}


def target_rows():
    for pattern, statuses in PLACES.items():
        for name, trick in TRICKS.items():
            yield Row(f"R2 {pattern.format(name)}", get(pattern.format(trick)), statuses)


def body_rows():
    for name in NAMES:
        shown = repr(name[:12])
        files = [{"file_id": "@FILE@", "path": "a.csv"}]
        yield Row(f"R2 a data set called {shown}", post("/v1/datasets", json.dumps({"name": name, "files": files})), 400)
        train = {"kind": "train", "family": "mlp", "dataset": "hostile-rows", "model": name}
        yield Row(f"R2 a model called {shown}", post("/v1/jobs", json.dumps(train)), 400)
        if name:
            deploy = {"model": "hostile-mlp", "name": name}
            yield Row(f"R2 a deployment called {shown}", post("/v1/deployments", json.dumps(deploy)), 400)


SOURCES = ["file:///etc/passwd", "file:///no/such/file", "/dev/random", "/proc/self/environ", "/no/such/file",
           "http://169.254.169.254/", "../../owner.key"]


def no_oracle(context):
    """A source that exists on the server and one that does not get the same answer."""
    texts = set()
    for source in SOURCES:
        answer = context.server.request("POST", "/v1/datasets", {"name": "d", "files": [{"file_id": source}]})
        check(answer.status in (400, 404), f"{source}: {answer}")
        texts.add(answer.json()["error"]["message"].replace(source, ""))
    check(len(texts) == 1, f"the answers differ: {texts}")


PATHS = ["../../etc/passwd", "/etc/passwd", "C:\\x", "a\\..\\b", "a\u0000b", "a/../../b", "p" * 1100]


def source_paths(context):
    for path in PATHS:
        answer = context.server.request("POST", "/v1/datasets", {
            "name": context.fresh_name(), "files": [{"file_id": context.file_id, "path": path}]})
        check(answer.status == 400, f"path {path[:20]!r}: {answer}")


STATIC = ["/%252e%252e%252fetc/passwd", "/..%5c..%5cetc/passwd", "/..;/etc/passwd", "//etc/passwd", "/./v1/models",
          "/v1/../v1/models", "/v1//models", "/%2e%2e/%2e%2e/etc/passwd", "/v1/models/", "/openapi.yaml/../owner.key",
          "/console/../../owner.key"]

ROWS = [
    *target_rows(),
    *body_rows(),
    *[Row(f"R3 {target}", get(target), {400, 404}) for target in STATIC],
    FunctionRow("R5 sources that are paths", no_oracle),
    FunctionRow("R5 paths of files in a data set", source_paths),
    Row("R2 an alias called ..", lambda c: c.server.head("PUT", "/v1/registry/models/hostile-mlp/aliases/%2e%2e",
                                                        {"Content-Type": "application/json"}, length=13) +
        b'{"version":1}', {400, 404}),
]
