#include "hub/options.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace atelier::hub {
namespace {

constexpr size_t kMaxTokenBytes = 4096;

std::string ValueOf(const Environment& environment, const std::string& variable) {
  return environment(variable).value_or("");
}

// Of Hugging Face's own words for yes.
bool IsTrue(std::string value) {
  std::ranges::transform(value, value.begin(), [](unsigned char c) { return std::toupper(c); });
  return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
}

std::string HuggingFaceHome(const Environment& environment) {
  if (const std::string home = ValueOf(environment, "HF_HOME"); !home.empty()) {
    return home;
  }
  if (const std::string cache = ValueOf(environment, "XDG_CACHE_HOME"); !cache.empty()) {
    return cache + "/huggingface";
  }
  const std::string home = ValueOf(environment, "HOME");
  return home.empty() ? "" : home + "/.cache/huggingface";
}

Secret TokenOf(std::string text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!text.empty() && is_space(text.back())) {
    text.pop_back();
  }
  text.erase(text.begin(), std::ranges::find_if_not(text, is_space));
  const bool printable = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
  return printable && text.size() <= kMaxTokenBytes ? Secret(std::move(text)) : Secret();
}

Secret TokenFromFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxTokenBytes + 2, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  return TokenOf(std::move(text));
}

Secret HuggingFaceToken(const Environment& environment) {
  if (IsTrue(ValueOf(environment, "HF_HUB_DISABLE_IMPLICIT_TOKEN"))) {
    return {};
  }
  for (const char* variable : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
    if (Secret token = TokenOf(ValueOf(environment, variable)); !token.empty()) {
      return token;
    }
  }
  std::string path = ValueOf(environment, "HF_TOKEN_PATH");
  if (path.empty() && !HuggingFaceHome(environment).empty()) {
    path = HuggingFaceHome(environment) + "/token";
  }
  return path.empty() ? Secret() : TokenFromFile(path);
}

std::string HuggingFaceCache(const Environment& environment) {
  for (const char* variable : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    if (std::string folder = ValueOf(environment, variable); !folder.empty()) {
      return folder;
    }
  }
  const std::string home = HuggingFaceHome(environment);
  return home.empty() ? "" : home + "/hub";
}

}  // namespace

json::object ToJson(const Options& options) {
  return {{"huggingface", options.huggingface},
          {"modelscope", options.modelscope},
          {"ollama", options.ollama},
          {"private_addresses", options.private_addresses},
          {"connections", options.connections},
          {"part_bytes", static_cast<int64_t>(options.part_bytes)},
          {"max_bytes", static_cast<int64_t>(options.max_bytes)}};
}

Result<Options> OptionsFromJson(const json::object& object) {
  Options options;
  Fields fields(object, "hub");
  ATELIER_ASSIGN(huggingface, fields.StringOr("huggingface", options.huggingface));
  ATELIER_ASSIGN(modelscope, fields.StringOr("modelscope", options.modelscope));
  ATELIER_ASSIGN(ollama, fields.StringOr("ollama", options.ollama));
  ATELIER_ASSIGN(private_addresses, fields.BoolOr("private_addresses", options.private_addresses));
  ATELIER_ASSIGN(connections, fields.IntOr("connections", options.connections, 1, 64));
  ATELIER_ASSIGN(part_bytes,
                 fields.IntOr("part_bytes", static_cast<int64_t>(options.part_bytes), 1024, int64_t{1} << 40U));
  ATELIER_ASSIGN(max_bytes, fields.IntOr("max_bytes", static_cast<int64_t>(options.max_bytes), 1, int64_t{1} << 60U));
  options.huggingface = std::move(huggingface);
  options.modelscope = std::move(modelscope);
  options.ollama = std::move(ollama);
  options.private_addresses = private_addresses;
  options.connections = static_cast<int>(connections);
  options.part_bytes = static_cast<uint64_t>(part_bytes);
  options.max_bytes = static_cast<uint64_t>(max_bytes);
  return options;
}

Tokens TokensFrom(const Environment& environment) {
  return {HuggingFaceToken(environment), TokenOf(ValueOf(environment, "MODELSCOPE_API_TOKEN"))};
}

Caches CachesFrom(const Environment& environment) {
  Caches caches{HuggingFaceCache(environment), ValueOf(environment, "OLLAMA_MODELS")};
  if (const std::string home = ValueOf(environment, "HOME"); caches.ollama.empty() && !home.empty()) {
    caches.ollama = home + "/.ollama/models";
  }
  return caches;
}

}  // namespace atelier::hub
