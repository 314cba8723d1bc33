#include "serving/batcher.h"

#include <gtest/gtest.h>

#include <future>

#include "serving/testing/fake_predictor.h"

namespace atelier::serving {
namespace {

using testing::FakePredictor;
using testing::FakePrepared;

using Answer = std::future<Result<BatchAnswer>>;

BatchRequest Request(std::vector<float> firsts, Answer& answer) {
  BatchRequest request;
  for (const float first : firsts) {
    request.instances.push_back(std::make_unique<FakePrepared>(std::vector<float>{first, 1}));
  }
  auto promise = std::make_shared<std::promise<Result<BatchAnswer>>>();
  answer = promise->get_future();
  request.done = [promise](Result<BatchAnswer> result) { promise->set_value(std::move(result)); };
  return request;
}

Answer Submit(Batcher& batcher, std::vector<float> firsts) {
  Answer answer;
  EXPECT_TRUE(batcher.Submit(Request(std::move(firsts), answer)).ok());
  return answer;
}

class BatcherTest : public ::testing::Test {
 protected:
  SystemClock clock_;
};

TEST_F(BatcherTest, JoinsWhatArrivesWhileABatchRuns) {
  FakePredictor predictor({.constant = 7, .compute_us = 50000});
  Batcher batcher(predictor, {.max_batch = 8, .max_delay_us = 0, .max_queue = 100}, clock_);
  std::vector<Answer> answers;
  answers.push_back(Submit(batcher, {0}));
  ASSERT_TRUE(testing::WaitFor([&] { return batcher.stats().running == 1; }));
  for (int i = 1; i < 7; ++i) {
    answers.push_back(Submit(batcher, {static_cast<float>(i)}));
  }
  for (int i = 0; i < 7; ++i) {
    const auto answer = answers[i].get();
    ASSERT_TRUE(answer.ok());
    ASSERT_EQ(answer->answers.size(), 1U);
    EXPECT_EQ(answer->answers[0].values, (std::vector<float>{7, static_cast<float>(i + 1)}));
    EXPECT_EQ(answer->batch_size, i == 0 ? 1 : 6);
    EXPECT_GE(answer->compute_ns, 50'000'000);
  }
  EXPECT_EQ(predictor.batches(), (std::vector<int>{1, 6}));
  EXPECT_EQ(batcher.stats().steps, 2U);
}

TEST_F(BatcherTest, AnswersALargeRequestInOrder) {
  FakePredictor predictor({});
  Batcher batcher(predictor, {.max_batch = 4, .max_delay_us = 500, .max_queue = 100}, clock_);
  const auto answer = Submit(batcher, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}).get();
  ASSERT_TRUE(answer.ok());
  ASSERT_EQ(answer->answers.size(), 10U);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(answer->answers[i].values[1], static_cast<float>(i + 1));
  }
  EXPECT_EQ(predictor.batches(), (std::vector<int>{4, 4, 2}));
  EXPECT_EQ(answer->batch_size, 4);
}

TEST_F(BatcherTest, AFailureStaysWithItsRequest) {
  FakePredictor predictor({.compute_us = 20000});
  Batcher batcher(predictor, {.max_batch = 8, .max_delay_us = 0, .max_queue = 100}, clock_);
  auto first = Submit(batcher, {0});
  ASSERT_TRUE(testing::WaitFor([&] { return batcher.stats().running == 1; }));
  auto good = Submit(batcher, {1});
  auto refused = Submit(batcher, {testing::kRefuse});
  auto thrown = Submit(batcher, {testing::kThrow});
  EXPECT_TRUE(first.get().ok());
  EXPECT_TRUE(good.get().ok());
  EXPECT_EQ(refused.get().error().code, Code::kInternal);
  EXPECT_EQ(thrown.get().error().message, "the model failed: thrown");
  EXPECT_TRUE(Submit(batcher, {2}).get().ok());
}

TEST_F(BatcherTest, DrainAnswersWhatWaitsAndRefusesMore) {
  FakePredictor predictor({.compute_us = 20000});
  Batcher batcher(predictor, {.max_batch = 1, .max_delay_us = 0, .max_queue = 100}, clock_);
  std::vector<Answer> answers;
  for (int i = 0; i < 4; ++i) {
    answers.push_back(Submit(batcher, {1}));
  }
  std::promise<void> drained;
  batcher.Drain([&] { drained.set_value(); });
  Answer late;
  const Status status = batcher.Submit(Request({1}, late));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().reason, "draining");
  drained.get_future().wait();
  for (auto& answer : answers) {
    ASSERT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::ready);
    EXPECT_TRUE(answer.get().ok());
  }
}

TEST_F(BatcherTest, ExpiredRequestsAreNotComputed) {
  FakePredictor predictor({.compute_us = 50000});
  Batcher batcher(predictor, {.max_batch = 1, .max_delay_us = 0, .max_queue = 100}, clock_);
  auto first = Submit(batcher, {1});
  ASSERT_TRUE(testing::WaitFor([&] { return batcher.stats().running == 1; }));
  Answer late;
  BatchRequest request = Request({1}, late);
  request.deadline_ns = clock_.MonotonicNs() + 1000;
  ASSERT_TRUE(batcher.Submit(std::move(request)).ok());
  EXPECT_EQ(late.get().error().code, Code::kDeadlineExceeded);
  EXPECT_TRUE(first.get().ok());
  EXPECT_EQ(predictor.batches().size(), 1U);
}

}  // namespace
}  // namespace atelier::serving
