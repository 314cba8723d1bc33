#include "text/training/unigram_trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <unordered_map>

namespace atelier::text {
namespace {

constexpr std::string_view kMark = "\u2581";
constexpr size_t kMaxCharacters = 16;        // of a piece
constexpr size_t kMaxWordCharacters = 4096;  // longer words are cut
constexpr size_t kSeedFactor = 10;           // candidates a piece that is wanted ...
constexpr size_t kMaxSeeds = 1'000'000;      // ... but no more than these
constexpr double kShrink = 0.75;             // of the pieces stay in each round
constexpr double kLeastCount = 0.5;          // an expected count below this is none
constexpr int kIterations = 2;               // of expectation maximisation in a round
constexpr double kNone = -std::numeric_limits<double>::infinity();

struct Word {
  std::string text{};
  std::vector<uint32_t> edges{};  // where its characters begin, and its end
  double count = 0;
};

std::vector<uint32_t> EdgesOf(std::string_view text) {
  std::vector<uint32_t> edges;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) {
      edges.push_back(static_cast<uint32_t>(i));
    }
  }
  edges.push_back(static_cast<uint32_t>(text.size()));
  return edges;
}

// In one order, so that sums of floats are the same each time.
std::vector<Word> SortedWords(const WordCounts& words) {
  std::vector<Word> sorted;
  for (const auto& [text, count] : words) {
    sorted.push_back({.text = std::string(kMark) + text, .count = static_cast<double>(count)});
  }
  std::ranges::sort(sorted, {}, &Word::text);
  for (auto& word : sorted) {
    word.edges = EdgesOf(word.text);
    if (word.edges.size() > kMaxWordCharacters) {
      word.edges.resize(kMaxWordCharacters);
    }
  }
  return sorted;
}

struct Piece {
  std::string_view text;  // of a word
  double score = 0;       // log-probability
  bool character = false;
};
using Pieces = std::vector<Piece>;
using Index = std::unordered_map<std::string_view, size_t>;

Index IndexOf(const Pieces& pieces) {
  Index index;
  for (size_t i = 0; i < pieces.size(); ++i) {
    index.emplace(pieces[i].text, i);
  }
  return index;
}

// How often each part of `length` characters occurs whose first `length` - 1 occur twice; a part that occurs once is no
// candidate, so nor is a longer one that begins with it.
using Counts = std::unordered_map<std::string_view, double>;
Counts CountParts(const std::vector<Word>& words, size_t length, const Counts& shorter) {
  Counts counts;
  for (const auto& word : words) {
    for (size_t first = 0; first + length < word.edges.size(); ++first) {
      const std::string_view text = word.text;
      const size_t begin = word.edges[first];
      const auto known =
          length == 1 ? shorter.end() : shorter.find(text.substr(begin, word.edges[first + length - 1] - begin));
      if (length == 1 || (known != shorter.end() && known->second >= 2)) {
        counts[text.substr(begin, word.edges[first + length] - begin)] += word.count;
      }
    }
  }
  return counts;
}

void SortByScore(Pieces& pieces) {
  std::ranges::sort(
      pieces, [](const Piece& a, const Piece& b) { return a.score != b.score ? a.score > b.score : a.text < b.text; });
}

// Every character, and the parts that cover most of the text.
Pieces Seeds(const std::vector<Word>& words, size_t wanted) {
  Pieces characters;
  Pieces parts;
  Counts shorter;
  for (size_t length = 1; length <= kMaxCharacters; ++length) {
    Counts counts = CountParts(words, length, shorter);
    for (const auto& [text, count] : counts) {
      if (length == 1) {
        characters.push_back({.text = text, .score = count, .character = true});
      } else if (count >= 2) {
        parts.push_back({.text = text, .score = count * static_cast<double>(length)});
      }
    }
    shorter = std::move(counts);
    if (shorter.empty()) {
      break;
    }
  }
  SortByScore(parts);
  parts.resize(std::min(parts.size(), std::min(kMaxSeeds, wanted * kSeedFactor)));
  parts.insert(parts.end(), characters.begin(), characters.end());
  double sum = 0;
  for (const auto& piece : parts) {
    sum += piece.score;
  }
  for (auto& piece : parts) {
    piece.score = std::log(piece.score) - std::log(sum);
  }
  return parts;
}

double LogAdd(double a, double b) {
  const double high = std::max(a, b);
  return high == kNone ? kNone : high + std::log1p(std::exp(std::min(a, b) - high));
}

// All pieces in one text, by where they begin and end.
struct Arc {
  size_t from, to, piece;
};
std::vector<Arc> ArcsOf(const Word& word, const Index& index) {
  const std::string_view text = word.text;
  std::vector<Arc> arcs;
  for (size_t from = 0; from + 1 < word.edges.size(); ++from) {
    for (size_t to = from + 1; to < word.edges.size() && to - from <= kMaxCharacters; ++to) {
      const auto found = index.find(text.substr(word.edges[from], word.edges[to] - word.edges[from]));
      if (found != index.end()) {
        arcs.push_back({from, to, found->second});
      }
    }
  }
  return arcs;
}

