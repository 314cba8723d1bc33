// A model with an adapter says what the model says into whose weights the adapter was multiplied.
#include "engine/adapter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/model.h"
#include "engine/testing/golden.h"
#include "engine/testing/random_model.h"
#include "engine/testing/small_adapter.h"
#include "tensor/quants/quants.h"

namespace atelier::engine {
namespace {

using testing::Merged;
using testing::RandomAdapter;

const std::vector<std::string> kAll{"attn_q", "attn_k",   "attn_v",   "attn_qkv", "attn_output",
                                    "ffn_up", "ffn_gate", "ffn_down", "output"};
const std::vector<int32_t> kPrompt{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4};

ModelOptions Options(size_t threads = 1) {
  ModelOptions options;
  options.threads = threads;
  options.kv_bytes = 4U << 20U;
  options.page_positions = 4;
  options.kv_format = tensor::KvFormat::kF32;
  return options;
}

using Rows = std::vector<std::vector<float>>;

struct Text {
  std::shared_ptr<const Adapter> adapter;
  std::vector<int32_t> tokens;
};

// The rows of all texts, computed together in chunks.
std::vector<Rows> Compute(Model& model, const std::vector<Text>& texts, size_t chunk = 100) {
  const auto kind = model.config().architecture->head ? OutputKind::kLogits : OutputKind::kHidden;
  std::vector<std::unique_ptr<Sequence>> sequences;
  std::vector<Rows> rows(texts.size());
  for (const Text& text : texts) {
    sequences.push_back(NewSequence(model.cache(), text.adapter));
  }
  StepOutput output;
  while (true) {
    std::vector<StepItem> items;
    std::vector<size_t> of;
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto left = std::span<const int32_t>(texts[i].tokens).subspan(sequences[i]->length());
      if (!left.empty()) {
        items.push_back({sequences[i].get(), left.first(std::min(chunk + i, left.size())), kind, 0});
        of.push_back(i);
      }
    }
    if (items.empty()) {
      return rows;
    }
    const auto status = model.Step(items, output);
    EXPECT_TRUE(status.ok()) << status.error().message;
    for (size_t i = 0; i < items.size(); ++i) {
      for (size_t row = 0; row < output.rows(i); ++row) {
        const auto values = output.Row(i, row);
        rows[of[i]].emplace_back(values.begin(), values.end());
      }
    }
  }
}

double Difference(const Rows& a, const Rows& b) {
  double most = a.size() == b.size() ? 0 : 1e9;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    for (size_t j = 0; j < a[i].size(); ++j) {
      most = std::max(most, std::abs(static_cast<double>(a[i][j]) - static_cast<double>(b[i][j])));
    }
  }
  return most;
}

std::unique_ptr<Model> Load(const std::shared_ptr<MemoryFile>& file, const ModelOptions& options) {
  auto model = testing::Complete(file, options);
  EXPECT_TRUE(model.ok()) << model.error().message;
  return std::move(*model);
}

class AnyArchitecture : public ::testing::TestWithParam<std::string> {};

TEST_P(AnyArchitecture, EqualsTheMergedModel) {
  const auto file = testing::SmallFile(GetParam());
  if (GetParam() == "llama") {
    testing::AddRandom(*file, "output.weight", {50, 24});
  }
  const auto model = Load(file, Options());
  const auto changes = RandomAdapter(*file, kAll, 5);
  const auto adapter = model->LoadAdapter(*changes);
  ASSERT_TRUE(adapter.ok()) << adapter.error().message;
  EXPECT_GE((*adapter)->matrices(), 8U);
  const auto merged = Model::Load(Merged(*file, *changes), Options());
  ASSERT_TRUE(merged.ok()) << merged.error().message;
  const auto adapted = Compute(*model, {{*adapter, kPrompt}})[0];
  const auto plain = Compute(*model, {{nullptr, kPrompt}})[0];
  EXPECT_LT(Difference(adapted, Compute(**merged, {{nullptr, kPrompt}})[0]), 2e-4);
  EXPECT_GT(Difference(adapted, plain), 1e-2);
  EXPECT_EQ(changes->Find("output.weight.lora_a") != nullptr, GetParam() == "llama");
}

