// sample, balance: some of the rows, drawn without replacement; balance also repeats rows.
#include <algorithm>
#include <cmath>
#include <limits>

#include "data/steps/kinds.h"
#include "data/steps/rank_cuts.h"
#include "data/steps/values.h"

namespace atelier::data::steps {
namespace {

using Cutter = RankCutter<1>;

std::filesystem::path CutFile(const FitContext& context) { return context.folder / (context.prefix + ".cuts"); }

class SampleFitter final : public Fitter {
 public:
  SampleFitter(std::function<int64_t(int64_t)> wanted, uint64_t seed, const FitContext& context)
      : wanted_(std::move(wanted)), seed_(seed), cutter_(CutFile(context), context.memory_bytes) {}

  Status Observe(const Batch& batch) override {
    for (size_t row = 0; row < batch.rows(); ++row) {
      ATELIER_TRY(cutter_.Add(0, {RowHash(seed_, batch.first + static_cast<int64_t>(row))}));
    }
    return {};
  }

  Result<json::object> Finish() override {
    ATELIER_ASSIGN(cuts,
                   cutter_.Cut([&](int32_t /*stratum*/, int64_t rows) { return std::vector<int64_t>{wanted_(rows)}; }));
    return json::object{{"cuts", cuts.ToJson()}};
  }

 private:
  std::function<int64_t(int64_t)> wanted_;
  uint64_t seed_;
  Cutter cutter_;
};

class SampleStep final : public Step {
 public:
  SampleStep(std::function<int64_t(int64_t)> wanted, uint64_t seed)
      : Step(kChangesRows | kFits), wanted_(std::move(wanted)), seed_(seed) {}

  Result<std::unique_ptr<Fitter>> Fit(const FitContext& context) override {
    return std::unique_ptr<Fitter>(std::make_unique<SampleFitter>(wanted_, seed_, context));
  }
  Status Load(const json::object& state, const std::filesystem::path& /*folder*/, Schema& /*schema*/) override {
    ATELIER_ASSIGN(cuts, RankCuts::FromJson(state.at("cuts")));
    cuts_ = std::move(cuts);
    return {};
  }
  Status Apply(Batch& batch) override {
    std::vector<uint8_t> keep(batch.rows());
    for (size_t row = 0; row < keep.size(); ++row) {
      keep[row] = cuts_.Section(0, {RowHash(seed_, batch.first + static_cast<int64_t>(row))}) == 0 ? 1 : 0;
    }
    batch.Keep(keep);
    return {};
  }

 private:
  std::function<int64_t(int64_t)> wanted_;
  uint64_t seed_;
  RankCuts cuts_;
};

Result<std::unique_ptr<Step>> MakeSample(const Arguments& arguments, Schema& /*schema*/) {
  if (arguments.Has("fraction") == arguments.Has("count")) {
    return arguments.Wrong("fraction", "'sample' takes either 'fraction' or 'count'");
  }
  std::function<int64_t(int64_t)> wanted;
  if (arguments.Has("count")) {
    wanted = [count = arguments.Integer("count")](int64_t /*rows*/) { return count; };
  } else {
    wanted = [fraction = arguments.Number("fraction")](int64_t rows) {
      return static_cast<int64_t>(std::floor(static_cast<double>(rows) * fraction + 0.5));
    };
  }
  return std::unique_ptr<Step>(std::make_unique<SampleStep>(std::move(wanted), arguments.seed()));
}

constexpr int64_t kMaxCopies = 1000;

class BalanceFitter final : public Fitter {
 public:
  BalanceFitter(size_t column, bool over, uint64_t seed, const FitContext& context)
      : column_(column), over_(over), seed_(seed), cutter_(CutFile(context), context.memory_bytes) {}

  Status Observe(const Batch& batch) override {
    const auto& codes = batch.columns[column_].codes;
    for (size_t row = 0; row < codes.size(); ++row) {
      if (codes[row] >= 0 && batch.splits[row] == static_cast<uint8_t>(Split::kTrain)) {
        ATELIER_TRY(cutter_.Add(codes[row], {RowHash(seed_, batch.first + static_cast<int64_t>(row))}));
      }
    }
    return {};
  }

