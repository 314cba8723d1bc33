#include "engine/sampling/sampler.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <set>

#include "base/rng.h"
#include "engine/sampling/random.h"

namespace atelier::engine {
namespace {

using testing::ElementsAre;

constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

SamplingOptions Greedy() {
  SamplingOptions options;
  options.temperature = 0;
  return options;
}

Result<SampledToken> Sample(const SamplingOptions& options, const SampleInput& input) {
  Sampler sampler;
  return sampler.Sample(options, input);
}

int32_t IdOf(const SamplingOptions& options, const SampleInput& input) {
  const auto token = Sample(options, input);
  EXPECT_TRUE(token.ok());
  return token.ok() ? token->id : -1;
}

std::vector<float> RandomLogits(size_t size, uint64_t seed) {
  SeededRng rng(seed);
  std::vector<float> logits(size);
  for (float& logit : logits) {
    logit = static_cast<float>(rng.Uniform() * 12 - 6);
  }
  return logits;
}

TEST(SamplerTest, GreedyTakesTheLargestAndTheFirstOfEqualOnes) {
  const std::vector<float> logits = {1, 4, kNever, 4, 2};
  SamplingOptions options = Greedy();
  options.typical_p = 0.01F;  // would leave another
  options.seed = 99;
  EXPECT_EQ(IdOf(options, {.logits = logits}), 1);
}

// 12 tokens of known probability; every draw with another seed or another step.
void ExpectDistribution(const SamplingOptions& base, const std::vector<float>& logits,
                        const std::map<int32_t, double>& expected, double limit) {
  constexpr int kDraws = 40000;
  for (const bool by_step : {false, true}) {
    std::map<int32_t, int> counts;
    const std::vector<int32_t> history(kDraws, 0);
    Sampler sampler;
    for (int i = 0; i < kDraws; ++i) {
      SamplingOptions options = base;
      options.seed = by_step ? 11 : static_cast<uint64_t>(i);
      const auto steps = static_cast<size_t>(by_step ? i : 0);
      const auto token = sampler.Sample(options, {.logits = logits, .history = std::span(history).first(steps)});
      ASSERT_TRUE(token.ok());
      counts[token->id]++;
    }
    double chi_square = 0;
    for (const auto& [id, count] : counts) {
      EXPECT_TRUE(expected.contains(id)) << id;
    }
    for (const auto& [id, p] : expected) {
      const double mean = p * kDraws;
      chi_square += (counts[id] - mean) * (counts[id] - mean) / mean;
    }
    EXPECT_LT(chi_square, limit) << (by_step ? "by step" : "by seed");
  }
}

std::map<int32_t, double> Softmax(const std::map<int32_t, double>& logits) {
  double total = 0;
  for (const auto& [id, logit] : logits) {
    total += std::exp(logit);
  }
  std::map<int32_t, double> result;
  for (const auto& [id, logit] : logits) {
    result[id] = std::exp(logit) / total;
  }
  return result;
}

// The limits are the values that chi-square exceeds once in a thousand.
TEST(SamplerTest, DrawsByTheExactProbabilities) {
  const std::vector<float> logits = {0.5F, -1, 2, 0, kNever, 1, -2};
  const std::map<int32_t, double> kept = {{0, 0.5}, {1, -1}, {2, 2}, {3, 0}, {5, 1}, {6, -2}};
  ExpectDistribution({}, logits, Softmax(kept), 20.5);  // 5 degrees of freedom
  for (const float temperature : {0.4F, 2.0F}) {
    SamplingOptions options;
    options.temperature = temperature;
    std::map<int32_t, double> divided = kept;
    for (auto& [id, logit] : divided) {
      logit /= temperature;
    }
    ExpectDistribution(options, logits, Softmax(divided), 20.5);
  }
}

TEST(SamplerTest, DrawsFromWhatTheTruncationsLeave) {
  const std::vector<float> logits = {0.5F, -1, 2, 0, kNever, 1, -2};
  SamplingOptions options;
  options.top_k = 4;      // 2, 5, 0, 3
  options.top_p = 0.85F;  // of 0.567, 0.209, 0.126, 0.077 the first three
  ExpectDistribution(options, logits, Softmax({{2, 2}, {5, 1}, {0, 0.5}}), 13.8);
  options.min_p = 0.3F;  // 0.223 of the largest is too little
  ExpectDistribution(options, logits, Softmax({{2, 2}, {5, 1}}), 10.8);
}

TEST(SamplerTest, DrawsByBiasAndPenalties) {
  const std::vector<float> logits = {0.5F, -1, 2, 0};
  SamplingOptions options;
  options.logit_bias = {{0, -100}, {1, 1.5F}};
  ExpectDistribution(options, logits, Softmax({{1, 0.5}, {2, 2}, {3, 0}}), 13.8);
}

TEST(SamplerTest, CountsOnlyTheAnswerForPresenceAndFrequencyButAllForRepetition) {
  const std::vector<float> logits = {1, 2, 3};
  const std::vector<int32_t> history = {2, 2, 1};
  SamplingOptions options = Greedy();
  options.presence_penalty = 2;
  EXPECT_EQ(IdOf(options, {.logits = logits, .history = history, .prompt_tokens = 2}), 2);
  EXPECT_EQ(IdOf(options, {.logits = logits, .history = history, .prompt_tokens = 0}), 0);
  options = Greedy();
  options.repetition_penalty = 4;
  EXPECT_EQ(IdOf(options, {.logits = logits, .history = history, .prompt_tokens = 3}), 0);
  options.repetition_last_n = 1;
  EXPECT_EQ(IdOf(options, {.logits = logits, .history = history, .prompt_tokens = 3}), 2);
  options.repetition_last_n = 0;
  EXPECT_EQ(IdOf(options, {.logits = logits, .history = history, .prompt_tokens = 3}), 2);
}

TEST(SamplerTest, DryTurnsGreedyFromRepeating) {
  const std::vector<float> logits = {0, 0.2F, 0, 0.5F};
  const std::vector<int32_t> history = {1, 2, 3, 1, 2};
  SamplingOptions options = Greedy();
  EXPECT_EQ(IdOf(options, {.logits = logits, .history = history}), 3);
  options.dry.multiplier = 0.8F;
  EXPECT_EQ(IdOf(options, {.logits = logits, .history = history}), 1);
}

TEST(SamplerTest, TheAnswerDependsOnNothingButTheArguments) {
  const std::vector<float> logits = RandomLogits(3000, 1);
  const std::vector<float> others = RandomLogits(500, 2);
  std::vector<int32_t> history = {5, 6, 7, 5, 6};
  SamplingOptions options;
  options.top_p = 0.9F;
  options.repetition_penalty = 1.2F;
  options.frequency_penalty = 0.3F;
  options.dry.multiplier = 1;
  options.seed = 1234;
  Sampler busy;
  std::vector<int32_t> alone;
  std::vector<int32_t> in_company;
  for (int step = 0; step < 200; ++step) {
    alone.push_back(IdOf(options, {.logits = logits, .history = history, .prompt_tokens = 2}));
    SamplingOptions neighbour = options;
    neighbour.seed = static_cast<uint64_t>(step);
    ASSERT_TRUE(busy.Sample(neighbour, {.logits = others, .history = history}).ok());
    in_company.push_back(busy.Sample(options, {.logits = logits, .history = history, .prompt_tokens = 2})->id);
    history.push_back(alone.back());
  }
  EXPECT_EQ(alone, in_company);
  EXPECT_GT(std::set<int32_t>(alone.begin(), alone.end()).size(), 50U);
}

TEST(SamplerTest, NeverLeavesTheMask) {
  SeededRng rng(8);
  Sampler sampler;
  for (int round = 0; round < 2000; ++round) {
    const size_t size = 1 + rng.Below(300);
    std::vector<float> logits = RandomLogits(size, static_cast<uint64_t>(round));
    std::vector<uint64_t> mask((size + 63) / 64, 0);
    const auto allowed = rng.Below(static_cast<uint32_t>(size));
    for (size_t i = 0; i < size; ++i) {
      if (i == allowed || rng.Below(30) == 0) {
        mask[i / 64] |= uint64_t{1} << (i % 64);
      }
    }
    SamplingOptions options;
    options.temperature = rng.Below(2) == 0 ? 0 : 2;
    options.top_k = static_cast<int32_t>(rng.Below(3));
    options.top_p = 0.5F;
    options.typical_p = 0.5F;
    options.min_p = 0.1F;
    options.seed = static_cast<uint64_t>(round);
    options.logit_bias = {{static_cast<int32_t>(rng.Below(static_cast<uint32_t>(size))), 100}};
    options.ignore_eos = true;
    const std::vector<int32_t> end_ids = {static_cast<int32_t>(allowed)};
    const auto token = sampler.Sample(options, {.logits = logits, .mask = mask, .end_ids = end_ids});
    ASSERT_TRUE(token.ok());
    const auto id = static_cast<size_t>(token->id);
    EXPECT_TRUE((mask[id / 64] >> (id % 64)) & 1U);
  }
}

TEST(SamplerTest, TokensBeyondTheMaskAreForbidden) {
  std::vector<float> logits(100, 0);
  logits[99] = 5;
  const std::vector<uint64_t> mask = {uint64_t{1} << 7U};
  EXPECT_EQ(IdOf(Greedy(), {.logits = logits, .mask = mask}), 7);
}

TEST(SamplerTest, NothingAllowedIsAnErrorOfItsOwn) {
  const std::vector<float> logits = {1, kNever, 2};
  for (const float temperature : {0.0F, 1.0F}) {
    SamplingOptions options;
    options.temperature = temperature;
    options.logit_bias = {{1, 100}};
    for (const uint64_t bits : {uint64_t{0}, uint64_t{2}}) {
      const std::vector<uint64_t> mask = {bits};
      const auto token = Sample(options, {.logits = logits, .mask = mask});
      ASSERT_FALSE(token.ok());
      EXPECT_EQ(token.error().code, Code::kFailedPrecondition);
      EXPECT_EQ(token.error().reason, "no_allowed_token");
    }
    options.top_k = 2;
    EXPECT_EQ(Sample(options, {.logits = std::vector<float>(5, kNever)}).error().reason, "no_allowed_token");
  }
}

TEST(SamplerTest, InvalidLogitsAreAnErrorEvenWhereTheMaskForbids) {
  const std::vector<uint64_t> mask = {1};
  for (const float bad : {kNan, -kNan, -kNever}) {
    for (const float temperature : {0.0F, 1.0F}) {
      SamplingOptions options;
      options.temperature = temperature;
      const std::vector<float> logits = {1, bad};
      for (const auto& allowed : {std::span<const uint64_t>{}, std::span<const uint64_t>(mask)}) {
        const auto token = Sample(options, {.logits = logits, .mask = allowed});
        ASSERT_FALSE(token.ok());
        EXPECT_EQ(token.error().code, Code::kInternal);
        EXPECT_EQ(token.error().reason, "invalid_logits");
      }
    }
  }
  EXPECT_EQ(Sample({}, {}).error().reason, "invalid_logits");
  EXPECT_EQ(Sample({}, {.logits = std::vector<float>{1}, .prompt_tokens = 1}).error().code, Code::kInternal);
}

TEST(SamplerTest, EndTokensWaitForMinTokensAndGiveWayToTheGrammar) {
  const std::vector<float> logits = {1, 5, 4};
  const std::vector<int32_t> end_ids = {1};
  const std::vector<int32_t> history = {0, 0, 0};
  SamplingOptions options = Greedy();
  EXPECT_EQ(IdOf(options, {.logits = logits, .history = history, .end_ids = end_ids}), 1);
  options.ignore_eos = true;
  EXPECT_EQ(IdOf(options, {.logits = logits, .history = history, .end_ids = end_ids}), 2);
  options = Greedy();
  options.min_tokens = 2;
  options.stop_token_ids = {2};
  EXPECT_EQ(IdOf(options, {.logits = logits, .history = history, .prompt_tokens = 2, .end_ids = end_ids}), 0);
  EXPECT_EQ(IdOf(options, {.logits = logits, .history = history, .prompt_tokens = 1, .end_ids = end_ids}), 1);
  const std::vector<uint64_t> only_end = {2};
  options.ignore_eos = true;
  EXPECT_EQ(IdOf(options, {.logits = logits, .mask = only_end, .end_ids = end_ids}), 1);
}

TEST(LogprobsTest, AreThoseOfTheModelBeforeAnyOption) {
  const std::vector<float> logits = {1, 2, kNever, 4};
  SamplingOptions options = Greedy();
  options.top_logprobs = 2;
  options.logit_bias = {{0, 100}};
  options.top_k = 1;
  const auto token = Sample(options, {.logits = logits});
  ASSERT_TRUE(token.ok());
  EXPECT_EQ(token->id, 0);
  const double log_total = std::log(std::exp(1) + std::exp(2) + std::exp(4));
  EXPECT_NEAR(token->logprobs->chosen.logprob, 1 - log_total, 1e-6);
  EXPECT_EQ(token->logprobs->rank, 3);
  ASSERT_EQ(token->logprobs->top.size(), 2U);
  EXPECT_EQ(token->logprobs->top[0].token, 3);
  EXPECT_NEAR(token->logprobs->top[0].logprob, 4 - log_total, 1e-6);
  EXPECT_EQ(token->logprobs->top[1].token, 1);
  options.top_logprobs.reset();
  EXPECT_FALSE(Sample(options, {.logits = logits})->logprobs);
}

TEST(LogprobsTest, ImpossibleTokensAndBadInput) {
  const std::vector<float> logits = {1, kNever};
  const auto impossible = ComputeLogprobs(logits, 1, 20);
  ASSERT_TRUE(impossible.ok());
  EXPECT_EQ(impossible->chosen.logprob, kLeastLogprob);
  EXPECT_EQ(impossible->top.size(), 1U);
  EXPECT_EQ(ComputeLogprobs(logits, 2, 0).error().code, Code::kOutOfRange);
  EXPECT_EQ(ComputeLogprobs(logits, -1, 0).error().code, Code::kOutOfRange);
  EXPECT_EQ(ComputeLogprobs(std::vector<float>{kNever}, 0, 0).error().reason, "invalid_logits");
  EXPECT_EQ(ComputeLogprobs(std::vector<float>{kNan}, 0, 0).error().reason, "invalid_logits");
}

TEST(ValidateTest, NamesTheFieldOfEveryValueOutOfRange) {
  const std::vector<std::pair<std::string, std::function<void(SamplingOptions&)>>> cases = {
      {"temperature", [](auto& o) { o.temperature = -0.1F; }},
      {"temperature", [](auto& o) { o.temperature = 2.1F; }},
      {"temperature", [](auto& o) { o.temperature = kNan; }},
      {"top_k", [](auto& o) { o.top_k = -2; }},
      {"top_p", [](auto& o) { o.top_p = 1.01F; }},
      {"top_p", [](auto& o) { o.top_p = -0.01F; }},
      {"min_p", [](auto& o) { o.min_p = 2; }},
      {"typical_p", [](auto& o) { o.typical_p = 0; }},
      {"repetition_penalty", [](auto& o) { o.repetition_penalty = 0; }},
      {"repetition_penalty", [](auto& o) { o.repetition_penalty = -kNever; }},
      {"repeat_last_n", [](auto& o) { o.repetition_last_n = -2; }},
      {"presence_penalty", [](auto& o) { o.presence_penalty = 3; }},
      {"frequency_penalty", [](auto& o) { o.frequency_penalty = -3; }},
      {"dry_multiplier", [](auto& o) { o.dry.multiplier = -1; }},
      {"dry_base", [](auto& o) { o.dry.base = 0.5F; }},
      {"dry_allowed_length", [](auto& o) { o.dry.allowed_length = -1; }},
      {"dry_penalty_last_n", [](auto& o) { o.dry.last_n = -2; }},
      {"dry_sequence_breakers", [](auto& o) { o.dry.sequence_breakers = {100}; }},
      {"logit_bias",
       [](auto& o) {
         o.logit_bias = {{100, 1}};
       }},
      {"logit_bias",
       [](auto& o) {
         o.logit_bias = {{-1, 1}};
       }},
      {"logit_bias",
       [](auto& o) {
         o.logit_bias = {{1, 101}};
       }},
      {"logit_bias",
       [](auto& o) {
         o.logit_bias = {{1, kNan}};
       }},
      {"min_tokens", [](auto& o) { o.min_tokens = -1; }},
      {"top_logprobs", [](auto& o) { o.top_logprobs = 21; }},
      {"top_logprobs", [](auto& o) { o.top_logprobs = -1; }},
      {"stop_token_ids",
       [](auto& o) {
         o.stop_token_ids = {1, 100};
       }},
      {"stop_token_ids", [](auto& o) { o.stop_token_ids.assign(1000, 1); }},
  };
  for (const auto& [param, change] : cases) {
    SamplingOptions options;
    EXPECT_TRUE(Validate(options, 100).ok());
    change(options);
    const Status status = Validate(options, 100);
    ASSERT_FALSE(status.ok()) << param;
    EXPECT_EQ(status.error().code, Code::kInvalidArgument);
    EXPECT_EQ(status.error().param, param);
  }
  SamplingOptions many;
  for (int32_t id = 0; id < 100000; ++id) {
    many.logit_bias[id] = 1;
  }
  EXPECT_EQ(Validate(many, 200000).error().param, "logit_bias");
}

TEST(ValidateTest, TakesTheEndsOfTheRanges) {
  SamplingOptions options;
  options.temperature = 2;
  options.top_k = -1;
  options.top_p = 0;
  options.min_p = 1;
  options.presence_penalty = -2;
  options.frequency_penalty = 2;
  options.logit_bias = {{0, -100}, {99, 100}};
  options.top_logprobs = 20;
  EXPECT_TRUE(Validate(options, 100).ok());
}

}  // namespace
}  // namespace atelier::engine
