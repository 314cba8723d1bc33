"""Model files (catalogue F, N, Z): each is imported, and the job must say what is wrong with which key or tensor."""

import struct

from common.gguf import ARRAY, BOOL, F32, I32, I64, TEXT, U32, U64, array, tiny_llama, value
from hostile.harness import ModelRow
from hostile.pictures import make_zip

GIB = 1 << 30
T = "tokenizer.ggml."


def gguf(name, expected, change, **options):
    """The tiny model after `change`, which may return other bytes."""

    def files(_):
        model = tiny_llama()
        changed = change(model)
        return {"model.gguf": changed if isinstance(changed, bytes) else model.data()}

    return ModelRow(name, files, expected, **options)


def raw(name, expected, data, **options):
    return ModelRow(name, {"model.gguf": data}, expected, **options)


def key(name, content):
    return lambda model: model.keys.update({name: content})


def no_key(name):
    return lambda model: model.keys.pop(name) and None


def tensor(shape=None, kind=None, content=None, name="blk.0.attn_q.weight"):
    """One tensor, changed."""

    def change(model):
        old = model.tensors[name]
        model.tensors[name] = (shape or old[0], old[1] if kind is None else kind, old[2] if content is None else content)

    return change


def head(**values):
    def change(model):
        for field, content in values.items():
            setattr(model, field, content)

    return change


def added(name, shape, kind, content):
    return lambda model: model.tensors.update({name: (shape, kind, content)})


def renamed(name, old="blk.0.attn_q.weight"):
    def change(model):
        model.tensors[name] = model.tensors.pop(old)

    return change


def tokens(change):
    """The vocabulary after `change`, a function of the list of tokens."""
    words = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + ["\u2581", "a", "b", "ab"]

    def apply(model):
        changed = words[:]
        changed = change(changed) or changed
        model.keys[T + "tokens"] = array(TEXT, changed)

    return apply


def cut(count):
    return lambda model: model.data()[:count]


def later(change, more):
    """The whole file's bytes after `more`."""

    def apply(model):
        change(model)
        return more(model.data())

    return apply


def duplicate_key(model):
    twice = {**model.keys}
    twice["general.architecturf"] = value(TEXT, "llama")
    model.keys = twice
    return model.data().replace(b"general.architecturf", b"general.architecture")


QUERY = "'blk.0.attn_q.weight'"
LAST = r"'(output_norm|blk\.0\.[a-z_]+)\.weight'"

HEADERS = [
    raw("F1 four bytes", "no model", b"abcd"), raw("F1 the magic alone", "ends before", b"GGUF"),
    raw("F1 three bytes", "no model", b"GGU"), raw("F1 one byte", "no model", b"G"),
    gguf("F1 another magic", "no model", head(magic=b"GGML")), gguf("F1 version 0", "version is 0", head(version=0)),
    gguf("F1 version 1", "version is 1", head(version=1)), gguf("F1 version 99", "version is 99", head(version=99)),
    gguf("F1 big-endian", "version|endian", head(version=3 << 24)),
    gguf("F2 no keys", "'general.architecture'|key|tensor", head(key_count=0)),
    gguf("F2 2^31 keys", "keys", head(key_count=2**31)), gguf("F2 2^63 keys", "keys", head(key_count=2**63)),
    gguf("F2 -1 keys", "keys", head(key_count=2**64 - 1)), gguf("F2 no tensors", "tensors|header", head(tensor_count=0)),
    gguf("F2 2^31 tensors", "tensors", head(tensor_count=2**31)),
    gguf("F2 -1 tensors", "tensors", head(tensor_count=2**64 - 1)),
    gguf("F2 one key too many", "key|tensor", lambda m: head(key_count=len(m.keys) + 1)(m)),
    gguf("F2 one tensor too many", "tensor", lambda m: head(tensor_count=len(m.tensors) + 1)(m)),
    gguf("F2 a key twice", "'general.architecture' is there twice", duplicate_key),
]

