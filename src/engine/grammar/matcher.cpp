#include "engine/grammar/matcher.h"

#include <algorithm>
#include <utility>

namespace atelier::engine::grammar {

Matcher::Matcher(std::shared_ptr<MaskCache> masks) : masks_(std::move(masks)) { Reset(); }

void Matcher::Reset() {
  current_ = std::make_shared<const ConfigSet>(masks_->automaton().Start());
  history_.clear();
  ended_ = false;
}

bool Matcher::FillMask(std::span<uint64_t> mask) const {
  std::fill(mask.begin(), mask.end(), 0);
  if (ended_) {
    return false;
  }
  masks_->Fill(*current_, mask);
  return std::any_of(mask.begin(), mask.end(), [](uint64_t word) { return word != 0; });
}

bool Matcher::Advance(std::string_view bytes, SetPtr& set) const {
  ConfigSet from = *set;
  ConfigSet to;
  for (const char byte : bytes) {
    masks_->automaton().Step(from, static_cast<uint8_t>(byte), to);
    if (to.empty()) {
      return false;
    }
    std::swap(from, to);
  }
  set = std::make_shared<const ConfigSet>(std::move(from));
  return true;
}

void Matcher::Move(SetPtr set, bool ended) {
  if (history_.size() == kMaxRollback) {
    history_.erase(history_.begin());
  }
  history_.push_back(std::exchange(current_, std::move(set)));
  ended_ = ended;
}

bool Matcher::Accept(int32_t token) {
  if (ended_) {
    return false;
  }
  if (vocabulary().IsEnd(token)) {
    if (current_->complete) {
      Move(current_, true);
      return true;
    }
    return false;
  }
  const std::string_view bytes = vocabulary().Bytes(token);
  return !bytes.empty() && bytes.size() <= Vocabulary::kMaxTokenBytes && AcceptBytes(bytes);
}

bool Matcher::AcceptBytes(std::string_view bytes) {
  SetPtr set = current_;
  if (ended_ || !Advance(bytes, set)) {
    return false;
  }
  Move(std::move(set), false);
  return true;
}

bool Matcher::Rollback(size_t steps) {
  if (steps > history_.size()) {
    return false;
  }
  for (; steps > 0; --steps) {
    current_ = std::move(history_.back());
    history_.pop_back();
    ended_ = false;
  }
  return true;
}

std::string Matcher::ForcedBytes(size_t max_bytes) const {
  std::string forced;
  ConfigSet set = *current_;
  ConfigSet next;
  while (!ended_ && forced.size() < max_bytes && !set.complete) {
    int found = -1;
    bool choice = false;
    for (int byte = 0; byte < 256 && !choice; ++byte) {
      masks_->automaton().Step(set, static_cast<uint8_t>(byte), next);
      choice = !next.empty() && found >= 0;
      found = next.empty() ? found : byte;
    }
    if (choice || found < 0) {
      break;
    }
    forced += static_cast<char>(found);
    masks_->automaton().Step(set, static_cast<uint8_t>(found), next);
    std::swap(set, next);
  }
  return forced;
}

}  // namespace atelier::engine::grammar
