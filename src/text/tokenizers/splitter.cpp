#include "text/tokenizers/splitter.h"

#include <algorithm>

#include "text/utf8.h"

namespace atelier::text {
namespace {

constexpr size_t kMaxSteps = 32;

struct Piece {
  size_t begin;
  size_t end;
  bool match;
};

// The matches of one step in `word`, and what lies between them. An empty match only parts what lies around it.
void FindPieces(RegexMatcher& matcher, std::string_view word, std::vector<Piece>& pieces) {
  pieces.clear();
  size_t done = 0;
  size_t from = 0;
  size_t begin = 0;
  size_t end = 0;
  while (from < word.size() && matcher.Find(word, from, begin, end)) {
    if (begin > done) {
      pieces.push_back({done, begin, false});
    }
    if (end > begin) {
      pieces.push_back({begin, end, true});
    }
    done = end;
    from = end;
  }
  if (done < word.size()) {
    pieces.push_back({done, word.size(), false});
  }
}

// Joins each match with the piece before it, unless that is a match, too.
void MergeWithPrevious(std::vector<Piece>& pieces) {
  std::vector<Piece> merged;
  bool previous_match = false;
  for (const Piece& piece : pieces) {
    if (piece.match && !previous_match && !merged.empty()) {
      merged.back().end = piece.end;
    } else {
      merged.push_back(piece);
    }
    previous_match = piece.match;
  }
  pieces = std::move(merged);
}

void MergeWithNext(std::vector<Piece>& pieces) {
  std::vector<Piece> merged;  // from the back
  bool previous_match = false;
  for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
    if (piece->match && !previous_match && !merged.empty()) {
      merged.back().begin = piece->begin;
    } else {
      merged.push_back(*piece);
    }
    previous_match = piece->match;
  }
  std::ranges::reverse(merged);
  pieces = std::move(merged);
}

void JoinContiguous(std::vector<Piece>& pieces) {
  std::vector<Piece> merged;
  for (const Piece& piece : pieces) {
    if (!merged.empty() && merged.back().match == piece.match) {
      merged.back().end = piece.end;
    } else {
      merged.push_back(piece);
    }
  }
  pieces = std::move(merged);
}

void ApplyBehaviour(SplitStep::Behaviour behaviour, std::vector<Piece>& pieces) {
  switch (behaviour) {
    case SplitStep::Behaviour::kIsolated:
      return;
    case SplitStep::Behaviour::kRemoved:
      std::erase_if(pieces, [](const Piece& piece) { return piece.match; });
      return;
    case SplitStep::Behaviour::kMergedWithPrevious:
      return MergeWithPrevious(pieces);
    case SplitStep::Behaviour::kMergedWithNext:
      return MergeWithNext(pieces);
    case SplitStep::Behaviour::kContiguous:
      return JoinContiguous(pieces);
  }
}

struct Word {
  std::string_view text;
  bool valid;  // UTF-8
};

}  // namespace

Result<Splitter> Splitter::Make(const std::vector<SplitStep>& steps) {
  if (steps.size() > kMaxSteps) {
    return InvalidArgument("a tokeniser has at most " + std::to_string(kMaxSteps) + " splits", "splits",
                           "invalid_tokenizer");
  }
  Splitter splitter;
  for (const SplitStep& step : steps) {
    ATELIER_ASSIGN(regex, Regex::Compile(step.regex));
    splitter.steps_.push_back({std::move(regex), step.behaviour, step.invert});
  }
  return splitter;
}

std::vector<std::string_view> Splitter::Split(std::string_view text) const {
  std::vector<Word> words;
  for (size_t at = 0; at < text.size();) {
    bool valid = false;
    const size_t end = RunEnd(text, at, valid);
    words.push_back({text.substr(at, end - at), valid});
    at = end;
  }
  std::vector<Word> next;
  std::vector<Piece> pieces;
  for (const Step& step : steps_) {
    RegexMatcher matcher(step.regex);
    next.clear();
    for (const Word& word : words) {
      if (!word.valid) {
        next.push_back(word);
        continue;
      }
      FindPieces(matcher, word.text, pieces);
      if (step.invert) {
        std::ranges::for_each(pieces, [](Piece& piece) { piece.match = !piece.match; });
      }
      ApplyBehaviour(step.behaviour, pieces);
      for (const Piece& piece : pieces) {
        next.push_back({word.text.substr(piece.begin, piece.end - piece.begin), true});
      }
    }
    words.swap(next);
  }
  std::vector<std::string_view> out;
  out.reserve(words.size());
  std::ranges::transform(words, std::back_inserter(out), &Word::text);
  return out;
}

}  // namespace atelier::text
