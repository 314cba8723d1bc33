#include "learning/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "base/json.h"
#include "base/rng.h"
#include "families/precision.h"
#include "families/process.h"
#include "families/weights.h"
#include "learning/checkpoint.h"
#include "learning/optimizer.h"
#include "learning/schedule.h"

namespace atelier::learning {
namespace {

using Steady = std::chrono::steady_clock;

constexpr double kProgressSeconds = 0.5;
constexpr double kCheckpointSeconds = 2;
constexpr double kCheckpointCostFactor = 20;  // at most 5 % of the time goes into checkpoints
constexpr uint64_t kDropoutStream = 0xD209;

double SecondsSince(Steady::time_point start) { return std::chrono::duration<double>(Steady::now() - start).count(); }

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
  families::Sums sums;
  std::vector<EpochRecord> history;
};

torch::Tensor PackNumbers(const Position& position) {
  std::vector<double> numbers{position.best_loss, position.sums.loss, position.sums.score, position.sums.weight};
  for (const auto& record : position.history) {
    numbers.insert(numbers.end(), {record.loss, record.metric, record.validation_loss, record.validation_metric,
                                   record.learning_rate});
  }
  return torch::tensor(numbers, torch::kFloat64);
}

void UnpackNumbers(const torch::Tensor& tensor, Position& position) {
  const auto* numbers = tensor.data_ptr<double>();
  position.best_loss = numbers[0];
  position.sums = {.loss = numbers[1], .weight = numbers[3], .score = numbers[2]};
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
  Trainer(families::Learner& learner, const TrainOptions& options)
      : learner_(learner),
        options_(options),
        settings_(options.settings),
        optimizer_(learner.module(), settings_),
        store_(options.checkpoint_directory),
        precision_(families::ResolvePrecision(settings_.precision)) {
    const families::Batches batches = learner.Epoch(0);
    for (const auto& batch : batches) {
      examples_ += std::ssize(batch);
    }
    steps_ = (std::ssize(batches) + settings_.accumulation - 1) / settings_.accumulation;
  }

  Result<TrainOutcome> Run() {
    ATELIER_ASSIGN(threads, learner_.UsefulThreads(options_.threads));
    threads_ = threads;
    ATELIER_TRY(Resume());
    families::ConfigureProcess(static_cast<int>(threads_));
    last_checkpoint_ = Steady::now();
    while (position_.epoch < settings_.epochs && !position_.stopped) {
      ATELIER_TRY(RunEpoch());
    }
    if (settings_.early_stopping > 0 && !best_.empty()) {
      ATELIER_TRY(families::SetTrainedState(learner_.module(), best_));
    }
    learner_.module().eval();
    return TrainOutcome{.history = position_.history,
                        .validated = validated_,
                        .stopped_early = position_.stopped,
                        .best_epoch = settings_.early_stopping > 0 ? position_.best_epoch : position_.epoch,
                        .steps_per_epoch = steps_,
                        .precision = precision_};
  }

 private:
  int64_t global_step() const { return position_.epoch * steps_ + position_.step; }

  Status RunEpoch() {
    const families::Batches batches = learner_.Epoch(position_.epoch);
    epoch_start_ = Steady::now();
    epoch_examples_ = 0;
    learner_.module().train();
    while (position_.step < steps_) {
      if (options_.cancelled && options_.cancelled()) {
        ATELIER_TRY(SaveCheckpoint());
        return MakeError(Code::kCancelled, "the training was cancelled", "cancelled");
      }
      const auto first = static_cast<size_t>(position_.step * settings_.accumulation);
      const auto count = std::min(static_cast<size_t>(settings_.accumulation), batches.size() - first);
      ATELIER_TRY(RunStep(std::span(batches).subspan(first, count)));
      ++position_.step;
      ReportStep();
      if (position_.step < steps_ && CheckpointDue(false)) {
        ATELIER_TRY(SaveCheckpoint());
      }
    }
    return FinishEpoch();
  }

  Status RunStep(std::span<const std::vector<int64_t>> batches) {
    torch::manual_seed(StepSeed(settings_.seed, global_step()));
    for (const auto& batch : batches) {
      auto outcome = learner_.Forward(batch, precision_ == "bf16");
      const double value = outcome.loss.item<double>();
      if (!std::isfinite(value)) {
        return FailedPrecondition("the training diverged: the loss is not finite at epoch " +
                                      std::to_string(position_.epoch + 1) + ", step " +
                                      std::to_string(position_.step + 1) + "; lower learning_rate or set gradient_clip",
                                  "training_diverged");
      }
      if (batches.size() > 1) {
        outcome.loss = outcome.loss / static_cast<double>(batches.size());
      }
      outcome.loss.backward();
      position_.sums.Add({.loss = value * outcome.weight, .weight = outcome.weight, .score = outcome.score});
      epoch_examples_ += std::ssize(batch);
    }
    rate_ = LearningRate(settings_, global_step(), steps_);
    optimizer_.Step(rate_, global_step() + 1);
    return {};
  }

  Status FinishEpoch() {
    EpochRecord record{
        .loss = position_.sums.mean_loss(), .metric = learner_.Metric(position_.sums), .learning_rate = rate_};
    const double seconds = SecondsSince(epoch_start_);
    ATELIER_ASSIGN(sums, learner_.Validate(options_.cancelled));
    validated_ = sums.weight > 0;
    if (validated_) {
      record.validation_loss = sums.mean_loss();
      record.validation_metric = learner_.Metric(sums);
    }
    position_.history.push_back(record);
    position_.sums = {};
    position_.step = 0;
    ++position_.epoch;
    FollowBest(validated_ ? record.validation_loss : record.loss);
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
      for (const auto& [name, tensor] : families::TrainedStateOf(learner_.module())) {
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
                        {"validated", validated_},
                        {"stopped", position_.stopped}};
    for (const auto& [name, tensor] : families::TrainedStateOf(learner_.module())) {
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
    validated_ = GetBool(state, "validated");
    precision_ = GetString(state, "precision", precision_);
    threads_ = GetInt(state, "threads", threads_);
    const auto numbers = found->tensors.find("numbers");
    if (numbers == found->tensors.end() || numbers->second.scalar_type() != torch::kFloat64 ||
        numbers->second.numel() < 4 || position_.epoch < 0 || position_.step < 0 || position_.step > steps_) {
      return DataLoss("the checkpoint does not fit the training");
    }
    UnpackNumbers(numbers->second, position_);
    ATELIER_TRY(families::SetTrainedState(learner_.module(), WithoutPrefix(found->tensors, "w.")));
    ATELIER_TRY(optimizer_.SetState(found->tensors));
    best_ = WithoutPrefix(found->tensors, "best.");
    if (options_.message) {
      options_.message("info", "resumed from the checkpoint at epoch " + std::to_string(position_.epoch + 1) +
                                   ", step " + std::to_string(position_.step));
    }
    return {};
  }

  double SamplesPerSecond(double seconds) const {
    return seconds > 0 ? static_cast<double>(epoch_examples_) / seconds : 0;
  }

  double EtaSeconds(double samples_per_s) const {
    const auto left = static_cast<double>(settings_.epochs * steps_ - global_step()) / static_cast<double>(steps_);
    return samples_per_s > 0 && !position_.stopped ? left * static_cast<double>(examples_) / samples_per_s : 0;
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
                       {"metric", learner_.Metric(position_.sums)},
                       {"metric_name", learner_.metric_name()},
                       {"samples_per_s", rate},
                       {"eta_s", EtaSeconds(rate)}});
  }

