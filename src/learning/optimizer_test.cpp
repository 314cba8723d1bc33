// The reference is LibTorch's own optimisers, on the same gradients.
#include "learning/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "learning/schedule.h"

namespace atelier::learning {
namespace {

struct Net : torch::nn::Module {
  Net() {
    torch::manual_seed(5);
    linear = register_module("linear", torch::nn::Linear(4, 3));
  }
  torch::Tensor Loss(int step) { return (linear->forward(torch::full({2, 4}, 0.1 * step)) - 1).pow(2).mean(); }
  torch::nn::Linear linear{nullptr};
};

void ExpectSame(const Net& a, const Net& b, double tolerance) {
  EXPECT_TRUE(torch::allclose(a.linear->weight, b.linear->weight, tolerance, tolerance));
  EXPECT_TRUE(torch::allclose(a.linear->bias, b.linear->bias, tolerance, tolerance));
}

void Compare(const TrainSettings& settings, const std::function<std::unique_ptr<torch::optim::Optimizer>(Net&)>& make,
             const std::function<torch::Tensor(const Net&)>& penalty = {}) {
  Net ours;
  Net theirs;
  Optimizer optimizer(ours, settings);
  auto reference = make(theirs);
  for (int step = 1; step <= 20; ++step) {
    ours.Loss(step).backward();
    optimizer.Step(0.05, step);
    reference->zero_grad();
    auto loss = theirs.Loss(step);
    if (penalty) {
      loss = loss + penalty(theirs);
    }
    loss.backward();
    if (settings.gradient_clip > 0) {
      torch::nn::utils::clip_grad_norm_(theirs.parameters(), settings.gradient_clip);
    }
    reference->step();
  }
  ExpectSame(ours, theirs, 2e-5);
}

std::unique_ptr<torch::optim::Optimizer> Adam(Net& net) {
  return std::make_unique<torch::optim::Adam>(net.parameters(), torch::optim::AdamOptions(0.05));
}

TEST(Optimizer, AdamIsTorchsAdam) { Compare({}, Adam); }

TEST(Optimizer, SgdWithMomentumIsTorchsSgd) {
  TrainSettings settings;
  settings.optimizer = "sgd";
  Compare(settings, [](Net& net) {
    return std::make_unique<torch::optim::SGD>(net.parameters(), torch::optim::SGDOptions(0.05).momentum(0.9));
  });
  settings.momentum = 0;
  Compare(settings, [](Net& net) {
    return std::make_unique<torch::optim::SGD>(net.parameters(), torch::optim::SGDOptions(0.05));
  });
}

TEST(Optimizer, ClipsAsTorchDoes) {
  TrainSettings settings;
  settings.optimizer = "sgd";
  settings.gradient_clip = 0.1;
  Compare(settings, [](Net& net) {
    return std::make_unique<torch::optim::SGD>(net.parameters(), torch::optim::SGDOptions(0.05).momentum(0.9));
  });
}

TEST(Optimizer, PenaltiesAreThoseOfTheLoss) {
  TrainSettings settings;
  settings.l1 = 0.01;
  settings.l2 = 0.02;
  Compare(settings, Adam, [](const Net& net) {
    return 0.01 * net.linear->weight.abs().sum() + 0.02 * net.linear->weight.pow(2).sum();
  });
}

TEST(Optimizer, StateGoesOnWhereItStopped) {
  Net whole;
  Net resumed;
  Optimizer first(whole, {});
  auto second = std::make_unique<Optimizer>(resumed, TrainSettings{});
  for (int step = 1; step <= 10; ++step) {
    whole.Loss(step).backward();
    first.Step(0.05, step);
    if (step == 6) {
      const auto state = second->State();
      second = std::make_unique<Optimizer>(resumed, TrainSettings{});
      ASSERT_TRUE(second->SetState(state).ok());
    }
    resumed.Loss(step).backward();
    second->Step(0.05, step);
  }
  ExpectSame(whole, resumed, 0);
  EXPECT_FALSE(second->SetState({}).ok());
}

TEST(Schedule, FollowsItsFormula) {
  TrainSettings settings;
  settings.epochs = 4;
  settings.learning_rate = 0.1;
  settings.schedule = "cosine";
  EXPECT_DOUBLE_EQ(LearningRate(settings, 0, 10), 0.1);
  EXPECT_DOUBLE_EQ(LearningRate(settings, 20, 10), 0.05);
  EXPECT_NEAR(LearningRate(settings, 40, 10), 0, 1e-12);
  settings.warmup_steps = 10;
  EXPECT_DOUBLE_EQ(LearningRate(settings, 4, 10), 0.05);
  EXPECT_DOUBLE_EQ(LearningRate(settings, 10, 10), 0.1);
  EXPECT_DOUBLE_EQ(LearningRate(settings, 25, 10), 0.05);
  settings.schedule = "constant";
  EXPECT_DOUBLE_EQ(LearningRate(settings, 39, 10), 0.1);
  settings.schedule = "step";
  EXPECT_DOUBLE_EQ(LearningRate(settings, 19, 10), 0.1);
  EXPECT_DOUBLE_EQ(LearningRate(settings, 20, 10), 0.05);
}

}  // namespace
}  // namespace atelier::learning
