#include "learning/evaluation/errors.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "learning/evaluation/figures.h"
#include "learning/evaluation/slices.h"

namespace atelier::learning {
namespace {

namespace json = boost::json;

constexpr size_t kMostConfusions = 20;
constexpr size_t kMostSlices = 20;
constexpr size_t kLeastRows = 20;
constexpr double kClear = 0.05;

double Confidence(const Predictions& p, size_t row) {
  return p.probabilities.empty() ? 0 : p.probabilities[row * p.labels.size() + static_cast<size_t>(p.predicted[row])];
}

json::value KeyValue(const Key& key, size_t row) {
  if (key.is_number()) {
    return std::isnan(key.numbers[row]) ? json::value(nullptr) : json::value(key.numbers[row]);
  }
  const int32_t code = key.codes[row];
  return code < 0 ? json::value(nullptr) : json::value(key.labels[static_cast<size_t>(code)]);
}

json::object RowObject(const Predictions& p, const RowScores& scores, size_t row) {
  json::object object{{"row", p.rows[row]}};
  switch (p.kind) {
    case AnswerKind::kLabel:
      object["truth"] = p.labels[static_cast<size_t>(p.truth[row])];
      object["predicted"] = p.labels[static_cast<size_t>(p.predicted[row])];
      break;
    case AnswerKind::kNumber:
      object["truth"] = p.true_values[row];
      object["predicted"] = p.predicted_values[row];
      break;
    default:
      object["truth"] = p.true_texts[row];
      object["predicted"] = p.predicted_texts[row];
  }
  if (!p.probabilities.empty()) {
    object["confidence"] = Confidence(p, row);
  }
  if (!p.losses.empty()) {
    object["loss"] = p.losses[row];
  }
  object["score"] = scores.values[row];
  if (!p.inputs.empty()) {
    object["input"] = p.inputs[row];
  }
  json::object keys;
  for (const Key& key : p.keys) {
    keys[key.name] = KeyValue(key, row);
  }
  object["keys"] = std::move(keys);
  return object;
}

json::array Worst(const Predictions& p, const RowScores& scores, size_t limit) {
  const double sign = scores.lower_is_better ? 1 : -1;
  const double right = scores.lower_is_better ? 0 : *std::ranges::max_element(scores.values);
  auto rows = AllRows(p.size());
  std::erase_if(rows, [&](uint32_t row) { return scores.values[row] == right; });
  const size_t count = std::min(limit, rows.size());
  const auto worse = [&](uint32_t a, uint32_t b) {
    if (scores.values[a] != scores.values[b]) {
      return sign * scores.values[a] > sign * scores.values[b];
    }
    const double surer = Confidence(p, a) - Confidence(p, b);
    return surer != 0 ? surer > 0 : a < b;
  };
  std::ranges::partial_sort(rows, rows.begin() + static_cast<std::ptrdiff_t>(count), worse);
  json::array worst;
  for (size_t i = 0; i < count; ++i) {
    worst.push_back(RowObject(p, scores, rows[i]));
  }
  return worst;
}

json::array Confusions(const Predictions& p) {
  std::map<std::pair<int32_t, int32_t>, int64_t> counts;
  for (size_t i = 0; i < p.truth.size(); ++i) {
    if (p.truth[i] != p.predicted[i]) {
      ++counts[{p.truth[i], p.predicted[i]}];
    }
  }
  std::vector<std::pair<int64_t, std::pair<int32_t, int32_t>>> sorted;
  for (const auto& [pair, count] : counts) {
    sorted.emplace_back(-count, pair);
  }
  std::ranges::sort(sorted);
  json::array confusions;
  for (size_t i = 0; i < std::min(kMostConfusions, sorted.size()); ++i) {
    const auto& [truth, predicted] = sorted[i].second;
    confusions.push_back({{"truth", p.labels[static_cast<size_t>(truth)]},
                          {"predicted", p.labels[static_cast<size_t>(predicted)]},
                          {"rows", -sorted[i].first}});
  }
  return confusions;
}

struct Moments {
  double rows = 0, sum = 0, squares = 0;

