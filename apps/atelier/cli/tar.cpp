#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "atelier/cli/source.h"

namespace atelier::cli {
namespace {

constexpr uint64_t kBlock = 512;
constexpr uint64_t kMaxOctalSize = (1ULL << 33U) - 1;  // eleven octal digits

uint64_t Padded(uint64_t size) { return (size + kBlock - 1) / kBlock * kBlock; }

// Octal number, zero-filled, in a field that ends with a NUL.
void PutOctal(std::span<char> field, uint64_t value) {
  for (size_t i = field.size() - 1; i-- > 0;) {
    field[i] = static_cast<char>('0' + (value & 7U));
    value >>= 3U;
  }
}

// Where a name must be cut at a '/' to fit prefix (155) and name (100), or npos.
size_t CutForUstar(const std::string& name) {
  if (name.size() <= 100) {
    return 0;
  }
  const size_t cut = name.rfind('/', 155);
  return cut == std::string::npos || cut == 0 || name.size() - cut - 1 > 100 || name.size() == cut + 1
             ? std::string::npos
             : cut;
}

std::string Header(const std::string& name, uint64_t size, char type) {
  std::array<char, kBlock> block{};
  const std::span<char> all(block);
  const size_t cut = CutForUstar(name);
  const std::string tail = cut == std::string::npos ? name.substr(0, 100) : cut == 0 ? name : name.substr(cut + 1);
  std::memcpy(&block[0], tail.data(), tail.size());
  PutOctal(all.subspan(100, 8), 0644);
  PutOctal(all.subspan(108, 8), 0);
  PutOctal(all.subspan(116, 8), 0);
  PutOctal(all.subspan(124, 12), std::min(size, kMaxOctalSize));
  PutOctal(all.subspan(136, 12), 0);
  std::memset(&block[148], ' ', 8);
  block[156] = type;
  std::memcpy(&block[257], "ustar\00000", 8);
  if (cut != std::string::npos && cut > 0) {
    std::memcpy(&block[345], name.data(), cut);
  }
  uint64_t sum = 0;
  for (const char c : block) {
    sum += static_cast<unsigned char>(c);
  }
  PutOctal(all.subspan(148, 7), sum);
  return {block.data(), block.size()};
}

// "LENGTH key=value\n", where LENGTH counts itself.
std::string PaxRecord(const std::string& key, const std::string& value) {
  const size_t rest = key.size() + value.size() + 3;
  size_t length = rest + 1;
  while (rest + std::to_string(length).size() != length) {
    length = rest + std::to_string(length).size();
  }
  return std::to_string(length) + " " + key + "=" + value + "\n";
}

// The header blocks before a file's bytes.
std::string Headers(const TarEntry& entry) {
  std::string records;
  if (CutForUstar(entry.name) == std::string::npos) {
    records += PaxRecord("path", entry.name);
  }
  if (entry.size > kMaxOctalSize) {
    records += PaxRecord("size", std::to_string(entry.size));
  }
  if (records.empty()) {
    return Header(entry.name, entry.size, '0');
  }
  std::string out = Header("PaxHeader", records.size(), 'x') + records;
  out.resize(Padded(out.size()), '\0');
  return out + Header(entry.name, entry.size, '0');
}

// The archive is a row of segments: headers of a file, its bytes, padding.
class TarSource final : public Source {
 public:
  explicit TarSource(std::vector<TarEntry> entries) : entries_(std::move(entries)) {
    for (const auto& entry : entries_) {
      begins_.push_back(size_);
      size_ += Headers(entry).size() + Padded(entry.size);
    }
    begins_.push_back(size_);
    size_ += 2 * kBlock;
  }

  uint64_t size() const override { return size_; }

  Status Read(uint64_t offset, std::span<char> out) override {
    while (!out.empty()) {
      const auto after = std::upper_bound(begins_.begin(), begins_.end(), offset);
      const auto index = static_cast<size_t>(after - begins_.begin()) - 1;
      const uint64_t end = index + 1 < begins_.size() ? begins_[index + 1] : size_;
      const auto count = static_cast<size_t>(std::min<uint64_t>(end - offset, out.size()));
      if (index == entries_.size()) {
        std::fill_n(out.begin(), count, '\0');
      } else {
        ATELIER_TRY(ReadEntry(index, offset - begins_[index], out.first(count)));
      }
      offset += count;
      out = out.subspan(count);
    }
    return {};
  }

 private:
  Status ReadEntry(size_t index, uint64_t offset, std::span<char> out) {
    const TarEntry& entry = entries_[index];
    if (open_index_ != index || open_ == nullptr) {
      ATELIER_ASSIGN(file, OpenFile(entry.path));
      if (file->size() != entry.size) {
        return InvalidArgument("'" + entry.path.string() + "' changed while it was being sent", "", "usage");
      }
      open_ = std::move(file);
      open_headers_ = Headers(entry);
      open_index_ = index;
    }
    std::fill(out.begin(), out.end(), '\0');
    if (offset < open_headers_.size()) {
      const size_t count = std::min<size_t>(out.size(), open_headers_.size() - offset);
      std::memcpy(out.data(), open_headers_.data() + offset, count);
      out = out.subspan(count);
      offset += count;
    }
    const uint64_t in_file = offset - open_headers_.size();
    if (out.empty() || in_file >= entry.size) {
      return {};
    }
    return open_->Read(in_file, out.first(static_cast<size_t>(std::min<uint64_t>(out.size(), entry.size - in_file))));
  }

  std::vector<TarEntry> entries_;
  std::vector<uint64_t> begins_;  // of each entry, and of the two zero blocks at the end
  uint64_t size_ = 0;
  std::unique_ptr<Source> open_;  // the entry last read
  std::string open_headers_;
  size_t open_index_ = 0;
};

}  // namespace

std::unique_ptr<Source> MakeTar(std::vector<TarEntry> entries) {
  return std::make_unique<TarSource>(std::move(entries));
}

}  // namespace atelier::cli
