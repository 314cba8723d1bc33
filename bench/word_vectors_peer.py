"""gensim's word2vec beside ours on the same words: speed in words of text a second, and what people say of the vectors.

python bench/word_vectors_peer.py FOLDER [--rounds 3] [--threads 1,2] [--algorithms skip_gram,cbow] [--epochs 5]

FOLDER is what word_vectors_corpus.py wrote; needs gensim and build/bin. Both take turns, each in a process of its own;
medians of all rounds are printed. Time is that of training alone, without reading the text and counting its words.
"""

import argparse
import json
import multiprocessing
import pathlib
import re
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from common import atelier  # noqa: E402

TASKS = ("wordsim353", "simlex999", "questions")


def import_files(server, folder):
    for name in ("corpus.jsonl", *(task + ".csv" for task in TASKS)):
        file = server.upload(name, (folder / name).read_bytes())
        server.run_job("/v1/datasets", {"name": name.split(".")[0], "files": [{"file_id": file, "path": name}]})


def ours(server, algorithm, epochs, seed):
    settings = {"algorithm": algorithm, "epochs": epochs, "tokens": "spaces", "lowercase": False, "seed": seed}
    job = server.run_job("/v1/jobs", {"kind": "train", "family": "word2vec", "dataset": "corpus", "model": algorithm,
                                      "settings": settings}, timeout=3600)
    log = server.request("GET", f"/v1/jobs/{job['id']}/events").body.decode()
    _, seconds = re.search(r"learned from (\d+) words in ([\d.]+) s", log).groups()
    text = int(re.search(r"(\d+) words of text", log)[1])
    result = {"speed": text * epochs / float(seconds)}
    for task in TASKS:
        metrics = server.run_job("/v1/evaluations", {"model": algorithm, "dataset": task, "split": "train"})
        metrics = metrics["result"]["metrics"]
        result[task] = metrics["accuracy"] if task == "questions" else metrics["spearman"]
    return result


def gensim(folder, algorithm, epochs, threads, seed, pipe):
    from gensim.models import Word2Vec

    sentences = [line.split() for line in open(folder / "corpus.txt")]
    model = Word2Vec(vector_size=100, window=5, negative=5, sample=1e-3, min_count=5, alpha=0.025, epochs=epochs,
                     sg=int(algorithm == "skip_gram"), workers=threads, seed=seed)
    model.build_vocab(sentences)
    start = time.perf_counter()
    model.train(sentences, total_examples=model.corpus_count, epochs=epochs)
    result = {"speed": model.corpus_total_words * epochs / (time.perf_counter() - start)}
    for task in TASKS[:2]:
        pairs = folder / f"{task}.tsv"
        lines = (folder / f"{task}.csv").read_text().splitlines()[1:]
        pairs.write_text("".join(line.replace(",", "\t") + "\n" for line in lines))
        result[task] = model.wv.evaluate_word_pairs(str(pairs))[1].statistic
    questions = folder / "questions.txt"
    lines = (folder / "questions.csv").read_text().splitlines()[1:]
    questions.write_text(": all\n" + "".join(" ".join(line.split(",")[:4]) + "\n" for line in lines))
    result["questions"] = model.wv.evaluate_word_analogies(str(questions))[0]
    pipe.send(result)


def peer(*arguments):
    receiver, sender = multiprocessing.get_context("spawn").Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=gensim, args=(*arguments, sender))
    process.start()
    result = receiver.recv()
    process.join()
    return result


def compare(folder, arguments, threads):
    server = atelier.Server(ROOT / "build/bin/atelier", flags=["--jobs-threads", str(threads)]).start()
    try:
        import_files(server, folder)
        for algorithm in arguments.algorithms.split(","):
            results = {"ours": [], "gensim": []}
            for seed in range(1, arguments.rounds + 1):
                results["ours"].append(ours(server, algorithm, arguments.epochs, seed))
                results["gensim"].append(peer(folder, algorithm, arguments.epochs, threads, seed))
            for name, rounds in results.items():
                medians = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
                print(f"{algorithm} threads {threads} {name}: {medians['speed']:,.0f} words/s, "
                      + ", ".join(f"{task} {medians[task]:.4f}" for task in TASKS), flush=True)
                print(json.dumps(rounds), file=sys.stderr)
    finally:
        server.remove()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--algorithms", default="skip_gram,cbow")
    parser.add_argument("--epochs", type=int, default=5)
    arguments = parser.parse_args()
    for threads in arguments.threads.split(","):
        compare(arguments.folder, arguments, int(threads))


if __name__ == "__main__":
    main()
