#include "engine/service/step_budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace atelier::engine {
namespace {

constexpr int64_t kMs = 1'000'000;

// A machine whose steps cost this, and disturb the clock now and then.
struct Machine {
  double decode_ns = 12e6;
  double token_ns = 5e5;
  int steps = 0;

  StepSample Run(size_t decoded, size_t prompt_tokens) {
    const double noise = ++steps % 13 == 0 ? 2.5 : 1 + 0.1 * std::sin(steps);
    const double ns = ((decoded > 0 ? decode_ns : 0) + static_cast<double>(prompt_tokens) * token_ns) * noise;
    return {decoded, prompt_tokens, static_cast<int64_t>(ns)};
  }
};

TEST(StepBudget, FindsWhatFitsIntoAStep) {
  Machine machine;
  StepCost cost;
  const StepTargets targets;
  size_t tokens = 0;
  for (int i = 0; i < 60; ++i) {
    tokens = PromptTokens(cost, 4, 1, targets);
    cost = Learn(cost, machine.Run(4, tokens));
  }
  EXPECT_NEAR(static_cast<double>(tokens), 28e6 / 5e5, 20);
  machine.token_ns = 1e5;  // the machine has become faster
  for (int i = 0; i < 60; ++i) {
    tokens = PromptTokens(cost, 4, 1, targets);
    cost = Learn(cost, machine.Run(4, tokens));
  }
  EXPECT_GT(tokens, 170U);
  EXPECT_LT(tokens, 480U);
}

TEST(StepBudget, StaysWithinItsBounds) {
  const StepTargets targets;
  EXPECT_EQ(PromptTokens({12e6, 1e9}, 4, 1, targets), targets.least_shared_tokens);
  EXPECT_EQ(PromptTokens({12e6, 1}, 4, 1, targets), targets.step_tokens);
  EXPECT_EQ(PromptTokens({12e6, 1e9}, 0, 1, targets), targets.least_alone_tokens);
  EXPECT_EQ(PromptTokens({12e6, 1}, 0, 1, targets), targets.step_tokens);
  EXPECT_EQ(PromptTokens({}, 4, 1, {.step_tokens = 8}), 8U);
  EXPECT_EQ(PromptTokens({12e6, 1e9}, 4, 1, {.step_tokens = 4}), 4U);
  // Many wait for one, but not as if nothing was decoded.
  EXPECT_EQ(PromptTokens({20e6, 1e6}, 1, 7, targets), 140U);
  EXPECT_EQ(PromptTokens({20e6, 1e6}, 1, 70, targets), 200U);
  EXPECT_EQ(PromptTokens({20e6, 1e6}, 7, 1, targets), 20U);
  // Decoding takes more than the target: prompts get a third of that.
  EXPECT_EQ(PromptTokens({120e6, 1e6}, 4, 1, targets), 40U);
}

TEST(StepBudget, LearnsNothingFromNothing) {
  const StepCost cost{5, 7};
  for (const StepSample& sample : {StepSample{0, 0, 10}, StepSample{1, 1, 0}, StepSample{1, 1, -1}}) {
    EXPECT_EQ(Learn(cost, sample).decode_ns, 5);
    EXPECT_EQ(Learn(cost, sample).token_ns, 7);
  }
  EXPECT_EQ(Learn(cost, {0, 4, 28}).decode_ns, 5);  // prompts alone tell nothing of decoding
  EXPECT_EQ(Learn(cost, {3, 0, 10}).token_ns, 7);
  EXPECT_EQ(Learn(cost, {3, 0, 5}).decode_ns, 5);  // as it was expected
}

TEST(StepBudget, ShortPromptsPassButDoNotStarve) {
  const StepCost cost{12e6, 1e6};  // 1 ms a token
  const double long_one = ServiceTime(0, 1500, cost);
  EXPECT_LT(ServiceTime(1000 * kMs, 100, cost), long_one);
  EXPECT_GT(ServiceTime(1450 * kMs, 100, cost), long_one);  // the long one has waited long enough
  EXPECT_LT(ServiceTime(0, 100, {}), ServiceTime(0, 1500, {}));
}

}  // namespace
}  // namespace atelier::engine
