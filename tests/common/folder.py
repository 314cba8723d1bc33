"""Makes small models in Hugging Face's layout."""

import json
import struct

VOCABULARY, WIDTH = 12, 8


def safetensors(tensors):
    """The bytes of a file: {name: (shape, numbers)}."""
    header, data = {}, b""
    for name, (shape, numbers) in tensors.items():
        raw = struct.pack(f"<{len(numbers)}f", *numbers)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    return with_header(json.dumps(header).encode(), data)


def with_header(header, data):
    return struct.pack("<Q", len(header)) + header + data


class Folder:
    """A llama of one layer that loads: `config` and `tokenizer` are JSON, `tensors` as safetensors() takes them."""

    def __init__(self):
        self.config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": WIDTH,
                       "intermediate_size": WIDTH, "num_hidden_layers": 1, "num_attention_heads": 2,
                       "num_key_value_heads": 1, "vocab_size": VOCABULARY, "max_position_embeddings": 64,
                       "rms_norm_eps": 1e-5, "hidden_act": "silu", "bos_token_id": 0, "eos_token_id": 1,
                       "tie_word_embeddings": True}
        words = ["<s>", "</s>", *"abcdefghi", "ab"]
        self.tokenizer = {"version": "1.0", "model": {"type": "BPE", "vocab": {word: i for i, word in enumerate(words)},
                                                      "merges": ["a b"]},
                          "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
                          "decoder": {"type": "ByteLevel"},
                          "added_tokens": [{"id": i, "content": words[i], "special": True} for i in (0, 1)]}
        shapes = {"model.embed_tokens": [VOCABULARY, WIDTH], "model.norm": [WIDTH]}
        layer = {"input_layernorm": [WIDTH], "self_attn.q_proj": [WIDTH, WIDTH], "self_attn.k_proj": [WIDTH // 2, WIDTH],
                 "self_attn.v_proj": [WIDTH // 2, WIDTH], "self_attn.o_proj": [WIDTH, WIDTH],
                 "post_attention_layernorm": [WIDTH], "mlp.gate_proj": [WIDTH, WIDTH], "mlp.up_proj": [WIDTH, WIDTH],
                 "mlp.down_proj": [WIDTH, WIDTH]}
        shapes.update({f"model.layers.0.{name}": shape for name, shape in layer.items()})
        self.tensors = {}
        for name, shape in shapes.items():
            count = shape[0] * (shape[1] if len(shape) > 1 else 1)
            self.tensors[name + ".weight"] = (shape, [((i * 7919) % 101 - 50) / 100 for i in range(count)])

    def files(self):
        return {"config.json": json.dumps(self.config).encode(), "tokenizer.json": json.dumps(self.tokenizer).encode(),
                "model.safetensors": safetensors(self.tensors)}
