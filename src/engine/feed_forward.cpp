#include "engine/feed_forward.h"

#include <algorithm>
#include <numeric>

#include "engine/operations.h"

namespace atelier::engine {
namespace {

constexpr size_t kActivatedAtOnce = 2048;  // numbers of a row

void Grow(std::vector<float>& buffer, size_t floats) {
  if (buffer.size() < floats) {
    buffer.resize(floats);
  }
}

}  // namespace

void FeedForward::Run(const LayerWeights& layer, size_t rows, std::span<const AdaptedRows> adapted, const float* inputs,
                      float* outputs) {
  layer.router.present() ? RunExperts(layer, rows, inputs, outputs) : RunDense(layer, rows, adapted, inputs, outputs);
}

void FeedForward::RunDense(const LayerWeights& layer, size_t rows, std::span<const AdaptedRows> adapted,
                           const float* inputs, float* outputs) {
  const auto width = static_cast<size_t>(config_.width);
  const auto size = static_cast<size_t>(config_.feed_forward);
  const bool separate = layer.gate.weight.present();
  const bool gated = separate || layer.fused_gate;
  const Architecture& row_kind = *config_.architecture;
  const Activation plain = row_kind.gate == Gate::kFromFile ? row_kind.ungated_activation : row_kind.activation;
  const size_t stride = gated ? 2 * size : size;
  Grow(hidden_, rows * stride);
  // The gate is the first half, up the second, whether in one matrix or in two.
  Product up{&layer.up.weight, layer.up.bias, inputs, width, rows, hidden_.data() + (separate ? size : 0),
             stride,           adapted};
  Product gate{&layer.gate.weight, layer.gate.bias, inputs, width, rows, hidden_.data(), stride, adapted};
  const Product both[] = {up, gate};
  products_.Run(std::span(both).first(separate ? 2 : 1));
  const size_t pieces = (size + kActivatedAtOnce - 1) / kActivatedAtOnce;
  threads_.ForEach(rows * pieces, [&](size_t index, size_t) {
    const size_t first = index % pieces * kActivatedAtOnce;
    float* values = hidden_.data() + index / pieces * stride + first;
    Activate(kernels_, gated ? row_kind.activation : plain, {values, std::min(kActivatedAtOnce, size - first)},
             gated ? values + size : nullptr);
  });
  const Product down{&layer.down.weight, layer.down.bias, hidden_.data(), stride, rows, outputs, width, adapted};
  products_.Run({&down, 1});
}

void FeedForward::Choose(const LayerWeights& layer, size_t rows, const float* inputs) {
  const auto width = static_cast<size_t>(config_.width);
  const auto experts = static_cast<size_t>(config_.experts);
  const auto used = static_cast<size_t>(config_.experts_used);
  Grow(router_, rows * experts);
  choices_.resize(rows * used);
  const Product product{&layer.router, {}, inputs, width, rows, router_.data(), experts};
  products_.Run({&product, 1});
  threads_.ForEach(rows, [&](size_t row, size_t) {
    const std::span<float> chances(router_.data() + row * experts, experts);
    SoftMax(kernels_, chances);
    std::vector<size_t> order(experts);
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::stable_sort(order, [&](size_t a, size_t b) { return chances[a] > chances[b]; });
    float sum = 0;
    for (size_t k = 0; k < used; ++k) {
      sum += chances[order[k]];
    }
    for (size_t k = 0; k < used; ++k) {
      choices_[row * used + k] = {order[k], chances[order[k]] / sum, 0};
    }
  });
}

std::vector<size_t> FeedForward::AssignSlots(size_t rows) {
  std::vector<size_t> begins(static_cast<size_t>(config_.experts) + 1);
  for (const Choice& choice : choices_) {
    ++begins[choice.expert + 1];
  }
  std::partial_sum(begins.begin(), begins.end(), begins.begin());
  std::vector<size_t> next = begins;
  for (size_t i = 0; i < rows * static_cast<size_t>(config_.experts_used); ++i) {
    choices_[i].slot = next[choices_[i].expert]++;
  }
  return begins;
}

void FeedForward::RunExperts(const LayerWeights& layer, size_t rows, const float* inputs, float* outputs) {
  const auto width = static_cast<size_t>(config_.width);
  const auto size = static_cast<size_t>(config_.expert_feed_forward);
  const auto used = static_cast<size_t>(config_.experts_used);
  const size_t slots = rows * used;
  Choose(layer, rows, inputs);
  const auto begins = AssignSlots(rows);
  Grow(slot_inputs_, slots * width);
  Grow(slot_outputs_, slots * width);
  Grow(hidden_, slots * 2 * size);
  threads_.ForEach(slots, [&](size_t i, size_t) {
    std::copy_n(inputs + i / used * width, width, slot_inputs_.data() + choices_[i].slot * width);
  });
  expert_work_.clear();
  for (size_t expert = 0; expert + 1 < begins.size(); ++expert) {
    const size_t first = begins[expert];
    const size_t count = begins[expert + 1] - first;
    const float* from = slot_inputs_.data() + first * width;
    float* to = hidden_.data() + first * 2 * size;
    expert_work_.push_back({&layer.expert_gates[expert], {}, from, width, count, to, 2 * size});
    expert_work_.push_back({&layer.expert_ups[expert], {}, from, width, count, to + size, 2 * size});
  }
  products_.Run(expert_work_);
  threads_.ForEach(slots, [&](size_t slot, size_t) {
    float* values = hidden_.data() + slot * 2 * size;
    Activate(kernels_, config_.architecture->activation, {values, size}, values + size);
  });
  expert_work_.clear();
  for (size_t expert = 0; expert + 1 < begins.size(); ++expert) {
    const size_t first = begins[expert];
    expert_work_.push_back({&layer.expert_downs[expert],
                            {},
                            hidden_.data() + first * 2 * size,
                            2 * size,
                            begins[expert + 1] - first,
                            slot_outputs_.data() + first * width,
                            width});
  }
  products_.Run(expert_work_);
  threads_.ForEach(rows, [&](size_t row, size_t) {
    float* output = outputs + row * width;
    std::fill_n(output, width, 0.0F);
    for (size_t k = 0; k < used; ++k) {
      const Choice& choice = choices_[row * used + k];
      const float* from = slot_outputs_.data() + choice.slot * width;
      kernels_.mix(output, 1, from, choice.weight, width);
    }
  });
}

}  // namespace atelier::engine
