// Many requests at once: the answers are those of each alone, and nothing is left behind.
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <sstream>

#include "base/rng.h"
#include "engine/service/generator.h"
#include "engine/service/testing/service.h"

namespace atelier::engine {
namespace {

using testing::Ask;
using testing::AskAndWait;
using testing::BecomesIdle;
using testing::OpenGolden;
using testing::OpenStories;
using testing::SmallOptions;
using testing::TextRequest;

class SharingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::HasData()) {
      GTEST_SKIP() << "no shared data: set ATELIER_SHARED_DATA";
    }
  }
};

float Pick(SeededRng& rng, std::initializer_list<float> values) {
  return values.begin()[rng.Below(static_cast<uint32_t>(values.size()))];
}

SamplingOptions RandomSampling(SeededRng& rng) {
  SamplingOptions options;
  options.temperature = Pick(rng, {0, 0.3F, 0.8F, 1, 1.5F});
  options.top_k = static_cast<int32_t>(Pick(rng, {0, 1, 5, 40}));
  options.top_p = Pick(rng, {1, 0.9F, 0.5F});
  options.min_p = Pick(rng, {0, 0.05F});
  options.typical_p = Pick(rng, {1, 0.9F});
  options.repetition_penalty = Pick(rng, {1, 1.2F});
  options.presence_penalty = Pick(rng, {0, 0.5F});
  options.frequency_penalty = Pick(rng, {0, -0.2F, 0.5F});
  options.dry.multiplier = Pick(rng, {0, 0.8F});
  options.seed = rng.Next();
  options.min_tokens = static_cast<int32_t>(rng.Below(4));
  options.ignore_eos = rng.Below(4) == 0;
  if (rng.Below(3) == 0) {
    options.top_logprobs = static_cast<int32_t>(rng.Below(4));
  }
  if (rng.Below(4) == 0) {
    options.logit_bias[static_cast<int32_t>(rng.Below(250)) + 3] = 2;
  }
  return options;
}

GenerationRequest RandomRequest(SeededRng& rng) {
  static constexpr std::string_view kText =
      "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a "
      "big, red ball. She wanted to play with it, but it was too high. Lily's mom said, let's go to the park.";
  GenerationRequest request;
  const size_t from = rng.Below(3) == 0 ? rng.Below(100) : 0;  // many begin alike
  request.prompt = TextPrompt{std::string(kText.substr(from, rng.Below(120)))};
  request.sampling = RandomSampling(rng);
  request.max_tokens = static_cast<int32_t>(rng.Below(24)) + 1;
  request.choices = rng.Below(5) == 0 ? static_cast<int32_t>(rng.Below(4)) + 1 : 1;
  request.return_token_ids = true;
  request.skip_special_tokens = rng.Below(2) == 0;
  request.echo = rng.Below(6) == 0;
  if (rng.Below(3) == 0) {
    request.stop = {"the", ". "};
  }
  if (rng.Below(8) == 0) {
    request.prompt_logprobs = 1;
  }
  if (rng.Below(8) == 0) {
    request.constraint = {OutputConstraint::Kind::kJsonObject, ""};
  }
  return request;
}

// Everything that was told, but for when.
std::string Summary(const testing::Collector& sink) {
  std::ostringstream text;
  text.precision(9);
  if (!sink.status().ok()) {
    text << "error " << sink.status().error().message;
  }
  std::vector<GenerationDelta> deltas = sink.all();
  std::ranges::stable_sort(deltas, {}, &GenerationDelta::choice);  // choices may be told in other steps
  for (const GenerationDelta& delta : deltas) {
    text << "\n"
         << static_cast<int>(delta.kind) << ' ' << delta.choice << " [" << delta.text << "] "
         << static_cast<int>(delta.finish) << ' ' << delta.stop_token.value_or(-1);
    for (const int32_t id : delta.token_ids) {
      text << ' ' << id;
    }
    for (const TokenInfo& info : delta.logprobs) {
      text << ' ' << info.id << ':' << info.logprob;
      for (const auto& top : info.top) {
        text << ',' << top.id << ':' << top.logprob;
      }
    }
  }
  text << "\n" << sink.usage().completion_tokens << ' ' << sink.usage().prompt_tokens;
  return text.str();
}

std::vector<std::string> AskAll(Generator& generator, const std::vector<GenerationRequest>& requests) {
  std::vector<std::shared_ptr<testing::Collector>> sinks;
  for (const GenerationRequest& request : requests) {
    sinks.push_back(Ask(generator, request));
  }
  std::vector<std::string> answers;
  for (const auto& sink : sinks) {
    sink->Wait();
    answers.push_back(Summary(*sink));
  }
  return answers;
}

std::vector<GenerationRequest> RandomRequests(size_t count, uint64_t seed) {
  SeededRng rng(seed);
  std::vector<GenerationRequest> requests;
  for (size_t i = 0; i < count; ++i) {
    requests.push_back(RandomRequest(rng));
  }
  return requests;
}

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
  EXPECT_GT(cancelled, 500);
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
  options.step_tokens = 64;
  options.shared_tokens = 8;
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
