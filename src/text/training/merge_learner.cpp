#include "text/training/merge_learner.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

namespace atelier::text {
namespace {

constexpr uint32_t kEnd = UINT32_MAX;  // of a word
// Likelihoods of pairs rise when their symbols become rarer: offers are so much too high, to be made again less often.
constexpr double kSlack = 1.1;

}  // namespace

MergeLearner::MergeLearner(std::vector<std::string> spellings, MergeOptions options)
    : options_(std::move(options)), spellings_(std::move(spellings)) {
  counts_.resize(spellings_.size());
  pairs_of_.resize(spellings_.size());
}

void MergeLearner::AddWord(std::span<const int32_t> symbols, int64_t count) {
  const auto word = static_cast<uint32_t>(word_counts_.size());
  word_counts_.push_back(count);
  const auto begin = static_cast<uint32_t>(places_.size());
  const auto end = static_cast<uint32_t>(begin + symbols.size());
  for (uint32_t at = begin; at < end; ++at) {
    const int32_t symbol = symbols[at - begin];
    places_.push_back({symbol, at == begin ? kEnd : at - 1, at + 1 == end ? kEnd : at + 1, word});
    counts_[static_cast<size_t>(symbol)] += count;
    total_ += count;
    if (at != begin) {
      Change(symbols[at - begin - 1], symbol, count, at - 1);
    }
  }
}

void MergeLearner::Change(int32_t left, int32_t right, int64_t by, uint32_t place) {
  const uint32_t number = index_.FindOrAdd(left, right, static_cast<uint32_t>(pairs_.size()));
  if (number == pairs_.size()) {
    pairs_.push_back({.left = left, .right = right, .places = {}});
  }
  Pair& pair = pairs_[number];
  if (pair.count == 0 && by > 0 && options_.score == MergeScore::kLikelihood) {
    pairs_of_[static_cast<size_t>(left)].push_back(number);
    pairs_of_[static_cast<size_t>(right)].push_back(number);
  }
  pair.count += by;
  if (by > 0) {
    pair.places.push_back(place);
    if (!pair.touched) {
      pair.touched = true;
      touched_.push_back(number);
    }
  }
}

double MergeLearner::Score(const Pair& pair) const {
  const auto count = static_cast<double>(pair.count);
  if (options_.score == MergeScore::kCount) {
    return count;
  }
  const auto left = static_cast<double>(counts_[static_cast<size_t>(pair.left)]);
  const auto right = static_cast<double>(counts_[static_cast<size_t>(pair.right)]);
  return count * std::log(count * static_cast<double>(total_) / (left * right));
}

// Puts the pair into the queue, unless it is there with a score that is high enough.
void MergeLearner::Put(uint32_t number, double slack) {
  Pair& pair = pairs_[number];
  if (pair.count < options_.min_count) {
    return;
  }
  const double score = Score(pair);
  if (score > 0 && score > pair.offered) {
    pair.offered = score * slack;
    queue_.push({pair.offered, pair.left, pair.right, number});
  }
}

void MergeLearner::OfferNeighbours(int32_t symbol) {
  auto& numbers = pairs_of_[static_cast<size_t>(symbol)];
  std::erase_if(numbers, [&](uint32_t number) { return pairs_[number].count == 0; });
  for (const uint32_t number : numbers) {
    Put(number, kSlack);
  }
}

void MergeLearner::OfferTouched(int32_t left, int32_t right) {
  for (const uint32_t number : touched_) {
    pairs_[number].touched = false;
    Put(number, 1);
  }
  touched_.clear();
  if (options_.score == MergeScore::kLikelihood) {
    OfferNeighbours(left);
    OfferNeighbours(right);
  }
}

void MergeLearner::Learn() {
  for (const uint32_t number : touched_) {
    pairs_[number].touched = false;
    Put(number, 1);
  }
  touched_.clear();
  std::unordered_map<std::string, int32_t> symbols;
  for (size_t i = 0; i < spellings_.size(); ++i) {
    symbols.emplace(spellings_[i], static_cast<int32_t>(i));
  }
  while (spellings_.size() < options_.symbols && !queue_.empty()) {
    const Offer offer = queue_.top();
    queue_.pop();
    Pair& pair = pairs_[offer.pair];
    if (offer.score < pair.offered) {
      continue;  // there is a later offer of this pair, or it is merged
    }
    pair.offered = -1;
    if (pair.count < options_.min_count || Score(pair) < offer.score) {
      Put(offer.pair, 1);
      continue;
    }
    std::string_view second = spellings_[static_cast<size_t>(pair.right)];
    if (second.starts_with(options_.continuing_prefix)) {
      second.remove_prefix(options_.continuing_prefix.size());
    }
    std::string spelling = spellings_[static_cast<size_t>(pair.left)] + std::string(second);
    const auto [merged, added] = symbols.emplace(spelling, static_cast<int32_t>(spellings_.size()));
    if (added) {
      spellings_.push_back(std::move(spelling));
      counts_.push_back(0);
      pairs_of_.emplace_back();
    }
    merges_.emplace_back(pair.left, pair.right);
    Merge(offer.pair, merged->second);
  }
}

void MergeLearner::Merge(uint32_t number, int32_t merged) {
  const int32_t left = pairs_[number].left;
  const int32_t right = pairs_[number].right;
  std::vector<uint32_t> places = std::move(pairs_[number].places);
  pairs_[number].places.clear();
  std::ranges::sort(places);  // in "aaa" it is the first two that merge
  for (const uint32_t at : places) {
    const Place& place = places_[at];
    if (place.symbol == left && place.next != kEnd && places_[place.next].symbol == right) {
      MergePlace(at, place.next, merged);
    }
  }
  pairs_[number].count = 0;
  OfferTouched(left, right);
}

void MergeLearner::MergePlace(uint32_t left, uint32_t right, int32_t merged) {
  Place& first = places_[left];
  Place& second = places_[right];
  const int64_t count = word_counts_[first.word];
  if (first.previous != kEnd) {
    const int32_t before = places_[first.previous].symbol;
    Change(before, first.symbol, -count, first.previous);
    Change(before, merged, count, first.previous);
  }
  if (second.next != kEnd) {
    const int32_t behind = places_[second.next].symbol;
    Change(second.symbol, behind, -count, right);
    Change(merged, behind, count, left);
    places_[second.next].previous = left;
  }
  counts_[static_cast<size_t>(first.symbol)] -= count;
  counts_[static_cast<size_t>(second.symbol)] -= count;
  counts_[static_cast<size_t>(merged)] += count;
  total_ -= count;
  first.symbol = merged;
  first.next = second.next;
  second.symbol = -1;
}

}  // namespace atelier::text
