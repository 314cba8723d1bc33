#include "engine/service/speculation/draft_model.h"

#include <algorithm>
#include <utility>

namespace atelier::engine {
namespace {

constexpr size_t kReadTokens = 64;      // of a history, in one call
constexpr size_t kMaxMoreTokens = 512;  // by which vocabularies may differ: padding
constexpr double kPace = 0.125;

// Whether tokens of one are those of the other, but for padding at the end of the longer one.
bool SameTokens(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const size_t common = std::min(a.size(), b.size());
  return std::max(a.size(), b.size()) - common <= kMaxMoreTokens &&
         std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(common), b.begin());
}

}  // namespace

Result<std::unique_ptr<DraftModel>> DraftModel::Make(const ModelFiles& files, const ModelOptions& options,
                                                     const Language& language, const Clock& clock) {
  if (!SameTokens(files.tokenizer.tokens, language.tokenizer().spec().tokens)) {
    return InvalidArgument("the draft model's tokens are not those of the model", "draft", "draft_model_mismatch");
  }
  ATELIER_ASSIGN(model, Model::Load(files.weights, options));
  const ModelConfig& config = model->config();
  if (!config.causal || !config.architecture->head || !config.architecture->encoder.empty()) {
    return InvalidArgument("a draft model must generate text from its prompt alone", "draft", "draft_model_mismatch");
  }
  return std::unique_ptr<DraftModel>(new DraftModel(std::move(model), language, clock));
}

DraftModel::DraftModel(std::unique_ptr<Model> model, const Language& language, const Clock& clock)
    : model_(std::move(model)), language_(language), clock_(clock) {
  const KvGeometry& geometry = model_->cache().geometry();
  context_ = std::min(static_cast<size_t>(model_->max_context()), geometry.pages * geometry.page_positions);
}

void DraftModel::Align(Choice& choice) {
  auto& sequence = choice.drafting.sequence;
  if (sequence == nullptr) {
    sequence = model_->cache().NewSequence({.tenant = choice.task.Tenant()});
    model_->cache().Reuse(*sequence, choice.history);
    return;
  }
  const auto known = sequence->tokens();
  const auto differ = std::mismatch(known.begin(), known.end(), choice.history.begin(), choice.history.end());
  const auto same = static_cast<size_t>(differ.first - known.begin());
  model_->cache().Truncate(*sequence, std::min(same, choice.history.size() - 1));
}

bool DraftModel::Read(Choice& choice) {
  Align(choice);
  const auto fresh = std::span(choice.history).subspan(choice.drafting.sequence->length());
  if (fresh.size() <= kReadTokens) {
    return true;
  }
  const StepItem item{choice.drafting.sequence.get(), fresh.first(kReadTokens), OutputKind::kNone, 0};
  if (!model_->Step({&item, 1}, output_).ok()) {
    choice.drafting.DropModel();
  }
  return false;
}

bool DraftModel::Draw(Running& running, std::span<const float> logits) {
  Choice& choice = *running.wish.choice;
  SamplingOptions options = choice.answer.sampling();
  options.top_logprobs.reset();
  const SampleInput input{logits, running.history, choice.task.prepared->Opening().size(), {}, language_.ends()};
  const auto token = sampler_.Sample(options, input);
  if (!token.ok() || token->id >= language_.tokenizer().size()) {
    return false;
  }
  running.history.push_back(token->id);
  choice.drafting.tokens.push_back(token->id);
  return --running.wish.count > 0 && Holds(running.history.size());
}

void DraftModel::Pass(std::vector<Running>& running) {
  std::erase_if(running, [this](const Running& one) {
    Sequence& sequence = *one.wish.choice->drafting.sequence;
    if (model_->cache().Reserve(sequence, one.history.size() - sequence.length()).ok()) {
      return false;
    }
    one.wish.choice->drafting.DropModel();
    return true;
  });
  std::vector<StepItem> items;
  for (const Running& one : running) {
    Sequence* sequence = one.wish.choice->drafting.sequence.get();
    const auto tokens = std::span(one.history).subspan(sequence->length());
    const size_t drafted = one.history.size() - one.wish.choice->history.size();
    items.push_back({sequence, tokens, OutputKind::kLogits, tokens.size() - 1, drafted});
  }
  if (items.empty() || !model_->Step(items, output_).ok()) {
    running.clear();
    return;
  }
  std::vector<Running> going_on;
  for (size_t i = 0; i < running.size(); ++i) {
    if (Draw(running[i], output_.Row(i, 0))) {
      going_on.push_back(std::move(running[i]));
    }
  }
  running = std::move(going_on);
}

void DraftModel::Draft(std::span<const Wish> wishes) {
  std::vector<Running> running;
  for (const Wish& wish : wishes) {
    if (Read(*wish.choice)) {
      running.push_back({wish, wish.choice->history});
    }
  }
  const int64_t begun_ns = clock_.MonotonicNs();
  size_t passes = 0;
  for (; !running.empty(); ++passes) {
    Pass(running);
  }
  if (passes > 0) {
    const double taken = static_cast<double>(clock_.MonotonicNs() - begun_ns) / static_cast<double>(passes);
    pass_ns_ += pass_ns_ == 0 ? taken : (taken - pass_ns_) * kPace;
  }
}

}  // namespace atelier::engine
