"""A model hub for tests, on two ports of this machine: what Hugging Face, ModelScope and Ollama's registry say over
HTTP, and plain files. The second port is the storage that large files are redirected to. Standard library only."""

import hashlib
import http.server
import json
import re
import threading
import time
import urllib.parse

COMMIT = "c0ffee" + "0" * 34
LARGE = (".gguf", ".safetensors")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def git_sha1(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Fault:
    """What goes wrong with bodies whose path holds a text, for the first `count` answers.

    kind: "truncate" (half of the body, then the end), "corrupt" (one byte changed), "status" (`status`, with
    Retry-After where `wait` is set), "whole" (no ranges), "change" (from then on the body is `data`).
    """

    def __init__(self, where, kind, count=10**9, status=503, wait=None, data=b""):
        self.where, self.kind, self.count, self.status, self.wait, self.data = where, kind, count, status, wait, data


class Seen:
    """One request as it came."""

    def __init__(self, storage, path, headers):
        self.storage = storage
        self.path = path
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.sent = 0  # bytes of the body


class Hub:
    def __init__(self):
        self.repositories = {}  # "org/name" -> {path: bytes}; both of Hugging Face and of ModelScope
        self.tokens = {}  # "org/name" -> the token that it wants
        self.models = {}  # "namespace/name:tag" -> bytes of a GGUF file
        self.files = {}  # name -> bytes, below /files/
        self.blobs = {}  # sha256 -> bytes
        self.faults = []
        self.bytes_per_s = None
        self.seen = []
        self.lock = threading.Lock()
        self.servers = [self._serve(False), self._serve(True)]
        self.port, self.storage_port = (server.server_address[1] for server in self.servers)
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def _serve(self, storage):
        hub = self

        class Handler(_Handler):
            pass

        Handler.hub, Handler.storage = hub, storage
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def reset(self):
        with self.lock:
            self.faults.clear()
            self.seen.clear()
            self.bytes_per_s = None

    def add_repository(self, name, files, token=None):
        self.repositories[name] = files
        self.tokens[name] = token
        for data in files.values():
            self.blobs[sha256(data)] = data

    def add_model(self, name, data):
        self.models[name] = data
        self.blobs[sha256(data)] = data

    def fault(self, path):
        with self.lock:
            for fault in self.faults:
                if fault.where in path and fault.count > 0:
                    fault.count -= 1
                    return fault
        return None


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub, storage = None, False

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        self.seen = Seen(self.storage, self.path, self.headers)
        with self.hub.lock:
            self.hub.seen.append(self.seen)
        url = urllib.parse.urlsplit(self.path)
        path = urllib.parse.unquote(url.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        try:
            if self.storage:
                self._blob(path.removeprefix("/blobs/"))
            elif match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/revision/(.+)", path):
                self._huggingface_list(match[1], match[2])
            elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
                self._huggingface_file(match[1], match[2], match[3])
            elif match := re.fullmatch(r"/api/v1/models/([^/]+/[^/]+)/repo/files", path):
                self._modelscope_list(match[1])
            elif match := re.fullmatch(r"/api/v1/models/([^/]+/[^/]+)/repo", path):
                self._modelscope_file(match[1], query.get("FilePath", ""))
            elif match := re.fullmatch(r"/v2/([^/]+/[^/]+)/manifests/(.+)", path):
                self._manifest(f"{match[1]}:{match[2]}")
            elif match := re.fullmatch(r"/v2/[^/]+/[^/]+/blobs/sha256:([0-9a-f]+)", path):
                self._redirect(match[1])
            elif path.startswith("/files/"):
                self._body(self.hub.files.get(path.removeprefix("/files/")))
            elif path == "/loop":
                self._answer(302, {"Location": "/loop"})
            else:
                self._answer(404)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _answer(self, status, headers=None, body=b""):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _json(self, value):
        fault = self.hub.fault(self.path)
        if fault is not None and fault.kind == "status":
            self._failure(fault)
        else:
            self._answer(200, {"Content-Type": "application/json"}, json.dumps(value).encode())

    def _failure(self, fault):
        self._answer(fault.status, {} if fault.wait is None else {"Retry-After": str(fault.wait)})

    def _allowed(self, name, token):
        wanted = self.hub.tokens.get(name)
        if name not in self.hub.repositories or (wanted is not None and token is None):
            self._answer(401, {"X-Error-Code": "GatedRepo" if wanted else "RepoNotFound",
                               "X-Error-Message": "you must be authenticated"})
        elif wanted is not None and token != wanted:
            self._answer(403, {"X-Error-Code": "GatedRepo"})
        else:
            return True
        return False

    def _bearer(self):
        value = self.headers.get("Authorization", "")
        return value.removeprefix("Bearer ") if value.startswith("Bearer ") else None

    def _huggingface_list(self, name, revision):
        if not self._allowed(name, self._bearer()):
            return
        if revision not in ("main", COMMIT):
            self._answer(404, {"X-Error-Code": "RevisionNotFound", "X-Error-Message": "Invalid rev id"})
            return
        siblings = []
        for path, data in self.hub.repositories[name].items():
            sibling = {"rfilename": path, "size": len(data), "blobId": git_sha1(data)}
            if path.endswith(LARGE):
                sibling["lfs"] = {"sha256": sha256(data), "size": len(data), "pointerSize": 130}
            siblings.append(sibling)
        self._json({"id": name, "sha": COMMIT, "gated": False, "cardData": {"license": "mit"}, "siblings": siblings})

    def _huggingface_file(self, name, revision, path):
        if not self._allowed(name, self._bearer()):
            return
        data = self.hub.repositories[name].get(path)
        if data is None or revision != COMMIT:
            self._answer(404, {"X-Error-Code": "EntryNotFound"})
        elif path.endswith(LARGE):
            self._redirect(sha256(data), {"X-Linked-Etag": f'"{sha256(data)}"', "X-Linked-Size": str(len(data)),
                                          "X-Repo-Commit": COMMIT, "ETag": '"not-that-of-the-file"'})
        else:
            self._body(data, git_sha1(data))

    def _modelscope_list(self, name):
        if name not in self.hub.repositories:
            self._answer(404, {}, b'{"Code":10010205001,"Message":"record not found"}')
            return
        files = [{"Name": path.split("/")[-1], "Path": path, "Type": "blob", "Size": len(data), "Sha256": sha256(data)}
                 for path, data in self.hub.repositories[name].items()]
        self._json({"Code": 200, "Success": True, "Data": {"Files": files}})

    def _modelscope_file(self, name, path):
        self._body(self.hub.repositories.get(name, {}).get(path))

    def _manifest(self, name):
        if name not in self.hub.models:
            self._answer(404, {}, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
            return
        data = self.hub.models[name]
        layers = [("model", sha256(data), len(data)), ("template", "0" * 64, 5), ("params", "1" * 64, 2)]
        self._json({"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                    "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": "sha256:" + "2" * 64},
                    "layers": [{"mediaType": f"application/vnd.ollama.image.{kind}", "digest": f"sha256:{digest}", "size": size}
                               for kind, digest, size in layers]})

    def _redirect(self, digest, headers=None):
        self._answer(302, {"Location": f"http://127.0.0.1:{self.hub.storage_port}/blobs/{digest}", **(headers or {})})

    def _blob(self, digest):
        self._body(self.hub.blobs.get(digest), digest)

    def _body(self, data, etag=None):
        if data is None:
            self._answer(404)
            return
        fault = self.hub.fault(self.path)
        kind = "" if fault is None else fault.kind
        if kind == "status":
            self._failure(fault)
            return
        if kind == "change":
            data = fault.data
        etag = f'"{etag or sha256(data)}"'
        first, last = 0, len(data) - 1
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range", etag)
        partial = match is not None and condition == etag and kind != "whole"
        if partial:
            first, last = int(match[1]), min(int(match[2]), last)
        self.send_response(206 if partial else 200)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(last - first + 1))
        if partial:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.end_headers()
        body = bytearray(data[first:last + 1])
        if kind == "corrupt" and body:
            body[-1] ^= 1
        if kind == "truncate":
            body = body[:len(body) // 2]
            self.close_connection = True
        if self.command != "HEAD":
            self._send(bytes(body))

    def _send(self, body):
        """At the hub's rate, which holds for each connection."""
        piece = 4096 if self.hub.bytes_per_s else 65536
        for at in range(0, len(body), piece):
            self.wfile.write(body[at:at + piece])
            self.seen.sent += len(body[at:at + piece])
            if self.hub.bytes_per_s:
                time.sleep(piece / self.hub.bytes_per_s)
