#include "text/tokenizers/normalizer.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

#include <algorithm>

#include "text/utf8.h"

namespace atelier::text {
namespace {

using Kind = NormalizerStep::Kind;

constexpr size_t kMaxSteps = 32;
constexpr size_t kMaxContent = 64;            // bytes of a replacement
constexpr size_t kMaxGrowth = 64;             // published normalisers make a text at most 33 times as long
constexpr char32_t kCapitalIWithDot = 0x130;  // the only character whose lower case is more than one: i and U+0307

Error Bad(const std::string& message) { return InvalidArgument(message, "normalizer", "invalid_tokenizer"); }

// `run` of each run of well-formed UTF-8, and the rest as it is.
template <class Run>
std::string MapRuns(std::string_view text, const Run& run) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    bool valid = false;
    const size_t end = RunEnd(text, at, valid);
    if (valid) {
      run(text.substr(at, end - at), out);
    } else {
      out.append(text, at, end - at);
    }
    at = end;
  }
  return out;
}

const icu::Normalizer2* InstanceOf(Kind kind) {
  UErrorCode status = U_ZERO_ERROR;
  switch (kind) {
    case Kind::kNfc:
      return icu::Normalizer2::getNFCInstance(status);
    case Kind::kNfd:
      return icu::Normalizer2::getNFDInstance(status);
    case Kind::kNfkc:
      return icu::Normalizer2::getNFKCInstance(status);
    default:
      return icu::Normalizer2::getNFKDInstance(status);
  }
}

std::string NormalizeForm(Kind kind, std::string_view text) {
  const icu::Normalizer2* normalizer = InstanceOf(kind);
  return MapRuns(text, [&](std::string_view run, std::string& out) {
    std::string normalized;
    icu::StringByteSink<std::string> sink(&normalized);
    UErrorCode status = U_ZERO_ERROR;
    if (normalizer != nullptr && run.size() <= INT32_MAX) {
      normalizer->normalizeUTF8(0, icu::StringPiece(run.data(), static_cast<int32_t>(run.size())), sink, nullptr,
                                status);
    }
    const bool done = normalizer != nullptr && run.size() <= INT32_MAX && U_SUCCESS(status);
    out += done ? std::string_view(normalized) : run;
  });
}

template <class Map>  // void(char32_t, std::string& out)
std::string MapCharacters(std::string_view text, const Map& map) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = ReadUtf8(text, at);
    if (step.valid) {
      map(step.value, out);
    } else {
      out.append(text, at, step.length);
    }
    at += step.length;
  }
  return out;
}

std::string Lowercase(std::string_view text) {
  return MapCharacters(text, [](char32_t character, std::string& out) {
    if (character == kCapitalIWithDot) {
      out += "i\xCC\x87";
    } else {
      AppendUtf8(out, LowerCase(character));
    }
  });
}

std::string StripAccents(std::string_view text) {
  return MapCharacters(text, [](char32_t character, std::string& out) {
    if ((U_GET_GC_MASK(static_cast<UChar32>(character)) & U_GC_M_MASK) == 0) {
      AppendUtf8(out, character);
    }
  });
}

std::string Strip(std::string_view text, bool left, bool right) {
  size_t begin = text.size();
  size_t end = 0;
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = ReadUtf8(text, at);
    if (!step.valid || !u_isUWhiteSpace(static_cast<UChar32>(step.value))) {
      begin = std::min(begin, at);
      end = at + step.length;
    }
    at += step.length;
  }
  begin = left ? begin : 0;
  end = right ? end : text.size();
  return begin < end ? std::string(text.substr(begin, end - begin)) : "";
}

std::string ReplaceMatches(const Regex& regex, std::string_view text, std::string_view content) {
  RegexMatcher matcher(regex);
  return MapRuns(text, [&](std::string_view run, std::string& out) {
    size_t done = 0;
    size_t begin = 0;
    size_t end = 0;
    while (done < run.size() && matcher.Find(run, done, begin, end)) {
      out.append(run, done, begin - done).append(content);
      done = end;
    }
    out.append(run, std::min(done, run.size()));
  });
}

}  // namespace

char32_t LowerCase(char32_t character) { return static_cast<char32_t>(u_tolower(static_cast<UChar32>(character))); }

std::string DecomposeCanonically(std::string_view text) { return NormalizeForm(Kind::kNfd, text); }

Result<Normalizer> Normalizer::Make(const TokenizerSpec& spec) {
  if (spec.normalizer.size() > kMaxSteps) {
    return Bad("a normaliser has at most " + std::to_string(kMaxSteps) + " steps");
  }
  Normalizer normalizer;
  std::vector<NormalizerStep> steps = spec.normalizer;
  const auto is_charsmap = [](const NormalizerStep& step) { return step.kind == Kind::kCharsmap; };
  if (!spec.precompiled_charsmap.empty()) {
    ATELIER_ASSIGN(charsmap, Charsmap::Parse(spec.precompiled_charsmap));
    normalizer.charsmap_ = std::move(charsmap);
    if (std::ranges::none_of(steps, is_charsmap)) {
      steps.insert(steps.begin(), {.kind = Kind::kCharsmap});
    }
  } else if (std::ranges::any_of(steps, is_charsmap)) {
    return Bad("a step wants a precompiled_charsmap, and there is none");
  }
  for (NormalizerStep& step : steps) {
    Step prepared{std::move(step), std::nullopt};
    if (prepared.step.kind == Kind::kReplace && prepared.step.pattern.empty()) {
      return Bad("the pattern of a replacement is empty");
    }
    if (prepared.step.content.size() > kMaxContent) {
      return Bad("a replacement has " + std::to_string(prepared.step.content.size()) + " bytes, more than " +
                 std::to_string(kMaxContent));
    }
    if (prepared.step.kind == Kind::kReplaceRegex) {
      ATELIER_ASSIGN(regex, Regex::Compile(prepared.step.pattern));
      prepared.regex = std::move(regex);
    }
    normalizer.steps_.push_back(std::move(prepared));
  }
  return normalizer;
}

std::string Normalizer::Apply(std::string text) const {
  const size_t limit = kMaxContent + kMaxGrowth * text.size();
  for (const Step& step : steps_) {
    text = ApplyStep(step, std::move(text));
    text.resize(std::min(text.size(), limit));
  }
  return text;
}

std::string Normalizer::ApplyStep(const Step& step, std::string text) const {
  const NormalizerStep& data = step.step;
  switch (data.kind) {
    case Kind::kNfc:
    case Kind::kNfd:
    case Kind::kNfkc:
    case Kind::kNfkd:
      return NormalizeForm(data.kind, text);
    case Kind::kLowercase:
      return Lowercase(text);
    case Kind::kStripAccents:
      return StripAccents(text);
    case Kind::kStrip:
      return Strip(text, data.left, data.right);
    case Kind::kReplace:
      return ReplaceAll(text, data.pattern, data.content);
    case Kind::kReplaceRegex:
      return ReplaceMatches(*step.regex, text, data.content);
    case Kind::kPrepend:
      return text.empty() ? text : data.content + text;
    case Kind::kPrependIfMissing:
      return text.empty() || text.starts_with(data.content) ? text : data.content + text;
    case Kind::kCharsmap:
      return charsmap_->Apply(text);
  }
  return text;
}

}  // namespace atelier::text
