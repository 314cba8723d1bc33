"""Samples a second of training: our families beside the same networks in Python's PyTorch, taking turns.

python bench/train_peer.py [NAME ...] [--rounds 3] [--rows 4000] [--threads 2]    (needs torch 2 and tokenizers;
ATELIER_DATA_DIR of a running server, `atelier` on the PATH). Both train on the same made-up texts, with the same batches of
like lengths, Adam and no validation; the speed is that of the second epoch. PEERS has a line for each name.
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

WORDS, CLASSES = 6000, 4


def texts(count):
    rng = random.Random(1)
    words = [f"w{i}" for i in range(WORDS)]
    weights = [1 / (i + 10) for i in range(WORDS)]
    rows = []
    for _ in range(count):
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


class RotaryBlock(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.RMSNorm(width, 1e-5) for _ in range(2))
        self.query, self.key, self.value, self.output = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.gate, self.up = (nn.Linear(width, hidden, bias=False) for _ in range(2))
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x, cosines, sines):
        y = self.norms[0](x)
        q, k, v = (map(y).unflatten(2, (self.heads, -1)).transpose(1, 2) for map in (self.query, self.key, self.value))

        def turn(heads):
            first, second = heads.chunk(2, -1)
            return heads * cosines + torch.cat([-second, first], -1) * sines

        seen = nn.functional.scaled_dot_product_attention(turn(q), turn(k), v, is_causal=True)
        x = x + self.output(seen.transpose(1, 2).flatten(2))
        y = self.norms[1](x)
        return x + self.down(nn.functional.silu(self.gate(y)) * self.up(y))


class Llama(nn.Module):
    def __init__(self, vocabulary, width=192, heads=6, layers=6, hidden=512, context=256):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.blocks = nn.ModuleList(RotaryBlock(width, heads, hidden) for _ in range(layers))
        self.norm = nn.RMSNorm(width, 1e-5)
        rates = 10000 ** (-torch.arange(0, width // heads, 2) / (width // heads))
        angles = torch.outer(torch.arange(context), rates).repeat(1, 2)
        self.cosines, self.sines = angles.cos(), angles.sin()

    def loss(self, block):
        x = self.embedding(block[:, :-1])
        for layer in self.blocks:
            x = layer(x, self.cosines, self.sines)
        logits = nn.functional.linear(self.norm(x), self.embedding.weight)
        return nn.functional.cross_entropy(logits.flatten(0, 1), block[:, 1:].flatten())


class Translator(nn.Module):
    def __init__(self, vocabulary, width=256):
        super().__init__()
        self.width = width
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=0)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        self.transformer = nn.Transformer(width, 4, 3, 3, 512, dropout=0.1, batch_first=True, norm_first=True)
        self.places = nn.Parameter(torch.randn(128, width), requires_grad=False)

    def embed(self, ids):
        x = self.embedding(ids) * self.width**0.5 + self.places[: ids.shape[1]]
        return nn.functional.dropout(x, 0.1, self.training)

    def loss(self, sources, targets):
        source, target = (nn.utils.rnn.pad_sequence(ids, batch_first=True) for ids in (sources, targets))
        padding = source == 0
        causal = nn.Transformer.generate_square_subsequent_mask(target.shape[1] - 1)
        states = self.transformer(
            self.embed(source), self.embed(target[:, :-1]), tgt_mask=causal, tgt_is_causal=True,
            src_key_padding_mask=padding, memory_key_padding_mask=padding,
        )
        logits = nn.functional.linear(states, self.embedding.weight)
        return nn.functional.cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten(), ignore_index=0, label_smoothing=0.1)


def known(rows, ngrams):
    """Texts as numbers, of words and runs of words that are there twice."""
    runs = [[" ".join(words[i : i + n]) for n in range(1, ngrams + 1) for i in range(len(words) - n + 1)] for words, _ in rows]
    counts = {}
    for text in runs:
        for run in text:
            counts[run] = counts.get(run, 0) + 1
    ids = {run: i + 2 for i, run in enumerate(run for run, count in counts.items() if count > 1)}
    return [[ids[run] for run in text if run in ids] for text in runs], len(ids) + 2


def in_order(lengths, full):
    """Batches of like lengths; full(count, longest) says that a batch is."""
    order = random.sample(range(len(lengths)), len(lengths))
    order.sort(key=lambda i: lengths[i])
    batches, batch = [], []
    for i in order:
        if batch and full(len(batch) + 1, lengths[i]):
            batches.append(batch)
            batch = []
        batch.append(i)
    batches.append(batch)
    random.shuffle(batches)
    return batches


# What a peer trains: the network, and a function that makes an epoch's batches, each a function that gives its loss.
def classifier(make, ngrams=1, batch_size=32):
    def prepare(rows, _):
        sequences, vocabulary = known(rows, ngrams)
        labels = torch.tensor([label for _, label in rows])
        network = make(vocabulary)
        lengths = [len(ids) for ids in sequences]

        def loss(batch):
            return nn.functional.cross_entropy(network([sequences[i] for i in batch]), labels[batch])

        return network, lambda: [(loss, batch) for batch in in_order(lengths, lambda count, _: count > batch_size)]

    return prepare


def language_model(rows, tokenizer, context=256, batch_size=16):
    end = tokenizer.get_vocab_size() - 1
    stream = torch.tensor([i for words, _ in rows for i in tokenizer.encode(" ".join(words)).ids + [end]])
    blocks = stream[: (len(stream) - 1) // context * context + 1].unfold(0, context + 1, context)
    network = Llama(tokenizer.get_vocab_size())

    def epoch():
        return [(lambda batch: network.loss(blocks[batch]), batch) for batch in torch.randperm(len(blocks)).split(batch_size)]

    return network, epoch


def translator(rows, tokenizer, budget=3072):
    sides = [[torch.tensor([1, *tokenizer.encode(text).ids, 3]) for text in pair] for pair in pairs(rows)]
    network = Translator(tokenizer.get_vocab_size())
    lengths = [max(map(len, pair)) for pair in sides]

    def loss(batch):
        return network.loss([sides[i][0] for i in batch], [sides[i][1] for i in batch])

    return network, lambda: [(loss, batch) for batch in in_order(lengths, lambda n, longest: n * longest > budget or n > 256)]


def pairs(rows):
    return [(" ".join(words), " ".join(reversed(words))) for words, _ in rows]


# name: (our family, our settings, the peer)
TEXTS = {"batch_size": 32, "gradient_clip": 5}
PEERS = {
    "lstm": ("lstm", {"layers": 2, "hidden": 64, **TEXTS}, classifier(lambda v: Recurrent(v, nn.LSTM, 64, 2))),
    "bilstm": (
        "lstm",
        {"layers": 1, "hidden": 128, "bidirectional": "yes", **TEXTS},
        classifier(lambda v: Recurrent(v, nn.LSTM, 128, 1, True)),
    ),
    "gru": ("gru", {"layers": 2, "hidden": 64, **TEXTS}, classifier(lambda v: Recurrent(v, nn.GRU, 64, 2))),
    "rnn": ("rnn", {"layers": 2, "hidden": 64, **TEXTS}, classifier(lambda v: Recurrent(v, nn.RNN, 64, 2))),
    "textcnn": ("textcnn", TEXTS, classifier(Convolutions)),
    "textbag": ("textbag", TEXTS, classifier(Bag, ngrams=2)),
    "bert": ("bert", {"optimizer": "adam", "weight_decay": 0, "warmup": 0, **TEXTS}, classifier(Encoder)),
    "gpt": ("gpt", {}, language_model),
    "translation": ("translation", {"source": "text", "target": "turned"}, translator),
}


def train_peer(name, rows, tokenizer):
    torch.manual_seed(1)
    network, epoch = PEERS[name][2](rows, tokenizer)
    optimizer = torch.optim.AdamW((p for p in network.parameters() if p.requires_grad), lr=0.002, fused=True)
    for _ in range(2):
        batches = epoch()
        start = time.perf_counter()
        for loss_of, batch in batches:
            optimizer.zero_grad()
            loss = loss_of(batch)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5)
            optimizer.step()
            loss.item()
        speed = sum(len(batch) for _, batch in batches) / (time.perf_counter() - start)
    return speed


def atelier(*arguments):
    output = subprocess.run(["atelier", "--json", *arguments], check=True, capture_output=True, text=True).stdout
    return json.loads(output)


def train_ours(name, precision):
    family, settings, _ = PEERS[name]
    common = {"epochs": 2, "validation": 0, "early_stopping": 0, "precision": precision}
    words = [f"--set={key}={value}" for key, value in {**common, **settings}.items()]
    data = "train-peer-pairs" if family == "translation" else "train-peer"
    job = atelier("train", family, "--data", data, "--name", "train-peer-" + name, "--follow", *words)
    return job["progress"]["samples_per_s"]


def add_data(rows, folder):
    lines = [{"text": " ".join(words), "label": f"class {label}"} for words, label in rows]
    turned = [{"text": text, "turned": other} for text, other in pairs(rows)]
    for name, objects, more in (
        ("train-peer", lines, ["--target", "label", "--type", "text=text"]),
        ("train-peer-pairs", turned, ["--task", "none", "--type", "text=text", "--type", "turned=text"]),
    ):
        path = folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in objects))
        atelier("dataset", "add", name, str(path), "--split", "1,0,0", *more)


def tokenizer_of(name, folder):
    """That of the model which train_ours made."""
    import tokenizers

    path = folder / name
    if name == "gpt":
        atelier("model", "export", f"train-peer-{name}", str(path), "--format", "huggingface")
    else:
        atelier("model", "download", f"train-peer-{name}", "--to", str(path))
    return tokenizers.Tokenizer.from_file(str(path / "tokenizer.json"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=list(PEERS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--precision", default="fp32")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows = texts(arguments.rows)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        add_data(rows, folder)
        print(f"PyTorch {torch.__version__}, {arguments.threads} threads, load {os.getloadavg()[0]:.1f}")
        print("| family | ours | PyTorch | ratio |\n|---|---|---|---|")
        for name in arguments.names:
            ours, theirs = [train_ours(name, arguments.precision)], []
            tokenizer = tokenizer_of(name, folder) if name in ("gpt", "translation") else None
            for turn in range(arguments.rounds):
                if turn > 0:
                    ours.append(train_ours(name, arguments.precision))
                theirs.append(train_peer(name, rows, tokenizer))
            a, b = statistics.median(ours), statistics.median(theirs)
            print(f"| {name} | {a:.0f} | {b:.0f} | {a / b:.2f}x |", flush=True)


if __name__ == "__main__":
    main()
