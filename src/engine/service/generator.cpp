#include "engine/service/generator.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <utility>

#include "engine/service/adapters.h"
#include "engine/service/engine_thread.h"
#include "engine/service/grammars.h"
#include "engine/service/helpers.h"
#include "engine/service/language.h"
#include "engine/service/pooling_jobs.h"
#include "engine/service/preparation.h"
#include "engine/service/speculation/draft_model.h"

namespace atelier::engine {
namespace {

constexpr size_t kMaxRowFloats = 8U << 20U;  // of logits of one prompt in one step
constexpr int32_t kMaxRunning = 4096;
constexpr size_t kMaxStepTokens = 1U << 20U;
constexpr int32_t kMaxStepMs = 10'000;

Status CheckOptions(const GeneratorOptions& options) {
  const auto wrong = [](const std::string& field, int64_t max) {
    return InvalidArgument(field + " must be from 1 to " + std::to_string(max), field);
  };
  if (options.max_running < 1 || options.max_running > kMaxRunning) {
    return wrong("max_running", kMaxRunning);
  }
  if (options.max_queue < 1) {
    return wrong("max_queue", INT32_MAX);
  }
  if (options.step_tokens < 1 || options.step_tokens > kMaxStepTokens) {
    return wrong("step_tokens", kMaxStepTokens);
  }
  if (options.step_ms < 1 || options.step_ms > kMaxStepMs) {
    return wrong("step_ms", kMaxStepMs);
  }
  if (options.helpers < 1 || options.helpers > 64) {
    return wrong("helpers", 64);
  }
  return {};
}

GenerativeDescription Describe(const ModelConfig& config, bool reranks, const Language& language) {
  GenerativeDescription description;
  description.architecture = config.architecture->name;
  description.vocabulary = static_cast<int32_t>(config.vocabulary);
  description.embedding_width = static_cast<int32_t>(config.width);
  description.generates = config.causal && config.architecture->head;
  description.reranks = reranks;
  description.embeds = !reranks && config.architecture->encoder.empty();
  description.has_chat_template = language.has_template();
  description.uses_tools = language.tool_format() != chat::ToolFormat::kNone && language.traits().uses_tools;
  description.uses_reasoning = language.reasoning().has_value();
  return description;
}

EngineThread::Limits LimitsOf(const GeneratorOptions& options, int64_t vocabulary) {
  EngineThread::Limits limits;
  limits.max_queue = options.max_queue;
  limits.schedule.max_running = static_cast<size_t>(options.max_running);
  limits.schedule.targets.shared_ns = int64_t{options.step_ms} * 1'000'000;
  limits.schedule.targets.step_tokens = options.step_tokens;
  limits.schedule.row_tokens = std::max<size_t>(1, kMaxRowFloats / static_cast<size_t>(vocabulary));
  limits.schedule.reuse_prefixes = options.reuse_prefixes;
  return limits;
}

// The token that a decoder begins with where an encoder reads the prompt; nothing for other models.
Result<std::optional<int32_t>> DecoderStart(const tensor::GgufFile& file, const ModelConfig& config) {
  const std::string key = std::string(config.architecture->name) + ".decoder_start_token_id";
  if (config.architecture->encoder.empty()) {
    return std::optional<int32_t>();
  }
  ATELIER_ASSIGN(token, file.Has(key) ? file.Integer(key) : Result<int64_t>(0));
  if (token < 0 || token >= static_cast<int64_t>(config.vocabulary)) {
    return InvalidArgument(key + " is no token of the model", key, "invalid_model_file");
  }
  return std::optional(static_cast<int32_t>(token));
}

struct GeneratorParts {
  std::unique_ptr<Model> model;
  std::unique_ptr<Language> language;
  std::unique_ptr<DraftModel> draft_model;  // nullptr: none
  GenerativeDescription description;
  GeneratorOptions options;
  std::optional<int32_t> decoder_start;
};

class LoadedGenerator final : public Generator {
 public:
  LoadedGenerator(GeneratorParts parts, Clock& clock)
      : model_(std::move(parts.model)),
        language_(std::move(parts.language)),
        draft_model_(std::move(parts.draft_model)),
        description_(std::move(parts.description)),
        decoder_start_(parts.decoder_start),
        clock_(clock),
        grammars_(*language_, clock),
        adapters_(*model_, parts.options.max_adapters),
        thread_({*model_, *language_, clock, parts.options.speculation, draft_model_.get()},
                LimitsOf(parts.options, description_.vocabulary)),
        helpers_(parts.options.helpers) {}
  ~LoadedGenerator() override { closing_ = true; }

