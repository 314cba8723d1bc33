// The passes of a list of steps over rows.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "data/checkpoint.h"
#include "data/importer.h"
#include "data/steps/plan.h"
#include "data/steps/source.h"

namespace atelier::data::steps {

struct StepCount {
  int64_t in = 0, out = 0;
};

// Where the last pass is: what a run that was killed goes on from.
struct PassPosition {
  int64_t row = 0;                  // of the source, with which the batch begins
  std::vector<StepCount> counts{};  // before the batch
  int64_t done = 0;                 // rows of the result that this batch has given so far
};

// Not thread-safe.
class Runner {
 public:
  // `checkpoint` is enabled; the rest is borrowed, too.
  Runner(const Request& request, const Schema& schema, RowSource& source, const RunHooks& hooks,
         Checkpoint& checkpoint);

  // Before FitAll: borrowed for the steps that need it.
  void Use(const MediaTools* tools) { tools_ = tools; }

  // The passes before the last: afterwards every step is fitted. Takes over what an earlier run has found.
  Status FitAll();
  // The last pass: hands over the rows of the result. Begins at `from` where there is one.
  using Sink = std::function<Status(Batch& batch)>;
  Status Run(const Sink& sink, const PassPosition* from = nullptr);

  // While the sink runs, with `done` left to the caller; after Run, the counts of all rows.
  PassPosition position() const { return {batch_row_, counts_before_, 0}; }
  const std::vector<StepCount>& counts() const { return counts_; }
  const std::vector<BoundStep>& steps() const { return steps_; }
  const Schema& after() const { return steps_.empty() ? schema_ : steps_.back().after; }

 private:
  Status BindSteps();
  Status FitPass();
  Result<RowSource*> Begin();
  Status Feed(size_t index, Batch& batch);
  Status ApplyInPieces(size_t index, const Batch& batch);
  Status Pass(RowSource& source);
  void Tell(const RowSource& source);
  Status Keep();
  void Restore();

  const Request& request_;
  const Schema& schema_;
  RowSource& source_;
  const RunHooks& hooks_;
  Checkpoint& checkpoint_;
  const MediaTools* tools_ = nullptr;

  std::vector<BoundStep> steps_;
  States states_;
  std::vector<StepCount> counts_;
  int64_t passes_ = 1;
  int64_t passes_done_ = 0;

  // Of the pass that runs.
  std::unique_ptr<RowSource> kept_rows_;  // of the last fitted step that has its own
  size_t first_step_ = 0;
  std::vector<Role> roles_;  // of the steps from first_step_ on
  std::vector<std::unique_ptr<Fitter>> fitters_;
  Sink sink_;
  int64_t batch_row_ = 0;
  std::vector<StepCount> counts_before_;
};

boost::json::array ToJson(const std::vector<StepCount>& counts);
// Nothing where it is none of `steps` counts.
std::optional<std::vector<StepCount>> CountsFromJson(const boost::json::value& value, size_t steps);

}  // namespace atelier::data::steps
