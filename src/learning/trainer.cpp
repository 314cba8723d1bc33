#include "learning/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "base/json.h"
#include "base/rng.h"
#include "families/process.h"
#include "learning/checkpoint.h"
#include "learning/evaluate.h"
#include "learning/objective.h"
#include "learning/optimizer.h"
#include "learning/precision.h"
#include "learning/schedule.h"

namespace atelier::learning {
namespace {

using Steady = std::chrono::steady_clock;

constexpr double kProgressSeconds = 0.5;
constexpr double kCheckpointSeconds = 2;
constexpr double kCheckpointCostFactor = 20;  // at most 5 % of the time goes into checkpoints
constexpr uint64_t kShuffleStream = 0x5EED;
constexpr uint64_t kDropoutStream = 0xD209;

double SecondsSince(Steady::time_point start) { return std::chrono::duration<double>(Steady::now() - start).count(); }

std::vector<int64_t> Permutation(int64_t rows, uint64_t seed, int64_t epoch) {
  std::vector<int64_t> order(static_cast<size_t>(rows));
  std::iota(order.begin(), order.end(), int64_t{0});
  SeededRng(seed + static_cast<uint64_t>(epoch) * 0x9E3779B97F4A7C15ULL, kShuffleStream).Shuffle(order);
  return order;
}

uint64_t StepSeed(uint64_t seed, int64_t step) {
  SeededRng rng(seed + static_cast<uint64_t>(step) * 0x9E3779B97F4A7C15ULL, kDropoutStream);
  const uint64_t high = rng.Next();
  return (high << 32U) | rng.Next();
}

// What a checkpoint holds besides the weights and moments.
struct Position {
  int64_t epoch = 0;   // from 0
  int64_t step = 0;    // within the epoch, of the next step
  int64_t waited = 0;  // epochs without improvement
  int64_t best_epoch = 0;
  double best_loss = std::numeric_limits<double>::infinity();
  bool stopped = false;
  EpochSums sums;
  std::vector<EpochRecord> history;
};

torch::Tensor PackNumbers(const Position& position) {
  std::vector<double> numbers{position.best_loss, position.sums.loss, position.sums.score, position.sums.samples};
  for (const auto& record : position.history) {
    numbers.insert(numbers.end(), {record.loss, record.metric, record.validation_loss, record.validation_metric,
                                   record.learning_rate});
  }
  return torch::tensor(numbers, torch::kFloat64);
}

void UnpackNumbers(const torch::Tensor& tensor, Position& position) {
  const auto* numbers = tensor.data_ptr<double>();
  position.best_loss = numbers[0];
  position.sums = {.loss = numbers[1], .score = numbers[2], .samples = numbers[3]};
  for (int64_t i = 4; i + 5 <= tensor.numel(); i += 5) {
    const double* at = numbers + i;
    position.history.push_back({at[0], at[1], at[2], at[3], at[4]});
  }
}

std::map<std::string, torch::Tensor> WithoutPrefix(const std::map<std::string, torch::Tensor>& tensors,
                                                   const std::string& prefix) {
  std::map<std::string, torch::Tensor> found;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(prefix)) {
      found[name.substr(prefix.size())] = tensor;
    }
  }
  return found;
}

class Trainer {
 public:
  Trainer(families::Model& model, const families::Samples& train, const families::Samples& validation,
          const TrainOptions& options)
      : model_(model),
        train_(train),
        validation_(validation),
        options_(options),
        settings_(options.settings),
        loss_(ResolveLoss(settings_, model.config.task)),
        affine_(families::MakeAffine(model.preprocessor)),
        optimizer_(*model.network, settings_),
        store_(options.checkpoint_directory),
        precision_(ResolvePrecision(settings_.precision)) {
    const bool normalised = std::ranges::any_of(
        model.config.layers, [](const auto& layer) { return layer.kind == families::LayerKind::kBatchNorm; });
    const int64_t rows = train.rows();
    steps_ = (rows + settings_.batch_size - 1) / settings_.batch_size;
    // Batch normalisation has no variance for a last batch of one row, so that batch is left out.
    if (normalised && steps_ > 1 && rows % settings_.batch_size == 1) {
      --steps_;
    }
  }

