// The grammars that requests ask for, compiled once and kept.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/result.h"
#include "engine/chat/tool_choice.h"
#include "engine/generation.h"
#include "engine/grammar/grammar_cache.h"
#include "engine/grammar/matcher.h"
#include "engine/service/language.h"

namespace atelier::engine {

// Thread-safe. Borrows language and clock.
class Grammars {
 public:
  Grammars(const Language& language, const Clock& clock)
      : language_(language), clock_(clock), texts_(language.vocabulary(), clock) {}

  // Nothing for Kind::kNone. Errors: kInvalidArgument (those of the grammar's compiler, "schema_too_complex").
  Result<std::optional<grammar::Matcher>> Get(const OutputConstraint& constraint);
  // Of texts that are one of these calls.
  Result<grammar::Matcher> GetCalls(const std::vector<chat::ForcedCall>& calls);

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<grammar::MaskCache> masks;  // shared with the matchers at work
  };

  const Language& language_;
  const Clock& clock_;
  grammar::GrammarCache texts_;
  Guarded<std::list<Entry>> calls_;  // the latest used first
};

}  // namespace atelier::engine
