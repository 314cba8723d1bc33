#include "atelier/cli/chat_session.h"

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "atelier/cli/answer_printer.h"
#include "atelier/cli/chat_input.h"
#include "atelier/cli/cli.h"
#include "atelier/cli/sampling.h"
#include "atelier/cli/text.h"
#include "atelier/cli/values.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

std::string Messages(size_t count) { return std::to_string(count) + (count == 1 ? " message" : " messages"); }

}  // namespace

struct ChatSession::Command {
  std::string_view name;
  std::string_view usage;
  std::string_view help;
  Status (ChatSession::*run)(const std::string& argument);
};

const ChatSession::Command ChatSession::kCommands[] = {
    {"help", "/help", "show this", &ChatSession::Help},
    {"clear", "/clear", "forget the conversation; the system text and settings stay", &ChatSession::Clear},
    {"system", "/system TEXT", "tell the model how to behave; without TEXT: nothing", &ChatSession::System},
    {"set", "/set key=value", "temperature, top_p, max_tokens, seed, stop ...; key= removes it", &ChatSession::Set},
    {"regenerate", "/regenerate", "answer the last question again", &ChatSession::Regenerate},
    {"save", "/save FILE", "keep the conversation in a file", &ChatSession::Save},
    {"load", "/load FILE", "go on with one that was kept", &ChatSession::Load},
    {"exit", "/exit", "leave; so does Ctrl-D", &ChatSession::Exit},
};

Status AnswerNext(Api& api, Conversation& conversation, bool statistics) {
  AnswerPrinter printer;
  TextAnswer answer;
  const auto show = [&printer](PieceKind kind, std::string_view text) { printer.Show(kind, text); };
  Status status = StreamAnswer(api, "/v1/chat/completions", conversation.Request(), show, answer);
  printer.Finish(answer);
  if (!status.ok() && (status.error().reason != "interrupted" || answer.content.empty())) {
    return status;
  }
  conversation.Answer(answer.Message());
  if (status.ok() && statistics) {
    PrintAside("[" + answer.Statistics() + (answer.finish_reason == "length" ? "; cut at the longest length]" : "]"));
  }
  return status;
}

Status ChatSession::Run(LineReader& reader) {
  PrintAside("Ask something, or /help. Ctrl-C stops an answer, Ctrl-D leaves.");
  while (!ended_) {
    const auto input = ReadInput(reader);
    if (!input.has_value()) {
      break;
    }
    Handle(*input);
  }
  return {};
}

std::optional<std::string> ChatSession::ReadInput(LineReader& reader) {
  ChatInput input;
  std::string line;
  while (true) {
    switch (reader.Read(input.open() ? ". " : "> ", line)) {
      case LineOutcome::kLine:
        if (input.Add(line)) {
          return input.Take();
        }
        break;
      case LineOutcome::kCancelled:
        input.Take();
        break;
      case LineOutcome::kEnd:
        PrintText("\n");
        return std::nullopt;
    }
  }
}

void ChatSession::Handle(const std::string& input) {
  if (input.find_first_not_of(" \t\r\n") == std::string::npos) {
    return;
  }
  const auto command = ParseChatCommand(input);
  if (!command) {
    conversation_.Ask(input);
  }
  const Status status = command ? RunCommand(command->name, command->argument) : Answer();
  if (!status.ok()) {
    PrintError(status.error());
  }
}

Status ChatSession::RunCommand(const std::string& name, const std::string& argument) {
  const auto* found = std::ranges::find(kCommands, std::string_view(name), &Command::name);
  return found == std::end(kCommands) ? Status(Usage("there is no command /" + name + ": see /help"))
                                      : (this->*found->run)(argument);
}

// A question that gets no answer is taken back.
Status ChatSession::Answer() {
  WatchEveryInterrupt();
  Status status = AnswerNext(session_.api, conversation_, statistics_);
  if (status.ok()) {
    return {};
  }
  conversation_.Withdraw();
  if (status.error().reason == "interrupted") {
    PrintAside("[stopped]");
    return {};
  }
  return status;
}

Status ChatSession::Help(const std::string& /*argument*/) {
  for (const Command& command : kCommands) {
    std::fprintf(stderr, "  %-16s %s\n", command.usage.data(), command.help.data());
  }
  std::fputs("A line that ends in \\ goes on in the next one; \"\"\" begins a block that ends with \"\"\".\n", stderr);
  return {};
}

Status ChatSession::Clear(const std::string& /*argument*/) {
  conversation_.Clear();
  return {};
}

Status ChatSession::System(const std::string& argument) {
  conversation_.SetSystem(argument);
  return {};
}

Status ChatSession::Save(const std::string& argument) {
  if (argument.empty()) {
    return Usage("/save needs the name of a file");
  }
  std::ofstream file(argument);
  file << PrettyJson(conversation_.Saved());
  file.close();
  if (!file) {
    return Usage("cannot write '" + argument + "'");
  }
  PrintAside("[kept " + Messages(conversation_.messages().size()) + " in " + argument + "]");
  return {};
}

Status ChatSession::Load(const std::string& argument) {
  if (argument.empty()) {
    return Usage("/load needs the name of a file");
  }
  ATELIER_ASSIGN(saved, ReadJsonFile(argument));
  ATELIER_TRY(conversation_.Restore(saved));
  PrintAside("[" + Messages(conversation_.messages().size()) + " from " + argument + "]");
  return {};
}

Status ChatSession::Set(const std::string& argument) {
  ATELIER_ASSIGN(setting, ParseSetting(argument));
  const bool removes = setting.second.is_string() && setting.second.get_string().empty();
  return conversation_.Set(setting.first, removes ? json::value() : std::move(setting.second));
}

Status ChatSession::Regenerate(const std::string& /*argument*/) {
  const Conversation before = conversation_;
  if (!conversation_.TakeBackAnswer()) {
    return Usage("there is no question yet");
  }
  const size_t asked = conversation_.messages().size();
  const Status status = Answer();
  if (conversation_.messages().size() < asked) {  // no new answer: the old one stays
    conversation_ = before;
  }
  return status;
}

Status ChatSession::Exit(const std::string& /*argument*/) {
  ended_ = true;
  return {};
}

}  // namespace atelier::cli