  Result<TrainOutcome> Run() {
    ATELIER_ASSIGN(threads, families::UsefulThreads(model_.config, settings_.batch_size, options_.threads));
    threads_ = threads;
    ATELIER_TRY(Resume());
    families::ConfigureProcess(static_cast<int>(threads_));
    last_checkpoint_ = Steady::now();
    while (position_.epoch < settings_.epochs && !position_.stopped) {
      ATELIER_TRY(RunEpoch());
    }
    if (settings_.early_stopping > 0 && !best_.empty()) {
      ATELIER_TRY(families::SetState(*model_.network, best_));
    }
    model_.network->eval();
    return TrainOutcome{.history = position_.history,
                        .validated = validation_.rows() > 0,
                        .stopped_early = position_.stopped,
                        .best_epoch = settings_.early_stopping > 0 ? position_.best_epoch : position_.epoch,
                        .precision = precision_};
  }

 private:
  int64_t global_step() const { return position_.epoch * steps_ + position_.step; }

  Status RunEpoch() {
    const auto order = Permutation(train_.rows(), settings_.seed, position_.epoch);
    epoch_start_ = Steady::now();
    epoch_first_step_ = position_.step;
    model_.network->train();
    while (position_.step < steps_) {
      if (options_.cancelled && options_.cancelled()) {
        ATELIER_TRY(SaveCheckpoint());
        return MakeError(Code::kCancelled, "the training was cancelled", "cancelled");
      }
      ATELIER_TRY(RunStep(order));
      ++position_.step;
      ReportStep();
      if (position_.step < steps_ && CheckpointDue(false)) {
        ATELIER_TRY(SaveCheckpoint());
      }
    }
    return FinishEpoch();
  }

  Status RunStep(const std::vector<int64_t>& order) {
    const auto first = static_cast<size_t>(position_.step * settings_.batch_size);
    const auto count = std::min(static_cast<size_t>(settings_.batch_size), order.size() - first);
    const auto indices = std::span(order).subspan(first, count);
    if (model_.network->has_dropout()) {
      torch::manual_seed(StepSeed(settings_.seed, global_step()));
    }
    const auto inputs = families::GatherInputs(train_, affine_, indices);
    const auto targets = families::GatherTargets(train_, model_.preprocessor.target, indices);
    torch::Tensor outputs;
    {
      const AutocastScope autocast(precision_ == "bf16");
      outputs = model_.network->Forward(inputs);
    }
    outputs = outputs.to(torch::kFloat32);
    const auto loss = Loss(loss_, outputs, targets);
    const double value = loss.item<double>();
    if (!std::isfinite(value)) {
      return FailedPrecondition("the training diverged: the loss is not finite at epoch " +
                                    std::to_string(position_.epoch + 1) + ", step " +
                                    std::to_string(position_.step + 1) + "; lower learning_rate or set gradient_clip",
                                "training_diverged");
    }
    loss.backward();
    rate_ = LearningRate(settings_, global_step(), steps_);
    optimizer_.Step(rate_, global_step() + 1);
    position_.sums.Add(value, outputs, targets);
    return {};
  }

  Status FinishEpoch() {
    EpochRecord record{.loss = position_.sums.mean_loss(),
                       .metric = position_.sums.metric(model_.preprocessor.target),
                       .learning_rate = rate_};
    const double seconds = SecondsSince(epoch_start_);
    if (validation_.rows() > 0) {
      ATELIER_ASSIGN(sums, Measure(model_, validation_, loss_));
      record.validation_loss = sums.mean_loss();
      record.validation_metric = sums.metric(model_.preprocessor.target);
    }
    position_.history.push_back(record);
    position_.sums = {};
    position_.step = 0;
    ++position_.epoch;
    FollowBest(validation_.rows() > 0 ? record.validation_loss : record.loss);
    ReportEpoch(record, seconds);
    return CheckpointDue(true) ? SaveCheckpoint() : Status();
  }

