// split: which rows train, validate and test.
#include <algorithm>
#include <bit>
#include <cmath>

#include "data/splitter.h"
#include "data/steps/kinds.h"
#include "data/steps/rank_cuts.h"
#include "data/steps/values.h"

namespace atelier::data::steps {
namespace {

enum class By { kRandom, kStratified, kGroup, kTime };

struct SplitPlan {
  By by = By::kRandom;
  size_t column = 0;  // but of kRandom
  SchemaColumn definition{};
  std::array<double, kSplits> fractions{1, 0, 0};
  int64_t folds = 0;  // 0: by the fractions
  int64_t fold = 0;   // from 0
  uint64_t seed = 0;
};

// Numbers in an order that their bits have, too; what is missing comes first.
uint64_t Ordered(float value) {
  if (std::isnan(value)) {
    return 0;
  }
  const auto bits = std::bit_cast<uint32_t>(value + 0.0F);  // -0 is 0
  return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}

// The first bytes of a text, so that the numbers have the order of the texts.
uint64_t Word(std::string_view text) {
  uint64_t word = 0;
  for (size_t i = 0; i < sizeof(word); ++i) {
    word = word << 8U | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0);
  }
  return word;
}

// What a row's place in the order of its stratum follows from.
class RowKeys {
 public:
  explicit RowKeys(const SplitPlan& plan) : plan_(plan) {}

  int32_t Stratum(const Batch& batch, size_t row) const {
    return plan_.by == By::kStratified ? batch.columns[plan_.column].codes[row] : 0;
  }

  RankKey Key(const Batch& batch, size_t row) const {
    const int64_t number = batch.first + static_cast<int64_t>(row);
    if (plan_.by == By::kGroup) {
      return {HashBytes(TextOf(plan_.definition, batch.columns[plan_.column], row), plan_.seed).high};
    }
    return plan_.by == By::kTime ? TimeKey(batch.columns[plan_.column], row, number)
                                 : RankKey{RowHash(plan_.seed, number)};
  }

 private:
  RankKey TimeKey(const ColumnRows& values, size_t row, int64_t number) const {
    const auto last = static_cast<uint64_t>(number);
    if (plan_.definition.type == ColumnType::kNumber) {
      return {Ordered(values.numbers[row]), 0, 0, last};
    }
    if (plan_.definition.type == ColumnType::kCategory) {
      return {static_cast<uint64_t>(int64_t{values.codes[row]} + 1), 0, 0, last};
    }
    const std::string_view text = values.Text(row);
    const auto from = [&](size_t offset) { return Word(text.substr(std::min(offset, text.size()))); };
    return {from(0), from(8), from(16), last};
  }

  const SplitPlan& plan_;
};

bool TakesPart(const SplitPlan& plan, uint8_t split) {
  return plan.folds == 0 || split != static_cast<uint8_t>(Split::kTest);
}

template <size_t Words>
class SplitFitter final : public Fitter {
 public:
  SplitFitter(const SplitPlan& plan, const FitContext& context)
      : plan_(plan), keys_(plan_), cutter_(context.folder / (context.prefix + ".cuts"), context.memory_bytes) {}

  Status Observe(const Batch& batch) override {
    for (size_t row = 0; row < batch.rows(); ++row) {
      if (TakesPart(plan_, batch.splits[row])) {
        ATELIER_TRY(cutter_.Add(keys_.Stratum(batch, row), keys_.Key(batch, row)));
      }
    }
    return {};
  }

  Result<json::object> Finish() override {
    Shares shares(plan_.fractions);
    ATELIER_ASSIGN(cuts, cutter_.Cut([&](int32_t /*stratum*/, int64_t rows) {
      if (plan_.folds > 0) {
        return std::vector<int64_t>{rows * plan_.fold / plan_.folds, rows * (plan_.fold + 1) / plan_.folds};
      }
      const auto [train, validation, test] = shares.Take(rows);
      const int64_t first = plan_.by == By::kTime ? train : test;
      return std::vector<int64_t>{first, first + validation};
    }));
    return json::object{{"cuts", cuts.ToJson()}};
  }

 private:
  SplitPlan plan_;
  RowKeys keys_;
  RankCutter<Words> cutter_;
};

class SplitStep final : public Step {
 public:
  explicit SplitStep(SplitPlan plan)
      : Step(kWritesSplit | kFits | (plan.folds > 0 ? kReadsSplit : 0)), plan_(std::move(plan)), keys_(plan_) {}

  std::vector<size_t> AlsoTouches() const override {
    return plan_.by == By::kRandom ? std::vector<size_t>() : std::vector<size_t>{plan_.column};
  }

  Result<std::unique_ptr<Fitter>> Fit(const FitContext& context) override {
    if (plan_.by == By::kTime) {
      return std::unique_ptr<Fitter>(std::make_unique<SplitFitter<4>>(plan_, context));
    }
    return std::unique_ptr<Fitter>(std::make_unique<SplitFitter<1>>(plan_, context));
  }

  Status Load(const json::object& state, const std::filesystem::path& /*folder*/, Schema& /*schema*/) override {
    ATELIER_ASSIGN(cuts, RankCuts::FromJson(state.at("cuts")));
    cuts_ = std::move(cuts);
    return {};
  }

