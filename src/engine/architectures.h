// The transformers that the engine runs, as rows of data: the names are those of GGUF's `general.architecture`
// (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). What differs between models of one architecture (sizes,
// scaling factors, windows) is in their files, see model_config.h.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"

namespace atelier::engine {

enum class NormKind {
  kRms,    // Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467
  kLayer,  // Ba et al. 2016, https://arxiv.org/abs/1607.06450
};

// Where a block (attention or feed-forward) f is normalised, x being what flows past it.
enum class NormPlacement {
  kBefore,          // x + f(norm(x))
  kBeforeAndAfter,  // x + norm(f(norm(x)))
  kAfter,           // x + norm(f(x))
  kResidual,        // norm(x + f(x))
};

enum class Activation { kSilu, kGelu, kRelu };  // GELU in its tanh form, https://arxiv.org/abs/1606.08415

// Whether the hidden half of the feed-forward network is multiplied by an activated gate.
enum class Gate {
  kNone,      // down(act(up(x)))
  kSeparate,  // down(act(gate(x)) * up(x)), https://arxiv.org/abs/2002.05202
  kFused,     // the same, gate and up being the halves of one matrix
  kFromFile,  // any of the three, as the file has tensors
};

enum class Rope {  // Su et al. 2021, https://arxiv.org/abs/2104.09864
  kNone,
  kPairs,   // rotates (0, 1), (2, 3) ...
  kHalves,  // rotates (0, n/2), (1, n/2 + 1) ...
};

enum class Positions { kNone, kLearned };

enum class QueryKeyNorm {
  kNone,
  kHead,      // each head by the same weights [head]
  kEachHead,  // each head by its own weights [heads, head]; where the file has them
  kWhole,     // all heads together [heads * head]
  kWholeOptional,
};

enum class Window {
  kNone,     // a window in the file is not obeyed
  kPattern,  // `pattern - 1` layers of each `pattern` see the window only, the last of them all positions
};

enum class QueryScale {
  kNone,
  kHead,   // 1 / sqrt(head size)
  kGemma,  // as kHead; in the largest model of the family 1 / sqrt(width / heads)
};

// What attn_norm_2 is for, where a file has it.
enum class SecondNorm { kNone, kAttentionInput, kReaddInput };

struct Architecture {
  std::string_view name;
  NormKind norm = NormKind::kRms;
  NormPlacement placement = NormPlacement::kBefore;
  Activation activation = Activation::kSilu;
  Activation ungated_activation = Activation::kSilu;  // where Gate::kFromFile finds no gate
  Gate gate = Gate::kSeparate;
  Rope rope = Rope::kHalves;
  Positions positions = Positions::kNone;
  QueryKeyNorm query_key_norm = QueryKeyNorm::kNone;
  SecondNorm second_norm = SecondNorm::kNone;
  bool causal = true;
  bool parallel = false;  // attention and feed-forward read one norm; also any layer without ffn_norm if it may
  bool parallel_optional = false;     // parallel in layers without ffn_norm
  bool query_key_value_bias = false;  // must be there; other biases are used where the file has them
  bool all_biases = false;            // of every matrix of the layers
  bool scaled_embedding = false;      // by sqrt(width)
  bool embedding_norm = false;        // token_embd_norm, and token_types where the file has them
  bool experts = false;               // may have experts
  bool relative_bias = false;         // Raffel et al. 2020, https://arxiv.org/abs/1910.10683; in attn_rel_b
  bool alibi = false;                 // Press et al. 2021, https://arxiv.org/abs/2108.12409
  bool head = true;                   // gives logits: output.weight, or else the token embeddings
  bool soft_caps = false;             // obeys attn_logit_softcapping and final_logit_softcapping
  Window window = Window::kNone;
  uint32_t window_pattern = 0;
  QueryScale query_scale = QueryScale::kHead;
  uint32_t largest_layers = 0;  // layers of the family's largest model, for QueryScale::kGemma
  std::string_view prefix{};    // of the names of the layers' and the last norm's tensors
  std::string_view attention_output = "attn_output";
  std::string_view encoder{};  // of a decoder that also attends to an encoder's output: the encoder's row
  float local_rope_base = 0;   // of layers with a window, which are not scaled either; 0: as the others
};

// The table.
std::span<const Architecture> Architectures();

// The row of a name. Errors: kUnimplemented "unsupported_architecture", naming it.
Result<const Architecture*> FindArchitecture(std::string_view name);

}  // namespace atelier::engine
