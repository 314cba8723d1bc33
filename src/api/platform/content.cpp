// Bytes of blobs as answers.
#include <charconv>
#include <cstdio>
#include <fstream>
#include <optional>

#include "api/platform/files.h"

namespace atelier::api::platform {
namespace {

class BlobSource final : public BodySource {
 public:
  explicit BlobSource(std::unique_ptr<storage::BlobReader> reader) : reader_(std::move(reader)) {}
  uint64_t size() const override { return reader_->size(); }
  Result<size_t> Read(std::span<std::byte> out) override { return reader_->Read(out); }

 private:
  std::unique_ptr<storage::BlobReader> reader_;
};

// A stretch of a verified local file.
class RangeSource final : public BodySource {
 public:
  RangeSource(std::ifstream file, uint64_t size) : file_(std::move(file)), size_(size), left_(size) {}
  uint64_t size() const override { return size_; }
  Result<size_t> Read(std::span<std::byte> out) override {
    const auto wanted = static_cast<std::streamsize>(std::min<uint64_t>(out.size(), left_));
    file_.read(reinterpret_cast<char*>(out.data()), wanted);
    if (file_.gcount() != wanted) {
      return Internal("a blob ended early");
    }
    left_ -= static_cast<uint64_t>(wanted);
    return static_cast<size_t>(wanted);
  }

 private:
  std::ifstream file_;
  uint64_t size_;
  uint64_t left_;
};

struct Range {
  uint64_t first = 0;
  uint64_t last = 0;
  bool satisfiable = true;
};

std::optional<uint64_t> Number(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = !text.empty() && error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

// Nothing where the whole is asked for: no range, several, or one that means nothing.
std::optional<Range> ParseRange(std::string_view text, uint64_t size) {
  if (!text.starts_with("bytes=")) {
    return std::nullopt;
  }
  text.remove_prefix(6);
  const auto dash = text.find('-');
  if (dash == std::string_view::npos || text.find(',') != std::string_view::npos) {
    return std::nullopt;
  }
  const auto first = Number(text.substr(0, dash));
  const auto last = Number(text.substr(dash + 1));
  if (dash == 0 && last.has_value()) {
    const uint64_t length = std::min(*last, size);
    return Range{size - length, size - 1, length > 0};
  }
  if (!first.has_value() || (!last.has_value() && dash + 1 < text.size()) || last.value_or(*first) < *first) {
    return std::nullopt;
  }
  return Range{*first, std::min(last.value_or(size), size == 0 ? 0 : size - 1), *first < size};
}

// RFC 6266, with the name in RFC 8187's form: any name is safe in it.
std::string Attachment(const std::string& filename) {
  static constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
  std::string text = "attachment; filename*=UTF-8''";
  for (const char c : filename) {
    if (kPlain.find(c) != std::string_view::npos) {
      text.push_back(c);
    } else {
      char escape[4];
      std::snprintf(escape, sizeof escape, "%%%02X", static_cast<unsigned char>(c));
      text += escape;
    }
  }
  return text;
}

}  // namespace

Result<Response> BlobResponse(const Services& services, const Request& request, const storage::BlobRef& blob,
                              const std::string& filename) {
  Response response;
  response.content_type = "application/octet-stream";
  response.headers = {
      {"Accept-Ranges", "bytes"}, {"ETag", "\"" + blob.sha256 + "\""}, {"Content-Disposition", Attachment(filename)}};
  const auto range = ParseRange(request.Header("range").value_or(""), blob.size);
  if (!range.has_value()) {
    ATELIER_ASSIGN(reader, services.blobs.Open(blob.sha256));
    response.source = std::make_unique<BlobSource>(std::move(reader));
    return response;
  }
  if (!range->satisfiable) {
    response = ErrorResponse(InvalidArgument("the range lies beyond the file", "", "range_not_satisfiable"), request);
    response.status = 416;
    response.headers.emplace_back("Content-Range", "bytes */" + std::to_string(blob.size));
    return response;
  }
  ATELIER_ASSIGN(path, services.blobs.LocalPath(blob.sha256));
  std::ifstream file(path, std::ios::binary);
  if (!file.seekg(static_cast<std::streamoff>(range->first))) {
    return Internal("a blob cannot be read");
  }
  response.status = 206;
  response.headers.emplace_back("Content-Range", "bytes " + std::to_string(range->first) + "-" +
                                                     std::to_string(range->last) + "/" + std::to_string(blob.size));
  response.source = std::make_unique<RangeSource>(std::move(file), range->last - range->first + 1);
  return response;
}

}  // namespace atelier::api::platform
