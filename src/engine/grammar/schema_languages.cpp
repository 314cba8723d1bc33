#include "engine/grammar/schema_languages.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <tuple>

#include "engine/grammar/formats.h"
#include "engine/grammar/regex.h"
#include "engine/grammar/schema_shape.h"

namespace atelier::engine::grammar {
namespace {

std::string Spelling(const Decimal& number) {
  return (number.negative ? "-" : "") + number.whole + (number.fraction.empty() ? "" : "." + number.fraction);
}

}  // namespace

Result<DfaPtr> Languages::Pattern(std::string_view regex) {
  return Named("pattern " + std::string(regex),
               [&](Budget& budget) { return CompileRegex(regex, RegexMatch::kPart, budget); });
}

Result<DfaPtr> Languages::Format(std::string_view format) {
  const auto pattern = FormatPattern(format);
  if (!pattern) {
    return DfaPtr();
  }
  return Named("format " + std::string(format),
               [&](Budget& budget) { return CompileRegex(*pattern, RegexMatch::kWhole, budget); });
}

Result<DfaPtr> Languages::Words(const std::vector<std::string>& words) {
  std::string name = "words";
  for (const auto& word : words) {
    name += '\0' + word;
  }
  return Named(name, [&](Budget& budget) { return FromWords(words, budget); });
}

Result<DfaPtr> Languages::NoInteger() {
  // Compared as texts "12.00" is no integer, but its value is one.
  const json::value one(1);
  ATELIER_ASSIGN(broken, Multiple(one, false));
  return broken;
}

Result<DfaPtr> Languages::Compare(const json::value& bound, Comparison comparison) {
  const auto decimal = ToDecimal(bound);
  if (!decimal) {
    return DfaPtr();
  }
  const std::string which =
      std::string(comparison.less ? "<" : "") + (comparison.equal ? "=" : "") + (comparison.greater ? ">" : "");
  return Named("number " + which + Spelling(*decimal),
               [&](Budget& budget) { return Compared(*decimal, comparison, budget); });
}

Result<DfaPtr> Languages::Multiple(const json::value& step, bool multiple) {
  const auto decimal = ToDecimal(step);
  if (!decimal || decimal->negative || decimal->zero()) {
    return DfaPtr();
  }
  const std::string name = (multiple ? "multiple " : "no multiple ") + Spelling(*decimal);
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    return found->second;
  }
  ATELIER_ASSIGN(dfa, Multiples(*decimal, multiple, budget_));
  if (!dfa) {
    return DfaPtr();
  }
  return by_name_.emplace(name, std::make_shared<const Dfa>(*std::move(dfa))).first->second;
}

Result<DfaPtr> Languages::NumbersExcept(const std::vector<const json::value*>& values) {
  DfaPtr out;
  for (const auto* value : values) {
    ATELIER_ASSIGN(others, Compare(*value, {.less = true, .equal = false, .greater = true}));
    ATELIER_ASSIGN(both, Both(out, others));
    out = std::move(both);
  }
  return out;
}

Result<DfaPtr> Languages::NumbersOf(const std::vector<const json::value*>& values) {
  std::vector<std::string> words;
  for (const auto* value : values) {
    if (const auto decimal = ToDecimal(*value)) {
      words.push_back(Spelling(*decimal));
      if (decimal->fraction.empty()) {
        words.push_back(words.back() + ".0");
      }
    }
  }
  return Words(words);
}

Result<DfaPtr> Languages::Both(const DfaPtr& left, const DfaPtr& right) {
  if (left == nullptr || right == nullptr || left == right) {
    return left == nullptr ? right : left;
  }
  return Combined(left, right, SetOperation::kAnd);
}

Result<DfaPtr> Languages::Without(const DfaPtr& left, const DfaPtr& right) {
  ATELIER_ASSIGN(any, Text());
  return Combined(left == nullptr ? any : left, right == nullptr ? any : right, SetOperation::kMinus);
}

Result<DfaPtr> Languages::Either(const DfaPtr& left, const DfaPtr& right) {
  return left == right ? Result<DfaPtr>(left) : Combined(left, right, SetOperation::kOr);
}

Result<DfaPtr> Languages::Limited(const DfaPtr& language, uint64_t min, uint64_t max) {
  if (language == nullptr || (min == 0 && max == kNoBound)) {
    return language;
  }
  const auto key = std::make_tuple(language, min, max);
  if (const auto found = limited_.find(key); found != limited_.end()) {
    return found->second;
  }
  // No word of a language without cycles is longer than its states; this keeps small things small.
  const auto words = grammar::Words(*language, 1000);
  constexpr uint64_t kLargest = std::numeric_limits<uint32_t>::max() - 1;
  Result<Dfa> dfa = Dfa();
  if (words) {
    std::vector<std::string> kept;
    for (const auto& word : *words) {
      const size_t length = DecodeUtf8(word)->size();
      if (length >= min && length <= max) {
        kept.push_back(word);
      }
    }
    dfa = FromWords(kept, budget_);
  } else if (min > kLargest) {
    return TooComplex("a minLength");
  } else {
    dfa = WithLength(*language, static_cast<uint32_t>(min),
                     max > kLargest ? std::nullopt : std::optional<uint32_t>(static_cast<uint32_t>(max)), budget_);
  }
  if (!dfa.ok()) {
    return std::move(dfa).error();
  }
  return limited_.emplace(key, std::make_shared<const Dfa>(std::move(dfa).value())).first->second;
}

Result<DfaPtr> Languages::Combined(const DfaPtr& left, const DfaPtr& right, SetOperation operation) {
  const Operation key{left, right, operation};
  if (const auto found = combined_.find(key); found != combined_.end()) {
    return found->second;
  }
  ATELIER_ASSIGN(dfa, Combine(*left, *right, operation, budget_));
  return combined_.emplace(key, std::make_shared<const Dfa>(std::move(dfa))).first->second;
}

}  // namespace atelier::engine::grammar