// Adds how often each piece is expected to be used, over all ways to cut the word.
void Expect(const Word& word, const Pieces& pieces, const Index& index, std::vector<double>& expected) {
  const auto arcs = ArcsOf(word, index);
  std::vector<double> forward(word.edges.size(), kNone);
  std::vector<double> backward(word.edges.size(), kNone);
  forward.front() = 0;
  backward.back() = 0;
  for (const auto& arc : arcs) {
    forward[arc.to] = LogAdd(forward[arc.to], forward[arc.from] + pieces[arc.piece].score);
  }
  for (auto arc = arcs.rbegin(); arc != arcs.rend(); ++arc) {
    backward[arc->from] = LogAdd(backward[arc->from], backward[arc->to] + pieces[arc->piece].score);
  }
  if (forward.back() == kNone) {
    return;
  }
  for (const auto& arc : arcs) {
    const double log = forward[arc.from] + pieces[arc.piece].score + backward[arc.to] - forward.back();
    expected[arc.piece] += word.count * std::exp(log);
  }
}

// Psi(x) by its asymptotic series (M. Abramowitz, I. Stegun, 6.3.18).
double Digamma(double x) {
  double sum = 0;
  for (; x < 7; ++x) {
    sum -= 1 / x;
  }
  const double square = 1 / (x * x);
  return sum + std::log(x) - 0.5 / x - square * (1.0 / 12 - square * (1.0 / 120 - square / 252));
}

// One round of expectation maximisation, with the prior that leaves rare pieces out.
std::vector<double> Improve(const std::vector<Word>& words, Pieces& pieces) {
  const Index index = IndexOf(pieces);
  std::vector<double> expected(pieces.size(), 0);
  for (const auto& word : words) {
    Expect(word, pieces, index, expected);
  }
  Pieces kept;
  std::vector<double> counts;
  double sum = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i].character || expected[i] >= kLeastCount) {
      kept.push_back(pieces[i]);
      counts.push_back(std::max(expected[i], pieces[i].character ? kLeastCount : 0.0));
      sum += counts.back();
    }
  }
  for (size_t i = 0; i < kept.size(); ++i) {
    kept[i].score = Digamma(counts[i]) - Digamma(sum);
  }
  pieces = std::move(kept);
  return counts;
}

// The log-probability of the best way to cut a piece into others.
double BestOthers(const Piece& piece, const Pieces& pieces, const Index& index) {
  const Word word{.text = std::string(piece.text), .edges = EdgesOf(piece.text)};
  std::vector<double> best(word.edges.size(), kNone);
  best.front() = 0;
  for (const auto& arc : ArcsOf(word, index)) {
    if (arc.to - arc.from + 1 < word.edges.size()) {
      best[arc.to] = std::max(best[arc.to], best[arc.from] + pieces[arc.piece].score);
    }
  }
  return best.back();
}

// Keeps the `count` pieces without which the texts would lose most of their likelihood; characters stay.
void Prune(Pieces& pieces, const std::vector<double>& counts, size_t count) {
  const Index index = IndexOf(pieces);
  std::vector<std::pair<double, size_t>> losses;
  Pieces kept;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i].character) {
      kept.push_back(pieces[i]);
    } else {
      losses.emplace_back(counts[i] * (pieces[i].score - BestOthers(pieces[i], pieces, index)), i);
    }
  }
  std::ranges::sort(losses, [&](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : pieces[a.second].text < pieces[b.second].text;
  });
  for (size_t i = 0; i < losses.size() && kept.size() < count; ++i) {
    kept.push_back(pieces[losses[i].second]);
  }
  std::ranges::sort(kept, {}, &Piece::text);
  pieces = std::move(kept);
}

}  // namespace

Result<std::vector<std::pair<std::string, float>>> LearnUnigram(const WordCounts& words, size_t pieces) {
  const std::vector<Word> sorted = SortedWords(words);
  Pieces kept = Seeds(sorted, pieces);
  if (const auto characters = static_cast<size_t>(std::ranges::count_if(kept, &Piece::character));
      characters > pieces) {
    return InvalidArgument("the texts have " + std::to_string(characters) + " characters, more than a vocabulary of " +
                               std::to_string(pieces) + " pieces can hold",
                           "vocabulary_size");
  }
  std::ranges::sort(kept, {}, &Piece::text);
  while (true) {
    std::vector<double> counts;
    for (int i = 0; i < kIterations; ++i) {
      counts = Improve(sorted, kept);
    }
    if (kept.size() <= pieces) {
      break;
    }
    Prune(kept, counts, std::max(pieces, static_cast<size_t>(static_cast<double>(kept.size()) * kShrink)));
  }
  SortByScore(kept);
  std::vector<std::pair<std::string, float>> out;
  for (const auto& piece : kept) {
    out.emplace_back(piece.text, static_cast<float>(piece.score));
  }
  return out;
}

}  // namespace atelier::text
