#include "text/language/normalize.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/translit.h>
#include <unicode/uchar.h>

#include <array>

#include "base/ids.h"
#include "text/language/characters.h"
#include "text/utf8.h"

namespace atelier::text::language {
namespace {

constexpr std::array<std::string_view, 4> kForms = {"nfc", "nfd", "nfkc", "nfkd"};
constexpr size_t kMaxBytes = 1U << 30U;  // ICU counts in 32 bits; longer texts stay as they are

const icu::Normalizer2* InstanceOf(NormalForm form) {
  UErrorCode status = U_ZERO_ERROR;
  switch (form) {
    case NormalForm::kNfc:
      return icu::Normalizer2::getNFCInstance(status);
    case NormalForm::kNfd:
      return icu::Normalizer2::getNFDInstance(status);
    case NormalForm::kNfkc:
      return icu::Normalizer2::getNFKCInstance(status);
    default:
      return icu::Normalizer2::getNFKDInstance(status);
  }
}

char32_t HalfWidthOf(char32_t value) {
  if (value >= 0xFF01 && value <= 0xFF5E) {
    return value - 0xFEE0;
  }
  constexpr std::array<char32_t, 7> kSigns = {0xA2, 0xA3, 0xAC, 0xAF, 0xA6, 0xA5, 0x20A9};  // from U+FFE0
  if (value >= 0xFFE0 && value <= 0xFFE6) {
    return kSigns[value - 0xFFE0];
  }
  return value == 0x3000 ? U' ' : value;
}

// Joiners stay: Indic scripts and emoji need them.
bool IsInvisible(char32_t value) {
  constexpr std::u32string_view kInvisible = U"\u00AD\u180E\u200B\u2060\uFEFF\u200E\u200F";
  return u_charType(static_cast<UChar32>(value)) == U_CONTROL_CHAR ||
         kInvisible.find(value) != std::u32string_view::npos;
}

bool IsLineEnd(char32_t value) { return value == '\n' || value == 0x85 || value == 0x2028 || value == 0x2029; }

}  // namespace

std::optional<NormalForm> NormalFormFromName(std::string_view name) {
  for (size_t i = 0; i < kForms.size(); ++i) {
    if (name == kForms[i]) {
      return static_cast<NormalForm>(i);
    }
  }
  return std::nullopt;
}

std::string Normalize(std::string_view text, NormalForm form) {
  const std::string valid = IsUtf8(text) ? std::string(text) : ReplaceInvalidUtf8(text);
  const icu::Normalizer2* normalizer = InstanceOf(form);
  if (normalizer == nullptr || valid.size() > kMaxBytes) {
    return valid;
  }
  std::string out;
  icu::StringByteSink<std::string> sink(&out, static_cast<int32_t>(valid.size()));
  UErrorCode status = U_ZERO_ERROR;
  normalizer->normalizeUTF8(0, valid, sink, nullptr, status);
  return U_SUCCESS(status) ? out : valid;
}

std::string HalfWidth(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = ReadUtf8(text, at);
    AppendUtf8(out, HalfWidthOf(step.value));
    at += step.length;
  }
  return out;
}

struct ChineseScript::State {
  std::unique_ptr<icu::Transliterator> transliterator;
};

ChineseScript::ChineseScript(std::unique_ptr<State> state) : state_(std::move(state)) {}
ChineseScript::~ChineseScript() = default;
ChineseScript::ChineseScript(ChineseScript&&) noexcept = default;

Result<ChineseScript> ChineseScript::Create(To to) {
  UErrorCode status = U_ZERO_ERROR;
  auto state = std::make_unique<State>();
  state->transliterator.reset(icu::Transliterator::createInstance(
      to == To::kSimplified ? "Traditional-Simplified" : "Simplified-Traditional", UTRANS_FORWARD, status));
  if (U_FAILURE(status) || state->transliterator == nullptr) {
    return MakeError(Code::kUnimplemented, "this build of ICU has no tables of traditional and simplified Chinese");
  }
  return ChineseScript(std::move(state));
}

std::string ChineseScript::Convert(std::string_view text) const {
  if (text.size() > kMaxBytes) {
    return std::string(text);
  }
  auto wide = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  state_->transliterator->transliterate(wide);
  std::string out;
  wide.toUTF8String(out);
  return out;
}

std::string CleanWhitespace(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  size_t lines = 0;  // line ends since the last character that stays
  bool blank = false;
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = ReadUtf8(text, at);
    at += step.length;
    char32_t value = step.value;
    if (value == '\r') {
      at += at < text.size() && text[at] == '\n' ? 1 : 0;
      value = '\n';
    }
    if (IsLineEnd(value)) {
      ++lines;
    } else if (IsSpace(value)) {
      blank = true;
    } else if (!IsInvisible(value)) {
      if (!out.empty() && lines > 0) {
        out.append(lines > 1 ? "\n\n" : "\n");
      } else if (!out.empty() && blank) {
        out += ' ';
      }
      lines = 0;
      blank = false;
      AppendUtf8(out, value);
    }
  }
  return out;
}

}  // namespace atelier::text::language
