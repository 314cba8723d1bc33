// Punkt's training: sections 3 and 4 of the paper.
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "text/language/punkt_tokens.h"

namespace atelier::text::language {
namespace {

using punkt::Token;

// Dunning's ratio for an abbreviation: does the period always follow the word (section 3.1.1)?
double AbbreviationRatio(double words, double periods, double together, double total) {
  const double p1 = periods / total;
  constexpr double kP2 = 0.99;
  const double independent = together * std::log(p1 + 1e-8) + (words - together) * std::log(1 - p1 + 1e-8);
  const double dependent = together * std::log(kP2) + (words - together) * std::log(1 - kP2);
  return -2 * (independent - dependent);
}

// log of a binomial's likelihood; 0 where p is a certainty.
double LogLikelihood(double hits, double misses, double p) {
  return p <= 0 || p >= 1 ? 0 : hits * std::log(p) + misses * std::log(1 - p);
}

// Dunning's log-likelihood ratio of two words that occur `together` (section 4.1.2).
double CollocationRatio(double a, double b, double together, double total) {
  const double p = b / total;
  const double p1 = together / a;
  const double p2 = total == a ? 1 : (b - together) / (total - a);
  const double rest = total - a - b + together;
  const double independent = LogLikelihood(together, a - together, p) + LogLikelihood(b - together, rest, p);
  const double first = a == together ? 0 : LogLikelihood(together, a - together, p1);
  const double second = b == together ? 0 : LogLikelihood(b - together, rest, p2);
  return -2 * (independent - first - second);
}

class Trainer {
 public:
  Trainer(PunktParameters parameters, const PunktTrainingOptions& options)
      : parameters_(std::move(parameters)), options_(options) {}

  PunktParameters Run(std::string_view text) {
    auto tokens = punkt::Tokenize(text);
    for (const auto& token : tokens) {
      ++types_[token.type];
      periods_ += token.period_final ? 1 : 0;
    }
    total_ = static_cast<double>(tokens.size());
    FindAbbreviations();
    punkt::MarkByType(tokens, parameters_);
    NoteOrthography(tokens);
    for (const auto& token : tokens) {
      breaks_ += token.sentence_end ? 1 : 0;
    }
    for (size_t i = 0; i + 1 < tokens.size(); ++i) {
      if (tokens[i].period_final) {
        TakePair(tokens[i], tokens[i + 1]);
      }
    }
    FindStarters();
    FindCollocations();
    return std::move(parameters_);
  }

 private:
  double CountOf(const std::string& type) const {
    const auto found = types_.find(type);
    return found == types_.end() ? 0 : static_cast<double>(found->second);
  }
  double CountBoth(const std::string& type) const { return CountOf(type) + CountOf(type + "."); }

  void FindAbbreviations() {
    for (const auto& [type, count] : types_) {
      Token token;
      token.type = type;
      if (type == punkt::kNumber || !token.IsNonPunctuation()) {
        continue;
      }
      const bool with_period = type.ends_with('.');
      const bool known = parameters_.abbreviations.contains(type);
      if (with_period == known) {
        continue;
      }
      const std::string word = with_period ? type.substr(0, type.size() - 1) : type;
      const bool abbreviation = AbbreviationScore(word) >= options_.abbreviation_score;
      if (with_period && abbreviation) {
        parameters_.abbreviations.insert(word);
      } else if (!with_period && !abbreviation) {
        parameters_.abbreviations.erase(word);
      }
    }
  }

  double AbbreviationScore(const std::string& word) const {
    const double periods = static_cast<double>(std::ranges::count(word, '.')) + 1;
    const double others = static_cast<double>(CountCharacters(word)) - periods + 1;
    const double with = CountOf(word + ".");
    const double without = CountOf(word);
    return AbbreviationRatio(with + without, static_cast<double>(periods_), with, total_) * std::exp(-others) *
           periods * std::pow(others, -without);
  }

