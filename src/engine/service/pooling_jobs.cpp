#include "engine/service/pooling_jobs.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/pooling.h"

namespace atelier::engine {
namespace {

constexpr size_t kMaxTexts = 2048;

Status CheckLength(size_t tokens, int64_t max_context, const std::string& field) {
  if (tokens > static_cast<size_t>(max_context)) {
    return InvalidArgument("This model's maximum context length is " + std::to_string(max_context) +
                               " tokens, however you requested " + std::to_string(tokens) +
                               " tokens. Please reduce the length of the " + field + ".",
                           field, "context_length_exceeded");
  }
  return {};
}

Status CheckCount(size_t count, const std::string& field) {
  if (count == 0 || count > kMaxTexts) {
    return InvalidArgument(
        field + " must have 1 to " + std::to_string(kMaxTexts) + " texts, not " + std::to_string(count), field);
  }
  return {};
}

// Query and document as one text: CLS query SEP document SEP, or BOS query EOS EOS document EOS.
std::vector<int32_t> EncodePair(const std::string& query, const std::string& document,
                                const text::Tokenizer& tokenizer) {
  const text::TokenizerSpec& spec = tokenizer.spec();
  const bool words = spec.kind == text::TokenizerKind::kWordPiece;
  const auto begin = spec.classification && words ? spec.classification : spec.bos;
  const auto end = words && spec.separator ? spec.separator : spec.eos ? spec.eos : spec.separator;
  const auto between = spec.separator ? spec.separator : spec.eos;
  std::vector<int32_t> tokens;
  const auto add = [&tokens](const std::optional<int32_t>& id) {
    if (id) {
      tokens.push_back(*id);
    }
  };
  const auto add_text = [&](const std::string& text) {
    const auto ids = tokenizer.Encode(text, {.add_special = false, .parse_special = false});
    tokens.insert(tokens.end(), ids.begin(), ids.end());
  };
  add(begin);
  add_text(query);
  add(end);
  if (!words) {
    add(between);
  }
  add_text(document);
  add(end);
  return tokens;
}

float Sigmoid(float x) { return 1.0F / (1.0F + std::exp(-x)); }

}  // namespace

Result<PoolingJob> PrepareEmbedding(const EmbeddingRequest& request, const Language& language, int64_t max_context,
                                    int64_t width) {
  PoolingJob job;
  ATELIER_TRY(CheckCount(request.inputs.size(), "input"));
  if (request.dimensions < 0 || request.dimensions > width) {
    return InvalidArgument(
        "dimensions must be from 1 to " + std::to_string(width) + ", not " + std::to_string(request.dimensions),
        "dimensions");
  }
  job.dimensions = request.dimensions;
  job.normalise = request.normalise;
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    const std::string field = request.inputs.size() == 1 ? "input" : "input[" + std::to_string(i) + "]";
    auto prompt = language.Encode(request.inputs[i], 0);
    if (!prompt.ok()) {
      Error error = std::move(prompt).error();
      error.param = error.param == "prompt" ? field : error.param;
      return error;
    }
    if (prompt->tokens.empty()) {
      return InvalidArgument(field + " must not be empty", field);
    }
    ATELIER_TRY(CheckLength(prompt->tokens.size(), max_context, field));
    job.texts.push_back(std::move(prompt->tokens));
  }
  return job;
}

Result<PoolingJob> PrepareRerank(const RerankRequest& request, const Language& language, int64_t max_context) {
  PoolingJob job;
  job.scores = true;
  ATELIER_TRY(CheckCount(request.documents.size(), "documents"));
  for (size_t i = 0; i < request.documents.size(); ++i) {
    auto tokens = EncodePair(request.query, request.documents[i], language.tokenizer());
    const std::string field = "documents[" + std::to_string(i) + "]";
    if (tokens.empty()) {
      return InvalidArgument(field + " must not be empty", field);
    }
    ATELIER_TRY(CheckLength(tokens.size(), max_context, field));
    job.texts.push_back(std::move(tokens));
  }
  return job;
}

Pooling PoolingJobs::pooling() const {
  const Pooling configured = model_.config().pooling;
  return configured == Pooling::kNone ? (model_.config().causal ? Pooling::kLast : Pooling::kMean) : configured;
}

