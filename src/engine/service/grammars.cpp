#include "engine/service/grammars.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/json.h"
#include "engine/grammar/json_schema.h"
#include "engine/service/joined_grammar.h"

namespace atelier::engine {
namespace {

constexpr size_t kMaxEntries = 32;
constexpr size_t kMaxMaskBytes = 8U << 20U;  // of one grammar
constexpr size_t kMaxChoices = 1000;

using Kind = OutputConstraint::Kind;
using grammar::SourceKind;

Result<std::vector<std::string>> ParseChoices(const std::string& source) {
  ATELIER_ASSIGN(value, ParseJson(source));
  const json::array* array = value.if_array();
  if (array == nullptr || array->empty() || array->size() > kMaxChoices) {
    return InvalidArgument("guided_choice must be an array of 1 to " + std::to_string(kMaxChoices) + " strings",
                           "guided_choice");
  }
  std::vector<std::string> choices;
  for (const json::value& item : *array) {
    const json::string* choice = item.if_string();
    if (choice == nullptr || choice->empty()) {
      return InvalidArgument("guided_choice must have strings only, none of them empty", "guided_choice");
    }
    choices.emplace_back(*choice);
  }
  return choices;
}

Result<grammar::GrammarSource> SourceOf(const OutputConstraint& constraint) {
  grammar::GrammarSource source;
  source.text = constraint.source;
  switch (constraint.kind) {
    case Kind::kNone:
    case Kind::kJsonObject:
      source.kind = SourceKind::kJsonObject;
      break;
    case Kind::kJsonSchema:
      source.kind = SourceKind::kJsonSchema;
      break;
    case Kind::kRegex:
      source.kind = SourceKind::kRegex;
      break;
    case Kind::kChoice: {
      source.kind = SourceKind::kChoice;
      ATELIER_ASSIGN(choices, ParseChoices(constraint.source));
      source.choices = std::move(choices);
      break;
    }
    case Kind::kGrammar:
      source.kind = SourceKind::kGrammar;
      break;
  }
  return source;
}

Result<grammar::GrammarPtr> CompileCalls(const std::vector<chat::ForcedCall>& calls, const Clock& clock) {
  grammar::Budget budget({}, &clock);
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
  return grammar::GrammarOfAlternatives(alternatives, budget);
}

}  // namespace

Result<std::optional<grammar::Matcher>> Grammars::Get(const OutputConstraint& constraint) {
  if (constraint.kind == Kind::kNone) {
    return std::optional<grammar::Matcher>();
  }
  ATELIER_ASSIGN(source, SourceOf(constraint));
  ATELIER_ASSIGN(matcher, texts_.MakeMatcher(source));
  return std::optional(std::move(matcher));
}

Result<grammar::Matcher> Grammars::GetCalls(const std::vector<chat::ForcedCall>& calls) {
  json::array texts;
  for (const chat::ForcedCall& call : calls) {
    texts.push_back({json::value(call.prefix), json::value(call.schema), json::value(call.suffix)});
  }
  const std::string key = Sha256Hex(json::serialize(texts));
  auto masks = calls_.With([&](std::list<Entry>& entries) -> std::shared_ptr<grammar::MaskCache> {
    const auto found = std::ranges::find(entries, key, &Entry::key);
    if (found == entries.end()) {
      return nullptr;
    }
    entries.splice(entries.begin(), entries, found);
    return found->masks;
  });
  if (masks == nullptr) {
    ATELIER_ASSIGN(grammar, CompileCalls(calls, clock_));
    masks = std::make_shared<grammar::MaskCache>(std::move(grammar), language_.call_vocabulary(),
                                                 grammar::MaskCache::Limits{.max_bytes = kMaxMaskBytes});
    calls_.With([&](std::list<Entry>& entries) {
      entries.push_front({key, masks});
      if (entries.size() > kMaxEntries) {
        entries.pop_back();
      }
    });
  }
  return grammar::Matcher(std::move(masks));
}

}  // namespace atelier::engine