INSTANTIATE_TEST_SUITE_P(Adapter, AnyArchitecture,
                         ::testing::Values("llama", "qwen2", "qwen3", "gemma2", "gemma3", "phi3", "gpt2", "starcoder2",
                                           "falcon", "stablelm", "olmo2", "bert", "nomic-bert", "jina-bert-v2"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(AdapterTest, SeveralInOneBatchSayWhatEachSaysAlone) {
  const auto file = testing::SmallFile("llama");
  std::vector<Rows> wanted;
  for (const size_t threads : {size_t{1}, size_t{3}}) {
    const auto model = Load(file, Options(threads));
    std::vector<Text> texts{{nullptr, kPrompt}};
    for (uint32_t seed = 0; seed < 3; ++seed) {
      auto adapter = model->LoadAdapter(*RandomAdapter(*file, seed == 1 ? std::vector<std::string>{"attn_q"} : kAll,
                                                       seed, 1 + static_cast<int64_t>(seed) * 4));
      ASSERT_TRUE(adapter.ok());
      texts.push_back({*adapter, kPrompt});
      texts.push_back({*adapter, {kPrompt.rbegin(), kPrompt.rend()}});
    }
    std::vector<Rows> alone;
    for (const Text& text : texts) {
      alone.push_back(Compute(*model, {text})[0]);
    }
    wanted = wanted.empty() ? alone : wanted;
    EXPECT_EQ(alone, wanted);
    EXPECT_EQ(Compute(*model, texts), wanted);
    EXPECT_EQ(Compute(*model, texts, 1), wanted);
    EXPECT_EQ(Compute(*model, texts, 7), wanted);
    EXPECT_NE(wanted[1], wanted[3]);
  }
}

TEST(AdapterTest, KeysAreSharedWithinAnAdapterOnly) {
  const auto file = testing::SmallFile("llama");
  const auto model = Load(file, Options());
  const auto one = *model->LoadAdapter(*RandomAdapter(*file, kAll, 1));
  const auto two = *model->LoadAdapter(*RandomAdapter(*file, kAll, 2));
  Compute(*model, {{one, kPrompt}, {nullptr, kPrompt}});
  const auto reused = [&](std::shared_ptr<const Adapter> adapter) {
    const auto sequence = NewSequence(model->cache(), std::move(adapter));
    return model->cache().Reuse(*sequence, kPrompt);
  };
  EXPECT_EQ(reused(one), 19U);
  EXPECT_EQ(reused(nullptr), 19U);
  EXPECT_EQ(reused(two), 0U);
  const auto sequence = NewSequence(model->cache(), one);
  EXPECT_EQ(model->cache().Fork(*sequence)->adapter(), one.get());
}

TEST(AdapterTest, ReadsHalvesAndBlocksAndTakesNoAlphaForOne) {
  const auto file = testing::SmallFile("llama");
  const auto model = Load(file, Options());
  const auto changes = RandomAdapter(*file, {"attn_q"}, 5, 32, 0);
  const auto exact = Compute(*model, {{*model->LoadAdapter(*changes), kPrompt}})[0];
  EXPECT_LT(Difference(exact, Compute(**Model::Load(Merged(*file, *changes), Options()), {{nullptr, kPrompt}})[0]),
            2e-4);
  auto rounded = testing::AdapterHeadFile("llama", 32);  // alpha / rank is one, too
  std::vector<std::vector<std::byte>> kept;
  for (const auto& [name, tensor] : changes->tensors()) {
    const bool wide = name.ends_with("_b");  // of 32 columns, one block
    const auto type = wide ? tensor::GgmlType::kQ8_0 : tensor::GgmlType::kBF16;
    const auto floats = testing::FloatsOf(tensor);
    kept.emplace_back(wide ? floats.size() / 32 * 34 : floats.size() * 2);
    ASSERT_TRUE(tensor::Quantise(type, floats, kept.back()).ok());
    rounded->AddTensor(name, {type, tensor.shape, kept.back()});
  }
  const auto adapter = model->LoadAdapter(*rounded);
  ASSERT_TRUE(adapter.ok()) << adapter.error().message;
  const auto near = Compute(*model, {{*adapter, kPrompt}})[0];
  EXPECT_LT(Difference(near, exact), 0.5);
  EXPECT_NE(near, exact);
}

TEST(AdapterTest, RefusesWhatDoesNotFitByName) {
  const auto file = testing::SmallFile("llama");
  const auto model = Load(file, Options());
  const auto refused = [&](auto&& change) {
    auto adapter = RandomAdapter(*file, {"attn_q", "ffn_down"}, 1);
    change(*adapter);
    const auto loaded = model->LoadAdapter(*adapter);
    EXPECT_FALSE(loaded.ok());
    return loaded.ok() ? std::string() : loaded.error().param;
  };
  const std::string query = "blk.1.attn_q.weight.lora_a";
  const std::string down = "blk.0.ffn_down.weight.lora_b";
  const std::vector<float> some(1000, 0.5F);
  const auto floats = [&](size_t count) {
    return std::vector<float>(some.begin(), some.begin() + static_cast<int>(count));
  };
  EXPECT_EQ(refused([&](MemoryFile& f) { f.AddFloats(query, {3, 23}, floats(69)); }), query);
  EXPECT_EQ(refused([&](MemoryFile& f) { f.AddFloats(query, {3, 1, 24}, floats(72)); }), query);
  EXPECT_EQ(refused([&](MemoryFile& f) { f.AddFloats(down, {24, 4}, floats(96)); }), down);
  EXPECT_EQ(refused([&](MemoryFile& f) { f.AddFloats(down, {3, 24}, floats(72)); }), down);
  EXPECT_EQ(refused([&](MemoryFile& f) { f.Remove(down); }), down);
  EXPECT_EQ(refused([&](MemoryFile& f) { f.Remove(query); }), query);
  EXPECT_EQ(refused([&](MemoryFile& f) { f.AddFloats(query, {3, 24}, std::vector<float>(72, NAN)); }), query);
  for (const std::string name : {"blk.2.attn_q.weight.lora_a", "token_embd.weight.lora_a", "blk.0.attn_norm.weight",
                                 "blk.0.attn_norm.weight.lora_b", ".lora_a", "output.weight.lora_a"}) {
    EXPECT_EQ(refused([&](MemoryFile& f) { f.AddFloats(name, {3, 24}, floats(72)); }), name);
  }
  EXPECT_EQ(refused([](MemoryFile& f) { f.SetText("general.architecture", "qwen2"); }), "general.architecture");
  EXPECT_EQ(refused([](MemoryFile& f) { f.SetText("general.type", "model"); }), "general.type");
  EXPECT_EQ(refused([](MemoryFile& f) { f.SetText("adapter.type", "vera"); }), "adapter.type");
  EXPECT_EQ(refused([](MemoryFile& f) { f.SetNumber("adapter.lora.alpha", NAN); }), "adapter.lora.alpha");
  EXPECT_EQ(refused([](MemoryFile& f) { f.SetInteger("adapter.alora.invocation_tokens", 1); }),
            "adapter.alora.invocation_tokens");
  EXPECT_FALSE(model->LoadAdapter(*testing::AdapterHeadFile("llama", 1)).ok());
}

}  // namespace
}  // namespace atelier::engine
