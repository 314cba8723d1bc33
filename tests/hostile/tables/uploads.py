"""Uploads and forms (catalogue M)."""

import hashlib
import threading

from common.atelier import Connection, multipart
from hostile.harness import FunctionRow, Row, check

HASH = hashlib.sha256


def form(body, content_type, target="/v1/files"):
    return lambda context: context.server.head("POST", target, {"Content-Type": content_type}, length=len(body)) + body


def good_form(boundary="b"):
    return multipart([("purpose", None, b"dataset"), ("file", "a.csv", b"a\n1\n")], boundary)[1]


def fields(*items):
    return lambda context: context.form("/v1/files", items)


REFUSED = "refused.bin"  # what the files of refused forms are called
PURPOSE = ("purpose", None, b"dataset")


def no_file_appears(send, statuses, finish=None, **options):
    """A refused upload must leave nothing that is listed."""

    def run(context):
        before = context.files_called(REFUSED)
        Row("", send, statuses, finish=finish, **options).run(context)
        check(context.files_called(REFUSED) == before, "a refused upload is listed")

    return run


BOUNDARIES = [
    Row("M1 a boundary of 71 characters", form(good_form("b" * 71), "multipart/form-data; boundary=" + "b" * 71), 400),
    Row("M1 no boundary", form(good_form(), "multipart/form-data"), 400),
    Row("M1 an empty boundary", form(good_form(""), 'multipart/form-data; boundary=""'), 400),
    Row("M1 two boundaries", form(good_form(), "multipart/form-data; boundary=b; boundary=c"), 400),
    Row("M1 an unclosed quote", form(good_form(), 'multipart/form-data; boundary="b'), 400),
    Row("M1 a boundary with a line end", form(good_form(), 'multipart/form-data; boundary="b\\\r\\\nX: y"'), 400),
    Row("M1 a boundary that never comes", form(good_form("other"), "multipart/form-data; boundary=b"), 400),
    Row("M1 no end of the form", form(good_form()[:-5], "multipart/form-data; boundary=b"), 400),
    Row("M1 a quoted boundary is fine", form(good_form(), 'multipart/form-data; boundary="b"'), 200),
    Row("M1 JSON where a form belongs", form(b"{}", "application/json"), {400, 415}),
    Row("M1 a form where JSON belongs", form(good_form(), "multipart/form-data; boundary=b", "/v1/jobs"), {400, 415}),
    Row("M2 10,000 parts", fields(*[(f"f{i}", None, b"x") for i in range(10000)]), {400, 413}),
    Row("M2 part headers of 1 MiB",
        form(b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\nX: " + b"x" * (1 << 20) +
             b"\r\n\r\nq\r\n--b--\r\n", "multipart/form-data; boundary=b"), {400, 413, 431}),
    Row("M2 a part without a name", form(b"--b\r\nContent-Disposition: form-data\r\n\r\nq\r\n--b--\r\n",
                                         "multipart/form-data; boundary=b"), 400),
    Row("M2 a part without headers", form(b"--b\r\n\r\nq\r\n--b--\r\n", "multipart/form-data; boundary=b"), 400),
    Row("M2 a part in base64", form(b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'
                                    b"Content-Transfer-Encoding: base64\r\n\r\nYQ==\r\n--b--\r\n",
                                    "multipart/form-data; boundary=b"), 400),
]


def filename_row(name, filename):
    def sanitised(_, answer):
        if answer.status != 200:
            return
        shown = answer.json()["filename"]
        check(not set(shown) & set("/\\\0\n\r\t\u202e"), f"the name {shown!r} is not safe to show")
        check(0 < len(shown.encode()) <= 255, f"the name has {len(shown.encode())} bytes")

    return Row(f"M3 filename {name}", fields(PURPOSE, ("file", filename, b"a\n1\n")), {200, 400}, after=sanitised)


