#!/usr/bin/env python3
"""Writes small good inputs for each fuzzer, and dictionaries of its words: seeds.py FOLDER.

FOLDER/NAME/* are the inputs of NAME_fuzz, FOLDER/NAME.dict its words. What lies in the sample data that is shared
between projects is added where it is there ($ATELIER_SHARED_DATA).
"""

import json
import os
import re
import struct
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)

from common.gguf import ALIGNMENT, BOOL, F32, I32, TEXT, U32, Gguf, array, tiny_llama, value  # noqa: E402

SOURCES = os.path.join(os.path.dirname(TESTS), "src")
SHARED = os.environ.get("ATELIER_SHARED_DATA", "")
# Bytes of a block by ggml type, and its weights.
BLOCKS = {0: (4, 1), 1: (2, 1), 2: (18, 32), 3: (20, 32), 6: (22, 32), 7: (24, 32), 8: (34, 32), 10: (84, 256),
          11: (110, 256), 12: (144, 256), 13: (176, 256), 14: (210, 256), 20: (18, 32), 23: (136, 256), 30: (2, 1)}


def bytes_as_words():
    """The characters that byte-level vocabularies spell bytes with."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(byte) if byte in plain else chr(256 + sum(b not in plain for b in range(byte))) for byte in range(256)]


def gguf():
    yield tiny_llama().data()
    for kind, (size, weights) in BLOCKS.items():
        yield Gguf({"general.alignment": value(U32, ALIGNMENT)}, {"a": ([weights, 2], kind, bytes(range(size)) * 2)}).data()
    keys = {f"k{kind}": value(kind, 1) for kind in (0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12)}
    keys.update({f"a{kind}": array(kind, [1, 0]) for kind in (0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12)})
    yield Gguf({**keys, "t": value(TEXT, "x"), "ts": array(TEXT, ["x", ""])}, {"a": ([1], 0, bytes(4))}).data()


def gguf_tokenizer():
    llama = tiny_llama(width=4)
    keep = {key: content for key, content in llama.keys.items() if key.startswith("tokenizer")}
    nothing = {"a": ([1], 0, bytes(4))}
    yield Gguf(keep, nothing).data()
    model, tokens, types, scores = (f"tokenizer.ggml.{name}" for name in ("model", "tokens", "token_type", "scores"))
    words = bytes_as_words() + ["ab", "ba", "aba", "<|im_end|>"]
    for pre in ("gpt-2", "llama-bpe", "qwen2", "deepseek-llm", "falcon", "starcoder"):
        yield Gguf({model: value(TEXT, "gpt2"), "tokenizer.ggml.pre": value(TEXT, pre), tokens: array(TEXT, words),
                    types: array(I32, [1] * len(words)), "tokenizer.ggml.merges": array(TEXT, ["a b", "b a", "ab a"]),
                    "tokenizer.ggml.eos_token_id": value(U32, len(words) - 1)}, nothing).data()
    words = ["<pad>", "</s>", "<unk>", "\u2581", "a", "\u2581ab", "b", "h", "e", "l", "o"]
    yield Gguf({model: value(TEXT, "t5"), tokens: array(TEXT, words), scores: array(F32, [-float(i) for i in range(11)]),
                types: array(I32, [3, 3, 2] + [1] * 8), "tokenizer.ggml.remove_extra_whitespaces": value(BOOL, True),
                "tokenizer.ggml.precompiled_charsmap": array(1, [0] * 8)}, nothing).data()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "\u2581hello", "lo", "\u2581a", "b", "\u2581\u4f60", "\u25811", "2"]
    ids = {"bos": 2, "cls": 2, "seperator": 3, "unknown": 1, "padding": 0}
    yield Gguf({model: value(TEXT, "bert"), tokens: array(TEXT, words), types: array(I32, [3, 2, 3, 3] + [1] * 7),
                **{f"tokenizer.ggml.{name}_token_id": value(U32, token) for name, token in ids.items()}}, nothing).data()


def safetensors():
    def file(header, data):
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + data

    yield file({}, b"")
    sizes = {"BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2, "I32": 4, "U32": 4, "F32": 4, "F64": 8,
             "I64": 8, "U64": 8}
    header, at = {"__metadata__": {"format": "pt", "a": ""}}, 0
    for name, size in sizes.items():
        header[name.lower()] = {"dtype": name, "shape": [2, 1], "data_offsets": [at, at + 2 * size]}
        yield file({"x": {"dtype": name, "shape": [], "data_offsets": [0, size]}}, bytes(size))
        at += 2 * size
    yield file(header, bytes(range(at)))
    yield file({"e": {"dtype": "F32", "shape": [0, 3], "data_offsets": [0, 0]}}, b"")


def tokenizer_json():
    folder = os.path.join(SOURCES, "text", "testdata")
    config = json.dumps({"bos_token": "<s>", "eos_token": {"content": "</s>"}, "add_bos_token": True,
                         "tokenizer_class": "LlamaTokenizer", "unk_token": "<unk>"})
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            data = json.load(file)
        if "tokenizer" not in data:
            continue
        yield json.dumps(data["tokenizer"], ensure_ascii=False, separators=(",", ":")).encode()
        small = shrunk(data["tokenizer"])
        yield small
        yield small + b"\0" + config.encode() + b"\0{\"sep_token\":\"b\"}\0 Hello, \xe4\xbd\xa0\xe5\xa5\xbd 12"


def shrunk(tokenizer):
    """The same parts with a vocabulary of a few tokens, which fuzzers get further with."""
    tokenizer = json.loads(json.dumps(tokenizer))
    model = tokenizer["model"]
    if isinstance(model["vocab"], dict):
        model["vocab"] = dict(sorted(model["vocab"].items(), key=lambda item: item[1])[:40])
        pairs = [pair if isinstance(pair, list) else pair.split(" ") for pair in model.get("merges", [])]
        known = model["vocab"]
        if "merges" in model:
            model["merges"] = [pair for pair in pairs if pair[0] in known and pair[1] in known and "".join(pair) in known]
    else:
        model["vocab"] = model["vocab"][:40]
    return json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")).encode()


def llama2c():
    pieces = ["<unk>", "\n<s>\n", "\n</s>\n"] + [f"<0x{byte:02X}>" for byte in range(8)] + [" ", "a", " a", "b", "ab"]
    tokenizer = struct.pack("<i", 6) + b"".join(
        struct.pack("<fi", -float(i), len(piece)) + piece.encode() for i, piece in enumerate(pieces))
    for own_head in (False, True):
        width, hidden, vocabulary, context = 4, 4, len(pieces), 4
        floats = vocabulary * width * (2 if own_head else 1) + width * 3 + 4 * width * width + 3 * width * hidden + context * 2
        head = struct.pack("<7i", width, hidden, 1, 2, 2, -vocabulary if own_head else vocabulary, context)
        yield struct.pack("<H", len(tokenizer)) + tokenizer + head + bytes(4 * floats)


def chat_template():
    yield b"{% for m in messages %}{{ m.role }}: {{ m['content'] | trim }}\n{% endfor %}{{ bos_token }}"
    yield b"{%- macro f(x, y=1) -%}{{ x ~ y }}{%- endmacro -%}{% set ns = namespace(a=[]) %}{{ f(1)|upper }}{{ tools|tojson }}"
    folder = os.path.join(SHARED, "tokenizers", "chat_templates")
    for name in sorted(os.listdir(folder)) if SHARED else []:
        if name.endswith(".jinja"):
            with open(os.path.join(folder, name), "rb") as file:
                yield file.read()
    with open(os.path.join(SOURCES, "text", "template", "testdata", "language_cases.inc"), "rb") as file:
        yield from re.findall(rb'\{R"~\((.*?)\)~"', file.read(), re.S)


def grammar():
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 3, "multipleOf": 2}, "b": {
        "type": "array", "items": {"enum": ["x", None, 1.5]}, "minItems": 1, "contains": {"const": 1}}}, "required": ["a"],
        "patternProperties": {"^c": {"$ref": "#/$defs/d"}}, "$defs": {"d": {"type": "string", "pattern": "a+|b", "format":
                              "date"}}, "additionalProperties": False, "anyOf": [{}, {"not": {"minProperties": 3}}]}
    yield b"J" + json.dumps(schema).encode()
    for regex in (rb"^(a|b)*c{2,3}?[^\d\s]\u4f60(?:x)$", rb"[a-z\-\]]+\.\x41\u{1F600}", rb"(?<n>a)|\b."):
        yield b"R" + regex
    yield b"G" + b'root ::= "a" (b | [^c-d\\n] .)* # x\nb ::= "\\u4f60"{2,3}? root?\n'
    yield b"L" + b'start: A ("x"i | /y+/)~1..3 [b] -> c // x\nA: "a".."f"\nb: NUMBER\n%import common.NUMBER\n%ignore " "\n'
    path = os.path.join(SHARED, "golden", "json_schema.jsonl")
    if SHARED and os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                text = json.dumps(json.loads(line)["schema"], separators=(",", ":"))
                if len(text) < 2000:
                    yield b"J" + text.encode()


SEEDS = [gguf, gguf_tokenizer, safetensors, tokenizer_json, llama2c, chat_template, grammar]


def words_of(name, inputs):
    """What the dictionary of a fuzzer holds: names and numbers that its inputs are made of."""
    found = set()
    for data in inputs:
        found.update(re.findall(rb'"([A-Za-z_$^#/.<>\[\]-]{2,40})"' if name != "gguf" else rb"([a-z_.]{5,40})", data))
        found.update(re.findall(rb"\b([a-z_]{2,20})\b", data) if name == "chat_template" else [])
    if name.startswith("gguf"):
        found.update(struct.pack("<Q", n) for n in (2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 1))
        found.update(struct.pack("<I", n) for n in range(13))
    return sorted(found)[:1500]


def main():
    folder = sys.argv[1]
    for make in SEEDS:
        name = make.__name__
        os.makedirs(os.path.join(folder, name), exist_ok=True)
        inputs = list(make())
        for index, data in enumerate(inputs):
            with open(os.path.join(folder, name, f"{index:04}"), "wb") as file:
                file.write(data)
        with open(os.path.join(folder, name + ".dict"), "w", encoding="ascii") as file:
            for word in words_of(name, inputs):
                file.write('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n')


if __name__ == "__main__":
    main()
