#include "engine/forward.h"

#include <algorithm>
#include <cmath>

#include "engine/operations.h"

namespace atelier::engine {
namespace {

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
      global_rope_(GlobalRope(parts.config, parts.weights, context)),
      local_rope_(LocalRope(parts.config, global_rope_)),
      products_(parts.threads, parts.kernels),
      attention_(parts.config, parts.weights.relative_bias, parts.cache, parts.threads, parts.kernels),
      cross_attention_(parts.config, parts.threads, parts.kernels),
      feed_forward_(parts.config, parts.threads, products_),
      width_(static_cast<size_t>(parts.config.width)),
      projected_width_(
          static_cast<size_t>(parts.config.query_width() + parts.config.key_width() + parts.config.value_width())) {}

void Forward::Run(std::span<const StepItem> items, StepOutput& output) {
  Plan(items);
  Embed();
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
  global_angles_.resize(count * global_rope_.dimensions());
  local_angles_.resize(count * local_rope_.dimensions());
}

void Forward::Embed() {
  const double scale = config_.architecture->scaled_embedding ? std::sqrt(static_cast<double>(config_.width)) : 1.0;
  for (size_t row = 0; row < rows_.size(); ++row) {
    float* to = hidden_.data() + row * width_;
    const float* embedding = FloatRows(weights_.token_embedding, static_cast<size_t>(rows_[row].token), 1, scratch_);
    std::transform(embedding, embedding + width_, to, [&](float x) { return x * static_cast<float>(scale); });
    if (!weights_.type_embedding.empty()) {
      Add({to, width_}, weights_.type_embedding.data());
    }
    if (weights_.position_embedding.present()) {
      Add({to, width_}, FloatRows(weights_.position_embedding, rows_[row].position, 1, scratch_));
    }
    if (weights_.embedding_norm.present()) {
      NormRow(weights_.embedding_norm, to, to);
    }
  }
  threads_.ForEach(rows_.size(), [&](size_t row, size_t) {
    global_rope_.Angles(rows_[row].position, global_angles_.data() + row * global_rope_.dimensions());
    local_rope_.Angles(rows_[row].position, local_angles_.data() + row * local_rope_.dimensions());
  });
}

void Forward::NormRow(const NormWeights& norm, const float* from, float* to) const {
  Normalise({config_.architecture->norm, config_.norm_epsilon, norm.weight, norm.bias}, {from, width_}, to);
}

void Forward::RunLayer(size_t index) {
  const LayerWeights& layer = weights_.layers[index];
  const bool own_input =
      config_.architecture->second_norm == SecondNorm::kAttentionInput && layer.attention_second_norm.present();
  const float* inputs = layer.attention_norm.present() ? normed_.data() : hidden_.data();
  if (layer.attention_norm.present()) {
    threads_.ForEach(rows_.size(), [&](size_t row, size_t) {
      const float* from = hidden_.data() + row * width_;
      NormRow(layer.attention_norm, from, normed_.data() + row * width_);
      if (own_input) {
        NormRow(layer.attention_second_norm, from, second_normed_.data() + row * width_);
      }
    });
  }
  Attend(index, own_input ? second_normed_.data() : inputs);
  if (layer.parallel) {
    feed_forward_.Run(layer, rows_.size(), adapted_, inputs, other_block_.data());
    threads_.ForEach(rows_.size(), [&](size_t row, size_t) {
      Add({block_.data() + row * width_, width_}, other_block_.data() + row * width_);
      Add({hidden_.data() + row * width_, width_}, block_.data() + row * width_);
    });
    return;
  }
  threads_.ForEach(rows_.size(), [&](size_t row, size_t) { AddAttention(layer, row); });
  if (layer.cross_norm.present()) {
    AttendToEncoder(index);
  }
  const bool normed = layer.feed_forward_norm.present();
  feed_forward_.Run(layer, rows_.size(), adapted_, normed ? normed_.data() : hidden_.data(), block_.data());
  threads_.ForEach(rows_.size(), [&](size_t row, size_t) { AddFeedForward(layer, row); });
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
  threads_.ForEach(rows, [&](size_t row, size_t) { PrepareRow(index, row); });
  attention_.Run({rows_, index, projected_.data(), projected_width_, attended_.data()});
  ProjectAttended(layer.attention_output);
}

void Forward::PrepareRow(size_t index, size_t row) {
  const LayerWeights& layer = weights_.layers[index];
  const auto key_size = static_cast<size_t>(config_.key_size);
  float* queries = projected_.data() + row * projected_width_;
  float* keys = queries + config_.query_width();
  NormHeads(layer, queries, keys);
  const bool local = config_.Windowed(static_cast<int64_t>(index));
  const RopeTable& rope = local ? local_rope_ : global_rope_;
  const std::span<const float> angles((local ? local_angles_ : global_angles_).data() + row * rope.dimensions(),
                                      rope.dimensions());
  for (int64_t head = 0; head < config_.heads + config_.kv_heads; ++head) {
    Rotate(config_.architecture->rope, angles, queries + static_cast<size_t>(head) * key_size);
  }
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
      const std::span<const float> bias(weights.bias);
      Normalise({row.norm, config_.norm_epsilon, std::span<const float>(weights.weight).subspan(first, size),
                 bias.empty() ? bias : bias.subspan(first, size)},
                {values + part * size, size}, values + part * size);
    }
  };
  norm(layer.query_norm, queries, config_.heads);
  norm(layer.key_norm, keys, config_.kv_heads);
}

