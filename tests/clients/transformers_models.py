#!/usr/bin/env python3
"""Models of Hugging Face's transformers, imported and exported: the same answers as transformers' own.

    tests/clients/transformers_models.py --server-binary build/bin/atelier [--only llama,bert]

Needs Python's transformers, torch, safetensors and tokenizers; without them it is skipped (status 77). Makes a tiny
random model of every family, imports its folder through the command line, deploys it and compares greedy tokens or
embeddings; then exports it and lets transformers open the export, which must give the same logits.
"""

import argparse
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from common.atelier import Server  # noqa: E402
from e2e.run import Cli  # noqa: E402

try:
    import tokenizers
    import torch
    import transformers as hf
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

hf.logging.set_verbosity_error()

SIZES = {"vocab_size": 288, "hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
         "max_position_embeddings": 256, "initializer_range": 0.3}
DECODER = {**SIZES, "num_key_value_heads": 2, "bos_token_id": 257, "eos_token_id": 258, "pad_token_id": 259}
ENCODER = {**SIZES, "pad_token_id": 0}
ROBERTA = {**SIZES, "max_position_embeddings": 258, "pad_token_id": 1, "type_vocab_size": 1}
STABLELM = {"num_attention_heads": 3, "num_key_value_heads": 1}  # a quarter of a head is rotated, in pairs
FALCON = {"vocab_size": 288, "hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "alibi": False,
          "bias": False, "initializer_range": 0.3, "bos_token_id": 257, "eos_token_id": 258}


def rope(kind, **parameters):
    return {"rope_type": kind, "rope_theta": 10000.0, **parameters}


# Name: class of the model, class of its configuration, its fields.
FAMILIES = {
    "llama": ("LlamaForCausalLM", "LlamaConfig", {**DECODER, "attention_bias": True}),
    "llama3": ("LlamaForCausalLM", "LlamaConfig", {
        **DECODER, "head_dim": 16, "tie_word_embeddings": True,
        "rope_parameters": rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                original_max_position_embeddings=64)}),
    "llama-yarn": ("LlamaForCausalLM", "LlamaConfig", {
        **DECODER, "rope_parameters": rope("yarn", factor=4.0, original_max_position_embeddings=64)}),
    "llama-linear": ("LlamaForCausalLM", "LlamaConfig", {**DECODER, "rope_parameters": rope("linear", factor=4.0)}),
    "mistral": ("MistralForCausalLM", "MistralConfig", {**DECODER, "head_dim": 16, "sliding_window": None}),
    "mixtral": ("MixtralForCausalLM", "MixtralConfig", {
        **DECODER, "num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": None}),
    "qwen2": ("Qwen2ForCausalLM", "Qwen2Config", DECODER),
    "qwen3": ("Qwen3ForCausalLM", "Qwen3Config", {**DECODER, "head_dim": 16}),
    "qwen3_moe": ("Qwen3MoeForCausalLM", "Qwen3MoeConfig", {
        **DECODER, "head_dim": 16, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32,
        "norm_topk_prob": True, "decoder_sparse_step": 1, "mlp_only_layers": []}),
    "gemma": ("GemmaForCausalLM", "GemmaConfig", {**DECODER, "head_dim": 16}),
    "gemma2": ("Gemma2ForCausalLM", "Gemma2Config", {
        **DECODER, "head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 16, "attn_logit_softcapping": 5.0,
        "final_logit_softcapping": 8.0}),
    "gemma3": ("Gemma3ForCausalLM", "Gemma3TextConfig", {
        **DECODER, "num_hidden_layers": 7, "head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 16}),
    "phi3": ("Phi3ForCausalLM", "Phi3Config", {**DECODER, "hidden_size": 64}),
    "phi3-long": ("Phi3ForCausalLM", "Phi3Config", {
        **DECODER, "hidden_size": 64, "original_max_position_embeddings": 64,
        "rope_parameters": rope("longrope", short_factor=[1 + i / 10 for i in range(8)],
                                long_factor=[1 + i / 5 for i in range(8)])}),
    "gpt2": ("GPT2LMHeadModel", "GPT2Config", {
        "vocab_size": 288, "n_positions": 256, "n_embd": 48, "n_layer": 2, "n_head": 4, "initializer_range": 0.3,
        "bos_token_id": 257, "eos_token_id": 258}),
    "starcoder2": ("Starcoder2ForCausalLM", "Starcoder2Config", {**DECODER, "sliding_window": None, "use_bias": True}),
    "falcon": ("FalconForCausalLM", "FalconConfig", FALCON),
    "falcon-groups": ("FalconForCausalLM", "FalconConfig", {
        **FALCON, "num_kv_heads": 2, "new_decoder_architecture": True}),
    "stablelm": ("StableLmForCausalLM", "StableLmConfig", {**DECODER, **STABLELM, "use_qkv_bias": True}),
    "stablelm-parallel": ("StableLmForCausalLM", "StableLmConfig", {
        **DECODER, **STABLELM, "qk_layernorm": True, "use_parallel_residual": True}),
    "olmo2": ("Olmo2ForCausalLM", "Olmo2Config", DECODER),
    "bert": ("BertModel", "BertConfig", ENCODER),
    "bert-ranker": ("BertForSequenceClassification", "BertConfig", {**ENCODER, "num_labels": 1}),
    "xlm-roberta": ("XLMRobertaModel", "XLMRobertaConfig", ROBERTA),
    "xlm-roberta-ranker": ("XLMRobertaForSequenceClassification", "XLMRobertaConfig", {**ROBERTA, "num_labels": 1}),
    "nomic": ("NomicBertModel", "NomicBertConfig", ENCODER),
}
TEXT = "the cat sat on the mat and the dog ran off"
PROMPT = [5, 17, 250, 3, 99, 7, 123, 200, 11, 42]


def byte_tokenizer():
    """256 bytes, then special tokens."""
    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: i for i, letter in enumerate(letters)}
    vocabulary["th"] = 256
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, [("t", "h")]))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.add_special_tokens(["<bos>", "<eos>", "<pad>", "<unk>"])  # 257 and on
    return hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<bos>", eos_token="<eos>",
                                      pad_token="<pad>", unk_token="<unk>")


