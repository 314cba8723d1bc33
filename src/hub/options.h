// Where models are fetched from, within which limits, and what proves who asks.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/json.h"
#include "base/result.h"

namespace atelier::hub {

// Travels in a job's specification, so it holds nothing that is secret.
struct Options {
  std::string huggingface =
      "https://huggingface.co";  // endpoints: scheme, host and perhaps a path, no slash at the end
  std::string modelscope = "https://www.modelscope.cn";
  std::string ollama = "https://registry.ollama.ai";
  bool private_addresses = false;  // whether what is not an endpoint may lie at a private address, or be plain HTTP
  int connections = 4;             // at once, for one file
  uint64_t part_bytes = 32U << 20U;
  uint64_t max_bytes = 1ULL << 40U;  // of all files of one model

  bool operator==(const Options&) const = default;
};

json::object ToJson(const Options& options);
// Errors: kInvalidArgument naming the field.
Result<Options> OptionsFromJson(const json::object& object);

// A text that is not for logs, messages or files.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  bool empty() const { return text_.empty(); }
  const std::string& Reveal() const { return text_; }

 private:
  std::string text_;
};

using Environment = std::function<std::optional<std::string>(const std::string& variable)>;

struct Tokens {
  Secret huggingface;  // HF_TOKEN, HUGGING_FACE_HUB_TOKEN, or the file HF_TOKEN_PATH ($HF_HOME/token)
  Secret modelscope;   // MODELSCOPE_API_TOKEN
};
// What is no token (control characters, far too long) counts as absent.
Tokens TokensFrom(const Environment& environment);

// Folders where other programs keep what they have fetched.
struct Caches {
  std::string huggingface;  // HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, $HF_HOME/hub, ~/.cache/huggingface/hub
  std::string ollama;       // OLLAMA_MODELS, ~/.ollama/models
};
Caches CachesFrom(const Environment& environment);

}  // namespace atelier::hub
