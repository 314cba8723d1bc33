// The compilers of grammars. The first byte says which: J a JSON schema, R a regular expression, G GBNF, L Lark. What
// compiles is walked a few tokens far.
#include <vector>

#include "engine/grammar/gbnf.h"
#include "engine/grammar/json_schema.h"
#include "engine/grammar/mask_cache.h"
#include "engine/grammar/matcher.h"
#include "engine/grammar/regex.h"
#include "fuzz/fuzz.h"

namespace atelier::engine::grammar {
namespace {

using fuzz::Require;

VocabularyPtr Bytes() {
  std::vector<std::string> tokens{"\": ", "\",\"", "true", "null", "123", "ab", "\n  "};
  for (int byte = 0; byte < 256; ++byte) {
    tokens.emplace_back(1, static_cast<char>(byte));
  }
  tokens.emplace_back();
  const auto end = static_cast<int32_t>(tokens.size()) - 1;
  return *Vocabulary::Make(std::move(tokens), {end});
}

// The tokens that a fixed choice among the allowed ones leads to.
void Walk(const GrammarPtr& grammar, std::string_view choices) {
  static const VocabularyPtr vocabulary = Bytes();
  Matcher matcher(std::make_shared<MaskCache>(grammar, vocabulary));
  std::vector<uint64_t> mask(vocabulary->mask_words());
  size_t step = 0;
  for (; step < 24 && matcher.FillMask(mask); ++step) {
    std::vector<int32_t> allowed;
    for (size_t id = 0; id < vocabulary->size(); ++id) {
      if ((mask[id / 64] >> (id % 64) & 1U) != 0) {
        allowed.push_back(static_cast<int32_t>(id));
      }
    }
    const auto choice = static_cast<unsigned char>(choices[step % choices.size()]);
    Require(matcher.Accept(allowed[choice % allowed.size()]));
    (void)matcher.ForcedBytes();
  }
  Require(matcher.Rollback(step));
}

Result<GrammarPtr> Compile(char kind, std::string_view source, Budget& budget) {
  if (kind == 'J') {
    return CompileJsonSchemaText(source, {}, budget);
  }
  return kind == 'G' ? CompileGbnf(source, budget) : CompileLark(source, budget);
}

void Fuzz(std::string_view input) {
  GrammarLimits limits;
  limits.max_steps = 300'000;
  limits.max_cells = 1U << 18U;
  Budget budget(limits);
  const char kind = input.front();
  const std::string_view source = input.substr(1);
  if (kind == 'R') {
    const auto regex = CompileRegex(source, RegexMatch::kPart, budget);
    if (!regex.ok()) {
      fuzz::CheckError(regex.error());
    }
    return;
  }
  const auto grammar = Compile(kind, source, budget);
  if (grammar.ok()) {
    Walk(*grammar, input);
  } else {
    fuzz::CheckError(grammar.error());
  }
}

}  // namespace
}  // namespace atelier::engine::grammar

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 0) {
    atelier::engine::grammar::Fuzz({reinterpret_cast<const char*>(data), size});
  }
  return 0;
}
