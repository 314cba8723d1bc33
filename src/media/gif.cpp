#include "media/gif.h"

#include <algorithm>
#include <array>

namespace atelier::media {
namespace {

constexpr size_t kMaxCodes = 4096;

Error Damaged(const char* what) {
  return InvalidArgument(std::string("the GIF is damaged: ") + what, "", "invalid_image");
}

// Bounds-checked reading; `ok` turns false at the end and stays so.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  uint32_t Byte() {
    if (position_ >= bytes_.size()) {
      ok_ = false;
      return 0;
    }
    return static_cast<uint8_t>(bytes_[position_++]);
  }
  uint32_t Word() {
    const uint32_t low = Byte();
    return low | (Byte() << 8U);
  }
  std::string_view Take(size_t count) {
    if (count > bytes_.size() - position_) {
      ok_ = false;
      return {};
    }
    position_ += count;
    return bytes_.substr(position_ - count, count);
  }
  bool ok() const { return ok_; }

 private:
  std::string_view bytes_;
  size_t position_ = 0;
  bool ok_ = true;
};

std::string ReadBlocks(Cursor& cursor) {
  std::string data;
  while (cursor.ok()) {
    const uint32_t size = cursor.Byte();
    if (size == 0) {
      break;
    }
    data.append(cursor.Take(size));
  }
  return data;
}

// LZW with codes of growing width, as the GIF appendix defines it.
class Lzw {
 public:
  Lzw(std::string_view data, uint32_t minimum_bits) : data_(data), minimum_bits_(minimum_bits) {
    for (size_t i = 0; i < (size_t{1} << minimum_bits); ++i) {
      suffixes_.at(i) = static_cast<uint8_t>(i);
    }
  }

  bool Decode(size_t count, std::vector<uint8_t>& out) {
    const uint32_t clear = 1U << minimum_bits_;
    Clear();
    while (out.size() < count) {
      uint32_t code = 0;
      if (!Next(code) || code == clear + 1) {
        return false;  // the picture ends before its pixels do
      }
      if (code == clear) {
        Clear();
        continue;
      }
      if (code > next_ || (code == next_ && previous_ == kNone)) {
        return false;
      }
      Emit(code, out);
    }
    out.resize(count);
    return true;
  }

 private:
  static constexpr uint32_t kNone = kMaxCodes;

  void Clear() {
    next_ = (1U << minimum_bits_) + 2;
    bits_ = minimum_bits_ + 1;
    previous_ = kNone;
  }

  bool Next(uint32_t& code) {
    while (available_ < bits_) {
      if (position_ >= data_.size()) {
        return false;
      }
      buffer_ |= static_cast<uint32_t>(static_cast<uint8_t>(data_[position_++])) << available_;
      available_ += 8;
    }
    code = buffer_ & ((1U << bits_) - 1);
    buffer_ >>= bits_;
    available_ -= bits_;
    return true;
  }

  void Emit(uint32_t code, std::vector<uint8_t>& out) {
    const bool unknown = code == next_;  // the one code that may be used before it is in the table
    uint32_t walk = unknown ? previous_ : code;
    const size_t begin = out.size();
    const uint32_t clear = 1U << minimum_bits_;
    while (walk > clear + 1) {
      out.push_back(suffixes_.at(walk));
      walk = prefixes_.at(walk);
    }
    const auto first = static_cast<uint8_t>(walk);
    out.push_back(first);
    std::reverse(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end());
    if (unknown) {
      out.push_back(first);
    }
    if (previous_ != kNone && next_ < kMaxCodes) {
      prefixes_.at(next_) = static_cast<uint16_t>(previous_);
      suffixes_.at(next_) = first;
      ++next_;
      if (next_ == (1U << bits_) && bits_ < 12) {
        ++bits_;
      }
    }
    previous_ = code;
  }

  std::string_view data_;
  uint32_t minimum_bits_;
  std::array<uint16_t, kMaxCodes> prefixes_{};
  std::array<uint8_t, kMaxCodes> suffixes_{};
  uint32_t next_ = 0;
  uint32_t bits_ = 0;
  uint32_t previous_ = kNone;
  size_t position_ = 0;
  uint32_t buffer_ = 0;
  uint32_t available_ = 0;
};

