// Encoder-decoder models as generators.
#include <gtest/gtest.h>

#include "engine/service/testing/service.h"

namespace atelier::engine {
namespace {

using testing::AskAndWait;

class TranslationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto names = testing::GoldenNames("encoder-decoder");
    if (names.empty()) {
      GTEST_SKIP() << "no shared data: set ATELIER_SHARED_DATA";
    }
    entry_ = names.front().entry;
    Open({});
  }
  void Open(GeneratorOptions options) {
    generator_ =
        OpenGenerator(testing::GoldenFolder() / std::string(entry_->at("model").as_string()), options, clock_).value();
  }
  static GenerationRequest Request(std::vector<int32_t> tokens, int32_t max_tokens) {
    auto request = testing::TextRequest("", max_tokens);
    request.prompt = TokenPrompt{std::move(tokens)};
    request.sampling.ignore_eos = true;
    return request;
  }

  SystemClock clock_;
  const json::object* entry_ = nullptr;
  std::unique_ptr<Generator> generator_;
};

TEST_F(TranslationTest, ContinuesAsTheReferenceDoes) {
  EXPECT_TRUE(generator_->description().generates);
  EXPECT_FALSE(generator_->description().embeds);
  const json::object& expected = entry_->at("sequences").at("s1").as_object();  // decodes from the start token on
  const auto text = testing::Ints(expected.at("encoder_tokens"));
  const auto greedy = testing::Ints(expected.at("greedy"));
  const auto answer = AskAndWait(*generator_, Request(text, static_cast<int32_t>(greedy.size())));
  ASSERT_TRUE(answer->status().ok()) << answer->status().error().message;
  EXPECT_EQ(answer->answer().token_ids, greedy);
  EXPECT_EQ(answer->usage().prompt_tokens, std::ssize(text));
  EXPECT_EQ(answer->usage().completion_tokens, std::ssize(greedy));
}

TEST_F(TranslationTest, AnswersTheSameInCompany) {
  std::vector<GenerationRequest> requests;
  std::vector<std::vector<int32_t>> alone;
  for (int32_t first = 10; first < 18; ++first) {
    auto request = Request({first, 20, 30, 1}, 20);
    request.choices = 2;
    request.sampling.temperature = 1;
    requests.push_back(request);
    const auto answer = AskAndWait(*generator_, request);
    alone.push_back(answer->answer(0).token_ids);
    alone.push_back(answer->answer(1).token_ids);
  }
  EXPECT_NE(alone[0], alone[2]);
  GeneratorOptions few;
  few.max_running = 3;  // so that second answers begin without the first one's sequence
  for (const auto& options : {GeneratorOptions{}, few}) {
    Open(options);
    std::vector<std::shared_ptr<testing::Collector>> answers;
    for (const auto& request : requests) {
      answers.push_back(testing::Ask(*generator_, request));
    }
    for (size_t i = 0; i < answers.size(); ++i) {
      answers[i]->Wait();
      EXPECT_EQ(answers[i]->answer(0).token_ids, alone[2 * i]);
      EXPECT_EQ(answers[i]->answer(1).token_ids, alone[2 * i + 1]);
    }
  }
}

TEST_F(TranslationTest, RefusesWhatItCannotDo) {
  auto request = Request({5, 1}, 5);
  request.prompt_logprobs = 1;
  EXPECT_EQ(AskAndWait(*generator_, request)->status().error().param, "prompt_logprobs");
  const auto context = static_cast<size_t>(generator_->description().max_context);
  EXPECT_EQ(AskAndWait(*generator_, Request(std::vector<int32_t>(context + 1, 5), 5))->status().error().reason,
            "context_length_exceeded");
  EXPECT_TRUE(AskAndWait(*generator_, Request(std::vector<int32_t>(context, 5), 5))->status().ok());
  EXPECT_EQ(AskAndWait(*generator_, Request({5}, static_cast<int32_t>(context)))->status().error().reason,
            "context_length_exceeded");
}

}  // namespace
}  // namespace atelier::engine
