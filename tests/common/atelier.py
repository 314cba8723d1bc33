"""Starting a server for a test, and talking to it byte by byte. Standard library only."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time


class Answer:
    """One HTTP answer as it came off the wire."""

    def __init__(self, status, headers, body, raw):
        self.status = status
        self.headers = headers  # names in lower case
        self.body = body
        self.raw = raw

    def json(self):
        return json.loads(self.body.decode("utf-8"))

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


def parse_head(raw):
    """Splits b'HTTP/1.1 200 OK...' into (status, headers, offset of the body), or None while it is incomplete."""
    end = raw.find(b"\r\n\r\n")
    if end < 0:
        return None
    lines = raw[:end].decode("latin-1").split("\r\n")
    parts = lines[0].split(" ", 2)
    if len(parts) < 2 or not parts[0].startswith("HTTP/1.") or not parts[1].isdigit():
        raise ValueError(f"not an HTTP answer: {lines[0]!r}")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return int(parts[1]), headers, end + 4


def parse_chunked(raw):
    """The joined chunks and the offset after them, or None while they are incomplete."""
    body, at = b"", 0
    while True:
        end = raw.find(b"\r\n", at)
        if end < 0:
            return None
        size = int(raw[at:end].split(b";")[0], 16)
        at = end + 2
        if len(raw) < at + size + 2:
            return None
        body += raw[at:at + size]
        at += size + 2
        if size == 0:
            return body, at


def parse_answer(raw, closed, head_only=False):
    """One answer off the front of `raw` and its length, or None while it is incomplete."""
    head = parse_head(raw)
    if head is None:
        return None
    status, headers, start = head
    if status == 100:
        return Answer(status, headers, b"", raw[:start]), start
    if head_only or status == 204 or status == 304:
        return Answer(status, headers, b"", raw[:start]), start
    if headers.get("transfer-encoding", "").lower() == "chunked":
        chunked = parse_chunked(raw[start:])
        if chunked is None:
            return None
        return Answer(status, headers, chunked[0], raw[:start + chunked[1]]), start + chunked[1]
    if "content-length" in headers:
        end = start + int(headers["content-length"])
        return (Answer(status, headers, raw[start:end], raw[:end]), end) if len(raw) >= end else None
    return (Answer(status, headers, raw[start:], raw), len(raw)) if closed else None


class Connection:
    def __init__(self, port, timeout=30):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.raw = b""
        self.closed = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """Sends what the other side takes; a server that has refused already may have closed."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def finish(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def _more(self, timeout):
        self.socket.settimeout(max(timeout, 0.001))
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            data = b""
        if not data:
            self.closed = True
        self.raw += data

    def answer(self, timeout=30, head_only=False):
        """The next answer; None when the server closes without one. Raises TimeoutError."""
        end = time.monotonic() + timeout
        while True:
            found = parse_answer(self.raw, self.closed, head_only)
            if found is not None:
                self.raw = self.raw[found[1]:]
                if found[0].status == 100:
                    continue
                return found[0]
            if self.closed:
                return None
            if time.monotonic() > end:
                raise TimeoutError("no answer in time")
            try:
                self._more(end - time.monotonic())
            except socket.timeout as error:
                raise TimeoutError("no answer in time") from error

    def closes(self, timeout=5):
        """Whether the server closes within the time and sends nothing more before."""
        end = time.monotonic() + timeout
        while not self.closed and not self.raw and time.monotonic() < end:
            try:
                self._more(end - time.monotonic())
            except socket.timeout:
                return False
        return self.closed and not self.raw


def multipart(fields, boundary="atelier-test-boundary"):
    """A form: fields are (name, filename or None, bytes). Returns (content type, body)."""
    body = b""
    for name, filename, data in fields:
        disposition = f'form-data; name="{name}"'.encode()
        if filename is not None:
            disposition += b'; filename="' + (filename if isinstance(filename, bytes) else filename.encode()) + b'"'
        body += b"--" + boundary.encode() + b"\r\nContent-Disposition: " + disposition + b"\r\n\r\n" + data + b"\r\n"
    return f"multipart/form-data; boundary={boundary}", body + b"--" + boundary.encode() + b"--\r\n"


