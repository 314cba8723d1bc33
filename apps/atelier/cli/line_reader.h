// Lines that someone types: with editing and a history on a terminal, as they come elsewhere.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace atelier::cli {

enum class LineOutcome { kLine, kEnd, kCancelled };  // kCancelled: Ctrl-C dropped what was typed

class LineReader {
 public:
  virtual ~LineReader() = default;
  // One line without its end, after `prompt`.
  virtual LineOutcome Read(const std::string& prompt, std::string& line) = 0;
};

// Of standard input. On a terminal that can be edited on, lines are kept in `history_file` (readable by its owner
// only) from one run to the next; a file that cannot be written is no error. Sets the process's character type from
// the environment, UTF-8 where that says nothing, since editing counts characters.
std::unique_ptr<LineReader> OpenLineReader(const std::filesystem::path& history_file);

// $XDG_STATE_HOME or ~/.local/state, then atelier/chat_history.
std::filesystem::path ChatHistoryFile();

}  // namespace atelier::cli
