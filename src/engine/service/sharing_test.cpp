// Many requests at once: the answers are those of each alone, and nothing is left behind.
#include <gtest/gtest.h>

#include <algorithm>
#include <future>

#include "engine/service/generator.h"
#include "engine/service/testing/random_requests.h"

namespace atelier::engine {
namespace {

using testing::Ask;
using testing::AskAll;
using testing::AskAndWait;
using testing::BecomesIdle;
using testing::OpenStories;
using testing::RandomRequest;
using testing::RandomRequests;
using testing::SmallOptions;
using testing::Summary;
using testing::TextRequest;

class SharingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::HasData()) {
      GTEST_SKIP() << "no shared data: set ATELIER_SHARED_DATA";
    }
  }
};

TEST_F(SharingTest, AnswersAreThoseOfEachAlone) {
  const auto requests = RandomRequests(1000, 1);
  auto options = SmallOptions();
  options.max_queue = 1000;
  options.reuse_prefixes = false;
  const auto alone = OpenStories(options);
  std::vector<std::string> expected;
  for (const GenerationRequest& request : requests) {
    expected.push_back(Summary(*AskAndWait(*alone, request)));
  }
  for (const bool reuse : {false, true}) {
    options.reuse_prefixes = reuse;
    options.max_running = 16;
    const auto batch = OpenStories(options);
    const auto answers = AskAll(*batch, requests);
    for (size_t i = 0; i < requests.size(); ++i) {
      ASSERT_EQ(answers[i], expected[i]) << "request " << i << ", prefixes " << reuse;
    }
    EXPECT_TRUE(BecomesIdle(*batch));
    EXPECT_EQ(batch->stats().cached_tokens > 0, reuse);
  }
}

TEST_F(SharingTest, AnswersAreTheSameWhenPagesRunOut) {
  const auto requests = RandomRequests(120, 2);
  auto options = SmallOptions();
  options.max_queue = 1000;
  const auto roomy = OpenStories(options);
  const auto expected = AskAll(*roomy, requests);
  options.page_positions = 4;
  options.kv_bytes = 40 * 4 * (5 * 4 * 16 * sizeof(uint16_t));  // 40 pages: 160 positions
  const auto tight = OpenStories(options);
  ASSERT_NE(tight, nullptr);
  EXPECT_EQ(tight->description().max_context, 160);
  const auto answers = AskAll(*tight, requests);
  for (size_t i = 0; i < requests.size(); ++i) {
    ASSERT_EQ(answers[i], expected[i]) << "request " << i;
  }
  EXPECT_TRUE(BecomesIdle(*tight));
}

TEST_F(SharingTest, CancellingFreesEverything) {
  auto options = SmallOptions();
  options.max_queue = 64;
  options.page_positions = 4;
  options.kv_bytes = 40 * 4 * (5 * 4 * 16 * sizeof(uint16_t));
  const auto generator = OpenStories(options);
  SeededRng rng(3);
  std::vector<std::pair<std::shared_ptr<testing::Collector>, std::function<void()>>> open;
  size_t cancelled = 0;
  for (int i = 0; i < 1000; ++i) {
    auto request = RandomRequest(rng);
    request.max_tokens = 100;
    request.stop.clear();
    request.prompt = TextPrompt{"Once upon a time"};
    auto sink = std::make_shared<testing::Collector>();
    open.emplace_back(sink, generator->Generate(std::move(request), sink));
    if (rng.Below(3) == 0) {
      sink->WaitForDeltas(rng.Below(4));
    }
    while (open.size() > rng.Below(24)) {
      const auto [last, cancel] = open[rng.Below(static_cast<uint32_t>(open.size()))];
      std::erase_if(open, [&](const auto& entry) { return entry.first == last; });
      cancel();
      cancel();
      last->Wait();
      cancelled += !last->status().ok() && last->status().error().code == Code::kCancelled ? 1 : 0;
      cancel();
    }
  }
  for (const auto& [sink, cancel] : open) {
    cancel();
    sink->Wait();
  }
  EXPECT_GT(cancelled, 250) << "on a busy machine others are done before";
  EXPECT_TRUE(BecomesIdle(*generator));
  EXPECT_TRUE(AskAndWait(*generator, TextRequest("Once", 10))->status().ok());
}

