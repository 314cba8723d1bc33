#include "engine/hugging_face/rope.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <string>
#include <vector>

namespace atelier::engine::hugging_face {
namespace {

constexpr double kMaxFactor = 1e6;
constexpr int64_t kMaxContext = 1 << 26;
constexpr size_t kMaxPairs = 4096;

Error Unsupported(const std::string& path, const std::string& what) {
  return MakeError(Code::kUnimplemented, path + ": " + what + " is not supported", "unsupported_model", path);
}

// "llama3": slow waves are slowed down by `factor`, fast ones are left, with a ramp between.
struct Llama3 {
  double factor = 8, low = 1, high = 4;
  int64_t original = 8192;
};

std::vector<float> FactorsOf(const Llama3& scaling, double base, int64_t dimensions) {
  std::vector<float> factors;
  const auto original = static_cast<double>(scaling.original);
  for (int64_t i = 0; i < dimensions; i += 2) {
    const double wave = 2 * std::numbers::pi * std::pow(base, static_cast<double>(i) / static_cast<double>(dimensions));
    double factor = 1;
    if (wave > original / scaling.low) {
      factor = scaling.factor;
    } else if (wave >= original / scaling.high && scaling.high > scaling.low) {
      const double smooth = (original / wave - scaling.low) / (scaling.high - scaling.low);
      factor = 1 / ((1 - smooth) / scaling.factor + smooth);
    }
    factors.push_back(static_cast<float>(factor));
  }
  return factors;
}

Result<std::vector<float>> ReadFactors(Fields& fields, std::string_view key, int64_t dimensions) {
  ATELIER_ASSIGN(list, fields.ArrayOr(key, kMaxPairs));
  const auto pairs = static_cast<size_t>(dimensions / 2);
  if (list == nullptr || list->size() != pairs) {
    return InvalidArgument(fields.Path(key) + " must have " + std::to_string(pairs) + " factors", fields.Path(key),
                           "invalid_model_file");
  }
  std::vector<float> factors;
  for (const auto& item : *list) {
    if (!item.is_number()) {
      return InvalidArgument(fields.Path(key) + " has an item that is no number", fields.Path(key),
                             "invalid_model_file");
    }
    factors.push_back(static_cast<float>(item.to_number<double>()));
  }
  return factors;
}

// The parameters of layers that see all positions; null where there are none.
Result<const json::object*> Parameters(Fields& config) {
  ATELIER_ASSIGN(newer, config.ObjectOr("rope_parameters"));
  if (newer == nullptr) {
    return config.ObjectOr("rope_scaling");
  }
  const json::value* full = newer->if_contains("full_attention");
  return full != nullptr && full->is_object() ? &full->get_object() : newer;
}

// What layers with a window do is the architecture's.
Status CheckLocal(const Family& family, Fields& config) {
  ATELIER_ASSIGN(newer, config.ObjectOr("rope_parameters"));
  const json::value* local = newer == nullptr ? nullptr : newer->if_contains("sliding_attention");
  if (local == nullptr || !local->is_object() || family.row().local_rope_base == 0) {
    return {};
  }
  Fields fields(local->get_object(), config.Path("rope_parameters") + ".sliding_attention");
  ATELIER_ASSIGN(base, fields.NumberOr("rope_theta", 10000, 1, 1e12));
  ATELIER_ASSIGN(type, fields.StringOr("rope_type", "default"));
  return base == static_cast<double>(family.row().local_rope_base) && type == "default"
             ? Status()
             : Status(Unsupported(fields.Path("rope_theta"), "another base or scaling"));
}

class Writer {
 public:
  Writer(const Family& family, const json::object& config, MemoryFile& to)
      : family_(family),
        prefix_(std::string(family.architecture) + ".rope."),
        config_(config, "config.json"),
        to_(to) {}

  Status Write(int64_t head) {
    ATELIER_TRY(CheckLocal(family_, config_));
    ATELIER_ASSIGN(object, Parameters(config_));
    const json::object none;
    Fields parameters(object == nullptr ? none : *object, config_.Path("rope_scaling"));
    ATELIER_TRY(WritePlain(parameters, head));
    ATELIER_ASSIGN(old_type, parameters.StringOr("type", "default", 100));
    ATELIER_ASSIGN(type, parameters.StringOr("rope_type", old_type, 100));
    if (type == "linear" || type == "yarn") {
      return WriteScaled(parameters, type);
    }
    if (type == "llama3") {
      return WriteLlama3(parameters);
    }
    if (type == "longrope" || type == "su") {
      return WriteLong(parameters);
    }
    // "dynamic" changes nothing within the context that the model was made for.
    return type == "default" || type == "dynamic" ? Status()
                                                  : Status(Unsupported(parameters.Path("rope_type"), "'" + type + "'"));
  }

