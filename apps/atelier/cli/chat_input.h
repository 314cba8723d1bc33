// What someone types in a chat: questions over several lines, and commands.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace atelier::cli {

// Puts lines together. A line that ends in a backslash goes on in the next one; """ opens a block, whose lines are
// taken as they are up to the next """.
class ChatInput {
 public:
  // Whether the input is whole now: Take it before the next line comes.
  bool Add(std::string_view line);
  bool open() const { return !text_.empty() || in_block_; }
  std::string Take();

 private:
  bool AddToBlock(std::string_view line);

  std::string text_;
  bool in_block_ = false;
};

struct ChatCommand {
  std::string name;  // without the slash
  std::string argument;
};

// Of "/name argument"; nothing where the text is a question: a name is of small letters only.
std::optional<ChatCommand> ParseChatCommand(std::string_view text);

}  // namespace atelier::cli
