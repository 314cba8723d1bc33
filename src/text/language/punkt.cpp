#include "text/language/punkt.h"

#include <algorithm>
#include <optional>

#include "text/language/punkt_tokens.h"
#include "text/utf8.h"

namespace atelier::text::language {
namespace {

using punkt::Token;

constexpr std::string_view kAsciiSpace = " \t\n\r\x0B\x0C";

enum class Verdict { kNo, kYes, kUnknown };

// Whether a token begins a sentence, by how its word was seen (4.1.1 of the paper).
Verdict BeginsSentence(const Token& token, const PunktParameters& parameters) {
  if (token.text.size() == 1 && std::string_view(";:,.!?").find(token.text[0]) != std::string_view::npos) {
    return Verdict::kNo;
  }
  const uint8_t seen = parameters.OrthographyOf(token.TypeNoSentencePeriod());
  if (token.FirstUpper() && (seen & kAnyLower) != 0 && (seen & kMiddleUpper) == 0) {
    return Verdict::kYes;
  }
  if (token.FirstLower() && ((seen & kAnyUpper) != 0 || (seen & kBeginLower) == 0)) {
    return Verdict::kNo;
  }
  return Verdict::kUnknown;
}

void MarkAbbreviation(Token& token) {
  token.sentence_end = false;
  token.abbreviation = true;
}

// The second pass: what the token after says (section 4).
void MarkByNext(Token& token, const Token& next, const PunktParameters& parameters) {
  if (!token.period_final) {
    return;
  }
  const std::string_view next_type = next.TypeNoSentencePeriod();
  const bool initial = token.IsInitial();
  if (parameters.collocations.contains({std::string(token.TypeNoPeriod()), std::string(next_type)})) {
    MarkAbbreviation(token);
    return;
  }
  if ((token.abbreviation || token.ellipsis) && !initial) {
    if (BeginsSentence(next, parameters) == Verdict::kYes ||
        (next.FirstUpper() && parameters.starters.contains(next_type))) {
      token.sentence_end = true;
      return;
    }
  }
  if (!initial && token.TypeNoPeriod() != punkt::kNumber) {
    return;
  }
  const Verdict begins = BeginsSentence(next, parameters);
  if (begins == Verdict::kNo || (begins == Verdict::kUnknown && initial && next.FirstUpper() &&
                                 (parameters.OrthographyOf(next_type) & kAnyLower) == 0)) {
    MarkAbbreviation(token);
  }
}

// Whether a sentence ends within the context, before its last token.
bool HasEnd(std::string_view context, const PunktParameters& parameters) {
  auto tokens = punkt::Tokenize(context);
  punkt::MarkByType(tokens, parameters);
  for (size_t i = 0; i + 1 < tokens.size(); ++i) {
    MarkByNext(tokens[i], tokens[i + 1], parameters);
    if (tokens[i].sentence_end) {
      return true;
    }
  }
  return false;
}

// A period, ? or ! with what makes it a possible end after it.
struct Candidate {
  size_t at = 0;
  size_t context_end = 0;
  std::optional<size_t> next_begin;  // of the next word, where white space stands between
};

std::optional<Candidate> CandidateAt(std::string_view text, size_t at) {
  if (at + 1 >= text.size()) {
    return std::nullopt;
  }
  Candidate found{at, 0, std::nullopt};
  Utf8Step step = ReadUtf8(text, at + 1);
  if (punkt::IsNonWord(step.value)) {
    found.context_end = at + 1 + step.length;
    return found;
  }
  size_t next = at + 1;
  while (next < text.size() && IsSpace(CharacterAt(text, next))) {
    next += ReadUtf8(text, next).length;
  }
  if (next == at + 1 || next == text.size()) {
    return std::nullopt;
  }
  found.next_begin = next;
  while (next < text.size() && !IsSpace(CharacterAt(text, next))) {
    next += ReadUtf8(text, next).length;
  }
  found.context_end = next;
  return found;
}

// The cuts between sentences: where one ends, and where the next begins.
struct Cut {
  size_t end;
  size_t next;
};

class Cutter {
 public:
  Cutter(std::string_view text, const PunktParameters& parameters) : text_(text), parameters_(parameters) {}

  std::vector<Cut> Run() {
    for (size_t at = text_.find_first_of(".?!"); at != std::string_view::npos;
         at = text_.find_first_of(".?!", at + 1)) {
      if (const auto candidate = CandidateAt(text_, at)) {
        Take(*candidate);
      }
    }
    Decide();
    return std::move(cuts_);
  }

 private:
  // Candidates within one word ("!!!") count as one, their last.
  void Take(const Candidate& candidate) {
    const size_t from = last_ ? last_->at : 0;
    const std::string_view before = text_.substr(from, candidate.at - from);
    const size_t space = before.find_last_of(kAsciiSpace);
    const size_t word = space == std::string_view::npos || space == 0 ? word_ : from + space + 1;
    if (last_ && last_->at <= word) {
      Decide();
    }
    last_ = candidate;
    word_ = word;
  }

  void Decide() {
    if (last_ && HasEnd(text_.substr(word_, last_->context_end - word_), parameters_)) {
      cuts_.push_back({last_->at + 1, last_->next_begin.value_or(last_->at + 1)});
    }
  }

