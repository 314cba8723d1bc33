#include "tensor/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/json.hpp>
#include <cstring>
#include <limits>
#include <optional>

#include "base/ids.h"
#include "base/json.h"
#include "tensor/mapped_file.h"

namespace atelier::tensor {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors is little-endian, and so are our maps of it");

constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr size_t kMaxDimensions = 16;
constexpr std::string_view kMetadata = "__metadata__";

struct TypeRow {
  std::string_view name;
  size_t bytes;
};
// In the order of DataType.
constexpr std::array<TypeRow, 13> kTypes{{{"BOOL", 1},
                                          {"U8", 1},
                                          {"I8", 1},
                                          {"I16", 2},
                                          {"U16", 2},
                                          {"F16", 2},
                                          {"BF16", 2},
                                          {"I32", 4},
                                          {"U32", 4},
                                          {"F32", 4},
                                          {"F64", 8},
                                          {"I64", 8},
                                          {"U64", 8}}};

Error Bad(const std::string& message) {
  return InvalidArgument("not a valid safetensors file: " + message, "", "invalid_model_file");
}

// The bytes that a shape needs; false on a negative dimension or overflow.
bool BytesOf(DataType type, const std::vector<int64_t>& shape, uint64_t& bytes) {
  bytes = ByteSize(type);
  for (const int64_t dimension : shape) {
    if (dimension < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(dimension), &bytes)) {
      return false;
    }
  }
  return bytes <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
}

struct Extent {
  uint64_t begin;
  uint64_t end;
};

// A non-negative integer; numbers such as 1.0 are refused.
bool AsSize(const json::value& value, uint64_t& out) {
  if (const auto* number = value.if_int64(); number != nullptr && *number >= 0) {
    out = static_cast<uint64_t>(*number);
    return true;
  }
  return false;
}

Result<DataType> ParseType(const json::object& entry, std::string_view name) {
  const json::value* value = entry.if_contains("dtype");
  if (value != nullptr && value->is_string()) {
    const std::string_view text = value->get_string();
    for (size_t i = 0; i < kTypes.size(); ++i) {
      if (kTypes.at(i).name == text) {
        return static_cast<DataType>(i);
      }
    }
  }
  return Bad("tensor " + QuotedName(name) + " has no known dtype");
}

Result<std::vector<int64_t>> ParseShape(const json::object& entry, std::string_view name) {
  const json::value* value = entry.if_contains("shape");
  if (value == nullptr || !value->is_array() || value->get_array().size() > kMaxDimensions) {
    return Bad("tensor " + QuotedName(name) + " has no shape of at most " + std::to_string(kMaxDimensions) +
               " dimensions");
  }
  std::vector<int64_t> shape;
  for (const auto& item : value->get_array()) {
    uint64_t dimension = 0;
    if (!AsSize(item, dimension)) {
      return Bad("the shape of tensor " + QuotedName(name) + " has a dimension that is no size");
    }
    shape.push_back(static_cast<int64_t>(dimension));
  }
  return shape;
}

Result<Extent> ParseOffsets(const json::object& entry, std::string_view name, uint64_t available) {
  const json::value* value = entry.if_contains("data_offsets");
  Extent extent{};
  if (value == nullptr || !value->is_array() || value->get_array().size() != 2 ||
      !AsSize(value->get_array()[0], extent.begin) || !AsSize(value->get_array()[1], extent.end)) {
    return Bad("tensor " + QuotedName(name) + " has no pair of data_offsets");
  }
  if (extent.begin > extent.end || extent.end > available) {
    return Bad("the data_offsets of tensor " + QuotedName(name) + " are swapped or beyond the end");
  }
  return extent;
}

using Named = std::pair<const std::string, View>;

class ParsedFile final : public SafetensorsFile {
 public:
  Status Load(const std::filesystem::path& file) {
    ATELIER_ASSIGN(map, MappedFile::Open(file));
    map_ = std::move(map);
    return Read(map_->bytes());
  }

