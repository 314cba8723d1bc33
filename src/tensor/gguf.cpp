#include "tensor/gguf.h"

#include <utility>

#include "base/ids.h"
#include "tensor/gguf_parse.h"
#include "tensor/mapped_file.h"

namespace atelier::tensor {
namespace {

constexpr std::string_view kSplitNumber = "split.no";
constexpr std::string_view kSplitCount = "split.count";
constexpr std::string_view kSplitTensors = "split.tensors.count";
constexpr int64_t kMaxParts = 65535;
constexpr size_t kPartDigits = 5;

// The end of the name of part `index` (from 0) of `count`.
std::string PartSuffix(int64_t index, int64_t count) {
  const auto padded = [](int64_t number) {
    const std::string digits = std::to_string(number);
    return std::string(digits.size() < kPartDigits ? kPartDigits - digits.size() : 0, '0') + digits;
  };
  return "-" + padded(index + 1) + "-of-" + padded(count) + ".gguf";
}

class GgufModel final : public GgufFile {
 public:
  Status Load(const std::filesystem::path& file) {
    ATELIER_ASSIGN(part, Map(file));
    parts_ = std::move(part);
    if (Has(kSplitCount)) {
      ATELIER_ASSIGN(count, PartCount());
      if (count > 1) {
        ATELIER_TRY(LoadOthers(file, count));
      }
    }
    if (parts_.tensors.empty()) {
      return BadGguf("it has no tensors");
    }
    for (const auto key : {kSplitNumber, kSplitCount, kSplitTensors}) {
      if (const auto found = parts_.metadata.find(key); found != parts_.metadata.end()) {
        parts_.metadata.erase(found);
      }
    }
    return {};
  }

  const std::map<std::string, GgufValue, std::less<>>& metadata() const override { return parts_.metadata; }
  const std::map<std::string, GgufTensor, std::less<>>& tensors() const override { return parts_.tensors; }

 private:
  Result<GgufPart> Map(const std::filesystem::path& file) {
    ATELIER_ASSIGN(map, MappedFile::Open(file));
    ATELIER_ASSIGN(part, ParseGguf(map.bytes()));
    maps_.push_back(std::move(map));
    return part;
  }

  Result<int64_t> PartCount() const {
    auto count = Integer(kSplitCount);
    if (!count.ok() || *count < 0 || *count > kMaxParts) {
      return BadGguf("key 'split.count' is no number of 0 to " + std::to_string(kMaxParts));
    }
    return *count;
  }

  // All parts after the first one, from the same folder.
  Status LoadOthers(const std::filesystem::path& first, int64_t count) {
    auto number = Integer(kSplitNumber);
    if (!number.ok() || *number != 0) {
      return BadGguf("key 'split.no' is not 0: it is not the first of the " + std::to_string(count) + " files");
    }
    const std::string name = first.filename().string();
    const std::string suffix = PartSuffix(0, count);
    if (!name.ends_with(suffix)) {
      return BadGguf("key 'split.count' says " + std::to_string(count) + " files, but its name does not end with " +
                     suffix);
    }
    const std::string prefix = name.substr(0, name.size() - suffix.size());
    for (int64_t i = 1; i < count; ++i) {
      const std::string part_name = prefix + PartSuffix(i, count);
      auto added = Add(first.parent_path() / part_name, i, count);
      if (!added.ok()) {
        Error error = std::move(added).error();
        error.message = QuotedName(part_name) + ": " + error.message;
        return error;
      }
    }
    return CheckTotal();
  }

  Status Add(const std::filesystem::path& file, int64_t index, int64_t count) {
    ATELIER_ASSIGN(part, Map(file));
    for (const auto& [key, wanted] : {std::pair{kSplitNumber, index}, std::pair{kSplitCount, count}}) {
      const auto found = part.metadata.find(key);
      const auto* value = found == part.metadata.end() ? nullptr : std::get_if<uint64_t>(&found->second.value);
      if (value == nullptr || *value != static_cast<uint64_t>(wanted)) {
        return BadGguf("key '" + std::string(key) + "' is not " + std::to_string(wanted));
      }
    }
    for (auto& [name, tensor] : part.tensors) {
      if (!parts_.tensors.emplace(name, std::move(tensor)).second) {
        return BadGguf("tensor " + QuotedName(name) + " is there twice");
      }
    }
    return {};
  }

