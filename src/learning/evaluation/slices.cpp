#include "learning/evaluation/slices.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace atelier::learning {
namespace {

constexpr std::string_view kClass = "(class)";
constexpr std::string_view kMissing = "(missing)";
constexpr std::string_view kOthers = "(others)";
constexpr size_t kMostSlices = 50;
constexpr size_t kMostValues = 12;
constexpr size_t kRanges = 5;

std::string Show(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.6g", value);
  return buffer;
}

std::vector<Slice> ByCode(const std::vector<std::string>& labels, const std::vector<int32_t>& codes) {
  std::vector<Slice> slices(labels.size() + 1);
  for (size_t i = 0; i < labels.size(); ++i) {
    slices[i].value = labels[i];
  }
  slices.back().value = kMissing;
  for (size_t row = 0; row < codes.size(); ++row) {
    const size_t at = codes[row] < 0 ? labels.size() : static_cast<size_t>(codes[row]);
    slices[at].rows.push_back(static_cast<uint32_t>(row));
  }
  std::erase_if(slices, [](const Slice& slice) { return slice.rows.empty(); });
  std::ranges::stable_sort(slices, [](const Slice& a, const Slice& b) { return a.rows.size() > b.rows.size(); });
  if (slices.size() > kMostSlices) {
    Slice others{std::string(kOthers), {}};
    for (size_t i = kMostSlices - 1; i < slices.size(); ++i) {
      others.rows.insert(others.rows.end(), slices[i].rows.begin(), slices[i].rows.end());
    }
    std::ranges::sort(others.rows);
    slices.resize(kMostSlices - 1);
    slices.push_back(std::move(others));
  }
  return slices;
}

// The lower ends of the ranges, ascending; each range has rows.
std::vector<float> RangeStarts(const std::vector<float>& numbers) {
  std::vector<float> sorted;
  std::ranges::copy_if(numbers, std::back_inserter(sorted), [](float number) { return !std::isnan(number); });
  std::ranges::sort(sorted);
  std::set<float> starts;
  for (size_t i = 0; i < kRanges && !sorted.empty(); ++i) {
    starts.insert(sorted[i * sorted.size() / kRanges]);
  }
  return {starts.begin(), starts.end()};
}

std::vector<Slice> ByRange(const std::vector<float>& numbers) {
  const auto starts = RangeStarts(numbers);
  std::vector<Slice> slices;
  for (size_t i = 0; i < starts.size(); ++i) {
    const bool last = i + 1 == starts.size();
    slices.push_back({last ? "from " + Show(starts[i]) : "[" + Show(starts[i]) + ", " + Show(starts[i + 1]) + ")", {}});
  }
  slices.push_back({std::string(kMissing), {}});
  for (size_t row = 0; row < numbers.size(); ++row) {
    const auto above = std::ranges::upper_bound(starts, numbers[row]);
    const size_t at = std::isnan(numbers[row]) ? starts.size() : static_cast<size_t>(above - starts.begin()) - 1;
    slices[at].rows.push_back(static_cast<uint32_t>(row));
  }
  std::erase_if(slices, [](const Slice& slice) { return slice.rows.empty(); });
  return slices;
}

std::vector<Slice> ByNumber(const std::vector<float>& numbers) {
  std::map<float, Slice> values;
  Slice missing{std::string(kMissing), {}};
  for (size_t row = 0; row < numbers.size(); ++row) {
    if (std::isnan(numbers[row])) {
      missing.rows.push_back(static_cast<uint32_t>(row));
    } else {
      values[numbers[row]].rows.push_back(static_cast<uint32_t>(row));
    }
    if (values.size() > kMostValues) {
      return ByRange(numbers);
    }
  }
  std::vector<Slice> slices;
  for (auto& [value, slice] : values) {
    slices.push_back({Show(value), std::move(slice.rows)});
  }
  if (!missing.rows.empty()) {
    slices.push_back(std::move(missing));
  }
  return slices;
}

}  // namespace

std::vector<std::string> SliceNames(const Predictions& predictions) {
  std::vector<std::string> names;
  if (predictions.kind == AnswerKind::kLabel) {
    names.emplace_back(kClass);
  }
  for (const Key& key : predictions.keys) {
    names.push_back(key.name);
  }
  return names;
}

Result<std::vector<Slice>> SlicesBy(const Predictions& predictions, std::string_view name) {
  if (name == kClass && predictions.kind == AnswerKind::kLabel) {
    return ByCode(predictions.labels, predictions.truth);
  }
  if (const Key* key = predictions.Find(name); key != nullptr) {
    return key->is_number() ? ByNumber(key->numbers) : ByCode(key->labels, key->codes);
  }
  std::string known;
  for (const auto& one : SliceNames(predictions)) {
    known += (known.empty() ? "" : ", ") + one;
  }
  return InvalidArgument("the rows cannot be told apart by '" + std::string(name) + "'; there is " +
                             (known.empty() ? "nothing to do so" : known),
                         "slice");
}

}  // namespace atelier::learning