KEYS = [
    gguf("F4 a text of 1 GiB", "'general.name'", key("general.name", struct.pack("<IQ", TEXT, GIB) + b"x")),
    gguf("F4 a text of 2^63", "'general.name'", key("general.name", struct.pack("<IQ", TEXT, 2**63) + b"x")),
    gguf("F4 a key of no length", "name of key", key("", value(U32, 1))),
    gguf("F4 a key of 70,000 bytes", "name of key", key("k" * 70000, value(U32, 1))),
    gguf("F4 a key that is no text", "name of key", lambda m: later(key("k" * 9, value(U32, 1)), lambda data: data.replace(
        b"k" * 9, b"\xff\xfe\0'\"<b>\xc3"))(m)),
    gguf("F5 an array of arrays", "'a.b' is an array of arrays", key("a.b", struct.pack("<IIQ", ARRAY, ARRAY, 1) + bytes(12))),
    gguf("F5 an array of 2^62", "'a.b'", key("a.b", array(U64, [1], count=2**62))),
    gguf("F5 an array of 2^61 texts", "'a.b'", key("a.b", array(TEXT, ["x"], count=2**61))),
    gguf("F5 an array of 2^63 bytes", "'a.b'", key("a.b", array(0, [1], count=2**63))),
    gguf("F5 a type that does not exist", "'a.b' has the type 99", key("a.b", struct.pack("<II", 99, 0))),
    gguf("F5 a Boolean of 7", "'a.b' has a Boolean of 7", key("a.b", struct.pack("<IB", BOOL, 7))),
    gguf("F5 scores that are texts", T + "scores", key(T + "scores", array(TEXT, ["x"] * 263))),
    gguf("F5 tokens that are numbers", T + "tokens", key(T + "tokens", array(U32, [1] * 263))),
    gguf("F5 a number that is a text", "llama.block_count", key("llama.block_count", value(TEXT, "1"))),
    gguf("F9 alignment 0", "'general.alignment' is 0", key("general.alignment", value(U32, 0))),
    gguf("F9 alignment 3", "'general.alignment' is 3", key("general.alignment", value(U32, 3))),
    gguf("F9 alignment 2^30", "'general.alignment'", key("general.alignment", value(U32, GIB))),
    gguf("F9 alignment as INT32", "'general.alignment'", key("general.alignment", value(I32, 32))),
    gguf("F9 no architecture", "general.architecture", no_key("general.architecture")),
    gguf("F9 an unknown architecture", "architecture 'll.ma'", key("general.architecture", value(TEXT, b"ll\xffma"))),
    gguf("F9 0 layers", "llama.block_count", key("llama.block_count", value(U32, 0))),
    gguf("F9 2^32 - 1 layers", "llama.block_count", key("llama.block_count", value(U32, 2**32 - 1))),
    gguf("F9 -1 layers", "llama.block_count", key("llama.block_count", value(I64, -1))),
    gguf("F9 two layers, one there", r"'blk\.1\.", key("llama.block_count", value(U32, 2))),
    gguf("F9 a width of 2^31", "llama.embedding_length", key("llama.embedding_length", value(U32, 2**31))),
    gguf("F9 a width that does not fit", "token_embd.weight", key("llama.embedding_length", value(U32, 16))),
    gguf("F9 heads that do not divide", "llama.attention.head_count", key("llama.attention.head_count", value(U32, 3))),
    gguf("F9 0 heads", "llama.attention.head_count", key("llama.attention.head_count", value(U32, 0))),
    gguf("F9 more KV heads than heads", "head_count_kv", key("llama.attention.head_count_kv", value(U32, 4))),
    gguf("F9 an odd rotation", "rope.dimension_count", key("llama.rope.dimension_count", value(U32, 3))),
    gguf("F9 a base that is no number", "rope.freq_base", key("llama.rope.freq_base", value(F32, float("nan")))),
    gguf("F9 an infinite factor", "rope.scaling.factor", key("llama.rope.scaling.factor", value(F32, float("inf")))),
    gguf("F9 an unknown scaling", "rope scaling", key("llama.rope.scaling.type", value(TEXT, "é" * 60))),
    gguf("F9 an epsilon of -1", "layer_norm_rms_epsilon", key("llama.attention.layer_norm_rms_epsilon", value(F32, -1.0))),
    gguf("F9 no context", "llama.context_length", no_key("llama.context_length")),
    gguf("F9 10^6 experts", "expert_count", key("llama.expert_count", value(U32, 10**6))),
    gguf("F9 a part of 9 files", "split.count|split.no", lambda m: m.keys.update(
        {"split.count": value(2, 9), "split.no": value(2, 0)})),
]

