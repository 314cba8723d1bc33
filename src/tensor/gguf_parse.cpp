#include "tensor/gguf_parse.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "tensor/gguf_format.h"
#include "tensor/gguf_reader.h"
#include "tensor/quants/formats.h"

namespace atelier::tensor {
namespace {

// The least that a key and a tensor take: lengths, types and one byte of each name and value.
constexpr uint64_t kMinKeyBytes = 8 + 1 + 4 + 1;
constexpr uint64_t kMinTensorBytes = 8 + 1 + 4 + 8 + 4 + 8;

struct Counts {
  uint64_t tensors;
  uint64_t keys;
};

struct Entry {
  std::string name;
  GgufTensor tensor;
  uint64_t offset;
  uint64_t bytes;
};

Result<Counts> ParseHead(GgufReader& reader) {
  if (reader.remaining() < kGgufMagic.size() || reader.Take(kGgufMagic.size()) != kGgufMagic) {
    return BadGguf("it does not begin with GGUF");
  }
  uint32_t version = 0;
  if (!reader.Read(version)) {
    return BadGguf("it ends before its version");
  }
  if (version == __builtin_bswap32(2) || version == __builtin_bswap32(3)) {
    return BadGguf("it is big-endian");
  }
  if (version != 2 && version != 3) {
    return BadGguf("its version is " + std::to_string(version) + ", not 2 or 3");
  }
  Counts counts{};
  if (!reader.Read(counts.tensors) || !reader.Read(counts.keys)) {
    return BadGguf("it ends before its counts");
  }
  if (counts.keys == 0 || counts.keys > reader.remaining() / kMinKeyBytes) {
    return BadGguf("it cannot hold " + std::to_string(counts.keys) + " keys");
  }
  if (counts.tensors > reader.remaining() / kMinTensorBytes) {
    return BadGguf("it cannot hold " + std::to_string(counts.tensors) + " tensors");
  }
  return counts;
}

// "key 3" or "tensor 3" until its name is known.
Result<std::string> ParseName(GgufReader& reader, const std::string& what, uint64_t max_bytes) {
  std::string_view name;
  if (!reader.ReadString(name)) {
    return BadGguf("the name of " + what + " is longer than the file");
  }
  if (name.empty() || name.size() > max_bytes) {
    return BadGguf("the name of " + what + " has " + std::to_string(name.size()) + " bytes, not 1 to " +
                   std::to_string(max_bytes));
  }
  if (!IsUtf8(name) || name.find('\0') != std::string_view::npos) {
    return BadGguf("the name of " + what + " is no text: " + QuotedName(name));
  }
  return std::string(name);
}

Status ParseMetadata(GgufReader& reader, uint64_t count, GgufPart& part) {
  for (uint64_t i = 0; i < count; ++i) {
    ATELIER_ASSIGN(key, ParseName(reader, "key " + std::to_string(i), kGgufMaxKeyBytes));
    ATELIER_ASSIGN(value, ParseGgufValue(reader, key));
    if (!part.metadata.emplace(key, std::move(value)).second) {
      return BadGguf("key " + QuotedName(key) + " is there twice");
    }
  }
  return {};
}

Result<uint64_t> Alignment(const GgufPart& part) {
  const auto found = part.metadata.find(kGgufAlignmentKey);
  if (found == part.metadata.end()) {
    return kGgufDefaultAlignment;
  }
  const auto* value = std::get_if<uint64_t>(&found->second.value);
  if (value == nullptr || found->second.stored != GgufType::kU32) {
    return BadGguf("key 'general.alignment' is no 32-bit unsigned integer");
  }
  if (!IsGgufAlignment(*value)) {
    return BadGguf("key 'general.alignment' is " + std::to_string(*value) + ", not a power of two of 8 to " +
                   std::to_string(kGgufMaxAlignment));
  }
  return *value;
}

Result<std::vector<int64_t>> ParseShape(GgufReader& reader, const std::string& name) {
  uint32_t dimensions = 0;
  if (!reader.Read(dimensions) || dimensions == 0 || dimensions > kGgufMaxDimensions) {
    return BadGguf("tensor " + name + " has " + std::to_string(dimensions) + " dimensions, not 1 to " +
                   std::to_string(kGgufMaxDimensions));
  }
  std::vector<int64_t> shape(dimensions);
  for (auto place = shape.rbegin(); place != shape.rend(); ++place) {
    uint64_t dimension = 0;
    if (!reader.Read(dimension)) {
      return BadGguf("the file ends within the shape of tensor " + name);
    }
    if (dimension == 0 || dimension > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return BadGguf("tensor " + name + " has a dimension of " + std::to_string(dimension));
    }
    *place = static_cast<int64_t>(dimension);
  }
  return shape;
}

Result<const BlockFormat*> ParseFormat(GgufReader& reader, const std::string& name) {
  uint32_t id = 0;
  if (!reader.Read(id)) {
    return BadGguf("the file ends before the type of tensor " + name);
  }
  const BlockFormat* format = FindFormat(id);
  if (format == nullptr) {
    return BadGguf("tensor " + name + " has the type " + std::to_string(id) + ", which does not exist");
  }
  if (!format->supported) {
    return MakeError(Code::kUnimplemented,
                     "tensor " + name + " has the type " + std::string(format->name) + ", which is not supported",
                     "unsupported_tensor_type");
  }
  return format;
}

Result<Entry> ParseEntry(GgufReader& reader, uint64_t index, uint64_t alignment) {
  Entry entry{};
  ATELIER_ASSIGN(name, ParseName(reader, "tensor " + std::to_string(index), kGgufMaxTensorNameBytes));
  entry.name = std::move(name);
  const std::string quoted = QuotedName(entry.name);
  ATELIER_ASSIGN(shape, ParseShape(reader, quoted));
  ATELIER_ASSIGN(format, ParseFormat(reader, quoted));
  const auto bytes = BytesOfShape(*format, shape);
  if (!bytes.has_value()) {
    return BadGguf("the shape of tensor " + quoted + " does not fit its type " + std::string(format->name));
  }
  if (!reader.Read(entry.offset)) {
    return BadGguf("the file ends before the offset of tensor " + quoted);
  }
  if (entry.offset % alignment != 0) {
    return BadGguf("the offset of tensor " + quoted + " is no multiple of " + std::to_string(alignment));
  }
  entry.tensor.type = static_cast<GgmlType>(format->id);
  entry.tensor.shape = std::move(shape);
  entry.bytes = *bytes;
  return entry;
}

// Gives every tensor its bytes: within the data, none shared. What follows the last one is less than an alignment, so
// that nothing hides behind a model.
Status Place(std::span<const std::byte> data, uint64_t alignment, std::vector<Entry>& entries) {
  std::vector<Entry*> order;
  order.reserve(entries.size());
  for (auto& entry : entries) {
    order.push_back(&entry);
  }
  std::ranges::stable_sort(order, {}, &Entry::offset);
  uint64_t reached = 0;
  const Entry* last = nullptr;
  for (Entry* entry : order) {
    if (entry->offset > data.size() || entry->bytes > data.size() - entry->offset) {
      return BadGguf("tensor " + QuotedName(entry->name) + " reaches beyond the end of the file");
    }
    if (entry->offset < reached) {
      return BadGguf("tensor " + QuotedName(entry->name) + " lies within tensor " + QuotedName(last->name));
    }
    reached = entry->offset + entry->bytes;
    last = entry;
    entry->tensor.bytes = data.subspan(entry->offset, entry->bytes);
  }
  if (data.size() - reached >= alignment) {
    return BadGguf("the file has " + std::to_string(data.size() - reached) + " bytes behind " +
                   (last == nullptr ? "its header" : "tensor " + QuotedName(last->name)));
  }
  return {};
}

Status ParseTensors(GgufReader& reader, uint64_t count, GgufPart& part) {
  ATELIER_ASSIGN(alignment, Alignment(part));
  std::vector<Entry> entries;
  for (uint64_t i = 0; i < count; ++i) {
    ATELIER_ASSIGN(entry, ParseEntry(reader, i, alignment));
    entries.push_back(std::move(entry));
  }
  const uint64_t padding = AlignUp(reader.position(), alignment) - reader.position();
  if (padding > reader.remaining() && count != 0) {
    return BadGguf("the file ends before the data of tensor " + QuotedName(entries.front().name));
  }
  const auto data = reader.rest().subspan(std::min<uint64_t>(padding, reader.remaining()));
  ATELIER_TRY(Place(data, alignment, entries));
  for (auto& entry : entries) {
    if (!part.tensors.emplace(entry.name, std::move(entry.tensor)).second) {
      return BadGguf("tensor " + QuotedName(entry.name) + " is there twice");
    }
  }
  return {};
}

}  // namespace

Result<GgufPart> ParseGguf(std::span<const std::byte> bytes) {
  GgufReader reader(bytes);
  ATELIER_ASSIGN(counts, ParseHead(reader));
  GgufPart part;
  ATELIER_TRY(ParseMetadata(reader, counts.keys, part));
  ATELIER_TRY(ParseTensors(reader, counts.tensors, part));
  return part;
}

}  // namespace atelier::tensor
