"""Samples a second of training: our families beside the same networks in Python's PyTorch, taking turns.

python bench/train_peer.py [FAMILY ...] [--rounds 3] [--threads 2]     (needs torch; ATELIER_DATA_DIR of a running server,
`atelier` on the PATH). Both train on the same made-up texts, with the same batches of like lengths, Adam and no
validation; the speed is that of the second epoch. A family is a line of PEERS: its settings, and the same in PyTorch.
"""

import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import tempfile
import time

import torch
from torch import nn

ROWS, WORDS, CLASSES = 4000, 6000, 4


def texts():
    rng = random.Random(1)
    words = [f"w{i}" for i in range(WORDS)]
    weights = [1 / (i + 10) for i in range(WORDS)]
    rows = []
    for _ in range(ROWS):
        label = rng.randrange(CLASSES)
        rows.append((rng.choices(words, weights, k=rng.randint(8, 60)) + [f"w{label}"], label))
    return rows


class Recurrent(nn.Module):
    def __init__(self, vocabulary, cell, hidden, layers, bidirectional=False):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, 128, padding_idx=0)
        self.cells = cell(128, hidden, layers, dropout=0.3 if layers > 1 else 0, bidirectional=bidirectional)
        self.output = nn.Linear(hidden * (2 if bidirectional else 1), CLASSES)

    def forward(self, batch):
        lengths = torch.tensor([len(ids) for ids in batch])
        ids = nn.utils.rnn.pad_sequence([torch.tensor(ids) for ids in batch])
        x = nn.functional.dropout(self.embedding(ids), 0.3)
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
        states, _ = nn.utils.rnn.pad_packed_sequence(self.cells(packed)[0], padding_value=float("-inf"))
        return self.output(nn.functional.dropout(states.max(0)[0], 0.3))


class Convolutions(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, 128, padding_idx=0)
        self.filters = nn.ModuleList(nn.Conv1d(128, 100, width) for width in (2, 3, 4))
        self.output = nn.Linear(300, CLASSES)

    def forward(self, batch):
        ids = nn.utils.rnn.pad_sequence([torch.tensor(ids) for ids in batch], batch_first=True)
        x = nn.functional.dropout(self.embedding(ids), 0.3).transpose(1, 2)
        parts = [torch.relu(filter(x)).max(2)[0] for filter in self.filters]
        return self.output(nn.functional.dropout(torch.cat(parts, 1), 0.5))


class Bag(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.embedding = nn.EmbeddingBag(vocabulary, 64, mode="mean")
        self.output = nn.Linear(64, CLASSES)

    def forward(self, batch):
        offsets = torch.tensor([0] + [len(ids) for ids in batch[:-1]]).cumsum(0)
        x = self.embedding(torch.tensor([i for ids in batch for i in ids]), offsets)
        return self.output(nn.functional.dropout(nn.functional.dropout(x, 0.3), 0.3))


class Encoder(nn.Module):
    def __init__(self, vocabulary, width=128, layers=2, heads=2):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary + 2, width)  # with [CLS] and [SEP]
        self.positions, self.types = nn.Embedding(128, width), nn.Embedding(2, width)
        self.norm = nn.LayerNorm(width)
        layer = nn.TransformerEncoderLayer(width, heads, 4 * width, 0.1, "gelu", batch_first=True)
        self.blocks = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.pooler, self.output = nn.Linear(width, width), nn.Linear(width, CLASSES)

    def forward(self, batch):
        last = self.embedding.num_embeddings - 1
        ids = nn.utils.rnn.pad_sequence([torch.tensor([last - 1, *ids, last]) for ids in batch], batch_first=True)
        x = self.embedding(ids) + self.positions(torch.arange(ids.shape[1])) + self.types.weight[0]
        padding = ids == 0
        x = self.blocks(nn.functional.dropout(self.norm(x), 0.1), src_key_padding_mask=padding if padding.any() else None)
        return self.output(nn.functional.dropout(torch.tanh(self.pooler(x[:, 0])), 0.1))


