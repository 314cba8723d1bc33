#include "engine/weights.h"

#include <algorithm>
#include <utility>

#include "engine/weight_reader.h"

namespace atelier::engine {
namespace {

// Assigns what a reader's call gives to a place.
#define ATELIER_READ(place, expression)     \
  do {                                      \
    ATELIER_ASSIGN(read_value, expression); \
    (place) = std::move(read_value);        \
  } while (false)

constexpr int64_t kMaxClasses = 1 << 16;

// Tensors that say nothing that the metadata does not.
constexpr std::string_view kNeedless[] = {"attn_rot_embd.weight", "rope_freqs.weight", "attn.masked_bias"};

class LayerLoader {
 public:
  LayerLoader(WeightReader& reader, const ModelConfig& config, int64_t layer)
      : reader_(reader),
        config_(config),
        row_(*config.architecture),
        prefix_(std::string(row_.prefix) + "blk." + std::to_string(layer) + ".") {}

  Result<LayerWeights> Load() {
    LayerWeights weights;
    ATELIER_TRY(LoadNorms(weights));
    ATELIER_TRY(LoadProjections(weights));
    ATELIER_TRY(LoadQueryKeyNorms(weights));
    if (!row_.encoder.empty()) {
      ATELIER_TRY(LoadCross(weights));
    }
    ATELIER_TRY(config_.experts > 0 ? LoadExperts(weights) : LoadFeedForward(weights));
    return weights;
  }

 private:
  std::string Name(std::string_view suffix) const { return prefix_ + std::string(suffix); }
  Need AllBiases() const { return row_.all_biases ? Need::kMust : Need::kMay; }

  Status LoadNorms(LayerWeights& to) {
    const int64_t width = config_.width;
    switch (row_.placement) {
      case NormPlacement::kBeforeAndAfter:
        ATELIER_READ(to.attention_after_norm, reader_.ReadNorm(Name("post_attention_norm"), width));
        ATELIER_READ(to.feed_forward_after_norm, reader_.ReadNorm(Name("post_ffw_norm"), width));
        [[fallthrough]];
      case NormPlacement::kBefore:
        ATELIER_READ(to.attention_norm, reader_.ReadNorm(Name("attn_norm"), width));
        to.parallel = row_.parallel || (row_.parallel_optional && !reader_.Has(Name("ffn_norm.weight")));
        if (!to.parallel) {
          ATELIER_READ(to.feed_forward_norm, reader_.ReadNorm(Name("ffn_norm"), width));
        }
        break;
      case NormPlacement::kAfter:
        ATELIER_READ(to.attention_after_norm, reader_.ReadNorm(Name("post_attention_norm"), width));
        ATELIER_READ(to.feed_forward_after_norm, reader_.ReadNorm(Name("post_ffw_norm"), width));
        break;
      case NormPlacement::kResidual:
        ATELIER_READ(to.attention_residual_norm, reader_.ReadNorm(Name("attn_output_norm"), width));
        ATELIER_READ(to.feed_forward_residual_norm, reader_.ReadNorm(Name("layer_output_norm"), width));
        break;
    }
    if (row_.second_norm != SecondNorm::kNone) {
      ATELIER_READ(to.attention_second_norm, reader_.ReadNorm(Name("attn_norm_2"), width, Need::kMay));
    }
    return {};
  }

  Status LoadProjections(LayerWeights& to) {
    const int64_t width = config_.width;
    const Need bias = row_.query_key_value_bias || row_.all_biases ? Need::kMust : Need::kMay;
    if (reader_.Has(Name("attn_qkv.weight"))) {
      ATELIER_READ(
          to.query_key_value,
          reader_.ReadLinear(Name("attn_qkv"), config_.query_width() + config_.key_width() + config_.value_width(),
                             width, bias));
    } else {
      ATELIER_READ(to.query, reader_.ReadLinear(Name("attn_q"), config_.query_width(), width, bias));
      ATELIER_READ(to.key, reader_.ReadLinear(Name("attn_k"), config_.key_width(), width, bias));
      ATELIER_READ(to.value, reader_.ReadLinear(Name("attn_v"), config_.value_width(), width, bias));
    }
    ATELIER_READ(to.attention_output, reader_.ReadLinear(Name(row_.attention_output), width,
                                                         config_.heads * config_.value_size, AllBiases()));
    return {};
  }

