#!/usr/bin/env python3
"""Verse as conversations, English and Chinese: what the starter model learns from.

usage: make_data.py SHAKESPEARE.txt TANG.jsonl[.gz] FOLDER

English: Shakespeare's speeches (Karpathy's tinyshakespeare), each the answer to the one before it.
Chinese: poems of the Tang (chinese-poetry), in simplified characters (ICU's uconv), each the answer to its title or to its
first couplet. FOLDER gets train/verse.jsonl and validation/verse.jsonl, a conversation {"messages": [...]} a line.
"""
import gzip
import json
import pathlib
import random
import subprocess
import sys

TURNS = 4  # question and answer count as two
POEM = range(24, 100)  # characters
WHOLE = "，。；？！、"


def speeches(path):
    for paragraph in path.read_text(encoding="utf-8").split("\n\n"):
        _, colon, speech = paragraph.partition(":\n")
        if colon and speech.strip():
            yield speech.strip()


def english(path):
    said = [speech for speech in speeches(path) if len(speech) < 700]
    for offset in (0, 1):  # every speech once as a question, once as an answer
        yield from (said[i : i + TURNS] for i in range(offset, len(said) - TURNS + 1, TURNS))


def chinese(path, draw):
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")
    with opened as file:
        text = subprocess.run(
            ["uconv", "-f", "utf-8", "-t", "utf-8", "-x", "Traditional-Simplified"],
            input=file.read(), capture_output=True, text=True, encoding="utf-8", check=True,
        ).stdout
    for line in text.splitlines():
        poem = json.loads(line)
        lines = [part for part in poem["paragraphs"] if part]
        whole = "\n".join(lines)
        clean = all("\u4e00" <= letter <= "\u9fff" or letter in WHOLE for letter in "".join(lines))
        if not clean or len(whole) not in POEM or len(lines) < 2:
            continue
        if draw.random() < 0.5 and len(poem["title"]) <= 8:
            yield [poem["title"], whole]
        else:
            yield [lines[0], "\n".join(lines[1:])]


def main():
    shakespeare, tang, folder = map(pathlib.Path, sys.argv[1:4])
    draw = random.Random(1)
    conversations = list(english(shakespeare))
    conversations += draw.sample(list(chinese(tang, draw)), 9000)
    draw.shuffle(conversations)
    held_out = len(conversations) // 50
    for split, rows in (("validation", conversations[:held_out]), ("train", conversations[held_out:])):
        (folder / split).mkdir(parents=True, exist_ok=True)
        with (folder / split / "verse.jsonl").open("w", encoding="utf-8") as out:
            for turns in rows:
                messages = [{"role": ("user", "assistant")[i % 2], "content": turn} for i, turn in enumerate(turns)]
                out.write(json.dumps({"messages": messages}, ensure_ascii=False) + "\n")
        print(split, len(rows))


main()
