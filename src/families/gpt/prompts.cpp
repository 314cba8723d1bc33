#include "families/gpt/prompts.h"

#include <algorithm>
#include <utility>

namespace atelier::families::gpt {
namespace {

Error NotAConversation(const std::string& what) {
  return InvalidArgument("a conversation " + what, "messages", "dataset_unsuitable");
}

Status CheckMessages(const json::array& messages) {
  for (const auto& message : messages) {
    if (!message.is_object()) {
      return NotAConversation("has an item that is no object");
    }
    Fields fields(message.get_object(), "messages");
    ATELIER_TRY(fields.String("role", 64));
    const json::value* content = message.get_object().if_contains("content");
    const bool calls = message.get_object().contains("tool_calls");
    if (!calls && (content == nullptr || content->is_null())) {
      return NotAConversation("has a message without content");
    }
  }
  return {};
}

// A text that goes on. SentencePiece puts a space before every text, which belongs before the first alone: behind a
// line break there is none.
std::vector<int32_t> EncodeFurther(const text::Tokenizer& tokenizer, std::string_view piece) {
  constexpr text::EncodeOptions kOptions{.add_special = false};
  if (tokenizer.spec().kind != text::TokenizerKind::kByteLevelBpe && tokenizer.spec().add_space_prefix) {
    const auto line = tokenizer.Encode("\n", kOptions);
    auto ids = tokenizer.Encode("\n" + std::string(piece), kOptions);
    if (!line.empty() && ids.size() > line.size() && std::equal(line.begin(), line.end(), ids.begin())) {
      ids.erase(ids.begin(), ids.begin() + std::ssize(line));
      return ids;
    }
  }
  return tokenizer.Encode(piece, kOptions);
}

bool IsAnswer(const json::value& message) { return GetString(message.get_object(), "role") == "assistant"; }

}  // namespace

std::string_view PlainChatTemplate() {
  return "{%- for message in messages -%}"
         "{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
         "{%- endfor -%}"
         "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}";
}

Result<Prompts> Prompts::Make(const text::Tokenizer& tokenizer, std::string_view chat_template) {
  Prompts prompts(tokenizer);
  if (!chat_template.empty()) {
    ATELIER_ASSIGN(parsed, text::ChatTemplate::Parse(chat_template));
    prompts.template_ = std::move(parsed);
  }
  return prompts;
}

void Prompts::AddPiece(std::string_view piece, bool learn, Sequence& to) const {
  const text::TokenizerSpec& spec = tokenizer_->spec();
  const bool begins = to.ids.empty();
  if (begins && spec.add_bos && spec.bos) {
    const std::string& bos = spec.tokens[static_cast<size_t>(*spec.bos)];
    if (!piece.starts_with(bos)) {
      to.Add({*spec.bos}, false);
    }
  }
  to.Add(begins ? tokenizer_->Encode(piece, {.add_special = false}) : EncodeFurther(*tokenizer_, piece), learn);
}

Sequence Prompts::Text(std::string_view text) const {
  const text::TokenizerSpec& spec = tokenizer_->spec();
  Sequence out;
  if (spec.add_bos && spec.bos) {
    out.Add({*spec.bos}, false);
  }
  out.Add(tokenizer_->Encode(text, {.add_special = false, .parse_special = false}), true);
  if (spec.eos) {
    out.Add({*spec.eos}, true);
  }
  return out;
}

Result<std::string> Prompts::Render(const Conversation& conversation, size_t count, bool ask) const {
  const json::array& messages = conversation.messages;
  const text::TokenizerSpec& spec = tokenizer_->spec();
  const auto spelling = [&](std::optional<int32_t> id) {
    return id ? spec.tokens[static_cast<size_t>(*id)] : std::string();
  };
  json::object values{
      {"messages", json::array(messages.begin(), messages.begin() + static_cast<std::ptrdiff_t>(count))},
      {"add_generation_prompt", ask},
      {"bos_token", spelling(spec.bos)},
      {"eos_token", spelling(spec.eos)}};
  if (!conversation.tools.empty()) {
    values["tools"] = conversation.tools;
  }
  return template_->Render(values);
}

Result<Sequence> Prompts::Chat(const json::array& messages, const json::array& tools) const {
  if (!template_) {
    return FailedPrecondition("the model has no chat template, so it cannot learn conversations", "no_chat_template");
  }
  ATELIER_TRY(CheckMessages(messages));
  const Conversation conversation{messages, tools};
  Sequence out;
  std::string written;  // what `out` holds
  bool answered = false;
  for (size_t i = 0; i < messages.size(); ++i) {
    if (!IsAnswer(messages[i])) {
      continue;
    }
    ATELIER_ASSIGN(before, Render(conversation, i, true));
    ATELIER_ASSIGN(after, Render(conversation, i + 1, false));
    if (!before.starts_with(written)) {  // earlier messages are written otherwise now: begin again
      out = {};
      written.clear();
    }
    if (!after.starts_with(before)) {
      return NotAConversation(
          "cannot be cut into questions and answers: the template writes an answer otherwise "
          "than it asks for it");
    }
    AddPiece(std::string_view(before).substr(written.size()), false, out);
    const bool learnt = GetInt(messages[i].get_object(), "weight", 1) != 0;
    AddPiece(std::string_view(after).substr(before.size()), learnt, out);
    written = std::move(after);
    answered = answered || learnt;
  }
  return answered ? Result<Sequence>(std::move(out)) : NotAConversation("has no answer of the assistant to learn");
}

Sequence Prompts::Completion(std::string_view prompt, std::string_view completion) const {
  Sequence out;
  AddPiece(prompt, false, out);
  AddPiece(completion, true, out);
  if (const auto& eos = tokenizer_->spec().eos) {
    out.Add({*eos}, true);
  }
  return out;
}

Result<Sequence> Prompts::Instruction(std::string_view instruction, std::string_view input,
                                      std::string_view output) const {
  std::string question(instruction);
  if (template_) {
    question += input.empty() ? "" : "\n\n" + std::string(input);
    return Chat({json::object{{"role", "user"}, {"content", question}},
                 json::object{{"role", "assistant"}, {"content", output}}});
  }
  std::string prompt = "### Instruction:\n" + question + "\n\n";
  if (!input.empty()) {
    prompt += "### Input:\n" + std::string(input) + "\n\n";
  }
  Sequence out;
  AddPiece(prompt + "### Response:\n", false, out);
  AddPiece(output, true, out);
  if (const auto& eos = tokenizer_->spec().eos) {
    out.Add({*eos}, true);
  }
  return out;
}

}  // namespace atelier::families::gpt
