#include "engine/importing/import.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/testing/shared_data.h"
#include "tensor/gguf_writer.h"

namespace atelier::engine {
namespace {

namespace fs = std::filesystem;

class ImportTest : public ::testing::Test {
 protected:
  ImportTest() {
    char name[] = "/tmp/import-test-XXXXXX";
    folder_ = mkdtemp(name);
    fs::create_directory(folder_ / "work");
  }
  ~ImportTest() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  ModelSource Write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return {name, folder_ / name};
  }
  static std::string Bytes(const tensor::GgufMetadata& metadata,
                           const std::map<std::string, tensor::GgufTensor, std::less<>>& tensors) {
    std::string bytes;
    const auto status = tensor::WriteGguf(metadata, tensors, [&](std::span<const std::byte> more) -> Status {
      bytes.append(reinterpret_cast<const char*>(more.data()), more.size());
      return {};
    });
    EXPECT_TRUE(status.ok()) << status.error().message;
    return bytes;
  }
  Result<ImportedModel> Import(const std::vector<ModelSource>& sources) {
    return ImportModel(sources, folder_ / "work", 1, clock_);
  }

  fs::path folder_;
  SystemClock clock_;
};

TEST_F(ImportTest, TurnsALlama2cCheckpointIntoAGgufFileThatImportsAgain) {
  const fs::path stories = SharedData() / "weights" / "llama2c_stories260K";
  if (!fs::exists(stories)) {
    GTEST_SKIP() << "no shared data: set ATELIER_SHARED_DATA";
  }
  const auto model =
      Import({{"data/tok512.bin", stories / "tok512.bin"}, {"stories260K.bin", stories / "stories260K.bin"}});
  ASSERT_TRUE(model.ok()) << model.error().message;
  ASSERT_EQ(model->files.size(), 1U);
  const auto& [name, file] = *model->files.begin();
  EXPECT_EQ(name, "stories260K.gguf");
  EXPECT_EQ(GetString(model->metadata, "family"), "llm");
  EXPECT_EQ(GetString(model->metadata, "task"), "text-generation");
  EXPECT_EQ(GetString(model->metadata, "architecture"), "llama");
  EXPECT_EQ(GetString(model->metadata, "quantisation"), "F32");
  EXPECT_EQ(GetString(model->metadata, "format"), "llama2c");
  EXPECT_EQ(GetInt(model->metadata, "context"), 512);
  EXPECT_NEAR(static_cast<double>(GetInt(model->metadata, "parameters")), 260e3, 40e3);

  fs::create_directory(folder_ / "again");
  const auto again =
      ImportModel({{"some folder/st\xC3\xB6ry", std::get<fs::path>(file)}}, folder_ / "again", 1, clock_);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->files.begin()->first, "st__ry.gguf");
  EXPECT_EQ(std::get<size_t>(again->files.begin()->second), 0U);
  EXPECT_EQ(GetString(again->metadata, "fingerprint"), GetString(model->metadata, "fingerprint"));
}

// The parts of a split model: the first has the keys, each some of the tensors.
TEST_F(ImportTest, TakesAllPartsOfASplitModelAsOne) {
  const fs::path whole = SharedData() / "golden" / "llm" / "models" / "qwen2-F32.gguf";
  if (!fs::exists(whole)) {
    GTEST_SKIP() << "no shared data: set ATELIER_SHARED_DATA";
  }
  const auto file = tensor::GgufFile::Open(whole);
  ASSERT_TRUE(file.ok()) << file.error().message;
  std::vector<ModelSource> parts;
  const size_t count = (*file)->tensors().size();
  for (uint64_t part = 0; part < 2; ++part) {
    tensor::GgufMetadata metadata;
    if (part == 0) {
      metadata = (*file)->metadata();
    }
    metadata["split.no"] = {part, tensor::GgufType::kU16};
    metadata["split.count"] = {uint64_t{2}, tensor::GgufType::kU16};
    metadata["split.tensors.count"] = {static_cast<int64_t>(count), tensor::GgufType::kI32};
    std::map<std::string, tensor::GgufTensor, std::less<>> tensors;
    for (const auto& [name, tensor] : (*file)->tensors()) {
      if (name.starts_with("blk.1") == (part == 1)) {
        tensors.emplace(name, tensor);
      }
    }
    parts.push_back(Write("m-0000" + std::to_string(part + 1) + "-of-00002.gguf", Bytes(metadata, tensors)));
  }
  const auto model = Import({parts[1], parts[0]});
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->files.size(), 2U);
  EXPECT_EQ(GetString(model->metadata, "architecture"), "qwen2");
  fs::remove_all(folder_ / "work");
  fs::create_directory(folder_ / "work");
  EXPECT_FALSE(Import({parts[0]}).ok());
}

TEST_F(ImportTest, RefusesWhatIsNoModel) {
  const auto none = Import({Write("a.txt", "hello")});
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().reason, "invalid_model_file");
  EXPECT_EQ(none.error().param, "files");
  EXPECT_FALSE(Import({}).ok());
  EXPECT_FALSE(Import({Write("a.bin", "hello"), Write("b.bin", "more than hello")}).ok());
  EXPECT_FALSE(Import({Write("a.gguf", "GGUF"), Write("b.bin", "x")}).ok());
}

TEST_F(ImportTest, ABrokenGgufFileIsRefusedByName) {
  const auto cut = Import({Write("cut.gguf", std::string("GGUF\x03\0\0\0", 8))});
  ASSERT_FALSE(cut.ok());
  EXPECT_EQ(cut.error().code, Code::kInvalidArgument);
  EXPECT_EQ(cut.error().reason, "invalid_model_file");
}

}  // namespace
}  // namespace atelier::engine
