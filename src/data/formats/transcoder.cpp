#include "data/formats/transcoder.h"

#include <array>
#include <cerrno>
#include <utility>

namespace atelier::data {
namespace {

constexpr size_t kMaxCharacterBytes = 16;
constexpr std::array<std::string_view, 8> kNames{"utf-8",        "gb18030", "big5",      "latin-1",
                                                 "windows-1252", "utf-16",  "shift-jis", "euc-kr"};
constexpr std::array<const char*, 8> kIconvNames{"UTF-8",  "GB18030", "BIG5",      "ISO-8859-1",
                                                 "CP1252", "UTF-16",  "SHIFT_JIS", "EUC-KR"};

}  // namespace

std::span<const std::string_view> EncodingNames() { return kNames; }

Result<Transcoder> Transcoder::Create(std::string_view encoding) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames.at(i) == encoding) {
      Transcoder out;
      out.name_ = encoding;
      const iconv_t handle = ::iconv_open("UTF-8", kIconvNames.at(i));
      if (handle == reinterpret_cast<iconv_t>(-1)) {  // NOLINT(performance-no-int-to-ptr): iconv's way to say no
        return Unavailable("this system cannot read '" + std::string(encoding) + "'");
      }
      out.handle_.reset(handle);
      return out;
    }
  }
  return InvalidArgument("there is no encoding '" + std::string(encoding) + "'", "encoding");
}

Result<std::string_view> Transcoder::Convert(std::string_view bytes) {
  if (bytes.empty()) {
    return rest_.empty() ? Result<std::string_view>(std::string_view())
                         : InvalidArgument("the text ends within a character of " + name_);
  }
  rest_.append(bytes);
  out_.resize(rest_.size() * 3 + kMaxCharacterBytes);  // no character grows to more than three times its bytes
  char* in = rest_.data();
  size_t in_left = rest_.size();
  char* out = out_.data();
  size_t out_left = out_.size();
  const size_t code = ::iconv(handle_.get(), &in, &in_left, &out, &out_left);
  const int reason = errno;
  done_ += rest_.size() - in_left;
  if (code == static_cast<size_t>(-1) && (reason != EINVAL || in_left > kMaxCharacterBytes)) {
    return InvalidArgument("byte " + std::to_string(done_ + 1) + " is not " + name_);
  }
  rest_.erase(0, rest_.size() - in_left);
  return std::string_view(out_).substr(0, out_.size() - out_left);
}

}  // namespace atelier::data
