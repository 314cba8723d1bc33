// filter: rows that meet a condition stay.
#include "data/steps/expression.h"
#include "data/steps/kinds.h"

namespace atelier::data::steps {
namespace {

class FilterStep final : public Step {
 public:
  explicit FilterStep(Expression condition)
      : Step(kChangesRows | (condition.reads_split() ? kReadsSplit : 0)), condition_(std::move(condition)) {}

  std::vector<size_t> AlsoTouches() const override { return condition_.columns(); }

  Status Apply(Batch& batch) override {
    std::vector<uint8_t> keep(batch.rows());
    for (size_t row = 0; row < keep.size(); ++row) {
      keep[row] = condition_.Test(batch, row) ? 1 : 0;
    }
    batch.Keep(keep);
    return {};
  }

 private:
  Expression condition_;
};

Result<std::unique_ptr<Step>> Make(const Arguments& arguments, Schema& schema) {
  auto condition = Expression::Parse(arguments.Text("where"), schema);
  if (!condition.ok()) {
    return arguments.Wrong("where", condition.error().message);
  }
  return std::unique_ptr<Step>(std::make_unique<FilterStep>(*std::move(condition)));
}

constexpr Parameter kParameters[] = {
    {.name = "where",
     .help = "Such as: age >= 18 and (city in ['Paris', 'Rome'] or name is not missing) and length(text) < 500",
     .fallback = ""}};

}  // namespace

const StepKind kFilterStep{"filter", "Keep the rows that meet a condition", kParameters, Make};

}  // namespace atelier::data::steps
