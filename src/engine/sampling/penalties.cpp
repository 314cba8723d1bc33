#include "engine/sampling/penalties.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <unordered_set>

namespace atelier::engine {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();
constexpr double kLargestPenalty = 1e30;

// What a token lost must not remove it, nor make it certain.
void Set(float& logit, double value) {
  if (logit != kNever) {
    logit = static_cast<float>(std::clamp(value, -static_cast<double>(kLargest), static_cast<double>(kLargest)));
  }
}

bool InVocabulary(int32_t token, size_t vocabulary_size) {
  return token >= 0 && static_cast<size_t>(token) < vocabulary_size;
}

// z[i]: how many elements from i on equal those from 0 on (D. Gusfield, "Algorithms on Strings, Trees, and
// Sequences", 1.3).
std::vector<size_t> ZFunction(std::span<const int32_t> text) {
  std::vector<size_t> z(text.size(), 0);
  size_t left = 0;
  size_t right = 0;  // the stretch [left, right) that is known to equal a prefix and reaches furthest
  for (size_t i = 1; i < text.size(); ++i) {
    if (i < right) {
      z[i] = std::min(right - i, z[i - left]);
    }
    while (i + z[i] < text.size() && text[z[i]] == text[i + z[i]]) {
      ++z[i];
    }
    if (i + z[i] > right) {
      left = i;
      right = i + z[i];
    }
  }
  return z;
}

}  // namespace

void TokenCounts::Reset(size_t vocabulary_size) {
  if (counts_.size() != vocabulary_size) {
    counts_.assign(vocabulary_size, 0);
  } else {
    for (const int32_t token : tokens_) {
      counts_[static_cast<size_t>(token)] = 0;
    }
  }
  tokens_.clear();
}

void TokenCounts::Add(std::span<const int32_t> tokens) {
  for (const int32_t token : tokens) {
    if (InVocabulary(token, counts_.size()) && counts_[static_cast<size_t>(token)]++ == 0) {
      tokens_.push_back(token);
    }
  }
}

std::span<const int32_t> LastTokens(std::span<const int32_t> history, int32_t last_n) {
  if (last_n < 0 || static_cast<size_t>(last_n) >= history.size()) {
    return history;
  }
  return history.last(static_cast<size_t>(last_n));
}

void ApplyRepetitionPenalty(float penalty, std::span<const int32_t> window, TokenCounts& counts,
                            std::span<float> logits) {
  counts.Reset(logits.size());
  counts.Add(window);
  for (const int32_t token : counts.tokens()) {
    float& logit = logits[static_cast<size_t>(token)];
    Set(logit, logit > 0 ? static_cast<double>(logit) / penalty : static_cast<double>(logit) * penalty);
  }
}

void ApplyCountPenalties(const SamplingOptions& options, std::span<const int32_t> generated, TokenCounts& counts,
                         std::span<float> logits) {
  counts.Reset(logits.size());
  counts.Add(generated);
  for (const int32_t token : counts.tokens()) {
    float& logit = logits[static_cast<size_t>(token)];
    Set(logit, static_cast<double>(logit) - static_cast<double>(options.frequency_penalty) * counts.count(token) -
                   options.presence_penalty);
  }
}

void ApplyDry(const DryOptions& options, std::span<const int32_t> history, std::span<float> logits) {
  const auto window = LastTokens(history, options.last_n);
  const std::unordered_set<int32_t> breakers(options.sequence_breakers.begin(), options.sequence_breakers.end());
  const std::vector<int32_t> reversed(window.rbegin(), window.rend());
  const auto broken = std::find_if(reversed.begin(), reversed.end(), [&](int32_t t) { return breakers.contains(t); });
  const auto longest = static_cast<size_t>(broken - reversed.begin());
  const auto allowed = static_cast<size_t>(options.allowed_length);
  if (longest == 0 || longest < allowed) {
    return;
  }
  const std::vector<size_t> z = ZFunction(reversed);
  std::unordered_map<int32_t, size_t> lengths;  // of the longest repetition that the token would continue
  for (size_t i = 1; i < reversed.size(); ++i) {
    const size_t length = std::min(z[i], longest);
    const int32_t next = reversed[i - 1];
    if (length == 0 || length < allowed || !InVocabulary(next, logits.size()) || breakers.contains(next)) {
      continue;
    }
    size_t& known = lengths[next];
    known = std::max(known, length);
  }
  for (const auto& [token, length] : lengths) {
    const double penalty = options.multiplier * std::pow(static_cast<double>(options.base), length - allowed);
    float& logit = logits[static_cast<size_t>(token)];
    Set(logit, static_cast<double>(logit) - std::min(penalty, kLargestPenalty));
  }
}

}  // namespace atelier::engine
