#include "learning/evaluation/figures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>

#include "learning/metrics/bleu.h"
#include "learning/metrics/chrf.h"
#include "learning/metrics/edit_rate.h"
#include "learning/metrics/generation.h"
#include "learning/metrics/metrics.h"
#include "learning/metrics/probability.h"
#include "learning/metrics/tagging.h"

namespace atelier::learning {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
constexpr double kMostWork = 5e7;  // rows drawn for an interval

// The mean of `values` over the rows.
Statistic MeanOf(std::vector<double> values) {
  return [values = std::move(values)](std::span<const uint32_t> rows) {
    double sum = 0;
    for (const uint32_t row : rows) {
      sum += values[row];
    }
    return rows.empty() ? kNothing : sum / static_cast<double>(rows.size());
  };
}

Statistic MacroF1(const Predictions& p) {
  return [truth = p.truth, predicted = p.predicted, classes = p.labels.size()](std::span<const uint32_t> rows) {
    std::vector<double> hits(classes);
    std::vector<double> named(classes);  // in truth and in predictions
    for (const uint32_t row : rows) {
      const auto wanted = static_cast<size_t>(truth[row]);
      const auto given = static_cast<size_t>(predicted[row]);
      ++named[wanted];
      ++named[given];
      hits[wanted] += wanted == given ? 1 : 0;
    }
    double sum = 0;
    double present = 0;
    for (size_t c = 0; c < classes; ++c) {
      if (named[c] > 0) {
        sum += 2 * hits[c] / named[c];
        ++present;
      }
    }
    return present > 0 ? sum / present : kNothing;
  };
}

std::vector<Figure> LabelFigures(const Predictions& p) {
  return {{"accuracy", MeanOf(ScoreRows(p).values)}, {"f1_macro", MacroF1(p)}};
}

std::vector<Figure> NumberFigures(const Predictions& p) {
  std::vector<double> distances = ScoreRows(p).values;
  std::vector<double> squares;
  for (const double distance : distances) {
    squares.push_back(distance * distance);
  }
  const Statistic mean_square = MeanOf(std::move(squares));
  return {{"mae", MeanOf(std::move(distances))},
          {"rmse", [mean_square](std::span<const uint32_t> rows) { return std::sqrt(mean_square(rows)); }},
          {"r2", [truth = p.true_values, mean_square](std::span<const uint32_t> rows) {
             double mean = 0;
             double square = 0;
             for (const uint32_t row : rows) {
               mean += truth[row] / static_cast<double>(rows.size());
               square += truth[row] * truth[row] / static_cast<double>(rows.size());
             }
             const double spread = square - mean * mean;
             return spread > 0 ? 1 - mean_square(rows) / spread : kNothing;
           }}};
}

// The score of the summed statistics of the rows.
template <class Statistics, class ScoreOf>
Statistic ScoreOfSum(std::vector<Statistics> rows_statistics, ScoreOf score) {
  return [all = std::move(rows_statistics), score](std::span<const uint32_t> rows) {
    Statistics sum;
    for (const uint32_t row : rows) {
      sum += all[row];
    }
    return rows.empty() ? kNothing : score(sum);
  };
}

std::vector<Figure> TextFigures(const Predictions& p) {
  std::string sample;
  for (size_t i = 0; i < p.size() && sample.size() < 65536; ++i) {
    sample += p.true_texts[i];
  }
  BleuOptions bleu;
  bleu.tokens = GuessBleuTokens(sample);
  std::vector<BleuStatistics> bleu_rows;
  std::vector<ChrfStatistics> chrf_rows;
  std::vector<double> exact;
  for (size_t i = 0; i < p.size(); ++i) {
    const std::span<const std::string> reference(&p.true_texts[i], 1);
    bleu_rows.push_back(BleuOf(p.predicted_texts[i], reference, bleu));
    chrf_rows.push_back(ChrfOf(p.predicted_texts[i], reference, {}));
    exact.push_back(ExactMatch(p.true_texts[i], p.predicted_texts[i]) ? 1 : 0);
  }
  return {
      {"chrf", ScoreOfSum(std::move(chrf_rows), [](const ChrfStatistics& sum) { return Score(sum, {}); })},
      {"bleu", ScoreOfSum(std::move(bleu_rows), [bleu](const BleuStatistics& sum) { return Score(sum, bleu).score; })},
      {"exact_match", MeanOf(std::move(exact))}};
}

// What a sentence adds to entity F1.
struct EntityCounts {
  double hits = 0;
  double named = 0;  // in truth and in predictions