 private:
  Status WritePlain(Fields& parameters, int64_t head) {
    ATELIER_ASSIGN(older, config_.NumberOr("rotary_emb_base", family_.rope_base, 1, 1e12));  // of NomicBERT
    ATELIER_ASSIGN(outer, config_.NumberOr("rope_theta", older, 1, 1e12));
    ATELIER_ASSIGN(base, parameters.NumberOr("rope_theta", outer, 1, 1e12));
    ATELIER_ASSIGN(outer_share, config_.NumberOr("partial_rotary_factor", 1, 0, 1));
    ATELIER_ASSIGN(share, parameters.NumberOr("partial_rotary_factor", outer_share, 0, 1));
    base_ = base;
    dimensions_ = static_cast<int64_t>(share * static_cast<double>(head) + 1e-6);
    to_.SetNumber(prefix_ + "freq_base", base);
    to_.SetInteger(prefix_ + "dimension_count", static_cast<uint64_t>(dimensions_));
    return {};
  }

  Status WriteScaled(Fields& parameters, const std::string& type) {
    ATELIER_ASSIGN(factor, parameters.Number("factor", 1, kMaxFactor));
    to_.SetText(prefix_ + "scaling.type", type);
    to_.SetNumber(prefix_ + "scaling.factor", factor);
    if (type == "linear") {
      return {};
    }
    ATELIER_ASSIGN(context, config_.IntOr("max_position_embeddings", kMaxContext, 1, kMaxContext));
    ATELIER_ASSIGN(original, parameters.IntOr("original_max_position_embeddings", context, 1, kMaxContext));
    ATELIER_ASSIGN(fast, parameters.NumberOr("beta_fast", 32, 1e-6, kMaxFactor));
    ATELIER_ASSIGN(slow, parameters.NumberOr("beta_slow", 1, 1e-6, kMaxFactor));
    const double usual = 1 + 0.1 * std::log(factor);
    ATELIER_ASSIGN(attention, parameters.NumberOr("attention_factor", usual, 1e-6, kMaxFactor));
    to_.SetInteger(prefix_ + "scaling.original_context_length", static_cast<uint64_t>(original));
    if (fast != 32 || slow != 1) {
      to_.SetNumber(prefix_ + "scaling.yarn_beta_fast", fast);
      to_.SetNumber(prefix_ + "scaling.yarn_beta_slow", slow);
    }
    if (attention != usual) {  // GGUF's readers multiply by the usual factor themselves
      to_.SetNumber(prefix_ + "scaling.attn_factor", attention / usual);
    }
    return {};
  }

  Status WriteLlama3(Fields& parameters) {
    Llama3 scaling;
    ATELIER_ASSIGN(factor, parameters.NumberOr("factor", 8, 1, kMaxFactor));
    ATELIER_ASSIGN(low, parameters.NumberOr("low_freq_factor", 1, 1e-6, kMaxFactor));
    ATELIER_ASSIGN(high, parameters.NumberOr("high_freq_factor", 4, 1e-6, kMaxFactor));
    ATELIER_ASSIGN(original, parameters.IntOr("original_max_position_embeddings", 8192, 1, kMaxContext));
    scaling = {factor, low, high, original};
    to_.AddFloats("rope_freqs.weight", {dimensions_ / 2}, FactorsOf(scaling, base_, dimensions_));
    return {};
  }

  Status WriteLong(Fields& parameters) {
    ATELIER_ASSIGN(context, config_.Int("max_position_embeddings", 1, kMaxContext));
    ATELIER_ASSIGN(inner, parameters.IntOr("original_max_position_embeddings", context, 1, kMaxContext));
    ATELIER_ASSIGN(original, config_.IntOr("original_max_position_embeddings", inner, 1, kMaxContext));
    const double scale = static_cast<double>(context) / static_cast<double>(original);
    ATELIER_ASSIGN(factor, parameters.NumberOr("factor", scale, 1e-6, kMaxFactor));
    const double usual = factor <= 1 ? 1 : std::sqrt(1 + std::log(factor) / std::log(static_cast<double>(original)));
    ATELIER_ASSIGN(attention, parameters.NumberOr("attention_factor", usual, 1e-6, kMaxFactor));
    ATELIER_ASSIGN(longer, ReadFactors(parameters, "long_factor", dimensions_));
    ATELIER_ASSIGN(shorter, ReadFactors(parameters, "short_factor", dimensions_));
    if (longer == shorter && attention == 1) {  // no more than factors
      to_.AddFloats("rope_freqs.weight", {dimensions_ / 2}, std::move(longer));
      return {};
    }
    to_.SetText(prefix_ + "scaling.type", "longrope");
    to_.SetInteger(prefix_ + "scaling.original_context_length", static_cast<uint64_t>(original));
    to_.SetNumber(prefix_ + "scaling.attn_factor", attention);
    to_.AddFloats("rope_factors_long.weight", {dimensions_ / 2}, std::move(longer));
    to_.AddFloats("rope_factors_short.weight", {dimensions_ / 2}, std::move(shorter));
    return {};
  }

