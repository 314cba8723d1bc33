// Every causal and embedding model of the golden data: logits, greedy continuations, embeddings.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/model.h"
#include "engine/pooling.h"
#include "engine/testing/golden.h"

namespace atelier::engine {
namespace {

using testing::Doubles;
using testing::GoldenName;
using testing::Ints;
using testing::ReadNpy;

constexpr double kExact = 0.003;  // index.json: of an engine whose activations are floats

std::unique_ptr<Model> LoadGolden(const json::object& entry, bool round_activations = false) {
  auto file = tensor::GgufFile::Open(testing::GoldenFolder() / std::string(entry.at("model").as_string()));
  if (!file.ok()) {
    ADD_FAILURE() << file.error().message;
    return nullptr;
  }
  auto model =
      Model::Load(std::move(*file), {.threads = 2,
                                     .kv_bytes = 16U << 20U,
                                     .round_activations = round_activations,
                                     .kv_format = round_activations ? tensor::KvFormat::kF16 : tensor::KvFormat::kF32});
  if (!model.ok()) {
    ADD_FAILURE() << model.error().message;
    return nullptr;
  }
  return std::move(*model);
}

void ExpectNear(std::span<const float> actual, const std::vector<float>& expected, double tolerance,
                std::string_view what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  double worst = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(actual[i]) - expected[i]));
  }
  EXPECT_LE(worst, tolerance) << what;
}

// A tolerance of the entry, or else a fallback.
double Tolerance(const json::object& entry, std::string_view key, double fallback) {
  const json::value* value = entry.at("tolerance").as_object().if_contains(key);
  return value == nullptr ? fallback : value->to_number<double>();
}

int32_t Argmax(std::span<const float> logits) {
  return static_cast<int32_t>(std::ranges::max_element(logits) - logits.begin());
}

class GoldenCausal : public ::testing::TestWithParam<GoldenName> {
 protected:
  void Check(Model& model, const json::object& entry, const json::object& sequence);
  void CheckTop20(StepOutput& output, const json::object& sequence, double tolerance);
  void CheckGreedy(Model& model, Sequence& sequence, int32_t next, const json::object& expected);
};

void GoldenCausal::CheckTop20(StepOutput& output, const json::object& sequence, double tolerance) {
  const auto ids = ReadNpy<int16_t>(sequence, "top20_ids");
  const auto logits = ReadNpy<float>(sequence, "top20_logits");
  ASSERT_EQ(ids.size(), 20 * output.rows(0));
  double worst = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    worst =
        std::max(worst, std::abs(static_cast<double>(output.Row(0, i / 20)[static_cast<size_t>(ids[i])]) - logits[i]));
  }
  EXPECT_LE(worst, tolerance) << "top20_logits";
}

void GoldenCausal::CheckGreedy(Model& model, Sequence& sequence, int32_t next, const json::object& expected) {
  const bool exact = expected.contains("greedy_exact");
  const auto tokens = Ints(expected.at(exact ? "greedy_exact" : "greedy"));
  const auto margins = Doubles(expected.at(exact ? "greedy_exact_margin" : "greedy_margin"));
  const double tolerance = exact ? kExact : Tolerance(*GetParam().entry, "max_abs", kExact);
  StepOutput output;
  for (size_t i = 0; i < tokens.size() && margins[i] >= tolerance; ++i) {
    ASSERT_EQ(next, tokens[i]) << "greedy token " << i;
    const StepItem item{&sequence, {&next, 1}, OutputKind::kLogits, 0};
    const auto status = model.Step({&item, 1}, output);
    ASSERT_TRUE(status.ok()) << status.error().message;
    next = Argmax(output.Row(0, 0));
  }
}

void GoldenCausal::Check(Model& model, const json::object& entry, const json::object& expected) {
  const auto tokens = Ints(expected.at("tokens"));
  const auto sequence = model.cache().NewSequence();
  StepOutput output;
  const StepItem item{sequence.get(), tokens, OutputKind::kLogits, 0};
  const auto status = model.Step({&item, 1}, output);
  ASSERT_TRUE(status.ok()) << status.error().message;
  const auto last = output.Row(0, tokens.size() - 1);
  const double of_llama_cpp = Tolerance(entry, "max_abs", Tolerance(entry, "max_abs_vs_llama_cpp", 0));
  ExpectNear(last, ReadNpy<float>(expected, "last_logits"), of_llama_cpp, "last_logits");
  if (expected.contains("last_logits_exact")) {
    ExpectNear(last, ReadNpy<float>(expected, "last_logits_exact"), kExact, "last_logits_exact");
  }
  CheckTop20(output, expected, of_llama_cpp);
  CheckGreedy(model, *sequence, Argmax(last), expected);
}

TEST_P(GoldenCausal, GivesTheLogitsAndContinuations) {
  const json::object& entry = *GetParam().entry;
  const auto model = LoadGolden(entry);
  ASSERT_NE(model, nullptr);
  for (const auto& sequence : entry.at("sequences").as_object()) {
    SCOPED_TRACE(std::string(sequence.key()));
    Check(*model, entry, sequence.value().as_object());
  }
}

// The root of the mean square of the difference, as a part of that of the expected.
double RelativeDistance(std::span<const float> actual, const std::vector<float>& expected) {
  double difference = 0;
  double whole = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    difference += std::pow(static_cast<double>(actual[i]) - expected[i], 2);
    whole += std::pow(static_cast<double>(expected[i]), 2);
  }
  return std::sqrt(difference / whole);
}

