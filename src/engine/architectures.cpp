#include "engine/architectures.h"

#include <array>
#include <string>

#include "base/ids.h"

namespace atelier::engine {
namespace {

// clang-format off
constexpr std::array kArchitectures{
    // llama 2 and 3, mistral, mixtral, deepseek-r1 distills
    Architecture{.name = "llama", .rope = Rope::kPairs, .experts = true},
    Architecture{.name = "qwen2", .query_key_value_bias = true},
    Architecture{.name = "qwen3", .query_key_norm = QueryKeyNorm::kHead},
    Architecture{.name = "qwen3moe", .query_key_norm = QueryKeyNorm::kHead, .experts = true},
    Architecture{.name = "gemma", .activation = Activation::kGelu, .scaled_embedding = true},
    Architecture{.name = "gemma2", .placement = NormPlacement::kBeforeAndAfter, .activation = Activation::kGelu,
                 .scaled_embedding = true, .soft_caps = true, .window = Window::kPattern, .window_pattern = 2,
                 .query_scale = QueryScale::kGemma, .largest_layers = 46},
    Architecture{.name = "gemma3", .placement = NormPlacement::kBeforeAndAfter, .activation = Activation::kGelu,
                 .query_key_norm = QueryKeyNorm::kHead, .scaled_embedding = true, .soft_caps = true,
                 .window = Window::kPattern, .window_pattern = 6, .query_scale = QueryScale::kGemma,
                 .largest_layers = 62, .local_rope_base = 10000.0F},
    Architecture{.name = "phi3", .gate = Gate::kFused},
    Architecture{.name = "gpt2", .norm = NormKind::kLayer, .activation = Activation::kGelu, .gate = Gate::kNone,
                 .rope = Rope::kNone, .positions = Positions::kLearned, .all_biases = true},
    Architecture{.name = "starcoder2", .norm = NormKind::kLayer, .activation = Activation::kGelu,
                 .gate = Gate::kNone, .all_biases = true},
    Architecture{.name = "falcon", .norm = NormKind::kLayer, .activation = Activation::kGelu, .gate = Gate::kNone,
                 .second_norm = SecondNorm::kAttentionInput, .parallel = true},
    Architecture{.name = "stablelm", .norm = NormKind::kLayer, .query_key_norm = QueryKeyNorm::kEachHead,
                 .parallel_optional = true},
    Architecture{.name = "olmo2", .placement = NormPlacement::kAfter, .query_key_norm = QueryKeyNorm::kWhole},
    // Encoders; xlm-roberta is a bert with another tokeniser.
    Architecture{.name = "bert", .norm = NormKind::kLayer, .placement = NormPlacement::kResidual,
                 .activation = Activation::kGelu, .gate = Gate::kNone, .rope = Rope::kNone,
                 .positions = Positions::kLearned, .causal = false, .all_biases = true, .embedding_norm = true,
                 .head = false},
    Architecture{.name = "nomic-bert", .norm = NormKind::kLayer, .placement = NormPlacement::kResidual,
                 .causal = false, .embedding_norm = true, .head = false},
    Architecture{.name = "jina-bert-v2", .norm = NormKind::kLayer, .placement = NormPlacement::kResidual,
                 .activation = Activation::kGelu, .ungated_activation = Activation::kGelu,
                 .gate = Gate::kFromFile, .rope = Rope::kNone,
                 .query_key_norm = QueryKeyNorm::kWholeOptional, .second_norm = SecondNorm::kReaddInput,
                 .causal = false, .query_key_value_bias = true, .embedding_norm = true, .alibi = true, .head = false},
    // Encoder and decoder of one file.
    Architecture{.name = "t5", .activation = Activation::kGelu, .ungated_activation = Activation::kRelu,
                 .gate = Gate::kFromFile, .rope = Rope::kNone, .relative_bias = true,
                 .query_scale = QueryScale::kNone, .prefix = "dec.", .attention_output = "attn_o",
                 .encoder = "t5encoder"},
    Architecture{.name = "t5encoder", .activation = Activation::kGelu, .ungated_activation = Activation::kRelu,
                 .gate = Gate::kFromFile, .rope = Rope::kNone, .causal = false, .relative_bias = true, .head = false,
                 .query_scale = QueryScale::kNone, .prefix = "enc.", .attention_output = "attn_o"},
};
// clang-format on

}  // namespace

std::span<const Architecture> Architectures() { return kArchitectures; }

Result<const Architecture*> FindArchitecture(std::string_view name) {
  for (const Architecture& row : kArchitectures) {
    if (row.name == name) {
      return &row;
    }
  }
  return MakeError(Code::kUnimplemented, "the architecture " + QuotedName(name) + " is not supported",
                   "unsupported_architecture", "general.architecture");
}

}  // namespace atelier::engine
