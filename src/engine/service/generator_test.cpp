// The service with real and recorded models: text, stops, log probabilities, choices, errors.
#include "engine/service/generator.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <set>
#include <thread>

#include "engine/service/testing/service.h"

namespace atelier::engine {
namespace {

using testing::Ask;
using testing::AskAndWait;
using testing::Doubles;
using testing::GoldenFolder;
using testing::HasData;
using testing::Ints;
using testing::Kind;
using testing::OpenGolden;
using testing::OpenStories;
using testing::TextRequest;

// The story that llama2.c tells, from the notes beside its weights.
std::string ReferenceStory() {
  const std::string notes = testing::ReadText(testing::Stories() / "stories260K.md");
  const size_t begin = notes.find("Once upon a time");
  return notes.substr(begin, notes.find("\n```", begin) - begin);
}

class StoriesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!HasData()) {
      GTEST_SKIP() << "no shared data: set ATELIER_SHARED_DATA";
    }
    generator_ = OpenStories();
    ASSERT_NE(generator_, nullptr);
  }
  std::unique_ptr<Generator> generator_;
};

TEST_F(StoriesTest, TellsTheReferencesStory) {
  const auto sink = AskAndWait(*generator_, TextRequest("", 250));
  ASSERT_TRUE(sink->status().ok()) << sink->status().error().message;
  const std::string reference = ReferenceStory();
  ASSERT_GT(reference.size(), 300);
  const std::string story = sink->answer().content;
  const size_t common = std::min(story.size(), reference.size());
  EXPECT_EQ(story.substr(0, common), reference.substr(0, common));
  EXPECT_EQ(sink->usage().prompt_tokens, 1);
  EXPECT_EQ(sink->usage().completion_tokens, 250);
  EXPECT_EQ(sink->answer().token_ids.size(), 250);
  EXPECT_EQ(sink->answer().finish, FinishReason::kLength);
}

TEST_F(StoriesTest, TellsTheSameAloneAndAmongSixteen) {
  auto options = testing::SmallOptions();
  options.max_running = 16;
  const auto batch = OpenStories(options);
  std::vector<std::string> prompts;
  for (const char* begin : {"Once upon a time", "Lily", "The dog", "Tom and", "One day", "A big red ball", "Mom said",
                            "The cat was", "There was a", "He wanted", "In the park", "Ben", "She saw", "They", "It",
                            "The little girl named Lily had a very big"}) {
    prompts.emplace_back(begin);
  }
  std::vector<std::shared_ptr<testing::Collector>> together;
  for (const std::string& prompt : prompts) {
    together.push_back(Ask(*batch, TextRequest(prompt, 100)));
  }
  for (size_t i = 0; i < prompts.size(); ++i) {
    together[i]->Wait();
    const auto alone = AskAndWait(*generator_, TextRequest(prompts[i], 100));
    EXPECT_EQ(alone->answer().token_ids, together[i]->answer().token_ids) << prompts[i];
    EXPECT_EQ(alone->answer().content, together[i]->answer().content) << prompts[i];
  }
  EXPECT_TRUE(testing::BecomesIdle(*batch));
}

TEST_F(StoriesTest, StopsAtStringsAcrossTokens) {
  for (const bool include : {false, true}) {
    auto request = TextRequest("", 200);
    request.stop = {"named Lily. She", "zzz"};
    request.include_stop_text = include;
    const auto told = AskAndWait(*generator_, std::move(request))->answer();
    EXPECT_EQ(told.content,
              std::string("Once upon a time, there was a little girl ") + (include ? "named Lily. She" : ""));
    EXPECT_EQ(told.stop_text, "named Lily. She");
    EXPECT_EQ(told.finish, FinishReason::kStop);
  }
  auto request = TextRequest("", 60);
  request.stop = {"Lily"};
  request.sampling.min_tokens = 40;
  const auto told = AskAndWait(*generator_, std::move(request))->answer();
  EXPECT_NE(told.content.find("Lily"), std::string::npos);
  EXPECT_GE(told.token_ids.size(), 40);
}

TEST_F(StoriesTest, StopsAtTokens) {
  const auto whole = AskAndWait(*generator_, TextRequest("", 20))->answer();
  auto request = TextRequest("", 20);
  request.sampling.stop_token_ids = {whole.token_ids[7]};
  const auto told = AskAndWait(*generator_, std::move(request))->answer();
  EXPECT_EQ(told.stop_token, whole.token_ids[7]);
  EXPECT_EQ(told.finish, FinishReason::kStop);
  EXPECT_LE(told.token_ids.size(), 8);
  EXPECT_EQ(told.token_ids.back(), whole.token_ids[7]);
  EXPECT_TRUE(whole.content.starts_with(told.content));
}

