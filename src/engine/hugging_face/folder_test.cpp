// Folders that are no models, and what is said of them.
#include <gmock/gmock.h>

#include <fstream>

#include "base/clock.h"
#include "engine/hugging_face/export_folder.h"
#include "engine/hugging_face/testing/folders.h"
#include "engine/testing/golden.h"
#include "tensor/safetensors.h"

namespace atelier::engine::hugging_face {
namespace {

namespace fs = std::filesystem;
using engine::testing::ReadText;
using ::testing::HasSubstr;

class FolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const fs::path golden = engine::testing::GoldenFolder() / "models" / "qwen3-F32.gguf";
    if (!fs::exists(golden)) {
      GTEST_SKIP() << "no shared data: set ATELIER_SHARED_DATA";
    }
    const auto file = tensor::GgufFile::Open(golden);
    ASSERT_TRUE(file.ok()) << file.error().message;
    const Status exported = ExportFolder(**file, folder_.model(), {});
    ASSERT_TRUE(exported.ok()) << exported.error().message;
  }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.model() / name, std::ios::binary) << text;
  }
  void Remove(const std::string& name) { fs::remove(folder_.model() / name); }
  json::object Json(const std::string& name) {
    return ParseJson(ReadText(folder_.model() / name)).value().get_object();
  }
  void SetConfig(const std::string& key, const json::value& value) {
    json::object config = Json("config.json");
    config[key] = value;
    Write("config.json", json::serialize(config));
  }
  // The weights, changed.
  void Rewrite(const std::function<void(std::map<std::string, tensor::View>&)>& change) {
    const fs::path path = folder_.model() / "model.safetensors";
    const auto file = tensor::SafetensorsFile::Open(path);
    ASSERT_TRUE(file.ok()) << file.error().message;
    auto tensors = (*file)->tensors();
    change(tensors);
    std::string bytes;
    const auto status = tensor::WriteSafetensors(tensors, {}, [&](std::span<const std::byte> more) -> Status {
      bytes.append(reinterpret_cast<const char*>(more.data()), more.size());
      return {};
    });
    ASSERT_TRUE(status.ok()) << status.error().message;
    fs::remove(path);  // the map keeps the old one
    Write("model.safetensors", bytes);
  }
  Result<ImportedModel> Import() {
    fs::remove_all(folder_.work());
    fs::create_directory(folder_.work());
    return ImportModel(testing::SourcesOf(folder_.model()), folder_.work(), 1, clock_);
  }
  void ExpectRefused(const std::string& message, const std::string& reason = "invalid_model_file") {
    const auto model = Import();
    ASSERT_FALSE(model.ok()) << message;
    EXPECT_THAT(model.error().message, HasSubstr(message));
    EXPECT_EQ(model.error().reason, reason) << model.error().message;
  }

  testing::TemporaryFolder folder_;
  SystemClock clock_;
};

constexpr const char* kQuery = "model.layers.1.self_attn.q_proj.weight";

TEST_F(FolderTest, IsAModelAsItIs) {
  const auto model = Import();
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(GetString(model->metadata, "architecture"), "qwen3");
}

TEST_F(FolderTest, RefusesOtherArchitecturesAndSettingsByName) {
  SetConfig("model_type", "nobody");
  ExpectRefused("nobody", "unsupported_architecture");
  SetConfig("model_type", "qwen3");
  SetConfig("hidden_act", "relu");
  ExpectRefused("hidden_act", "unsupported_model");
  SetConfig("hidden_act", "silu");
  SetConfig("rope_scaling", json::object{{"rope_type", "new"}, {"factor", 2}});
  ExpectRefused("rope_type", "unsupported_model");
  SetConfig("rope_scaling", nullptr);
  SetConfig("num_attention_heads", 0);
  ExpectRefused("num_attention_heads", "unsupported_model");
  SetConfig("num_attention_heads", "three");
  ExpectRefused("num_attention_heads", "invalid_value");
  Write("config.json", "{");
  ExpectRefused("config.json", "invalid_json");
}

TEST_F(FolderTest, NamesTheTensorThatDoesNotFit) {
  Rewrite([](auto& tensors) { tensors.erase(kQuery); });
  ExpectRefused(kQuery);
  Rewrite([](auto& tensors) { tensors["model.layers.0.extra.weight"] = tensors.begin()->second; });
  ExpectRefused("model.layers.0.extra.weight");
}

TEST_F(FolderTest, NamesTheTensorOfAnotherTypeOrShape) {
  Rewrite([](auto& tensors) { tensors[kQuery].type = tensor::DataType::kI32; });
  ExpectRefused(kQuery);
  Rewrite([](auto& tensors) {
    tensors[kQuery].type = tensor::DataType::kF32;
    std::swap(tensors[kQuery].shape[0], tensors[kQuery].shape[1]);
  });
  ExpectRefused(kQuery);
}

TEST_F(FolderTest, ReadsNothingOutsideOfTheFolder) {
  const auto index = [](const std::string& file) {
    return json::serialize(json::object{{"weight_map", {{kQuery, file}}}});
  };
  for (const char* file : {"../model.safetensors", "/etc/passwd", "a/b.safetensors", "", ".."}) {
    Write("model.safetensors.index.json", index(file));
    ExpectRefused(kQuery);
  }
  Write("model.safetensors.index.json", index("model-00001-of-00002.safetensors"));
  ExpectRefused("model-00001-of-00002.safetensors");
  Write("model.safetensors.index.json", index("model.safetensors"));
  ExpectRefused("is not in model.safetensors.index.json");
  Write("model.safetensors.index.json", "{}");
  ExpectRefused("weight_map");
}

TEST_F(FolderTest, NeedsWeightsThatAreNotPickledAndATokeniser) {
  Remove("tokenizer.json");
  ExpectRefused("tokenizer.json", "invalid_tokenizer");
  Remove("model.safetensors");
  Write("pytorch_model.bin", "pickle");
  ExpectRefused("pickled");
}

TEST_F(FolderTest, TakesTheTemplateOfItsOwnFileFirst) {
  json::object config = Json("tokenizer_config.json");
  config["chat_template"] = json::array{json::object{{"name", "default"}, {"template", "{{ messages }}"}}};
  Write("tokenizer_config.json", json::serialize(config));
  auto model = Import();
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_TRUE(GetBool(model->metadata, "chat_template"));
  Write("chat_template.jinja", "{{ messages[0].content }}");
  model = Import();
  ASSERT_TRUE(model.ok()) << model.error().message;
  const auto file = tensor::GgufFile::Open(folder_.work() / "model.gguf");
  EXPECT_EQ((*file)->Text("tokenizer.chat_template").value(), "{{ messages[0].content }}");
}

}  // namespace
}  // namespace atelier::engine::hugging_face