  Status LoadQueryKeyNorms(LayerWeights& to) {
    int64_t query = config_.key_size;
    int64_t key = config_.key_size;
    Need need = Need::kMust;
    switch (row_.query_key_norm) {
      case QueryKeyNorm::kNone:
        return {};
      case QueryKeyNorm::kHead:
        break;
      case QueryKeyNorm::kEachHead:
      case QueryKeyNorm::kWholeOptional:
        need = Need::kMay;
        [[fallthrough]];
      case QueryKeyNorm::kWhole:
        query = config_.query_width();
        key = config_.key_width();
        break;
    }
    ATELIER_READ(to.query_norm, reader_.ReadNorm(Name("attn_q_norm"), query, need));
    ATELIER_READ(to.key_norm, reader_.ReadNorm(Name("attn_k_norm"), key, need));
    return {};
  }

  Status LoadCross(LayerWeights& to) {
    const int64_t width = config_.width;
    ATELIER_READ(to.cross_norm, reader_.ReadNorm(Name("cross_attn_norm"), width));
    ATELIER_READ(to.cross_query, reader_.ReadLinear(Name("cross_attn_q"), config_.query_width(), width));
    ATELIER_READ(to.cross_key, reader_.ReadLinear(Name("cross_attn_k"), config_.key_width(), width));
    ATELIER_READ(to.cross_value, reader_.ReadLinear(Name("cross_attn_v"), config_.value_width(), width));
    ATELIER_READ(to.cross_output, reader_.ReadLinear(Name("cross_attn_o"), width, config_.heads * config_.value_size));
    return {};
  }

  Status LoadFeedForward(LayerWeights& to) {
    const int64_t width = config_.width;
    const int64_t hidden = config_.feed_forward;
    const bool separate =
        row_.gate == Gate::kSeparate || (row_.gate == Gate::kFromFile && reader_.Has(Name("ffn_gate.weight")));
    to.fused_gate = row_.gate == Gate::kFused ||
                    (row_.gate == Gate::kFromFile && !separate && reader_.RowsOf(Name("ffn_up.weight")) != hidden);
    if (separate) {
      ATELIER_READ(to.gate, reader_.ReadLinear(Name("ffn_gate"), hidden, width));
    }
    ATELIER_READ(to.up, reader_.ReadLinear(Name("ffn_up"), to.fused_gate ? 2 * hidden : hidden, width, AllBiases()));
    ATELIER_READ(to.down, reader_.ReadLinear(Name("ffn_down"), width, hidden, AllBiases()));
    return {};
  }

  Status LoadExperts(LayerWeights& to) {
    const int64_t width = config_.width;
    const int64_t hidden = config_.expert_feed_forward;
    const int64_t experts = config_.experts;
    ATELIER_READ(to.router, reader_.ReadMatrix(Name("ffn_gate_inp.weight"), experts, width));
    ATELIER_READ(to.expert_gates, reader_.ReadExperts(Name("ffn_gate_exps.weight"), experts, hidden, width));
    ATELIER_READ(to.expert_ups, reader_.ReadExperts(Name("ffn_up_exps.weight"), experts, hidden, width));
    ATELIER_READ(to.expert_downs, reader_.ReadExperts(Name("ffn_down_exps.weight"), experts, width, hidden));
    return {};
  }