  Status Apply(Batch& batch) override {
    for (size_t row = 0; row < batch.rows(); ++row) {
      uint8_t& split = batch.splits[row];
      if (TakesPart(plan_, split)) {
        split = static_cast<uint8_t>(SplitOf(cuts_.Section(keys_.Stratum(batch, row), keys_.Key(batch, row))));
      }
    }
    return {};
  }

 private:
  Split SplitOf(size_t section) const {
    if (plan_.folds > 0) {
      return section == 1 ? Split::kValidation : Split::kTrain;
    }
    constexpr std::array<Split, 3> kDrawn{Split::kTest, Split::kValidation, Split::kTrain};
    constexpr std::array<Split, 3> kInTime{Split::kTrain, Split::kValidation, Split::kTest};
    return (plan_.by == By::kTime ? kInTime : kDrawn).at(section);
  }

  SplitPlan plan_;
  RowKeys keys_;
  RankCuts cuts_;
};

// The column to go by: the one given, else the target where strata are wanted.
Status TakeColumn(const Arguments& arguments, const Schema& schema, SplitPlan& plan) {
  const std::string by = arguments.Text("by");
  const auto target = schema.Find(schema.target);
  const bool has_labels = target && schema.columns[*target].type == ColumnType::kCategory;
  if (by == "random" || (by == "auto" && !has_labels && !arguments.Has("column"))) {
    return by == "random" && arguments.Has("column")
               ? Status(arguments.Wrong("column", "a random split goes by no column"))
               : Status();
  }
  if (!arguments.Has("column") && (by == "group" || by == "time" || !has_labels)) {
    return arguments.Wrong("column", "'column' is missing: the column to go by");
  }
  plan.column = arguments.Has("column") ? arguments.Column("column") : *target;
  plan.definition = schema.columns[plan.column];
  plan.by = by == "group" ? By::kGroup : by == "time" ? By::kTime : By::kStratified;
  if (plan.by == By::kStratified && plan.definition.type != ColumnType::kCategory) {
    return arguments.Wrong("column", "a stratified split goes by a category, and column '" + plan.definition.name +
                                         "' is of the type " + std::string(Name(plan.definition.type)));
  }
  return {};
}

Status TakeParts(const Arguments& arguments, SplitPlan& plan) {
  if (arguments.Has("fractions") == arguments.Has("folds")) {
    return arguments.Wrong("fractions", "'split' takes either 'fractions' or 'folds' with 'fold'");
  }
  if (arguments.Has("fractions")) {
    const std::vector<double> fractions = arguments.Numbers("fractions");
    if (const Status checked = CheckFractions(fractions, "fractions"); !checked.ok()) {
      return arguments.Wrong("fractions", checked.error().message);
    }
    std::ranges::copy(fractions, plan.fractions.begin());
    return arguments.Has("fold") ? Status(arguments.Wrong("fold", "'fold' belongs to 'folds'")) : Status();
  }
  plan.folds = arguments.Integer("folds");
  if (!arguments.Has("fold") || arguments.Integer("fold") > plan.folds) {
    return arguments.Wrong("fold", "'fold' takes a number from 1 to 'folds': the part that validates");
  }
  plan.fold = arguments.Integer("fold") - 1;
  return plan.by == By::kTime ? Status(arguments.Wrong("by", "folds cannot go by time: later rows would train"))
                              : Status();
}

Result<std::unique_ptr<Step>> Make(const Arguments& arguments, Schema& schema) {
  SplitPlan plan;
  plan.seed = arguments.seed();
  ATELIER_TRY(TakeColumn(arguments, schema, plan));
  ATELIER_TRY(TakeParts(arguments, plan));
  return std::unique_ptr<Step>(std::make_unique<SplitStep>(std::move(plan)));
}

constexpr Parameter kParameters[] = {
    {.name = "fractions",
     .type = ParameterType::kNumbers,
     .help = "Shares of train, validation and test",
     .fallback = "null",
     .minimum = 0,
     .maximum = 1},
    {.name = "by",
     .type = ParameterType::kChoice,
     .help = "random; stratified: each label in the same shares; group: rows with one value stay together; time: the "
             "latest rows test; auto: stratified where there are labels, else random",
     .fallback = "\"auto\"",
     .choices = "auto|random|stratified|group|time"},
    {.name = "column",
     .type = ParameterType::kColumn,
     .help = "The column to go by; absent: the target",
     .fallback = "null",
     .columns = kScalar | kCategory | kText},
    {.name = "folds",
     .type = ParameterType::kInteger,
     .help = "Divide the rows outside the test split into so many parts",
     .fallback = "null",
     .minimum = 2,
     .maximum = 1000},
    {.name = "fold",
     .type = ParameterType::kInteger,
     .help = "The part that validates, from 1; the others train",
     .fallback = "null",
     .minimum = 1,
     .maximum = 1000},
    kSeedParameter};

}  // namespace

const StepKind kSplitStep{"split", "Divide the rows into train, validation and test, or into folds", kParameters, Make};

}  // namespace atelier::data::steps
