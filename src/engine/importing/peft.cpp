#include "engine/importing/peft.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "base/json.h"
#include "engine/adapter.h"
#include "engine/formats/memory_file.h"
#include "engine/hugging_face/families.h"
#include "engine/hugging_face/tensors.h"
#include "engine/hugging_face/weave.h"
#include "tensor/quants/quants.h"
#include "tensor/safetensors.h"

namespace atelier::engine {
namespace {

constexpr size_t kMaxConfigBytes = 1U << 20U;
constexpr std::string_view kOuter = "base_model.model.";
constexpr std::string_view kNarrow = ".lora_A.weight";
constexpr std::string_view kWide = ".lora_B.weight";

Error Bad(const std::string& param, const std::string& what) {
  return InvalidArgument("not a valid adapter: " + what, param, "invalid_adapter");
}
Error Unsupported(const std::string& param, const std::string& what) {
  return MakeError(Code::kUnimplemented, "the adapter cannot be used: " + what, "unsupported_adapter", param);
}

struct PeftConfig {
  double alpha = 0;
  bool rank_stabilised = false;
  int64_t rank = 0;
  bool ranks_differ = false;
  std::vector<std::pair<std::string, double>> alphas;  // of modules whose names end so, behind a dot
};

// Weights that were made from a changed base model.
bool NeedsAnotherBase(const json::value& initial) {
  constexpr std::string_view kMethods[] = {"pissa", "olora", "corda", "loftq"};
  return initial.is_string() && std::ranges::any_of(kMethods, [&](std::string_view method) {
           return std::string_view(initial.get_string()).starts_with(method);
         });
}

Status RefuseUnsupported(const json::object& config) {
  for (const auto& member : config) {
    const std::string key(member.key());
    const json::value& value = member.value();
    const bool empty = value.is_null() || (value.is_bool() && !value.get_bool()) ||
                       (value.is_array() && value.get_array().empty()) ||
                       (value.is_object() && value.get_object().empty());
    const bool means_more = key == "modules_to_save" || key == "use_dora" || key == "layer_replication" ||
                            key == "lora_bias" || key == "target_parameters" || key == "trainable_token_indices" ||
                            key == "alora_invocation_tokens" || key == "use_qalora";
    if ((means_more && !empty) || (key == "bias" && !empty && value != "none") ||
        (key == "init_lora_weights" && NeedsAnotherBase(value))) {
      return Unsupported(key, "'" + key + "' of adapter_config.json is not supported");
    }
  }
  return {};
}

// Names are regular expressions in PEFT; here they are names, in which a dot is a dot.
Status ReadAlphas(const json::object& pattern, PeftConfig& to) {
  Fields fields(pattern, "alpha_pattern");
  for (const auto& member : pattern) {
    const std::string name(member.key());
    if (name.find_first_of("^$*+?()[]{}|\\") != std::string::npos) {
      return Unsupported("alpha_pattern", "a name in alpha_pattern is a regular expression: '" + name + "'");
    }
    ATELIER_ASSIGN(alpha, fields.Number(name, -kMaxAdapterAlpha, kMaxAdapterAlpha));
    to.alphas.emplace_back(name, alpha);
  }
  return {};
}

Result<PeftConfig> ReadConfig(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string text(kMaxConfigBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(stream.gcount()));
  auto value = ParseJson(text, {.max_bytes = kMaxConfigBytes, .max_depth = 16});
  if (!value.ok() || !value->is_object()) {
    return Bad("adapter_config.json", "adapter_config.json is no JSON object");
  }
  const json::object& object = value->get_object();
  Fields fields(object);
  PeftConfig config;
  if (GetString(object, "peft_type") != "LORA") {
    return Unsupported("peft_type", "its peft_type is not LORA");
  }
  ATELIER_TRY(RefuseUnsupported(object));
  ATELIER_ASSIGN(rank, fields.Int("r", 1, kMaxAdapterRank));
  ATELIER_ASSIGN(alpha, fields.Number("lora_alpha", 1e-6, kMaxAdapterAlpha));
  ATELIER_ASSIGN(stabilised, fields.BoolOr("use_rslora", false));
  ATELIER_ASSIGN(ranks, fields.ObjectOr("rank_pattern"));
  ATELIER_ASSIGN(alphas, fields.ObjectOr("alpha_pattern"));
  config.rank = rank;
  config.alpha = static_cast<double>(static_cast<float>(alpha));  // as GGUF will have it
  config.rank_stabilised = stabilised;
  config.ranks_differ = ranks != nullptr && !ranks->empty();
  if (alphas != nullptr) {
    ATELIER_TRY(ReadAlphas(*alphas, config));
  }
  return config;
}

double AlphaOf(const PeftConfig& config, const std::string& module) {
  for (const auto& [name, alpha] : config.alphas) {
    if (module == name || module.ends_with("." + name)) {
      return alpha;
    }
  }
  return config.alpha;
}

Result<std::vector<float>> Floats(const std::string& name, const tensor::View& view) {
  const auto type = hugging_face::TypeOf(view.type);
  if (!type) {
    return Bad(name, "tensor '" + name + "' is " + std::string(tensor::Name(view.type)) + ", not F32, F16 or BF16");
  }
  std::vector<float> floats(view.bytes.size() / tensor::ByteSize(view.type));
  ATELIER_TRY(tensor::Dequantise(*type, view.bytes, floats));
  return floats;
}

class PeftConverter {
 public:
  PeftConverter(const PeftConfig& config, const ModelConfig& base) : config_(config), base_(base) {}

