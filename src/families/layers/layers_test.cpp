// Layers against LibTorch's own operations and their gradients.
#include <gmock/gmock.h>

#include <functional>

#include "families/layers/block.h"
#include "families/layers/dropout.h"
#include "families/layers/quantised.h"

namespace atelier::families::layers {
namespace {

using Function = std::function<torch::Tensor(const std::vector<torch::Tensor>&)>;

// Values and gradients of both, for the same inputs and the same gradient of the output.
void ExpectSame(const std::vector<torch::Tensor>& inputs, const Function& ours, const Function& reference) {
  std::vector<std::vector<torch::Tensor>> all;
  torch::Tensor direction;
  for (const auto& function : {ours, reference}) {
    std::vector<torch::Tensor> leaves;
    for (const auto& input : inputs) {
      leaves.push_back(input.detach().clone().set_requires_grad(true));
    }
    const auto output = function(leaves);
    if (!direction.defined()) {
      direction = torch::randn(output.sizes());
    }
    output.backward(direction);
    all.push_back({output.detach()});
    for (const auto& leaf : leaves) {
      all.back().push_back(leaf.grad());
    }
  }
  ASSERT_EQ(all[0].size(), all[1].size());
  for (size_t i = 0; i < all[0].size(); ++i) {
    ASSERT_EQ(all[0][i].sizes(), all[1][i].sizes());
    EXPECT_TRUE(torch::allclose(all[0][i], all[1][i], 1e-4, 2e-5))
        << "output or gradient " << i << " differs by " << (all[0][i] - all[1][i]).abs().max().item<float>();
  }
}

struct AttentionCase {
  const char* name;
  int64_t queries, keys, heads, kv_heads, head;
  bool causal = false;
  bool padded = false;
  bool packed = false;
};

AttentionMask MaskOf(const AttentionCase& row, int64_t batch) {
  AttentionMask mask{.causal = row.causal};
  if (row.padded) {
    mask.keys = torch::rand({batch, row.keys}) > 0.3;
    mask.keys[0].fill_(false);  // an item of nothing but padding
  }
  if (row.packed) {
    mask.segments = torch::arange(row.keys).div(7, "floor").expand({batch, row.keys});
  }
  return mask;
}

TEST(AttendTest, AgreesWithLibTorch) {
  torch::manual_seed(3);
  for (const AttentionCase& row :
       {AttentionCase{"plain", 5, 5, 2, 2, 8}, AttentionCase{"causal", 101, 101, 2, 2, 16, true},
        AttentionCase{"grouped", 50, 50, 6, 2, 12, true}, AttentionCase{"across", 9, 60, 4, 4, 8},
        AttentionCase{"behind a cache", 3, 53, 4, 1, 8, true}, AttentionCase{"padded", 49, 49, 2, 1, 8, false, true},
        AttentionCase{"padded causal", 30, 30, 2, 2, 8, true, true},
        AttentionCase{"packed", 64, 64, 3, 3, 10, true, false, true},
        AttentionCase{"packed and padded", 20, 20, 1, 1, 4, true, true, true},
        AttentionCase{"more queries than keys", 6, 4, 1, 1, 4, true}}) {
    SCOPED_TRACE(row.name);
    const int64_t batch = 3;
    const AttentionMask mask = MaskOf(row, batch);
    ExpectSame(
        {torch::randn({batch, row.queries, row.heads, row.head}),
         torch::randn({batch, row.keys, row.kv_heads, row.head}),
         torch::randn({batch, row.keys, row.kv_heads, row.head})},
        [&](const auto& x) { return Attend(x[0], x[1], x[2], mask); },
        [&](const auto& x) { return AttendPlainly(x[0], x[1], x[2], mask); });
  }
}

// The plain form against the formula, so that the two do not err together.
TEST(AttendTest, SeesOnlyWhatTheMaskShows) {
  torch::manual_seed(4);
  const auto x = torch::randn({1, 6, 1, 4});
  const auto first = [&](const AttentionMask& mask, const torch::Tensor& values) {
    return Attend(x, x, values, mask)[0][0][0];
  };
  EXPECT_TRUE(torch::allclose(first({.causal = true}, x), x[0][0][0], 1e-5, 1e-6));  // its own value only
  auto changed = x.clone();
  changed[0][3] += 100;
  AttentionMask without{.keys = torch::tensor({true, true, true, false, true, true}).unsqueeze(0)};
  EXPECT_TRUE(torch::equal(first(without, x), first(without, changed)));
  AttentionMask apart{.segments = torch::tensor({0, 0, 0, 1, 1, 1}).unsqueeze(0)};
  EXPECT_TRUE(torch::equal(first(apart, x), first(apart, changed)));
  EXPECT_FALSE(torch::equal(first({}, x), first({}, changed)));
  const auto all = Attend(x, x, x, {})[0][2][0];
  const auto weights = torch::softmax(torch::mv(x[0].squeeze(1), x[0][2][0]) / 2, 0);
  EXPECT_TRUE(torch::allclose(all, torch::mv(x[0].squeeze(1).t(), weights), 1e-5, 1e-6));
}

TEST(NormTest, RootMeanSquareAgreesWithLibTorch) {
  torch::manual_seed(5);
  ExpectSame(
      {torch::randn({3, 7, 20}), torch::randn({20})}, [](const auto& x) { return RmsNormalise(x[0], x[1], 1e-5); },
      [](const auto& x) { return x[0] * torch::rsqrt(x[0].pow(2).mean(-1, true) + 1e-5) * x[1]; });
}

TEST(RopeTest, AgreesWithLibTorch) {
  torch::manual_seed(6);
  const RopeTable table = MakeRopeTable(20, 8, 10000);
  ExpectSame(
      {torch::randn({2, 5, 3, 8})}, [&](const auto& x) { return Rotate(x[0], table, 4); },
      [&](const auto& x) {  // as transformers' apply_rotary_pos_emb has it
        const auto frequencies = torch::pow(10000.0, -torch::arange(0, 8, 2).to(torch::kFloat64) / 8);
        const auto angles = torch::outer(torch::arange(4, 9).to(torch::kFloat64), frequencies);
        const auto twice = torch::cat({angles, angles}, 1).to(torch::kFloat32).unsqueeze(1);
        const auto halves = x[0].chunk(2, 3);
        return x[0] * twice.cos() + torch::cat({-halves[1], halves[0]}, 3) * twice.sin();
      });
}

TEST(FeedForwardTest, GatesAgreeWithLibTorch) {
  torch::manual_seed(7);
  ExpectSame(
      {torch::randn({4, 9}), torch::randn({4, 9})}, [](const auto& x) { return GatedSilu(x[0], x[1]); },
      [](const auto& x) { return torch::silu(x[0]) * x[1]; });
}

TEST(DropoutTest, DropsItsShareAndItsGradient) {
  torch::manual_seed(3);
  const auto input = torch::rand({31, 333, 65}) + 1;
  for (const double share : {0.1, 0.5, 0.9}) {
    const auto leaf = input.clone().set_requires_grad(true);
    const auto output = Dropout(leaf, share, true);
    const auto kept = output.detach().ne(0);
    EXPECT_NEAR(kept.to(torch::kFloat64).mean().item<double>(), 1 - share, 0.003);
    EXPECT_TRUE(torch::allclose(output.detach(), input * kept / (1 - share)));
    output.backward(torch::full_like(output, 2));
    EXPECT_TRUE(torch::allclose(leaf.grad(), kept * (2 / (1 - share))));
  }
  EXPECT_TRUE(Dropout(input, 0.5, false).is_same(input));
  EXPECT_TRUE(Dropout(input, 0, true).is_same(input));
}

// Places beside each other, a hash apart and a row apart, and draws after each other.
TEST(DropoutTest, PlacesAndDrawsKnowNothingOfEachOther) {
  torch::manual_seed(4);
  const auto ones = torch::ones({1 << 20});
  const auto first = Dropout(ones, 0.5, true) - 1;
  const auto second = Dropout(ones, 0.5, true) - 1;
  for (const int64_t apart : {1, 2, 3, 8, 192, 512, 4096}) {
    EXPECT_NEAR((first * first.roll(apart)).mean().item<double>(), 0, 0.006) << apart;
    EXPECT_NEAR((first * second.roll(apart)).mean().item<double>(), 0, 0.006) << apart;
  }
  EXPECT_NEAR((first * second).mean().item<double>(), 0, 0.006);
}

TEST(DropoutTest, IsTheSameForASeedOnAnyNumberOfThreads) {
  const auto input = torch::rand({100001});
  const int before = at::get_num_threads();
  std::vector<torch::Tensor> outputs;
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    torch::manual_seed(9);
    outputs.push_back(Dropout(input, 0.2, true));
  }
  at::set_num_threads(before);
  EXPECT_TRUE(torch::equal(outputs[0], outputs[1]));
  EXPECT_TRUE(torch::equal(outputs[0], outputs[2]));
}

TEST(LinearTest, LoraBeginsAsNothingAndIsAllThatLearns) {
  torch::manual_seed(8);
  Linear linear(6, 4, true);
  const auto input = torch::randn({5, 6});
  const auto before = linear(input);
  linear->AddLora({.rank = 2, .alpha = 8});
  EXPECT_TRUE(torch::equal(linear(input), before));
  linear(input).sum().backward();
  EXPECT_FALSE(linear->weight.grad().defined());
  EXPECT_TRUE(linear->lora_b.grad().abs().sum().item<float>() > 0);
  torch::NoGradGuard guard;
  linear->lora_b.normal_();
  const auto merged = linear->weight + torch::mm(linear->lora_b, linear->lora_a) * 4;
  EXPECT_TRUE(torch::allclose(linear(input), torch::linear(input, merged, linear->bias), 1e-4, 1e-5));
}

TEST(LinearTest, KeepsFourBitsThatPassGradientsOn) {
  torch::manual_seed(11);
  Linear linear(64, 5, true);
  const auto whole = linear->weight.detach().clone();
  linear->Quantise();
  ASSERT_FALSE(linear->weight.defined());
  EXPECT_EQ(linear->parameters().size(), 1U);
  const auto input = torch::randn({3, 64}).set_requires_grad(true);
  const auto kept = DequantiseWeight(QuantiseWeight(whole), 64);
  EXPECT_LT((kept - whole).norm().item<float>(), 0.1 * whole.norm().item<float>());
  linear->AddLora({});
  const auto output = linear(input);
  EXPECT_TRUE(torch::allclose(output, torch::linear(input, kept, linear->bias), 1e-5, 1e-6));
  output.sum().backward();
  EXPECT_TRUE(torch::allclose(input.grad(), kept.sum(0).expand({3, 64}), 1e-5, 1e-5));
  Linear odd(30, 4, false);
  odd->Quantise();  // rows that are no whole blocks
  EXPECT_TRUE(odd->weight.defined());
}

BlockOptions Decoder() { return {.attention = {.width = 16, .heads = 4, .kv_heads = 2, .head = 4}, .hidden = 24}; }

// A position at a time with a cache gives what the whole gives at once.
TEST(BlockTest, CachesWhatItHasSeen) {
  torch::manual_seed(9);
  torch::NoGradGuard guard;
  BlockOptions options = Decoder();
  options.looks_across = true;
  Block block(options);
  const RopeTable rope = MakeRopeTable(10, 4, 10000);
  const auto input = torch::randn({2, 6, 16});
  const BlockImpl::Memory memory{.states = torch::randn({2, 5, 16})};
  const auto whole = block->Forward(input, {.causal = true}, &rope, nullptr, &memory);
  KeyValues cache;
  KeyValues across;
  const BlockImpl::Memory cached{.states = memory.states, .cache = &across};
  for (int64_t at = 0; at < 6; ++at) {
    const auto step = block->Forward(input.slice(1, at, at + 1), {.causal = true}, &rope, &cache, &cached);
    EXPECT_TRUE(torch::allclose(step.select(1, 0), whole.select(1, at), 1e-4, 1e-5)) << at;
  }
}

// A block of BERT's kind is LibTorch's encoder layer with the same weights.
TEST(BlockTest, AgreesWithLibTorchsEncoder) {
  torch::manual_seed(10);
  torch::NoGradGuard guard;
  const BlockOptions options{.attention = {.width = 12, .heads = 3, .kv_heads = 3, .head = 4, .bias = true},
                             .feed_forward = FeedForwardKind::kGelu,
                             .hidden = 20,
                             .feed_forward_bias = true,
                             .norm = NormKind::kLayer,
                             .norm_first = false};
  Block block(options);
  for (auto& parameter : block->parameters()) {
    parameter.normal_(0, 0.3);
  }
  torch::nn::TransformerEncoderLayer reference(
      torch::nn::TransformerEncoderLayerOptions(12, 3).dim_feedforward(20).dropout(0).activation(torch::kGELU));
  auto from = block->named_parameters();
  auto to = reference->named_parameters();
  to["self_attn.in_proj_weight"].copy_(
      torch::cat({from["attention.query.weight"], from["attention.key.weight"], from["attention.value.weight"]}));
  to["self_attn.in_proj_bias"].copy_(
      torch::cat({from["attention.query.bias"], from["attention.key.bias"], from["attention.value.bias"]}));
  for (const auto& [ours, theirs] :
       {std::pair{"attention.output", "self_attn.out_proj"}, std::pair{"attention_norm", "norm1"},
        std::pair{"feed_forward.up", "linear1"}, std::pair{"feed_forward.down", "linear2"},
        std::pair{"feed_forward_norm", "norm2"}}) {
    for (const auto* suffix : {".weight", ".bias"}) {
      to[std::string(theirs) + suffix].copy_(from[std::string(ours) + suffix]);
    }
  }
  const auto input = torch::randn({2, 7, 12});
  AttentionMask mask{.keys = torch::ones({2, 7}, torch::kBool)};
  mask.keys[1].slice(0, 4).fill_(false);
  const auto ours = block->Forward(input, mask);
  const auto theirs = reference(input.transpose(0, 1), torch::Tensor(), mask.keys.logical_not()).transpose(0, 1);
  EXPECT_TRUE(torch::allclose(ours[0], theirs[0], 1e-4, 1e-5));
  EXPECT_TRUE(torch::allclose(ours[1].slice(0, 0, 4), theirs[1].slice(0, 0, 4), 1e-4, 1e-5));
}

}  // namespace
}  // namespace atelier::families::layers
