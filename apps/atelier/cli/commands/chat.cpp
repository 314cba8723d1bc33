// atelier chat
#include <unistd.h>

#include <memory>

#include "atelier/cli/chat_session.h"
#include "atelier/cli/commands/commands.h"
#include "atelier/cli/sampling.h"
#include "atelier/cli/text_answer.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

struct ChatOptions {
  std::string name;
  std::string question;
  std::string system;
  bool statistics = false;
  SamplingOptions sampling;
};

// One question, one answer, nothing else on standard output.
Status AskOnce(Session& session, Conversation& conversation, std::string question, bool statistics) {
  question.erase(question.find_last_not_of("\r\n") + 1);
  if (question.empty()) {
    return InvalidArgument("there is no question", "", "usage");
  }
  conversation.Ask(question);
  if (!session.json) {
    return AnswerNext(session.api, conversation, statistics);
  }
  ATELIER_ASSIGN(answer, WholeAnswer(session.api, "/v1/chat/completions", conversation.Request()));
  PrintJson(answer);
  return {};
}

// Whether there is a chat model of that name is better known before something is typed.
Status CheckChats(Api& api, const std::string& name) {
  const json::array probe{json::object{{"role", "user"}, {"content", "?"}}};
  ATELIER_TRY(api.Post("/tokenize", {{"model", name}, {"messages", probe}}));
  return {};
}

Status Chat(Session& session, const ChatOptions& options) {
  ATELIER_ASSIGN(settings, SamplingFields(options.sampling));
  Conversation conversation(options.name, std::move(settings));
  conversation.SetSystem(options.system);
  if (!options.question.empty()) {
    return AskOnce(session, conversation, options.question, options.statistics);
  }
  if (::isatty(STDIN_FILENO) == 0) {
    ATELIER_ASSIGN(question, ReadStandardInput());
    return AskOnce(session, conversation, std::move(question), options.statistics);
  }
  ATELIER_TRY(CheckChats(session.api, options.name));
  const auto reader = OpenLineReader(ChatHistoryFile());
  const bool statistics = options.statistics || ::isatty(STDERR_FILENO) == 1;
  return ChatSession(session, std::move(conversation), statistics).Run(*reader);
}

}  // namespace

void AddChatCommand(CLI::App& app, Selection& selection) {
  auto options = std::make_shared<ChatOptions>();
  auto* command = app.add_subcommand(
      "chat", "Talk with a language model; QUESTION, or what comes on standard input, is answered once");
  command->add_option("name", options->name, "Deployment, or MODEL@VERSION of one")->required();
  command->add_option("question", options->question, "Asked at once, instead of a conversation");
  command->add_option("--system", options->system, "How the model shall behave");
  command->add_flag("--stats", options->statistics, "Print tokens and times of an answer");
  AddSamplingOptions(*command, options->sampling);
  command->callback([&selection, options] { selection.run = [options](Session& s) { return Chat(s, *options); }; });
}

}  // namespace atelier::cli
