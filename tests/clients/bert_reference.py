#!/usr/bin/env python3
"""Records what transformers' BERT classes say of made-up weights: src/families/bert/testdata/transformers.json.

    python tests/clients/bert_reference.py       (by hand; needs transformers and torch)

Number i of the n-th tensor, in order of their names, is 0.1 sin(0.37 i + n), and one more in weights of LayerNorm.
"""

import json
import pathlib

import torch
import transformers as hf

SIZES = {"vocab_size": 31, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
         "max_position_embeddings": 12, "type_vocab_size": 2, "tie_word_embeddings": True}
TEXTS = [([2, 5, 6, 7, 3, 8, 9, 3], 5), ([2, 11, 12, 3], 4)]  # ids, those of the first of a pair
MODELS = {
    "classification": (hf.BertForSequenceClassification, {"num_labels": 3}),
    "token-classification": (hf.BertForTokenClassification, {"num_labels": 3}),
    "masked-lm": (hf.BertForMaskedLM, {}),
    "embedding": (lambda config: hf.BertModel(config, add_pooling_layer=False), {}),
}


def fill(model):
    state = model.state_dict()
    seen, names = set(), []
    for name in sorted(state):
        if name.startswith("cls.predictions.decoder.") or name.endswith("position_ids"):
            continue  # tied, or a buffer: not in model.safetensors
        tensor = state[name]
        seen.add(tensor.data_ptr())
        values = 0.1 * torch.sin(0.37 * torch.arange(tensor.numel(), dtype=torch.float64) + len(names))
        values = values + 1 if name.endswith("LayerNorm.weight") else values
        tensor.copy_(values.view_as(tensor))
        names.append(name)
    assert all(tensor.data_ptr() in seen for name, tensor in state.items() if not name.endswith("position_ids"))
    return names


@torch.no_grad()
def record(make, more):
    model = make(hf.BertConfig(**SIZES, **more)).eval()
    names = fill(model)
    length = max(len(ids) for ids, _ in TEXTS)
    pad = [length - len(ids) for ids, _ in TEXTS]
    outputs = model(
        input_ids=torch.tensor([ids + [0] * n for (ids, _), n in zip(TEXTS, pad)]),
        token_type_ids=torch.tensor([[int(i >= first) for i in range(length)] for _, first in TEXTS]),
        attention_mask=torch.tensor([[1] * len(ids) + [0] * n for (ids, _), n in zip(TEXTS, pad)]),
    )[0]
    rows = [row[: len(ids)] if outputs.dim() == 3 else row for row, (ids, _) in zip(outputs, TEXTS)]
    return {"names": names, "outputs": [[round(v, 7) for v in row.flatten().tolist()] for row in rows]}


def main():
    recorded = {"transformers": hf.__version__, "texts": [{"ids": ids, "first": first} for ids, first in TEXTS]}
    recorded |= {task: record(*row) for task, row in MODELS.items()}
    path = pathlib.Path(__file__).resolve().parents[2] / "src/families/bert/testdata/transformers.json"
    path.write_text(json.dumps(recorded) + "\n")


if __name__ == "__main__":
    main()