Status PoolingJobs::Reserve(Sequence& sequence, size_t count, bool must) {
  auto status = model_.cache().Reserve(sequence, count);
  while (must && !status.ok() && give_pages_()) {
    status = model_.cache().Reserve(sequence, count);
  }
  return status;
}

// The next texts, oldest jobs first, as many as fit into a step.
std::vector<PoolingJobs::Text> PoolingJobs::Take() {
  std::vector<Text> texts;
  size_t tokens = 0;
  for (const auto& job : jobs_) {
    for (; job->next < job->texts.size(); ++job->next) {
      const size_t count = job->texts[job->next].size();
      if (!texts.empty() && tokens + count > step_tokens_) {
        return texts;
      }
      Text text{job.get(), job->next, NewSequence(model_.cache(), job->adapter)};
      if (!Reserve(*text.sequence, count, texts.empty()).ok() && !texts.empty()) {
        return texts;  // the next step has room: no text is longer than the cache
      }
      tokens += count;
      texts.push_back(std::move(text));
    }
  }
  return texts;
}

Status PoolingJobs::Keep(const Text& text, size_t item) {
  PoolingJob& job = *text.job;
  std::vector<float> vector(static_cast<size_t>(model_.config().width));
  if (job.scores) {
    std::vector<float> logits(model_.classes());
    Pool(Pooling::kRank, output_, item, vector);
    ATELIER_TRY(model_.Classify(vector, logits));
    vector = {Sigmoid(logits.front())};
  } else {
    Pool(pooling(), output_, item, vector);
    if (job.dimensions > 0) {
      vector.resize(static_cast<size_t>(job.dimensions));
    }
    if (job.normalise) {
      NormaliseLength(vector);
    }
  }
  if (!std::ranges::all_of(vector, [](float x) { return std::isfinite(x); })) {
    return MakeError(Code::kInternal, "the model gave values that are no numbers", "invalid_activations");
  }
  job.answers.resize(job.texts.size());
  job.answers[text.index] = std::move(vector);
  return {};
}

Status PoolingJobs::Run(std::span<Text> texts) {
  std::vector<StepItem> items;
  for (const Text& text : texts) {
    const auto& tokens = text.job->texts[text.index];
    const bool last = !text.job->scores && pooling() == Pooling::kLast;
    items.push_back({text.sequence.get(), tokens, OutputKind::kHidden, last ? tokens.size() - 1 : 0});
  }
  return model_.Step(items, output_);
}

void PoolingJobs::Fail(PoolingJob* job, const Error& error) {
  const auto found = std::ranges::find(jobs_, job, [](const auto& other) { return other.get(); });
  if (found != jobs_.end()) {
    const std::unique_ptr<PoolingJob> ended = std::move(*found);
    jobs_.erase(found);
    ended->done(error);
  }
}

void PoolingJobs::Finish() {
  for (size_t i = 0; i < jobs_.size();) {
    const auto& job = jobs_[i];
    if (job->next < job->texts.size()) {
      ++i;
      continue;
    }
    const std::unique_ptr<PoolingJob> ended = std::move(jobs_[i]);
    jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(i));
    ended->done(std::move(ended->answers));
  }
}

void PoolingJobs::Step() {
  if (jobs_.empty()) {
    return;
  }
  ++steps_;
  std::vector<Text> texts = Take();
  std::vector<std::pair<PoolingJob*, Error>> failed;
  const auto keep = [&](const Text& text, size_t item) {
    if (auto status = Keep(text, item); !status.ok()) {
      failed.emplace_back(text.job, status.error());
    }
  };
  if (Run(texts).ok()) {
    for (size_t i = 0; i < texts.size(); ++i) {
      keep(texts[i], i);
    }
  } else {  // one of them is to blame, and nothing has changed
    for (Text& text : texts) {
      if (auto status = Run({&text, 1}); status.ok()) {
        keep(text, 0);
      } else {
        failed.emplace_back(text.job, status.error());
      }
    }
  }
  texts.clear();
  for (const auto& [job, error] : failed) {
    Fail(job, error);
  }
  Finish();
}

void PoolingJobs::EndAll(const Error& error) {
  for (const auto& job : std::exchange(jobs_, {})) {
    job->done(error);
  }
}

}  // namespace atelier::engine
