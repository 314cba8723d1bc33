// The generative engine as a service: requests in from any thread, answers out as they come. generation.h says what
// goes in and out.
//
// One thread (the engine thread) owns model, cache and all running answers, and does one step after another: each takes
// one token of every answer that is being decoded, and pieces of prompts within a budget, so that long prompts do not
// stall the others (continuous batching: Yu et al., "Orca", OSDI 2022; chunked prefill: Agrawal et al.,
// "Sarathi-Serve", arXiv:2403.02310). Helper threads do what depends on one request alone: templates, tokenising,
// compiling grammars.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "engine/generation.h"
#include "engine/service/model_files.h"
#include "engine/service/speculation/mode.h"
#include "tensor/kernels/kv_format.h"

namespace atelier::engine {

struct GeneratorOptions {
  size_t threads = 1;               // at most; a small model takes fewer
  int64_t max_context = 0;          // longest sequence; 0: what the model was made for
  size_t kv_bytes = 512ULL << 20U;  // of the cache of keys and values
  size_t page_positions = 16;
  int32_t max_running = 16;  // sequences that are computed at once: answers, not requests
  int32_t max_queue = 256;   // requests that wait for their first step
  size_t step_tokens = 512;  // of prompts in one step, at most
  int32_t step_ms = 40;      // what a step should take in which answers are decoded, too: prompts get the rest of it
  bool reuse_prefixes = true;
  std::filesystem::path packed_cache{};  // ModelOptions::packed_cache
  size_t max_adapters = 8;               // loaded at a time
  tensor::KvFormat kv_format = tensor::KvFormat::kF16;
  size_t helpers = 1;  // threads that prepare requests
  SpeculationMode speculation = SpeculationMode::kAuto;
  std::filesystem::path draft_model{};  // a smaller one with the same tokens, folder or file; empty: none
};

// The model of a folder (one GGUF file, whole or split) or file. `clock` must outlive it.
//
// Answers depend on the request alone: not on what else runs, on prefixes found in the cache, on the number of threads
// or on being set aside and recomputed when pages run out. All calls of sinks and callbacks come from the engine
// thread, with no lock held: one that blocks stalls every answer, so hand over and return. They may call the generator,
// but not destroy it. Destroying it ends what is under way with kUnavailable.
//
// Errors of opening: those of ReadModelFiles, Model::Load, DraftModel::Make, Tokenizer::Make and ChatTemplate::Parse;
// kInvalidArgument for options that cannot be.
Result<std::unique_ptr<Generator>> OpenGenerator(const std::filesystem::path& folder_or_file,
                                                 const GeneratorOptions& options, Clock& clock);
// The same for files that were read before.
Result<std::unique_ptr<Generator>> MakeGenerator(ModelFiles files, const GeneratorOptions& options, Clock& clock);

}  // namespace atelier::engine
