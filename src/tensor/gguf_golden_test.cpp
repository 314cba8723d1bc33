// The reader, on every model of the shared golden data.
#include <gmock/gmock.h>

#include "tensor/gguf.h"
#include "tensor/quants/formats.h"
#include "tensor/testing/shared_data.h"

namespace atelier::tensor {
namespace {

TEST(GgufGoldenTest, OpensEveryModel) {
  const auto models = testing::GoldenModels();
  if (models.empty()) {
    GTEST_SKIP() << "no shared data";
  }
  for (const auto& model : models) {
    auto file = GgufFile::Open(model);
    ASSERT_TRUE(file.ok()) << model << ": " << file.error().message;
    const GgufFile& gguf = **file;
    auto architecture = gguf.Text("general.architecture");
    ASSERT_TRUE(architecture.ok()) << model;
    EXPECT_GT(*gguf.Integer(*architecture + ".block_count"), 0) << model;
    auto tokens = gguf.Texts("tokenizer.ggml.tokens");
    ASSERT_TRUE(tokens.ok()) << model;
    const GgufTensor* embeddings = gguf.Find("token_embd.weight");
    ASSERT_NE(embeddings, nullptr) << model;
    EXPECT_EQ(embeddings->shape, (std::vector<int64_t>{static_cast<int64_t>(tokens->size()),
                                                       *gguf.Integer(*architecture + ".embedding_length")}))
        << model;
  }
}

}  // namespace
}  // namespace atelier::tensor
