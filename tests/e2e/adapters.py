#!/usr/bin/env python3
"""LoRA adapters of a language model: imported, loaded and dropped while it answers, chosen by requests.

    tests/e2e/adapters.py --server-binary build/bin/atelier [--keep]

Needs the sample data, as language.py does.
"""

import concurrent.futures
import json
import os
import random
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from common.folder import safetensors  # noqa: E402
from e2e.language import Language, run  # noqa: E402

PROMPT = "Once upon a time, there was a little dog"
WIDTH, QUERIES, KEYS, LAYERS, RANK = 64, 64, 32, 5, 4  # of stories260K


def random_tensors(seed):
    source = random.Random(seed)
    tensors = {}
    for layer in range(LAYERS):
        for module, rows in (("q_proj", QUERIES), ("v_proj", KEYS)):
            name = f"base_model.model.model.layers.{layer}.self_attn.{module}"
            tensors[f"{name}.lora_A.weight"] = ([RANK, WIDTH], [source.gauss(0, 0.2) for _ in range(RANK * WIDTH)])
            tensors[f"{name}.lora_B.weight"] = ([rows, RANK], [source.gauss(0, 0.2) for _ in range(RANK * rows)])
    return tensors


class Adapters(Language):
    def write(self, name, tensors, **changes):
        """A folder of PEFT."""
        folder = self.folder / name
        folder.mkdir()
        config = {"peft_type": "LORA", "r": RANK, "lora_alpha": 8, "bias": "none", "task_type": "CAUSAL_LM",
                  "target_modules": ["q_proj", "v_proj"], **changes}
        (folder / "adapter_config.json").write_text(json.dumps(config))
        (folder / "adapter_model.safetensors").write_bytes(safetensors(tensors))
        return str(folder)

    def say(self, model):
        return self.complete(PROMPT, model=model)[0]

    # The steps, in order.

    def import_adapters(self):
        for seed, name in ((1, "lively"), (2, "quiet")):
            out, _ = self.cli.run("model", "import", self.write(name, random_tensors(seed)), "--base", "stories")
            assert f"{name}@1" in out and "adapter of stories@1" in out, out
        version = self.cli.json("model", "show", "lively@1")
        metadata = version["metadata"]
        assert version["family"] == "llm-adapter" and metadata["rank"] == RANK and metadata["format"] == "peft", version
        assert metadata["base"] == {"model": "stories", "version": 1} and metadata["architecture"] == "llama", metadata
        self.cli.run("model", "download", "lively", "--to", str(self.folder / "got"))
        out, _ = self.cli.run("model", "import", str(self.folder / "got" / "adapter.gguf"), "--name", "lively-gguf",
                              "--base", "stories@1")
        first, second = (self.cli.json("model", "show", name) for name in ("lively@1", "lively-gguf@1"))
        assert first["files"] == second["files"] and second["metadata"]["format"] == "gguf", (first, second)

    def refuse_bad_adapters(self):
        folder = str(self.folder / "lively")
        self.refuse("these files are an adapter", folder)
        self.refuse("model_not_found", folder, "--base", "nothing")
        self.refuse("model_not_supported", folder, "--base", "lively")
        self.refuse("base", str(self.stories), "--base", "stories")
        tensors = random_tensors(1)
        name = "base_model.model.model.layers.3.self_attn.v_proj.lora_B.weight"
        del tensors[name]
        self.refuse("blk.3.attn_v.weight.lora_b", self.write("half", tensors), "--base", "stories")
        tensors[name] = ([QUERIES, RANK], [0.0] * (QUERIES * RANK))
        self.refuse("blk.3.attn_v.weight.lora_b", self.write("large", tensors), "--base", "stories")
        self.refuse("use_dora", self.write("dora", random_tensors(1), use_dora=True), "--base", "stories")
        _, err = self.cli.run("deploy", "lively", code=1)
        assert "adapter" in err and "deployed alone" in err, err

    def refuse(self, why, *arguments):
        _, err = self.cli.run("model", "import", *arguments, "--name", "bad", code=1)
        assert why in err, (why, err)

    def load(self):
        self.plain = self.say("story")
        out, _ = self.cli.run("adapter", "load", "story", "lively")
        assert "lively" in out and "ready" in out, out
        answer = self.server.request("POST", "/v1/load_lora_adapter", {"lora_name": "calm", "lora_path": "quiet@1"})
        assert answer.status == 200 and b"Success" in answer.body, answer
        self.lively, self.calm = self.say("lively"), self.say("calm")
        assert len({self.plain, self.lively, self.calm}) == 3, (self.plain, self.lively, self.calm)
        self.check()
        models = {model["id"]: model for model in self.server.request("GET", "/v1/models").json()["data"]}
        assert models["lively"]["parent"] == "story" and models["calm"]["root"] == "quiet@1", models
        assert self.server.request("GET", "/v1/models/calm").json() == models["calm"]
        deployment = self.server.request("GET", "/v1/deployments/story").json()
        assert [adapter["name"] for adapter in deployment["adapters"]] == ["calm", "lively"], deployment
        state = self.server.request("GET", "/v1/deployments/story/adapters/lively").json()
        assert state["status"] == "ready" and state["rank"] == RANK and state["memory_bytes"] > 0, state

    def check(self):
        """Every name says what it said, alone and beside the others; the cache keeps them apart."""
        wanted = {"story": self.plain, "lively": self.lively, "story:lively": self.lively, "calm": self.calm}
        assert {name: self.say(name) for name in wanted} == wanted
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            together = list(pool.map(self.say, list(wanted) * 3))
        assert together == list(wanted.values()) * 3, together

    def refuse_bad_loads(self):
        for target, body, status in (
                ("/v1/deployments/story/adapters", {"model": "nothing"}, 404),
                ("/v1/deployments/nothing/adapters", {"model": "lively"}, 404),
                ("/v1/deployments/story/adapters", {"model": "stories"}, 400),
                ("/v1/deployments/story/adapters", {"model": "quiet", "name": "lively"}, 409),
                ("/v1/deployments/story/adapters", {"model": "quiet", "name": "story"}, 409),
                ("/v1/deployments/story/adapters", {"model": "quiet", "name": "a/b"}, 400),
                ("/v1/load_lora_adapter", {"lora_name": "x", "lora_path": "/etc/passwd"}, 404),
                ("/v1/load_lora_adapter", {"lora_name": "x"}, 400),
                ("/v1/unload_lora_adapter", {"lora_name": "x"}, 404)):
            answer = self.server.request("POST", target, body)
            assert answer.status == status, (target, body, answer)
        answer = self.server.request("DELETE", "/v1/registry/models/lively")
        assert answer.status in (400, 409) and answer.json()["error"]["code"] == "in_use", answer

    def crash_and_check(self):
        self.crash()
        self.wait_adapters()
        self.check()

    def restart_server(self):
        self.server.stop()
        self.server.start()
        self.server.wait_ready("story")
        self.wait_adapters()
        self.check()

    def wait_adapters(self):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            listed = self.server.request("GET", "/v1/deployments/story/adapters").json()["data"]
            if [adapter["status"] for adapter in listed] == ["ready", "ready"]:
                return
            time.sleep(0.1)
        raise TimeoutError(f"the adapters are not loaded: {listed}")

    def unload(self):
        out, _ = self.cli.run("adapter", "unload", "story", "lively")
        assert "lively" in out, out
        answer = self.server.request("POST", "/v1/unload_lora_adapter", {"lora_name": "calm"})
        assert answer.status == 200, answer
        for name in ("lively", "story:calm"):
            answer = self.server.request("POST", "/v1/completions", {"model": name, "prompt": "x", "max_tokens": 1})
            assert answer.status == 404 and answer.json()["error"]["code"] == "model_not_found", answer
        assert self.cli.json("adapter", "list", "story") == []
        assert self.say("story") == self.plain
        self.cli.run("model", "delete", "lively")


STEPS = ["import_checkpoint", "import_adapters", "refuse_bad_adapters", "deploy", "load", "refuse_bad_loads",
         "crash_and_check", "restart_server", "unload", "remove"]


if __name__ == "__main__":
    run(Adapters, STEPS, __doc__)