  // All of `bytes`, which the caller keeps.
  Status Read(std::span<const std::byte> bytes) {
    uint64_t header_bytes = 0;
    if (bytes.size() < sizeof(header_bytes)) {
      return Bad("it has only " + std::to_string(bytes.size()) + " bytes");
    }
    std::memcpy(&header_bytes, bytes.data(), sizeof(header_bytes));
    if (header_bytes > kMaxHeaderBytes || header_bytes > bytes.size() - sizeof(header_bytes)) {
      return Bad("its header length of " + std::to_string(header_bytes) + " is beyond the file or 100 MB");
    }
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + sizeof(header_bytes), header_bytes);
    if (text.empty() || text.front() != '{') {
      return Bad("its header does not begin with '{'");
    }
    auto parsed = ParseJson(text, {.max_bytes = kMaxHeaderBytes, .max_depth = 8});
    if (!parsed.ok()) {
      return Bad("its header: " + parsed.error().message);
    }
    if (!parsed->is_object()) {
      return Bad("its header is no object");
    }
    data_ = bytes.subspan(sizeof(header_bytes) + header_bytes);
    for (const auto& member : parsed->get_object()) {
      ATELIER_TRY(member.key() == kMetadata ? AddMetadata(member.value()) : AddTensor(member.key(), member.value()));
    }
    return CheckCoverage();
  }

  const std::map<std::string, View>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }

 private:
  Status AddMetadata(const json::value& value) {
    if (!value.is_object()) {
      return Bad("__metadata__ is no object");
    }
    for (const auto& member : value.get_object()) {
      if (!member.value().is_string()) {
        return Bad("__metadata__ may hold strings only");
      }
      metadata_.emplace(member.key(), std::string_view(member.value().get_string()));
    }
    return {};
  }

  Status AddTensor(std::string_view name, const json::value& value) {
    if (!value.is_object()) {
      return Bad("the entry of tensor " + QuotedName(name) + " is no object");
    }
    const json::object& entry = value.get_object();
    View view;
    ATELIER_ASSIGN(type, ParseType(entry, name));
    ATELIER_ASSIGN(shape, ParseShape(entry, name));
    ATELIER_ASSIGN(extent, ParseOffsets(entry, name, data_.size()));
    uint64_t needed = 0;
    if (!BytesOf(type, shape, needed) || needed != extent.end - extent.begin) {
      return Bad("the shape and dtype of tensor " + QuotedName(name) + " do not fit its bytes");
    }
    view.type = type;
    view.shape = std::move(shape);
    view.bytes = data_.subspan(extent.begin, extent.end - extent.begin);
    tensors_.emplace(std::string(name), std::move(view));
    return {};
  }

  // Every byte of the data belongs to exactly one tensor.
  Status CheckCoverage() const {
    std::vector<const Named*> order;
    for (const auto& tensor : tensors_) {
      order.push_back(&tensor);
    }
    std::ranges::sort(order, {}, [](const Named* tensor) {
      return std::pair(tensor->second.bytes.data(), tensor->second.bytes.size());
    });
    const std::byte* reached = data_.data();
    for (const Named* tensor : order) {
      const auto bytes = tensor->second.bytes;
      if (bytes.data() != reached) {
        return Bad("tensor " + QuotedName(tensor->first) +
                   (bytes.data() < reached ? " shares bytes with another" : " has bytes of no tensor before it"));
      }
      reached += bytes.size();
    }
    const auto left = static_cast<size_t>(data_.data() + data_.size() - reached);
    return left == 0 ? Status() : Status(Bad("it has " + std::to_string(left) + " bytes behind its last tensor"));
  }

  std::optional<MappedFile> map_;
  std::span<const std::byte> data_;
  std::map<std::string, View> tensors_;
  std::map<std::string, std::string> metadata_;
};

using Planned = std::pair<const std::string, SafetensorsPlan>;

