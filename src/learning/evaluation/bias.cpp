#include "learning/evaluation/bias.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "learning/evaluation/figures.h"
#include "learning/evaluation/slices.h"

namespace atelier::learning {
namespace {

namespace json = boost::json;

constexpr size_t kMostOutcomes = 20;

using Share = std::optional<double>;  // nothing where it is a share of nothing

Share ShareOf(double part, double whole) { return whole > 0 ? Share(part / whole) : std::nullopt; }
json::value ToJson(const Share& share) { return share.has_value() ? json::value(*share) : json::value(nullptr); }

struct Outcome {
  Share base, selected, true_positive, false_positive;
};

Outcome OutcomeOf(const Predictions& p, const std::vector<uint32_t>& rows, int32_t positive) {
  double selected = 0, truly = 0, hits = 0;
  for (const uint32_t row : rows) {
    const bool given = p.predicted[row] == positive;
    const bool wanted = p.truth[row] == positive;
    selected += given ? 1 : 0;
    truly += wanted ? 1 : 0;
    hits += given && wanted ? 1 : 0;
  }
  const auto all = static_cast<double>(rows.size());
  return {ShareOf(truly, all), ShareOf(selected, all), ShareOf(hits, truly), ShareOf(selected - hits, all - truly)};
}

double MeanOf(const std::vector<double>& values, const std::vector<uint32_t>& rows) {
  double sum = 0;
  for (const uint32_t row : rows) {
    sum += values[row];
  }
  return sum / static_cast<double>(rows.size());
}

struct Gap {
  double value = 0;
  std::string lowest;
  std::string highest;
};

// Between the groups of which the value is defined; nothing where there are fewer than two.
std::optional<Gap> GapOf(const std::vector<Slice>& groups, const std::vector<Share>& values) {
  std::optional<size_t> low;
  std::optional<size_t> high;
  size_t defined = 0;
  for (size_t i = 0; i < groups.size(); ++i) {
    if (values[i].has_value()) {
      ++defined;
      low = !low.has_value() || *values[i] < *values[*low] ? i : low;
      high = !high.has_value() || *values[i] > *values[*high] ? i : high;
    }
  }
  if (defined < 2) {
    return std::nullopt;
  }
  return Gap{*values[*high] - *values[*low], groups[*low].value, groups[*high].value};
}

// The gaps found so far; of one name the largest stays.
class Gaps {
 public:
  void Add(const std::string& name, const std::optional<Gap>& gap, const std::string& positive) {
    if (!gap.has_value()) {
      return;
    }
    json::object object{{"name", name}, {"value", gap->value}, {"lowest", gap->lowest}, {"highest", gap->highest}};
    if (!positive.empty()) {
      object["positive"] = positive;
    }
    for (auto& known : list_) {
      auto& one = known.as_object();
      if (one.at("name").as_string() == name) {
        if (gap->value > one.at("value").as_double()) {
          one = std::move(object);
        }
        return;
      }
    }
    list_.push_back(std::move(object));
  }
  json::array Take() { return std::move(list_); }

