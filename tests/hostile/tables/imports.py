"""Files that become data sets (catalogue C, Z): the import job fails and says where."""

import gzip
import struct
import tarfile
import zlib

from hostile.harness import ImportRow
from hostile.pictures import link, make_tar, make_zip, png


def csv(name, data, text, **options):
    return ImportRow(name, {"rows.csv": data if isinstance(data, bytes) else data.encode()}, text, **options)


GOOD = "a,b,label\n" + "".join(f"{i},{i % 7},{'xy'[i % 2]}\n" for i in range(50))

CSV = [
    csv("C1 a quote that never closes", "a,b\n1,2\n3,\"4\n" + "5,6\n" * 50, r"row 3|quote"),
    csv("C1 a quoted field of 4 MiB", 'a,b\n1,"' + "x" * (4 << 20) + '"\n', r"MiB|large|long"),
    csv("C1 text behind a closing quote", 'a,b\n1,2\n3,"4"x\n', r"row 3"),
    csv("C2 a short row", "a,b,c\n1,2,3\n4,5\n6,7,8\n", r"row 3.*2 columns"),
    csv("C2 a long row", "a,b\n1,2\n3,4\n5,6,7\n", r"row 4.*3 columns"),
    csv("C2 a NUL", b"a,b\n1,2\n3,\x00\n", r"row 3|NUL"),
    csv("C2 UTF-16", "a,b\n1,2\n".encode("utf-16"), r"UTF-16|UTF-8"),
    csv("C2 Latin-1", "a,b\n1,caf\u00e9\n".encode("latin-1"), r"row 2.*|UTF-8"),
    csv("C2 a picture called .csv", png(8, 8), r"rows\.csv"),
    csv("C2 mixed line ends and a byte order mark are fine", b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n", 20).encode(), "",
        fails=False),
    csv("C2 nothing", "", r"empty|no rows|no columns|rows\.csv"),
    csv("C2 only line ends", "\n\n\n\n", r"empty|no rows|no columns|rows\.csv"),
    csv("C2 only a header", "a,b,label\n", r"no rows", header="yes"),
    csv("C4 1e400", "a,b\n" + "1,2\n" * 5 + "1e400,3\n", r"row 7|too large|range", types={"a": "number"}),
    csv("C4 a word among numbers", "a,b\n" + "1,2\n" * 5 + "seven,3\n", r"row 7.*seven", types={"a": "number"}),
    csv("C4 a comma as decimal point", "a;b\n1,5;2\n2,5;3\n", r"row 2.*1,5", types={"a": "number"}, delimiter=";"),
    csv("C4 a date as number", "a,b\n2024-01-31,2\n", r"row 2", types={"a": "number"}),
    csv("C5 100,000 columns", ",".join(f"c{i}" for i in range(100000)) + "\n" + ",".join(["1"] * 100000) + "\n",
        r"columns|row 1"),
    csv("C7 a header name twice", "a,b,a\n1,2,3\n", r"'a'|column 3"),
    csv("C9 text as a regression target", "a,label\n" + "1,x\n2,y\n" * 20, r"label|target", target="label",
        task="regression"),
    csv("C12 a target that is not there", GOOD, r"colour", target="colour"),
    csv("C12 a type of a column that is not there", GOOD, r"colour", types={"colour": "number"}),
    csv("C12 more lines skipped than there are", GOOD, r"rows|empty|lines", skip_lines=1000),
    ImportRow("C12 gzip cut off", {"rows.csv.gz": gzip.compress(GOOD.encode())[:-12]}, r"gzip|damaged|end"),
    ImportRow("C12 two formats at once", {"a.csv": GOOD.encode(), "b.jsonl": b'{"a":1}\n'}, r"b\.jsonl|format"),
    ImportRow("C12 two headers", {"a.csv": GOOD.encode(), "b.csv": b"a,c,label\n1,2,x\n"}, r"b\.csv.*header"),
    ImportRow("C12 a format nobody knows", {"a.docx": b"PK\x03\x04 no"}, r"a\.docx|format|archive"),
]

LINES = b"".join(b'{"a":%d,"label":"%c"}\n' % (i, 120 + i % 2) for i in range(50))


def jsonl(name, data, text, **options):
    return ImportRow(name, {"rows.jsonl": data}, text, **options)


