#include "atelier/cli/chat_input.h"

#include <algorithm>
#include <utility>

#include "atelier/cli/values.h"

namespace atelier::cli {
namespace {

constexpr std::string_view kQuotes = R"(""")";
constexpr std::string_view kSpace = " \t\r\n";

}  // namespace

bool ChatInput::Add(std::string_view line) {
  if (in_block_) {
    return AddToBlock(line);
  }
  if (text_.empty() && line.starts_with(kQuotes)) {
    in_block_ = true;
    line.remove_prefix(kQuotes.size());
    return line.empty() ? false : AddToBlock(line);
  }
  const bool goes_on = line.ends_with('\\');
  text_ += line.substr(0, line.size() - (goes_on ? 1 : 0));
  text_ += goes_on ? "\n" : "";
  return !goes_on;
}

bool ChatInput::AddToBlock(std::string_view line) {
  const size_t end = line.find(kQuotes);
  text_ += line.substr(0, end);
  if (end == std::string_view::npos) {
    text_ += '\n';
    return false;
  }
  in_block_ = false;
  return true;
}

std::string ChatInput::Take() {
  in_block_ = false;
  return std::exchange(text_, {});
}

std::optional<ChatCommand> ParseChatCommand(std::string_view text) {
  if (!text.starts_with('/')) {
    return std::nullopt;
  }
  const size_t end = std::min(text.find_first_of(kSpace), text.size());
  const std::string_view name = text.substr(1, end - 1);
  if (!std::ranges::all_of(name, [](char c) { return c >= 'a' && c <= 'z'; })) {
    return std::nullopt;
  }
  return ChatCommand{std::string(name), std::string(Trim(text.substr(end), kSpace))};
}

}  // namespace atelier::cli