class Server:
    """`atelier serve` on a data folder of its own and a free port."""

    def __init__(self, binary, data_dir=None, flags=(), environment=None):
        self.binary = os.path.abspath(binary)
        self.owns_folder = data_dir is None
        self.data_dir = data_dir or tempfile.mkdtemp(prefix="atelier-test-")
        self.flags = list(flags)
        self.environment = environment or {}
        self.process = None
        self.port = 0
        self.key = ""

    def start(self, timeout=60):
        port_file = os.path.join(self.data_dir, "server.port")
        if os.path.exists(port_file):
            os.unlink(port_file)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ATELIER_")}
        environment.update(self.environment)
        self.log = open(os.path.join(self.data_dir, "test-server.log"), "ab")
        self.process = subprocess.Popen(
            [self.binary, "serve", "--data-dir", self.data_dir, "--port", "0", *self.flags],
            stdout=self.log, stderr=self.log, env=environment, start_new_session=True)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.log_text()[-2000:]}")
            try:
                with open(port_file, encoding="ascii") as file:
                    self.port = int(file.read())
                if self.request("GET", "/readyz", key=None).status == 200:
                    break
            except (OSError, ValueError, TimeoutError):
                pass
            time.sleep(0.05)
        else:
            raise RuntimeError(f"the server is not ready after {timeout} s:\n{self.log_text()[-2000:]}")
        with open(os.path.join(self.data_dir, "owner.key"), encoding="ascii") as file:
            self.key = file.read().strip()
        return self

    def log_text(self):
        with open(os.path.join(self.data_dir, "test-server.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self, how=signal.SIGTERM, timeout=30):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.log.close()
        self.process = None
        return code

    def remove(self):
        self.stop()
        if self.owns_folder:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def head(self, method, target, headers=None, key=True, length=None):
        """The bytes of a request head. `key`: True the owner's, None none, or a text."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        if key is not None:
            lines.append(f"Authorization: Bearer {self.key if key is True else key}")
        for name, value in (headers or {}).items():
            lines.append(f"{name}: {value}")
        if length is not None:
            lines.append(f"Content-Length: {length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")

    def request(self, method, target, body=None, headers=None, key=True, timeout=60):
        """One exchange on its own connection. `body`: bytes, or what JSON can hold."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, bytearray)):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        length = None if body is None and method in ("GET", "HEAD") else len(body or b"")
        with Connection(self.port, timeout) as connection:
            connection.send(self.head(method, target, headers, key, length) + (body or b""))
            return connection.answer(timeout, head_only=method == "HEAD")

    def upload(self, name, data, purpose="dataset"):
        content_type, body = multipart([("purpose", None, purpose.encode()), ("file", name, data)])
        answer = self.request("POST", "/v1/files", body, {"Content-Type": content_type})
        if answer.status != 200:
            raise RuntimeError(f"the file was refused: {answer}")
        return answer.json()["id"]

    def wait_job(self, job_id, timeout=300):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            job = self.request("GET", f"/v1/jobs/{job_id}").json()
            if job["status"] not in ("queued", "running"):
                return job
            time.sleep(0.1)
        raise TimeoutError(f"the job {job_id} does not end")

    def run_job(self, target, body, timeout=300):
        answer = self.request("POST", target, body)
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"{target} was refused: {answer}")
        job = self.wait_job(answer.json()["id"], timeout)
        if job["status"] != "succeeded":
            raise RuntimeError(f"the job failed: {job['error']}")
        return job

    def wait_ready(self, deployment, timeout=120):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            state = self.request("GET", f"/v1/deployments/{deployment}").json()
            if state["status"] in ("ready", "failed"):
                return state
            time.sleep(0.1)
        raise TimeoutError(f"the deployment {deployment} does not get ready")