JSONL = [
    jsonl("C6 one bad line", LINES + b'{"a":1,\n' + LINES, r"line 51"),
    jsonl("C6 a list as a line", LINES + b"[1,2]\n", r"line 51"),
    jsonl("C6 a line of 9 MiB", LINES + b'{"a":"' + b"x" * (9 << 20) + b'"}\n', r"line 51"),
    jsonl("C6 a line nested 1,000 deep", LINES + b'{"a":' + b"[" * 1000 + b"]" * 1000 + b"}\n", r"line 51"),
    jsonl("C6 a repeated key", LINES + b'{"a":1,"a":2}\n', r"line 51"),
    jsonl("C6 1e400", LINES + b'{"a":1e400,"label":"x"}\n', r"line 51|line"),
    jsonl("C6 a number that becomes a text", LINES + b'{"a":"word","label":"x"}\n', r"word|line 51", types={"a": "number"}),
    jsonl("C6 not UTF-8", LINES + b'{"a":1,"label":"\xff"}\n', r"line 51"),
    jsonl("C6 blank lines are fine", LINES.replace(b"\n", b"\n\n"), "", fails=False),
    jsonl("C6 nothing", b"", r"empty|rows"),
]


def idx(kind, *dimensions, data=None):
    body = b"\0\0" + bytes([kind, len(dimensions)]) + b"".join(struct.pack(">I", d & 0xFFFFFFFF) for d in dimensions)
    size = 1
    for dimension in dimensions:
        size *= dimension
    return body + (bytes(i % 251 for i in range(size)) if data is None else data)


def idx_files(images, labels):
    return {"train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": labels}


IMAGES, LABELS = idx(8, 10, 4, 4), idx(8, 10, data=bytes(i % 2 for i in range(10)))

IDX = [
    ImportRow("C13 IDX: fewer labels than pictures", idx_files(IMAGES, idx(8, 9)), r"10|9"),
    ImportRow("C13 IDX: cut off", idx_files(IMAGES[:-5], LABELS), r"images"),
    ImportRow("C13 IDX: too long", idx_files(IMAGES + b"x", LABELS), r"images"),
    ImportRow("C13 IDX: wrong magic", idx_files(b"\1" + IMAGES[1:], LABELS), r"images|format|IDX"),
    ImportRow("C13 IDX: an unknown type", idx_files(idx(7, 10, 4, 4), LABELS), r"images"),
    ImportRow("C13 IDX: 2^32 pictures", idx_files(idx(8, 2**32 - 1, 2**16, 2**16, data=b"x"), LABELS), r"images"),
    ImportRow("C13 IDX: no dimensions", idx_files(b"\0\0\x08\0", LABELS), r"images"),
    ImportRow("C13 IDX: 255 dimensions", idx_files(b"\0\0\x08\xff" + b"\0\0\0\1" * 255, LABELS), r"images"),
    ImportRow("C13 IDX: pictures of no size", idx_files(idx(8, 10, 0, 4), LABELS), r"images|size|0"),
    ImportRow("C13 IDX: pictures without labels", {"train-images-idx3-ubyte": IMAGES}, r"label"),
    ImportRow("C13 IDX: gzip bomb", idx_files(gzip.compress(IMAGES[:16] + b"\0" * (64 << 20)), LABELS), r"images"),
]

PICTURES = {f"{label}/{i}.png": png(8, 8, value=i * 5 + (120 if label == "b" else 0)) for label in "ab" for i in range(10)}


def archive(name, data, text, kind="zip", **options):
    return ImportRow(name, {f"pictures.{kind}": data}, text, **options)


def tar_with(*entries):
    return make_tar([*PICTURES.items(), *entries])


BAD_PATHS = {"..": "../../evil.png", "an absolute path": "/evil.png", "a drive": "C:\\evil.png",
             "a backslash": "a\\..\\..\\evil.png", "a name in other case": "A/0.png", "a NUL": "a/e\0vil.png"}