TEST_P(GoldenCausal, StaysNearWithRoundedActivations) {
  const json::object& entry = *GetParam().entry;
  const double of_exact = Tolerance(entry, "max_abs_vs_exact", 0);
  if (of_exact == 0) {
    GTEST_SKIP() << "weights of floats";
  }
  const auto model = LoadGolden(entry, true);
  ASSERT_NE(model, nullptr);
  for (const auto& member : entry.at("sequences").as_object()) {
    SCOPED_TRACE(std::string(member.key()));
    const json::object& expected = member.value().as_object();
    const auto tokens = Ints(expected.at("tokens"));
    const auto sequence = model->cache().NewSequence();
    StepOutput output;
    const StepItem item{sequence.get(), tokens, OutputKind::kLogits, tokens.size() - 1};
    ASSERT_TRUE(model->Step({&item, 1}, output).ok());
    const auto exact = ReadNpy<float>(expected, "last_logits_exact");
    ExpectNear(output.Row(0, 0), exact, of_exact, "last_logits_exact");
    ExpectNear(output.Row(0, 0), ReadNpy<float>(expected, "last_logits"), Tolerance(entry, "max_abs_vs_llama_cpp", 0),
               "last_logits");
    EXPECT_LE(RelativeDistance(output.Row(0, 0), exact), Tolerance(entry, "rel_rms_vs_exact", 0));
  }
}

std::string NameOf(const ::testing::TestParamInfo<GoldenName>& info) {
  std::string name = info.param.text;
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenCausal, ::testing::ValuesIn(testing::GoldenNames("causal")), NameOf);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GoldenCausal);

class GoldenEmbedding : public ::testing::TestWithParam<GoldenName> {};

TEST_P(GoldenEmbedding, GivesTheVectors) {
  const json::object& entry = *GetParam().entry;
  const auto model = LoadGolden(entry);
  ASSERT_NE(model, nullptr);
  const double tolerance = Tolerance(entry, "max_abs", 0);
  for (const auto& member : entry.at("sequences").as_object()) {
    SCOPED_TRACE(std::string(member.key()));
    const json::object& expected = member.value().as_object();
    const auto tokens = Ints(expected.at("tokens"));
    const auto sequence = model->cache().NewSequence();
    StepOutput output;
    const StepItem item{sequence.get(), tokens, OutputKind::kHidden, 0};
    const auto status = model->Step({&item, 1}, output);
    ASSERT_TRUE(status.ok()) << status.error().message;
    const auto width = static_cast<size_t>(model->config().width);
    std::vector<float> all(output.rows(0) * width);
    for (size_t row = 0; row < output.rows(0); ++row) {
      std::ranges::copy(output.Row(0, row), all.begin() + static_cast<std::ptrdiff_t>(row * width));
    }
    ExpectNear(all, ReadNpy<float>(expected, "embedding_per_token"), tolerance, "embedding_per_token");
    const std::pair<Pooling, const char*> kinds[] = {
        {Pooling::kMean, "embedding_mean"}, {Pooling::kFirst, "embedding_cls"}, {Pooling::kLast, "embedding_last"}};
    for (const auto& [kind, key] : kinds) {
      std::vector<float> pooled(width);
      Pool(kind, output, 0, pooled);
      ExpectNear(pooled, ReadNpy<float>(expected, key), tolerance, key);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenEmbedding, ::testing::ValuesIn(testing::GoldenNames("embedding")), NameOf);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GoldenEmbedding);

class GoldenTranslation : public GoldenCausal {};

TEST_P(GoldenTranslation, GivesTheLogitsAndContinuations) {
  const json::object& entry = *GetParam().entry;
  const auto model = LoadGolden(entry);
  ASSERT_NE(model, nullptr);
  const double tolerance = Tolerance(entry, "max_abs", 0);
  for (const auto& member : entry.at("sequences").as_object()) {
    SCOPED_TRACE(std::string(member.key()));
    const json::object& expected = member.value().as_object();
    const auto sequence = model->cache().NewSequence();
    StepOutput output;
    auto status = model->Encode(*sequence, Ints(expected.at("encoder_tokens")), output);
    ASSERT_TRUE(status.ok()) << status.error().message;
    const std::span<const float> encoded(output.Row(0, 0).data(), output.rows(0) * output.Row(0, 0).size());
    ExpectNear(encoded, ReadNpy<float>(expected, "encoder_output"), tolerance, "encoder_output");
    const auto tokens = Ints(expected.at("decoder_tokens"));
    const StepItem item{sequence.get(), tokens, OutputKind::kLogits, 0};
    status = model->Step({&item, 1}, output);
    ASSERT_TRUE(status.ok()) << status.error().message;
    const auto last = output.Row(0, tokens.size() - 1);
    ExpectNear(last, ReadNpy<float>(expected, "last_logits"), tolerance, "last_logits");
    CheckTop20(output, expected, tolerance);
    CheckGreedy(*model, *sequence, Argmax(last), expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenTranslation, ::testing::ValuesIn(testing::GoldenNames("encoder-decoder")),
                         NameOf);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GoldenTranslation);

TEST(Golden, IsThere) {
  if (testing::GoldenModels().empty()) {
    GTEST_SKIP() << "no shared data: set ATELIER_SHARED_DATA";
  }
  EXPECT_EQ(testing::GoldenModels().size(), 46);
}

}  // namespace
}  // namespace atelier::engine
