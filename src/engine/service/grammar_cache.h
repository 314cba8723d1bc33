// Compiled grammars of requests, kept: the same schema comes again and again.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/result.h"
#include "engine/chat/tool_choice.h"
#include "engine/generation.h"
#include "engine/grammar/mask_cache.h"
#include "engine/service/language.h"

namespace atelier::engine {

using MasksPtr = std::shared_ptr<grammar::MaskCache>;  // shared by the requests with one grammar

// Thread-safe. Keeps the grammars used last, a few dozen. Borrows language and clock.
class GrammarCache {
 public:
  GrammarCache(const Language& language, const Clock& clock) : language_(language), clock_(clock) {}

  // Null for Kind::kNone. Errors: kInvalidArgument (those of the grammar's compiler, "schema_too_complex"),
  // kUnimplemented for a kind that is not known.
  Result<MasksPtr> Get(const OutputConstraint& constraint);
  // Texts that are one of these calls.
  Result<MasksPtr> GetCalls(const std::vector<chat::ForcedCall>& calls);

 private:
  struct Entry {
    std::string key;
    MasksPtr masks;
  };

  MasksPtr Find(const std::string& key);
  MasksPtr Keep(const std::string& key, grammar::GrammarPtr grammar, const grammar::VocabularyPtr& vocabulary);

  const Language& language_;
  const Clock& clock_;
  Guarded<std::list<Entry>> entries_;  // the latest used first
};

}  // namespace atelier::engine