TENSORS = [
    gguf("F6 no dimensions", QUERY + " has 0 dimensions", added("blk.0.attn_q.weight", [], 0, b"")),
    gguf("F6 5 dimensions", QUERY + " has 5 dimensions", tensor(shape=[1] * 5)),
    gguf("F6 255 dimensions", QUERY + " has 255 dimensions", tensor(shape=[1] * 255)),
    gguf("F6 a dimension of 0", QUERY + " has a dimension of 0", tensor(shape=[8, 0])),
    gguf("F6 a negative dimension", QUERY + " has a dimension", tensor(shape=[8, 2**64 - 8])),
    gguf("F6 an overflowing product", QUERY, tensor(shape=[2**32, 2**32])),
    gguf("F6 an overflowing product of bytes", QUERY, tensor(shape=[2**31, 2**31])),
    gguf("F6 a shape that is another's", QUERY + " has the shape", tensor(shape=[4, 8], content=bytes(128))),
    gguf("F7 an unknown type", QUERY + " has the type 99", tensor(kind=99)),
    gguf("F7 a type that was given up", QUERY, tensor(kind=4)), gguf("F7 an integer type", QUERY, tensor(kind=26)),
    gguf("F7 blocks that do not fill a row", "shape of tensor " + QUERY, tensor(kind=2)),
    gguf("F8 an offset that is not aligned", "offset of tensor " + QUERY, tensor(content=7)),
    gguf("F8 two tensors in one place", "lies within tensor", tensor(content=0)),
    gguf("F8 an offset beyond the end", QUERY + " reaches beyond", tensor(content=1 << 40)),
    gguf("F8 an offset that wraps", QUERY + " reaches beyond", tensor(content=2**64 - 32)),
    gguf("F8 the data cut off", LAST + " reaches beyond", lambda m: m.data()[:-64]),
    gguf("F8 all data cut off", "reaches beyond|tensor", lambda m: m.data()[:-9000]),
    gguf("F8 cut off within a key", "key|tensor", cut(100)), gguf("F8 cut off within the tokens", T + "tokens", cut(2000)),
    gguf("F8 a name of 300 bytes", "name of tensor", renamed("n" * 300)),
    gguf("F8 a name that is no text", "name of tensor", renamed(b"\xff\0\x1b[31m")),
    gguf("F8 a tensor without use", "'blk.0.attn_x.weight' has no use", added("blk.0.attn_x.weight", [8], 0, bytes(32))),
    gguf("F8 a tensor that is missing", QUERY + " is missing", lambda m: m.tensors.pop("blk.0.attn_q.weight") and None),
    gguf("F8 no embeddings", "token_embd.weight", lambda m: m.tensors.pop("token_embd.weight") and None),
    gguf("F8 a factor of rotation of 0", "rope_freqs.weight", added("rope_freqs.weight", [2], 0, bytes(8))),
]

