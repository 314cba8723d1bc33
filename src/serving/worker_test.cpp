// Worker service and client over a real Unix socket, in one process.
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "serving/testing/fake_predictor.h"
#include "serving/worker_client.h"
#include "serving/worker_service.h"

namespace atelier::serving {
namespace {

using testing::FakeBehaviour;
using testing::FakePredictor;
using testing::Pair;

class WorkerTest : public ::testing::Test {
 protected:
  void Start(BatchOptions batch, FakeBehaviour behaviour = {}, bool load = true) {
    service_ = std::make_unique<WorkerService>(batch, clock_);
    auto server = Listen(socket_, *service_);
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(server).value();
    if (load) {
      auto predictor = std::make_unique<FakePredictor>(behaviour);
      predictor_ = predictor.get();
      service_->SetPredictor(std::move(predictor));
    }
    client_ = std::make_unique<WorkerClient>(socket_);
  }
  void TearDown() override {
    if (server_) {
      server_->Shutdown(std::chrono::system_clock::now());
    }
  }

  std::future<Result<pb::PredictResponse>> Send(std::vector<Instance> instances, int64_t timeout_ms = 30000) {
    pb::PredictRequest request;
    for (Instance& instance : instances) {
      ToWire(std::move(instance), *request.add_instances());
    }
    auto promise = std::make_shared<std::promise<Result<pb::PredictResponse>>>();
    auto future = promise->get_future();
    client_->Predict(std::move(request), timeout_ms,
                     [promise](Result<pb::PredictResponse> response) { promise->set_value(std::move(response)); });
    return future;
  }
  Result<WorkerHealth> Health() {
    std::promise<Result<WorkerHealth>> promise;
    client_->Health(5000, [&](Result<WorkerHealth> health) { promise.set_value(std::move(health)); });
    return promise.get_future().get();
  }

  testing::TempDir dir_;
  std::string socket_ = (dir_.path() / "w.sock").string();
  SystemClock clock_;
  std::unique_ptr<WorkerService> service_;
  std::unique_ptr<grpc::Server> server_;
  FakePredictor* predictor_ = nullptr;
  std::unique_ptr<WorkerClient> client_;
};

TEST_F(WorkerTest, AnswersAndDescribesItself) {
  Start({}, {.constant = 5});
  const auto answer = Send({Pair(1, 2), Pair(3, 4)}).get();
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  ASSERT_EQ(answer->predictions_size(), 2);
  EXPECT_EQ(answer->predictions(0).values(1), 3);
  EXPECT_EQ(answer->predictions(1).values(0), 5);
  EXPECT_EQ(answer->predictions(1).values(1), 7);
  EXPECT_EQ(answer->batch_size(), 2U);

  std::promise<Result<Signature>> signature;
  client_->Describe(5000, [&](Result<Signature> result) { signature.set_value(std::move(result)); });
  EXPECT_EQ(signature.get_future().get()->family, "fake");
  const auto health = Health();
  ASSERT_TRUE(health.ok());
  EXPECT_EQ(health->steps, 1U);
  EXPECT_GT(health->resident_bytes, 1U << 20U);
}

TEST_F(WorkerTest, ManyRequestsAtOnceAreBatchedAndEachGetsItsOwnAnswer) {
  Start({.max_batch = 16, .max_delay_us = 500, .max_queue = 1000}, {.compute_us = 2000});
  std::vector<std::future<Result<pb::PredictResponse>>> answers;
  for (int i = 0; i < 200; ++i) {
    answers.push_back(Send({Pair(static_cast<float>(i), 0.5F)}));
  }
  for (int i = 0; i < 200; ++i) {
    const auto answer = answers[i].get();
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(answer->predictions(0).values(1), static_cast<float>(i) + 0.5F);
  }
  EXPECT_GT(predictor_->largest_batch(), 4);
  EXPECT_LE(predictor_->largest_batch(), 16);
  EXPECT_LT(predictor_->batches().size(), 100U);
}

TEST_F(WorkerTest, RefusesWhatDoesNotFit) {
  Start({});
  const auto answer = Send({Pair(1, 2), Tensor{{3}, {1, 2, 3}}}).get();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::kInvalidArgument);
  EXPECT_EQ(answer.error().param, "inputs[1]");
  EXPECT_EQ(answer.error().message, "an instance is a tensor of 2 values");
  EXPECT_EQ(Send({}).get().error().code, Code::kInvalidArgument);
  EXPECT_EQ(Send(std::vector<Instance>(4097, Pair(1, 2))).get().error().code, Code::kInvalidArgument);
  EXPECT_TRUE(Send({Pair(1, 2)}).get().ok());
}

TEST_F(WorkerTest, RefusesWhenItsQueueIsFull) {
  Start({.max_batch = 1, .max_delay_us = 0, .max_queue = 2}, {.compute_us = 200000});
  std::vector<std::future<Result<pb::PredictResponse>>> answers;
  for (int i = 0; i < 8; ++i) {
    answers.push_back(Send({Pair(1, 2)}));
  }
  int refused = 0;
  for (auto& future : answers) {
    const auto answer = future.get();
    if (!answer.ok()) {
      EXPECT_EQ(answer.error().code, Code::kResourceExhausted);
      EXPECT_EQ(answer.error().reason, "queue_full");
      EXPECT_EQ(answer.error().retry_after_s, 1);
      ++refused;
    }
  }
  EXPECT_GE(refused, 5);
  EXPECT_LT(refused, 8);
}

TEST_F(WorkerTest, KeepsDeadlines) {
  Start({.max_batch = 1, .max_delay_us = 0, .max_queue = 100}, {.compute_us = 150000});
  auto first = Send({Pair(1, 2)});
  ASSERT_TRUE(testing::WaitFor([&] { return Health()->running == 1; }));
  const auto late = Send({Pair(1, 2)}, 30).get();
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, Code::kDeadlineExceeded);
  EXPECT_TRUE(first.get().ok());
  EXPECT_TRUE(testing::WaitFor([&] { return Health()->queued == 0 && Health()->running == 0; }));
  EXPECT_EQ(predictor_->batches().size(), 1U) << "what is late is not computed";
}

