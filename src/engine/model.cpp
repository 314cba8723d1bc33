#include "engine/model.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "engine/cross_attention.h"
#include "engine/forward.h"
#include "engine/packing.h"
#include "engine/weights.h"
#include "tensor/instruction_set.h"

namespace atelier::engine {
namespace {

constexpr size_t kMaxThreads = 1024;
constexpr size_t kMaxPages = 1U << 24U;

Result<std::unique_ptr<KvCache>> MakeCache(const ModelConfig& config, const ModelOptions& options) {
  KvGeometry geometry{.layers = static_cast<size_t>(config.layers),
                      .heads = static_cast<size_t>(config.kv_heads),
                      .key_size = static_cast<size_t>(config.key_size),
                      .value_size = static_cast<size_t>(config.value_size),
                      .page_positions = options.page_positions,
                      .format = options.kv_format,
                      .share_prefixes = config.causal && config.architecture->encoder.empty()};
  size_t page_bytes = 0;
  if (!PageBytes(geometry, page_bytes)) {
    return InvalidArgument("a page of the cache of keys and values cannot be so large", "page_positions");
  }
  geometry.pages = std::min(options.kv_bytes / page_bytes, kMaxPages);
  if (geometry.pages == 0) {
    return InvalidArgument("the cache of keys and values needs at least " + std::to_string(page_bytes) + " bytes",
                           "kv_bytes");
  }
  return KvCache::Make(geometry);
}

Status CheckOptions(const ModelOptions& options) {
  if (options.threads == 0 || options.threads > kMaxThreads) {
    return InvalidArgument("threads must be from 1 to " + std::to_string(kMaxThreads), "threads");
  }
  if (options.max_context < 0) {
    return InvalidArgument("max_context must not be negative", "max_context");
  }
  if (options.page_positions == 0 || options.page_positions > 1024) {
    return InvalidArgument("page_positions must be from 1 to 1024", "page_positions");
  }
  if (options.max_step_tokens == 0) {
    return InvalidArgument("max_step_tokens must not be 0", "max_step_tokens");
  }
  return {};
}

struct Parts {
  ModelConfig config;
  Weights weights;
  PackedWeights packed;
  std::unique_ptr<KvCache> cache;
  std::unique_ptr<Model> encoder;  // nullptr where there is none
};

Result<Parts> MakeParts(ModelConfig config, Weights weights, const ModelOptions& options,
                        const std::filesystem::path& packed_cache) {
  Parts parts{std::move(config), std::move(weights), {}, nullptr, nullptr};
  {
    ThreadPool threads(options.threads);
    ATELIER_ASSIGN(packed, PackedWeights::Make(parts.weights, threads, {options.round_activations, packed_cache}));
    parts.packed = std::move(packed);
  }
  ATELIER_ASSIGN(cache, MakeCache(parts.config, options));
  parts.cache = std::move(cache);
  return parts;
}

class LoadedModel final : public Model {
 public:
  LoadedModel(std::shared_ptr<const tensor::GgufFile> file, const ModelOptions& options, Parts parts)
      : file_(std::move(file)),
        config_(std::move(parts.config)),
        weights_(std::move(parts.weights)),
        packed_(std::move(parts.packed)),
        max_context_(options.max_context > 0 ? options.max_context : config_.context),
        max_step_tokens_(options.max_step_tokens),
        cache_(std::move(parts.cache)),
        encoder_(std::move(parts.encoder)),
        threads_(options.threads),
        forward_({config_, weights_, *cache_, threads_, tensor::BestFloatKernels()}, max_context_) {}

  const ModelConfig& config() const override { return config_; }
  int64_t max_context() const override { return max_context_; }
  KvCache& cache() override { return *cache_; }
  ThreadPool& threads() override { return threads_; }

  size_t classes() const override {
    return weights_.classifier_output.weight.present() ? weights_.classifier_output.weight.rows
                                                       : weights_.classifier.weight.rows;
  }

  Status Step(std::span<const StepItem> items, StepOutput& output) override {
    ATELIER_TRY(Check(items));
    for (size_t i = 0; i < items.size(); ++i) {
      if (auto reserved = cache_->Reserve(*items[i].sequence, items[i].tokens.size()); !reserved.ok()) {
        for (size_t j = 0; j < i; ++j) {
          cache_->Truncate(*items[j].sequence, items[j].sequence->length());
        }
        return reserved;
      }
    }
    forward_.Run(items, output);
    for (const StepItem& item : items) {
      cache_->Append(*item.sequence, item.tokens, item.unsure);
    }
    return {};
  }

  Result<std::shared_ptr<const Adapter>> LoadAdapter(const tensor::GgufFile& file) override {
    if (encoder_ != nullptr) {
      return MakeError(Code::kUnimplemented, "models with an encoder and a decoder take no adapters",
                       "unsupported_adapter");
    }
    return Adapter::Load(file, config_, weights_, ++adapters_);
  }

  Status Encode(Sequence& sequence, std::span<const int32_t> tokens, StepOutput& output) override {
    if (encoder_ == nullptr) {
      return MakeError(Code::kUnimplemented, "this model has no encoder and decoder", "unsupported_operation");
    }
    if (sequence.length() != 0) {
      return InvalidArgument("a text is encoded for an empty sequence");
    }
    const auto text = encoder_->cache().NewSequence();
    const StepItem item{text.get(), tokens, OutputKind::kHidden, 0};
    ATELIER_TRY(encoder_->Step({&item, 1}, output));
    // Rows of one item lie side by side.
    const std::span<const float> encoded(output.Row(0, 0).data(), output.rows(0) * static_cast<size_t>(config_.width));
    sequence.Remember(std::make_shared<CrossMemory>(forward_.Remember(encoded)));
    return {};
  }

