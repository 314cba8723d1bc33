#include "families/translation/scoring.h"

#include <algorithm>
#include <numeric>

#include "families/translation/cross_entropy.h"
#include "families/weights.h"

namespace atelier::families {
namespace {

constexpr size_t kPairs = 128;  // whose losses are computed at once
constexpr size_t kTextsAtOnce = 32;

}  // namespace

Status SumLosses(TranslatorImpl& network, const TranslationConfig& config, const std::vector<TokenPair>& pairs,
                 const std::function<bool()>& cancelled, Sums& sums) {
  return CatchTorch([&]() -> Status {
    const torch::NoGradGuard no_grad;
    network.eval();
    std::vector<int64_t> order(pairs.size());
    for (size_t i = 0; i < order.size(); ++i) {
      order[i] = static_cast<int64_t>(i);
    }
    std::ranges::stable_sort(order, {}, [&](int64_t i) { return pairs[static_cast<size_t>(i)].source.size(); });
    for (size_t first = 0; first < order.size(); first += kPairs) {
      if (cancelled && cancelled()) {
        return MakeError(Code::kCancelled, "the job was cancelled", "cancelled");
      }
      const auto some = std::span(order).subspan(first, std::min(kPairs, order.size() - first));
      const auto batch = MakeBatch(pairs, some, config);
      const auto memory = network.Encode(batch.source.tokens, batch.source.present);
      const auto states = network.Decode(batch.inputs, memory, batch.source.present).view({-1, config.width});
      const auto loss =
          SmoothedCrossEntropy(states.index_select(0, batch.places), network.embeddings(), batch.targets, 0);
      const auto tokens = static_cast<double>(batch.targets.numel());
      sums.Add({.loss = loss.plain * tokens, .weight = tokens, .score = static_cast<double>(loss.right)});
    }
    return {};
  });
}

std::vector<Hypothesis> Translate(TranslatorImpl& network, const TranslationConfig& config,
                                  const std::vector<std::vector<int32_t>>& texts,
                                  const std::function<bool()>& cancelled) {
  const c10::InferenceMode inference;
  std::vector<size_t> order(texts.size());
  for (size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::ranges::stable_sort(order, {}, [&](size_t i) { return texts[i].size(); });
  std::vector<Hypothesis> out(texts.size());
  const BeamOptions options{.beam = config.beam, .length_penalty = config.length_penalty};
  for (size_t first = 0; first < order.size() && !(cancelled && cancelled()); first += kTextsAtOnce) {
    const size_t last = std::min(first + kTextsAtOnce, order.size());
    std::vector<std::vector<int32_t>> batch;
    for (size_t i = first; i < last; ++i) {
      batch.push_back(texts[order[i]]);
    }
    auto found = BeamSearch(network, config, batch, options);
    for (size_t i = first; i < last; ++i) {
      out[order[i]] = std::move(found[i - first]);
    }
  }
  return out;
}

}  // namespace atelier::families