std::string Header(const std::vector<const Planned*>& order, const std::map<std::string, std::string>& metadata) {
  json::object header;
  if (!metadata.empty()) {
    json::object strings;
    for (const auto& [key, value] : metadata) {
      strings.emplace(key, value);
    }
    header.emplace(kMetadata, std::move(strings));
  }
  uint64_t offset = 0;
  for (const Planned* tensor : order) {
    const SafetensorsPlan& plan = tensor->second;
    uint64_t bytes = 0;
    BytesOf(plan.type, plan.shape, bytes);  // checked before
    json::object entry;
    entry.emplace("dtype", Name(plan.type));
    entry.emplace("shape", json::array(plan.shape.begin(), plan.shape.end()));
    entry.emplace("data_offsets", json::array{offset, offset + bytes});
    header.emplace(tensor->first, std::move(entry));
    offset += bytes;
  }
  std::string text = json::serialize(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

size_t ByteSize(DataType type) { return kTypes.at(static_cast<size_t>(type)).bytes; }

std::string_view Name(DataType type) { return kTypes.at(static_cast<size_t>(type)).name; }

Result<std::unique_ptr<SafetensorsFile>> SafetensorsFile::Open(const std::filesystem::path& file) {
  auto parsed = std::make_unique<ParsedFile>();
  ATELIER_TRY(parsed->Load(file));
  return std::unique_ptr<SafetensorsFile>(std::move(parsed));
}

Result<std::unique_ptr<SafetensorsFile>> SafetensorsFile::Parse(std::span<const std::byte> bytes) {
  auto parsed = std::make_unique<ParsedFile>();
  ATELIER_TRY(parsed->Read(bytes));
  return std::unique_ptr<SafetensorsFile>(std::move(parsed));
}

Result<View> SafetensorsFile::Find(std::string_view name) const {
  const auto found = tensors().find(std::string(name));
  if (found == tensors().end()) {
    return NotFound("there is no tensor " + QuotedName(name));
  }
  return found->second;
}

Status WriteSafetensors(const std::map<std::string, View>& tensors, const std::map<std::string, std::string>& metadata,
                        const std::function<Status(std::span<const std::byte>)>& sink) {
  std::map<std::string, SafetensorsPlan> plans;
  for (const auto& [name, view] : tensors) {
    uint64_t needed = 0;
    if (!BytesOf(view.type, view.shape, needed) || needed != view.bytes.size()) {
      return InvalidArgument("tensor '" + name + "': its shape and bytes do not fit");
    }
    plans.emplace(name, SafetensorsPlan{view.type, view.shape});
  }
  return WriteSafetensors(
      plans, metadata, [&](const std::string& name, const SafetensorsSink& out) { return out(tensors.at(name).bytes); },
      sink);
}

Status WriteSafetensors(const std::map<std::string, SafetensorsPlan>& plans,
                        const std::map<std::string, std::string>& metadata,
                        const std::function<Status(const std::string& name, const SafetensorsSink& sink)>& produce,
                        const SafetensorsSink& sink) {
  std::vector<const Planned*> order;
  for (const auto& plan : plans) {
    uint64_t needed = 0;
    if (!BytesOf(plan.second.type, plan.second.shape, needed) || plan.second.shape.size() > kMaxDimensions ||
        plan.first == kMetadata || !IsUtf8(plan.first)) {
      return InvalidArgument("tensor '" + plan.first + "': its name and shape do not fit");
    }
    order.push_back(&plan);
  }
  for (const auto& [key, value] : metadata) {
    if (!IsUtf8(key) || !IsUtf8(value)) {
      return InvalidArgument("the metadata is no UTF-8");
    }
  }
  std::ranges::stable_sort(order, [](const Planned* a, const Planned* b) { return a->second.type > b->second.type; });
  const std::string header = Header(order, metadata);
  if (header.size() > kMaxHeaderBytes) {
    return InvalidArgument("the header is larger than 100 MB");
  }
  const uint64_t length = header.size();
  ATELIER_TRY(sink(std::as_bytes(std::span(&length, 1))));
  ATELIER_TRY(sink(std::as_bytes(std::span(header))));
  for (const Planned* plan : order) {
    uint64_t left = 0;
    BytesOf(plan->second.type, plan->second.shape, left);
    const auto wrong = [&] { return InvalidArgument("tensor '" + plan->first + "' has not the bytes of its shape"); };
    ATELIER_TRY(produce(plan->first, [&](std::span<const std::byte> bytes) -> Status {
      if (bytes.size() > left) {
        return wrong();
      }
      left -= bytes.size();
      return bytes.empty() ? Status() : sink(bytes);
    }));
    if (left != 0) {
      return wrong();
    }
  }
  return {};
}

}  // namespace atelier::tensor
