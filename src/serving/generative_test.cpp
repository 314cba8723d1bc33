// The generative calls over a real Unix socket, in one process.
#include <gtest/gtest.h>

#include <future>

#include "serving/generation_call.h"
#include "serving/generative_service.h"
#include "serving/generative_wire.h"
#include "serving/testing/fake_generator.h"
#include "serving/testing/fake_predictor.h"
#include "serving/worker_client.h"

namespace atelier::serving {
namespace {

using testing::FakeGenerator;
using testing::KeptAnswer;
using testing::Say;
using testing::WaitFor;

class GenerativeTest : public ::testing::Test {
 protected:
  void Start(bool load = true, int step_us = 1000) {
    auto server = Listen(socket_, service_);
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(server).value();
    client_ = std::make_unique<WorkerClient>(socket_);
    if (load) {
      service_.SetGenerator(std::make_unique<FakeGenerator>(step_us));
    }
  }
  void TearDown() override {
    if (server_) {
      server_->Shutdown(std::chrono::system_clock::now());
    }
  }

  std::pair<std::shared_ptr<KeptAnswer>, std::function<void()>> Generate(const std::string& text,
                                                                         int64_t timeout_ms = 30000) {
    auto answer = std::make_shared<KeptAnswer>();
    auto cancel = client_->Generate(ToWire(Say(text)), timeout_ms, answer);
    return {answer, cancel};
  }
  WorkerHealth Health() {
    std::promise<Result<WorkerHealth>> promise;
    client_->Health(5000, [&](Result<WorkerHealth> health) { promise.set_value(std::move(health)); });
    return promise.get_future().get().value();
  }

  testing::TempDir dir_;
  std::string socket_ = (dir_.path() / "w.sock").string();
  GenerativeService service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<WorkerClient> client_;
};

TEST_F(GenerativeTest, StreamsAnAnswerAndDescribesItself) {
  Start();
  const auto [answer, cancel] = Generate("once upon a time");
  ASSERT_TRUE(answer->WaitEnd());
  ASSERT_TRUE(answer->status().ok()) << answer->status().error().message;
  EXPECT_EQ(answer->text(), "once upon a time ");
  EXPECT_EQ(answer->last().finish, engine::FinishReason::kStop);
  EXPECT_EQ(answer->usage().prompt_tokens, 4);
  EXPECT_EQ(answer->usage().completion_tokens, 4);
  EXPECT_EQ(answer->ends(), 1);
  cancel();  // does nothing any more

  std::promise<Result<Signature>> promise;
  client_->Describe(5000, [&](Result<Signature> result) { promise.set_value(std::move(result)); });
  const auto signature = promise.get_future().get();
  ASSERT_TRUE(signature.ok() && signature->generative);
  EXPECT_EQ(signature->family, "llm");
  EXPECT_EQ(signature->task, "text-generation");
  EXPECT_EQ(signature->generative->fingerprint, "fp_fake");
  EXPECT_GE(Health().steps, 4U);
}

TEST_F(GenerativeTest, AnErrorOfTheRequestArrivesWithItsParameter) {
  Start();
  const auto [answer, cancel] = Generate("");
  ASSERT_TRUE(answer->WaitEnd());
  ASSERT_FALSE(answer->status().ok());
  EXPECT_EQ(answer->status().error().code, Code::kInvalidArgument);
  EXPECT_EQ(answer->status().error().param, "prompt");
}

TEST_F(GenerativeTest, WhatIsCancelledEndsAndTellsWhatWasUsed) {
  Start();
  const auto [answer, cancel] = Generate("<forever>");
  ASSERT_TRUE(answer->WaitText());
  EXPECT_EQ(Health().running, 1);
  EXPECT_EQ(Health().kv_used, 0.5);
  cancel();
  cancel();
  ASSERT_TRUE(answer->WaitEnd());
  ASSERT_FALSE(answer->status().ok());
  EXPECT_EQ(answer->status().error().code, Code::kCancelled);
  EXPECT_GT(answer->usage().completion_tokens, 0);
  EXPECT_TRUE(WaitFor([&] { return Health().running == 0; }, 1000));
}

TEST_F(GenerativeTest, AThousandHangupsLeaveNothingRunning) {
  Start(true, 100);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::shared_ptr<KeptAnswer>> answers;
    for (int i = 0; i < 20; ++i) {
      const auto [answer, cancel] = Generate("<forever>");
      if (i % 2 == 0) {
        answer->WaitText();
      }
      cancel();
      answers.push_back(answer);
    }
    for (const auto& answer : answers) {
      ASSERT_TRUE(answer->WaitEnd());
      EXPECT_EQ(answer->status().error().code, Code::kCancelled);
    }
  }
  EXPECT_TRUE(WaitFor([&] { return Health().running == 0; }, 1000));
}

TEST_F(GenerativeTest, ACallWhoseTimeRunsOutFreesItsPlace) {
  Start();
  const auto [answer, cancel] = Generate("<forever>", 200);
  ASSERT_TRUE(answer->WaitEnd());
  EXPECT_EQ(answer->status().error().code, Code::kDeadlineExceeded);
  EXPECT_TRUE(WaitFor([&] { return Health().running == 0; }, 1000));
}

TEST_F(GenerativeTest, AReaderThatDoesNotReadEndsItsGeneration) {
  Start(true, 100);
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);  // what waits for a slow reader goes out in few messages
  const auto stub =
      pb::Worker::NewStub(grpc::CreateCustomChannel("unix:" + socket_, grpc::InsecureChannelCredentials(), arguments));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  const auto stream = stub->Generate(&context);
  ASSERT_TRUE(stream->Write(ToWire(Say("<flood>"))));
  EXPECT_TRUE(WaitFor([&] { return Health().steps > 10 && Health().running == 0; }));
  pb::GenerateEvent event;
  bool usage = false;
  while (stream->Read(&event)) {
    usage = usage || event.has_usage();
  }
  EXPECT_TRUE(usage);
  EXPECT_EQ(FromGrpc(stream->Finish()).reason, "reader_too_slow");
}