  void FollowBest(double loss) {
    if (settings_.early_stopping == 0) {
      return;
    }
    if (loss < position_.best_loss) {
      position_.best_loss = loss;
      position_.best_epoch = position_.epoch;
      position_.waited = 0;
      best_.clear();
      for (const auto& [name, tensor] : families::StateOf(*model_.network)) {
        best_[name] = tensor.clone();
      }
    } else if (++position_.waited >= settings_.early_stopping) {
      position_.stopped = true;
    }
  }

  // When a checkpoint is written depends on time, what training computes does not.
  bool CheckpointDue(bool epoch_end) const {
    if (options_.checkpoint_directory.empty()) {
      return false;
    }
    if (epoch_end && (position_.epoch == settings_.epochs || position_.stopped)) {
      return true;
    }
    if (epoch_end && settings_.checkpoint_every_epochs > 0) {
      return position_.epoch % settings_.checkpoint_every_epochs == 0;
    }
    if (!epoch_end && settings_.checkpoint_every_steps > 0) {
      return global_step() % settings_.checkpoint_every_steps == 0;
    }
    if (!epoch_end && settings_.checkpoint_every_epochs > 0) {
      return false;
    }
    return SecondsSince(last_checkpoint_) >= std::max(kCheckpointSeconds, kCheckpointCostFactor * checkpoint_cost_);
  }

  Status SaveCheckpoint() {
    if (options_.checkpoint_directory.empty()) {
      return {};
    }
    const auto start = Steady::now();
    Checkpoint checkpoint{.number = global_step(), .state = {}, .tensors = optimizer_.State()};
    checkpoint.state = {{"fingerprint", options_.fingerprint},
                        {"precision", precision_},
                        {"threads", threads_},
                        {"epoch", position_.epoch},
                        {"step", position_.step},
                        {"waited", position_.waited},
                        {"best_epoch", position_.best_epoch},
                        {"stopped", position_.stopped}};
    for (const auto& [name, tensor] : families::StateOf(*model_.network)) {
      checkpoint.tensors["w." + name] = tensor;
    }
    for (const auto& [name, tensor] : best_) {
      checkpoint.tensors["best." + name] = tensor;
    }
    checkpoint.tensors["numbers"] = PackNumbers(position_);
    ATELIER_TRY(store_.Save(checkpoint));
    last_checkpoint_ = Steady::now();
    checkpoint_cost_ = SecondsSince(start);
    return {};
  }

  Status Resume() {
    if (options_.checkpoint_directory.empty()) {
      return {};
    }
    ATELIER_ASSIGN(found, store_.LoadNewest());
    if (!found.has_value()) {
      return {};
    }
    const json::object& state = found->state;
    if (GetString(state, "fingerprint") != options_.fingerprint) {
      return FailedPrecondition("the checkpoint is of another training: its data or settings differ",
                                "checkpoint_mismatch");
    }
    position_.epoch = GetInt(state, "epoch");
    position_.step = GetInt(state, "step");
    position_.waited = GetInt(state, "waited");
    position_.best_epoch = GetInt(state, "best_epoch");
    position_.stopped = GetBool(state, "stopped");
    precision_ = GetString(state, "precision", precision_);
    threads_ = GetInt(state, "threads", threads_);
    const auto numbers = found->tensors.find("numbers");
    if (numbers == found->tensors.end() || numbers->second.scalar_type() != torch::kFloat64 ||
        numbers->second.numel() < 4 || position_.epoch < 0 || position_.step < 0 || position_.step > steps_) {
      return DataLoss("the checkpoint does not fit the training");
    }
    UnpackNumbers(numbers->second, position_);
    ATELIER_TRY(families::SetState(*model_.network, WithoutPrefix(found->tensors, "w.")));
    ATELIER_TRY(optimizer_.SetState(found->tensors));
    best_ = WithoutPrefix(found->tensors, "best.");
    if (options_.message) {
      options_.message("info", "resumed from the checkpoint at epoch " + std::to_string(position_.epoch + 1) +
                                   ", step " + std::to_string(position_.step));
    }
    return {};
  }

