#include "learning/evaluation/grader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "learning/metrics/bleu.h"
#include "learning/metrics/generation.h"
#include "learning/metrics/ngrams.h"
#include "learning/metrics/words.h"

namespace atelier::learning {
namespace {

constexpr size_t kMaxTextBytes = size_t{1} << 20U;
constexpr size_t kMaxCompared = 4000;  // characters or words, where the cost is quadratic
constexpr size_t kGleuOrder = 4;

Error NoPlace(std::string_view path) {
  return InvalidArgument("nothing is called '" + std::string(path.substr(0, 200)) + "'", "", "invalid_template");
}

std::string_view Trim(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r\n");
  return from == std::string_view::npos ? "" : text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1);
}

// One step: a name, then perhaps indices: "parts[0][1]".
const json::value* Step(const json::value* from, std::string_view step) {
  const auto bracket = step.find('[');
  const auto name = step.substr(0, bracket);
  from = !name.empty() && from->is_object() ? from->get_object().if_contains(name) : nullptr;
  std::string_view rest = bracket == std::string_view::npos ? "" : step.substr(bracket);
  while (from != nullptr && !rest.empty()) {
    const auto end = rest.find(']');
    size_t index = 0;
    const auto digits = end == std::string_view::npos ? "" : rest.substr(1, end - 1);
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (rest.front() != '[' || digits.empty() || error != std::errc() || stop != digits.data() + digits.size() ||
        !from->is_array() || index >= from->get_array().size()) {
      return nullptr;
    }
    from = &from->get_array()[index];
    rest = rest.substr(end + 1);
  }
  return from;
}

std::vector<std::string> GleuWords(std::string_view text) {
  std::vector<std::string> words;
  std::u32string spaced;
  for (const char32_t c : ToCharacters(text)) {
    if (IsIdeograph(c)) {
      spaced += {U' ', c, U' '};
    } else {
      spaced += c;
    }
  }
  for (const auto& word : SplitWords(spaced)) {
    words.push_back(ToUtf8(word));
  }
  return words;
}

double SentenceBleu(const std::string& reference, const std::string& prediction) {
  BleuOptions options;
  options.tokens = GuessBleuTokens(reference);
  options.effective_order = true;
  return Score(BleuOf(prediction, std::array{reference}, options), options).score / 100;
}

double Rouge(const std::string& reference, const std::string& prediction, char order) {
  const auto wanted = RougeTokens(reference);
  const auto predicted = RougeTokens(prediction);
  return order == 'l' ? RougeL(wanted, predicted).f1 : RougeN(wanted, predicted, static_cast<size_t>(order - '0')).f1;
}

constexpr std::array<std::string_view, 9> kMetrics{"fuzzy_match", "bleu",    "gleu",    "rouge_1", "rouge_2",
                                                   "rouge_3",     "rouge_4", "rouge_5", "rouge_l"};
constexpr std::array<std::string_view, 4> kOperations{"eq", "ne", "like", "ilike"};

double Similarity(const std::string& metric, const std::string& reference, const std::string& prediction) {
  if (metric == "fuzzy_match") {
    return FuzzyMatch(reference, prediction);
  }
  if (metric == "bleu") {
    return SentenceBleu(reference, prediction);
  }
  return metric == "gleu" ? Gleu(reference, prediction) : Rouge(reference, prediction, metric.back());
}

// The longest common subsequence takes the product of both lengths.
Status CheckLength(const std::string& metric, const std::string& text) {
  size_t length = 0;
  if (metric == "fuzzy_match") {
    length = ToCharacters(text).size();
  } else if (metric == "rouge_l") {
    length = RougeTokens(text).size();
  }
  if (length > kMaxCompared) {
    return MakeError(Code::kOutOfRange, "a text is too long for " + metric + ": 4000 characters or words at most",
                     "text_too_long");
  }
  return {};
}

bool Holds(const std::string& operation, const std::string& input, const std::string& reference) {
  if (operation == "like") {
    return input.find(reference) != std::string::npos;
  }
  if (operation == "ilike") {
    return Lower(input).find(Lower(reference)) != std::string::npos;
  }
  return (input == reference) == (operation == "eq");
}

// One of the words, or a refusal that lists them.
template <size_t N>
Result<std::string> OneOf(Fields& fields, std::string_view key, const std::array<std::string_view, N>& words) {
  ATELIER_ASSIGN(word, fields.String(key, 64));
  if (std::ranges::find(words, word) != words.end()) {
    return word;
  }
  std::string list;
  for (const auto known : words) {
    list += (list.empty() ? "" : ", ") + std::string(known);
  }
  return InvalidArgument("'" + fields.Path(key) + "' must be one of " + list, fields.Path(key));
}

}  // namespace

