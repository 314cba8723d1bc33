"""Changes GGUF files: what a test needs to give a model a chat template."""

import struct

ALIGNMENT = 32
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
TEXT, ARRAY = 8, 9


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