  WeightReader& reader_;
  const ModelConfig& config_;
  const Architecture& row_;
  std::string prefix_;
};

Status LoadInput(WeightReader& reader, const ModelConfig& config, Weights& to) {
  ATELIER_READ(to.token_embedding, reader.ReadMatrix("token_embd.weight", config.vocabulary, config.width));
  if (config.architecture->positions == Positions::kLearned) {
    ATELIER_READ(to.position_embedding, reader.ReadMatrix("position_embd.weight", config.context, config.width));
  }
  if (config.architecture->embedding_norm) {
    ATELIER_READ(to.embedding_norm, reader.ReadNorm("token_embd_norm", config.width));
    const int64_t types = reader.RowsOf("token_types.weight");
    // Every token is of type 0: only its row is kept.
    ATELIER_ASSIGN(all, reader.ReadFloats("token_types.weight", types * config.width, Need::kMay));
    all.resize(types > 0 ? static_cast<size_t>(config.width) : 0);
    to.type_embedding = std::move(all);
  }
  return {};
}

Status LoadRopeFactors(WeightReader& reader, const ModelConfig& config, Weights& to) {
  const int64_t pairs = config.rope.dimensions / 2;
  if (pairs == 0) {
    return {};
  }
  ATELIER_READ(to.rope_factors, reader.ReadFloats("rope_freqs.weight", pairs, Need::kMay));
  ATELIER_READ(to.rope_factors_long, reader.ReadFloats("rope_factors_long.weight", pairs, Need::kMay));
  const Need other = to.rope_factors_long.empty() ? Need::kMay : Need::kMust;
  ATELIER_READ(to.rope_factors_short, reader.ReadFloats("rope_factors_short.weight", pairs, other));
  const std::pair<std::string, const std::vector<float>*> all[] = {
      {"rope_freqs.weight", &to.rope_factors},
      {"rope_factors_long.weight", &to.rope_factors_long},
      {"rope_factors_short.weight", &to.rope_factors_short}};
  for (const auto& [name, factors] : all) {
    if (std::ranges::any_of(*factors, [](float factor) { return !(factor > 1e-6F && factor < 1e6F); })) {
      return InvalidArgument("not a valid model: tensor '" + name + "' has a factor that is out of range", name,
                             "invalid_model_file");
    }
  }
  return {};
}

Status LoadOutput(WeightReader& reader, const ModelConfig& config, Weights& to) {
  if (config.architecture->placement != NormPlacement::kResidual) {
    ATELIER_READ(to.output_norm,
                 reader.ReadNorm(std::string(config.architecture->prefix) + "output_norm", config.width));
  }
  if (config.architecture->head) {
    if (reader.Has("output.weight")) {
      ATELIER_READ(to.head, reader.ReadLinear("output", config.vocabulary, config.width));
    } else {
      to.head.weight = to.token_embedding;
      ATELIER_READ(to.head.bias, reader.ReadFloats("output.bias", config.vocabulary, Need::kMay));
    }
  }
  if (reader.Has("cls.weight")) {
    ATELIER_READ(to.classifier, reader.ReadLinear("cls", reader.RowsOf("cls.weight"), config.width));
  }
  if (reader.Has("cls.output.weight")) {
    const int64_t classes = reader.RowsOf("cls.output.weight");
    ATELIER_READ(to.classifier_output,
                 reader.ReadLinear("cls.output", classes > 0 && classes <= kMaxClasses ? classes : 1, config.width));
  }
  return {};
}

#undef ATELIER_READ

Result<Weights> LoadPart(WeightReader& reader, const ModelConfig& config) {
  Weights weights;
  ATELIER_TRY(LoadInput(reader, config, weights));
  ATELIER_TRY(LoadRopeFactors(reader, config, weights));
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    ATELIER_ASSIGN(loaded, LayerLoader(reader, config, layer).Load());
    weights.layers.push_back(std::move(loaded));
  }
  if (config.relative_buckets > 0) {
    ATELIER_ASSIGN(bias, reader.ReadFloats(std::string(config.architecture->prefix) + "blk.0.attn_rel_b.weight",
                                           config.relative_buckets * config.heads));
    weights.relative_bias = std::move(bias);
  }
  ATELIER_TRY(LoadOutput(reader, config, weights));
  return weights;
}

}  // namespace

Result<LoadedWeights> LoadWeights(const tensor::GgufFile& file, const ModelConfig& config, const ModelConfig* encoder) {
  WeightReader reader(file);
  LoadedWeights loaded;
  ATELIER_ASSIGN(weights, LoadPart(reader, config));
  loaded.weights = std::move(weights);
  if (encoder != nullptr) {
    ATELIER_ASSIGN(other, LoadPart(reader, *encoder));
    loaded.encoder = std::move(other);
  }
  if (const auto unread = reader.Unread(kNeedless); unread.has_value()) {
    return MakeError(
        Code::kUnimplemented,
        "tensor '" + *unread + "' has no use in the architecture '" + std::string(config.architecture->name) + "'",
        "unsupported_model", *unread);
  }
  return loaded;
}

}  // namespace atelier::engine
