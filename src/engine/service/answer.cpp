#include "engine/service/answer.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "engine/sampling/random.h"

namespace atelier::engine {
namespace {

using Kind = GenerationDelta::Kind;

Kind KindOf(chat::DeltaKind kind) {
  switch (kind) {
    case chat::DeltaKind::kContent:
      return Kind::kContent;
    case chat::DeltaKind::kReasoning:
      return Kind::kReasoning;
    case chat::DeltaKind::kToolCallStart:
      return Kind::kToolCallStart;
    case chat::DeltaKind::kToolCallArguments:
      return Kind::kToolCallArguments;
  }
  return Kind::kContent;
}

SamplingOptions OfChoice(SamplingOptions options, int32_t choice) {
  options.seed = ChoiceSeed(options.seed, static_cast<uint32_t>(choice));
  return options;
}

// Whether the answer begins a text: the prompt has none.
bool BeginsText(const PreparedRequest& prepared, const Language& language) {
  return std::ranges::all_of(prepared.Opening(), [&](int32_t id) { return language.IsControl(id); });
}

// Ids of calls: nine letters and digits (what Mistral's templates take) of a hash of the seed and the prompt, so that
// the same request gives the same answer.
std::function<std::string()> IdMaker(uint64_t seed, const std::vector<int32_t>& tokens) {
  uint64_t hash = seed ^ 0x9E3779B97F4A7C15ULL;
  for (const int32_t token : tokens) {
    hash = (hash ^ static_cast<uint32_t>(token)) * 0x100000001B3ULL;
  }
  return [hash, next = uint32_t{0}]() mutable {
    constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    std::string id;
    for (uint32_t block = 0; id.size() < 9; ++block) {
      const std::array<uint32_t, 2> key{static_cast<uint32_t>(hash), static_cast<uint32_t>(hash >> 32U)};
      for (const uint32_t word : Philox({next, block, 0, 0}, key)) {
        if (id.size() < 9) {
          id.push_back(kLetters[word % kLetters.size()]);
        }
      }
    }
    ++next;
    return id;
  };
}

std::optional<chat::ChatParser> MakeParser(const PreparedRequest& prepared, uint64_t seed) {
  if (!prepared.parser) {
    return std::nullopt;
  }
  chat::ChatParserOptions options = *prepared.parser;
  options.make_id = IdMaker(seed, prepared.prompt.tokens);
  return chat::ChatParser(std::move(options));
}

}  // namespace

TokenInfo MakeTokenInfo(const Logprobs& logprobs, const Language& language) {
  TokenInfo info;
  info.id = logprobs.chosen.token;
  info.bytes = language.Spelling(info.id);
  info.logprob = logprobs.chosen.logprob;
  for (const TokenLogprob& top : logprobs.top) {
    info.top.push_back({top.token, std::string(language.Spelling(top.token)), top.logprob});
  }
  return info;
}

Answer::Answer(const PreparedRequest& prepared, const Language& language, int32_t choice)
    : prepared_(prepared),
      language_(language),
      choice_(choice),
      sampling_(OfChoice(prepared.request.sampling, choice)),
      constraint_(language, prepared.matcher, prepared.thoughts),
      decoder_(language.tokenizer(), BeginsText(prepared, language)),
      stop_(StopMatcher::Make(prepared.stop).value()),
      parser_(MakeParser(prepared, sampling_.seed)),
      spells_controls_(!prepared.request.skip_special_tokens) {}

std::string Answer::TextOf(int32_t token) {
  const bool spelled = language_.IsControl(token) &&
                       (spells_controls_ || (parser_ && std::ranges::binary_search(language_.chat_controls(), token)));
  return spelled ? decoder_.PushBytes(language_.Spelling(token)) : decoder_.Push(token);
}

Status Answer::Take(const SampledToken& token, std::vector<GenerationDelta>& out) {
  ++tokens_;
  ++new_tokens_;
  if (prepared_.request.return_token_ids) {
    ids_.push_back(token.id);
  }
  if (token.logprobs) {
    infos_.push_back(MakeTokenInfo(*token.logprobs, language_));
  }
  if (stop_.IsStopToken(token.id)) {
    stop_token_ = token.id;
    if (prepared_.request.include_stop_text && !language_.IsEnd(token.id)) {
      Show(stop_.PushThrough(TextOf(token.id)), out);
    }
    Finish(FinishReason::kStop, out);
    return {};
  }
  ATELIER_TRY(constraint_.Accept(token.id));
  const std::string text = TextOf(token.id);
  if (tokens_ <= sampling_.min_tokens) {
    Show(stop_.PushThrough(text), out);
  } else {
    StopOutput output = stop_.Push(text);
    Show(output.text, out);
    if (output.stop) {
      stop_text_ = std::move(*output.stop);
      Finish(FinishReason::kStop, out);
      return {};
    }
  }
  if (constraint_.IsDone()) {
    Finish(FinishReason::kStop, out);
  } else if (tokens_ >= prepared_.max_tokens) {
    Finish(FinishReason::kLength, out);
  }
  return {};
}

void Answer::Finish(FinishReason reason, std::vector<GenerationDelta>& out) {
  if (std::exchange(finished_, true)) {
    return;
  }
  if (!stop_.stopped()) {
    const StopOutput last = stop_.Push(decoder_.Finish());
    Show(last.text + stop_.Finish(), out);
  }
  if (parser_) {
    PutChat(parser_->Finish(), out);
    if (reason == FinishReason::kStop && parser_->calls() > 0) {
      reason = FinishReason::kToolCalls;
    }
  }
  GenerationDelta delta;
  delta.kind = Kind::kFinish;
  delta.finish = reason;
  delta.text = stop_text_;
  delta.stop_token = stop_token_;
  Put(std::move(delta), out);
}

void Answer::Show(const std::string& text, std::vector<GenerationDelta>& out) {
  if (text.empty()) {
    return;
  }
  if (parser_) {
    PutChat(parser_->Feed(text), out);
    return;
  }
  GenerationDelta delta;
  delta.text = text;
  Put(std::move(delta), out);
}

void Answer::PutChat(std::vector<chat::ChatDelta> deltas, std::vector<GenerationDelta>& out) {
  for (chat::ChatDelta& from : deltas) {
    GenerationDelta delta;
    delta.kind = KindOf(from.kind);
    delta.text = std::move(from.text);
    delta.tool_index = from.index;
    delta.tool_id = std::move(from.id);
    delta.tool_name = std::move(from.name);
    Put(std::move(delta), out);
  }
}

void Answer::Put(GenerationDelta delta, std::vector<GenerationDelta>& out) {
  delta.choice = choice_;
  delta.tokens = std::exchange(new_tokens_, 0);
  delta.token_ids = std::exchange(ids_, {});
  delta.logprobs = std::exchange(infos_, {});
  if (delta.kind == Kind::kReasoning) {
    reasoning_tokens_ += delta.tokens;
  }
  out.push_back(std::move(delta));
}

}  // namespace atelier::engine
