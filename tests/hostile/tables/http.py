"""HTTP itself (catalogue H): heads, framing, methods, targets, limits, slowness."""

import gzip
import time

from common.atelier import Connection
from hostile.harness import FunctionRow, Row, check, get

GOOD = "/v1/models"


def raw(request_line, *lines, body=b"", host=True, key=True):
    """A head of raw lines; {KEY} and {PORT} are filled in."""

    def build(context):
        head = [request_line]
        if host:
            head.append("Host: 127.0.0.1:{PORT}")
        if key:
            head.append("Authorization: Bearer {KEY}")
        data = b"\r\n".join(x if isinstance(x, bytes) else x.encode("latin-1") for x in [*head, *lines]) + b"\r\n\r\n"
        return data.replace(b"{PORT}", str(context.server.port).encode()).replace(
            b"{KEY}", context.server.key.encode()) + body

    return build


def bad(name, line, statuses=400, **options):
    return Row(name, raw(f"GET {GOOD} HTTP/1.1", line), statuses, close=True, **options)


# A second request in the body of a malformed one must never be executed: closing proves it.
SMUGGLED = b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def framing(name, *lines, statuses=400, body=b"0\r\n\r\n" + SMUGGLED):
    return Row(name, raw("POST /v1/jobs HTTP/1.1", "Content-Type: application/json", *lines, body=body), statuses,
               close=True)


