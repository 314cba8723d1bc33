#include <array>

#include "data/formats/format.h"

namespace atelier::data {

std::span<const Format* const> TabularFormats() {
  // The first that claims all files and accepts what is in them wins.
  static constexpr std::array<const Format*, 14> kFormats{
      &kIdxFormat,      &kPatternFormat, &kConllFormat,  &kLabelledFormat,   &kCsvFormat,
      &kTsvFormat,      &kJsonlFormat,   &kJsonFormat,   &kXmlFormat,        &kTaggedFormat,
      &kParallelFormat, &kTextFormat,    &kTuningFormat, &kPreferencesFormat};
  return kFormats;
}

Result<std::string> FormatContext::Peek(const SourceFile& file, size_t max_bytes, bool& whole) {
  ATELIER_ASSIGN(input, Input::Open(blobs, file, {.archives = &archives, .encoding = options.encoding}));
  std::string out;
  whole = false;
  while (out.size() < max_bytes) {
    ATELIER_ASSIGN(chunk, input->Next());
    if (chunk.empty()) {
      whole = true;
      return out;
    }
    out.append(chunk.substr(0, max_bytes - out.size()));
  }
  return out;
}

}  // namespace atelier::data
