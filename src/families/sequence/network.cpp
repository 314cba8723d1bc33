#include "families/sequence/network.h"

#include <cmath>
#include <limits>

#include "families/layers/dropout.h"

namespace atelier::families {
namespace {

constexpr double kForgotten = 0.1;  // share of a token's ids
constexpr float kLowest = std::numeric_limits<float>::lowest();

// BOOL [steps, batch, 1]: whether a place is within its sequence.
torch::Tensor Within(int64_t steps, const torch::Tensor& lengths) {
  return (torch::arange(steps, torch::kInt64).unsqueeze(1) < lengths.unsqueeze(0)).unsqueeze(2);
}

SequenceBatch MakeBag(std::span<const Sequence> sequences) {
  std::vector<int64_t> ids;
  std::vector<int64_t> offsets;
  std::vector<int64_t> lengths;
  for (const auto& sequence : sequences) {
    offsets.push_back(std::ssize(ids));
    lengths.push_back(sequence.length);
    ids.insert(ids.end(), sequence.ids.begin(), sequence.ids.end());
  }
  return {.ids = torch::tensor(ids, torch::kInt64),
          .offsets = torch::tensor(offsets, torch::kInt64),
          .lengths = torch::tensor(lengths, torch::kInt64)};
}

}  // namespace

SequenceBatch MakeBatch(const SequenceConfig& config, std::span<const Sequence> sequences) {
  if (config.family == "textbag") {
    return MakeBag(sequences);
  }
  int64_t steps = 1;
  std::vector<int64_t> lengths;
  for (const auto& sequence : sequences) {
    lengths.push_back(sequence.length);
    steps = std::max(steps, sequence.length);
  }
  const auto count = std::ssize(sequences);
  const auto width = static_cast<size_t>(config.features);
  SequenceBatch batch{.lengths = torch::tensor(lengths, torch::kInt64)};
  const auto fill = [&]<class From, class To>(std::span<const From> (*of)(const Sequence&), To* target) {
    for (int64_t i = 0; i < count; ++i) {
      const auto from = of(sequences[static_cast<size_t>(i)]);
      for (size_t step = 0; step * width < from.size(); ++step) {
        std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(step * width), width,
                    target + (static_cast<int64_t>(step) * count + i) * static_cast<int64_t>(width));
      }
    }
  };
  if (config.reads_words()) {
    batch.ids = torch::zeros({steps, count, config.features}, torch::kInt64);
    fill(
        +[](const Sequence& sequence) { return sequence.ids; }, batch.ids.data_ptr<int64_t>());
  } else {
    batch.values = torch::zeros({steps, count, config.features}, torch::kFloat32);
    fill(
        +[](const Sequence& sequence) { return sequence.values; }, batch.values.data_ptr<float>());
  }
  return batch;
}

SequenceNetwork::SequenceNetwork(SequenceConfig config, uint64_t seed) : config_(std::move(config)) {
  torch::manual_seed(seed);
  int64_t width = config_.embedding;
  if (config_.reads_words()) {
    AddEmbedding();
  }
  if (config_.family == "textcnn") {
    AddConvolutions();
    width = config_.hidden * std::ssize(config_.widths);
  } else if (config_.family != "textbag") {
    AddRecurrent();
    width = config_.hidden * (config_.bidirectional ? 2 : 1);
  }
  output_ = register_module("output", torch::nn::Linear(width, config_.outputs));
  if (config_.input == "series") {
    // From zero: before it has learnt, a forecast is the last value.
    linear_ = register_module("linear", torch::nn::Linear(config_.context + 1, config_.outputs));
    const torch::NoGradGuard no_grad;
    for (auto& parameter : linear_->parameters()) {
      parameter.zero_();
    }
    output_->weight.mul_(0.1);
    output_->bias.zero_();
  }
}

void SequenceNetwork::AddEmbedding() {
  const torch::NoGradGuard no_grad;
  auto weights = torch::randn({config_.vocabulary, config_.embedding}) * 0.1;
  weights[0].zero_();  // what pads
  embedding_ = register_parameter("embedding", weights);
}

void SequenceNetwork::AddRecurrent() {
  const int64_t gates = GatesOf(CellFromName(config_.family)) * config_.hidden;
  const double bound = 1 / std::sqrt(static_cast<double>(config_.hidden));
  const auto draw = [&](const std::string& name, std::vector<int64_t> shape) {
    return register_parameter(name, torch::empty(shape).uniform_(-bound, bound));
  };
  // A number more a step in a series: how far it is from the last one.
  int64_t in = config_.reads_words() ? config_.embedding : config_.features + (config_.input == "series" ? 1 : 0);
  for (int64_t i = 0; i < config_.layers; ++i) {
    std::vector<RecurrentWeights> layer;
    for (int direction = 0; direction < (config_.bidirectional ? 2 : 1); ++direction) {
      const std::string end = "_l" + std::to_string(i) + (direction == 1 ? "_reverse" : "");
      RecurrentWeights weights;
      weights.input = draw("weight_ih" + end, {gates, in});
      weights.state = draw("weight_hh" + end, {gates, config_.hidden});
      weights.input_bias = draw("bias_ih" + end, {gates});
      weights.state_bias = draw("bias_hh" + end, {gates});
      layer.push_back(std::move(weights));
    }
    in = config_.hidden * std::ssize(layer);
    layers_.push_back(std::move(layer));
  }
}