  void ReportEpoch(const EpochRecord& record, double seconds) {
    if (!options_.progress) {
      return;
    }
    const double rate = SamplesPerSecond(seconds);
    json::object event{{"stage", "epoch"},
                       {"epoch", position_.epoch},
                       {"epochs", settings_.epochs},
                       {"steps", steps_},
                       {"loss", record.loss},
                       {"metric", record.metric},
                       {"metric_name", learner_.metric_name()},
                       {"samples_per_s", rate},
                       {"learning_rate", record.learning_rate},
                       {"eta_s", EtaSeconds(rate)}};
    if (validated_) {
      event["validation_loss"] = record.validation_loss;
      event["validation_metric"] = record.validation_metric;
    }
    options_.progress(std::move(event));
  }

  families::Learner& learner_;
  const TrainOptions& options_;
  const TrainSettings& settings_;
  Optimizer optimizer_;
  CheckpointStore store_;
  std::string precision_;
  int64_t threads_ = 1;   // sums depend on it, so a resumed run goes on with the count that it began with
  int64_t steps_ = 0;     // an epoch
  int64_t examples_ = 0;  // an epoch
  bool validated_ = false;
  Position position_;
  std::map<std::string, torch::Tensor> best_;
  double rate_ = 0;
  double checkpoint_cost_ = 0;
  int64_t epoch_examples_ = 0;  // of this epoch, by this process
  Steady::time_point epoch_start_;
  Steady::time_point last_checkpoint_;
  Steady::time_point last_progress_;
};

}  // namespace

Result<TrainOutcome> Train(families::Learner& learner, const TrainOptions& options) {
  TrainOutcome outcome;
  ATELIER_TRY(families::CatchTorch([&]() -> Status {
    ATELIER_ASSIGN(result, Trainer(learner, options).Run());
    outcome = std::move(result);
    return {};
  }));
  return outcome;
}

}  // namespace atelier::learning
