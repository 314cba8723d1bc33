#include "families/gpt/network.h"

#include <gmock/gmock.h>

#include "families/gpt/blocks.h"
#include "families/gpt/folder.h"
#include "families/gpt/weights.h"
#include "storage/test_folder.h"

namespace atelier::families::gpt {
namespace {

Shape Tiny(Kind kind, bool tied) {
  const bool llama = kind == Kind::kLlama;
  return {.kind = kind,
          .vocabulary = 30,
          .width = 16,
          .layers = 2,
          .heads = 4,
          .kv_heads = llama ? 2 : 4,
          .head = 4,
          .hidden = 20,
          .context = 12,
          .tied = tied};
}

torch::Tensor LogitsOf(Network& network, const torch::Tensor& tokens, const layers::AttentionMask& mask,
                       const torch::Tensor& positions = {}) {
  torch::NoGradGuard guard;
  network->eval();
  return network->Logits(network->States(tokens, mask, positions));
}

TEST(GptTest, CountsItsParameters) {
  for (const Kind kind : {Kind::kLlama, Kind::kGpt2}) {
    for (const bool tied : {false, true}) {
      const Shape shape = Tiny(kind, tied);
      int64_t count = 0;
      for (const auto& parameter : NetworkImpl(shape, 0).parameters()) {
        count += parameter.numel();
      }
      EXPECT_EQ(count, ParametersOf(shape));
    }
  }
}

TEST(GptTest, ReadsItsConfigBack) {
  for (const Kind kind : {Kind::kLlama, Kind::kGpt2}) {
    const Shape shape = Tiny(kind, true);
    const auto back = ShapeFromConfig(ToConfig(shape));
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(*back, shape);
  }
  const auto refused = [](std::string_view key, json::value value) {
    json::object config = ToConfig(Tiny(Kind::kLlama, true));
    config[key] = std::move(value);
    return ShapeFromConfig(config).error();
  };
  EXPECT_EQ(refused("model_type", "bert").code, Code::kUnimplemented);
  EXPECT_EQ(refused("rope_scaling", json::object{{"type", "linear"}}).param, "rope_scaling");
  EXPECT_EQ(refused("attention_bias", true).param, "attention_bias");
  EXPECT_EQ(refused("num_key_value_heads", 3).param, "num_key_value_heads");
  EXPECT_EQ(refused("head_dim", 5).param, "head_dim");
  EXPECT_EQ(refused("hidden_size", -1).param, "hidden_size");
  EXPECT_EQ(refused("num_hidden_layers", 1e300).code, Code::kInvalidArgument);
}

// What one sequence of a packed row sees is what it sees alone.
TEST(GptTest, PacksWithoutMixing) {
  for (const Kind kind : {Kind::kLlama, Kind::kGpt2}) {
    torch::manual_seed(1);
    Network network(Tiny(kind, false), 0);
    const Sequence a{{3, 4, 5, 6}, {true, true, true, true}};
    const Sequence b{{7, 8, 9}, {true, true, true}};
    const std::vector<int64_t> first{0};
    const BlockBatch both = Gather(Pack({a, b}, 8), first);
    const BlockBatch alone = Gather(Pack({b}, 8), first);
    const auto together = LogitsOf(network, both.inputs, {.causal = true, .segments = both.segments}, both.positions);
    const auto single = LogitsOf(network, alone.inputs, {.causal = true, .segments = alone.segments}, alone.positions);
    EXPECT_TRUE(torch::allclose(together[0].slice(0, 3, 5), single[0].slice(0, 0, 2), 1e-4, 1e-5));
  }
}

TEST(GptTest, WritesAFolderThatItReads) {
  for (const Kind kind : {Kind::kLlama, Kind::kGpt2}) {
    const storage::TestFolder folder;
    auto blobs = storage::OpenFolderBlobStore(folder.path()).value();
    torch::manual_seed(2);
    Network network(Tiny(kind, false), 0);
    for (auto& parameter : network->parameters()) {
      torch::NoGradGuard guard;
      parameter.normal_();
    }
    auto language = ReadLanguage({R"({"model":{"type":"BPE","vocab":{"a":0,"b":1,"<s>":2},"merges":[]},)"
                                  R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false}})",
                                  R"({"eos_token":"<s>","chat_template":"{{ messages[0].content }}"})"});
    ASSERT_TRUE(language.ok()) << language.error().message;
    const auto stored = StoreModel(*network, *language, *blobs);
    ASSERT_TRUE(stored.ok()) << stored.error().message;
    ModelFiles files;
    for (const auto& [name, blob] : *stored) {
      files[name] = blobs->LocalPath(blob.sha256).value();
    }
    const auto opened = OpenModel(files);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    EXPECT_EQ(opened->shape, network->shape());
    EXPECT_EQ(opened->language.chat_template, "{{ messages[0].content }}");
    EXPECT_EQ(opened->language.tokenizer->spec().eos, 2);
    Network again(opened->shape, 0);
    const auto read = ReadWeights(files, *again);
    ASSERT_TRUE(read.ok()) << read.error().message;
    for (const auto& item : network->named_parameters()) {
      EXPECT_TRUE(torch::equal(item.value(), again->named_parameters()[item.key()])) << item.key();
    }
    Shape other = opened->shape;
    other.hidden = 24;
    Network wrong(other, 0);
    EXPECT_EQ(ReadWeights(files, *wrong).error().reason, "invalid_model_file");
  }
}

}  // namespace
}  // namespace atelier::families::gpt
