#include "tensor/gguf_writer.h"

#include <array>
#include <set>
#include <string_view>

#include "base/ids.h"
#include "tensor/gguf_encode.h"
#include "tensor/gguf_format.h"
#include "tensor/gguf_parse.h"
#include "tensor/quants/formats.h"

namespace atelier::tensor {
namespace {

Status CheckName(std::string_view what, std::string_view name, uint64_t max_bytes) {
  if (name.empty() || name.size() > max_bytes || !IsUtf8(name) || name.find('\0') != std::string_view::npos) {
    return InvalidArgument(std::string(what) + " " + QuotedName(name) + " has no name of 1 to " +
                           std::to_string(max_bytes) + " bytes of text");
  }
  return {};
}

Result<uint64_t> AlignmentOf(const GgufMetadata& metadata) {
  const auto found = metadata.find(kGgufAlignmentKey);
  if (found == metadata.end()) {
    return kGgufDefaultAlignment;
  }
  const auto* value = std::get_if<uint64_t>(&found->second.value);
  const bool fits = found->second.stored == GgufType::kAny || found->second.stored == GgufType::kU32;
  if (value == nullptr || !fits || !IsGgufAlignment(*value)) {
    return InvalidArgument("key 'general.alignment' is no U32 and power of two of 8 to " +
                           std::to_string(kGgufMaxAlignment));
  }
  return *value;
}

// The bytes of a tensor.
Result<uint64_t> CheckPlan(const GgufPlan& plan) {
  ATELIER_TRY(CheckName("tensor", plan.name, kGgufMaxTensorNameBytes));
  const auto bytes = BytesOfShape(FormatOf(plan.type), plan.shape);
  if (!bytes.has_value()) {
    return InvalidArgument("the shape of tensor " + QuotedName(plan.name) + " does not fit its type " +
                           std::string(FormatOf(plan.type).name));
  }
  return *bytes;
}

void AppendPadding(std::string& out, uint64_t position, uint64_t alignment) {
  out.append(AlignUp(position, alignment) - position, '\0');
}

Status Send(const GgufSink& sink, std::string_view text) {
  return text.empty() ? Status() : sink(std::as_bytes(std::span(text)));
}

// `sizes` are the bytes of each tensor.
Result<std::string> Header(const GgufMetadata& metadata, const std::vector<GgufPlan>& plans,
                           const std::vector<uint64_t>& sizes, uint64_t alignment) {
  std::string out(kGgufMagic);
  AppendNumber(out, kGgufVersion);
  AppendNumber<uint64_t>(out, plans.size());
  AppendNumber<uint64_t>(out, metadata.size());
  for (const auto& [key, value] : metadata) {
    ATELIER_TRY(CheckName("key", key, kGgufMaxKeyBytes));
    AppendString(out, key);
    ATELIER_TRY(AppendValue(out, key, value));
  }
  uint64_t offset = 0;
  for (size_t i = 0; i < plans.size(); ++i) {
    AppendString(out, plans[i].name);
    AppendNumber<uint32_t>(out, static_cast<uint32_t>(plans[i].shape.size()));
    for (auto dimension = plans[i].shape.rbegin(); dimension != plans[i].shape.rend(); ++dimension) {
      AppendNumber<uint64_t>(out, static_cast<uint64_t>(*dimension));
    }
    AppendNumber(out, static_cast<uint32_t>(plans[i].type));
    AppendNumber(out, offset);
    uint64_t end = 0;
    if (__builtin_add_overflow(offset, sizes[i] + kGgufMaxAlignment, &end)) {
      return InvalidArgument("with tensor " + QuotedName(plans[i].name) + " the file is too large");
    }
    offset = AlignUp(offset + sizes[i], alignment);
  }
  AppendPadding(out, out.size(), alignment);
  return out;
}

// Lets `produce` write exactly `size` bytes.
Status WriteTensor(const GgufProducer& produce, size_t index, const GgufPlan& plan, uint64_t size,
                   const GgufSink& sink) {
  uint64_t written = 0;
  const auto wrong = [&] {
    return InvalidArgument("the bytes of tensor " + QuotedName(plan.name) + " are not " + std::to_string(size));
  };
  ATELIER_TRY(produce(index, [&](std::span<const std::byte> bytes) -> Status {
    if (bytes.size() > size - written) {
      return wrong();
    }
    written += bytes.size();
    return bytes.empty() ? Status() : sink(bytes);
  }));
  return written == size ? Status() : wrong();
}

}  // namespace

Status WriteGguf(const GgufMetadata& metadata, const std::vector<GgufPlan>& plans, const GgufProducer& produce,
                 const GgufSink& sink) {
  if (metadata.empty() || plans.empty()) {
    return InvalidArgument("a GGUF file has at least one key and one tensor");
  }
  ATELIER_ASSIGN(alignment, AlignmentOf(metadata));
  std::vector<uint64_t> sizes;
  std::set<std::string_view> names;
  for (const auto& plan : plans) {
    ATELIER_ASSIGN(size, CheckPlan(plan));
    sizes.push_back(size);
    if (!names.insert(plan.name).second) {
      return InvalidArgument("tensor " + QuotedName(plan.name) + " is there twice");
    }
  }
  ATELIER_ASSIGN(header, Header(metadata, plans, sizes, alignment));
  ATELIER_TRY(Send(sink, header));
  for (size_t i = 0; i < plans.size(); ++i) {
    ATELIER_TRY(WriteTensor(produce, i, plans[i], sizes[i], sink));
    std::string padding;
    AppendPadding(padding, sizes[i], alignment);
    ATELIER_TRY(Send(sink, padding));
  }
  return {};
}

Status WriteGguf(const GgufMetadata& metadata, const std::map<std::string, GgufTensor, std::less<>>& tensors,
                 const GgufSink& sink) {
  std::vector<GgufPlan> plans;
  std::vector<std::span<const std::byte>> bytes;
  for (const auto& [name, tensor] : tensors) {
    plans.push_back({name, tensor.type, tensor.shape});
    bytes.push_back(tensor.bytes);
  }
  return WriteGguf(
      metadata, plans, [&](size_t index, const GgufSink& out) { return out(bytes[index]); }, sink);
}

}  // namespace atelier::tensor
