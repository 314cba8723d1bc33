// Every recipe on golden models: what it chooses, how far its weights are off, and that the result runs.
#include "engine/quantising/quantise_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "engine/formats/memory_file.h"
#include "engine/model.h"
#include "engine/testing/golden.h"
#include "storage/test_folder.h"
#include "tensor/quants/formats.h"
#include "tensor/quants/quants.h"
#include "tensor/testing/sample_weights.h"

namespace atelier::engine {
namespace {

using tensor::GgmlType;
using tensor::GgufFile;

std::string Written(const GgufFile& file, const Recipe& recipe, size_t threads = 2) {
  const auto plan = PlanQuantisation(file, recipe);
  EXPECT_TRUE(plan.ok()) << (plan.ok() ? "" : plan.error().message);
  std::string out;
  const auto status = WriteQuantised(file, *plan, {.threads = threads}, [&](std::span<const std::byte> bytes) {
    out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return Status();
  });
  EXPECT_TRUE(status.ok()) << recipe.name << ": " << (status.ok() ? "" : status.error().message);
  return out;
}

std::vector<float> Floats(const tensor::GgufTensor& tensor) {
  const auto& format = tensor::FormatOf(tensor.type);
  std::vector<float> floats(tensor.bytes.size() / format.bytes * format.weights);
  EXPECT_TRUE(tensor::Dequantise(tensor.type, tensor.bytes, floats).ok());
  return floats;
}

// A small model as far as recipes look at it: six layers, rows of `columns`.
std::shared_ptr<MemoryFile> Weights(int64_t columns) {
  auto file = std::make_shared<MemoryFile>();
  file->SetText("general.architecture", "llama");
  file->SetText("general.name", "six layers");
  file->SetInteger("llama.block_count", 6);
  const auto add = [&](const std::string& name, std::vector<int64_t> shape) {
    int64_t count = 1;
    for (const int64_t size : shape) {
      count *= size;
    }
    file->AddFloats(name, std::move(shape), tensor::testing::SampleWeights(static_cast<size_t>(count)));
  };
  add("token_embd.weight", {16, columns});
  add("output.weight", {16, columns});
  add("output_norm.weight", {columns});
  for (int layer = 0; layer < 6; ++layer) {
    const std::string block = "blk." + std::to_string(layer) + ".";
    for (const char* part : {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"}) {
      add(block + part + ".weight", {8, columns});
    }
    add(block + "attn_norm.weight", {columns});
    add(block + "attn_q.bias", {columns});
    add(block + "ffn_gate_inp.weight", {2, columns});
  }
  return file;
}

std::map<std::string, GgmlType> TypesOf(const QuantisationPlan& plan) {
  std::map<std::string, GgmlType> types;
  for (const auto& tensor : plan.tensors) {
    types[tensor.name] = tensor.type;
  }
  return types;
}

class QuantiseModel : public ::testing::Test {
 protected:
  // Opens the bytes as a file.
  std::unique_ptr<GgufFile> Open(const std::string& bytes, const std::string& name = "model.gguf") {
    std::ofstream(folder_.path() / name, std::ios::binary) << bytes;
    auto file = GgufFile::Open(folder_.path() / name);
    EXPECT_TRUE(file.ok()) << (file.ok() ? "" : file.error().message);
    return file.ok() ? std::move(*file) : nullptr;
  }
  static std::unique_ptr<GgufFile> Golden(const std::string& name) {
    auto file = GgufFile::Open(testing::GoldenFolder() / "models" / (name + ".gguf"));
    EXPECT_TRUE(file.ok()) << name;
    return file.ok() ? std::move(*file) : nullptr;
  }

  storage::TestFolder folder_;
};

TEST_F(QuantiseModel, FindsRecipesByName) {
  EXPECT_EQ(Recipes().size(), 19);
  EXPECT_EQ(FindRecipe("Q4_K_M")->file_type, 15);
  EXPECT_EQ(FindRecipe("q4_k"), FindRecipe("q4_k_m"));
  EXPECT_EQ(FindRecipe("q7"), nullptr);
  EXPECT_EQ(FindRecipe(""), nullptr);
  EXPECT_TRUE(RecipeNames().starts_with("f32, f16, bf16, q8_0"));
}

TEST_F(QuantiseModel, GivesMoreBitsWhereTheMixesDo) {
  const auto file = Weights(256);
  auto types = TypesOf(*PlanQuantisation(*file, *FindRecipe("q4_k_m")));
  EXPECT_EQ(types["output.weight"], GgmlType::kQ6_K);
  EXPECT_EQ(types["token_embd.weight"], GgmlType::kQ4_K);
  EXPECT_EQ(types["output_norm.weight"], GgmlType::kF32);
  EXPECT_EQ(types["blk.0.attn_q.bias"], GgmlType::kF32);
  EXPECT_EQ(types["blk.0.ffn_gate_inp.weight"], GgmlType::kF32);
  EXPECT_EQ(types["blk.0.attn_v.weight"], GgmlType::kQ4_K);  // an eighth of six layers is none
  EXPECT_EQ(types["blk.2.attn_v.weight"], GgmlType::kQ6_K);
  EXPECT_EQ(types["blk.5.ffn_down.weight"], GgmlType::kQ6_K);
  EXPECT_EQ(types["blk.5.ffn_up.weight"], GgmlType::kQ4_K);
  types = TypesOf(*PlanQuantisation(*file, *FindRecipe("q2_k")));
  EXPECT_EQ(types["blk.1.ffn_down.weight"], GgmlType::kQ3_K);
  EXPECT_EQ(types["blk.1.attn_v.weight"], GgmlType::kQ3_K);
  file->SetInteger("llama.attention.head_count", 8);
  file->SetInteger("llama.attention.head_count_kv", 2);
  types = TypesOf(*PlanQuantisation(*file, *FindRecipe("q2_k")));
  EXPECT_EQ(types["blk.1.attn_v.weight"], GgmlType::kQ4_K);
  file->SetInteger("llama.expert_count", 8);
  types = TypesOf(*PlanQuantisation(*file, *FindRecipe("q4_k_s")));
  EXPECT_EQ(types["blk.1.attn_k.weight"], GgmlType::kQ8_0);
  EXPECT_EQ(types["blk.1.attn_output.weight"], GgmlType::kQ5_K);
  file->Remove("output.weight");
  types = TypesOf(*PlanQuantisation(*file, *FindRecipe("q4_0")));
  EXPECT_EQ(types["token_embd.weight"], GgmlType::kQ6_K);
}

TEST_F(QuantiseModel, FallsBackWhereRowsAreNoWholeBlocksAndSaysSo) {
  const auto blocks = PlanQuantisation(*Weights(96), *FindRecipe("q4_k_s"));
  auto types = TypesOf(*blocks);
  EXPECT_EQ(types["blk.0.attn_q.weight"], GgmlType::kQ5_0);
  EXPECT_EQ(types["blk.0.attn_v.weight"], GgmlType::kQ5_1);
  EXPECT_EQ(types["output.weight"], GgmlType::kQ8_0);
  ASSERT_EQ(blocks->warnings.size(), 2);
  EXPECT_NE(blocks->warnings[0].find("96 columns"), std::string::npos) << blocks->warnings[0];
  EXPECT_NE(blocks->warnings[0].find("Q4_K, become Q5_0"), std::string::npos) << blocks->warnings[0];
  types = TypesOf(*PlanQuantisation(*Weights(40), *FindRecipe("q8_0")));
  EXPECT_EQ(types["blk.0.attn_q.weight"], GgmlType::kF16);
  EXPECT_TRUE(PlanQuantisation(*Weights(40), *FindRecipe("f16"))->warnings.empty());
}

TEST_F(QuantiseModel, RefusesWeightsThatNoBlockHolds) {
  const auto file = Weights(256);
  std::vector<float> weights(2048, 0.5F);
  weights[1000] = std::numeric_limits<float>::infinity();
  file->AddFloats("blk.3.ffn_up.weight", {8, 256}, std::move(weights));
  const auto plan = PlanQuantisation(*file, *FindRecipe("q8_0"));
  const auto status = WriteQuantised(*file, *plan, {.threads = 2}, [](std::span<const std::byte>) { return Status(); });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().param, "blk.3.ffn_up.weight");
  EXPECT_EQ(status.error().reason, "invalid_model_file");
  EXPECT_FALSE(PlanQuantisation(MemoryFile(), *FindRecipe("q8_0")).ok());
}

TEST_F(QuantiseModel, StopsWhenToldTo) {
  const auto file = Weights(256);
  const auto plan = PlanQuantisation(*file, *FindRecipe("q8_0"));
  int calls = 0;
  QuantiseOptions options;
  options.on_progress = [&](uint64_t done, uint64_t total) {
    EXPECT_LE(done, total);
    return ++calls < 3;
  };
  const auto status = WriteQuantised(*file, *plan, options, [](std::span<const std::byte>) { return Status(); });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kCancelled);
  EXPECT_EQ(calls, 3);
}

TEST_F(QuantiseModel, KeepsMetadataIsRepeatableAndNeedsNoCertainNumberOfThreads) {
  const auto file = Weights(256);
  // Above one chunk of 2 M weights, and no whole number of pieces.
  file->AddFloats("blk.0.ffn_up.weight", {8201, 256}, tensor::testing::SampleWeights(8201 * 256));
  for (const Recipe& recipe : {*FindRecipe("q8_0"), *FindRecipe("q4_0"), *FindRecipe("f16"), *FindRecipe("f32")}) {
    const std::string once = Written(*file, recipe, 1);
    EXPECT_EQ(once, Written(*file, recipe, 3)) << recipe.name;
    const auto again = Open(once);
    ASSERT_NE(again, nullptr);
    EXPECT_EQ(once, Written(*again, recipe)) << recipe.name;
    auto metadata = again->metadata();
    EXPECT_EQ(*again->Integer("general.file_type"), recipe.file_type);
    EXPECT_EQ(*again->Integer("general.quantization_version"), 2);
    metadata.erase("general.file_type");
    metadata.erase("general.quantization_version");
    EXPECT_EQ(metadata.size(), file->metadata().size());
    EXPECT_EQ(*again->Text("general.name"), "six layers");
    for (const auto& [name, tensor] : file->tensors()) {
      const auto* made = again->Find(name);
      ASSERT_NE(made, nullptr) << name;
      EXPECT_EQ(made->shape, tensor.shape) << name;
      if (StaysAsItIs(name, tensor.shape)) {
        EXPECT_TRUE(std::ranges::equal(made->bytes, tensor.bytes)) << name;
      }
    }
  }
}

TEST_F(QuantiseModel, ChoosesAsLlamaCppDid) {
  if (testing::GoldenModels().empty()) {
    GTEST_SKIP() << "no shared data";
  }
  for (const std::string family : {"llama", "qwen2"}) {
    if (!std::filesystem::exists(testing::GoldenFolder() / "models" / (family + "-Q4_K_M.gguf"))) {
      continue;
    }
    const auto theirs = Golden(family + "-Q4_K_M");
    const auto source = Golden(family + "-Q6_K");
    const auto plan = PlanQuantisation(*source, *FindRecipe("q4_k_m"));
    ASSERT_TRUE(plan.ok());
    for (const auto& tensor : plan->tensors) {
      EXPECT_EQ(tensor.type, theirs->Find(tensor.name)->type) << tensor.name;
    }
    EXPECT_EQ(*theirs->Integer("general.file_type"), FindRecipe("q4_k_m")->file_type);
  }
}

// The root of the mean squared error of all matrices, relative to that of the weights.
double RelativeError(const GgufFile& original, const GgufFile& made) {
  double errors = 0;
  double squares = 0;
  for (const auto& [name, tensor] : original.tensors()) {
    const auto before = Floats(tensor);
    const auto after = Floats(*made.Find(name));
    if (StaysAsItIs(name, tensor.shape)) {
      EXPECT_EQ(before, after) << name;
      continue;
    }
    for (size_t i = 0; i < before.size(); ++i) {
      errors += std::pow(static_cast<double>(after[i]) - before[i], 2);
      squares += std::pow(static_cast<double>(before[i]), 2);
    }
  }
  return std::sqrt(errors / squares);
}

// Logits after a few tokens; empty where the model does not run.
std::vector<float> Logits(std::shared_ptr<const GgufFile> file) {
  auto model = Model::Load(std::move(file), {.threads = 2, .kv_bytes = 16U << 20U});
  EXPECT_TRUE(model.ok()) << (model.ok() ? "" : model.error().message);
  if (!model.ok()) {
    return {};
  }
  const auto sequence = (*model)->cache().NewSequence();
  const std::vector<int32_t> tokens{5, 17, 40, 99, 3};
  StepOutput output;
  const StepItem item{sequence.get(), tokens, OutputKind::kLogits, 0};
  EXPECT_TRUE((*model)->Step({&item, 1}, output).ok());
  const auto last = output.Row(0, tokens.size() - 1);
  return {last.begin(), last.end()};
}

struct Bound {
  const char* recipe;
  double error;
};

// The bounds are those of quantise_test.cpp's formats: an RMS error relative to the weights'.
TEST_F(QuantiseModel, ErrsWithinTheFormatsBoundsAndRuns) {
  if (testing::GoldenModels().empty()) {
    GTEST_SKIP() << "no shared data";
  }
  const auto original = Open(Written(*Golden("llama-Q6_K"), *FindRecipe("f32")), "original.gguf");
  ASSERT_NE(original, nullptr);
  const std::shared_ptr<const GgufFile> reference = Open(Written(*original, *FindRecipe("f32")), "reference.gguf");
  const auto expected = Logits(reference);
  for (const auto& [recipe, bound] : {Bound{"f32", 0},
                                      {"f16", 0.0003},
                                      {"bf16", 0.002},
                                      {"q8_0", 0.008},
                                      {"q4_0", 0.11},
                                      {"q4_1", 0.09},
                                      {"q5_0", 0.055},
                                      {"q5_1", 0.045},
                                      {"q2_k", 0.33},
                                      {"q3_k_s", 0.18},
                                      {"q3_k_m", 0.17},
                                      {"q3_k_l", 0.16},
                                      {"q4_k_s", 0.08},
                                      {"q4_k_m", 0.08},
                                      {"q5_k_s", 0.042},
                                      {"q5_k_m", 0.04},
                                      {"q6_k", 0.021},
                                      {"iq4_nl", 0.09},
                                      {"iq4_xs", 0.09}}) {
    SCOPED_TRACE(recipe);
    const std::shared_ptr<const GgufFile> made =
        Open(Written(*original, *FindRecipe(recipe)), std::string(recipe) + ".gguf");
    ASSERT_NE(made, nullptr);
    EXPECT_LE(RelativeError(*original, *made), bound);
    const auto logits = Logits(made);
    ASSERT_EQ(logits.size(), expected.size());
    double errors = 0;
    double squares = 0;
    for (size_t i = 0; i < logits.size(); ++i) {
      errors += std::pow(static_cast<double>(logits[i]) - expected[i], 2);
      squares += std::pow(static_cast<double>(expected[i]), 2);
    }
    EXPECT_LE(std::sqrt(errors / squares), 0.01 + 8 * bound);
  }
}

// Small models have rows that fit no super-block, so this is about fallbacks, too.
TEST_F(QuantiseModel, RunsOfEveryArchitecture) {
  for (const auto& [name, entry] : testing::GoldenNames("causal")) {
    if (!name.ends_with("-F32")) {
      continue;
    }
    SCOPED_TRACE(name);
    const std::string bytes = Written(*Golden(name), *FindRecipe("q4_k_m"));
    for (const float logit : Logits(Open(bytes, name + ".gguf"))) {
      ASSERT_TRUE(std::isfinite(logit));
    }
  }
}

}  // namespace
}  // namespace atelier::engine
