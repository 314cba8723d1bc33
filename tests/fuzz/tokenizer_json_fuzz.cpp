// tokenizer.json, and behind NULs tokenizer_config.json, special_tokens_map.json and a text to encode.
#include "fuzz/tokenize.h"
#include "text/spec_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atelier;
  const auto [tokenizer, rest] = fuzz::Cut({reinterpret_cast<const char*>(data), size}, '\0');
  const auto [config, rest_of_it] = fuzz::Cut(rest, '\0');
  const auto [map, text] = fuzz::Cut(rest_of_it, '\0');
  auto spec = text::ReadTokenizerJson({tokenizer, config, map});
  if (!spec.ok()) {
    fuzz::CheckError(spec.error());
    return 0;
  }
  fuzz::Tokenize(std::move(*spec), text);
  return 0;
}