TEST_F(SharingTest, TheQueueIsBounded) {
  auto options = SmallOptions();
  options.max_running = 1;
  options.max_queue = 3;
  const auto generator = OpenStories(options);
  std::vector<std::shared_ptr<testing::Collector>> sinks;
  const auto first = Ask(*generator, TextRequest("", 400));
  first->WaitForDeltas(4);  // it has left the queue for long
  for (int i = 0; i < 10; ++i) {
    sinks.push_back(Ask(*generator, TextRequest("", 5)));
  }
  int refused = 0;
  for (const auto& sink : sinks) {
    sink->Wait();
    if (!sink->status().ok()) {
      ++refused;
      EXPECT_EQ(sink->status().error().code, Code::kResourceExhausted);
      EXPECT_EQ(sink->status().error().reason, "queue_full");
      EXPECT_TRUE(sink->status().error().retry_after_s.has_value());
    }
  }
  EXPECT_GE(refused, 6);
  EXPECT_LE(refused, 7);
  first->Wait();
  EXPECT_TRUE(AskAndWait(*generator, TextRequest("", 5))->status().ok());
}

TEST_F(SharingTest, LongPromptsDoNotStallStreams) {
  auto options = SmallOptions();
  options.step_tokens = 8;
  const auto generator = OpenStories(options);
  const auto story = Ask(*generator, TextRequest("", 400));
  story->WaitForDeltas(5);
  const size_t before = story->deltas();
  std::string prompt;
  for (int i = 0; i < 30; ++i) {
    prompt += "Lily and Tom went to the park. ";
  }
  const auto other = AskAndWait(*generator, TextRequest(prompt, 1));
  ASSERT_TRUE(other->status().ok()) << other->status().error().message;
  // Each piece of the prompt came with a word of the story; one piece would be about 250 tokens.
  EXPECT_GT(story->deltas(), before + 20);
  story->Wait();
  EXPECT_GT(other->usage().prompt_tokens, 200);
}

TEST_F(SharingTest, ACommonPrefixIsComputedOnceAlsoWhenAllComeTogether) {
  std::string prefix;
  for (int i = 0; i < 25; ++i) {
    prefix += "Lily and Tom went to the park. ";
  }
  std::vector<GenerationRequest> requests;
  for (const char* rest : {"The", "She", "He", "It", "One day", "Then", "But", "They"}) {
    requests.push_back(TextRequest(prefix + rest, 12));
  }
  auto options = SmallOptions();
  options.reuse_prefixes = false;
  const auto expected = AskAll(*OpenStories(options), requests);
  const auto generator = OpenStories();
  EXPECT_EQ(AskAll(*generator, requests), expected);
  EXPECT_TRUE(BecomesIdle(*generator));
  const auto stats = generator->stats();
  EXPECT_LT(stats.prompt_tokens - stats.cached_tokens, stats.prompt_tokens / 8 + 8 * (4 + 2 * options.page_positions));
}

TEST_F(SharingTest, ARequestEndsWhenItsTimeIsOver) {
  auto options = SmallOptions();
  options.max_running = 1;
  const auto generator = OpenStories(options);
  const auto first = Ask(*generator, TextRequest("", 400));
  first->WaitForDeltas(4);
  auto request = TextRequest("", 400);
  request.timeout_ms = 1;
  const auto late = AskAndWait(*generator, std::move(request));
  ASSERT_FALSE(late->status().ok());
  EXPECT_EQ(late->status().error().code, Code::kDeadlineExceeded);
  EXPECT_EQ(late->status().error().reason, "timeout");
  first->Wait();
  EXPECT_TRUE(first->status().ok());
  EXPECT_TRUE(BecomesIdle(*generator));
}

TEST_F(SharingTest, DrainsWhenAllIsDone) {
  const auto generator = OpenStories();
  const auto story = Ask(*generator, TextRequest("", 300));
  story->WaitForDeltas(2);
  std::promise<bool> drained;
  generator->Drain([&] { drained.set_value(story->done()); });
  const auto late = AskAndWait(*generator, TextRequest("", 5));
  ASSERT_FALSE(late->status().ok());
  EXPECT_EQ(late->status().error().code, Code::kUnavailable);
  EXPECT_EQ(late->status().error().reason, "draining");
  EXPECT_TRUE(drained.get_future().get());
  EXPECT_TRUE(story->status().ok());
}

TEST_F(SharingTest, ClosingEndsWhatIsUnderWay) {
  std::vector<std::shared_ptr<testing::Collector>> sinks;
  std::function<void()> cancel;
  {
    const auto generator = OpenStories();
    for (int i = 0; i < 20; ++i) {
      auto sink = std::make_shared<testing::Collector>();
      cancel = generator->Generate(TextRequest("", 400), sink);
      sinks.push_back(std::move(sink));
    }
    sinks[0]->WaitForDeltas(3);
  }
  for (const auto& sink : sinks) {
    ASSERT_TRUE(sink->done());
    EXPECT_TRUE(sink->status().ok() || sink->status().error().code == Code::kUnavailable);
  }
  cancel();
}

}  // namespace
}  // namespace atelier::engine
