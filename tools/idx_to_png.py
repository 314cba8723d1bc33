"""Writes the first test pictures of an IDX data set as PNG files: python3 idx_to_png.py SOURCE_DIR OUT_DIR COUNT."""

import gzip
import pathlib
import struct
import sys
import zlib


def read_idx(path):
    """The dimensions and the unsigned bytes of a gzipped IDX file."""
    raw = gzip.decompress(path.read_bytes())
    rank = raw[3]
    return struct.unpack(f">{rank}I", raw[4 : 4 + 4 * rank]), raw[4 + 4 * rank :]


def png(pixels, width, height):
    """A greyscale PNG of 8 bits (ISO/IEC 15948)."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + pixels[y * width : (y + 1) * width] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def main():
    source, out, count = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
    (_, height, width), images = read_idx(source / "t10k-images-idx3-ubyte.gz")
    _, labels = read_idx(source / "t10k-labels-idx1-ubyte.gz")
    out.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        pixels = images[i * height * width : (i + 1) * height * width]
        (out / f"{i:02d}-class{labels[i]}.png").write_bytes(png(pixels, width, height))


main()
