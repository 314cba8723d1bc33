#include "engine/model_config.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/ids.h"

namespace atelier::engine {
namespace {

constexpr int64_t kMaxLayers = 1024;
constexpr int64_t kMaxWidth = 1 << 17;
constexpr int64_t kMaxFeedForward = 1 << 20;
constexpr int64_t kMaxHeads = 4096;
constexpr int64_t kMaxHeadSize = 4096;
constexpr int64_t kMaxContext = 1 << 26;
constexpr int64_t kMaxVocabulary = 1 << 24;
constexpr int64_t kMaxExperts = 4096;
constexpr int64_t kMaxBuckets = 128;  // fewer than the farthest distance that has one of its own, twice over
constexpr double kMaxAlibiBias = 8.0;

Error Bad(const std::string& key, const std::string& what) {
  return InvalidArgument("not a valid model: '" + key + "' " + what, key, "invalid_model_file");
}

// Reads keys "<architecture>.<suffix>" within ranges.
class Keys {
 public:
  Keys(const tensor::GgufFile& file, std::string_view architecture)
      : file_(file), prefix_(std::string(architecture) + ".") {}

  std::string Key(std::string_view suffix) const { return prefix_ + std::string(suffix); }
  bool Has(std::string_view suffix) const { return file_.Has(Key(suffix)); }

  // A number, or an array of one and the same number for every layer.
  Result<int64_t> Int(std::string_view suffix, int64_t min, int64_t max) const {
    const std::string key = Key(suffix);
    if (!file_.Has(key)) {
      return Bad(key, "is missing");
    }
    int64_t value = 0;
    if (auto numbers = file_.Integers(key); numbers.ok() && !numbers->empty()) {
      value = numbers->front();
      if (std::ranges::any_of(*numbers, [&](int64_t other) { return other != value; })) {
        return MakeError(Code::kUnimplemented, "'" + key + "' differs between layers, which is not supported",
                         "unsupported_model", key);
      }
    } else {
      auto number = file_.Integer(key);
      if (!number.ok()) {
        return Bad(key, "is no integer");
      }
      value = *number;
    }
    if (value < min || value > max) {
      return Bad(key,
                 "is " + std::to_string(value) + ", not from " + std::to_string(min) + " to " + std::to_string(max));
    }
    return value;
  }
  Result<int64_t> IntOr(std::string_view suffix, int64_t fallback, int64_t min, int64_t max) const {
    return Has(suffix) ? Int(suffix, min, max) : Result<int64_t>(fallback);
  }
  Result<double> Number(std::string_view suffix, double min, double max) const {
    const std::string key = Key(suffix);
    if (!file_.Has(key)) {
      return Bad(key, "is missing");
    }
    auto number = file_.Number(key);
    if (!number.ok()) {
      return Bad(key, "is no number");
    }
    if (!(*number >= min && *number <= max)) {
      return Bad(key,
                 "is " + std::to_string(*number) + ", not from " + std::to_string(min) + " to " + std::to_string(max));
    }
    return *number;
  }
  Result<double> NumberOr(std::string_view suffix, double fallback, double min, double max) const {
    return Has(suffix) ? Number(suffix, min, max) : Result<double>(fallback);
  }
  Result<std::string> TextOr(std::string_view suffix, std::string fallback) const {
    if (!Has(suffix)) {
      return fallback;
    }
    auto text = file_.Text(Key(suffix));
    return text.ok() ? std::move(text) : Result<std::string>(Bad(Key(suffix), "is no text"));
  }

