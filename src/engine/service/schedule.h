// Which answers go into the next step, and with how many of their tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/kv_cache.h"
#include "engine/service/fair_share.h"
#include "engine/service/step_budget.h"
#include "engine/service/task.h"
#include "engine/step.h"

namespace atelier::engine {

struct ScheduleLimits {
  size_t max_running = 16;  // sequences
  StepTargets targets{};
  size_t row_tokens = 512;  // of a prompt whose every row of logits is wanted
  bool reuse_prefixes = true;
};

struct ScheduledItem {
  Choice* choice = nullptr;
  StepItem item{};
  size_t drafts = 0;  // the last tokens of the item that are guesses
};

// Who holds a sequence: within a project first come, first served, by request and then by answer, as far as there are
// slots and pages for what they have to compute; between projects the one that was served least. One that waits gets a
// slot from a project that has more than its share of them. When pages run out the youngest gives up its own. The
// oldest can always go on, so everybody finishes.
// Who takes tokens: every answer that is being decoded, and prompts within a budget (step_budget.h), by project and
// then by ServiceTime. A prompt whose next page somebody else is about to compute waits for it and takes that.
// For the engine thread.
class Schedule {
 public:
  // Borrows cache and clock.
  Schedule(KvCache& cache, const ScheduleLimits& limits, const Clock& clock)
      : cache_(cache), limits_(limits), clock_(clock) {}

  // For a task that comes.
  std::shared_ptr<Share> Enter(const std::string& project) { return shares_.Enter(project); }
  // `tasks`: in order of arrival, each with a share and at least one answer. The items have pages for their tokens, and
  // stay valid until the answers change.
  std::vector<ScheduledItem> Next(std::span<const std::unique_ptr<Task>> tasks);
  // How long the step of these items took, with all that belongs to it.
  void Took(int64_t ns);
  // Takes the pages of the youngest answer; false when no answer has any.
  bool TakeFromYoungest(std::span<const std::unique_ptr<Task>> tasks);
  // Whether an answer may begin by sharing what another has computed: a slot is free.
  bool HasSlot(std::span<const std::unique_ptr<Task>> tasks) const;

 private:
  using Choices = std::span<Choice* const>;

  // Of the answers that hold a sequence.
  struct Standing {
    size_t running = 0;
    size_t promised_pages = 0;  // for what they still have to compute
  };

  void Admit(Choices choices);
  bool AdmitOne(Choice& choice, const Standing& standing);
  static Choice* NextToAdmit(Choices choices);
  Standing Count(Choices choices) const;  // and each project's
  bool SetAside(Choices choices, const Choice& newcomer) const;
  size_t Unfilled(const Choice& choice) const;
  bool SharesPrefixes(const Choice& choice) const;
  void CatchUp(Choices choices);
  std::vector<size_t> Divide(Choices choices);
  std::vector<size_t> OrderOfPrompts(Choices choices) const;
  bool IsAwaited(const Choice& choice, Choices choices, std::span<const size_t> counts) const;
  bool Reserve(Choices choices, size_t at, size_t count);
  StepItem ItemOf(const Choice& choice, size_t count) const;

  KvCache& cache_;
  const ScheduleLimits limits_;
  const Clock& clock_;
  FairShare shares_;
  StepCost cost_;
  StepSample step_;  // under way
};

}  // namespace atelier::engine
