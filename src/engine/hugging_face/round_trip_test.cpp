// Every golden model as a folder in Hugging Face's layout and back: the same numbers, the same configuration, the same
// answers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "base/clock.h"
#include "engine/hugging_face/export_folder.h"
#include "engine/hugging_face/families.h"
#include "engine/hugging_face/testing/folders.h"
#include "engine/hugging_face/weave.h"
#include "engine/importing/import.h"
#include "engine/model.h"
#include "engine/testing/golden.h"

namespace atelier::engine::hugging_face {
namespace {

namespace fs = std::filesystem;
using engine::testing::GoldenName;
using testing::SourcesOf;
using testing::TemporaryFolder;

// The logits of the last token, or else the hidden states of a text.
std::vector<float> AnswerOf(std::shared_ptr<const tensor::GgufFile> file) {
  auto model = Model::Load(std::move(file), {.threads = 2, .kv_bytes = 16U << 20U});
  if (!model.ok()) {
    ADD_FAILURE() << model.error().message;
    return {};
  }
  const std::vector<int32_t> tokens{5, 17, 250, 3, 99, 7, 123, 200, 11, 42};
  const auto sequence = (*model)->cache().NewSequence();
  StepOutput output;
  const bool head = (*model)->config().architecture->head;
  const StepItem item{sequence.get(), tokens, head ? OutputKind::kLogits : OutputKind::kHidden, 0};
  const auto status = (*model)->Step({&item, 1}, output);
  EXPECT_TRUE(status.ok()) << status.error().message;
  const auto last = output.Row(0, tokens.size() - 1);
  return {last.begin(), last.end()};
}

// Gemma's norms are one less in the folder, which rounds what is below a half.
bool IsShifted(const tensor::GgufFile& file, std::string_view name) {
  const auto architecture = file.Text("general.architecture");
  return architecture.ok() && architecture->starts_with("gemma") && name.find("norm") != std::string_view::npos;
}

void ExpectNearFloats(std::span<const std::byte> expected, std::span<const std::byte> actual, std::string_view name) {
  std::vector<float> a(expected.size() / sizeof(float));
  std::vector<float> b(a.size());
  ASSERT_EQ(expected.size(), actual.size()) << name;
  std::memcpy(a.data(), expected.data(), expected.size());
  std::memcpy(b.data(), actual.data(), actual.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_NEAR(a[i], b[i], 1.2e-7) << name;
  }
}

void ExpectSameTensors(const tensor::GgufFile& expected, const tensor::GgufFile& actual) {
  for (const auto& [name, tensor] : expected.tensors()) {
    const auto* other = actual.Find(name);
    ASSERT_NE(other, nullptr) << name;
    EXPECT_EQ(other->shape, tensor.shape) << name;
    EXPECT_EQ(other->type, tensor.type) << name;
    if (IsShifted(expected, name)) {
      ExpectNearFloats(tensor.bytes, other->bytes, name);
    } else if (!name.starts_with("rope_")) {
      EXPECT_TRUE(std::ranges::equal(other->bytes, tensor.bytes)) << name;
    }
  }
  EXPECT_EQ(actual.tensors().size(), expected.tensors().size());
}

void ExpectSameConfig(const ModelConfig& expected, const ModelConfig& actual) {
  const auto numbers = [](const ModelConfig& config) {
    return std::vector<double>{static_cast<double>(config.vocabulary),
                               static_cast<double>(config.context),
                               static_cast<double>(config.width),
                               static_cast<double>(config.layers),
                               static_cast<double>(config.feed_forward),
                               static_cast<double>(config.heads),
                               static_cast<double>(config.kv_heads),
                               static_cast<double>(config.key_size),
                               static_cast<double>(config.value_size),
                               config.norm_epsilon,
                               static_cast<double>(config.rope.dimensions),
                               config.rope.base,
                               static_cast<double>(config.rope.scaling),
                               config.rope.factor,
                               static_cast<double>(config.rope.original_context),
                               config.rope.attention_factor,
                               config.rope.beta_fast,
                               config.rope.beta_slow,
                               static_cast<double>(config.window),
                               config.attention_cap,
                               config.logit_cap,
                               config.query_scale,
                               config.alibi_bias,
                               static_cast<double>(config.experts),
                               static_cast<double>(config.experts_used),
                               static_cast<double>(config.expert_feed_forward),
                               static_cast<double>(config.causal),
                               static_cast<double>(config.pooling)};
  };
  EXPECT_EQ(actual.architecture, expected.architecture);
  const auto a = numbers(actual);
  const auto b = numbers(expected);
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_NEAR(a[i], b[i], 1e-7 * std::abs(b[i])) << "number " << i;
  }
}

std::vector<GoldenName> PlainModels() {
  std::vector<GoldenName> names;
  for (const char* kind : {"causal", "embedding"}) {
    for (GoldenName& name : engine::testing::GoldenNames(kind)) {
      const std::string_view type = std::string_view(name.text).substr(name.text.rfind('-') + 1);
      if (type == "F32" || type == "F16" || type == "BF16" || name.text == "llama-Q4_K") {
        names.push_back(std::move(name));
      }
    }
  }
  return names;
}

class RoundTrip : public ::testing::TestWithParam<GoldenName> {};

TEST_P(RoundTrip, KeepsNumbersAndAnswers) {
  const auto path = engine::testing::GoldenFolder() / std::string(GetParam().entry->at("model").as_string());
  auto original = tensor::GgufFile::Open(path);
  ASSERT_TRUE(original.ok()) << original.error().message;
  const std::shared_ptr<const tensor::GgufFile> before = std::move(*original);
  const TemporaryFolder folder;
  const Status exported = ExportFolder(*before, folder.model(), {.shard_bytes = 40'000, .card = "# A card\n"});
  ASSERT_TRUE(exported.ok()) << exported.error().message;
  SystemClock clock;
  const auto imported = ImportModel(SourcesOf(folder.model()), folder.work(), 1, clock);
  ASSERT_TRUE(imported.ok()) << imported.error().message;
  EXPECT_EQ(GetString(imported->metadata, "format"), "huggingface");
  auto again = tensor::GgufFile::Open(std::get<fs::path>(imported->files.begin()->second));
  ASSERT_TRUE(again.ok()) << again.error().message;
  const std::shared_ptr<const tensor::GgufFile> after = std::move(*again);
  ExpectSameConfig(*ReadModelConfig(*before), *ReadModelConfig(*after));
  EXPECT_EQ(after->Text("tokenizer.ggml.model").value(), before->Text("tokenizer.ggml.model").value());
  const auto tokens = before->Texts("tokenizer.ggml.tokens").value();
  const auto same = after->Texts("tokenizer.ggml.tokens").value();
  EXPECT_TRUE(std::ranges::equal(tokens, same));
  if (GetParam().text == "llama-Q4_K") {
    EXPECT_EQ(after->Find("blk.0.attn_q.weight")->type, tensor::GgmlType::kF16);
    return;
  }
  ExpectSameTensors(*before, *after);
  const auto expected = AnswerOf(before);
  const auto actual = AnswerOf(after);
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], 1e-4) << i;
  }
}

