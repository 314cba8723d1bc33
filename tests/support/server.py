"""A server under test: starts `atelier serve` on a temporary folder, speaks its REST interface, kills and restarts it."""

import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.error
import urllib.request
import uuid


class Refused(Exception):
    """An answer that is not 2xx: status and the parsed body."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


def shared_data():
    """The folder of real data sets, or None where this machine has none."""
    root = pathlib.Path(__file__).resolve().parents[2]
    folder = pathlib.Path(os.environ.get("ATELIER_SHARED_DATA", root.parent / "shared" / "data"))
    return folder if folder.is_dir() else None


class Server:
    def __init__(self, binary, data_dir, *flags):
        self.binary, self.data_dir, self.flags = pathlib.Path(binary), pathlib.Path(data_dir), flags
        self.process = None
        self.port = None

    def start(self, timeout_s=30):
        """Starts and waits until it is ready; returns the seconds that took."""
        (self.data_dir / "server.port").unlink(missing_ok=True)
        self.data_dir.mkdir(parents=True, exist_ok=True)
        begin = time.monotonic()
        with open(self.data_dir / "server.log", "ab") as log:
            command = [str(self.binary), "serve", "--data-dir", str(self.data_dir), "--port", "0", *self.flags]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        while time.monotonic() - begin < timeout_s:
            if self.process.poll() is not None:
                raise RuntimeError("the server ended: " + (self.data_dir / "server.log").read_text()[-2000:])
            try:
                self.port = int((self.data_dir / "server.port").read_text())
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2):
                    return time.monotonic() - begin
            except (OSError, ValueError):
                time.sleep(0.01)
        raise RuntimeError("the server did not become ready")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(60)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def key(self):
        return (self.data_dir / "owner.key").read_text().strip()

    def call(self, method, path, body=None, headers=None, timeout=60):
        """The parsed JSON answer, or its text where it is none. A dict body goes out as JSON, bytes as they are."""
        headers = {"Authorization": "Bearer " + self.key, **(headers or {})}
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            text = error.read().decode()
            raise Refused(error.code, json.loads(text) if text.startswith("{") else text) from None
        return json.loads(text) if text[:1] in "{[" else text

    def upload(self, filename, content, purpose="dataset"):
        """POST /v1/files; the file object."""
        boundary = uuid.uuid4().hex
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n{value}'
            for name, extra, value in (("purpose", "", purpose + "\r\n"), ("file", f'; filename="{filename}"', ""))
        )
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        return self.call("POST", "/v1/files", body, {"Content-Type": "multipart/form-data; boundary=" + boundary})

    def wait_job(self, job_id, timeout_s=600):
        """The job once it is final."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            job = self.call("GET", "/v1/jobs/" + job_id)
            if job["status"] in ("succeeded", "failed", "cancelled"):
                return job
            time.sleep(0.05)
        raise RuntimeError(f"the job {job_id} did not end")

    def succeed(self, job, timeout_s=600):
        """Waits for the job and insists on its success; its result."""
        job = self.wait_job(job["id"], timeout_s)
        assert job["status"] == "succeeded", job
        return job["result"]

    def add_dataset(self, name, files, **options):
        """Uploads {path: bytes} and imports them; the job's result."""
        listed = [{"file_id": self.upload(pathlib.Path(path).name, content)["id"], "path": path} for path, content in files.items()]
        return self.succeed(self.call("POST", "/v1/datasets", {"name": name, "files": listed, **options}))

    def train(self, family, dataset, model, **settings):
        """Creates the training job; the job object."""
        body = {"kind": "train", "family": family, "dataset": dataset, "model": model, "settings": settings}
        return self.call("POST", "/v1/jobs", body)

    def weights(self, model, version="latest"):
        """SHA-256 of the version's model.safetensors."""
        found = self.call("GET", f"/v1/registry/models/{model}/versions/{version}")
        return found["files"]["model.safetensors"]["sha256"]

    def processes(self, word):
        """Ids of this server's children whose command line has the word."""
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        found = []
        for pid in children:
            try:
                if word in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace"):
                    found.append(int(pid))
            except OSError:
                pass
        return found
