#include "learning/evaluation/predictions.h"

#include <algorithm>
#include <array>
#include <utility>

namespace atelier::learning {
namespace {

constexpr std::array<std::string_view, 4> kNames{"label", "number", "text", "tags"};

Status Fit(bool good, std::string_view what) {
  return good ? Status() : Status(InvalidArgument("the predictions do not fit together: " + std::string(what)));
}

bool InRange(const std::vector<int32_t>& codes, int32_t least, size_t count) {
  return std::ranges::all_of(codes, [&](int32_t code) { return code >= least && code < static_cast<int64_t>(count); });
}

template <class T>
std::vector<T> Pick(const std::vector<T>& values, std::span<const uint32_t> places, size_t width = 1) {
  std::vector<T> picked;
  if (values.empty()) {
    return picked;
  }
  picked.reserve(places.size() * width);
  for (const uint32_t place : places) {
    for (size_t i = 0; i < width; ++i) {
      picked.push_back(values[place * width + i]);
    }
  }
  return picked;
}

}  // namespace

std::string_view Name(AnswerKind kind) { return kNames.at(static_cast<size_t>(kind)); }

const Key* Predictions::Find(std::string_view key) const {
  const auto found = std::ranges::find(keys, key, &Key::name);
  return found == keys.end() ? nullptr : &*found;
}

Status Check(const Predictions& p) {
  const size_t rows = p.size();
  switch (p.kind) {
    case AnswerKind::kLabel:
      ATELIER_TRY(Fit(p.truth.size() == rows && p.predicted.size() == rows, "labels"));
      ATELIER_TRY(Fit(InRange(p.truth, 0, p.labels.size()) && InRange(p.predicted, 0, p.labels.size()), "classes"));
      ATELIER_TRY(Fit(p.probabilities.empty() || p.probabilities.size() == rows * p.labels.size(), "probabilities"));
      break;
    case AnswerKind::kNumber:
      ATELIER_TRY(Fit(p.true_values.size() == rows && p.predicted_values.size() == rows, "values"));
      break;
    case AnswerKind::kText:
    case AnswerKind::kTags:
      ATELIER_TRY(Fit(p.true_texts.size() == rows && p.predicted_texts.size() == rows, "texts"));
      break;
  }
  for (const Key& key : p.keys) {
    const bool fits = key.is_number() ? key.numbers.size() == rows
                                      : key.codes.size() == rows && InRange(key.codes, -1, key.labels.size());
    ATELIER_TRY(Fit(fits, key.name));
  }
  ATELIER_TRY(Fit(p.losses.empty() || p.losses.size() == rows, "losses"));
  return Fit(p.inputs.empty() || p.inputs.size() == rows, "inputs");
}

Predictions Select(const Predictions& p, std::span<const uint32_t> places) {
  Predictions out;
  out.kind = p.kind;
  out.rows = Pick(p.rows, places);
  out.labels = p.labels;
  out.truth = Pick(p.truth, places);
  out.predicted = Pick(p.predicted, places);
  out.probabilities = Pick(p.probabilities, places, p.labels.size());
  out.true_values = Pick(p.true_values, places);
  out.predicted_values = Pick(p.predicted_values, places);
  out.true_texts = Pick(p.true_texts, places);
  out.predicted_texts = Pick(p.predicted_texts, places);
  out.losses = Pick(p.losses, places);
  for (const Key& key : p.keys) {
    out.keys.push_back({key.name, key.labels, Pick(key.codes, places), Pick(key.numbers, places)});
  }
  out.inputs = Pick(p.inputs, places);
  return out;
}

std::vector<std::string> SplitTags(std::string_view text) {
  std::vector<std::string> tags;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find(' ', start), text.size());
    if (end > start) {
      tags.emplace_back(text.substr(start, end - start));
    }
    start = end + 1;
  }
  return tags;
}

}  // namespace atelier::learning