  Result<json::object> Finish() override {
    int64_t wanted = over_ ? 0 : std::numeric_limits<int64_t>::max();
    for (const auto& [code, rows] : cutter_.counts()) {
      wanted = over_ ? std::max(wanted, rows) : std::min(wanted, rows);
    }
    json::array copies;
    for (const auto& [code, rows] : cutter_.counts()) {
      if (wanted / rows > kMaxCopies) {
        return InvalidArgument("one label has " + std::to_string(rows) + " training rows and another " +
                                   std::to_string(wanted) + ": more than 1000 times as many; take method: under",
                               "steps");
      }
      copies.push_back(json::array{code, wanted / rows});
    }
    ATELIER_ASSIGN(cuts,
                   cutter_.Cut([&](int32_t /*code*/, int64_t rows) { return std::vector<int64_t>{wanted % rows}; }));
    return json::object{{"cuts", cuts.ToJson()}, {"copies", std::move(copies)}};
  }

 private:
  size_t column_;
  bool over_;
  uint64_t seed_;
  Cutter cutter_;
};

class BalanceStep final : public Step {
 public:
  BalanceStep(size_t column, bool over, uint64_t seed)
      : Step(kChangesRows | kReadsSplit | kFits), column_(column), over_(over), seed_(seed) {}

  std::vector<size_t> AlsoTouches() const override { return {column_}; }
  size_t MostCopies() const override {
    int64_t most = 0;
    for (const auto& [code, copies] : copies_) {
      most = std::max(most, copies);
    }
    return static_cast<size_t>(most) + 1;
  }

  Result<std::unique_ptr<Fitter>> Fit(const FitContext& context) override {
    return std::unique_ptr<Fitter>(std::make_unique<BalanceFitter>(column_, over_, seed_, context));
  }

  Status Load(const json::object& state, const std::filesystem::path& /*folder*/, Schema& /*schema*/) override {
    ATELIER_ASSIGN(cuts, RankCuts::FromJson(state.at("cuts")));
    cuts_ = std::move(cuts);
    for (const auto& item : state.at("copies").as_array()) {
      copies_[static_cast<int32_t>(item.as_array().at(0).as_int64())] = item.as_array().at(1).as_int64();
    }
    return {};
  }

  Status Apply(Batch& batch) override {
    const auto& codes = batch.columns[column_].codes;
    std::vector<uint32_t> rows;
    for (size_t row = 0; row < codes.size(); ++row) {
      int64_t copies = 1;
      if (codes[row] >= 0 && batch.splits[row] == static_cast<uint8_t>(Split::kTrain)) {
        const RankKey key{RowHash(seed_, batch.first + static_cast<int64_t>(row))};
        copies = copies_[codes[row]] + (cuts_.Section(codes[row], key) == 0 ? 1 : 0);
      }
      rows.insert(rows.end(), static_cast<size_t>(copies), static_cast<uint32_t>(row));
    }
    batch.Take(rows);
    return {};
  }

 private:
  size_t column_;
  bool over_;
  uint64_t seed_;
  RankCuts cuts_;
  std::map<int32_t, int64_t> copies_;
};

Result<std::unique_ptr<Step>> MakeBalance(const Arguments& arguments, Schema& schema) {
  size_t column = 0;
  if (arguments.Has("column")) {
    column = arguments.Column("column");
  } else {
    const auto target = schema.Find(schema.target);
    if (!target || schema.columns[*target].type != ColumnType::kCategory) {
      return arguments.Wrong("column", "'column' is missing, and the target is no category");
    }
    column = *target;
  }
  return std::unique_ptr<Step>(
      std::make_unique<BalanceStep>(column, arguments.Text("method") == "over", arguments.seed()));
}

constexpr Parameter kSampleParameters[] = {{.name = "fraction",
                                            .type = ParameterType::kNumber,
                                            .help = "Share of the rows to keep",
                                            .fallback = "null",
                                            .minimum = 0,
                                            .maximum = 1},
                                           {.name = "count",
                                            .type = ParameterType::kInteger,
                                            .help = "Rows to keep",
                                            .fallback = "null",
                                            .minimum = 1,
                                            .maximum = 1e12},
                                           kSeedParameter};
constexpr Parameter kBalanceParameters[] = {
    {.name = "column",
     .type = ParameterType::kColumn,
     .help = "The category whose labels are to be equally frequent; absent: the target",
     .fallback = "null",
     .columns = kCategory},
    {.name = "method",
     .type = ParameterType::kChoice,
     .help = "under: drop rows of frequent labels; over: repeat rows of rare ones",
     .fallback = "\"under\"",
     .choices = "under|over"},
    kSeedParameter};

}  // namespace

const StepKind kSampleStep{"sample", "Keep a random part of the rows", kSampleParameters, MakeSample};
const StepKind kBalanceStep{"balance", "Make labels equally frequent in the training split", kBalanceParameters,
                            MakeBalance};

}  // namespace atelier::data::steps
