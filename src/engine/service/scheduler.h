// Runs requests on a model, one step after another.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/model.h"
#include "engine/sampling/sampler.h"
#include "engine/service/draws.h"
#include "engine/service/language.h"
#include "engine/service/schedule.h"
#include "engine/service/speculation/speculation.h"
#include "engine/service/task.h"

namespace atelier::engine {

struct SchedulerParts {  // borrowed
  Model& model;
  const Language& language;
  const Clock& clock;
  SpeculationMode speculation = SpeculationMode::kOff;
  DraftModel* draft_model = nullptr;  // nullptr: none
};

// Tells sinks as it goes. Not thread-safe: for the engine thread.
class Scheduler {
 public:
  Scheduler(const SchedulerParts& parts, const ScheduleLimits& limits)
      : parts_(parts),
        schedule_(parts.model.cache(), limits, parts.clock),
        draws_(parts.language, parts.model.threads()),
        speculation_(parts.model.cache(), parts.speculation, parts.draft_model) {}

  // `task` is prepared.
  void Add(std::unique_ptr<Task> task);
  // Ends what was cancelled or is past its deadline. Returns how many of those ended had never been admitted.
  size_t Sweep();
  // One step, if there is anything to do. Returns how many tasks were admitted for the first time.
  size_t Step();
  void EndAll(const Error& error);
  // Frees pages for something that is more urgent; false when no answer holds any.
  bool GivePages() { return schedule_.TakeFromYoungest(tasks_); }

  bool idle() const { return tasks_.empty(); }
  size_t running() const;  // answers that hold a sequence
  uint64_t steps() const { return steps_; }
  uint64_t prompt_tokens() const { return prompt_tokens_; }
  uint64_t generated_tokens() const { return generated_tokens_; }
  uint64_t cached_tokens() const { return cached_tokens_; }

 private:
  size_t Admitted() const;
  // Where answers attend to an encoded prompt: encodes it for a new sequence. False: that has failed.
  bool Encode(Choice& choice);
  Status Compute(std::span<const ScheduledItem> items);
  void Run(std::span<const ScheduledItem> items);
  void Use(const ScheduledItem& item, size_t index);
  Status KeepPromptRows(const ScheduledItem& item, size_t index);
  // `drawn`: by the first answer, if any token is wanted.
  Status FinishPrompt(Choice& first, std::span<const float> logits, std::optional<Result<SampledToken>> drawn);
  Status Take(Choice& choice, Result<SampledToken> token);
  // As long as the tokens drawn are the item's drafts.
  Status DrawDrafted(const ScheduledItem& item, size_t index);
  void Fail(Task& task, Error error);
  void Tell();

  SchedulerParts parts_;
  Schedule schedule_;
  Draws draws_;
  Speculation speculation_;
  StepOutput output_;
  std::vector<std::unique_ptr<Task>> tasks_;     // in order of arrival
  std::vector<std::pair<Task*, Error>> failed_;  // in this step
  uint64_t steps_ = 0;
  uint64_t prompt_tokens_ = 0;
  uint64_t generated_tokens_ = 0;
  uint64_t cached_tokens_ = 0;
};

}  // namespace atelier::engine