  const Family& family_;
  std::string prefix_;
  Fields config_;
  MemoryFile& to_;
  double base_ = 0;
  int64_t dimensions_ = 0;
};

// Numbers of a tensor of F32; empty where it is none.
std::vector<float> Floats(const tensor::GgufFile& file, std::string_view name) {
  const auto* tensor = file.Find(name);
  if (tensor == nullptr || tensor->type != tensor::GgmlType::kF32) {
    return {};
  }
  std::vector<float> floats(tensor->bytes.size() / sizeof(float));
  std::memcpy(floats.data(), tensor->bytes.data(), floats.size() * sizeof(float));
  return floats;
}

bool Near(const std::vector<float>& a, const std::vector<float>& b) {
  return std::ranges::equal(a, b, [](float x, float y) { return std::abs(x - y) <= 1e-5F * std::abs(x); });
}

json::object LongRope(const std::vector<float>& longer, const std::vector<float>& shorter, double attention,
                      int64_t original) {
  return {{"rope_type", "longrope"},
          {"long_factor", json::array(longer.begin(), longer.end())},
          {"short_factor", json::array(shorter.begin(), shorter.end())},
          {"attention_factor", attention},
          {"original_max_position_embeddings", original}};
}

// The parameters of "llama3" that give these factors, or else the factors themselves.
json::object OfFactors(const std::vector<float>& factors, const ModelConfig& model) {
  Llama3 scaling;
  scaling.factor = factors.empty() ? 1 : static_cast<double>(factors.back());
  for (scaling.original = 8192; scaling.factor > 1 && scaling.original >= 64; scaling.original /= 2) {
    if (Near(FactorsOf(scaling, model.rope.base, model.rope.dimensions), factors)) {
      return {{"rope_type", "llama3"},
              {"factor", scaling.factor},
              {"low_freq_factor", scaling.low},
              {"high_freq_factor", scaling.high},
              {"original_max_position_embeddings", scaling.original}};
    }
  }
  return LongRope(factors, factors, 1, model.context);
}

json::object OfScaling(const ModelConfig& model, const tensor::GgufFile& file) {
  const RopeConfig& rope = model.rope;
  if (const auto longer = Floats(file, "rope_factors_long.weight"); !longer.empty()) {
    return LongRope(longer, Floats(file, "rope_factors_short.weight"), rope.attention_factor, rope.original_context);
  }
  if (const auto factors = Floats(file, "rope_freqs.weight"); !factors.empty()) {
    return OfFactors(factors, model);
  }
  if (rope.scaling == RopeScaling::kLinear) {
    return {{"rope_type", "linear"}, {"factor", rope.factor}};
  }
  if (rope.scaling == RopeScaling::kYarn) {
    json::object yarn{{"rope_type", "yarn"},
                      {"factor", rope.factor},
                      {"original_max_position_embeddings", rope.original_context},
                      {"beta_fast", rope.beta_fast},
                      {"beta_slow", rope.beta_slow}};
    if (rope.attention_factor != 1) {
      yarn["attention_factor"] = rope.attention_factor * (1 + 0.1 * std::log(rope.factor));
    }
    return yarn;
  }
  return {};
}

}  // namespace

Status RopeToMetadata(const Family& family, const json::object& config, int64_t head, MemoryFile& to) {
  return family.row().rope == Rope::kNone ? Status() : Writer(family, config, to).Write(head);
}

void RopeToConfig(const Family& family, const ModelConfig& model, const tensor::GgufFile& file, json::object& config) {
  if (family.row().rope == Rope::kNone) {
    return;
  }
  json::object scaling = OfScaling(model, file);
  if (scaling.contains("long_factor")) {
    config["original_max_position_embeddings"] = scaling["original_max_position_embeddings"];
  }
  const double share = static_cast<double>(model.rope.dimensions) / static_cast<double>(model.key_size);
  if (share != 1) {
    config["partial_rotary_factor"] = share;
  }
  config["rope_theta"] = model.rope.base;
  config["rope_scaling"] = scaling.empty() ? json::value() : json::value(std::move(scaling));
}

}  // namespace atelier::engine::hugging_face
