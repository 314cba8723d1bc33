// filter_language, filter_length: rows kept by their texts.
#include <algorithm>

#include "data/steps/kinds.h"
#include "data/steps/text_step.h"
#include "text/language/characters.h"
#include "text/language/identify.h"
#include "text/language/segmenter.h"

namespace atelier::data::steps {
namespace {

namespace language = text::language;

Result<std::unique_ptr<Step>> MakeLanguage(const Arguments& arguments, Schema& /*schema*/) {
  const auto wanted = arguments.Texts("languages");
  const auto known = language::LanguageIdentifier::Languages();
  for (const auto& code : wanted) {
    if (!std::ranges::binary_search(known, code)) {
      std::string codes;
      for (const auto& each : known) {
        codes += (codes.empty() ? "" : ", ") + each;
      }
      return arguments.Wrong("languages", "the languages that can be told apart are " + codes);
    }
  }
  const double confidence = arguments.Number("confidence");
  const auto identifier = std::make_shared<const language::LanguageIdentifier>();
  return MakeTextFilter(arguments.Columns("columns"), [wanted, confidence, identifier](std::string_view text) {
    const auto guess = identifier->Identify(text);
    return guess.confidence >= confidence && std::ranges::find(wanted, guess.language) != wanted.end();
  });
}

Result<std::unique_ptr<Step>> MakeLength(const Arguments& arguments, Schema& /*schema*/) {
  const int64_t least = arguments.Integer("minimum");
  const int64_t most = arguments.Has("maximum") ? arguments.Integer("maximum") : std::numeric_limits<int64_t>::max();
  if (least > most) {
    return arguments.Wrong("maximum", "'maximum' is less than 'minimum'");
  }
  std::shared_ptr<const language::Segmenter> segmenter;
  const std::string unit = arguments.Text("unit");
  if (unit == "words") {
    ATELIER_ASSIGN(made, language::Segmenter::Create(arguments.Text("language")));
    segmenter = std::move(made);
  }
  return MakeTextFilter(arguments.Columns("columns"), [least, most, unit, segmenter](std::string_view text) {
    size_t length = unit == "bytes" ? text.size() : 0;
    if (segmenter != nullptr) {
      const auto words = segmenter->Words(text);
      length = words.ok() ? words->size() : 0;
    } else if (unit == "characters") {
      length = language::CountCharacters(text);
    }
    return static_cast<int64_t>(length) >= least && static_cast<int64_t>(length) <= most;
  });
}

constexpr Parameter kTextColumns{.name = "columns",
                                 .type = ParameterType::kColumns,
                                 .help = "Text columns; all of them must pass",
                                 .fallback = "all",
                                 .columns = kText};
constexpr Parameter kLanguageParameters[] = {
    kTextColumns,
    {.name = "languages", .type = ParameterType::kTexts, .help = "Codes: en, zh, de ...", .fallback = ""},
    {.name = "confidence",
     .type = ParameterType::kNumber,
     .help = "The least confidence, from 0 to 1",
     .fallback = "0.5",
     .minimum = 0,
     .maximum = 1}};
constexpr Parameter kLengthParameters[] = {
    kTextColumns,
    {.name = "minimum", .type = ParameterType::kInteger, .help = "The least length", .fallback = "1", .minimum = 0},
    {.name = "maximum",
     .type = ParameterType::kInteger,
     .help = "The greatest length; absent: any",
     .fallback = "null",
     .minimum = 0},
    {.name = "unit",
     .type = ParameterType::kChoice,
     .help = "What is counted",
     .fallback = "\"characters\"",
     .choices = "characters|words|bytes"},
    {.name = "language", .type = ParameterType::kText, .help = "Whose words are counted", .fallback = "\"en\""}};

}  // namespace

const StepKind kFilterLanguageStep{"filter_language", "Keep the rows whose texts are in these languages",
                                   kLanguageParameters, MakeLanguage};
const StepKind kFilterLengthStep{"filter_length", "Keep the rows whose texts are neither too short nor too long",
                                 kLengthParameters, MakeLength};

}  // namespace atelier::data::steps
