#include "engine/attention.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/operations.h"

namespace atelier::engine {
namespace {

// ALiBi's slopes (https://arxiv.org/abs/2108.12409): a geometric series; heads beyond a power of two take every other
// term of the next one's.
std::vector<float> Slopes(size_t heads, double bias) {
  std::vector<float> slopes(heads);
  const size_t whole = std::bit_floor(heads);
  for (size_t head = 0; head < heads; ++head) {
    const double exponent = head < whole ? static_cast<double>(head + 1) : (static_cast<double>(head - whole) + 0.5);
    slopes[head] = static_cast<float>(std::exp2(-bias * exponent / static_cast<double>(whole)));
  }
  return slopes;
}

constexpr double kFarthest = 128;  // positions farther away share a bucket

// T5's bucket of a key's distance from its query: one for each small distance, then logarithmically wider ones; half
// of the buckets are for keys behind the query, where it may see them.
size_t Bucket(size_t query, size_t key, size_t buckets, bool both_ways) {
  size_t first = 0;
  size_t distance = query > key ? query - key : 0;
  if (both_ways) {
    buckets /= 2;
    first = key > query ? buckets : 0;
    distance = std::max(query, key) - std::min(query, key);
  }
  const size_t exact = buckets / 2;
  if (distance < exact) {
    return first + distance;
  }
  const double ratio = static_cast<double>(distance) / static_cast<double>(exact);
  const double steps =
      std::log(ratio) / std::log(kFarthest / static_cast<double>(exact)) * static_cast<double>(buckets - exact);
  return first + std::min(buckets - 1, exact + static_cast<size_t>(std::max(0.0, steps)));
}

}  // namespace

Attention::Attention(const ModelConfig& config, std::span<const float> relative_bias, KvCache& cache,
                     ThreadPool& threads, const tensor::FloatKernels& kernels)
    : config_(config),
      relative_bias_(relative_bias),
      cache_(cache),
      threads_(threads),
      kernels_(kernels),
      scores_(threads.threads()),
      sums_(threads.threads()) {
  if (config.alibi_bias > 0) {
    slopes_ = Slopes(static_cast<size_t>(config.heads), config.alibi_bias);
  }
}

void Attention::Run(const AttentionInput& input) {
  const auto kv_heads = static_cast<size_t>(config_.kv_heads);
  threads_.ForEach(input.rows.size() * kv_heads,
                   [&](size_t index, size_t thread) { RunGroup(input, index / kv_heads, index % kv_heads, thread); });
}

Attention::Span Attention::Visible(const BatchRow& row, size_t layer) const {
  const size_t end = config_.causal ? row.position + 1 : row.length;
  const auto window = static_cast<size_t>(config_.window);
  const bool windowed = config_.Windowed(static_cast<int64_t>(layer)) && row.position + 1 > window;
  return {windowed ? row.position + 1 - window : 0, end};
}

void Attention::RunGroup(const AttentionInput& input, size_t row, size_t kv_head, size_t thread) {
  const BatchRow& place = input.rows[row];
  const Span span = Visible(place, input.layer);
  const size_t visible = span.end - span.begin;
  const auto group = static_cast<size_t>(config_.heads / config_.kv_heads);
  const auto value_size = static_cast<size_t>(config_.value_size);
  std::vector<float>& scores = scores_[thread];
  if (scores.size() < group * visible) {
    scores.resize(group * visible);
  }
  Score(input, row, kv_head, scores.data());
  std::vector<float>& sums = sums_[thread];
  sums.resize(group);
  for (size_t i = 0; i < group; ++i) {
    float* weights = scores.data() + i * visible;
    Shape(place, span, kv_head * group + i, weights);
    sums[i] = ExponentialsOf({weights, visible});
  }
  Weigh(input, row, kv_head, scores.data());
  float* outputs = input.outputs + (row * static_cast<size_t>(config_.heads) + kv_head * group) * value_size;
  for (size_t i = 0; i < group; ++i) {
    for (size_t k = 0; k < value_size; ++k) {
      outputs[i * value_size + k] /= sums[i];
    }
  }
}

template <class Body>
void Attention::EachPage(const BatchRow& place, const Span& span, const Body& body) const {
  const size_t page_positions = cache_.geometry().page_positions;
  for (size_t begin = span.begin; begin < span.end;) {
    const size_t end = std::min(span.end, (begin / page_positions + 1) * page_positions);
    body(place.sequence->pages()[begin / page_positions], begin % page_positions, end - begin, begin - span.begin);
    begin = end;
  }
}

void Attention::Score(const AttentionInput& input, size_t row, size_t kv_head, float* scores) const {
  const BatchRow& place = input.rows[row];
  const Span span = Visible(place, input.layer);
  const auto group = static_cast<size_t>(config_.heads / config_.kv_heads);
  const auto key_size = static_cast<size_t>(config_.key_size);
  EachPage(place, span, [&](PageId page, size_t within, size_t count, size_t at) {
    kernels_.score({.queries = input.queries + row * input.query_stride + kv_head * group * key_size,
                    .count = group,
                    .query_stride = key_size,
                    .keys = cache_.Keys(page, input.layer, kv_head) + within,
                    .key_stride = cache_.geometry().page_positions,
                    .width = key_size,
                    .positions = count,
                    .scores = scores + at,
                    .score_stride = span.end - span.begin});
  });
}

void Attention::Weigh(const AttentionInput& input, size_t row, size_t kv_head, const float* weights) const {
  const BatchRow& place = input.rows[row];
  const Span span = Visible(place, input.layer);
  const auto group = static_cast<size_t>(config_.heads / config_.kv_heads);
  const auto value_size = static_cast<size_t>(config_.value_size);
  float* outputs = input.outputs + (row * static_cast<size_t>(config_.heads) + kv_head * group) * value_size;
  std::fill_n(outputs, group * value_size, 0.0F);
  EachPage(place, span, [&](PageId page, size_t within, size_t count, size_t at) {
    kernels_.weigh({.weights = weights + at,
                    .count = group,
                    .weight_stride = span.end - span.begin,
                    .values = cache_.Values(page, input.layer, kv_head) + within * value_size,
                    .positions = count,
                    .width = value_size,
                    .sums = outputs,
                    .sum_stride = value_size});
  });
}

void Attention::Shape(const BatchRow& row, const Span& span, size_t head, float* scores) const {
  const size_t visible = span.end - span.begin;
  const auto scale = static_cast<float>(config_.query_scale);
  for (size_t i = 0; i < visible; ++i) {
    scores[i] *= scale;
  }
  if (config_.attention_cap > 0) {
    SoftCap(config_.attention_cap, {scores, visible});
  }
  if (!relative_bias_.empty()) {
    AddRelativeBias(row, span, head, scores);
  }
  if (!slopes_.empty()) {
    for (size_t i = 0; i < visible; ++i) {
      const auto distance =
          static_cast<float>(std::max(span.begin + i, row.position) - std::min(span.begin + i, row.position));
      scores[i] -= slopes_[head] * distance;
    }
  }
}

void Attention::AddRelativeBias(const BatchRow& row, const Span& span, size_t head, float* scores) const {
  const auto heads = static_cast<size_t>(config_.heads);
  const auto buckets = static_cast<size_t>(config_.relative_buckets);
  for (size_t position = span.begin; position < span.end; ++position) {
    scores[position - span.begin] +=
        relative_bias_[Bucket(row.position, position, buckets, !config_.causal) * heads + head];
  }
}

}  // namespace atelier::engine