  EntityCounts& operator+=(const EntityCounts& other) {
    hits += other.hits;
    named += other.named;
    return *this;
  }
};

std::vector<Figure> TagFigures(const Predictions& p) {
  std::vector<EntityCounts> rows;
  for (size_t i = 0; i < p.size(); ++i) {
    const auto wanted = Entities(SplitTags(p.true_texts[i]));
    const auto given = Entities(SplitTags(p.predicted_texts[i]));
    EntityCounts counts;
    counts.named = static_cast<double>(wanted.size() + given.size());
    for (const auto& entity : given) {
      counts.hits += std::ranges::find(wanted, entity) != wanted.end() ? 1 : 0;
    }
    rows.push_back(counts);
  }
  return {{"entity_f1", ScoreOfSum(std::move(rows), [](const EntityCounts& sum) {
             return sum.named > 0 ? 2 * sum.hits / sum.named : kNothing;
           })}};
}

boost::json::object LabelMetrics(const Predictions& p) {
  const std::vector<int64_t> truth(p.truth.begin(), p.truth.end());
  const auto classes = static_cast<int64_t>(p.labels.size());
  ClassScores scores{.truth = truth, .scores = p.probabilities, .classes = classes, .labels = &p.labels};
  std::vector<float> decisions;
  if (p.probabilities.empty()) {
    decisions.assign(p.size() * p.labels.size(), 0.0F);
    for (size_t i = 0; i < p.size(); ++i) {
      decisions[i * p.labels.size() + static_cast<size_t>(p.predicted[i])] = 1;
    }
    scores.scores = decisions;
  }
  auto metrics = ClassificationMetrics(scores);
  if (p.probabilities.empty()) {
    metrics.erase("top_5_accuracy");
    return metrics;
  }
  for (auto& member : ProbabilityMetrics(scores)) {
    metrics[member.key()] = member.value();
  }
  return metrics;
}

boost::json::object TextMetrics(const Predictions& p) {
  std::vector<std::vector<std::string>> references;
  for (const auto& text : p.true_texts) {
    references.push_back({text});
  }
  auto metrics = GenerationMetrics(p.predicted_texts, references);
  for (auto& member : RecognitionMetrics(p.true_texts, p.predicted_texts)) {
    metrics[member.key()] = member.value();
  }
  return metrics;
}

boost::json::object TagMetrics(const Predictions& p) {
  std::vector<std::vector<std::string>> truth;
  std::vector<std::vector<std::string>> predicted;
  for (size_t i = 0; i < p.size(); ++i) {
    truth.push_back(SplitTags(p.true_texts[i]));
    predicted.push_back(SplitTags(p.predicted_texts[i]));
    predicted.back().resize(truth.back().size(), "O");
  }
  return TaggingMetrics(truth, predicted);
}

double TokenAccuracy(const std::string& truth, const std::string& predicted) {
  const auto wanted = SplitTags(truth);
  auto given = SplitTags(predicted);
  given.resize(wanted.size(), "O");
  double right = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    right += wanted[i] == given[i] ? 1 : 0;
  }
  return wanted.empty() ? 1 : right / static_cast<double>(wanted.size());
}

}  // namespace

RowScores ScoreRows(const Predictions& p) {
  static constexpr std::array<const char*, 4> kScoreNames{"accuracy", "mae", "chrf", "token_accuracy"};
  RowScores scores{kScoreNames.at(static_cast<size_t>(p.kind)), p.kind == AnswerKind::kNumber, {}};
  for (size_t i = 0; i < p.size(); ++i) {
    double value = 0;
    switch (p.kind) {
      case AnswerKind::kLabel:
        value = p.truth[i] == p.predicted[i] ? 1 : 0;
        break;
      case AnswerKind::kNumber:
        value = std::abs(p.true_values[i] - p.predicted_values[i]);
        break;
      case AnswerKind::kText:
        value = Score(ChrfOf(p.predicted_texts[i], {&p.true_texts[i], 1}, {}), {});
        break;
      case AnswerKind::kTags:
        value = TokenAccuracy(p.true_texts[i], p.predicted_texts[i]);
        break;
    }
    scores.values.push_back(value);
  }
  return scores;
}

std::vector<uint32_t> AllRows(size_t rows) {
  std::vector<uint32_t> all(rows);
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

std::vector<Figure> Figures(const Predictions& predictions) {
  switch (predictions.kind) {
    case AnswerKind::kLabel:
      return LabelFigures(predictions);
    case AnswerKind::kNumber:
      return NumberFigures(predictions);
    case AnswerKind::kText:
      return TextFigures(predictions);
    case AnswerKind::kTags:
      return TagFigures(predictions);
  }
  return {};
}

boost::json::object MetricsOf(const Predictions& p) {
  boost::json::object metrics;
  switch (p.kind) {
    case AnswerKind::kLabel:
      metrics = LabelMetrics(p);
      break;
    case AnswerKind::kNumber:
      metrics = RegressionMetrics(p.true_values, p.predicted_values);
      break;
    case AnswerKind::kText:
      metrics = TextMetrics(p);
      break;
    case AnswerKind::kTags:
      metrics = TagMetrics(p);
      break;
  }
  if (!p.losses.empty()) {
    metrics["loss"] = std::accumulate(p.losses.begin(), p.losses.end(), 0.0) / static_cast<double>(p.size());
  }
  metrics["rows"] = static_cast<int64_t>(p.size());
  return metrics;
}

boost::json::object IntervalsOf(const Predictions& predictions, const ResamplingOptions& options) {
  ResamplingOptions limited = options;
  const double most = kMostWork / static_cast<double>(std::max<size_t>(predictions.size(), 1));
  limited.resamples = std::min(options.resamples, std::max(100, static_cast<int>(std::min(most, 1e6))));
  boost::json::object intervals;
  for (const Figure& figure : Figures(predictions)) {
    const Interval interval = Bootstrap(predictions.size(), figure.of, limited);
    if (std::isfinite(interval.low)) {
      intervals[figure.name] = {interval.low, interval.high};
    }
  }
  return intervals;
}

}  // namespace atelier::learning
