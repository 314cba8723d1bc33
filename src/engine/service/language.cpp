#include "engine/service/language.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "text/end_tokens.h"

namespace atelier::engine {
namespace {

using text::TokenKind;

constexpr JsonLimits kChatLimits{.max_bytes = 64U << 20U, .max_depth = 64};

Result<json::array> ParseArray(const std::string& text, const std::string& param) {
  ATELIER_ASSIGN(value, ParseJson(text, kChatLimits));
  if (!value.is_array()) {
    return InvalidArgument(param + " must be an array", param, "invalid_type");
  }
  return std::move(value.as_array());
}

bool EndsWithMark(std::string_view text, std::string_view mark) {
  const size_t end = text.find_last_not_of(" \t\r\n");
  return end != std::string_view::npos && text.substr(0, end + 1).ends_with(mark);
}

// The text up to the end of the final message's content, so that the model goes on with it.
Result<std::string> CutAfterFinal(std::string text, const json::array& messages) {
  const json::object* last = messages.empty() ? nullptr : messages.back().if_object();
  const json::value* content = last != nullptr ? last->if_contains("content") : nullptr;
  if (content == nullptr || !content->is_string() || content->as_string().empty()) {
    return InvalidArgument("continue_final_message needs a final message whose content is a string", "messages");
  }
  std::string_view wanted(content->as_string());
  size_t at = text.rfind(wanted);
  if (at == std::string::npos) {  // templates often trim
    const size_t first = wanted.find_first_not_of(" \t\r\n");
    wanted = first == std::string_view::npos ? std::string_view()
                                             : wanted.substr(first, wanted.find_last_not_of(" \t\r\n") - first + 1);
    at = wanted.empty() ? std::string::npos : text.rfind(wanted);
  }
  if (at == std::string::npos) {
    return InvalidArgument("the chat template changes the final message, so it cannot be continued",
                           "continue_final_message");
  }
  text.resize(at + wanted.size());
  return text;
}

}  // namespace

Result<std::unique_ptr<Language>> Language::Make(text::TokenizerSpec spec, const std::string& chat_template) {
  std::unique_ptr<Language> language(new Language());
  language->ends_ = text::EndTokens(spec);
  ATELIER_ASSIGN(tokenizer, text::Tokenizer::Make(std::move(spec)));
  language->tokenizer_ = std::move(tokenizer);
  if (!chat_template.empty()) {
    ATELIER_ASSIGN(parsed, text::ChatTemplate::Parse(chat_template));
    language->template_ = std::move(parsed);
    language->traits_ = text::InspectChatTemplate(*language->template_);
    language->needs_ = chat::GuessTemplateNeeds(chat_template);
    language->tool_format_ = chat::GuessToolFormat(chat_template);
    language->reasoning_ = chat::GuessReasoningMarks(chat_template);
  }
  ATELIER_TRY(language->MakeVocabularies());
  return language;
}

Status Language::MakeVocabularies() {
  std::vector<std::string_view> spellings;
  for (const auto& mark : chat::RowOf(tool_format_).control_tokens) {
    spellings.push_back(mark);
  }
  const size_t of_calls = spellings.size();
  if (reasoning_) {
    spellings.push_back(reasoning_->open);
    spellings.push_back(reasoning_->close);
  }
  std::vector<std::string> plain;
  plain.reserve(static_cast<size_t>(tokenizer_->size()));
  for (int32_t id = 0; id < tokenizer_->size(); ++id) {
    plain.emplace_back(IsEnd(id) ? std::string_view() : tokenizer_->Bytes(id));
  }
  std::vector<std::string> with_calls = plain;
  for (size_t i = 0; i < spellings.size(); ++i) {
    const auto id = FindToken(spellings[i]);
    if (id && IsControl(*id)) {
      chat_controls_.push_back(*id);
      if (i < of_calls && !IsEnd(*id)) {
        with_calls[static_cast<size_t>(*id)] = spellings[i];
      }
    }
  }
  std::ranges::sort(chat_controls_);
  const bool same = with_calls == plain;
  ATELIER_ASSIGN(vocabulary, grammar::Vocabulary::Make(std::move(plain), ends_));
  vocabulary_ = std::move(vocabulary);
  call_vocabulary_ = vocabulary_;
  if (!same) {
    ATELIER_ASSIGN(calls, grammar::Vocabulary::Make(std::move(with_calls), ends_));
    call_vocabulary_ = std::move(calls);
  }
  return {};
}

bool Language::IsEnd(int32_t id) const { return std::ranges::binary_search(ends_, id); }

bool Language::IsControl(int32_t id) const {
  const auto& kinds = tokenizer_->spec().kinds;
  return id >= 0 && static_cast<size_t>(id) < kinds.size() && kinds[static_cast<size_t>(id)] == TokenKind::kControl;
}

std::string_view Language::Spelling(int32_t id) const {
  return IsControl(id) ? std::string_view(tokenizer_->spec().tokens[static_cast<size_t>(id)]) : tokenizer_->Bytes(id);
}

std::optional<int32_t> Language::FindToken(std::string_view spelling) const {
  const auto& tokens = tokenizer_->spec().tokens;
  const auto found = std::ranges::find(tokens, spelling);
  return found == tokens.end() ? std::nullopt : std::optional(static_cast<int32_t>(found - tokens.begin()));
}

Status Language::CheckTokens(const std::vector<int32_t>& tokens) const {
  for (const int32_t token : tokens) {
    if (token < 0 || token >= tokenizer_->size()) {
      return InvalidArgument(
          "token " + std::to_string(token) + " is not in the vocabulary of " + std::to_string(tokenizer_->size()),
          "prompt");
    }
  }
  return {};
}

Result<json::object> Language::Variables(const ChatPrompt& prompt) const {
  json::object variables;
  if (!prompt.template_kwargs.empty()) {
    ATELIER_ASSIGN(value, ParseJson(prompt.template_kwargs, kChatLimits));
    if (!value.is_object()) {
      return InvalidArgument("chat_template_kwargs must be an object", "chat_template_kwargs", "invalid_type");
    }
    variables = std::move(value.as_object());
  }
  const text::TokenizerSpec& spec = tokenizer_->spec();
  const auto spell = [&](std::string_view key, const std::optional<int32_t>& id) {
    if (id) {
      variables[key] = spec.tokens[static_cast<size_t>(*id)];
    }
  };
  spell("bos_token", spec.bos);
  spell("eos_token", spec.eos);
  spell("pad_token", spec.padding);
  spell("unk_token", spec.unknown);
  return variables;
}

Result<std::string> Language::Render(const ChatPrompt& prompt, int64_t unix_s) const {
  if (template_ == nullptr) {
    return InvalidArgument("this model has no chat template: send it a text with /v1/completions", "messages",
                           "no_chat_template");
  }
  ATELIER_ASSIGN(messages, ParseArray(prompt.messages, "messages"));
  if (messages.empty()) {
    return InvalidArgument("messages must have at least one message", "messages");
  }
  json::array tools;
  if (!prompt.tools.empty() && prompt.tool_choice != "none") {
    ATELIER_ASSIGN(parsed, ParseArray(prompt.tools, "tools"));
    tools = std::move(parsed);
  }
  ATELIER_ASSIGN(variables, Variables(prompt));
  const bool generates = prompt.add_generation_prompt && !prompt.continue_final_message;
  const chat::TemplateRequest request{messages, &tools, &variables, generates};
  ATELIER_ASSIGN(context, chat::BuildTemplateContext(request, needs_));
  ATELIER_ASSIGN(text, template_->Render(context, {.now_s = unix_s}));
  if (prompt.continue_final_message) {
    return CutAfterFinal(std::move(text), context.at("messages").as_array());
  }
  return text;
}

Result<EncodedPrompt> Language::EncodeChat(const ChatPrompt& prompt, int64_t unix_s) const {
  EncodedPrompt encoded;
  ATELIER_ASSIGN(text, Render(prompt, unix_s));
  encoded.text = std::move(text);
  encoded.tokens = tokenizer_->Encode(encoded.text, {.add_special = false, .parse_special = true});
  const text::TokenizerSpec& spec = tokenizer_->spec();
  if (spec.add_bos && spec.bos && !traits_.writes_bos) {
    encoded.tokens.insert(encoded.tokens.begin(), *spec.bos);
  }
  if (reasoning_) {
    encoded.opens_reasoning = chat::PromptOpensReasoning(encoded.text, *reasoning_);
    encoded.may_reason =
        encoded.opens_reasoning || !(EndsWithMark(encoded.text, reasoning_->close) || prompt.continue_final_message);
  }
  return encoded;
}

Result<EncodedPrompt> Language::Encode(const Prompt& prompt, int64_t unix_s) const {
  EncodedPrompt encoded;
  if (const auto* chat = std::get_if<ChatPrompt>(&prompt)) {
    ATELIER_ASSIGN(of_chat, EncodeChat(*chat, unix_s));
    encoded = std::move(of_chat);
  } else if (const auto* text = std::get_if<TextPrompt>(&prompt)) {
    encoded.text = text->text;
    encoded.tokens = tokenizer_->Encode(text->text, {.add_special = text->add_special, .parse_special = true});
  } else {
    encoded.tokens = std::get<TokenPrompt>(prompt).tokens;
    ATELIER_TRY(CheckTokens(encoded.tokens));
    encoded.text = tokenizer_->Decode(encoded.tokens);
  }
  return encoded;
}

}  // namespace atelier::engine