ARCHIVES = [
    archive("Z1 pictures in a zip are fine", make_zip(PICTURES), "", fails=False),
    *[archive(f"Z1 zip: {name}", make_zip({**PICTURES, path: png(8, 8)}), r"pictures\.zip")
      for name, path in BAD_PATHS.items() if name != "a NUL"],
    *[archive(f"Z1 tar: {name}", tar_with((path, png(8, 8))), r"pictures\.tar", kind="tar")
      for name, path in BAD_PATHS.items() if name != "a NUL"],
    archive("Z1 tar: a symbolic link", tar_with(link("a/evil.png", "/etc/passwd")), r"pictures\.tar", kind="tar"),
    archive("Z1 tar: a hard link", tar_with(link("a/evil.png", "/etc/passwd", tarfile.LNKTYPE)), r"pictures\.tar",
            kind="tar"),
    archive("Z1 tar: a device", tar_with(link("a/evil.png", "", tarfile.CHRTYPE)), r"pictures\.tar", kind="tar"),
    archive("Z3 zip cut off", make_zip(PICTURES)[:-200], r"pictures\.zip"),
    archive("Z3 zip: a wrong sum", make_zip(PICTURES, store=True).replace(b"IDAT", b"IDAX", 1), r"pictures\.zip|a/0\.png"),
    archive("Z3 a zip of nothing", make_zip({}), r"pictures|archive|empty"),
    archive("Z3 not an archive", b"hello world " * 100, r"pictures\.zip"),
    archive("Z5 a bomb", make_zip({"a/0.png": b"\0" * (64 << 20)}), r"pictures\.zip"),
    archive("Z4 nested archives are not opened", make_zip({"a/inner.zip": make_zip(PICTURES)}), r"pictures|no pictures"),
    archive("I11 a picture that is none", make_zip({**PICTURES, "a/bad.png": b"hello"}), r"a/bad\.png"),
    archive("I11 a picture cut off", make_zip({**PICTURES, "a/bad.png": png(64, 64)[:60]}), r"a/bad\.png"),
    archive("I11 a picture of 30,000 x 30,000", make_zip({**PICTURES, "a/big.png": png(30000, 30000, pixels=zlib.compress(
        b"\0"))}), r"a/big\.png"),
    archive("I11 pictures without folders", make_zip({"1.png": png(8, 8)}), r"1\.png|label"),
]


def texts(name, files, text, **options):
    return ImportRow(name, {path: data if isinstance(data, bytes) else data.encode() for path, data in files.items()},
                     text, **options)


TEXTS = [
    texts("C14 side by side, of unequal length", {"a.en": "x\ny\n", "a.de": "x\n"}, r"a\.de has 1 lines"),
    texts("C14 one side only", {"a.en": "x\n", "b.de": "y\n"}, r"beside it"),
    texts("C14 not UTF-8", {"a.txt": b"caf\xe9"}, r"a\.txt is no UTF-8"),
    texts("C14 a NUL", {"a.txt": b"x\0y"}, r"a\.txt is no UTF-8 text"),
    texts("C14 CoNLL with a short line", {"a.conll": "a O\nb O\n\nc\n"}, r"a\.conll: line 4"),
    texts("C14 a pattern that takes for ever", {"a.txt": "a" * 5000 + "\n"}, r"pattern", pattern="(?<x>(a|a)*)b"),
    texts("C14 a pattern that is none", {"a.txt": "a\n"}, r"pattern", pattern="("),
    texts("C14 XML of many laughs", {"a.xml": '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><l><x>&b;</x></l>'},
          r"a\.xml"),
    texts("C14 XML 100,000 deep", {"a.xml": "<x>" * 100000}, r"a\.xml.*deep"),
    texts("C14 JSON cut off", {"a.json": '[{"a":1},{"a"'}, r"a\.json.*cut off"),
    texts("C14 JSON 1,000 deep", {"a.json": '[{"a":' + "[" * 1000 + "]" * 1000 + "}]"}, r"a\.json: item 1"),
    texts("C14 a zip of a gzip bomb", {"t.zip": make_zip({"a.txt.gz": gzip.compress(b"\0" * (128 << 20))})}, r"t/a\.txt"),
    texts("C14 a path out of a zip", {"t.zip": make_zip({"../a.txt": b"x"})}, r"t\.zip"),
    texts("C14 another encoding", {"a.txt": b"\xff\xff\xff"}, r"gb18030", encoding="gb18030"),
]

ROWS = CSV + JSONL + IDX + ARCHIVES + TEXTS