VOCABULARIES = [
    gguf("F11 no tokens", T + "tokens", key(T + "tokens", array(TEXT, []))),
    gguf("F11 10 million tokens", T + "tokens", key(T + "tokens", array(TEXT, ["x"], count=10**7))),
    gguf("F11 fewer tokens than rows", "tok", tokens(lambda words: words[:100])),
    gguf("F11 a byte of -1", "<0x-1>", tokens(lambda words: words.__setitem__(5, "<0x-1>"))),
    gguf("F11 a byte of ZZ", "<0xZZ>", tokens(lambda words: words.__setitem__(5, "<0xZZ>"))),
    gguf("F11 a byte of three digits", "<0x100>", tokens(lambda words: words.__setitem__(5, "<0x100>"))),
    gguf("F11 a token of 1 MiB", "token 260", tokens(lambda words: words.__setitem__(260, "x" * (1 << 20)))),
    gguf("F11 a token twice", "is both token", tokens(lambda words: words.__setitem__(261, "a"))),
    gguf("F11 a score that is no number", "score", key(T + "scores", array(F32, [float("nan")] * 263))),
    gguf("F11 too few scores", "score", key(T + "scores", array(F32, [0.0] * 3))),
    gguf("F11 an unknown kind of token", T + "token_type", key(T + "token_type", array(I32, [77] * 263))),
    gguf("F11 too few kinds", T + "token_type", key(T + "token_type", array(I32, [1] * 3))),
    gguf("F11 an end that is no token", T + "eos_token_id", key(T + "eos_token_id", value(U32, 263))),
    gguf("F11 an end of -2", T + "eos_token_id", key(T + "eos_token_id", value(I32, -2))),
    gguf("F11 no tokeniser", T + "model", no_key(T + "model")),
    gguf("F11 an unknown tokeniser", T + "model", key(T + "model", value(TEXT, "magic\n"))),
    gguf("F11 a flag that is a number", T + "add_bos_token", key(T + "add_bos_token", value(U32, 1))),
    gguf("F11 a merge of what is no token", "merge", lambda m: m.keys.update(
        {T + "model": value(TEXT, "gpt2"), T + "merges": array(TEXT, ["a zz"])})),
    gguf("F11 a merge of one", "merge", lambda m: m.keys.update(
        {T + "model": value(TEXT, "gpt2"), T + "merges": array(TEXT, ["ab"])})),
    gguf("F11 no merges", T + "merges", key(T + "model", value(TEXT, "gpt2"))),
    gguf("F11 an unknown pre-tokeniser", "pre-tokeniser 'é", lambda m: m.keys.update(
        {T + "model": value(TEXT, "gpt2"), T + "merges": array(TEXT, ["a b"]), T + "pre": value(TEXT, "é" * 70)})),
    gguf("F11 a charsmap that lies", "charsmap", lambda m: m.keys.update(
        {T + "model": value(TEXT, "t5"), T + "precompiled_charsmap": array(0, [255] * 12)})),
    gguf("F11 a template that is no text", "chat_template", key("tokenizer.chat_template", value(U32, 1))),
    gguf("F11 a template cut off", "template", key("tokenizer.chat_template", value(TEXT, "{% for m in messages %}"))),
    gguf("F11 a template of deep brackets", "template", key("tokenizer.chat_template", value(TEXT, "{{" + "(" * 50000))),
]

OTHERS = [
    raw("Z1 a zip archive", "no model", make_zip({"../model.gguf": b"x"})),
    raw("Z9 a pickle", "no model", b"\x80\x02}q\x00."),
    gguf("Z11 a zip behind a model", "bytes behind tensor", lambda m: m.data() + make_zip({"a.py": b"import os"})),
    gguf("Z11 a model behind a zip", "no model", lambda m: make_zip({"a.py": b"import os"}) + m.data()),
    gguf("Z11 a model behind a model", "bytes behind tensor", lambda m: m.data() * 2),
    ModelRow("F1 two models", lambda _: {"a.gguf": tiny_llama().data(), "b.gguf": tiny_llama().data()}, "more than one"),
    ModelRow("F1 one name twice", lambda _: {"x/a.gguf": tiny_llama().data(), "y/a.gguf": b"GGUF"}, "two files|'a.gguf'"),
    ModelRow("N1 safetensors alone", {"model.safetensors": struct.pack("<Q", 2) + b"{}"}, "config.json|no model"),
    ModelRow("L1 a checkpoint of nothing", {"m.bin": bytes(28), "t.bin": bytes(4)}, "dim is 0"),
    ModelRow("L1 a checkpoint cut off", {"m.bin": struct.pack("<7i", 8, 8, 1, 2, 2, 8, 8), "t.bin": bytes(4)},
             "'token_embd.weight'"),
    ModelRow("L1 a checkpoint of 2^31", {"m.bin": struct.pack("<7i", *[2**31 - 1] * 7), "t.bin": bytes(4)}, "dim is"),
]

ROWS = [gguf("F0 a good model is taken", "", lambda _: None, fails=False), *HEADERS, *KEYS, *TENSORS, *VOCABULARIES, *OTHERS]
