#!/usr/bin/env python3
"""Models from hubs, fetched from a hub on this machine by a running server.

    tests/e2e/pull.py --server-binary build/bin/atelier [--keep]

Needs the sample data: $ATELIER_SHARED_DATA, or shared/data in a folder above this one; without it, it is skipped
(status 77). The first failure ends the run with status 1.
"""

import argparse
import json
import os
import pathlib
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from common.atelier import Server  # noqa: E402
from common.gguf import with_text  # noqa: E402
from common.hub import COMMIT, Fault, Hub, git_sha1, sha256  # noqa: E402
from e2e.language import SKIPPED, shared_data  # noqa: E402
from e2e.run import Cli  # noqa: E402

TOKEN = "hf_a_secret_of_this_test"
PART = 65536
TEMPLATE = b"{% for m in messages %}{{ m.content }}{% endfor %}"


class Pull:
    def __init__(self, server, strict, hub, data, folder):
        self.server, self.strict, self.hub = server, strict, hub
        self.cli, self.strict_cli = Cli(server), Cli(strict)
        self.folder = pathlib.Path(folder)
        self.stories = data / "weights" / "llama2c_stories260K"
        self.gguf = b""

    def pull(self, source, code=0, **body):
        """A job by REST; returns it when it has ended."""
        answer = self.server.request("POST", "/v1/jobs", {"kind": "pull_model", "source": source, **body})
        assert answer.status == 200, answer
        job = self.server.wait_job(answer.json()["id"])
        assert (job["status"] == "succeeded") == (code == 0), job
        return job

    def storage(self):
        return [seen for seen in self.hub.seen if seen.storage]

    # The steps, in order.

    def make_model(self):
        self.cli.run("model", "import", str(self.stories), "--name", "stories")
        self.cli.run("model", "download", "stories", "--to", str(self.folder / "got"))
        plain = (self.folder / "got" / "stories260K.gguf").read_bytes()
        self.gguf = with_text(plain, b"tokenizer.chat_template", TEMPLATE)
        self.hub.add_repository("org/story", {
            "README.md": b"a story", "story-Q4_0.gguf": self.gguf, "story-Q8_0.gguf": plain, "story-Q2_K.gguf": b"no"})
        self.hub.add_repository("org/gated", {"m.gguf": self.gguf}, token=TOKEN)
        self.hub.add_repository("org/closed", {"m.gguf": self.gguf}, token="another")
        self.hub.add_repository("org/pickles", {"config.json": b"{}", "pytorch_model.bin": b"\x80"})
        self.hub.add_model("library/story:tiny", self.gguf)
        self.hub.files["m.gguf"] = self.gguf

    def huggingface(self):
        """The best file, in parts over several connections, with its lineage; the token stays with the endpoint."""
        out, err = self.cli.run("model", "pull", "hf:org/story", "--deploy")
        assert "story@1" in out and "deployed as story" in out, (out, err)
        version = self.cli.json("model", "show", "story@1")
        lineage = version["metadata"]["lineage"]
        assert lineage["source"] == "hf:org/story" and lineage["revision"] == COMMIT, lineage
        assert [file["path"] for file in lineage["source_files"]] == ["story-Q4_0.gguf"], lineage
        assert lineage["source_files"][0]["sha256"] == sha256(self.gguf), lineage
        assert version["metadata"]["license"] == "mit", version
        parts = [seen for seen in self.storage() if seen.sent > 1]
        assert len(parts) == -(-len(self.gguf) // PART) > 4, len(parts)
        assert sum(seen.sent for seen in parts) == len(self.gguf), parts
        assert all("authorization" not in seen.headers for seen in self.storage())
        assert all(seen.headers["authorization"] == f"Bearer {TOKEN}" for seen in self.hub.seen if not seen.storage)
        answer = self.server.request("POST", "/v1/chat/completions", {
            "model": "story", "messages": [{"role": "user", "content": "Once upon a time"}], "max_tokens": 5,
            "temperature": 0})
        assert answer.status == 200 and answer.json()["choices"][0]["message"]["content"].startswith(", there"), answer

    def other_references(self):
        for source, name in ((f"hf:org/story:q8_0@{COMMIT}", "story"), ("hf:org/story:story-Q4_0.gguf", "story"),
                             ("hf:org/gated", "gated"), ("modelscope:org/story", "story"),
                             ("ollama:story:tiny", "story-tiny"), (f"{self.hub.endpoint}/files/m.gguf", "m"),
                             (f"{self.hub.endpoint}/files/m.gguf#sha256={sha256(self.gguf)}", "m")):
            out, _ = self.cli.run("model", "pull", source)
            assert f"{name}@" in out, (source, out)
        out, _ = self.cli.run("model", "pull", "modelscope:org/story:Q8_0", "--as", "mine")
        assert "mine@1" in out, out

    def progress(self):
        self.hub.bytes_per_s = 400_000
        code, text = self.cli.on_terminal("model", "pull", "hf:org/story")
        assert code == 0 and "download story-Q4_0.gguf" in text and "MiB" in text and "=" in text, text
        job = self.server.request("GET", "/v1/jobs?kind=pull_model&limit=1").json()["data"][0]
        events = self.server.request("GET", f"/v1/jobs/{job['id']}/events?limit=100").json()["data"]
        done = [event["data"]["done_bytes"] for event in events if event["data"].get("stage") == "download"]
        # Events are few: the last one of the download may give way to what comes next.
        assert done == sorted(done) and len(self.gguf) / 2 < done[-1] <= len(self.gguf) and len(done) > 1, done

    def kill_and_resume(self):
        self.hub.bytes_per_s = 40_000
        answer = self.server.request("POST", "/v1/jobs", {"kind": "pull_model", "source": "hf:org/story", "model": "killed"})
        job = answer.json()["id"]
        folder = pathlib.Path(self.server.data_dir) / "jobs" / job / "pull"
        end = time.monotonic() + 60
        had = 0
        while had < 200_000 and time.monotonic() < end:
            time.sleep(0.05)
            try:
                had = sum(json.loads((folder / "0.json").read_text())["done"])
            except (OSError, ValueError):
                pass
        assert 200_000 <= had < len(self.gguf), had
        os.kill(self.job_process(job), signal.SIGKILL)
        killed = self.server.wait_job(job)
        assert killed["status"] == "failed", killed
        self.hub.reset()
        self.cli.run("job", "resume", job)
        done = self.server.wait_job(job)
        assert done["status"] == "succeeded" and done["attempt"] == 2, done
        fetched = sum(seen.sent for seen in self.storage())
        assert 0 < fetched <= len(self.gguf) - had + 1, (fetched, had)  # one byte is the first look
        assert not folder.exists()

    @staticmethod
    def job_process(job):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    if file.read().split(b"\0")[1:3] == [b"job", job.encode()]:
                        return int(pid)
            except OSError:
                pass
        raise AssertionError("the job has no process")

    def mend(self):
        """What may work the next time is tried again."""
        digest = sha256(self.gguf)
        for faults in ([Fault(digest, "truncate", 3)], [Fault(digest, "status", 2, 503)],
                       [Fault("/revision/", "status", 1, 429, 1)], [Fault(digest, "status", 1, 429, 1)],
                       [Fault(digest, "whole")], [Fault(digest, "whole", 1), Fault(digest, "truncate", 1)]):
            self.hub.faults = faults
            job = self.pull("hf:org/story", model="mended")
            file = job["result"]["metadata"]["lineage"]["source_files"][0]
            assert file["sha256"] == digest, file

    def notice_changes(self):
        """A file that changes between two parts is fetched again from its front."""
        self.hub.files["changing.gguf"] = self.hub.repositories["org/story"]["story-Q8_0.gguf"]
        seen = 0

        class Later(Fault):
            """From the fifth answer on."""
            @property
            def count(self):
                nonlocal seen
                seen += 1
                return 1 if seen > 5 else 0

            @count.setter
            def count(self, _):
                pass

        self.hub.faults = [Later("changing", "change", data=self.gguf)]
        job = self.pull(f"{self.hub.endpoint}/files/changing.gguf")
        assert job["result"]["metadata"]["lineage"]["source_files"][0]["sha256"] == sha256(self.gguf), job

    def refuse(self):
        digest = sha256(self.gguf)
        for source, faults, code, text in (
                ("hf:org/story", [Fault(digest, "corrupt", 3)], "checksum_mismatch", "arrived changed"),
                ("ollama:story:tiny", [Fault(digest, "corrupt", 3)], "checksum_mismatch", ""),
                (f"{self.hub.endpoint}/files/m.gguf#sha256={'0' * 64}", [], "checksum_mismatch", ""),
                ("hf:org/absent", [], "hub_access_denied", "HF_TOKEN"),
                ("hf:org/closed", [], "hub_access_denied", "accept the terms"),
                ("hf:org/story@dev", [], "hub_not_found", "Invalid rev id"),
                ("hf:org/story:Q5_0", [], "hub_file_not_found", "story-Q4_0.gguf"),
                ("hf:org/pickles", [], "no_model_files", "pickle"),
                ("hf:org/story:story-Q2_K.gguf", [], "invalid_model_file", ""),
                ("modelscope:org/absent", [], "hub_not_found", ""), ("ollama:absent", [], "hub_not_found", ""),
                (f"{self.hub.endpoint}/files/absent.gguf", [], "hub_not_found", ""),
                (f"{self.hub.endpoint}/loop", [], "too_many_redirects", "")):
            self.hub.faults = faults
            job = self.pull(source, code=1, model="refused")
            assert job["error"]["code"] == code and text in job["error"]["message"], (source, job["error"])
        self.hub.faults = []
        self.cli.run("model", "show", "refused", code=1)
        for source in ("org/story", "hf:../x", "hf:org/story:../x", "file:///etc/passwd", "https://u:p@example.com/m.gguf"):
            _, err = self.cli.run("model", "pull", source, code=1)
            assert "source" in err or "url_not_allowed" in err, err

    def forget_corrupt_bytes(self):
        """After a wrong hash a second attempt begins anew."""
        self.hub.faults = [Fault(sha256(self.gguf), "corrupt", 3)]
        job = self.pull("hf:org/story", code=1, model="again")
        self.cli.run("job", "resume", job["id"])
        assert self.server.wait_job(job["id"])["status"] == "succeeded"

    def keep_away(self):
        """A server that does not allow private addresses."""
        for source in (f"{self.hub.endpoint}/files/m.gguf", "https://127.0.0.1/m.gguf", "https://localhost/m.gguf",
                       "https://[::ffff:10.0.0.1]/m.gguf", "https://0x7f000001/m.gguf", "https://169.254.169.254/m.gguf"):
            answer = self.strict.request("POST", "/v1/jobs", {"kind": "pull_model", "source": source})
            assert answer.status == 400 and answer.json()["error"]["code"] == "url_not_allowed", (source, answer)
        # The endpoint is trusted, but not where it redirects to.
        _, err = self.strict_cli.run("model", "pull", "hf:org/story", code=1)
        assert "url_not_allowed" in err and not self.storage(), err
        self.hub.seen.clear()
        self.strict_cli.run("model", "pull", "modelscope:org/story")
        forbidden = self.strict.request("POST", "/api/pull", {"model": "127.0.0.1:1/a/b"})
        assert forbidden.status == 400 and isinstance(forbidden.json()["error"], str), forbidden

    def caches(self):
        """What other programs have is taken, if its hash is right."""
        digest = sha256(self.gguf)
        blob = self.folder / "hf" / "hub" / "models--org--story" / "blobs" / digest
        blob.parent.mkdir(parents=True)
        blob.write_bytes(self.gguf[:-1] + b"x")
        self.pull("hf:org/story")
        assert self.storage(), "the broken blob was taken"
        self.hub.seen.clear()
        blob.write_bytes(self.gguf)
        self.pull("hf:org/story")
        assert not self.storage() and blob.read_bytes() == self.gguf
        blob.unlink()
        blob = self.folder / "ollama" / "blobs" / f"sha256-{digest}"
        blob.parent.mkdir(parents=True)
        blob.write_bytes(self.gguf)
        self.pull("ollama:story:tiny")
        assert not self.storage()
        blob.unlink()

    def folder_of_huggingface(self):
        """Just the files of a model, the small ones checked by git's hash."""
        files = {"config.json": b"{}", "model.safetensors": b"weights", "tokenizer.json": b"{}", "README.md": b"",
                 "pytorch_model.bin": b"\x80", "train.py": b"import os", "onnx/model.onnx": b""}
        self.hub.add_repository("org/folder", files)
        self.pull("hf:org/folder", code=1)  # these are no model, but all of it was fetched
        asked = {seen.path.split("/")[-1] for seen in self.hub.seen if "/resolve/" in seen.path}
        assert asked == {"config.json", "model.safetensors", "tokenizer.json", "README.md"}, asked
        self.hub.faults = [Fault("config.json", "corrupt", 4)]
        job = self.pull("hf:org/folder", code=1)
        assert job["error"]["code"] == "checksum_mismatch" and git_sha1(b"{}"), job

    def ollama_api(self):
        self.hub.bytes_per_s = 1_000_000
        answer = self.server.request("POST", "/api/pull", {"model": "story:tiny"}, timeout=120)
        lines = [json.loads(line) for line in answer.body.splitlines()]
        assert answer.headers["content-type"] == "application/x-ndjson", answer
        assert lines[0] == {"status": "pulling manifest"} and lines[-1] == {"status": "success"}, lines
        pulled = [line for line in lines if "digest" in line]
        digest = sha256(self.gguf)
        assert pulled[-1] == {"status": f"pulling {digest[:12]}", "digest": f"sha256:{digest}", "total": len(self.gguf),
                              "completed": len(self.gguf)}, pulled
        chat = {"model": "story:tiny", "stream": False, "options": {"num_predict": 5, "temperature": 0},
                "messages": [{"role": "user", "content": "Once upon a time"}]}
        answer = self.server.request("POST", "/api/chat", chat)
        assert answer.status == 200 and answer.json()["message"]["content"].startswith(", there"), answer
        whole = self.server.request("POST", "/api/pull", {"model": "hf.co/org/story:Q4_0", "stream": False}, timeout=120)
        assert whole.status == 200 and whole.json() == {"status": "success"}, whole
        answer = self.server.request("POST", "/api/chat", {**chat, "model": "hf.co/org/story:Q4_0"})
        assert answer.status == 200, answer
        absent = self.server.request("POST", "/api/pull", {"model": "absent", "stream": False})
        assert absent.status == 404 and "absent" in absent.json()["error"], absent
        lines = self.server.request("POST", "/api/pull", {"name": "absent"}).body.splitlines()
        assert "absent" in json.loads(lines[-1])["error"], lines
        assert self.server.request("POST", "/api/pull", {"model": "a b"}).status == 400
        assert self.server.request("POST", "/api/pull", {}).status == 400

    def forbid(self):
        """A setting says no; and no token is anywhere on the disk."""
        self.strict.stop()
        self.strict.flags += ["--hub-pull", "false"]
        self.strict.start()
        answer = self.strict.request("POST", "/v1/jobs", {"kind": "pull_model", "source": "hf:org/story"})
        assert answer.status == 403 and answer.json()["error"]["code"] == "pull_forbidden", answer
        for file in pathlib.Path(self.server.data_dir).rglob("*"):
            if file.is_file():
                assert TOKEN.encode() not in file.read_bytes(), file


STEPS = ["make_model", "huggingface", "other_references", "progress", "kill_and_resume", "mend", "notice_changes",
         "refuse", "forget_corrupt_bytes", "keep_away", "caches", "folder_of_huggingface", "ollama_api", "forbid"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server-binary", required=True)
    parser.add_argument("--keep", action="store_true", help="leave the data folder behind")
    arguments = parser.parse_args()
    data = shared_data()
    if data is None or not (data / "weights" / "llama2c_stories260K").is_dir():
        print("skipped: no sample data (set ATELIER_SHARED_DATA)")
        sys.exit(SKIPPED)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped, too
    hub = Hub()
    passed = 0
    with tempfile.TemporaryDirectory(prefix="atelier-pull-") as folder:
        environment = {"HF_ENDPOINT": hub.endpoint, "HF_TOKEN": TOKEN, "HF_HOME": f"{folder}/hf",
                       "OLLAMA_MODELS": f"{folder}/ollama", "HF_HUB_CACHE": "", "MODELSCOPE_DOMAIN": ""}
        flags = ["--hub-ollama", hub.endpoint, "--hub-modelscope", hub.endpoint, "--hub-part-bytes", str(PART)]
        server = Server(arguments.server_binary, flags=[*flags, "--hub-private-addresses", "true"], environment=environment)
        strict = Server(arguments.server_binary, flags=flags, environment=environment)
        try:
            pull = Pull(server.start(), strict.start(), hub, data, folder)
            for step in STEPS:
                begin = time.monotonic()
                hub.reset()
                getattr(pull, step)()
                passed += 1
                print(f"ok   {step} ({time.monotonic() - begin:.2f} s)", flush=True)
        except Exception as error:  # noqa: BLE001: whatever it is, the log of the server explains it
            print(f"FAIL {STEPS[min(passed, len(STEPS) - 1)]}: {error!r}\n{server.log_text()[-2000:]}")
            raise
        finally:
            for each in (server, strict):
                if arguments.keep:
                    each.stop()
                    print(f"left behind: {each.data_dir}")
                else:
                    each.remove()
            hub.close()
            print(f"{passed} passed, {len(STEPS) - passed} failed")


if __name__ == "__main__":
    main()
