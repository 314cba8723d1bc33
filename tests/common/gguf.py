"""GGUF files: small ones made by hand, good and bad, and a chat template put into a file that is there."""

import struct

ALIGNMENT = 32
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
U32, I32, F32, BOOL, TEXT, ARRAY, U64, I64 = 4, 5, 6, 7, 8, 9, 10, 11
LETTERS = {0: "B", 1: "b", 2: "H", 3: "h", U32: "I", I32: "i", F32: "f", BOOL: "?", U64: "Q", I64: "q", 12: "d"}


def text(value):
    """A length and as many bytes."""
    value = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(value)) + value


def value(kind, content):
    """A value of the metadata, behind its type."""
    return struct.pack("<I", kind) + (text(content) if kind == TEXT else struct.pack("<" + LETTERS[kind], content))


def array(kind, items, count=None):
    """An array, which may claim another count."""
    body = b"".join(map(text, items)) if kind == TEXT else struct.pack(f"<{len(items)}{LETTERS[kind]}", *items)
    return struct.pack("<IIQ", ARRAY, kind, len(items) if count is None else count) + body


class Gguf:
    """A file to be, whose parts a test may break before it takes the bytes.

    keys      {name: value() or array()}
    tensors   {name: (shape, innermost first, ggml type, bytes, or their place as a number where it is to be a lie)}
    """

    def __init__(self, keys, tensors):
        self.keys = keys
        self.tensors = tensors
        self.magic, self.version = b"GGUF", 3
        self.key_count = self.tensor_count = None  # claimed, where not the true one

    def data(self):
        infos, data = b"", b""
        for name, (shape, kind, content) in self.tensors.items():
            offset = content if isinstance(content, int) else len(data)
            infos += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
            if not isinstance(content, int):
                data += content + bytes(-len(content) % ALIGNMENT)
        counts = [len(self.tensors) if self.tensor_count is None else self.tensor_count,
                  len(self.keys) if self.key_count is None else self.key_count]
        head = self.magic + struct.pack("<IQQ", self.version, *counts)
        head += b"".join(text(name) + content for name, content in self.keys.items()) + infos
        return head + bytes(-len(head) % ALIGNMENT) + data


def tiny_llama(width=8, words=(" ", "a", "b", "ab")):
    """A model that loads and answers: one layer, a SentencePiece vocabulary of all bytes and a few words."""
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    types = [2, 3, 3] + [6] * 256 + [1] * len(words)
    tokens += [word.replace(" ", "\u2581") for word in words]
    sizes = {"context_length": 64, "embedding_length": width, "block_count": 1, "feed_forward_length": width,
             "attention.head_count": 2, "attention.head_count_kv": 1, "rope.dimension_count": width // 2}
    keys = {"general.architecture": value(TEXT, "llama"),
            **{f"llama.{name}": value(U32, size) for name, size in sizes.items()},
            "llama.attention.layer_norm_rms_epsilon": value(F32, 1e-5),
            "tokenizer.ggml.model": value(TEXT, "llama"), "tokenizer.ggml.tokens": array(TEXT, tokens),
            "tokenizer.ggml.scores": array(F32, [-float(token) for token in range(len(tokens))]),
            "tokenizer.ggml.token_type": array(I32, types),
            "tokenizer.ggml.bos_token_id": value(U32, 1), "tokenizer.ggml.eos_token_id": value(U32, 2)}
    shapes = {"token_embd.weight": [width, len(tokens)], "output_norm.weight": [width]}
    layer = {"attn_norm": [width], "attn_q": [width, width], "attn_k": [width, width // 2], "attn_v": [width, width // 2],
             "attn_output": [width, width], "ffn_norm": [width], "ffn_gate": [width, width], "ffn_up": [width, width],
             "ffn_down": [width, width]}
    shapes.update({f"blk.0.{name}.weight": shape for name, shape in layer.items()})
    tensors = {}
    for name, shape in shapes.items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        tensors[name] = (shape, 0, struct.pack(f"<{count}f", *(((i * 7919) % 101 - 50) / 100 for i in range(count))))
    return Gguf(keys, tensors)


def _after_text(data, at):
    return at + 8 + struct.unpack_from("<Q", data, at)[0]


def _after_value(data, kind, at):
    if kind == TEXT:
        return _after_text(data, at)
    if kind != ARRAY:
        return at + SIZES[kind]
    inner, count = struct.unpack_from("<IQ", data, at)
    at += 12
    if inner != TEXT:
        return at + count * SIZES[inner]
    for _ in range(count):
        at = _after_text(data, at)
    return at


def _keys(data):
    """Each key of the file, with its kind, where its value begins and where that ends."""
    at = 24
    for _ in range(struct.unpack_from("<Q", data, 16)[0]):
        name, at = at + 8, _after_text(data, at)
        kind = struct.unpack_from("<I", data, at)[0]
        begin, end = at + 4, _after_value(data, kind, at + 4)
        yield data[name:at], kind, begin, end
        at = end


def with_number(data, key, number):
    """The file with another value for a key that holds a 32-bit number."""
    at = next(begin for name, kind, begin, _ in _keys(data) if name == key and SIZES[kind] == 4)
    return data[:at] + struct.pack("<I", number) + data[at + 4:]


def with_text(data, key, text):
    """The file with one more key, a text. `data`: a whole GGUF file of the default alignment."""
    magic, version, tensors, count = struct.unpack_from("<4sIQQ", data)
    at = keys_end = max(end for _, _, _, end in _keys(data))
    for _ in range(tensors):
        at = _after_text(data, at)
        at += 4 + 8 * struct.unpack_from("<I", data, at)[0] + 12
    start = -(-at // ALIGNMENT) * ALIGNMENT
    added = struct.pack("<Q", len(key)) + key + struct.pack("<IQ", TEXT, len(text)) + text
    head = struct.pack("<4sIQQ", magic, version, tensors, count + 1) + data[24:keys_end] + added + data[keys_end:at]
    return head + bytes(-len(head) % ALIGNMENT) + data[start:]