std::string NameOf(const ::testing::TestParamInfo<GoldenName>& info) {
  std::string name = info.param.text;
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Golden, RoundTrip, ::testing::ValuesIn(PlainModels()), NameOf);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RoundTrip);

TEST(Families, HaveArchitecturesOfTheEngineAndOneNameForEachTensor) {
  for (const Family& family : Families()) {
    EXPECT_TRUE(FindArchitecture(family.architecture).ok()) << family.architecture;
    std::set<std::string_view> names;
    for (const auto rows : family.tensors) {
      for (const TensorRow& row : rows) {
        EXPECT_TRUE(names.insert(row.hugging_face).second) << family.model_type << ": " << row.hugging_face;
      }
    }
  }
}

TEST(RowOrders, AreEachOthersInverse) {
  const Heads heads{6, 2, 4};
  const RowOrder pairs = PairsOfHalves(8);
  const RowOrder halves = HalvesOfPairs(8);
  const RowOrder kinds = KindsOfGroups(heads);
  const RowOrder groups = GroupsOfKinds(heads);
  EXPECT_EQ(pairs(1), 4);    // the second of the first pair is the first of the second half
  EXPECT_EQ(kinds(24), 12);  // the first key stands behind the three queries of its group
  EXPECT_EQ(kinds(12), 20);  // the fourth query is the first of the second group
  for (int64_t row = 0; row < 40; ++row) {
    EXPECT_EQ(halves(pairs(row)), row);
    EXPECT_EQ(groups(kinds(row)), row);
  }
}

}  // namespace
}  // namespace atelier::engine::hugging_face
