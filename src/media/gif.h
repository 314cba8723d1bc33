// The first picture of a GIF (GIF89a specification, CompuServe 1990), which OpenCV 4.6 cannot read.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::media {

struct GifFrame {
  int64_t width = 0;
  int64_t height = 0;
  std::vector<uint8_t> rgb;  // [height, width, 3]; what the picture leaves free or transparent is black
};

// Errors: kInvalidArgument "invalid_image". The caller has checked the size against its limits.
Result<GifFrame> DecodeGif(std::string_view bytes);

}  // namespace atelier::media
