// What one answer may still say: a grammar, behind the thoughts of a model that thinks first.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/grammar/matcher.h"
#include "engine/service/language.h"

namespace atelier::engine {

// How thoughts come before the text that a grammar binds; plain data.
struct Thoughts {
  bool opened = false;                  // the prompt has opened them
  std::optional<int32_t> open_token{};  // the model may open them itself, by this token
  std::string close{};                  // the mark that ends them
};

// Not thread-safe. Borrows the language.
class Constraint {
 public:
  // No `matcher`: everything is allowed, always. No `thoughts`: the grammar binds from the first token on.
  Constraint(const Language& language, std::optional<grammar::Matcher> matcher,
             const std::optional<Thoughts>& thoughts);

  // What may come next; empty: anything. Borrowed from `buffer`. Errors: kFailedPrecondition "no_allowed_token" (the
  // vocabulary cannot spell what is due).
  Result<std::span<const uint64_t>> Mask(std::vector<uint64_t>& buffer) const;
  // Goes on by a token that the mask allows. Errors: kInternal when it does not.
  Status Accept(int32_t token);
  // Whether the text is complete and nothing but an end can follow.
  bool IsDone() const { return place_ == Place::kBound && matcher_ && matcher_->IsDone(); }

 private:
  // At the start either the grammar's text or thoughts may begin; thoughts may say anything but an end.
  enum class Place { kStart, kThinking, kBound };

  Status Think(int32_t token);

  const Language& language_;
  std::optional<grammar::Matcher> matcher_;
  Thoughts thoughts_;
  Place place_ = Place::kBound;
  std::string tail_;  // of the thoughts: may be the beginning of the closing mark
};

}  // namespace atelier::engine