def word_tokenizer():
    """WordPiece of letters, as BERT has it."""
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [chr(letter) for letter in range(ord("a"), ord("z") + 1)]
    tokens = specials + letters + ["##" + letter for letter in letters] + ["the", "cat", "##at"]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(
        {token: i for i, token in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", [("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.decoder = tokenizers.decoders.WordPiece()
    tokenizer.add_special_tokens(specials)
    return hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]",
                                      cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]")


def piece_tokenizer():
    """Unigram pieces, as XLM-RoBERTa has them."""
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = ["\u2581"] + [chr(letter) for letter in range(ord("a"), ord("z") + 1)] + ["\u2581the", "\u2581cat", "at"]
    vocabulary = [(special, 0.0) for special in specials] + [(piece, -1.0 - i / 10) for i, piece in enumerate(pieces)]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.Unigram(vocabulary, 3))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    tokenizer.decoder = tokenizers.decoders.Metaspace()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        "<s> $A </s>", "<s> $A </s> </s> $B </s>", [("<s>", 0), ("</s>", 2)])
    tokenizer.add_special_tokens(specials)
    return hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", cls_token="<s>",
                                      sep_token="</s>", pad_token="<pad>", unk_token="<unk>")


def tokenizer_for(class_name):
    if class_name.endswith("ForCausalLM") or class_name.endswith("LMHeadModel"):
        return byte_tokenizer()
    return piece_tokenizer() if "Roberta" in class_name else word_tokenizer()


