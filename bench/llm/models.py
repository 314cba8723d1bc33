"""The models of the benchmark: made once, kept in the work folder."""

import os
import pathlib
import subprocess

REPEATING = "qwen2.5-0.5b-repeating"  # its long greedy texts repeat themselves
VOCABULARIES = {"qwen2.5-0.5b": 151936, "llama-3.2-1b": 128256, "qwen3moe-1b": 151936, REPEATING: 151936}
SHAPES = tuple(shape for shape in VOCABULARIES if shape != REPEATING)
FORMATS = ("q4_0", "q8_0", "q4_k_m", "bf16")


class Models:
    def __init__(self, program, folder):
        self.program = program
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def path(self, shape, form):
        """The file of a model, which is made where it is not there yet."""
        path = self.folder / f"{shape}-{form}.gguf"
        if not path.exists():
            source = None if form == "bf16" else self.path(shape, "bf16")
            print(f"making {path.name}", flush=True)
            part = path.with_suffix(".part")
            what = ["make", shape] if source is None else ["quantize", source, form]
            subprocess.run([self.program, *what, part], check=True)
            os.rename(part, path)
        return path