 private:
  json::array list_;
};

template <class Value>
std::optional<Gap> GapBy(const std::vector<Slice>& groups, const Value& value) {
  std::vector<Share> values;
  for (const Slice& group : groups) {
    values.push_back(value(group));
  }
  return GapOf(groups, values);
}

void AddOutcomeGaps(const Predictions& p, const std::vector<Slice>& groups, int32_t positive, Gaps& gaps) {
  const std::string& name = p.labels[static_cast<size_t>(positive)];
  const auto gap = [&](Share Outcome::*member) {
    return GapBy(groups, [&](const Slice& group) { return OutcomeOf(p, group.rows, positive).*member; });
  };
  const auto opportunity = gap(&Outcome::true_positive);
  const auto alarms = gap(&Outcome::false_positive);
  const bool alarms_wider = alarms.has_value() && (!opportunity.has_value() || alarms->value > opportunity->value);
  gaps.Add("demographic_parity", gap(&Outcome::selected), name);
  gaps.Add("equal_opportunity", opportunity, name);
  gaps.Add("equalized_odds", alarms_wider ? alarms : opportunity, name);
}

// The classes to look at.
Result<std::vector<int32_t>> Positives(const Predictions& p, const std::string& positive) {
  if (!positive.empty()) {
    const auto found = std::ranges::find(p.labels, positive);
    if (found == p.labels.end()) {
      return InvalidArgument("there is no class '" + positive + "'", "positive");
    }
    return std::vector<int32_t>{static_cast<int32_t>(found - p.labels.begin())};
  }
  std::vector<int32_t> all;
  for (size_t i = p.labels.size() == 2 ? 1 : 0; i < p.labels.size(); ++i) {
    all.push_back(static_cast<int32_t>(i));
  }
  return all;
}

double MeanError(const Predictions& p, const std::vector<uint32_t>& rows) {
  double sum = 0;
  for (const uint32_t row : rows) {
    sum += p.predicted_values[row] - p.true_values[row];
  }
  return sum / static_cast<double>(rows.size());
}

json::object GroupObject(const Predictions& p, const Slice& group, const std::vector<int32_t>& positives) {
  json::object object{{"value", group.value}, {"rows", static_cast<int64_t>(group.rows.size())}};
  if (p.kind == AnswerKind::kNumber) {
    object["mean_error"] = MeanError(p, group.rows);
  }
  json::array outcomes;
  for (size_t i = 0; i < std::min(positives.size(), kMostOutcomes); ++i) {
    const Outcome outcome = OutcomeOf(p, group.rows, positives[i]);
    outcomes.push_back({{"positive", p.labels[static_cast<size_t>(positives[i])]},
                        {"base_rate", ToJson(outcome.base)},
                        {"selection_rate", ToJson(outcome.selected)},
                        {"true_positive_rate", ToJson(outcome.true_positive)},
                        {"false_positive_rate", ToJson(outcome.false_positive)}});
  }
  if (!outcomes.empty()) {
    object["outcomes"] = std::move(outcomes);
  }
  return object;
}

}  // namespace

Result<json::object> BiasReport(const Predictions& p, const BiasQuery& query) {
  auto slices = SlicesBy(p, query.group);
  if (!slices.ok()) {
    Error error = std::move(slices).error();
    error.param = "group";
    return error;
  }
  std::vector<int32_t> positives;
  if (p.kind == AnswerKind::kLabel) {
    ATELIER_ASSIGN(found, Positives(p, query.positive));
    positives = std::move(found);
  } else if (!query.positive.empty()) {
    return InvalidArgument("'positive' is for models that predict a class", "positive");
  }
  const RowScores scores = ScoreRows(p);
  json::array groups;
  std::vector<Slice> counted;
  for (Slice& slice : *slices) {
    json::object object = GroupObject(p, slice, positives);
    object["score"] = MeanOf(scores.values, slice.rows);
    object["counted"] = slice.rows.size() >= query.least_rows;
    groups.push_back(std::move(object));
    if (slice.rows.size() >= query.least_rows) {
      counted.push_back(std::move(slice));
    }
  }
  if (counted.size() < 2) {
    return InvalidArgument("'" + query.group + "' has fewer than two groups of at least " +
                               std::to_string(query.least_rows) + " rows, so there is nothing to compare",
                           "group");
  }
  Gaps gaps;
  gaps.Add(scores.name, GapBy(counted, [&](const Slice& g) { return Share(MeanOf(scores.values, g.rows)); }), "");
  if (p.kind == AnswerKind::kNumber) {
    gaps.Add("mean_error", GapBy(counted, [&](const Slice& g) { return Share(MeanError(p, g.rows)); }), "");
  }
  for (const int32_t positive : positives) {
    AddOutcomeGaps(p, counted, positive, gaps);
  }
  return json::object{{"group", query.group},
                      {"metric", scores.name},
                      {"rows", static_cast<int64_t>(p.size())},
                      {"groups", std::move(groups)},
                      {"gaps", gaps.Take()}};
}

}  // namespace atelier::learning