  Status Convert(const std::string& name, const tensor::View& view) {
    const bool wide = name.ends_with(kWide);
    if (!name.starts_with(kOuter) || (!wide && !name.ends_with(kNarrow))) {
      return Unsupported(name, "tensor '" + name + "' is no part of a plain LoRA adapter");
    }
    const std::string module = name.substr(kOuter.size(), name.size() - kOuter.size() - kWide.size());
    const auto gguf = GgufTensorOf(module, base_.architecture->name);
    if (!gguf) {
      return Unsupported(name, "the module of tensor '" + name + "' cannot be adapted");
    }
    const std::string to = *gguf + ".weight" + (wide ? ".lora_b" : ".lora_a");
    const int64_t rank = view.shape.size() != 2 ? 0 : view.shape[wide ? 1 : 0];
    if (rank < 1 || rank > kMaxAdapterRank || (!config_.ranks_differ && rank != config_.rank)) {
      return Bad(name, "tensor '" + name + "' has not the rank of adapter_config.json");
    }
    if (file_->Find(to) != nullptr) {
      return Bad(name, "tensor '" + name + "' is there under two names");
    }
    ATELIER_ASSIGN(floats, Floats(name, view));
    if (wide) {
      ATELIER_TRY(Reorder(name, *gguf, view.shape, floats));
      Scale(AlphaOf(config_, module) / config_.alpha *
                (config_.rank_stabilised ? std::sqrt(static_cast<double>(rank)) : 1.0),
            floats);
    }
    file_->AddFloats(to, view.shape, std::move(floats));
    return {};
  }

  std::shared_ptr<MemoryFile> Finish() {
    file_->SetText("general.type", "adapter");
    file_->SetText("general.architecture", std::string(base_.architecture->name));
    file_->SetText("adapter.type", "lora");
    file_->SetNumber("adapter.lora.alpha", config_.alpha);
    return file_;
  }

 private:
  static void Scale(double factor, std::vector<float>& floats) {
    if (factor != 1) {
      std::ranges::for_each(floats, [factor](float& x) { x = static_cast<float>(factor * static_cast<double>(x)); });
    }
  }

  // GGUF has the halves of each head that are rotated together side by side, where the architecture rotates pairs.
  Status Reorder(const std::string& name, const std::string& gguf, const std::vector<int64_t>& shape,
                 std::vector<float>& floats) const {
    const bool query = gguf.ends_with(".attn_q");
    if (base_.architecture->rope != Rope::kPairs || (!query && !gguf.ends_with(".attn_k"))) {
      return {};
    }
    const auto rows = static_cast<size_t>(shape[0]);
    const auto rank = static_cast<size_t>(shape[1]);
    if (shape[0] != (query ? base_.query_width() : base_.key_width()) || base_.key_size % 2 != 0) {
      return Bad(name, "tensor '" + name + "' has " + std::to_string(rows) + " rows, not those of the base model");
    }
    const auto order = hugging_face::PairsOfHalves(base_.key_size);
    std::vector<float> reordered(floats.size());
    for (size_t row = 0; row < rows; ++row) {
      const auto from = static_cast<size_t>(order(static_cast<int64_t>(row)));
      std::copy_n(floats.data() + from * rank, rank, reordered.data() + row * rank);
    }
    floats = std::move(reordered);
    return {};
  }

  const PeftConfig& config_;
  const ModelConfig& base_;
  std::shared_ptr<MemoryFile> file_ = std::make_shared<MemoryFile>();  // shared with who gets it
};

}  // namespace

std::optional<std::string> GgufTensorOf(std::string_view module, std::string_view architecture) {
  using hugging_face::Change;
  for (const hugging_face::Family& family : hugging_face::Families()) {
    if (family.architecture != architecture) {
      continue;
    }
    const auto match = hugging_face::MatchHuggingFace(family, std::string(module) + ".weight");
    if (match.row != nullptr && (match.row->change == Change::kNone || match.row->change == Change::kTranspose)) {
      const std::string name = hugging_face::GgufName(match);
      return name.substr(0, name.size() - match.suffix.size());
    }
  }
  return std::nullopt;
}

Result<std::shared_ptr<const tensor::GgufFile>> ReadPeft(const std::filesystem::path& config_path,
                                                         const std::filesystem::path& weights,
                                                         const ModelConfig& base) {
  ATELIER_ASSIGN(config, ReadConfig(config_path));
  ATELIER_ASSIGN(file, tensor::SafetensorsFile::Open(weights));
  PeftConverter converter(config, base);
  for (const auto& [name, view] : file->tensors()) {
    ATELIER_TRY(converter.Convert(name, view));
  }
  return std::shared_ptr<const tensor::GgufFile>(converter.Finish());
}

}  // namespace atelier::engine
