#include "data/steps/runner.h"

#include <algorithm>

#include "base/json.h"

namespace atelier::data::steps {
namespace {

constexpr uint64_t kFitBytes = uint64_t{128} << 20U;  // all fits of a pass together
constexpr size_t kMostRowsAtOnce = 4 * kBatchRows;    // that a step may make of one batch
constexpr std::string_view kPasses = "passes.json";

}  // namespace

json::array ToJson(const std::vector<StepCount>& counts) {
  json::array out;
  for (const StepCount& count : counts) {
    out.push_back(json::array{count.in, count.out});
  }
  return out;
}

std::optional<std::vector<StepCount>> CountsFromJson(const json::value& value, size_t steps) {
  const json::array* list = value.if_array();
  if (list == nullptr || list->size() != steps) {
    return std::nullopt;
  }
  std::vector<StepCount> out;
  for (const auto& item : *list) {
    const json::array* pair = item.if_array();
    if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_int64() || !(*pair)[1].is_int64()) {
      return std::nullopt;
    }
    out.push_back({(*pair)[0].get_int64(), (*pair)[1].get_int64()});
  }
  return out;
}

Runner::Runner(const Request& request, const Schema& schema, RowSource& source, const RunHooks& hooks,
               Checkpoint& checkpoint)
    : request_(request), schema_(schema), source_(source), hooks_(hooks), checkpoint_(checkpoint) {
  states_.resize(request.steps.size());
  counts_.resize(request.steps.size());
}

Status Runner::BindSteps() {
  ATELIER_ASSIGN(bound, Bind(request_.steps, request_.seed, schema_, states_, checkpoint_.folder()));
  steps_ = std::move(bound);
  for (BoundStep& step : steps_) {
    step.step->Use(tools_);
  }
  return {};
}

// What earlier attempts have found; where it is not whole, or does not fit, the run begins anew.
void Runner::Restore() {
  const auto saved = checkpoint_.Read(kPasses);
  const json::value* states = saved ? saved->if_contains("states") : nullptr;
  const json::value* counts = saved ? saved->if_contains("counts") : nullptr;
  if (states == nullptr || counts == nullptr || !states->is_array() || states->get_array().size() != states_.size()) {
    return;
  }
  const auto read = CountsFromJson(*counts, counts_.size());
  if (!read) {
    return;
  }
  States found(states_.size());
  for (size_t i = 0; i < found.size(); ++i) {
    if (const json::object* state = states->get_array()[i].if_object(); state != nullptr) {
      found[i] = *state;
    }
  }
  if (Bind(request_.steps, request_.seed, schema_, found, checkpoint_.folder()).ok()) {
    states_ = std::move(found);
    counts_ = *read;
    passes_done_ = GetInt(*saved, "passes_done");
  }
}

Status Runner::Keep() {
  json::array states;
  for (const auto& state : states_) {
    states.push_back(state ? json::value(*state) : json::value(nullptr));
  }
  return checkpoint_.Write(kPasses,
                           {{"states", std::move(states)}, {"counts", ToJson(counts_)}, {"passes_done", passes_done_}});
}

Status Runner::FitAll() {
  ATELIER_TRY(BindSteps());
  passes_ = CountPasses(steps_);
  Restore();
  ATELIER_TRY(BindSteps());
  while (std::ranges::any_of(steps_, [](const BoundStep& step) { return !step.fitted; })) {
    ATELIER_TRY(FitPass());
    ++passes_done_;
    ATELIER_TRY(Keep());
    ATELIER_TRY(BindSteps());
  }
  return {};
}

// Where the rows of this pass come from, and with which step it begins.
Result<RowSource*> Runner::Begin() {
  first_step_ = 0;
  kept_rows_.reset();
  for (size_t i = 0; i < steps_.size() && steps_[i].fitted; ++i) {
    ATELIER_ASSIGN(rows, steps_[i].step->Rows());
    if (rows != nullptr) {
      kept_rows_ = std::move(rows);
      first_step_ = i + 1;
      counts_[i].out = kept_rows_->rows();
    }
  }
  std::fill(counts_.begin() + static_cast<std::ptrdiff_t>(first_step_), counts_.end(), StepCount());
  RowSource& source = kept_rows_ ? *kept_rows_ : source_;
  ATELIER_TRY(source.Seek(0));
  return &source;
}