  const GenerativeDescription& description() const override { return description_; }
  std::function<void()> Generate(GenerationRequest request, std::shared_ptr<GenerationSink> sink) override;
  void Embed(EmbeddingRequest request, std::function<void(Result<EmbeddingAnswer>)> done) override;
  void Rerank(RerankRequest request, std::function<void(Result<RerankAnswer>)> done) override;
  Result<TokenizeAnswer> Tokenize(const TokenizeRequest& request) override;
  Result<std::string> Detokenize(const std::vector<int32_t>& tokens) override;
  Result<AdapterInfo> LoadAdapter(const std::string& name, const std::filesystem::path& folder_or_file) override {
    return adapters_.Load(name, folder_or_file);
  }
  Status UnloadAdapter(const std::string& name) override { return adapters_.Unload(name); }
  Stats stats() const override { return thread_.stats(); }
  void Drain(std::function<void()> drained) override { thread_.Drain(std::move(drained)); }

 private:
  using Vectors = Result<std::vector<std::vector<float>>>;
  using Prepare = std::function<Result<PoolingJob>()>;

  void Begin(Task& task, GenerationRequest request);
  // For an adapter's name. `done` has the number of the texts' tokens, too.
  void Pool(const std::string& adapter, Prepare prepare, std::function<void(Vectors, int32_t)> done);
  Error CannotDo(const std::string& what) const {
    return MakeError(Code::kUnimplemented, "this model " + what, "unsupported_operation");
  }

