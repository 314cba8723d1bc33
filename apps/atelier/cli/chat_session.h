// A chat on a terminal: questions, answers as they come, commands.
#pragma once

#include <optional>
#include <string>

#include "atelier/cli/conversation.h"
#include "atelier/cli/line_reader.h"
#include "atelier/cli/session.h"

namespace atelier::cli {

// Asks for the next answer and shows it; it becomes part of the conversation. On an error nothing does, but for what
// came before Ctrl-C. Errors: StreamAnswer's.
Status AnswerNext(Api& api, Conversation& conversation, bool statistics);

class ChatSession {
 public:
  ChatSession(Session& session, Conversation conversation, bool statistics)
      : session_(session), conversation_(std::move(conversation)), statistics_(statistics) {}

  // Until Ctrl-D or /exit. Ctrl-C ends an answer only. Mistakes and refusals are printed.
  Status Run(LineReader& reader);

 private:
  struct Command;
  static const Command kCommands[];

  // Reads a whole input; nothing at the end.
  std::optional<std::string> ReadInput(LineReader& reader);
  void Handle(const std::string& input);
  Status RunCommand(const std::string& name, const std::string& argument);
  Status Answer();

  Status Help(const std::string& argument);
  Status Clear(const std::string& argument);
  Status System(const std::string& argument);
  Status Save(const std::string& argument);
  Status Load(const std::string& argument);
  Status Set(const std::string& argument);
  Status Regenerate(const std::string& argument);
  Status Exit(const std::string& argument);

  Session& session_;
  Conversation conversation_;
  const bool statistics_;
  bool ended_ = false;
};

}  // namespace atelier::cli