# name: (our family, our settings, the peer's network, n-grams)
PEERS = {
    "lstm": ("lstm", {"layers": 2, "hidden": 64}, lambda v: Recurrent(v, nn.LSTM, 64, 2), 1),
    "bilstm": ("lstm", {"layers": 1, "hidden": 128, "bidirectional": "yes"}, lambda v: Recurrent(v, nn.LSTM, 128, 1, True), 1),
    "gru": ("gru", {"layers": 2, "hidden": 64}, lambda v: Recurrent(v, nn.GRU, 64, 2), 1),
    "rnn": ("rnn", {"layers": 2, "hidden": 64}, lambda v: Recurrent(v, nn.RNN, 64, 2), 1),
    "textcnn": ("textcnn", {}, Convolutions, 1),
    "textbag": ("textbag", {}, Bag, 2),
    "bert": ("bert", {"optimizer": "adam", "weight_decay": 0, "warmup": 0}, Encoder, 1),
}


def known(rows, ngrams):
    """Texts as numbers, of words and runs of words that are there twice."""
    runs = [[" ".join(words[i : i + n]) for n in range(1, ngrams + 1) for i in range(len(words) - n + 1)] for words, _ in rows]
    counts = {}
    for text in runs:
        for run in text:
            counts[run] = counts.get(run, 0) + 1
    ids = {run: i + 2 for i, run in enumerate(run for run, count in counts.items() if count > 1)}
    return [[ids[run] for run in text if run in ids] for text in runs], len(ids) + 2


def train_peer(name, rows, batch_size):
    _, _, make, ngrams = PEERS[name]
    sequences, vocabulary = known(rows, ngrams)
    labels = torch.tensor([label for _, label in rows])
    torch.manual_seed(1)
    network = make(vocabulary)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.002)
    for _ in range(2):
        order = random.sample(range(ROWS), ROWS)
        order.sort(key=lambda i: len(sequences[i]))
        batches = [order[i : i + batch_size] for i in range(0, ROWS, batch_size)]
        random.shuffle(batches)
        start = time.perf_counter()
        for batch in batches:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network([sequences[i] for i in batch]), labels[batch])
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5)
            optimizer.step()
            loss.item()
        speed = ROWS / (time.perf_counter() - start)
    return speed


def atelier(*arguments):
    output = subprocess.run(["atelier", "--json", *arguments], check=True, capture_output=True, text=True).stdout
    return json.loads(output)


def train_ours(name, batch_size):
    family, settings, _, _ = PEERS[name]
    common = {"epochs": 2, "batch_size": batch_size, "validation": 0, "early_stopping": 0, "gradient_clip": 5, "precision": "fp32"}
    words = [f"--set={key}={value}" for key, value in {**common, **settings}.items()]
    job = atelier("train", family, "--data", "train-peer", "--name", "train-peer-" + name, "--follow", *words)
    return job["progress"]["samples_per_s"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("families", nargs="*", default=list(PEERS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--batch-size", type=int, default=32)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows = texts()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "train.jsonl"
        lines = [json.dumps({"text": " ".join(words), "label": f"class {label}"}) for words, label in rows]
        path.write_text("\n".join(lines) + "\n")
        atelier("dataset", "add", "train-peer", str(path), "--target", "label", "--type", "text=text")
    print(f"PyTorch {torch.__version__}, {arguments.threads} threads, load {os.getloadavg()[0]:.1f}")
    print("| family | ours | PyTorch | ratio |\n|---|---|---|---|")
    for name in arguments.families:
        ours, theirs = [], []
        for turn in range(arguments.rounds):
            for side in (0, 1) if turn % 2 == 0 else (1, 0):
                if side == 0:
                    ours.append(train_ours(name, arguments.batch_size))
                else:
                    theirs.append(train_peer(name, rows, arguments.batch_size))
        a, b = statistics.median(ours), statistics.median(theirs)
        print(f"| {name} | {a:.0f} | {b:.0f} | {a / b:.2f}x |", flush=True)


if __name__ == "__main__":
    main()
