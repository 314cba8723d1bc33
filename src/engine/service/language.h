// What a model's text is: its tokeniser, its chat template, and how it writes calls and thoughts.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/chat/formats.h"
#include "engine/chat/reasoning.h"
#include "engine/chat/template_context.h"
#include "engine/generation.h"
#include "engine/grammar/vocabulary.h"
#include "text/template/chat_template.h"
#include "text/tokenizer.h"

namespace atelier::engine {

struct EncodedPrompt {
  std::vector<int32_t> tokens{};
  std::string text{};            // of a token prompt: what they spell
  bool opens_reasoning = false;  // the answer begins inside of the model's thoughts
  bool may_reason = false;       // a chat whose prompt has not closed the thoughts already
};

// Immutable and thread-safe.
class Language {
 public:
  // Errors: those of Tokenizer::Make, ChatTemplate::Parse and Vocabulary::Make.
  static Result<std::unique_ptr<Language>> Make(text::TokenizerSpec spec, const std::string& chat_template);

  // `unix_s` is the time that templates see. Errors: kInvalidArgument naming the field (malformed messages, tools,
  // template_kwargs; tokens outside the vocabulary), "no_chat_template", "template_error", "template_limit".
  Result<EncodedPrompt> Encode(const Prompt& prompt, int64_t unix_s) const;

  const text::Tokenizer& tokenizer() const { return *tokenizer_; }
  const std::vector<int32_t>& ends() const { return ends_; }  // tokens that end an answer; sorted
  bool IsEnd(int32_t id) const;
  // Of control tokens how they are spelled, of others the bytes that they add.
  std::string_view Spelling(int32_t id) const;
  bool IsControl(int32_t id) const;
  // The token that the vocabulary spells so.
  std::optional<int32_t> FindToken(std::string_view spelling) const;

  bool has_template() const { return template_ != nullptr; }
  const text::ChatTemplateTraits& traits() const { return traits_; }
  chat::ToolFormat tool_format() const { return tool_format_; }
  const std::optional<chat::ReasoningMarks>& reasoning() const { return reasoning_; }
  // Control tokens that must be spelled in the text for calls and thoughts to be found; sorted.
  const std::vector<int32_t>& chat_controls() const { return chat_controls_; }
  // For grammars of text, and for grammars of calls, whose control tokens are text.
  const grammar::VocabularyPtr& vocabulary() const { return vocabulary_; }
  const grammar::VocabularyPtr& call_vocabulary() const { return call_vocabulary_; }

 private:
  Language() = default;
  Status MakeVocabularies();
  Result<EncodedPrompt> EncodeChat(const ChatPrompt& prompt, int64_t unix_s) const;
  Result<std::string> Render(const ChatPrompt& prompt, int64_t unix_s) const;
  Result<json::object> Variables(const ChatPrompt& prompt) const;
  Status CheckTokens(const std::vector<int32_t>& tokens) const;

  std::unique_ptr<text::Tokenizer> tokenizer_;
  std::unique_ptr<text::ChatTemplate> template_;
  text::ChatTemplateTraits traits_;
  chat::TemplateNeeds needs_;
  chat::ToolFormat tool_format_ = chat::ToolFormat::kNone;
  std::optional<chat::ReasoningMarks> reasoning_;
  std::vector<int32_t> ends_;
  std::vector<int32_t> chat_controls_;
  grammar::VocabularyPtr vocabulary_;       // shared with the grammars of requests
  grammar::VocabularyPtr call_vocabulary_;  // the same
};

}  // namespace atelier::engine
