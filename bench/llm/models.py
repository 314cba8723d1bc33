"""The models of the benchmark: made once, kept in the work folder."""

import os
import pathlib
import subprocess

VOCABULARIES = {"qwen2.5-0.5b": 151936, "llama-3.2-1b": 128256, "qwen3moe-1b": 151936, "smoke": 8192}
SMOKE = "smoke"  # small, to see that everything runs
REPEATING = "-repeating"  # behind a name: greedy texts of that model repeat themselves
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
