// atelier translate
#include <iostream>
#include <memory>

#include "atelier/cli/commands/commands.h"
#include "atelier/cli/table.h"
#include "atelier/cli/text.h"
#include "atelier/cli/values.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

constexpr size_t kTextsAtOnce = 64;

struct TranslateOptions {
  std::string name;
  std::vector<std::string> texts;
};

Status Send(Session& session, const std::string& name, const std::vector<std::string>& texts) {
  ATELIER_ASSIGN(answer, session.api.Post("/v1/translate", {{"model", name}, {"input", json::value_from(texts)}}));
  if (session.json) {
    PrintJson(answer);
    return {};
  }
  for (const auto& item : ArrayIn(answer, "data")) {
    if (const auto* translation = item.if_object()) {
      PrintText(Escape(GetString(*translation, "text")) + "\n");
    }
  }
  return {};
}

Status Translate(Session& session, const TranslateOptions& options) {
  if (!options.texts.empty()) {
    return Send(session, options.name, options.texts);
  }
  std::vector<std::string> lines;
  std::string line;
  while (std::getline(std::cin, line)) {
    lines.push_back(line);
    if (lines.size() == kTextsAtOnce) {
      ATELIER_TRY(Send(session, options.name, lines));
      lines.clear();
    }
  }
  return lines.empty() ? Status() : Send(session, options.name, lines);
}

}  // namespace

void AddTranslateCommand(CLI::App& app, Selection& selection) {
  auto options = std::make_shared<TranslateOptions>();
  auto* command = app.add_subcommand("translate", "Translate texts, a line each");
  command->add_option("name", options->name, "Deployment, or MODEL@VERSION of one")->required();
  command->add_option("text", options->texts, "Texts; without any, the lines of the standard input");
  command->callback(
      [&selection, options] { selection.run = [options](Session& s) { return Translate(s, *options); }; });
}

}  // namespace atelier::cli
