#include "data/steps/summary.h"

#include <array>
#include <cmath>

#include "data/statistics.h"
#include "data/steps/spill.h"
#include "data/steps/values.h"

namespace atelier::data::steps {
namespace {

constexpr std::array<double, 3> kQuantiles{0.25, 0.5, 0.75};

// A value of all the sorted ones at a fractional rank.
struct Rank {
  explicit Rank(double quantile, uint64_t count) {
    const double exact = quantile * static_cast<double>(count - 1);
    low = static_cast<uint64_t>(exact);
    part = exact - static_cast<double>(low);
  }
  void See(uint64_t rank, double value) {
    if (rank == low) {
      result = value;
    } else if (rank == low + 1) {
      result += (value - result) * part;
    }
  }
  uint64_t low;
  double part;
  double result = 0;
};

class SummaryFitter final : public Fitter {
 public:
  SummaryFitter(SummaryRequest request, const FitContext& context)
      : request_(std::move(request)), moments_(request_.columns.size()) {
    for (size_t i = 0; request_.quantiles && i < request_.columns.size(); ++i) {
      sorted_.push_back(std::make_unique<Spill<float>>(context.folder / (context.prefix + ".sort" + std::to_string(i)),
                                                       context.memory_bytes / request_.columns.size()));
    }
  }

  Status Observe(const Batch& batch) override {
    for (size_t i = 0; i < request_.columns.size(); ++i) {
      const std::vector<float>& numbers = batch.columns[request_.columns[i]].numbers;
      for (size_t row = 0; row < numbers.size(); ++row) {
        const bool counts = !request_.train_only || batch.splits[row] == static_cast<uint8_t>(Split::kTrain);
        if (!counts || std::isnan(numbers[row])) {
          continue;
        }
        moments_[i].Add(numbers[row]);
        if (!sorted_.empty()) {
          ATELIER_TRY(sorted_[i]->Add(numbers[row]));
        }
      }
    }
    return {};
  }

  Result<json::object> Finish() override {
    json::array columns;
    for (size_t i = 0; i < moments_.size(); ++i) {
      const Moments& moments = moments_[i];
      json::object item{{"count", moments.count()},
                        {"minimum", Exact(moments.minimum())},
                        {"maximum", Exact(moments.maximum())},
                        {"mean", Exact(moments.mean())},
                        {"standard_deviation", Exact(moments.standard_deviation())}};
      if (!sorted_.empty() && moments.count() > 0) {
        ATELIER_TRY(AddQuantiles(*sorted_[i], item));
      }
      columns.push_back(std::move(item));
    }
    return json::object{{"columns", std::move(columns)}};
  }

 private:
  static Status AddQuantiles(Spill<float>& sorted, json::object& item) {
    std::array<Rank, 3> ranks{Rank(kQuantiles[0], sorted.size()), Rank(kQuantiles[1], sorted.size()),
                              Rank(kQuantiles[2], sorted.size())};
    uint64_t rank = 0;
    uint64_t run = 0;
    uint64_t longest = 0;
    float previous = 0;
    float mode = 0;
    ATELIER_TRY(sorted.ForEach([&](float value) -> Status {
      for (Rank& wanted : ranks) {
        wanted.See(rank, value);
      }
      run = rank > 0 && value == previous ? run + 1 : 1;
      if (run > longest) {
        longest = run;
        mode = value;
      }
      previous = value;
      ++rank;
      return {};
    }));
    item["lower_quartile"] = Exact(ranks[0].result);
    item["median"] = Exact(ranks[1].result);
    item["upper_quartile"] = Exact(ranks[2].result);
    item["mode"] = Exact(mode);
    return {};
  }

  SummaryRequest request_;
  std::vector<Moments> moments_;
  std::vector<std::unique_ptr<Spill<float>>> sorted_;
};

}  // namespace

std::unique_ptr<Fitter> MakeSummaryFitter(SummaryRequest request, const FitContext& context) {
  return std::make_unique<SummaryFitter>(std::move(request), context);
}

Result<std::vector<Summary>> SummariesFromJson(const json::object& state, size_t columns) {
  const json::value* list = state.if_contains("columns");
  if (list == nullptr || !list->is_array() || list->get_array().size() != columns) {
    return DataLoss("the statistics of a step are damaged");
  }
  std::vector<Summary> out;
  for (const auto& item : list->get_array()) {
    if (!item.is_object()) {
      return DataLoss("the statistics of a step are damaged");
    }
    const json::object& object = item.get_object();
    out.push_back({.count = GetInt(object, "count"),
                   .minimum = FromExact(object, "minimum"),
                   .maximum = FromExact(object, "maximum"),
                   .mean = FromExact(object, "mean"),
                   .standard_deviation = FromExact(object, "standard_deviation"),
                   .lower_quartile = FromExact(object, "lower_quartile"),
                   .median = FromExact(object, "median"),
                   .upper_quartile = FromExact(object, "upper_quartile"),
                   .mode = FromExact(object, "mode")});
  }
  return out;
}

}  // namespace atelier::data::steps
