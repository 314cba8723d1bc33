// What an answer remembers for drafting its next tokens.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/kv_cache.h"
#include "engine/service/speculation/ngram_index.h"

namespace atelier::engine {

// Where drafts come from, by how much they may be trusted.
enum class DraftSource : uint8_t { kShortMatch, kMatch, kLongMatch, kPrediction, kModel };
inline constexpr size_t kDraftSources = 5;

// The chance that a drafted token is taken, learnt from those that were. What is not tried is forgotten slowly, so that
// it is tried again.
class DraftRate {
 public:
  explicit DraftRate(double first) : first_(first), now_(first) {}
  double now() const { return now_; }
  void Note(size_t drafted, size_t accepted) {
    for (size_t i = 0; i < accepted; ++i) {
      now_ += (1 - now_) * kPace;
    }
    now_ -= accepted < drafted ? now_ * kPace : 0;
  }
  void Fade() { now_ += now_ < first_ ? (first_ - now_) * kFade : 0; }

 private:
  static constexpr double kPace = 0.2;
  static constexpr double kFade = 0.01;
  double first_;
  double now_;
};

// Follows an answer through the text that its asker predicted for it. What it says depends on the answer alone.
class PredictionCursor {
 public:
  explicit PredictionCursor(const NgramIndex& prediction) : prediction_(&prediction) {}

  // `answer`: all its tokens, one more than before.
  void Follow(std::span<const int32_t> answer) {
    const auto predicted = prediction_->tokens();
    if (next_ < predicted.size() && predicted[next_] == answer.back()) {
      ++accepted_;
      ++next_;
      return;
    }
    const NgramIndex::Match match = prediction_->Find(answer);
    next_ = match.length >= 2 ? match.next : predicted.size();
  }
  // How many tokens it foresees now, from next() on.
  size_t foreseen() const { return prediction_->tokens().size() - next_; }
  size_t next() const { return next_; }
  // Tokens of the answer that were foreseen.
  size_t accepted() const { return accepted_; }
  // Predicted tokens that did not come, or not where they were looked for.
  size_t rejected() const { return prediction_->tokens().size() - std::min(accepted_, prediction_->tokens().size()); }
  const NgramIndex& prediction() const { return *prediction_; }

 private:
  const NgramIndex* prediction_;
  size_t next_ = 0;
  size_t accepted_ = 0;
};

struct Drafting {
  NgramIndex seen{};  // of the history
  std::array<DraftRate, kDraftSources> rates{DraftRate(0.3), DraftRate(0.6), DraftRate(0.85), DraftRate(0.85),
                                             DraftRate(0.6)};
  std::optional<PredictionCursor> cursor{};
  std::unique_ptr<Sequence> sequence{};  // the drafting model's, which owns its cache
  // In the step under way:
  DraftSource source = DraftSource::kShortMatch;
  const NgramIndex* text = nullptr;  // that drafts are copied from, `next` on; nullptr: none, or a model is asked
  size_t next = 0;
  std::vector<int32_t> tokens{};  // the history's last token, and the drafts behind it

  DraftRate& Rate(DraftSource of) { return rates[static_cast<size_t>(of)]; }
  // Has no room for this answer.
  void DropModel() {
    sequence.reset();
    Rate(DraftSource::kModel).Note(1, 0);
  }
  // The answer is complete.
  void Release() {
    seen = {};
    sequence.reset();
  }
};

}  // namespace atelier::engine
