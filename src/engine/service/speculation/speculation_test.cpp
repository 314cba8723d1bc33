// Drafts change how fast answers come, and nothing else.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "engine/importing/import.h"
#include "engine/quantising/quantise_model.h"
#include "engine/service/generator.h"
#include "engine/service/testing/random_requests.h"

namespace atelier::engine {
namespace {

using testing::Ask;
using testing::AskAll;
using testing::AskAndWait;
using testing::BecomesIdle;
using testing::OpenGolden;
using testing::OpenStories;
using testing::SmallOptions;
using testing::TextRequest;

constexpr std::string_view kStory =
    "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a "
    "big, red ball. ";

GeneratorOptions Options(SpeculationMode mode) {
  auto options = SmallOptions();
  options.max_queue = 1000;
  options.speculation = mode;
  return options;
}

class SpeculationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::HasData()) {
      GTEST_SKIP() << "no shared data: set ATELIER_SHARED_DATA";
    }
    char name[] = "/tmp/speculation-test-XXXXXX";
    folder_ = mkdtemp(name);
    auto file = ReadLlama2c(testing::Stories() / "stories260K.bin", testing::Stories() / "tok512.bin");
    ASSERT_TRUE(file.ok());
    stories_ = folder_ / "stories.gguf";
    ASSERT_TRUE(WriteGgufFile(**file, stories_).ok());
    const auto plan = PlanQuantisation(**file, *FindRecipe("q4_0"));
    ASSERT_TRUE(plan.ok());
    rough_ = folder_ / "rough.gguf";
    std::ofstream out(rough_, std::ios::binary);
    const auto write = [&](std::span<const std::byte> bytes) {
      out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
      return Status();
    };
    ASSERT_TRUE(WriteQuantised(**file, *plan, {}, write).ok());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  GeneratorOptions WithModel(SpeculationMode mode, const std::filesystem::path& model) const {
    auto options = Options(mode);
    options.draft_model = model;
    return options;
  }

  std::filesystem::path folder_;
  std::filesystem::path stories_;
  std::filesystem::path rough_;  // the same in four bits: often right, not always
};

// Random ones, of which many repeat their prompt or have a prediction.
std::vector<GenerationRequest> Requests(size_t count, uint64_t seed) {
  auto requests = testing::RandomRequests(count, seed);
  SeededRng rng(seed);
  for (GenerationRequest& request : requests) {
    if (rng.Below(2) == 0) {
      const std::string begin(kStory.substr(0, 20 + rng.Below(40)));
      request.prompt = TextPrompt{std::string(kStory) + begin};
      request.sampling.temperature = std::min(request.sampling.temperature, 0.8F);
      request.max_tokens += 16;
    }
    if (rng.Below(3) == 0) {
      request.prediction = kStory.substr(rng.Below(60));
    }
  }
  return requests;
}

struct Sums {
  int64_t drafted = 0, accepted = 0, predicted = 0;
};

// What was told, and what was drafted.
std::vector<std::string> AskEach(Generator& generator, const std::vector<GenerationRequest>& requests, Sums& sums) {
  std::vector<std::shared_ptr<testing::Collector>> sinks;
  for (const GenerationRequest& request : requests) {
    sinks.push_back(Ask(generator, request));
  }
  std::vector<std::string> answers;
  for (const auto& sink : sinks) {
    sink->Wait();
    const GenerationUsage& usage = sink->usage();
    answers.push_back(testing::Summary(*sink) + " predicted " + std::to_string(usage.accepted_prediction_tokens) +
                      " not " + std::to_string(usage.rejected_prediction_tokens));
    sums.drafted += usage.draft_tokens;
    sums.accepted += usage.accepted_draft_tokens;
    sums.predicted += usage.accepted_prediction_tokens;
    EXPECT_LE(usage.accepted_draft_tokens, usage.draft_tokens);
    EXPECT_LE(usage.accepted_draft_tokens, usage.completion_tokens);
  }
  return answers;
}

TEST_F(SpeculationTest, AnswersAreTheSame) {
  const auto requests = Requests(300, 11);
  Sums none;
  const auto expected = AskEach(*OpenStories(Options(SpeculationMode::kOff)), requests, none);
  EXPECT_EQ(none.drafted, 0);
  EXPECT_GT(none.predicted, 100);
  for (const auto& options : {Options(SpeculationMode::kLookup), Options(SpeculationMode::kAuto),
                              WithModel(SpeculationMode::kModel, rough_), WithModel(SpeculationMode::kAuto, rough_)}) {
    Sums sums;
    const auto generator = OpenStories(options);
    ASSERT_NE(generator, nullptr);
    const auto answers = AskEach(*generator, requests, sums);
    for (size_t i = 0; i < requests.size(); ++i) {
      ASSERT_EQ(answers[i], expected[i]) << "request " << i << ", mode " << static_cast<int>(options.speculation);
    }
    EXPECT_TRUE(BecomesIdle(*generator));
    if (options.speculation != SpeculationMode::kAuto) {
      EXPECT_GT(sums.accepted, 100);
    }
  }
}

