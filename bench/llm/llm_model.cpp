// Makes GGUF files of real shapes with random weights:
//   llm_model make SHAPE FILE.gguf                 BF16
//   llm_model quantize FILE.gguf RECIPE TO.gguf    as `atelier model quantize` does
#include <CLI/CLI.hpp>
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <random>
#include <thread>

#include "base/file_sink.h"
#include "engine/quantising/quantise_model.h"
#include "shapes.h"
#include "vocabulary.h"

namespace atelier::bench {
namespace {

namespace fs = std::filesystem;

constexpr size_t kSampleBits = 16;
constexpr size_t kPieceWeights = 1U << 19U;  // numbers that go to the file at once

uint16_t Bf16(float value) {  // rounded to the nearest, ties to even; of finite numbers
  const auto bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
}

// Numbers of a normal distribution, fast: drawn from a table of 65,536 that was drawn itself.
class Weights {
 public:
  Weights() : normal_(size_t{1} << kSampleBits) {
    std::normal_distribution<float> normal;
    std::ranges::generate(normal_, [&] { return normal(random_); });
  }

  Status Write(const TensorToMake& tensor, const tensor::GgufSink& sink) {
    uint64_t left = 1;
    for (const int64_t size : tensor.plan.shape) {
      left *= static_cast<uint64_t>(size);
    }
    const auto deviation = static_cast<float>(tensor.deviation);
    if (tensor.plan.type != tensor::GgmlType::kBF16) {
      std::vector<float> values(left, 1.0F);
      if (tensor.filling == Filling::kNormal) {
        std::ranges::generate(values, [&] { return normal_[Next()] * deviation; });
      }
      return sink(std::as_bytes(std::span(values)));
    }
    std::vector<uint16_t> scaled(normal_.size());
    std::ranges::transform(normal_, scaled.begin(), [&](float value) { return Bf16(value * deviation); });
    std::vector<uint16_t> piece;
    for (; left > 0; left -= piece.size()) {
      piece.resize(std::min<uint64_t>(left, kPieceWeights));
      std::ranges::generate(piece, [&] { return scaled[Next()]; });
      ATELIER_TRY(sink(std::as_bytes(std::span(piece))));
    }
    return {};
  }

 private:
  size_t Next() {
    if (bits_left_ == 0) {
      bits_ = random_();
      bits_left_ = 64;
    }
    const size_t index = bits_ & ((size_t{1} << kSampleBits) - 1);
    bits_ >>= kSampleBits;
    bits_left_ -= kSampleBits;
    return index;
  }

  std::mt19937_64 random_{1};
  std::vector<float> normal_;
  uint64_t bits_ = 0;
  size_t bits_left_ = 0;
};

Status Make(const std::string& name, const fs::path& to) {
  const auto shape = FindShape(name);
  if (!shape) {
    return InvalidArgument("there is no shape '" + name + "'");
  }
  auto metadata = MetadataOf(*shape);
  AddVocabulary(*shape, metadata);
  const auto tensors = TensorsOf(*shape);
  std::vector<tensor::GgufPlan> plans;
  std::ranges::transform(tensors, std::back_inserter(plans), &TensorToMake::plan);
  Weights weights;
  const auto produce = [&](size_t index, const tensor::GgufSink& sink) -> Status {
    if (tensors[index].filling == Filling::kRopeFactors) {
      const auto factors = Llama3RopeFactors(*shape);
      return sink(std::as_bytes(std::span(factors)));
    }
    return weights.Write(tensors[index], sink);
  };
  FileSink out(to);
  ATELIER_TRY(tensor::WriteGguf(metadata, plans, produce, [&](auto bytes) { return out.Write(bytes); }));
  return out.Close();
}

Status Quantise(const fs::path& from, const std::string& name, const fs::path& to) {
  const engine::Recipe* recipe = engine::FindRecipe(name);
  if (recipe == nullptr) {
    return InvalidArgument("there is no recipe '" + name + "'");
  }
  ATELIER_ASSIGN(file, tensor::GgufFile::Open(from));
  ATELIER_ASSIGN(plan, engine::PlanQuantisation(*file, *recipe));
  FileSink out(to);
  const engine::QuantiseOptions options{.threads = std::max(1U, std::thread::hardware_concurrency())};
  ATELIER_TRY(engine::WriteQuantised(*file, plan, options, [&](auto bytes) { return out.Write(bytes); }));
  return out.Close();
}

int Run(int argc, char** argv) {
  CLI::App app{"Makes GGUF files of real shapes with random weights"};
  app.require_subcommand(1);
  std::string shape;
  std::string recipe;
  std::string from;
  std::string to;
  std::string shapes;
  for (const Shape& row : Shapes()) {
    shapes += " " + std::string(row.name);
  }
  auto* make = app.add_subcommand("make", "A model in BF16; shapes:" + shapes);
  make->add_option("shape", shape)->required();
  make->add_option("to", to)->required();
  auto* quantise = app.add_subcommand("quantize", "The same in another format: " + engine::RecipeNames());
  quantise->add_option("from", from)->required();
  quantise->add_option("recipe", recipe)->required();
  quantise->add_option("to", to)->required();
  CLI11_PARSE(app, argc, argv);
  const Status status = make->parsed() ? Make(shape, to) : Quantise(from, recipe, to);
  if (!status.ok()) {
    std::fprintf(stderr, "llm_model: %s\n", status.error().message.c_str());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace atelier::bench

int main(int argc, char** argv) { return atelier::bench::Run(argc, argv); }
