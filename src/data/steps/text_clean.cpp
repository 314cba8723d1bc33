// normalize_text, strip_html, clean_whitespace, lower, redact: texts made alike, without markup and personal data.
#include "data/steps/kinds.h"
#include "data/steps/text_step.h"
#include "text/language/html.h"
#include "text/language/normalize.h"
#include "text/language/redact.h"

namespace atelier::data::steps {
namespace {

namespace language = text::language;

constexpr Parameter kTextColumns{
    .name = "columns", .type = ParameterType::kColumns, .help = "Text columns", .fallback = "all", .columns = kText};

using Change = std::string (*)(std::string_view text);

// A step that needs nothing but the text.
template <Change change>
Result<std::unique_ptr<Step>> MakeChange(const Arguments& arguments, Schema& /*schema*/) {
  return MakeTextMap(arguments.Columns("columns"), [](std::string_view text, int64_t /*row*/, std::string& out) {
    out = change(text);
    return Status();
  });
}

Result<std::unique_ptr<Step>> MakeNormalize(const Arguments& arguments, Schema& /*schema*/) {
  const std::string form_name = arguments.Text("form");
  const auto form = language::NormalFormFromName(form_name);
  const bool half_width = arguments.Bool("half_width");
  std::shared_ptr<const language::ChineseScript> script;
  if (const std::string wanted = arguments.Text("script"); wanted != "keep") {
    ATELIER_ASSIGN(made,
                   language::ChineseScript::Create(wanted == "simplified" ? language::ChineseScript::To::kSimplified
                                                                          : language::ChineseScript::To::kTraditional));
    script = std::make_shared<const language::ChineseScript>(std::move(made));
  }
  return MakeTextMap(arguments.Columns("columns"),
                     [form, half_width, script](std::string_view text, int64_t /*row*/, std::string& out) {
                       out = form ? language::Normalize(text, *form) : std::string(text);
                       out = half_width ? language::HalfWidth(out) : std::move(out);
                       out = script != nullptr ? script->Convert(out) : std::move(out);
                       return Status();
                     });
}

Result<std::unique_ptr<Step>> MakeRedact(const Arguments& arguments, Schema& /*schema*/) {
  language::PersonalDataKinds kinds = language::kAllPersonalData;
  if (arguments.Has("kinds")) {
    kinds = {};
    for (const auto& name : arguments.Texts("kinds")) {
      const auto kind = language::PersonalDataFromName(name);
      if (!kind) {
        return arguments.Wrong("kinds", "'kinds' must be of email, phone, ssn, chinese_id, card and ip");
      }
      kinds[static_cast<size_t>(*kind)] = true;
    }
  }
  return MakeTextMap(arguments.Columns("columns"), [kinds](std::string_view text, int64_t /*row*/, std::string& out) {
    out = language::Redact(text, kinds).text;
    return Status();
  });
}

constexpr Parameter kOnlyColumns[] = {kTextColumns};
constexpr Parameter kNormalizeParameters[] = {kTextColumns,
                                              {.name = "form",
                                               .type = ParameterType::kChoice,
                                               .help = "Normalisation form of Unicode",
                                               .fallback = "\"nfc\"",
                                               .choices = "nfc|nfd|nfkc|nfkd|keep"},
                                              {.name = "half_width",
                                               .type = ParameterType::kBool,
                                               .help = "Full-width letters, digits and signs as usual ones",
                                               .fallback = "false"},
                                              {.name = "script",
                                               .type = ParameterType::kChoice,
                                               .help = "Script of Chinese text",
                                               .fallback = "\"keep\"",
                                               .choices = "keep|simplified|traditional"}};
constexpr Parameter kRedactParameters[] = {kTextColumns,
                                           {.name = "kinds",
                                            .type = ParameterType::kTexts,
                                            .help = "Of email, phone, ssn, chinese_id, card, ip; absent: all",
                                            .fallback = "null"}};

}  // namespace

const StepKind kNormalizeTextStep{"normalize_text", "One spelling for texts that look the same", kNormalizeParameters,
                                  MakeNormalize};
const StepKind kStripHtmlStep{"strip_html", "The text of HTML, without tags", kOnlyColumns,
                              MakeChange<language::StripHtml>};
const StepKind kCleanWhitespaceStep{"clean_whitespace", "White space tidied, invisible characters removed",
                                    kOnlyColumns, MakeChange<language::CleanWhitespace>};
const StepKind kLowerStep{"lower", "Lower case", kOnlyColumns, MakeChange<language::Lower>};
const StepKind kRedactStep{"redact", "Personal data replaced by [EMAIL], [PHONE], [CARD] and so on", kRedactParameters,
                           MakeRedact};

}  // namespace atelier::data::steps