  std::unique_ptr<Model> model_;
  std::unique_ptr<Language> language_;
  std::unique_ptr<DraftModel> draft_model_;
  const GenerativeDescription description_;
  const std::optional<int32_t> decoder_start_;
  Clock& clock_;
  Grammars grammars_;
  Adapters adapters_;
  std::atomic<uint64_t> arrivals_{0};
  std::atomic<bool> closing_{false};
  EngineThread thread_;
  Helpers helpers_;  // ends before the engine thread, to which it hands everything
};

// On a helper thread: fills the task.
void LoadedGenerator::Begin(Task& task, GenerationRequest request) {
  if (closing_ || task.cancelled->load()) {
    task.refused = closing_ ? Unavailable("the model is being unloaded", "shutting_down")
                            : MakeError(Code::kCancelled, "the request was cancelled", "cancelled");
    return;
  }
  auto prepared =
      engine::Prepare(std::move(request), {*language_, grammars_, clock_, description_.max_context, decoder_start_});
  if (prepared.ok()) {
    task.prepared = std::move(*prepared);
  } else {
    task.refused = std::move(prepared).error();
  }
}

std::function<void()> LoadedGenerator::Generate(GenerationRequest request, std::shared_ptr<GenerationSink> sink) {
  // Shared: the function that cancels may outlive task and generator.
  auto cancelled = std::make_shared<std::atomic<bool>>(false);
  auto task = std::make_unique<Task>();
  task->order = arrivals_.fetch_add(1);
  task->sink = std::move(sink);
  task->cancelled = cancelled;
  task->queued_ns = clock_.MonotonicNs();
  if (request.timeout_ms > 0) {
    task->deadline_ns = task->queued_ns + std::min(request.timeout_ms, kLongestTimeoutMs) * 1'000'000;
  }
  auto adapter = adapters_.Find(request.adapter);
  const Status place = !description_.generates ? Status(CannotDo("does not generate text"))
                       : !adapter.ok()         ? Status(adapter.error())
                                               : thread_.TakePlace();
  if (place.ok()) {
    task->adapter = std::move(*adapter);
    task->has_place = true;
    // std::function wants copies: shared by those of the work.
    auto work =
        std::make_shared<std::pair<std::unique_ptr<Task>, GenerationRequest>>(std::move(task), std::move(request));
    helpers_.Add([this, work] {
      Begin(*work->first, std::move(work->second));
      thread_.Put(std::move(work->first));
    });
  } else {
    task->refused = place.error();
    thread_.Put(std::move(task));
  }
  return [cancelled, bell = thread_.bell()] {
    cancelled->store(true);
    bell->Ring();
  };
}

void LoadedGenerator::Pool(const std::string& name, Prepare prepare, std::function<void(Vectors, int32_t)> done) {
  auto adapter = adapters_.Find(name);
  if (const Status place = adapter.ok() ? thread_.TakePlace() : Status(adapter.error()); !place.ok()) {
    thread_.Tell([done, error = place.error()] { done(error, 0); });
    return;
  }
  helpers_.Add([this, adapter = std::move(*adapter), prepare = std::move(prepare), done = std::move(done)] {
    auto prepared =
        closing_ ? Result<PoolingJob>(Unavailable("the model is being unloaded", "shutting_down")) : prepare();
    if (!prepared.ok()) {
      thread_.Tell([this, done, error = prepared.error()] {
        thread_.LeavePlaces(1);
        done(error, 0);
      });
      return;
    }
    auto job = std::make_unique<PoolingJob>(std::move(*prepared));
    job->adapter = adapter;
    int32_t tokens = 0;
    for (const auto& text : job->texts) {
      tokens += static_cast<int32_t>(text.size());
    }
    job->done = [this, done, tokens](Vectors vectors) {
      thread_.LeavePlaces(1);
      done(std::move(vectors), tokens);
    };
    thread_.Put(std::move(job));
  });
}

void LoadedGenerator::Embed(EmbeddingRequest request, std::function<void(Result<EmbeddingAnswer>)> done) {
  if (!description_.embeds) {
    thread_.Tell([done, error = CannotDo("gives no embeddings")] { done(error); });
    return;
  }
  const std::string adapter = request.adapter;
  Pool(
      adapter,
      [this, request = std::move(request)] {
        return PrepareEmbedding(request, *language_, description_.max_context, description_.embedding_width);
      },
      [done = std::move(done)](Vectors vectors, int32_t tokens) {
        if (vectors.ok()) {
          done(EmbeddingAnswer{std::move(*vectors), tokens});
        } else {
          done(std::move(vectors).error());
        }
      });
}

void LoadedGenerator::Rerank(RerankRequest request, std::function<void(Result<RerankAnswer>)> done) {
  if (!description_.reranks) {
    thread_.Tell([done, error = CannotDo("does not rank texts")] { done(error); });
    return;
  }
  const std::string adapter = request.adapter;
  Pool(
      adapter,
      [this, request = std::move(request)] { return PrepareRerank(request, *language_, description_.max_context); },
      [done = std::move(done)](Vectors vectors, int32_t tokens) {
        if (!vectors.ok()) {
          done(std::move(vectors).error());
          return;
        }
        RerankAnswer answer{{}, tokens};
        for (const auto& vector : *vectors) {
          answer.scores.push_back(vector.front());
        }
        done(std::move(answer));
      });
}

Result<TokenizeAnswer> LoadedGenerator::Tokenize(const TokenizeRequest& request) {
  ATELIER_ASSIGN(prompt, language_->Encode(request.prompt, clock_.UnixMs() / 1000));
  TokenizeAnswer answer;
  answer.tokens = std::move(prompt.tokens);
  for (const int32_t token : answer.tokens) {
    answer.pieces.emplace_back(language_->Spelling(token));
  }
  answer.max_context = description_.max_context;
  return answer;
}

Result<std::string> LoadedGenerator::Detokenize(const std::vector<int32_t>& tokens) {
  ATELIER_ASSIGN(prompt, language_->Encode(TokenPrompt{tokens}, 0));
  return std::move(prompt.text);
}

// One thread for every 2 MiB of weights: for less, threads wait for each other longer than they work.
size_t UsefulThreads(const tensor::GgufFile& weights, size_t threads) {
  constexpr size_t kBytesAThread = 2U << 20U;
  size_t bytes = 0;
  for (const auto& [name, tensor] : weights.tensors()) {
    bytes += tensor.bytes.size();
  }
  return std::min(threads, std::max<size_t>(1, bytes / kBytesAThread));
}

// nullptr where there is none.
Result<std::unique_ptr<DraftModel>> OpenDraft(const GeneratorOptions& options, const Language& language,
                                              const Clock& clock) {
  if (options.draft_model.empty() || options.speculation == SpeculationMode::kOff) {
    return std::unique_ptr<DraftModel>();
  }
  ATELIER_ASSIGN(files, ReadModelFiles(options.draft_model));
  ModelOptions model;
  model.threads = UsefulThreads(*files.weights, options.threads);
  model.kv_bytes = std::max(options.kv_bytes / 4, size_t{1} << 20U);
  model.page_positions = options.page_positions;
  model.max_step_tokens = SIZE_MAX;
  return DraftModel::Make(files, model, language, clock);
}

}  // namespace

Result<std::unique_ptr<Generator>> MakeGenerator(ModelFiles files, const GeneratorOptions& options, Clock& clock) {
  ATELIER_TRY(CheckOptions(options));
  // A vocabulary takes as long as the weights: both at once.
  auto making = std::async(std::launch::async,
                           [&files] { return Language::Make(std::move(files.tokenizer), files.chat_template); });
  // Texts of encoders come as a whole, however long, so the model itself sets no limit.
  const ModelOptions model_options{.threads = UsefulThreads(*files.weights, options.threads),
                                   .max_context = options.max_context,
                                   .kv_bytes = options.kv_bytes,
                                   .page_positions = options.page_positions,
                                   .max_step_tokens = SIZE_MAX,
                                   .packed_cache = options.packed_cache,
                                   .kv_format = options.kv_format};
  auto loaded = Model::Load(files.weights, model_options);
  ATELIER_ASSIGN(language, making.get());
  ATELIER_ASSIGN(model, std::move(loaded));
  const ModelConfig& config = model->config();
  ATELIER_ASSIGN(decoder_start, DecoderStart(*files.weights, config));
  if (language->tokenizer().size() > config.vocabulary) {
    return InvalidArgument("the tokeniser has " + std::to_string(language->tokenizer().size()) +
                               " tokens, but the model knows " + std::to_string(config.vocabulary),
                           "tokenizer.ggml.tokens", "invalid_model_file");
  }
  GenerativeDescription description = Describe(config, model->classes() == 1, *language);
  const KvGeometry& geometry = model->cache().geometry();
  const auto positions = static_cast<int64_t>(geometry.pages * geometry.page_positions);
  description.max_context = static_cast<int32_t>(std::min({model->max_context(), positions, int64_t{INT32_MAX}}));
  description.fingerprint = std::move(files.fingerprint);
  ATELIER_ASSIGN(draft, OpenDraft(options, *language, clock));
  GeneratorParts parts{std::move(model), std::move(language), std::move(draft), std::move(description),
                       options,          decoder_start};
  parts.options.reuse_prefixes = options.reuse_prefixes && !decoder_start;  // what was decoded depends on the text, too
  return std::unique_ptr<Generator>(std::make_unique<LoadedGenerator>(std::move(parts), clock));
}

Result<std::unique_ptr<Generator>> OpenGenerator(const std::filesystem::path& folder_or_file,
                                                 const GeneratorOptions& options, Clock& clock) {
  ATELIER_ASSIGN(files, ReadModelFiles(folder_or_file));
  return MakeGenerator(std::move(files), options, clock);
}

}  // namespace atelier::engine
