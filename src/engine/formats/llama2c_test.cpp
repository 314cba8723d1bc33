#include "engine/formats/llama2c.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "base/testing/shared_data.h"
#include "engine/model.h"
#include "engine/testing/golden.h"

namespace atelier::engine {
namespace {

std::filesystem::path Stories() { return SharedData() / "weights" / "llama2c_stories260K"; }

// The text of tokens, without the space before the first word.
std::string Text(const MemoryFile& file, const std::vector<int32_t>& tokens) {
  const auto pieces = *file.Texts("tokenizer.ggml.tokens");
  std::string text;
  for (const int32_t token : tokens) {
    text += pieces[static_cast<size_t>(token)];
  }
  for (size_t at = text.find("\xE2\x96\x81"); at != std::string::npos; at = text.find("\xE2\x96\x81")) {
    text.replace(at, 3, " ");
  }
  return text.starts_with(' ') ? text.substr(1) : text;
}

TEST(Llama2c, TellsItsStory) {
  if (!std::filesystem::exists(Stories())) {
    GTEST_SKIP() << "no shared data: set ATELIER_SHARED_DATA";
  }
  const auto file = ReadLlama2c(Stories() / "stories260K.bin", Stories() / "tok512.bin");
  ASSERT_TRUE(file.ok()) << file.error().message;
  const auto model = Model::Load(*file, {.threads = 2, .kv_bytes = 16U << 20U});
  ASSERT_TRUE(model.ok()) << model.error().message;
  const auto sequence = (*model)->cache().NewSequence();
  std::vector<int32_t> story;
  StepOutput output;
  for (int32_t token = 1; story.size() < 60;) {
    const StepItem item{sequence.get(), {&token, 1}, OutputKind::kLogits, 0};
    ASSERT_TRUE((*model)->Step({&item, 1}, output).ok());
    const auto logits = output.Row(0, 0);
    token = static_cast<int32_t>(std::ranges::max_element(logits) - logits.begin());
    story.push_back(token);
  }
  EXPECT_TRUE(Text(**file, story).starts_with("Once upon a time, there was a little girl named Lily"))
      << Text(**file, story);
}

class Llama2cFile : public ::testing::Test {
 protected:
  // A checkpoint of the numbers, `floats` behind them.
  std::filesystem::path Write(const std::vector<int32_t>& header, size_t floats) {
    std::ofstream stream(file_, std::ios::binary);
    stream.write(reinterpret_cast<const char*>(header.data()), static_cast<std::streamsize>(header.size() * 4));
    const std::vector<float> zeros(floats);
    stream.write(reinterpret_cast<const char*>(zeros.data()), static_cast<std::streamsize>(floats * 4));
    return file_;
  }
  void TearDown() override { std::filesystem::remove(file_); }

  std::filesystem::path file_ = std::filesystem::temp_directory_path() /
                                ("llama2c_" + std::to_string(::testing::UnitTest::GetInstance()->random_seed()) + "_" +
                                 ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

// dim 4, hidden 6, 1 layer, 2 heads, 1 key head, 5 tokens, 3 positions.
constexpr size_t kFloats = 5 * 4 + 4 + 16 + 8 + 8 + 16 + 4 + 24 + 24 + 24 + 4 + 3 + 3;

TEST_F(Llama2cFile, TakesExactlyItsSize) {
  EXPECT_TRUE(ReadLlama2c(Write({4, 6, 1, 2, 1, 5, 3}, kFloats), "").ok());
  EXPECT_TRUE(ReadLlama2c(Write({4, 6, 1, 2, 1, -5, 3}, kFloats + 20), "").ok());
  const auto shorter = ReadLlama2c(Write({4, 6, 1, 2, 1, 5, 3}, kFloats - 1), "");
  ASSERT_FALSE(shorter.ok());
  EXPECT_NE(shorter.error().message.find("freq_cis_imag"), std::string::npos) << shorter.error().message;
  EXPECT_FALSE(ReadLlama2c(Write({4, 6, 1, 2, 1, 5, 3}, kFloats + 1), "").ok());
  EXPECT_FALSE(ReadLlama2c(Write({4, 6, 1}, 0), "").ok());
}

TEST_F(Llama2cFile, RefusesBadNumbersByName) {
  const std::vector<int32_t> good{4, 6, 1, 2, 1, 5, 3};
  const std::vector<std::string> names{"dim",        "hidden_dim", "n_layers", "n_heads",
                                       "n_kv_heads", "vocab_size", "seq_len"};
  for (size_t i = 0; i < good.size(); ++i) {
    for (const int32_t bad : {0, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()}) {
      auto header = good;
      header[i] = bad;
      const auto file = ReadLlama2c(Write(header, kFloats), "");
      ASSERT_FALSE(file.ok());
      EXPECT_EQ(file.error().reason, "invalid_model_file");
      EXPECT_NE(file.error().message.find(names[i]), std::string::npos) << file.error().message;
    }
  }
  EXPECT_FALSE(ReadLlama2c(Write({4, 6, 1, 3, 1, 5, 3}, kFloats), "").ok());  // 3 heads of 4 dimensions
}

}  // namespace
}  // namespace atelier::engine
