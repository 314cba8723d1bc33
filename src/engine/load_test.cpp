// Files that cannot be run are refused, naming the key or the tensor.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "engine/model.h"
#include "engine/testing/random_model.h"

namespace atelier::engine {
namespace {

using Change = std::function<void(MemoryFile&)>;

Error LoadError(const Change& change) {
  const auto file = testing::SmallFile("llama");
  EXPECT_TRUE(testing::Complete(file, {.kv_bytes = 1U << 20U}).ok());
  change(*file);
  const auto model = Model::Load(file, {.kv_bytes = 1U << 20U});
  EXPECT_FALSE(model.ok());
  return model.ok() ? Error{} : model.error();
}

TEST(Load, RefusesUnknownArchitecturesByName) {
  const auto error = LoadError([](MemoryFile& file) { file.SetText("general.architecture", "mamba"); });
  EXPECT_EQ(error.code, Code::kUnimplemented);
  EXPECT_EQ(error.reason, "unsupported_architecture");
  EXPECT_NE(error.message.find("'mamba'"), std::string::npos) << error.message;
}

TEST(Load, RefusesBadNumbersNamingTheKey) {
  const uint64_t huge = std::numeric_limits<int64_t>::max();
  const struct {
    const char* key;
    std::vector<uint64_t> values;
  } rows[] = {{"llama.embedding_length", {0, huge}},
              {"llama.block_count", {0, 100000, huge}},
              {"llama.context_length", {0, huge}},
              {"llama.feed_forward_length", {0, huge}},
              {"llama.attention.head_count", {0, 5000, huge}},
              {"llama.attention.head_count_kv", {0, 3, 5, huge}},
              {"llama.attention.key_length", {0, huge}},
              {"llama.attention.value_length", {0, huge}},
              {"llama.rope.dimension_count", {0, 1, 7, 10, huge}},
              {"llama.rope.freq_base", {0, 1}},
              {"llama.expert_count", {huge}},
              {"llama.pooling_type", {9}}};
  for (const auto& row : rows) {
    for (const uint64_t value : row.values) {
      const auto error = LoadError([&](MemoryFile& file) { file.SetInteger(row.key, value); });
      EXPECT_EQ(error.code, Code::kInvalidArgument) << row.key << " = " << value;
      EXPECT_EQ(error.reason, "invalid_model_file");
      EXPECT_EQ(error.param, row.key) << error.message;
    }
    const auto error = LoadError([&](MemoryFile& file) { file.SetText(row.key, "text"); });
    EXPECT_EQ(error.param, row.key) << error.message;
  }
  const auto nan = LoadError([](MemoryFile& file) {
    file.SetNumber("llama.attention.layer_norm_rms_epsilon", std::numeric_limits<double>::quiet_NaN());
  });
  EXPECT_EQ(nan.param, "llama.attention.layer_norm_rms_epsilon");
  const auto scaling = LoadError([](MemoryFile& file) { file.SetText("llama.rope.scaling.type", "other"); });
  EXPECT_EQ(scaling.code, Code::kUnimplemented);
}

TEST(Load, RefusesSizesThatDoNotFitTheTensors) {
  const std::pair<const char*, uint64_t> rows[] = {
      {"llama.embedding_length", 32},       {"llama.block_count", 3},
      {"llama.feed_forward_length", 24},    {"llama.attention.head_count", 8},
      {"llama.attention.head_count_kv", 4}, {"llama.attention.key_length", 16},
      {"llama.attention.value_length", 4},  {"llama.expert_count", 2}};
  for (const auto& [key, value] : rows) {
    const auto error = LoadError([&, key = key, value = value](MemoryFile& file) {
      file.SetInteger(key, value);
      file.SetInteger("llama.expert_used_count", 1);
    });
    EXPECT_EQ(error.code, Code::kInvalidArgument) << key;
    EXPECT_TRUE(error.param.ends_with(".weight")) << key << ": " << error.message;
  }
}

TEST(Load, RefusesMissingMisshapenAndUselessTensorsByName) {
  std::vector<std::string> names;
  const auto whole = testing::SmallFile("llama");
  ASSERT_TRUE(testing::Complete(whole, {.kv_bytes = 1U << 20U}).ok());
  for (const auto& [name, tensor] : whole->tensors()) {
    const auto missing = LoadError([&, name = name](MemoryFile& file) { file.Remove(name); });
    EXPECT_EQ(missing.param, name) << missing.message;
    const auto misshapen = LoadError([&, name = name](MemoryFile& file) {
      file.AddFloats(name, {3, 5}, std::vector<float>(15));
    });
    EXPECT_EQ(misshapen.code, Code::kInvalidArgument);
    EXPECT_NE(misshapen.message.find(".weight'"), std::string::npos) << misshapen.message;
  }
  const auto useless = LoadError([](MemoryFile& file) { file.AddFloats("blk.0.surprise.weight", {1}, {1.0F}); });
  EXPECT_EQ(useless.code, Code::kUnimplemented);
  EXPECT_EQ(useless.param, "blk.0.surprise.weight");
}

TEST(Load, RefusesImpossibleOptions) {
  const auto file = testing::SmallFile("gpt2");
  ASSERT_TRUE(testing::Complete(file, {.kv_bytes = 1U << 20U}).ok());
  EXPECT_FALSE(Model::Load(file, {.threads = 0}).ok());
  EXPECT_FALSE(Model::Load(file, {.max_context = -1}).ok());
  EXPECT_FALSE(Model::Load(file, {.max_context = 129}).ok());  // it has learned 128 positions
  EXPECT_FALSE(Model::Load(file, {.kv_bytes = 100}).ok());
  EXPECT_FALSE(Model::Load(file, {.page_positions = 0}).ok());
  EXPECT_FALSE(Model::Load(file, {.max_step_tokens = 0}).ok());
}

}  // namespace
}  // namespace atelier::engine
