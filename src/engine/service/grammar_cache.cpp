#include "engine/service/grammar_cache.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/hash.h"
#include "base/json.h"
#include "engine/grammar/json_schema.h"
#include "engine/service/grammar_parts.h"

namespace atelier::engine {
namespace {

constexpr size_t kMaxEntries = 32;
constexpr size_t kMaxMaskBytes = 16U << 20U;  // of one grammar
constexpr size_t kMaxChoices = 1000;

using Kind = OutputConstraint::Kind;

Result<grammar::GrammarPtr> CompileChoices(const std::string& source, grammar::Budget& budget) {
  ATELIER_ASSIGN(value, ParseJson(source));
  const json::array* array = value.if_array();
  if (array == nullptr || array->empty() || array->size() > kMaxChoices) {
    return InvalidArgument("guided_choice must be an array of 1 to " + std::to_string(kMaxChoices) + " strings",
                           "guided_choice");
  }
  std::vector<std::string> words;
  for (const json::value& item : *array) {
    const json::string* word = item.if_string();
    if (word == nullptr || word->empty()) {
      return InvalidArgument("guided_choice must have strings only, none of them empty", "guided_choice");
    }
    words.emplace_back(*word);
  }
  return grammar::GrammarOfWords(words, budget);
}

Result<grammar::GrammarPtr> Compile(const OutputConstraint& constraint, grammar::Budget& budget) {
  switch (constraint.kind) {
    case Kind::kNone:
      break;
    case Kind::kJsonObject:
      return grammar::CompileJsonObject({}, budget);
    case Kind::kJsonSchema:
      return grammar::CompileJsonSchemaText(constraint.source, {}, budget);
    case Kind::kRegex:
      return grammar::GrammarOfRegex(constraint.source, budget);
    case Kind::kChoice:
      return CompileChoices(constraint.source, budget);
    case Kind::kGrammar:
      return MakeError(Code::kUnimplemented, "grammars are not supported yet: use a schema, a regex or choices",
                       "unsupported_parameter", "guided_grammar");
  }
  return Internal("there is nothing to compile");
}

}  // namespace

MasksPtr GrammarCache::Find(const std::string& key) {
  return entries_.With([&](std::list<Entry>& entries) -> MasksPtr {
    const auto found = std::ranges::find(entries, key, &Entry::key);
    if (found == entries.end()) {
      return nullptr;
    }
    entries.splice(entries.begin(), entries, found);
    return found->masks;
  });
}

MasksPtr GrammarCache::Keep(const std::string& key, grammar::GrammarPtr grammar,
                            const grammar::VocabularyPtr& vocabulary) {
  auto masks = std::make_shared<grammar::MaskCache>(std::move(grammar), vocabulary,
                                                    grammar::MaskCache::Limits{.max_bytes = kMaxMaskBytes});
  entries_.With([&](std::list<Entry>& entries) {
    entries.push_front({key, masks});
    if (entries.size() > kMaxEntries) {
      entries.pop_back();
    }
  });
  return masks;
}

Result<MasksPtr> GrammarCache::Get(const OutputConstraint& constraint) {
  if (constraint.kind == Kind::kNone) {
    return MasksPtr();
  }
  const std::string key = Sha256Hex(std::to_string(static_cast<int>(constraint.kind)) + ":" + constraint.source);
  if (auto found = Find(key)) {
    return found;
  }
  grammar::Budget budget({}, &clock_);
  ATELIER_ASSIGN(grammar, Compile(constraint, budget));
  return Keep(key, std::move(grammar), language_.vocabulary());
}

Result<MasksPtr> GrammarCache::GetCalls(const std::vector<chat::ForcedCall>& calls) {
  json::array texts;
  for (const chat::ForcedCall& call : calls) {
    texts.push_back({json::value(call.prefix), json::value(call.schema), json::value(call.suffix)});
  }
  const std::string key = Sha256Hex("calls:" + json::serialize(texts));
  if (auto found = Find(key)) {
    return found;
  }
  grammar::Budget budget({}, &clock_);
  std::vector<grammar::FramedGrammar> alternatives;
  for (const chat::ForcedCall& call : calls) {
    auto arguments = grammar::CompileJsonSchema(json::value(call.schema), {}, budget);
    if (!arguments.ok()) {
      Error error = std::move(arguments).error();
      error.message = "the parameters of the tool '" + call.tool + "': " + error.message;
      error.param = "tools";
      return error;
    }
    alternatives.push_back({call.prefix, std::move(*arguments), call.suffix});
  }
  ATELIER_ASSIGN(grammar, grammar::GrammarOfAlternatives(alternatives, budget));
  return Keep(key, std::move(grammar), language_.call_vocabulary());
}

}  // namespace atelier::engine
