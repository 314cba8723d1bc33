// Language models through the manager, in real worker processes.
#include <gtest/gtest.h>

#include <signal.h>
#include <algorithm>

#include <future>

#include "serving/testing/fake_generator.h"
#include "serving/testing/manager_fixture.h"
#include "serving/worker_host.h"

namespace atelier::serving {
namespace {

using testing::FakeGenerator;
using testing::KeptAnswer;
using testing::Say;
using testing::WaitFor;

// The stand-in of `atelier worker llm`; it fails unless its flags are those that the deployment's settings ask for.
TEST(FakeLanguageProcess, DISABLED_Run) {
  const char* command_line = std::getenv("ATELIER_FAKE_WORKER");
  ASSERT_NE(command_line, nullptr) << "only the manager's tests start this one";
  auto flags = testing::FlagsOf(command_line);
  const int status = RunGenerativeWorker(flags["--socket"], [&]() -> Result<std::unique_ptr<engine::Generator>> {
    if (!std::string_view(command_line).starts_with("worker llm ")) {
      return Internal("not what was to be started");
    }
    if (flags["--kv-bytes"] != "1048576" || flags["--max-running"] != "3" || flags.contains("--threads")) {
      return Internal("the settings did not arrive: " + std::string(command_line));
    }
    return std::unique_ptr<engine::Generator>(std::make_unique<FakeGenerator>());
  });
  _exit(status);
}

class GenerativeManagerTest : public testing::ManagerTest {
 protected:
  void StartStory() {
    settings_ = {{"max_running", 3}, {"kv_bytes", 7}};  // too few bytes become the fewest
    Wish("story", {{1, 100, "0", "llm"}});
    Start();
    ASSERT_TRUE(WaitFor([&] { return Ready("story"); })) << Worker("story").error;
  }
  // From now on "story" has an adapter of these bytes.
  void WishAdapter(const std::string& name, const std::string& text) {
    wishes_.With([&](auto& wishes) {
      serving::Wish& wish = wishes.at("story");
      wish.deployment.adapters.push_back({name, "model-of-" + name, 1});
      registry::ModelVersion version;
      version.model_id = "model_" + name;
      version.version = 1;
      version.files["adapter.txt"] = blobs_.Put(text);
      wish.adapters.push_back(std::move(version));
    });
    ASSERT_TRUE(manager_->Reconcile().ok());
  }
  AdapterStatus Adapter(size_t index = 0) { return manager_->GetStatus("story")->adapters.at(index); }
  std::shared_ptr<KeptAnswer> Ask(const std::string& text, std::function<void()>* cancel = nullptr,
                                  const std::string& name = "story") {
    auto answer = std::make_shared<KeptAnswer>();
    const auto model = manager_->Pin(name);
    EXPECT_TRUE(model.ok());
    auto stop = (*model)->Generate(Say(text), answer, std::nullopt);
    if (cancel != nullptr) {
      *cancel = std::move(stop);
    }
    return answer;
  }
};

TEST_F(GenerativeManagerTest, GeneratesEmbedsAndSaysWhoAnswers) {
  StartStory();
  for (const std::string name : {"story", "model-of-story", "model-of-story@1", "model-of-story@latest"}) {
    const auto model = manager_->Pin(name);
    ASSERT_TRUE(model.ok()) << model.error().message;
    EXPECT_EQ((*model)->served_by().deployment, "story");
    EXPECT_EQ((*model)->served_by().model_version, 1);
    EXPECT_EQ((*model)->description().max_context, 64);
  }
  const auto answer = Ask("once upon a time");
  ASSERT_TRUE(answer->WaitEnd());
  EXPECT_TRUE(answer->status().ok());
  EXPECT_EQ(answer->text(), "once upon a time ");
  EXPECT_EQ(answer->usage().completion_tokens, 4);

  std::promise<Result<engine::EmbeddingAnswer>> embedded;
  engine::EmbeddingRequest texts;
  texts.inputs = {engine::TextPrompt{"four"}};
  (*manager_->Pin("story"))->Embed(texts, [&](auto vectors) { embedded.set_value(std::move(vectors)); });
  EXPECT_EQ(embedded.get_future().get()->vectors, (std::vector<std::vector<float>>{{4, 1}}));
  EXPECT_NE(metrics_.Render().find("nv_inference_request_success{model=\"story\",version=\"1\"} 2"), std::string::npos);
  EXPECT_NE(metrics_.Render().find(R"(vllm:generation_tokens_total{engine="1",model_name="story"} 4)"),
            std::string::npos);
  EXPECT_TRUE(manager_->GetStatus("story")->signature->generative);

  EXPECT_EQ(manager_->Pin("absent").error().reason, "model_not_found");
  EXPECT_EQ(Send("story").get().error().reason, "model_not_supported");
}

TEST_F(GenerativeManagerTest, WhatIsCancelledTellsWhatWasUsed) {
  StartStory();
  std::function<void()> cancel;
  const auto answer = Ask("<forever>", &cancel);
  ASSERT_TRUE(answer->WaitText());
  cancel();
  ASSERT_TRUE(answer->WaitEnd());
  EXPECT_EQ(answer->status().error().code, Code::kCancelled);
  EXPECT_GT(answer->usage().completion_tokens, 0);
}

TEST_F(GenerativeManagerTest, ACrashEndsTheStreamAndTheWorkerComesBack) {
  StartStory();
  const auto answer = Ask("one two <crash>");
  ASSERT_TRUE(answer->WaitEnd());
  EXPECT_TRUE(std::string("one two ").starts_with(answer->text())) << answer->text();  // the crash may take words along
  ASSERT_FALSE(answer->status().ok());
  EXPECT_EQ(answer->status().error().code, Code::kUnavailable);
  EXPECT_EQ(answer->status().error().reason, "worker_crashed");
  EXPECT_EQ(answer->usage().completion_tokens, std::ranges::count(answer->text(), ' '));  // as many as came
  ASSERT_TRUE(WaitFor([&] { return Worker("story").restarts == 1 && Ready("story"); }));
  ASSERT_TRUE(WaitFor([&] { return manager_->Pin("story").ok(); }));
  const auto next = Ask("again");
  ASSERT_TRUE(next->WaitEnd());
  EXPECT_TRUE(next->status().ok());
}

TEST_F(GenerativeManagerTest, AStuckWorkerIsReplacedAndALongAnswerIsNotStuck) {
  options_.stuck_after_ms = 400;
  StartStory();
  std::function<void()> cancel;
  const auto lasting = Ask("<forever>", &cancel);
  std::this_thread::sleep_for(std::chrono::milliseconds(1000));
  EXPECT_EQ(lasting->ends(), 0);
  cancel();
  ASSERT_TRUE(lasting->WaitEnd());
  const auto stuck = Ask("<hang>");
  ASSERT_TRUE(stuck->WaitEnd());
  EXPECT_EQ(stuck->status().error().reason, "worker_crashed");
  EXPECT_TRUE(WaitFor([&] { return Worker("story").restarts == 1; }));
}

TEST_F(GenerativeManagerTest, AStreamSurvivesTheUndeploymentOfItsModel) {
  StartStory();
  std::string words;
  for (int i = 0; i < 300; ++i) {
    words += "word ";
  }
  const auto answer = Ask(words);
  ASSERT_TRUE(answer->WaitText());
  wishes_.With([](auto& wishes) { wishes.clear(); });
  ASSERT_TRUE(manager_->Reconcile().ok());
  EXPECT_EQ(manager_->Pin("story").error().reason, "model_not_found");
  ASSERT_TRUE(answer->WaitEnd());
  EXPECT_TRUE(answer->status().ok()) << answer->status().error().message;
  EXPECT_EQ(answer->text(), words);
}

TEST_F(GenerativeManagerTest, AdaptersComeAndGoAndAreThereAgainAfterACrash) {
  StartStory();
  WishAdapter("polite", "please");
  WishAdapter("bad", "broken");
  ASSERT_TRUE(
      WaitFor([&] { return Adapter(0).state == WorkerState::kReady && Adapter(1).state == WorkerState::kFailed; }));
  EXPECT_EQ(Adapter(0).rank, 4);
  EXPECT_EQ(Adapter(0).bytes, 6);
  EXPECT_EQ(Adapter(1).error->param, "x");
  EXPECT_EQ(manager_->Pin("bad").error().reason, "invalid_adapter");
  const auto says = [&](const std::string& name, const std::string& wanted) {
    const auto answer = Ask("one two", nullptr, name);
    return answer->WaitEnd() && answer->text() == wanted;
  };
  EXPECT_TRUE(says("polite", "polite: one two "));
  EXPECT_TRUE(says("story:polite", "polite: one two "));
  EXPECT_TRUE(says("story", "one two "));
  EXPECT_EQ((*manager_->Pin("polite"))->served_by().adapter, "polite");
  EXPECT_TRUE(Ready("story"));

  ASSERT_TRUE(Ask("<crash>")->WaitEnd());
  ASSERT_TRUE(WaitFor([&] { return Worker("story").restarts == 1 && Ready("story"); }));
  EXPECT_EQ(Adapter(0).state, WorkerState::kReady);
  ASSERT_TRUE(WaitFor([&] { return manager_->Pin("polite").ok(); }));
  EXPECT_TRUE(says("polite", "polite: one two "));

  wishes_.With([](auto& wishes) {
    wishes.at("story").deployment.adapters.clear();
    wishes.at("story").adapters.clear();
  });
  ASSERT_TRUE(manager_->Reconcile().ok());
  EXPECT_EQ(manager_->Pin("polite").error().reason, "model_not_found");
  WishAdapter("polite", "thanks");  // another one of that name
  ASSERT_TRUE(WaitFor([&] { return Adapter().state == WorkerState::kReady; }));
  EXPECT_TRUE(says("polite", "polite: one two "));
  EXPECT_EQ(Worker("story").restarts, 1);
}

}  // namespace
}  // namespace atelier::serving
