// POST /v1/text/analyze
#include <algorithm>

#include "api/handlers.h"
#include "api/platform/language/tools.h"
#include "text/language/ngrams.h"
#include "text/language/stemmer.h"
#include "text/language/stop_words.h"
#include "text/language/tf_idf.h"

namespace atelier::api::platform {
namespace {

constexpr int64_t kMaxGram = 5;
constexpr size_t kMaxWords = 200'000;  // of a request

struct Wishes {
  LanguageWish language;
  bool tokenized = false;
  bool split_sentences = true;  // before words are cut
  bool sentences = false;
  bool words = false;
  bool lower = false;
  bool remove_stop_words = false;
  bool tf_idf = false;
  std::string stems;
  std::string lemmas;
  int64_t least_gram = 0;  // 0: none
  int64_t most_gram = 0;
  std::string tagger;

  bool NeedsWords() const {
    return words || tf_idf || !stems.empty() || !lemmas.empty() || least_gram > 0 || !tagger.empty();
  }
};

Status CheckLemmas(const std::string& lemmas, const std::string& tagger) {
  if (lemmas == "tags" && tagger.empty()) {
    return InvalidArgument("'lemmas' by tags needs a 'tagger'", "lemmas");
  }
  if (!lemmas.empty() && lemmas != "any" && lemmas != "tags" && !language::PartOfSpeechFromLetter(lemmas)) {
    return InvalidArgument("'lemmas' must be n, v, a, r, any or tags", "lemmas");
  }
  return {};
}

Result<Wishes> WishesFrom(Fields& fields) {
  Wishes wishes;
  ATELIER_ASSIGN(language, LanguageIn(fields));
  wishes.language = language;
  struct Flag {
    const char* name;
    bool Wishes::*member;
  };
  constexpr Flag kFlags[] = {{"tokenized", &Wishes::tokenized}, {"split_sentences", &Wishes::split_sentences},
                             {"sentences", &Wishes::sentences}, {"words", &Wishes::words},
                             {"lower", &Wishes::lower},         {"remove_stop_words", &Wishes::remove_stop_words},
                             {"tf_idf", &Wishes::tf_idf}};
  for (const auto& flag : kFlags) {
    ATELIER_ASSIGN(value, fields.BoolOr(flag.name, wishes.*flag.member));
    wishes.*flag.member = value;
  }
  ATELIER_ASSIGN(stems, fields.StringOr("stems", "", 32));
  ATELIER_ASSIGN(lemmas, fields.StringOr("lemmas", "", 8));
  ATELIER_ASSIGN(tagger, fields.StringOr("tagger", "", 300));
  ATELIER_TRY(CheckLemmas(lemmas, tagger));
  ATELIER_ASSIGN(grams, fields.ObjectOr("ngrams"));
  if (grams != nullptr) {
    Fields of_grams(*grams, "ngrams");
    ATELIER_ASSIGN(least, of_grams.Int("least", 1, kMaxGram));
    ATELIER_ASSIGN(most, of_grams.IntOr("most", least, least, kMaxGram));
    ATELIER_TRY(of_grams.RejectUnknown());
    wishes.least_gram = least;
    wishes.most_gram = most;
  }
  wishes.stems = std::move(stems);
  wishes.lemmas = std::move(lemmas);
  wishes.tagger = std::move(tagger);
  wishes.words = wishes.words || (!wishes.sentences && !wishes.NeedsWords());
  return wishes;
}

struct Word {
  std::string text;
  std::string tag;
};

class Analyst {
 public:
  Analyst(LanguageTools& tools, const Wishes& wishes, std::shared_ptr<const language::Tagger> tagger)
      : tools_(tools), wishes_(wishes), tagger_(std::move(tagger)) {}

  Result<json::object> Text(const std::string& text) {
    const auto guess = wishes_.language.Of(tools_.box(), text);
    json::object item{{"language", guess.language}, {"confidence", guess.confidence}};
    ATELIER_ASSIGN(segmenter, tools_.box().SegmenterOf(guess.language == "und" ? "en" : guess.language));
    std::vector<language::Span> spans{{0, text.size()}};
    if (wishes_.split_sentences || wishes_.sentences) {
      spans = segmenter->Sentences(text);
    }
    if (wishes_.sentences) {
      json::array sentences;
      for (const auto& span : spans) {
        sentences.emplace_back(std::string(span.In(text)));
      }
      item["sentences"] = std::move(sentences);
    }
    if (!wishes_.NeedsWords()) {
      return item;
    }
    std::vector<Word> words;
    for (const auto& span : spans) {
      ATELIER_ASSIGN(parts, segmenter->WordsOfSentence(span.In(text)));
      Add(parts, words);
    }
    ATELIER_TRY(Describe(std::move(words), guess.language, item));
    return item;
  }

  Result<json::object> Words(const std::vector<std::string>& given) {
    const std::string code = wishes_.language.code.empty() ? "en" : wishes_.language.code;
    json::object item{{"language", code}, {"confidence", 1}};
    std::vector<Word> words;
    Add(given, words);
    ATELIER_TRY(Describe(std::move(words), code, item));
    return item;
  }

  // The terms of all texts so far, for tf-idf.
  const std::vector<std::vector<std::string>>& terms() const { return terms_; }