struct Placement {
  uint32_t left = 0, top = 0, width = 0, height = 0;
  bool interlaced = false;
  int transparent = -1;
  std::string_view palette;
};

// The row that comes as number `i` of an interlaced picture: passes of 8, 8, 4 and 2 rows.
uint32_t InterlacedRow(uint32_t i, uint32_t height) {
  constexpr std::array<std::pair<uint32_t, uint32_t>, 4> kPasses{{{0, 8}, {4, 8}, {2, 4}, {1, 2}}};
  for (const auto& [start, step] : kPasses) {
    const uint32_t rows = height > start ? (height - start + step - 1) / step : 0;
    if (i < rows) {
      return start + i * step;
    }
    i -= rows;
  }
  return 0;
}

void Paint(const Placement& place, const std::vector<uint8_t>& indices, GifFrame& frame) {
  for (uint32_t i = 0; i < place.height; ++i) {
    const uint32_t row = place.top + (place.interlaced ? InterlacedRow(i, place.height) : i);
    for (uint32_t x = 0; x < place.width; ++x) {
      const size_t index = indices[static_cast<size_t>(i) * place.width + x];
      if (static_cast<int>(index) == place.transparent || index * 3 + 2 >= place.palette.size()) {
        continue;
      }
      const size_t at = (static_cast<size_t>(row) * static_cast<size_t>(frame.width) + place.left + x) * 3;
      for (size_t c = 0; c < 3; ++c) {
        frame.rgb[at + c] = static_cast<uint8_t>(place.palette[index * 3 + c]);
      }
    }
  }
}

Status ReadPicture(Cursor& cursor, Placement place, GifFrame& frame) {
  place.left = cursor.Word();
  place.top = cursor.Word();
  place.width = cursor.Word();
  place.height = cursor.Word();
  const uint32_t flags = cursor.Byte();
  place.interlaced = (flags & 0x40U) != 0;
  if ((flags & 0x80U) != 0) {
    place.palette = cursor.Take(size_t{3} << ((flags & 7U) + 1));
  }
  const uint32_t minimum_bits = cursor.Byte();
  const std::string data = ReadBlocks(cursor);
  if (!cursor.ok() || minimum_bits < 2 || minimum_bits > 8 || place.palette.empty() || place.width == 0 ||
      place.height == 0 || place.left + place.width > static_cast<uint64_t>(frame.width) ||
      place.top + place.height > static_cast<uint64_t>(frame.height)) {
    return Damaged("its first picture does not fit");
  }
  std::vector<uint8_t> indices;
  if (!Lzw(data, minimum_bits).Decode(static_cast<size_t>(place.width) * place.height, indices)) {
    return Damaged("its pixels end early or are no valid code");
  }
  Paint(place, indices, frame);
  return {};
}

}  // namespace

Result<GifFrame> DecodeGif(std::string_view bytes) {
  Cursor cursor(bytes);
  cursor.Take(6);
  GifFrame frame;
  frame.width = cursor.Word();
  frame.height = cursor.Word();
  const uint32_t flags = cursor.Byte();
  cursor.Take(2);
  Placement place;
  if ((flags & 0x80U) != 0) {
    place.palette = cursor.Take(size_t{3} << ((flags & 7U) + 1));
  }
  if (!cursor.ok() || frame.width == 0 || frame.height == 0) {
    return Damaged("its header is cut off");
  }
  while (cursor.ok()) {
    const uint32_t block = cursor.Byte();
    if (block == 0x2C) {
      frame.rgb.assign(static_cast<size_t>(frame.width) * static_cast<size_t>(frame.height) * 3, 0);
      ATELIER_TRY(ReadPicture(cursor, place, frame));
      return frame;
    }
    if (block != 0x21) {
      break;
    }
    const uint32_t label = cursor.Byte();
    const std::string extension = ReadBlocks(cursor);
    if (label == 0xF9 && extension.size() >= 4) {  // graphic control: which colour is transparent
      place.transparent = (static_cast<uint8_t>(extension[0]) & 1U) != 0 ? static_cast<uint8_t>(extension[3]) : -1;
    }
  }
  return Damaged("it has no picture");
}

}  // namespace atelier::media
