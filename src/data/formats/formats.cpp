#include <array>

#include "data/formats/format.h"

namespace atelier::data {

std::span<const Format* const> TabularFormats() {
  static constexpr std::array<const Format*, 4> kFormats{&kIdxFormat, &kCsvFormat, &kTsvFormat, &kJsonlFormat};
  return kFormats;
}

}  // namespace atelier::data
