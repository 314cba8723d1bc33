#include "families/translation/beam_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "families/translation/pairs.h"

namespace atelier::families {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

// A hypothesis that still grows.
struct Growing {
  std::vector<int32_t> tokens;
  double log_probability = 0;
};

struct Search {
  size_t text = 0;  // its number
  int64_t limit = 0;
  std::vector<Growing> beams = std::vector<Growing>(1);
  std::vector<Hypothesis> finished{};  // at most as many as beams, the best first
};

class Searcher {
 public:
  Searcher(TranslatorImpl& network, const TranslationConfig& config, const BeamOptions& options)
      : network_(network), config_(config), options_(options) {}

  std::vector<Hypothesis> Run(const std::vector<std::vector<int32_t>>& texts) {
    const auto batch = Pad(texts, config_.padding);
    auto state = network_.Begin(network_.Encode(batch.tokens, batch.present), batch.present);
    std::vector<Hypothesis> out(texts.size());
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto length = static_cast<int64_t>(texts[i].size());
      searches_.push_back({.text = i, .limit = std::min(config_.max_length, 2 * length + 10)});
    }
    auto tokens = torch::full({static_cast<int64_t>(texts.size())}, config_.end, torch::kInt64);
    while (!searches_.empty()) {
      const auto best = Candidates(network_.Step(tokens, state));
      std::vector<int64_t> rows;
      std::vector<int64_t> kept;
      std::vector<int64_t> next;
      int64_t first_row = 0;
      std::vector<Search> going;
      for (size_t i = 0; i < searches_.size(); ++i) {
        Search& search = searches_[i];
        const auto beams = static_cast<int64_t>(search.beams.size());
        std::vector<int64_t> parents = Grow(search, best, static_cast<int64_t>(i));
        if (parents.empty()) {
          out[search.text] = search.finished.empty() ? Hypothesis{} : search.finished.front();
        } else {
          kept.push_back(static_cast<int64_t>(i));
          for (size_t k = 0; k < parents.size(); ++k) {
            rows.push_back(first_row + parents[k]);
            next.push_back(search.beams[k].tokens.back());
          }
          going.push_back(std::move(search));
        }
        first_row += beams;
      }
      const bool fewer = going.size() < searches_.size();
      searches_ = std::move(going);
      if (!searches_.empty()) {
        TranslatorImpl::Select(state, torch::tensor(rows), fewer ? torch::tensor(kept) : torch::Tensor());
        tokens = torch::tensor(next);
      }
    }
    return out;
  }

 private:
  // The likeliest continuations of each text, twice as many as beams, so that there are enough that do not end.
  struct Best {
    torch::Tensor values;  // F32 [texts, candidates]: log p of the whole hypothesis
    torch::Tensor places;  // I64 [texts, candidates]: beam * vocabulary + token
  };

  Best Candidates(const torch::Tensor& logits) {
    const auto texts = static_cast<int64_t>(searches_.size());
    const int64_t beams = logits.size(0) / texts;
    auto scores = torch::log_softmax(logits, 1);
    scores.select(1, config_.padding).fill_(kNever);
    scores.select(1, config_.unknown).fill_(kNever);
    for (size_t i = 0; i < searches_.size(); ++i) {
      const Search& search = searches_[i];
      if (static_cast<int64_t>(search.beams.front().tokens.size()) + 1 >= search.limit) {
        EndOnly(scores.narrow(0, static_cast<int64_t>(i) * beams, beams));
      }
    }
    std::vector<float> before;
    for (const auto& search : searches_) {
      for (const auto& beam : search.beams) {
        before.push_back(static_cast<float>(beam.log_probability));
      }
    }
    scores = (scores + torch::tensor(before).view({-1, 1})).view({texts, beams * config_.vocabulary});
    const auto [values, places] = scores.topk(std::min(2 * options_.beam, scores.size(1)), 1);
    return {values.contiguous(), places.contiguous()};
  }

  // Leaves nothing but the end to these rows [beams, vocabulary].
  void EndOnly(torch::Tensor rows) const {
    const auto ends = rows.select(1, config_.end).clone();
    rows.fill_(kNever);
    rows.select(1, config_.end).copy_(ends);
  }

  double Penalised(double log_probability, size_t length) const {
    return log_probability / std::pow((5 + static_cast<double>(length)) / 6, options_.length_penalty);
  }

  // Takes the candidates of one text. Returns the beams that the new ones come from; empty: the search is over.
  std::vector<int64_t> Grow(Search& search, const Best& best, int64_t index) {
    const auto* values = best.values.data_ptr<float>() + index * best.values.size(1);
    const auto* places = best.places.data_ptr<int64_t>() + index * best.places.size(1);
    std::vector<Growing> beams;
    std::vector<int64_t> parents;
    for (int64_t c = 0; c < best.values.size(1) && static_cast<int64_t>(beams.size()) < options_.beam; ++c) {
      if (!std::isfinite(values[c])) {
        continue;
      }
      const int64_t parent = places[c] / config_.vocabulary;
      const auto token = static_cast<int32_t>(places[c] % config_.vocabulary);
      const Growing& from = search.beams[static_cast<size_t>(parent)];
      if (token == config_.end) {
        if (c < options_.beam) {
          Finish(search, from.tokens, Penalised(values[c], from.tokens.size() + 1));
        }
        continue;
      }
      beams.push_back({.tokens = from.tokens, .log_probability = values[c]});
      beams.back().tokens.push_back(token);
      parents.push_back(parent);
    }
    search.beams = std::move(beams);
    if (Over(search)) {
      return {};
    }
    // Later steps take as many rows of each text.
    while (static_cast<int64_t>(parents.size()) < options_.beam) {
      search.beams.push_back(search.beams.back());
      search.beams.back().log_probability = kNever;
      parents.push_back(parents.back());
    }
    return parents;
  }

  void Finish(Search& search, std::vector<int32_t> tokens, double score) const {
    auto& finished = search.finished;
    const auto place = std::ranges::upper_bound(finished, score, std::greater<>(), &Hypothesis::score);
    finished.insert(place, {std::move(tokens), score});
    if (static_cast<int64_t>(finished.size()) > options_.beam) {
      finished.pop_back();
    }
  }

  // Nothing grows, or nothing that is better than what ended.
  bool Over(const Search& search) const {
    if (search.beams.empty()) {
      return true;
    }
    const Growing& first = search.beams.front();
    return static_cast<int64_t>(search.finished.size()) >= options_.beam &&
           Penalised(first.log_probability, first.tokens.size() + 1) <= search.finished.back().score;
  }

  TranslatorImpl& network_;
  const TranslationConfig& config_;
  const BeamOptions& options_;
  std::vector<Search> searches_;
};

}  // namespace

std::vector<Hypothesis> BeamSearch(TranslatorImpl& network, const TranslationConfig& config,
                                   const std::vector<std::vector<int32_t>>& texts, const BeamOptions& options) {
  return texts.empty() ? std::vector<Hypothesis>() : Searcher(network, config, options).Run(texts);
}

}  // namespace atelier::families
