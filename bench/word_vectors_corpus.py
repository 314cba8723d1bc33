"""The English text of the shared sample data as one corpus: a sentence or paragraph a line, lower case, words apart.

python bench/word_vectors_corpus.py SHARED_DATA OUT_FOLDER     writes OUT_FOLDER/corpus.txt and, for `atelier dataset
add`, corpus.jsonl, wordsim353.csv, simlex999.csv and questions.csv.
"""

import csv
import gzip
import json
import pathlib
import re
import sys
import tarfile

WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+")


def tar_texts(file):
    with tarfile.open(file) as archive:
        for member in archive:
            if member.isfile() and not member.name.endswith("cats.txt"):
                yield archive.extractfile(member).read().decode("latin-1")


def brown(data):
    for text in tar_texts(data / "text/brown/brown.tar.gz"):
        for line in text.splitlines():
            yield " ".join(token.rpartition("/")[0] for token in line.split())


def conll(data):
    for name in ("train", "test"):
        text = gzip.open(data / f"text/chunk_pos_conll2000/{name}.txt.gz", "rt", encoding="latin-1").read()
        for sentence in text.split("\n\n"):
            yield " ".join(line.split(" ")[0] for line in sentence.splitlines())


def instructions(data):
    for name in ("alpaca_en_demo", "dpo_en_demo"):
        for row in json.load(gzip.open(data / f"text/instruct/{name}.json.gz")):
            stack = [row]
            while stack:
                value = stack.pop()
                if isinstance(value, str):
                    yield from value.splitlines()
                else:
                    stack.extend(reversed(list(value.values() if isinstance(value, dict) else value)))


def plain(data):
    for pattern in ("lm/tinyshakespeare/input.txt", "embeddings_eval/lee/lee*.cor"):
        for file in sorted(data.glob(pattern)):
            yield from file.read_text("utf-8", "replace").splitlines()
    for line in (data / "text/question_class_trec/qc.txt").read_text("latin-1").splitlines():
        yield line.partition(" ")[2]


def columns(data):
    for pattern, column in (("text/sentiment_en_rtpolarity/*.tsv", 1), ("text/subjectivity_en/*.tsv", 1),
                            ("translation/tatoeba_en_zh/*", 0)):
        for file in sorted(data.glob(pattern)):
            for line in file.read_text("utf-8", "replace").splitlines()[1:]:
                yield line.split("\t")[column] if line.count("\t") >= column else ""


def entailment(data):
    for file in sorted(data.glob("text/entailment_rte/*.xml")):
        for text in re.findall(r"<[th]>(.*?)</[th]>", file.read_text("latin-1"), re.S):
            yield text.replace("\n", " ")


def captions(data):
    for file in sorted(data.glob("translation/multi30k_en_de/train*en.gz")):
        yield from gzip.open(file, "rt", encoding="utf-8")


def reviews(data):
    for text in tar_texts(data / "text/sentiment_en_moviereviews/movie_reviews.tar.gz"):
        yield from text.splitlines()


def write_table(file, header, rows):
    with open(file, "w", newline="") as out:
        csv.writer(out).writerows([header, *rows])


def write_questions(data, out):
    section, rows = "", []
    for line in (data / "embeddings_eval/questions-words.txt").read_text().splitlines():
        if line.startswith(":"):
            section = line[1:].strip()
        elif len(words := line.split()) == 4:
            rows.append([*words, section])
    write_table(out / "questions.csv", ["a", "b", "c", "d", "section"], rows)


def main():
    data, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    words = 0
    with open(out / "corpus.txt", "w") as text, open(out / "corpus.jsonl", "w") as rows:
        for source in (brown, reviews, columns, plain, conll, entailment, captions, instructions):
            for line in source(data):
                found = WORD.findall(line.lower())
                if found:
                    words += len(found)
                    text.write(" ".join(found) + "\n")
                    rows.write(json.dumps({"text": " ".join(found)}, ensure_ascii=False) + "\n")
    for name in ("wordsim353.tsv", "simlex999.txt"):
        lines = (data / "embeddings_eval" / name).read_text().splitlines()
        pairs = [line.split("\t") for line in lines if line and not line.startswith("#")]
        write_table(out / (name.split(".")[0] + ".csv"), ["first", "second", "score"], pairs)
    write_questions(data, out)
    print(f"{words} words")


main()