 private:
  void Add(const std::vector<std::string>& parts, std::vector<Word>& words) const {
    const auto tags = tagger_ == nullptr ? std::vector<std::string>(parts.size()) : tagger_->Tags(parts);
    for (size_t i = 0; i < parts.size(); ++i) {
      words.push_back({wishes_.lower ? language::Lower(parts[i]) : parts[i], tags[i]});
    }
  }

  Status Describe(std::vector<Word> words, const std::string& code, json::object& item) {
    words_ += words.size();
    if (words_ > kMaxWords) {
      return MakeError(Code::kOutOfRange, "'input' has more than 200000 words", "request_too_large", "input");
    }
    if (wishes_.remove_stop_words) {
      ATELIER_ASSIGN(stop_words, language::StopWords::Of(code));
      std::erase_if(words, [&](const Word& word) { return stop_words.Contains(word.text); });
    }
    std::vector<std::string> texts;
    std::vector<std::string> tags;
    for (auto& word : words) {
      texts.push_back(std::move(word.text));
      tags.push_back(std::move(word.tag));
    }
    if (wishes_.words) {
      item["words"] = json::value_from(texts);
    }
    if (tagger_ != nullptr) {
      item["tags"] = json::value_from(tags);
    }
    std::vector<std::string> terms = texts;
    if (!wishes_.stems.empty()) {
      auto stemmer = language::Stemmer::Create(wishes_.stems == "auto" ? code : wishes_.stems);
      if (!stemmer.ok()) {
        return InvalidArgument(stemmer.error().message, "stems");
      }
      std::ranges::transform(texts, terms.begin(), [&](const std::string& word) { return stemmer->Stem(word); });
      item["stems"] = json::value_from(terms);
    }
    if (!wishes_.lemmas.empty()) {
      ATELIER_ASSIGN(lemmas, Lemmas(texts, tags, code));
      terms = std::move(lemmas);
      item["lemmas"] = json::value_from(terms);
    }
    if (wishes_.least_gram > 0) {
      terms = language::NGrams(terms, static_cast<size_t>(wishes_.least_gram), static_cast<size_t>(wishes_.most_gram));
      item["ngrams"] = json::value_from(terms);
    }
    terms_.push_back(std::move(terms));
    return {};
  }

  Result<std::vector<std::string>> Lemmas(const std::vector<std::string>& words, const std::vector<std::string>& tags,
                                          const std::string& code) {
    if (code != "en") {
      return InvalidArgument("there are base forms of English only, and the text is in '" + code + "'", "lemmas");
    }
    ATELIER_ASSIGN(net, tools_.box().Net());
    std::vector<std::string> lemmas;
    const auto part = language::PartOfSpeechFromLetter(wishes_.lemmas);
    for (size_t i = 0; i < words.size(); ++i) {
      if (wishes_.lemmas == "any") {
        lemmas.push_back(net->AnyLemma(words[i]));
      } else {
        lemmas.push_back(net->Lemma(words[i], part ? *part : language::PartOfSpeechOfTag(tags[i])));
      }
    }
    return lemmas;
  }

  LanguageTools& tools_;
  const Wishes& wishes_;
  std::shared_ptr<const language::Tagger> tagger_;
  std::vector<std::vector<std::string>> terms_;
  size_t words_ = 0;
};

// Adds "tf_idf" to each item: its terms with their weights, the heaviest first.
void AddTfIdf(const std::vector<std::vector<std::string>>& documents, json::array& data) {
  const language::TfIdf tf_idf(documents);
  for (size_t i = 0; i < documents.size(); ++i) {
    auto weights = tf_idf.Transform(documents[i]);
    std::ranges::stable_sort(weights, std::greater(), &language::TfIdf::Weight::value);
    json::array terms;
    for (const auto& weight : weights) {
      terms.push_back(json::object{{"term", tf_idf.terms()[weight.term]}, {"weight", weight.value}});
    }
    data[i].get_object()["tf_idf"] = std::move(terms);
  }
}

}  // namespace

Result<Response> AnalyzeText(const Services& services, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(wishes, WishesFrom(fields));
  std::vector<std::string> texts;
  std::vector<std::vector<std::string>> lists;
  if (wishes.tokenized) {
    ATELIER_ASSIGN(given, WordListsIn(fields, body));
    lists = std::move(given);
  } else {
    ATELIER_ASSIGN(given, TextsIn(fields, body));
    texts = std::move(given);
  }
  ATELIER_TRY(fields.RejectUnknown());
  std::shared_ptr<const language::Tagger> tagger;
  if (!wishes.tagger.empty()) {
    ATELIER_ASSIGN(found, services.language->TaggerOf(services, wishes.tagger));
    tagger = std::move(found);
  }
  Analyst analyst(*services.language, wishes, std::move(tagger));
  json::array data;
  for (size_t i = 0; i < texts.size() + lists.size(); ++i) {
    ATELIER_ASSIGN(item, wishes.tokenized ? analyst.Words(lists[i]) : analyst.Text(texts[i]));
    item["index"] = i;
    data.push_back(std::move(item));
  }
  if (wishes.tf_idf) {
    AddTfIdf(analyst.terms(), data);
  }
  return JsonResponse(json::object{{"object", "list"}, {"data", std::move(data)}});
}

}  // namespace atelier::api::platform
