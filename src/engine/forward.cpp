#include "engine/forward.h"

#include <algorithm>
#include <cmath>

#include "engine/operations.h"

namespace atelier::engine {
namespace {

constexpr size_t kInlineFloats = 8192;  // fewer are not worth waking threads for
constexpr size_t kCapAtOnce = 16384;    // logits

// Neighbours with the same adapter go together.
void AddAdapted(const AdaptedRows& rows, std::vector<AdaptedRows>& all) {
  if (!all.empty() && all.back().adapter == rows.adapter && all.back().first + all.back().count == rows.first) {
    all.back().count += rows.count;
  } else {
    all.push_back(rows);
  }
}

}  // namespace

Forward::Forward(const ForwardParts& parts, int64_t context)
    : config_(parts.config),
      weights_(parts.weights),
      cache_(parts.cache),
      threads_(parts.threads),
      kernels_(parts.kernels),
      global_rope_(GlobalRope(parts.config, parts.weights, context)),
      local_rope_(LocalRope(parts.config, global_rope_)),
      products_(parts.threads, parts.kernels),
      attention_(parts.config, parts.weights.relative_bias, parts.cache, parts.threads, parts.kernels),
      cross_attention_(parts.config, parts.threads, parts.kernels),
      feed_forward_(parts.config, parts.threads, parts.kernels, products_),
      width_(static_cast<size_t>(parts.config.width)),
      projected_width_(
          static_cast<size_t>(parts.config.query_width() + parts.config.key_width() + parts.config.value_width())) {}

void Forward::Run(std::span<const StepItem> items, StepOutput& output) {
  Plan(items);
  Embed();
  EachRow([&](size_t row) { NormInput(0, row); });
  for (size_t layer = 0; layer < weights_.layers.size(); ++layer) {
    RunLayer(layer);
  }
  Finish(items, output);
}

void Forward::Plan(std::span<const StepItem> items) {
  rows_.clear();
  adapted_.clear();
  for (const StepItem& item : items) {
    if (item.sequence->adapter() != nullptr) {
      AddAdapted({item.sequence->adapter(), rows_.size(), item.tokens.size()}, adapted_);
    }
    const size_t before = item.sequence->length();
    for (size_t i = 0; i < item.tokens.size(); ++i) {
      rows_.push_back({item.sequence, item.tokens[i], before + i, before + item.tokens.size()});
    }
  }
  const size_t count = rows_.size();
  for (auto* buffer : {&hidden_, &normed_, &second_normed_, &block_, &other_block_}) {
    buffer->resize(count * width_);
  }
  projected_.resize(count * projected_width_);
  attended_.resize(count * static_cast<size_t>(config_.heads * config_.value_size));
  global_angles_.resize(count * 2 * global_rope_.dimensions());
  local_angles_.resize(count * 2 * local_rope_.dimensions());
}

void Forward::Embed() {
  const double scale = config_.architecture->scaled_embedding ? std::sqrt(static_cast<double>(config_.width)) : 1.0;
  for (size_t row = 0; row < rows_.size(); ++row) {
    float* to = hidden_.data() + row * width_;
    const float* embedding = FloatRows(weights_.token_embedding, static_cast<size_t>(rows_[row].token), 1, scratch_);
    std::transform(embedding, embedding + width_, to, [&](float x) { return x * static_cast<float>(scale); });
    if (!weights_.type_embedding.empty()) {
      Add(kernels_, {to, width_}, weights_.type_embedding.data());
    }
    if (weights_.position_embedding.present()) {
      Add(kernels_, {to, width_}, FloatRows(weights_.position_embedding, rows_[row].position, 1, scratch_));
    }
    if (weights_.embedding_norm.present()) {
      NormRow(weights_.embedding_norm, to, to);
    }
  }
  EachRow([&](size_t row) {
    global_rope_.Angles(rows_[row].position, global_angles_.data() + row * 2 * global_rope_.dimensions());
    local_rope_.Angles(rows_[row].position, local_angles_.data() + row * 2 * local_rope_.dimensions());
  });
}

template <class Body>
void Forward::EachRow(const Body& body) {
  if (rows_.size() * width_ <= kInlineFloats) {
    for (size_t row = 0; row < rows_.size(); ++row) {
      body(row);
    }
  } else {
    threads_.ForEach(rows_.size(), [&](size_t row, size_t) { body(row); });
  }
}

tensor::NormRow Forward::Norm(const NormWeights& norm, const float* from, float* to) const {
  return {.from = from,
          .weight = norm.weight.data(),
          .bias = norm.bias.empty() ? nullptr : norm.bias.data(),
          .count = width_,
          .epsilon = config_.norm_epsilon,
          .centred = config_.architecture->norm == NormKind::kLayer,
          .to = to};
}

void Forward::NormRow(const NormWeights& norm, const float* from, float* to) const {
  kernels_.normalise(Norm(norm, from, to));
}

void Forward::AddAndNorm(const NormWeights& norm, float* hidden, const float* block, float* to) const {
  if (!norm.present()) {
    return Add(kernels_, {hidden, width_}, block);
  }
  tensor::NormRow row = Norm(norm, hidden, to);
  row.added = block;
  row.sum = hidden;
  kernels_.normalise(row);
}

void Forward::NormInput(size_t index, size_t row) {
  if (index == weights_.layers.size()) {
    return;
  }
  const LayerWeights& layer = weights_.layers[index];
  const float* from = hidden_.data() + row * width_;
  if (layer.attention_norm.present()) {
    NormRow(layer.attention_norm, from, normed_.data() + row * width_);
    if (OwnInput(layer)) {
      NormRow(layer.attention_second_norm, from, second_normed_.data() + row * width_);
    }
  }
}

// Whether attention reads another norm than the feed-forward network beside it.
bool Forward::OwnInput(const LayerWeights& layer) const {
  return config_.architecture->second_norm == SecondNorm::kAttentionInput && layer.attention_second_norm.present();
}

void Forward::RunLayer(size_t index) {
  const LayerWeights& layer = weights_.layers[index];
  const float* inputs = layer.attention_norm.present() ? normed_.data() : hidden_.data();
  Attend(index, OwnInput(layer) ? second_normed_.data() : inputs);
  if (layer.parallel) {
    feed_forward_.Run(layer, rows_.size(), adapted_, inputs, other_block_.data());
    EachRow([&](size_t row) {
      Add(kernels_, {block_.data() + row * width_, width_}, other_block_.data() + row * width_);
      Add(kernels_, {hidden_.data() + row * width_, width_}, block_.data() + row * width_);
      NormInput(index + 1, row);
    });
    return;
  }
  EachRow([&](size_t row) { AddAttention(layer, row); });
  if (layer.cross_norm.present()) {
    AttendToEncoder(index);
  }
  const bool normed = layer.feed_forward_norm.present();
  feed_forward_.Run(layer, rows_.size(), adapted_, normed ? normed_.data() : hidden_.data(), block_.data());
  EachRow([&](size_t row) {
    AddFeedForward(layer, row);
    NormInput(index + 1, row);
  });
}

void Forward::Attend(size_t index, const float* inputs) {
  const LayerWeights& layer = weights_.layers[index];
  const size_t rows = rows_.size();
  const auto query_width = static_cast<size_t>(config_.query_width());
  const auto key_width = static_cast<size_t>(config_.key_width());
  const auto product = [&](const Linear& linear, size_t offset) {
    return Product{&linear.weight,   linear.bias, inputs, width_, rows, projected_.data() + offset,
                   projected_width_, adapted_};
  };
  if (layer.query_key_value.weight.present()) {
    const Product all = product(layer.query_key_value, 0);
    products_.Run({&all, 1});
  } else {
    const Product each[] = {product(layer.query, 0), product(layer.key, query_width),
                            product(layer.value, query_width + key_width)};
    products_.Run(each);
  }
  EachRow([&](size_t row) { PrepareRow(index, row); });
  attention_.Run({rows_, index, projected_.data(), projected_width_, attended_.data()});
  ProjectAttended(layer.attention_output);
}

void Forward::PrepareRow(size_t index, size_t row) {
  const LayerWeights& layer = weights_.layers[index];
  float* queries = projected_.data() + row * projected_width_;
  float* keys = queries + config_.query_width();
  NormHeads(layer, queries, keys);
  const bool local = config_.Windowed(static_cast<int64_t>(index));
  const RopeTable& rope = local ? local_rope_ : global_rope_;
  const float* angles = (local ? local_angles_ : global_angles_).data() + row * 2 * rope.dimensions();
  kernels_.turn({.heads = queries,
                 .count = static_cast<size_t>(config_.heads + config_.kv_heads),
                 .stride = static_cast<size_t>(config_.key_size),
                 .cosines = angles,
                 .sines = angles + rope.dimensions(),
                 .dimensions = rope.dimensions(),
                 .neighbours = config_.architecture->rope == Rope::kPairs});
  StoreRow(index, rows_[row], keys, keys + config_.key_width());
}

void Forward::NormHeads(const LayerWeights& layer, float* queries, float* keys) const {
  const Architecture& row = *config_.architecture;
  const auto norm = [&](const NormWeights& weights, float* values, int64_t heads) {
    if (!weights.present()) {
      return;
    }
    const bool whole = row.query_key_norm == QueryKeyNorm::kWhole || row.query_key_norm == QueryKeyNorm::kWholeOptional;
    const auto parts = static_cast<size_t>(whole ? 1 : heads);
    const size_t size = static_cast<size_t>(heads * config_.key_size) / parts;
    const bool own = row.query_key_norm == QueryKeyNorm::kEachHead;
    for (size_t part = 0; part < parts; ++part) {
      const size_t first = own ? part * size : 0;
      tensor::NormRow each = Norm(weights, values + part * size, values + part * size);
      each.count = size;
      each.weight += first;
      each.bias = each.bias == nullptr ? nullptr : each.bias + first;
      kernels_.normalise(each);
    }
  };
  norm(layer.query_norm, queries, config_.heads);
  norm(layer.key_norm, keys, config_.kv_heads);
}

void Forward::StoreRow(size_t layer, const BatchRow& row, const float* keys, const float* values) {
  const tensor::KvKernels& kernels = kernels_.attention[static_cast<size_t>(cache_.geometry().format)];
  const size_t page_positions = cache_.geometry().page_positions;
  const PageId page = row.sequence->pages()[row.position / page_positions];
  const size_t place = row.position % page_positions;
  const auto key_size = static_cast<size_t>(config_.key_size);
  const auto value_size = static_cast<size_t>(config_.value_size);
  for (size_t head = 0; head < static_cast<size_t>(config_.kv_heads); ++head) {
    kernels.store_keys({cache_.Keys(page, layer, head), page_positions, place, keys + head * key_size, key_size});
    kernels.store_values(
        {cache_.Values(page, layer, head), page_positions, place, values + head * value_size, value_size});
  }
}

void Forward::AddAttention(const LayerWeights& layer, size_t row) {
  const NormWeights& next = layer.cross_norm.present() ? layer.cross_norm : layer.feed_forward_norm;
  float* hidden = hidden_.data() + row * width_;
  float* block = block_.data() + row * width_;
  if (layer.attention_after_norm.present()) {
    NormRow(layer.attention_after_norm, block, block);
  }
  if (layer.attention_residual_norm.present()) {
    Add(kernels_, {block, width_}, hidden);
    NormRow(layer.attention_residual_norm, block, block);
    if (layer.attention_second_norm.present()) {
      Add(kernels_, {block, width_}, hidden);
      NormRow(layer.attention_second_norm, block, block);
    }
    std::copy_n(block, width_, hidden);
    if (next.present()) {
      NormRow(next, hidden, normed_.data() + row * width_);
    }
  } else {
    AddAndNorm(next, hidden, block, normed_.data() + row * width_);
  }
}

void Forward::AttendToEncoder(size_t index) {
  const LayerWeights& layer = weights_.layers[index];
  const Product query{&layer.cross_query.weight, layer.cross_query.bias, normed_.data(), width_, rows_.size(),
                      projected_.data(),         projected_width_};
  products_.Run({&query, 1});
  cross_attention_.Run({rows_, index, projected_.data(), projected_width_, attended_.data()});
  ProjectAttended(layer.cross_output);
  EachRow([&](size_t row) {
    AddAndNorm(layer.feed_forward_norm, hidden_.data() + row * width_, block_.data() + row * width_,
               normed_.data() + row * width_);
  });
}

void Forward::ProjectAttended(const Linear& linear) {
  const Product output{&linear.weight, linear.bias,   attended_.data(), linear.weight.columns,
                       rows_.size(),   block_.data(), width_,           adapted_};
  products_.Run({&output, 1});
}

void Forward::AddFeedForward(const LayerWeights& layer, size_t row) {
  float* hidden = hidden_.data() + row * width_;
  float* block = block_.data() + row * width_;
  if (layer.feed_forward_after_norm.present()) {
    NormRow(layer.feed_forward_after_norm, block, block);
  }
  AddAndNorm(layer.feed_forward_residual_norm, hidden, block, hidden);
}

void Forward::Finish(std::span<const StepItem> items, StepOutput& output) {
  const auto vocabulary = static_cast<size_t>(config_.vocabulary);
  output.places_.assign(items.size(), {});
  size_t logit_rows = 0;
  size_t hidden_rows = 0;
  adapted_last_.clear();
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].output == OutputKind::kNone) {
      continue;
    }
    const bool logits = items[i].output == OutputKind::kLogits;
    size_t& first = logits ? logit_rows : hidden_rows;
    output.places_[i] = {items[i].output, first, items[i].tokens.size() - items[i].output_from,
                         logits ? vocabulary : width_};
    if (logits && items[i].sequence->adapter() != nullptr) {
      AddAdapted({items[i].sequence->adapter(), first, output.places_[i].rows}, adapted_last_);
    }
    first += output.places_[i].rows;
  }
  last_.resize(logit_rows * width_);
  output.logits_.resize(logit_rows * vocabulary);
  output.hidden_.resize(hidden_rows * width_);
  size_t begin = 0;
  for (size_t i = 0; i < items.size(); begin += items[i].tokens.size(), ++i) {
    const StepOutput::Place& place = output.places_[i];
    float* to = (place.kind == OutputKind::kLogits ? last_ : output.hidden_).data() + place.first * width_;
    for (size_t row = 0; row < place.rows; ++row, to += width_) {
      const float* from = hidden_.data() + (begin + items[i].output_from + row) * width_;
      std::copy_n(from, width_, to);
      if (weights_.output_norm.present()) {
        NormRow(weights_.output_norm, to, to);
      }
    }
  }
  const Product head{&weights_.head.weight, weights_.head.bias, last_.data(), width_, logit_rows,
                     output.logits_.data(), vocabulary,         adapted_last_};
  if (logit_rows > 0) {
    products_.Run({&head, 1});
  }
  if (config_.logit_cap > 0) {
    const size_t logits = logit_rows * vocabulary;
    threads_.ForEach((logits + kCapAtOnce - 1) / kCapAtOnce, [&](size_t index, size_t) {
      const size_t first = index * kCapAtOnce;
      kernels_.soft_cap(output.logits_.data() + first, static_cast<float>(config_.logit_cap),
                        std::min(kCapAtOnce, logits - first));
    });
  }
}

}  // namespace atelier::engine
