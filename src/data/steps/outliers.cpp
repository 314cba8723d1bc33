// outliers: values far from the others are clipped, dropped with their row, or made missing.
#include <algorithm>

#include "data/steps/kinds.h"
#include "data/steps/summary.h"
#include "data/steps/values.h"

namespace atelier::data::steps {
namespace {

enum class Action { kClip, kDrop, kMissing };

class OutlierStep final : public Step {
 public:
  OutlierStep(SummaryRequest request, double threshold, Action action)
      : Step(kFits | (request.train_only ? kReadsSplit : 0) | (action == Action::kDrop ? kChangesRows : 0)),
        request_(std::move(request)),
        threshold_(threshold),
        action_(action) {}

  Result<std::unique_ptr<Fitter>> Fit(const FitContext& context) override {
    return MakeSummaryFitter(request_, context);
  }

  Status Load(const json::object& state, const std::filesystem::path& /*folder*/, Schema& /*schema*/) override {
    ATELIER_ASSIGN(summaries, SummariesFromJson(state, request_.columns.size()));
    summaries_ = std::move(summaries);
    return {};
  }

  Status Apply(Batch& batch) override {
    std::vector<uint8_t> keep(action_ == Action::kDrop ? batch.rows() : 0, 1);
    for (size_t i = 0; i < request_.columns.size(); ++i) {
      if (summaries_[i].count == 0) {
        continue;
      }
      const auto [low, high] = Bounds(summaries_[i]);
      auto& numbers = batch.columns[request_.columns[i]].numbers;
      for (size_t row = 0; row < numbers.size(); ++row) {
        float& value = numbers[row];
        if (!(value < low) && !(value > high)) {
          continue;  // a missing value, too
        }
        if (action_ == Action::kClip) {
          value = static_cast<float>(value < low ? low : high);
        } else if (action_ == Action::kMissing) {
          value = std::numeric_limits<float>::quiet_NaN();
        } else {
          keep[row] = 0;
        }
      }
    }
    batch.Keep(keep);
    return {};
  }

 private:
  std::pair<double, double> Bounds(const Summary& summary) const {
    if (request_.quantiles) {
      const double reach = threshold_ * (summary.upper_quartile - summary.lower_quartile);
      return {summary.lower_quartile - reach, summary.upper_quartile + reach};
    }
    const double reach = threshold_ * summary.standard_deviation;
    return {summary.mean - reach, summary.mean + reach};
  }

  SummaryRequest request_;
  double threshold_;
  Action action_;
  std::vector<Summary> summaries_;
};

Result<std::unique_ptr<Step>> Make(const Arguments& arguments, Schema& /*schema*/) {
  const bool quartiles = arguments.Text("method") == "iqr";
  const std::string action = arguments.Text("action");
  SummaryRequest request{.columns = arguments.Columns("columns"),
                         .quantiles = quartiles,
                         .train_only = arguments.Text("fit_on") == "train"};
  const double threshold = arguments.Has("threshold") ? arguments.Number("threshold") : quartiles ? 1.5 : 3;
  return std::unique_ptr<Step>(std::make_unique<OutlierStep>(std::move(request), threshold,
                                                             action == "clip"   ? Action::kClip
                                                             : action == "drop" ? Action::kDrop
                                                                                : Action::kMissing));
}

constexpr Parameter kParameters[] = {
    {.name = "columns",
     .type = ParameterType::kColumns,
     .help = "Number columns; absent: all but the target",
     .fallback = "features",
     .columns = kScalar},
    {.name = "method",
     .type = ParameterType::kChoice,
     .help = "zscore: so many deviations from the mean; iqr: so many quartile ranges outside the quartiles",
     .fallback = "\"iqr\"",
     .choices = "zscore|iqr"},
    {.name = "threshold",
     .type = ParameterType::kNumber,
     .help = "How many; absent: 3 (zscore), 1.5 (iqr)",
     .fallback = "null",
     .minimum = 0,
     .maximum = 1e6},
    {.name = "action",
     .type = ParameterType::kChoice,
     .help = "What happens: the value is clipped, its row dropped, or the value made missing",
     .fallback = "\"clip\"",
     .choices = "clip|drop|missing"},
    kFitOnParameter};

}  // namespace

const StepKind kOutliersStep{"outliers", "Clip or remove values far from the others", kParameters, Make};

}  // namespace atelier::data::steps
