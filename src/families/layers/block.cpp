#include "families/layers/block.h"

#include "families/layers/dropout.h"

namespace atelier::families::layers {

AttentionImpl::AttentionImpl(const AttentionOptions& options) : options_(options) {
  const int64_t inside = options.heads * options.head;
  const int64_t shared = options.kv_heads * options.head;
  query = register_module("query", Linear(options.width, inside, options.bias));
  key = register_module("key", Linear(options.width, shared, options.bias));
  value = register_module("value", Linear(options.width, shared, options.bias));
  output = register_module("output", Linear(inside, options.width, options.bias));
}

torch::Tensor AttentionImpl::Heads(const torch::Tensor& projected, int64_t heads) const {
  return projected.view({projected.size(0), projected.size(1), heads, options_.head});
}

torch::Tensor AttentionImpl::Finish(const torch::Tensor& queries, const KeyValues& seen, const AttentionMask& mask) {
  const auto mixed = Attend(queries, seen.keys, seen.values, mask, is_training() ? options_.dropout : 0);
  return output(mixed.view({mixed.size(0), mixed.size(1), options_.heads * options_.head}));
}

torch::Tensor AttentionImpl::Among(const torch::Tensor& input, const AttentionMask& mask, const RopeTable* rope,
                                   KeyValues* cache) {
  auto queries = Heads(query(input), options_.heads);
  KeyValues seen{Heads(key(input), options_.kv_heads), Heads(value(input), options_.kv_heads)};
  const bool earlier = cache != nullptr && cache->keys.defined();
  if (rope != nullptr) {
    const int64_t first = earlier ? cache->keys.size(1) : 0;
    queries = Rotate(queries, *rope, first);
    seen.keys = Rotate(seen.keys, *rope, first);
  }
  if (earlier) {
    seen.keys = torch::cat({cache->keys, seen.keys}, 1);
    seen.values = torch::cat({cache->values, seen.values}, 1);
  }
  if (cache != nullptr) {
    *cache = seen;
  }
  return Finish(queries, seen, mask);
}

torch::Tensor AttentionImpl::Across(const torch::Tensor& input, const torch::Tensor& memory, const AttentionMask& mask,
                                    KeyValues* cache) {
  const auto queries = Heads(query(input), options_.heads);
  if (cache != nullptr && cache->keys.defined()) {
    return Finish(queries, *cache, mask);
  }
  const KeyValues seen{Heads(key(memory), options_.kv_heads), Heads(value(memory), options_.kv_heads)};
  if (cache != nullptr) {
    *cache = seen;
  }
  return Finish(queries, seen, mask);
}

BlockImpl::BlockImpl(const BlockOptions& options) : options_(options) {
  const int64_t width = options.attention.width;
  const auto norm = [&](const char* name) {
    return register_module(name, Norm(options.norm, width, options.norm_epsilon));
  };
  attention_norm = norm("attention_norm");
  attention = register_module("attention", Attention(options.attention));
  if (options.looks_across) {
    cross_norm = norm("cross_norm");
    cross = register_module("cross", Attention(options.attention));
  }
  feed_forward_norm = norm("feed_forward_norm");
  feed_forward = register_module("feed_forward",
                                 FeedForward(options.feed_forward, width, options.hidden, options.feed_forward_bias));
}

template <class Part>
torch::Tensor BlockImpl::Add(const torch::Tensor& input, Norm& norm, const Part& part) {
  const auto added = part(options_.norm_first ? norm(input) : input);
  const auto sum = input + Dropout(added, options_.dropout, is_training());
  return options_.norm_first ? sum : norm(sum);
}

torch::Tensor BlockImpl::Forward(const torch::Tensor& input, const AttentionMask& mask, const RopeTable* rope,
                                 KeyValues* cache, const Memory* memory) {
  auto states =
      Add(input, attention_norm, [&](const torch::Tensor& x) { return attention->Among(x, mask, rope, cache); });
  if (options_.looks_across && memory != nullptr) {
    states = Add(states, cross_norm,
                 [&](const torch::Tensor& x) { return cross->Across(x, memory->states, memory->mask, memory->cache); });
  }
  return Add(states, feed_forward_norm, [&](const torch::Tensor& x) { return feed_forward(x); });
}

}  // namespace atelier::families::layers
