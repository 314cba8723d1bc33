// POST /v1/text/clean and /v1/text/augment
#include <algorithm>

#include "api/handlers.h"
#include "api/platform/language/tools.h"
#include "text/language/augment.h"
#include "text/language/html.h"
#include "text/language/normalize.h"
#include "text/language/redact.h"

namespace atelier::api::platform {
namespace {

constexpr int64_t kMaxVariants = 16;

// In the order in which they are done.
struct Cleaning {
  bool html = false;
  std::optional<language::NormalForm> form;
  bool half_width = false;
  std::optional<language::ChineseScript> script;
  bool whitespace = false;
  bool lower = false;
  bool redact = false;
  language::PersonalDataKinds kinds{};
};

Status TakeRedaction(Fields& fields, const json::object& body, Cleaning& cleaning) {
  if (!fields.Has("redact")) {
    return {};
  }
  cleaning.redact = true;
  if (body.at("redact").is_bool()) {
    cleaning.redact = body.at("redact").get_bool();
    cleaning.kinds = language::kAllPersonalData;
    return {};
  }
  ATELIER_ASSIGN(names, fields.StringsOr("redact", {}, language::kPersonalDataKinds));
  for (const auto& name : names) {
    const auto kind = language::PersonalDataFromName(name);
    if (!kind) {
      return InvalidArgument("'redact' must be true or a list of email, phone, ssn, chinese_id, card and ip", "redact");
    }
    cleaning.kinds[static_cast<size_t>(*kind)] = true;
  }
  return {};
}

Result<Cleaning> CleaningFrom(Fields& fields, const json::object& body) {
  Cleaning cleaning;
  ATELIER_ASSIGN(html, fields.BoolOr("html", false));
  ATELIER_ASSIGN(form, fields.StringOr("normalize", "", 8));
  ATELIER_ASSIGN(half_width, fields.BoolOr("half_width", false));
  ATELIER_ASSIGN(script, fields.StringOr("script", "", 16));
  ATELIER_ASSIGN(whitespace, fields.BoolOr("whitespace", false));
  ATELIER_ASSIGN(lower, fields.BoolOr("lower", false));
  ATELIER_TRY(TakeRedaction(fields, body, cleaning));
  cleaning.html = html;
  cleaning.half_width = half_width;
  cleaning.whitespace = whitespace;
  cleaning.lower = lower;
  cleaning.form = language::NormalFormFromName(form);
  if (!form.empty() && !cleaning.form) {
    return InvalidArgument("'normalize' must be nfc, nfd, nfkc or nfkd", "normalize");
  }
  if (script == "simplified" || script == "traditional") {
    ATELIER_ASSIGN(made,
                   language::ChineseScript::Create(script == "simplified" ? language::ChineseScript::To::kSimplified
                                                                          : language::ChineseScript::To::kTraditional));
    cleaning.script.emplace(std::move(made));
  } else if (!script.empty()) {
    return InvalidArgument("'script' must be simplified or traditional", "script");
  }
  return cleaning;
}

json::object Clean(const Cleaning& cleaning, std::string text) {
  text = cleaning.html ? language::StripHtml(text) : std::move(text);
  text = cleaning.form ? language::Normalize(text, *cleaning.form) : std::move(text);
  text = cleaning.half_width ? language::HalfWidth(text) : std::move(text);
  text = cleaning.script ? cleaning.script->Convert(text) : std::move(text);
  text = cleaning.whitespace ? language::CleanWhitespace(text) : std::move(text);
  text = cleaning.lower ? language::Lower(text) : std::move(text);
  json::object item;
  if (cleaning.redact) {
    auto redacted = language::Redact(text, cleaning.kinds);
    json::object counts;
    for (size_t kind = 0; kind < redacted.counts.size(); ++kind) {
      if (redacted.counts[kind] > 0) {
        counts[language::Name(static_cast<language::PersonalData>(kind))] = redacted.counts[kind];
      }
    }
    item["redacted"] = std::move(counts);
    text = std::move(redacted.text);
  }
  item["text"] = std::move(text);
  return item;
}

struct AugmentWish {
  LanguageWish language;
  language::AugmentOptions options;
  int64_t variants = 1;
  int64_t seed = 0;
};

Result<AugmentWish> AugmentFrom(Fields& fields) {
  AugmentWish wish;
  ATELIER_ASSIGN(language, LanguageIn(fields));
  ATELIER_ASSIGN(variants, fields.IntOr("variants", 1, 1, kMaxVariants));
  ATELIER_ASSIGN(seed, fields.IntOr("seed", 0, 0, std::numeric_limits<int64_t>::max()));
  ATELIER_ASSIGN(synonyms, fields.NumberOr("synonyms", 0, 0, 1));
  ATELIER_ASSIGN(deletion, fields.NumberOr("deletion", 0, 0, 1));
  ATELIER_ASSIGN(swaps, fields.NumberOr("swaps", 0, 0, 1));
  wish.language = language;
  wish.options = {synonyms, deletion, swaps};
  wish.variants = variants;
  wish.seed = seed;
  return wish;
}

Result<json::object> Variants(language::Toolbox& box, const AugmentWish& wish, const std::string& text, size_t index) {
  const std::string code = wish.language.Of(box, text).language;
  if (wish.options.synonyms > 0 && code != "en") {
    return InvalidArgument("there are synonyms of English only, and the text is in '" + code + "'", "synonyms");
  }
  ATELIER_ASSIGN(segmenter, box.SegmenterOf(code == "und" ? "en" : code));
  std::shared_ptr<const language::WordNet> net;
  if (wish.options.synonyms > 0) {
    ATELIER_ASSIGN(found, box.Net());
    net = std::move(found);
  }
  ATELIER_ASSIGN(stop_words, language::StopWords::Of("en"));
  const language::Augmenter augmenter(*segmenter, code != "zh" && code != "ja" && code != "th", net.get(), stop_words);
  SeededRng rng(static_cast<uint64_t>(wish.seed), index);
  json::array variants;
  for (int64_t i = 0; i < wish.variants; ++i) {
    ATELIER_ASSIGN(variant, augmenter.Variant(text, wish.options, rng));
    variants.emplace_back(std::move(variant));
  }
  return json::object{{"index", index}, {"language", code}, {"variants", std::move(variants)}};
}

}  // namespace

Result<Response> CleanText(const Services& /*services*/, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(texts, TextsIn(fields, body));
  ATELIER_ASSIGN(cleaning, CleaningFrom(fields, body));
  ATELIER_TRY(fields.RejectUnknown());
  json::array data;
  for (size_t i = 0; i < texts.size(); ++i) {
    auto item = Clean(cleaning, std::move(texts[i]));
    item["index"] = i;
    data.push_back(std::move(item));
  }
  return JsonResponse(json::object{{"object", "list"}, {"data", std::move(data)}});
}

Result<Response> AugmentText(const Services& services, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(texts, TextsIn(fields, body));
  ATELIER_ASSIGN(wish, AugmentFrom(fields));
  ATELIER_TRY(fields.RejectUnknown());
  json::array data;
  for (size_t i = 0; i < texts.size(); ++i) {
    ATELIER_ASSIGN(item, Variants(services.language->box(), wish, texts[i], i));
    data.push_back(std::move(item));
  }
  return JsonResponse(json::object{{"object", "list"}, {"data", std::move(data)}});
}

}  // namespace atelier::api::platform