TEST_F(WorkerTest, DrainsBeforeItAnswersTheDrain) {
  Start({.max_batch = 1, .max_delay_us = 0, .max_queue = 100}, {.compute_us = 30000});
  std::vector<std::future<Result<pb::PredictResponse>>> answers;
  for (int i = 0; i < 4; ++i) {
    answers.push_back(Send({Pair(1, 2)}));
  }
  ASSERT_TRUE(testing::WaitFor([&] { return Health()->queued + Health()->running >= 2; }));
  std::promise<Status> drained;
  client_->Drain(20000, [&](Status status) { drained.set_value(std::move(status)); });
  EXPECT_TRUE(drained.get_future().get().ok());
  EXPECT_EQ(Health()->queued + Health()->running, 0);
  EXPECT_TRUE(Health()->draining);
  EXPECT_TRUE(answers[0].get().ok());
  const auto late = Send({Pair(1, 2)}).get();
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().reason, "draining");
}

TEST_F(WorkerTest, SaysThatItLoads) {
  Start({}, {}, false);
  const auto answer = Send({Pair(1, 2)}).get();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().reason, "model_loading");
  EXPECT_TRUE(Health().ok());
}

TEST_F(WorkerTest, ReportsAWorkerThatIsGone) {
  client_ = std::make_unique<WorkerClient>(socket_);
  const auto answer = Send({Pair(1, 2)}).get();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  EXPECT_EQ(answer.error().reason, "worker_crashed");
}

TEST_F(WorkerTest, TakesLargeMessages) {
  Start({});
  const auto answer = Send({Image{std::string(20U << 20U, 'x')}}).get();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::kInvalidArgument) << "it reached the model: " << answer.error().message;
}

TEST(WarmUp, ComputesAloneAndAsAFullBatch) {
  FakePredictor predictor({});
  ASSERT_TRUE(WarmUp(predictor, 32).ok());
  EXPECT_EQ(predictor.batches(), (std::vector<int>{1, 32}));
}

}  // namespace
}  // namespace atelier::serving
