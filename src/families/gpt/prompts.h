// Texts, instructions and conversations as tokens, and which of them a model is to learn to say.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "text/template/chat_template.h"
#include "text/tokenizer.h"

namespace atelier::families::gpt {

struct Sequence {
  std::vector<int32_t> ids{};
  std::vector<bool> learnt{};  // by id: whether it counts in the loss

  void Add(const std::vector<int32_t>& more, bool learn) {
    ids.insert(ids.end(), more.begin(), more.end());
    learnt.insert(learnt.end(), more.size(), learn);
  }
};

// The template that models of ours have: each message between <|im_start|> and <|im_end|>.
std::string_view PlainChatTemplate();

// Immutable and thread-safe. Borrows the tokeniser.
class Prompts {
 public:
  // `chat_template`: empty: there is none, and instructions are written under headings, as Alpaca's are. Errors: those
  // of ChatTemplate::Parse.
  static Result<Prompts> Make(const text::Tokenizer& tokenizer, std::string_view chat_template);

  // The whole text is learnt, and the end of texts behind it, where the tokeniser has one.
  Sequence Text(std::string_view text) const;
  // What is rendered for each answer of the assistant is learnt: from where it is asked to speak, to where it ends; not
  // where the message has `weight` 0. A template that changes earlier messages leaves only the last answer. Errors:
  // kInvalidArgument (no list of messages with role and content, no answer to learn, or what the template refuses);
  // kFailedPrecondition "no_chat_template".
  Result<Sequence> Chat(const json::array& messages, const json::array& tools = {}) const;
  // The completion is learnt, and the end of texts behind it.
  Sequence Completion(std::string_view prompt, std::string_view completion) const;
  // The answer to an instruction with an `input`, which may be empty.
  Result<Sequence> Instruction(std::string_view instruction, std::string_view input, std::string_view output) const;

 private:
  explicit Prompts(const text::Tokenizer& tokenizer) : tokenizer_(&tokenizer) {}
  struct Conversation {
    const json::array& messages;
    const json::array& tools;
  };
  Result<std::string> Render(const Conversation& conversation, size_t count, bool ask) const;
  void AddPiece(std::string_view piece, bool learn, Sequence& to) const;

  const text::Tokenizer* tokenizer_;
  std::shared_ptr<const text::ChatTemplate> template_;  // shared: copies of this are alike
};

}  // namespace atelier::families::gpt