Result<const json::value*> Lookup(std::string_view path, const json::object& values) {
  path = Trim(path);
  const auto dot = std::min(path.find('.'), path.size());
  const json::value* found = values.if_contains(path.substr(0, dot));
  for (size_t from = dot; found != nullptr && from < path.size();) {
    const size_t next = std::min(path.find('.', from + 1), path.size());
    found = Step(found, path.substr(from + 1, next - from - 1));
    from = next;
  }
  return found != nullptr ? Result<const json::value*>(found) : NoPlace(path);
}

Result<std::string> FillIn(std::string_view text, const json::object& values) {
  std::string out;
  while (true) {
    const auto open = text.find("{{");
    out += text.substr(0, open);
    if (open == std::string_view::npos) {
      return out;
    }
    const auto close = text.find("}}", open);
    if (close == std::string_view::npos) {
      return InvalidArgument("a place '{{' is not closed", "", "invalid_template");
    }
    ATELIER_ASSIGN(found, Lookup(text.substr(open + 2, close - open - 2), values));
    out += found->is_string() ? std::string(found->get_string()) : json::serialize(*found);
    if (out.size() > kMaxTextBytes) {
      return MakeError(Code::kOutOfRange, "a text grows to more than 1 MiB", "invalid_template");
    }
    text.remove_prefix(close + 2);
  }
}

double FuzzyMatch(std::string_view a, std::string_view b) {
  const std::u32string left = ToCharacters(a);
  const std::u32string right = ToCharacters(b);
  if (left.empty() && right.empty()) {
    return 1;
  }
  std::vector<int64_t> row(right.size() + 1);  // the longest common subsequence so far
  for (const char32_t character : left) {
    int64_t diagonal = 0;
    for (size_t j = 0; j < right.size(); ++j) {
      const int64_t above = row[j + 1];
      row[j + 1] = character == right[j] ? diagonal + 1 : std::max(above, row[j]);
      diagonal = above;
    }
  }
  return 2 * static_cast<double>(row.back()) / static_cast<double>(left.size() + right.size());
}

double Gleu(std::string_view reference, std::string_view prediction) {
  const auto wanted = GleuWords(reference);
  const auto predicted = GleuWords(prediction);
  int64_t matches = 0;
  int64_t of_wanted = 0;
  int64_t of_predicted = 0;
  for (size_t n = 1; n <= kGleuOrder; ++n) {
    const auto left = CountWords(wanted, n);
    const auto right = CountWords(predicted, n);
    matches += Matches(left, right);
    of_wanted += Total(left);
    of_predicted += Total(right);
  }
  const int64_t most = std::max(of_wanted, of_predicted);
  return most == 0 ? 0 : static_cast<double>(matches) / static_cast<double>(most);
}

Result<Grader> Grader::FromJson(const json::object& object, const std::string& path) {
  Fields fields(object, path);
  Grader out;
  ATELIER_ASSIGN(type, OneOf(fields, "type", std::array<std::string_view, 2>{"string_check", "text_similarity"}));
  ATELIER_ASSIGN(name, fields.String("name", 256));
  ATELIER_ASSIGN(input, fields.String("input", kMaxTextBytes));
  ATELIER_ASSIGN(reference, fields.String("reference", kMaxTextBytes));
  if (type == "string_check") {
    ATELIER_ASSIGN(operation, OneOf(fields, "operation", kOperations));
    out.how_ = std::move(operation);
  } else {
    ATELIER_ASSIGN(metric, OneOf(fields, "evaluation_metric", kMetrics));
    ATELIER_ASSIGN(threshold, fields.Number("pass_threshold", 0, 1));
    out.how_ = std::move(metric);
    out.threshold_ = threshold;
  }
  ATELIER_TRY(fields.RejectUnknown());
  out.name_ = std::move(name);
  out.type_ = std::move(type);
  out.input_ = std::move(input);
  out.reference_ = std::move(reference);
  return out;
}

Result<Grader::Grade> Grader::Judge(const json::object& values) const {
  ATELIER_ASSIGN(input, FillIn(input_, values));
  ATELIER_ASSIGN(reference, FillIn(reference_, values));
  if (type_ == "string_check") {
    const bool holds = Holds(how_, input, reference);
    return Grade{holds ? 1.0 : 0.0, holds};
  }
  ATELIER_TRY(CheckLength(how_, input));
  ATELIER_TRY(CheckLength(how_, reference));
  const double score = Similarity(how_, reference, input);
  return Grade{score, score >= threshold_};
}

}  // namespace atelier::learning
