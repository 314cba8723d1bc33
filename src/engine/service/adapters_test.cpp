// Adapters of a running model: named by requests, loaded and dropped while it answers.
#include "engine/service/adapters.h"

#include <gtest/gtest.h>

#include <fstream>
#include <future>

#include "engine/service/testing/service.h"
#include "engine/testing/small_adapter.h"
#include "storage/test_folder.h"
#include "tensor/gguf_writer.h"

namespace atelier::engine {
namespace {

using testing::Ask;
using testing::AskAndWait;
using testing::TextRequest;

const std::string kPrompt = "Once upon a time, there was a little dog. He had a big red ball and a small blue car.";
const std::vector<std::string> kMatrices{"attn_q", "attn_v", "ffn_down"};

class AdaptersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    generator_ = testing::OpenStories();
    if (generator_ == nullptr) {
      GTEST_SKIP() << "no shared data: set ATELIER_SHARED_DATA";
    }
    model_ = std::move(*ReadLlama2c(testing::Stories() / "stories260K.bin", testing::Stories() / "tok512.bin"));
  }

  std::filesystem::path Write(const tensor::GgufFile& file, const std::string& name) {
    const auto path = folder_.path() / name;
    std::ofstream stream(path, std::ios::binary);
    const auto status =
        tensor::WriteGguf(file.metadata(), file.tensors(), [&](std::span<const std::byte> bytes) -> Status {
          stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
          return {};
        });
    EXPECT_TRUE(status.ok()) << status.error().message;
    return path;
  }
  void Load(const std::string& name, uint32_t seed) {
    const auto loaded =
        generator_->LoadAdapter(name, Write(*testing::RandomAdapter(*model_, kMatrices, seed), name + ".gguf"));
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    EXPECT_EQ(loaded->rank, 3);
    EXPECT_GT(loaded->bytes, 10'000);
  }
  static GenerationRequest Request(const std::string& adapter, int32_t tokens = 40) {
    auto request = TextRequest(kPrompt, tokens);
    request.adapter = adapter;
    return request;
  }
  std::vector<int32_t> Tokens(Generator& generator, const std::string& adapter) {
    const auto told = AskAndWait(generator, Request(adapter));
    EXPECT_TRUE(told->status().ok()) << told->status().error().message;
    return told->answer().token_ids;
  }

  storage::TestFolder folder_;
  std::unique_ptr<Generator> generator_;
  std::shared_ptr<const tensor::GgufFile> model_;
};

TEST_F(AdaptersTest, SaysWhatTheMergedModelSaysAloneAndWithOthers) {
  std::map<std::string, std::vector<int32_t>> wanted{{"", Tokens(*generator_, "")}};
  for (uint32_t seed = 1; seed <= 3; ++seed) {
    const std::string name = "lora" + std::to_string(seed);
    Load(name, seed);
    const auto merged_file = testing::Merged(*model_, *testing::RandomAdapter(*model_, kMatrices, seed));
    const auto merged = testing::OpenFile(merged_file);
    ASSERT_NE(merged, nullptr);
    wanted[name] = Tokens(*merged, "");
    EXPECT_NE(wanted[name], wanted[""]);
    EXPECT_EQ(Tokens(*generator_, name), wanted[name]);
  }
  std::vector<std::pair<std::string, std::shared_ptr<testing::Collector>>> asked;
  for (int round = 0; round < 2; ++round) {
    for (const auto& [name, tokens] : wanted) {
      asked.emplace_back(name, Ask(*generator_, Request(name)));
    }
  }
  for (const auto& [name, sink] : asked) {
    sink->Wait();
    EXPECT_EQ(sink->answer().token_ids, wanted[name]) << name;
  }
}

TEST_F(AdaptersTest, FindsPrefixesOfTheSameAdapterOnly) {
  Load("one", 1);
  Load("two", 2);
  const auto cached = [&](const std::string& adapter) {
    return AskAndWait(*generator_, Request(adapter))->usage().cached_tokens;
  };
  for (const std::string name : {"", "one", "two"}) {
    EXPECT_EQ(cached(name), 0) << name;
  }
  for (const std::string name : {"", "one", "two"}) {
    EXPECT_GT(cached(name), 0) << name;
  }
  Load("one", 3);  // another of the same name
  EXPECT_EQ(cached("one"), 0);
}

TEST_F(AdaptersTest, WhatIsDroppedIsGoneForNewRequestsAndStaysForThoseUnderWay) {
  Load("one", 1);
  const auto wanted = Tokens(*generator_, "one");
  const auto running = Ask(*generator_, Request("one"));
  running->WaitForDeltas(2);
  ASSERT_TRUE(generator_->UnloadAdapter("one").ok());
  const auto late = AskAndWait(*generator_, Request("one"));
  ASSERT_FALSE(late->status().ok());
  EXPECT_EQ(late->status().error().reason, "model_not_found");
  running->Wait();
  EXPECT_TRUE(running->status().ok());
  EXPECT_EQ(running->answer().token_ids, wanted);
  EXPECT_EQ(generator_->UnloadAdapter("one").error().reason, "adapter_not_found");
  Load("one", 1);
  EXPECT_EQ(Tokens(*generator_, "one"), wanted);
  EXPECT_TRUE(testing::BecomesIdle(*generator_));
}

TEST_F(AdaptersTest, LoadsAsManyAsItMayAndNothingThatIsBroken) {
  for (uint32_t i = 0; i < 8; ++i) {
    Load("lora" + std::to_string(i), i);
  }
  const auto ninth = Write(*testing::RandomAdapter(*model_, kMatrices, 9), "ninth.gguf");
  EXPECT_EQ(generator_->LoadAdapter("ninth", ninth).error().reason, "too_many_adapters");
  EXPECT_TRUE(generator_->LoadAdapter("lora3", ninth).ok());
  auto broken = testing::RandomAdapter(*model_, kMatrices, 1);
  broken->Remove("blk.2.attn_v.weight.lora_b");
  const auto refused = generator_->LoadAdapter("lora3", Write(*broken, "broken.gguf"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().param, "blk.2.attn_v.weight.lora_b");
  EXPECT_EQ(generator_->LoadAdapter("none", folder_.path() / "none.gguf").error().code, Code::kNotFound);
  EXPECT_EQ(generator_->LoadAdapter("", ninth).error().code, Code::kInvalidArgument);
  EXPECT_TRUE(AskAndWait(*generator_, Request("lora3", 3))->status().ok());
}

TEST_F(AdaptersTest, EmbedsWithAnAdapter) {
  Load("one", 1);
  const auto embed = [&](const std::string& adapter) {
    EmbeddingRequest request;
    request.inputs = {TextPrompt{kPrompt}};
    request.adapter = adapter;
    std::promise<Result<EmbeddingAnswer>> answer;
    generator_->Embed(std::move(request), [&](auto vectors) { answer.set_value(std::move(vectors)); });
    return answer.get_future().get();
  };
  EXPECT_NE(embed("one")->vectors, embed("")->vectors);
  EXPECT_EQ(embed("none").error().reason, "model_not_found");
}

}  // namespace
}  // namespace atelier::engine