TEST_F(StoriesTest, GivesLogprobsOfEveryToken) {
  auto request = TextRequest("Once upon", 30);
  request.sampling.top_logprobs = 5;
  const auto told = AskAndWait(*generator_, std::move(request))->answer();
  ASSERT_EQ(told.logprobs.size(), 30);
  std::string joined;
  for (size_t i = 0; i < told.logprobs.size(); ++i) {
    const TokenInfo& info = told.logprobs[i];
    EXPECT_EQ(info.id, told.token_ids[i]);
    ASSERT_EQ(info.top.size(), 5);
    EXPECT_EQ(info.top[0].id, info.id);  // greedy
    EXPECT_EQ(info.top[0].logprob, info.logprob);
    EXPECT_LE(info.logprob, 0);
    double sum = 0;
    for (const auto& top : info.top) {
      sum += std::exp(static_cast<double>(top.logprob));
    }
    EXPECT_LE(sum, 1.00001);
    joined += info.bytes;
  }
  EXPECT_EQ(joined, told.content);
}

TEST_F(StoriesTest, EchoesThePromptWithItsLogprobs) {
  const std::string prompt = "Once upon a time, there was a little girl named Lily.";
  auto request = TextRequest(prompt, kPromptOnly);
  request.echo = true;
  request.sampling.top_logprobs = 2;
  request.prompt_logprobs = 1;
  const auto echo = AskAndWait(*generator_, std::move(request));
  ASSERT_TRUE(echo->status().ok()) << echo->status().error().message;
  EXPECT_EQ(echo->answer().content, prompt);
  EXPECT_EQ(echo->usage().completion_tokens, 0);
  const auto& first = echo->all().front();
  ASSERT_EQ(first.kind, Kind::kPrompt);
  ASSERT_EQ(first.logprobs.size(), first.token_ids.size());
  EXPECT_EQ(first.logprobs[3].top.size(), 1);
  const auto infos = echo->answer().logprobs;
  ASSERT_EQ(infos.size(), first.token_ids.size());
  // The same as when the model says these tokens itself.
  auto again = TextRequest("", static_cast<int32_t>(infos.size()) - 1);
  again.sampling.top_logprobs = 2;
  const auto said = AskAndWait(*generator_, std::move(again))->answer();
  for (size_t i = 1; i < infos.size(); ++i) {
    EXPECT_EQ(infos[i].id, said.token_ids[i - 1]) << i;
    EXPECT_EQ(infos[i].logprob, said.logprobs[i - 1].logprob) << i;
  }
}

TEST_F(StoriesTest, GivesSeveralChoicesOfWhichTheFirstIsThatOfOne) {
  auto request = TextRequest("Once upon a time", 40, 1.0F);
  request.sampling.seed = 7;
  const auto one = AskAndWait(*generator_, request)->answer();
  request.choices = 20;  // more than there are slots
  const auto many = AskAndWait(*generator_, request);
  EXPECT_EQ(many->answer(0).content, one.content);
  std::set<std::string> different;
  for (int32_t i = 0; i < 20; ++i) {
    different.insert(many->answer(i).content);
    EXPECT_EQ(many->answer(i).token_ids.size(), 40);
  }
  EXPECT_GT(different.size(), 15);
  EXPECT_EQ(many->usage().completion_tokens, 800);
  EXPECT_TRUE(testing::BecomesIdle(*generator_));
}

TEST_F(StoriesTest, CountsWhatTheCacheKnew) {
  const std::string prompt = "Once upon a time, there was a little girl named Lily. She loved to play outside.";
  const auto first = AskAndWait(*generator_, TextRequest(prompt, 20));
  const auto second = AskAndWait(*generator_, TextRequest(prompt, 20));
  EXPECT_EQ(first->usage().cached_tokens, 0);
  EXPECT_EQ(second->usage().cached_tokens, second->usage().prompt_tokens - 1);
  EXPECT_EQ(first->answer().content, second->answer().content);
}

