"""Keys, hosts and origins (catalogue K)."""

import os
import time

from common.atelier import Connection
from hostile.harness import FunctionRow, Row, check, check_answer


def authorization(*lines, statuses=401, name=None, target="/v1/models"):
    def build(context):
        head = [f"GET {target} HTTP/1.1", f"Host: 127.0.0.1:{context.server.port}"]
        head += [line.replace("@KEY@", context.server.key) for line in lines]
        return "\r\n".join(head).encode("utf-8") + b"\r\n\r\n"

    expect = statuses if isinstance(statuses, set) else {statuses}
    return Row(f"K1 {name}", build, expect, code="invalid_api_key" if expect == {401} else None)


HEADERS = [
    authorization(name="no key"),
    authorization("Authorization: Bearer", name="a scheme alone"),
    authorization("Authorization: Bearer ", name="an empty key"),
    authorization("Authorization: @KEY@", name="a key without a scheme"),
    authorization("Authorization: Basic @KEY@", name="Basic"),
    authorization("Authorization: bearer @KEY@", name="a lower-case scheme", statuses={200, 401}),
    authorization("Authorization: Bearer @KEY@x", name="one character more"),
    authorization("Authorization: Bearer @KEY@", "Authorization: Bearer @KEY@", name="two headers"),
    authorization("Authorization: Bearer wrong", "Authorization: Bearer @KEY@", name="a wrong one and the right one"),
    authorization("Authorization: Bearer @KEY@ @KEY@", name="the key twice"),
    authorization("Authorization: Bearer @KEY@, Bearer x", name="a list of keys"),
    authorization("Authorization: Bearer sk-atelier-" + "0" * 43, name="a key that does not exist"),
    authorization("Authorization: Bearer ' OR '1'='1", name="SQL"),
    authorization("Authorization: Bearer \u9e22\u5c3e\u82b1", name="Chinese", statuses={400, 401}),
    authorization("Authorization: Bearer a\x00b", name="a NUL", statuses={400, 401}),
    authorization("Authorization: Bearer " + "k" * (20 << 10), name="a key of 20 KiB"),
    authorization("Authorization: Bearer " + "k" * (1 << 20), name="a key of 1 MiB", statuses={401, 431}),
    authorization("Authorization: Bearer %s.%s." % ("eyJhbGciOiJub25lIn0", "eyJzdWIiOiJvd25lciJ9"), name="a JWT of alg none"),
    authorization("X-Auth-Token: @KEY@", name="another header"),
    authorization("X-Api-Key: wrong", name="a wrong key in Anthropic's header"),
    authorization("X-Api-Key: @KEY@\r\nX-Api-Key: @KEY@", name="Anthropic's header twice", statuses={400, 401}),
    authorization("Authorization: Bearer wrong\r\nX-Api-Key: @KEY@", name="a wrong key beside Anthropic's header"),
    authorization(name="a key in the query", target="/v1/models?key=@KEY@"),
    authorization(name="no key, an unknown path", target="/v1/no-such-thing"),
]

PROTECTED = [("GET", "/v1/models"), ("GET", "/v1/models/x"), ("POST", "/v1/files"), ("GET", "/v1/files"),
             ("GET", "/v1/files/x/content"), ("DELETE", "/v1/files/x"), ("POST", "/v1/uploads"),
             ("POST", "/v1/uploads/x/parts"), ("POST", "/v1/datasets"), ("GET", "/v1/datasets"), ("DELETE", "/v1/datasets/x"),
             ("POST", "/v1/jobs"), ("GET", "/v1/jobs"), ("GET", "/v1/jobs/x/events"), ("GET", "/v1/jobs/x/log"),
             ("POST", "/v1/evaluations"), ("GET", "/v1/registry/models"), ("PUT", "/v1/registry/models/x/aliases/y"),
             ("POST", "/v1/deployments"), ("POST", "/v1/predict"), ("GET", "/v1/keys"), ("POST", "/v1/keys"),
             ("DELETE", "/v1/keys/x"), ("GET", "/v2"), ("GET", "/v2/models/x"), ("POST", "/v2/models/x/infer"),
             ("GET", "/v1/fine_tuning/jobs"), ("POST", "/v1/fine_tuning/jobs"),
             ("GET", "/v1/evals"), ("POST", "/v1/evals"), ("POST", "/v1/evals/x/runs"), ("DELETE", "/v1/evals/x"),
             ("GET", "/metrics"), ("GET", "/openapi.yaml"), ("OPTIONS", "/v1/models")]


def every_route(context):
    for method, target in PROTECTED:
        answer = context.server.request(method, target, b"" if method != "GET" else None, key=None)
        check(answer.status in (401, 403), f"{method} {target} without a key: {answer.status}")
        check_answer(answer, "kserve" if target.startswith("/v2") else "openai")
    for target in ("/healthz", "/readyz"):
        check(context.server.request("GET", target, key=None).status == 200, f"{target} needs a key")


def make_key(context, **more):
    answer = context.server.request("POST", "/v1/keys", {"name": "hostile", "role": "member", **more})
    check(answer.status == 200, f"no key was made: {answer}")
    return answer.json()


