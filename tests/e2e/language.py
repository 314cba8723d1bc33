#!/usr/bin/env python3
"""A language model from its files to a worker that is ready, through the command line and REST.

    tests/e2e/language.py --server-binary build/bin/atelier [--keep]

Needs the sample data: $ATELIER_SHARED_DATA, or shared/data in a folder above this one; without it, it is skipped
(status 77). Every step builds on the ones before; the first failure ends the run with status 1.
"""

import argparse
import concurrent.futures
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
from common.terminal import Terminal  # noqa: E402
from e2e.run import Cli  # noqa: E402

SKIPPED = 77
# Says the conversation, one message after the other; so the story teller goes on with the last one.
TEMPLATE = b"{{ messages | map(attribute='content') | join(' ') }}"
# What llama2.c (https://github.com/karpathy/llama2.c) says at temperature 0, as far as 120 tokens go.
STORY = """Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw \
a big, red ball. She wanted to play with it, but it was too high.
Lily's mom said, "Lily, let's go to the park." Lily was sad and didn't know what to do. She said, "I want to play with \
your ball, but I can'"""


def shared_data():
    """The folder of the sample data, or None."""
    if given := os.environ.get("ATELIER_SHARED_DATA"):
        return pathlib.Path(given)
    folders = [folder / "shared" / "data" for folder in pathlib.Path(__file__).resolve().parents]
    return next((folder for folder in folders if folder.is_dir()), None)


