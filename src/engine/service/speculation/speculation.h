// Drafts of answers' next tokens, so that one step of the model checks several of them.
//
// A drafted token is never more than a guess: the step computes the rows behind it, too, and each row's token is drawn
// as it would have been without drafts (a row's numbers are the same bits however a sequence is cut into steps, and a
// draw's random number depends on seed and position alone). As long as the token drawn is the one drafted, the next row
// is of use; the rest is forgotten. So an answer is the same, to the last bit, with drafts and without: for one drafted
// token this is the rejection rule of Leviathan et al. 2023 (https://arxiv.org/abs/2211.17192).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/kv_cache.h"
#include "engine/service/schedule.h"
#include "engine/service/speculation/draft_model.h"
#include "engine/service/speculation/mode.h"
#include "engine/service/speculation/policy.h"
#include "engine/service/speculation/step_costs.h"

namespace atelier::engine {

// For the engine thread.
class Speculation {
 public:
  // Borrows the cache and the model, which may be nullptr.
  Speculation(KvCache& cache, SpeculationMode mode, DraftModel* model) : cache_(cache), mode_(mode), model_(model) {}

  // Lets items of answers have drafts behind their token, and pages for them: only those that nobody else needs.
  void Extend(std::span<ScheduledItem> items);
  // So long did it take to compute the items.
  void NoteStep(std::span<const ScheduledItem> items, int64_t ns);
  // So many of the item's drafts were the tokens drawn.
  void NoteDrawn(const ScheduledItem& item, size_t accepted);

 private:
  // Nothing for what cannot have drafts in this step.
  DraftOffer Offer(const ScheduledItem& item);
  void Fill(std::span<ScheduledItem> items, std::span<const size_t> lengths);
  bool measures() const { return mode_ == SpeculationMode::kAuto; }

  KvCache& cache_;
  const SpeculationMode mode_;
  DraftModel* const model_;
  StepCosts costs_;  // in other modes than kAuto those that are guessed
  uint64_t steps_ = 0;
};

}  // namespace atelier::engine