HEADS = [
    Row("H1 version 9.9", raw(f"GET {GOOD} HTTP/9.9"), {400, 505}, close=True),
    Row("H1 version 2.0 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505}, close=True),
    Row("H1 no version (HTTP/0.9)", b"GET /\r\n\r\n", {400, 505}, close=True),
    Row("H1 lower-case version", raw(f"GET {GOOD} http/1.1"), {400, 505}, close=True),
    Row("H1 garbage", b"\x80\x81\x82\x83\r\n\r\n", 400, close=True),
    Row("H1 a TLS hello on the plain port", bytes.fromhex("16030100c8010000c403030000") + b"\r\n\r\n", {400, None},
        finish="fin"),
    Row("H1 nothing, then the end", b"", None, finish="fin"),
    Row("H5 header name with a space", raw(f"GET {GOOD} HTTP/1.1", "Bad Name: x"), 400, close=True),
    bad("H5 header name with a bracket", "Bad[Name: x"),
    bad("H5 header name with BEL", "Bad\x07Name: x"),
    bad("H5 header name with NUL", "Bad\x00Name: x"),
    bad("H5 header value with NUL", "Name: a\x00b"),
    bad("H5 header value with DEL", "Name: a\x7fb"),
    bad("H5 space before the colon", "Name : x"),
    bad("H5 empty header name", ": x"),
    bad("H5 no colon", "NameOnly"),
    bad("H6 a header of 33 KiB", "X: " + "a" * (33 << 10), 431),
    Row("H6 10,000 headers", raw(f"GET {GOOD} HTTP/1.1", *[f"X{i}: 1" for i in range(10000)]), 431, close=True),
    Row("H6 200 headers", raw(f"GET {GOOD} HTTP/1.1", *[f"X{i}: 1" for i in range(200)]), 431, close=True),
    bad("H8 a folded header", "X: a\r\n b"),
    bad("H8 a bare line feed", "X: a\nY: b"),
    bad("H8 a bare carriage return", "X: a\rY: b"),
    Row("H9 no Host", raw(f"GET {GOOD} HTTP/1.1", host=False), 400, close=True),
    Row("H9 two Hosts", raw(f"GET {GOOD} HTTP/1.1", "Host: 127.0.0.1"), 400, close=True),
]

TARGETS = [
    Row("H10 a target of 9 KiB", raw("GET /v1/" + "a" * (9 << 10) + " HTTP/1.1"), 414, close=True),
    Row("H10 a query of 9 KiB", raw(f"GET {GOOD}?x=" + "a" * (9 << 10) + " HTTP/1.1"), 414, close=True),
    Row("H10 %zz", raw("GET /v1/jobs/%zz HTTP/1.1"), 400),
    Row("H10 % at the end", raw("GET /v1/jobs/% HTTP/1.1"), 400),
    Row("H10 %00", raw("GET /v1/jobs/a%00b HTTP/1.1"), 400),
    Row("H10 %0d%0a", raw("GET /v1/jobs/a%0d%0aX:y HTTP/1.1"), 400),
    Row("H10 not UTF-8 when decoded", raw("GET /v1/jobs/%ff%fe HTTP/1.1"), 400),
    Row("H10 overlong UTF-8", raw("GET /v1/jobs/%c0%ae HTTP/1.1"), 400),
    Row("H10 raw non-ASCII", raw("GET /v1/jobs/\xe9 HTTP/1.1"), 400),
    Row("H10 no slash", raw("GET v1/models HTTP/1.1"), 400),
    Row("H10 a fragment", raw("GET /v1/models#x HTTP/1.1"), 400),
    Row("H10 a space in the target", raw("GET /v1/mo dels HTTP/1.1"), 400),
    Row("H10 absolute form of another host", raw("GET http://evil.example/v1/models HTTP/1.1"), {400, 403, 421}),
    Row("H10 a repeated query parameter", raw("GET /v1/jobs?limit=1&limit=2 HTTP/1.1"), 400),
]

FRAMING = [
    framing("H3 length and chunked", "Content-Length: 5", "Transfer-Encoding: chunked"),
    framing("H3 chunked and length", "Transfer-Encoding: chunked", "Content-Length: 5"),
    framing("H3 two lengths", "Content-Length: 5", "Content-Length: 6"),
    framing("H3 the same length twice", "Content-Length: 5", "Content-Length: 5"),
    framing("H3 a list of lengths", "Content-Length: 5, 5"),
    framing("H3 a negative length", "Content-Length: -1"),
    framing("H3 a signed length", "Content-Length: +5"),
    framing("H3 a hexadecimal length", "Content-Length: 0x5"),
    framing("H3 an empty length", "Content-Length: "),
    framing("H3 a length above 2^64", "Content-Length: 18446744073709551621", statuses={400, 413}),
    framing("H3 a length of 10^15", "Content-Length: 1000000000000000", statuses={400, 413}),
    framing("H13 chunked twice", "Transfer-Encoding: chunked, chunked", statuses={400, 501}),
    framing("H13 chunked with a parameter", "Transfer-Encoding: chunked;q=1", statuses={400, 501}),
    framing("H13 xchunked", "Transfer-Encoding: xchunked", statuses={400, 501}),
    framing("H13 gzip, chunked", "Transfer-Encoding: gzip, chunked", statuses={400, 501}),
    framing("H13 identity", "Transfer-Encoding: identity", statuses={400, 501}),
    framing("H13 a chunk size that is no number", "Transfer-Encoding: chunked", body=b"zz\r\n{}\r\n0\r\n\r\n" + SMUGGLED),
    framing("H13 a negative chunk size", "Transfer-Encoding: chunked", body=b"-1\r\n{}\r\n0\r\n\r\n" + SMUGGLED),
    framing("H13 a chunk size above 2^64", "Transfer-Encoding: chunked", statuses={400, 413},
            body=b"fffffffffffffffff1\r\n{}\r\n0\r\n\r\n" + SMUGGLED),
    framing("H13 a chunk longer than its size", "Transfer-Encoding: chunked", body=b"1\r\n{}\r\n0\r\n\r\n" + SMUGGLED),
    Row("H14 chunks without an end, then FIN",
        raw("POST /v1/jobs HTTP/1.1", "Content-Type: application/json", "Transfer-Encoding: chunked", body=b"2\r\n{}\r\n"),
        {400, None}, finish="fin"),
    Row("H15 less body than declared, then FIN",
        raw("POST /v1/jobs HTTP/1.1", "Content-Type: application/json", "Content-Length: 50", body=b"{}"),
        {400, None}, finish="fin"),
    Row("H15 reset in the body",
        raw("POST /v1/jobs HTTP/1.1", "Content-Type: application/json", "Content-Length: 50", body=b"{}"), None,
        finish="rst"),
]


def method(name, text, target=GOOD, statuses=frozenset({405, 501})):
    def allow(_, answer):
        check(answer.status != 405 or answer.headers["allow"], "405 with an empty Allow")

    return Row(f"H20 method {name}", raw(f"{text} {target} HTTP/1.1", "Content-Length: 0"), statuses, after=allow)


def gzip_bomb():
    # 32 MiB of spaces in 32 KiB: beyond the limit of JSON when unpacked.
    data = gzip.compress(b" " * (32 << 20))
    return raw("POST /v1/jobs HTTP/1.1", "Content-Type: application/json", "Content-Encoding: gzip",
               f"Content-Length: {len(data)}", body=data)


METHODS = [
    method("FOO", "FOO"),
    method("TRACE", "TRACE"),
    method("get", "get"),
    method("PATCH", "PATCH"),
    method("DELETE where only POST", "DELETE", "/v1/predict"),
    method("GET where only POST", "GET", "/v1/predict", 405),
    Row("H20 CONNECT", raw("CONNECT 127.0.0.1:22 HTTP/1.1"), {400, 405, 501}),
    Row("H20 a method with a bracket", raw(f"G<T {GOOD} HTTP/1.1"), 400, close=True),
    Row("H19 a gzip bomb", gzip_bomb(), {413, 415}),
    Row("H19 an unknown content coding",
        raw("POST /v1/jobs HTTP/1.1", "Content-Type: application/json", "Content-Encoding: br", "Content-Length: 2",
            body=b"{}"), {400, 415}),
    Row("H21 Expect of something else",
        raw("POST /v1/jobs HTTP/1.1", "Content-Type: application/json", "Expect: a-pony", "Content-Length: 2"),
        {400, 417}),
    Row("H22 a body that GET does not have", raw(f"GET {GOOD} HTTP/1.1", "Content-Length: 5", body=b"hello"),
        {200, 400}),
    Row("H22 a content type that is no JSON",
        raw("POST /v1/jobs HTTP/1.1", "Content-Type: text/plain", "Content-Length: 2", body=b"{}"), {400, 415}),
    Row("H22 an upgrade to HTTP/2", raw(f"GET {GOOD} HTTP/1.1", "Connection: Upgrade", "Upgrade: h2c"), 200),
]


def expect_then_bad_key(context):
    with Connection(context.server.port) as connection:
        connection.send(context.server.head("POST", "/v1/files", {"Expect": "100-continue",
                                                                  "Content-Type": "multipart/form-data; boundary=x"},
                                            key="sk-wrong", length=100 << 20))
        begin = time.monotonic()
        answer = connection.answer(5)
        check(answer is not None and answer.status == 401, f"expected 401 before the body, got {answer}")
        check(time.monotonic() - begin < 2, "the answer waited for the body")


def endless_extension(context):
    """What stands behind a chunk's size is dropped or refused, never collected."""
    with Connection(context.server.port) as connection:
        connection.send(context.server.head("POST", "/v1/jobs", {"Content-Type": "application/json",
                                                                 "Transfer-Encoding": "chunked"}) + b"2;")
        before = context.resident_bytes()
        for _ in range(64):
            if not connection.send(b"x" * (1 << 20)):
                break
        else:
            connection.send(b"\r\n{}\r\n0\r\n\r\n")
        answer = connection.answer(10)
        check(answer is None or answer.status in (400, 413, 431), f"got {answer}")
        grown = context.resident_bytes() - before
        check(grown < 32 << 20, f"64 MiB behind a chunk's size took {grown >> 20} MiB of memory")


def pipelined(context):
    request = context.server.head("GET", GOOD)
    with Connection(context.server.port) as connection:
        connection.send(request * 20)
        for i in range(20):
            answer = connection.answer(10)
            check(answer is not None and answer.status == 200, f"answer {i} of 20 is {answer}")


def byte_by_byte(context):
    with Connection(context.server.port) as connection:
        for byte in context.server.head("GET", "/healthz", key=None):
            connection.send(bytes([byte]))
        check(connection.answer(10).status == 200, "a head in single bytes is refused")


def head_request(context):
    answer = context.server.request("HEAD", GOOD)
    check(answer.status in (200, 405) and not answer.body, f"HEAD got {answer}")


def ranges(context):
    file_id = context.server.upload("range.bin", bytes(range(100)))
    target = f"/v1/files/{file_id}/content"
    cases = [("bytes=0-", {200, 206}), ("bytes=5-1", {200, 416}), ("bytes=1000-", {200, 416}),
             ("bytes=" + ",".join(f"{i}-{i}" for i in range(1000)), {200, 206, 400, 416}), ("lines=1-2", {200, 400, 416}),
             ("bytes=99999999999999999999-", {200, 400, 416}), ("bytes=-", {200, 400, 416})]
    for value, statuses in cases:
        answer = context.server.request("GET", target, headers={"Range": value})
        check(answer.status in statuses, f"Range {value[:40]}: {answer.status}")
        check(len(answer.body) < 2000, f"Range {value[:40]}: amplified to {len(answer.body)} bytes")
        check(answer.status != 206 or bytes(range(100)).startswith(answer.body[:1]), f"Range {value[:40]}: wrong bytes")


def never_ending_head(context):
    """A head that grows by a byte a second is ended by its time limit (3 s here)."""
    with Connection(context.server.port) as connection:
        connection.send(b"GET / HTTP/1.1\r\nX: ")
        begin = time.monotonic()
        while time.monotonic() - begin < 15 and connection.send(b"a"):
            try:
                answer = connection.answer(0.5)
                check(answer is None or answer.status == 408, f"got {answer}")
                return
            except TimeoutError:
                pass
        check(False, "the head may take for ever")


def slow_body(context):
    """10 bytes a second are below the least rate."""
    with Connection(context.server.port) as connection:
        connection.send(context.server.head("POST", "/v1/jobs", {"Content-Type": "application/json"}, length=100000))
        begin = time.monotonic()
        while time.monotonic() - begin < 60 and connection.send(b" " * 10):
            try:
                answer = connection.answer(1)
                check(answer is not None and answer.status == 408, f"expected 408, got {answer}")
                return
            except TimeoutError:
                pass
        check(False, "the body may take for ever")


def slow_reader(context):
    """A client that does not read a big answer is cut off, and others are answered meanwhile."""
    file_id = context.server.upload("big.bin", b"x" * (32 << 20))
    with Connection(context.server.port) as connection:
        connection.send(context.server.head("GET", f"/v1/files/{file_id}/content"))
        time.sleep(9)
        context.check_alive()
        received = 0
        connection.socket.settimeout(10)
        try:
            while data := connection.socket.recv(1 << 20):
                received += len(data)
        except ConnectionResetError:
            pass
        check(received < 32 << 20, "the server kept the whole answer for a client that did not read")


SLOW = [
    FunctionRow("H16 a slow head", never_ending_head),
    FunctionRow("H16 a slow body", slow_body),
    FunctionRow("H17 a slow reader", slow_reader),
]

ROWS = HEADS + TARGETS + FRAMING + METHODS + SLOW + [
    FunctionRow("H21 Expect: 100-continue with a bad key", expect_then_bad_key),
    FunctionRow("H13 an endless chunk extension", endless_extension),
    FunctionRow("H25 twenty pipelined requests", pipelined),
    FunctionRow("H25 a head in single bytes", byte_by_byte),
    FunctionRow("H26 HEAD has no body", head_request),
    FunctionRow("H23 ranges of a blob", ranges),
    Row("H27 an unknown path", get("/v1/no-such-thing"), 404),
    Row("H27 an unknown query parameter", get("/v1/models?colour=red"), {200, 400}),
]
