// The headers of the five formats, read by hand: the size is known before any decoder sees the bytes.
#include <algorithm>
#include <optional>

#include "media/image.h"

namespace atelier::media {
namespace {

using Size = std::optional<ImageInfo>;  // nothing: the header is damaged

uint32_t At(std::string_view bytes, size_t i) { return static_cast<uint8_t>(bytes[i]); }
uint32_t Little16(std::string_view b, size_t i) { return At(b, i) | (At(b, i + 1) << 8U); }
uint32_t Little24(std::string_view b, size_t i) { return Little16(b, i) | (At(b, i + 2) << 16U); }
uint32_t Little32(std::string_view b, size_t i) { return Little16(b, i) | (Little16(b, i + 2) << 16U); }
uint32_t Big16(std::string_view b, size_t i) { return (At(b, i) << 8U) | At(b, i + 1); }
uint32_t Big32(std::string_view b, size_t i) { return (Big16(b, i) << 16U) | Big16(b, i + 2); }

Size ProbePng(std::string_view b) {
  if (b.size() < 33 || Big32(b, 8) != 13 || b.substr(12, 4) != "IHDR") {
    return std::nullopt;
  }
  return ImageInfo{"png", Big32(b, 16), Big32(b, 20)};
}

bool StartOfFrame(uint32_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

Size ProbeJpeg(std::string_view b) {
  size_t i = 2;
  while (i + 4 <= b.size()) {
    if (At(b, i) != 0xFF) {
      return std::nullopt;
    }
    const uint32_t marker = At(b, i + 1);
    if (marker == 0xFF) {  // fill byte
      ++i;
      continue;
    }
    if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7)) {  // markers without a length
      i += 2;
      continue;
    }
    const uint32_t length = Big16(b, i + 2);
    if (marker == 0xD9 || marker == 0xDA || length < 2) {  // pixels before a frame
      return std::nullopt;
    }
    if (StartOfFrame(marker)) {
      if (length < 8 || i + 9 > b.size()) {
        return std::nullopt;
      }
      return ImageInfo{"jpeg", Big16(b, i + 7), Big16(b, i + 5)};
    }
    i += 2 + length;
  }
  return std::nullopt;
}

Size ProbeBmp(std::string_view b) {
  if (b.size() < 26) {
    return std::nullopt;
  }
  const uint32_t header = Little32(b, 14);
  if (header == 12) {
    return ImageInfo{"bmp", Little16(b, 18), Little16(b, 20)};
  }
  const auto width = static_cast<int32_t>(Little32(b, 18));
  const int64_t height = static_cast<int32_t>(Little32(b, 22));  // negative: the first row is the top one
  if (header < 40 || header > 124) {
    return std::nullopt;
  }
  return ImageInfo{"bmp", width, height < 0 ? -height : height};
}

Size ProbeGif(std::string_view b) {
  if (b.size() < 13) {
    return std::nullopt;
  }
  return ImageInfo{"gif", Little16(b, 6), Little16(b, 8)};
}

Size ProbeWebp(std::string_view b) {
  if (b.size() < 30) {
    return std::nullopt;
  }
  const std::string_view chunk = b.substr(12, 4);
  if (chunk == "VP8X") {
    return ImageInfo{"webp", Little24(b, 24) + 1, Little24(b, 27) + 1};
  }
  if (chunk == "VP8L" && At(b, 20) == 0x2F) {
    const uint32_t bits = Little32(b, 21);
    return ImageInfo{"webp", (bits & 0x3FFFU) + 1, ((bits >> 14U) & 0x3FFFU) + 1};
  }
  if (chunk == "VP8 " && b.substr(23, 3) == std::string_view("\x9D\x01\x2A", 3)) {
    return ImageInfo{"webp", Little16(b, 26) & 0x3FFFU, Little16(b, 28) & 0x3FFFU};
  }
  return std::nullopt;
}

struct Magic {
  std::string_view bytes;
  Size (*probe)(std::string_view);
};
constexpr Magic kMagics[] = {
    {std::string_view("\x89PNG\r\n\x1a\n", 8), ProbePng},
    {std::string_view("\xFF\xD8\xFF", 3), ProbeJpeg},
    {std::string_view("GIF87a", 6), ProbeGif},
    {std::string_view("GIF89a", 6), ProbeGif},
    {std::string_view("BM", 2), ProbeBmp},
};

Error Invalid(std::string message) { return InvalidArgument(std::move(message), "", "invalid_image"); }

}  // namespace

Result<ImageInfo> Probe(std::string_view bytes, const ImageLimits& limits) {
  if (bytes.size() > limits.max_bytes) {
    return InvalidArgument(
        "the picture has " + std::to_string(bytes.size()) + " bytes, the limit is " + std::to_string(limits.max_bytes),
        "", "image_too_large");
  }
  if (bytes.empty()) {
    return Invalid("the picture is empty");
  }
  Size (*probe)(std::string_view) = nullptr;
  for (const auto& magic : kMagics) {
    if (bytes.starts_with(magic.bytes)) {
      probe = magic.probe;
    }
  }
  if (bytes.starts_with("RIFF") && bytes.size() >= 12 && bytes.substr(8, 4) == "WEBP") {
    probe = ProbeWebp;
  }
  if (probe == nullptr) {
    return InvalidArgument("this is no PNG, JPEG, BMP, GIF or WebP picture", "", "unsupported_media_type");
  }
  const Size info = probe(bytes);
  if (!info || info->width <= 0 || info->height <= 0) {
    return Invalid("the header of the picture is damaged");
  }
  const auto pixels = static_cast<uint64_t>(info->width) * static_cast<uint64_t>(info->height);  // each below 2^32
  if (pixels > limits.max_pixels) {
    return InvalidArgument("the picture has " + std::to_string(info->width) + " x " + std::to_string(info->height) +
                               " pixels, the limit is " + std::to_string(limits.max_pixels) + " in all",
                           "", "image_too_large");
  }
  return *info;
}

}  // namespace atelier::media
