#include "engine/importing/adapter_import.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "engine/importing/peft.h"
#include "engine/model.h"
#include "engine/testing/random_model.h"
#include "engine/testing/small_adapter.h"
#include "storage/test_folder.h"
#include "tensor/quants/quants.h"
#include "tensor/safetensors.h"

namespace atelier::engine {
namespace {

namespace fs = std::filesystem;
using Floats = std::vector<float>;

struct Weight {
  std::vector<int64_t> shape;
  Floats values;
};

constexpr int64_t kWidth = 24, kQueries = 32, kKeys = 16, kHidden = 20;

// A base model as Complete makes it, as a file, and adapters for it.
class AdapterImportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    base_ = testing::SmallFile("llama");
    ASSERT_TRUE(testing::Complete(base_, {}).ok());
    ASSERT_TRUE(WriteGgufFile(*base_, folder_ / "base.gguf").ok());
    config_ = *ReadModelConfig(*base_);
    const std::string outer = "base_model.model.model.layers.";
    for (const auto& [module, rows, columns] :
         {std::tuple<const char*, int64_t, int64_t>{"0.self_attn.q_proj", kQueries, kWidth},
          {"1.self_attn.k_proj", kKeys, kWidth},
          {"1.self_attn.v_proj", kKeys, kWidth},
          {"0.mlp.down_proj", kWidth, kHidden}}) {
      weights_[outer + module + ".lora_A.weight"] = {{2, columns}, testing::RandomFloats(random_, 2 * columns, 0.2F)};
      weights_[outer + module + ".lora_B.weight"] = {{rows, 2}, testing::RandomFloats(random_, rows * 2, 0.2F)};
    }
  }

  void WritePeft(tensor::DataType type = tensor::DataType::kF32) {
    std::ofstream(folder_ / "adapter_config.json") << json::serialize(peft_);
    std::map<std::string, tensor::View> views;
    std::map<std::string, std::vector<std::byte>> halves;
    for (const auto& [name, weight] : weights_) {
      views[name] = {type, weight.shape, std::as_bytes(std::span(weight.values))};
      if (type == tensor::DataType::kBF16) {
        halves[name].resize(weight.values.size() * 2);
        ASSERT_TRUE(tensor::Quantise(tensor::GgmlType::kBF16, weight.values, halves[name]).ok());
        views[name].bytes = halves[name];
      }
    }
    std::ofstream stream(folder_ / "adapter_model.safetensors", std::ios::binary);
    ASSERT_TRUE(tensor::WriteSafetensors(views, {}, [&](std::span<const std::byte> bytes) -> Status {
                  stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
                  return {};
                }).ok());
  }
  Result<std::shared_ptr<const tensor::GgufFile>> Read() {
    return ReadPeft(folder_ / "adapter_config.json", folder_ / "adapter_model.safetensors", config_);
  }
  Result<ImportedModel> Import(const std::vector<std::string>& names) {
    std::vector<ModelSource> sources;
    for (const std::string& name : names) {
      sources.push_back({"some/" + name, folder_ / name});
    }
    EXPECT_TRUE(IsAdapterSource(sources));
    std::error_code ignored;
    fs::create_directory(folder_ / "work", ignored);
    return ImportAdapter(sources, folder_ / "base.gguf", folder_ / "work");
  }
  // What refused reading, "" if nothing did.
  std::string Refused() {
    WritePeft();
    const auto file = Read();
    return file.ok() ? "" : file.error().param;
  }
  Floats Get(const tensor::GgufFile& file, const std::string& name) {
    const auto* found = file.Find(name);
    EXPECT_NE(found, nullptr) << name;
    return found == nullptr ? Floats() : testing::FloatsOf(*found);
  }
  Weight& Of(const std::string& module) { return weights_.at("base_model.model.model.layers." + module + ".weight"); }

  storage::TestFolder folder_;
  std::mt19937 random_{3};
  std::shared_ptr<MemoryFile> base_;
  ModelConfig config_;
  std::map<std::string, Weight> weights_;
  json::object peft_{{"peft_type", "LORA"},
                     {"r", 2},
                     {"lora_alpha", 6},
                     {"bias", "none"},
                     {"use_dora", false},
                     {"task_type", "CAUSAL_LM"},
                     {"modules_to_save", nullptr},
                     {"init_lora_weights", true},
                     {"base_model_name_or_path", "someone/base"},
                     {"target_modules", json::array{"q_proj", "v_proj"}}};
};

