#include "engine/quantising/quantise_model.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "engine/thread_pool.h"
#include "tensor/quants/formats.h"
#include "tensor/quants/quants.h"

namespace atelier::engine {
namespace {

using tensor::BlockFormat;
using tensor::FormatOf;
using tensor::GgmlType;
using tensor::GgufTensor;
using tensor::GgufType;
using tensor::GgufValue;

constexpr uint64_t kQuantisationVersion = 2;  // of ggml's blocks
constexpr size_t kPieceWeights = 32768;       // whole blocks of every format
constexpr size_t kChunkPieces = 64;

Result<RecipeModel> DescribeModel(const tensor::GgufFile& file) {
  RecipeModel model;
  ATELIER_ASSIGN(architecture, file.Text("general.architecture"));
  const auto integer = [&](std::string_view key, int64_t otherwise) {
    const auto value = file.Integer(architecture + "." + std::string(key));
    return value.ok() ? *value : otherwise;
  };
  model.layers = integer("block_count", 0);
  const int64_t kv_heads = integer("attention.head_count_kv", 0);
  model.heads_per_kv_head = kv_heads > 0 ? integer("attention.head_count", 1) / kv_heads : 1;
  model.experts = integer("expert_count", 0);
  model.tied = file.Find("output.weight") == nullptr;
  model.architecture = std::move(architecture);
  return model;
}

std::string Name(GgmlType type) { return std::string(FormatOf(type).name); }

// Tensors of one fate, told in one line.
struct Misfits {
  size_t count = 0;
  std::string example;
};

uint64_t WeightsOf(const GgufTensor& tensor) {
  const BlockFormat& format = FormatOf(tensor.type);
  return tensor.bytes.size() / format.bytes * format.weights;
}

uint64_t BytesIn(const BlockFormat& format, uint64_t weights) { return weights / format.weights * format.bytes; }

// One pass over a file; keeps the threads and their buffers.
class Conversion {
 public:
  Conversion(const QuantiseOptions& options, uint64_t total_bytes)
      : options_(options), total_bytes_(total_bytes), pool_(std::max<size_t>(options.threads, 1)) {
    floats_.resize(pool_.threads(), std::vector<float>(kPieceWeights));
  }

  Status Convert(const std::string& name, const GgufTensor& from, GgmlType to, const tensor::GgufSink& sink) {
    const uint64_t weights = WeightsOf(from);
    std::vector<std::byte> out;
    for (uint64_t begin = 0; begin < weights; begin += kPieceWeights * kChunkPieces) {
      const uint64_t count = std::min<uint64_t>(weights - begin, kPieceWeights * kChunkPieces);
      const auto source = from.bytes.subspan(BytesIn(FormatOf(from.type), begin), BytesIn(FormatOf(from.type), count));
      if (from.type == to) {
        ATELIER_TRY(sink(source));
      } else {
        out.resize(BytesIn(FormatOf(to), count));
        Status status = ConvertChunk({from.type, {}, source}, to, out);
        if (!status.ok()) {
          return InvalidArgument("tensor '" + name + "': " + status.error().message, name, "invalid_model_file");
        }
        ATELIER_TRY(sink(out));
      }
      done_bytes_ += source.size();
      if (options_.on_progress && !options_.on_progress(done_bytes_, total_bytes_)) {
        return MakeError(Code::kCancelled, "the quantisation was cancelled");
      }
    }
    return {};
  }

 private:
  Status ConvertChunk(const GgufTensor& from, GgmlType to, std::span<std::byte> out) {
    const BlockFormat& source = FormatOf(from.type);
    const BlockFormat& target = FormatOf(to);
    const uint64_t weights = WeightsOf(from);
    std::vector<Status> outcomes((weights + kPieceWeights - 1) / kPieceWeights);
    pool_.ForEach(outcomes.size(), [&](size_t piece, size_t thread) {
      const uint64_t begin = piece * kPieceWeights;
      const uint64_t count = std::min<uint64_t>(kPieceWeights, weights - begin);
      const auto floats = std::span(floats_[thread]).first(count);
      outcomes[piece] =
          Dequantise(from.type, from.bytes.subspan(BytesIn(source, begin), BytesIn(source, count)), floats);
      if (outcomes[piece].ok()) {
        outcomes[piece] = Quantise(to, floats, out.subspan(BytesIn(target, begin), BytesIn(target, count)));
      }
    });
    const auto failed = std::ranges::find_if(outcomes, [](const Status& status) { return !status.ok(); });
    return failed == outcomes.end() ? Status() : std::move(*failed);
  }

  const QuantiseOptions& options_;
  const uint64_t total_bytes_;
  ThreadPool pool_;
  std::vector<std::vector<float>> floats_;  // [threads][kPieceWeights]
  uint64_t done_bytes_ = 0;
};

}  // namespace

Result<QuantisationPlan> PlanQuantisation(const tensor::GgufFile& file, const Recipe& recipe) {
  ATELIER_ASSIGN(model, DescribeModel(file));
  QuantisationPlan plan;
  plan.metadata = file.metadata();
  plan.metadata["general.file_type"] = {static_cast<uint64_t>(recipe.file_type), GgufType::kU32};
  plan.metadata["general.quantization_version"] = {kQuantisationVersion, GgufType::kU32};
  std::map<std::tuple<GgmlType, GgmlType, int64_t>, Misfits> misfits;  // wanted, fitting, columns
  std::map<GgmlType, size_t> lossy;
  for (const auto& [name, tensor] : file.tensors()) {
    GgmlType type = tensor.type;
    if (!StaysAsItIs(name, tensor.shape)) {
      const int64_t columns = tensor.shape.back();
      const FormatChoice choice = ChooseFormat(recipe, model, name, columns);
      type = choice.fitting;
      if (choice.fitting != choice.wanted) {
        Misfits& group = misfits[{choice.wanted, choice.fitting, columns}];
        group.example = group.count++ == 0 ? name : group.example;
      }
    }
    lossy[tensor.type] += IsQuantised(tensor.type) && type != tensor.type ? 1 : 0;
    plan.tensors.push_back({name, type, tensor.shape});
  }
  for (const auto& [type, count] : lossy) {
    if (count > 0) {
      plan.warnings.push_back(std::to_string(count) + " tensors are quantised already (" + Name(type) +
                              "): quantise from F32, F16 or BF16 for better answers");
    }
  }
  for (const auto& [key, group] : misfits) {
    const auto& [wanted, fitting, columns] = key;
    plan.warnings.push_back(std::to_string(group.count) + " tensors of " + std::to_string(columns) +
                            " columns, which are no whole blocks of " + Name(wanted) + ", become " + Name(fitting) +
                            ": " + group.example + (group.count > 1 ? " and others" : ""));
  }
  return plan;
}

Status WriteQuantised(const tensor::GgufFile& file, const QuantisationPlan& plan, const QuantiseOptions& options,
                      const tensor::GgufSink& sink) {
  uint64_t total = 0;
  for (const auto& [name, tensor] : file.tensors()) {
    total += tensor.bytes.size();
  }
  Conversion conversion(options, total);
  const auto produce = [&](size_t index, const tensor::GgufSink& out) -> Status {
    const tensor::GgufPlan& wanted = plan.tensors[index];
    const GgufTensor* source = file.Find(wanted.name);
    if (source == nullptr) {
      return Internal("the plan is not of this file: tensor '" + wanted.name + "'");
    }
    return conversion.Convert(wanted.name, *source, wanted.type, out);
  };
  return WriteGguf(plan.metadata, plan.tensors, produce, sink);
}

}  // namespace atelier::engine