FILENAMES = [
    filename_row("with ..", "../../etc/passwd"), filename_row("of a drive", "C:\\x\\y.csv"),
    filename_row("with a NUL", b"a\x00b.csv"), filename_row("of 4 KiB", "n" * 4096),
    filename_row("with an override", "a\u202egpj.exe"), filename_row("with %0A", "a%0Ab.csv"),
    filename_row("empty", ""), filename_row("of dots", ".."), filename_row("not UTF-8", b"\xff\xfe.csv"),
    filename_row("of a shell", "a;rm -rf $(x) `y` | z.csv"), filename_row("with HTML", "<img src=x onerror=y>.csv"),
    filename_row("in Chinese", "\u9e22\u5c3e\u82b1.csv"),
]


def forms(name, send, statuses, **options):
    return FunctionRow(name, no_file_appears(send, statuses, **options))


def cut_body(context):
    content_type, body = multipart([PURPOSE, ("file", REFUSED, b"x" * 1000000)])
    return context.server.head("POST", "/v1/files", {"Content-Type": content_type},
                               length=len(body)) + body[:len(body) * 99 // 100]


def huge(context):
    return context.server.head("POST", "/v1/files", {"Content-Type": "multipart/form-data; boundary=b"},
                               length=520 << 20)


FORMS = [
    forms("M4 two files", fields(PURPOSE, ("file", REFUSED, b"1"), ("file", REFUSED, b"2")), 400),
    forms("M4 no file", fields(PURPOSE), 400),
    forms("M4 an empty form", fields(), 400),
    forms("M4 no purpose", fields(("file", REFUSED, b"1")), 400),
    forms("M4 an unknown purpose", fields(("purpose", None, b"conquest"), ("file", REFUSED, b"1")), 400),
    forms("M4 two purposes", fields(PURPOSE, PURPOSE, ("file", REFUSED, b"1")), 400),
    forms("M4 an unknown field", fields(PURPOSE, ("colour", None, b"red"), ("file", REFUSED, b"1")), 400),
    forms("M4 a purpose of 1 MiB", fields(("purpose", None, b"p" * (1 << 20)), ("file", REFUSED, b"1")), {400, 413}),
    forms("M5 the body cut by FIN", cut_body, {400, None}, finish="fin"),
    forms("M5 the body cut by RST", cut_body, None, finish="rst"),
    forms("M7 more than 512 MiB", huge, 413, close=True),
]


def new_upload(context, data, declared=None, sha256=None, name="parts.bin"):
    body = {"filename": name, "purpose": "dataset", "bytes": len(data) if declared is None else declared}
    if sha256 is not None:
        body["sha256"] = sha256
    answer = context.server.request("POST", "/v1/uploads", body)
    check(answer.status == 200, f"the upload was refused: {answer}")
    return answer.json()["id"]


def add_part(context, upload, data):
    content_type, body = multipart([("data", "part", data)])
    return context.server.request("POST", f"/v1/uploads/{upload}/parts", body, {"Content-Type": content_type})


def part_ids(context, upload, *parts):
    ids = []
    for data in parts:
        answer = add_part(context, upload, data)
        check(answer.status == 200, f"the part was refused: {answer}")
        ids.append(answer.json()["id"])
    return ids


def complete(context, upload, ids, **more):
    return context.server.request("POST", f"/v1/uploads/{upload}/complete", {"part_ids": ids, **more})


def refused(answer, statuses, code=None):
    check(answer.status in statuses, f"expected {statuses}, got {answer}")
    check(code is None or answer.json()["error"]["code"] == code, f"expected {code}, got {answer}")


def checksum_mismatch(context):
    before = context.files_called("parts.bin")
    upload = new_upload(context, b"hello")
    refused(complete(context, upload, part_ids(context, upload, b"hello"), sha256=HASH(b"other").hexdigest()), {400},
            "checksum_mismatch")
    declared = new_upload(context, b"hello", sha256=HASH(b"other 2").hexdigest())
    refused(complete(context, declared, part_ids(context, declared, b"hello")), {400}, "checksum_mismatch")
    check(context.files_called("parts.bin") == before, "a file with a wrong sum is listed")


def size_mismatch(context):
    upload = new_upload(context, b"", declared=10)
    refused(complete(context, upload, part_ids(context, upload, b"hello")), {400})
    refused(add_part(context, upload, b"123456"), {400, 413})


def wrong_parts(context):
    data = b"onetwo"
    upload = new_upload(context, data, sha256=HASH(data + b"").hexdigest())
    one, two = part_ids(context, upload, b"one", b"two")
    for ids in ([], [one], [one, one], [one, "part_no-such"], [two, one], [one, two, one], "x", [1]):
        refused(complete(context, upload, ids), {400, 404})
    answer = complete(context, upload, [one, two])
    check(answer.status == 200 and answer.json()["file"]["sha256"] == HASH(data).hexdigest(), f"{answer}")


def complete_twice(context):
    data = b"twice" * 100
    upload = new_upload(context, data)
    ids = part_ids(context, upload, data)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(complete(context, upload, ids))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.append(complete(context, upload, ids))
    files = {answer.json()["file"]["id"] for answer in answers if answer.status == 200}
    check(len(files) == 1 and all(a.status in (200, 409) for a in answers), f"{len(files)} files: {answers}")


def after_cancel(context):
    upload = new_upload(context, b"hello")
    ids = part_ids(context, upload, b"hello")
    check(context.server.request("POST", f"/v1/uploads/{upload}/cancel", b"").status == 200, "cancel is refused")
    refused(add_part(context, upload, b"x"), {400, 409})
    refused(complete(context, upload, ids), {400, 409})
    refused(add_part(context, "upload_no-such", b"x"), {404})
    refused(complete(context, "upload_no-such", ids), {404})


def big_part(context):
    upload = new_upload(context, b"", declared=100 << 20)
    with Connection(context.server.port) as connection:
        connection.send(context.server.head("POST", f"/v1/uploads/{upload}/parts",
                                            {"Content-Type": "multipart/form-data; boundary=b"}, length=70 << 20))
        refused(connection.answer(10), {400, 413})


def same_content(context):
    ids = [context.server.upload("one.bin", b"the same"), context.server.upload("two.bin", b"the same")]
    check(ids[0] != ids[1], "two files are one")
    sums = {context.server.request("GET", f"/v1/files/{i}").json()["sha256"] for i in ids}
    check(sums == {HASH(b"the same").hexdigest()}, f"sums {sums}")
    check(context.server.request("DELETE", f"/v1/files/{ids[0]}").status == 200, "delete is refused")
    check(context.server.request("GET", f"/v1/files/{ids[1]}/content").body == b"the same", "the other file is gone too")
    refused(context.server.request("DELETE", f"/v1/files/{ids[0]}"), {404})


def resume_finds_parts(context):
    data = b"resume me" * 1000
    sha256 = HASH(data).hexdigest()
    first = new_upload(context, data, sha256=sha256, name="resume.bin")
    part_ids(context, first, data[:4000])
    again = context.server.request("POST", "/v1/uploads", {"filename": "resume.bin", "purpose": "dataset",
                                                          "bytes": len(data), "sha256": sha256}).json()
    check(again["id"] == first and [p["bytes"] for p in again["parts"]] == [4000], f"{again}")
    check(again["parts"][0]["sha256"] == HASH(data[:4000]).hexdigest(), "the part's sum is wrong")


ROWS = BOUNDARIES + FILENAMES + FORMS + [
    FunctionRow("M6 wrong sums", checksum_mismatch),
    FunctionRow("M6 wrong sizes", size_mismatch),
    FunctionRow("M8 missing, repeated and unknown parts", wrong_parts),
    FunctionRow("M8 a part above 64 MiB", big_part),
    FunctionRow("M9 complete nine times at once", complete_twice),
    FunctionRow("M10 after a cancellation", after_cancel),
    FunctionRow("M11 the same content twice", same_content),
    FunctionRow("M16 an upload is found again", resume_finds_parts),
]