TEST_F(StoriesTest, RefusesWhatCannotBe) {
  const auto refused = [&](GenerationRequest request) {
    const auto sink = AskAndWait(*generator_, std::move(request));
    EXPECT_FALSE(sink->status().ok());
    EXPECT_TRUE(sink->all().empty());
    return sink->status().ok() ? Error() : sink->status().error();
  };
  auto request = TextRequest("Once", 10000);
  EXPECT_EQ(refused(request).reason, "context_length_exceeded");
  EXPECT_EQ(refused(request).code, Code::kInvalidArgument);
  EXPECT_NE(refused(request).message.find("This model's maximum context length is 512 tokens"), std::string::npos);
  request = TextRequest(std::string(4000, 'x'), 0);
  EXPECT_EQ(refused(request).param, "prompt");
  request = TextRequest("Once", 10);
  request.sampling.temperature = 3;
  EXPECT_EQ(refused(request).param, "temperature");
  request = TextRequest("Once", 10);
  request.choices = 129;
  EXPECT_EQ(refused(request).param, "n");
  request = TextRequest("Once", 10);
  request.stop = {""};
  EXPECT_EQ(refused(request).param, "stop");
  request = TextRequest("Once", 10);
  request.prompt = TokenPrompt{{1, 512}};
  EXPECT_EQ(refused(request).code, Code::kInvalidArgument);
  request.prompt = ChatPrompt{R"([{"role":"user","content":"Hi"}])"};
  EXPECT_EQ(refused(request).reason, "no_chat_template");
  request = TextRequest("Once", 10);
  request.adapter = "none";
  EXPECT_EQ(refused(request).code, Code::kNotFound);
  EXPECT_TRUE(testing::BecomesIdle(*generator_));
}

TEST_F(StoriesTest, TokenisesAndBack) {
  const auto tokens = generator_->Tokenize({TextPrompt{"Once upon a time"}});
  ASSERT_TRUE(tokens.ok());
  EXPECT_EQ(tokens->tokens.size(), tokens->pieces.size());
  EXPECT_EQ(tokens->max_context, 512);
  const auto text = generator_->Detokenize(tokens->tokens);
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text, "Once upon a time");
  EXPECT_FALSE(generator_->Detokenize({-1}).ok());
}

// Every causal model of the golden data, through the whole service.
TEST(GoldenService, ContinuesAsRecorded) {
  if (!HasData()) {
    GTEST_SKIP() << "no shared data: set ATELIER_SHARED_DATA";
  }
  for (const auto& name : testing::GoldenNames("causal")) {
    if (!name.text.ends_with("-F32")) {
      continue;
    }
    SCOPED_TRACE(name.text);
    const auto generator = OpenGolden(name.text);
    ASSERT_NE(generator, nullptr);
    for (const auto& member : name.entry->at("sequences").as_object()) {
      const json::object& expected = member.value().as_object();
      const bool exact = expected.contains("greedy_exact");
      auto tokens = Ints(expected.at(exact ? "greedy_exact" : "greedy"));
      const auto margins = Doubles(expected.at(exact ? "greedy_exact_margin" : "greedy_margin"));
      size_t sure = 0;
      while (sure < tokens.size() && margins[sure] >= 0.003) {
        ++sure;
      }
      GenerationRequest request;
      request.prompt = TokenPrompt{Ints(expected.at("tokens"))};
      request.max_tokens = static_cast<int32_t>(tokens.size());
      request.sampling.temperature = 0;
      request.return_token_ids = true;
      const auto sink = AskAndWait(*generator, std::move(request));
      ASSERT_TRUE(sink->status().ok()) << sink->status().error().message;
      auto said = sink->answer().token_ids;
      // An end token ends ours, but not the recorded ones.
      const size_t count = std::min(sure, said.size());
      EXPECT_TRUE(said.size() == tokens.size() || sink->answer().stop_token.has_value());
      said.resize(count);
      tokens.resize(count);
      EXPECT_EQ(said, tokens) << std::string_view(member.key());
    }
  }
}