  void Add(double value) {
    ++rows;
    sum += value;
    squares += value * value;
  }
  double mean() const { return rows > 0 ? sum / rows : 0; }
  // Of the mean.
  double variance() const { return rows > 1 ? std::max(squares - sum * sum / rows, 0.0) / (rows - 1) / rows : 0; }
};

struct Compared {
  Moments inside;
  double difference = 0;
  double p = 1;
};

Compared Compare(const std::vector<double>& values, const std::vector<uint32_t>& rows, const Moments& all) {
  Compared compared;
  for (const uint32_t row : rows) {
    compared.inside.Add(values[row]);
  }
  const Moments rest{all.rows - compared.inside.rows, all.sum - compared.inside.sum,
                     all.squares - compared.inside.squares};
  if (rest.rows < 1) {
    return compared;
  }
  compared.difference = compared.inside.mean() - rest.mean();
  const double spread = std::sqrt(compared.inside.variance() + rest.variance());
  if (spread > 0) {
    compared.p = std::erfc(std::abs(compared.difference) / spread / std::sqrt(2.0));
  } else {
    compared.p = compared.difference == 0 ? 1 : 0;
  }
  return compared;
}

struct SliceRow {
  double p = 1;
  bool worse = false;
  size_t rows = 0;
  json::object object;
};

Result<std::vector<SliceRow>> SliceRows(const Predictions& p, const RowScores& scores, const std::string& name) {
  ATELIER_ASSIGN(slices, SlicesBy(p, name));
  Moments all;
  for (const double value : scores.values) {
    all.Add(value);
  }
  std::vector<SliceRow> found;
  for (const Slice& slice : slices) {
    const Compared compared = Compare(scores.values, slice.rows, all);
    found.push_back({compared.p,
                     scores.lower_is_better ? compared.difference > 0 : compared.difference < 0,
                     slice.rows.size(),
                     {{"slice", name},
                      {"value", slice.value},
                      {"rows", static_cast<int64_t>(slice.rows.size())},
                      {"score", compared.inside.mean()},
                      {"difference", compared.difference},
                      {"p", compared.p}}});
  }
  return found;
}

Result<json::array> SliceTable(const Predictions& p, const RowScores& scores, const std::string& name) {
  json::array table;
  if (!name.empty()) {
    ATELIER_ASSIGN(found, SliceRows(p, scores, name));
    for (auto& slice : found) {
      table.push_back(std::move(slice.object));
    }
    return table;
  }
  std::vector<SliceRow> weak;
  for (const auto& one : SliceNames(p)) {
    ATELIER_ASSIGN(found, SliceRows(p, scores, one));
    for (auto& slice : found) {
      if (slice.worse && slice.p < kClear && slice.rows >= kLeastRows) {
        weak.push_back(std::move(slice));
      }
    }
  }
  std::ranges::stable_sort(weak, [](const SliceRow& a, const SliceRow& b) { return a.p < b.p; });
  for (size_t i = 0; i < std::min(kMostSlices, weak.size()); ++i) {
    table.push_back(std::move(weak[i].object));
  }
  return table;
}

}  // namespace

Result<json::object> ErrorReport(const Predictions& predictions, const ErrorQuery& query) {
  if (predictions.size() == 0) {
    return InvalidArgument("there are no predictions to look at", "id");
  }
  const RowScores scores = ScoreRows(predictions);
  ATELIER_ASSIGN(slices, SliceTable(predictions, scores, query.slice));
  Moments all;
  for (const double value : scores.values) {
    all.Add(value);
  }
  json::object report{{"metric", scores.name},
                      {"overall", all.mean()},
                      {"rows", static_cast<int64_t>(predictions.size())},
                      {"worst", Worst(predictions, scores, query.limit)}};
  if (predictions.kind == AnswerKind::kLabel) {
    report["confusions"] = Confusions(predictions);
  }
  report["slice_names"] = json::value_from(SliceNames(predictions));
  report["slices"] = std::move(slices);
  return report;
}

}  // namespace atelier::learning