  Status CheckTotal() const {
    if (!Has(kSplitTensors)) {
      return {};
    }
    auto total = Integer(kSplitTensors);
    if (!total.ok() || *total < 0 || static_cast<uint64_t>(*total) != parts_.tensors.size()) {
      return BadGguf("key 'split.tensors.count' is not " + std::to_string(parts_.tensors.size()) +
                     ", the number of tensors in all files");
    }
    return {};
  }

  std::vector<MappedFile> maps_;
  GgufPart parts_;
};

Error OfAnotherKind(std::string_view key, std::string_view kind) {
  return InvalidArgument("key " + QuotedName(key) + " is no " + std::string(kind), "", "invalid_model_file");
}

// The value of a key as T, which `kind` describes.
template <class T>
Result<const T*> Get(const GgufFile& file, std::string_view key, std::string_view kind) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end()) {
    return NotFound("there is no key " + QuotedName(key));
  }
  const T* value = std::get_if<T>(&found->second.value);
  if (value == nullptr) {
    return OfAnotherKind(key, kind);
  }
  return value;
}

template <class T>
Result<std::span<const T>> GetSpan(const GgufFile& file, std::string_view key, std::string_view kind) {
  ATELIER_ASSIGN(values, Get<std::vector<T>>(file, key, kind));
  return std::span<const T>(*values);
}

}  // namespace

Error BadGguf(const std::string& message) {
  return InvalidArgument("not a valid GGUF file: " + message, "", "invalid_model_file");
}

Result<std::unique_ptr<GgufFile>> GgufFile::Open(const std::filesystem::path& file) {
  auto model = std::make_unique<GgufModel>();
  ATELIER_TRY(model->Load(file));
  return std::unique_ptr<GgufFile>(std::move(model));
}

const GgufTensor* GgufFile::Find(std::string_view tensor) const {
  const auto found = tensors().find(tensor);
  return found == tensors().end() ? nullptr : &found->second;
}

Result<int64_t> GgufFile::Integer(std::string_view key) const {
  const auto found = metadata().find(key);
  if (found != metadata().end()) {
    if (const auto* number = std::get_if<uint64_t>(&found->second.value)) {
      if (!std::in_range<int64_t>(*number)) {
        return OfAnotherKind(key, "integer of 63 bits");
      }
      return static_cast<int64_t>(*number);
    }
  }
  ATELIER_ASSIGN(value, Get<int64_t>(*this, key, "integer"));
  return *value;
}

Result<double> GgufFile::Number(std::string_view key) const {
  const auto found = metadata().find(key);
  if (found != metadata().end()) {
    if (const auto* number = std::get_if<uint64_t>(&found->second.value)) {
      return static_cast<double>(*number);
    }
    if (const auto* number = std::get_if<int64_t>(&found->second.value)) {
      return static_cast<double>(*number);
    }
  }
  ATELIER_ASSIGN(value, Get<double>(*this, key, "number"));
  return *value;
}

Result<bool> GgufFile::Boolean(std::string_view key) const {
  ATELIER_ASSIGN(value, Get<bool>(*this, key, "Boolean"));
  return *value;
}

Result<std::string> GgufFile::Text(std::string_view key) const {
  ATELIER_ASSIGN(value, Get<std::string>(*this, key, "string"));
  return *value;
}

Result<std::span<const std::string>> GgufFile::Texts(std::string_view key) const {
  return GetSpan<std::string>(*this, key, "array of strings");
}

Result<std::span<const double>> GgufFile::Numbers(std::string_view key) const {
  return GetSpan<double>(*this, key, "array of numbers");
}

Result<std::span<const int64_t>> GgufFile::Integers(std::string_view key) const {
  return GetSpan<int64_t>(*this, key, "array of integers");
}

}  // namespace atelier::tensor