TEST(GoldenService, EmbedsAsRecorded) {
  if (!HasData()) {
    GTEST_SKIP() << "no shared data: set ATELIER_SHARED_DATA";
  }
  for (const std::string name : {"bert-mean-F32", "bert-cls-F32", "nomic-bert-F32"}) {
    SCOPED_TRACE(name);
    const auto generator = OpenGolden(name);
    ASSERT_NE(generator, nullptr);
    EXPECT_FALSE(generator->description().generates);
    const auto names = testing::GoldenNames("embedding");
    const auto entry = std::ranges::find(names, name, &testing::GoldenName::text);
    ASSERT_NE(entry, names.end());
    EmbeddingRequest request;
    request.normalise = false;
    std::vector<std::vector<float>> expected;
    for (const auto& member : entry->entry->at("sequences").as_object()) {
      const json::object& sequence = member.value().as_object();
      request.inputs.emplace_back(TokenPrompt{Ints(sequence.at("tokens"))});
      expected.push_back(
          testing::ReadNpy<float>(sequence, name == "bert-cls-F32" ? "embedding_cls" : "embedding_mean"));
    }
    std::promise<Result<EmbeddingAnswer>> promise;
    generator->Embed(request, [&](Result<EmbeddingAnswer> answer) { promise.set_value(std::move(answer)); });
    const auto answer = promise.get_future().get();
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(answer->prompt_tokens, 148);
    ASSERT_EQ(answer->vectors.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      for (size_t j = 0; j < expected[i].size(); ++j) {
        ASSERT_NEAR(answer->vectors[i][j], expected[i][j], 0.01);
      }
    }
    EXPECT_EQ(AskAndWait(*generator, TextRequest("a", 5))->status().error().code, Code::kUnimplemented);
    EXPECT_TRUE(testing::BecomesIdle(*generator));
  }
}

TEST(GoldenService, RanksWithAHead) {
  if (!HasData()) {
    GTEST_SKIP() << "no shared data: set ATELIER_SHARED_DATA";
  }
  auto files = ReadModelFiles(GoldenFolder() / "models" / "bert-cls-F32.gguf");
  ASSERT_TRUE(files.ok()) << files.error().message;
  const auto plain = files->weights;
  auto ranker = std::make_shared<MemoryFile>();
  for (const auto& [key, value] : plain->metadata()) {
    ranker->Set(key, value);
  }
  for (const auto& [key, tensor] : plain->tensors()) {
    ranker->AddTensor(key, tensor);
  }
  std::vector<float> head(48);
  for (size_t i = 0; i < head.size(); ++i) {
    head[i] = i % 3 == 0 ? 0.5F : -0.2F;
  }
  ranker->AddFloats("cls.weight", {1, 48}, head);
  ranker->AddFloats("cls.bias", {1}, {0.1F});
  files->weights = ranker;
  const auto generator = MakeGenerator(std::move(*files), testing::SmallOptions(), testing::TestClock());
  ASSERT_TRUE(generator.ok()) << generator.error().message;
  EXPECT_TRUE((*generator)->description().reranks);
  const auto rank = [&](std::vector<std::string> documents) {
    std::promise<Result<RerankAnswer>> promise;
    (*generator)->Rerank({.query = "the fox", .documents = std::move(documents)}, [&](Result<RerankAnswer> answer) {
      promise.set_value(std::move(answer));
    });
    return promise.get_future().get();
  };
  const auto answer = rank({"the quick brown fox", "rain", "the quick brown fox"});
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  ASSERT_EQ(answer->scores.size(), 3);
  EXPECT_EQ(answer->scores[0], answer->scores[2]);
  EXPECT_NE(answer->scores[0], answer->scores[1]);
  EXPECT_GT(answer->scores[0], 0);
  EXPECT_LT(answer->scores[0], 1);
  EXPECT_EQ(rank({"rain"})->scores[0], answer->scores[1]);
  EXPECT_EQ(rank({}).error().param, "documents");
  const auto long_word = rank({std::string(3000, 'x') + " y"});
  ASSERT_FALSE(long_word.ok());
  EXPECT_EQ(long_word.error().reason, "context_length_exceeded");
  EXPECT_EQ(long_word.error().param, "documents[0]");
}

TEST_F(StoriesTest, EmbedsBesideAnswers) {
  const auto story = Ask(*generator_, TextRequest("", 200));
  EmbeddingRequest request;
  request.inputs = {TextPrompt{"Once upon a time"}, TextPrompt{"The dog"}, TextPrompt{"Once upon a time"}};
  request.dimensions = 16;
  std::promise<Result<EmbeddingAnswer>> promise;
  generator_->Embed(request, [&](Result<EmbeddingAnswer> answer) { promise.set_value(std::move(answer)); });
  const auto answer = promise.get_future().get();
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->vectors[0], answer->vectors[2]);
  EXPECT_NE(answer->vectors[0], answer->vectors[1]);
  double length = 0;
  for (const float x : answer->vectors[0]) {
    length += static_cast<double>(x) * x;
  }
  EXPECT_NEAR(length, 1, 1e-4);
  EXPECT_EQ(answer->vectors[0].size(), 16);
  story->Wait();
  EXPECT_TRUE(story->answer().content.starts_with("Once upon a time, there was a little girl named Lily."));
}

}  // namespace
}  // namespace atelier::engine
