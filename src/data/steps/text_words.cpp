// tokenize, stem, lemmatize, remove_stop_words: texts as their words, set apart by spaces.
#include <algorithm>

#include "data/steps/kinds.h"
#include "data/steps/text_step.h"
#include "text/language/segmenter.h"
#include "text/language/stemmer.h"
#include "text/language/stop_words.h"
#include "text/language/word_net.h"

namespace atelier::data::steps {
namespace {

namespace language = text::language;

using Words = std::vector<std::string>;
using ChangeWords = std::function<void(Words& words)>;

Result<std::unique_ptr<Step>> OverWords(const Arguments& arguments, const std::string& code, ChangeWords change) {
  auto made = language::Segmenter::Create(code);
  if (!made.ok()) {
    return arguments.Wrong("language", made.error().message);
  }
  const std::shared_ptr<const language::Segmenter> segmenter = std::move(made).value();
  return MakeTextMap(
      arguments.Columns("columns"),
      [segmenter, change = std::move(change)](std::string_view text, int64_t /*row*/, std::string& out) -> Status {
        ATELIER_ASSIGN(words, segmenter->Words(text));
        change(words);
        for (const auto& word : words) {
          out.append(out.empty() ? "" : " ").append(word);
        }
        return Status();
      });
}

Result<std::unique_ptr<Step>> MakeTokenize(const Arguments& arguments, Schema& /*schema*/) {
  return OverWords(arguments, arguments.Text("language"), [](Words& /*words*/) {});
}

Result<std::unique_ptr<Step>> MakeStem(const Arguments& arguments, Schema& /*schema*/) {
  const std::string code = arguments.Text("language");
  auto made = language::Stemmer::Create(arguments.Has("algorithm") ? arguments.Text("algorithm") : code);
  if (!made.ok()) {
    return arguments.Wrong(arguments.Has("algorithm") ? "algorithm" : "language", made.error().message);
  }
  const auto stemmer = std::make_shared<language::Stemmer>(std::move(made).value());
  return OverWords(arguments, code, [stemmer](Words& words) {
    std::ranges::transform(words, words.begin(), [&](const std::string& word) { return stemmer->Stem(word); });
  });
}

Result<std::unique_ptr<Step>> MakeLemmatize(const Arguments& arguments, Schema& /*schema*/) {
  ATELIER_ASSIGN(opened, language::WordNet::Open());
  const std::shared_ptr<const language::WordNet> net = std::move(opened);
  const auto part = language::PartOfSpeechFromLetter(arguments.Text("part"));
  return OverWords(arguments, "en", [net, part](Words& words) {
    for (auto& word : words) {
      const std::string lower = language::Lower(word);
      word = part ? net->Lemma(lower, *part) : net->AnyLemma(lower);
    }
  });
}

Result<std::unique_ptr<Step>> MakeStopWords(const Arguments& arguments, Schema& /*schema*/) {
  const std::string code = arguments.Text("language");
  auto list = arguments.Has("words") ? language::StopWords(arguments.Texts("words")) : language::StopWords::Of(code);
  if (!list.ok()) {
    return arguments.Wrong("language", list.error().message);
  }
  const auto stop_words = std::make_shared<const language::StopWords>(std::move(list).value());
  return OverWords(arguments, code, [stop_words](Words& words) { words = stop_words->Without(words); });
}

constexpr Parameter kTextColumns{
    .name = "columns", .type = ParameterType::kColumns, .help = "Text columns", .fallback = "all", .columns = kText};
constexpr Parameter kLanguage{.name = "language",
                              .type = ParameterType::kText,
                              .help = "Whose words: en, zh, or another code",
                              .fallback = "\"en\""};
constexpr Parameter kTokenizeParameters[] = {kTextColumns, kLanguage};
constexpr Parameter kStemParameters[] = {kTextColumns,
                                         kLanguage,
                                         {.name = "algorithm",
                                          .type = ParameterType::kText,
                                          .help = "Of Snowball: english, porter ...; absent: that of the language",
                                          .fallback = "null"}};
constexpr Parameter kLemmatizeParameters[] = {
    kTextColumns,
    {.name = "part",
     .type = ParameterType::kChoice,
     .help = "Words as nouns, verbs, adjectives, adverbs, or the first that has a base form",
     .fallback = "\"any\"",
     .choices = "n|v|a|r|any"}};
constexpr Parameter kStopWordsParameters[] = {kTextColumns,
                                              kLanguage,
                                              {.name = "words",
                                               .type = ParameterType::kTexts,
                                               .help = "A list of your own; absent: that of the language (en, zh)",
                                               .fallback = "null"}};

}  // namespace

const StepKind kTokenizeStep{"tokenize", "Words and punctuation set apart by spaces", kTokenizeParameters,
                             MakeTokenize};
const StepKind kStemStep{"stem", "Words as their stems", kStemParameters, MakeStem};
const StepKind kLemmatizeStep{"lemmatize", "English words in lower case as their base forms, by WordNet",
                              kLemmatizeParameters, MakeLemmatize};
const StepKind kRemoveStopWordsStep{"remove_stop_words", "Words that mean little left out", kStopWordsParameters,
                                    MakeStopWords};

}  // namespace atelier::data::steps