class Language:
    def __init__(self, server, data, folder):
        self.server = server
        self.golden = data / "golden" / "llm" / "models"
        self.cli = Cli(server)
        self.stories = data / "weights" / "llama2c_stories260K"
        self.folder = pathlib.Path(folder)

    # The steps, in order.

    def import_checkpoint(self):
        out, _ = self.cli.run("model", "import", str(self.stories), "--name", "stories")
        assert "stories@1" in out and "llama" in out and "F32" in out and "context 512" in out, out
        version = self.cli.json("model", "show", "stories@1")
        metadata = version["metadata"]
        assert version["family"] == "llm" and version["task"] == "text-generation", version
        assert list(version["files"]) == ["stories260K.gguf"] and version["weights_sha256"], version
        assert metadata["format"] == "llama2c" and metadata["vocabulary"] == 512, metadata
        sources = metadata["lineage"]["source_files"]
        assert sorted(source["path"] for source in sources) == ["stories260K.bin", "tok512.bin"], sources

    def import_gguf(self):
        """What was made of the checkpoint is a model that can be taken away and given back."""
        self.cli.run("model", "download", "stories", "--to", str(self.folder / "got"))
        gguf = self.folder / "got" / "stories260K.gguf"
        done = self.cli.json("model", "import", str(gguf))
        assert done["status"] == "succeeded" and done["result"]["model"] == "stories260K", done
        first, second = (self.cli.json("model", "show", name) for name in ("stories@1", "stories260K@1"))
        assert first["files"] == second["files"], (first, second)
        assert second["metadata"]["format"] == "gguf", second
        assert "stories260K" in self.cli.run("model", "card", "stories260K@1")[0]

    def through_hugging_face(self):
        """Out as a folder for transformers, and in again."""
        folder = self.folder / "stories-folder"
        self.cli.run("model", "export", "stories", str(folder), "--format", "huggingface")
        names = sorted(path.name for path in folder.iterdir())
        assert names == ["README.md", "config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
                         "tokenizer_config.json"], names
        config = json.loads((folder / "config.json").read_text())
        assert config["model_type"] == "llama" and config["vocab_size"] == 512 and config["head_dim"] == 8, config
        done = self.cli.json("model", "import", str(folder))
        assert done["result"]["model"] == "stories-folder" and done["result"]["metadata"]["format"] == "huggingface", done
        self.cli.run("model", "export", "stories@1", str(self.folder / "as-it-is"))
        assert [path.name for path in (self.folder / "as-it-is").iterdir()] == ["stories260K.gguf"]
        config["num_hidden_layers"] = 6
        (folder / "config.json").write_text(json.dumps(config))
        _, err = self.cli.run("model", "import", str(folder), "--name", "bad", code=1)
        assert "model.layers.5" in err, err
        config["model_type"] = "nobody"
        (folder / "config.json").write_text(json.dumps(config))
        _, err = self.cli.run("model", "import", str(folder), "--name", "bad", code=1)
        assert "unsupported_architecture" in err and "nobody" in err, err

    def refuse_bad_files(self):
        gguf = (self.folder / "got" / "stories260K.gguf").read_bytes()
        bad = {"cut.gguf": gguf[:-5000], "head.gguf": gguf[:20], "text.gguf": b"hello",
               "key.gguf": gguf.replace(b"llama.block_count", b"llama.block_c0unt")}
        for name, data in bad.items():
            (self.folder / name).write_bytes(data)
            _, err = self.cli.run("model", "import", str(self.folder / name), "--name", "bad", code=1)
            assert "invalid_model_file" in err, (name, err)
            if name == "cut.gguf":
                assert "weight" in err, err  # the tensor that is not there
            if name == "key.gguf":
                assert "llama.block_count" in err, err
        self.cli.run("model", "show", "bad", code=1)
        self.cli.run("model", "import", "/no/such/file", code=2)
        failed = [job for job in self.server.request("GET", "/v1/jobs?kind=import_model").json()["data"]
                  if job["status"] == "failed"]
        assert len(failed) == len(bad) + 2, failed  # and the two folders before
        assert self.server.request("GET", "/readyz", key=None).status == 200

    def deploy(self):
        _, err = self.cli.run("deploy", "stories", "--max-batch", "8", code=1)
        assert "max_batch" in err, err
        settings = {"max_running": 4, "context": 256, "kv_bytes": 16 << 20, "threads": 2}
        self.cli.run("deploy", "stories", "--as", "story", "--set", *(f"{key}={value}" for key, value in settings.items()))
        state = self.server.wait_ready("story")
        assert state["status"] == "ready" and state["settings"] == settings, state
        out, _ = self.cli.run("deployments")
        assert "story" in out and "ready" in out, out

    def complete(self, prompt, **fields):
        """The text of a greedy completion, and its usage."""
        body = {"model": "story", "prompt": prompt, "max_tokens": 60, "temperature": 0, **fields}
        answer = self.server.request("POST", "/v1/completions", body)
        assert answer.status == 200, answer
        if not fields.get("stream"):
            return answer.json()["choices"][0]["text"], answer.json()["usage"]
        events = [line[6:] for line in answer.body.decode().splitlines() if line.startswith("data: ")]
        assert events[-1] == "[DONE]", events
        chunks = [json.loads(event) for event in events[:-1]]
        return "".join(choice["text"] for chunk in chunks for choice in chunk["choices"]), chunks[-1]["usage"]

    def ask(self):
        """The story of the reference implementation, streamed and not, alone and among fifteen others."""
        whole = STORY[len("Once upon a time"):]
        text, usage = self.complete("Once upon a time", max_tokens=120)
        assert text == whole, text
        assert usage["completion_tokens"] == 120 and usage["prompt_tokens"] == 5, usage
        self.cli.run("deploy", "stories-folder", "--as", "folder", "--set", "context=256")
        self.server.wait_ready("folder")
        assert self.complete("Once upon a time", max_tokens=120, model="folder")[0] == whole
        self.cli.run("undeploy", "folder")
        streamed, usage = self.complete("Once upon a time", max_tokens=120, stream=True,
                                        stream_options={"include_usage": True})
        assert streamed == whole and usage["completion_tokens"] == 120, (streamed, usage)
        prompts = ["Once upon a time", *(f"{name} and the {thing}" for name in ("Lily", "Tom", "Ben")
                                         for thing in ("dog", "ball", "park", "tree", "cat"))]
        alone = [self.complete(prompt)[0] for prompt in prompts]
        with concurrent.futures.ThreadPoolExecutor(len(prompts)) as pool:
            together = [answer[0] for answer in pool.map(self.complete, prompts)]
        assert together == alone and whole.startswith(alone[0]), (together, alone)
        sampled = [self.complete("The dog", temperature=1, seed=seed)[0] for seed in (1, 1, 2)]
        assert sampled[0] == sampled[1] != sampled[2], sampled

    def refuse_bad_questions(self):
        for body, param in (({"prompt": "x" * 4000}, "prompt"), ({"prompt": "x", "temperature": 3}, "temperature"),
                            ({"prompt": "x", "max_tokens": 0.5}, "max_tokens")):
            answer = self.server.request("POST", "/v1/completions", {"model": "story", "max_tokens": 5, **body})
            assert answer.status == 400 and answer.json()["error"]["param"] == param, (body, answer)
        answer = self.server.request("POST", "/v1/completions", {"model": "nobody", "prompt": "x"})
        assert answer.status == 404 and answer.json()["error"]["code"] == "model_not_found", answer
        answer = self.server.request("POST", "/v1/chat/completions",
                                     {"model": "story", "messages": [{"role": "user", "content": "Hello"}]})
        assert answer.status == 400, answer  # it has no chat template

    def predict(self):
        """Completions through the command line."""
        greedy = ("--temperature", "0", "--max-tokens", "120")
        whole = STORY[len("Once upon a time"):]
        out, err = self.cli.run("predict", "story", "Once upon a time", *greedy)
        assert (out, err) == (whole + "\n", ""), (out, err)
        out, err = self.cli.run("predict", "story", "Once upon a time", "1,2", "--temperature", "0", "--stop", "girl",
                                "--stats")
        assert out.startswith(", there was a little \n") and err.count("tokens/s") == 2, (out, err)
        choices = self.cli.json("predict", "story", "Once upon a time", "Tom", *greedy)["choices"]
        assert len(choices) == 2 and choices[0]["text"] == whole, choices
        sampled = [self.cli.run("predict", "story", "The dog", "--seed", seed)[0] for seed in ("1", "1", "2")]
        assert sampled[0] == sampled[1] != sampled[2], sampled
        (self.folder / "schema.json").write_text('{"type": "object", "properties": {"a": {"type": "boolean"}},'
                                                 ' "required": ["a"], "additionalProperties": false}')
        out, _ = self.cli.run("predict", "story", "{", "--schema", str(self.folder / "schema.json"))
        assert isinstance(json.loads(out)["a"], bool), out
        self.cli.run("predict", "story", "x", "--schema", "/no/such/file", code=2)
        _, err = self.cli.run("predict", "nobody", "x", code=1)
        assert "model_not_found" in err, err

    def tokenize(self):
        answer = self.cli.json("model", "tokenize", "story", "Lily 你好")
        ids = answer["tokens"]
        out, _ = self.cli.run("model", "tokenize", "story", "Lily 你好")
        assert [line.split()[0] for line in out.splitlines()[1:]] == [str(token) for token in ids], out
        out, _ = self.cli.run("model", "tokenize", "story", "--count", stdin="Lily 你好")
        assert out == f"{len(ids)}\n" == f"{answer['count']}\n", out
        out, _ = self.cli.run("model", "tokenize", "story", "--ids", ", ".join(str(token) for token in ids))
        assert out.strip().endswith("Lily 你好"), out
        for ids in ("1,x", "-1", "99999999999"):
            self.cli.run("model", "tokenize", "story", f"--ids={ids}", code=2)
        self.cli.run("model", "tokenize", "story", "--ids", "99999", code=1)

    def chat(self):
        """Questions by arguments and pipes."""
        told = with_text((self.folder / "got" / "stories260K.gguf").read_bytes(), b"tokenizer.chat_template", TEMPLATE)
        (self.folder / "chatty.gguf").write_bytes(told)
        self.cli.run("model", "import", str(self.folder / "chatty.gguf"))
        self.cli.run("deploy", "chatty")
        _, err = self.cli.run("chat", "story", "Hello", code=1)
        assert "no_chat_template" in err and "atelier predict" in err, err
        greedy = ("--temperature", "0", "--max-tokens", "20")
        out, err = self.cli.run("chat", "chatty", "Once upon a time", *greedy)
        assert STORY[len("Once upon a time"):].startswith(out[:-1]) and len(out) > 20 and err == "", (out, err)
        assert self.cli.run("chat", "chatty", *greedy, stdin="Once upon a time\n") == (out, "")
        assert self.cli.run("chat", "chatty", *greedy, "--system", "Once upon", stdin="a time") == (out, "")
        whole, err = self.cli.run("chat", "chatty", "Once upon a time", *greedy, "--stats")
        assert whole == out and "20 tokens" in err and "first after" in err, err
        answer = self.cli.json("chat", "chatty", "Once upon a time", *greedy)
        assert answer["object"] == "chat.completion" and answer["usage"]["completion_tokens"] == 20, answer
        assert answer["choices"][0]["message"]["content"] == out[:-1], answer
        self.cli.run("chat", "chatty", stdin="", code=2)

    def tell(self, model, **fields):
        """A greedy chat answer's text, log probabilities and usage."""
        body = {"model": model, "messages": [{"role": "user", "content": "Once upon a time"}], "temperature": 0,
                "logprobs": True, **fields}
        answer = self.server.request("POST", "/v1/chat/completions", body)
        assert answer.status == 200, answer
        choice = answer.json()["choices"][0]
        return (choice["message"]["content"], [token["logprob"] for token in choice["logprobs"]["content"]],
                answer.json()["usage"])

    def bytes_and_foresight(self):
        """Keys and values in bytes change numbers a little; what was predicted changes none, and is counted."""
        _, err = self.cli.run("deploy", "chatty", "--as", "bytes", "--set", "kv_bits=4", code=1)
        assert "kv_bits" in err, err
        self.cli.run("deploy", "chatty", "--as", "bytes", "--set", "kv_bits=8", "speculation=lookup")
        self.server.wait_ready("bytes")
        (text, halves, _), (same, rounded, _) = (self.tell(model, max_tokens=10) for model in ("chatty", "bytes"))
        assert text == same and halves != rounded, (text, same)
        assert all(abs(a - b) < 0.1 for a, b in zip(halves, rounded, strict=True)), (halves, rounded)
        plain = self.tell("bytes", max_tokens=60)
        wish = {"type": "content", "content": plain[0]}
        foreseen = self.tell("bytes", max_tokens=60, prediction=wish)
        assert foreseen[:2] == plain[:2], (foreseen, plain)
        assert foreseen[2]["completion_tokens_details"]["accepted_prediction_tokens"] > 50, foreseen
        wrong = self.tell("bytes", max_tokens=60, prediction={**wish, "content": "A wholly different tale."})
        assert wrong[:2] == plain[:2], (wrong, plain)
        assert wrong[2]["completion_tokens_details"]["rejected_prediction_tokens"] > 0, wrong
        self.cli.run("undeploy", "bytes")

    def terminal(self, *arguments):
        environment = {**self.cli.environment, "TERM": "xterm"}
        return Terminal([self.server.binary, "chat", "chatty", "--temperature", "0", "--max-tokens", "20", *arguments],
                        environment)

    def chat_on_terminal(self):
        """Answers as they come, commands, several lines, Ctrl-C, Ctrl-D, and a history that lasts."""
        saved = self.folder / "saved.json"
        pid = self.server.request("GET", "/v1/deployments/chatty").json()["versions"][0]["pid"]
        with self.terminal() as chat:
            chat.expect("> ")
            chat.type("Once upon a time\n")
            assert STORY[16:50] in chat.expect("tokens/s"), chat.seen
            chat.expect("> ")
            chat.type("/clear\n")
            chat.expect("> ")
            chat.type("Once upon\\\n")
            chat.expect(". ")
            chat.type("a time 你好\n")
            chat.expect("tokens/s")
            chat.expect("> ")
            chat.type(f"/save {saved}\n")
            chat.expect("[kept 2 messages")
            assert json.loads(saved.read_text())["messages"][0]["content"] == "Once upon\na time 你好", saved.read_text()
            chat.type("dropped\x03")
            chat.expect("^C")
            os.kill(pid, signal.SIGSTOP)
            try:
                chat.type("An answer that does not come\n")
                chat.expect("come")
                time.sleep(0.5)
                chat.type("\x03")
                chat.expect("[stopped]")
            finally:
                os.kill(pid, signal.SIGCONT)
            chat.type("/set top_p=7\n")
            chat.type("Hello\n")
            assert "top_p" in chat.expect("(invalid"), chat.seen
            chat.type("/set top_p=\n/wrong\n")
            chat.expect("/help")
            chat.type(f"/clear\n/load {saved}\n")
            chat.expect("[2 messages")
            chat.type("/regenerate\n")
            chat.expect("tokens/s")
            chat.type("/exit\n")
            assert chat.ends() == 0
        with self.terminal() as chat:
            chat.expect("> ")
            chat.type("\x1b[A\x1b[A")
            chat.expect("/regenerate")
            chat.type("\x15\x04")
            assert chat.ends() == 0
        assert (pathlib.Path(self.server.data_dir) / ".local/state/atelier/chat_history").stat().st_mode & 0o77 == 0
        with Terminal([self.server.binary, "chat", "story"], self.cli.environment) as chat:
            chat.expect("no_chat_template")
            assert chat.ends() == 1

    def embed(self):
        self.cli.run("model", "import", str(self.golden / "bert-mean-F32.gguf"), "--name", "bert")
        self.cli.run("deploy", "bert")
        texts = ["a red ball", "你好，世界", "a red ball"]
        out, _ = self.cli.run("embed", "bert", *texts)
        vectors = [json.loads(line) for line in out.splitlines()]
        assert len(vectors) == 3 and vectors[0] == vectors[2] != vectors[1] and len(vectors[0]) == 48, vectors
        many = [f"text {i}" for i in range(150)]
        lines, _ = self.cli.run("embed", "bert", stdin="\n".join(many))
        assert len(lines.splitlines()) == 150, lines
        (self.folder / "texts.txt").write_text("\r\n".join(texts) + "\n\n")
        assert self.cli.run("embed", "bert", "--file", str(self.folder / "texts.txt"))[0] == out
        assert self.cli.json("embed", "bert", *texts) == vectors
        out, _ = self.cli.run("embed", "bert", *texts, "--similarity")
        rows = out.splitlines()
        assert len(rows) == 4 and rows[1].count("1.0000") == 2 and "你好" in rows[2], out
        matrix = self.cli.json("embed", "bert", *texts, "--similarity")["similarity"]
        assert abs(matrix[1][0] - matrix[0][1]) < 1e-9 and abs(matrix[1][1] - 1) < 1e-6 > abs(matrix[0][2] - 1), matrix
        short = json.loads(self.cli.run("embed", "bert", "a", "--dimensions", "4")[0])
        assert len(short) == 4, short
        _, err = self.cli.run("embed", "bert", "a", "--dimensions", "4000", code=1)
        assert "dimensions" in err, err
        _, err = self.cli.run("predict", "bert", "a", code=1)
        assert "model_not_supported" in err, err

    def quantize(self):
        """Smaller versions of the story teller, which go on telling."""
        out, err = self.cli.run("model", "quantize", "stories", "--to", "q8_0")
        assert "stories@2" in out and "Q8_0" in out and "warning" in err and "172 columns" in err, (out, err)
        version = self.cli.json("model", "show", "stories@2")
        assert version["metadata"]["lineage"]["base_model"] == "stories@1", version
        assert list(version["files"]) == ["stories-q8_0.gguf"], version
        _, err = self.cli.run("model", "quantize", "stories@2", "--to", "Q4_K_M", "--as", "small")
        assert "quantised already" in err, err
        sizes = [sum(file["size"] for file in self.cli.json("model", "show", name)["files"].values())
                 for name in ("stories@1", "stories@2", "small@1")]
        assert sizes[0] > sizes[1] > sizes[2], sizes
        for name, start in (("stories@2", STORY[16:80]), ("small", " ")):
            self.cli.run("deploy", name, "--as", "quantised")
            out, _ = self.cli.run("predict", "quantised", "Once upon a time", "--temperature", "0", "--max-tokens", "60")
            assert start in out and len(out) > 60, out
        self.cli.run("undeploy", "quantised")
        for arguments, word in ((("stories", "--to", "q7"), "q4_k_m"), (("nobody", "--to", "q8_0"), "model_not_found")):
            _, err = self.cli.run("model", "quantize", *arguments, code=1)
            assert word in err, err

    def crash(self):
        """A worker that is killed comes back."""
        pid = self.server.request("GET", "/v1/deployments/story").json()["versions"][0]["pid"]
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            assert b"worker\0llm" in file.read()
        os.kill(pid, signal.SIGKILL)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            version = self.server.request("GET", "/v1/deployments/story").json()["versions"][0]
            if version["status"] == "ready" and version["pid"] != pid:
                break
            time.sleep(0.1)
        assert version["restarts"] == 1 and version["status"] == "ready", version

    def remove(self):
        self.cli.run("undeploy", "story")
        self.cli.run("model", "delete", "stories")


