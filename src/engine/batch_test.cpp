// A row's numbers are the same bits alone and in any batch, in one step and in many, with any number of threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "engine/model.h"
#include "engine/testing/golden.h"
#include "engine/testing/random_model.h"

namespace atelier::engine {
namespace {

using Rows = std::vector<std::vector<float>>;  // by position

struct Prompt {
  std::vector<int32_t> tokens;
  std::unique_ptr<Sequence> sequence;
  Rows rows;
};

std::vector<int32_t> RandomTokens(std::mt19937& random, size_t count, int64_t vocabulary) {
  std::vector<int32_t> tokens(count);
  for (int32_t& token : tokens) {
    token = static_cast<int32_t>(random() % static_cast<uint32_t>(vocabulary));
  }
  return tokens;
}

void Keep(StepOutput& output, size_t item, Rows& rows) {
  for (size_t row = 0; row < output.rows(item); ++row) {
    const auto values = output.Row(item, row);
    rows.emplace_back(values.begin(), values.end());
  }
}

Rows RunAlone(Model& model, const std::vector<int32_t>& tokens) {
  const auto sequence = model.cache().NewSequence();
  if (!model.config().architecture->encoder.empty()) {
    StepOutput encoded;
    EXPECT_TRUE(model.Encode(*sequence, tokens, encoded).ok());
  }
  const auto kind = model.config().architecture->head ? OutputKind::kLogits : OutputKind::kHidden;
  StepOutput output;
  const StepItem item{sequence.get(), tokens, kind, 0};
  const auto status = model.Step({&item, 1}, output);
  EXPECT_TRUE(status.ok()) << status.error().message;
  Rows rows;
  if (status.ok()) {
    Keep(output, 0, rows);
  }
  return rows;
}

// Steps of random prompts, each by a random chunk, until all are done.
void RunRagged(Model& model, std::vector<Prompt>& prompts, std::mt19937& random) {
  StepOutput output;
  const bool whole = !model.config().causal;
  const auto kind = model.config().architecture->head ? OutputKind::kLogits : OutputKind::kHidden;
  for (bool more = true; more;) {
    std::vector<StepItem> items;
    std::vector<Prompt*> of_items;
    more = false;
    for (Prompt& prompt : prompts) {
      const size_t left = prompt.tokens.size() - prompt.sequence->length();
      more = more || left > 0;
      if (left == 0 || random() % 3 == 0) {
        continue;
      }
      const size_t chunk = whole ? left : 1 + random() % std::min<size_t>(left, random() % 2 == 0 ? 1 : 20);
      items.push_back({prompt.sequence.get(),
                       std::span<const int32_t>(prompt.tokens).subspan(prompt.sequence->length(), chunk), kind, 0});
      of_items.push_back(&prompt);
    }
    if (items.empty()) {
      continue;
    }
    const auto status = model.Step(items, output);
    ASSERT_TRUE(status.ok()) << status.error().message;
    for (size_t i = 0; i < items.size(); ++i) {
      Keep(output, i, of_items[i]->rows);
    }
  }
}

void ExpectIndependent(Model& model, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<Prompt> prompts(9);
  for (Prompt& prompt : prompts) {
    prompt.tokens = RandomTokens(random, 1 + random() % 60, model.config().vocabulary);
    prompt.sequence = model.cache().NewSequence();
    if (!model.config().architecture->encoder.empty()) {
      StepOutput encoded;
      ASSERT_TRUE(model.Encode(*prompt.sequence, prompt.tokens, encoded).ok());
    }
  }
  RunRagged(model, prompts, random);
  for (const Prompt& prompt : prompts) {
    const Rows alone = RunAlone(model, prompt.tokens);
    ASSERT_EQ(alone.size(), prompt.rows.size());
    for (size_t i = 0; i < alone.size(); ++i) {
      ASSERT_EQ(alone[i], prompt.rows[i]) << "position " << i;  // not near: equal
      ASSERT_TRUE(std::isfinite(alone[i].front()));
    }
  }
}

// Being listed is being tested: a random model of every architecture.
class EveryArchitecture : public ::testing::TestWithParam<std::string> {};

std::vector<std::string> ArchitectureNames() {
  std::vector<std::string> names;
  for (const Architecture& row : Architectures()) {
    if (row.name != "t5encoder") {  // half of t5
      names.emplace_back(row.name);
    }
  }
  return names;
}

TEST_P(EveryArchitecture, LoadsAndDoesNotDependOnTheBatch) {
  const auto file = testing::SmallFile(GetParam());
  if (GetParam() == "qwen3moe") {
    file->SetInteger("qwen3moe.expert_count", 5);
    file->SetInteger("qwen3moe.expert_used_count", 2);
  }
  const auto model = testing::Complete(file, {.threads = 3, .kv_bytes = 4U << 20U});
  ASSERT_TRUE(model.ok()) << model.error().message;
  ExpectIndependent(**model, 7);
}

INSTANTIATE_TEST_SUITE_P(Table, EveryArchitecture, ::testing::ValuesIn(ArchitectureNames()), [](const auto& info) {
  std::string name = info.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST(Batch, IsIndependentInQuantisedAndSpecialModels) {
  if (testing::GoldenModels().empty()) {
    GTEST_SKIP() << "no shared data: set ATELIER_SHARED_DATA";
  }
  for (const std::string name :
       {"llama-Q4_K_M", "qwen2-Q8_0", "llama-BF16", "mixtral-F32", "gemma3-F32", "phi3-long-F32"}) {
    SCOPED_TRACE(name);
    auto file = tensor::GgufFile::Open(testing::GoldenFolder() / "models" / (name + ".gguf"));
    ASSERT_TRUE(file.ok()) << file.error().message;
    const auto model = Model::Load(std::move(*file), {.threads = 2, .kv_bytes = 16U << 20U});
    ASSERT_TRUE(model.ok()) << model.error().message;
    ExpectIndependent(**model, 11);
  }
}

TEST(Batch, IsIndependentOfThreads) {
  const auto file = testing::SmallFile("llama");
  ASSERT_TRUE(testing::Complete(file, {}).ok());
  std::mt19937 random(3);
  const auto tokens = RandomTokens(random, 50, 50);
  Rows first;
  for (const size_t threads : {1, 2, 3, 7}) {
    const auto model = Model::Load(file, {.threads = threads, .kv_bytes = 1U << 20U});
    ASSERT_TRUE(model.ok()) << model.error().message;
    const Rows rows = RunAlone(**model, tokens);
    first = first.empty() ? rows : first;
    EXPECT_EQ(rows, first) << threads << " threads";
  }
}

// Long enough for several blocks of positions, and for threads to divide one row's.
TEST(Batch, IsIndependentOfThreadsAndCutsInLongTexts) {
  for (const std::string name : {"llama", "gemma3", "falcon"}) {
    const auto file = testing::SmallFile(name);
    ASSERT_TRUE(testing::Complete(file, {}).ok());
    std::mt19937 random(9);
    const auto tokens = RandomTokens(random, 1120, 50);
    for (const auto format :
         {tensor::KvFormat::kF32, tensor::KvFormat::kF16, tensor::KvFormat::kBF16, tensor::KvFormat::kQ8_0}) {
      Rows first;
      for (const size_t threads : {1, 3}) {
        const auto model = Model::Load(file, {.threads = threads,
                                              .max_context = 2000,
                                              .kv_bytes = 4U << 20U,
                                              .page_positions = threads == 1 ? 16U : 24U,
                                              .kv_format = format});
        ASSERT_TRUE(model.ok()) << model.error().message;
        if (first.empty()) {
          first = RunAlone(**model, tokens);
          ASSERT_TRUE(std::isfinite(first.back().front()));
        }
        const auto sequence = (*model)->cache().NewSequence();
        StepOutput output;
        for (size_t begin = 0; begin < tokens.size();) {
          const size_t chunk = begin < 1000 ? 157 : 1;
          const StepItem item{sequence.get(), std::span<const int32_t>(tokens).subspan(begin, chunk),
                              OutputKind::kLogits, 0};
          ASSERT_TRUE((*model)->Step({&item, 1}, output).ok());
          for (size_t i = 0; i < chunk; ++i) {
            ASSERT_TRUE(std::ranges::equal(output.Row(0, i), first[begin + i])) << name << ' ' << begin + i;
          }
          begin += chunk;
        }
      }
    }
  }
}

TEST(Batch, IsIndependentOfPrefixReuse) {
  const auto file = testing::SmallFile("qwen3");
  const auto model = testing::Complete(file, {.kv_bytes = 1U << 20U});
  ASSERT_TRUE(model.ok()) << model.error().message;
  KvCache& cache = (*model)->cache();
  std::mt19937 random(5);
  const auto tokens = RandomTokens(random, 70, 50);
  const Rows rows = RunAlone(**model, tokens);  // and its pages stay known
  for (const size_t shared : {70, 64, 40, 16, 15}) {
    auto prompt = tokens;
    std::fill(prompt.begin() + static_cast<std::ptrdiff_t>(shared), prompt.end(), 1);
    const auto sequence = cache.NewSequence();
    const size_t reused = cache.Reuse(*sequence, prompt);
    EXPECT_EQ(reused, std::min<size_t>(shared, 64));
    StepOutput output;
    const StepItem item{sequence.get(), std::span<const int32_t>(prompt).subspan(reused), OutputKind::kLogits, 0};
    ASSERT_TRUE((*model)->Step({&item, 1}, output).ok());
    Rows rest;
    Keep(output, 0, rest);
    const Rows expected = RunAlone(**model, prompt);
    EXPECT_TRUE(std::equal(rest.begin(), rest.end(), expected.begin() + static_cast<std::ptrdiff_t>(reused)));
    cache.DropPrefixes();
    const auto again = cache.NewSequence();
    EXPECT_EQ(cache.Reuse(*again, prompt), 64U);  // those that `sequence` still holds
    EXPECT_EQ(RunAlone(**model, tokens), rows);
  }
}

TEST(Step, RefusesWhatItCannotRunAndChangesNothing) {
  const auto file = testing::SmallFile("llama");
  const auto model = testing::Complete(file, {.max_context = 100, .kv_bytes = 20000, .max_step_tokens = 90});
  ASSERT_TRUE(model.ok()) << model.error().message;
  KvCache& cache = (*model)->cache();
  const auto a = cache.NewSequence();
  const auto b = cache.NewSequence();
  StepOutput output;
  const std::vector<int32_t> good{1, 2, 3};
  const std::vector<int32_t> bad{1, 50};
  const std::vector<int32_t> negative{-1};
  const std::vector<int32_t> many(91, 1);
  const std::vector<int32_t> some(60, 1);
  const auto refused = [&](std::vector<StepItem> items) {
    const auto status = (*model)->Step(items, output);
    EXPECT_EQ(a->length(), 0);
    EXPECT_EQ(a->pages().size(), 0);
    return status.ok() ? Code::kOk : status.error().code;
  };
  const auto logits = OutputKind::kLogits;
  EXPECT_EQ(refused({}), Code::kInvalidArgument);
  EXPECT_EQ(refused({{a.get(), {}, logits, 0}}), Code::kInvalidArgument);
  EXPECT_EQ(refused({{nullptr, good, logits, 0}}), Code::kInvalidArgument);
  EXPECT_EQ(refused({{a.get(), bad, logits, 0}}), Code::kInvalidArgument);
  EXPECT_EQ(refused({{a.get(), negative, logits, 0}}), Code::kInvalidArgument);
  EXPECT_EQ(refused({{a.get(), good, logits, 3}}), Code::kInvalidArgument);
  EXPECT_EQ(refused({{a.get(), good, logits, 0}, {a.get(), good, logits, 0}}), Code::kInvalidArgument);
  EXPECT_EQ(refused({{a.get(), many, logits, 0}}), Code::kInvalidArgument);
  const StepItem fill{b.get(), some, logits, 59};
  ASSERT_TRUE((*model)->Step({&fill, 1}, output).ok());
  EXPECT_EQ(refused({{b.get(), some, logits, 0}}), Code::kOutOfRange);
  const auto c = cache.NewSequence();
  const std::vector<int32_t> rest(80, 1);
  const size_t free = cache.free_pages();
  EXPECT_EQ(refused({{a.get(), good, logits, 0}, {c.get(), rest, logits, 0}}), Code::kResourceExhausted);
  EXPECT_EQ(cache.free_pages(), free);
}

}  // namespace
}  // namespace atelier::engine