  void NoteOrthography(const std::vector<Token>& tokens) {
    enum Place { kBegin = 0, kMiddle = 1, kUnknown = 2 };
    constexpr uint8_t kUpper[] = {kBeginUpper, kMiddleUpper, kUnknownUpper};
    constexpr uint8_t kLower[] = {kBeginLower, kMiddleLower, kUnknownLower};
    Place place = kMiddle;
    for (const auto& token : tokens) {
      if (token.paragraph_start && place != kUnknown) {
        place = kBegin;
      }
      if (token.line_start && place == kMiddle) {
        place = kUnknown;
      }
      const uint8_t seen = token.FirstUpper() ? kUpper[place] : token.FirstLower() ? kLower[place] : 0;
      if (seen != 0) {
        parameters_.orthography[std::string(token.TypeNoSentencePeriod())] |= seen;
      }
      if (token.sentence_end) {
        place = token.IsNumber() || token.IsInitial() ? kUnknown : kBegin;
      } else {
        place = token.ellipsis || token.abbreviation ? kUnknown : kMiddle;
      }
    }
  }

  void TakePair(const Token& token, const Token& next) {
    if (IsRareAbbreviation(token, next)) {
      parameters_.abbreviations.insert(std::string(token.TypeNoPeriod()));
    }
    const bool plain_end = token.sentence_end && !token.IsNumber() && !token.IsInitial();
    if (plain_end && next.IsAlphabetic()) {
      ++starters_[next.type];
    }
    if (token.sentence_end && (token.IsNumber() || token.IsInitial()) && token.IsNonPunctuation() &&
        next.IsNonPunctuation()) {
      ++pairs_[{std::string(token.TypeNoPeriod()), std::string(next.TypeNoSentencePeriod())}];
    }
  }

  bool IsRareAbbreviation(const Token& token, const Token& next) const {
    if (token.abbreviation || !token.sentence_end) {
      return false;
    }
    const std::string type(token.TypeNoSentencePeriod());
    const double count = CountOf(type) + CountOf(type.substr(0, type.size() - 1));
    if (parameters_.abbreviations.contains(type) || count >= static_cast<double>(options_.rare_count)) {
      return false;
    }
    if (std::string_view(",:;").find(next.text[0]) != std::string_view::npos) {
      return true;
    }
    const uint8_t seen = next.FirstLower() ? parameters_.OrthographyOf(next.TypeNoSentencePeriod()) : 0;
    return (seen & kBeginUpper) != 0 && (seen & kMiddleUpper) == 0;
  }

  void FindStarters() {
    parameters_.starters.clear();
    for (const auto& [type, at_break] : starters_) {
      const double count = CountBoth(type);
      const auto together = static_cast<double>(at_break);
      const auto breaks = static_cast<double>(breaks_);
      if (count >= together && CollocationRatio(breaks, count, together, total_) >= options_.starter_score &&
          total_ / breaks > count / together) {
        parameters_.starters.insert(type);
      }
    }
  }

  void FindCollocations() {
    parameters_.collocations.clear();
    for (const auto& [pair, count] : pairs_) {
      if (parameters_.starters.contains(pair.second)) {
        continue;
      }
      const double first = CountBoth(pair.first);
      const double second = CountBoth(pair.second);
      const auto together = static_cast<double>(count);
      if (first > 1 && second > 1 && together > 1 && together <= std::min(first, second) &&
          CollocationRatio(first, second, together, total_) >= options_.collocation_score &&
          total_ / first > second / together) {
        parameters_.collocations.insert(pair);
      }
    }
  }

  PunktParameters parameters_;
  PunktTrainingOptions options_;
  std::map<std::string, uint64_t> types_;
  std::map<std::string, uint64_t> starters_;
  std::map<std::pair<std::string, std::string>, uint64_t> pairs_;
  uint64_t periods_ = 0;
  uint64_t breaks_ = 0;
  double total_ = 0;
};

}  // namespace

PunktParameters TrainPunkt(std::string_view text, PunktParameters parameters, const PunktTrainingOptions& options) {
  return Trainer(std::move(parameters), options).Run(text);
}

}  // namespace atelier::text::language
