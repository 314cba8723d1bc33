#include "serving/generative_wire.h"

#include <string>
#include <utility>

namespace atelier::serving {
namespace {

using google::protobuf::RepeatedField;
using google::protobuf::RepeatedPtrField;

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

template <class T>
std::vector<T> List(const RepeatedField<T>& field) {
  return {field.begin(), field.end()};
}

std::vector<std::string> List(const RepeatedPtrField<std::string>& field) { return {field.begin(), field.end()}; }

void ChatToWire(engine::ChatPrompt& chat, pb::Prompt::Chat& out) {
  out.set_messages(std::move(chat.messages));
  out.set_tools(std::move(chat.tools));
  out.set_tool_choice(std::move(chat.tool_choice));
  out.set_template_kwargs(std::move(chat.template_kwargs));
  out.set_add_generation_prompt(chat.add_generation_prompt);
  out.set_continue_final_message(chat.continue_final_message);
}

void PromptToWire(engine::Prompt& prompt, pb::Prompt& out) {
  std::visit(Overloaded{[&](engine::ChatPrompt& chat) { ChatToWire(chat, *out.mutable_chat()); },
                        [&](engine::TextPrompt& text) {
                          out.mutable_text()->set_text(std::move(text.text));
                          out.mutable_text()->set_add_special(text.add_special);
                        },
                        [&](engine::TokenPrompt& tokens) {
                          out.mutable_tokens()->mutable_tokens()->Assign(tokens.tokens.begin(), tokens.tokens.end());
                        }},
             prompt);
}

Result<engine::Prompt> PromptFromWire(const pb::Prompt& prompt) {
  switch (prompt.kind_case()) {
    case pb::Prompt::kChat: {
      const auto& chat = prompt.chat();
      return engine::Prompt(engine::ChatPrompt{.messages = chat.messages(),
                                               .tools = chat.tools(),
                                               .tool_choice = chat.tool_choice(),
                                               .template_kwargs = chat.template_kwargs(),
                                               .add_generation_prompt = chat.add_generation_prompt(),
                                               .continue_final_message = chat.continue_final_message()});
    }
    case pb::Prompt::kText:
      return engine::Prompt(engine::TextPrompt{prompt.text().text(), prompt.text().add_special()});
    case pb::Prompt::kTokens:
      return engine::Prompt(engine::TokenPrompt{List(prompt.tokens().tokens())});
    case pb::Prompt::KIND_NOT_SET:
      break;
  }
  return InvalidArgument("the request has no prompt", "prompt");
}

void SamplingToWire(const engine::SamplingOptions& options, pb::Sampling& out) {
  out.set_temperature(options.temperature);
  out.set_top_k(options.top_k);
  out.set_top_p(options.top_p);
  out.set_min_p(options.min_p);
  out.set_typical_p(options.typical_p);
  out.set_repetition_penalty(options.repetition_penalty);
  out.set_repetition_last_n(options.repetition_last_n);
  out.set_presence_penalty(options.presence_penalty);
  out.set_frequency_penalty(options.frequency_penalty);
  pb::Sampling::Dry& dry = *out.mutable_dry();
  dry.set_multiplier(options.dry.multiplier);
  dry.set_base(options.dry.base);
  dry.set_allowed_length(options.dry.allowed_length);
  dry.set_last_n(options.dry.last_n);
  dry.mutable_sequence_breakers()->Assign(options.dry.sequence_breakers.begin(), options.dry.sequence_breakers.end());
  out.mutable_logit_bias()->insert(options.logit_bias.begin(), options.logit_bias.end());
  out.set_seed(options.seed);
  out.set_ignore_eos(options.ignore_eos);
  out.set_min_tokens(options.min_tokens);
  out.mutable_stop_token_ids()->Assign(options.stop_token_ids.begin(), options.stop_token_ids.end());
  if (options.top_logprobs) {
    out.set_top_logprobs(*options.top_logprobs);
  }
}

engine::SamplingOptions SamplingFromWire(const pb::Sampling& sampling) {
  engine::SamplingOptions out;
  out.temperature = sampling.temperature();
  out.top_k = sampling.top_k();
  out.top_p = sampling.top_p();
  out.min_p = sampling.min_p();
  out.typical_p = sampling.typical_p();
  out.repetition_penalty = sampling.repetition_penalty();
  out.repetition_last_n = sampling.repetition_last_n();
  out.presence_penalty = sampling.presence_penalty();
  out.frequency_penalty = sampling.frequency_penalty();
  const pb::Sampling::Dry& dry = sampling.dry();
  out.dry = {dry.multiplier(), dry.base(), dry.allowed_length(), dry.last_n(), List(dry.sequence_breakers())};
  out.logit_bias.insert(sampling.logit_bias().begin(), sampling.logit_bias().end());
  out.seed = sampling.seed();
  out.ignore_eos = sampling.ignore_eos();
  out.min_tokens = sampling.min_tokens();
  out.stop_token_ids = List(sampling.stop_token_ids());
  if (sampling.has_top_logprobs()) {
    out.top_logprobs = sampling.top_logprobs();
  }
  return out;
}

void TokenToWire(engine::TokenInfo& token, pb::TokenInfo& out) {
  out.set_id(token.id);
  out.set_bytes(std::move(token.bytes));
  out.set_logprob(token.logprob);
  for (auto& top : token.top) {
    pb::TokenInfo::Top& one = *out.add_top();
    one.set_id(top.id);
    one.set_bytes(std::move(top.bytes));
    one.set_logprob(top.logprob);
  }
}

engine::TokenInfo TokenFromWire(pb::TokenInfo& token) {
  engine::TokenInfo out;
  out.id = token.id();
  out.bytes = std::move(*token.mutable_bytes());
  out.logprob = token.logprob();
  out.top.reserve(static_cast<size_t>(token.top_size()));
  for (auto& top : *token.mutable_top()) {
    out.top.push_back({top.id(), std::move(*top.mutable_bytes()), top.logprob()});
  }
  return out;
}

}  // namespace

pb::GenerateRequest ToWire(engine::GenerationRequest request) {
  pb::GenerateRequest out;
  out.set_request_id(std::move(request.request_id));
  PromptToWire(request.prompt, *out.mutable_prompt());
  SamplingToWire(request.sampling, *out.mutable_sampling());
  out.set_max_tokens(request.max_tokens);
  out.set_choices(request.choices);
  out.mutable_stop()->Assign(request.stop.begin(), request.stop.end());
  out.set_include_stop_text(request.include_stop_text);
  out.set_skip_special_tokens(request.skip_special_tokens);
  out.mutable_constraint()->set_kind(static_cast<pb::Constraint::Kind>(request.constraint.kind));
  out.mutable_constraint()->set_source(std::move(request.constraint.source));
  if (request.prompt_logprobs) {
    out.set_prompt_logprobs(*request.prompt_logprobs);
  }
  out.set_echo(request.echo);
  out.set_parse_chat(request.parse_chat);
  out.set_return_token_ids(request.return_token_ids);
  out.set_adapter(std::move(request.adapter));
  out.set_project(std::move(request.project));
  out.set_timeout_ms(request.timeout_ms);
  out.set_prediction(std::move(request.prediction));
  return out;
}

Result<engine::GenerationRequest> FromWire(const pb::GenerateRequest& request) {
  ATELIER_ASSIGN(prompt, PromptFromWire(request.prompt()));
  if (!pb::Constraint::Kind_IsValid(request.constraint().kind())) {
    return InvalidArgument("the constraint's kind is not known", "response_format");
  }
  engine::GenerationRequest out;
  out.request_id = request.request_id();
  out.prompt = std::move(prompt);
  out.sampling = SamplingFromWire(request.sampling());
  out.max_tokens = request.max_tokens();
  out.choices = request.choices();
  out.stop = List(request.stop());
  out.include_stop_text = request.include_stop_text();
  out.skip_special_tokens = request.skip_special_tokens();
  out.constraint = {static_cast<engine::OutputConstraint::Kind>(request.constraint().kind()),
                    request.constraint().source()};
  if (request.has_prompt_logprobs()) {
    out.prompt_logprobs = request.prompt_logprobs();
  }
  out.echo = request.echo();
  out.parse_chat = request.parse_chat();
  out.return_token_ids = request.return_token_ids();
  out.adapter = request.adapter();
  out.project = request.project();
  out.timeout_ms = request.timeout_ms();
  out.prediction = request.prediction();
  return out;
}

pb::EmbedRequest ToWire(engine::EmbeddingRequest request) {
  pb::EmbedRequest out;
  out.set_request_id(std::move(request.request_id));
  for (engine::Prompt& input : request.inputs) {
    PromptToWire(input, *out.add_inputs());
  }
  out.set_dimensions(request.dimensions);
  out.set_normalise(request.normalise);
  out.set_adapter(std::move(request.adapter));
  return out;
}

Result<engine::EmbeddingRequest> FromWire(const pb::EmbedRequest& request) {
  engine::EmbeddingRequest out;
  out.request_id = request.request_id();
  out.inputs.reserve(static_cast<size_t>(request.inputs_size()));
  for (const pb::Prompt& input : request.inputs()) {
    ATELIER_ASSIGN(prompt, PromptFromWire(input));
    out.inputs.push_back(std::move(prompt));
  }
  out.dimensions = request.dimensions();
  out.normalise = request.normalise();
  out.adapter = request.adapter();
  return out;
}

pb::RerankRequest ToWire(engine::RerankRequest request) {
  pb::RerankRequest out;
  out.set_request_id(std::move(request.request_id));
  out.set_query(std::move(request.query));
  out.mutable_documents()->Assign(request.documents.begin(), request.documents.end());
  out.set_adapter(std::move(request.adapter));
  return out;
}

engine::RerankRequest FromWire(const pb::RerankRequest& request) {
  return {request.request_id(), request.query(), List(request.documents()), request.adapter()};
}

pb::TokenizeRequest ToWire(engine::TokenizeRequest request) {
  pb::TokenizeRequest out;
  PromptToWire(request.prompt, *out.mutable_prompt());
  return out;
}

Result<engine::TokenizeRequest> FromWire(const pb::TokenizeRequest& request) {
  ATELIER_ASSIGN(prompt, PromptFromWire(request.prompt()));
  return engine::TokenizeRequest{std::move(prompt)};
}

void ToWire(engine::GenerationDelta delta, pb::Delta& out) {
  out.set_kind(static_cast<pb::Delta::Kind>(delta.kind));
  out.set_choice(delta.choice);
  out.set_text(std::move(delta.text));
  out.set_tool_index(delta.tool_index);
  out.set_tool_id(std::move(delta.tool_id));
  out.set_tool_name(std::move(delta.tool_name));
  out.mutable_token_ids()->Assign(delta.token_ids.begin(), delta.token_ids.end());
  for (engine::TokenInfo& token : delta.logprobs) {
    TokenToWire(token, *out.add_logprobs());
  }
  out.set_tokens(delta.tokens);
  out.set_finish(static_cast<pb::Delta::FinishReason>(delta.finish));
  if (delta.stop_token) {
    out.set_stop_token(*delta.stop_token);
  }
}

engine::GenerationDelta FromWire(pb::Delta delta) {
  engine::GenerationDelta out;
  out.kind = pb::Delta::Kind_IsValid(delta.kind()) ? static_cast<engine::GenerationDelta::Kind>(delta.kind())
                                                   : engine::GenerationDelta::Kind::kContent;
  out.choice = delta.choice();
  out.text = std::move(*delta.mutable_text());
  out.tool_index = delta.tool_index();
  out.tool_id = std::move(*delta.mutable_tool_id());
  out.tool_name = std::move(*delta.mutable_tool_name());
  out.tokens = delta.tokens();
  out.token_ids = List(delta.token_ids());
  out.logprobs.reserve(static_cast<size_t>(delta.logprobs_size()));
  for (pb::TokenInfo& token : *delta.mutable_logprobs()) {
    out.logprobs.push_back(TokenFromWire(token));
  }
  out.finish = pb::Delta::FinishReason_IsValid(delta.finish()) ? static_cast<engine::FinishReason>(delta.finish())
                                                               : engine::FinishReason::kError;
  if (delta.has_stop_token()) {
    out.stop_token = delta.stop_token();
  }
  return out;
}

pb::Usage ToWire(const engine::GenerationUsage& usage) {
  pb::Usage out;
  out.set_prompt_tokens(usage.prompt_tokens);
  out.set_cached_tokens(usage.cached_tokens);
  out.set_completion_tokens(usage.completion_tokens);
  out.set_reasoning_tokens(usage.reasoning_tokens);
  out.set_accepted_prediction_tokens(usage.accepted_prediction_tokens);
  out.set_rejected_prediction_tokens(usage.rejected_prediction_tokens);
  out.set_drafts(usage.drafts);
  out.set_draft_tokens(usage.draft_tokens);
  out.set_accepted_draft_tokens(usage.accepted_draft_tokens);
  out.set_queue_ns(usage.queue_ns);
  out.set_prefill_ns(usage.prefill_ns);
  out.set_decode_ns(usage.decode_ns);
  return out;
}

engine::GenerationUsage FromWire(const pb::Usage& usage) {
  return {.prompt_tokens = usage.prompt_tokens(),
          .cached_tokens = usage.cached_tokens(),
          .completion_tokens = usage.completion_tokens(),
          .reasoning_tokens = usage.reasoning_tokens(),
          .queue_ns = usage.queue_ns(),
          .prefill_ns = usage.prefill_ns(),
          .decode_ns = usage.decode_ns(),
          .accepted_prediction_tokens = usage.accepted_prediction_tokens(),
          .rejected_prediction_tokens = usage.rejected_prediction_tokens(),
          .drafts = usage.drafts(),
          .draft_tokens = usage.draft_tokens(),
          .accepted_draft_tokens = usage.accepted_draft_tokens()};
}

pb::EmbedResponse ToWire(const engine::EmbeddingAnswer& answer) {
  pb::EmbedResponse out;
  for (const auto& vector : answer.vectors) {
    out.add_vectors()->mutable_values()->Assign(vector.begin(), vector.end());
  }
  out.set_prompt_tokens(answer.prompt_tokens);
  return out;
}

engine::EmbeddingAnswer FromWire(const pb::EmbedResponse& answer) {
  engine::EmbeddingAnswer out;
  out.vectors.reserve(static_cast<size_t>(answer.vectors_size()));
  for (const auto& vector : answer.vectors()) {
    out.vectors.push_back(List(vector.values()));
  }
  out.prompt_tokens = answer.prompt_tokens();
  return out;
}

pb::RerankResponse ToWire(const engine::RerankAnswer& answer) {
  pb::RerankResponse out;
  out.mutable_scores()->Assign(answer.scores.begin(), answer.scores.end());
  out.set_prompt_tokens(answer.prompt_tokens);
  return out;
}

engine::RerankAnswer FromWire(const pb::RerankResponse& answer) {
  return {List(answer.scores()), answer.prompt_tokens()};
}

pb::TokenizeResponse ToWire(engine::TokenizeAnswer answer) {
  pb::TokenizeResponse out;
  out.mutable_tokens()->Assign(answer.tokens.begin(), answer.tokens.end());
  out.mutable_pieces()->Assign(answer.pieces.begin(), answer.pieces.end());
  out.set_max_context(answer.max_context);
  return out;
}

engine::TokenizeAnswer FromWire(const pb::TokenizeResponse& answer) {
  return {List(answer.tokens()), List(answer.pieces()), answer.max_context()};
}

pb::Generative ToWire(const engine::GenerativeDescription& description) {
  pb::Generative out;
  out.set_architecture(description.architecture);
  out.set_max_context(description.max_context);
  out.set_vocabulary(description.vocabulary);
  out.set_embedding_width(description.embedding_width);
  out.set_generates(description.generates);
  out.set_embeds(description.embeds);
  out.set_reranks(description.reranks);
  out.set_has_chat_template(description.has_chat_template);
  out.set_uses_tools(description.uses_tools);
  out.set_uses_reasoning(description.uses_reasoning);
  out.set_fingerprint(description.fingerprint);
  return out;
}

engine::GenerativeDescription FromWire(const pb::Generative& description) {
  return {.architecture = description.architecture(),
          .max_context = description.max_context(),
          .vocabulary = description.vocabulary(),
          .embedding_width = description.embedding_width(),
          .generates = description.generates(),
          .embeds = description.embeds(),
          .reranks = description.reranks(),
          .has_chat_template = description.has_chat_template(),
          .uses_tools = description.uses_tools(),
          .uses_reasoning = description.uses_reasoning(),
          .fingerprint = description.fingerprint()};
}

}  // namespace atelier::serving