void SequenceNetwork::AddConvolutions() {
  for (size_t i = 0; i < config_.widths.size(); ++i) {
    convolutions_.push_back(register_module(
        "convolution" + std::to_string(i),
        torch::nn::Conv1d(torch::nn::Conv1dOptions(config_.embedding, config_.hidden, config_.widths[i]))));
  }
}

torch::Tensor SequenceNetwork::Drop(const torch::Tensor& x, double share) const {
  return layers::Dropout(x, share, is_training());
}

// F32 [steps, batch, embedding]; of several ids a token their sum. In training some ids of tokens become what an
// unknown word, shape, prefix or suffix is, so that the network learns to do without.
torch::Tensor SequenceNetwork::Embed(const SequenceBatch& batch) const {
  auto ids = batch.ids;
  if (config_.input == "tokens" && is_training()) {
    const auto forgotten = torch::rand(ids.sizes()).lt(kForgotten).logical_and(ids.gt(0));
    ids = torch::where(forgotten, torch::arange(1, config_.features + 1, torch::kInt64), ids);
  }
  const auto x = torch::embedding(embedding_, ids, 0);
  return Drop(config_.features == 1 ? x.squeeze(2) : x.sum(2), config_.embedding_dropout);
}

torch::Tensor SequenceNetwork::Recur(torch::Tensor x, const torch::Tensor& lengths) const {
  const Cell cell = CellFromName(config_.family);
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (i > 0) {
      x = Drop(x, config_.dropout);
    }
    std::vector<torch::Tensor> states;
    for (size_t direction = 0; direction < layers_[i].size(); ++direction) {
      states.push_back(families::Recur(cell, layers_[i][direction], x, lengths, direction == 1));
    }
    x = states.size() == 1 ? states[0] : torch::cat(states, 2);
  }
  return x;
}

torch::Tensor SequenceNetwork::Pool(const torch::Tensor& states, const torch::Tensor& lengths) const {
  if (config_.pooling == "last") {
    const auto rows = torch::arange(states.size(1), torch::kInt64);
    const auto ends = states.index({lengths - 1, rows});
    if (!config_.bidirectional) {
      return ends;
    }
    // What came backwards ends at the first step.
    return torch::cat({ends.narrow(1, 0, config_.hidden), states[0].narrow(1, config_.hidden, config_.hidden)}, 1);
  }
  const auto within = Within(states.size(0), lengths);
  if (config_.pooling == "max") {
    return std::get<0>(states.masked_fill(within.logical_not(), kLowest).max(0));
  }
  return states.masked_fill(within.logical_not(), 0).sum(0) / lengths.unsqueeze(1);
}

torch::Tensor SequenceNetwork::Convolve(const torch::Tensor& x, const torch::Tensor& lengths) {
  const auto channels = x.permute({1, 2, 0});  // [batch, embedding, steps]
  const auto within = Within(x.size(0), lengths).permute({1, 2, 0});
  std::vector<torch::Tensor> parts;
  for (size_t i = 0; i < convolutions_.size(); ++i) {
    const auto padded = torch::constant_pad_nd(channels, {0, config_.widths[i] - 1});
    const auto found = torch::relu(convolutions_[i]->forward(padded));
    parts.push_back(std::get<0>((found * within).max(2)));
  }
  return torch::cat(parts, 1);
}

// How far each step is from the last one, and the last one.
torch::Tensor SequenceNetwork::LinearInput(const SequenceBatch& batch) {
  const auto seen = batch.values.select(2, 0).t();  // [batch, steps]
  const auto last = seen.narrow(1, seen.size(1) - 1, 1);
  return torch::cat({seen - last, last}, 1);
}

void SequenceNetwork::StartLinear(const torch::Tensor& weights) {
  const torch::NoGradGuard no_grad;
  linear_->weight.copy_(weights.narrow(1, 0, config_.context + 1));
  linear_->bias.copy_(weights.select(1, config_.context + 1));
}

torch::Tensor SequenceNetwork::Forecast(const SequenceBatch& batch) {
  const auto linear = LinearInput(batch);
  const auto distance = linear.narrow(1, 0, config_.context);
  const auto last = linear.narrow(1, config_.context, 1);
  const auto x = torch::cat({batch.values, distance.t().unsqueeze(2)}, 2);
  const auto states = Pool(Recur(x, batch.lengths), batch.lengths);
  return last + output_->forward(Drop(states, config_.dropout)) + linear_->forward(linear);
}

torch::Tensor SequenceNetwork::Forward(const SequenceBatch& batch) {
  if (config_.input == "series") {
    return Forecast(batch);
  }
  torch::Tensor x;
  if (config_.family == "textbag") {
    x = Drop(std::get<0>(torch::embedding_bag(embedding_, batch.ids, batch.offsets, false, /*mode=*/1)),
             config_.embedding_dropout);
  } else if (config_.family == "textcnn") {
    x = Convolve(Embed(batch), batch.lengths);
  } else {
    x = Recur(config_.reads_words() ? Embed(batch) : batch.values, batch.lengths);
    if (config_.task != "token-classification") {
      x = Pool(x, batch.lengths);
    }
  }
  return output_->forward(Drop(x, config_.dropout));
}

}  // namespace atelier::families
