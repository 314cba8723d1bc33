// What is asked of a generative model and what comes back, piece by piece. Plain data: it travels between gateway and
// worker (proto/atelier/worker.proto has the same fields).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "engine/sampling/options.h"

namespace atelier::engine {

// A conversation in OpenAI's shape, as JSON texts: the worker renders the model's own template.
struct ChatPrompt {
  std::string messages;           // JSON array
  std::string tools{};            // JSON array of {"type":"function","function":{...}}; empty: none
  std::string tool_choice{};      // "" (auto), "none", "required", or the name of a tool as "name:get_weather"
  std::string template_kwargs{};  // JSON object of more variables (enable_thinking ...); empty: none
  bool add_generation_prompt = true;
  bool continue_final_message = false;  // vLLM's
};
struct TextPrompt {
  std::string text;
  bool add_special = true;
};
struct TokenPrompt {
  std::vector<int32_t> tokens;
};
using Prompt = std::variant<ChatPrompt, TextPrompt, TokenPrompt>;

// What the answer must look like; at most one.
struct OutputConstraint {
  enum class Kind { kNone, kJsonObject, kJsonSchema, kRegex, kChoice, kGrammar };
  Kind kind = Kind::kNone;
  std::string source{};  // schema (JSON text), regex, JSON array of choices, GBNF
};

inline constexpr int32_t kPromptOnly = -1;
inline constexpr int64_t kLongestTimeoutMs = 24 * 3'600'000;

struct GenerationRequest {
  std::string request_id{};
  Prompt prompt;
  SamplingOptions sampling{};       // sampling.seed is set by the caller, always
  int32_t max_tokens = 0;           // 0: as many as the context holds; kPromptOnly: none (echo, prompt_logprobs)
  int32_t choices = 1;              // n, 1 to 128
  std::vector<std::string> stop{};  // strings
  bool include_stop_text = false;
  bool skip_special_tokens = true;
  OutputConstraint constraint{};
  std::optional<int32_t> prompt_logprobs{};  // top n of each prompt token
  bool echo = false;                         // the prompt's text comes first in the answer
  bool parse_chat = false;                   // split reasoning and tool calls from content
  bool return_token_ids = false;
  std::string adapter{};  // LoRA, by name; empty: none
  std::string project{};  // whose share of the model's time it takes; any text
  // From when it comes, at most kLongestTimeoutMs; then it ends with kDeadlineExceeded "timeout". 0: never.
  int64_t timeout_ms = 0;
  // What much of the answer will probably be, word by word: it is then faster, and the same. Empty: nothing is known.
  std::string prediction{};
};

struct TokenInfo {
  int32_t id = 0;
  std::string bytes{};  // what the token adds to the text, which may be part of a character; a control token's spelling
  float logprob = 0;
  struct Top {
    int32_t id = 0;
    std::string bytes{};
    float logprob = 0;
  };
  std::vector<Top> top{};
};

enum class FinishReason { kNone, kStop, kLength, kToolCalls, kCancelled, kError };

// One event of one choice.
struct GenerationDelta {
  enum class Kind { kPrompt, kContent, kReasoning, kToolCallStart, kToolCallArguments, kFinish };
  Kind kind = Kind::kContent;
  int32_t choice = 0;
  std::string text{};  // content, reasoning, arguments; kFinish: the stop string that ended it, if any
  int32_t tool_index = 0;
  std::string tool_id{};
  std::string tool_name{};
  int32_t tokens = 0;  // since the choice's delta before this one; kPrompt: of the prompt
  // return_token_ids: the tokens since the choice's delta before this one; those for which no text was shown (an end
  // token, a stop string) come with kFinish. kPrompt: those of the prompt.
  std::vector<int32_t> token_ids{};
  // With top_logprobs: of those tokens. kPrompt with prompt_logprobs, and the content of echo with top_logprobs: of all
  // tokens of the prompt; the first has none, so that its logprob is 0 and means nothing.
  std::vector<TokenInfo> logprobs{};
  FinishReason finish = FinishReason::kNone;  // kFinish
  std::optional<int32_t> stop_token{};        // kFinish: the stop token, if one ended it
};

struct GenerationUsage {
  int32_t prompt_tokens = 0;
  int32_t cached_tokens = 0;  // of the prompt, found in the cache
  int32_t completion_tokens = 0;
  int32_t reasoning_tokens = 0;
  int64_t queue_ns = 0;
  int64_t prefill_ns = 0;
  int64_t decode_ns = 0;
  // With a prediction: its tokens that the answers had where they were expected, and those that they had not.
  int32_t accepted_prediction_tokens = 0;
  int32_t rejected_prediction_tokens = 0;
  // Speculation: guesses of tokens that come next, how many tokens that were, and how many of them came. It depends on
  // the load; what is answered does not.
  int32_t drafts = 0;
  int32_t draft_tokens = 0;
  int32_t accepted_draft_tokens = 0;
};

// Called from one thread at a time, in order: one kPrompt first, deltas, one kFinish a choice, then OnDone.
// After an error or a cancellation OnDone may come at any point.
class GenerationSink {
 public:
  virtual ~GenerationSink() = default;
  virtual void OnDeltas(std::vector<GenerationDelta> deltas) = 0;
  // The last call; also after an error or cancellation, with what was used by then.
  virtual void OnDone(Status status, const GenerationUsage& usage) = 0;
};

struct EmbeddingRequest {
  std::string request_id{};
  std::vector<Prompt> inputs{};  // texts or tokens
  int32_t dimensions = 0;        // 0: all; else the first ones, normalised again
  bool normalise = true;
  std::string adapter{};  // as in GenerationRequest
};
struct EmbeddingAnswer {
  std::vector<std::vector<float>> vectors{};
  int32_t prompt_tokens = 0;
};

struct RerankRequest {
  std::string request_id{};
  std::string query{};
  std::vector<std::string> documents{};
  std::string adapter{};  // as in GenerationRequest
};
struct RerankAnswer {
  std::vector<float> scores{};  // of the documents, in order, 0 to 1
  int32_t prompt_tokens = 0;
};

struct TokenizeRequest {
  Prompt prompt;  // text or chat
};
struct TokenizeAnswer {
  std::vector<int32_t> tokens{};
  std::vector<std::string> pieces{};  // bytes of each
  int32_t max_context = 0;
};

// What a loaded generative model is.
struct GenerativeDescription {
  std::string architecture{};
  int32_t max_context = 0;
  int32_t vocabulary = 0;
  int32_t embedding_width = 0;
  bool generates = false;
  bool embeds = false;
  bool reranks = false;
  bool has_chat_template = false;
  bool uses_tools = false;
  bool uses_reasoning = false;
  std::string fingerprint{};  // system_fingerprint
};

// An adapter that is loaded.
struct AdapterInfo {
  std::string name{};
  int32_t rank = 0;   // its largest
  int64_t bytes = 0;  // of memory
};

// A running model: continuous batching behind one interface. Thread-safe.
class Generator {
 public:
  virtual ~Generator() = default;
  virtual const GenerativeDescription& description() const = 0;
  // Never blocks for long: `sink` is told everything, errors of the request too. Returns what cancels it: may be called
  // at any time, any number of times, from any thread; slot and pages are free within one step.
  virtual std::function<void()> Generate(GenerationRequest request, std::shared_ptr<GenerationSink> sink) = 0;
  virtual void Embed(EmbeddingRequest request, std::function<void(Result<EmbeddingAnswer>)> done) = 0;
  virtual void Rerank(RerankRequest request, std::function<void(Result<RerankAnswer>)> done) = 0;
  virtual Result<TokenizeAnswer> Tokenize(const TokenizeRequest& request) = 0;
  virtual Result<std::string> Detokenize(const std::vector<int32_t>& tokens) = 0;
  // Loads an adapter of this model, a GGUF file or a folder with one; from then on requests may name it. It takes the
  // place of one of that name. Blocks while it reads. Errors, and then nothing has changed: those of GgufFile::Open and
  // Model::LoadAdapter; kResourceExhausted "too_many_adapters".
  virtual Result<AdapterInfo> LoadAdapter(const std::string& name, const std::filesystem::path& folder_or_file) = 0;
  // New requests do not find it any more; those under way end with it. Errors: kNotFound "adapter_not_found".
  virtual Status UnloadAdapter(const std::string& name) = 0;
  struct Stats {
    uint64_t steps = 0;  // grows while there is work
    int waiting = 0;
    int running = 0;
    double kv_used = 0;  // share of pages, 0 to 1
    uint64_t prompt_tokens = 0, generated_tokens = 0, cached_tokens = 0;
  };
  virtual Stats stats() const = 0;
  // No new requests from now on (kUnavailable "draining"); `drained` when those under way are done.
  virtual void Drain(std::function<void()> drained) = 0;
};

}  // namespace atelier::engine
