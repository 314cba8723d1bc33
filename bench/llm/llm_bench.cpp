// What the engine does with a model, without a server around it, and what the machine could do: one JSON object on
// standard output. bench/llm/run.py calls it and llama.cpp's programs in turn.
//   llm_bench [MODEL.gguf] --threads 2 --sections machine,load,prefill,decode,depth,batched
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/model.h"
#include "machine.h"

namespace atelier::bench {
namespace {

using engine::Model;
using engine::OutputKind;
using engine::Sequence;
using engine::StepItem;

struct Options {
  std::string model;
  size_t threads = 1;
  std::vector<std::string> sections{"machine", "load", "prefill", "decode", "depth", "batched"};
  size_t prompt = 512;
  size_t answer = 128;
  size_t depth = 4096;
  std::vector<size_t> streams{1, 4, 8, 16, 32};
  size_t stream_prompt = 128;
  size_t stream_answer = 64;
  size_t step_tokens = 512;  // of prompts
  size_t kv_mib = 2048;
};

double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

json::object Machine(size_t threads) {
  const IntegerPeak peak = MeasureIntegerPeak(threads);
  return {{"threads", threads},
          {"read_bytes_per_s", ReadBandwidth(threads, false)},
          {"read_bytes_per_s_huge_pages", ReadBandwidth(threads, true)},
          {"integer_instructions", peak.instructions},
          {"integer_ops_per_s", peak.operations}};
}

// A line of /proc/self/smaps_rollup, in bytes.
int64_t MemoryOf(std::string_view name) {
  std::ifstream file("/proc/self/smaps_rollup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) {
      return std::stoll(line.substr(name.size())) * 1024;
    }
  }
  return 0;
}

// What a token needs: of experts, those that are at work.
json::object Sizes(const tensor::GgufFile& file, const engine::ModelConfig& config) {
  const double at_work =
      config.experts > 0 ? static_cast<double>(config.experts_used) / static_cast<double>(config.experts) : 1.0;
  double step_bytes = 0;     // read by a step of one token
  double layer_weights = 0;  // multiplied with each token of a prompt
  for (const auto& [name, tensor] : file.tensors()) {
    const bool in_layer = name.starts_with("blk.");
    if (tensor.shape.size() < 2 || (name == "token_embd.weight" && file.Find("output.weight") != nullptr)) {
      continue;
    }
    const double share = name.find("_exps.") != std::string::npos ? at_work : 1.0;
    double weights = share;
    for (const int64_t size : tensor.shape) {
      weights *= static_cast<double>(size);
    }
    step_bytes += share * static_cast<double>(tensor.bytes.size());
    layer_weights += in_layer ? weights : 0;
  }
  return {{"step_bytes", step_bytes}, {"layer_weights", layer_weights}};
}

// One model and its measurements. A step that fails ends the program: speeds of a broken engine mean nothing.
class Bench {
 public:
  Bench(Model& model, const Options& options) : model_(model), options_(options) {}

  void WarmUp() {
    auto sequence = Filled(16);
    Decode({&sequence, 1}, 2);
  }

  double Prefill() {
    auto sequence = model_.cache().NewSequence();
    const double begin = Seconds();
    Fill({&sequence, 1}, options_.prompt);
    return static_cast<double>(options_.prompt) / (Seconds() - begin);
  }

  double DecodeAt(size_t depth) {
    auto sequence = depth > 0 ? Filled(depth) : model_.cache().NewSequence();
    return Decode({&sequence, 1}, options_.answer);
  }

  json::object Batched(size_t streams) {
    std::vector<std::unique_ptr<Sequence>> sequences;
    for (size_t i = 0; i < streams; ++i) {
      sequences.push_back(model_.cache().NewSequence());
    }
    const double begin = Seconds();
    Fill(sequences, options_.stream_prompt);
    const double prefill = static_cast<double>(streams * options_.stream_prompt) / (Seconds() - begin);
    return {{"streams", streams}, {"prefill", prefill}, {"decode", Decode(sequences, options_.stream_answer)}};
  }

 private:
  using Sequences = std::span<std::unique_ptr<Sequence>>;

  std::unique_ptr<Sequence> Filled(size_t length) {
    auto sequence = model_.cache().NewSequence();
    Fill({&sequence, 1}, length);
    return sequence;
  }

  std::vector<int32_t> RandomTokens(size_t count) {
    std::vector<int32_t> tokens(count);
    std::ranges::generate(tokens, [&] { return static_cast<int32_t>(random_() % model_.config().vocabulary); });
    return tokens;
  }

