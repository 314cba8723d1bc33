#!/usr/bin/env python3
"""Word vectors, English and Chinese: trained, killed and gone on with, measured, deployed, asked, exported, imported.

    tests/e2e/words.py --server-binary build/bin/atelier
"""

import argparse
import json
import os
import pathlib
import random
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from common.atelier import Server  # noqa: E402
from e2e.run import Cli  # noqa: E402

ANIMALS = ["cat", "dog", "bird", "horse", "cow", "sheep"]
FOODS = ["苹果", "香蕉", "米饭", "面条", "牛奶", "鸡蛋"]


def sentences(count):
    """Words of one topic stand together."""
    source = random.Random(3)
    rows = []
    for _ in range(count):
        words = [source.choice(topic) for topic in [source.choice([ANIMALS, FOODS])] for _ in range(10)]
        rows.append(json.dumps({"text": " ".join(words)}))
    return "\n".join(rows) + "\n"


class Words:
    def __init__(self, server, folder):
        self.server = server
        self.cli = Cli(server)
        self.folder = pathlib.Path(folder)

    def add(self, name, text):
        file = self.folder / name
        file.write_text(text, encoding="utf-8")
        self.cli.run("dataset", "add", file.stem, str(file))

    def train(self, family, name, *settings):
        words = ["train", family, "--data", "texts", "--name", name, "--follow", "--set", "dimensions=16"]
        return self.cli.run(*words, *(part for setting in settings for part in ("--set", setting)))

    def weights(self, name):
        return self.cli.json("model", "show", f"{name}@1")["weights_sha256"]

    def post(self, path, body, status=200):
        answer = self.server.request("POST", path, body)
        assert answer.status == status, answer
        return answer.json()

    # The steps, in order.

    def train_both(self):
        self.add("texts.jsonl", sentences(3000))
        self.train("word2vec", "words", "epochs=10", "learning_rate=0.1")
        self.train("word2vec", "bags", "algorithm=cbow", "epochs=10", "learning_rate=0.1")
        self.train("glove", "counts", "epochs=10")
        _, err = self.cli.run("train", "word2vec", "--data", "texts", "--name", "bad", "--set", "windw=3", code=1)
        assert "window" in err, err

    def kill_and_go_on(self):
        """The job's process is killed; what it ends with is the whole run's."""
        body = {"kind": "train", "family": "word2vec", "dataset": "texts",
                "settings": {"dimensions": 64, "epochs": 60, "checkpoint_every_steps": 1}}
        self.server.run_job("/v1/jobs", {**body, "model": "whole"})
        job = self.post("/v1/jobs", {**body, "model": "cut"}, 200)["id"]
        checkpoint = pathlib.Path(self.server.data_dir, "jobs", job, "checkpoint", "checkpoint.safetensors")
        while not checkpoint.exists():
            time.sleep(0.01)
        self.server.stop(signal.SIGKILL)
        self.server.start()
        done = self.server.wait_job(job)
        assert done["status"] == "succeeded", done
        assert self.weights("cut") == self.weights("whole")
        assert "resumed from the checkpoint" in self.server.request("GET", f"/v1/jobs/{job}/events").body.decode()

    def measure(self):
        self.add("pairs.csv", "a,b,score\ncat,dog,9\ncat,苹果,1\n香蕉,米饭,8\n牛奶,bird,2\nhorse,cow,8.5\nnobody,cat,3\n")
        metrics = self.cli.json("evaluate", "words", "--data", "pairs", "--split", "train")["metrics"]
        assert metrics["spearman"] > 0.79 and metrics["pairs"] == 5 and metrics["unknown"] == 1, metrics
        rows = "".join(f"{a},{b},{c},{d},zoo\n" for a, b, c, d in [["cat", "dog", "cow", "horse"]] * 2)
        self.add("questions.csv", "a,b,c,d,section\n" + rows)
        metrics = self.cli.json("evaluate", "words", "--data", "questions", "--split", "train")["metrics"]
        assert metrics["asked"] == 2 and 0 <= metrics["accuracy"] <= 1, metrics

    def ask(self):
        for model in ("words", "bags", "counts"):
            self.cli.run("deploy", model)
            self.server.wait_ready(model)
            for word, topic in (("cat", ANIMALS), ("香蕉", FOODS)):
                found = self.post("/v1/words/nearest", {"model": model, "word": word, "top": 3})["data"]
                assert [item["word"] for item in found if item["word"] not in topic] == [], (model, word, found)
        out, _ = self.cli.run("words", "nearest", "words", "Cat", "--top", "2")
        assert len(out.strip().splitlines()) == 3, out
        out, _ = self.cli.run("words", "analogy", "words", "cat", "dog", "香蕉")
        assert any(food in out for food in FOODS), out
        pairs = self.cli.json("words", "similarity", "words", "cat", "cat", "cat", "苹果")["data"]
        assert abs(pairs[0]["similarity"] - 1) < 1e-5 and pairs[1]["similarity"] < 0.9, pairs
        vectors = self.post("/v1/embeddings", {"model": "words", "input": ["cat", "cat dog", "香蕉"]})["data"]
        assert [len(item["embedding"]) for item in vectors] == [16, 16, 16], vectors

    def refuse(self):
        error = self.post("/v1/words/nearest", {"model": "words", "word": "nobody"}, 400)["error"]
        assert error["code"] == "unknown_word" and "nobody" in error["message"], error
        self.post("/v1/words/nearest", {"model": "words"}, 400)
        self.post("/v1/words/nearest", {"model": "words", "word": "cat", "top": 0}, 400)
        self.post("/v1/words/nearest", {"model": "nothing", "word": "cat"}, 404)
        self.post("/v1/words/similarity", {"model": "words", "pairs": [["cat"]]}, 400)
        self.post("/v1/words/analogy", {"model": "words", "a": "cat", "b": "dog", "c": "x\ny"}, 400)

    def export_and_import(self):
        """Both forms give the vectors back bit by bit."""
        for ending in ("vec", "bin"):
            file = self.folder / f"again-{ending}.{ending}"
            self.cli.run("words", "export", "words", str(file))
            self.cli.run("model", "import", str(file))
            again = self.cli.json("model", "show", f"again-{ending}@1")
            assert again["family"] == "word2vec" and again["metadata"]["dimensions"] == 16, again
        assert self.weights("again-vec") == self.weights("again-bin")
        self.cli.run("deploy", "again-bin")
        self.server.wait_ready("again-bin")
        question = {"word": "cat", "top": 3}
        answers = [self.post("/v1/words/nearest", {"model": model, **question})["data"] for model in ("words", "again-bin")]
        assert answers[0] == answers[1], answers
        bad = self.folder / "bad.vec"
        bad.write_text("3 4\na 1 2\n")
        _, err = self.cli.run("model", "import", str(bad), code=1)
        assert "word vectors" in err, err


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server-binary", required=True)
    arguments = parser.parse_args()
    server = Server(arguments.server_binary)
    try:
        with tempfile.TemporaryDirectory(prefix="atelier-words-") as folder:
            words = Words(server.start(), folder)
            for step in ("train_both", "kill_and_go_on", "measure", "ask", "refuse", "export_and_import"):
                begin = time.monotonic()
                getattr(words, step)()
                print(f"ok   {step} ({time.monotonic() - begin:.2f} s)", flush=True)
    except Exception:
        print(server.log_text()[-2000:])
        raise
    finally:
        server.remove()


if __name__ == "__main__":
    main()