TEST_F(GenerativeTest, EmbedsTokenizesAndRefuses) {
  Start();
  std::promise<Result<engine::EmbeddingAnswer>> embedded;
  engine::EmbeddingRequest texts;
  texts.inputs = {engine::TextPrompt{"four"}, engine::TextPrompt{"seven77"}};
  client_->Embed(ToWire(texts), 5000, [&](auto answer) { embedded.set_value(std::move(answer)); });
  EXPECT_EQ(embedded.get_future().get()->vectors, (std::vector<std::vector<float>>{{4, 1}, {7, 1}}));

  std::promise<Result<engine::RerankAnswer>> ranked;
  client_->Rerank(ToWire(engine::RerankRequest{}), 5000, [&](auto answer) { ranked.set_value(std::move(answer)); });
  EXPECT_EQ(ranked.get_future().get().error().reason, "model_not_supported");

  std::promise<Result<engine::TokenizeAnswer>> tokens;
  client_->Tokenize(ToWire(engine::TokenizeRequest{engine::TextPrompt{"a\xff"}}), 5000,
                    [&](auto answer) { tokens.set_value(std::move(answer)); });
  const auto answer = tokens.get_future().get();
  EXPECT_EQ(answer->tokens, (std::vector<int32_t>{'a', 0xff}));
  EXPECT_EQ(answer->pieces[1], "\xff");

  std::promise<Result<std::string>> text;
  pb::DetokenizeRequest ids;
  ids.add_tokens('b');
  client_->Detokenize(ids, 5000, [&](auto result) { text.set_value(std::move(result)); });
  EXPECT_EQ(*text.get_future().get(), "b");
}

TEST_F(GenerativeTest, SaysThatItLoadsAndDrainsWhatIsUnderWay) {
  Start(false);
  const auto [early, no_cancel] = Generate("a");
  ASSERT_TRUE(early->WaitEnd());
  EXPECT_EQ(early->status().error().reason, "model_loading");
  service_.SetGenerator(std::make_unique<FakeGenerator>());
  const auto [answer, cancel] = Generate("one two three four five six seven eight nine ten");
  ASSERT_TRUE(answer->WaitText());
  std::promise<Status> drained;
  client_->Drain(20000, [&](Status status) { drained.set_value(std::move(status)); });
  EXPECT_TRUE(drained.get_future().get().ok());
  ASSERT_TRUE(answer->WaitEnd());
  EXPECT_TRUE(answer->status().ok());
  EXPECT_TRUE(Health().draining);
  const auto [late, none] = Generate("a");
  ASSERT_TRUE(late->WaitEnd());
  EXPECT_EQ(late->status().error().reason, "draining");
}

TEST_F(GenerativeTest, AnotherKindOfWorkerIsNotAsked) {
  Start();
  std::promise<Result<pb::PredictResponse>> promise;
  client_->Predict({}, 5000, [&](auto answer) { promise.set_value(std::move(answer)); });
  EXPECT_FALSE(promise.get_future().get().ok());
}

}  // namespace
}  // namespace atelier::serving