STEPS = ["import_checkpoint", "import_gguf", "through_hugging_face", "refuse_bad_files", "deploy", "ask",
         "refuse_bad_questions", "predict", "tokenize", "chat", "bytes_and_foresight", "chat_on_terminal", "embed",
         "quantize", "crash", "remove"]


def run(case, steps, description):
    """The program: `case` is a kind of Language, `steps` are methods of it."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--server-binary", required=True)
    parser.add_argument("--keep", action="store_true", help="leave the data folder behind")
    arguments = parser.parse_args()
    data = shared_data()
    if data is None or not (data / "weights" / "llama2c_stories260K").is_dir():
        print("skipped: no sample data (set ATELIER_SHARED_DATA)")
        sys.exit(SKIPPED)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is stopped, too
    server = Server(arguments.server_binary)
    passed = 0
    try:
        with tempfile.TemporaryDirectory(prefix="atelier-language-") as folder:
            language = case(server.start(), data, folder)
            for step in steps:
                begin = time.monotonic()
                getattr(language, step)()
                passed += 1
                print(f"ok   {step} ({time.monotonic() - begin:.2f} s)", flush=True)
    except Exception as error:  # noqa: BLE001: whatever it is, the log of the server explains it
        print(f"FAIL {steps[min(passed, len(steps) - 1)]}: {error!r}\n{server.log_text()[-2000:]}")
        raise
    finally:
        if arguments.keep:
            server.stop()
            print(f"left behind: {server.data_dir}")
        else:
            server.remove()
        print(f"{passed} passed, {len(steps) - passed} failed")


if __name__ == "__main__":
    run(Language, STEPS, __doc__)