void Forward::StoreRow(size_t layer, const BatchRow& row, const float* keys, const float* values) {
  const size_t page_positions = cache_.geometry().page_positions;
  const PageId page = row.sequence->pages()[row.position / page_positions];
  const size_t place = row.position % page_positions;
  const auto key_size = static_cast<size_t>(config_.key_size);
  const auto value_size = static_cast<size_t>(config_.value_size);
  for (size_t head = 0; head < static_cast<size_t>(config_.kv_heads); ++head) {
    float* column = cache_.Keys(page, layer, head) + place;
    for (size_t k = 0; k < key_size; ++k) {
      column[k * page_positions] = keys[head * key_size + k];
    }
    std::copy_n(values + head * value_size, value_size, cache_.Values(page, layer, head) + place * value_size);
  }
}

void Forward::AddAttention(const LayerWeights& layer, size_t row) {
  float* hidden = hidden_.data() + row * width_;
  float* block = block_.data() + row * width_;
  if (layer.attention_after_norm.present()) {
    NormRow(layer.attention_after_norm, block, block);
  }
  if (layer.attention_residual_norm.present()) {
    Add({block, width_}, hidden);
    NormRow(layer.attention_residual_norm, block, block);
    if (layer.attention_second_norm.present()) {
      Add({block, width_}, hidden);
      NormRow(layer.attention_second_norm, block, block);
    }
    std::copy_n(block, width_, hidden);
  } else {
    Add({hidden, width_}, block);
  }
  const NormWeights& next = layer.cross_norm.present() ? layer.cross_norm : layer.feed_forward_norm;
  if (next.present()) {
    NormRow(next, hidden, normed_.data() + row * width_);
  }
}

void Forward::AttendToEncoder(size_t index) {
  const LayerWeights& layer = weights_.layers[index];
  const Product query{&layer.cross_query.weight, layer.cross_query.bias, normed_.data(), width_, rows_.size(),
                      projected_.data(),         projected_width_};
  products_.Run({&query, 1});
  cross_attention_.Run({rows_, index, projected_.data(), projected_width_, attended_.data()});
  ProjectAttended(layer.cross_output);
  threads_.ForEach(rows_.size(), [&](size_t row, size_t) {
    float* hidden = hidden_.data() + row * width_;
    Add({hidden, width_}, block_.data() + row * width_);
    NormRow(layer.feed_forward_norm, hidden, normed_.data() + row * width_);
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
  Add({hidden, width_}, block);
  if (layer.feed_forward_residual_norm.present()) {
    NormRow(layer.feed_forward_residual_norm, hidden, hidden);
  }
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
    threads_.ForEach(logit_rows, [&](size_t row, size_t) {
      SoftCap(config_.logit_cap, {output.logits_.data() + row * vocabulary, vocabulary});
    });
  }
}

}  // namespace atelier::engine
