#include "data/images/formats.h"

#include <array>

#include "data/images/images.h"

namespace atelier::data {

std::span<const Format* const> AllFormats() {
  // The first that claims all files wins.
  static const auto kFormats = [] {
    const auto tabular = TabularFormats();
    std::vector<const Format*> all(tabular.begin(), tabular.end());
    all.push_back(&kImagesFormat);
    all.push_back(&kAudioFormat);
    return all;
  }();
  return kFormats;
}

}  // namespace atelier::data
