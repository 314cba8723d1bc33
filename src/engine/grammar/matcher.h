// The state of one request under a grammar.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/grammar/automaton.h"
#include "engine/grammar/mask_cache.h"

namespace atelier::engine::grammar {

// Copies share what they have in common, so a copy costs little. Not thread-safe; different matchers may run in
// different threads.
class Matcher {
 public:
  static constexpr size_t kMaxRollback = 64;  // accepted tokens (or runs of bytes) that can be taken back

  // `masks` carries the grammar and the vocabulary; it is shared with other requests.
  explicit Matcher(std::shared_ptr<MaskCache> masks);

  // Sets the bits of exactly the tokens that may come next; returns whether there is one. With none (a vocabulary that
  // cannot spell what is due, or after the end) generation has to stop. `mask` has vocabulary().mask_words() words.
  bool FillMask(std::span<uint64_t> mask) const;
  // Goes on by a token. False, and nothing changes, where the mask would not allow it.
  bool Accept(int32_t token);
  // Goes on by bytes that may end anywhere, also inside of a token. False, and nothing changes, where they do not fit.
  bool AcceptBytes(std::string_view bytes);
  // Takes back the last `steps` successful calls of Accept and AcceptBytes. False, and nothing changes, beyond
  // kMaxRollback or the start.
  bool Rollback(size_t steps);
  // Whether the text so far is a whole text of the grammar.
  bool IsComplete() const { return current_->complete; }
  // Whether an end token was accepted, or nothing may follow.
  bool IsDone() const { return ended_ || current_->configs.empty(); }
  // The bytes that must come next, at most `max_bytes` of them; empty where there is a choice. They may end inside of
  // a character.
  std::string ForcedBytes(size_t max_bytes = 256) const;
  void Reset();

  const Vocabulary& vocabulary() const { return masks_->vocabulary(); }

 private:
  using SetPtr = std::shared_ptr<const ConfigSet>;  // shared by copies and the history

  bool Advance(std::string_view bytes, SetPtr& set) const;
  void Move(SetPtr set, bool ended);

  std::shared_ptr<MaskCache> masks_;  // shared by the requests with this grammar
  SetPtr current_;
  std::vector<SetPtr> history_;
  bool ended_ = false;
};

}  // namespace atelier::engine::grammar
