#include "atelier/cli/answer_printer.h"

#include <unistd.h>

#include <cstdio>
#include <string>

#include "atelier/cli/session.h"
#include "atelier/cli/text.h"

namespace atelier::cli {
namespace {

constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kPlain = "\x1b[0m";

std::string Dimmed(std::string_view text) { return std::string(kDim) + std::string(text) + std::string(kPlain); }

}  // namespace

AnswerPrinter::AnswerPrinter() : terminal_(::isatty(STDOUT_FILENO) == 1) {}

void AnswerPrinter::Put(std::string_view text, bool dim) {
  if (text.empty()) {
    return;
  }
  const std::string safe = terminal_ ? Escape(text, Lines::kKeep) : std::string(text);
  PrintText(dim && terminal_ ? Dimmed(safe) : safe);
  line_open_ = text.back() != '\n';
}

void AnswerPrinter::Show(PieceKind kind, std::string_view text) {
  const bool reasoning = kind == PieceKind::kReasoning;
  if (reasoning && !terminal_) {
    return;
  }
  if (reasoning_ && !reasoning) {
    Put(line_open_ ? "\n\n" : "\n", false);
  }
  reasoning_ = reasoning;
  Put(text, reasoning);
}

void AnswerPrinter::Finish(const TextAnswer& answer) {
  for (const CalledTool& call : answer.calls) {
    Put((line_open_ ? "\n" : "") + call.name + "(" + call.arguments + ")\n", true);
  }
  if (line_open_) {
    Put("\n", false);
  }
}

void PrintAside(std::string_view line) {
  const std::string safe = Escape(line);
  std::fprintf(stderr, "%s\n", (::isatty(STDERR_FILENO) == 1 ? Dimmed(safe) : safe).c_str());
}

}  // namespace atelier::cli
