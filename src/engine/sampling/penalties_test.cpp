#include "engine/sampling/penalties.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/rng.h"

namespace atelier::engine {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::Pointwise;

constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();

TEST(RepetitionPenaltyTest, DividesPositiveAndMultipliesNegativeLogitsOnce) {
  std::vector<float> logits = {2, -2, 0, 3, kNever};
  TokenCounts counts;
  ApplyRepetitionPenalty(2, std::vector<int32_t>{0, 1, 1, 0, 2, 4, -1, 5, 1 << 30}, counts, logits);
  EXPECT_THAT(logits, ElementsAre(1, -4, 0, 3, kNever));
}

TEST(RepetitionPenaltyTest, StaysFinite) {
  std::vector<float> logits = {-kLargest, kLargest};
  TokenCounts counts;
  ApplyRepetitionPenalty(100, std::vector<int32_t>{0}, counts, logits);
  ApplyRepetitionPenalty(0.01F, std::vector<int32_t>{1}, counts, logits);
  EXPECT_THAT(logits, ElementsAre(-kLargest, kLargest));
}

TEST(CountPenaltiesTest, TakesFrequencyTimesCountAndPresenceOnce) {
  std::vector<float> logits = {1, 1, 1};
  SamplingOptions options;
  options.frequency_penalty = 0.5F;
  options.presence_penalty = 0.25F;
  TokenCounts counts;
  ApplyCountPenalties(options, std::vector<int32_t>{2, 1, 2, 2}, counts, logits);
  EXPECT_THAT(logits, ElementsAre(1, 0.25F, -0.75F));
  // The counts of one use are not those of the next, nor those of another vocabulary.
  std::vector<float> more = {1, 1, 1, 1};
  ApplyCountPenalties(options, std::vector<int32_t>{3}, counts, more);
  EXPECT_THAT(more, ElementsAre(1, 1, 1, 0.25F));
  ApplyCountPenalties(options, std::vector<int32_t>{}, counts, more);
  EXPECT_THAT(more, ElementsAre(1, 1, 1, 0.25F));
}

TEST(LastTokensTest, MinusOneIsAll) {
  const std::vector<int32_t> history = {1, 2, 3};
  EXPECT_THAT(LastTokens(history, -1), ElementsAre(1, 2, 3));
  EXPECT_THAT(LastTokens(history, 9), ElementsAre(1, 2, 3));
  EXPECT_THAT(LastTokens(history, 2), ElementsAre(2, 3));
  EXPECT_THAT(LastTokens(history, 0), ElementsAre());
}

DryOptions Dry(float multiplier, float base, int32_t allowed_length) {
  DryOptions options;
  options.multiplier = multiplier;
  options.base = base;
  options.allowed_length = allowed_length;
  return options;
}

TEST(DryTest, PenalisesTheTokenThatWouldContinueARepetition) {
  // "1 2 3 4 ... 1 2 3": 4 would continue a repetition of three tokens.
  std::vector<float> logits(10, 0);
  ApplyDry(Dry(0.8F, 1.75F, 2), std::vector<int32_t>{1, 2, 3, 4, 9, 1, 2, 3}, logits);
  EXPECT_THAT(logits, Pointwise(FloatEq(), std::vector<float>{0, 0, 0, 0, -0.8F * 1.75F, 0, 0, 0, 0, 0}));
}

TEST(DryTest, ShorterThanAllowedIsNone) {
  std::vector<float> logits(10, 0);
  ApplyDry(Dry(0.8F, 1.75F, 4), std::vector<int32_t>{1, 2, 3, 4, 9, 1, 2, 3}, logits);
  EXPECT_THAT(logits, testing::Each(0));
}

TEST(DryTest, BreakersEndARepetitionAndAreNeverPenalised) {
  const std::vector<int32_t> history = {1, 2, 3, 4, 9, 1, 2, 3};
  std::vector<float> logits(10, 0);
  DryOptions options = Dry(1, 2, 1);
  options.sequence_breakers = {1};
  ApplyDry(options, history, logits);
  EXPECT_EQ(logits[4], -2);  // two tokens, 2 and 3, after the breaker: 1 * 2^(2 - 1)
  logits.assign(10, 0);
  options.sequence_breakers = {3};
  ApplyDry(options, history, logits);
  EXPECT_THAT(logits, testing::Each(0));
  options.sequence_breakers = {4};
  ApplyDry(options, history, logits);
  EXPECT_THAT(logits, testing::Each(0));
}

TEST(DryTest, StaysFiniteForEndlessRepetition) {
  std::vector<float> logits = {0, 5};
  ApplyDry(Dry(100, 100, 1), std::vector<int32_t>(100000, 1), logits);
  EXPECT_EQ(logits[0], 0);
  EXPECT_TRUE(std::isfinite(logits[1]));
  EXPECT_LT(logits[1], -1e20F);
}

// The definition, word for word: for each earlier occurrence of the last token, walk back while both sides agree.
std::vector<float> SlowDry(const DryOptions& options, std::vector<int32_t> history, std::vector<float> logits) {
  const auto breaks = [&](int32_t token) {
    return std::count(options.sequence_breakers.begin(), options.sequence_breakers.end(), token) > 0;
  };
  if (options.last_n >= 0 && static_cast<size_t>(options.last_n) < history.size()) {
    history.erase(history.begin(), history.end() - options.last_n);
  }
  std::map<int32_t, int> lengths;
  const int size = static_cast<int>(history.size());
  for (int end = 0; end + 1 < size; ++end) {
    int length = 0;
    while (length <= end &&
           history[static_cast<size_t>(end - length)] == history[static_cast<size_t>(size - 1 - length)] &&
           !breaks(history[static_cast<size_t>(end - length)])) {
      ++length;
    }
    const int32_t next = history[static_cast<size_t>(end + 1)];
    if (length > 0 && !breaks(next)) {
      lengths[next] = std::max(lengths[next], length);
    }
  }
  for (const auto& [token, length] : lengths) {
    if (length >= options.allowed_length) {
      logits[static_cast<size_t>(token)] -=
          options.multiplier * std::pow(options.base, static_cast<float>(length - options.allowed_length));
    }
  }
  return logits;
}

TEST(DryTest, AgreesWithTheDefinitionOnRandomHistories) {
  SeededRng rng(5);
  for (int round = 0; round < 500; ++round) {
    const uint32_t alphabet = 2 + rng.Below(4);
    std::vector<int32_t> history(rng.Below(60));
    for (int32_t& token : history) {
      token = static_cast<int32_t>(rng.Below(alphabet));
    }
    DryOptions options = Dry(0.5F, 1.1F, static_cast<int32_t>(rng.Below(4)));
    options.last_n = static_cast<int32_t>(rng.Below(70)) - 1;
    if (rng.Below(2) == 0) {
      options.sequence_breakers = {static_cast<int32_t>(rng.Below(alphabet))};
    }
    std::vector<float> logits(8, 1);
    const std::vector<float> expected = SlowDry(options, history, logits);
    ApplyDry(options, history, logits);
    for (size_t i = 0; i < logits.size(); ++i) {
      EXPECT_NEAR(logits[i], expected[i], 1e-4 * (1 + std::abs(expected[i]))) << round;
    }
  }
}

}  // namespace
}  // namespace atelier::engine