def revoked(context):
    key = make_key(context)
    check(context.server.request("GET", "/v1/models", key=key["secret"]).status == 200, "a fresh key is refused")
    with Connection(context.server.port) as connection:  # a connection that was good before
        connection.send(context.server.head("GET", "/v1/models", key=key["secret"]))
        check(connection.answer(5).status == 200, "a fresh key is refused")
        check(context.server.request("DELETE", f"/v1/keys/{key['id']}").status == 200, "the key is not revoked")
        connection.send(context.server.head("GET", "/v1/models", key=key["secret"]))
        check(connection.answer(5).status == 401, "a revoked key works on an open connection")
    answer = context.server.request("GET", "/v1/models", key=key["secret"])
    unknown = context.server.request("GET", "/v1/models", key="sk-atelier-unknown")
    check(answer.status == 401 and answer.json() == unknown.json(), f"a revoked key can be told: {answer} {unknown}")
    again = context.server.request("DELETE", f"/v1/keys/{key['id']}")
    check(again.status in (200, 404, 409), f"revoking twice: {again}")


def expired(context):
    key = make_key(context, expires_at=int(time.time()) + 3)
    check(context.server.request("GET", "/v1/models", key=key["secret"]).status == 200, "a key is refused too early")
    time.sleep(4.5)
    check(context.server.request("GET", "/v1/models", key=key["secret"]).status == 401, "an expired key works")


def member(context):
    key = make_key(context)
    for method, target, body in (("GET", "/v1/keys", None), ("POST", "/v1/keys", {"name": "x", "role": "owner"}),
                                 ("DELETE", f"/v1/keys/{key['id']}", b"")):
        answer = context.server.request(method, target, body, key=key["secret"])
        check(answer.status == 403, f"a member may {method} {target}: {answer}")
        check_answer(answer)
    check(context.server.request("GET", "/v1/jobs", key=key["secret"]).status == 200, "a member may not list jobs")


def shown_once(context):
    secret = make_key(context)["secret"]
    check(secret.encode() not in context.server.request("GET", "/v1/keys?limit=100").body, "a key is listed in full")
    for folder, _, names in os.walk(context.server.data_dir):
        for name in names:
            try:
                with open(os.path.join(folder, name), "rb") as file:
                    data = file.read()
            except OSError:
                continue
            check(secret.encode() not in data, f"the secret is in {name}")
            check(name == "owner.key" or context.server.key.encode() not in data, f"the owner's key is in {name}")
    for name in ("owner.key", "secret.key"):
        path = os.path.join(context.server.data_dir, name)
        check(not os.path.exists(path) or os.stat(path).st_mode & 0o077 == 0, f"{name} is readable by others")


def header_row(name, line, statuses, method="GET", host=None):
    def build(context):
        head = [f"{method} /v1/models HTTP/1.1", f"Host: {host or f'127.0.0.1:{context.server.port}'}",
                f"Authorization: Bearer {context.server.key}", "Content-Length: 0", *([line] if line else [])]
        return "\r\n".join(head).encode() + b"\r\n\r\n"

    def no_permission(_, answer):
        allowed = answer.headers.get("access-control-allow-origin", "")
        check(allowed not in ("*", "https://evil.example", "null"), f"Access-Control-Allow-Origin: {allowed}")

    return Row(name, build, statuses, after=no_permission)


ORIGINS = [
    *[header_row(f"K9 Host {host}", None, {400, 403, 421}, host=host)
      for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "127.0.0.1:99999999", "evil.example:8080",
                   "[::1", "127.0.0.1@evil.example")],
    *[header_row(f"K10 {method} of another origin", "Origin: https://evil.example", {200, 403, 405}, method)
      for method in ("GET", "POST", "PUT", "PATCH", "DELETE")],
    header_row("K10 origin null", "Origin: null", {200, 403}),
    header_row("K11 a preflight",
               "Origin: https://evil.example\r\nAccess-Control-Request-Method: DELETE\r\n"
               "Access-Control-Request-Headers: authorization", {200, 204, 403, 405}, "OPTIONS"),
]


def flood(context):
    """Wrong keys in a row are slowed down; the good key works meanwhile and after."""
    statuses = set()
    with Connection(context.server.port) as connection:
        for i in range(400):
            connection.send(context.server.head("GET", "/v1/models", key=f"sk-atelier-wrong-{i}"))
            answer = connection.answer(10)
            if answer is None:
                break
            statuses.add(answer.status)
            if answer.status == 429:
                check("retry-after" in answer.headers, "429 without Retry-After")
                break
    check(statuses <= {401, 429} and 429 in statuses, f"statuses {statuses}")
    context.check_alive()
    time.sleep(5)  # the rows after this one may fail to authenticate again


ROWS = HEADERS + ORIGINS + [
    FunctionRow("K1 every route needs a key", every_route),
    FunctionRow("K2 a revoked key", revoked),
    FunctionRow("K2 an expired key", expired),
    FunctionRow("K3 what a member may not do", member),
    FunctionRow("K7 a secret is shown once and kept nowhere", shown_once),
    FunctionRow("K8 a flood of wrong keys", flood),
]
