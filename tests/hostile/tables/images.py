"""Pictures that a deployed model is asked about (catalogue I). They reach the worker, never a decoder of the gateway."""

import base64
import json
import struct

from hostile.harness import Row, post
from hostile.pictures import bmp, chunk, gif, png, png_header


def image(name, data, statuses, **options):
    body = json.dumps({"model": "hostile-cnn", "inputs": [{"image": base64.b64encode(data).decode()}]})
    return Row(name, post("/v1/predict", body), statuses, **options)


def form(name, files, statuses, fields=(("model", None, b"hostile-cnn"),), **options):
    return Row(name, lambda context: context.form("/v1/predict", [*fields, *files]), statuses, **options)


def numbers(name, value, statuses, model="hostile-cnn"):
    return Row(name, post("/v1/predict", json.dumps({"model": model, "inputs": [value]})), statuses)


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>'
TIFF = b"II*\0\x08\0\0\0\0\0\0\0\0\0"
JP2 = b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 \0\0\0\0jp2 "
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
ICO = b"\0\0\1\0\1\0\x08\x08\0\0\1\0\x20\0\0\1\0\0\x16\0\0\0" + b"\0" * 64
PSD = b"8BPS\0\1" + b"\0" * 20
PDF = b"%PDF-1.4\n1 0 obj\n"
EXR = b"v/1\x01\2\0\0\0" + b"\0" * 64
OTHERS = {"SVG": SVG, "TIFF": TIFF, "JPEG 2000": JP2, "HEIC": HEIC, "ICO": ICO, "PSD": PSD, "PDF": PDF, "EXR": EXR,
          "ZIP": b"PK\x03\x04" + b"\0" * 30, "a text": b"hello world", "HTML": b"<html><img src=x></html>"}

TEXT_BOMB = chunk(b"zTXt", b"c\0\0" + b"\x78\x9c" + b"\xff" * 1000)

GOOD = {"1x1": png(1, 1), "1x300": png(1, 300), "300x1": png(300, 1), "grey of 1 bit": png(8, 8, depth=1),
        "grey of 16 bit": png(8, 8, depth=16), "RGB": png(8, 8, 2), "RGB of 16 bit": png(8, 8, 2, 16), "RGBA": png(8, 8, 6),
        "a palette with transparency": png(8, 8, 3), "BMP": bmp(8, 8), "GIF": gif(1, 1)}

