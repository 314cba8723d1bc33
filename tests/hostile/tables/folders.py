"""Folders in Hugging Face's layout (catalogue N): refused by the file, key or tensor that is wrong."""

import json
import struct

from common.folder import Folder, safetensors, with_header
from hostile.harness import ModelRow

Q = "model.layers.0.self_attn.q_proj.weight"


def folder(name, expected, change, **options):
    """The tiny folder after `change` of it, which may return files that stand for others or (None) are left out."""

    def files(_):
        model = Folder()
        others = change(model) or {}
        return {path: data for path, data in {**model.files(), **others}.items() if data is not None}

    return ModelRow(name, files, expected, **options)


def config(**values):
    return lambda model: model.config.update(values)


def no_config(key):
    return lambda model: model.config.pop(key) and None


def tokenizer(**values):
    return lambda model: model.tokenizer.update(values)


def weights(data):
    return lambda _: {"model.safetensors": data}


def entry(**values):
    """The header's entry of one tensor, changed."""

    def change(model):
        data = safetensors(model.tensors)
        length = struct.unpack_from("<Q", data)[0]
        header = json.loads(data[8:8 + length])
        header[Q].update(values)
        return {"model.safetensors": with_header(json.dumps(header).encode(), data[8 + length:])}

    return change


def index(content, **files):
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return lambda _: {"model.safetensors.index.json": text, **files}


def tensor(shape, name=Q):
    def change(model):
        count = 1
        for size in shape:
            count *= size
        model.tensors[name] = (shape, [0.5] * count)

    return change


CONFIGS = [
    folder("C1 no config.json", "config.json|no model", lambda _: {"config.json": None}),
    folder("C1 a config.json that is no JSON", "config.json", lambda _: {"config.json": b"{"}),
    folder("C1 a config.json that is a list", "config.json", lambda _: {"config.json": b"[]"}),
    folder("C1 a config.json of deep brackets", "config.json", lambda _: {"config.json": b"[" * 100000}),
    folder("C1 a config.json with a key twice", "config.json", lambda _: {"config.json": b'{"a":1,"a":2}'}),
    folder("C2 an unknown model", "nobody", config(model_type="nobody")),
    folder("C2 a model that is no text", "model_type", config(model_type=3)),
    folder("C2 no kind of model", "model_type", no_config("model_type")),
    folder("C2 code of its own", "auto_map|model_type|nobody", config(model_type="nobody", auto_map={"AutoModel": "x.Y"})),
    folder("C3 no width", "hidden_size", no_config("hidden_size")),
    folder("C3 a width of nothing", "hidden_size|embedding_length", config(hidden_size=0)),
    folder("C3 a width below nothing", "hidden_size|embedding_length", config(hidden_size=-8)),
    folder("C3 a width of 2^62", "hidden_size|embedding_length", config(hidden_size=2**62)),
    folder("C3 a width that is no whole number", "hidden_size", config(hidden_size=8.5)),
    folder("C3 heads that do not divide the width", "head", config(num_attention_heads=3)),
    folder("C3 more layers than there are", "model.layers.1", config(num_hidden_layers=2)),
    folder("C3 a million layers", "num_hidden_layers|block_count|model.layers", config(num_hidden_layers=10**6)),
    folder("C3 another activation", "hidden_act", config(hidden_act="tanh")),
    folder("C3 an unknown rope", "rope", config(rope_scaling={"rope_type": "spiral", "factor": 2})),
    folder("C3 a rope factor of nothing", "factor", config(rope_scaling={"rope_type": "linear", "factor": 0})),
]

WEIGHTS = [
    folder("N1 an empty file", "model.safetensors", weights(b"")),
    folder("N1 a header longer than the file", "header|length", weights(struct.pack("<Q", 1 << 40) + b"{}")),
    folder("N1 a header of 2^63", "header|length", weights(struct.pack("<Q", 1 << 63) + b"{}")),
    folder("N2 a header that is no JSON", "model.safetensors|header", weights(with_header(b"{", b""))),
    folder("N2 a header that is a list", "model.safetensors|header", weights(with_header(b"[]", b""))),
    folder("N3 an unknown type", Q, entry(dtype="F33")),
    folder("N3 a type of no numbers of weights", Q, entry(dtype="BOOL")),
    folder("N3 a shape below nothing", Q, entry(shape=[-8, 8])),
    folder("N3 a shape that overflows", Q, entry(shape=[2**62, 8])),
    folder("N3 a shape of other bytes", Q, entry(shape=[8, 9])),
    folder("N4 offsets behind the file", Q, entry(data_offsets=[0, 1 << 40])),
    folder("N4 offsets the wrong way round", Q, entry(data_offsets=[256, 0])),
    folder("N4 offsets over another tensor", Q + "|overlap|model.embed_tokens.weight", entry(data_offsets=[0, 256])),
    folder("N5 a tensor missing", Q, lambda model: model.tensors.pop(Q) and None),
    folder("N5 a tensor nobody needs", "model.layers.0.extra", tensor([8, 8], "model.layers.0.extra.weight")),
    folder("N5 a tensor of another shape", Q, tensor([8, 4])),
    folder("N5 a vector for a matrix", Q, tensor([64])),
    folder("N6 an index that is no JSON", "index.json", index(b"{")),
    folder("N6 an index without a map", "weight_map", index({})),
    folder("N6 an index to a file that is not there", "model-2.safetensors",
           index({"weight_map": {Q: "model-2.safetensors"}})),
    folder("N6 an index to a file elsewhere", "../model", index({"weight_map": {Q: "../model.safetensors"}})),
    folder("N6 an index to a file by its path", "/srv/model", index({"weight_map": {Q: "/srv/model.safetensors"}})),
]

TOKENIZERS = [
    folder("T1 no tokeniser", "tokenizer", lambda _: {"tokenizer.json": None}),
    folder("T1 a tokeniser that is no JSON", "tokenizer.json", lambda _: {"tokenizer.json": b"{"}),
    folder("T1 a tokeniser of deep brackets", "tokenizer.json", lambda _: {"tokenizer.json": b"[" * 100000}),
    folder("T2 a model of no kind", "model", tokenizer(model={"type": "Magic"})),
    folder("T2 a vocabulary that is a list", "vocab", tokenizer(model={"type": "BPE", "vocab": [], "merges": []})),
    folder("T2 a token below nothing", "vocab", tokenizer(model={"type": "BPE", "vocab": {"a": -1}, "merges": []})),
    folder("T2 a token of 2^40", "vocab|token", tokenizer(model={"type": "BPE", "vocab": {"a": 2**40}, "merges": []})),
    folder("T2 a merge of what is no token", "merge", tokenizer(
        model={"type": "BPE", "vocab": {"a": 0}, "merges": ["a zz"]}, added_tokens=[])),
    folder("T3 an unknown pre-tokeniser", "pre_tokenizer", tokenizer(pre_tokenizer={"type": "Magic"})),
    folder("T3 a pattern that is none", "pre_tokenizer|pattern", tokenizer(
        pre_tokenizer={"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated", "invert": False})),
    folder("T3 an added token without text", "added_tokens", tokenizer(added_tokens=[{"id": 5}])),
    folder("T4 a template cut off", "template", lambda _: {"chat_template.jinja": b"{% for m in messages %}"}),
    folder("T4 a template that is no UTF-8", "template|UTF-8", lambda _: {"chat_template.jinja": b"\xff\xfe"}),
]

ROWS = [folder("C0 a good folder is taken", "", lambda _: None, fails=False), *CONFIGS, *WEIGHTS, *TOKENIZERS]