TEST_F(AdapterImportTest, APeftFolderSaysWhatItsGgufAdapterSays) {
  WritePeft();
  const auto imported = Import({"adapter_config.json", "adapter_model.safetensors"});
  ASSERT_TRUE(imported.ok()) << imported.error().message;
  EXPECT_EQ(GetString(imported->metadata, "family"), "llm-adapter");
  EXPECT_EQ(GetString(imported->metadata, "format"), "peft");
  EXPECT_EQ(imported->metadata.at("rank").to_number<int>(), 2);
  EXPECT_EQ(imported->metadata.at("matrices").to_number<int>(), 4);
  const auto made = tensor::GgufFile::Open(std::get<fs::path>(imported->files.at("adapter.gguf")));
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_EQ(*(*made)->Number("adapter.lora.alpha"), 6);
  EXPECT_EQ(Get(**made, "blk.0.ffn_down.weight.lora_b"), Of("0.mlp.down_proj.lora_B").values);
  EXPECT_EQ(Get(**made, "blk.1.attn_v.weight.lora_a"), Of("1.self_attn.v_proj.lora_A").values);
  // Row 2i + s of each head was row i + 4s: heads are of 8.
  const Floats from = Of("0.self_attn.q_proj.lora_B").values;
  const Floats to = Get(**made, "blk.0.attn_q.weight.lora_b");
  for (size_t row = 0; row < kQueries; ++row) {
    const size_t source = row / 8 * 8 + row % 2 * 4 + row % 8 / 2;
    EXPECT_EQ(to[row * 2 + 1], from[source * 2 + 1]) << row;
  }
  EXPECT_NE(Get(**made, "blk.1.attn_k.weight.lora_b"), Of("1.self_attn.k_proj.lora_B").values);

  // What was made is an adapter that can be given again.
  fs::rename(folder_ / "work" / "adapter.gguf", folder_ / "again.gguf");
  const auto again = Import({"again.gguf"});
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(std::get<size_t>(again->files.at("adapter.gguf")), 0U);
  EXPECT_EQ(GetString(again->metadata, "format"), "gguf");
}

TEST_F(AdapterImportTest, ScalesByRankItsRootAndByModule) {
  const std::string name = "blk.0.ffn_down.weight.lora_b";
  const float first = Of("0.mlp.down_proj.lora_B").values.front();
  peft_["use_rslora"] = true;
  WritePeft();
  EXPECT_FLOAT_EQ(Get(**Read(), name).front(), first * std::sqrt(2.0F));  // alpha / rank * that: alpha / sqrt(rank)
  peft_["use_rslora"] = false;
  peft_["alpha_pattern"] = {{"mlp.down_proj", 3}};
  WritePeft();
  EXPECT_FLOAT_EQ(Get(**Read(), name).front(), first / 2);
  EXPECT_EQ(Get(**Read(), "blk.1.attn_v.weight.lora_b"), Of("1.self_attn.v_proj.lora_B").values);
  peft_["alpha_pattern"] = {{"mlp\\..*", 3}};
  EXPECT_EQ(Refused(), "alpha_pattern");
  peft_.erase("alpha_pattern");
  Of("0.mlp.down_proj.lora_A") = {{1, kHidden}, Floats(kHidden, 0.5F)};
  Of("0.mlp.down_proj.lora_B") = {{kWidth, 1}, Floats(kWidth, 0.25F)};
  EXPECT_EQ(Refused(), "base_model.model.model.layers.0.mlp.down_proj.lora_A.weight");
  peft_["rank_pattern"] = {{"down_proj", 1}};
  EXPECT_EQ(Refused(), "");
  WritePeft(tensor::DataType::kBF16);
  EXPECT_EQ(Get(**Read(), name), Floats(kWidth, 0.25F));
}