class Check:
    def __init__(self, server, folder):
        self.server = server
        self.cli = Cli(server)
        self.folder = pathlib.Path(folder)

    def ask(self, path, body):
        answer = self.server.request("POST", path, body)
        assert answer.status == 200, (path, answer)
        return answer.json()

    def make(self, name):
        class_name, config_name, fields = FAMILIES[name]
        torch.manual_seed(7)
        model = getattr(hf, class_name)(getattr(hf, config_name)(**fields)).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() == 1:
                    parameter.add_(torch.randn_like(parameter) * 0.1)
        model.save_pretrained(self.folder / name, max_shard_size="60KB" if name == "qwen2" else "5GB")
        tokenizer_for(class_name).save_pretrained(self.folder / name)
        return model

    def answer(self, model, ids, **more):
        with torch.no_grad():
            return model(input_ids=torch.tensor([ids]), **more)

    def generates(self, name, model):
        """Greedy tokens and their log probabilities, up to where two tokens are too close to tell apart."""
        got = self.ask("/v1/completions", {"model": name, "prompt": PROMPT, "max_tokens": 8, "temperature": 0,
                                           "logprobs": 1, "ignore_eos": True})["choices"][0]["logprobs"]
        ids = list(PROMPT)
        worst = 0.0
        for logprob in got["token_logprobs"]:
            wanted = torch.log_softmax(self.answer(model, ids).logits[0, -1], -1)
            top = torch.topk(wanted, 2)
            if top.indices[0] == model.config.eos_token_id:
                break  # which ours may not choose
            worst = max(worst, abs(top.values[0].item() - logprob))
            if top.values[0] - top.values[1] < 0.02:
                break
            ids.append(top.indices[0].item())
        assert len(got["token_logprobs"]) > 0
        return worst

    def embeds(self, name, model, tokenizer):
        got = torch.tensor(self.ask("/v1/embeddings", {"model": name, "input": TEXT})["data"][0]["embedding"])
        states = self.answer(model, tokenizer(TEXT)["input_ids"]).last_hidden_state[0]
        wanted = torch.nn.functional.normalize(states.mean(0), dim=0)
        return (got - wanted).abs().max().item()

    def ranks(self, name, model, tokenizer):
        got = self.ask("/v1/rerank", {"model": name, "query": "the cat", "documents": ["sat on a mat"]})
        ids = tokenizer("the cat", "sat on a mat")["input_ids"]
        more = {} if name.startswith("xlm") else {"token_type_ids": torch.zeros(1, len(ids), dtype=torch.long)}
        wanted = torch.sigmoid(self.answer(model, ids, **more).logits[0, 0]).item()
        return abs(got["results"][0]["relevance_score"] - wanted)

    def exports(self, name, model):
        """The largest difference of what transformers gives for our export."""
        self.cli.run("model", "export", name, str(self.folder / f"{name}-out"), "--format", "huggingface")
        again = getattr(hf, FAMILIES[name][0]).from_pretrained(self.folder / f"{name}-out").eval()
        ids = [token % 50 + 4 for token in PROMPT]
        answers = [self.answer(each, ids) for each in (model, again)]
        key = "logits" if "logits" in answers[0] else "last_hidden_state"
        hf.AutoTokenizer.from_pretrained(self.folder / f"{name}-out")
        return (answers[0][key] - answers[1][key]).abs().max().item()

    def run(self, name):
        model = self.make(name)
        tokenizer = tokenizer_for(FAMILIES[name][0])
        self.cli.run("model", "import", str(self.folder / name))
        # As long as longrope's short factors hold: like llama.cpp, the engine chooses by the context, not by each text.
        self.cli.run("deploy", name, "--set", "threads=1", "max_running=1", "context=64", f"kv_bytes={8 << 20}")
        self.server.wait_ready(name)
        if FAMILIES[name][0].endswith("ForSequenceClassification"):
            ours = self.ranks(name, model, tokenizer)
        elif FAMILIES[name][0].endswith("Model") and "LMHead" not in FAMILIES[name][0]:
            ours = self.embeds(name, model, tokenizer)
        else:
            ours = self.generates(name, model)
        self.cli.run("undeploy", name)
        return ours, self.exports(name, model)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server-binary", required=True)
    parser.add_argument("--only", default="", help="names, separated by commas")
    arguments = parser.parse_args()
    names = arguments.only.split(",") if arguments.only else list(FAMILIES)
    failed = []
    server = Server(arguments.server_binary)
    try:
        with tempfile.TemporaryDirectory(prefix="atelier-transformers-") as folder:
            check = Check(server.start(), folder)
            for name in names:
                if not hasattr(hf, FAMILIES[name][0]):
                    print(f"skip {name}: not in transformers {hf.__version__}")
                    continue
                try:
                    ours, again = check.run(name)
                    good = ours < 0.02 and again < 1e-4
                    print(f"{'ok  ' if good else 'FAIL'} {name}: {ours:.1e} beside transformers, {again:.1e} exported", flush=True)
                except Exception as error:  # noqa: BLE001: the next family is checked all the same
                    good = False
                    print(f"FAIL {name}: {error!r}"[:1500], flush=True)
                if not good:
                    failed.append(name)
    finally:
        server.remove()
    print(f"{len(names) - len(failed)} passed, {len(failed)} failed {failed}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