 private:
  const tensor::GgufFile& file_;
  std::string prefix_;
};

Status ReadSizes(const Keys& keys, ModelConfig& config) {
  ATELIER_ASSIGN(width, keys.Int("embedding_length", 1, kMaxWidth));
  ATELIER_ASSIGN(layers, keys.Int("block_count", 1, kMaxLayers));
  ATELIER_ASSIGN(context, keys.Int("context_length", 1, kMaxContext));
  ATELIER_ASSIGN(feed_forward, keys.Int("feed_forward_length", 1, kMaxFeedForward));
  ATELIER_ASSIGN(heads, keys.Int("attention.head_count", 1, kMaxHeads));
  ATELIER_ASSIGN(kv_heads, keys.IntOr("attention.head_count_kv", heads, 1, heads));
  if (heads % kv_heads != 0) {
    return Bad(keys.Key("attention.head_count_kv"),
               "is " + std::to_string(kv_heads) + ", which does not divide the " + std::to_string(heads) + " heads");
  }
  if (!keys.Has("attention.key_length") && width % heads != 0) {
    return Bad(keys.Key("attention.head_count"),
               "is " + std::to_string(heads) + ", which does not divide the width " + std::to_string(width));
  }
  ATELIER_ASSIGN(key_size, keys.IntOr("attention.key_length", width / heads, 1, kMaxHeadSize));
  ATELIER_ASSIGN(value_size, keys.IntOr("attention.value_length", key_size, 1, kMaxHeadSize));
  config.width = width;
  config.layers = layers;
  config.context = context;
  config.feed_forward = feed_forward;
  config.heads = heads;
  config.kv_heads = kv_heads;
  config.key_size = key_size;
  config.value_size = value_size;
  return {};
}

Status ReadRopeScaling(const Keys& keys, RopeConfig& rope) {
  ATELIER_ASSIGN(type, keys.TextOr("rope.scaling.type", "none"));
  ATELIER_ASSIGN(factor, keys.NumberOr("rope.scaling.factor", 0, 0, 1e6));
  // Files from before `rope.scaling` have a linear factor only.
  ATELIER_ASSIGN(linear, keys.NumberOr("rope.scale_linear", 0, 0, 1e6));
  if (type == "linear" || (type == "none" && factor == 0 && linear != 0)) {
    rope.scaling = RopeScaling::kLinear;
  } else if (type == "yarn") {
    rope.scaling = RopeScaling::kYarn;
  } else if (type != "none" && type != "longrope" && type != "su") {
    return MakeError(Code::kUnimplemented, "the rope scaling " + QuotedName(type) + " is not supported",
                     "unsupported_model", keys.Key("rope.scaling.type"));
  }
  const double given = factor != 0 ? factor : linear;
  rope.factor = rope.scaling == RopeScaling::kNone || given == 0 ? 1.0 : given;
  ATELIER_ASSIGN(attention_factor, keys.NumberOr("rope.scaling.attn_factor", 1.0, 1e-6, 1e6));
  ATELIER_ASSIGN(beta_fast, keys.NumberOr("rope.scaling.yarn_beta_fast", 32.0, 1e-6, 1e6));
  ATELIER_ASSIGN(beta_slow, keys.NumberOr("rope.scaling.yarn_beta_slow", 1.0, 1e-6, 1e6));
  rope.attention_factor = attention_factor;
  rope.beta_fast = beta_fast;
  rope.beta_slow = beta_slow;
  return {};
}

Status ReadRope(const Keys& keys, ModelConfig& config) {
  if (config.architecture->rope == Rope::kNone) {
    return {};
  }
  ATELIER_ASSIGN(dimensions, keys.IntOr("rope.dimension_count", config.key_size, 2, config.key_size));
  if (dimensions % 2 != 0) {
    return Bad(keys.Key("rope.dimension_count"), "is " + std::to_string(dimensions) + ", which is odd");
  }
  ATELIER_ASSIGN(base, keys.NumberOr("rope.freq_base", 10000.0, 1.0001, 1e12));
  ATELIER_ASSIGN(original, keys.IntOr("rope.scaling.original_context_length", config.context, 1, kMaxContext));
  config.rope.dimensions = dimensions;
  config.rope.base = base;
  config.rope.original_context = original;
  return ReadRopeScaling(keys, config.rope);
}

Status ReadAttention(const Keys& keys, ModelConfig& config) {
  const Architecture& row = *config.architecture;
  config.causal = row.causal;
  if (row.window == Window::kPattern) {
    ATELIER_ASSIGN(window, keys.IntOr("attention.sliding_window", 0, 0, kMaxContext));
    config.window = window;
  }
  if (row.soft_caps) {
    ATELIER_ASSIGN(attention_cap, keys.NumberOr("attn_logit_softcapping", 0, 0, 1e6));
    ATELIER_ASSIGN(logit_cap, keys.NumberOr("final_logit_softcapping", 0, 0, 1e6));
    config.attention_cap = attention_cap;
    config.logit_cap = logit_cap;
  }
  const bool largest = row.query_scale == QueryScale::kGemma && config.layers == row.largest_layers;
  const double scaled = largest ? static_cast<double>(config.width) / static_cast<double>(config.heads)
                                : static_cast<double>(config.key_size);
  config.query_scale = 1.0 / std::sqrt(scaled);
  if (row.query_scale == QueryScale::kNone) {
    config.query_scale = 1.0;
  }
  if (row.alibi) {
    config.alibi_bias = kMaxAlibiBias;
  }
  if (row.relative_bias) {
    ATELIER_ASSIGN(buckets, keys.Int("attention.relative_buckets_count", 4, kMaxBuckets));
    config.relative_buckets = buckets;
  }
  return {};
}

Status ReadExperts(const Keys& keys, ModelConfig& config) {
  ATELIER_ASSIGN(experts, keys.IntOr("expert_count", 0, 0, kMaxExperts));
  if (experts == 0) {
    return {};
  }
  if (!config.architecture->experts) {
    return MakeError(Code::kUnimplemented,
                     "experts are not supported in the architecture '" + std::string(config.architecture->name) + "'",
                     "unsupported_model", keys.Key("expert_count"));
  }
  ATELIER_ASSIGN(used, keys.Int("expert_used_count", 1, experts));
  ATELIER_ASSIGN(feed_forward, keys.IntOr("expert_feed_forward_length", config.feed_forward, 1, kMaxFeedForward));
  config.experts = experts;
  config.experts_used = used;
  config.expert_feed_forward = feed_forward;
  return {};
}

Status ReadNormAndPooling(const Keys& keys, ModelConfig& config) {
  const bool rms = config.architecture->norm == NormKind::kRms;
  ATELIER_ASSIGN(epsilon,
                 keys.Number(rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon", 0, 1.0));
  ATELIER_ASSIGN(pooling, keys.IntOr("pooling_type", 0, 0, static_cast<int64_t>(Pooling::kRank)));
  config.norm_epsilon = epsilon;
  config.pooling = static_cast<Pooling>(pooling);
  return {};
}

Result<int64_t> ReadVocabulary(const tensor::GgufFile& file) {
  const auto* embeddings = file.Find("token_embd.weight");
  if (embeddings == nullptr || embeddings->shape.size() != 2) {
    return Bad("token_embd.weight", embeddings == nullptr ? "is missing" : "is no matrix");
  }
  const int64_t rows = embeddings->shape.front();
  if (rows < 1 || rows > kMaxVocabulary) {
    return Bad("token_embd.weight", "has " + std::to_string(rows) + " rows");
  }
  return rows;
}

// Of an architecture, from the keys that begin with `prefix`.
Result<ModelConfig> ReadConfig(const tensor::GgufFile& file, const Architecture& architecture,
                               std::string_view prefix) {
  ModelConfig config;
  config.architecture = &architecture;
  if (auto name = file.Text("general.name"); name.ok()) {
    config.name = *std::move(name);
  }
  ATELIER_ASSIGN(vocabulary, ReadVocabulary(file));
  config.vocabulary = vocabulary;
  const Keys keys(file, prefix);
  ATELIER_TRY(ReadSizes(keys, config));
  ATELIER_TRY(ReadNormAndPooling(keys, config));
  ATELIER_TRY(ReadRope(keys, config));
  ATELIER_TRY(ReadAttention(keys, config));
  ATELIER_TRY(ReadExperts(keys, config));
  if (!architecture.encoder.empty()) {
    ATELIER_ASSIGN(layers, keys.IntOr("decoder_block_count", config.layers, 1, kMaxLayers));
    config.layers = layers;
  }
  return config;
}

}  // namespace

bool ModelConfig::Windowed(int64_t layer) const {
  return window > 0 && layer % architecture->window_pattern < architecture->window_pattern - 1;
}

Result<ModelConfig> ReadModelConfig(const tensor::GgufFile& file) {
  auto named = file.Text("general.architecture");
  if (!named.ok()) {
    return Bad("general.architecture", "is missing or no text");
  }
  ATELIER_ASSIGN(architecture, FindArchitecture(*named));
  return ReadConfig(file, *architecture, architecture->name);
}

Result<ModelConfig> ReadEncoderConfig(const tensor::GgufFile& file, const ModelConfig& decoder) {
  ATELIER_ASSIGN(architecture, FindArchitecture(decoder.architecture->encoder));
  return ReadConfig(file, *architecture, decoder.architecture->name);
}

}  // namespace atelier::engine
