#include "families/word_vectors/training/train.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/json.h"
#include "families/word_vectors/training/checkpoint.h"

namespace atelier::families::word_vectors {
namespace {

using Steady = std::chrono::steady_clock;

constexpr double kProgressSeconds = 0.5;
constexpr double kCheckpointSeconds = 2;
constexpr double kCheckpointCostFactor = 20;  // at most 5 % of the time goes into checkpoints

double SecondsSince(Steady::time_point start) { return std::chrono::duration<double>(Steady::now() - start).count(); }

class Loop {
 public:
  Loop(Run& run, const TrainLoopOptions& options) : run_(run), options_(options) {}

  Result<std::vector<EpochLoss>> Train() {
    ATELIER_TRY(Resume());
    start_ = last_checkpoint_ = last_progress_ = Steady::now();
    while (state_.position.epoch < options_.epochs) {
      if (options_.cancelled && options_.cancelled()) {
        ATELIER_TRY(Save());
        return MakeError(Code::kCancelled, "the training was cancelled", "cancelled");
      }
      ATELIER_TRY(Step());
    }
    ReportSpeed();
    return state_.history;
  }

 private:
  Status Step() {
    const StepReport report = run_.Step(state_.position);
    state_.loss += report.loss * report.samples;
    state_.samples += report.samples;
    words_ += report.words;
    if (!std::isfinite(state_.loss)) {
      return FailedPrecondition("the training diverged: the loss is not finite at epoch " +
                                    std::to_string(state_.position.epoch + 1) + "; lower learning_rate",
                                "training_diverged");
    }
    ++state_.position.step;
    ++steps_;
    const bool epoch_ends = state_.position.step == run_.steps();
    if (epoch_ends) {
      FinishEpoch(report);
    } else if (options_.progress && SecondsSince(last_progress_) >= kProgressSeconds) {
      last_progress_ = Steady::now();
      Report("train", state_.position.epoch + 1, MeanLoss(), report.learning_rate);
    }
    return CheckpointDue() ? Save() : Status();
  }

  void FinishEpoch(const StepReport& report) {
    state_.history.push_back({MeanLoss(), report.learning_rate});
    ++state_.position.epoch;
    state_.position.step = 0;
    if (options_.progress) {
      Report("epoch", state_.position.epoch, MeanLoss(), report.learning_rate);
    }
    state_.loss = 0;
    state_.samples = 0;
  }

  double MeanLoss() const { return state_.samples > 0 ? state_.loss / state_.samples : 0; }

  void Report(std::string_view stage, int64_t epoch, double loss, double learning_rate) const {
    const double rate = static_cast<double>(words_) / std::max(SecondsSince(start_), 1e-9);
    const double epochs_left = static_cast<double>(options_.epochs - state_.position.epoch) -
                               static_cast<double>(state_.position.step) / static_cast<double>(run_.steps());
    options_.progress({{"stage", stage},
                       {"epoch", epoch},
                       {"epochs", options_.epochs},
                       {"step", state_.position.step},
                       {"steps", run_.steps()},
                       {"loss", loss},
                       {"samples_per_s", rate},
                       {"learning_rate", learning_rate},
                       {"eta_s", epochs_left * static_cast<double>(run_.epoch_words()) / std::max(rate, 1e-9)}});
  }

  void ReportSpeed() const {
    if (options_.message) {
      const double seconds = std::max(SecondsSince(start_), 1e-9);
      options_.message("info", "learned from " + std::to_string(words_) + " " + std::string(run_.counted()) + " in " +
                                   std::to_string(seconds) + " s, " +
                                   std::to_string(static_cast<int64_t>(static_cast<double>(words_) / seconds)) +
                                   " a second");
    }
  }

  // When a checkpoint is written depends on time, what training computes does not.
  bool CheckpointDue() const {
    if (state_.position.epoch == options_.epochs) {
      return true;
    }
    if (options_.checkpoint_every_steps > 0) {
      return steps_ % options_.checkpoint_every_steps == 0;
    }
    return SecondsSince(last_checkpoint_) >= std::max(kCheckpointSeconds, kCheckpointCostFactor * checkpoint_cost_);
  }

  Status Save() {
    if (options_.checkpoint_directory.empty()) {
      return {};
    }
    const auto start = Steady::now();
    ATELIER_TRY(SaveCheckpoint(options_.checkpoint_directory, options_.fingerprint, state_, run_.State()));
    last_checkpoint_ = Steady::now();
    checkpoint_cost_ = SecondsSince(start);
    return {};
  }

  Status Resume() {
    if (options_.checkpoint_directory.empty()) {
      return {};
    }
    ATELIER_ASSIGN(found, LoadCheckpoint(options_.checkpoint_directory, options_.fingerprint));
    if (!found.has_value()) {
      return {};
    }
    if (found->state.position.step >= run_.steps() || found->state.position.epoch > options_.epochs) {
      return DataLoss("the checkpoint does not fit the training");
    }
    ATELIER_TRY(run_.SetState(found->file->tensors()));
    state_ = std::move(found->state);
    if (options_.message) {
      options_.message("info", "resumed from the checkpoint at epoch " + std::to_string(state_.position.epoch + 1) +
                                   ", step " + std::to_string(state_.position.step));
    }
    return {};
  }

  Run& run_;
  const TrainLoopOptions& options_;
  LoopState state_;
  int64_t words_ = 0;  // of this process
  int64_t steps_ = 0;
  double checkpoint_cost_ = 0;
  Steady::time_point start_;
  Steady::time_point last_checkpoint_;
  Steady::time_point last_progress_;
};

}  // namespace

Result<std::vector<EpochLoss>> TrainLoop(Run& run, const TrainLoopOptions& options) {
  return Loop(run, options).Train();
}

}  // namespace atelier::families::word_vectors
