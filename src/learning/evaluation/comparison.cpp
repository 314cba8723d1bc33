#include "learning/evaluation/comparison.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <unordered_map>

#include "learning/evaluation/figures.h"
#include "learning/metrics/metrics.h"

namespace atelier::learning {
namespace {

namespace json = boost::json;

constexpr double kClear = 0.05;
constexpr double kMostWork = 2e7;  // rows drawn for one figure

template <class T>
void Append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

// Codes of `labels` as ones of `known`, which learns the new labels.
std::vector<int32_t> Recode(const std::vector<int32_t>& codes, const std::vector<std::string>& labels,
                            std::vector<std::string>& known) {
  std::map<std::string, int32_t> places;
  for (size_t i = 0; i < known.size(); ++i) {
    places.emplace(known[i], static_cast<int32_t>(i));
  }
  std::vector<int32_t> translation;
  for (const auto& label : labels) {
    const auto [place, added] = places.emplace(label, static_cast<int32_t>(known.size()));
    if (added) {
      known.push_back(label);
    }
    translation.push_back(place->second);
  }
  std::vector<int32_t> recoded;
  for (const int32_t code : codes) {
    recoded.push_back(translation[static_cast<size_t>(code)]);
  }
  return recoded;
}

// The answers of the rows that both have: first all of a, then all of b, in the same order.
struct Joined {
  Predictions both;
  size_t rows = 0;
  size_t only_a = 0;
  size_t only_b = 0;
};

bool SameTruth(const Predictions& both, size_t rows) {
  for (size_t i = 0; i < rows; ++i) {
    const size_t j = i + rows;
    const bool same = both.kind == AnswerKind::kLabel    ? both.truth[i] == both.truth[j]
                      : both.kind == AnswerKind::kNumber ? both.true_values[i] == both.true_values[j]
                                                         : both.true_texts[i] == both.true_texts[j];
    if (!same) {
      return false;
    }
  }
  return true;
}

Result<Joined> Join(const Predictions& a, const Predictions& b) {
  if (a.kind != b.kind) {
    return InvalidArgument("the one evaluation has answers of the kind " + std::string(Name(a.kind)) +
                               ", the other of the kind " + std::string(Name(b.kind)),
                           "b");
  }
  std::unordered_map<int64_t, std::deque<uint32_t>> places;  // several of a row that was forecast in steps
  for (size_t i = 0; i < b.size(); ++i) {
    places[b.rows[i]].push_back(static_cast<uint32_t>(i));
  }
  std::vector<uint32_t> from_a;
  std::vector<uint32_t> from_b;
  for (size_t i = 0; i < a.size(); ++i) {
    if (const auto found = places.find(a.rows[i]); found != places.end() && !found->second.empty()) {
      from_a.push_back(static_cast<uint32_t>(i));
      from_b.push_back(found->second.front());
      found->second.pop_front();
    }
  }
  if (from_a.empty()) {
    return InvalidArgument("the evaluations have no row in common", "b");
  }
  const Predictions second = Select(b, from_b);
  Joined joined{Select(a, from_a), from_a.size(), a.size() - from_a.size(), b.size() - from_b.size()};
  Predictions& both = joined.both;
  Append(both.rows, second.rows);
  Append(both.truth, Recode(second.truth, second.labels, both.labels));
  Append(both.predicted, Recode(second.predicted, second.labels, both.labels));
  Append(both.true_values, second.true_values);
  Append(both.predicted_values, second.predicted_values);
  Append(both.true_texts, second.true_texts);
  Append(both.predicted_texts, second.predicted_texts);
  if (!SameTruth(both, joined.rows)) {
    return InvalidArgument("the evaluations disagree about what is right: they are of different data", "b");
  }
  return joined;
}

// JSON has no NaN.
json::value Finite(double value) { return std::isfinite(value) ? json::value(value) : json::value(nullptr); }

json::object CompareFigure(const Figure& figure, size_t rows, const ResamplingOptions& options) {
  std::vector<uint32_t> first(rows);
  std::vector<uint32_t> second(rows);
  const auto count = static_cast<uint32_t>(rows);
  const auto difference = [&](std::span<const uint8_t> swapped) {
    for (uint32_t i = 0; i < count; ++i) {
      first[i] = swapped[i] != 0 ? i + count : i;
      second[i] = swapped[i] != 0 ? i : i + count;
    }
    return figure.of(second) - figure.of(first);
  };
  const double p = PairedRandomisation(rows, difference, options);
  const Interval interval = Bootstrap(
      rows,
      [&](std::span<const uint32_t> drawn) {
        std::ranges::transform(drawn, second.begin(), [count](uint32_t row) { return row + count; });
        return figure.of(second) - figure.of(drawn);
      },
      options);
  const auto all = AllRows(2 * rows);
  const double a = figure.of(std::span(all).first(rows));
  const double b = figure.of(std::span(all).last(rows));
  const bool clear = p < kClear && a != b;
  const bool b_is_better = (b > a) != LowerIsBetter(figure.name);
  return {{"metric", figure.name},
          {"a", Finite(a)},
          {"b", Finite(b)},
          {"difference", Finite(b - a)},
          {"interval", {Finite(interval.low), Finite(interval.high)}},
          {"p", p},
          {"better", clear ? json::value(b_is_better ? "b" : "a") : json::value(nullptr)}};
}

void AddLabelCounts(json::object& report, const Predictions& both, size_t rows) {
  int64_t fixed = 0;
  int64_t broken = 0;
  for (size_t i = 0; i < rows; ++i) {
    const bool a = both.truth[i] == both.predicted[i];
    const bool b = both.truth[i + rows] == both.predicted[i + rows];
    fixed += b && !a ? 1 : 0;
    broken += a && !b ? 1 : 0;
  }
  const McNemarResult test = McNemar(broken, fixed);
  report["fixed"] = fixed;
  report["broken"] = broken;
  report["mcnemar"] = {{"p", test.p}, {"exact", test.exact}};
}

}  // namespace

Result<json::object> Compare(const Predictions& a, const Predictions& b, const ResamplingOptions& options) {
  ATELIER_ASSIGN(joined, Join(a, b));
  ResamplingOptions limited = options;
  limited.resamples =
      std::min(options.resamples, std::max(200, static_cast<int>(kMostWork / static_cast<double>(joined.rows))));
  json::array figures;
  for (const Figure& figure : Figures(joined.both)) {
    figures.push_back(CompareFigure(figure, joined.rows, limited));
  }
  json::object report{{"rows", static_cast<int64_t>(joined.rows)},
                      {"only_a", static_cast<int64_t>(joined.only_a)},
                      {"only_b", static_cast<int64_t>(joined.only_b)},
                      {"figures", std::move(figures)}};
  if (joined.both.kind == AnswerKind::kLabel) {
    AddLabelCounts(report, joined.both, joined.rows);
  }
  return report;
}

}  // namespace atelier::learning
