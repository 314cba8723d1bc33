// Decoding pictures, with their size known before a pixel is decoded.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::media {

struct ImageLimits {
  uint64_t max_bytes = 20ULL << 20U;
  uint64_t max_pixels = 64ULL << 20U;
};

struct ImageInfo {
  std::string_view format;  // "png" | "jpeg" | "bmp" | "webp" | "gif"
  int64_t width = 0;
  int64_t height = 0;
};

// Reads the header only. Errors: kInvalidArgument "unsupported_media_type" (no picture of these formats: SVG, TIFF,
// JPEG 2000, HEIC, ICO ... are refused), "invalid_image", "image_too_large".
Result<ImageInfo> Probe(std::string_view bytes, const ImageLimits& limits = {});

struct Image {
  int64_t channels = 0;  // 1 or 3 (RGB)
  int64_t height = 0;
  int64_t width = 0;
  std::vector<uint8_t> pixels;  // [channels, height, width]
};

// Decodes, turns by EXIF, drops alpha over black, and resizes (area when shrinking, else bilinear) to height x width
// where they are positive. channels: 1 or 3. Errors: as Probe.
Result<Image> Decode(std::string_view bytes, int64_t channels, int64_t height = 0, int64_t width = 0,
                     const ImageLimits& limits = {});

}  // namespace atelier::media
