// atelier model tokenize
#include <charconv>
#include <memory>

#include "atelier/cli/commands/commands.h"
#include "atelier/cli/sampling.h"
#include "atelier/cli/table.h"
#include "atelier/cli/text.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

struct TokenizeOptions {
  std::string name;
  std::string text;
  std::string ids;
  bool count = false;
};

// "1, 2 3" -> [1,2,3]
Result<json::array> ParseIds(const std::string& text) {
  json::array ids;
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    if (*at == ' ' || *at == ',') {
      ++at;
      continue;
    }
    int32_t id = 0;
    const auto [rest, error] = std::from_chars(at, end, id);
    if (error != std::errc() || id < 0 || (rest != end && *rest != ' ' && *rest != ',')) {
      return InvalidArgument("'" + text + "' is no list of token ids", "ids", "usage");
    }
    ids.emplace_back(id);
    at = rest;
  }
  return ids;
}

Status Decode(Session& session, const TokenizeOptions& options) {
  ATELIER_ASSIGN(ids, ParseIds(options.ids));
  ATELIER_ASSIGN(answer, session.api.Post("/detokenize", {{"model", options.name}, {"tokens", std::move(ids)}}));
  if (session.json) {
    PrintJson(answer);
  } else {
    PrintText(Escape(GetString(answer, "prompt"), Lines::kKeep) + "\n");
  }
  return {};
}

Status Tokenize(Session& session, const TokenizeOptions& options) {
  if (!options.ids.empty()) {
    return Decode(session, options);
  }
  std::string text = options.text;
  if (text.empty()) {
    ATELIER_ASSIGN(read, ReadStandardInput());
    text = std::move(read);
  }
  ATELIER_ASSIGN(
      answer, session.api.Post("/tokenize", {{"model", options.name}, {"prompt", text}, {"return_token_strs", true}}));
  if (session.json) {
    PrintJson(answer);
    return {};
  }
  if (options.count) {
    PrintText(Cell(answer, "count") + "\n");
    return {};
  }
  const auto& ids = ArrayIn(answer, "tokens");
  const auto& pieces = ArrayIn(answer, "token_strs");
  Table table({"ID", "PIECE"});
  for (size_t i = 0; i < ids.size(); ++i) {
    table.Add({CellOf(ids[i]), i < pieces.size() ? json::serialize(pieces[i]) : ""});
  }
  PrintText(table.Text());
  return {};
}

}  // namespace

void AddModelTokenize(CLI::App& group, Selection& selection) {
  auto options = std::make_shared<TokenizeOptions>();
  auto* command = group.add_subcommand("tokenize", "Show the tokens of a text, or the text of tokens");
  command->add_option("name", options->name, "Deployment, or MODEL@VERSION of one")->required();
  auto* text = command->add_option("text", options->text, "Default: standard input");
  command->add_flag("--count", options->count, "Print how many there are, only");
  command->add_option("--ids", options->ids, "Token ids to decode: 1,2,3")->excludes(text);
  command->callback([&selection, options] { selection.run = [options](Session& s) { return Tokenize(s, *options); }; });
}

}  // namespace atelier::cli