  double SamplesPerSecond(double seconds) const {
    const int64_t steps = position_.step - epoch_first_step_;
    const auto samples = static_cast<double>(std::min(steps * settings_.batch_size, train_.rows()));
    return seconds > 0 ? samples / seconds : 0;
  }

  double EtaSeconds(double samples_per_s) const {
    const int64_t steps_left = settings_.epochs * steps_ - global_step();
    return samples_per_s > 0 && !position_.stopped
               ? static_cast<double>(steps_left * settings_.batch_size) / samples_per_s
               : 0;
  }

  void ReportStep() {
    if (!options_.progress || SecondsSince(last_progress_) < kProgressSeconds) {
      return;
    }
    last_progress_ = Steady::now();
    const double rate = SamplesPerSecond(SecondsSince(epoch_start_));
    options_.progress({{"stage", "train"},
                       {"epoch", position_.epoch + 1},
                       {"epochs", settings_.epochs},
                       {"step", position_.step},
                       {"steps", steps_},
                       {"loss", position_.sums.mean_loss()},
                       {"metric", position_.sums.metric(model_.preprocessor.target)},
                       {"metric_name", MetricName(model_)},
                       {"samples_per_s", rate},
                       {"eta_s", EtaSeconds(rate)}});
  }

  void ReportEpoch(const EpochRecord& record, double seconds) {
    if (!options_.progress) {
      return;
    }
    const double samples =
        static_cast<double>(std::min((steps_ - epoch_first_step_) * settings_.batch_size, train_.rows()));
    const double rate = seconds > 0 ? samples / seconds : 0;
    json::object event{{"stage", "epoch"},           {"epoch", position_.epoch},
                       {"epochs", settings_.epochs}, {"loss", record.loss},
                       {"metric", record.metric},    {"metric_name", MetricName(model_)},
                       {"samples_per_s", rate},      {"learning_rate", record.learning_rate},
                       {"eta_s", EtaSeconds(rate)}};
    if (validation_.rows() > 0) {
      event["validation_loss"] = record.validation_loss;
      event["validation_metric"] = record.validation_metric;
    }
    options_.progress(std::move(event));
  }

  families::Model& model_;
  const families::Samples& train_;
  const families::Samples& validation_;
  const TrainOptions& options_;
  const TrainSettings& settings_;
  std::string loss_;
  families::Affine affine_;
  Optimizer optimizer_;
  CheckpointStore store_;
  std::string precision_;
  int64_t threads_ = 1;  // sums depend on it, so a resumed run goes on with the count that it began with
  int64_t steps_ = 0;    // an epoch
  Position position_;
  std::map<std::string, torch::Tensor> best_;
  double rate_ = 0;
  double checkpoint_cost_ = 0;
  int64_t epoch_first_step_ = 0;  // where this process began the epoch
  Steady::time_point epoch_start_;
  Steady::time_point last_checkpoint_;
  Steady::time_point last_progress_;
};

}  // namespace

std::string MetricName(const families::Model& model) {
  return model.preprocessor.target.labels.empty() ? "rmse" : "accuracy";
}

Result<TrainOutcome> Train(families::Model& model, const families::Samples& train, const families::Samples& validation,
                           const TrainOptions& options) {
  TrainOutcome outcome;
  ATELIER_TRY(families::CatchTorch([&]() -> Status {
    ATELIER_ASSIGN(result, Trainer(model, train, validation, options).Run());
    outcome = std::move(result);
    return {};
  }));
  return outcome;
}

}  // namespace atelier::learning
