#include "atelier/cli/sampling.h"

#include <cstdio>
#include <span>

#include "atelier/cli/source.h"
#include "atelier/cli/values.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

constexpr uint64_t kMaxTextBytes = 8U << 20U;  // more is no prompt

}  // namespace

void AddSamplingOptions(CLI::App& command, SamplingOptions& options) {
  constexpr const char* kGroup = "Answers of language models";
  command.add_option("--temperature", options.temperature, "0: always the likeliest token")->group(kGroup);
  command.add_option("--top-p", options.top_p, "Choose among the likeliest tokens of this probability")->group(kGroup);
  command.add_option("--max-tokens", options.max_tokens, "Longest answer")->group(kGroup);
  command.add_option("--seed", options.seed, "The same seed gives the same answer")->group(kGroup);
  command.add_option("--stop", options.stop, "Text that ends the answer; may be repeated")
      ->group(kGroup)
      ->allow_extra_args(false);
  command.add_option("--schema", options.schema_file, "File of a JSON schema that the answer must fit")->group(kGroup);
}

Result<json::object> SamplingFields(const SamplingOptions& options) {
  json::object fields;
  if (options.temperature) {
    fields["temperature"] = *options.temperature;
  }
  if (options.top_p) {
    fields["top_p"] = *options.top_p;
  }
  if (options.max_tokens) {
    fields["max_tokens"] = *options.max_tokens;
  }
  if (options.seed) {
    fields["seed"] = *options.seed;
  }
  if (!options.stop.empty()) {
    fields["stop"] = json::value_from(options.stop);
  }
  if (!options.schema_file.empty()) {
    ATELIER_ASSIGN(schema, ReadJsonFile(options.schema_file));
    fields["response_format"] = {
        {"type", "json_schema"},
        {"json_schema", {{"name", "answer"}, {"strict", true}, {"schema", std::move(schema)}}}};
  }
  return fields;
}

Result<std::string> ReadTextFile(const std::string& path) {
  ATELIER_ASSIGN(file, OpenFile(path));
  if (file->size() > kMaxTextBytes) {
    return Usage("'" + path + "' is larger than 8 MiB");
  }
  std::string text(static_cast<size_t>(file->size()), '\0');
  ATELIER_TRY(file->Read(0, std::span(text.data(), text.size())));
  return text;
}

Result<json::value> ReadJsonFile(const std::string& path) {
  ATELIER_ASSIGN(text, ReadTextFile(path));
  auto value = ParseJson(text);
  return value.ok() ? std::move(value) : Usage("'" + path + "' is not JSON: " + value.error().message);
}

Result<std::string> ReadStandardInput() {
  std::string text;
  char buffer[65536];
  while (const size_t count = std::fread(buffer, 1, sizeof(buffer), stdin)) {
    text.append(buffer, count);
    if (text.size() > kMaxTextBytes) {
      return Usage("standard input is longer than 8 MiB");
    }
  }
  return text;
}

}  // namespace atelier::cli
