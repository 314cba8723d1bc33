// normalize (min-max) and standardize: value * factor + shift, from the statistics of the training rows.
#include "data/steps/kinds.h"
#include "data/steps/summary.h"
#include "data/steps/values.h"

namespace atelier::data::steps {
namespace {

struct Scaling {
  bool standardize = false;
  double minimum = 0, maximum = 1;  // of normalize
};

class ScaleStep final : public Step {
 public:
  ScaleStep(SummaryRequest request, Scaling scaling)
      : Step(kFits | (request.train_only ? kReadsSplit : 0)), request_(std::move(request)), scaling_(scaling) {}

  Result<std::unique_ptr<Fitter>> Fit(const FitContext& context) override {
    return MakeSummaryFitter(request_, context);
  }

  Status Load(const json::object& state, const std::filesystem::path& /*folder*/, Schema& /*schema*/) override {
    ATELIER_ASSIGN(summaries, SummariesFromJson(state, request_.columns.size()));
    summaries_ = std::move(summaries);
    return {};
  }

  Status Apply(Batch& batch) override {
    for (size_t i = 0; i < request_.columns.size(); ++i) {
      const Summary& summary = summaries_[i];
      const double spread = scaling_.standardize ? summary.standard_deviation : summary.maximum - summary.minimum;
      const double origin = scaling_.standardize ? summary.mean : summary.minimum;
      const double unit = spread > 0 ? spread : 1;  // a constant becomes 0, or the minimum wanted
      const double range = scaling_.standardize ? 1 : scaling_.maximum - scaling_.minimum;
      const double shift = scaling_.standardize ? 0 : scaling_.minimum;
      for (float& value : batch.columns[request_.columns[i]].numbers) {
        value = static_cast<float>((value - origin) / unit * range + shift);
      }
    }
    return {};
  }

 private:
  SummaryRequest request_;
  Scaling scaling_;
  std::vector<Summary> summaries_;
};

SummaryRequest RequestOf(const Arguments& arguments) {
  return {.columns = arguments.Columns("columns"), .train_only = arguments.Text("fit_on") == "train"};
}

Result<std::unique_ptr<Step>> MakeNormalize(const Arguments& arguments, Schema& /*schema*/) {
  const Scaling scaling{.minimum = arguments.Number("minimum"), .maximum = arguments.Number("maximum")};
  if (scaling.minimum >= scaling.maximum) {
    return arguments.Wrong("maximum", "'maximum' must be above 'minimum'");
  }
  return std::unique_ptr<Step>(std::make_unique<ScaleStep>(RequestOf(arguments), scaling));
}

Result<std::unique_ptr<Step>> MakeStandardize(const Arguments& arguments, Schema& /*schema*/) {
  return std::unique_ptr<Step>(std::make_unique<ScaleStep>(RequestOf(arguments), Scaling{.standardize = true}));
}

constexpr Parameter kColumns{.name = "columns",
                             .type = ParameterType::kColumns,
                             .help = "Number columns; absent: all but the target",
                             .fallback = "features",
                             .columns = kScalar};
constexpr double kBound = 1e9;
constexpr Parameter kNormalizeParameters[] = {kColumns,
                                              {.name = "minimum",
                                               .type = ParameterType::kNumber,
                                               .help = "What the smallest training value becomes",
                                               .fallback = "0",
                                               .minimum = -kBound,
                                               .maximum = kBound},
                                              {.name = "maximum",
                                               .type = ParameterType::kNumber,
                                               .help = "What the largest training value becomes",
                                               .fallback = "1",
                                               .minimum = -kBound,
                                               .maximum = kBound},
                                              kFitOnParameter};
constexpr Parameter kStandardizeParameters[] = {kColumns, kFitOnParameter};

}  // namespace

const StepKind kNormalizeStep{"normalize", "Scale numbers to a range (min-max)", kNormalizeParameters, MakeNormalize};
const StepKind kStandardizeStep{"standardize", "Scale numbers to mean 0 and deviation 1", kStandardizeParameters,
                                MakeStandardize};

}  // namespace atelier::data::steps
