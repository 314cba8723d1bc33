// Shows an answer while it arrives.
#pragma once

#include <string_view>

#include "atelier/cli/text_answer.h"

namespace atelier::cli {

// To standard output. On a terminal: what could steer it is escaped, and reasoning is dimmed; elsewhere there is no
// reasoning, and the content comes as it is.
class AnswerPrinter {
 public:
  AnswerPrinter();

  bool is_terminal() const { return terminal_; }
  void Show(PieceKind kind, std::string_view text);
  // The rest of a whole answer, or what is left of one that broke off: tool calls, and the end of the last line.
  void Finish(const TextAnswer& answer);

 private:
  void Put(std::string_view text, bool dim);

  bool terminal_;
  bool reasoning_ = false;
  bool line_open_ = false;
};

// A line that is no part of the answer, to standard error; dimmed on a terminal.
void PrintAside(std::string_view line);

}  // namespace atelier::cli