  Status Classify(std::span<const float> pooled, std::span<float> logits) override {
    if (classes() == 0) {
      return MakeError(Code::kUnimplemented, "this model has no classification head", "unsupported_model");
    }
    if (pooled.size() != static_cast<size_t>(config_.width) || logits.size() != classes()) {
      return Internal("Classify was given other sizes than the model's");
    }
    Products products(threads_, tensor::BestFloatKernels());
    const auto run = [&](const Linear& linear, const float* from, float* to) {
      const Product product{&linear.weight, linear.bias, from, linear.weight.columns, 1, to, linear.weight.rows};
      products.Run({&product, 1});
    };
    std::vector<float> between(pooled.begin(), pooled.end());
    if (weights_.classifier_output.weight.present()) {
      if (weights_.classifier.weight.present()) {
        between.resize(weights_.classifier.weight.rows);
        run(weights_.classifier, pooled.data(), between.data());
        std::ranges::transform(between, between.begin(), [](float x) { return std::tanh(x); });
      }
      run(weights_.classifier_output, between.data(), logits.data());
    } else {
      run(weights_.classifier, between.data(), logits.data());
    }
    return {};
  }

 private:
  Status Check(std::span<const StepItem> items) const {
    size_t tokens = 0;
    std::set<const Sequence*> seen;
    for (const StepItem& item : items) {
      if (item.sequence == nullptr || item.tokens.empty() || !seen.insert(item.sequence).second) {
        return InvalidArgument("each item of a step needs a sequence of its own and at least one token");
      }
      ATELIER_TRY(CheckItem(item));
      tokens += item.tokens.size();
    }
    if (tokens == 0 || tokens > max_step_tokens_) {
      return InvalidArgument("a step takes from 1 to " + std::to_string(max_step_tokens_) + " tokens, not " +
                             std::to_string(tokens));
    }
    return {};
  }

  Status CheckItem(const StepItem& item) const {
    if (item.tokens.size() + item.sequence->length() > static_cast<size_t>(max_context_)) {
      return MakeError(Code::kOutOfRange,
                       "the sequence would have " + std::to_string(item.tokens.size() + item.sequence->length()) +
                           " tokens, but the model's context is " + std::to_string(max_context_),
                       "context_length_exceeded");
    }
    for (const int32_t token : item.tokens) {
      if (token < 0 || token >= config_.vocabulary) {
        return InvalidArgument("token " + std::to_string(token) + " is not in the vocabulary of " +
                               std::to_string(config_.vocabulary));
      }
    }
    if (item.output != OutputKind::kNone && item.output_from >= item.tokens.size()) {
      return InvalidArgument("output is wanted from a token on that is not there");
    }
    if (item.output == OutputKind::kLogits && !weights_.head.weight.present()) {
      return InvalidArgument("an encoder has no logits", "", "unsupported_operation");
    }
    if (encoder_ != nullptr && item.sequence->memory() == nullptr) {
      return InvalidArgument("the decoder has no encoded text to attend to");
    }
    if (!config_.causal && item.sequence->length() != 0) {
      return InvalidArgument("an encoder takes a text as a whole");
    }
    return {};
  }

  std::shared_ptr<const tensor::GgufFile> file_;  // shared: the importer or other readers may keep it, too
  ModelConfig config_;
  Weights weights_;
  PackedWeights packed_;
  int64_t max_context_;
  size_t max_step_tokens_;
  std::unique_ptr<KvCache> cache_;
  std::unique_ptr<Model> encoder_;
  ThreadPool threads_;
  Forward forward_;
  std::atomic<uint64_t> adapters_{0};  // loaded so far
};

}  // namespace

Result<std::unique_ptr<Model>> Model::Load(std::shared_ptr<const tensor::GgufFile> file, const ModelOptions& options) {
  ATELIER_TRY(CheckOptions(options));
  ATELIER_TRY(tensor::CheckInstructionSet());
  ATELIER_ASSIGN(config, ReadModelConfig(*file));
  if (config.architecture->positions == Positions::kLearned && options.max_context > config.context) {
    return InvalidArgument(
        "max_context is more than the " + std::to_string(config.context) + " positions that the model has learned",
        "max_context");
  }
  const bool pair = !config.architecture->encoder.empty();
  ModelConfig encoder_config;
  if (pair) {
    ATELIER_ASSIGN(other, ReadEncoderConfig(*file, config));
    encoder_config = std::move(other);
  }
  ATELIER_ASSIGN(loaded, LoadWeights(*file, config, pair ? &encoder_config : nullptr));
  ATELIER_ASSIGN(parts, MakeParts(std::move(config), std::move(loaded.weights), options, options.packed_cache));
  if (pair) {
    auto encoder_cache = options.packed_cache;
    if (!encoder_cache.empty()) {
      encoder_cache += ".encoder";
    }
    ATELIER_ASSIGN(encoder, MakeParts(std::move(encoder_config), std::move(loaded.encoder), options, encoder_cache));
    parts.encoder = std::make_unique<LoadedModel>(file, options, std::move(encoder));
  }
  return std::unique_ptr<Model>(std::make_unique<LoadedModel>(std::move(file), options, std::move(parts)));
}

}  // namespace atelier::engine