  // Prompts of `length` tokens in steps of `step_tokens`, whole sequences together where they are short; the logits of
  // each last token.
  void Fill(Sequences sequences, size_t length) {
    const size_t together = std::max<size_t>(options_.step_tokens / length, 1);
    for (size_t first = 0; first < sequences.size(); first += together) {
      const auto group = sequences.subspan(first, std::min(together, sequences.size() - first));
      for (size_t begin = 0; begin < length; begin += options_.step_tokens) {
        Step(group, std::min(options_.step_tokens, length - begin));
      }
    }
  }

  // Tokens a second of all sequences together; each step's tokens are random, as the peer's are.
  double Decode(Sequences sequences, size_t steps) {
    const double begin = Seconds();
    for (size_t i = 0; i < steps; ++i) {
      Step(sequences, 1);
    }
    return static_cast<double>(steps * sequences.size()) / (Seconds() - begin);
  }

  void Step(Sequences sequences, size_t count) {
    const auto tokens = RandomTokens(count * sequences.size());
    items_.clear();
    for (size_t i = 0; i < sequences.size(); ++i) {
      const auto own = std::span(tokens).subspan(i * count, count);
      items_.push_back({sequences[i].get(), own, OutputKind::kLogits, count - 1});
    }
    if (const Status status = model_.Step(items_, output_); !status.ok()) {
      std::fprintf(stderr, "llm_bench: a step failed: %s\n", status.error().message.c_str());
      std::exit(1);
    }
  }

  Model& model_;
  const Options& options_;
  std::mt19937 random_{1};
  std::vector<StepItem> items_;
  engine::StepOutput output_;
};

Status MeasureModel(const Options& options, const std::set<std::string, std::less<>>& wanted, json::object& out) {
  const double begin = Seconds();
  ATELIER_ASSIGN(opened, tensor::GgufFile::Open(options.model));
  const std::shared_ptr<const tensor::GgufFile> file = std::move(opened);
  engine::ModelOptions model_options;
  model_options.threads = options.threads;
  model_options.max_context = static_cast<int64_t>(options.depth + options.prompt + options.answer);
  model_options.kv_bytes = options.kv_mib << 20U;
  ATELIER_ASSIGN(model, Model::Load(file, model_options));
  out["load_s"] = Seconds() - begin;
  out["memory"] = {{"resident", MemoryOf("Rss:")}, {"proportional", MemoryOf("Pss:")}};
  out["sizes"] = Sizes(*file, model->config());
  Bench bench(*model, options);
  bench.WarmUp();
  if (wanted.contains("prefill")) {
    out["prefill"] = bench.Prefill();
  }
  if (wanted.contains("decode")) {
    out["decode"] = bench.DecodeAt(0);
  }
  if (wanted.contains("depth")) {
    out["depth"] = bench.DecodeAt(options.depth);
  }
  if (wanted.contains("batched")) {
    auto& rows = out["batched"].emplace_array();
    for (const size_t streams : options.streams) {
      rows.push_back(bench.Batched(streams));
    }
  }
  return {};
}

int Run(int argc, char** argv) {
  CLI::App app{"Speed of the engine with a model, and of the machine"};
  Options options;
  app.add_option("model", options.model, "A GGUF file; without it the machine alone is measured");
  app.add_option("--threads", options.threads)->check(CLI::Range(1, 1024));
  app.add_option("--sections", options.sections, "machine, load, prefill, decode, depth, batched")->delimiter(',');
  app.add_option("--prompt", options.prompt)->check(CLI::PositiveNumber);
  app.add_option("--answer", options.answer)->check(CLI::PositiveNumber);
  app.add_option("--depth", options.depth)->check(CLI::PositiveNumber);
  app.add_option("--streams", options.streams)->delimiter(',')->check(CLI::PositiveNumber);
  app.add_option("--stream-prompt", options.stream_prompt)->check(CLI::PositiveNumber);
  app.add_option("--stream-answer", options.stream_answer)->check(CLI::PositiveNumber);
  app.add_option("--step-tokens", options.step_tokens)->check(CLI::Range(1, 4096));
  app.add_option("--kv-mib", options.kv_mib)->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  const std::set<std::string, std::less<>> wanted(options.sections.begin(), options.sections.end());
  json::object out;
  if (wanted.contains("machine")) {
    out["machine"] = Machine(options.threads);
  }
  if (!options.model.empty()) {
    if (const Status status = MeasureModel(options, wanted, out); !status.ok()) {
      std::fprintf(stderr, "llm_bench: %s\n", status.error().message.c_str());
      return 1;
    }
  }
  std::cout << json::serialize(out) << "\n";
  return 0;
}

}  // namespace
}  // namespace atelier::bench

int main(int argc, char** argv) { return atelier::bench::Run(argc, argv); }
