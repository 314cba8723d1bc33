"""Rows of hostile input, and what must hold after each of them."""

import os
import re
from urllib.parse import unquote_to_bytes

from common.atelier import Connection, multipart
from hostile.pictures import make_zip, png

# What no answer may tell: addresses, paths of this machine, SQL, C++ names, secrets.
FORBIDDEN = re.compile(
    rb"0x[0-9a-fA-F]{8,}|/home/|/root/|/tmp/|/usr/|/etc/|/work/|/proc/|SELECT |INSERT |sqlite|SQLITE|soci|std::|boost::"
    rb"|c10::|terminate called|\.cpp|what\(\)|backtrace", re.I)
SANITIZER = re.compile(r"AddressSanitizer|runtime error:|LeakSanitizer|ThreadSanitizer|SUMMARY: UndefinedBehavior")
ERROR_KEYS = {"message", "type", "param", "code"}


class Failure(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failure(text)


class Row:
    """One hostile exchange.

    send      bytes, or a function (Context) -> bytes
    expect    the statuses allowed; None in it allows closing without an answer
    code      error.code must be this (or one of these), where given
    param     error.param must be this, where given
    text      a pattern that the body must hold, where given
    close     the server must close the connection after its answer
    finish    "fin" half-closes after sending, "rst" resets (and expects no answer)
    shape     "openai", "kserve" or None (no check of the error's form)
    after     function (Context, Answer) for more checks
    """

    def __init__(self, name, send, expect, **options):
        self.name = name
        self.send = send
        self.expect = expect if isinstance(expect, (set, frozenset)) else {expect}
        self.code = options.pop("code", None)
        self.param = options.pop("param", None)
        self.text = options.pop("text", None)
        self.close = options.pop("close", False)
        self.finish = options.pop("finish", None)
        self.shape = options.pop("shape", "openai")
        self.after = options.pop("after", None)
        self.timeout = options.pop("timeout", 30)
        check(not options, f"unknown options of row {name}: {sorted(options)}")

    def run(self, context):
        with Connection(context.server.port) as connection:
            send = self.send(context) if callable(self.send) else self.send
            connection.send(send)
            if self.finish == "rst":
                connection.reset()
                answer = None
            else:
                if self.finish == "fin":
                    connection.finish()
                try:
                    answer = connection.answer(self.timeout)
                except TimeoutError as error:
                    raise Failure("no answer in time") from error
            self.judge(answer, send)
            if self.close and answer is not None:
                check(connection.closes(), "the server did not close, or sent a second answer")
        if self.after:
            self.after(context, answer)

    def judge(self, answer, sent):
        if answer is None:
            check(None in self.expect or self.finish == "rst", "closed without an answer")
            return
        check(answer.status in self.expect, f"status {answer.status}, expected {self.expect}: {answer.body[:300]!r}")
        check_answer(answer, self.shape, unquote_to_bytes(sent[:65536]))
        if self.text:
            check(re.search(self.text.encode(), answer.body), f"{self.text!r} is not in {answer.body[:300]!r}")
        if (self.code or self.param) and answer.status >= 400:
            error = answer.json()["error"]
            codes = {self.code} if isinstance(self.code, str) else self.code
            check(not codes or error["code"] in codes, f"code {error['code']!r}, expected {codes}")
            check(not self.param or error["param"] == self.param, f"param {error['param']!r}, expected {self.param!r}")


def check_answer(answer, shape="openai", sent=b""):
    """The form of any answer: what a client may rely on, and what it must not learn. What it sent it may read again."""
    required = {401: "www-authenticate", 405: "allow", 429: "retry-after", 503: "retry-after"}
    name = required.get(answer.status)
    check(name is None or name in answer.headers, f"{answer.status} without {name}")
    check("x-request-id" in answer.headers, "no x-request-id")
    for found in FORBIDDEN.findall(answer.body):
        check(found in sent, f"the answer tells {found!r}: {answer.body[:300]!r}")
    if answer.status < 400 or shape is None:
        return
    check(answer.headers.get("content-type", "").startswith("application/json"), "an error that is not JSON")
    error = answer.json().get("error")
    if shape == "kserve":
        check(isinstance(error, str) and error, f"not KServe's form of an error: {answer.body[:200]!r}")
        return
    check(isinstance(error, dict) and set(error) == ERROR_KEYS, f"not the four keys of an error: {answer.body[:200]!r}")
    check(isinstance(error["message"], str) and error["message"], "an error without a message")


class ImportRow:
    """Files that an import job must refuse (or, with `fails` false, take): by POST /v1/datasets or by the job."""

    target = "/v1/datasets"

    def __init__(self, name, files, text, fails=True, timeout=600, **request):
        self.name = name
        self.files = files
        self.text = text
        self.fails = fails
        self.timeout = timeout
        self.request = request

    def run(self, context):
        files = self.files(context) if callable(self.files) else self.files
        made = context.fresh_name()
        body = {**self.named(made), **self.request,
                "files": [{"file_id": context.server.upload(name.rsplit("/", 1)[-1], data), "path": name}
                          for name, data in files.items()]}
        answer = context.server.request("POST", self.target, body)
        check_answer(answer)
        if answer.status >= 400:
            check(self.fails and answer.status in (400, 413, 415), f"refused at once: {answer}")
            message = answer.json()["error"]["message"]
        else:
            job = context.server.wait_job(answer.json()["id"], self.timeout)
            self.judge(job)
            if not self.fails:
                check(job["status"] == "succeeded", f"the job is {job['status']}: {job['error']}")
                return
            check(job["status"] == "failed", f"the job is {job['status']}, expected failed")
            message = job["error"]["message"]
            context.server.request("GET", f"/v1/jobs/{job['id']}/log")
        check(re.search(self.text, message, re.I), f"{self.text!r} is not in {message!r}")
        check(FORBIDDEN.search(message.encode()) is None, f"the message tells too much: {message!r}")
        check(context.server.request("GET", self.place(made)).status == 404, "a failed import is visible")

    def named(self, name):
        return {"name": name}

    def place(self, name):
        return f"/v1/datasets/{name}"

    def judge(self, job):
        """More checks of the job that ended."""


class ModelRow(ImportRow):
    """The same for a model's files: refused by the job, which says that it is the files' fault, at once."""

    target = "/v1/jobs"

    def named(self, name):
        return {"kind": "import_model", "model": name}

    def place(self, name):
        return f"/v1/registry/models/{name}"

    def judge(self, job):
        if self.fails and job["error"]:
            code = job["error"]["code"]
            check(code.startswith(("invalid_", "unsupported_", "unknown_", "template_")), f"code {code!r}: {job['error']}")


class FunctionRow:
    """Checks that take several exchanges: function (Context)."""

    def __init__(self, name, function):
        self.name = name
        self.function = function

    def run(self, context):
        self.function(context)


class Context:
    """What rows share: the server, and (made on first use) models that answer."""

    def __init__(self, server):
        self.server = server
        self.pid = server.process.pid
        self.names = 0
        self.file_id = self.job_id = ""  # of hostile-rows, and of the last training: see prepare()

    def fresh_name(self):
        self.names += 1
        return f"hostile-{self.names}"

    def get(self, target, **options):
        return self.server.head("GET", target, **options)

    def post(self, target, body, headers=None, **options):
        """A whole POST of raw bytes as JSON."""
        headers = {"Content-Type": "application/json", **(headers or {})}
        return self.server.head("POST", target, headers, length=len(body), **options) + body

    def form(self, target, fields, **options):
        content_type, body = multipart(fields)
        return self.server.head("POST", target, {"Content-Type": content_type}, length=len(body), **options) + body

    def prepare(self):
        """A table and pictures, a model of each, both deployed: what the rows are about."""
        rows = "f0,f1,f2,f3,label\n" + "".join(
            f"{i % 5},{i % 7},{i % 2},{i / 60},{'no' if i % 2 else 'yes'}\n" for i in range(120))
        pictures = {f"{label}/{i}.png": png(8, 8, value=i * 5 + offset)
                    for label, offset in (("dark", 0), ("light", 120)) for i in range(20)}
        self.file_id = self.server.upload("rows.csv", rows.encode())
        archive = self.server.upload("pictures.zip", make_zip(pictures))
        split = [0.7, 0.15, 0.15]
        self.server.run_job("/v1/datasets", {"name": "hostile-rows", "files": [{"file_id": self.file_id}],
                                             "target": "label", "split": split})
        self.server.run_job("/v1/datasets", {"name": "hostile-pictures", "files": [{"file_id": archive}], "split": split})
        for family, dataset, settings in (("mlp", "hostile-rows", {"epochs": 2, "layers": "8"}),
                                          ("cnn", "hostile-pictures", {"epochs": 1, "layers": "conv4x3,pool2,dense8"})):
            job = self.server.run_job("/v1/jobs", {"kind": "train", "family": family, "dataset": dataset,
                                                   "model": f"hostile-{family}", "settings": settings})
            self.job_id = job["id"]
            answer = self.server.request("POST", "/v1/deployments", {"model": f"hostile-{family}"})
            check(answer.status == 200, f"the model was not deployed: {answer}")
            state = self.server.wait_ready(f"hostile-{family}")
            check(state["status"] == "ready", f"the deployment is not ready: {state}")

    def infer_request(self):
        """A good request of the Open Inference Protocol for hostile-mlp, by its metadata."""
        inputs = self.server.request("GET", "/v2/models/hostile-mlp").json()["inputs"]
        return {"id": "1", "inputs": [
            {"name": tensor["name"], "datatype": tensor["datatype"],
             "shape": [1 if size == -1 else size for size in tensor["shape"]], "data": self.values_for(tensor)}
            for tensor in inputs]}

    @staticmethod
    def values_for(tensor):
        count = 1
        for size in tensor["shape"]:
            count *= 1 if size == -1 else size
        return [1.0] * count

    def files_called(self, name):
        """Ids of the latest files of that name; other rows may add files of other names meanwhile."""
        items = self.server.request("GET", "/v1/files?limit=100").json()["data"]
        return {item["id"] for item in items if item["filename"] == name}

    def open_descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def check_alive(self):
        """The invariant of every row: the same process answers a good request."""
        check(self.server.process.poll() is None, f"the server died:\n{self.server.log_text()[-3000:]}")
        check(self.server.process.pid == self.pid, "another process answers")
        answer = self.server.request("GET", "/v1/models")
        check(answer is not None and answer.status == 200, f"the next good request got {answer}")


def fill(context, data):
    """Puts what only the running server knows into a row."""
    return data.replace(b"@FILE@", context.file_id.encode()).replace(b"@JOB@", context.job_id.encode())


def get(target, **options):
    return lambda context: fill(context, context.get(target, **options))


def post(target, body, **options):
    data = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    return lambda context: context.post(target, fill(context, data), **options)
