#!/usr/bin/env python3
"""The model that comes with the project: imported, deployed, asked for verse in English and Chinese.

    tests/e2e/starter.py --server-binary build/bin/atelier
"""

import argparse
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from common.atelier import Server  # noqa: E402
from e2e.run import Cli  # noqa: E402

MODEL = ROOT / "models" / "starter" / "verse.gguf"


def chinese(text):
    return sum("\u4e00" <= letter <= "\u9fff" for letter in text)


def ask(server, target, body):
    answer = server.request("POST", target, {"model": "verse", "temperature": 0, "max_tokens": 60, **body})
    assert answer.status == 200, answer
    return answer.json()["choices"][0]


def check(server):
    assert MODEL.stat().st_size <= 8 << 20, MODEL.stat().st_size
    cli = Cli(server)
    cli.run("model", "import", str(MODEL), "--name", "verse")
    cli.run("deploy", "verse")
    said = ask(server, "/v1/chat/completions", {"messages": [{"role": "user", "content": "What light is that?"}]})
    english = said["message"]["content"]
    assert len(english.split()) >= 3 and chinese(english) == 0, english
    said = ask(server, "/v1/chat/completions", {"messages": [{"role": "user", "content": "春夜"}]})
    verse = said["message"]["content"]
    assert chinese(verse) >= 10 and "，" in verse, verse
    assert said["finish_reason"] in ("stop", "length"), said
    for prompt in ("Now is the winter of", "白日依山尽，"):
        text = ask(server, "/v1/completions", {"prompt": prompt})["text"]
        assert (chinese(text) >= 5) == (chinese(prompt) > 0) and text.strip(), text
    print(english, verse, sep="\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server-binary", required=True)
    server = Server(parser.parse_args().server_binary)
    try:
        check(server.start())
    finally:
        server.remove()


main()
