// The tokens that a step's answers draw: what each may say is worked out while the model computes, and all of them
// sample at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/sampling/sampler.h"
#include "engine/service/helpers.h"
#include "engine/service/schedule.h"
#include "engine/service/task.h"
#include "engine/step.h"
#include "engine/thread_pool.h"

namespace atelier::engine {

// For the engine thread.
class Draws {
 public:
  // Borrows both.
  Draws(const Language& language, ThreadPool& threads)
      : language_(language), threads_(threads), samplers_(threads.threads()) {}

  // Begins to work out the masks of the items whose answers will draw. Until Await nobody may change these.
  void Begin(std::span<const ScheduledItem> items);
  void Await();
  // After Await: draws for these items, whose step has given `output`.
  void Sample(StepOutput& output);
  // What item number `index` has drawn, once; nothing if it was not to draw. Errors: those of Answer::Mask and Sampler.
  std::optional<Result<SampledToken>> Take(size_t index) { return std::exchange(slots_[index].token, std::nullopt); }
  // Draws for one answer alone, with its own mask.
  Result<SampledToken> Draw(const Choice& choice, std::span<const float> logits);

 private:
  struct Slot {
    const Choice* choice = nullptr;  // nullptr: draws nothing
    std::vector<uint64_t> words{};   // used again
    Result<std::span<const uint64_t>> mask{std::span<const uint64_t>()};
    std::optional<Result<SampledToken>> token{};
  };

  void FillMasks();
  Result<SampledToken> SampleOne(Sampler& sampler, const Slot& slot, std::span<const float> logits) const;

  const Language& language_;
  std::vector<Slot> slots_;      // by item; may be more
  std::vector<size_t> drawing_;  // slots
  Slot alone_;
  std::atomic<uint32_t> filling_{0};  // 1: the helper is at it
  ThreadPool& threads_;
  std::vector<Sampler> samplers_;  // by thread
  Helpers helper_{1};              // ends first
};

}  // namespace atelier::engine
