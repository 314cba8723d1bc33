#include "engine/service/draws.h"

#include <algorithm>
#include <utility>

namespace atelier::engine {
namespace {

constexpr size_t kLogitsWorthThreads = 300'000;  // fewer are sampled faster than a thread wakes up

}  // namespace

void Draws::Begin(std::span<const ScheduledItem> items) {
  slots_.resize(std::max(slots_.size(), items.size()));
  drawing_.clear();
  bool masked = false;
  for (size_t i = 0; i < items.size(); ++i) {
    const Choice& choice = *items[i].choice;
    Slot& slot = slots_[i];
    slot.token.reset();
    slot.mask = std::span<const uint64_t>();
    const bool draws = items[i].item.tokens.size() == choice.Pending().size() && choice.task.prepared->max_tokens > 0;
    slot.choice = draws ? &choice : nullptr;
    if (draws) {
      drawing_.push_back(i);
      masked = masked || choice.answer.IsConstrained();
    }
  }
  if (masked) {
    filling_.store(1);
    helper_.Add([this] { FillMasks(); });
  }
}

// On the helper's thread.
void Draws::FillMasks() {
  for (const size_t i : drawing_) {
    Slot& slot = slots_[i];
    slot.mask = slot.choice->answer.Mask(slot.words);
  }
  filling_.store(0);
  filling_.notify_all();
}

void Draws::Await() { filling_.wait(1); }

void Draws::Sample(StepOutput& output) {
  const auto sample = [&](size_t number, size_t thread) {
    const size_t i = drawing_[number];
    slots_[i].token = SampleOne(samplers_[thread], slots_[i], output.Row(i, output.rows(i) - 1));
  };
  const size_t vocabulary = drawing_.empty() ? 0 : output.Row(drawing_.front(), 0).size();
  if (drawing_.size() > 1 && drawing_.size() * vocabulary > kLogitsWorthThreads) {
    threads_.ForEach(drawing_.size(), sample);
  } else {
    for (size_t number = 0; number < drawing_.size(); ++number) {
      sample(number, 0);
    }
  }
}

Result<SampledToken> Draws::Draw(const Choice& choice, std::span<const float> logits) {
  alone_.choice = &choice;
  alone_.mask = choice.answer.Mask(alone_.words);
  return SampleOne(samplers_.front(), alone_, logits);
}

Result<SampledToken> Draws::SampleOne(Sampler& sampler, const Slot& slot, std::span<const float> logits) const {
  if (!slot.mask.ok()) {
    return slot.mask.error();
  }
  const Choice& choice = *slot.choice;
  const SampleInput input{logits, choice.history, choice.task.prepared->Opening().size(), *slot.mask, language_.ends()};
  return sampler.Sample(choice.answer.sampling(), input);
}

}  // namespace atelier::engine