TEST_F(AdapterImportTest, RefusesWhatItCannotUseByName) {
  const json::object good = peft_;
  for (const auto& [key, value] : json::object{{"peft_type", "IA3"},
                                               {"use_dora", true},
                                               {"modules_to_save", json::array{"lm_head"}},
                                               {"bias", "all"},
                                               {"init_lora_weights", "pissa_niter_4"},
                                               {"r", 0},
                                               {"lora_alpha", 0},
                                               {"rank_pattern", 7}}) {
    peft_[key] = value;
    EXPECT_EQ(Refused(), key);
    peft_ = good;
  }
  EXPECT_EQ(Refused(), "");
  const auto weights = weights_;
  for (const std::string name :
       {"base_model.model.model.embed_tokens.lora_embedding_A", "base_model.model.model.layers.0.mlp.lora_A.weight",
        "base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector", "x.lora_A.weight",
        "base_model.model.model.layers.x.self_attn.q_proj.lora_A.weight", "base_model.model.lora_A.weight",
        "base_model.model.model.layers.0.self_attn.q_proj.lora_B.bias"}) {
    weights_[name] = {{2, 2}, Floats(4, 1.0F)};
    EXPECT_EQ(Refused(), name);
    weights_ = weights;
  }
  Of("0.self_attn.q_proj.lora_B") = {{kQueries - 1, 2}, Floats(2 * (kQueries - 1), 1.0F)};
  EXPECT_EQ(Refused(), "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight");
  weights_ = weights;
  Of("0.mlp.down_proj.lora_B") = {{kWidth + 1, 2}, Floats(2 * (kWidth + 1), 1.0F)};  // only the model knows
  WritePeft();
  EXPECT_EQ(Import({"adapter_config.json", "adapter_model.safetensors"}).error().param, "blk.0.ffn_down.weight.lora_b");
}

TEST_F(AdapterImportTest, RefusesFilesThatAreNoWholeAdapter) {
  WritePeft();
  std::ofstream(folder_ / "adapter_model.bin") << "pickle";
  for (const auto& names : {std::vector<std::string>{"adapter_config.json"},
                            {"adapter_model.safetensors"},
                            {"adapter_config.json", "adapter_model.bin"},
                            {"adapter_config.json", "adapter_model.safetensors", "base.gguf"}}) {
    EXPECT_EQ(Import(names).error().param, "files");
  }
  EXPECT_FALSE(IsAdapterSource({{"base.gguf", folder_ / "base.gguf"}}));
  EXPECT_FALSE(IsAdapterSource({}));
  std::ofstream(folder_ / "adapter_config.json") << "[1]";
  EXPECT_EQ(Read().error().param, "adapter_config.json");
  auto other = testing::RandomAdapter(*base_, {"attn_q"}, 1);
  other->SetText("general.architecture", "gemma2");
  ASSERT_TRUE(WriteGgufFile(*other, folder_ / "other.gguf").ok());
  EXPECT_EQ(Import({"other.gguf"}).error().param, "general.architecture");
}

TEST(Peft, KnowsModulesByTheirNames) {
  struct Name {
    const char* module;
    const char* architecture;
    const char* tensor;
  };
  for (const auto& [module, architecture, tensor] :
       {Name{"model.layers.12.self_attn.o_proj", "llama", "blk.12.attn_output"},
        {"layers.0.mlp.gate_proj", "qwen2", "blk.0.ffn_gate"},
        {"model.language_model.layers.3.mlp.up_proj", "gemma3", "blk.3.ffn_up"},
        {"transformer.h.1.attn.c_attn", "gpt2", "blk.1.attn_qkv"},
        {"bert.encoder.layer.5.attention.self.key", "bert", "blk.5.attn_k"},
        {"lm_head", "llama", "output"}}) {
    EXPECT_EQ(GgufTensorOf(module, architecture), tensor);
  }
  for (const auto* module : {"", ".", "model.layers", "model.layers.1", "model.layers.-1.self_attn.q_proj",
                             "model.layers.99999999999.self_attn.q_proj", "layers.1.self_attn", "lm_head.x"}) {
    EXPECT_EQ(GgufTensorOf(module, "llama"), std::nullopt) << module;
  }
}

}  // namespace
}  // namespace atelier::engine