TEST_F(SpeculationTest, AnswersAreTheSameWhenPagesRunOut) {
  const auto requests = Requests(100, 12);
  Sums none;
  const auto expected = AskEach(*OpenStories(Options(SpeculationMode::kOff)), requests, none);
  for (auto options : {Options(SpeculationMode::kLookup), WithModel(SpeculationMode::kModel, rough_)}) {
    options.page_positions = 4;
    options.kv_bytes = 60 * 4 * (5 * 4 * 16 * sizeof(float));  // 60 pages: 240 positions
    const auto tight = OpenStories(options);
    ASSERT_NE(tight, nullptr);
    Sums sums;
    const auto answers = AskEach(*tight, requests, sums);
    for (size_t i = 0; i < requests.size(); ++i) {
      ASSERT_EQ(answers[i], expected[i]) << "request " << i << ", mode " << static_cast<int>(options.speculation);
    }
    EXPECT_GT(sums.accepted, 0);
    EXPECT_TRUE(BecomesIdle(*tight));
  }
}

TEST_F(SpeculationTest, CancellingFreesEverything) {
  for (auto options : {Options(SpeculationMode::kLookup), WithModel(SpeculationMode::kModel, rough_)}) {
    const auto generator = OpenStories(options);
    SeededRng rng(3);
    for (int round = 0; round < 60; ++round) {
      std::vector<std::pair<std::shared_ptr<testing::Collector>, std::function<void()>>> open;
      for (int i = 0; i < 6; ++i) {
        auto sink = std::make_shared<testing::Collector>();
        open.emplace_back(sink, generator->Generate(TextRequest(std::string(kStory) + "Once upon", 200), sink));
      }
      open[rng.Below(6)].first->WaitForDeltas(rng.Below(12));
      for (const auto& [sink, cancel] : open) {
        cancel();
        sink->Wait();
      }
    }
    EXPECT_TRUE(BecomesIdle(*generator));
  }
}

TEST_F(SpeculationTest, AModelThatAgreesIsAlwaysRight) {
  const auto generator = OpenStories(WithModel(SpeculationMode::kModel, stories_));
  ASSERT_NE(generator, nullptr);
  for (const float temperature : {0.0F, 1.0F}) {
    auto request = TextRequest("Once upon a time", 120, temperature);
    request.sampling.seed = 5;
    request.sampling.top_p = 0.9F;
    request.sampling.frequency_penalty = 0.3F;
    const auto told = AskAndWait(*generator, request);
    ASSERT_TRUE(told->status().ok());
    EXPECT_GT(told->usage().draft_tokens, 80);
    EXPECT_EQ(told->usage().accepted_draft_tokens, told->usage().draft_tokens);
  }
}

TEST_F(SpeculationTest, DraftsOnlyWhatMayCome) {
  const auto generator = OpenStories(WithModel(SpeculationMode::kModel, stories_));
  for (const int32_t tokens : {1, 2, 3, 5}) {
    const auto told = AskAndWait(*generator, TextRequest("Once upon a time", tokens));
    EXPECT_EQ(told->usage().completion_tokens, tokens);
    EXPECT_LE(told->usage().draft_tokens, std::max(0, tokens - 2));
  }
  // To the end of the context.
  const auto all = AskAndWait(*generator, TextRequest("Once upon a time", 0));
  ASSERT_TRUE(all->status().ok()) << all->status().error().message;
  EXPECT_EQ(all->usage().completion_tokens + all->usage().prompt_tokens, 512);
}

TEST_F(SpeculationTest, APredictionThatComesTrueIsFound) {
  const auto generator = OpenStories(Options(SpeculationMode::kLookup));
  const auto plain = AskAndWait(*generator, TextRequest("Once upon a time", 100));
  auto request = TextRequest("Once upon a time", 100);
  request.prediction = plain->answer().content;
  const auto told = AskAndWait(*generator, request);
  EXPECT_EQ(told->answer().content, plain->answer().content);
  EXPECT_GT(told->usage().accepted_prediction_tokens, 90);
  EXPECT_LT(told->usage().rejected_prediction_tokens, 10);
  EXPECT_GT(told->usage().accepted_draft_tokens, 80);
  request.prediction = "Completely different words, which nobody says.";
  const auto other = AskAndWait(*generator, request);
  EXPECT_EQ(other->answer().content, plain->answer().content);
  EXPECT_GT(other->usage().rejected_prediction_tokens, 10);
}

TEST_F(SpeculationTest, RefusesModelsOfOtherTokens) {
  auto options = SmallOptions();
  options.draft_model = testing::GoldenFolder() / "models" / "llama-F32.gguf";
  auto files = ReadModelFiles(stories_);
  ASSERT_TRUE(files.ok());
  const auto generator = MakeGenerator(std::move(*files), options, testing::TestClock());
  ASSERT_FALSE(generator.ok());
  EXPECT_EQ(generator.error().reason, "draft_model_mismatch");
  EXPECT_EQ(generator.error().param, "draft");
}

TEST_F(SpeculationTest, AModelThatIsWrongChangesNothing) {
  auto options = Options(SpeculationMode::kOff);
  const auto plain = OpenGolden("qwen2-F32", options);
  options.speculation = SpeculationMode::kModel;
  options.draft_model = testing::GoldenFolder() / "models" / "qwen2-Q8_0.gguf";  // of other weights
  const auto drafted = OpenGolden("qwen2-F32", options);
  ASSERT_NE(drafted, nullptr);
  for (const float temperature : {0.0F, 0.8F}) {
    auto request = TextRequest("The history of the", 60, temperature);
    request.sampling.ignore_eos = true;
    const auto expected = AskAndWait(*plain, request);
    const auto told = AskAndWait(*drafted, request);
    EXPECT_EQ(told->answer().token_ids, expected->answer().token_ids);
    EXPECT_GT(told->usage().draft_tokens, 0);
    EXPECT_LT(told->usage().draft_tokens, 60) << "it learns that its drafts are useless";
  }
}

}  // namespace
}  // namespace atelier::engine
