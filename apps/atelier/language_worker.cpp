#include "language_worker.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/processors.h"
#include "engine/service/generator.h"
#include "serving/generative_options.h"
#include "serving/worker_host.h"

namespace atelier::apps {
namespace {

// The flag, ATELIER_THREADS, or all cores.
size_t Threads(const serving::GenerativeOptions& options) {
  if (options.threads > 0) {
    return static_cast<size_t>(options.threads);
  }
  const char* text = std::getenv("ATELIER_THREADS");
  const int asked = text == nullptr ? 0 : std::atoi(text);
  return asked > 0 ? static_cast<size_t>(asked) : UsableProcessors();
}

tensor::KvFormat KvFormatOf(int64_t bits) {
  return bits >= 32 ? tensor::KvFormat::kF32 : bits >= 16 ? tensor::KvFormat::kF16 : tensor::KvFormat::kQ8_0;
}

// The flag, ATELIER_SPECULATION, or where it pays.
engine::SpeculationMode Speculation(const serving::GenerativeOptions& options) {
  const char* environment = std::getenv("ATELIER_SPECULATION");
  const std::string word = !options.speculation.empty() ? options.speculation
                           : environment != nullptr     ? environment
                                                        : "";
  return word == "off"      ? engine::SpeculationMode::kOff
         : word == "lookup" ? engine::SpeculationMode::kLookup
                            : engine::SpeculationMode::kAuto;
}

engine::GeneratorOptions EngineOptions(const serving::GenerativeOptions& options) {
  engine::GeneratorOptions out;
  out.threads = Threads(options);
  out.max_context = options.context;
  if (options.kv_bytes > 0) {
    out.kv_bytes = static_cast<size_t>(options.kv_bytes);
  }
  if (options.kv_bits > 0) {
    out.kv_format = KvFormatOf(options.kv_bits);
  }
  if (options.max_running > 0) {
    out.max_running = static_cast<int32_t>(options.max_running);
  }
  if (options.max_queue > 0) {
    out.max_queue = static_cast<int32_t>(options.max_queue);
  }
  if (options.max_adapters > 0) {
    out.max_adapters = static_cast<size_t>(options.max_adapters);
  }
  if (options.step_tokens > 0) {
    out.step_tokens = static_cast<size_t>(options.step_tokens);
  }
  if (options.step_ms > 0) {
    out.step_ms = static_cast<int32_t>(options.step_ms);
  }
  out.speculation = Speculation(options);
  return out;
}

}  // namespace

int RunLanguageWorker(int argc, char** argv) {
  CLI::App app{"A worker of a language model; started by the gateway", "atelier worker llm"};
  std::string model;
  std::string socket;
  std::string draft;
  serving::GenerativeOptions options;
  app.add_option("--model", model, "The model's folder")->required();
  app.add_option("--socket", socket)->required();
  app.add_option("--draft", draft, "The folder of a smaller model with the same tokens, which drafts for it");
  app.add_option("--speculation", options.speculation)
      ->check(CLI::IsMember(
          std::vector<std::string>(std::begin(serving::kSpeculations), std::end(serving::kSpeculations))));
  for (const auto& setting : serving::kGenerativeSettings) {
    std::string flag = "--" + std::string(setting.name);
    std::replace(flag.begin(), flag.end(), '_', '-');
    app.add_option(flag, options.*setting.member)->check(CLI::Range(setting.min, setting.max));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  SystemClock clock;
  return serving::RunGenerativeWorker(socket, [&] {
    engine::GeneratorOptions engine_options = EngineOptions(options);
    engine_options.packed_cache = std::filesystem::path(model) / "packed_weights";
    engine_options.draft_model = draft;
    return engine::OpenGenerator(model, engine_options, clock);
  });
}

}  // namespace atelier::apps