Status Runner::FitPass() {
  ATELIER_ASSIGN(source, Begin());
  roles_ = PlanPass(std::span(steps_).subspan(first_step_));
  const auto observing = static_cast<uint64_t>(std::ranges::count(roles_, Role::kObserve));
  fitters_.clear();
  fitters_.resize(roles_.size());
  for (size_t i = 0; i < roles_.size(); ++i) {
    if (roles_[i] == Role::kObserve) {
      const size_t step = first_step_ + i;
      ATELIER_ASSIGN(fitter, steps_[step].step->Fit({.folder = checkpoint_.folder(),
                                                     .prefix = "step" + std::to_string(step),
                                                     .memory_bytes = kFitBytes / observing,
                                                     .expected_bytes = source->bytes()}));
      fitters_[i] = std::move(fitter);
    }
  }
  sink_ = nullptr;
  ATELIER_TRY(Pass(*source));
  for (size_t i = 0; i < roles_.size(); ++i) {
    if (fitters_[i] != nullptr) {
      ATELIER_ASSIGN(state, fitters_[i]->Finish());
      states_[first_step_ + i] = std::move(state);
    }
  }
  fitters_.clear();
  return {};
}

Status Runner::Run(const Sink& sink, const PassPosition* from) {
  ATELIER_ASSIGN(source, Begin());
  roles_.assign(steps_.size() - first_step_, Role::kApply);
  sink_ = sink;
  if (from != nullptr) {
    ATELIER_TRY(source->Seek(from->row));
    counts_ = from->counts;
  }
  return Pass(*source);
}

Status Runner::Pass(RowSource& source) {
  while (true) {
    ATELIER_TRY(hooks_.Check());
    Batch batch;
    batch_row_ = source.position();
    counts_before_ = counts_;
    ATELIER_ASSIGN(more, source.Next(batch));
    if (!more) {
      return {};
    }
    ATELIER_TRY(Feed(0, batch));
    Tell(source);
  }
}

void Runner::Tell(const RowSource& source) {
  if (hooks_.progress && source.rows() > 0) {
    const double part = static_cast<double>(source.position()) / static_cast<double>(source.rows());
    const auto total = static_cast<double>(source_.bytes()) * static_cast<double>(passes_);
    const double done = (static_cast<double>(passes_done_) + part) / static_cast<double>(passes_) * total;
    hooks_.progress(static_cast<uint64_t>(done), static_cast<uint64_t>(total));
  }
}

// Through the steps from roles_[index] on, to the sink.
Status Runner::Feed(size_t index, Batch& batch) {
  for (; index < roles_.size(); ++index) {
    Step& step = *steps_[first_step_ + index].step;
    StepCount& count = counts_[first_step_ + index];
    if (roles_[index] == Role::kApply && batch.rows() * step.MostCopies() > kMostRowsAtOnce) {
      return ApplyInPieces(index, batch);
    }
    batch.first = count.in;
    count.in += static_cast<int64_t>(batch.rows());
    if (roles_[index] == Role::kObserve) {
      ATELIER_TRY(fitters_[index]->Observe(batch));
    } else if (roles_[index] == Role::kApply) {
      ATELIER_TRY(step.Apply(batch));
    }
    count.out += static_cast<int64_t>(batch.rows());
    if (batch.rows() == 0) {
      return {};
    }
  }
  return sink_ ? sink_(batch) : Status();
}

Status Runner::ApplyInPieces(size_t index, const Batch& batch) {
  Step& step = *steps_[first_step_ + index].step;
  StepCount& count = counts_[first_step_ + index];
  const size_t rows = std::max<size_t>(kMostRowsAtOnce / step.MostCopies(), 1);
  for (size_t from = 0; from < batch.rows(); from += rows) {
    Batch piece = batch.Slice(from, std::min(rows, batch.rows() - from));
    piece.first = count.in;
    count.in += static_cast<int64_t>(piece.rows());
    ATELIER_TRY(step.Apply(piece));
    count.out += static_cast<int64_t>(piece.rows());
    if (piece.rows() > 0) {
      ATELIER_TRY(Feed(index + 1, piece));
    }
  }
  return {};
}

}  // namespace atelier::data::steps
