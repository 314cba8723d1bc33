// Which answers go into the next step, and with how many of their tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"
#include "engine/kv_cache.h"
#include "engine/service/task.h"
#include "engine/step.h"

namespace atelier::engine {

struct ScheduleLimits {
  size_t max_running = 16;     // sequences
  size_t step_tokens = 512;    // of prompts in one step
  size_t shared_tokens = 128;  // of prompts in a step in which something is decoded
  size_t row_tokens = 512;     // of a prompt whose every row of logits is wanted
  bool reuse_prefixes = true;
};

struct ScheduledItem {
  Choice* choice = nullptr;
  StepItem item{};
  size_t drafts = 0;  // the last tokens of the item that are guesses
};

// First come, first served, by request and then by answer: the oldest answers hold sequences, as far as there are slots
// and pages for what they have to compute. When pages run out the youngest gives up its own. The oldest can always go
// on, so everybody finishes. For the engine thread.
class Schedule {
 public:
  // Borrows cache and clock.
  Schedule(KvCache& cache, const ScheduleLimits& limits, const Clock& clock)
      : cache_(cache), limits_(limits), clock_(clock) {}

  // `tasks`: in order of arrival, each with at least one answer. The items have pages for their tokens, and stay valid
  // until the answers change.
  std::vector<ScheduledItem> Next(std::span<const std::unique_ptr<Task>> tasks);
  // Takes the pages of the youngest answer; false when no answer has any.
  bool TakeFromYoungest(std::span<const std::unique_ptr<Task>> tasks);
  // Whether an answer may begin by sharing what another has computed: a slot is free.
  bool HasSlot(std::span<const std::unique_ptr<Task>> tasks) const;

 private:
  void Admit(std::span<Choice* const> choices);
  bool AdmitOne(Choice& choice, size_t running, size_t promised);
  size_t Unfilled(const Choice& choice) const;
  bool Reserve(std::span<Choice* const> choices, size_t at, size_t count);
  StepItem ItemOf(const Choice& choice, size_t count) const;

  KvCache& cache_;
  const ScheduleLimits limits_;
  const Clock& clock_;
};

}  // namespace atelier::engine