ROWS = [
    *[image(f"I2 {name}", data, {200, 400}) for name, data in GOOD.items()],
    image("I1 a PNG of 30,000 x 30,000", png_header(30000, 30000), {400, 413}, code="image_too_large"),
    image("I1 a PNG of 2^31 x 1", png_header(2**31 - 1, 1), {400, 413}),
    image("I1 a PNG of 2^32 x 2^32", png_header(2**32 - 1, 2**32 - 1), {400, 413}),
    image("I1 a BMP of 40,000 x 40,000", bmp(8, 8, (40000, 40000)), {400, 413}),
    image("I1 a BMP of negative size", bmp(8, 8, (-8, -2**31)), {400, 413}),
    image("I1 a GIF of 65,535 x 65,535", gif(65535, 65535), {400, 413}),
    image("I1 a GIF of 10,000 frames", gif(1, 1, 10000), {200, 400}),
    image("I2 a PNG of no width", png_header(0, 8), 400),
    image("I2 a PNG of no height", png_header(8, 0), 400),
    image("I3 a PNG cut off", png(64, 64, 2)[:80], {200, 400}),
    image("I3 the signature alone", png(8, 8)[:8], 400),
    image("I3 a PNG with a wrong checksum", png(8, 8).replace(b"IDAT", b"IDAX"), 400),
    image("I3 a PNG of unknown depth", png(8, 8).replace(struct.pack(">II", 8, 8) + b"\x08", struct.pack(">II", 8, 8) + b"\x07"),
          400),
    image("I3 a PNG whose pixels are no zlib", png(8, 8, pixels=b"\xff" * 50), 400),
    image("I3 a JPEG's first bytes", b"\xff\xd8\xff\xe0\0\x10JFIF\0", 400),
    image("I3 a JPEG of endless markers", b"\xff\xd8" + b"\xff" * 100000, 400),
    image("I3 a WebP's first bytes", b"RIFF\xff\xff\xff\xffWEBPVP8 ", 400),
    image("I6 a text chunk that is no zlib", png(8, 8, extra=TEXT_BOMB), {200, 400}),
    image("I6 a chunk of 2 GiB", png(8, 8)[:33] + struct.pack(">I", 2**31 - 1) + b"iCCPx", 400),
    *[image(f"I4 {name}", data, {400, 415}) for name, data in OTHERS.items()],
    image("I4 a PNG with a ZIP behind", png(8, 8) + b"PK\x03\x04" + b"\0" * 100, {200, 400}),
    Row("I5 an image that is no base64", post("/v1/predict", '{"model":"hostile-cnn","inputs":[{"image":"@@@@"}]}'), 400),
    Row("I5 an empty image", post("/v1/predict", '{"model":"hostile-cnn","inputs":[{"image":""}]}'), 400),
    Row("I5 a URL", post("/v1/predict", '{"model":"hostile-cnn","inputs":[{"image":"http://127.0.0.1/x.png"}]}'), 400),
    Row("I5 a data URL without base64", post("/v1/predict", '{"model":"hostile-cnn","inputs":[{"image":"data:,x"}]}'), 400),
    form("I7 two files", [("file", "a.png", png(8, 8)), ("file", "b.png", png(8, 8))], 200),
    form("I7 one good and one bad file", [("file", "a.png", png(8, 8)), ("file", "b.png", b"x")], {400, 415}),
    form("I7 an empty file", [("file", "a.png", b"")], 400),
    form("I7 no file", [], 400),
    form("I7 no model", [("file", "a.png", png(8, 8))], 400, fields=()),
    form("I7 a model twice", [("file", "a.png", png(8, 8))], 400, fields=(("model", None, b"a"), ("model", None, b"b"))),
    form("I7 top_k 0", [("top_k", None, b"0"), ("file", "a.png", png(8, 8))], 400),
    form("I7 top_k text", [("top_k", None, b"five"), ("file", "a.png", png(8, 8))], 400),
    form("I7 a file as another field", [("picture", "a.png", png(8, 8))], 400),
    numbers("I9 numbers of another shape", [[1, 2], [3, 4], [5, 6]], {200, 400}),
    numbers("I9 ragged numbers", [[1, 2], [3]], 400),
    numbers("I9 nine dimensions", [[[[[[[[[1]]]]]]]]], 400),
    numbers("I9 no numbers", [], 400),
    numbers("I9 too few numbers for a table", [1, 2, 3], 400, "hostile-mlp"),
    numbers("I9 too many numbers for a table", [1, 2, 3, 4, 5], 400, "hostile-mlp"),
    numbers("I9 a record without a column", {"f0": 1}, {200, 400}, "hostile-mlp"),
    numbers("I9 a record with an unknown column", {"f0": 1, "f1": 2, "f2": 3, "f3": 4, "colour": 5}, 400, "hostile-mlp"),
    numbers("I9 a text for a table", "hello", 400, "hostile-mlp"),
    numbers("I9 a word where a number belongs", {"f0": "x", "f1": 2, "f2": 3, "f3": 4}, 400, "hostile-mlp"),
    numbers("I9 a picture for a table", {"image": base64.b64encode(png(8, 8)).decode()}, 400, "hostile-mlp"),
    Row("I12 10,000 inputs", post("/v1/predict", json.dumps({"model": "hostile-mlp", "inputs": [[1, 2, 3, 4]] * 10000})),
        {200, 400, 413, 429}),
]