  std::string_view text_;
  const PunktParameters& parameters_;
  std::optional<Candidate> last_;
  size_t word_ = 0;  // where the word before the last candidate begins
  std::vector<Cut> cuts_;
};

bool IsCloser(char32_t value) {
  constexpr std::u32string_view kClosers = U"\"')]}\u2018\u2019\u201C\u201D\u00AB\u00BB";
  return kClosers.find(value) != std::u32string_view::npos;
}

// How much of the beginning of `text` closes the sentence before it: `marks` without, `all` with the white space after.
struct Closing {
  size_t marks = 0;
  size_t all = 0;
};

Closing ClosingOf(std::string_view text) {
  size_t at = 0;
  while (at < text.size() && IsCloser(CharacterAt(text, at))) {
    at += ReadUtf8(text, at).length;
    size_t end = at;
    while (end < text.size() && IsSpace(CharacterAt(text, end))) {
      end += ReadUtf8(text, end).length;
    }
    if (end > at || at == text.size() || text.substr(at).starts_with("--")) {
      return {at, end};
    }
  }
  return {};
}

}  // namespace

uint8_t PunktParameters::OrthographyOf(std::string_view word) const {
  const auto found = orthography.find(word);
  return found == orthography.end() ? 0 : found->second;
}

std::vector<Span> PunktSentences(std::string_view text, const PunktParameters& parameters) {
  const std::string_view stripped = StripSpace(text);
  if (stripped.empty()) {
    return {};
  }
  const auto text_end = static_cast<size_t>(stripped.data() - text.data()) + stripped.size();
  const auto cuts = Cutter(text, parameters).Run();
  std::vector<Span> sentences;
  size_t begin = 0;
  for (size_t i = 0; i <= cuts.size(); ++i) {
    const bool last = i == cuts.size();
    Span sentence{begin, last ? text_end : cuts[i].end};
    if (!last) {
      const size_t next_end = i + 1 < cuts.size() ? cuts[i + 1].end : text_end;
      const size_t next = std::min(cuts[i].next, next_end);
      const Closing closing = ClosingOf(text.substr(next, next_end - next));
      if (closing.marks > 0) {
        sentence.end = next + closing.marks;
      }
      begin = next + closing.all;
    }
    if (sentence.begin < sentence.end) {
      sentences.push_back(sentence);
    }
  }
  return sentences;
}

namespace {

constexpr size_t kMaxWords = 1'000'000;  // of one list

// A string of a field's list; an error names the field.
Result<std::string> WordIn(const json::value& value, std::string_view field) {
  const auto* word = value.if_string();
  if (word == nullptr || word->empty()) {
    return InvalidArgument("every item of '" + std::string(field) + "' must hold words", std::string(field));
  }
  return std::string(std::string_view(*word));
}

}  // namespace

json::object ToJson(const PunktParameters& parameters) {
  json::array collocations;
  for (const auto& [first, second] : parameters.collocations) {
    collocations.push_back(json::array{first, second});
  }
  json::object orthography;
  for (const auto& [word, seen] : parameters.orthography) {
    orthography[word] = static_cast<int64_t>(seen);
  }
  return {{"abbreviations", json::value_from(parameters.abbreviations)},
          {"collocations", std::move(collocations)},
          {"starters", json::value_from(parameters.starters)},
          {"orthography", std::move(orthography)}};
}

Result<PunktParameters> PunktFromJson(const json::object& object) {
  PunktParameters parameters;
  Fields fields(object);
  ATELIER_ASSIGN(abbreviations, fields.StringsOr("abbreviations", {}, kMaxWords));
  parameters.abbreviations.insert(abbreviations.begin(), abbreviations.end());
  ATELIER_ASSIGN(starters, fields.StringsOr("starters", {}, kMaxWords));
  parameters.starters.insert(starters.begin(), starters.end());
  ATELIER_ASSIGN(collocations, fields.ArrayOr("collocations", kMaxWords));
  for (const auto& item : collocations == nullptr ? json::array() : *collocations) {
    const auto* pair = item.if_array();
    if (pair == nullptr || pair->size() != 2) {
      return InvalidArgument("'collocations' must hold pairs of words", "collocations");
    }
    ATELIER_ASSIGN(first, WordIn((*pair)[0], "collocations"));
    ATELIER_ASSIGN(second, WordIn((*pair)[1], "collocations"));
    parameters.collocations.emplace(std::move(first), std::move(second));
  }
  ATELIER_ASSIGN(orthography, fields.ObjectOr("orthography"));
  for (const auto& [word, seen] : orthography == nullptr ? json::object() : *orthography) {
    const auto* bits = seen.if_int64();
    if (bits == nullptr || *bits < 0 || *bits > 0x7F) {
      return InvalidArgument("'orthography' must give each word a number from 0 to 127", "orthography");
    }
    parameters.orthography.emplace(std::string(word), static_cast<uint8_t>(*bits));
  }
  ATELIER_TRY(fields.RejectUnknown());
  return parameters;
}

}  // namespace atelier::text::language
