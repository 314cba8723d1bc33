#include "families/bert/objective.h"

#include <ATen/CPUGeneratorImpl.h>

#include "families/batching.h"
#include "families/precision.h"

namespace atelier::families::bert {
namespace {

namespace functional = torch::nn::functional;

constexpr Buckets kMeasured{.batch_size = 64, .token_budget = 16384};
constexpr uint64_t kMaskSeed = 0xBE27;

std::vector<const Text*> Chosen(const std::vector<Text>& texts, std::span<const int64_t> chosen) {
  std::vector<const Text*> out;
  for (const int64_t i : chosen) {
    out.push_back(&texts[static_cast<size_t>(i)]);
  }
  return out;
}

template <class T>
torch::Tensor Gather(const std::vector<T>& values, std::span<const int64_t> chosen) {
  std::vector<T> out;
  for (const int64_t i : chosen) {
    out.push_back(values[static_cast<size_t>(i)]);
  }
  return torch::tensor(out);
}

Batch BatchOf(const NetworkImpl& network, const std::vector<Text>& texts, std::span<const int64_t> chosen) {
  return MakeBatch(Chosen(texts, chosen), network.config().padding);
}

torch::Tensor StatesOf(NetworkImpl& network, const Batch& batch, bool bf16) {
  const AutocastScope autocast(bf16);
  return network.States(batch);
}

torch::Tensor Rows(const torch::Tensor& states, const torch::Tensor& places) {
  return states.reshape({-1, states.size(-1)}).index_select(0, places);
}

BatchLoss CrossEntropy(const torch::Tensor& logits, const torch::Tensor& targets, double smoothing) {
  const auto known = targets.ge(0);
  const double count = known.sum().item<double>();
  const auto options = functional::CrossEntropyFuncOptions().ignore_index(-1).label_smoothing(smoothing);
  return {.loss = count > 0 ? functional::cross_entropy(logits, targets, options) : logits.sum() * 0,
          .weight = count,
          .score = logits.detach().argmax(1).eq(targets).logical_and(known).sum().item<double>()};
}

BatchLoss SquaredError(const torch::Tensor& outputs, const torch::Tensor& numbers, const LossOptions& options) {
  const auto targets = ((numbers - options.shift) / options.scale).to(torch::kFloat32);
  const auto loss = torch::mse_loss(outputs, targets);
  const auto count = static_cast<double>(targets.numel());
  return {.loss = loss, .weight = count, .score = loss.item<double>() * count * options.scale * options.scale};
}

// Where the words' first pieces are in a batch, as one row.
torch::Tensor PlacesOf(const Examples& examples, std::span<const int64_t> chosen, int64_t length) {
  std::vector<int64_t> places;
  for (size_t row = 0; row < chosen.size(); ++row) {
    for (const int32_t place : examples.places[static_cast<size_t>(chosen[row])]) {
      places.push_back(static_cast<int64_t>(row) * length + place);
    }
  }
  return torch::tensor(places, torch::kInt64);
}

BatchLoss LossOfMasks(NetworkImpl& network, Batch batch, const LossOptions& options, bool bf16) {
  const auto masking = MaskTokens(batch.tokens, options.masking, options.generator);
  batch.tokens = masking.tokens;
  return CrossEntropy(network.Tokens(Rows(StatesOf(network, batch, bf16), masking.places)), masking.targets, 0);
}

BatchLoss LossOfPairs(NetworkImpl& network, const Examples& examples, std::span<const int64_t> chosen,
                      const LossOptions& options, bool bf16) {
  const auto embed = [&](const std::vector<Text>& texts) {
    const Batch batch = BatchOf(network, texts, chosen);
    return network.Embed(StatesOf(network, batch, bf16), batch);
  };
  const auto first = embed(examples.texts);
  const auto second = embed(examples.seconds);
  if (!examples.numbers.empty()) {
    return SquaredError((first * second).sum(1), Gather(examples.numbers, chosen), options);
  }
  const auto similarities = torch::matmul(first, second.t()) / options.temperature;
  const auto own = torch::arange(similarities.size(0), torch::kInt64);
  auto loss = CrossEntropy(similarities, own, options.label_smoothing);
  loss.loss = (loss.loss + CrossEntropy(similarities.t(), own, options.label_smoothing).loss) / 2;
  return loss;
}

}  // namespace

BatchLoss LossOf(NetworkImpl& network, const Examples& examples, std::span<const int64_t> chosen,
                 const LossOptions& options, bool bf16) {
  const Task task = network.config().task;
  if (task == Task::kEmbedding) {
    return LossOfPairs(network, examples, chosen, options, bf16);
  }
  const Batch batch = BatchOf(network, examples.texts, chosen);
  if (task == Task::kMaskedLm) {
    return LossOfMasks(network, batch, options, bf16);
  }
  const auto states = StatesOf(network, batch, bf16);
  if (task == Task::kTagging) {
    std::vector<int64_t> tags;
    for (const int64_t i : chosen) {
      const auto& own = examples.tags[static_cast<size_t>(i)];
      tags.insert(tags.end(), own.begin(), own.end());
    }
    const auto places = PlacesOf(examples, chosen, batch.tokens.size(1));
    return CrossEntropy(network.Tokens(Rows(states, places)), torch::tensor(tags, torch::kInt64),
                        options.label_smoothing);
  }
  const auto outputs = network.Classify(states);
  return task == Task::kRegression ? SquaredError(outputs.view({-1}), Gather(examples.numbers, chosen), options)
                                   : CrossEntropy(outputs, Gather(examples.classes, chosen), options.label_smoothing);
}

torch::Tensor OutputsOf(NetworkImpl& network, const Examples& examples, std::span<const int64_t> chosen) {
  const Batch batch = BatchOf(network, examples.texts, chosen);
  const auto states = network.States(batch);
  switch (network.config().task) {
    case Task::kEmbedding:
      return network.Embed(states, batch);
    case Task::kTagging:
    case Task::kMaskedLm:
      return network.Tokens(Rows(states, PlacesOf(examples, chosen, batch.tokens.size(1))));
    case Task::kClassification:
    case Task::kRegression:
      break;
  }
  return network.Classify(states);
}

torch::Tensor VectorsOf(NetworkImpl& network, const std::vector<Text>& texts, std::span<const int64_t> chosen) {
  const Batch batch = BatchOf(network, texts, chosen);
  return network.Embed(network.States(batch), batch);
}

Result<Sums> SumLosses(NetworkImpl& network, const Examples& examples, LossOptions options,
                       const std::function<bool()>& cancelled) {
  Sums sums;
  ATELIER_TRY(CatchTorch([&]() -> Status {
    const torch::NoGradGuard no_grad;
    network.eval();
    options.label_smoothing = 0;
    options.generator = at::detail::createCPUGenerator(kMaskSeed);
    for (const auto& batch : MeasuredBatches(examples)) {
      if (cancelled && cancelled()) {
        return MakeError(Code::kCancelled, "the job was cancelled", "cancelled");
      }
      const auto loss = LossOf(network, examples, batch, options, false);
      sums.Add({.loss = loss.loss.item<double>() * loss.weight, .weight = loss.weight, .score = loss.score});
    }
    return {};
  }));
  return sums;
}

Batches MeasuredBatches(const Examples& examples) { return BucketedBatches(examples.Lengths(), kMeasured, 0, 0); }

}  // namespace atelier::families::bert
